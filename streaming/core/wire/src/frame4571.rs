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

/// Cuts a byte stream into packets; holds at most one unfinished frame.
#[derive(Debug, Default)]
pub struct Decoder {
    pending: Vec<u8>,
    broken: bool,
}

impl Decoder {
    /// At the start of a connection.
    pub fn new() -> Decoder {
        Decoder::default()
    }

    /// Hand over received bytes; `packet` gets every packet that is complete now, empty frames are passed over.
    ///
    /// After [`Malformed::Bound`] the stream has lost its framing: every further call fails too.
    pub fn push(
        &mut self,
        mut bytes: &[u8],
        mut packet: impl FnMut(&[u8]),
    ) -> Result<(), Malformed> {
        while !self.broken {
            let missing = self.missing();
            if missing == 0 {
                packet(self.pending.get(2..).unwrap_or_default());
                self.pending.clear();
                continue;
            }
            if self.pending.is_empty() {
                bytes = whole_frames(bytes, &mut packet);
            }
            if bytes.is_empty() {
                return Ok(());
            }
            let (now, later) = bytes.split_at(self.missing().min(bytes.len()));
            self.pending.extend_from_slice(now);
            bytes = later;
            self.check();
        }
        Err(Malformed::Bound)
    }

    /// Bytes of an unfinished frame that are held.
    pub fn held(&self) -> usize {
        self.pending.len()
    }

    /// Bytes until the length, or the frame, is complete.
    fn missing(&self) -> usize {
        match self.pending.first_chunk::<2>() {
            None => 2 - self.pending.len(),
            Some(len) => {
                (2 + usize::from(u16::from_be_bytes(*len))).saturating_sub(self.pending.len())
            }
        }
    }

    /// Note a length that is out of bounds, pass over an empty frame.
    fn check(&mut self) {
        let Some(len) = self
            .pending
            .first_chunk::<2>()
            .map(|len| usize::from(u16::from_be_bytes(*len)))
        else {
            return;
        };
        self.broken = len > MAX_FRAME;
        if len == 0 {
            self.pending.clear();
        }
    }
}

/// Hand out the frames that lie whole in `bytes`, without a copy; answers the rest.
fn whole_frames<'a>(mut bytes: &'a [u8], packet: &mut impl FnMut(&[u8])) -> &'a [u8] {
    while let Some((len, rest)) = bytes.split_first_chunk::<2>() {
        let len = usize::from(u16::from_be_bytes(*len));
        let Some((frame, after)) = rest.split_at_checked(len).filter(|_| len <= MAX_FRAME) else {
            break;
        };
        if len > 0 {
            packet(frame);
        }
        bytes = after;
    }
    bytes
}
