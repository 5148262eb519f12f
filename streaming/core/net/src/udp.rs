//! A UDP socket of a worker: batches in, runs out, with GSO until the kernel refuses it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};

use zhuandi_sfu::api::{Outgoing, Path, Proto, Run};

use crate::recv::RecvBatch;
use crate::send::{MESSAGES, Message, SendBatch};
use crate::sys;

const BUFFER_BYTES: i32 = 8 << 20;

/// A bound socket.
#[derive(Debug)]
pub(crate) struct UdpPort {
    socket: UdpSocket,
    bound: SocketAddr,
    gso: Gso,
}

/// Whether segmentation offload works on this socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gso {
    Untried,
    /// A refusal concerns one message (its segments exceed that path's MTU).
    Works,
    /// The first try was refused: this kernel or interface has none.
    Off,
}

impl UdpPort {
    /// All addresses of this machine, IPv6 and IPv4, on one port (0: any).
    pub(crate) fn wildcard(port: u16) -> io::Result<Self> {
        match Self::at(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port)) {
            Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => {
                Self::at(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port))
            }
            other => other,
        }
    }

    /// One concrete address.
    pub(crate) fn at(address: SocketAddr) -> io::Result<Self> {
        let socket = sys::udp_socket(address)?;
        sys::big_buffers(socket.as_raw_fd(), BUFFER_BYTES);
        let bound = socket.local_addr()?;
        Ok(Self {
            socket,
            bound,
            gso: Gso::Untried,
        })
    }

    /// A socket for one association of the client role: bound to the address from which `remote` is reached.
    pub(crate) fn towards(remote: SocketAddr) -> io::Result<Self> {
        let any: IpAddr = if remote.is_ipv6() {
            Ipv6Addr::UNSPECIFIED.into()
        } else {
            Ipv4Addr::UNSPECIFIED.into()
        };
        let probe = sys::udp_socket(SocketAddr::new(any, 0))?;
        probe.connect(remote)?;
        Self::at(SocketAddr::new(probe.local_addr()?.ip(), 0))
    }

    /// The bound address; the IP is unspecified for a wildcard.
    pub(crate) fn bound(&self) -> SocketAddr {
        self.bound
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Receive a batch and hand each datagram with its path to `take`; the number received.
    pub(crate) fn receive(
        &self,
        batch: &mut RecvBatch,
        mut take: impl FnMut(Path, &mut [u8]),
    ) -> usize {
        let count = batch.receive(self.fd());
        for datagram in batch.datagrams() {
            let ip = datagram.local.unwrap_or(self.bound.ip());
            let local = SocketAddr::new(ip, self.bound.port());
            take(
                Path {
                    proto: Proto::Udp,
                    local,
                    remote: datagram.remote,
                },
                datagram.bytes,
            );
        }
        count
    }

    /// Send runs that all leave from this socket.
    pub(crate) fn send(&mut self, batch: &mut SendBatch, out: &Outgoing, runs: &[Run]) {
        let pin_source = self.bound.ip().is_unspecified();
        let message = |run: &Run| Message {
            start: run.start,
            len: run.len,
            segment: run.segment,
            remote: run.path.remote,
            source: pin_source.then(|| run.path.local.ip()),
        };
        let blank = Message {
            start: 0,
            len: 0,
            segment: 1,
            remote: self.bound,
            source: None,
        };
        let mut messages = [blank; MESSAGES];
        for chunk in runs.chunks(MESSAGES) {
            for (slot, run) in messages.iter_mut().zip(chunk) {
                *slot = message(run);
            }
            let ready = messages.get(..chunk.len()).unwrap_or_default();
            self.send_messages(batch, &out.buf, ready);
        }
    }

    fn send_messages(&mut self, batch: &mut SendBatch, buf: &[u8], mut messages: &[Message]) {
        while self.gso != Gso::Off {
            let Err(done) = batch.send(self.fd(), self.bound.is_ipv6(), buf, messages) else {
                if messages.iter().any(|message| message.len > message.segment) {
                    self.gso = Gso::Works;
                }
                return;
            };
            let Some((refused, rest)) = messages.get(done..).and_then(<[Message]>::split_first)
            else {
                return;
            };
            self.send_split(batch, buf, refused);
            if self.gso == Gso::Untried {
                self.gso = Gso::Off;
            }
            messages = rest;
        }
        for message in messages {
            self.send_split(batch, buf, message);
        }
    }

    /// One message a datagram, for kernels or interfaces without GSO.
    fn send_split(&self, batch: &mut SendBatch, buf: &[u8], message: &Message) {
        let end = message.start + message.len;
        let mut start = message.start;
        let mut pieces = [*message; MESSAGES];
        let mut count = 0;
        for piece in &mut pieces {
            if start >= end {
                break;
            }
            let len = message.segment.min(end - start);
            *piece = Message {
                start,
                len,
                segment: len,
                ..*message
            };
            start += len;
            count += 1;
        }
        let ready = pieces.get(..count).unwrap_or_default();
        // Without segments to split, `send` has nothing to refuse as a whole.
        let _ = batch.send(self.fd(), self.bound.is_ipv6(), buf, ready);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::wait_writable;

    fn loopback(ip: IpAddr, port: &UdpPort) -> SocketAddr {
        SocketAddr::new(ip, port.bound().port())
    }

    fn receive_all(port: &UdpPort, want: usize) -> Vec<(Path, Vec<u8>)> {
        let mut batch = RecvBatch::new();
        let mut got = Vec::new();
        // Loopback delivers during the send; the bound only keeps a failing test from hanging.
        for _ in 0..1000 {
            port.receive(&mut batch, |path, bytes| got.push((path, bytes.to_vec())));
            if got.len() >= want {
                break;
            }
            wait_writable(port.fd(), 1);
        }
        got
    }

    fn run_of(path: Path, sizes: &[usize]) -> Outgoing {
        let mut out = Outgoing::default();
        for (index, size) in sizes.iter().enumerate() {
            out.push(path, |buf| {
                buf.extend(std::iter::repeat_n(index as u8, *size))
            });
        }
        out
    }

    fn exchange(ip: IpAddr, gso: bool) {
        let mut server = UdpPort::wildcard(0).unwrap();
        if !gso {
            server.gso = Gso::Off;
        }
        let client = UdpPort::towards(loopback(ip, &server)).unwrap();
        let path = Path {
            proto: Proto::Udp,
            local: loopback(ip, &server),
            remote: client.bound(),
        };
        let out = run_of(path, &[1200, 1200, 1200, 700, 900]);
        assert_eq!(out.runs.len(), 2, "a shorter datagram closes its run");
        server.send(&mut SendBatch::new(), &out, &out.runs);
        let got = receive_all(&client, 5);
        let sizes: Vec<usize> = got.iter().map(|(_, bytes)| bytes.len()).collect();
        assert_eq!(sizes, [1200, 1200, 1200, 700, 900]);
        for (index, (from, bytes)) in got.iter().enumerate() {
            assert_eq!(
                from.remote, path.local,
                "the source is the address that the peer knows"
            );
            assert!(bytes.iter().all(|byte| usize::from(*byte) == index));
        }
    }

    #[test]
    fn runs_arrive_as_single_datagrams_over_ipv4_and_ipv6_with_and_without_gso() {
        for ip in [
            IpAddr::from(Ipv4Addr::LOCALHOST),
            IpAddr::from(Ipv6Addr::LOCALHOST),
        ] {
            exchange(ip, true);
            exchange(ip, false);
        }
    }

    #[test]
    fn the_destination_address_of_a_datagram_is_concrete() {
        let server = UdpPort::wildcard(0).unwrap();
        let ip = IpAddr::from(Ipv4Addr::new(127, 0, 0, 9));
        let mut client = UdpPort::towards(loopback(ip, &server)).unwrap();
        let path = Path {
            proto: Proto::Udp,
            local: client.bound(),
            remote: loopback(ip, &server),
        };
        let out = run_of(path, &[10]);
        client.send(&mut SendBatch::new(), &out, &out.runs);
        let got = receive_all(&server, 1);
        assert_eq!(got[0].0.local, loopback(ip, &server));
        assert_eq!(got[0].0.remote, client.bound());
    }

    #[test]
    fn one_unreachable_peer_does_not_keep_the_others_from_their_datagrams() {
        let mut server = UdpPort::wildcard(0).unwrap();
        let ip = IpAddr::from(Ipv4Addr::LOCALHOST);
        let client = UdpPort::towards(loopback(ip, &server)).unwrap();
        let good = Path {
            proto: Proto::Udp,
            local: loopback(ip, &server),
            remote: client.bound(),
        };
        let bad = Path {
            remote: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0),
            ..good
        };
        let mut out = run_of(bad, &[100]);
        out.push(good, |buf| buf.extend([7; 50]));
        let mut batch = SendBatch::new();
        server.send(&mut batch, &out, &out.runs);
        assert_eq!(receive_all(&client, 1)[0].1, vec![7; 50]);
        assert_eq!(batch.dropped, 1);
    }
}
