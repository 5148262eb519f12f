//! Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 3.1).

use crate::rtcp::{kind, write_message};
use crate::time::Micros;
use crate::{Malformed, read};

/// Most packets that one feedback may speak about: bounds the work of run-length chunks.
pub const MAX_STATUSES: u16 = 8192;
/// Microseconds of one step of the arrival deltas.
pub const TICK_US: i64 = 250;
/// Microseconds of one step of the reference time.
pub const REFERENCE_US: i64 = 64_000;

/// A parsed feedback; all of it was checked, so that walking it cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feedback<'a> {
    /// Who received.
    pub sender_ssrc: u32,
    /// Any stream of the sender.
    pub media_ssrc: u32,
    /// Sequence number of the first status.
    pub base_seq: u16,
    /// How many statuses follow.
    pub status_count: u16,
    /// Reference time in 64 ms, 24 bits signed, wraps.
    pub reference: i32,
    /// Counts feedbacks, wraps.
    pub count: u8,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

impl<'a> Feedback<'a> {
    /// Read the body of the RTCP message (after its common header).
    pub fn parse(body: &'a [u8]) -> Result<Feedback<'a>, Malformed> {
        let status_count = read::u16_at(body, 10)?;
        if status_count == 0 {
            return Err(Malformed::Length);
        }
        if status_count > MAX_STATUSES {
            return Err(Malformed::Bound);
        }
        let rest = read::tail(body, 16)?;
        let (chunks_len, deltas_len) = measure(rest, status_count)?;
        let (chunks, after) = rest
            .split_at_checked(chunks_len)
            .ok_or(Malformed::Truncated)?;
        Ok(Feedback {
            sender_ssrc: read::u32_at(body, 0)?,
            media_ssrc: read::u32_at(body, 4)?,
            base_seq: read::u16_at(body, 8)?,
            status_count,
            reference: (read::u24_at(body, 12)? << 8).cast_signed() >> 8,
            count: read::u8_at(body, 15)?,
            chunks,
            deltas: after.get(..deltas_len).ok_or(Malformed::Truncated)?,
        })
    }

    /// Each packet and when it arrived on the receiver's clock: microseconds that count from the clock's zero modulo 2^24 * 64 ms;
    /// `None` = not received.
    pub fn statuses(&self) -> Statuses<'a> {
        Statuses {
            chunks: self.chunks,
            deltas: self.deltas,
            seq: self.base_seq,
            left: self.status_count,
            chunk: Chunk::default(),
            at_us: i64::from(self.reference) * REFERENCE_US,
        }
    }
}

/// Bytes that the chunks and the deltas take.
fn measure(rest: &[u8], status_count: u16) -> Result<(usize, usize), Malformed> {
    let (mut chunks_len, mut deltas_len, mut left) = (0, 0, status_count);
    while left > 0 {
        let mut chunk = Chunk::decode(read::u16_at(rest, chunks_len)?);
        chunks_len += 2;
        let here = chunk.left.min(left);
        if chunk.left == 0 {
            return Err(Malformed::Length);
        }
        left -= here;
        for _ in 0..here {
            deltas_len += match chunk.pop() {
                0 => 0,
                1 => 1,
                2 => 2,
                _ => return Err(Malformed::Reserved),
            };
        }
    }
    Ok((chunks_len, deltas_len))
}

/// A status chunk being used up.
#[derive(Clone, Copy, Debug, Default)]
struct Chunk {
    /// Statuses that it still holds.
    left: u16,
    /// Its next symbols from the top bit; a run keeps its one symbol in the top bits.
    symbols: u16,
    /// Bits of a symbol; 0 = a run of the same.
    width: u16,
}

impl Chunk {
    fn decode(word: u16) -> Chunk {
        match word >> 14 {
            0 | 1 => Chunk {
                left: word & 0x1FFF,
                symbols: word << 1,
                width: 0,
            },
            2 => Chunk {
                left: 14,
                symbols: word << 2,
                width: 1,
            },
            _ => Chunk {
                left: 7,
                symbols: word << 2,
                width: 2,
            },
        }
    }

    fn pop(&mut self) -> u16 {
        self.left = self.left.saturating_sub(1);
        let symbol = if self.width == 1 {
            self.symbols >> 15
        } else {
            self.symbols >> 14
        };
        self.symbols <<= self.width;
        symbol
    }
}

/// Iterator of [`Feedback::statuses`].
#[derive(Clone, Debug)]
pub struct Statuses<'a> {
    chunks: &'a [u8],
    deltas: &'a [u8],
    seq: u16,
    left: u16,
    chunk: Chunk,
    at_us: i64,
}

impl Iterator for Statuses<'_> {
    type Item = (u16, Option<i64>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        if self.chunk.left == 0 {
            let (word, rest) = self.chunks.split_first_chunk()?;
            self.chunk = Chunk::decode(u16::from_be_bytes(*word));
            self.chunks = rest;
        }
        let seq = self.seq;
        self.seq = seq.wrapping_add(1);
        let delta = match self.chunk.pop() {
            0 => return Some((seq, None)),
            1 => {
                let (byte, rest) = self.deltas.split_first()?;
                self.deltas = rest;
                i64::from(*byte)
            }
            _ => {
                let (word, rest) = self.deltas.split_first_chunk()?;
                self.deltas = rest;
                i64::from(i16::from_be_bytes(*word))
            }
        };
        self.at_us += delta * TICK_US;
        Some((seq, Some(self.at_us)))
    }
}

/// One packet that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Extended transport-wide sequence number.
    pub index: u64,
    /// When.
    pub at: Micros,
}

/// Most arrivals and statuses of a feedback that we write: it stays below 1,150 bytes.
const WRITE_ARRIVALS: usize = 400;
const WRITE_STATUSES: u64 = 1024;

/// Append one feedback message about `arrivals`, sorted by index without duplicates; answers how many of them it holds.
///
/// `base` is the first index not reported before: what lies between it and the first arrival is reported as lost
/// (as long as it fits). Call again with the rest while the answer is smaller than the list; an empty list appends nothing.
pub fn write_feedback(
    out: &mut Vec<u8>,
    sender_ssrc: u32,
    media_ssrc: u32,
    count: u8,
    base: u64,
    arrivals: &[Arrival],
) -> usize {
    let Some(first) = arrivals.first() else {
        return 0;
    };
    let base = if base <= first.index && first.index - base < WRITE_STATUSES {
        base
    } else {
        first.index
    };
    let reference = first.at.0.div_euclid(REFERENCE_US);
    let mut packed = Packer::default();
    let mut ticks = reference * (REFERENCE_US / TICK_US);
    let mut next = base;
    let mut taken = 0;
    for arrival in arrivals.iter().take(WRITE_ARRIVALS) {
        let now = arrival.at.0.div_euclid(TICK_US);
        let Ok(delta) = i16::try_from(now.saturating_sub(ticks)) else {
            break;
        };
        if arrival.index < next || arrival.index - base >= WRITE_STATUSES {
            break;
        }
        for _ in next..arrival.index {
            packed.push(0);
        }
        packed.arrived(delta);
        next = arrival.index + 1;
        ticks = now;
        taken += 1;
    }
    let [.., r0, r1, r2] = reference.to_be_bytes();
    write_message(out, kind::RTPFB, 15, |out| {
        out.extend_from_slice(&sender_ssrc.to_be_bytes());
        out.extend_from_slice(&media_ssrc.to_be_bytes());
        out.extend_from_slice(&crate::seq::low16(base).to_be_bytes());
        out.extend_from_slice(&crate::seq::low16(next - base).to_be_bytes());
        out.extend_from_slice(&[r0, r1, r2, count]);
        packed.finish(out);
    });
    taken
}

/// Packs statuses into chunks: runs of seven and more as run lengths, the rest as vectors of seven.
#[derive(Default)]
struct Packer {
    symbols: Vec<u8>,
    deltas: Vec<u8>,
}

impl Packer {
    fn push(&mut self, symbol: u8) {
        self.symbols.push(symbol);
    }

    fn arrived(&mut self, delta: i16) {
        if let Ok(small) = u8::try_from(delta) {
            self.push(1);
            self.deltas.push(small);
        } else {
            self.push(2);
            self.deltas.extend_from_slice(&delta.to_be_bytes());
        }
    }

    fn finish(self, out: &mut Vec<u8>) {
        let mut rest = self.symbols.as_slice();
        while let Some(&symbol) = rest.first() {
            let run = rest
                .iter()
                .take_while(|&&other| other == symbol)
                .count()
                .min(0x1FFF);
            let (word, used) = if run >= 7 || run == rest.len() {
                (
                    u16::from(symbol) << 13 | u16::try_from(run).unwrap_or(0),
                    run,
                )
            } else {
                let vector = rest.iter().chain(std::iter::repeat(&0)).take(7);
                (
                    vector.fold(0b11, |word, &symbol| word << 2 | u16::from(symbol)),
                    rest.len().min(7),
                )
            };
            out.extend_from_slice(&word.to_be_bytes());
            rest = rest.get(used..).unwrap_or_default();
        }
        out.extend_from_slice(&self.deltas);
    }
}
