//! Many flows through one bottleneck.

use zhuandi_wire::time::Micros;

use crate::link::{Delivery, Link, Verdict};
use crate::profile::LinkProfile;

/// What one flow has had of the bottleneck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowCounters {
    /// Packets pushed.
    pub pushed: u64,
    /// Their bytes.
    pub pushed_bytes: u64,
    /// Packets delivered.
    pub delivered: u64,
    /// Their bytes.
    pub delivered_bytes: u64,
    /// Packets that were dropped, whatever the reason.
    pub dropped: u64,
}

/// One link that several flows share first come, first served: a county's line, or a download beside a lesson. A flow's
/// own delay and loss are a [`Link`] of its own behind it.
#[derive(Debug)]
pub struct SharedLink<T> {
    link: Link<(usize, T)>,
    flows: Vec<FlowCounters>,
}

impl<T: Clone> SharedLink<T> {
    /// As [`Link::new`], for flows 0 to `flows` - 1.
    pub fn new(profile: LinkProfile, seed: u64, start: Micros, flows: usize) -> Self {
        Self {
            link: Link::new(profile, seed, start),
            flows: vec![FlowCounters::default(); flows],
        }
    }

    /// A packet of a flow enters; one of an unknown flow is carried and not accounted.
    pub fn push(&mut self, now: Micros, flow: usize, bytes: usize, payload: T) -> Verdict {
        let verdict = self.link.push(now, bytes, (flow, payload));
        if let Some(counters) = self.flows.get_mut(flow) {
            counters.pushed += 1;
            counters.pushed_bytes += bytes as u64;
            counters.dropped += u64::from(matches!(verdict, Verdict::Dropped(_)));
        }
        verdict
    }

    /// The next packet that has arrived by `now`, with its flow.
    pub fn poll(&mut self, now: Micros) -> Option<(usize, Delivery<T>)> {
        let delivery = self.link.poll(now)?;
        let (flow, payload) = delivery.payload;
        if let Some(counters) = self.flows.get_mut(flow) {
            counters.delivered += 1;
            counters.delivered_bytes += delivery.bytes as u64;
        }
        let delivery = Delivery {
            at: delivery.at,
            bytes: delivery.bytes,
            payload,
        };
        Some((flow, delivery))
    }

    /// As [`Link::next`].
    pub fn next(&self) -> Micros {
        self.link.next()
    }

    /// As [`Link::queue_us`].
    pub fn queue_us(&mut self, now: Micros) -> i64 {
        self.link.queue_us(now)
    }

    /// By flow.
    pub fn flows(&self) -> &[FlowCounters] {
        &self.flows
    }

    /// The bottleneck itself: its counters, profile and capacity.
    pub fn link(&self) -> &Link<(usize, T)> {
        &self.link
    }
}
