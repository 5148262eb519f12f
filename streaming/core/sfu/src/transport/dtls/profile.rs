//! Which SRTP profile the handshake agrees on.
//!
//! The DTLS library has a fixed order of its own (GCM-256 first) and offers all that it knows. Chromium offers GCM-256
//! and GCM-128, and we want the cheaper GCM-128; a client of ours must be able to insist on one. So the profile list
//! inside *our own* hello is replaced: on its way out, and in the transcript wherever that is hashed, signed or verified.
//! Both sides hash what was on the wire, so the handshake stays what it is. The exporter's output (RFC 5705) of
//! DTLS 1.2 is a stream whose beginning does not depend on its length, so the keys of a shorter profile are its prefix.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dimpl::crypto::{
    Buf, CryptoProvider, Dtls12CipherSuite, HashContext, HashProvider, KeyProvider,
};
use dimpl::crypto::{SignatureVerifier, SigningKey};
use dimpl::{Config, CryptoError, HashAlgorithm, SignatureAlgorithm};

use super::hello::{CLIENT_HELLO, Fragment, SERVER_HELLO, fragments, numbers, profiles_in_hello};
use crate::api::SrtpProfile;

/// The library's own first choice.
const GCM_256: u16 = 0x0008;

/// The number of a profile on the wire (IANA DTLS-SRTP Protection Profiles).
pub(super) fn number(profile: SrtpProfile) -> u16 {
    match profile {
        SrtpProfile::AesCm128HmacSha1_80 => 0x0001,
        SrtpProfile::AeadAes128Gcm => 0x0007,
    }
}

/// The profile of a number.
pub(super) fn from_number(number: u16) -> Option<SrtpProfile> {
    match number {
        0x0001 => Some(SrtpProfile::AesCm128HmacSha1_80),
        0x0007 => Some(SrtpProfile::AeadAes128Gcm),
        _ => None,
    }
}

/// What we say in our hello: one of four lists, as client or as server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    client: bool,
    /// Profile numbers, best first.
    list: &'static [u16],
}

static CHOICES: [Choice; 8] = [
    Choice {
        client: false,
        list: &[7, 1],
    },
    Choice {
        client: false,
        list: &[1, 7],
    },
    Choice {
        client: false,
        list: &[7],
    },
    Choice {
        client: false,
        list: &[1],
    },
    Choice {
        client: true,
        list: &[7, 1],
    },
    Choice {
        client: true,
        list: &[1, 7],
    },
    Choice {
        client: true,
        list: &[7],
    },
    Choice {
        client: true,
        list: &[1],
    },
];

impl Choice {
    /// The choice for these profiles, best first; `None` for an empty list or a repeated profile.
    pub(super) fn find(client: bool, profiles: &[SrtpProfile]) -> Option<&'static Self> {
        let list: Vec<u16> = profiles.iter().map(|profile| number(*profile)).collect();
        CHOICES
            .iter()
            .find(|choice| choice.client == client && choice.list == list)
    }

    /// We send the ClientHello.
    pub(super) fn is_client(&self) -> bool {
        self.client
    }

    /// The profile is one of ours.
    pub(super) fn allows(&self, number: u16) -> bool {
        self.list.contains(&number)
    }

    /// What the server answers to these offers. Only where the library would take GCM-256 is there a free choice:
    /// the keys that it exports for anything else may be too short for another profile.
    pub(super) fn answer(&self, offered: &[u16]) -> Option<u16> {
        if offered.contains(&GCM_256) {
            return self
                .list
                .iter()
                .copied()
                .find(|number| offered.contains(number));
        }
        [7, 1]
            .into_iter()
            .find(|number| offered.contains(number))
            .filter(|number| self.list.contains(number))
    }

    /// Replace the profiles in our hello, in a datagram on its way out.
    pub(super) fn rewrite_datagram(&self, datagram: &mut [u8], offered: &[u16]) {
        for fragment in fragments(datagram) {
            if fragment.is_whole()
                && let Some(body) = datagram.get_mut(fragment.body.clone())
            {
                self.rewrite_hello(fragment.kind, body, offered);
            }
        }
    }

    /// Replace the profiles in our hello, in a transcript: whole messages from the ClientHello on.
    fn rewrite_transcript<'a>(&self, transcript: &'a [u8]) -> Cow<'a, [u8]> {
        let first = Fragment::parse(transcript, 0)
            .filter(|first| first.kind == CLIENT_HELLO && first.is_whole());
        let Some(first) = first else {
            return Cow::Borrowed(transcript);
        };
        let client_hello = transcript.get(first.body.clone()).unwrap_or_default();
        let list =
            profiles_in_hello(CLIENT_HELLO, client_hello).and_then(|list| client_hello.get(list));
        let offered: Vec<u16> = list.map(|list| numbers(list).collect()).unwrap_or_default();
        let ours = if self.client {
            Some(first)
        } else {
            Fragment::parse(transcript, first.body.end).filter(|hello| hello.is_whole())
        };
        let mut rewritten = transcript.to_vec();
        if let Some(hello) = ours
            && let Some(body) = rewritten.get_mut(hello.body.clone())
        {
            self.rewrite_hello(hello.kind, body, &offered);
        }
        Cow::Owned(rewritten)
    }

    fn rewrite_hello(&self, kind: u8, body: &mut [u8], offered: &[u16]) {
        let wanted = match (self.client, kind) {
            (true, CLIENT_HELLO) => self.list.to_vec(),
            (false, SERVER_HELLO) => self.answer(offered).into_iter().collect(),
            _ => return,
        };
        // The length of the list stays: its last entry is repeated.
        let mut wanted = wanted.iter().chain(wanted.last().into_iter().cycle());
        if let Some(list) = profiles_in_hello(kind, body).and_then(|list| body.get_mut(list)) {
            for (pair, number) in list.chunks_exact_mut(2).zip(&mut wanted) {
                pair.copy_from_slice(&number.to_be_bytes());
            }
        }
    }

    /// The settings of a handshake with this choice; made once and shared by all transports.
    pub(super) fn config(&'static self) -> Option<Arc<Config>> {
        static CONFIGS: [OnceLock<Option<Arc<Config>>>; 8] = [const { OnceLock::new() }; 8];
        let place = CHOICES
            .iter()
            .position(|choice| std::ptr::eq(choice, self))?;
        CONFIGS.get(place)?.get_or_init(|| self.build()).clone()
    }

    fn build(&'static self) -> Option<Arc<Config>> {
        let library = dimpl::crypto::aws_lc_rs::default_provider();
        let provider = CryptoProvider {
            hash_provider: self,
            key_provider: self,
            signature_verification: self,
            ..library
        };
        // No cookies: a STUN check has proved the address. 1,150 bytes a datagram at most.
        let config = Config::builder()
            .with_crypto_provider(provider)
            .use_server_cookie(false)
            .mtu(1150)
            .max_queue_rx(16)
            // Short, as browsers have it: at 20 % loss the handshake took 0.4 s (p50) and 1 s (p90), with 400 ms 0.5 s and 3.2 s.
            .flight_start_rto(Duration::from_millis(200))
            .flight_retries(7)
            .handshake_timeout(Duration::from_secs(30))
            .dtls12_cipher_suites(&[
                Dtls12CipherSuite::ECDHE_ECDSA_AES128_GCM_SHA256,
                Dtls12CipherSuite::ECDHE_ECDSA_AES256_GCM_SHA384,
            ])
            .build();
        config.ok().map(Arc::new)
    }
}

impl HashProvider for Choice {
    fn create_hash(&self, algorithm: HashAlgorithm) -> Box<dyn HashContext> {
        let inner = dimpl::crypto::aws_lc_rs::default_provider()
            .hash_provider
            .create_hash(algorithm);
        Box::new(TranscriptHash {
            choice: *self,
            inner,
        })
    }
}

impl KeyProvider for Choice {
    fn load_private_key(&self, der: &[u8]) -> Result<Box<dyn SigningKey>, CryptoError> {
        let inner = dimpl::crypto::aws_lc_rs::default_provider()
            .key_provider
            .load_private_key(der)?;
        Ok(Box::new(TranscriptSigner {
            choice: *self,
            inner,
        }))
    }
}

impl SignatureVerifier for Choice {
    fn verify_signature(
        &self,
        certificate: &[u8],
        data: &[u8],
        signature: &[u8],
        hash: HashAlgorithm,
        algorithm: SignatureAlgorithm,
    ) -> Result<(), CryptoError> {
        let library = dimpl::crypto::aws_lc_rs::default_provider().signature_verification;
        library.verify_signature(
            certificate,
            &self.rewrite_transcript(data),
            signature,
            hash,
            algorithm,
        )
    }
}

#[derive(Debug)]
struct TranscriptHash {
    choice: Choice,
    inner: Box<dyn HashContext>,
}

impl HashContext for TranscriptHash {
    fn update(&mut self, data: &[u8]) {
        self.inner.update(&self.choice.rewrite_transcript(data));
    }

    fn clone_and_finalize(&self, out: &mut Buf) {
        self.inner.clone_and_finalize(out);
    }
}

#[derive(Debug)]
struct TranscriptSigner {
    choice: Choice,
    inner: Box<dyn SigningKey>,
}

impl SigningKey for TranscriptSigner {
    fn sign(&mut self, data: &[u8], hash: HashAlgorithm, out: &mut Buf) -> Result<(), CryptoError> {
        self.inner
            .sign(&self.choice.rewrite_transcript(data), hash, out)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.inner.algorithm()
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        self.inner.hash_algorithm()
    }

    fn supported_hash_algorithms(&self) -> &[HashAlgorithm] {
        self.inner.supported_hash_algorithms()
    }
}
