//! Every sealed packet that any engine sends, so that no test can pass while a nonce is used for other bytes
//! (RFC 7714 8.2: with GCM that gives away the authentication key).

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;

use zhuandi_wire::seq::nearest;

/// From, to: one association and direction, so one key.
type Key = (SocketAddr, SocketAddr);

/// What was sealed under which index.
#[derive(Default)]
pub struct Ledger {
    newest: HashMap<(Key, u32), u64>,
    sealed: HashMap<(Key, bool, u32, u64), u64>,
    /// Packets that went out a second time, byte for byte.
    pub repeats: u64,
}

impl Ledger {
    /// Note one datagram of media or RTCP.
    pub fn note(&mut self, key: Key, bytes: &[u8]) {
        let is_rtcp = (192..=223).contains(&bytes[1]);
        let at = if is_rtcp { 4 } else { 8 };
        let ssrc = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        let index = if is_rtcp {
            let word = u32::from_be_bytes(*bytes.last_chunk().unwrap());
            assert!(
                word >> 31 == 1,
                "RTCP leaves encrypted under AEAD_AES_128_GCM"
            );
            u64::from(word)
        } else {
            let number = u16::from_be_bytes([bytes[2], bytes[3]]);
            let newest = self.newest.entry((key, ssrc)).or_insert(u64::from(number));
            let index = nearest(*newest, number).unwrap();
            *newest = index.max(*newest);
            index
        };
        let mut hash = DefaultHasher::new();
        bytes.hash(&mut hash);
        let hash = hash.finish();
        if let Some(before) = self.sealed.insert((key, is_rtcp, ssrc, index), hash) {
            self.repeats += 1;
            assert_eq!(
                before, hash,
                "index {index} of {ssrc:#x} was sealed with other bytes on {key:?}"
            );
        }
    }

    /// How many packets were sealed.
    pub fn len(&self) -> usize {
        self.sealed.len()
    }
}
