//! Commands about stills.

use std::sync::Arc;

use zhuandi_sfu::api::{Command, LessonId, Still};

use crate::core::Core;
use crate::error::CoreError;
use crate::mailbox::Letter;

impl Core {
    /// A still that comes from no transport: everybody in the lesson who gets stills gets it.
    pub fn put_still(&self, lesson: LessonId, still: Still) -> Result<(), CoreError> {
        let known = self.shared.registry().lesson(lesson);
        let worker = known.ok_or(CoreError::NoSuch("lesson", lesson.0))?.worker;
        let still = Arc::new(still);
        let command = Command::PutStill { lesson, still };
        Ok(self.shared.post(worker, [Letter::Command(command)])?)
    }
}
