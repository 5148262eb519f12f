//! A sender and a lesson over a link that loses, doubles and turns around.

use std::sync::Arc;

use proptest::prelude::*;
use zhuandi_wire::still::{Format, MAX_BYTES, Message, Source};
use zhuandi_wire::time::Micros;

use super::*;
use crate::drop_reason::DropReason;

fn still(seed: u8, bytes: usize) -> Arc<Still> {
    let file: Vec<u8> = (0..bytes)
        .map(|at| (at * 31 + usize::from(seed)) as u8)
        .collect();
    Arc::new(Still::new(Source::Screen, Format::Png, (1280, 720), file.into()).unwrap())
}

/// A receiving end with its lesson.
struct Receiver {
    end: End,
    lesson: LessonStills,
    whole: Vec<Arc<Still>>,
    begun: Vec<zhuandi_wire::still::Begin>,
    clock_us: i64,
}

impl Receiver {
    fn new() -> Receiver {
        Receiver {
            end: End::new(Stills::FromPeer, false),
            lesson: LessonStills::default(),
            whole: Vec::new(),
            begun: Vec::new(),
            clock_us: 0,
        }
    }

    /// Take a message and answer it, as the page does: at once.
    fn take(&mut self, now: Micros, message: &[u8]) -> Option<Vec<u8>> {
        let number = match Message::parse(message).unwrap() {
            Message::Begin(begin) => {
                self.begun.push(begin);
                begin.number
            }
            Message::Chunk { number, .. } => number,
            Message::Have { .. } => panic!("a sender says nothing of the kind"),
        };
        match self.end.message(now, &mut self.lesson, message).ok()? {
            Some(Came::Lesson(still) | Came::Own(_, still)) => self.whole.push(still),
            None => {}
        }
        let begin = self
            .begun
            .iter()
            .rev()
            .find(|begin| begin.number == number)?;
        let bitmap = self.lesson.bitmap(begin);
        let mut answer = Vec::new();
        let bitmap = &bitmap;
        Message::Have { number, bitmap }.write(&mut answer);
        Some(answer)
    }
}

/// Messages that are under way, with the times at which they land.
type Sky = Vec<(i64, Vec<u8>)>;

/// One message in 20 ms, 50 ms each way; the time at which the still was whole, and the messages sent.
fn deliver(sender: &mut Sender, receiver: &mut Receiver, fates: &[u8]) -> Option<(i64, usize)> {
    let (mut there, mut back) = (Sky::new(), Sky::new());
    let (before, mut sent) = (receiver.whole.len(), 0);
    let mut fate = fates.iter().cycle();
    let mut fly = |sky: &mut Sky, at: i64, bytes: Vec<u8>| {
        let fate = *fate.next().unwrap_or(&255);
        if fate < 26 {
            return;
        }
        if fate < 52 {
            sky.push((at + 90_000, bytes.clone()));
        }
        sky.push((
            at + if fate.is_multiple_of(5) {
                150_000
            } else {
                50_000
            },
            bytes,
        ));
    };
    for step in 0..3_000 {
        let now = receiver.clock_us + step * 20_000;
        for (_, message) in there.extract_if(.., |(at, _)| *at <= now) {
            if let Some(answer) = receiver.take(Micros(now), &message) {
                fly(&mut back, now, answer);
            }
        }
        for (_, message) in back.extract_if(.., |(at, _)| *at <= now) {
            if let Ok(Message::Have { number, bitmap }) = Message::parse(&message) {
                sender.have(number, bitmap);
            }
        }
        if sender.is_idle() && receiver.whole.len() > before {
            receiver.clock_us = now + 1_000_000;
            return Some((now, sent));
        }
        let mut message = Vec::new();
        if sender.due() <= Micros(now) && sender.next(Micros(now), &mut message) {
            sent += 1;
            fly(&mut there, now, message);
        }
    }
    None
}

#[test]
fn a_still_arrives_once_and_without_loss_nothing_is_sent_twice() {
    let (mut sender, mut receiver) = (Sender::default(), Receiver::new());
    let picture = still(1, 20_001);
    sender.offer(0, &picture);
    let (_, sent) = deliver(&mut sender, &mut receiver, &[255]).unwrap();
    assert_eq!(receiver.whole, [Arc::clone(&picture)]);
    assert_eq!(sent, 1 + picture.chunks());
    assert_eq!(sender.due(), Micros::NEVER);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_still_arrives_whole_through_loss_disorder_and_copies(
        fates in prop::collection::vec(any::<u8>(), 97),
        bytes in 1..60_000usize,
    ) {
        let (mut sender, mut receiver) = (Sender::default(), Receiver::new());
        let picture = still(2, bytes);
        sender.offer(0, &picture);
        let kept = fates.iter().filter(|fate| **fate >= 26).count();
        prop_assume!(kept > 60);
        let (_, sent) = deliver(&mut sender, &mut receiver, &fates).expect("it arrives in a minute");
        prop_assert_eq!(&receiver.whole, &[Arc::clone(&picture)]);
        prop_assert!(sent <= 8 + 3 * picture.chunks(), "{} messages for {} chunks", sent, picture.chunks());
    }
}

#[test]
fn what_a_receiver_holds_is_not_sent_again_over_a_new_connection() {
    let (mut sender, mut receiver) = (Sender::default(), Receiver::new());
    let picture = still(3, 30_000);
    sender.offer(0, &picture);
    for step in 0..20 {
        let (now, mut message) = (Micros(step * 20_000), Vec::new());
        if sender.next(now, &mut message)
            && let Some(answer) = receiver.take(now, &message)
            && let Ok(Message::Have { number, bitmap }) = Message::parse(&answer)
        {
            sender.have(number, bitmap);
        }
    }
    receiver.end = End::new(Stills::FromPeer, false);
    let mut again = Sender::default();
    again.offer(0, &picture);
    let (_, sent) = deliver(&mut again, &mut receiver, &[255]).unwrap();
    assert_eq!(sent, 1 + 30 - 19, "19 chunks were there");
    assert_eq!(receiver.whole.len(), 1);
}

#[test]
fn a_newer_slide_ends_the_older_one_and_a_known_one_costs_one_message() {
    let (mut sender, mut receiver) = (Sender::default(), Receiver::new());
    let [first, second] = [still(4, 50_000), still(5, 3_000)];
    sender.offer(0, &first);
    let mut message = Vec::new();
    assert!(sender.next(Micros(0), &mut message));
    sender.offer(0, &second);
    deliver(&mut sender, &mut receiver, &[255]).unwrap();
    assert_eq!(receiver.whole, [Arc::clone(&second)]);
    sender.offer_again(&second);
    let (_, sent) = deliver(&mut sender, &mut receiver, &[255]).unwrap();
    assert_eq!(sent, 1);
}

#[test]
fn silence_is_answered_by_one_message_at_growing_distances() {
    let mut sender = Sender::default();
    sender.set_rtt(Some(100_000));
    sender.offer(0, &still(6, 9_000));
    let (mut times, mut now) = (Vec::new(), Micros(0));
    while now.0 < 20_000_000 {
        let mut message = Vec::new();
        if sender.due() <= now && sender.next(now, &mut message) {
            times.push(now.0);
        }
        now = now.plus(10_000);
    }
    let gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps[..4], [250_000, 500_000, 1_000_000, 2_000_000]);
    assert!(gaps[4..].iter().all(|gap| *gap == 3_000_000));
}

#[test]
fn a_lesson_keeps_eight_and_the_oldest_goes() {
    let mut lesson = LessonStills::default();
    let pictures: Vec<_> = (0..10).map(|seed| still(seed, 100)).collect();
    for picture in &pictures {
        lesson.put(Arc::clone(picture));
    }
    assert!(lesson.get(&pictures[1].hash()).is_none());
    assert!(lesson.get(&pictures[2].hash()).is_some());
    assert_eq!(lesson.newest().collect::<Vec<_>>(), [&pictures[9]]);
}

#[test]
fn bytes_that_are_not_the_announced_ones_are_thrown_away() {
    let (mut end, mut lesson) = (End::new(Stills::FromPeer, false), LessonStills::default());
    let (wanted, other) = (still(7, 900), still(8, 900));
    let mut begin = Vec::new();
    Message::Begin(wanted.begin(1, 0)).write(&mut begin);
    assert_eq!(end.message(Micros(0), &mut lesson, &begin), Ok(None));
    let (mut chunk, data) = (Vec::new(), other.chunk(0).unwrap());
    Message::Chunk {
        number: 1,
        index: 0,
        data,
    }
    .write(&mut chunk);
    let taken = end.message(Micros(0), &mut lesson, &chunk);
    assert_eq!(taken, Err(DropReason::StillHash));
    assert_eq!(lesson.bitmap(&wanted.begin(1, 0)), [0]);
    let again = end.message(Micros(0), &mut lesson, &chunk);
    assert_eq!(again, Err(DropReason::StillUnknown));
}

#[test]
fn announcements_are_counted() {
    let mut lesson = LessonStills::default();
    let mut begin = Vec::new();
    Message::Begin(still(9, 10).begin(1, 0)).write(&mut begin);
    let mut teacher = End::new(Stills::FromPeer, false);
    assert_eq!(teacher.message(Micros(0), &mut lesson, &begin), Ok(None));
    let mut second = Vec::new();
    Message::Begin(still(10, MAX_BYTES).begin(2, 0)).write(&mut second);
    let soon = teacher.message(Micros(100_000), &mut lesson, &second);
    assert_eq!(soon, Err(DropReason::StillRate));
    assert_eq!(
        teacher.message(Micros(200_000), &mut lesson, &second),
        Ok(None)
    );
}

#[test]
fn what_is_missing_is_counted_until_it_is_acknowledged_and_given_up_in_silence() {
    let (mut sender, mut receiver) = (Sender::default(), Receiver::new());
    assert_eq!(sender.left_bytes(), 0);
    let picture = still(1, 20_000);
    sender.offer(0, &picture);
    let whole = sender.left_bytes();
    assert!((20_000..23_000).contains(&whole), "{whole} bytes");
    deliver(&mut sender, &mut receiver, &[255]).unwrap();
    assert_eq!((sender.left_bytes(), sender.take_acked_bytes()), (0, whole));
    assert_eq!(sender.take_acked_bytes(), 0);
    sender.offer_again(&picture);
    deliver(&mut sender, &mut receiver, &[255]).unwrap();
    assert_eq!(sender.take_acked_bytes(), 0, "nothing of it had to fly");
    sender.offer(0, &still(2, 20_000));
    for _ in 0..8 {
        let at = sender.due().max(Micros(receiver.clock_us));
        sender.next(at, &mut Vec::new());
    }
    assert_eq!(sender.left_bytes(), 0, "nobody answers");
}
