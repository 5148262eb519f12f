//! One picture file that is whole.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use zhuandi_wire::still::{Begin, CHUNK, Format, Source, chunks};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Still {
    /// What it is; its `number` and `of` mean nothing here.
    begin: Begin,
    file: Arc<[u8]>,
}

/// SHA-256.
fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(digest(&SHA256, bytes).as_ref()) {
        *to = *from;
    }
    hash
}

impl Still {
    /// A file with what is known about it; `None` when it is empty, or larger than a still may be.
    pub fn new(
        source: Source,
        format: Format,
        sides: (u16, u16),
        file: Arc<[u8]>,
    ) -> Option<Still> {
        let begin = Begin {
            number: 0,
            source,
            format,
            width: sides.0,
            height: sides.1,
            bytes: u32::try_from(file.len()).ok()?,
            of: 0,
            hash: sha256(&file),
        };
        begin.is_sound().then_some(Still { begin, file })
    }

    /// The file that a begin announced; `None` when it is another one.
    pub fn check(begin: Begin, file: Vec<u8>) -> Option<Still> {
        let file: Arc<[u8]> = file.into();
        let made = Still::new(
            begin.source,
            begin.format,
            (begin.width, begin.height),
            file,
        )?;
        (made.begin.hash == begin.hash).then_some(made)
    }

    /// What it is, under a number of a channel and a name.
    pub fn begin(&self, number: u16, of: u32) -> Begin {
        Begin {
            number,
            of,
            ..self.begin
        }
    }

    /// SHA-256 of the file.
    pub fn hash(&self) -> [u8; 32] {
        self.begin.hash
    }

    /// What it shows.
    pub fn source(&self) -> Source {
        self.begin.source
    }

    /// The file.
    pub fn file(&self) -> &Arc<[u8]> {
        &self.file
    }

    /// How many chunks it has.
    pub fn chunks(&self) -> usize {
        chunks(self.file.len())
    }

    /// One of its chunks.
    pub fn chunk(&self, index: usize) -> Option<&[u8]> {
        self.file.chunks(CHUNK).nth(index)
    }
}
