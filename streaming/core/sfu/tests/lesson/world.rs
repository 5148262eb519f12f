//! Engines in virtual time with a seeded, lossy wire between them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use zhuandi_sfu::api::{Command, Event, LogRecord, Outgoing, Path, Proto};
use zhuandi_sfu::engine::Engine;
use zhuandi_sfu::transport::{Certificate, Epoch};
use zhuandi_wire::time::Micros;

use crate::ledger::Ledger;

/// Address of the server's one socket.
pub const SERVER: &str = "192.0.2.1:4000";
const DELAY_US: i64 = 10_000;

/// One certificate for all: making one is slow.
pub fn certificate() -> Arc<Certificate> {
    static MADE: OnceLock<Arc<Certificate>> = OnceLock::new();
    MADE.get_or_init(|| Arc::new(Certificate::generate().unwrap()))
        .clone()
}

fn epoch() -> Epoch {
    static BASE: OnceLock<Instant> = OnceLock::new();
    #[allow(clippy::disallowed_methods)]
    Epoch {
        base: *BASE.get_or_init(Instant::now),
    }
}

/// One of the engines: the server is 0.
pub struct Node {
    pub engine: Engine,
    pub events: Vec<Event>,
    pub log: Vec<LogRecord>,
    /// Datagrams that it sent, by first byte: media and RTCP only.
    pub sent: u64,
}

/// A datagram on its way.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Flight {
    at: i64,
    order: u64,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

/// All engines and the wire.
pub struct World {
    pub now: Micros,
    pub nodes: Vec<Node>,
    pub homes: HashMap<SocketAddr, usize>,
    /// Share of media datagrams that are lost on the way to an address.
    pub loss: HashMap<SocketAddr, f64>,
    /// Ends of which no media and no RTCP comes or goes.
    pub silenced: HashSet<SocketAddr>,
    /// Random extra delay of each datagram.
    pub jitter_us: i64,
    /// Everything sealed, by all engines.
    pub ledger: Ledger,
    wire: BinaryHeap<Reverse<Flight>>,
    order: u64,
    random: u64,
    out: Outgoing,
}

impl World {
    /// Engines in a row; the first one is the server.
    pub fn new(nodes: usize, seed: u64) -> World {
        let node = |index: usize| {
            let mut engine = Engine::new(certificate(), epoch());
            engine.set_seed(seed.wrapping_add(index as u64 * 7919));
            engine.set_wall_clock(1_790_000_000_000_000);
            Node {
                engine,
                events: Vec::new(),
                log: Vec::new(),
                sent: 0,
            }
        };
        World {
            now: Micros(0),
            nodes: (0..nodes).map(node).collect(),
            homes: HashMap::from([(SERVER.parse().unwrap(), 0)]),
            loss: HashMap::new(),
            silenced: HashSet::new(),
            jitter_us: 0,
            ledger: Ledger::default(),
            wire: BinaryHeap::new(),
            order: 0,
            random: seed | 1,
            out: Outgoing::default(),
        }
    }

    /// Give a command and let the engine speak.
    pub fn command(&mut self, node: usize, command: Command) {
        let now = self.now;
        self.nodes[node].engine.handle_command(now, command);
        self.drain(node);
    }

    /// Let this much time pass.
    pub fn run(&mut self, span_us: i64) {
        let end = self.now.plus(span_us);
        loop {
            let timers = self
                .nodes
                .iter()
                .map(|node| node.engine.poll_timeout())
                .min()
                .unwrap();
            let wire = self
                .wire
                .peek()
                .map_or(Micros::NEVER, |Reverse(flight)| Micros(flight.at));
            let next = timers.min(wire).max(self.now);
            if next > end {
                break;
            }
            self.now = next;
            self.deliver();
            for node in 0..self.nodes.len() {
                if self.nodes[node].engine.poll_timeout() <= next {
                    self.nodes[node].engine.handle_timeout(next);
                    self.drain(node);
                }
            }
        }
        self.now = end;
    }

    /// A number in 0..1, the same in every run.
    pub fn chance(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1u64 << 53) as f64
    }

    /// All datagrams that are due, then everything that the engines answer.
    fn deliver(&mut self) {
        let mut touched = Vec::new();
        while self
            .wire
            .peek()
            .is_some_and(|Reverse(flight)| flight.at <= self.now.0)
        {
            let Some(Reverse(mut flight)) = self.wire.pop() else {
                break;
            };
            let Some(&home) = self.homes.get(&flight.to) else {
                continue;
            };
            let path = Path {
                proto: Proto::Udp,
                local: flight.to,
                remote: flight.from,
            };
            self.nodes[home]
                .engine
                .handle_datagram(self.now, path, &mut flight.bytes);
            if !touched.contains(&home) {
                touched.push(home);
            }
        }
        touched.into_iter().for_each(|node| self.drain(node));
    }

    fn drain(&mut self, node: usize) {
        loop {
            let mut out = std::mem::take(&mut self.out);
            out.clear();
            self.nodes[node].engine.poll_transmit(self.now, &mut out);
            for run in &out.runs {
                for bytes in out.buf[run.start..run.start + run.len].chunks(run.segment) {
                    self.send(node, run.path, bytes);
                }
            }
            let empty = out.runs.is_empty();
            self.out = out;
            if empty {
                break;
            }
        }
        let place = &mut self.nodes[node];
        place
            .events
            .extend(std::iter::from_fn(|| place.engine.poll_event()));
        place
            .log
            .extend(std::iter::from_fn(|| place.engine.poll_log()));
    }

    fn send(&mut self, node: usize, path: Path, bytes: &[u8]) {
        let media = bytes[0] & 0xC0 == 0x80;
        self.nodes[node].sent += u64::from(media);
        if media {
            self.ledger.note((path.local, path.remote), bytes);
        }
        let silent = |end| self.silenced.contains(end);
        if media && (silent(&path.local) || silent(&path.remote)) {
            return;
        }
        let loss = self.loss.get(&path.remote).copied().unwrap_or(0.0);
        if media && loss > 0.0 && self.chance() < loss {
            return;
        }
        let extra = if self.jitter_us > 0 {
            (self.chance() * self.jitter_us as f64) as i64
        } else {
            0
        };
        self.order += 1;
        self.wire.push(Reverse(Flight {
            at: self.now.0 + DELAY_US + extra,
            order: self.order,
            from: path.local,
            to: path.remote,
            bytes: bytes.to_vec(),
        }));
    }
}
