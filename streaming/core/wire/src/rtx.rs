//! Retransmission payload format: the original sequence number before the original payload (RFC 4588 4).

use crate::rtp::{self, Header};
use crate::{Malformed, read};

/// Bytes that the original sequence number takes.
pub const OSN_LEN: usize = 2;

/// The original sequence number and payload in the payload of a repair packet.
pub fn unwrap(payload: &[u8]) -> Result<(u16, &[u8]), Malformed> {
    Ok((read::u16_at(payload, 0)?, read::tail(payload, OSN_LEN)?))
}

/// Turn a decrypted repair packet into the original in place: the original is `packet[2..]` afterwards.
///
/// Marker, timestamp and extension elements stay those of the repair packet. Answers the original's header.
pub fn restore(
    packet: &mut [u8],
    header: &Header,
    apt: u8,
    ssrc: u32,
) -> Result<Header, Malformed> {
    let payload = packet
        .get(header.payload(packet)?)
        .ok_or(Malformed::Length)?;
    let (osn, _) = unwrap(payload)?;
    packet.copy_within(..header.len, OSN_LEN);
    let original = packet.get_mut(OSN_LEN..).ok_or(Malformed::Truncated)?;
    rtp::set_marker_and_pt(original, header.fields.marker, apt);
    rtp::set_seq(original, osn);
    rtp::set_ssrc(original, ssrc);
    Header::parse(original)
}

/// Append the repair payload for an original: write it right after the header of the repair packet.
pub fn wrap(out: &mut Vec<u8>, osn: u16, payload: &[u8]) {
    out.extend_from_slice(&osn.to_be_bytes());
    out.extend_from_slice(payload);
}
