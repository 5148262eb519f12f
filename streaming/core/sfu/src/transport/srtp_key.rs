//! One expanded SRTP or SRTCP key of one direction: derivation, and sealing in place (RFC 3711, RFC 7714).

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{self, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::{constant_time, hmac};

use crate::api::SrtpProfile;

/// Length of the GCM tag (RFC 7714 13.1).
const GCM_TAG: usize = 16;
/// Length of the HMAC-SHA1 tag (RFC 3711 5.2).
const HMAC_TAG: usize = 10;

/// Which of the six derived keys (RFC 3711 4.3.2).
#[derive(Clone, Copy)]
pub(super) enum Use {
    /// Labels 0, 1, 2.
    Rtp = 0,
    /// Labels 3, 4, 5.
    Rtcp = 3,
}

/// Lengths of the master key and master salt of a profile (RFC 5764 4.1.2, RFC 7714 12).
pub(super) fn master_lengths(profile: SrtpProfile) -> (usize, usize) {
    match profile {
        SrtpProfile::AeadAes128Gcm => (16, 12),
        SrtpProfile::AesCm128HmacSha1_80 => (16, 14),
    }
}

enum Cipher {
    Gcm(LessSafeKey),
    Cm(Box<CounterMode>),
}

struct CounterMode {
    encrypt: EncryptingKey,
    auth: hmac::Key,
}

/// A key ready for packets: no key schedule and no allocation per packet.
pub(super) struct Key {
    cipher: Cipher,
    salt: [u8; 14],
}

impl Key {
    /// Derive one from the master key and salt; `None` when their lengths are wrong.
    pub(super) fn derive(
        profile: SrtpProfile,
        purpose: Use,
        master_key: &[u8],
        master_salt: &[u8],
    ) -> Option<Self> {
        if (master_key.len(), master_salt.len()) != master_lengths(profile) {
            return None;
        }
        // RFC 7714 11: the 96-bit salt is followed by zeros up to the 112 bits that the derivation wants.
        let mut padded = [0; 14];
        padded
            .iter_mut()
            .zip(master_salt)
            .for_each(|(to, from)| *to = *from);
        let base = counter_mode(master_key)?;
        let label = purpose as u8;
        let mut key = [0; 16];
        derive_into(&base, &padded, label, &mut key)?;
        let mut salt = [0; 14];
        derive_into(&base, &padded, label + 2, &mut salt)?;
        let mut auth = [0; 20];
        derive_into(&base, &padded, label + 1, &mut auth)?;
        Self::new(profile, &key, &auth, salt)
    }

    fn new(profile: SrtpProfile, key: &[u8; 16], auth: &[u8; 20], salt: [u8; 14]) -> Option<Self> {
        let cipher = match profile {
            SrtpProfile::AeadAes128Gcm => Cipher::Gcm(LessSafeKey::new(
                UnboundKey::new(&aead::AES_128_GCM, key).ok()?,
            )),
            SrtpProfile::AesCm128HmacSha1_80 => Cipher::Cm(Box::new(CounterMode {
                encrypt: counter_mode(key)?,
                auth: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, auth),
            })),
        };
        Some(Self { cipher, salt })
    }

    /// Encrypt `buf[body..]` of the RTP packet at `buf[start..]` and append the tag. `None`: the packet is impossible.
    pub(super) fn seal_rtp(
        &self,
        buf: &mut Vec<u8>,
        start: usize,
        body: usize,
        ssrc: u32,
        index: u64,
    ) -> Option<()> {
        match &self.cipher {
            Cipher::Gcm(key) => {
                let (header, payload) = buf
                    .get_mut(start..)?
                    .split_at_mut_checked(body.checked_sub(start)?)?;
                let tag = key
                    .seal_in_place_separate_tag(
                        self.nonce(ssrc, index),
                        Aad::from(&*header),
                        payload,
                    )
                    .ok()?;
                buf.extend_from_slice(tag.as_ref());
            }
            Cipher::Cm(mode) => {
                let CounterMode { encrypt, auth } = &**mode;
                self.apply_keystream(encrypt, buf.get_mut(body..)?, ssrc, index)?;
                let tag = hmac_tag(auth, buf.get(start..)?, &roc_bytes(index));
                buf.extend_from_slice(tag.as_ref().get(..HMAC_TAG)?);
            }
        }
        Some(())
    }

    /// Verify and decrypt an RTP packet whose header is `body` bytes long; its plain length.
    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        body: usize,
        ssrc: u32,
        index: u64,
    ) -> Option<usize> {
        match &self.cipher {
            Cipher::Gcm(key) => {
                let end = packet.len().checked_sub(GCM_TAG)?;
                let (header, sealed) = packet.split_at_mut_checked(body)?;
                let (payload, tag) = sealed.split_at_mut_checked(end.checked_sub(body)?)?;
                let nonce = self.nonce(ssrc, index);
                key.open_in_place_separate_tag(nonce, Aad::from(&*header), tag, payload)
                    .ok()?;
                Some(end)
            }
            Cipher::Cm(mode) => {
                let CounterMode { encrypt, auth } = &**mode;
                let end = packet.len().checked_sub(HMAC_TAG)?;
                let (covered, tag) = packet.split_at_mut_checked(end)?;
                verify_tag(auth, covered, &roc_bytes(index), tag)?;
                self.apply_keystream(encrypt, covered.get_mut(body..)?, ssrc, index)?;
                Some(end)
            }
        }
    }

    /// Encrypt the RTCP compound at `buf[start..]` behind its first header; append tag and index.
    pub(super) fn seal_rtcp(
        &self,
        buf: &mut Vec<u8>,
        start: usize,
        ssrc: u32,
        index: u32,
    ) -> Option<()> {
        let word = (index | ENCRYPTED).to_be_bytes();
        match &self.cipher {
            Cipher::Gcm(key) => {
                let (header, payload) = buf.get_mut(start..)?.split_at_mut_checked(RTCP_HEADER)?;
                let aad = rtcp_aad(header, word)?;
                let nonce = self.nonce(ssrc, u64::from(index));
                let tag = key
                    .seal_in_place_separate_tag(nonce, Aad::from(aad), payload)
                    .ok()?;
                buf.extend_from_slice(tag.as_ref());
                buf.extend_from_slice(&word);
            }
            Cipher::Cm(mode) => {
                let CounterMode { encrypt, auth } = &**mode;
                self.apply_keystream(
                    encrypt,
                    buf.get_mut(start + RTCP_HEADER..)?,
                    ssrc,
                    u64::from(index),
                )?;
                let tag = hmac_tag(auth, buf.get(start..)?, &word);
                buf.extend_from_slice(&word);
                buf.extend_from_slice(tag.as_ref().get(..HMAC_TAG)?);
            }
        }
        Some(())
    }

    /// The index word `E | index` of a sealed RTCP packet.
    pub(super) fn rtcp_word(&self, packet: &[u8]) -> Option<u32> {
        let behind = match &self.cipher {
            Cipher::Gcm(_) => 0,
            Cipher::Cm(_) => HMAC_TAG,
        };
        let at = packet.len().checked_sub(behind + 4)?;
        Some(u32::from_be_bytes(*packet.get(at..)?.first_chunk()?))
    }

    /// Verify and decrypt a sealed RTCP packet with this index word; its plain length.
    pub(super) fn open_rtcp(&self, packet: &mut [u8], ssrc: u32, word: u32) -> Option<usize> {
        let index = u64::from(word & !ENCRYPTED);
        match &self.cipher {
            Cipher::Gcm(key) => {
                let end = packet.len().checked_sub(GCM_TAG + 4)?;
                let (header, sealed) = packet.split_at_mut_checked(RTCP_HEADER)?;
                let (payload, rest) = sealed.split_at_mut_checked(end.checked_sub(RTCP_HEADER)?)?;
                let aad = rtcp_aad(header, word.to_be_bytes())?;
                let tag = rest.get(..GCM_TAG)?;
                key.open_in_place_separate_tag(
                    self.nonce(ssrc, index),
                    Aad::from(aad),
                    tag,
                    payload,
                )
                .ok()?;
                Some(end)
            }
            Cipher::Cm(mode) => {
                let CounterMode { encrypt, auth } = &**mode;
                let end = packet.len().checked_sub(HMAC_TAG + 4)?;
                let (covered, tag) = packet.split_at_mut_checked(end + 4)?;
                verify_tag(auth, covered, &[], tag)?;
                self.apply_keystream(encrypt, covered.get_mut(RTCP_HEADER..end)?, ssrc, index)?;
                Some(end)
            }
        }
    }

    /// RFC 7714 8.1 and 9.1: 0 | SSRC | 48-bit index, mixed with the salt.
    fn nonce(&self, ssrc: u32, index: u64) -> Nonce {
        let plain = (u128::from(ssrc) << 48) | u128::from(index);
        let [_, _, _, _, plain @ ..] = plain.to_be_bytes();
        let mut nonce: [u8; 12] = plain;
        nonce
            .iter_mut()
            .zip(&self.salt)
            .for_each(|(byte, salt)| *byte ^= salt);
        Nonce::assume_unique_for_key(nonce)
    }

    /// RFC 3711 4.1.1: IV = salt * 2^16 ^ SSRC * 2^64 ^ index * 2^16.
    fn apply_keystream(
        &self,
        key: &EncryptingKey,
        body: &mut [u8],
        ssrc: u32,
        index: u64,
    ) -> Option<()> {
        let iv = counter_block(&self.salt) ^ (u128::from(ssrc) << 64) ^ (u128::from(index) << 16);
        run_counter(key, iv, body)
    }
}

/// The E bit: the packet is encrypted (RFC 3711 3.4).
pub(super) const ENCRYPTED: u32 = 1 << 31;
/// The first header of an RTCP compound stays in the clear.
const RTCP_HEADER: usize = 8;

fn rtcp_aad(header: &[u8], word: [u8; 4]) -> Option<[u8; 12]> {
    let mut aad = [0; 12];
    let header: &[u8; 8] = header.first_chunk()?;
    aad.iter_mut()
        .zip(header.iter().chain(&word))
        .for_each(|(to, from)| *to = *from);
    Some(aad)
}

fn roc_bytes(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

fn hmac_tag(key: &hmac::Key, covered: &[u8], more: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(covered);
    context.update(more);
    context.sign()
}

fn verify_tag(key: &hmac::Key, covered: &[u8], more: &[u8], tag: &[u8]) -> Option<()> {
    let expected = hmac_tag(key, covered, more);
    constant_time::verify_slices_are_equal(expected.as_ref().get(..HMAC_TAG)?, tag).ok()
}

fn counter_mode(key: &[u8]) -> Option<EncryptingKey> {
    EncryptingKey::ctr(UnboundCipherKey::new(&cipher::AES_128, key).ok()?).ok()
}

fn counter_block(salt: &[u8; 14]) -> u128 {
    salt.iter()
        .fold(0, |block, byte| (block << 8) | u128::from(*byte))
        << 16
}

fn run_counter(key: &EncryptingKey, iv: u128, body: &mut [u8]) -> Option<()> {
    let context = EncryptionContext::Iv128(iv.to_be_bytes().into());
    key.less_safe_encrypt(body, context).ok().map(|_| ())
}

/// RFC 3711 4.3.1 with a key derivation rate of 0: the keystream of IV = (label * 2^48 ^ salt) * 2^16.
fn derive_into(base: &EncryptingKey, salt: &[u8; 14], label: u8, out: &mut [u8]) -> Option<()> {
    out.fill(0);
    run_counter(base, counter_block(salt) ^ (u128::from(label) << 64), out)
}

#[cfg(test)]
#[path = "srtp_key_tests.rs"]
mod tests;
