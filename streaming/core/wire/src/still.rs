//! Messages of the stills' data channel (PROTOCOL 1.1).

use crate::{Malformed, read};

/// Most bytes of one still.
pub const MAX_BYTES: usize = 256 << 10;
/// Bytes of a chunk; the last one of a still has the rest.
pub const CHUNK: usize = 1_000;
/// Bytes of a chunk's message before its data.
pub const CHUNK_HEADER: usize = 6;
/// Bytes of a begin.
pub const BEGIN_LEN: usize = 50;
/// Most bytes of a page's own still.
pub const MAX_OWN_BYTES: usize = 24 << 10;
/// Largest side of a picture, in pixels.
pub const MAX_SIDE: u16 = 4_096;

const BEGIN_TYPE: u8 = 1;
const CHUNK_TYPE: u8 = 2;
const HAVE_TYPE: u8 = 3;

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The room.
    Camera,
    /// Slides.
    Screen,
}

/// How a picture is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// RFC 9649
    WebP,
    /// RFC 2083
    Png,
    /// ITU-T T.81
    Jpeg,
}

/// What a still is, before its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begin {
    /// Names it on this channel.
    pub number: u16,
    /// What it shows.
    pub source: Source,
    /// How it is encoded.
    pub format: Format,
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
    /// Bytes of the file, 1 to [`MAX_BYTES`].
    pub bytes: u32,
    /// Whose it is: 0 the lesson's, or the page's own; else the tile of a wall.
    pub of: u32,
    /// SHA-256 of the file.
    pub hash: [u8; 32],
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A still follows, if you have not got it.
    Begin(Begin),
    /// A piece of it.
    Chunk {
        /** which still */
        number: u16,
        /** which piece */
        index: u16,
        /** 1 to [`CHUNK`] bytes */
        data: &'a [u8],
    },
    /// What the receiver holds.
    Have {
        /** which still */
        number: u16,
        /** bit 7 of byte 0 is chunk 0 */
        bitmap: &'a [u8],
    },
}

/// Chunks of a file of so many bytes.
pub fn chunks(bytes: usize) -> usize {
    bytes.div_ceil(CHUNK)
}

/// Whether a bitmap holds a chunk.
pub fn has(bitmap: &[u8], index: usize) -> bool {
    bitmap
        .get(index / 8)
        .is_some_and(|byte| byte & (0x80 >> (index % 8)) != 0)
}

impl<'a> Message<'a> {
    /// Read one message and check its bounds.
    pub fn parse(bytes: &'a [u8]) -> Result<Message<'a>, Malformed> {
        let number = read::u16_at(bytes, 2)?;
        match read::u8_at(bytes, 0)? {
            BEGIN_TYPE => parse_begin(bytes, number).map(Message::Begin),
            CHUNK_TYPE => {
                let index = read::u16_at(bytes, 4)?;
                let data = read::tail(bytes, CHUNK_HEADER)?;
                if data.is_empty() || data.len() > CHUNK {
                    return Err(Malformed::Length);
                }
                Ok(Message::Chunk {
                    number,
                    index,
                    data,
                })
            }
            HAVE_TYPE => {
                let bitmap = read::tail(bytes, 4)?;
                if bitmap.is_empty() || bitmap.len() > chunks(MAX_BYTES).div_ceil(8) {
                    return Err(Malformed::Length);
                }
                Ok(Message::Have { number, bitmap })
            }
            _ => Err(Malformed::Reserved),
        }
    }

    /// Append the message.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Message::Begin(begin) => write_begin(out, begin),
            Message::Chunk {
                number,
                index,
                data,
            } => {
                out.extend([CHUNK_TYPE, 0]);
                out.extend(number.to_be_bytes());
                out.extend(index.to_be_bytes());
                out.extend(*data);
            }
            Message::Have { number, bitmap } => {
                out.extend([HAVE_TYPE, 0]);
                out.extend(number.to_be_bytes());
                out.extend(*bitmap);
            }
        }
    }
}

fn parse_begin(bytes: &[u8], number: u16) -> Result<Begin, Malformed> {
    let hash = read::tail(bytes, BEGIN_LEN - 32)?;
    let begin = Begin {
        number,
        source: match read::u8_at(bytes, 1)? {
            0 => Source::Camera,
            1 => Source::Screen,
            _ => return Err(Malformed::Reserved),
        },
        format: match read::u8_at(bytes, 4)? {
            1 => Format::WebP,
            2 => Format::Png,
            3 => Format::Jpeg,
            _ => return Err(Malformed::Reserved),
        },
        width: read::u16_at(bytes, 6)?,
        height: read::u16_at(bytes, 8)?,
        bytes: read::u32_at(bytes, 10)?,
        of: read::u32_at(bytes, 14)?,
        hash: hash.try_into().map_err(|_| Malformed::Length)?,
    };
    if begin.is_sound() {
        Ok(begin)
    } else {
        Err(Malformed::Bound)
    }
}

impl Begin {
    /// Size and sides are within the bounds.
    pub fn is_sound(&self) -> bool {
        let sides = [self.width, self.height];
        let bytes = usize::try_from(self.bytes).unwrap_or(usize::MAX);
        sides.iter().all(|side| (1..=MAX_SIDE).contains(side)) && (1..=MAX_BYTES).contains(&bytes)
    }
}

fn write_begin(out: &mut Vec<u8>, begin: &Begin) {
    let source = match begin.source {
        Source::Camera => 0,
        Source::Screen => 1,
    };
    let format = match begin.format {
        Format::WebP => 1,
        Format::Png => 2,
        Format::Jpeg => 3,
    };
    out.extend([BEGIN_TYPE, source]);
    out.extend(begin.number.to_be_bytes());
    out.extend([format, 0]);
    out.extend(begin.width.to_be_bytes());
    out.extend(begin.height.to_be_bytes());
    out.extend(begin.bytes.to_be_bytes());
    out.extend(begin.of.to_be_bytes());
    out.extend(begin.hash);
}
