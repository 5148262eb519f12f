//! STUN Binding messages as ICE uses them: bytes <-> values, integrity (RFC 8489, RFC 8445 16).

use std::net::{IpAddr, SocketAddr};

use aws_lc_rs::{constant_time, hmac};

const COOKIE: u32 = 0x2112_a442;
const HEADER: usize = 20;
/// What FINGERPRINT is mixed with (RFC 8489 14.7).
const FINGERPRINT_MIX: u32 = 0x5354_554e;

const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT: u16 = 0x8028;
const ICE_CONTROLLING: u16 = 0x802a;

/// 96 bits that tie an answer to its question.
pub(super) type TransactionId = [u8; 12];

/// The message types that ICE sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Request,
    Success,
}

/// A Binding message, parsed but not verified.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) class: Class,
    pub(super) transaction: TransactionId,
    pub(super) username: Option<&'a str>,
    pub(super) use_candidate: bool,
    pub(super) mapped: Option<SocketAddr>,
    /// The sender wants FINGERPRINT in the answer too (RFC 8489 7.3: it used it).
    pub(super) fingerprint: bool,
    /// What MESSAGE-INTEGRITY covers, and its value.
    integrity: Option<(&'a [u8], &'a [u8])>,
}

impl<'a> Message<'a> {
    /// Parse a Binding request or success response; anything else, and a wrong FINGERPRINT, is `None`.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let &[t0, t1, l0, l1, c0, c1, c2, c3] = bytes.first_chunk()?;
        let class = match [t0, t1] {
            [0x00, 0x01] => Class::Request,
            [0x01, 0x01] => Class::Success,
            _ => return None,
        };
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        if u32::from_be_bytes([c0, c1, c2, c3]) != COOKIE
            || len % 4 != 0
            || bytes.len() != HEADER + len
        {
            return None;
        }
        let transaction = *bytes.get(8..)?.first_chunk()?;
        let mut message = Self {
            class,
            transaction,
            username: None,
            use_candidate: false,
            mapped: None,
            fingerprint: false,
            integrity: None,
        };
        let mut at = HEADER;
        while at < bytes.len() {
            let &[k0, k1, n0, n1] = bytes.get(at..)?.first_chunk()?;
            let len = usize::from(u16::from_be_bytes([n0, n1]));
            let value = bytes.get(at + 4..at + 4 + len)?;
            message.take_attribute(u16::from_be_bytes([k0, k1]), value, bytes.get(..at)?)?;
            at += 4 + len.next_multiple_of(4);
        }
        (at == bytes.len()).then_some(message)
    }

    fn take_attribute(&mut self, kind: u16, value: &'a [u8], before: &'a [u8]) -> Option<()> {
        if kind == FINGERPRINT {
            self.fingerprint = true;
            return (fingerprint(before)?.to_be_bytes() == value).then_some(());
        }
        // What follows MESSAGE-INTEGRITY is not covered by it and says nothing (RFC 8489 14.5).
        if self.integrity.is_some() {
            return Some(());
        }
        match kind {
            USERNAME => self.username = Some(std::str::from_utf8(value).ok()?),
            USE_CANDIDATE => self.use_candidate = true,
            MESSAGE_INTEGRITY => self.integrity = (value.len() == 20).then_some((before, value)),
            XOR_MAPPED_ADDRESS => self.mapped = Some(unmask(value, &self.transaction)?),
            _ => {}
        }
        Some(())
    }

    /// Does MESSAGE-INTEGRITY verify under this key?
    pub(super) fn verifies(&self, key: &hmac::Key) -> bool {
        let Some((before, value)) = self.integrity else {
            return false;
        };
        integrity(key, before)
            .is_some_and(|tag| constant_time::verify_slices_are_equal(tag.as_ref(), value).is_ok())
    }
}

/// The key of short-term credentials: the password (RFC 8489 9.1.1).
pub(super) fn integrity_key(password: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes())
}

/// A Binding request of the controlling agent.
pub(super) fn binding_request(
    transaction: TransactionId,
    username: &str,
    priority: u32,
    tie_breaker: u64,
    nominate: bool,
    key: &hmac::Key,
) -> Option<Vec<u8>> {
    let mut writer = Writer::new(0x0001, transaction, 128);
    writer.attribute(USERNAME, username.as_bytes());
    writer.attribute(PRIORITY, &priority.to_be_bytes());
    writer.attribute(ICE_CONTROLLING, &tie_breaker.to_be_bytes());
    if nominate {
        writer.attribute(USE_CANDIDATE, &[]);
    }
    writer.finish(key, true)
}

/// The answer to a verified request from `source`; without FINGERPRINT it is never longer than the shortest request on IPv4.
pub(super) fn binding_success(
    transaction: TransactionId,
    source: SocketAddr,
    fingerprint: bool,
    key: &hmac::Key,
) -> Option<Vec<u8>> {
    let mut writer = Writer::new(0x0101, transaction, 76);
    let (value, len) = mask(source, &transaction);
    writer.attribute(XOR_MAPPED_ADDRESS, value.get(..len)?);
    writer.finish(key, fingerprint)
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn new(kind: u16, transaction: TransactionId, capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity);
        bytes.extend_from_slice(&kind.to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&COOKIE.to_be_bytes());
        bytes.extend_from_slice(&transaction);
        Self { bytes }
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.bytes.extend_from_slice(&kind.to_be_bytes());
        self.bytes
            .extend_from_slice(&(value.len() as u16).to_be_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn finish(mut self, key: &hmac::Key, fingerprint: bool) -> Option<Vec<u8>> {
        let tag = integrity(key, &self.bytes)?;
        self.attribute(MESSAGE_INTEGRITY, tag.as_ref());
        if fingerprint {
            let crc = self::fingerprint(&self.bytes)?;
            self.attribute(FINGERPRINT, &crc.to_be_bytes());
        }
        let len = (self.bytes.len() - HEADER) as u16;
        *self.bytes.get_mut(2..)?.first_chunk_mut()? = len.to_be_bytes();
        Some(self.bytes)
    }
}

/// CRC over the message up to FINGERPRINT, with the length that ends behind it (RFC 8489 14.7).
fn fingerprint(before: &[u8]) -> Option<u32> {
    let len = (before.len().checked_sub(HEADER)? + 8) as u16;
    let mut crc = crc32fast::Hasher::new();
    crc.update(before.get(..2)?);
    crc.update(&len.to_be_bytes());
    crc.update(before.get(4..)?);
    Some(crc.finalize() ^ FINGERPRINT_MIX)
}

/// HMAC-SHA1 over the message up to MESSAGE-INTEGRITY, with the length that ends behind it.
fn integrity(key: &hmac::Key, before: &[u8]) -> Option<hmac::Tag> {
    let len = (before.len().checked_sub(HEADER)? + 24) as u16;
    let mut context = hmac::Context::with_key(key);
    context.update(before.get(..2)?);
    context.update(&len.to_be_bytes());
    context.update(before.get(4..)?);
    Some(context.sign())
}

/// RFC 8489 14.2: family, port and address mixed with the cookie and the transaction.
fn mask(address: SocketAddr, transaction: &TransactionId) -> ([u8; 20], usize) {
    let mut value = [0; 20];
    let port = address.port() ^ (COOKIE >> 16) as u16;
    let (family, octets, len): (u8, [u8; 16], usize) = match address.ip().to_canonical() {
        IpAddr::V4(ip) => (1, ip.to_ipv6_mapped().octets(), 8),
        IpAddr::V6(ip) => (2, ip.octets(), 20),
    };
    let octets = octets.iter().skip(if family == 1 { 12 } else { 0 });
    let mix = COOKIE.to_be_bytes();
    let mixed = octets
        .zip(mix.iter().chain(transaction))
        .map(|(octet, mix)| octet ^ mix);
    let start = [0, family].into_iter().chain(port.to_be_bytes());
    value
        .iter_mut()
        .zip(start.chain(mixed))
        .for_each(|(to, from)| *to = from);
    (value, len)
}

fn unmask(value: &[u8], transaction: &TransactionId) -> Option<SocketAddr> {
    let (&[_, family, p0, p1], octets) = value.split_first_chunk()?;
    let port = u16::from_be_bytes([p0, p1]) ^ (COOKIE >> 16) as u16;
    let mut plain = [0; 16];
    let mix = COOKIE.to_be_bytes();
    let mixed = octets
        .iter()
        .zip(mix.iter().chain(transaction))
        .map(|(octet, mix)| octet ^ mix);
    plain
        .iter_mut()
        .zip(mixed)
        .for_each(|(to, from)| *to = from);
    let ip = match (family, octets.len()) {
        (1, 4) => IpAddr::from(*plain.first_chunk::<4>()?),
        (2, 16) => IpAddr::from(plain),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
#[path = "stun_tests.rs"]
mod tests;
