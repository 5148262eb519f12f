//! H.264 payloads: units, aggregation, fragments and where a key frame starts (RFC 6184 5).

use crate::{Malformed, read};

mod sps;

pub use sps::frame_size;

/// NAL unit types that matter here (ITU-T H.264 table 7-1, RFC 6184 table 1).
pub mod nal {
    /// Coded slice of an IDR picture.
    pub const IDR: u8 = 5;
    /// Sequence parameter set.
    pub const SPS: u8 = 7;
    /// Picture parameter set.
    pub const PPS: u8 = 8;
    /// Aggregation of units of one time.
    pub const STAP_A: u8 = 24;
    /// Fragment of a unit.
    pub const FU_A: u8 = 28;
}

/// One NAL unit or fragment in a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit<'a> {
    /// Type of the (whole) unit, 1-23.
    pub kind: u8,
    /// NRI: 0 = no other picture refers to it.
    pub nri: u8,
    /// Holds the unit's beginning; false for later fragments.
    pub starts: bool,
    /// Holds the unit's end.
    pub ends: bool,
    /// The bytes after the NAL header (and the fragment header).
    pub body: &'a [u8],
}

/// The units of a payload; a unit that is cut short ends the walk with an error.
pub fn units(payload: &[u8]) -> Units<'_> {
    match payload.split_first() {
        Some((first, rest)) if first & 0x1F == nal::STAP_A => Units {
            rest,
            aggregated: true,
        },
        _ => Units {
            rest: payload,
            aggregated: false,
        },
    }
}

/// Iterator of [`units`].
#[derive(Clone, Debug)]
pub struct Units<'a> {
    rest: &'a [u8],
    aggregated: bool,
}

impl<'a> Iterator for Units<'a> {
    type Item = Result<Unit<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let unit = self.take().and_then(|bytes| unit(bytes, self.aggregated));
        if unit.is_err() {
            self.rest = &[];
        }
        Some(unit)
    }
}

impl<'a> Units<'a> {
    fn take(&mut self) -> Result<&'a [u8], Malformed> {
        if !self.aggregated {
            return Ok(std::mem::take(&mut self.rest));
        }
        let len = usize::from(read::u16_at(self.rest, 0)?);
        let (bytes, rest) = read::tail(self.rest, 2)?
            .split_at_checked(len)
            .ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }
}

fn unit(bytes: &[u8], aggregated: bool) -> Result<Unit<'_>, Malformed> {
    let (&first, body) = bytes.split_first().ok_or(Malformed::Length)?;
    let nri = first >> 5 & 3;
    match first & 0x1F {
        kind @ 1..=23 => Ok(Unit {
            kind,
            nri,
            starts: true,
            ends: true,
            body,
        }),
        nal::FU_A if !aggregated => {
            let (&header, body) = body.split_first().ok_or(Malformed::Truncated)?;
            Ok(Unit {
                kind: header & 0x1F,
                nri,
                starts: header & 0x80 != 0,
                ends: header & 0x40 != 0,
                body,
            })
        }
        _ => Err(Malformed::Reserved),
    }
}

/// What the packet path wants to know of one payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// A decoder can start here: a parameter set, or the first slice of an IDR picture.
    pub starts_keyframe: bool,
    /// Part of an IDR picture.
    pub idr: bool,
    /// No other picture refers to anything in it.
    pub disposable: bool,
    /// Width and height in pixels, where a sequence parameter set is inside.
    pub size: Option<(u16, u16)>,
}

/// Walk a payload once; refuses what this crate cannot forward (STAP-B, MTAP, FU-B, empty).
pub fn summarise(payload: &[u8]) -> Result<Summary, Malformed> {
    if payload.is_empty() {
        return Err(Malformed::Truncated);
    }
    let mut found = Summary {
        disposable: true,
        ..Summary::default()
    };
    for unit in units(payload) {
        let unit = unit?;
        found.disposable &= unit.nri == 0;
        match unit.kind {
            nal::SPS if unit.starts => {
                found.starts_keyframe = true;
                found.size = found.size.or(frame_size(unit.body));
            }
            nal::IDR => {
                found.idr = true;
                // first_mb_in_slice is an exp-Golomb code: a leading 1 is zero, the first slice of the picture.
                found.starts_keyframe |=
                    unit.starts && unit.body.first().is_some_and(|byte| byte & 0x80 != 0);
            }
            _ => {}
        }
    }
    Ok(found)
}
