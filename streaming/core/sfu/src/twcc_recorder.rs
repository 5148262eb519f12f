//! What arrived under transport-wide numbers, told to the sender every 60 ms
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 3.1).

use zhuandi_wire::seq::Unwrapper;
use zhuandi_wire::time::Micros;
use zhuandi_wire::twcc::{Arrival, write_feedback};

/// Time between feedbacks while packets arrive.
pub const INTERVAL_US: i64 = 60_000;
/// Most arrivals that wait for a feedback.
pub const MAX_PENDING: usize = 2000;

/// See the module.
#[derive(Debug, Default)]
pub struct TwccRecorder {
    unwrapper: Unwrapper,
    pending: Vec<Arrival>,
    base: Option<u64>,
    count: u8,
    due: Option<Micros>,
    media_ssrc: u32,
}

impl TwccRecorder {
    /// A packet arrived; answers true when the feedback timer starts.
    pub fn arrived(&mut self, now: Micros, number: u16, media_ssrc: u32) -> bool {
        let index = self.unwrapper.unwrap(number);
        if self.pending.len() >= MAX_PENDING || self.base.is_some_and(|base| index < base) {
            return false;
        }
        self.media_ssrc = media_ssrc;
        let at = self
            .pending
            .partition_point(|arrival| arrival.index < index);
        if self
            .pending
            .get(at)
            .is_none_or(|arrival| arrival.index != index)
        {
            self.pending.insert(at, Arrival { index, at: now });
        }
        let starts = self.due.is_none();
        self.due.get_or_insert(now.plus(INTERVAL_US));
        starts
    }

    /// When to poll.
    pub fn next(&self) -> Micros {
        self.due.unwrap_or(Micros::NEVER)
    }

    /// Append one feedback where one is due; call until it answers false.
    pub fn poll(&mut self, now: Micros, sender_ssrc: u32, out: &mut Vec<u8>) -> bool {
        if now < self.next() || self.pending.is_empty() {
            return false;
        }
        let first = self.pending.first().map_or(0, |arrival| arrival.index);
        let base = self.base.unwrap_or(first);
        let taken = write_feedback(
            out,
            sender_ssrc,
            self.media_ssrc,
            self.count,
            base,
            &self.pending,
        );
        self.count = self.count.wrapping_add(1);
        self.base = self
            .pending
            .get(taken.saturating_sub(1))
            .map(|arrival| arrival.index + 1);
        self.pending.drain(..taken);
        if self.pending.is_empty() || taken == 0 {
            self.pending.clear();
            self.due = None;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zhuandi_wire::rtcp::{Message, messages};

    fn told(out: &[u8]) -> Vec<(u16, bool)> {
        messages(out)
            .flat_map(|message| match message {
                Ok(Message::TransportCc(feedback)) => feedback
                    .statuses()
                    .map(|(n, at)| (n, at.is_some()))
                    .collect(),
                _ => Vec::new(),
            })
            .collect()
    }

    #[test]
    fn every_number_is_told_once_as_arrived_or_lost() {
        for start in [0u16, 1, 127, 32_767, 65_534, 65_535] {
            let mut recorder = TwccRecorder::default();
            let mut all = Vec::new();
            let mut now = Micros(0);
            for i in (0..3000u16).filter(|i| i % 10 != 3) {
                now = now.plus(1000);
                recorder.arrived(now, start.wrapping_add(i), 7);
                while recorder.poll(now, 1, &mut all) {}
            }
            while recorder.poll(now.plus(INTERVAL_US), 1, &mut all) {}
            let expected: Vec<_> = (0..3000u16)
                .map(|i| (start.wrapping_add(i), i % 10 != 3))
                .collect();
            assert_eq!(told(&all), expected);
            assert_eq!(recorder.next(), Micros::NEVER);
        }
    }

    #[test]
    fn a_burst_goes_out_in_several_messages() {
        let mut recorder = TwccRecorder::default();
        for i in 0..1500u16 {
            recorder.arrived(Micros(i64::from(i)), i, 7);
        }
        let (mut out, mut polls) = (Vec::new(), 0);
        while recorder.poll(Micros(INTERVAL_US), 1, &mut out) {
            polls += 1;
        }
        assert!(polls >= 4);
        assert_eq!(told(&out).len(), 1500);
    }
}
