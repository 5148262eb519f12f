//! Valid packets of every kind: what the mutator starts from.

use crate::extensions::Form;
use crate::rtcp::{self, FirEntry, ReportBlock, SenderInfo};
use crate::rtp::{self, Fields, Writer};
use crate::time::Micros;
use crate::{frame4571, red, rtx, twcc};

/// A Baseline 3.1 sequence parameter set of 1280 x 720, as a NAL unit.
pub(crate) const SPS_720P: &[u8] = &[
    0x67, 0x42, 0xC0, 0x1F, 0x8C, 0x68, 0x05, 0x00, 0x5B, 0xA1, 0x00, 0x00, 0x03, 0x00, 0x01,
];
/// An extended VP8 descriptor with a 15-bit picture id, TL0PICIDX and temporal layer, then a 640 x 360 key frame's header.
pub(crate) const VP8_KEY: &[u8] = &[
    0x90, 0xE0, 0x80, 0x11, 0x22, 0x20, 0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0x68, 0x01,
    0x00,
];

/// A media packet with five extension elements around `payload`.
pub(crate) fn rtp_packet(form: Form, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let fields = Fields {
        marker: true,
        pt: 96,
        seq: 65_535,
        ts: 0xFFFF_FF00,
        ssrc: 0x1234_5678,
    };
    let mut writer = Writer::new(&mut out, &fields, form);
    for (id, data) in [
        (4, b"2".as_slice()),
        (10, b"h"),
        (3, &[0x12, 0x34]),
        (2, &[1, 2, 3]),
        (1, &[0xAA]),
    ] {
        writer.element(id, data);
    }
    writer.finish();
    out.extend_from_slice(payload);
    out
}

/// Every RTCP message that we write, one after the other.
pub(crate) fn rtcp_compound() -> Vec<u8> {
    let mut out = Vec::new();
    let block = ReportBlock {
        ssrc: 9,
        fraction_lost: 3,
        total_lost: -2,
        highest_seq: 0x1_FFFF,
        ..ReportBlock::default()
    };
    let info = SenderInfo {
        ntp: 0x0123_4567_89AB_CDEF,
        rtp_ts: 5,
        packets: 6,
        octets: 7,
    };
    rtcp::write_sender_report(&mut out, 1, &info, &[block, block]);
    rtcp::write_receiver_report(&mut out, 1, &[block]);
    rtcp::write_cname(&mut out, 1, "classroom-7");
    rtcp::write_nack(&mut out, 1, 2, &[65_534, 65_535, 3, 40]);
    rtcp::write_pli(&mut out, 1, 2);
    rtcp::write_fir(
        &mut out,
        1,
        FirEntry {
            ssrc: 2,
            number: 200,
        },
    );
    rtcp::write_remb(&mut out, 1, 2_500_000, &[2, 3]);
    out.extend_from_slice(&feedback(65_530, 40));
    rtcp::write_bye(&mut out, &[1, 2]);
    out
}

/// A transport-cc message about every second to third packet from `start` on.
pub(crate) fn feedback(start: u64, packets: u64) -> Vec<u8> {
    let arrivals: Vec<_> = (0..packets)
        .filter(|i| i % 5 != 2 && !(20..32).contains(i))
        .map(|i| twcc::Arrival {
            index: start + i,
            at: Micros(1_000_000 + i.cast_signed() * 700 + if i == 11 { 90_000 } else { 0 }),
        })
        .collect();
    let mut out = Vec::new();
    twcc::write_feedback(&mut out, 1, 2, 7, start, &arrivals);
    out
}

/// A payload with two older frames.
fn red_payload() -> Vec<u8> {
    let mut out = Vec::new();
    let old = red::Block {
        pt: 111,
        ts_offset: 1920,
        data: &[1, 2, 3],
    };
    red::write(
        &mut out,
        &[
            old,
            red::Block {
                ts_offset: 960,
                data: &[4; 90],
                ..old
            },
        ],
        111,
        &[5; 80],
    );
    out
}

/// Both parameter sets in one aggregate.
pub(crate) fn stap_a() -> Vec<u8> {
    let sps_len = u8::try_from(SPS_720P.len()).unwrap();
    [
        &[0x78, 0, sps_len],
        SPS_720P,
        &[0, 4, 0x68, 0xCE, 0x3C, 0x80],
    ]
    .concat()
}

/// Frames on a TCP connection, an empty one too.
fn frames() -> Vec<u8> {
    let mut out = Vec::new();
    for len in [0, 1, 300, 3] {
        frame4571::write(&mut out, &vec![7; len]);
    }
    out
}

/// A repair packet, and one with padding.
fn repairs() -> Vec<Vec<u8>> {
    let mut payload = Vec::new();
    rtx::wrap(&mut payload, 4711, &[9; 30]);
    let mut padded = rtp_packet(Form::TwoByte, &payload);
    rtp::pad(&mut padded, 0, 3);
    vec![rtp_packet(Form::OneByte, &payload), padded]
}

/// Valid inputs of the fuzz target `name`.
/// An OPEN as a browser sends it for `{ordered: false, maxRetransmits: 0}`.
pub(crate) fn channel_open() -> Vec<u8> {
    let mut bytes = vec![3, 0x81, 1, 0, 0, 0, 0, 0, 0, 6, 0, 16];
    bytes.extend(b"stillszhuandi-stills-1");
    bytes
}

/// One message of each kind.
pub(crate) fn still_messages() -> Vec<Vec<u8>> {
    let mut begin = vec![1, 1, 0, 7, 1, 0, 5, 0, 2, 0xD0, 0, 0, 0x4E, 0x20];
    begin.extend([0, 0, 1, 2]);
    begin.extend([0xAB; 32]);
    vec![
        begin,
        vec![2, 0, 0, 7, 0, 3, 1, 2, 3],
        vec![3, 0, 0, 7, 0xE0, 1],
    ]
}

pub(crate) fn seeds(name: &str) -> Vec<Vec<u8>> {
    match name {
        "rtp" => {
            let mut padded = rtp_packet(Form::OneByte, &[1, 2, 3]);
            rtp::pad(&mut padded, 0, 7);
            vec![
                rtp_packet(Form::OneByte, &[]),
                rtp_packet(Form::TwoByte, &[5; 20]),
                padded,
            ]
        }
        "rtcp" => vec![rtcp_compound(), feedback(0, 200)],
        "twcc" => [(65_530, 40), (0, 900), (7, 1)]
            .map(|(start, count)| feedback(start, count).split_off(4))
            .to_vec(),
        "rtx" => repairs(),
        "red" => vec![red_payload()],
        "vp8" => vec![
            VP8_KEY.to_vec(),
            vec![0x90, 0xF0, 0x11, 0x22, 0x3F, 0x11, 0],
            vec![0x10, 0x10, 0x02],
        ],
        "h264" => vec![
            stap_a(),
            vec![0x7C, 0x85, 0x88, 0x84],
            vec![0x41, 0x9A],
            SPS_720P.to_vec(),
        ],
        "frame4571" => vec![frames()],
        "dcep" => vec![channel_open(), vec![2]],
        "still" => still_messages(),
        _ => vec![vec![0xFF, 0xFF, 0, 0, 0, 1, 0x7F, 0xFF], vec![0; 64]],
    }
}
