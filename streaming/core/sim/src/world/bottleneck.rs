//! The way towards classrooms: one link that one or several flows share, and who is behind it.

use zhuandi_netem::{IP_UDP_BYTES, LinkProfile, SharedLink, Verdict};
use zhuandi_wire::time::Micros;

use crate::delays::Delays;

/// Most flows through one bottleneck.
pub const MAX_FLOWS: usize = 64;

/// Who gets a flow's packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A modelled browser.
    End(usize),
    /// A download.
    Download(usize),
}

/// Something that goes through a bottleneck.
#[derive(Clone, Debug)]
pub enum Load {
    /// A datagram of the engine.
    Datagram(Vec<u8>),
    /// A segment of a download, by number.
    Segment(u64),
}

/// See the module.
pub struct Bottleneck {
    link: SharedLink<Load>,
    /// By flow.
    pub targets: Vec<Target>,
    /// Delay that each flow's packets caused each other or met, over that of the same link when empty.
    pub own: Vec<Delays>,
    /// Its place in the queue of times.
    pub armed: Micros,
    start: Micros,
}

impl Bottleneck {
    /// An idle one.
    pub fn new(profile: LinkProfile, seed: u64, start: Micros) -> Bottleneck {
        Bottleneck {
            link: SharedLink::new(profile, seed, start, MAX_FLOWS),
            targets: Vec::new(),
            own: Vec::new(),
            armed: Micros::NEVER,
            start,
        }
    }

    /// One more flow; answers its number, or none when there are too many.
    pub fn add(&mut self, target: Target) -> Option<usize> {
        if self.targets.len() >= MAX_FLOWS {
            return None;
        }
        self.targets.push(target);
        self.own.push(Delays::default());
        Some(self.targets.len() - 1)
    }

    /// A packet of this many bytes at IP level; answers whether it got into the queue.
    pub fn push(&mut self, now: Micros, flow: usize, bytes: usize, load: Load) -> bool {
        let alone = self
            .link
            .link()
            .profile()
            .served_at(now.since(self.start), bytes);
        let verdict = self.link.push(now, flow, bytes, load);
        if verdict == Verdict::Dropped(zhuandi_netem::DropReason::Queue) {
            return false;
        }
        let waits = self.link.queue_us(now) - (alone - now.since(self.start));
        if let Some(own) = self.own.get_mut(flow) {
            own.add(waits.max(0));
        }
        true
    }

    /// A datagram of the engine.
    pub fn push_datagram(&mut self, now: Micros, flow: usize, datagram: &[u8]) {
        let bytes = datagram.len() + IP_UDP_BYTES;
        self.push(now, flow, bytes, Load::Datagram(datagram.to_vec()));
    }

    /// The next load that arrived, and for whom.
    pub fn poll(&mut self, now: Micros) -> Option<(Target, Load)> {
        loop {
            let (flow, delivery) = self.link.poll(now)?;
            if let Some(target) = self.targets.get(flow) {
                return Some((*target, delivery.payload));
            }
        }
    }

    /// When the next load arrives.
    pub fn next(&self) -> Micros {
        self.link.next()
    }

    /// How long a packet that enters now would wait.
    pub fn queue_us(&mut self, now: Micros) -> i64 {
        self.link.queue_us(now)
    }

    /// Bytes that a flow gave in and that came out, at IP level.
    pub fn bytes(&self, flow: usize) -> (u64, u64) {
        let counters = self.link.flows().get(flow);
        counters.map_or((0, 0), |flow| (flow.pushed_bytes, flow.delivered_bytes))
    }
}
