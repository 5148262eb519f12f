//! The play-out buffer of sound, after libwebrtc's NetEq: a target delay from the spread of arrivals or from the page,
//! time stretched by a fifth to hold it, concealment where a frame is missing when its turn comes.
//!
//! Every step without a frame counts as concealed, silent ones too: browsers leave those out, so this is the harder count.

use std::collections::BTreeMap;

use zhuandi_wire::time::Micros;

use super::delay_target::DelayTarget;

/// Time of one play-out step.
pub const STEP_US: i64 = 10_000;
/// Most frames that wait: beyond it all go and play begins anew (NetEq keeps 200 packets and flushes).
pub const MAX_FRAMES: usize = 200;
/// Most gaps that are kept until they are taken.
pub const MAX_GAPS: usize = 100_000;
/// What one step takes from the buffer when it is too full, and when it is too empty.
const FAST_US: i64 = 12_000;
const SLOW_US: i64 = 8_000;
/// How much more than the spread of arrivals sound may be behind its target before it is played faster.
const SLACK_US: i64 = 20_000;
/// Sound this many times as late as it may be is played at double speed (NetEq's fast accelerate).
const FAR: i64 = 4;
/// A hole this long is not filled: play goes on behind it at once (NetEq's ReinitAfterExpands).
const LEAP_US: i64 = 1_000_000;
/// After this much concealment nothing is heard any more, and play begins again with half the target in the buffer.
const MUTED_US: i64 = 100_000;

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sound {
    /// Where it begins on the stream's media clock, in microseconds.
    pub media_us: i64,
    /// How long it is.
    pub length_us: i64,
    /// When it was captured, in virtual time.
    pub captured: Micros,
    /// Encoded bytes.
    pub bytes: u32,
}

/// Counters; they grow for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// Time played, concealment included.
    pub total_us: i64,
    /// Time that was made up.
    pub concealed_us: i64,
    /// Encoded bytes of frames that were played.
    pub bytes: u64,
    /// Frames that came too late or twice.
    pub late: u64,
    /// Sum over the frames played of the time between capture and play, of their ends.
    pub delay_sum_us: i64,
    /// Frames played.
    pub frames: u64,
}

/// A stretch of concealment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When it began.
    pub at: Micros,
    /// How long it was.
    pub length_us: i64,
}

/// See the module.
#[derive(Debug)]
pub struct SoundBuffer {
    frames: BTreeMap<i64, Sound>,
    delay: DelayTarget,
    /// Media time that is played next; none before the first frame.
    position: Option<i64>,
    /// Time of the next step.
    next: Micros,
    /// Concealed since the last real frame.
    expanded_us: i64,
    gap: Option<Gap>,
    gaps: Vec<Gap>,
    /// See [`Played`].
    pub played: Played,
}

impl Default for SoundBuffer {
    fn default() -> Self {
        SoundBuffer {
            frames: BTreeMap::new(),
            delay: DelayTarget::default(),
            position: None,
            next: Micros::NEVER,
            expanded_us: 0,
            gap: None,
            gaps: Vec::new(),
            played: Played::default(),
        }
    }
}

impl SoundBuffer {
    /// Least target that the page asked for (`jitterBufferTarget`).
    pub fn set_target(&mut self, target_us: i64) {
        self.delay.floor_us = target_us;
    }

    /// The newest frame of a packet, which also says how packets travel.
    pub fn arrived(&mut self, now: Micros, sound: Sound) {
        self.delay.arrived(now, sound.media_us);
        self.offer(now, sound);
    }

    /// A frame out of a redundant block or a repair.
    pub fn offer(&mut self, now: Micros, sound: Sound) {
        let end = sound.media_us + sound.length_us;
        if self.position.is_some_and(|position| end <= position) {
            self.played.late += 1;
            return;
        }
        if self.frames.len() >= MAX_FRAMES {
            self.frames.clear();
            self.position = None;
        }
        self.frames.entry(sound.media_us).or_insert(sound);
        if self.next == Micros::NEVER {
            self.next = now.plus(STEP_US);
        }
    }

    /// When [`SoundBuffer::step`] is due.
    pub fn next(&self) -> Micros {
        self.next
    }

    /// The media time before which frames are of no use any more.
    pub fn position(&self) -> Option<i64> {
        self.position
    }

    /// Target delay now.
    pub fn target_us(&self) -> i64 {
        self.delay.target_us()
    }

    /// Play one step.
    pub fn step(&mut self) {
        let now = self.next;
        self.next = now.plus(STEP_US);
        let first = self.frames.first_key_value().map(|(start, _)| *start);
        let Some(position) = self.position.or(first) else {
            return;
        };
        let position = self.behind_the_hole(position);
        self.position = Some(position);
        self.played.total_us += STEP_US;
        match self.at(position) {
            Some(sound) if !self.is_postponed(position) => self.play(now, position, sound),
            _ => self.conceal(now),
        }
    }

    /// Gaps that ended since the last call.
    pub fn take_gaps(&mut self) -> Vec<Gap> {
        std::mem::take(&mut self.gaps)
    }

    fn at(&self, position: i64) -> Option<Sound> {
        let (_, sound) = self.frames.range(..=position).next_back()?;
        (sound.media_us + sound.length_us > position).then_some(*sound)
    }

    /// Time in the buffer from here to the end of its newest frame.
    fn level_us(&self, position: i64) -> i64 {
        let newest = self.frames.last_key_value();
        newest.map_or(0, |(_, sound)| sound.media_us + sound.length_us - position)
    }

    /// After a hole was concealed for as long as it is, play goes on behind it.
    fn behind_the_hole(&self, position: i64) -> i64 {
        if self.at(position).is_some() {
            return position;
        }
        match self.frames.range(position..).next() {
            Some((start, _)) if *start - position <= self.expanded_us.max(STEP_US / 2) => *start,
            Some((start, _)) if *start - position >= LEAP_US => *start,
            _ => position,
        }
    }

    fn is_postponed(&self, position: i64) -> bool {
        self.expanded_us >= MUTED_US && self.level_us(position) < self.target_us() / 2
    }

    fn play(&mut self, now: Micros, position: i64, sound: Sound) {
        if let Some(gap) = self.gap.take().filter(|_| self.gaps.len() < MAX_GAPS) {
            self.gaps.push(gap);
        }
        self.expanded_us = 0;
        // Behind the fastest packet of late, not by what waits: that swings with every burst, and a buffer that is held
        // by its lowest level is too deep by the whole spread of arrivals.
        let behind = self.delay.behind_us(now, position);
        let least = self.target_us();
        let most = least + self.delay.spread_us() + SLACK_US;
        let takes = match behind {
            behind if behind >= FAR * most => 2 * STEP_US,
            behind if behind >= most => FAST_US,
            behind if behind < least => SLOW_US,
            _ => STEP_US,
        };
        let end = sound.media_us + sound.length_us;
        let goes_on = self.at(end).is_some();
        let after = match goes_on {
            true => position + takes,
            false => (position + takes).min(end),
        };
        if after >= end {
            self.played.bytes += u64::from(sound.bytes);
            self.played.frames += 1;
            let ends = now.plus(STEP_US - sound.length_us);
            self.played.delay_sum_us += ends.since(sound.captured);
            self.frames = self.frames.split_off(&(sound.media_us + 1));
        }
        self.position = Some(after);
    }

    fn conceal(&mut self, now: Micros) {
        self.expanded_us += STEP_US;
        self.played.concealed_us += STEP_US;
        let gap = self.gap.get_or_insert(Gap {
            at: now,
            length_us: 0,
        });
        gap.length_us += STEP_US;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME_US: i64 = 20_000;

    fn sound(frame: i64) -> Sound {
        Sound {
            media_us: 5_000_000 + frame * FRAME_US,
            length_us: FRAME_US,
            captured: Micros(frame * FRAME_US),
            bytes: 70,
        }
    }

    /// Plays what arrives at `(time, frame)` until `end`.
    fn run(buffer: &mut SoundBuffer, mut arrivals: Vec<(i64, i64)>, end: i64) {
        arrivals.sort_unstable();
        for (at, frame) in arrivals {
            while buffer.next() <= Micros(at) {
                buffer.step();
            }
            buffer.arrived(Micros(at), sound(frame));
        }
        while buffer.next() <= Micros(end) {
            buffer.step();
        }
    }

    fn steady(frames: i64) -> Vec<(i64, i64)> {
        (0..frames).map(|i| (i * FRAME_US + 30_000, i)).collect()
    }

    #[test]
    fn a_clean_stream_is_played_without_concealment() {
        let mut buffer = SoundBuffer::default();
        run(&mut buffer, steady(1000), 20_000_000);
        assert!(buffer.played.concealed_us <= STEP_US, "{:?}", buffer.played);
        assert!(buffer.played.frames >= 990);
    }

    #[test]
    fn every_lost_frame_is_concealed_once() {
        let mut buffer = SoundBuffer::default();
        let kept = steady(1000)
            .into_iter()
            .filter(|(_, i)| i % 10 != 5)
            .collect();
        run(&mut buffer, kept, 20_000_000);
        let share = buffer.played.concealed_us as f64 / buffer.played.total_us as f64;
        assert!((0.095..0.11).contains(&share), "{share}");
        assert_eq!(
            buffer.take_gaps().iter().map(|gap| gap.length_us).max(),
            Some(FRAME_US)
        );
    }

    #[test]
    fn a_deep_target_lets_late_repairs_in() {
        let late = |target| {
            let mut buffer = SoundBuffer::default();
            buffer.set_target(target);
            let arrivals = (0..1000)
                .map(|i| {
                    (
                        i * FRAME_US + 30_000 + if i % 10 == 5 { 300_000 } else { 0 },
                        i,
                    )
                })
                .collect();
            run(&mut buffer, arrivals, 19_500_000);
            let settled = buffer.played.concealed_us;
            settled as f64 / buffer.played.total_us as f64
        };
        assert!(late(500_000) < 0.01, "{}", late(500_000));
    }

    #[test]
    fn a_queue_that_comes_and_goes_makes_sound_no_later_than_the_page_asked() {
        let mut buffer = SoundBuffer::default();
        buffer.set_target(200_000);
        let waits = |i: i64| 30_000 + [0, 25_000, 50_000][(i / 10 % 3) as usize];
        let arrivals = (0..3000).map(|i| (i * FRAME_US + waits(i), i)).collect();
        run(&mut buffer, arrivals, 60_000_000);
        let mean = buffer.played.delay_sum_us / buffer.played.frames as i64;
        assert!((200_000..=250_000).contains(&mean), "{mean}");
    }

    #[test]
    fn an_outage_is_one_gap_and_the_delay_comes_back() {
        let mut buffer = SoundBuffer::default();
        let held = |i: i64| (i * FRAME_US + 30_000).max(if i >= 500 { 12_000_000 } else { 0 });
        let arrivals = (0..2000).map(|i| (held(i), i)).collect();
        run(&mut buffer, arrivals, 39_900_000);
        let gaps = buffer.take_gaps();
        let longest = gaps.iter().map(|gap| gap.length_us).max().unwrap_or(0);
        assert!((1_800_000..2_100_000).contains(&longest), "{gaps:?}");
        let level = buffer.level_us(buffer.position.unwrap());
        assert!(level < 150_000, "still {level} us behind");
    }

    #[test]
    fn what_was_held_for_long_is_not_played_for_long() {
        let mut buffer = SoundBuffer::default();
        // Twenty-five seconds arrive at once, then all goes on as before.
        let held = |i: i64| (i * FRAME_US + 30_000).max(if i >= 500 { 35_000_000 } else { 0 });
        let arrivals = (0..3000).map(|i| (held(i), i)).collect();
        run(&mut buffer, arrivals, 59_900_000);
        assert!(
            buffer.played.concealed_us < 26_500_000,
            "{:?}",
            buffer.played
        );
        let level = buffer.level_us(buffer.position.unwrap());
        assert!(level < 300_000, "still {level} us behind");
    }

    #[test]
    fn a_frame_in_a_redundant_block_fills_its_hole() {
        let mut buffer = SoundBuffer::default();
        for i in 0..500i64 {
            let now = Micros(i * FRAME_US + 30_000);
            while buffer.next() <= now {
                buffer.step();
            }
            if i % 5 != 3 {
                buffer.arrived(now, sound(i));
                buffer.offer(now, sound(i - 1));
            }
        }
        assert!(buffer.played.concealed_us <= 40_000, "{:?}", buffer.played);
    }
}
