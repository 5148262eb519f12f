//! What a benchmark holds in its hand: lessons, teachers and classrooms by handle, and the engine's own tables.

use std::sync::Arc;
use std::time::Duration;

use zhuandi_netem::{LinkProfile, SplitMix64};
use zhuandi_sfu::api::{
    Command, EncodingParams, Kind, LayerRow, LessonId, PublicationId, RateRow, Sink,
    SubscriptionId, TransportId,
};
use zhuandi_sfu::engine::Engine;
use zhuandi_sfu::report::{FeedbackRow, Stats};
use zhuandi_sfu::stills::{Still, Stills};
use zhuandi_sfu::transport::established::KEYING_BYTES;
use zhuandi_sfu::transport::{Certificate, Epoch, Transport};
use zhuandi_wire::still::{Format, Source};

use crate::receiver::picture_slot::PictureSlot;
use crate::receiver::sound_slot::SoundSlot;
use crate::receiver::{Receiver, Slot};
use crate::teacher::Teacher;
use crate::teacher::film::{Film, parameters};
use crate::world::{Person, World};

/// SSRCs of publications begin here; those of slots below.
const PUBLISHED_SSRCS: u32 = 0x4000_0000;
/// Handles are below this, so that SSRCs made from them differ.
const MAX_HANDLE: u32 = 0x0100_0000;

/// One transport and the end behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) handle: u32,
    pub(crate) end: usize,
    lesson: u32,
}

/// One slot of a classroom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotPlace {
    pub(crate) handle: u32,
    pub(crate) end: usize,
    pub(crate) slot: usize,
}

/// How far the anchor of virtual time lies ahead of the machine's clock. The SCTP library arms the timer of a client's INIT by
/// that clock and no other: so the timer is always past, instead of past by as much as the machine was busy.
const AHEAD: Duration = Duration::from_secs(24 * 3600);

/// See the module. Errors are bad arguments in words.
pub struct Sim {
    pub(crate) world: World,
    certificate: Arc<Certificate>,
    epoch: Epoch,
    seed: u64,
    next: u32,
    lessons: Vec<u32>,
    pub(crate) places: Vec<Place>,
    publications: Vec<(u32, usize)>,
    pub(crate) slots: Vec<SlotPlace>,
}

impl Sim {
    /// An empty world at time 0. `certificate` and `epoch` are the engine's; no packet depends on them.
    pub fn new(certificate: Arc<Certificate>, epoch: Epoch, seed: u64) -> Sim {
        let epoch = Epoch {
            base: epoch.base + AHEAD,
        };
        let mut engine = Engine::new(certificate.clone(), epoch);
        engine.set_seed(seed);
        engine.set_wall_clock(crate::UNIX_US);
        Sim {
            world: World::new(engine, seed),
            certificate,
            epoch,
            seed,
            next: 1,
            lessons: Vec::new(),
            places: Vec::new(),
            publications: Vec::new(),
            slots: Vec::new(),
        }
    }

    /// A lesson's handle.
    pub fn open_lesson(&mut self) -> u32 {
        let lesson = self.fresh();
        self.lessons.push(lesson);
        lesson
    }

    /// A way towards classrooms that several may share; answers its number.
    pub fn add_bottleneck(&mut self, down: LinkProfile) -> Result<usize, String> {
        down.check().map_err(|error| error.to_string())?;
        Ok(self.world.add_bottleneck(down))
    }

    /// A teacher; answers its transport.
    pub fn add_teacher(&mut self, lesson: u32, up: LinkProfile) -> Result<u32, String> {
        let down = LinkProfile {
            delay_us: up.delay_us,
            ..LinkProfile::default()
        };
        let bottleneck = self.add_bottleneck(down)?;
        self.add(lesson, up, bottleneck, |now, transport, path| {
            Person::Teacher(Box::new(Teacher::new(now, transport, path)))
        })
    }

    /// A classroom behind a bottleneck; answers its transport.
    pub fn add_receiver(
        &mut self,
        lesson: u32,
        up: LinkProfile,
        bottleneck: usize,
    ) -> Result<u32, String> {
        let epoch = self.epoch;
        self.add(lesson, up, bottleneck, |now, transport, path| {
            Person::Receiver(Box::new(Receiver::new(now, transport, path, epoch)))
        })
    }

    /// A TCP download through a bottleneck, from now on.
    pub fn add_download(&mut self, bottleneck: usize, return_us: i64) -> Result<usize, String> {
        let added = self.world.add_download(bottleneck, return_us);
        added.ok_or_else(|| "no such bottleneck, or too many flows".into())
    }

    /// A teacher begins to send a film; answers the publication.
    pub fn publish(&mut self, teacher: u32, film: Film) -> Result<u32, String> {
        film.check()?;
        let end = self.end(teacher)?;
        let (handle, now) = (self.fresh(), self.world.now);
        let first_ssrc = PUBLISHED_SSRCS + 8 * handle;
        let rtp = Box::new(film.rtp(first_ssrc));
        let Some(Person::Teacher(person)) = self.world.ends.get_mut(end).map(|end| &mut end.person)
        else {
            return Err(format!("transport {teacher} is no teacher"));
        };
        person.publish(now, Arc::new(film), first_ssrc);
        self.publications.push((handle, end));
        self.world.touch(end);
        let (id, transport) = (PublicationId(handle), TransportId(teacher));
        self.command(Command::AddPublication { id, transport, rtp });
        Ok(handle)
    }

    /// A page is turned: a still of this many bytes is to get to every classroom; answers its number.
    pub fn put_still(&mut self, lesson: u32, bytes: usize) -> Result<u32, String> {
        let number = self.fresh();
        let mut file = number.to_be_bytes().to_vec();
        file.resize(bytes.max(file.len()), 0);
        let still = Still::new(Source::Screen, Format::WebP, (1280, 720), file.into());
        let still = Arc::new(still.ok_or_else(|| format!("no still has {bytes} bytes"))?);
        let lesson = LessonId(lesson);
        self.command(Command::PutStill { lesson, still });
        Ok(number)
    }

    /// A slot of a classroom; answers the subscription.
    pub fn add_subscription(&mut self, receiver: u32, kind: Kind) -> Result<u32, String> {
        let end = self.end(receiver)?;
        let (handle, now) = (self.fresh(), self.world.now);
        let (ssrc, rtx_ssrc) = (4 * handle, 4 * handle + 1);
        let Some(Person::Receiver(person)) =
            self.world.ends.get_mut(end).map(|end| &mut end.person)
        else {
            return Err(format!("transport {receiver} is no classroom"));
        };
        let slot = person.slots.len();
        person.add(match kind {
            Kind::Audio => Slot::Sound(Box::new(SoundSlot::new(ssrc))),
            Kind::Video => Slot::Picture(Box::new(PictureSlot::new(ssrc, rtx_ssrc, now))),
        });
        self.slots.push(SlotPlace { handle, end, slot });
        let encoding = EncodingParams {
            rid: None,
            ssrc: Some(ssrc),
            rtx_ssrc: (kind == Kind::Video).then_some(rtx_ssrc),
            mid: None,
        };
        let lesson = self.places.iter().find(|place| place.handle == receiver);
        let lesson = LessonId(lesson.map_or(0, |place| place.lesson));
        self.command(Command::AddSubscription {
            id: SubscriptionId(handle),
            lesson,
            sink: Sink::Transport(TransportId(receiver)),
            rtp: Box::new(parameters(kind, &handle.to_string(), vec![encoding])),
        });
        Ok(handle)
    }

    /// Point a slot at a publication, or at nothing.
    pub fn connect(&mut self, subscription: u32, publication: Option<u32>) {
        self.command(Command::Connect {
            subscription: SubscriptionId(subscription),
            publication: publication.map(PublicationId),
            all_encodings: false,
        });
    }

    /// As the core's.
    pub fn request_keyframe(&mut self, publication: u32) {
        let publication = PublicationId(publication);
        self.command(Command::RequestKeyframe { publication });
    }

    /// Let this much time pass.
    pub fn step(&mut self, span_us: i64) {
        self.world.step(span_us);
    }

    /// Virtual time.
    pub fn now_us(&self) -> i64 {
        self.world.now.0
    }

    /// As the core's.
    pub fn take_feedback(&mut self) -> Vec<FeedbackRow> {
        self.world.engine.take_feedback(self.world.now)
    }

    /// As the core's.
    pub fn take_stats(&mut self) -> Stats {
        let mut stats = self.world.engine.take_stats(self.world.now);
        stats.subscriptions.sort_by_key(|row| row.subscription);
        stats
    }

    /// As the core's; a classroom whose picture is paused is told so, as its page is.
    pub fn apply(&mut self, layers: Vec<LayerRow>, rates: Vec<RateRow>) {
        let now = self.world.now;
        for row in &layers {
            let place = self
                .slots
                .iter()
                .find(|slot| slot.handle == row.subscription.0);
            if let Some(place) = place.copied()
                && let Some(Slot::Picture(slot)) = self.slot(place)
            {
                slot.set_paused(now, row.spatial < 0);
            }
        }
        self.command(Command::Apply { layers, rates });
    }

    /// The encodings that a teacher sends, counted from the lowest (dynacast).
    pub fn set_active(&mut self, publication: u32, count: usize) -> Result<(), String> {
        let found = self
            .publications
            .iter()
            .find(|(handle, _)| *handle == publication);
        let (_, end) = found
            .copied()
            .ok_or_else(|| format!("no publication {publication}"))?;
        if let Some(Person::Teacher(teacher)) =
            self.world.ends.get_mut(end).map(|end| &mut end.person)
        {
            teacher.set_active(PUBLISHED_SSRCS + 8 * publication, count);
        }
        Ok(())
    }

    /// A classroom's `jitterBufferTarget`.
    pub fn set_target(&mut self, receiver: u32, target_us: i64) -> Result<(), String> {
        let (end, now) = (self.end(receiver)?, self.world.now);
        if let Some(Person::Receiver(person)) =
            self.world.ends.get_mut(end).map(|end| &mut end.person)
        {
            person.set_target(now, target_us);
        }
        Ok(())
    }

    /// Whether a classroom sends transport-wide feedback.
    pub fn set_twcc(&mut self, receiver: u32, tells: bool) -> Result<(), String> {
        let end = self.end(receiver)?;
        if let Some(Person::Receiver(person)) =
            self.world.ends.get_mut(end).map(|end| &mut end.person)
        {
            person.tells_twcc = tells;
        }
        Ok(())
    }

    pub(crate) fn slot(&mut self, place: SlotPlace) -> Option<&mut Slot> {
        match &mut self.world.ends.get_mut(place.end)?.person {
            Person::Receiver(receiver) => receiver.slots.get_mut(place.slot),
            Person::Teacher(_) => None,
        }
    }

    fn add(
        &mut self,
        lesson: u32,
        up: LinkProfile,
        bottleneck: usize,
        person: impl FnOnce(zhuandi_wire::time::Micros, Transport, zhuandi_sfu::api::Path) -> Person,
    ) -> Result<u32, String> {
        if !self.lessons.contains(&lesson) {
            return Err(format!("no lesson {lesson}"));
        }
        up.check().map_err(|error| error.to_string())?;
        let handle = self.fresh();
        if handle >= MAX_HANDLE {
            return Err("too many objects".into());
        }
        let keys = self.keys(handle);
        let (now, path) = (self.world.now, self.world.next_path());
        let make = |is_client| {
            Transport::established(
                now,
                path,
                &keys,
                is_client,
                self.certificate.clone(),
                self.epoch,
            )
        };
        let (ours, theirs) = (make(false)?, make(true)?);
        let end = self
            .world
            .add_end(person(now, theirs, path), up, bottleneck)
            .ok_or("no such bottleneck, or too many flows")?;
        self.places.push(Place {
            handle,
            end,
            lesson,
        });
        let (id, lesson) = (TransportId(handle), LessonId(lesson));
        self.world
            .engine
            .adopt(now, id, lesson, ours, Stills::ToPeer);
        self.world.drain();
        Ok(handle)
    }

    fn keys(&self, handle: u32) -> [u8; KEYING_BYTES] {
        let mut random = SplitMix64::new(self.seed, u64::from(handle) + 1000);
        std::array::from_fn(|_| {
            let [first, ..] = random.next_u64().to_le_bytes();
            first
        })
    }

    fn end(&self, transport: u32) -> Result<usize, String> {
        let found = self.places.iter().find(|place| place.handle == transport);
        found
            .map(|place| place.end)
            .ok_or_else(|| format!("no transport {transport}"))
    }

    fn command(&mut self, command: Command) {
        self.world.engine.handle_command(self.world.now, command);
        self.world.drain();
    }

    fn fresh(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }
}
