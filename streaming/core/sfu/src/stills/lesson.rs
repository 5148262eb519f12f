//! The stills of one lesson: the last few that are whole, and what is coming in.

use std::collections::VecDeque;
use std::sync::Arc;

use zhuandi_wire::still::{Begin, Source};
use zhuandi_wire::time::Micros;

use super::Still;
use super::assembly::{self, Assembly, Taken, bitmap_of};
use crate::drop_reason::DropReason;

/// Stills that a lesson keeps.
pub const MAX_CACHED: usize = 8;
/// See the module. One sender a source: what another one begins replaces what was coming.
#[derive(Debug, Default)]
pub struct LessonStills {
    cached: VecDeque<Arc<Still>>,
    coming: Vec<Assembly>,
}

impl LessonStills {
    /// Keep a still that is whole; the one that came first goes when there are too many.
    pub fn put(&mut self, still: Arc<Still>) {
        self.cached.retain(|kept| kept.hash() != still.hash());
        if self.cached.len() >= MAX_CACHED {
            self.cached.pop_front();
        }
        self.cached.push_back(still);
    }

    /// The newest still of each source.
    pub fn newest(&self) -> impl Iterator<Item = &Arc<Still>> {
        let of = |source| {
            let mut newest_first = self.cached.iter().rev();
            newest_first.find(move |still| still.source() == source)
        };
        [Source::Screen, Source::Camera].into_iter().filter_map(of)
    }

    /// A still by its hash.
    pub fn get(&self, hash: &[u8; 32]) -> Option<&Arc<Still>> {
        self.cached.iter().find(|still| still.hash() == *hash)
    }

    /// A sender announces a still. Some = it is here, and the newest of its source again.
    pub fn begin(&mut self, begin: Begin) -> Option<Arc<Still>> {
        if let Some(known) = self.get(&begin.hash).cloned() {
            self.put(Arc::clone(&known));
            return Some(known);
        }
        let goes_on = |other: &Assembly| other.begin().hash == begin.hash;
        if !self.coming.iter().any(goes_on) {
            let replaced = |other: &Assembly| other.begin().source == begin.source;
            self.coming.retain(|other| !replaced(other));
            self.coming.push(Assembly::new(begin));
        }
        None
    }

    /// The bitmap of what is here of a still.
    pub fn bitmap(&self, begin: &Begin) -> Vec<u8> {
        bitmap_of(begin, self.get(&begin.hash).is_some(), &self.coming)
    }

    /// Take a chunk of the still with this hash.
    pub fn take(
        &mut self,
        now: Micros,
        hash: &[u8; 32],
        index: u16,
        data: &[u8],
    ) -> Result<Taken, DropReason> {
        if self.get(hash).is_some() {
            return Ok(Taken::Again);
        }
        let taken = assembly::take(&mut self.coming, now, (0, hash), index, data)?;
        if let Taken::Whole(still) = &taken {
            self.put(Arc::clone(still));
        }
        Ok(taken)
    }
}
