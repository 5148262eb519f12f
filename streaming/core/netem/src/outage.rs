//! Times without a link.

/// What becomes of packets in an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutageKind {
    /// The queue stands still and goes on afterwards, as in a mobile network that hands over.
    Hold,
    /// What leaves the queue meanwhile is lost, as with a cable pulled behind it.
    Drop,
}

/// One outage; times in microseconds since the link's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The first microsecond without a link.
    pub from_us: i64,
    /// The first microsecond with one again.
    pub until_us: i64,
    /// What happens meanwhile.
    pub kind: OutageKind,
}

impl Outage {
    pub(crate) fn covers(&self, at_us: i64) -> bool {
        (self.from_us..self.until_us).contains(&at_us)
    }
}

/// Whether they come one after the other, none empty, none before the start.
pub(crate) fn in_order(outages: &[Outage]) -> bool {
    let mut free_from = 0;
    outages.iter().all(|outage| {
        let good = outage.from_us >= free_from && outage.until_us > outage.from_us;
        free_from = outage.until_us;
        good
    })
}
