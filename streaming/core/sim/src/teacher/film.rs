//! What one source of a teacher sends: the frames of a recorded run, again and again, and how large its key frames are.

use zhuandi_sfu::api::{Codec, CodecParams, EncodingParams, Extensions, Kind, RtpParameters};

/// Media payload of one packet at most: browsers keep the whole datagram at 1,200 bytes.
pub const MAX_PAYLOAD: usize = 1_130;
/// Most encodings of a source.
pub const MAX_ENCODINGS: usize = 3;

/// One encoded frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilmFrame {
    /// When it was captured, from the start of the film.
    pub at_us: i64,
    /// Which encoding, lowest first.
    pub encoding: u8,
    /// Temporal layer.
    pub temporal: u8,
    /// Refers to the base layer alone (VP8's Y bit).
    pub sync: bool,
    /// Encoded size.
    pub bytes: u32,
}

/// What an encoding is like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilmEncoding {
    /// Picture height in lines; for sound the frame's length in microseconds.
    pub size: u32,
    /// Picture width.
    pub width: u32,
    /// Sizes of the key frames that were seen, taken in turn.
    pub keys: Vec<u32>,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Film {
    /// Sound or picture.
    pub kind: Kind,
    /// `a=mid`, unique within its teacher.
    pub mid: String,
    /// Sorted by time.
    pub frames: Vec<FilmFrame>,
    /// Length.
    pub loop_us: i64,
    /// Lowest quality first.
    pub encodings: Vec<FilmEncoding>,
}

impl Film {
    /// Whether it can be played; the error is a bad argument in words.
    pub fn check(&self) -> Result<(), String> {
        let count = self.encodings.len();
        if self.frames.is_empty() || count == 0 || count > MAX_ENCODINGS {
            return Err(format!(
                "a film of {} frames and {count} encodings",
                self.frames.len()
            ));
        }
        let sorted = self.frames.windows(2).all(|pair| match pair {
            [a, b] => a.at_us <= b.at_us,
            _ => true,
        });
        let last = self.frames.last().map_or(0, |frame| frame.at_us);
        if !sorted || last >= self.loop_us {
            return Err("frames must be in order and within the loop".into());
        }
        if self
            .frames
            .iter()
            .any(|frame| usize::from(frame.encoding) >= count)
        {
            return Err("a frame of an encoding that there is not".into());
        }
        if self.kind == Kind::Video && self.encodings.iter().any(|one| one.keys.is_empty()) {
            return Err("every encoding of a picture needs a key frame".into());
        }
        Ok(())
    }

    /// The m-section under which it is published, with SSRCs from `first_ssrc`.
    pub fn rtp(&self, first_ssrc: u32) -> RtpParameters {
        let many = self.encodings.len() > 1;
        let encodings = (0u32..).zip(&self.encodings).map(|(at, _)| EncodingParams {
            rid: many.then(|| at.to_string()),
            ssrc: Some(first_ssrc + 2 * at),
            rtx_ssrc: (self.kind == Kind::Video).then_some(first_ssrc + 2 * at + 1),
            mid: None,
        });
        parameters(self.kind, &self.mid, encodings.collect())
    }
}

/// Payload types and extension ids, the same on every simulated transport.
pub fn parameters(kind: Kind, mid: &str, encodings: Vec<EncodingParams>) -> RtpParameters {
    let codec = |pt, codec, clock_rate, apt| CodecParams {
        pt,
        codec,
        clock_rate,
        apt,
    };
    let codecs = match kind {
        Kind::Audio => vec![
            codec(63, Codec::Red, 48_000, None),
            codec(111, Codec::Opus, 48_000, None),
        ],
        Kind::Video => vec![
            codec(96, Codec::Vp8, 90_000, None),
            codec(97, Codec::Rtx, 90_000, Some(96)),
        ],
    };
    RtpParameters {
        mid: mid.to_owned(),
        kind,
        codecs,
        extensions: Extensions {
            mid: Some(4),
            twcc: Some(3),
            ..Extensions::default()
        },
        encodings,
        nack: true,
        twcc: true,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Three layers of L1T3 at 25 frames a second for two seconds.
    pub(crate) fn camera() -> Film {
        let frame = |i: i64, encoding: u8| FilmFrame {
            at_us: i * 40_000,
            encoding,
            temporal: [0, 2, 1, 2][(i % 4) as usize],
            sync: i % 4 == 1 || i % 4 == 2,
            bytes: 400 << encoding,
        };
        let layer = |size: u32| FilmEncoding {
            size,
            width: size * 16 / 9,
            keys: vec![20 * size],
        };
        Film {
            kind: Kind::Video,
            mid: "camera".into(),
            frames: (0..48)
                .flat_map(|i| (0..3).map(move |e| frame(i, e)))
                .collect(),
            loop_us: 48 * 40_000,
            encodings: vec![layer(180), layer(360), layer(720)],
        }
    }

    pub(crate) fn voice() -> Film {
        let frame = |i: i64| FilmFrame {
            at_us: i * 20_000,
            encoding: 0,
            temporal: 0,
            sync: false,
            bytes: 70,
        };
        Film {
            kind: Kind::Audio,
            mid: "voice".into(),
            frames: (0..50).map(frame).collect(),
            loop_us: 1_000_000,
            encodings: vec![FilmEncoding {
                size: 20_000,
                ..FilmEncoding::default()
            }],
        }
    }

    #[test]
    fn films_that_cannot_be_played_are_refused() {
        assert_eq!(camera().check(), Ok(()));
        assert_eq!(voice().check(), Ok(()));
        let broken: [fn(&mut Film); 4] = [
            |film| film.frames.reverse(),
            |film| film.loop_us = 1,
            |film| film.encodings.truncate(2),
            |film| film.encodings[0].keys.clear(),
        ];
        for change in broken {
            let mut film = camera();
            change(&mut film);
            assert!(film.check().is_err());
        }
    }
}
