//! The data channel: its opening (RFC 8832), and the stills' messages of PROTOCOL 1.1.

use super::corpus;
use crate::Malformed;
use crate::dcep::{self, Message as Dcep, Open};
use crate::still::{self, Begin, Format, MAX_BYTES, Message, Source, chunks, has};

#[test]
fn an_open_is_read_as_a_browser_writes_it_and_written_the_same() {
    let bytes = corpus::channel_open();
    let open = Open {
        channel_type: dcep::PARTIAL_RELIABLE_REXMIT_UNORDERED,
        priority: 256,
        reliability: 0,
        label: "stills",
        protocol: "zhuandi-stills-1",
    };
    assert_eq!(Dcep::parse(&bytes), Ok(Dcep::Open(open)));
    let mut out = Vec::new();
    Dcep::Open(open).write(&mut out);
    assert_eq!(out, bytes);
}

#[test]
fn an_open_that_is_cut_long_or_not_text_is_refused() {
    let good = corpus::channel_open();
    assert!((0..good.len()).all(|len| Dcep::parse(&good[..len]).is_err()));
    let mut long = good.clone();
    long.push(0);
    assert_eq!(Dcep::parse(&long), Err(Malformed::Length));
    let mut wide = good.clone();
    wide[8] = 1;
    assert_eq!(Dcep::parse(&wide), Err(Malformed::Bound));
    let mut dark = good;
    dark[12] = 0xFF;
    assert_eq!(Dcep::parse(&dark), Err(Malformed::Reserved));
}

#[test]
fn a_begin_says_what_comes() {
    let [bytes, chunk, have] = corpus::still_messages().try_into().unwrap();
    let begin = Begin {
        number: 7,
        source: Source::Screen,
        format: Format::WebP,
        width: 1280,
        height: 720,
        bytes: 20_000,
        of: 258,
        hash: [0xAB; 32],
    };
    assert_eq!(Message::parse(&bytes), Ok(Message::Begin(begin)));
    let data = &[1, 2, 3][..];
    let expected = Message::Chunk {
        number: 7,
        index: 3,
        data,
    };
    assert_eq!(Message::parse(&chunk), Ok(expected));
    let bitmap = &[0xE0, 1][..];
    assert_eq!(
        Message::parse(&have),
        Ok(Message::Have { number: 7, bitmap })
    );
    let held: Vec<usize> = (0..17).filter(|index| has(bitmap, *index)).collect();
    assert_eq!(held, [0, 1, 2, 15]);
}

#[test]
fn what_is_too_large_or_empty_is_refused() {
    let good = corpus::still_messages();
    let with = |at: usize, value: &[u8]| {
        let mut bytes = good[0].clone();
        bytes[at..at + value.len()].copy_from_slice(value);
        Message::parse(&bytes).is_ok()
    };
    let most = u32::try_from(MAX_BYTES).unwrap();
    assert!(with(10, &most.to_be_bytes()));
    assert!(!with(10, &(most + 1).to_be_bytes()) && !with(10, &[0; 4]));
    assert!((1..=3).all(|format| with(4, &[format])) && !with(4, &[4]));
    assert!(with(14, &[0; 4]) && with(14, &[255; 4]));
    assert!((0..still::BEGIN_LEN).all(|len| Message::parse(&good[0][..len]).is_err()));
    assert!(!with(6, &[0, 0]) && !with(8, &[0x20, 0]) && !with(1, &[2]) && !with(4, &[0]));
    assert!(Message::parse(&good[1][..still::CHUNK_HEADER]).is_err());
    assert!(Message::parse(&[2; still::CHUNK_HEADER + still::CHUNK + 1]).is_err());
    assert!(Message::parse(&[3; 4 + 34]).is_err() && Message::parse(&[3; 4 + 33]).is_ok());
    assert_eq!(
        (chunks(1), chunks(1000), chunks(1001), chunks(MAX_BYTES)),
        (1, 1, 2, 263)
    );
}
