//! The engine, links and ends under one virtual clock. The same seed and the same calls give the same result:
//! events happen in the order of their time and of their makers, chance is seeded, no order of a hash map is seen.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;

use zhuandi_netem::{IP_UDP_BYTES, Link, LinkProfile};
use zhuandi_sfu::api::{Outgoing, Path, Proto};
use zhuandi_sfu::engine::Engine;
use zhuandi_wire::time::Micros;

pub mod bottleneck;

use crate::download::Download;
use crate::receiver::Receiver;
use crate::teacher::Teacher;
use bottleneck::{Bottleneck, Load, Target};

/// Who stands at the other end of an association.
pub enum Person {
    /// One who publishes.
    Teacher(Box<Teacher>),
    /// One who attends.
    Receiver(Box<Receiver>),
}

/// A modelled browser with its way to the server and back.
pub struct End {
    /// Its machine.
    pub person: Person,
    /// Towards the server.
    pub up: Link<Vec<u8>>,
    /// Number of its bottleneck towards it, and of its flow there.
    pub down: (usize, usize),
    /// As the server sees it.
    pub path: Path,
    armed: Micros,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Bottleneck(usize),
    End(usize),
    Download(usize),
}

/// See the module.
pub struct World {
    /// Virtual time.
    pub now: Micros,
    /// The one under test.
    pub engine: Engine,
    /// All ends.
    pub ends: Vec<End>,
    /// All ways towards ends.
    pub bottlenecks: Vec<Bottleneck>,
    /// Downloads beside lessons.
    pub downloads: Vec<Download>,
    turns: BinaryHeap<Reverse<(Micros, Turn)>>,
    out: Outgoing,
    datagrams: Vec<Vec<u8>>,
    seed: u64,
}

impl World {
    /// An engine alone.
    pub fn new(engine: Engine, seed: u64) -> World {
        World {
            now: Micros(0),
            engine,
            ends: Vec::new(),
            bottlenecks: Vec::new(),
            downloads: Vec::new(),
            turns: BinaryHeap::new(),
            out: Outgoing::default(),
            datagrams: Vec::new(),
            seed,
        }
    }

    /// A way towards ends; answers its number.
    pub fn add_bottleneck(&mut self, profile: LinkProfile) -> usize {
        let number = self.bottlenecks.len();
        let seed = self.seed.wrapping_add(2 * number as u64);
        self.bottlenecks
            .push(Bottleneck::new(profile, seed, self.now));
        number
    }

    /// The path of the end that is added next.
    pub fn next_path(&self) -> Path {
        address(self.ends.len())
    }

    /// An end behind a bottleneck; answers its number, or none when the bottleneck has too many flows.
    pub fn add_end(&mut self, person: Person, up: LinkProfile, bottleneck: usize) -> Option<usize> {
        let number = self.ends.len();
        let flow = self
            .bottlenecks
            .get_mut(bottleneck)?
            .add(Target::End(number))?;
        let seed = self.seed.wrapping_add(2 * number as u64 + 1);
        self.ends.push(End {
            person,
            up: Link::new(up, seed, self.now),
            down: (bottleneck, flow),
            path: self.next_path(),
            armed: Micros::NEVER,
        });
        self.arm_end(number);
        Some(number)
    }

    /// A download through a bottleneck that begins now; answers its number.
    pub fn add_download(&mut self, bottleneck: usize, return_us: i64) -> Option<usize> {
        let number = self.downloads.len();
        let flow = self
            .bottlenecks
            .get_mut(bottleneck)?
            .add(Target::Download(number))?;
        self.downloads
            .push(Download::new(self.now, bottleneck, flow, return_us));
        self.turn_download(number);
        Some(number)
    }

    /// Let this much time pass.
    pub fn step(&mut self, span_us: i64) {
        let end = self.now.plus(span_us.max(0));
        loop {
            let timers = self.engine.poll_timeout();
            let turns = self
                .turns
                .peek()
                .map_or(Micros::NEVER, |Reverse((at, _))| *at);
            let next = timers.min(turns).max(self.now);
            if next > end {
                break;
            }
            self.now = next;
            if timers <= next {
                self.engine.handle_timeout(next);
                self.drain();
            }
            while let Some(Reverse((at, turn))) = self
                .turns
                .peek()
                .copied()
                .filter(|Reverse((at, _))| *at <= next)
            {
                self.turns.pop();
                self.take_turn(at, turn);
            }
        }
        self.now = end;
    }

    /// Send what the engine has to say; its events and log records are nobody's here.
    pub fn drain(&mut self) {
        loop {
            let mut out = std::mem::take(&mut self.out);
            out.clear();
            self.engine.poll_transmit(self.now, &mut out);
            for run in &out.runs {
                let bytes = out
                    .buf
                    .get(run.start..run.start + run.len)
                    .unwrap_or_default();
                for datagram in bytes.chunks(run.segment.max(1)) {
                    self.forward(&run.path, datagram);
                }
            }
            let empty = out.runs.is_empty();
            self.out = out;
            if empty {
                break;
            }
        }
        while self.engine.poll_event().is_some() {}
        while self.engine.poll_log().is_some() {}
    }

    fn take_turn(&mut self, at: Micros, turn: Turn) {
        match turn {
            Turn::Bottleneck(number) => {
                if self
                    .bottlenecks
                    .get(number)
                    .is_some_and(|found| found.armed == at)
                {
                    self.turn_bottleneck(number);
                }
            }
            Turn::End(number) => {
                if self.ends.get(number).is_some_and(|end| end.armed == at) {
                    self.turn_end(number);
                }
            }
            Turn::Download(number) => {
                if self
                    .downloads
                    .get(number)
                    .is_some_and(|found| found.armed == at)
                {
                    self.turn_download(number);
                }
            }
        }
    }

    fn turn_bottleneck(&mut self, number: usize) {
        let now = self.now;
        while let Some((target, load)) = self
            .bottlenecks
            .get_mut(number)
            .and_then(|found| found.poll(now))
        {
            match (target, load) {
                (Target::End(end), Load::Datagram(mut datagram)) => {
                    if let Some(found) = self.ends.get_mut(end) {
                        found
                            .person
                            .receive(now, &mut datagram, &mut self.datagrams);
                        found.send(now, &mut self.datagrams);
                    }
                    self.arm_end(end);
                }
                (Target::Download(download), Load::Segment(segment)) => {
                    if let Some(found) = self.downloads.get_mut(download) {
                        found.arrived(now, segment);
                    }
                    self.turn_download(download);
                }
                _ => {}
            }
        }
        if let Some(found) = self.bottlenecks.get_mut(number) {
            found.armed = Micros::NEVER;
        }
        self.arm_bottleneck(number);
    }

    fn turn_end(&mut self, number: usize) {
        let now = self.now;
        let Some(end) = self.ends.get_mut(number) else {
            return;
        };
        end.armed = Micros::NEVER;
        if end.person.next() <= now {
            end.person.poll(now, &mut self.datagrams);
            end.send(now, &mut self.datagrams);
        }
        let mut told = false;
        while let Some(mut delivery) = end.up.poll(now) {
            self.engine
                .handle_datagram(now, end.path, &mut delivery.payload);
            told = true;
        }
        if told {
            self.drain();
        }
        self.arm_end(number);
    }

    fn turn_download(&mut self, number: usize) {
        let now = self.now;
        let Some(found) = self.downloads.get_mut(number) else {
            return;
        };
        found.armed = Micros::NEVER;
        let (bottleneck, flow) = found.way;
        while let Some(segment) = found.poll(now) {
            if let Some(link) = self.bottlenecks.get_mut(bottleneck) {
                link.push(
                    now,
                    flow,
                    crate::download::SEGMENT_BYTES,
                    Load::Segment(segment),
                );
            }
        }
        let next = found.next();
        found.armed = next;
        if next < Micros::NEVER {
            self.turns.push(Reverse((next, Turn::Download(number))));
        }
        self.arm_bottleneck(bottleneck);
    }

    fn forward(&mut self, path: &Path, datagram: &[u8]) {
        let Some((bottleneck, flow)) = number_of(path)
            .and_then(|at| self.ends.get(at))
            .map(|end| end.down)
        else {
            return;
        };
        if let Some(found) = self.bottlenecks.get_mut(bottleneck) {
            found.push_datagram(self.now, flow, datagram);
        }
        self.arm_bottleneck(bottleneck);
    }

    fn arm_bottleneck(&mut self, number: usize) {
        if let Some(found) = self.bottlenecks.get_mut(number) {
            let next = found.next();
            if next < found.armed {
                found.armed = next;
                self.turns.push(Reverse((next, Turn::Bottleneck(number))));
            }
        }
    }

    fn arm_end(&mut self, number: usize) {
        if let Some(end) = self.ends.get_mut(number) {
            // A timer that is not satisfied by being looked at must not stop the clock.
            let next = end.up.next().min(end.person.next()).max(self.now.plus(1));
            if next < end.armed {
                end.armed = next;
                self.turns.push(Reverse((next, Turn::End(number))));
            }
        }
    }

    /// An end was changed from outside.
    pub fn touch(&mut self, number: usize) {
        self.arm_end(number);
    }
}

impl End {
    fn send(&mut self, now: Micros, datagrams: &mut Vec<Vec<u8>>) {
        for datagram in datagrams.drain(..) {
            self.up.push(now, datagram.len() + IP_UDP_BYTES, datagram);
        }
    }
}

impl Person {
    fn next(&self) -> Micros {
        match self {
            Person::Teacher(teacher) => teacher.next(),
            Person::Receiver(receiver) => receiver.next(),
        }
    }

    fn poll(&mut self, now: Micros, out: &mut Vec<Vec<u8>>) {
        match self {
            Person::Teacher(teacher) => teacher.poll(now, out),
            Person::Receiver(receiver) => receiver.poll(now, out),
        }
    }

    fn receive(&mut self, now: Micros, datagram: &mut [u8], out: &mut Vec<Vec<u8>>) {
        match self {
            Person::Teacher(teacher) => teacher.receive(now, datagram, out),
            Person::Receiver(receiver) => receiver.receive(now, datagram, out),
        }
    }
}

/// The path of an end, as the server sees it: its number is in the address.
fn address(number: usize) -> Path {
    let [.., a, b, c] = u32::try_from(number).unwrap_or(0).to_be_bytes();
    Path {
        proto: Proto::Udp,
        local: SocketAddr::from(([192, 0, 2, 1], 4000)),
        remote: SocketAddr::from(([10, a, b, c], 5000)),
    }
}

fn number_of(path: &Path) -> Option<usize> {
    let SocketAddr::V4(remote) = path.remote else {
        return None;
    };
    let [_, a, b, c] = remote.ip().octets();
    usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()
}
