//! Who we are in a DTLS handshake: one self-signed ECDSA P-256 certificate a node, kept over restarts (RFC 8827 6.5).

use std::fmt::Write as _;

use aws_lc_rs::digest;
use dimpl::DtlsCertificate;

/// A certificate, its private key and its fingerprint.
pub struct Certificate {
    pub(super) dtls: DtlsCertificate,
    fingerprint: [u8; 32],
}

impl Certificate {
    /// Make a new one. The error says in words why the operating system refused.
    pub fn generate() -> Result<Self, String> {
        let dtls = dimpl::certificate::generate_self_signed_certificate()
            .map_err(|error| error.to_string())?;
        Ok(Self::new(dtls))
    }

    /// Read what [`Certificate::to_pem`] wrote.
    pub fn from_pem(pem: &[u8]) -> Result<Self, String> {
        let text =
            std::str::from_utf8(pem).map_err(|_| "the certificate file is not text".to_string())?;
        let certificate = section(text, "CERTIFICATE")?;
        let private_key = section(text, "PRIVATE KEY")?;
        Ok(Self::new(DtlsCertificate {
            certificate,
            private_key,
        }))
    }

    /// The certificate and the PKCS #8 key, as PEM (RFC 7468).
    pub fn to_pem(&self) -> Vec<u8> {
        let mut text = String::new();
        for (label, der) in [
            ("CERTIFICATE", &self.dtls.certificate),
            ("PRIVATE KEY", &self.dtls.private_key),
        ] {
            let _ = writeln!(text, "-----BEGIN {label}-----");
            for line in encode_base64(der).as_bytes().chunks(64) {
                let _ = writeln!(text, "{}", String::from_utf8_lossy(line));
            }
            let _ = writeln!(text, "-----END {label}-----");
        }
        text.into_bytes()
    }

    /// SHA-256 of the certificate (RFC 8122 5).
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// The fingerprint as SDP writes it: `AB:CD:…`.
    pub fn fingerprint_text(&self) -> String {
        let pairs: Vec<String> = self
            .fingerprint
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        pairs.join(":")
    }

    fn new(dtls: DtlsCertificate) -> Self {
        let fingerprint = sha256(&dtls.certificate);
        Self { dtls, fingerprint }
    }
}

/// SHA-256 of some bytes.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out
        .iter_mut()
        .zip(digest::digest(&digest::SHA256, bytes).as_ref())
    {
        *to = *from;
    }
    out
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode_base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .fold(0u32, |word, byte| (word << 8) | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = ALPHABET.get((word >> (18 - 6 * place)) as usize & 63);
            text.push(if place <= chunk.len() {
                letter.map_or('=', |letter| char::from(*letter))
            } else {
                '='
            });
        }
    }
    text
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut word, mut bits) = (0u32, 0);
    for letter in text
        .bytes()
        .filter(|letter| !letter.is_ascii_whitespace() && *letter != b'=')
    {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        word = (word << 6) | u32::try_from(value).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits) as u8);
        }
        word &= 0xff_ffff;
    }
    Some(bytes)
}

fn section(text: &str, label: &str) -> Result<Vec<u8>, String> {
    let missing = || format!("the certificate file has no good section {label}");
    let (_, after) = text
        .split_once(&format!("-----BEGIN {label}-----"))
        .ok_or_else(missing)?;
    let (body, _) = after
        .split_once(&format!("-----END {label}-----"))
        .ok_or_else(missing)?;
    decode_base64(body)
        .filter(|der| !der.is_empty())
        .ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_certificate_reads_back_the_same() {
        let made = Certificate::generate().unwrap();
        let read = Certificate::from_pem(&made.to_pem()).unwrap();
        assert_eq!(read.dtls.certificate, made.dtls.certificate);
        assert_eq!(read.dtls.private_key, made.dtls.private_key);
        assert_eq!(read.fingerprint_text(), made.fingerprint_text());
        assert_eq!(made.fingerprint_text().len(), 95);
    }

    #[test]
    fn base64_is_exact_at_every_length() {
        assert_eq!(encode_base64(b"foobar"), "Zm9vYmFy");
        assert_eq!(encode_base64(b"foob"), "Zm9vYg==");
        for len in 0..70u8 {
            let bytes: Vec<u8> = (0..len).collect();
            assert_eq!(decode_base64(&encode_base64(&bytes)).unwrap(), bytes);
        }
    }

    #[test]
    fn a_broken_file_is_refused_in_words() {
        assert!(Certificate::from_pem(b"").is_err());
        assert!(
            Certificate::from_pem(b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----")
                .is_err()
        );
        assert!(Certificate::from_pem(&[0xff; 8]).is_err());
    }
}
