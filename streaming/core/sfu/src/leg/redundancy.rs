//! Copies of older frames in a packet of sound, chosen when it leaves: those that the receiver got or should have got on
//! this leg, at the distances of the last decision (RFC 2198).

use zhuandi_wire::red::{Block, MAX_BLOCK_LEN, MAX_BLOCKS, MAX_OFFSET};

use super::Leg;
use crate::encoding::Encoding;
use crate::pacer::Item;

/// Longest packet with copies, header included: what every path carries with SRTP, UDP and IPv6 around it (1,280 bytes).
pub const MAX_PACKET: usize = 1_200;
/// Header of one redundant block, and of the newest frame.
const BLOCK_HEADER: usize = 4;
const LAST_HEADER: usize = 1;

/// Copies for one packet, oldest first.
#[derive(Debug)]
pub(super) struct Copies<'a> {
    blocks: [Block<'a>; MAX_BLOCKS],
    first: usize,
    /// Their distances: bit k is the frame k + 1 packets before.
    pub(super) mask: u16,
}

impl<'a> Copies<'a> {
    fn new() -> Copies<'a> {
        let none = Block {
            pt: 0,
            ts_offset: 0,
            data: &[],
        };
        Copies {
            blocks: [none; MAX_BLOCKS],
            first: MAX_BLOCKS,
            mask: 0,
        }
    }

    /// Put one before all others; false when there is no place.
    fn put(&mut self, block: Block<'a>) -> bool {
        let place = self
            .first
            .checked_sub(1)
            .and_then(|at| Some((at, self.blocks.get_mut(at)?)));
        let Some((at, place)) = place else {
            return false;
        };
        *place = block;
        self.first = at;
        true
    }

    /// The blocks, oldest first.
    pub(super) fn blocks(&self) -> &[Block<'a>] {
        self.blocks.get(self.first..).unwrap_or_default()
    }
}

impl Leg {
    /// Bytes that copies add to a packet, about: the frames of one voice are of one size.
    pub(super) fn copies_size(&self, payload_len: usize) -> usize {
        let count = self
            .pts
            .redundant()
            .map_or(0, |_| self.redundancy.count_ones());
        (0..count).map(|_| BLOCK_HEADER + payload_len).sum()
    }

    /// What goes again with this packet. A frame that went out on another mapping of numbers, is too old for 14 bits or
    /// too long for 10, or does not fit beside the nearer ones, is left out.
    pub(super) fn copies<'a>(
        &self,
        item: &Item,
        payload_len: usize,
        pt: u8,
        encoding: &'a Encoding,
    ) -> Copies<'a> {
        let mut copies = Copies::new();
        if self.pts.redundant().is_none() {
            return copies;
        }
        let mut room = MAX_PACKET.saturating_sub(self.header.len() + LAST_HEADER + payload_len);
        let distances = (1u64..=16).filter(|distance| self.redundancy >> (distance - 1) & 1 == 1);
        for distance in distances {
            let Some(block) = self.copy(item, distance, pt, encoding) else {
                continue;
            };
            let Some(left) = room.checked_sub(BLOCK_HEADER + block.data.len()) else {
                continue;
            };
            if copies.put(block) {
                room = left;
                copies.mask |= 1 << (distance - 1);
            }
        }
        copies
    }

    fn copy<'a>(
        &self,
        item: &Item,
        distance: u64,
        pt: u8,
        encoding: &'a Encoding,
    ) -> Option<Block<'a>> {
        let seq = item.source.checked_sub(distance)?;
        let (meta, data) = encoding.history.get(seq)?;
        let out = self.rewriter.look(item.encoding, &meta.numbers(seq))?;
        let ts_offset = u16::try_from(item.out.ts.wrapping_sub(out.ts)).ok()?;
        let fits =
            (1..=MAX_OFFSET).contains(&ts_offset) && (1..=MAX_BLOCK_LEN).contains(&data.len());
        fits.then_some(Block {
            pt,
            ts_offset,
            data,
        })
    }
}

#[cfg(test)]
mod tests;
