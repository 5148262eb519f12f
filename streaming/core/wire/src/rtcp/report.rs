//! Sender and receiver reports (RFC 3550 6.4).

use super::{kind, write_message};
use crate::{Malformed, read};

/// Bytes of one report block.
const BLOCK_LEN: usize = 24;
/// Most report blocks in one message: the count has five bits.
const MAX_BLOCKS: usize = 31;

/// What a sender says about its own stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    /// Wall clock, 32.32 fixed-point seconds since 1900.
    pub ntp: u64,
    /// The same moment on the media clock.
    pub rtp_ts: u32,
    /// Packets sent, wraps.
    pub packets: u32,
    /// Payload bytes sent, wraps.
    pub octets: u32,
}

impl SenderInfo {
    /// The middle 32 bits of the wall clock: what a receiver repeats as [`ReportBlock::last_sr`].
    pub fn compact_ntp(&self) -> u32 {
        let [_, _, a, b, c, d, _, _] = self.ntp.to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }
}

/// What a receiver says about one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream.
    pub ssrc: u32,
    /// Lost since the last report / expected * 256.
    pub fraction_lost: u8,
    /// Lost since the start, 24 bits signed on the wire (duplicates make it fall).
    pub total_lost: i32,
    /// Cycles and highest sequence number.
    pub highest_seq: u32,
    /// Interarrival jitter in units of the media clock.
    pub jitter: u32,
    /// Compact NTP of the last sender report; 0: none yet.
    pub last_sr: u32,
    /// Time since that report in 1/65536 s.
    pub delay_since_sr: u32,
}

impl ReportBlock {
    fn parse(buf: &[u8]) -> Result<ReportBlock, Malformed> {
        let lost = read::u24_at(buf, 5)?;
        Ok(ReportBlock {
            ssrc: read::u32_at(buf, 0)?,
            fraction_lost: read::u8_at(buf, 4)?,
            total_lost: (lost << 8).cast_signed() >> 8,
            highest_seq: read::u32_at(buf, 8)?,
            jitter: read::u32_at(buf, 12)?,
            last_sr: read::u32_at(buf, 16)?,
            delay_since_sr: read::u32_at(buf, 20)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        let [_, l0, l1, l2] = self.total_lost.clamp(-0x80_0000, 0x7F_FFFF).to_be_bytes();
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        out.extend_from_slice(&[self.fraction_lost, l0, l1, l2]);
        for word in [
            self.highest_seq,
            self.jitter,
            self.last_sr,
            self.delay_since_sr,
        ] {
            out.extend_from_slice(&word.to_be_bytes());
        }
    }
}

fn blocks(count: u8, rest: &[u8]) -> Result<&[u8], Malformed> {
    rest.get(..usize::from(count) * BLOCK_LEN)
        .ok_or(Malformed::Length)
}

fn parse_blocks(blocks: &[u8]) -> impl Iterator<Item = ReportBlock> + '_ {
    blocks
        .chunks_exact(BLOCK_LEN)
        .filter_map(|block| ReportBlock::parse(block).ok())
}

/// A sender report; profile-specific extensions are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderReport<'a> {
    /// Who sends.
    pub ssrc: u32,
    /// Its clocks and counters.
    pub info: SenderInfo,
    blocks: &'a [u8],
}

impl<'a> SenderReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<SenderReport<'a>, Malformed> {
        let info = SenderInfo {
            ntp: read::u64_at(body, 4)?,
            rtp_ts: read::u32_at(body, 12)?,
            packets: read::u32_at(body, 16)?,
            octets: read::u32_at(body, 20)?,
        };
        Ok(SenderReport {
            ssrc: read::u32_at(body, 0)?,
            info,
            blocks: blocks(count, read::tail(body, 24)?)?,
        })
    }

    /// What it says about streams that it receives.
    pub fn blocks(&self) -> impl Iterator<Item = ReportBlock> + 'a {
        parse_blocks(self.blocks)
    }
}

/// A receiver report; profile-specific extensions are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiverReport<'a> {
    /// Who reports.
    pub ssrc: u32,
    blocks: &'a [u8],
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<ReceiverReport<'a>, Malformed> {
        Ok(ReceiverReport {
            ssrc: read::u32_at(body, 0)?,
            blocks: blocks(count, read::tail(body, 4)?)?,
        })
    }

    /// What it says about streams that it receives.
    pub fn blocks(&self) -> impl Iterator<Item = ReportBlock> + 'a {
        parse_blocks(self.blocks)
    }
}

/// Append a sender report; blocks after the 31st are left out.
pub fn write_sender_report(
    out: &mut Vec<u8>,
    ssrc: u32,
    info: &SenderInfo,
    blocks: &[ReportBlock],
) {
    write_message(out, kind::SR, count(blocks), |out| {
        out.extend_from_slice(&ssrc.to_be_bytes());
        out.extend_from_slice(&info.ntp.to_be_bytes());
        for word in [info.rtp_ts, info.packets, info.octets] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        blocks
            .iter()
            .take(MAX_BLOCKS)
            .for_each(|block| block.write(out));
    });
}

/// Append a receiver report; blocks after the 31st are left out.
pub fn write_receiver_report(out: &mut Vec<u8>, ssrc: u32, blocks: &[ReportBlock]) {
    write_message(out, kind::RR, count(blocks), |out| {
        out.extend_from_slice(&ssrc.to_be_bytes());
        blocks
            .iter()
            .take(MAX_BLOCKS)
            .for_each(|block| block.write(out));
    });
}

fn count(blocks: &[ReportBlock]) -> u8 {
    u8::try_from(blocks.len().min(MAX_BLOCKS)).unwrap_or(0)
}
