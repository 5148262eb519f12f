//! The bounded mailbox of a worker: other threads post, the worker takes between two batches.

use std::collections::VecDeque;
use std::io;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Mutex, PoisonError};

use zhuandi_sfu::api::{Command, LessonId};

use crate::sys::EventFd;

/// Letters that may wait: a whole county joining at once is a few thousand.
const LIMIT: usize = 65_536;

/// What a worker is asked to do.
#[derive(Debug)]
pub(crate) enum Letter {
    /// For the engine.
    Command(Command),
    /// An ICE-TCP connection whose first STUN named a transport of this worker, with what was read of it.
    Adopt(TcpStream, Vec<u8>),
    /// Once the engine's records up to here are with the writer: end this track.
    CloseTrack(LessonId, u16, &'static str),
    /// Once the engine's records up to here are with the writer: seal this lesson.
    CloseLesson(LessonId),
    /// End the thread.
    Stop,
}

/// The mailbox is full: the worker is stuck or the caller floods it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// See the module.
#[derive(Debug)]
pub(crate) struct Mailbox {
    letters: Mutex<VecDeque<Letter>>,
    flag: EventFd,
}

impl Mailbox {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            letters: Mutex::default(),
            flag: EventFd::new()?,
        })
    }

    /// Post letters that belong together, all or none.
    pub(crate) fn post(&self, letters: impl IntoIterator<Item = Letter>) -> Result<(), Busy> {
        let mut inner = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.len() >= LIMIT {
            return Err(Busy);
        }
        inner.extend(letters);
        drop(inner);
        self.flag.set();
        Ok(())
    }

    /// Take all into `out`, which is empty.
    pub(crate) fn take(&self, out: &mut VecDeque<Letter>) {
        self.flag.clear();
        std::mem::swap(
            &mut *self.letters.lock().unwrap_or_else(PoisonError::into_inner),
            out,
        );
    }
}

impl AsRawFd for Mailbox {
    fn as_raw_fd(&self) -> RawFd {
        self.flag.as_raw_fd()
    }
}
