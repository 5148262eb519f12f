//! One entry point for each parser of foreign bytes, for libFuzzer and for the short run in `cargo test`.
//!
//! An entry must neither panic nor take long, and checks what must hold for every input.

mod drive;

pub use drive::drive;

use crate::rtcp::{Message, NackPair};
use crate::rtp::{Header, Writer};
use crate::time::Micros;
use crate::{dcep, extensions, frame4571, h264, red, rtcp, rtp, rtx, seq, still, twcc, vp8};

/// A parser driven with any bytes.
pub type Entry = fn(&[u8]);

/// All entry points by name.
pub const TARGETS: &[(&str, Entry)] = &[
    ("rtp", rtp_header),
    ("rtcp", rtcp_compound),
    ("twcc", twcc_feedback),
    ("rtx", rtx_payload),
    ("red", red_payload),
    ("vp8", vp8_descriptor),
    ("h264", h264_payload),
    ("frame4571", frames),
    ("seq", sequence_numbers),
    ("dcep", channel_messages),
    ("still", still_messages),
];

/// Header, extensions and payload lie inside; a rewritten header says the same.
fn rtp_header(data: &[u8]) {
    let Ok(header) = Header::parse(data) else {
        return;
    };
    assert!(header.len >= rtp::FIXED_LEN && header.len <= data.len());
    if let Ok(payload) = header.payload(data) {
        assert!(payload.start == header.len && payload.end <= data.len());
    }
    let elements: Vec<_> = header.extensions(data).collect();
    assert!(elements.len() <= header.len);
    let mut out = vec![0xAA; 3];
    let mut writer = Writer::new(&mut out, &header.fields, extensions::Form::TwoByte);
    let kept: Vec<_> = elements
        .iter()
        .filter(|e| writer.element(e.id, e.data).is_some())
        .collect();
    let len = writer.finish();
    let written = out.get(3..).unwrap_or_default();
    let again = Header::parse(written);
    assert_eq!(again.map(|h| (h.fields, h.len)), Ok((header.fields, len)));
    let same = again.is_ok_and(|h| {
        h.extensions(written)
            .map(|e| (e.id, e.data))
            .eq(kept.iter().map(|e| (e.id, e.data)))
    });
    assert!(same, "extension elements changed");
    for element in elements {
        let _ = (
            extensions::text(element.data),
            extensions::twcc(element.data),
        );
        let _ = extensions::abs_send_time(element.data);
    }
}

/// Every message is walked to its end, and the walk is no longer than the bytes allow.
fn rtcp_compound(data: &[u8]) {
    let mut seen = 0;
    for message in rtcp::messages(data) {
        seen += 1;
        let Ok(message) = message else { continue };
        let walked = match message {
            Message::SenderReport(report) => report.blocks().count(),
            Message::ReceiverReport(report) => report.blocks().count(),
            Message::Sdes(sdes) => sdes.cnames().count(),
            Message::Bye(bye) => bye.ssrcs().count(),
            Message::Nack(nack) => nack.lost().count() / 17,
            Message::Fir(fir) => fir.entries().count(),
            Message::Remb(remb) => remb.ssrcs().count(),
            Message::TransportCc(feedback) => feedback
                .statuses()
                .filter(|status| status.1.is_some())
                .count(),
            Message::Pli(_) | Message::Other { .. } => 0,
        };
        assert!(walked <= data.len());
    }
    assert!(seen <= data.len() / 4 + 1);
}

/// All announced statuses come out; what we write about the arrivals reads the same.
fn twcc_feedback(data: &[u8]) {
    let Ok(feedback) = twcc::Feedback::parse(data) else {
        return;
    };
    let statuses: Vec<_> = feedback.statuses().collect();
    assert_eq!(statuses.len(), usize::from(feedback.status_count));
    let first = seq::Unwrapper::FIRST_CYCLE + u64::from(feedback.base_seq);
    let mut arrivals = Vec::new();
    for (index, (number, at_us)) in (first..).zip(statuses) {
        assert_eq!(number, seq::low16(index));
        arrivals.extend(at_us.map(|at_us| twcc::Arrival {
            index,
            at: Micros(at_us),
        }));
    }
    let mut rest = arrivals.as_slice();
    while !rest.is_empty() {
        let mut out = Vec::new();
        let base = rest.first().map_or(0, |arrival| arrival.index);
        let taken = twcc::write_feedback(&mut out, 1, 2, 3, base, rest);
        let (now, later) = rest.split_at_checked(taken).unwrap_or_default();
        assert!(taken > 0 && out.len() < 1200, "no progress, or too long");
        let expected = now
            .iter()
            .map(|arrival| (seq::low16(arrival.index), arrival.at.0));
        assert!(
            received(&out).into_iter().eq(expected),
            "feedback changed by writing"
        );
        rest = later;
    }
}

fn received(message: &[u8]) -> Vec<(u16, i64)> {
    match rtcp::messages(message).next() {
        Some(Ok(Message::TransportCc(feedback))) => feedback
            .statuses()
            .filter_map(|(number, at_us)| Some((number, at_us?)))
            .collect(),
        _ => Vec::new(),
    }
}

/// A restored packet has the original's numbers and the rest of the payload.
fn rtx_payload(data: &[u8]) {
    let _ = rtx::unwrap(data);
    let mut packet = data.to_vec();
    let Ok(header) = Header::parse(&packet) else {
        return;
    };
    let Ok(original) = rtx::restore(&mut packet, &header, 96, 7) else {
        return;
    };
    let before = header.payload(data).ok().and_then(|range| data.get(range));
    let restored = packet.get(2..).unwrap_or_default();
    let after = original
        .payload(restored)
        .ok()
        .and_then(|range| restored.get(range));
    let expected = before.and_then(|payload| rtx::unwrap(payload).ok());
    assert_eq!(
        expected,
        after.map(|payload| (original.fields.seq, payload))
    );
    assert_eq!((original.fields.pt, original.fields.ssrc), (96, 7));
}

/// Blocks written again are the same payload.
fn red_payload(data: &[u8]) {
    let Ok(red) = red::Red::parse(data) else {
        return;
    };
    let blocks: Vec<_> = red.redundant().collect();
    let mut out = Vec::new();
    red::write(&mut out, &blocks, red.primary_pt, red.primary);
    assert_eq!(out, data);
}

/// Rewriting puts in the new numbers and changes nothing else.
fn vp8_descriptor(data: &[u8]) {
    let Ok(found) = vp8::Descriptor::parse(data) else {
        return;
    };
    let _ = found.frame_size(data);
    let mut copy = data.to_vec();
    found.rewrite(&mut copy, 0x7FFE, 0xFD);
    let again = vp8::Descriptor::parse(&copy);
    let picture_id = found.picture_id.map(|id| vp8::PictureId {
        value: 0x7FFE & id.mask(),
        ..id
    });
    let expected = vp8::Descriptor {
        picture_id,
        tl0_pic_idx: found.tl0_pic_idx.map(|_| 0xFD),
        ..found
    };
    assert_eq!(again, Ok(expected));
    let len = usize::from(found.len);
    assert_eq!(copy.get(len..), data.get(len..));
}

/// The walk over units ends, and a key frame says so once.
fn h264_payload(data: &[u8]) {
    assert!(h264::units(data).count() <= data.len() + 1);
    let _ = (h264::summarise(data), h264::frame_size(data));
}

/// However the stream is cut, the same packets come out, and little is held.
fn frames(data: &[u8]) {
    let whole = deframe(data, data.len().max(1));
    assert_eq!(deframe(data, 1), whole);
    assert_eq!(deframe(data, 7), whole);
}

fn deframe(data: &[u8], step: usize) -> (Vec<Vec<u8>>, bool) {
    let (mut decoder, mut packets) = (frame4571::Decoder::default(), Vec::new());
    for bytes in data.chunks(step) {
        decoder.extend(bytes);
        let ended = loop {
            match decoder.next_frame() {
                Ok(Some(packet)) => packets.push(packet.to_vec()),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        if ended {
            return (packets, true);
        }
        assert!(decoder.held() < 2 + frame4571::MAX_FRAME);
    }
    (packets, false)
}

/// Indexes stay within half a circle of the highest and keep their low bits.
fn sequence_numbers(data: &[u8]) {
    let mut unwrapper = seq::Unwrapper::new();
    for pair in data.as_chunks::<2>().0 {
        let number = u16::from_be_bytes(*pair);
        let before = unwrapper.highest();
        let index = unwrapper.unwrap(number);
        assert_eq!(seq::low16(index), number);
        assert!(before.is_none_or(|highest| index.abs_diff(highest) <= 0x8000));
    }
    let lost: Vec<u16> = data
        .as_chunks::<2>()
        .0
        .iter()
        .map(|pair| u16::from_be_bytes(*pair))
        .collect();
    let mut out = Vec::new();
    let taken = rtcp::write_nack(&mut out, 1, 2, &lost);
    let Some(Ok(Message::Nack(nack))) = rtcp::messages(&out).next() else {
        return;
    };
    let asked: Vec<u16> = nack.pairs().flat_map(NackPair::lost).collect();
    assert!(
        lost.iter().take(taken).all(|number| asked.contains(number)),
        "a lost number was not asked for"
    );
}

/// A message that reads is the same after writing, but for what is reserved.
fn channel_messages(data: &[u8]) {
    let Ok(message) = dcep::Message::parse(data) else {
        return;
    };
    let mut out = Vec::new();
    message.write(&mut out);
    assert_eq!(dcep::Message::parse(&out), Ok(message));
}

/// The same for stills, and every bound holds.
fn still_messages(data: &[u8]) {
    let Ok(message) = still::Message::parse(data) else {
        return;
    };
    if let still::Message::Begin(begin) = message {
        assert!(begin.is_sound());
    }
    let mut out = Vec::new();
    message.write(&mut out);
    assert!(out.len() == data.len() && still::Message::parse(&out) == Ok(message));
}
