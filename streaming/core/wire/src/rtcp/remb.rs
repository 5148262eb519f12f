//! Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb-03 2.2).

use super::{kind, write_message};
use crate::{Malformed, read};

/// A receiver's estimate over all streams that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remb<'a> {
    /// Who estimates.
    pub sender_ssrc: u32,
    /// Bit/s; saturates.
    pub bitrate_bps: u64,
    ssrcs: &'a [u8],
}

impl<'a> Remb<'a> {
    /// Whether application-layer feedback is a REMB.
    pub(super) fn recognise(body: &[u8]) -> bool {
        body.get(8..12) == Some(b"REMB")
    }

    pub(super) fn parse(body: &'a [u8]) -> Result<Remb<'a>, Malformed> {
        let sender_ssrc = read::u32_at(body, 0)?;
        let count = usize::from(read::u8_at(body, 12)?);
        let packed = read::u24_at(body, 13)?;
        let ssrcs = read::tail(body, 16)?
            .get(..4 * count)
            .ok_or(Malformed::Length)?;
        Ok(Remb {
            sender_ssrc,
            bitrate_bps: unpack(packed),
            ssrcs,
        })
    }

    /// The streams that it is about.
    pub fn ssrcs(&self) -> impl Iterator<Item = u32> + 'a {
        self.ssrcs
            .chunks_exact(4)
            .filter_map(|ssrc| read::u32_at(ssrc, 0).ok())
    }
}

/// 6 bits of exponent, 18 of mantissa.
fn unpack(packed: u32) -> u64 {
    let (exponent, mantissa) = (packed >> 18, u64::from(packed & 0x3_FFFF));
    if exponent > mantissa.leading_zeros() {
        u64::MAX
    } else {
        mantissa << exponent.min(63)
    }
}

/// The largest value of 18 bits and exponent that is not above `bitrate_bps`.
fn pack(bitrate_bps: u64) -> u32 {
    let exponent = (64 - bitrate_bps.leading_zeros()).saturating_sub(18);
    let mantissa = u32::try_from(bitrate_bps >> exponent).unwrap_or(0x3_FFFF);
    exponent << 18 | mantissa
}

/// Append an estimate for these streams; those after the 255th are left out.
pub fn write_remb(out: &mut Vec<u8>, sender_ssrc: u32, bitrate_bps: u64, ssrcs: &[u32]) {
    let ssrcs = ssrcs.get(..255).unwrap_or(ssrcs);
    let [_, p0, p1, p2] = pack(bitrate_bps).to_be_bytes();
    write_message(out, kind::PSFB, 15, |out| {
        out.extend_from_slice(&sender_ssrc.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(b"REMB");
        out.extend_from_slice(&[u8::try_from(ssrcs.len()).unwrap_or(0), p0, p1, p2]);
        ssrcs
            .iter()
            .for_each(|ssrc| out.extend_from_slice(&ssrc.to_be_bytes()));
    });
}
