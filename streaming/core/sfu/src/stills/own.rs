//! Pages' own stills, kept with one connection: the last one under each name (at the server the one of its page, under 0).

use std::sync::Arc;

use zhuandi_wire::still::Begin;
use zhuandi_wire::time::Micros;

use super::assembly::{self, Assembly, Taken};
use super::{Still, assembly::bitmap_of};
use crate::drop_reason::DropReason;

/// Most names: the tiles of a screen.
pub const MAX_TILES: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub struct OwnStills {
    kept: Vec<(u32, Arc<Still>)>,
    coming: Vec<Assembly>,
}

impl OwnStills {
    /// The last one under a name.
    pub fn kept(&self, of: u32) -> Option<&Arc<Still>> {
        let mut named = self.kept.iter().filter(|(name, _)| *name == of);
        named.next().map(|(_, still)| still)
    }

    /// A sender announces a still. Some = it is the last one again.
    pub fn begin(&mut self, begin: Begin) -> Option<Arc<Still>> {
        let last = self.kept(begin.of);
        if let Some(known) = last.filter(|last| last.hash() == begin.hash) {
            return Some(Arc::clone(known));
        }
        let goes_on = |other: &Assembly| other.is_of(begin.of, &begin.hash);
        if !self.coming.iter().any(goes_on) {
            self.coming.retain(|other| other.begin().of != begin.of);
            if self.coming.len() >= MAX_TILES {
                self.coming.remove(0);
            }
            self.coming.push(Assembly::new(begin));
        }
        None
    }

    /// The bitmap of what is here of a still.
    pub fn bitmap(&self, begin: &Begin) -> Vec<u8> {
        let last = self.kept(begin.of);
        let whole = last.is_some_and(|last| last.hash() == begin.hash);
        bitmap_of(begin, whole, &self.coming)
    }

    /// Take a chunk of the still with this name and hash.
    pub fn take(
        &mut self,
        now: Micros,
        of: u32,
        hash: &[u8; 32],
        index: u16,
        data: &[u8],
    ) -> Result<Taken, DropReason> {
        if self.kept(of).is_some_and(|last| last.hash() == *hash) {
            return Ok(Taken::Again);
        }
        let taken = assembly::take(&mut self.coming, now, (of, hash), index, data)?;
        if let Taken::Whole(still) = &taken {
            self.kept.retain(|(name, _)| *name != of);
            if self.kept.len() >= MAX_TILES {
                self.kept.remove(0);
            }
            self.kept.push((of, Arc::clone(still)));
        }
        Ok(taken)
    }
}
