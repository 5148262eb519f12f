//! RTP headers and their extensions.

use proptest::prelude::*;

use super::corpus::rtp_packet;
use crate::Malformed;
use crate::extensions::{self, Form};
use crate::rtp::{self, Fields, Header, Writer};

#[test]
fn a_header_with_csrcs_extension_and_padding_is_read() {
    let packet = [
        0xB1, 0xE0, 0xFF, 0xFE, 0, 0, 0, 9, 0, 0, 0, 7, // fixed
        0, 0, 0, 5, // CSRC
        0xBE, 0xDE, 0, 1, 0x10, 0xAA, 0, 0, // one element, two bytes of padding
        1, 2, 3, 0, 2, // payload, padding
    ];
    let header = Header::parse(&packet).unwrap();
    assert_eq!(
        header.fields,
        Fields {
            marker: true,
            pt: 96,
            seq: 65_534,
            ts: 9,
            ssrc: 7
        }
    );
    assert_eq!((header.len, header.payload(&packet)), (24, Ok(24..27)));
    let elements: Vec<_> = header
        .extensions(&packet)
        .map(|e| (e.id, e.at, e.data.to_vec()))
        .collect();
    assert_eq!(elements, [(1, 21, vec![0xAA])]);
}

#[test]
fn a_header_invalid() {
    let good = rtp_packet(Form::OneByte, &[1]);
    assert_eq!(Header::parse(&good[..11]), Err(Malformed::Truncated));
    assert_eq!(
        Header::parse(&good[..14]),
        Err(Malformed::Truncated),
        "cut in the extension's length"
    );
    assert_eq!(
        Header::parse(&good[..20]),
        Err(Malformed::Truncated),
        "cut in the extension"
    );
    let mut version = good.clone();
    version[0] = 0x50;
    assert_eq!(Header::parse(&version), Err(Malformed::Version));
    for (count, body) in [(0, 4_usize), (5, 4), (255, 4)] {
        let mut padded = vec![0xA0; 12];
        padded[1..].fill(0);
        padded.resize(12 + body - 1, 0);
        padded.push(count);
        assert_eq!(
            Header::parse(&padded).unwrap().payload(&padded),
            Err(Malformed::Padding),
            "padding {count}"
        );
    }
    let empty = [&[0xA0][..], &[0; 11]].concat();
    assert_eq!(
        Header::parse(&empty).unwrap().payload(&empty),
        Err(Malformed::Padding)
    );
}

#[test]
fn a_packet_of_padding_only_has_an_empty_payload() {
    let mut packet = rtp_packet(Form::OneByte, &[]);
    let len = packet.len();
    rtp::pad(&mut packet, 0, 255);
    assert_eq!(packet.len(), len + 255);
    assert_eq!(
        Header::parse(&packet).unwrap().payload(&packet),
        Ok(len..len)
    );
}

#[test]
fn numbers_change_in_place_and_nothing_else_does() {
    let mut packet = rtp_packet(Form::OneByte, &[1, 2]);
    let before = Header::parse(&packet).unwrap();
    rtp::set_seq(&mut packet, 0);
    rtp::set_ts(&mut packet, 1);
    rtp::set_ssrc(&mut packet, 2);
    rtp::set_marker_and_pt(&mut packet, false, 97);
    let after = Header::parse(&packet).unwrap();
    let fields = Fields {
        marker: false,
        pt: 97,
        seq: 0,
        ts: 1,
        ssrc: 2,
    };
    assert_eq!(
        (after.fields, after.len, after.padding),
        (fields, before.len, before.padding)
    );
    assert!(after.extensions(&packet).eq(before.extensions(&packet)));
    let mut short = [0x80];
    rtp::set_seq(&mut short, 5);
    assert_eq!(short, [0x80]);
}

#[test]
fn elements_stop_where_rfc_8285_says() {
    let walk = |form, block: &[u8]| {
        extensions::Elements::new(form, block, 0, block.len())
            .map(|e| e.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        walk(Form::OneByte, &[0, 0x10, 9, 0, 0, 0x31, 1, 2]),
        [1, 3],
        "padding between"
    );
    assert_eq!(
        walk(Form::OneByte, &[0x10, 9, 0xF0, 1, 0x20, 1]),
        [1],
        "id 15 ends"
    );
    assert_eq!(
        walk(Form::OneByte, &[0x10, 9, 0x03, 1, 0x20, 1]),
        [1],
        "id 0 with a length ends"
    );
    assert_eq!(
        walk(Form::OneByte, &[0x10, 9, 0x2F, 1]),
        [1],
        "longer than the block"
    );
    assert_eq!(
        walk(Form::TwoByte, &[200, 0, 0, 7, 1, 5]),
        [200, 7],
        "an empty value"
    );
    assert_eq!(walk(Form::TwoByte, &[7, 1, 5, 8]), [7], "no length");
}

#[test]
fn values_of_elements() {
    assert_eq!(extensions::text(b"h"), Some("h"));
    assert_eq!(
        (
            extensions::text(b""),
            extensions::text(b"a b"),
            extensions::text(&[0xC3, 0xA4])
        ),
        (None, None, None)
    );
    assert_eq!(extensions::twcc(&[0xFF, 0xFE]), Some(65_534));
    assert_eq!(extensions::twcc(&[1]), None);
    assert_eq!(extensions::abs_send_time_bytes(500_000), [0x02, 0, 0]);
    assert_eq!(
        extensions::abs_send_time_bytes(64_000_000 + 1_000_000),
        [0x04, 0, 0]
    );
    assert_eq!(
        extensions::abs_send_time(&extensions::abs_send_time_bytes(-1)),
        Some(0xFF_FFFF)
    );
}

#[test]
fn an_element_that_does_not_fit_its_form_is_not_written() {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, &Fields::default(), Form::OneByte);
    assert_eq!(writer.element(15, &[1]), None);
    assert_eq!(writer.element(0, &[1]), None);
    assert_eq!(writer.element(1, &[]), None);
    assert_eq!(writer.element(1, &[0; 17]), None);
    assert_eq!(writer.finish(), rtp::FIXED_LEN);
    assert_eq!(out[0], 0x80, "no extension bit without an element");
    assert_eq!(
        (Form::for_ids([1, 14]), Form::for_ids([1, 15])),
        (Form::OneByte, Form::TwoByte)
    );
}

proptest! {
    #[test]
    fn headers_survive_writing_and_reading(
        marker: bool, pt in 0_u8..128, seq: u16, ts: u32, ssrc: u32, two_byte: bool,
        elements in prop::collection::vec((1_u8..15, prop::collection::vec(any::<u8>(), 1..17)), 0..8),
        payload in prop::collection::vec(any::<u8>(), 0..50), padding in 0_u8..20,
    ) {
        let fields = Fields { marker, pt, seq, ts, ssrc };
        let mut out = vec![0xEE; 5];
        let mut writer = Writer::new(&mut out, &fields, if two_byte { Form::TwoByte } else { Form::OneByte });
        let places: Vec<_> = elements.iter().map(|(id, data)| writer.element(*id, data)).collect();
        let len = writer.finish();
        out.extend_from_slice(&payload);
        rtp::pad(&mut out, 5, padding);
        let packet = &out[5..];
        let header = Header::parse(packet).unwrap();
        prop_assert_eq!((header.fields, header.len), (fields, len));
        prop_assert_eq!(&packet[header.payload(packet).unwrap()], &payload);
        let found: Vec<_> = header.extensions(packet).collect();
        prop_assert_eq!(found.iter().map(|e| Some(e.at)).collect::<Vec<_>>(), places);
        prop_assert_eq!(found.iter().map(|e| (e.id, e.data.to_vec())).collect::<Vec<_>>(), elements);
    }
}
