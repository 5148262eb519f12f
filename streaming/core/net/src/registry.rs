//! What stands, as the callers' threads know it: where each handle lives, checked before a command is posted.

use std::collections::{BTreeSet, HashMap};

use zhuandi_sfu::api::{LessonId, Role, RtpParameters, TransportId};

/// What a handle means.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    /// An association.
    Transport { ufrag: String, role: Role },
    /// Media from a transport, or from a file (no transport).
    Publication(Box<RtpParameters>),
    /// A slot of a transport.
    Subscription,
    /// A leg into the log, under its publication.
    Tap { track: u16 },
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub lesson: LessonId,
    pub worker: usize,
    /// Goes when this goes.
    pub parent: Option<u32>,
    pub object: Object,
}

/// A lesson as the callers know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lesson {
    pub worker: usize,
    pub logged: bool,
}

/// A tap that ended: its lesson, worker and track.
pub(crate) type EndedTrack = (LessonId, usize, u16);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    next: u32,
    lessons: HashMap<LessonId, Lesson>,
    entries: HashMap<u32, Entry>,
    children: HashMap<u32, BTreeSet<u32>>,
    ufrags: HashMap<String, usize>,
}

impl Registry {
    fn new_handle(&mut self) -> u32 {
        // Handle 0 means "none" in stats; a Core does not live for four billion joins.
        self.next = self.next.wrapping_add(1).max(1);
        self.next
    }

    /// Put a new lesson on the worker with the fewest.
    pub(crate) fn open_lesson(&mut self, workers: usize, logged: bool) -> (LessonId, usize) {
        let load = |worker: &usize| {
            self.lessons
                .values()
                .filter(|lesson| lesson.worker == *worker)
                .count()
        };
        let worker = (0..workers).min_by_key(load).unwrap_or(0);
        let id = LessonId(self.new_handle());
        self.lessons.insert(id, Lesson { worker, logged });
        (id, worker)
    }

    pub(crate) fn lesson(&self, id: LessonId) -> Option<Lesson> {
        self.lessons.get(&id).copied()
    }

    /// Forget a lesson; the transports and players that must be removed from its worker.
    pub(crate) fn close_lesson(&mut self, id: LessonId) -> Option<(usize, Vec<u32>)> {
        let lesson = self.lessons.remove(&id)?;
        let of_lesson = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.lesson == id && entry.parent.is_none());
        let roots: Vec<u32> = of_lesson.map(|(handle, _)| *handle).collect();
        for root in &roots {
            self.remove(*root);
        }
        Some((lesson.worker, roots))
    }

    /// Add an object; its handle.
    pub(crate) fn add(&mut self, entry: Entry) -> u32 {
        let handle = self.new_handle();
        if let Some(parent) = entry.parent {
            self.children.entry(parent).or_default().insert(handle);
        }
        if let Object::Transport { ufrag, .. } = &entry.object {
            self.ufrags.insert(ufrag.clone(), entry.worker);
        }
        self.entries.insert(handle, entry);
        handle
    }

    pub(crate) fn get(&self, handle: u32) -> Option<&Entry> {
        self.entries.get(&handle)
    }

    /// After an ICE restart: new TCP connections come under the new name.
    pub(crate) fn rename(&mut self, transport: TransportId, new: &str) {
        if let Some(Entry {
            worker,
            object: Object::Transport { ufrag, .. },
            ..
        }) = self.entries.get_mut(&transport.0)
        {
            self.ufrags.remove(ufrag);
            new.clone_into(ufrag);
            self.ufrags.insert(new.to_owned(), *worker);
        }
    }

    /// The worker whose transport has this ufrag.
    pub(crate) fn worker_of_ufrag(&self, ufrag: &str) -> Option<usize> {
        self.ufrags.get(ufrag).copied()
    }

    /// Whether any tap of the lesson has this track number.
    pub(crate) fn has_track(&self, lesson: LessonId, wanted: u16) -> bool {
        let is = |entry: &Entry| {
            entry.lesson == lesson
                && matches!(entry.object, Object::Tap { track } if track == wanted)
        };
        self.entries.values().any(is)
    }

    /// Forget a handle and all that goes with it; the log tracks that end by it.
    pub(crate) fn remove(&mut self, handle: u32) -> Vec<EndedTrack> {
        let mut ended = Vec::new();
        let mut todo = vec![handle];
        while let Some(handle) = todo.pop() {
            todo.extend(self.children.remove(&handle).unwrap_or_default());
            let Some(entry) = self.entries.remove(&handle) else {
                continue;
            };
            if let Some(siblings) = entry
                .parent
                .and_then(|parent| self.children.get_mut(&parent))
            {
                siblings.remove(&handle);
            }
            match entry.object {
                Object::Tap { track } => ended.push((entry.lesson, entry.worker, track)),
                Object::Transport { ufrag, .. } => {
                    self.ufrags.remove(&ufrag);
                }
                Object::Publication(_) | Object::Subscription => {}
            }
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(lesson: LessonId, parent: Option<u32>, object: Object) -> Entry {
        Entry {
            lesson,
            worker: 0,
            parent,
            object,
        }
    }

    fn transport(ufrag: &str) -> Object {
        Object::Transport {
            ufrag: ufrag.into(),
            role: Role::Server,
        }
    }

    #[test]
    fn a_transport_takes_its_own_along_and_its_tracks_end() {
        let mut registry = Registry::default();
        let (lesson, _) = registry.open_lesson(1, true);
        let t = registry.add(entry(lesson, None, transport("u")));
        let p = registry.add(entry(lesson, Some(t), Object::Subscription));
        let tap = registry.add(entry(lesson, Some(p), Object::Tap { track: 4 }));
        assert!(registry.has_track(lesson, 4));
        assert_eq!(registry.remove(t), [(lesson, 0, 4)]);
        assert!(
            [t, p, tap]
                .iter()
                .all(|handle| registry.get(*handle).is_none())
        );
        assert_eq!(registry.worker_of_ufrag("u"), None);
        assert!(registry.remove(t).is_empty(), "twice is once");
    }

    #[test]
    fn lessons_go_to_the_worker_with_the_fewest() {
        let mut registry = Registry::default();
        let workers: Vec<usize> = (0..4).map(|_| registry.open_lesson(2, false).1).collect();
        assert_eq!(workers, [0, 1, 0, 1]);
    }

    #[test]
    fn after_an_ice_restart_the_transport_is_found_by_its_new_name() {
        let mut registry = Registry::default();
        let (lesson, _) = registry.open_lesson(1, false);
        let t = registry.add(entry(lesson, None, transport("old")));
        registry.rename(TransportId(t), "new");
        assert_eq!(registry.worker_of_ufrag("new"), Some(0));
        registry.remove(t);
        assert_eq!(registry.worker_of_ufrag("new"), None);
    }
}
