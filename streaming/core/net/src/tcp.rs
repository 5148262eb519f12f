//! ICE-TCP (RFC 6544): the passive listener, our own active connections, RFC 4571 frames both ways, and the limits.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};

use zhuandi_sfu::api::{Path, Proto};
use zhuandi_wire::frame4571::{self, Decoder};

use crate::stun_name::stun_ufrag;
use crate::sys::{self, Epoll};

/// A connection must say who it is within this time.
const NAME_US: i64 = 10_000_000;
/// A connection that says nothing for this long is gone (consent checks come every 5 s, RFC 7675).
const IDLE_US: i64 = 60_000_000;
const MAX_UNNAMED: usize = 256;
const MAX_CONNECTIONS: usize = 8_192;
/// A link slower than its media loses frames, as UDP would, instead of growing a second of stale pictures.
const MAX_OUT: usize = 256 << 10;
/// Bytes read from one connection in one turn.
const READ_TURN: usize = 64 << 10;

/// Token space of connections in the worker's epoll set.
pub(crate) const TOKEN: u64 = 4 << 32;

struct Connection {
    stream: TcpStream,
    path: Path,
    named: bool,
    frames: Decoder,
    out: Vec<u8>,
    sent: usize,
    wants_write: bool,
    heard_us: i64,
}

impl Connection {
    /// Hand over all whole frames; false when the stream has lost its framing.
    fn deliver(&mut self, mut take: impl FnMut(Path, &mut [u8])) -> bool {
        loop {
            match self.frames.next_frame() {
                Ok(Some(frame)) => take(self.path, frame),
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }
}

/// What a look at a connection came to.
pub(crate) enum Seen {
    /// Nothing special.
    Fine,
    /// It is not for this worker, or not yet known for whom: its first frame names this ufrag.
    Named(String),
}

/// All ICE-TCP connections of a worker.
pub(crate) struct TcpPort {
    listener: TcpListener,
    connections: HashMap<u32, Connection>,
    next: u32,
    unnamed: usize,
    buffer: Vec<u8>,
    /// Frames that were dropped because the peer reads too slowly.
    pub dropped: u64,
}

impl TcpPort {
    pub(crate) fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            connections: HashMap::new(),
            next: 0,
            unnamed: 0,
            buffer: vec![0; READ_TURN],
            dropped: 0,
        }
    }

    pub(crate) fn listener_fd(&self) -> RawFd {
        self.listener.as_raw_fd()
    }

    /// Take new connections, within the limits; beyond them they are closed at once.
    pub(crate) fn accept(&mut self, epoll: &Epoll, now_us: i64) {
        for _ in 0..64 {
            let Ok((stream, _)) = self.listener.accept() else {
                return;
            };
            if self.unnamed < MAX_UNNAMED && stream.set_nonblocking(true).is_ok() {
                let _ = self.insert(stream, Decoder::default(), false, epoll, now_us);
            }
        }
    }

    /// A connection that another worker's listener took for us.
    pub(crate) fn adopt(
        &mut self,
        stream: TcpStream,
        read: Vec<u8>,
        epoll: &Epoll,
        now_us: i64,
    ) -> io::Result<u32> {
        self.insert(stream, Decoder::with(read), true, epoll, now_us)
    }

    /// Our own connection to a passive candidate; its number and local address.
    pub(crate) fn connect(
        &mut self,
        to: SocketAddr,
        epoll: &Epoll,
        now_us: i64,
    ) -> io::Result<(u32, SocketAddr)> {
        let stream = sys::tcp_connect(to)?;
        let local = stream.local_addr()?;
        let id = self.insert_to(stream, (local, to), Decoder::default(), true, epoll, now_us)?;
        // The first write is done when the connection stands.
        self.want_write(id, epoll, true);
        Ok((id, local))
    }

    fn insert(
        &mut self,
        stream: TcpStream,
        frames: Decoder,
        named: bool,
        epoll: &Epoll,
        now_us: i64,
    ) -> io::Result<u32> {
        let ends = (plain(stream.local_addr()?), plain(stream.peer_addr()?));
        self.insert_to(stream, ends, frames, named, epoll, now_us)
    }

    fn insert_to(
        &mut self,
        stream: TcpStream,
        (local, remote): (SocketAddr, SocketAddr),
        frames: Decoder,
        named: bool,
        epoll: &Epoll,
        now_us: i64,
    ) -> io::Result<u32> {
        if self.connections.len() >= MAX_CONNECTIONS {
            return Err(io::Error::other("too many TCP connections"));
        }
        stream.set_nodelay(true)?;
        self.next = self.next.wrapping_add(1);
        let id = self.next;
        epoll.add(stream.as_raw_fd(), TOKEN | u64::from(id))?;
        let path = Path {
            proto: Proto::Tcp(id),
            local,
            remote,
        };
        self.unnamed += usize::from(!named);
        let out = Vec::new();
        let new = Connection {
            stream,
            path,
            named,
            frames,
            out,
            sent: 0,
            wants_write: false,
            heard_us: now_us,
        };
        self.connections.insert(id, new);
        Ok(id)
    }

    /// Close a connection.
    pub(crate) fn close(&mut self, id: u32) {
        if let Some(gone) = self.connections.remove(&id) {
            self.unnamed -= usize::from(!gone.named);
        }
    }

    /// Read what there is; whole frames of a named connection go to `take`.
    pub(crate) fn read(&mut self, id: u32, now_us: i64, take: impl FnMut(Path, &mut [u8])) -> Seen {
        let Some(connection) = self.connections.get_mut(&id) else {
            return Seen::Fine;
        };
        let count = match connection.stream.read(&mut self.buffer) {
            Ok(0) => {
                self.close(id);
                return Seen::Fine;
            }
            Ok(count) => count,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                return Seen::Fine;
            }
            Err(_) => {
                self.close(id);
                return Seen::Fine;
            }
        };
        connection.heard_us = if connection.named {
            now_us
        } else {
            connection.heard_us
        };
        connection
            .frames
            .extend(self.buffer.get(..count).unwrap_or_default());
        if connection.named {
            if !connection.deliver(take) {
                self.close(id);
            }
            return Seen::Fine;
        }
        let first = connection.frames.peek();
        match first.map(|frame| frame.map(|frame| stun_ufrag(frame).map(str::to_owned))) {
            Ok(None) => Seen::Fine,
            Ok(Some(Some(ufrag))) => Seen::Named(ufrag),
            // A first frame that is no STUN request, or an endless one, is nobody for us.
            Ok(Some(None)) | Err(_) => {
                self.close(id);
                Seen::Fine
            }
        }
    }

    /// The name is one of this worker's: hand over the frames read so far.
    pub(crate) fn keep(&mut self, id: u32, now_us: i64, take: impl FnMut(Path, &mut [u8])) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        self.unnamed -= usize::from(!connection.named);
        connection.named = true;
        connection.heard_us = now_us;
        if !connection.deliver(take) {
            self.close(id);
        }
    }

    /// The name is another worker's: give the connection away.
    pub(crate) fn give(&mut self, id: u32, epoll: &Epoll) -> Option<(TcpStream, Vec<u8>)> {
        let connection = self.connections.remove(&id)?;
        self.unnamed -= usize::from(!connection.named);
        // The descriptor lives on, so closing cannot take it out of this worker's set.
        epoll.remove(connection.stream.as_raw_fd()).ok()?;
        Some((connection.stream, connection.frames.into_rest()))
    }

    /// Queue one packet as a frame and send what the socket takes.
    pub(crate) fn send(&mut self, id: u32, packet: &[u8], epoll: &Epoll) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if connection.out.len() - connection.sent > MAX_OUT {
            self.dropped += 1;
            return;
        }
        if !frame4571::write(&mut connection.out, packet) {
            self.dropped += 1;
            return;
        }
        if !connection.wants_write {
            self.flush(id, epoll);
        }
    }

    /// Go on sending; called when the socket has room.
    pub(crate) fn flush(&mut self, id: u32, epoll: &Epoll) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        while let Some(rest) = connection
            .out
            .get(connection.sent..)
            .filter(|rest| !rest.is_empty())
        {
            match connection.stream.write(rest) {
                Ok(count) => connection.sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::NotConnected
                    ) =>
                {
                    break;
                }
                Err(_) => {
                    self.close(id);
                    return;
                }
            }
        }
        connection.out.drain(..connection.sent);
        connection.sent = 0;
        let wants = !connection.out.is_empty();
        self.want_write(id, epoll, wants);
    }

    fn want_write(&mut self, id: u32, epoll: &Epoll, wants: bool) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if connection.wants_write != wants {
            let fd = connection.stream.as_raw_fd();
            connection.wants_write =
                epoll.set_writable(fd, TOKEN | u64::from(id), wants).is_ok() && wants;
        }
    }

    /// Close what never said its name or fell silent.
    pub(crate) fn expire(&mut self, now_us: i64) {
        let late = |connection: &Connection| {
            now_us - connection.heard_us > if connection.named { IDLE_US } else { NAME_US }
        };
        let old: Vec<u32> = self
            .connections
            .iter()
            .filter(|(_, c)| late(c))
            .map(|(id, _)| *id)
            .collect();
        for id in old {
            self.close(id);
        }
    }
}

/// Plain IPv4 for v4-mapped addresses.
fn plain(address: SocketAddr) -> SocketAddr {
    let ip: IpAddr = address.ip().to_canonical();
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
#[path = "tcp_tests.rs"]
mod tests;
