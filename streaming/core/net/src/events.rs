//! The bounded queue of happenings that Python pulls, and the eventfd that wakes it.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Mutex, PoisonError};

use zhuandi_sfu::api::{Event, LessonId};

use crate::sys::EventFd;

/// Happenings that may wait; a control plane that is later than this must look at the state instead.
const LIMIT: usize = 20_000;

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum CoreEvent {
    /// In a worker's engine.
    Engine(Event),
    /// To a lesson's log.
    Log(LogEvent),
    /// So many happenings were lost because nobody took them.
    Overflow(u64),
}

/// How a lesson's log stands; once a second while it grows, and on every change of `error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    /// Whose log.
    pub lesson: LessonId,
    /// Bytes that the file system has taken.
    pub bytes: u64,
    /// `disk_full` or `io`; `None` while all is well.
    pub error: Option<&'static str>,
    /// Nothing more will be written: every part is sealed.
    pub sealed: bool,
}

/// See the module.
#[derive(Debug)]
pub struct EventQueue {
    inner: Mutex<(VecDeque<CoreEvent>, u64)>,
    flag: EventFd,
}

impl EventQueue {
    /// An empty queue.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            inner: Mutex::default(),
            flag: EventFd::new()?,
        })
    }

    /// Add one; beyond the limit it is only counted.
    pub fn push(&self, event: CoreEvent) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.0.len() < LIMIT {
            inner.0.push_back(event);
        } else {
            inner.1 += 1;
        }
        drop(inner);
        self.flag.set();
    }

    /// Take all.
    pub fn take(&self) -> VecDeque<CoreEvent> {
        self.flag.clear();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut events, lost) = std::mem::take(&mut *inner);
        if lost > 0 {
            events.push_back(CoreEvent::Overflow(lost));
        }
        events
    }
}

impl AsRawFd for EventQueue {
    fn as_raw_fd(&self) -> RawFd {
        self.flag.as_raw_fd()
    }
}
