//! What the forwarding path knows about one received packet after parsing it once.

use zhuandi_wire::time::Micros;
use zhuandi_wire::{h264, opus, vp8};

use crate::api::Codec;
use crate::drop_reason::DropReason;
use crate::rewriter::{Numbers, Picture};
use crate::selector::Look;

/// Kept in the history beside the payload.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// When it arrived.
    pub arrival: Micros,
    /// Payload format.
    pub codec: Codec,
    /// Payload type of the publisher, for logs that keep it.
    pub pt: u8,
    /// Timestamp of the publisher.
    pub ts: u32,
    /// Marker bit.
    pub marker: bool,
    /// It starts a key frame; every packet of sound does.
    pub keyframe: bool,
    /// It starts a frame, as far as the payload says.
    pub frame_start: bool,
    /// Audio level element, as it came.
    pub audio_level: Option<u8>,
    /// VP8 payload descriptor.
    pub vp8: Option<vp8::Descriptor>,
    /// Width and height, in the first packet of a key frame.
    pub size: Option<(u16, u16)>,
    /// Length of its sound in ticks of 48 kHz; 0: none, or not said.
    pub sound_ticks: u16,
}

/// A packet on its way into a publication; its payload goes beside it.
#[derive(Clone, Copy, Debug)]
pub struct Incoming {
    /// Index of its encoding.
    pub encoding: u8,
    /// Sequence number.
    pub seq: u16,
    /// It came as a repair.
    pub repaired: bool,
    /// Everything else.
    pub meta: Meta,
}

impl Meta {
    /// Read the payload's descriptor. An empty payload (padding alone) is no error and starts nothing.
    pub fn parse(codec: Codec, payload: &[u8]) -> Result<Meta, DropReason> {
        let mut meta = Meta {
            arrival: Micros(0),
            codec,
            pt: 0,
            ts: 0,
            marker: false,
            keyframe: false,
            frame_start: false,
            audio_level: None,
            vp8: None,
            size: None,
            sound_ticks: 0,
        };
        if payload.is_empty() {
            return Ok(meta);
        }
        match codec {
            Codec::Opus => {
                (meta.keyframe, meta.frame_start) = (true, true);
                meta.sound_ticks = opus::ticks(payload).unwrap_or(0);
            }
            Codec::Red => (meta.keyframe, meta.frame_start) = (true, true),
            Codec::Vp8 => {
                let descriptor =
                    vp8::Descriptor::parse(payload).map_err(|_| DropReason::DescriptorMalformed)?;
                meta.keyframe = descriptor.starts_keyframe(payload);
                meta.frame_start = descriptor.frame_start;
                meta.size = descriptor.frame_size(payload);
                meta.vp8 = Some(descriptor);
            }
            Codec::H264 => {
                let summary =
                    h264::summarise(payload).map_err(|_| DropReason::DescriptorMalformed)?;
                (meta.keyframe, meta.size) = (summary.starts_keyframe, summary.size);
            }
            Codec::Rtx => return Err(DropReason::UnknownPayloadType),
        }
        Ok(meta)
    }

    /// The numbers that the rewriter maps.
    pub fn numbers(&self, seq: u64) -> Numbers {
        let vp8 = self.vp8.unwrap_or_default();
        let picture = Picture {
            id: vp8.picture_id.map_or(0, |id| id.value),
            tl0: vp8.tl0_pic_idx.unwrap_or(0),
        };
        Numbers {
            seq,
            ts: self.ts,
            picture,
        }
    }

    /// The values that the selector judges.
    pub fn look(&self, encoding: u8) -> Look {
        let vp8 = self.vp8.unwrap_or_default();
        Look {
            encoding,
            keyframe: self.keyframe,
            frame_start: self.frame_start,
            temporal: vp8.temporal,
            layer_sync: vp8.layer_sync,
        }
    }

    /// Its temporal layer; 0 where the codec names none.
    pub fn temporal(&self) -> u8 {
        self.vp8.and_then(|vp8| vp8.temporal).unwrap_or(0)
    }

    /// Whether frames of this packet are numbered.
    pub fn has_picture(&self) -> bool {
        self.vp8.is_some_and(|vp8| vp8.picture_id.is_some())
    }
}
