//! Repair and redundancy of packets, and their framing on TCP: RTX, RED, RFC 4571.

use proptest::prelude::*;

use super::corpus::rtp_packet;
use crate::extensions::Form;
use crate::rtp::{Fields, Header};
use crate::{Malformed, frame4571, red, rtx};

#[test]
fn a_repair_packet_becomes_the_original() {
    let mut payload = Vec::new();
    rtx::wrap(&mut payload, 65_535, &[1, 2, 3]);
    let mut packet = rtp_packet(Form::OneByte, &payload);
    let header = Header::parse(&packet).unwrap();
    let original = rtx::restore(&mut packet, &header, 96, 42).unwrap();
    assert_eq!(
        original.fields,
        Fields {
            pt: 96,
            seq: 65_535,
            ssrc: 42,
            ..header.fields
        }
    );
    assert_eq!(
        &packet[2..][original.payload(&packet[2..]).unwrap()],
        [1, 2, 3]
    );
}

#[test]
fn a_repair_packet_invalid() {
    assert_eq!(rtx::unwrap(&[1]), Err(Malformed::Truncated));
    assert_eq!(
        rtx::unwrap(&[]),
        Err(Malformed::Truncated),
        "a probe of padding only"
    );
    assert_eq!(rtx::unwrap(&[1, 2]), Ok((258, &[][..])));
}

#[test]
fn redundant_blocks_are_read() {
    // Two blocks, 1920 and 960 units old, 2 and 1 bytes long, then the newest frame.
    let payload = [0xEF, 0x1E, 0x00, 2, 0xEF, 0x0F, 0x00, 1, 111, 1, 2, 3, 4, 5];
    let red = red::Red::parse(&payload).unwrap();
    let blocks: Vec<_> = red
        .redundant()
        .map(|b| (b.pt, b.ts_offset, b.data))
        .collect();
    assert_eq!(blocks, [(111, 1920, &[1, 2][..]), (111, 960, &[3][..])]);
    assert_eq!((red.primary_pt, red.primary), (111, &[4, 5][..]));
}

#[test]
fn redundant_blocks_invalid() {
    assert_eq!(red::Red::parse(&[]), Err(Malformed::Truncated));
    assert_eq!(
        red::Red::parse(&[0xEF, 0, 0, 1]),
        Err(Malformed::Truncated),
        "no newest frame"
    );
    assert_eq!(
        red::Red::parse(&[0xEF, 0, 0, 2, 111, 1]),
        Err(Malformed::Length),
        "block longer than the payload"
    );
    let many = [[0x80, 0, 0, 0].repeat(red::MAX_BLOCKS + 1), vec![111]].concat();
    assert_eq!(red::Red::parse(&many), Err(Malformed::Bound));
}

#[test]
fn a_block_that_red_cannot_express_is_left_out() {
    let good = red::Block {
        pt: 111,
        ts_offset: red::MAX_OFFSET,
        data: &[1],
    };
    let long = vec![0; red::MAX_BLOCK_LEN + 1];
    let mut out = Vec::new();
    red::write(
        &mut out,
        &[
            red::Block {
                ts_offset: red::MAX_OFFSET + 1,
                ..good
            },
            red::Block {
                data: &long,
                ..good
            },
            good,
        ],
        111,
        &[2],
    );
    assert_eq!(
        red::Red::parse(&out)
            .unwrap()
            .redundant()
            .collect::<Vec<_>>(),
        [good]
    );
    out.clear();
    red::write(&mut out, &[good; 40], 111, &[2]);
    assert_eq!(
        red::Red::parse(&out).unwrap().redundant().count(),
        red::MAX_BLOCKS
    );
}

/// Feed bytes, take all that is whole.
fn feed(decoder: &mut frame4571::Decoder, bytes: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {
    decoder.extend(bytes);
    let mut seen = Vec::new();
    while let Some(packet) = decoder.next_frame()? {
        seen.push(packet.to_vec());
    }
    Ok(seen)
}

#[test]
fn a_frame_longer_than_the_bound_ends_the_stream() {
    let mut decoder = frame4571::Decoder::default();
    assert_eq!(feed(&mut decoder, &[0, 1, 9, 0x08]), Ok(vec![vec![9]]));
    assert_eq!(feed(&mut decoder, &[0x01, 0]), Err(Malformed::Bound));
    assert_eq!(decoder.peek(), Err(Malformed::Bound));
    assert_eq!(feed(&mut decoder, &[0, 1, 9]), Err(Malformed::Bound));
    assert!(!frame4571::write(
        &mut Vec::new(),
        &vec![0; frame4571::MAX_FRAME + 1]
    ));
}

#[test]
fn what_a_look_leaves_goes_to_the_next_reader() {
    let mut decoder = frame4571::Decoder::default();
    assert_eq!(decoder.peek(), Ok(None));
    assert_eq!(feed(&mut decoder, &[0, 1, 5]), Ok(vec![vec![5]]));
    decoder.extend(&[0, 1, 7, 0, 2, 8]);
    assert_eq!(decoder.peek(), Ok(Some(&[7][..])));
    let mut next = frame4571::Decoder::with(decoder.into_rest());
    assert_eq!(feed(&mut next, &[9]), Ok(vec![vec![7], vec![8, 9]]));
}

proptest! {
    #[test]
    fn red_survives_writing_and_reading(
        blocks in prop::collection::vec((0_u8..128, 0_u16..0x4000, prop::collection::vec(any::<u8>(), 0..100)), 0..6),
        pt in 0_u8..128, primary in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let blocks: Vec<_> = blocks.iter().map(|(pt, ts_offset, data)| red::Block { pt: *pt, ts_offset: *ts_offset, data }).collect();
        let mut out = Vec::new();
        red::write(&mut out, &blocks, pt, &primary);
        let red = red::Red::parse(&out).unwrap();
        prop_assert_eq!(red.redundant().collect::<Vec<_>>(), blocks);
        prop_assert_eq!((red.primary_pt, red.primary), (pt, &primary[..]));
    }

    #[test]
    fn frames_come_out_whole_however_the_stream_is_cut(lens in prop::collection::vec(1_usize..2049, 0..6), cuts in prop::collection::vec(1_usize..900, 1..9)) {
        let packets: Vec<_> = lens.iter().map(|len| vec![(len % 251) as u8; *len]).collect();
        let mut stream = Vec::new();
        prop_assert!(packets.iter().all(|packet| frame4571::write(&mut stream, packet)));
        let (mut decoder, mut seen, mut rest) = (frame4571::Decoder::default(), Vec::new(), stream.as_slice());
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break }
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            seen.extend(feed(&mut decoder, now).unwrap());
            rest = later;
        }
        prop_assert_eq!(seen, packets);
        prop_assert_eq!(decoder.held(), 0);
    }
}
