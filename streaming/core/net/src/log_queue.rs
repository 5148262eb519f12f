//! The bounded queue between the workers and the log writer: under pressure pictures give way, sound and events do not.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zhuandi_sfu::api::{LessonId, LogRecord};

/// Bytes that may wait; at 64 MB a stalled disk has lasted tens of seconds.
const LIMIT_BYTES: usize = 64 << 20;
/// Memory of a record beside its body.
const OVERHEAD: usize = 64;

/// What a track holds, by what is given up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Dropped above half of the limit.
    Camera,
    /// Dropped above three quarters.
    Screen,
    /// Dropped only at the limit itself, which events too obey: memory is bounded.
    Sound,
}

impl Class {
    fn share(self) -> usize {
        match self {
            Class::Camera => LIMIT_BYTES / 2,
            Class::Screen => LIMIT_BYTES / 4 * 3,
            Class::Sound => LIMIT_BYTES,
        }
    }
}

/// What the writer is asked to do, in order.
#[derive(Debug)]
pub(crate) enum Job {
    /// A lesson's directory was made, and its lock taken.
    OpenLesson(LessonId, PathBuf, File),
    /// A tap was added: its TRACK record.
    OpenTrack {
        lesson: LessonId,
        track: u16,
        header: Vec<u8>,
        unix_us: u64,
    },
    /// One record of a track; `unix_us` is its arrival.
    Record { record: LogRecord, unix_us: u64 },
    /// Records of this track were dropped before this point.
    Dropped {
        lesson: LessonId,
        track: u16,
        count: u32,
        unix_us: u64,
    },
    /// The track ended in good order.
    CloseTrack {
        lesson: LessonId,
        track: u16,
        reason: &'static str,
    },
    /// Seal everything of the lesson.
    CloseLesson(LessonId),
    /// Seal everything and stop.
    Stop,
}

#[derive(Debug, Default)]
struct Inner {
    jobs: VecDeque<Job>,
    bytes: usize,
    classes: HashMap<(LessonId, u16), Class>,
    /// How many records of a track were dropped since the last that was kept, and the arrival of the last of them.
    dropped: HashMap<(LessonId, u16), (u32, u64)>,
}

impl Inner {
    /// The DROPPED record of a track, if something of it was dropped.
    fn say_dropped(&mut self, lesson: LessonId, track: u16) {
        if let Some((count, unix_us)) = self.dropped.remove(&(lesson, track)) {
            self.jobs.push_back(Job::Dropped {
                lesson,
                track,
                count,
                unix_us,
            });
        }
    }
}

/// The queue; workers push without waiting, the writer takes all at once.
#[derive(Debug, Default)]
pub(crate) struct LogQueue {
    inner: Mutex<Inner>,
    filled: Condvar,
}

impl LogQueue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Push an order; orders are few and never dropped.
    pub(crate) fn order(&self, job: Job) {
        let mut inner = self.lock();
        match &job {
            Job::OpenTrack {
                lesson,
                track,
                header,
                ..
            } => {
                inner.classes.insert((*lesson, *track), class_of(header));
            }
            Job::CloseTrack { lesson, track, .. } => {
                inner.classes.remove(&(*lesson, *track));
                inner.say_dropped(*lesson, *track);
            }
            Job::CloseLesson(lesson) => {
                inner.classes.retain(|(of, _), _| of != lesson);
                let tracks: Vec<u16> = inner
                    .dropped
                    .keys()
                    .filter_map(|(of, track)| (of == lesson).then_some(*track))
                    .collect();
                for track in tracks {
                    inner.say_dropped(*lesson, track);
                }
            }
            _ => {}
        }
        inner.jobs.push_back(job);
        drop(inner);
        self.filled.notify_one();
    }

    /// Push the records of one wake-up, emptying `records`.
    pub(crate) fn push(&self, records: &mut Vec<(LogRecord, u64)>) {
        let mut inner = self.lock();
        for (record, unix_us) in records.drain(..) {
            let key = (record.lesson, record.track);
            let class = inner.classes.get(&key).copied().unwrap_or(Class::Sound);
            let size = record.body.len() + OVERHEAD;
            if inner.bytes + size > class.share() {
                let dropped = inner.dropped.entry(key).or_default();
                *dropped = (dropped.0 + 1, unix_us);
                continue;
            }
            if let Some(dropped) = inner.dropped.get_mut(&key) {
                dropped.1 = unix_us;
                inner.say_dropped(record.lesson, record.track);
            }
            inner.bytes += size;
            inner.jobs.push_back(Job::Record { record, unix_us });
        }
        drop(inner);
        self.filled.notify_one();
    }

    /// Wait at most `timeout` and take all that waits.
    pub(crate) fn take(&self, timeout: Duration, out: &mut VecDeque<Job>) {
        let mut inner = self.lock();
        if inner.jobs.is_empty() {
            inner = self
                .filled
                .wait_timeout(inner, timeout)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        std::mem::swap(&mut inner.jobs, out);
        inner.bytes = 0;
    }
}

/// The class of a track by the `source` of its TRACK record; what is not known is kept like sound.
fn class_of(header: &[u8]) -> Class {
    let has = |needle: &[u8]| header.windows(needle.len()).any(|window| window == needle);
    if has(b"\"camera\"") {
        Class::Camera
    } else if has(b"\"screen\"") {
        Class::Screen
    } else {
        Class::Sound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LESSON: LessonId = LessonId(1);

    fn queue() -> LogQueue {
        let queue = LogQueue::default();
        for (track, source) in [(1, "camera"), (2, "screen"), (3, "microphone")] {
            let header = format!("{{\"source\":\"{source}\"}}").into_bytes();
            queue.order(Job::OpenTrack {
                lesson: LESSON,
                track,
                header,
                unix_us: 0,
            });
        }
        queue
    }

    fn push(queue: &LogQueue, track: u16, bytes: usize) {
        let record = LogRecord {
            lesson: LESSON,
            track,
            kind: 1,
            arrival_us: 0,
            body: vec![0; bytes],
        };
        queue.push(&mut vec![(record, 0)]);
    }

    fn kept(queue: &LogQueue) -> Vec<u16> {
        let mut jobs = VecDeque::new();
        queue.take(Duration::ZERO, &mut jobs);
        jobs.into_iter()
            .filter_map(|job| {
                if let Job::Record { record, .. } = job {
                    Some(record.track)
                } else {
                    None
                }
            })
            .collect()
    }

    #[test]
    fn under_pressure_the_camera_goes_first_then_the_screen_and_sound_last() {
        let queue = queue();
        push(&queue, 3, LIMIT_BYTES / 2);
        push(&queue, 1, 1000);
        push(&queue, 2, 1000);
        push(&queue, 3, LIMIT_BYTES / 4);
        push(&queue, 2, 1000);
        push(&queue, 3, 1000);
        assert_eq!(kept(&queue), [3, 2, 3, 3]);
    }

    #[test]
    fn what_was_dropped_is_said_before_the_next_record() {
        let queue = queue();
        push(&queue, 3, LIMIT_BYTES / 2);
        push(&queue, 1, 10);
        push(&queue, 1, 10);
        kept(&queue);
        push(&queue, 1, 10);
        let mut jobs = VecDeque::new();
        queue.take(Duration::ZERO, &mut jobs);
        assert!(
            matches!(
                jobs[0],
                Job::Dropped {
                    track: 1,
                    count: 2,
                    ..
                }
            ),
            "{jobs:?}"
        );
        assert!(matches!(jobs[1], Job::Record { .. }));
    }
    /// What waits, without the orders to open: `d` dropped, `t` a track's and `l` a lesson's end.
    fn tail(queue: &LogQueue) -> Vec<(char, u16, u32)> {
        let mut jobs = VecDeque::new();
        queue.take(Duration::ZERO, &mut jobs);
        jobs.into_iter()
            .filter_map(|job| match job {
                Job::Dropped { track, count, .. } => Some(('d', track, count)),
                Job::CloseTrack { track, .. } => Some(('t', track, 0)),
                Job::CloseLesson(_) => Some(('l', 0, 0)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn what_was_dropped_last_is_said_before_the_track_ends_and_never_again() {
        let queue = queue();
        push(&queue, 3, LIMIT_BYTES / 2);
        push(&queue, 1, 10);
        let close = || Job::CloseTrack {
            lesson: LESSON,
            track: 1,
            reason: "removed",
        };
        queue.order(close());
        queue.order(Job::CloseLesson(LESSON));
        assert_eq!(tail(&queue), [('d', 1, 1), ('t', 1, 0), ('l', 0, 0)]);
        assert!(queue.lock().dropped.is_empty());
    }

    #[test]
    fn the_end_of_a_lesson_says_what_was_dropped_of_its_tracks_alone() {
        let queue = queue();
        push(&queue, 3, LIMIT_BYTES / 2);
        push(&queue, 1, 10);
        push(&queue, 1, 10);
        queue.order(Job::CloseLesson(LessonId(2)));
        assert_eq!(tail(&queue), [('l', 0, 0)]);
        queue.order(Job::CloseLesson(LESSON));
        assert_eq!(tail(&queue), [('d', 1, 2), ('l', 0, 0)]);
        assert!(queue.lock().dropped.is_empty());
    }
}
