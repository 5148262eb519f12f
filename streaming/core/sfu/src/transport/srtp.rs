//! SRTP and SRTCP of one association: indices, replay lists, keys of both directions (RFC 3711, RFC 7714).

use super::Unprotected;
use super::replay::ReplayWindow;
use super::srtp_key::{ENCRYPTED, Key, Use, master_lengths};
use crate::api::SrtpProfile;
use crate::drop_reason::DropReason;

/// SSRCs that may appear without having been declared (reliability: fake SSRC injection).
const MAX_UNDECLARED: usize = 16;
/// All SSRCs of one direction.
const MAX_SSRCS: usize = 128;
/// A first sequence number below this may be one after a wrap.
const EARLY: u16 = 1 << 12;
/// Last SRTCP index of a key (RFC 3711 9.2); nothing is sealed behind it.
const MAX_RTCP_INDEX: u32 = (1 << 31) - 1;

struct Stream {
    ssrc: u32,
    declared: bool,
    window: ReplayWindow,
}

/// A small table; the stream of the last packet is looked at first.
#[derive(Default)]
struct Streams {
    list: Vec<Stream>,
    last: usize,
}

impl Streams {
    fn find(&mut self, ssrc: u32) -> Option<&mut Stream> {
        if self
            .list
            .get(self.last)
            .is_none_or(|stream| stream.ssrc != ssrc)
        {
            self.last = self.list.iter().position(|stream| stream.ssrc == ssrc)?;
        }
        self.list.get_mut(self.last)
    }

    /// The stream of this SSRC, made when there is room in the table; `None` when there is not.
    fn find_or_add(&mut self, ssrc: u32, declared: bool) -> Option<&mut Stream> {
        if self.find(ssrc).is_none() {
            if !self.has_room(declared) {
                return None;
            }
            self.list.push(Stream {
                ssrc,
                declared,
                window: ReplayWindow::default(),
            });
            self.last = self.list.len() - 1;
        }
        self.list.get_mut(self.last)
    }

    /// A look before the crypto: may this index of this SSRC be taken?
    fn admits(&mut self, ssrc: u32, index: u64) -> Result<(), DropReason> {
        let fresh = self.find(ssrc).map(|stream| stream.window.is_new(index));
        match fresh {
            Some(true) => Ok(()),
            Some(false) => Err(DropReason::SrtpReplay),
            None if self.has_room(false) => Ok(()),
            None => Err(DropReason::SrtpTooManySsrcs),
        }
    }

    /// After the crypto: the index is taken.
    fn take(&mut self, ssrc: u32, index: u64) {
        self.find_or_add(ssrc, false)
            .map(|stream| stream.window.take(index));
    }

    fn has_room(&self, declared: bool) -> bool {
        let undeclared = self.list.iter().filter(|stream| !stream.declared).count();
        self.list.len() < MAX_SSRCS && (declared || undeclared < MAX_UNDECLARED)
    }
}

struct Direction {
    rtp: Key,
    rtcp: Key,
    streams: Streams,
}

impl Direction {
    fn new(profile: SrtpProfile, key: &[u8], salt: &[u8]) -> Option<Self> {
        Some(Self {
            rtp: Key::derive(profile, Use::Rtp, key, salt)?,
            rtcp: Key::derive(profile, Use::Rtcp, key, salt)?,
            streams: Streams::default(),
        })
    }
}

/// The keys and the memory of one association.
pub(super) struct Srtp {
    inbound: Direction,
    outbound: Direction,
    rtcp_window: Streams,
    rtcp_next: u32,
    /// The first packet of an SSRC, while two roll-over counters are tried on it.
    scratch: Vec<u8>,
}

impl Srtp {
    /// Split the exporter's output (RFC 5764 4.2): client key, server key, client salt, server salt.
    pub(super) fn from_keying_material(
        profile: SrtpProfile,
        material: &[u8],
        we_are_client: bool,
    ) -> Option<Self> {
        let (key_len, salt_len) = master_lengths(profile);
        let (client_key, rest) = material.split_at_checked(key_len)?;
        let (server_key, rest) = rest.split_at_checked(key_len)?;
        let (client_salt, rest) = rest.split_at_checked(salt_len)?;
        let server_salt = rest.get(..salt_len)?;
        let client = Direction::new(profile, client_key, client_salt)?;
        let server = Direction::new(profile, server_key, server_salt)?;
        let (outbound, inbound) = if we_are_client {
            (client, server)
        } else {
            (server, client)
        };
        Some(Self {
            inbound,
            outbound,
            rtcp_window: Streams::default(),
            rtcp_next: 0,
            scratch: Vec::new(),
        })
    }

    pub(super) fn declare_ssrc(&mut self, ssrc: u32) {
        if let Some(stream) = self.inbound.streams.find_or_add(ssrc, true) {
            stream.declared = true;
        }
    }

    pub(super) fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<Unprotected, DropReason> {
        let header = RtpHeader::parse(packet).ok_or(DropReason::SrtpMalformed)?;
        let Direction { rtp, streams, .. } = &mut self.inbound;
        let newest = streams
            .find(header.ssrc)
            .and_then(|stream| stream.window.newest());
        let index = estimate_index(newest, header.seq).ok_or(DropReason::SrtpReplay)?;
        streams.admits(header.ssrc, index)?;
        if newest.is_none() {
            return self.open_first(packet, &header);
        }
        let len = rtp
            .open_rtp(packet, header.len, header.ssrc, index)
            .ok_or(DropReason::SrtpAuth)?;
        streams.take(header.ssrc, index);
        Ok(Unprotected { len, index })
    }

    /// The first packet of an SSRC has ROC 0, or 1 where all packets before an early wrap were lost.
    fn open_first(
        &mut self,
        packet: &mut [u8],
        header: &RtpHeader,
    ) -> Result<Unprotected, DropReason> {
        let rtp = &self.inbound.rtp;
        self.scratch.clear();
        self.scratch.extend_from_slice(packet);
        let mut index = u64::from(header.seq);
        let mut len = rtp.open_rtp(packet, header.len, header.ssrc, index);
        if len.is_none() && header.seq < EARLY {
            packet.copy_from_slice(&self.scratch);
            index |= 1 << 16;
            len = rtp.open_rtp(packet, header.len, header.ssrc, index);
        }
        let len = len.ok_or(DropReason::SrtpAuth)?;
        self.inbound.streams.take(header.ssrc, index);
        Ok(Unprotected { len, index })
    }

    pub(super) fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<Unprotected, DropReason> {
        let ssrc = rtcp_ssrc(packet).ok_or(DropReason::SrtpMalformed)?;
        let word = self
            .inbound
            .rtcp
            .rtcp_word(packet)
            .ok_or(DropReason::SrtpMalformed)?;
        if word & ENCRYPTED == 0 {
            return Err(DropReason::SrtcpUnencrypted);
        }
        let index = u64::from(word & !ENCRYPTED);
        self.rtcp_window.admits(ssrc, index)?;
        let len = self
            .inbound
            .rtcp
            .open_rtcp(packet, ssrc, word)
            .ok_or(DropReason::SrtpAuth)?;
        self.rtcp_window.take(ssrc, index);
        Ok(Unprotected { len, index })
    }

    pub(super) fn protect_rtp(
        &mut self,
        buf: &mut Vec<u8>,
        start: usize,
        index: u64,
    ) -> Result<(), DropReason> {
        let header = buf
            .get(start..)
            .and_then(RtpHeader::parse)
            .ok_or(DropReason::SrtpMalformed)?;
        if header.seq != index as u16 || index >> 48 != 0 {
            return Err(DropReason::SrtpMalformed);
        }
        let Direction { rtp, streams, .. } = &mut self.outbound;
        let stream = streams
            .find_or_add(header.ssrc, true)
            .ok_or(DropReason::SrtpTooManySsrcs)?;
        // The guard that makes nonce reuse impossible, whatever the callers do: the index is spent before it is used.
        if !stream.window.take(index) {
            return Err(DropReason::NonceReuse);
        }
        rtp.seal_rtp(buf, start, start + header.len, header.ssrc, index)
            .ok_or(DropReason::SrtpMalformed)
    }

    pub(super) fn protect_rtcp(
        &mut self,
        buf: &mut Vec<u8>,
        start: usize,
    ) -> Result<(), DropReason> {
        let ssrc = buf
            .get(start..)
            .and_then(rtcp_ssrc)
            .ok_or(DropReason::SrtpMalformed)?;
        let index = self.rtcp_next;
        if index > MAX_RTCP_INDEX {
            return Err(DropReason::NonceReuse);
        }
        // One counter for all SSRCs of the direction: an index is never used twice, whoever the sender is.
        self.rtcp_next += 1;
        self.outbound
            .rtcp
            .seal_rtcp(buf, start, ssrc, index)
            .ok_or(DropReason::SrtpMalformed)
    }
}

/// What SRTP must know of an RTP header (RFC 3550 5.1, 5.3.1).
struct RtpHeader {
    ssrc: u32,
    seq: u16,
    /// With CSRCs and extension: what stays in the clear.
    len: usize,
}

impl RtpHeader {
    fn parse(packet: &[u8]) -> Option<Self> {
        let &[first, _, seq_high, seq_low, _, _, _, _, a, b, c, d] = packet.first_chunk()?;
        if first >> 6 != 2 {
            return None;
        }
        let mut len = 12 + 4 * usize::from(first & 0x0f);
        if first & 0x10 != 0 {
            let &[_, _, high, low] = packet.get(len..)?.first_chunk()?;
            len += 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        }
        if len > packet.len() {
            return None;
        }
        Some(Self {
            ssrc: u32::from_be_bytes([a, b, c, d]),
            seq: u16::from_be_bytes([seq_high, seq_low]),
            len,
        })
    }
}

fn rtcp_ssrc(packet: &[u8]) -> Option<u32> {
    let &[first, _, _, _, a, b, c, d] = packet.first_chunk()?;
    (first >> 6 == 2).then(|| u32::from_be_bytes([a, b, c, d]))
}

/// The index whose low 16 bits are `seq` and that is nearest to the newest (RFC 3711 3.3.1).
/// The first packet of an SSRC has ROC 0; `None`: it would lie before index 0 or behind 48 bits.
fn estimate_index(newest: Option<u64>, seq: u16) -> Option<u64> {
    let Some(newest) = newest else {
        return Some(u64::from(seq));
    };
    let step = i64::from(seq.wrapping_sub(newest as u16) as i16);
    newest
        .checked_add_signed(step)
        .filter(|index| index >> 48 == 0)
}

#[cfg(test)]
#[path = "srtp_tests.rs"]
mod tests;
