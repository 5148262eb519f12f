//! Payload types of one leg: what the publisher's codecs are called on the receiver's transport.

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
    red: Option<u8>,
    vp8: Option<Way>,
    h264: Option<Way>,
}

impl PayloadTypes {
    /// From the receiver's codecs. An empty list (a tap) takes the publisher's own, with redundancy taken off.
    pub fn new(receiver: &[CodecParams], publisher: &[CodecParams]) -> PayloadTypes {
        let tap = receiver.is_empty();
        let table = if tap { publisher } else { receiver };
        let table_pt = |codec| Some(table.iter().find(|known| known.codec == codec)?.pt);
        let way = |codec| {
            let pt = table_pt(codec)?;
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
            red: table_pt(Codec::Red).filter(|_| !tap),
            vp8: way(Codec::Vp8),
            h264: way(Codec::H264),
        }
    }

    /// Payload type of a codec's packets. Redundant sound is taken apart when it comes in; it is no codec of a leg.
    pub fn media(&self, codec: Codec) -> Option<u8> {
        self.way(codec).map(|way| way.pt)
    }

    /// Payload type of the repairs of a codec's packets.
    pub fn rtx(&self, codec: Codec) -> Option<u8> {
        self.way(codec)?.rtx
    }

    /// Payload type of repairs of any picture, for packets of padding.
    pub fn any_rtx(&self) -> Option<u8> {
        self.vp8
            .and_then(|way| way.rtx)
            .or(self.h264.and_then(|way| way.rtx))
    }

    /// Payload type under which sound may carry older frames again; none where the receiver did not negotiate it.
    pub fn redundant(&self) -> Option<u8> {
        self.red.filter(|_| self.opus.is_some())
    }

    fn way(&self, codec: Codec) -> Option<Way> {
        match codec {
            Codec::Opus => self.opus,
            Codec::Vp8 => self.vp8,
            Codec::H264 => self.h264,
            Codec::Red | Codec::Rtx => None,
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

    #[test]
    fn only_a_receiver_that_negotiated_it_gets_redundant_sound() {
        let publisher = [codec(63, Codec::Red, None), codec(111, Codec::Opus, None)];
        let receiver = [codec(9, Codec::Red, None), codec(8, Codec::Opus, None)];
        let pts = PayloadTypes::new(&receiver, &publisher);
        assert_eq!(
            (pts.redundant(), pts.media(Codec::Opus)),
            (Some(9), Some(8))
        );
        let plain = PayloadTypes::new(&[codec(100, Codec::Opus, None)], &publisher);
        assert_eq!(
            (plain.redundant(), plain.media(Codec::Opus)),
            (None, Some(100))
        );
        let tap = PayloadTypes::new(&[], &publisher);
        assert_eq!((tap.redundant(), tap.media(Codec::Opus)), (None, Some(111)));
        let alone = PayloadTypes::new(&[codec(63, Codec::Red, None)], &publisher);
        assert_eq!(alone.redundant(), None, "copies of what?");
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
    }
}
