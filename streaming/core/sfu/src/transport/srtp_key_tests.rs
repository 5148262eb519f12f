//! Published vectors: RFC 3711 B.2 and B.3, RFC 7714 16 and 17.

use super::*;

const QUID: &str = "517569642070726f2071756f";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn array<const N: usize>(text: &str) -> [u8; N] {
    let mut out = [0; N];
    hex(text)
        .iter()
        .zip(&mut out)
        .for_each(|(from, to)| *to = *from);
    out
}

fn gcm_session_key() -> Key {
    let key = array("000102030405060708090a0b0c0d0e0f");
    Key::new(SrtpProfile::AeadAes128Gcm, &key, &[0; 20], array(QUID)).unwrap()
}

#[test]
fn key_derivation_gives_the_keys_of_rfc_3711_b3() {
    let base = counter_mode(&hex("E1F97A0D3E018BE0D64FA32C06DE4139")).unwrap();
    let salt = array("0EC675AD498AFEEBB6960B3AABE6");
    let mut key = [0; 16];
    derive_into(&base, &salt, 0, &mut key).unwrap();
    assert_eq!(key.to_vec(), hex("C61E7A93744F39EE10734AFE3FF7A087"));
    let mut session_salt = [0; 14];
    derive_into(&base, &salt, 2, &mut session_salt).unwrap();
    assert_eq!(session_salt.to_vec(), hex("30CBBC08863D8C85D49DB34A9AE1"));
    let mut auth = [0; 94];
    derive_into(&base, &salt, 1, &mut auth).unwrap();
    let expected = "CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE \
                    E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25 \
                    6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2";
    assert_eq!(auth.to_vec(), hex(expected));
}

#[test]
fn the_keystream_is_that_of_rfc_3711_b2() {
    let key = array("2B7E151628AED2A6ABF7158809CF4F3C");
    let salt = array("F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
    let key = Key::new(SrtpProfile::AesCm128HmacSha1_80, &key, &[0; 20], salt).unwrap();
    let Cipher::Cm(mode) = &key.cipher else {
        panic!("counter mode")
    };
    let mut stream = vec![0; 0xff02 * 16];
    key.apply_keystream(&mode.encrypt, &mut stream, 0, 0)
        .unwrap();
    let start = "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0";
    assert_eq!(stream[..48], hex(start));
    let end = "EC8CDF7398607CB0F2D21675EA9EA1E4 362B7C3C6773516318A077D7FC5073AE 6A2CC3787889374FBEB4C81B17BA6C44";
    assert_eq!(stream[0xfeff * 16..], hex(end));
}

#[test]
fn gcm_seals_and_opens_the_rtp_packet_of_rfc_7714_16() {
    let plain = hex(
        "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 \
                     69736120 696e2070 61727465 73207472 6573",
    );
    let sealed = hex(
        "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 \
                      0d294e6f 42a5f47a 51c7d19b 36de3adf 8833 899d7f27 beb16a91 52cf765e e4390cce",
    );
    let key = gcm_session_key();
    let mut buf = vec![0xee; 5];
    buf.extend_from_slice(&plain);
    key.seal_rtp(&mut buf, 5, 17, 0x5501_a0b2, 0xf17b).unwrap();
    assert_eq!(buf[5..], sealed);
    let mut packet = sealed.clone();
    assert_eq!(
        key.open_rtp(&mut packet, 12, 0x5501_a0b2, 0xf17b),
        Some(plain.len())
    );
    assert_eq!(packet[..plain.len()], plain);
    for at in 0..sealed.len() {
        let mut forged = sealed.clone();
        forged[at] ^= 1;
        assert_eq!(
            key.open_rtp(&mut forged, 12, 0x5501_a0b2, 0xf17b),
            None,
            "byte {at}"
        );
    }
}

#[test]
fn gcm_seals_and_opens_the_rtcp_packet_of_rfc_7714_17() {
    let plain = hex(
        "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 \
                     deadbeef deadbeef deadbeef deadbeef deadbeef",
    );
    let sealed = hex(
        "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d \
                      c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4",
    );
    let key = gcm_session_key();
    let mut buf = plain.clone();
    key.seal_rtcp(&mut buf, 0, 0x4d61_7273, 0x5d4).unwrap();
    assert_eq!(buf, sealed);
    let mut packet = sealed.clone();
    assert_eq!(key.rtcp_word(&packet), Some(0x8000_05d4));
    assert_eq!(
        key.open_rtcp(&mut packet, 0x4d61_7273, 0x8000_05d4),
        Some(plain.len())
    );
    assert_eq!(packet[..plain.len()], plain);
}

/// The reference packets that SRTP implementations test each other with: master key and salt as in RFC 3711 B.3.
#[test]
fn whole_packets_under_derived_keys_match_the_reference() {
    let plain = hex("800f1234 decafbad cafebabe abababab abababab abababab abababab");
    let rtcp = hex("81c8000b cafebabe abababab abababab abababab abababab");
    let cases = [
        (
            SrtpProfile::AesCm128HmacSha1_80,
            (
                "E1F97A0D3E018BE0D64FA32C06DE4139",
                "0EC675AD498AFEEBB6960B3AABE6",
            ),
            "800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb",
            "81c8000b cafebabe 7128035b e487b9bd bef89041 f977a5a8 80000001 993e08cd 54d6c123 0798",
        ),
        (
            SrtpProfile::AeadAes128Gcm,
            (
                "000102030405060708090a0b0c0d0e0f",
                "a0a1a2a3a4a5a6a7a8a9aaab",
            ),
            "800f1234 decafbad cafebabe c5002ede 04cfdd2e b91159e0 880aa06e d2976826 f796b201 df3131a1 27e8a392",
            "81c8000b cafebabe c98b8b5d f0392a55 852b6c21 ac8e7025 c52c6fbe a2b3b446 ea31123b a88ce61e 80000001",
        ),
    ];
    for (profile, (master_key, master_salt), sealed_rtp, sealed_rtcp) in cases {
        let key = Key::derive(profile, Use::Rtp, &hex(master_key), &hex(master_salt)).unwrap();
        let mut buf = plain.clone();
        key.seal_rtp(&mut buf, 0, 12, 0xcafe_babe, 0x1234).unwrap();
        assert_eq!(buf, hex(sealed_rtp), "{profile:?}");
        let key = Key::derive(profile, Use::Rtcp, &hex(master_key), &hex(master_salt)).unwrap();
        let mut buf = rtcp.clone();
        key.seal_rtcp(&mut buf, 0, 0xcafe_babe, 1).unwrap();
        assert_eq!(buf, hex(sealed_rtcp), "{profile:?}");
    }
}

#[test]
fn wrong_lengths_of_master_keys_are_refused() {
    assert!(Key::derive(SrtpProfile::AeadAes128Gcm, Use::Rtp, &[0; 16], &[0; 14]).is_none());
    assert!(
        Key::derive(
            SrtpProfile::AesCm128HmacSha1_80,
            Use::Rtp,
            &[0; 16],
            &[0; 12]
        )
        .is_none()
    );
    assert!(Key::derive(SrtpProfile::AeadAes128Gcm, Use::Rtp, &[0; 15], &[0; 12]).is_none());
}
