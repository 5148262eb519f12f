//! ICE credentials: made here, and checked as RFC 8839 section 5.4 writes them.

use std::io;

use aws_lc_rs::rand;
use zhuandi_sfu::api::IceCredentials;

use crate::error::CoreError;

/// ice-char; 64 of them, so that a random byte's low six bits pick one evenly.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// 48 bits: also our key from a first STUN message to its worker.
const UFRAG: usize = 8;
/// 144 bits; RFC 8445 section 5.3 asks for 128.
const PWD: usize = 24;

fn text<const N: usize>() -> Result<String, CoreError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| CoreError::Io(io::Error::other("no random numbers")))?;
    Ok(bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte & 63)))
        .map(|byte| char::from(*byte))
        .collect())
}

/// New ones.
pub(crate) fn fresh() -> Result<IceCredentials, CoreError> {
    Ok(IceCredentials {
        ufrag: text::<UFRAG>()?,
        pwd: text::<PWD>()?,
    })
}

/// Lengths and characters of RFC 8839.
pub(crate) fn check(ice: &IceCredentials) -> Result<(), CoreError> {
    let fine = |text: &str| {
        text.bytes()
            .all(|byte| ALPHABET.contains(&byte) || matches!(byte, b'-' | b'_'))
    };
    if !(4..=256).contains(&ice.ufrag.len()) || !fine(&ice.ufrag) {
        return Err(CoreError::Bad(
            "an ICE ufrag has 4 to 256 letters, digits, + or /".into(),
        ));
    }
    if !(22..=256).contains(&ice.pwd.len()) || !fine(&ice.pwd) {
        return Err(CoreError::Bad(
            "an ICE password has 22 to 256 letters, digits, + or /".into(),
        ));
    }
    Ok(())
}
