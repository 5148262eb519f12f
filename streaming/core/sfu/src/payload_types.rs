//! Payload types of one leg: what the publisher's codecs are called on the receiver's transport.

use zhuandi_wire::red;

use crate::api::{Codec, CodecParams};

/// One codec's way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way {
    pt: u8,
    rtx: Option<u8>,
}

/// Table from codec to the payload types of the leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayloadTypes {
    opus: Option<Way>,
    red: Option<Way>,
    vp8: Option<Way>,
    h264: Option<Way>,
}

impl PayloadTypes {
    /// From the receiver's codecs. An empty list (a tap) takes the publisher's own, with redundancy taken off.
    pub fn new(receiver: &[CodecParams], publisher: &[CodecParams]) -> PayloadTypes {
        let tap = receiver.is_empty();
        let table = if tap { publisher } else { receiver };
        let way = |codec| {
            let pt = table.iter().find(|known| known.codec == codec)?.pt;
            let rtx = table
                .iter()
                .find(|known| known.codec == Codec::Rtx && known.apt == Some(pt));
            Some(Way {
                pt,
                rtx: rtx.map(|rtx| rtx.pt),
            })
        };
        PayloadTypes {
            opus: way(Codec::Opus),
            red: way(Codec::Red).filter(|_| !tap),
            vp8: way(Codec::Vp8),
            h264: way(Codec::H264),
        }
    }

    /// Payload type of a codec's packets; redundant sound goes out plain where the receiver has no redundancy.
    pub fn media(&self, codec: Codec) -> Option<u8> {
        self.way(codec).map(|way| way.pt)
    }

    /// Payload type of the repairs of a codec's packets.
    pub fn rtx(&self, codec: Codec) -> Option<u8> {
        self.way(codec)?.rtx
    }

    /// Append the payload as this leg carries it; false when it cannot be.
    pub fn write(&self, out: &mut Vec<u8>, codec: Codec, payload: &[u8]) -> bool {
        let start = out.len();
        match (codec, self.red, self.opus) {
            (Codec::Red, None, _) => {
                let Ok(parsed) = red::Red::parse(payload) else {
                    return false;
                };
                out.extend_from_slice(parsed.primary);
            }
            (Codec::Red, Some(_), Some(opus)) => {
                out.extend_from_slice(payload);
                let copy = out.get_mut(start..).unwrap_or_default();
                return red::rewrite_pts(copy, |_| opus.pt).is_ok();
            }
            _ => out.extend_from_slice(payload),
        }
        true
    }

    fn way(&self, codec: Codec) -> Option<Way> {
        match codec {
            Codec::Opus => self.opus,
            Codec::Red => self.red.or(self.opus),
            Codec::Vp8 => self.vp8,
            Codec::H264 => self.h264,
            Codec::Rtx => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(pt: u8, codec: Codec, apt: Option<u8>) -> CodecParams {
        CodecParams {
            pt,
            codec,
            clock_rate: 48_000,
            apt,
        }
    }

    fn redundant() -> Vec<u8> {
        let mut payload = Vec::new();
        let block = red::Block {
            pt: 111,
            ts_offset: 960,
            data: b"old",
        };
        red::write(&mut payload, &[block], 111, b"newest");
        payload
    }

    #[test]
    fn redundancy_is_taken_off_where_the_receiver_has_none() {
        let publisher = [codec(63, Codec::Red, None), codec(111, Codec::Opus, None)];
        for receiver in [&[codec(100, Codec::Opus, None)][..], &[]] {
            let pts = PayloadTypes::new(receiver, &publisher);
            let mut out = vec![1];
            assert!(pts.write(&mut out, Codec::Red, &redundant()));
            assert_eq!(out, b"\x01newest");
            assert_eq!(
                pts.media(Codec::Red),
                Some(if receiver.is_empty() { 111 } else { 100 })
            );
        }
    }

    #[test]
    fn redundancy_passes_with_the_receivers_payload_types() {
        let receiver = [codec(9, Codec::Red, None), codec(8, Codec::Opus, None)];
        let pts = PayloadTypes::new(&receiver, &[]);
        let mut out = Vec::new();
        assert!(pts.write(&mut out, Codec::Red, &redundant()));
        let parsed = red::Red::parse(&out).unwrap();
        assert_eq!(
            (parsed.primary_pt, parsed.redundant().next().unwrap().pt),
            (8, 8)
        );
        assert_eq!(pts.media(Codec::Red), Some(9));
    }

    #[test]
    fn repairs_have_the_payload_type_of_their_codec() {
        let table = [
            codec(96, Codec::Vp8, None),
            codec(97, Codec::Rtx, Some(96)),
            codec(98, Codec::H264, None),
            codec(99, Codec::Rtx, Some(98)),
        ];
        let pts = PayloadTypes::new(&table, &[]);
        assert_eq!(
            (
                pts.rtx(Codec::Vp8),
                pts.rtx(Codec::H264),
                pts.rtx(Codec::Opus)
            ),
            (Some(97), Some(99), None)
        );
        assert!(!pts.write(&mut Vec::new(), Codec::Red, &[0x80]));
    }
}
