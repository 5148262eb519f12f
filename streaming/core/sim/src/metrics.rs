//! What classrooms heard and saw, as rows; counters grow from the beginning.

use zhuandi_wire::time::Micros;

use crate::receiver::Slot;
use crate::receiver::picture_slot::PictureSlot;
use crate::receiver::slides::Slide;
use crate::receiver::sound_buffer::Gap;
use crate::receiver::sound_slot::SoundSlot;
use crate::sim::Sim;
use crate::world::Person;

/// The way towards one classroom.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkRow {
    /// Handle of the transport.
    pub transport: u32,
    /// Bytes at IP level that were sent into the link.
    pub sent_bytes: u64,
    /// Bytes at IP level that came out.
    pub delivered_bytes: u64,
    /// How long a packet that enters now would wait.
    pub queue_us: i64,
    /// Median of the delay over that of an empty link, in milliseconds.
    pub own_delay_p50_ms: f64,
    /// 95th percentile of it.
    pub own_delay_p95_ms: f64,
}

/// One slot of sound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SoundRow {
    /// Handle of the transport.
    pub transport: u32,
    /// Handle of the subscription.
    pub subscription: u32,
    /// Time played, concealment included.
    pub played_us: i64,
    /// Time that was made up.
    pub concealed_us: i64,
    /// Encoded bytes played.
    pub bytes: u64,
    /// Frames that came too late or twice.
    pub late: u64,
    /// Mean time from capture to play.
    pub delay_us: i64,
    /// Target of the play-out delay.
    pub target_us: i64,
    /// Packets that came.
    pub packets: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Packets asked for again.
    pub nacks: u64,
}

/// One slot of picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PictureRow {
    /// Handle of the transport.
    pub transport: u32,
    /// Handle of the subscription.
    pub subscription: u32,
    /// Frames shown.
    pub frames: u64,
    /// Their encoded bytes.
    pub bytes: u64,
    /// Freezes that ended.
    pub freezes: u64,
    /// Time frozen, the open freeze included.
    pub frozen_us: i64,
    /// Longest freeze that ended.
    pub longest_freeze_us: i64,
    /// Time without a picture: switched off, or before the first one.
    pub off_us: i64,
    /// Changes of height, off included.
    pub switches: u64,
    /// Time of the first frame; -1: none yet.
    pub first_us: i64,
    /// Time of the last frame; -1: none yet.
    pub last_us: i64,
    /// Mean time from capture to screen.
    pub delay_us: i64,
    /// Packets that came.
    pub packets: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Packets asked for again.
    pub nacks: u64,
    /// Key frames asked for.
    pub plis: u64,
}

/// Time that a slot showed one height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RungRow {
    /// Handle of the subscription.
    pub subscription: u32,
    /// Lines; 0: nothing.
    pub height: u16,
    /// How long.
    pub us: i64,
}

/// A stretch of made-up sound that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapRow {
    /// Handle of the subscription.
    pub subscription: u32,
    /// When and how long.
    pub gap: Gap,
}

/// A slide that became whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlideRow {
    /// Handle of the transport.
    pub transport: u32,
    /// Which and when.
    pub slide: Slide,
}

/// All tables of one moment.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Ways towards classrooms.
    pub links: Vec<LinkRow>,
    /// Slots of sound.
    pub sounds: Vec<SoundRow>,
    /// Slots of picture.
    pub pictures: Vec<PictureRow>,
    /// What they showed.
    pub rungs: Vec<RungRow>,
}

impl Sim {
    /// The tables of now.
    pub fn metrics(&mut self) -> Metrics {
        let mut metrics = Metrics::default();
        let now = self.world.now;
        for place in self.slots.clone() {
            let owner = self.places.iter().find(|other| other.end == place.end);
            let transport = owner.map_or(0, |other| other.handle);
            let subscription = place.handle;
            match self.slot(place) {
                Some(Slot::Sound(slot)) => {
                    slot.settle(now);
                    metrics
                        .sounds
                        .push(sound_row(slot, transport, subscription));
                }
                Some(Slot::Picture(slot)) => {
                    slot.settle(now);
                    let rungs = slot.shown.rungs(now);
                    metrics.rungs.extend(rungs.iter().map(|rung| RungRow {
                        subscription,
                        height: rung.height,
                        us: rung.us,
                    }));
                    metrics
                        .pictures
                        .push(picture_row(slot, now, transport, subscription));
                }
                None => {}
            }
        }
        metrics.links = self.links(now);
        metrics
    }

    /// Gaps of sound that ended since the last call.
    pub fn take_gaps(&mut self) -> Vec<GapRow> {
        let mut rows = Vec::new();
        for place in self.slots.clone() {
            if let Some(Slot::Sound(slot)) = self.slot(place) {
                let subscription = place.handle;
                rows.extend(
                    slot.buffer
                        .take_gaps()
                        .into_iter()
                        .map(|gap| GapRow { subscription, gap }),
                );
            }
        }
        rows
    }

    /// Slides that became whole since the last call.
    pub fn take_slides(&mut self) -> Vec<SlideRow> {
        let mut rows = Vec::new();
        for place in &self.places {
            let person = self
                .world
                .ends
                .get_mut(place.end)
                .map(|end| &mut end.person);
            if let Some(Person::Receiver(receiver)) = person {
                let transport = place.handle;
                let slides = receiver.slides.take().into_iter();
                rows.extend(slides.map(|slide| SlideRow { transport, slide }));
            }
        }
        rows
    }

    /// Forget the delays that were seen, to begin a measured span.
    pub fn clear_delays(&mut self) {
        for bottleneck in &mut self.world.bottlenecks {
            bottleneck
                .own
                .iter_mut()
                .for_each(crate::delays::Delays::clear);
        }
    }

    fn links(&mut self, now: Micros) -> Vec<LinkRow> {
        let mut rows = Vec::new();
        for place in &self.places {
            let Some((bottleneck, flow)) = self.world.ends.get(place.end).map(|end| end.down)
            else {
                continue;
            };
            let Some(found) = self.world.bottlenecks.get_mut(bottleneck) else {
                continue;
            };
            let (sent_bytes, delivered_bytes) = found.bytes(flow);
            let quantile = |share| {
                found
                    .own
                    .get(flow)
                    .map_or(0.0, |own| own.quantile_ms(share))
            };
            let (own_delay_p50_ms, own_delay_p95_ms) = (quantile(0.5), quantile(0.95));
            rows.push(LinkRow {
                transport: place.handle,
                sent_bytes,
                delivered_bytes,
                own_delay_p50_ms,
                own_delay_p95_ms,
                queue_us: found.queue_us(now),
            });
        }
        rows
    }

    /// Bytes at IP level that a download received.
    pub fn downloaded_bytes(&self, download: usize) -> u64 {
        let way = self.world.downloads.get(download).map(|found| found.way);
        way.and_then(|(bottleneck, flow)| {
            Some(self.world.bottlenecks.get(bottleneck)?.bytes(flow).1)
        })
        .unwrap_or(0)
    }
}

fn sound_row(slot: &SoundSlot, transport: u32, subscription: u32) -> SoundRow {
    let played = slot.buffer.played;
    SoundRow {
        transport,
        subscription,
        played_us: played.total_us,
        concealed_us: played.concealed_us,
        bytes: played.bytes,
        late: played.late,
        delay_us: mean(played.delay_sum_us, played.frames),
        target_us: slot.buffer.target_us(),
        packets: slot.packets,
        lost: slot.stats.lost(),
        nacks: slot.nacks,
    }
}

fn picture_row(slot: &PictureSlot, now: Micros, transport: u32, subscription: u32) -> PictureRow {
    let rungs = slot.shown.rungs(now);
    let off = rungs.iter().find(|rung| rung.height == 0);
    PictureRow {
        transport,
        subscription,
        frames: slot.shown.frames,
        bytes: slot.shown.bytes,
        freezes: slot.freezes.count,
        frozen_us: slot.freezes.frozen_until(now),
        longest_freeze_us: slot.freezes.longest_us,
        off_us: off.map_or(0, |rung| rung.us),
        switches: slot.shown.switches,
        first_us: or_none(slot.shown.first),
        last_us: or_none(slot.shown.last),
        delay_us: mean(slot.shown.delay_sum_us, slot.shown.frames),
        packets: slot.packets,
        lost: slot.stats.lost(),
        nacks: slot.nacks,
        plis: slot.plis,
    }
}

fn mean(sum: i64, count: u64) -> i64 {
    sum / i64::try_from(count).unwrap_or(i64::MAX).max(1)
}

fn or_none(at: Micros) -> i64 {
    if at == Micros::NEVER { -1 } else { at.0 }
}
