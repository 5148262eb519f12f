//! Groups of packets that left together, and how far apart they arrived (draft-ietf-rmcat-gcc-02 5.2): what a trendline
//! over the queue of a link is drawn through.

use zhuandi_wire::time::Micros;

use crate::report::ArrivalGroup;

/// Packets that leave within this time belong together.
const GROUP_US: i64 = 5_000;
/// Arrivals closer than this, and closer than they left, are one burst of the link …
const BURST_US: i64 = 5_000;
/// … up to this length.
const MAX_BURST_US: i64 = 100_000;
/// After so long without a packet the comparison begins anew.
const SILENCE_US: i64 = 2_000_000;
/// A receiver's clock that jumps this far ahead of ours was set.
const CLOCK_JUMP_US: i64 = 3_000_000;
/// Groups in a row that seem to arrive before the one before them: the order says nothing any more.
const MAX_REORDERED: u8 = 3;
/// An arrival so much later than the sending explains was an outage, no queue that grows.
const OUTAGE_US: i64 = 300_000;

#[derive(Clone, Copy, Debug)]
struct Group {
    first_sent: Micros,
    sent: Micros,
    first_arrival_us: i64,
    arrival_us: i64,
    told: Micros,
}

/// See the module. Feed it packets in order of their arrival.
#[derive(Clone, Copy, Debug, Default)]
pub struct ArrivalGroups {
    current: Option<Group>,
    previous: Option<Group>,
    reordered: u8,
    held_back_us: i64,
}

impl ArrivalGroups {
    /// A packet that left at `sent` arrived at `arrival_us` of the receiver's clock, told `now`. Answers the group that ended
    /// with it, against the one before.
    pub fn arrived(&mut self, now: Micros, sent: Micros, arrival_us: i64) -> Option<ArrivalGroup> {
        if self
            .current
            .is_some_and(|current| now.since(current.told) > SILENCE_US)
        {
            *self = ArrivalGroups::default();
        }
        let Some(current) = self.current.as_mut() else {
            self.current = Some(Group::begin(now, sent, arrival_us));
            return None;
        };
        if sent < current.first_sent {
            return None;
        }
        if !current.ends_before(sent, arrival_us) {
            current.sent = current.sent.max(sent);
            current.arrival_us = arrival_us;
            current.told = now;
            return None;
        }
        let ended = *current;
        let before = self.previous.replace(ended);
        self.current = Some(Group::begin(now, sent, arrival_us));
        self.compare(before?, ended)
    }

    fn compare(&mut self, before: Group, ended: Group) -> Option<ArrivalGroup> {
        let group = ArrivalGroup {
            send_delta_us: ended.sent.since(before.sent),
            recv_delta_us: ended.arrival_us.saturating_sub(before.arrival_us),
            arrival_us: ended.arrival_us,
        };
        let told = ended.told.since(before.told);
        if group.recv_delta_us.saturating_sub(told) >= CLOCK_JUMP_US {
            *self = ArrivalGroups::default();
            return None;
        }
        if group.recv_delta_us < 0 {
            self.reordered += 1;
            if self.reordered >= MAX_REORDERED {
                *self = ArrivalGroups::default();
            }
            return None;
        }
        self.reordered = 0;
        let slower = group.recv_delta_us.saturating_sub(group.send_delta_us);
        if slower > OUTAGE_US {
            self.held_back_us = slower;
            return None;
        }
        // What was held back comes closer together than it left, until all of it is here.
        if slower < 0 && self.held_back_us > 0 {
            self.held_back_us += slower;
            return None;
        }
        self.held_back_us = 0;
        Some(group)
    }
}

impl Group {
    fn begin(now: Micros, sent: Micros, arrival_us: i64) -> Group {
        Group {
            first_sent: sent,
            sent,
            first_arrival_us: arrival_us,
            arrival_us,
            told: now,
        }
    }

    /// Whether a packet begins a new group.
    fn ends_before(&self, sent: Micros, arrival_us: i64) -> bool {
        let send_delta = sent.since(self.sent);
        let recv_delta = arrival_us.saturating_sub(self.arrival_us);
        let burst = recv_delta < send_delta
            && recv_delta <= BURST_US
            && arrival_us.saturating_sub(self.first_arrival_us) < MAX_BURST_US;
        send_delta != 0 && !burst && sent.since(self.first_sent) > GROUP_US
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(packets: &[(i64, i64)]) -> Vec<(i64, i64)> {
        let mut groups = ArrivalGroups::default();
        let mut out = Vec::new();
        for &(sent, arrival) in packets {
            if let Some(group) = groups.arrived(Micros(sent), Micros(sent), arrival) {
                out.push((group.send_delta_us, group.recv_delta_us));
            }
        }
        out
    }

    #[test]
    fn packets_that_leave_within_five_milliseconds_are_one_group() {
        let packets = [
            (0, 50_000),
            (4_000, 55_000),
            (20_000, 72_000),
            (40_000, 99_000),
            (60_000, 120_000),
        ];
        assert_eq!(fed(&packets), [(16_000, 17_000), (20_000, 27_000)]);
    }

    #[test]
    fn a_burst_of_the_link_is_one_group() {
        let packets = [
            (0, 100_000),
            (20_000, 100_500),
            (40_000, 101_000),
            (80_000, 180_000),
            (100_000, 200_000),
        ];
        assert_eq!(fed(&packets), [(40_000, 79_000)]);
    }

    #[test]
    fn what_an_outage_held_back_is_not_compared() {
        let mut packets: Vec<(i64, i64)> = (0..10).map(|i| (i * 20_000, i * 20_000)).collect();
        packets.extend((10..40).map(|i| (i * 20_000, 900_000 + i * 7_000)));
        packets.extend((60..70).map(|i| (i * 20_000, i * 20_000)));
        for (send, recv) in fed(&packets) {
            assert!((recv - send).abs() <= 200, "{send} {recv}");
        }
        assert!(fed(&packets).len() > 12);
    }

    #[test]
    fn silence_a_set_clock_and_lost_order_begin_anew() {
        assert_eq!(fed(&[(0, 0), (10_000, 10_000), (3_000_000, 3_000_000)]), []);
        let jump = [
            (0, 0),
            (10_000, 10_000),
            (20_000, 9_000_000),
            (30_000, 9_010_000),
        ];
        assert_eq!(fed(&jump), [(10_000, 10_000)], "before it was set");
        let back: Vec<(i64, i64)> = (0..6).map(|i| (i * 10_000, 100_000 - i * 20_000)).collect();
        assert_eq!(fed(&back), []);
    }
}
