//! Sockets of the client role: one for each of our own associations, found by its address when the engine sends.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;

use zhuandi_sfu::api::TransportId;

use crate::sys::Epoll;
use crate::udp::UdpPort;

/// Token space of client sockets in the worker's epoll set; the transport's handle is the rest.
pub(crate) const TOKEN: u64 = 3 << 32;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct ClientSockets {
    ports: HashMap<u32, UdpPort>,
    by_address: HashMap<SocketAddr, u32>,
}

impl ClientSockets {
    /// A socket that reaches `remote`, for this transport; its concrete address.
    pub(crate) fn open(
        &mut self,
        id: TransportId,
        remote: SocketAddr,
        epoll: &Epoll,
    ) -> io::Result<SocketAddr> {
        let port = UdpPort::towards(remote)?;
        epoll.add(port.fd(), TOKEN | u64::from(id.0))?;
        let address = port.bound();
        self.by_address.insert(address, id.0);
        self.ports.insert(id.0, port);
        Ok(address)
    }

    /// The transport's association ended.
    pub(crate) fn close(&mut self, id: u32) {
        if let Some(port) = self.ports.remove(&id) {
            self.by_address.remove(&port.bound());
        }
    }

    pub(crate) fn get(&mut self, id: u32) -> Option<&mut UdpPort> {
        self.ports.get_mut(&id)
    }

    /// The transport whose socket has this address.
    pub(crate) fn owner(&self, local: &SocketAddr) -> Option<u32> {
        self.by_address.get(local).copied()
    }
}
