//! Entry points of this crate's parsers of foreign bytes, for libFuzzer and for the short run in `cargo test`.

use zhuandi_wire::fuzz::Entry;
use zhuandi_wire::rtp::Header;
use zhuandi_wire::time::Micros;

use crate::api::{Codec, EncodingParams, Kind};
use crate::encoding::Encoding;
use crate::packet::Meta;
use crate::transport::Epoch;
use crate::transport::fuzz::{client_hello, srtp_packet, stun_message};

/// All entry points by name.
pub const TARGETS: &[(&str, Entry)] = &[
    ("stun", stun_message),
    ("client_hello", client_hello),
    ("srtp", srtp_packet),
    ("media", media),
];

/// Packets of a data channel; it needs an anchor of time, which only `net` can make.
pub fn sctp(epoch: Epoch, data: &[u8]) {
    crate::channel::fuzz::sctp(epoch, data);
}

/// Authenticated packets of any content go into an encoding; what it keeps is what came.
fn media(data: &[u8]) {
    for (codec, kind) in [
        (Codec::Vp8, Kind::Video),
        (Codec::H264, Kind::Video),
        (Codec::Red, Kind::Audio),
    ] {
        let mut encoding = Encoding::new(EncodingParams::default(), kind, 90_000);
        for (at, packet) in (0..).zip(data.chunks(64)) {
            let Ok(header) = Header::parse(packet) else {
                continue;
            };
            let payload = header
                .payload(packet)
                .ok()
                .and_then(|range| packet.get(range));
            let Some(payload) = payload else { continue };
            let Ok(meta) = Meta::parse(codec, payload) else {
                continue;
            };
            let now = Micros(at * 1000);
            let meta = Meta {
                ts: header.fields.ts,
                ..meta
            };
            if let Ok(taken) =
                encoding.take(now, header.fields.seq, header.fields.marker, meta, payload)
            {
                let kept = encoding.history.get(taken.seq).map(|(_, bytes)| bytes);
                assert_eq!(kept, Some(payload));
            }
            let _ = (
                encoding.fresh_chain(now),
                encoding.report(now),
                encoding.nacks.due(now, None),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zhuandi_wire::fuzz::drive;
    use zhuandi_wire::rtp::{Fields, Writer};

    fn packets(payload: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        for step in 0..6u16 {
            let fields = Fields {
                marker: step == 3,
                pt: 96,
                seq: 65_534u16.wrapping_add(step),
                ts: 9,
                ssrc: 7,
            };
            let start = all.len();
            Writer::new(&mut all, &fields, zhuandi_wire::extensions::Form::OneByte).finish();
            all.extend_from_slice(payload);
            all.resize(start + 64, 0x11);
        }
        all
    }

    /// A Binding request with USERNAME, PRIORITY and USE-CANDIDATE, and an integrity value of nobody.
    fn binding() -> Vec<u8> {
        let mut bytes = vec![0, 1, 0, 52, 0x21, 0x12, 0xA4, 0x42];
        bytes.extend([5; 12]);
        bytes.extend([
            0, 6, 0, 9, b'a', b'b', b'c', b'd', b':', b'w', b'x', b'y', b'z', 0, 0, 0,
        ]);
        bytes.extend([0, 0x24, 0, 4, 1, 2, 3, 4, 0, 0x25, 0, 0, 0, 8, 0, 20]);
        bytes.extend([9; 20]);
        bytes
    }

    /// A ClientHello with use_srtp in one record.
    fn hello() -> Vec<u8> {
        let mut body = vec![0xFE, 0xFD];
        body.extend([3; 32]);
        body.extend([
            0, 0, 0, 2, 0xC0, 0x2B, 1, 0, 0, 13, 0, 14, 0, 9, 0, 6, 0, 8, 0, 7, 0, 1, 0,
        ]);
        let len = body.len() as u8;
        let mut bytes = vec![22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, len + 12];
        bytes.extend([1, 0, 0, len, 0, 0, 0, 0, 0, 0, 0, len]);
        bytes.extend(body);
        bytes
    }

    fn seeds(name: &str) -> Vec<Vec<u8>> {
        match name {
            "stun" => vec![binding()],
            "client_hello" => vec![hello()],
            "srtp" => vec![
                packets(&[1; 40]),
                vec![0x81, 200, 0, 6, 0, 0, 0, 7, 9, 9, 9, 9, 0x80, 0, 0, 1],
            ],
            _ => vec![
                packets(&[
                    0x90, 0xE0, 0x80, 0x11, 0x22, 0x20, 0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A, 0x80,
                    0x02, 0x68, 0x01,
                ]),
                packets(&[0x65, 0x88, 0x84]),
                packets(&[0xEF, 0x0F, 0, 4, 111, 1, 2, 3, 4, 5]),
            ],
        }
    }

    #[test]
    fn no_parser_panics_or_breaks_its_promise_on_broken_packets() {
        for (name, entry) in TARGETS {
            drive(*entry, &seeds(name));
        }
    }
}
