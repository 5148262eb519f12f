//! Who may stay on the ICE-TCP port, and what a slow reader costs.

use std::net::Ipv4Addr;

use super::*;

struct Door {
    port: TcpPort,
    epoll: Epoll,
    address: SocketAddr,
}

impl Door {
    fn new() -> Self {
        let any = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
        let listener = sys::tcp_listener(any).unwrap();
        let address = listener.local_addr().unwrap();
        let (port, epoll) = (TcpPort::new(listener), Epoll::new(8).unwrap());
        epoll.add(port.listener_fd(), 1).unwrap();
        Self {
            port,
            epoll,
            address,
        }
    }

    /// A peer that has sent `bytes`, and the number of its connection here.
    fn peer(&mut self, bytes: &[u8]) -> (TcpStream, u32) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(bytes).unwrap();
        self.wait();
        self.port.accept(&self.epoll, 0);
        let id = *self.port.connections.keys().max().unwrap();
        self.wait();
        (stream, id)
    }

    fn wait(&mut self) {
        let mut ready = Vec::new();
        while ready.is_empty() {
            self.epoll.wait(1000, &mut ready);
        }
    }

    fn open(&self) -> usize {
        self.port.connections.len()
    }
}

fn nobody(_: Path, _: &mut [u8]) {}

#[test]
fn a_browser_that_strays_in_is_shown_out_at_once() {
    let mut door = Door::new();
    let (_peer, id) = door.peer(b"GET / HTTP/1.1\r\nHost: school\r\n\r\n");
    assert!(matches!(door.port.read(id, 0, nobody), Seen::Fine));
    assert_eq!(door.open(), 0);
}

#[test]
fn a_connection_that_never_says_its_name_ends_after_ten_seconds() {
    let mut door = Door::new();
    let (_peer, id) = door.peer(&[0, 40, 0]);
    assert!(matches!(door.port.read(id, 9_000_000, nobody), Seen::Fine));
    door.port.expire(10_000_000);
    assert_eq!(door.open(), 1);
    door.port.expire(10_000_001);
    assert_eq!(door.open(), 0);
}

#[test]
fn a_named_connection_delivers_its_frames_and_may_be_silent_for_a_minute() {
    let mut door = Door::new();
    let (mut peer, id) = door.peer(&[0, 2, 7, 8]);
    let mut got = Vec::new();
    door.port.keep(id, 0, |_, frame| got.push(frame.to_vec()));
    door.port.read(id, 1, |_, frame| got.push(frame.to_vec()));
    peer.write_all(&[0, 1, 9]).unwrap();
    door.wait();
    door.port.read(id, 5, |path, frame| {
        assert_eq!(path.local, door.address);
        got.push(frame.to_vec());
    });
    assert_eq!(got, [vec![7, 8], vec![9]]);
    door.port.expire(60_000_000);
    assert_eq!(door.open(), 1);
    door.port.expire(60_000_006);
    assert_eq!(door.open(), 0);
}

#[test]
fn a_peer_that_does_not_read_loses_frames_and_memory_stays_bounded() {
    let mut door = Door::new();
    let (_peer, id) = door.peer(&[0, 2, 7, 8]);
    door.port.keep(id, 0, nobody);
    for _ in 0..20_000 {
        door.port.send(id, &[0; 1200], &door.epoll);
    }
    assert!(door.port.dropped > 0);
    let held = door.port.connections.get(&id).unwrap().out.len();
    assert!(held <= MAX_OUT + 2 * 1202, "{held} bytes wait");
}
