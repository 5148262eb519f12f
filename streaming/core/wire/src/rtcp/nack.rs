//! Generic negative acknowledgement (RFC 4585 6.2.1).

use super::{kind, write_message};
use crate::{Malformed, read, seq};

/// Most pairs that are accepted or written in one message: it fills a datagram of 1,200 bytes.
const MAX_PAIRS: usize = 296;

/// One lost number and a map of the sixteen after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NackPair {
    /// PID: the first lost sequence number.
    pub pid: u16,
    /// BLP: bit i says that `pid + 1 + i` is lost too.
    pub blp: u16,
}

impl NackPair {
    /// The lost numbers, in order.
    pub fn lost(self) -> impl Iterator<Item = u16> {
        let after = (0..16)
            .filter(move |bit| self.blp >> bit & 1 == 1)
            .map(move |bit| self.pid.wrapping_add(bit + 1));
        std::iter::once(self.pid).chain(after)
    }
}

/// A request to send packets again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nack<'a> {
    /// Who asks.
    pub sender_ssrc: u32,
    /// Whose packets.
    pub media_ssrc: u32,
    pairs: &'a [u8],
}

impl<'a> Nack<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Nack<'a>, Malformed> {
        let (sender_ssrc, media_ssrc) = (read::u32_at(body, 0)?, read::u32_at(body, 4)?);
        let pairs = read::tail(body, 8)?;
        if pairs.is_empty() || pairs.len() % 4 != 0 {
            return Err(Malformed::Length);
        }
        if pairs.len() > 4 * MAX_PAIRS {
            return Err(Malformed::Bound);
        }
        Ok(Nack {
            sender_ssrc,
            media_ssrc,
            pairs,
        })
    }

    /// As they stand in the message.
    pub fn pairs(&self) -> impl Iterator<Item = NackPair> + 'a {
        self.pairs.chunks_exact(4).filter_map(|pair| {
            Some(NackPair {
                pid: read::u16_at(pair, 0).ok()?,
                blp: read::u16_at(pair, 2).ok()?,
            })
        })
    }

    /// All lost numbers: at most 17 a pair.
    pub fn lost(&self) -> impl Iterator<Item = u16> + 'a {
        self.pairs().flat_map(NackPair::lost)
    }
}

/// Append a request for `lost` numbers, oldest first; answers how many of them it holds (all, up to the bound of a datagram).
///
/// An empty list appends nothing.
pub fn write_nack(out: &mut Vec<u8>, sender_ssrc: u32, media_ssrc: u32, lost: &[u16]) -> usize {
    let mut taken = 0;
    if lost.is_empty() {
        return taken;
    }
    write_message(out, kind::RTPFB, 1, |out| {
        out.extend_from_slice(&sender_ssrc.to_be_bytes());
        out.extend_from_slice(&media_ssrc.to_be_bytes());
        let mut rest = lost;
        for _ in 0..MAX_PAIRS {
            let Some((pair, after)) = next_pair(rest) else {
                break;
            };
            out.extend_from_slice(&pair.pid.to_be_bytes());
            out.extend_from_slice(&pair.blp.to_be_bytes());
            rest = after;
        }
        taken = lost.len() - rest.len();
    });
    taken
}

/// The pair that covers the first number and those after it that fit.
fn next_pair(lost: &[u16]) -> Option<(NackPair, &[u16])> {
    let (&pid, mut rest) = lost.split_first()?;
    let mut blp = 0;
    while let Some((&next, after)) = rest.split_first() {
        match seq::distance(next, pid) {
            0 => {}
            ahead @ 1..=16 => blp |= 1 << (ahead - 1),
            _ => break,
        }
        rest = after;
    }
    Some((NackPair { pid, blp }, rest))
}
