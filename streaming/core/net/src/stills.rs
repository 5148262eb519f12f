//! Commands about stills.

use std::sync::Arc;

use zhuandi_sfu::api::{Command, LessonId, Role, Still, TransportId};
use zhuandi_wire::still::MAX_OWN_BYTES;

use crate::core::Core;
use crate::error::CoreError;
use crate::mailbox::Letter;
use crate::registry::{Entry, Object};

impl Core {
    /// A still that comes from no transport: everybody in the lesson who gets stills gets it.
    pub fn put_still(&self, lesson: LessonId, still: Still) -> Result<(), CoreError> {
        let known = self.shared.registry().lesson(lesson);
        let worker = known.ok_or(CoreError::NoSuch("lesson", lesson.0))?.worker;
        let still = Arc::new(still);
        let command = Command::PutStill { lesson, still };
        Ok(self.shared.post(worker, [Letter::Command(command)])?)
    }

    /// A client's own still, for the server at the other end of its transport.
    pub fn give_still(&self, transport: TransportId, still: Still) -> Result<(), CoreError> {
        let worker = match self.shared.registry().get(transport.0) {
            Some(Entry {
                worker,
                object: Object::Transport { role, .. },
                ..
            }) if *role == Role::Client => *worker,
            _ => return Err(CoreError::NoSuch("transport to a server", transport.0)),
        };
        if still.file().len() > MAX_OWN_BYTES {
            return Err(CoreError::Bad(format!(
                "an own still has at most {MAX_OWN_BYTES} bytes"
            )));
        }
        let still = Arc::new(still);
        let command = Command::GiveStill { transport, still };
        Ok(self.shared.post(worker, [Letter::Command(command)])?)
    }
}
