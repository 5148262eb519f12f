//! Requests for a key frame: PLI (RFC 4585 6.3.1) and FIR (RFC 5104 4.3.1).

use super::{kind, write_message};
use crate::{Malformed, read};

/// Picture loss indication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pli {
    /// Who asks.
    pub sender_ssrc: u32,
    /// Whose picture.
    pub media_ssrc: u32,
}

impl Pli {
    pub(super) fn parse(body: &[u8]) -> Result<Pli, Malformed> {
        Ok(Pli {
            sender_ssrc: read::u32_at(body, 0)?,
            media_ssrc: read::u32_at(body, 4)?,
        })
    }
}

/// Append a picture loss indication.
pub fn write_pli(out: &mut Vec<u8>, sender_ssrc: u32, media_ssrc: u32) {
    write_message(out, kind::PSFB, 1, |out| {
        out.extend_from_slice(&sender_ssrc.to_be_bytes());
        out.extend_from_slice(&media_ssrc.to_be_bytes());
    });
}

/// One source of a full intra request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirEntry {
    /// Whose picture.
    pub ssrc: u32,
    /// Command number: a repeated one asks for nothing new.
    pub number: u8,
}

/// Full intra request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fir<'a> {
    /// Who asks.
    pub sender_ssrc: u32,
    entries: &'a [u8],
}

impl<'a> Fir<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Fir<'a>, Malformed> {
        let entries = read::tail(body, 8)?;
        if entries.is_empty() || entries.len() % 8 != 0 {
            return Err(Malformed::Length);
        }
        Ok(Fir {
            sender_ssrc: read::u32_at(body, 0)?,
            entries,
        })
    }

    /// Of whom a key frame is asked.
    pub fn entries(&self) -> impl Iterator<Item = FirEntry> + 'a {
        self.entries.chunks_exact(8).filter_map(|entry| {
            Some(FirEntry {
                ssrc: read::u32_at(entry, 0).ok()?,
                number: read::u8_at(entry, 4).ok()?,
            })
        })
    }
}

/// Append a full intra request of one source.
pub fn write_fir(out: &mut Vec<u8>, sender_ssrc: u32, entry: FirEntry) {
    write_message(out, kind::PSFB, 4, |out| {
        out.extend_from_slice(&sender_ssrc.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&entry.ssrc.to_be_bytes());
        out.extend_from_slice(&[entry.number, 0, 0, 0]);
    });
}
