//! One received media source: which encoding a packet belongs to, and the legs that it goes out on.

use zhuandi_wire::time::Micros;

use crate::api::{Codec, CodecParams, Kind, LessonId, PublicationId, RtpParameters};
use crate::drop_reason::DropReason;
use crate::encoding::Encoding;
use crate::keyframes::KeyframeRule;

/// Most encodings of one publication.
pub const MAX_ENCODINGS: usize = 4;

/// See the module.
#[derive(Debug)]
pub struct Publication {
    /// Handle.
    pub id: PublicationId,
    /// Its lesson.
    pub lesson: LessonId,
    /// Index of the transport that it comes from; none for a player.
    pub transport: Option<u32>,
    /// m-section.
    pub rtp: RtpParameters,
    /// Lowest quality first.
    pub encodings: Vec<Encoding>,
    /// Indexes of the legs that are connected.
    pub legs: Vec<u32>,
    /// When to ask for key frames.
    pub rule: KeyframeRule,
    alive: u8,
}

/// How a payload type of the publisher is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Media of this codec.
    Media(Codec),
    /// Repair of the media payload type `apt`.
    Repair(u8),
}

impl Publication {
    /// A publication that has received nothing.
    pub fn new(
        id: PublicationId,
        lesson: LessonId,
        transport: Option<u32>,
        rtp: RtpParameters,
    ) -> Publication {
        let rate = rtp
            .codecs
            .iter()
            .find(|codec| codec.codec != Codec::Rtx)
            .map_or(90_000, |codec| codec.clock_rate);
        let mut wanted = rtp.encodings.clone();
        wanted.truncate(MAX_ENCODINGS);
        if wanted.is_empty() {
            wanted.push(crate::api::EncodingParams::default());
        }
        let encodings = wanted
            .into_iter()
            .map(|params| Encoding::new(params, rtp.kind, rate))
            .collect();
        Publication {
            id,
            lesson,
            transport,
            rtp,
            encodings,
            legs: Vec::new(),
            rule: KeyframeRule::default(),
            alive: 0,
        }
    }

    /// Sound or picture.
    pub fn is_video(&self) -> bool {
        self.rtp.kind == Kind::Video
    }

    /// What a payload type of this publisher means.
    pub fn payload(&self, pt: u8) -> Result<Payload, DropReason> {
        let known = self
            .rtp
            .codecs
            .iter()
            .find(|codec| codec.pt == pt)
            .ok_or(DropReason::UnknownPayloadType)?;
        match known {
            CodecParams {
                codec: Codec::Rtx,
                apt: Some(apt),
                ..
            } => Ok(Payload::Repair(*apt)),
            CodecParams {
                codec: Codec::Rtx, ..
            } => Err(DropReason::UnknownPayloadType),
            CodecParams { codec, .. } => Ok(Payload::Media(*codec)),
        }
    }

    /// Payload type under which this publisher sends a codec.
    pub fn pt_of(&self, codec: Codec) -> Option<u8> {
        self.rtp
            .codecs
            .iter()
            .find(|known| known.codec == codec)
            .map(|known| known.pt)
    }

    /// The encoding with this rid; the only one when the packet names none.
    pub fn encoding_of_rid(&self, rid: Option<&str>) -> Option<u8> {
        let found = match rid {
            Some(rid) => self
                .encodings
                .iter()
                .position(|encoding| encoding.params.rid.as_deref() == Some(rid)),
            None => (self.encodings.len() == 1).then_some(0),
        };
        found.and_then(|index| u8::try_from(index).ok())
    }

    /// One encoding.
    pub fn encoding(&self, index: u8) -> Option<&Encoding> {
        self.encodings.get(usize::from(index))
    }

    /// One encoding, to change it.
    pub fn encoding_mut(&mut self, index: u8) -> Option<&mut Encoding> {
        self.encodings.get_mut(usize::from(index))
    }

    /// Look which encodings arrive; answers the bit mask when it changed. When all are silent the last ones stay: a still
    /// screen sends nothing, and who joins then needs it, too.
    pub fn refresh_alive(&mut self, now: Micros) -> Option<u8> {
        let alive = (0u8..)
            .zip(&self.encodings)
            .filter(|(_, encoding)| encoding.is_alive(now));
        let mask = alive.fold(0u8, |mask, (index, _)| mask | 1 << index.min(7));
        let changed = mask != self.alive && mask != 0;
        if changed {
            self.alive = mask;
        }
        changed.then_some(mask)
    }

    /// Bit mask of the encodings that arrive, as of the last look.
    pub fn alive(&self) -> u8 {
        self.alive
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{EncodingParams, Extensions};

    fn simulcast() -> Publication {
        let encodings = ["l", "m", "h"].map(|rid| EncodingParams {
            rid: Some(rid.into()),
            ..EncodingParams::default()
        });
        let codecs = vec![
            CodecParams {
                pt: 96,
                codec: Codec::Vp8,
                clock_rate: 90_000,
                apt: None,
            },
            CodecParams {
                pt: 97,
                codec: Codec::Rtx,
                clock_rate: 90_000,
                apt: Some(96),
            },
        ];
        let rtp = RtpParameters {
            mid: "2".into(),
            kind: Kind::Video,
            codecs,
            extensions: Extensions::default(),
            encodings: encodings.to_vec(),
            nack: true,
            twcc: true,
        };
        Publication::new(PublicationId(1), LessonId(1), Some(0), rtp)
    }

    #[test]
    fn encodings_are_found_by_rid_and_payload_types_by_table() {
        let publication = simulcast();
        assert_eq!(publication.encoding_of_rid(Some("h")), Some(2));
        assert_eq!(publication.encoding_of_rid(Some("x")), None);
        assert_eq!(publication.encoding_of_rid(None), None, "ambiguous");
        assert_eq!(publication.payload(96), Ok(Payload::Media(Codec::Vp8)));
        assert_eq!(publication.payload(97), Ok(Payload::Repair(96)));
        assert_eq!(publication.payload(98), Err(DropReason::UnknownPayloadType));
    }
}
