//! Entry points of the association's parsers: STUN, the ClientHello's profiles, SRTP framing.

use super::srtp::Srtp;
use super::stun::{Message, integrity_key};
use crate::api::SrtpProfile;

pub(crate) use super::dtls::read_any as client_hello;

/// A parsed message never verifies under a key that nobody used.
pub(crate) fn stun_message(data: &[u8]) {
    if let Some(message) = Message::parse(data) {
        assert!(
            !message.verifies(&integrity_key("a password of nobody")),
            "a forged message"
        );
    }
    if let Some(ufrag) = super::stun_username(data) {
        assert!(!ufrag.contains(':') && ufrag.len() < data.len());
    }
}

/// Nothing that is not sealed with the key comes through, and nothing that is refused changes the state.
pub(crate) fn srtp_packet(data: &[u8]) {
    for profile in [SrtpProfile::AeadAes128Gcm, SrtpProfile::AesCm128HmacSha1_80] {
        let Some(mut srtp) = Srtp::from_keying_material(profile, &[7; 60], false) else {
            continue;
        };
        assert!(
            srtp.unprotect_rtp(&mut data.to_vec()).is_err(),
            "a forged packet"
        );
        assert!(
            srtp.unprotect_rtcp(&mut data.to_vec()).is_err(),
            "a forged report"
        );
        let mut plain = data.to_vec();
        if srtp
            .protect_rtp(&mut plain, 0, u64::from(sequence(data)))
            .is_ok()
        {
            assert!(plain.len() > data.len());
        }
    }
}

fn sequence(data: &[u8]) -> u16 {
    data.get(2..)
        .and_then(<[u8]>::first_chunk)
        .map_or(0, |bytes| u16::from_be_bytes(*bytes))
}
