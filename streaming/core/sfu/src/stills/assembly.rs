//! A still that is coming in: its chunks in any order, each counted once.

use zhuandi_wire::still::{Begin, CHUNK, chunks, has};

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

    /// Bit 7 of byte 0 is chunk 0.
    pub(super) fn bitmap(&self) -> &[u8] {
        &self.bitmap
    }

    /// Take a chunk. False when it was here before or does not fit.
    pub(super) fn take(&mut self, index: u16, data: &[u8]) -> bool {
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
    pub(super) fn is_whole(&self) -> bool {
        self.missing == 0
    }

    /// The file.
    pub(super) fn into_file(self) -> Vec<u8> {
        self.file
    }
}
