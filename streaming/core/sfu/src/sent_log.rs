//! What a transport sent under transport-wide numbers, joined with the receiver's feedback
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01).

use zhuandi_wire::seq;
use zhuandi_wire::time::Micros;
use zhuandi_wire::twcc;

/// Most packets that are remembered.
pub const MAX_ROWS: usize = 2048;
const FIRST_ROWS: usize = 128;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unused,
    Flying,
    Acked,
    Lost,
}

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    index: u64,
    at: Micros,
    size: u16,
    state: State,
}

/// Sums over the feedback since they were taken last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acked {
    /// Bytes that arrived.
    pub bytes: u64,
    /// Packets that arrived.
    pub received: u64,
    /// Packets that did not (a later feedback may take one back).
    pub lost: u64,
}

/// Ring of sent packets by transport-wide number; grows while its packets are younger than two seconds.
#[derive(Debug, Default)]
pub struct SentLog {
    rows: Vec<Row>,
    next: u64,
    acked: Acked,
    heard: bool,
}

impl SentLog {
    /// Number of the next packet.
    pub fn number(&self) -> u16 {
        seq::low16(self.next)
    }

    /// A packet left under [`SentLog::number`].
    pub fn sent(&mut self, now: Micros, size: usize) {
        self.grow(now);
        let row = Row {
            index: self.next,
            at: now,
            size: u16::try_from(size).unwrap_or(u16::MAX),
            state: State::Flying,
        };
        if let Some(place) = self.place(self.next) {
            *place = row;
        }
        self.next += 1;
    }

    /// The receiver told what arrived.
    pub fn feedback(&mut self, feedback: &twcc::Feedback<'_>) {
        self.heard = true;
        for (number, arrival) in feedback.statuses() {
            let newest = self.next;
            let Some(index) = seq::nearest(newest, number).filter(|&index| index < newest) else {
                continue;
            };
            let Some(row) = self.place(index).filter(|row| row.index == index) else {
                continue;
            };
            let (before, size) = (row.state, u64::from(row.size));
            let after = if arrival.is_some() {
                State::Acked
            } else {
                State::Lost
            };
            if matches!(
                (before, after),
                (State::Flying, _) | (State::Lost, State::Acked)
            ) {
                row.state = after;
                self.count(before, after, size);
            }
        }
    }

    /// Whether the receiver sends feedback at all.
    pub fn heard(&self) -> bool {
        self.heard
    }

    /// The sums since the last call.
    pub fn take(&mut self) -> Acked {
        std::mem::take(&mut self.acked)
    }

    fn count(&mut self, before: State, after: State, size: u64) {
        if after == State::Acked {
            self.acked.bytes += size;
            self.acked.received += 1;
            if before == State::Lost {
                self.acked.lost = self.acked.lost.saturating_sub(1);
            }
        } else {
            self.acked.lost += 1;
        }
    }

    fn place(&mut self, index: u64) -> Option<&mut Row> {
        let mask = self.rows.len().checked_sub(1)? as u64;
        self.rows.get_mut(usize::try_from(index & mask).ok()?)
    }

    fn grow(&mut self, now: Micros) {
        if self.rows.is_empty() {
            self.rows.resize(FIRST_ROWS, Row::default());
        }
        let next = self.next;
        let young = self
            .place(next)
            .is_some_and(|row| row.state == State::Flying && now.since(row.at) < 2_000_000);
        if young && self.rows.len() < MAX_ROWS {
            let old = std::mem::take(&mut self.rows);
            self.rows.resize(old.len() * 2, Row::default());
            for row in old.into_iter().filter(|row| row.state != State::Unused) {
                if let Some(place) = self.place(row.index) {
                    *place = row;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zhuandi_wire::rtcp;
    use zhuandi_wire::twcc::Arrival;

    fn feedback(log: &mut SentLog, base: u64, indexes: &[u64]) {
        let arrivals: Vec<_> = indexes
            .iter()
            .map(|&index| Arrival {
                index,
                at: Micros(index as i64 * 1000),
            })
            .collect();
        let mut out = Vec::new();
        twcc::write_feedback(&mut out, 1, 2, 0, base, &arrivals);
        let Some(Ok(rtcp::Message::TransportCc(parsed))) = rtcp::messages(&out).next() else {
            panic!("no feedback")
        };
        log.feedback(&parsed);
    }

    #[test]
    fn feedback_becomes_acked_bytes_and_losses_around_the_wrap() {
        for start in [0u64, 1, 127, 32_767, 65_534, 65_535] {
            let mut log = SentLog {
                next: start,
                ..SentLog::default()
            };
            for i in 0..10 {
                log.sent(Micros(i * 1000), 100);
            }
            feedback(&mut log, start, &[start, start + 2, start + 3]);
            assert_eq!(
                log.take(),
                Acked {
                    bytes: 300,
                    received: 3,
                    lost: 1
                }
            );
            feedback(&mut log, start + 1, &[start + 1, start + 3]);
            assert_eq!(
                log.take().received,
                1,
                "what was counted is not counted again"
            );
            feedback(&mut log, start + 500, &[start + 500]);
            assert_eq!(log.take(), Acked::default(), "a number that was never sent");
        }
    }

    #[test]
    fn the_ring_grows_to_its_bound() {
        let mut log = SentLog::default();
        for i in 0..10_000 {
            log.sent(Micros(i), 100);
        }
        assert_eq!(log.rows.len(), MAX_ROWS);
    }
}
