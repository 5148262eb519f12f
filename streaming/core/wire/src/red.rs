//! Redundant audio: older frames before the newest one (RFC 2198 3).

use crate::{Malformed, read};

/// Most redundant blocks that are accepted or written.
pub const MAX_BLOCKS: usize = 16;
/// Largest timestamp offset of a redundant block: 14 bits.
pub const MAX_OFFSET: u16 = 0x3FFF;
/// Largest redundant block: 10 bits.
pub const MAX_BLOCK_LEN: usize = 0x3FF;

/// One redundant block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// Payload type of its data.
    pub pt: u8,
    /// How much older than the packet's timestamp it is, in units of the clock rate.
    pub ts_offset: u16,
    /// The frame.
    pub data: &'a [u8],
}

/// A checked payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Red<'a> {
    headers: &'a [u8],
    blocks: &'a [u8],
    /// Payload type of the newest frame.
    pub primary_pt: u8,
    /// The newest frame.
    pub primary: &'a [u8],
}

impl<'a> Red<'a> {
    /// Check block headers against the payload's length.
    pub fn parse(payload: &'a [u8]) -> Result<Red<'a>, Malformed> {
        let (mut at, mut data_len) = (0, 0);
        loop {
            let first = read::u8_at(payload, at)?;
            if first & 0x80 == 0 {
                let (headers, rest) = payload.split_at_checked(at).ok_or(Malformed::Truncated)?;
                let (blocks, primary) = read::tail(rest, 1)?
                    .split_at_checked(data_len)
                    .ok_or(Malformed::Length)?;
                return Ok(Red {
                    headers,
                    blocks,
                    primary_pt: first,
                    primary,
                });
            }
            if at == 4 * MAX_BLOCKS {
                return Err(Malformed::Bound);
            }
            data_len += usize::from(read::u16_at(payload, at + 2)?) & MAX_BLOCK_LEN;
            at += 4;
        }
    }

    /// The redundant blocks, oldest first as senders order them.
    pub fn redundant(&self) -> impl Iterator<Item = Block<'a>> {
        let mut rest = self.blocks;
        self.headers
            .as_chunks::<4>()
            .0
            .iter()
            .filter_map(move |&[pt, high, middle, low]| {
                let len = usize::from(u16::from_be_bytes([middle, low])) & MAX_BLOCK_LEN;
                let (data, after) = rest.split_at_checked(len)?;
                rest = after;
                Some(Block {
                    pt: pt & 0x7F,
                    ts_offset: u16::from_be_bytes([high, middle]) >> 2,
                    data,
                })
            })
    }
}

/// Append a payload with redundancy; blocks that are too old, too long or too many are left out, the first ones first.
pub fn write(out: &mut Vec<u8>, redundant: &[Block<'_>], primary_pt: u8, primary: &[u8]) {
    let fits =
        |block: &&Block<'_>| block.ts_offset <= MAX_OFFSET && block.data.len() <= MAX_BLOCK_LEN;
    let surplus = redundant
        .iter()
        .filter(fits)
        .count()
        .saturating_sub(MAX_BLOCKS);
    let kept = || redundant.iter().filter(fits).skip(surplus);
    for block in kept() {
        let len = u16::try_from(block.data.len()).unwrap_or(0);
        let [high, middle] = (block.ts_offset << 2).to_be_bytes();
        let [top, low] = len.to_be_bytes();
        out.extend_from_slice(&[0x80 | block.pt & 0x7F, high, middle | top, low]);
    }
    out.push(primary_pt & 0x7F);
    kept().for_each(|block| out.extend_from_slice(block.data));
    out.extend_from_slice(primary);
}
