//! VP8 descriptors and H.264 payloads.

use proptest::prelude::*;

use super::{STARTS, corpus};
use crate::Malformed;
use crate::h264::{self, Summary};
use crate::vp8::{Descriptor, PictureId};

#[test]
fn a_vp8_key_frame_says_its_size_and_numbers() {
    let found = Descriptor::parse(corpus::VP8_KEY).unwrap();
    let expected = Descriptor {
        len: 6,
        frame_start: true,
        picture_id: Some(PictureId {
            value: 0x11,
            wide: true,
        }),
        tl0_pic_idx: Some(0x22),
        temporal: Some(0),
        layer_sync: true,
        ..Descriptor::default()
    };
    assert_eq!(found, expected);
    assert!(found.starts_keyframe(corpus::VP8_KEY));
    assert_eq!(found.frame_size(corpus::VP8_KEY), Some((640, 360)));
}

#[test]
fn vp8_descriptors_of_every_shape() {
    let plain = Descriptor::parse(&[0x10, 0x01]).unwrap();
    assert_eq!(
        plain,
        Descriptor {
            len: 1,
            frame_start: true,
            ..Descriptor::default()
        }
    );
    assert!(!plain.starts_keyframe(&[0x10, 0x01]), "an inter frame");
    let narrow = Descriptor::parse(&[0xB0, 0xF0, 0x7F, 9, 0xBF, 1]).unwrap();
    assert_eq!(
        narrow.picture_id,
        Some(PictureId {
            value: 127,
            wide: false
        })
    );
    assert_eq!(
        (
            narrow.temporal,
            narrow.layer_sync,
            narrow.key_idx,
            narrow.disposable
        ),
        (Some(2), true, Some(31), true)
    );
    let later = Descriptor::parse(&[0x91, 0x00, 0x00]).unwrap();
    assert!(!later.frame_start, "partition 1 starts no frame");
    let reserved = Descriptor::parse(&[0x50, 0x00]).unwrap();
    assert!(reserved.frame_start, "the reserved bit is ignored");
}

#[test]
fn vp8_descriptors_invalid() {
    for cut in 0..=6 {
        assert_eq!(
            Descriptor::parse(&corpus::VP8_KEY[..cut]),
            Err(Malformed::Truncated),
            "cut to {cut}"
        );
    }
    assert!(Descriptor::parse(&corpus::VP8_KEY[..7]).is_ok());
    let found = Descriptor::parse(&corpus::VP8_KEY[..10]).unwrap();
    assert_eq!(found.frame_size(&corpus::VP8_KEY[..10]), None, "header cut");
}

#[test]
fn picture_ids_are_rewritten_in_their_width_from_every_start() {
    for start in STARTS {
        let mut payload = corpus::VP8_KEY.to_vec();
        Descriptor::parse(&payload)
            .unwrap()
            .rewrite(&mut payload, start, 0xFE);
        let found = Descriptor::parse(&payload).unwrap();
        assert_eq!(
            found.picture_id,
            Some(PictureId {
                value: start & 0x7FFF,
                wide: true
            })
        );
        assert_eq!(found.tl0_pic_idx, Some(0xFE));
        assert_eq!(payload[5..], corpus::VP8_KEY[5..]);
        let mut narrow = [0x90, 0x80, 0x05, 1];
        Descriptor::parse(&narrow)
            .unwrap()
            .rewrite(&mut narrow, start, 0xFE);
        assert_eq!(narrow, [0x90, 0x80, (start & 0x7F) as u8, 1]);
        let mut without = [0x90, 0x40, 0x05, 1];
        Descriptor::parse(&without)
            .unwrap()
            .rewrite(&mut without, start, 0xFE);
        assert_eq!(without, [0x90, 0x40, 0xFE, 1]);
    }
}

#[test]
fn h264_key_frames_start_at_a_parameter_set_or_the_first_idr_slice() {
    let key = |payload: &[u8]| h264::summarise(payload).unwrap().starts_keyframe;
    assert!(key(corpus::SPS_720P));
    assert!(key(&corpus::stap_a()), "a set in an aggregate");
    assert!(key(&[0x65, 0x88]), "the first slice");
    assert!(!key(&[0x65, 0x40]), "a later slice of the same picture");
    assert!(
        key(&[0x7C, 0x85, 0x88]) && !key(&[0x7C, 0x05, 0x88]) && !key(&[0x7C, 0x45, 0x88]),
        "fragments"
    );
    assert!(!key(&[0x41, 0x9A]) && !key(&[0x68, 0xCE]));
}

#[test]
fn h264_summaries() {
    let size = Some((1280, 720));
    assert_eq!(
        h264::summarise(corpus::SPS_720P),
        Ok(Summary {
            starts_keyframe: true,
            size,
            ..Summary::default()
        })
    );
    assert!(h264::summarise(&[0x01, 0x9A]).unwrap().disposable);
    assert!(h264::summarise(&[0x7C, 0x05, 0x88]).unwrap().idr);
    let units: Vec<_> = h264::units(&corpus::stap_a())
        .map(|unit| unit.unwrap().kind)
        .collect();
    assert_eq!(units, [h264::nal::SPS, h264::nal::PPS]);
}

#[test]
fn h264_invalid() {
    assert_eq!(h264::summarise(&[]), Err(Malformed::Truncated));
    assert_eq!(
        h264::summarise(&[0x7C]),
        Err(Malformed::Truncated),
        "a fragment without header"
    );
    assert_eq!(
        h264::summarise(&[0x78, 0, 9, 1]),
        Err(Malformed::Truncated),
        "unit longer than the aggregate"
    );
    assert_eq!(
        h264::summarise(&[0x78, 0, 0]),
        Err(Malformed::Length),
        "an empty unit"
    );
    assert_eq!(
        h264::summarise(&[0x78, 0, 2, 0x7C, 0x85]),
        Err(Malformed::Reserved),
        "a fragment in an aggregate"
    );
    for kind in [0, 25, 26, 27, 29, 30, 31] {
        assert_eq!(
            h264::summarise(&[0x60 | kind, 1, 2]),
            Err(Malformed::Reserved),
            "type {kind}"
        );
    }
}

#[test]
fn a_parameter_set_cut_anywhere_has_no_size_or_the_right_one() {
    for cut in 0..corpus::SPS_720P.len() - 1 {
        let size = h264::frame_size(&corpus::SPS_720P[1..][..cut]);
        assert!(
            size.is_none() || size == Some((1280, 720)),
            "cut to {cut}: {size:?}"
        );
    }
}

proptest! {
    #[test]
    fn a_vp8_descriptor_is_read_as_it_was_built(
        wide: bool, id in prop::option::of(0_u16..0x8000), tl0: Option<u8>, tid in prop::option::of((0_u8..4, any::<bool>())),
        key in prop::option::of(0_u8..32), disposable: bool, start: bool,
    ) {
        let id = id.map(|value| PictureId { value: if wide { value } else { value & 0x7F }, wide });
        let extended = id.is_some() || tl0.is_some() || tid.is_some() || key.is_some();
        let mut bytes = vec![u8::from(extended) << 7 | u8::from(disposable) << 5 | u8::from(start) << 4];
        if extended {
            bytes.push(u8::from(id.is_some()) << 7 | u8::from(tl0.is_some()) << 6 | u8::from(tid.is_some()) << 5 | u8::from(key.is_some()) << 4);
        }
        match id {
            Some(id) if id.wide => bytes.extend((id.value | 0x8000).to_be_bytes()),
            Some(id) => bytes.push(id.value as u8),
            None => {}
        }
        bytes.extend(tl0);
        if tid.is_some() || key.is_some() {
            let (temporal, sync) = tid.unwrap_or_default();
            bytes.push(temporal << 6 | u8::from(sync) << 5 | key.unwrap_or_default());
        }
        let len = bytes.len() as u8;
        bytes.push(0x55);
        let expected = Descriptor {
            len, disposable, frame_start: start, picture_id: id, tl0_pic_idx: tl0,
            temporal: tid.map(|t| t.0), layer_sync: tid.is_some_and(|t| t.1), key_idx: key,
        };
        prop_assert_eq!(Descriptor::parse(&bytes), Ok(expected));
    }
}
