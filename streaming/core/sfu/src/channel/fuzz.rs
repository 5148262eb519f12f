//! Entry point of the data channel: any packets, SCTP framing or not, and any messages on a stream that stands.

use sctp_proto::PayloadProtocolIdentifier as Ppid;
use zhuandi_wire::time::Micros;

use super::Channel;
use crate::transport::Epoch;

/// Packets of two bytes of length each: raw to a fresh channel, with a checksum that is right, and as DCEP on an open one.
pub(crate) fn sctp(epoch: Epoch, data: &[u8]) {
    let mut channel = Channel::accept();
    let mut messages = Vec::new();
    let mut rest = data;
    let mut now = Micros(0);
    while let Some((length, tail)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)) % 1_300;
        let (packet, after) = tail.split_at(length.min(tail.len()));
        now = now.plus(10_000);
        let _ = channel.handle(now, epoch, packet, &mut messages);
        let _ = channel.handle(now, epoch, &with_checksum(packet), &mut messages);
        let _ = channel.establish(0, packet);
        let mut out = Vec::new();
        channel.poll_transmit(now, epoch, &mut out);
        assert!(out.len() <= 64, "{} packets for one", out.len());
        channel.handle_timeout(now, epoch);
        channel.write(packet, Ppid::Binary);
        rest = after;
    }
}

/// CRC32c as SCTP writes it (RFC 9260 6.8).
fn with_checksum(packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    if let Some(field) = packet.get_mut(8..12) {
        field.fill(0);
    }
    let mut crc = !0u32;
    for byte in &packet {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82F6_3B78 & 0u32.wrapping_sub(crc & 1));
        }
    }
    if let Some(field) = packet.get_mut(8..12) {
        field.copy_from_slice(&(!crc).to_le_bytes());
    }
    packet
}
