//! Compound RTCP: framing of messages; each kind of message is its own file (RFC 3550 6, RFC 4585 6.1, RFC 5506).

mod feedback;
mod goodbye;
mod nack;
mod remb;
mod report;

pub use feedback::{Fir, FirEntry, Pli, write_fir, write_pli};
pub use goodbye::{Bye, Sdes, write_bye, write_cname};
pub use nack::{Nack, NackPair, write_nack};
pub use remb::{Remb, write_remb};
pub use report::{
    ReceiverReport, ReportBlock, SenderInfo, SenderReport, write_receiver_report,
    write_sender_report,
};

use crate::{Malformed, read, twcc};

/// Packet type of each message.
pub mod kind {
    /// Sender report.
    pub const SR: u8 = 200;
    /// Receiver report.
    pub const RR: u8 = 201;
    /// Source description.
    pub const SDES: u8 = 202;
    /// Goodbye.
    pub const BYE: u8 = 203;
    /// Transport layer feedback (RFC 4585): generic NACK (1), transport-cc (15).
    pub const RTPFB: u8 = 205;
    /// Payload-specific feedback (RFC 4585): PLI (1), FIR (4), REMB (15).
    pub const PSFB: u8 = 206;
}

/// One message of a compound packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// RFC 3550 6.4.1
    SenderReport(SenderReport<'a>),
    /// RFC 3550 6.4.2
    ReceiverReport(ReceiverReport<'a>),
    /// RFC 3550 6.5
    Sdes(Sdes<'a>),
    /// RFC 3550 6.6
    Bye(Bye<'a>),
    /// RFC 4585 6.2.1
    Nack(Nack<'a>),
    /// RFC 4585 6.3.1
    Pli(Pli),
    /// RFC 5104 4.3.1
    Fir(Fir<'a>),
    /// draft-alvestrand-rmcat-remb
    Remb(Remb<'a>),
    /// draft-holmer-rmcat-transport-wide-cc-extensions
    TransportCc(twcc::Feedback<'a>),
    /// A message that we have no use for.
    Other {
        /// Packet type.
        kind: u8,
        /// Report count or feedback format.
        count: u8,
    },
}

/// The messages of a compound or reduced-size packet, in order.
///
/// A message whose content is bad is an error and the next follows; bad framing is an error and the end.
pub fn messages(packet: &[u8]) -> Messages<'_> {
    Messages { rest: packet }
}

/// Iterator of [`messages`].
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let framed = Frame::split(self.rest);
        self.rest = framed.as_ref().map_or(&[], |(_, rest)| rest);
        Some(framed.and_then(|(frame, _)| frame.message()))
    }
}

/// The common header, taken off, and what it frames.
struct Frame<'a> {
    kind: u8,
    count: u8,
    body: &'a [u8],
}

impl<'a> Frame<'a> {
    fn split(buf: &'a [u8]) -> Result<(Frame<'a>, &'a [u8]), Malformed> {
        let [first, kind, l0, l1] = *buf.first_chunk::<4>().ok_or(Malformed::Truncated)?;
        if first >> 6 != 2 {
            return Err(Malformed::Version);
        }
        let len = 4 + 4 * usize::from(u16::from_be_bytes([l0, l1]));
        let (frame, rest) = buf.split_at_checked(len).ok_or(Malformed::Truncated)?;
        let mut body = read::tail(frame, 4)?;
        if first & 0x20 != 0 {
            let pad = usize::from(*body.last().ok_or(Malformed::Padding)?);
            let kept = body
                .len()
                .checked_sub(pad)
                .filter(|_| pad != 0)
                .ok_or(Malformed::Padding)?;
            body = body.get(..kept).ok_or(Malformed::Padding)?;
        }
        Ok((
            Frame {
                kind,
                count: first & 0x1F,
                body,
            },
            rest,
        ))
    }

    fn message(&self) -> Result<Message<'a>, Malformed> {
        let Frame { kind, count, body } = *self;
        Ok(match (kind, count) {
            (kind::SR, _) => Message::SenderReport(SenderReport::parse(count, body)?),
            (kind::RR, _) => Message::ReceiverReport(ReceiverReport::parse(count, body)?),
            (kind::SDES, _) => Message::Sdes(Sdes::parse(count, body)?),
            (kind::BYE, _) => Message::Bye(Bye::parse(count, body)?),
            (kind::RTPFB, 1) => Message::Nack(Nack::parse(body)?),
            (kind::RTPFB, 15) => Message::TransportCc(twcc::Feedback::parse(body)?),
            (kind::PSFB, 1) => Message::Pli(Pli::parse(body)?),
            (kind::PSFB, 4) => Message::Fir(Fir::parse(body)?),
            (kind::PSFB, 15) if Remb::recognise(body) => Message::Remb(Remb::parse(body)?),
            _ => Message::Other { kind, count },
        })
    }
}

/// Append one message: header, then what `body` appends, padded with zeros to 32 bits; the length is filled in.
pub(crate) fn write_message(
    out: &mut Vec<u8>,
    kind: u8,
    count: u8,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    out.extend_from_slice(&[0x80 | (count & 0x1F), kind, 0, 0]);
    body(out);
    let len = (out.len() - start).next_multiple_of(4);
    out.resize(start + len, 0);
    let words = u16::try_from(len / 4 - 1).unwrap_or(u16::MAX);
    crate::rtp::put(out, start + 2, &words.to_be_bytes());
}
