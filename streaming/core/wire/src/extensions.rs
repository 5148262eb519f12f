//! RTP header extensions, one-byte and two-byte form, and the values we carry in them (RFC 8285, 8852, draft-holmer).

use crate::read;

/// How elements are laid out; the 16-bit "defined by profile" field of RFC 3550 5.3.1 says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Ids 1-14, 1-16 bytes each (RFC 8285 4.2).
    OneByte,
    /// Ids 1-255, 0-255 bytes each (RFC 8285 4.3).
    TwoByte,
}

impl Form {
    /// The form that can carry all of these ids with values of at most 16 bytes.
    pub fn for_ids(ids: impl IntoIterator<Item = u8>) -> Form {
        if ids.into_iter().all(|id| id < 15) {
            Form::OneByte
        } else {
            Form::TwoByte
        }
    }

    /// From the profile field; `None` for blocks of other specifications.
    pub fn from_profile(profile: u16) -> Option<Form> {
        match profile {
            0xBEDE => Some(Form::OneByte),
            0x1000..=0x100F => Some(Form::TwoByte),
            _ => None,
        }
    }

    /// The profile field that we write.
    pub fn profile(self) -> u16 {
        match self {
            Form::OneByte => 0xBEDE,
            Form::TwoByte => 0x1000,
        }
    }
}

/// One extension element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// Negotiated id.
    pub id: u8,
    /// Where its value starts in the packet, for changes in place.
    pub at: usize,
    /// Its value.
    pub data: &'a [u8],
}

/// Walks the elements of one block; stops at the first that does not fit (RFC 8285 4.1.1 has no error for it).
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    form: Form,
    packet: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Elements<'a> {
    /// The block `start..end` of `packet`, both after the four bytes of profile and length.
    pub fn new(form: Form, packet: &'a [u8], start: usize, end: usize) -> Elements<'a> {
        Elements {
            form,
            packet,
            at: start,
            end: end.min(packet.len()),
        }
    }

    /// One that has nothing.
    pub fn none() -> Elements<'a> {
        Elements {
            form: Form::OneByte,
            packet: &[],
            at: 0,
            end: 0,
        }
    }

    fn header(&self, first: u8) -> Option<(u8, usize, usize)> {
        match self.form {
            Form::OneByte if first >> 4 == 15 || first >> 4 == 0 => None,
            Form::OneByte => Some((first >> 4, usize::from(first & 15) + 1, self.at + 1)),
            Form::TwoByte => Some((
                first,
                usize::from(*self.packet.get(self.at + 1)?),
                self.at + 2,
            )),
        }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        while self.at < self.end {
            let first = *self.packet.get(self.at)?;
            if first == 0 {
                self.at += 1;
                continue;
            }
            let next = self
                .header(first)
                .filter(|&(_, len, at)| at + len <= self.end);
            let Some((id, len, at)) = next else {
                self.at = self.end;
                return None;
            };
            self.at = at + len;
            return Some(Element {
                id,
                at,
                data: self.packet.get(at..at + len)?,
            });
        }
        None
    }
}

/// The mid, rid or repaired rid in an element's value (RFC 8852, RFC 9143): 1-255 bytes of visible ASCII.
pub fn text(data: &[u8]) -> Option<&str> {
    let visible = !data.is_empty() && data.iter().all(u8::is_ascii_graphic);
    std::str::from_utf8(data).ok().filter(|_| visible)
}

/// The transport-wide sequence number in an element's value.
pub fn twcc(data: &[u8]) -> Option<u16> {
    read::u16_at(data, 0).ok()
}

/// The 24-bit absolute send time in an element's value: 6.18 fixed-point seconds.
pub fn abs_send_time(data: &[u8]) -> Option<u32> {
    read::u24_at(data, 0).ok()
}

/// A time in microseconds as the value of an absolute-send-time element (wraps every 64 s).
pub fn abs_send_time_bytes(at_us: i64) -> [u8; 3] {
    let within = at_us.rem_euclid(64_000_000);
    let [.., a, b, c] = ((within << 18) / 1_000_000).to_be_bytes();
    [a, b, c]
}
