//! Framing of packets on a TCP connection: 16 bits of length before each (RFC 4571 2).

use crate::Malformed;

/// Longest frame that is accepted. Ours and browsers' packets fit an Ethernet frame of 1,500 bytes; the rest is room for
/// peers that do not count headers. A longer one is no media: the connection is to be closed.
pub const MAX_FRAME: usize = 2048;

/// Append one frame; answers false, and appends nothing, when it is longer than [`MAX_FRAME`].
pub fn write(out: &mut Vec<u8>, packet: &[u8]) -> bool {
    let Some(len) = u16::try_from(packet.len())
        .ok()
        .filter(|_| packet.len() <= MAX_FRAME)
    else {
        return false;
    };
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(packet);
    true
}

/// Cuts a byte stream into packets: [`Decoder::extend`] with what was read, then [`Decoder::next_frame`] until there is none.
///
/// Between reads it holds less than one frame.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
}

impl Decoder {
    /// At the start of a connection, or with the bytes that another reader of it left.
    pub fn with(buffer: Vec<u8>) -> Decoder {
        Decoder { buffer, start: 0 }
    }

    /// Append what was read.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, for work in place; empty ones are passed over.
    ///
    /// [`Malformed::Bound`] is final: the stream has lost its framing, close the connection.
    pub fn next_frame(&mut self) -> Result<Option<&mut [u8]>, Malformed> {
        loop {
            let Some(len) = self.frame_len()? else {
                self.buffer.drain(..self.start);
                self.start = 0;
                return Ok(None);
            };
            let begin = self.start + 2;
            self.start = begin + len;
            if len > 0 {
                return Ok(self.buffer.get_mut(begin..begin + len));
            }
        }
    }

    /// The next frame, which stays where it is; empty until it is whole.
    pub fn peek(&self) -> Result<Option<&[u8]>, Malformed> {
        let len = self.frame_len()?;
        Ok(len.and_then(|len| self.buffer.get(self.start + 2..self.start + 2 + len)))
    }

    /// All bytes that were not taken, for another reader of the connection.
    pub fn into_rest(mut self) -> Vec<u8> {
        self.buffer.drain(..self.start);
        self.buffer
    }

    /// Bytes that were not taken.
    pub fn held(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Length of the next frame, where it is whole.
    fn frame_len(&self) -> Result<Option<usize>, Malformed> {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        let Some((len, body)) = rest.split_first_chunk::<2>() else {
            return Ok(None);
        };
        let len = usize::from(u16::from_be_bytes(*len));
        if len > MAX_FRAME {
            return Err(Malformed::Bound);
        }
        Ok((len <= body.len()).then_some(len))
    }
}
