//! The notice board: workers put their tables here, callers take them without waiting for a worker.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zhuandi_sfu::drop_reason::DropReason;
use zhuandi_sfu::report::{FeedbackRow, Stats};

/// Losses of the net itself, listed behind the engine's [`DropReason`]s.
pub const NET_DROP_REASONS: [&str; 3] = ["send_refused", "tcp_queue_full", "panic"];
/// Feedback of a transport that nobody takes is merged; gone transports leave after this many rows.
const MAX_FEEDBACK: usize = 65_536;

/// Counters behind [`NET_DROP_REASONS`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NetDrops {
    pub send_refused: u64,
    pub tcp_full: u64,
    pub panics: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Board {
    feedback: Mutex<BTreeMap<u32, FeedbackRow>>,
    stats: Mutex<Vec<Stats>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Board {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            feedback: Mutex::default(),
            stats: Mutex::new(vec![Stats::default(); workers]),
        }
    }

    /// Add rows to what was not taken yet: counts add up, readings are the newest.
    pub(crate) fn add_feedback(&self, rows: Vec<FeedbackRow>) {
        let mut feedback = lock(&self.feedback);
        if feedback.len() > MAX_FEEDBACK {
            feedback.clear();
        }
        for row in rows {
            match feedback.entry(row.transport) {
                Entry::Vacant(place) => {
                    place.insert(row);
                }
                Entry::Occupied(mut sum) => sum.get_mut().add(row),
            }
        }
    }

    /// Take all, ordered by transport.
    pub(crate) fn take_feedback(&self) -> Vec<FeedbackRow> {
        std::mem::take(&mut *lock(&self.feedback))
            .into_values()
            .collect()
    }

    /// Replace a worker's tables.
    pub(crate) fn set_stats(&self, worker: usize, mut stats: Stats, net: NetDrops) {
        stats.drops.resize(DropReason::COUNT, 0);
        stats
            .drops
            .extend([net.send_refused, net.tcp_full, net.panics]);
        if let Some(place) = lock(&self.stats).get_mut(worker) {
            *place = stats;
        }
    }

    /// The tables of all workers one under another; drops added up.
    pub(crate) fn stats(&self) -> Stats {
        let all = lock(&self.stats);
        let mut sum = Stats::default();
        sum.drops
            .resize(DropReason::COUNT + NET_DROP_REASONS.len(), 0);
        for stats in all.iter() {
            sum.transports.extend_from_slice(&stats.transports);
            sum.encodings.extend_from_slice(&stats.encodings);
            sum.subscriptions.extend_from_slice(&stats.subscriptions);
            for (total, count) in sum.drops.iter_mut().zip(&stats.drops) {
                *total += count;
            }
        }
        sum
    }
}

/// Names of all drop counters, in the order of [`Stats::drops`] as [`crate::Core::take_stats`] gives it.
pub fn drop_reasons() -> Vec<&'static str> {
    DropReason::names()
        .iter()
        .copied()
        .chain(NET_DROP_REASONS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feedback_that_waits_adds_up_and_its_readings_are_the_newest() {
        let board = Board::new(1);
        let row = |transport, lost, rtt_us| FeedbackRow {
            transport,
            lost,
            expected: 10,
            rtt_us,
            ..FeedbackRow::default()
        };
        board.add_feedback(vec![row(2, 1, 7), row(1, 0, 5)]);
        board.add_feedback(vec![row(2, 2, 9)]);
        let got: Vec<_> = board
            .take_feedback()
            .iter()
            .map(|r| (r.transport, r.lost, r.expected, r.rtt_us))
            .collect();
        assert_eq!(got, [(1, 0, 10, 5), (2, 3, 20, 9)]);
        assert!(board.take_feedback().is_empty());
    }
}
