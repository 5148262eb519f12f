//! A still that is coming in: its chunks in any order, each counted once.

use std::sync::Arc;

use zhuandi_wire::still::{Begin, CHUNK, chunks, has};
use zhuandi_wire::time::Micros;

use super::Still;
use crate::drop_reason::DropReason;

/// An acknowledgement waits so long for more chunks.
const HAVE_AFTER_US: i64 = 100_000;

/// What came of a chunk.
#[derive(Debug)]
pub enum Taken {
    /// Acknowledge by then.
    Waits(Micros),
    /// Acknowledge now: it came before.
    Again,
    /// Acknowledge now: the still is whole, and new.
    Whole(Arc<Still>),
}

/// See the module. It outlives the connection that began it.
#[derive(Debug)]
pub(super) struct Assembly {
    begin: Begin,
    file: Vec<u8>,
    bitmap: Vec<u8>,
    missing: usize,
}

impl Assembly {
    /// Nothing is here yet; `begin` is sound.
    pub(super) fn new(begin: Begin) -> Assembly {
        let bytes = usize::try_from(begin.bytes).unwrap_or(0);
        let missing = chunks(bytes);
        Assembly {
            begin,
            file: vec![0; bytes],
            bitmap: vec![0; missing.div_ceil(8)],
            missing,
        }
    }

    /// What was announced.
    pub(super) fn begin(&self) -> Begin {
        self.begin
    }

    /// Whether it is this one.
    pub(super) fn is_of(&self, of: u32, hash: &[u8; 32]) -> bool {
        self.begin.of == of && self.begin.hash == *hash
    }

    /// Bit 7 of byte 0 is chunk 0.
    fn bitmap(&self) -> &[u8] {
        &self.bitmap
    }

    /// Take a chunk. False when it was here before or does not fit.
    fn take(&mut self, index: u16, data: &[u8]) -> bool {
        let index = usize::from(index);
        let place = self.file.chunks_mut(CHUNK).nth(index);
        let Some(place) = place.filter(|place| place.len() == data.len()) else {
            return false;
        };
        if has(&self.bitmap, index) {
            return false;
        }
        place.copy_from_slice(data);
        if let Some(byte) = self.bitmap.get_mut(index / 8) {
            *byte |= 0x80 >> (index % 8);
        }
        self.missing -= 1;
        true
    }

    /// No chunk is missing.
    fn is_whole(&self) -> bool {
        self.missing == 0
    }

    /// The file.
    fn into_file(self) -> Vec<u8> {
        self.file
    }
}

/// Take a chunk of the still with this name and hash among those that are coming.
pub(super) fn take(
    coming: &mut Vec<Assembly>,
    now: Micros,
    (of, hash): (u32, &[u8; 32]),
    index: u16,
    data: &[u8],
) -> Result<Taken, DropReason> {
    let at = coming.iter().position(|one| one.is_of(of, hash));
    let at = at.ok_or(DropReason::StillUnknown)?;
    let found = coming.get_mut(at).ok_or(DropReason::StillUnknown)?;
    if !found.take(index, data) {
        return Ok(Taken::Again);
    }
    if !found.is_whole() {
        return Ok(Taken::Waits(now.plus(HAVE_AFTER_US)));
    }
    let found = coming.remove(at);
    let still = Still::check(found.begin(), found.into_file());
    Ok(Taken::Whole(Arc::new(still.ok_or(DropReason::StillHash)?)))
}

/// The bitmap of what is here of a still: all where it is whole, else what came.
pub(super) fn bitmap_of(begin: &Begin, whole: bool, coming: &[Assembly]) -> Vec<u8> {
    let len = chunks(usize::try_from(begin.bytes).unwrap_or(0)).div_ceil(8);
    if whole {
        return vec![0xFF; len];
    }
    let found = coming.iter().find(|one| one.is_of(begin.of, &begin.hash));
    found.map_or_else(|| vec![0; len], |one| one.bitmap().to_vec())
}
