//! All ways out of a worker: its shared UDP port, its TCP connections, the sockets of its client associations.

use std::io;
use std::net::SocketAddr;

use zhuandi_sfu::api::{Outgoing, Proto, Run, TransportId};
use zhuandi_wire::time::Micros;

use crate::clients::ClientSockets;
use crate::send::SendBatch;
use crate::sys::Epoll;
use crate::tcp::TcpPort;
use crate::udp::UdpPort;

/// See the module.
pub(crate) struct Ports {
    pub udp: UdpPort,
    pub tcp: TcpPort,
    pub clients: ClientSockets,
    pub send: SendBatch,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Shared,
    Client(u32),
    Tcp(u32),
}

impl Ports {
    pub(crate) fn new(udp: UdpPort, tcp: TcpPort) -> Self {
        Self {
            udp,
            tcp,
            clients: ClientSockets::default(),
            send: SendBatch::new(),
        }
    }

    /// The client role's own ends: a UDP socket from which the first reachable candidate is reached, or, when all
    /// are TCP, a connection to each of them. Candidates to which no route leads are left out.
    pub(crate) fn open_for(
        &mut self,
        id: TransportId,
        candidates: &mut Vec<(Proto, SocketAddr)>,
        epoll: &Epoll,
        now: Micros,
    ) -> io::Result<SocketAddr> {
        let mut failure = io::Error::other("the peer named no candidates");
        let udp = candidates.iter().filter(|(proto, _)| *proto == Proto::Udp);
        for (_, remote) in udp {
            match self.clients.open(id, *remote, epoll) {
                Ok(local) => {
                    candidates.retain(|(proto, to)| {
                        *proto == Proto::Udp && to.is_ipv6() == local.is_ipv6()
                    });
                    return Ok(local);
                }
                Err(error) => failure = error,
            }
        }
        let mut first = None;
        let mut connected = Vec::new();
        for (_, remote) in candidates.iter().filter(|(proto, _)| *proto != Proto::Udp) {
            match self.tcp.connect(*remote, epoll, now.0) {
                Ok((connection, local)) => {
                    connected.push((Proto::Tcp(connection), *remote));
                    first = first.or(Some(local));
                }
                Err(error) => failure = error,
            }
        }
        *candidates = connected;
        first.ok_or(failure)
    }

    fn way(&self, run: &Run) -> Way {
        let local = &run.path.local;
        match run.path.proto {
            Proto::Tcp(id) => Way::Tcp(id),
            Proto::Udp if local.port() == self.udp.bound().port() => Way::Shared,
            Proto::Udp => self.clients.owner(local).map_or(Way::Shared, Way::Client),
        }
    }

    /// Send everything; neighbouring runs that leave the same way go in one call.
    pub(crate) fn transmit(&mut self, out: &Outgoing, epoll: &Epoll) {
        let mut rest = out.runs.as_slice();
        while let Some(first) = rest.first() {
            let way = self.way(first);
            let count = rest.iter().take_while(|run| self.way(run) == way).count();
            let (same, later) = rest.split_at(count);
            rest = later;
            match way {
                Way::Shared => self.udp.send(&mut self.send, out, same),
                Way::Client(id) => {
                    if let Some(port) = self.clients.get(id) {
                        port.send(&mut self.send, out, same);
                    }
                }
                Way::Tcp(id) => {
                    for run in same {
                        let packet = out.buf.get(run.start..run.start + run.len);
                        self.tcp.send(id, packet.unwrap_or_default(), epoll);
                    }
                }
            }
        }
    }
}
