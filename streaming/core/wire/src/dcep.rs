//! Data channel establishment: OPEN and ACK (RFC 8832 5).

use crate::{Malformed, read};

/// Bytes of an OPEN before its label.
const OPEN_LEN: usize = 12;
/// Longest label and longest protocol that are accepted: ours are shorter.
pub const MAX_TEXT: usize = 64;

const ACK: u8 = 2;
const OPEN: u8 = 3;

/// Unordered, with a bound on retransmissions (RFC 8832 5.1).
pub const PARTIAL_RELIABLE_REXMIT_UNORDERED: u8 = 0x81;

/// A channel that the peer opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open<'a> {
    /// Reliability and order (RFC 8832 5.1).
    pub channel_type: u8,
    /// RFC 8831 6.4
    pub priority: u16,
    /// Number of retransmissions, or lifetime in ms.
    pub reliability: u32,
    /// Name of the channel.
    pub label: &'a str,
    /// What is spoken on it.
    pub protocol: &'a str,
}

/// A message of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// The peer opens a channel on this stream.
    Open(Open<'a>),
    /// Our OPEN was taken.
    Ack,
}

impl<'a> Message<'a> {
    /// Read one message; it ends with its protocol.
    pub fn parse(bytes: &'a [u8]) -> Result<Message<'a>, Malformed> {
        match read::u8_at(bytes, 0)? {
            ACK => Ok(Message::Ack),
            OPEN => {
                let label_len = usize::from(read::u16_at(bytes, 8)?);
                let protocol_len = usize::from(read::u16_at(bytes, 10)?);
                if label_len > MAX_TEXT || protocol_len > MAX_TEXT {
                    return Err(Malformed::Bound);
                }
                let (label, rest) = read::tail(bytes, OPEN_LEN)?
                    .split_at_checked(label_len)
                    .ok_or(Malformed::Truncated)?;
                if rest.len() != protocol_len {
                    return Err(Malformed::Length);
                }
                let text = |bytes| core::str::from_utf8(bytes).map_err(|_| Malformed::Reserved);
                Ok(Message::Open(Open {
                    channel_type: read::u8_at(bytes, 1)?,
                    priority: read::u16_at(bytes, 2)?,
                    reliability: read::u32_at(bytes, 4)?,
                    label: text(label)?,
                    protocol: text(rest)?,
                }))
            }
            _ => Err(Malformed::Reserved),
        }
    }

    /// Append the message. Texts longer than [`MAX_TEXT`] bytes are not written.
    pub fn write(&self, out: &mut Vec<u8>) {
        let Message::Open(open) = self else {
            return out.push(ACK);
        };
        let len = |text: &str| u16::try_from(text.len()).unwrap_or(0).to_be_bytes();
        if open.label.len() > MAX_TEXT || open.protocol.len() > MAX_TEXT {
            return;
        }
        out.extend([OPEN, open.channel_type]);
        out.extend(open.priority.to_be_bytes());
        out.extend(open.reliability.to_be_bytes());
        out.extend(len(open.label));
        out.extend(len(open.protocol));
        out.extend(open.label.as_bytes());
        out.extend(open.protocol.as_bytes());
    }
}
