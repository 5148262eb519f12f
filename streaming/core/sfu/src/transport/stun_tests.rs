//! RFC 5769 vectors, and what an attacker may send.

use proptest::prelude::*;

use super::*;

/// RFC 5769 2.1: a request with all that ICE puts into it.
const REQUEST: &[u8] = b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
\x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\
\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20\
\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2\
\x80\x28\x00\x04\xe5\x7a\x3b\xcf";
/// RFC 5769 2.2: an answer over IPv4.
const ANSWER_V4: &[u8] = b"\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
\x80\x22\x00\x0b\x74\x65\x73\x74\x20\x76\x65\x63\x74\x6f\x72\x20\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43\
\x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7\
\x80\x28\x00\x04\xc0\x7d\x4c\x96";
const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

#[test]
fn the_request_of_rfc_5769_parses_and_verifies() {
    let message = Message::parse(REQUEST).unwrap();
    assert_eq!(message.class, Class::Request);
    assert_eq!(message.username, Some("evtj:h6vY"));
    assert!(message.verifies(&integrity_key(PASSWORD)));
    assert!(!message.verifies(&integrity_key("another password of ICE")));
    assert!(message.fingerprint && !message.use_candidate);
}

#[test]
fn the_answer_of_rfc_5769_carries_the_address() {
    let message = Message::parse(ANSWER_V4).unwrap();
    assert_eq!(message.mapped, Some("192.0.2.1:32853".parse().unwrap()));
    assert!(message.verifies(&integrity_key(PASSWORD)));
}

#[test]
fn what_we_write_reads_back_and_stays_small() {
    let key = integrity_key("a password of ours, long");
    for (address, len) in [
        ("203.0.113.9:4000", 56),
        ("[2001:db8::7]:65535", 68),
        ("[::ffff:192.0.2.4]:1", 56),
    ] {
        let source: SocketAddr = address.parse().unwrap();
        let bytes = binding_success([7; 12], source, false, &key).unwrap();
        assert_eq!(bytes.len(), len);
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.mapped.unwrap().ip(), source.ip().to_canonical());
        assert_eq!(message.mapped.unwrap().port(), source.port());
        assert!(message.verifies(&key) && !message.fingerprint);
        assert_eq!(
            binding_success([7; 12], source, true, &key).unwrap().len(),
            len + 8
        );
    }
    let bytes = binding_request([1; 12], "them:us", 99, 5, true, &key).unwrap();
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(
        (message.username, message.use_candidate),
        (Some("them:us"), true)
    );
    assert!(message.verifies(&key));
}

#[test]
fn any_changed_byte_is_refused() {
    let key = integrity_key(PASSWORD);
    // The last attribute's type is not covered by anything: as an unknown one it says nothing.
    for at in (0..100).chain(104..REQUEST.len()) {
        let mut forged = REQUEST.to_vec();
        forged[at] ^= 1;
        assert!(
            !Message::parse(&forged).is_some_and(|message| message.verifies(&key)),
            "byte {at}"
        );
    }
}

#[test]
fn attributes_behind_the_integrity_say_nothing() {
    let key = integrity_key(PASSWORD);
    let mut writer = Writer::new(0x0001, [3; 12], 64);
    writer.attribute(USERNAME, b"a:b");
    let mut bytes = writer.finish(&key, false).unwrap();
    bytes.extend_from_slice(&[0, 0x25, 0, 0]);
    bytes[3] += 4;
    let message = Message::parse(&bytes).unwrap();
    assert!(message.verifies(&key));
    assert!(!message.use_candidate);
}

#[test]
fn short_long_and_lying_messages_are_refused() {
    for len in 0..REQUEST.len() {
        assert!(Message::parse(&REQUEST[..len]).is_none(), "{len} bytes");
    }
    let bare = [&REQUEST[..2], &[0, 0], &REQUEST[4..20]].concat();
    assert!(
        Message::parse(&bare).is_some_and(|message| !message.verifies(&integrity_key(PASSWORD)))
    );
    let mut huge = REQUEST[..20].to_vec();
    huge.extend_from_slice(&[0, 6, 0xff, 0xff]);
    huge[3] = 4;
    assert!(
        Message::parse(&huge).is_none(),
        "a username that reaches beyond the end"
    );
}

proptest! {
    #[test]
    fn random_attributes_never_panic(tail in proptest::collection::vec(any::<u8>(), 0..120)) {
        let mut bytes = REQUEST[..20].to_vec();
        bytes.extend_from_slice(&tail);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let len = (bytes.len() - 20) as u16;
        bytes[2..4].copy_from_slice(&len.to_be_bytes());
        prop_assert!(!Message::parse(&bytes).is_some_and(|message| message.verifies(&integrity_key(PASSWORD))));
    }
}
