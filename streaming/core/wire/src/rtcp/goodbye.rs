//! Who a source is and that it leaves: SDES and BYE (RFC 3550 6.5, 6.6).

use super::{kind, write_message};
use crate::{Malformed, read};

/// Item type of the canonical name.
const CNAME: u8 = 1;

/// A source description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sdes<'a> {
    chunks: u8,
    body: &'a [u8],
}

impl<'a> Sdes<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Sdes<'a>, Malformed> {
        let mut rest = body;
        for _ in 0..count {
            rest = chunk(rest)?.2;
        }
        Ok(Sdes {
            chunks: count,
            body,
        })
    }

    /// Each source with its canonical name, where it has one.
    pub fn cnames(&self) -> impl Iterator<Item = (u32, &'a [u8])> {
        let mut rest = self.body;
        (0..self.chunks).filter_map(move |_| {
            let (ssrc, cname, after) = chunk(rest).ok()?;
            rest = after;
            Some((ssrc, cname?))
        })
    }
}

type Chunk<'a> = (u32, Option<&'a [u8]>, &'a [u8]);

/// One chunk: its source, its canonical name, and what follows the padding to 32 bits.
fn chunk(buf: &[u8]) -> Result<Chunk<'_>, Malformed> {
    let ssrc = read::u32_at(buf, 0)?;
    let mut cname = None;
    let mut at = 4;
    loop {
        let item = read::u8_at(buf, at)?;
        if item == 0 {
            let end = (at + 1).next_multiple_of(4);
            return Ok((ssrc, cname, read::tail(buf, end)?));
        }
        let len = usize::from(read::u8_at(buf, at + 1)?);
        let value = buf.get(at + 2..at + 2 + len).ok_or(Malformed::Truncated)?;
        if item == CNAME {
            cname = Some(value);
        }
        at += 2 + len;
    }
}

/// Append a source description of one source; a name longer than 255 bytes is cut.
pub fn write_cname(out: &mut Vec<u8>, ssrc: u32, cname: &str) {
    let name = cname.as_bytes();
    let name = name.get(..255).unwrap_or(name);
    write_message(out, kind::SDES, 1, |out| {
        out.extend_from_slice(&ssrc.to_be_bytes());
        out.extend_from_slice(&[CNAME, u8::try_from(name.len()).unwrap_or(u8::MAX)]);
        out.extend_from_slice(name);
        out.push(0);
    });
}

/// Sources leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bye<'a> {
    sources: &'a [u8],
}

impl<'a> Bye<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Bye<'a>, Malformed> {
        Ok(Bye {
            sources: body
                .get(..4 * usize::from(count))
                .ok_or(Malformed::Length)?,
        })
    }

    /// Which.
    pub fn ssrcs(&self) -> impl Iterator<Item = u32> + 'a {
        self.sources
            .chunks_exact(4)
            .filter_map(|ssrc| read::u32_at(ssrc, 0).ok())
    }
}

/// Append a goodbye of these sources; those after the 31st are left out.
pub fn write_bye(out: &mut Vec<u8>, ssrcs: &[u32]) {
    let ssrcs = ssrcs.get(..31).unwrap_or(ssrcs);
    write_message(
        out,
        kind::BYE,
        u8::try_from(ssrcs.len()).unwrap_or(0),
        |out| {
            ssrcs
                .iter()
                .for_each(|ssrc| out.extend_from_slice(&ssrc.to_be_bytes()));
        },
    );
}
