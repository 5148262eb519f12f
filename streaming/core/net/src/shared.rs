//! What all threads of a core share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::board::Board;
use crate::clock::Clock;
use crate::events::EventQueue;
use crate::log_queue::{Job, LogQueue};
use crate::mailbox::{Busy, Letter, Mailbox};
use crate::registry::{EndedTrack, Registry};

/// See the module.
pub(crate) struct Shared {
    pub clock: Clock,
    pub events: Arc<EventQueue>,
    pub log: Arc<LogQueue>,
    pub mailboxes: Vec<Mailbox>,
    pub board: Board,
    registry: Mutex<Registry>,
}

impl Shared {
    pub(crate) fn new(clock: Clock, events: Arc<EventQueue>, mailboxes: Vec<Mailbox>) -> Self {
        let workers = mailboxes.len();
        Self {
            clock,
            events,
            log: Arc::default(),
            mailboxes,
            board: Board::new(workers),
            registry: Mutex::default(),
        }
    }

    /// What stands; held for look-ups only.
    pub(crate) fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn post(
        &self,
        worker: usize,
        letters: impl IntoIterator<Item = Letter>,
    ) -> Result<(), Busy> {
        self.mailboxes.get(worker).ok_or(Busy)?.post(letters)
    }

    /// An object is gone in the engine: forget it here too, and end its log tracks.
    pub(crate) fn forget(&self, handle: u32) {
        let ended: Vec<EndedTrack> = self.registry().remove(handle);
        for (lesson, _, track) in ended {
            self.log.order(Job::CloseTrack {
                lesson,
                track,
                reason: "closed",
            });
        }
    }
}
