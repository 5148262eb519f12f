//! Commands about what comes in from a publication, and who looks at whose stills.

use zhuandi_sfu::api::{Command, PublicationId, TransportId};

use crate::core::Core;
use crate::error::CoreError;
use crate::mailbox::Letter;
use crate::registry::{Entry, Object};

/// Most transports whose own stills one end looks at: the tiles of a screen.
const MAX_SHOWN: usize = 64;

impl Core {
    /// Let the packets of a transport's publication in, or end them at the door.
    pub fn grant(&self, id: PublicationId, on: bool) -> Result<(), CoreError> {
        let entry = self.publication(id)?;
        if entry.parent.is_none() {
            return Err(CoreError::Bad(format!(
                "publication {} is played from files",
                id.0
            )));
        }
        let command = Command::Grant {
            publication: id,
            on,
        };
        Ok(self.shared.post(entry.worker, [Letter::Command(command)])?)
    }

    /// Ask a publication's source for a key frame.
    pub fn request_keyframe(&self, id: PublicationId) -> Result<(), CoreError> {
        let command = Command::RequestKeyframe { publication: id };
        let worker = self.publication(id)?.worker;
        Ok(self.shared.post(worker, [Letter::Command(command)])?)
    }

    fn publication(&self, id: PublicationId) -> Result<Entry, CoreError> {
        match self.shared.registry().get(id.0) {
            Some(
                entry @ Entry {
                    object: Object::Publication(_),
                    ..
                },
            ) => Ok(entry.clone()),
            _ => Err(CoreError::NoSuch("publication", id.0)),
        }
    }

    /// A transport looks at the own stills of others of its lesson, each under a tile, and at no more; who is gone is left out.
    pub fn show_stills(
        &self,
        transport: TransportId,
        mut of: Vec<(TransportId, u32)>,
    ) -> Result<(), CoreError> {
        if of.len() > MAX_SHOWN {
            return Err(CoreError::Bad(format!("more than {MAX_SHOWN} tiles")));
        }
        if of.iter().any(|(_, tile)| *tile == 0) {
            return Err(CoreError::Bad("tile 0 is the lesson's own".into()));
        }
        let registry = self.shared.registry();
        let Some(Entry {
            lesson,
            worker,
            object: Object::Transport { .. },
            ..
        }) = registry.get(transport.0)
        else {
            return Err(CoreError::NoSuch("transport", transport.0));
        };
        let standing = |handle: u32| registry.get(handle);
        of.retain(|(other, _)| standing(other.0).is_some());
        for (other, _) in &of {
            match standing(other.0) {
                Some(Entry {
                    lesson: theirs,
                    object: Object::Transport { .. },
                    ..
                }) if theirs == lesson => {}
                Some(Entry {
                    object: Object::Transport { .. },
                    ..
                }) => {
                    return Err(CoreError::Bad(format!(
                        "transport {} is of another lesson",
                        other.0
                    )));
                }
                _ => return Err(CoreError::NoSuch("transport", other.0)),
            }
        }
        let command = Command::ShowStills { transport, of };
        Ok(self.shared.post(*worker, [Letter::Command(command)])?)
    }
}
