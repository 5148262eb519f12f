use super::*;
use zhuandi_wire::rtcp;
use zhuandi_wire::twcc::{self, Arrival};

const STARTS: [u64; 6] = [0, 1, 127, 32_767, 65_534, 65_535];
const RTT: i64 = 100_000;

/// A link of one rate behind the log: when each packet arrives.
struct Link {
    log: SentLog,
    probe: Probe,
    bps: i64,
    free_us: i64,
    arrivals: Vec<Arrival>,
    told: usize,
    base: u64,
}

impl Link {
    /// One that carried little before, so that its least delay is known.
    fn new(start: u64, bps: i64) -> Link {
        let mut link = Link {
            log: SentLog::starting_at(start),
            probe: Probe::default(),
            bps,
            free_us: 0,
            arrivals: Vec::new(),
            told: 0,
            base: start,
        };
        for i in 0..5 {
            link.send(i * 50_000, 100);
        }
        link.tell(400_000);
        link
    }

    fn send(&mut self, at: i64, bytes: i64) {
        let index = self.log.next_index();
        self.log.sent(Micros(at), bytes as usize);
        self.free_us = self.free_us.max(at) + bytes * 8_000_000 / self.bps;
        self.arrivals.push(Arrival {
            index,
            at: Micros(self.free_us + 50_000),
        });
    }

    /// Feedback of all that arrived until half a round trip ago.
    fn tell(&mut self, now: i64) {
        let new: Vec<_> = self.arrivals[self.told..]
            .iter()
            .copied()
            .take_while(|arrival| arrival.at.0 <= now - RTT / 2)
            .collect();
        self.told += new.len();
        let mut out = Vec::new();
        twcc::write_feedback(&mut out, 1, 2, 0, self.base, &new);
        for message in rtcp::messages(&out) {
            if let Ok(rtcp::Message::TransportCc(feedback)) = message {
                self.log.feedback(Micros(now), &feedback);
                self.probe.feedback(&self.log);
            }
        }
        self.base = new.last().map_or(self.base, |last| last.index + 1);
    }

    /// Run a probe to its end; the state and rates that it tells, and when.
    fn probe(
        &mut self,
        bps: u64,
        length_us: u32,
        lost: impl Fn(u64) -> bool,
    ) -> (ProbeState, u64, u64, i64) {
        let begin = 1_000_000;
        self.probe.start(Micros(begin), &self.log, bps, length_us);
        for ms in 0..5_000 {
            let now = begin + ms * 1000;
            while self.probe.wants_padding(Micros(now)) {
                let index = self.log.next_index();
                self.send(now, i64::from(PADDING_BYTES));
                if lost(index) {
                    self.arrivals.pop();
                }
                self.probe.spend(usize::from(PADDING_BYTES));
            }
            if ms % 50 == 0 {
                self.tell(now);
            }
            self.probe.tick(Micros(now), &self.log, RTT);
            let (state, sent, acked) = self.probe.take();
            if matches!(state, ProbeState::Finished | ProbeState::Aborted) {
                return (state, sent, acked, now - begin);
            }
        }
        panic!("it never ended")
    }
}

fn near(value: u64, expected: u64) -> bool {
    value.abs_diff(expected) * 10 <= expected
}

#[test]
fn a_link_with_room_says_the_rate_of_the_probe() {
    for start in STARTS {
        let (state, sent, acked, _) =
            Link::new(start, 5_000_000).probe(600_000, 100_000, |_| false);
        assert_eq!(state, ProbeState::Finished);
        assert!(
            near(sent, 600_000) && near(acked, 600_000),
            "{sent} {acked}"
        );
    }
}

#[test]
fn a_full_link_says_what_it_carries_and_a_long_probe_ends_early() {
    let (state, sent, acked, _) = Link::new(7, 400_000).probe(800_000, 60_000, |_| false);
    assert_eq!(state, ProbeState::Finished);
    assert!(
        near(sent, 800_000) && near(acked, 400_000),
        "{sent} {acked}"
    );
    let (state, _, acked, after) = Link::new(7, 400_000).probe(800_000, 1_000_000, |_| false);
    assert_eq!(state, ProbeState::Aborted);
    assert!(
        after < 400_000 && near(acked, 400_000),
        "{acked} after {after}"
    );
}

#[test]
fn losses_here_and_there_do_not_spoil_it_and_a_burst_ends_it() {
    let mut link = Link::new(65_530, 5_000_000);
    let (state, sent, acked, _) = link.probe(600_000, 200_000, |i| i % 5 == 1);
    assert_eq!(state, ProbeState::Finished);
    assert!(acked > sent * 7 / 10 && acked < sent, "{sent} {acked}");
    let mut link = Link::new(0, 5_000_000);
    let (state, ..) = link.probe(600_000, 1_000_000, |i| (10..30).contains(&i));
    assert_eq!(state, ProbeState::Aborted);
}

#[test]
fn a_probe_without_an_answer_is_told_as_aborted_once() {
    let mut link = Link::new(0, 5_000_000);
    let (state, _, acked, after) = link.probe(600_000, 100_000, |_| true);
    assert_eq!((state, acked), (ProbeState::Aborted, 0));
    assert!(after <= 1_400_000);
    assert_eq!(link.probe.take().0, ProbeState::Idle);
}

#[test]
fn a_short_probe_goes_on_until_it_has_packets_enough() {
    let mut link = Link::new(0, 5_000_000);
    let (state, sent, ..) = link.probe(100_000, 10_000, |_| false);
    assert_eq!(state, ProbeState::Finished);
    assert!(near(sent, 100_000), "{sent}");
    assert!(link.log.next_index() - 5 >= MIN_SENT);
}
