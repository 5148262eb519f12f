//! Made-up media whose every packet says what it is: which encoding, frame and packet of it.

use std::sync::Arc;

use zhuandi_sfu::api::{
    Codec, CodecParams, EncodingParams, Extensions, Kind, LogRecord, Played, PlayedPacket,
    RtpParameters,
};
use zhuandi_wire::rtp::{Fields, Header, Writer};
use zhuandi_wire::{extensions::Form, vp8};

/// Frames a second.
pub const FPS: i64 = 25;

/// Which part of which frame a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    pub encoding: u8,
    pub frame: u32,
    pub part: u8,
    pub keyframe: bool,
}

/// A packet as a tap wrote it.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub at_us: i64,
    pub fields: Fields,
    pub picture: Option<u16>,
    pub tl0: Option<u8>,
    pub temporal: Option<u8>,
    pub label: Label,
}

/// m-section of a camera; `named`: with SSRCs that start at this number.
pub fn video(rids: &[&str], named: Option<u32>) -> RtpParameters {
    let encodings = rids.iter().zip(0u32..).map(|(rid, index)| EncodingParams {
        rid: (rids.len() > 1).then(|| (*rid).to_owned()),
        ssrc: named.map(|ssrc| ssrc + 2 * index),
        rtx_ssrc: named.map(|ssrc| ssrc + 2 * index + 1),
        mid: None,
    });
    let codec = |pt, codec, apt| CodecParams {
        pt,
        codec,
        clock_rate: 90_000,
        apt,
    };
    RtpParameters {
        mid: "2".into(),
        kind: Kind::Video,
        codecs: vec![codec(96, Codec::Vp8, None), codec(97, Codec::Rtx, Some(96))],
        extensions: Extensions {
            mid: Some(4),
            rid: Some(10),
            repaired_rid: Some(11),
            twcc: Some(3),
            abs_send_time: Some(2),
            audio_level: None,
        },
        encodings: encodings.collect(),
        nack: true,
        twcc: true,
    }
}

/// m-section of a microphone, without RTX.
pub fn audio(named: Option<u32>) -> RtpParameters {
    RtpParameters {
        mid: "0".into(),
        kind: Kind::Audio,
        codecs: vec![CodecParams {
            pt: 111,
            codec: Codec::Opus,
            clock_rate: 48_000,
            apt: None,
        }],
        extensions: Extensions {
            mid: Some(4),
            twcc: Some(3),
            audio_level: Some(1),
            ..Extensions::default()
        },
        encodings: vec![EncodingParams {
            ssrc: named,
            ..EncodingParams::default()
        }],
        nack: true,
        twcc: true,
    }
}

/// What is played: `layers` encodings, a key frame every `keyframe_every` frames, L1T2 where wanted.
pub struct Film {
    pub layers: u8,
    pub seconds: i64,
    pub keyframe_every: u32,
    pub temporal: bool,
    pub first_seq: u16,
}

impl Film {
    /// The packets of the film.
    pub fn played(&self) -> Played {
        let mut packets = Vec::new();
        let mut seqs = vec![self.first_seq; usize::from(self.layers)];
        for frame in 0..u32::try_from(self.seconds * FPS).unwrap() {
            for encoding in 0..self.layers {
                let keyframe = frame % self.keyframe_every == 0;
                let parts = (1u8 << encoding) * if keyframe { 3 } else { 1 };
                for part in 0..parts {
                    let seq = &mut seqs[usize::from(encoding)];
                    let label = Label {
                        encoding,
                        frame,
                        part,
                        keyframe,
                    };
                    let rtp = self.packet(*seq, label, part + 1 == parts);
                    *seq = seq.wrapping_add(1);
                    packets.push(PlayedPacket {
                        at_us: i64::from(frame) * 1_000_000 / FPS,
                        encoding,
                        rtp,
                    });
                }
            }
        }
        Played {
            packets: packets.into(),
            loop_us: self.seconds * 1_000_000,
        }
    }

    fn packet(&self, seq: u16, label: Label, marker: bool) -> Arc<[u8]> {
        let Label {
            encoding,
            frame,
            part,
            keyframe,
        } = label;
        let ts = u32::from(encoding)
            .wrapping_mul(900_000_000)
            .wrapping_add(frame * 3600);
        let mut out = Vec::new();
        let fields = Fields {
            marker,
            pt: 96,
            seq,
            ts,
            ssrc: 1,
        };
        Writer::new(&mut out, &fields, Form::OneByte).finish();
        let temporal = u8::from(self.temporal && frame % 2 == 1);
        let picture = u16::try_from((frame + 32_700) & 0x7FFF).unwrap() | 0x8000;
        let tl0 = u8::try_from(if self.temporal { frame / 2 } else { frame } & 0xFF).unwrap();
        out.extend_from_slice(&[0x80 | if part == 0 { 0x10 } else { 0 }, 0xE0]);
        out.extend_from_slice(&picture.to_be_bytes());
        out.extend_from_slice(&[tl0, temporal << 6 | 0x20]);
        out.extend_from_slice(&[u8::from(!keyframe), 0, 0, 0x9D, 0x01, 0x2A, 64, 1, 180, 0]);
        out.extend_from_slice(&[encoding, part, u8::from(keyframe)]);
        out.extend_from_slice(&frame.to_be_bytes());
        out.resize(out.len() + 700, 7);
        out.into()
    }
}

/// A voice: fifty packets a second.
pub fn voice(seconds: i64, first_seq: u16) -> Played {
    let packet = |i: u16| {
        let mut out = Vec::new();
        let fields = Fields {
            marker: i == 0,
            pt: 111,
            seq: first_seq.wrapping_add(i),
            ts: u32::from(i) * 960,
            ssrc: 1,
        };
        Writer::new(&mut out, &fields, Form::OneByte).finish();
        out.extend_from_slice(&i.to_be_bytes());
        out.resize(out.len() + 60, 3);
        PlayedPacket {
            at_us: i64::from(i) * 20_000,
            encoding: 0,
            rtp: out.into(),
        }
    };
    let packets: Vec<_> = (0..u16::try_from(seconds * 50).unwrap())
        .map(packet)
        .collect();
    Played {
        packets: packets.into(),
        loop_us: seconds * 1_000_000,
    }
}

/// The video packets of a tap, in the order of arrival.
pub fn seen(log: &[LogRecord], track: u16) -> Vec<Seen> {
    let rtp = log
        .iter()
        .filter(|record| record.track == track && record.kind == 1);
    rtp.map(|record| {
        let header = Header::parse(&record.body).unwrap();
        let payload = &record.body[header.payload(&record.body).unwrap()];
        let descriptor = vp8::Descriptor::parse(payload).unwrap();
        let data = &payload[usize::from(descriptor.len) + 10..];
        let label = Label {
            encoding: data[0],
            part: data[1],
            keyframe: data[2] == 1,
            frame: u32::from_be_bytes([data[3], data[4], data[5], data[6]]),
        };
        Seen {
            at_us: record.arrival_us,
            fields: header.fields,
            picture: descriptor.picture_id.map(|id| id.value),
            tl0: descriptor.tl0_pic_idx,
            temporal: descriptor.temporal,
            label,
        }
    })
    .collect()
}

/// Sequence number, timestamp and number of each sound packet of a tap, in the order of arrival.
pub fn heard(log: &[LogRecord], track: u16) -> Vec<(u16, u32, u16)> {
    let rtp = log
        .iter()
        .filter(|record| record.track == track && record.kind == 1);
    rtp.map(|record| {
        let header = Header::parse(&record.body).unwrap();
        let payload = &record.body[header.len..];
        (
            header.fields.seq,
            header.fields.ts,
            u16::from_be_bytes([payload[0], payload[1]]),
        )
    })
    .collect()
}
