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
    /// Its packets are taken in; otherwise they end at the door.
    pub granted: bool,
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
            granted: true,
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

    /// Whether packets of this m-section belong here.
    pub fn comes_on(&self, mid: &str) -> bool {
        let mut others = self.encodings.iter().map(|encoding| &encoding.params.mid);
        self.rtp.mid == mid || others.any(|other| other.as_deref() == Some(mid))
    }

    /// The encoding of an m-section of its own, else the one with this rid; the only one when the packet names none.
    pub fn encoding_of(&self, mid: Option<&str>, rid: Option<&str>) -> Option<u8> {
        let own = mid.filter(|mid| self.rtp.mid != *mid);
        let named = |encoding: &Encoding| match (own, rid) {
            (Some(_), _) => encoding.params.mid.as_deref() == own,
            (None, Some(_)) => encoding.params.rid.as_deref() == rid,
            (None, None) => encoding.params.mid.is_none(),
        };
        let mut found = (0u8..).zip(&self.encodings).filter(|(_, one)| named(one));
        let (index, _) = found.next()?;
        found.next().is_none().then_some(index)
    }

    /// Whether legs choose among several encodings that may come and go.
    pub fn has_choice(&self) -> bool {
        self.is_video() || self.encodings.len() > 1
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
    fn an_encoding_may_come_on_an_m_section_of_its_own() {
        let mut rtp = simulcast().rtp;
        rtp.mid = "0".into();
        let low = EncodingParams {
            mid: Some("1".into()),
            ..EncodingParams::default()
        };
        rtp.encodings = vec![low, EncodingParams::default()];
        let publication = Publication::new(PublicationId(1), LessonId(1), Some(0), rtp);
        assert!(publication.comes_on("0") && publication.comes_on("1"));
        assert!(!publication.comes_on("2"));
        assert_eq!(publication.encoding_of(Some("1"), None), Some(0));
        assert_eq!(publication.encoding_of(Some("0"), None), Some(1));
        assert_eq!(publication.encoding_of(None, None), Some(1));
    }

    #[test]
    fn encodings_are_found_by_rid_and_payload_types_by_table() {
        let publication = simulcast();
        assert_eq!(publication.encoding_of(Some("2"), Some("h")), Some(2));
        assert_eq!(publication.encoding_of(None, Some("x")), None);
        assert_eq!(publication.encoding_of(None, None), None, "ambiguous");
        assert_eq!(publication.payload(96), Ok(Payload::Media(Codec::Vp8)));
        assert_eq!(publication.payload(97), Ok(Payload::Repair(96)));
        assert_eq!(publication.payload(98), Err(DropReason::UnknownPayloadType));
    }
}
