//! Entry points of this crate's parsers of foreign bytes, for libFuzzer and for the short run in `cargo test`.

use zhuandi_wire::fuzz::Entry;

use crate::clock::Clock;
use crate::log_format::{HEAD, MAGIC, MAX_BODY, records, write};
use crate::stun_name::stun_ufrag;

/// All entry points by name.
pub const TARGETS: &[(&str, Entry)] = &[
    ("zwl", log_file),
    ("stun_name", first_frame),
    ("sctp", sctp),
];

/// Whatever is read from a log is the log's own beginning, byte for byte.
fn log_file(data: &[u8]) {
    let mut again = MAGIC.to_vec();
    for record in records(data) {
        assert!(record.body.len() <= MAX_BODY, "above the bound");
        write(&mut again, record);
    }
    assert!(
        again.len() == MAGIC.len() || data.starts_with(&again),
        "records changed"
    );
    assert!(again.len() <= data.len().max(HEAD), "more than there is");
}

/// A name is a part of the frame.
fn first_frame(data: &[u8]) {
    if let Some(ufrag) = stun_ufrag(data) {
        let inside = data
            .windows(ufrag.len().max(1))
            .any(|part| part == ufrag.as_bytes());
        assert!(ufrag.is_empty() || inside, "a name from nowhere");
    }
}

/// A data channel takes any packets, in a fresh association and in one that stands.
fn sctp(data: &[u8]) {
    zhuandi_sfu::fuzz::sctp(Clock::start().1, data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_format::Record;
    use zhuandi_wire::fuzz::drive;

    fn log() -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for (kind, body) in [
            (3, &b"{}"[..]),
            (1, &[0x80; 60]),
            (4, &b"{\"reason\":\"closed\"}"[..]),
        ] {
            write(
                &mut out,
                Record {
                    kind,
                    track: 2,
                    arrival_us: 1_790_000_000_000_000,
                    body,
                },
            );
        }
        out
    }

    fn binding() -> Vec<u8> {
        let mut frame = vec![0, 1, 0, 24, 0x21, 0x12, 0xA4, 0x42];
        frame.extend([7; 12]);
        frame.extend([0x80, 0x22, 0, 3, b'x', b'y', b'z', 0]);
        frame.extend([
            0, 6, 0, 9, b'a', b'b', b'c', b'd', b':', b'w', b'x', b'y', b'z', 0, 0, 0,
        ]);
        frame
    }

    /// An INIT with supported extensions (RFC 9260 3.3.2) and an OPEN of our channel (RFC 8832), each after its length.
    fn packets() -> Vec<u8> {
        let mut bytes = vec![0, 40, 0x13, 0x88, 0x13, 0x88, 0, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([
            1, 0, 0, 28, 0, 0, 0, 7, 0, 1, 0, 0, 0, 16, 0, 16, 0, 0, 0, 9,
        ]);
        bytes.extend([0xC0, 0, 0, 4, 0x80, 0x08, 0, 4]);
        bytes.extend([0, 34, 3, 0x81, 1, 0, 0, 0, 0, 0, 0, 6, 0, 16]);
        bytes.extend(b"stillszhuandi-stills-1");
        bytes
    }

    #[test]
    fn no_parser_panics_or_breaks_its_promise_on_broken_input() {
        assert_eq!(
            (records(&log()).count(), stun_ufrag(&binding())),
            (3, Some("abcd"))
        );
        for (name, entry) in TARGETS {
            let seed = match *name {
                "zwl" => log(),
                "sctp" => packets(),
                _ => binding(),
            };
            drive(*entry, &[seed]);
        }
    }
}
