//! Own stills and walls of tiles: who may say what, and that the newest picture of each tile arrives.

use std::sync::Arc;

use proptest::prelude::*;
use zhuandi_wire::still::{Begin, Format, MAX_OWN_BYTES, Message, Source};
use zhuandi_wire::time::Micros;

use super::*;
use crate::api::TransportId;
use crate::drop_reason::DropReason;

fn picture(seed: u8, bytes: usize) -> Arc<Still> {
    let file: Vec<u8> = (0..bytes).map(|at| at as u8 ^ seed).collect();
    Arc::new(Still::new(Source::Camera, Format::Jpeg, (320, 180), file.into()).unwrap())
}

fn say(end: &mut End, at: i64, message: Message<'_>) -> Result<Option<Came>, DropReason> {
    let mut bytes = Vec::new();
    message.write(&mut bytes);
    end.message(Micros(at), &mut LessonStills::default(), &bytes)
}

/// All of a still, in one go.
fn give(end: &mut End, at: i64, begin: Begin, still: &Still) -> Option<Came> {
    let known = say(end, at, Message::Begin(begin)).unwrap();
    let mut came = known;
    for index in 0..still.chunks() {
        let chunk = Message::Chunk {
            number: begin.number,
            index: index as u16,
            data: still.chunk(index).unwrap(),
        };
        came = say(end, at, chunk).unwrap().or(came);
    }
    came
}

#[test]
fn each_end_may_say_what_is_its_own_and_no_more() {
    let (small, large) = (picture(1, 900), picture(1, MAX_OWN_BYTES + 1));
    let slide = Still::new(Source::Screen, Format::Png, (1, 1), vec![1].into()).unwrap();
    let ok = |answer: Result<Option<Came>, DropReason>| answer.map(|_| ());
    let asks = |way, opens, begin| ok(say(&mut End::new(way, opens), 0, Message::Begin(begin)));
    let forbidden = Err(DropReason::StillForbidden);
    // A page that receives, at the server: its own camera, small, under no tile.
    assert_eq!(asks(Stills::ToPeer, false, small.begin(1, 0)), Ok(()));
    assert_eq!(asks(Stills::ToPeer, false, small.begin(1, 7)), forbidden);
    assert_eq!(asks(Stills::ToPeer, false, slide.begin(1, 0)), forbidden);
    let too_large = Err(DropReason::StillTooLarge);
    assert_eq!(asks(Stills::ToPeer, false, large.begin(1, 0)), too_large);
    // An output end, at the server: the lesson's, never in another's name.
    assert_eq!(asks(Stills::FromPeer, false, slide.begin(1, 0)), Ok(()));
    assert_eq!(asks(Stills::FromPeer, false, small.begin(1, 7)), forbidden);
    // A server, at an output end and at a page that receives.
    assert_eq!(asks(Stills::ToPeer, true, small.begin(1, 7)), Ok(()));
    assert_eq!(asks(Stills::ToPeer, true, small.begin(1, 0)), forbidden);
    assert_eq!(asks(Stills::FromPeer, true, slide.begin(1, 0)), Ok(()));
    assert_eq!(asks(Stills::FromPeer, true, small.begin(1, 7)), forbidden);
}

#[test]
fn a_connection_keeps_the_last_own_still_and_no_other() {
    let mut end = End::new(Stills::ToPeer, false);
    for seed in 0..4u8 {
        let (still, at) = (picture(seed, 5_000), i64::from(seed) * 1_000_000);
        let came = give(&mut end, at, still.begin(u16::from(seed), 0), &still);
        assert_eq!(came, Some(Came::Own(0, Arc::clone(&still))));
        assert_eq!(end.own.kept(0), Some(&still));
    }
    let last = picture(3, 5_000);
    let again = say(&mut end, 9_000_000, Message::Begin(last.begin(9, 0)));
    assert_eq!(again, Ok(Some(Came::Own(0, Arc::clone(&last)))));
    assert_eq!(end.own.bitmap(&last.begin(9, 0)), [255], "all is here");
    assert_eq!(
        end.own.bitmap(&picture(2, 5_000).begin(9, 0)),
        [0],
        "and nothing older"
    );
}

#[test]
fn an_own_still_of_other_bytes_is_thrown_away_and_the_last_one_stays() {
    let mut end = End::new(Stills::ToPeer, false);
    let (first, other) = (picture(1, 900), picture(2, 900));
    give(&mut end, 0, first.begin(1, 0), &first);
    assert_eq!(
        say(&mut end, 300_000, Message::Begin(other.begin(2, 0))),
        Ok(None)
    );
    let lie = Message::Chunk {
        number: 2,
        index: 0,
        data: first.chunk(0).unwrap(),
    };
    assert_eq!(say(&mut end, 300_000, lie), Err(DropReason::StillHash));
    assert_eq!(end.own.kept(0), Some(&first));
}

#[test]
fn numbers_are_free_ones_around_the_wrap() {
    for start in [0u16, 1, 127, 32_767, 65_534, 65_535] {
        let mut sender = Sender::default();
        sender.start_numbers_at(start);
        let mut seen = Vec::new();
        for tile in 1..=3 {
            sender.offer(tile, &picture(tile as u8, 100));
        }
        let mut message = Vec::new();
        while sender.due() <= Micros(0) && sender.next(Micros(0), &mut message) {
            let Ok(Message::Begin(begin)) = Message::parse(&message) else {
                panic!("a begin")
            };
            seen.push((begin.of, begin.number));
            message.clear();
        }
        let numbers: Vec<u16> = (1..=3).map(|step| start.wrapping_add(step)).collect();
        assert_eq!(seen, [(1, numbers[0]), (2, numbers[1]), (3, numbers[2])]);
        sender.start_numbers_at(start);
        sender.offer(4, &picture(4, 100));
        sender.next(Micros(0), &mut message);
        let Ok(Message::Begin(begin)) = Message::parse(&message) else {
            panic!("a begin")
        };
        assert_eq!(
            begin.number,
            start.wrapping_add(4),
            "those before are taken"
        );
    }
}

#[test]
fn who_is_not_shown_any_more_is_forgotten_and_the_others_go_on() {
    let mut end = End::new(Stills::FromPeer, false);
    let room = TransportId;
    end.show(vec![(room(10), 1), (room(11), 2)]);
    for tile in [1, 2] {
        end.sender.offer(tile, &picture(tile as u8, 3_000));
    }
    assert_eq!(end.sender.tiles().0, [1, 2]);
    end.show(vec![(room(11), 2), (room(12), 1)]);
    assert_eq!(end.sender.tiles().0, [2], "tile 1 is another room's now");
    let tiles = [10, 11, 12].map(|id| end.tile_of(room(id)));
    assert_eq!(tiles, [None, Some(2), Some(1)]);
    end.show(Vec::new());
    assert_eq!(end.sender.tiles().0, [0; 0]);
}

#[test]
fn tiles_share_one_window_and_nothing_is_kept_free_for_them() {
    let mut sender = Sender::default();
    let stills: Vec<_> = (1..=49).map(|seed| picture(seed, 20_000)).collect();
    for (tile, still) in (1..).zip(&stills) {
        sender.offer(tile, still);
    }
    assert_eq!(sender.left_bytes(), 0);
    let (mut message, mut begins) = (Vec::new(), 0);
    while sender.due() <= Micros(0) && sender.next(Micros(0), &mut message) {
        if let Ok(Message::Begin(begin)) = Message::parse(&message) {
            begins += 1;
            assert!(
                !sender.have(begin.number, &[0; 3]),
                "answered, nothing held"
            );
        }
        message.clear();
    }
    assert_eq!((begins, sender.tiles().1), (49, 32));
    let newer = picture(99, 20_000);
    sender.offer(1, &newer);
    sender.offer(40, &newer);
    let order = sender.tiles().0;
    assert_eq!(
        (order[0], order[39], order.len()),
        (1, 40, 49),
        "each keeps its turn"
    );
}

/// What the sender has to say until it is idle, each message to the wall with some chance; the steps it took.
fn deliver(sender: &mut Sender, wall: &mut End, fates: &[u8], at: &mut i64) -> bool {
    let mut fate = fates.iter().cycle();
    for _ in 0..40_000 {
        *at += 5_000;
        let mut message = Vec::new();
        if sender.due() > Micros(*at) || !sender.next(Micros(*at), &mut message) {
            if sender.is_idle() {
                return true;
            }
            continue;
        }
        if *fate.next().unwrap_or(&255) < 40 {
            continue;
        }
        let begin = match Message::parse(&message) {
            Ok(Message::Begin(begin)) => begin.number,
            Ok(Message::Chunk { number, .. }) => number,
            _ => panic!("a sender says nothing of the kind"),
        };
        let _ = wall.message(Micros(*at), &mut LessonStills::default(), &message);
        if let Some(bitmap) = wall.bitmap_of(begin) {
            sender.have(begin, &bitmap);
        }
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_newest_picture_of_every_tile_arrives_whatever_changes_meanwhile(
        fates in prop::collection::vec(any::<u8>(), 61),
        changes in prop::collection::vec((1..=49u32, any::<u8>(), 1..9_000usize, 0..40usize), 1..120),
    ) {
        prop_assume!(fates.iter().filter(|fate| **fate >= 40).count() > 30);
        let (mut sender, mut wall) = (Sender::default(), End::new(Stills::ToPeer, true));
        let mut newest = std::collections::BTreeMap::new();
        let mut at = 0;
        for (tile, seed, bytes, steps) in changes {
            let still = picture(seed, bytes);
            sender.offer(tile, &still);
            newest.insert(tile, still);
            for _ in 0..steps {
                at += 5_000;
                let mut message = Vec::new();
                if sender.due() <= Micros(at) && sender.next(Micros(at), &mut message) {
                    let _ = wall.message(Micros(at), &mut LessonStills::default(), &message);
                    if let Ok(Message::Begin(Begin { number, .. }) | Message::Chunk { number, .. }) = Message::parse(&message)
                        && let Some(bitmap) = wall.bitmap_of(number)
                    {
                        sender.have(number, &bitmap);
                    }
                }
            }
        }
        prop_assert!(deliver(&mut sender, &mut wall, &fates, &mut at), "idle in time");
        for (tile, still) in newest {
            prop_assert_eq!(wall.own.kept(tile), Some(&still));
        }
    }

    #[test]
    fn any_messages_of_a_page_keep_what_is_kept_within_its_bounds(
        messages in prop::collection::vec((0..4u8, any::<u8>(), 0..30_000u32, 0..3u32, any::<u8>()), 1..200)
    ) {
        for (way, opens) in [(Stills::FromPeer, false), (Stills::ToPeer, false), (Stills::ToPeer, true)] {
            let (mut end, mut lesson) = (End::new(way, opens), LessonStills::default());
            for (step, (kind, seed, bytes, of, index)) in (0i64..).zip(&messages) {
                let still = picture(*seed % 3, usize::try_from(*bytes).unwrap().max(1));
                let number = u16::from(seed % 5);
                let (mut message, bitmap) = (Vec::new(), [*seed]);
                match kind {
                    0 => Message::Begin(still.begin(number, *of)),
                    1 => Message::Have { number, bitmap: &bitmap },
                    _ => Message::Chunk {
                        number,
                        index: u16::from(index % 4),
                        data: still.chunk(0).unwrap(),
                    },
                }
                .write(&mut message);
                let _ = end.message(Micros(step * 100_000), &mut lesson, &message);
                if let Some(own) = end.own.kept(0) {
                    prop_assert!(!opens && own.file().len() <= MAX_OWN_BYTES);
                }
                prop_assert!(way == Stills::ToPeer || end.own.kept(0).is_none());
            }
        }
    }
}
