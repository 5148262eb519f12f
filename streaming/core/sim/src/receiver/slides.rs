//! The classroom's end of the data channel: slides as stills (PROTOCOL 1.1), taken by the core's own receiving end.

use zhuandi_sfu::stills::{Came, End, LessonStills, Stills};
use zhuandi_sfu::transport::{Epoch, Transport};
use zhuandi_wire::time::Micros;

/// Most stills that are remembered until they are taken.
const MAX_SEEN: usize = 4096;

/// A slide that is whole and can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slide {
    /// Its number, from its first bytes.
    pub number: u32,
    /// When.
    pub at: Micros,
}

/// See the module.
pub struct Slides {
    end: End,
    lesson: LessonStills,
    epoch: Epoch,
    seen: Vec<Slide>,
}

impl Slides {
    /// The channel opens at once; `transport` stands.
    pub fn new(now: Micros, epoch: Epoch, transport: &mut Transport) -> Slides {
        let mut slides = Slides {
            end: End::new(Stills::FromPeer, true),
            lesson: LessonStills::default(),
            epoch,
            seen: Vec::new(),
        };
        slides.end.connected();
        slides.end.flush(now, epoch, transport);
        slides
    }

    /// Take what came on the channel.
    pub fn receive(&mut self, now: Micros, transport: &mut Transport) {
        let mut messages = Vec::new();
        while let Some(packet) = transport.poll_data() {
            // What does not fit costs the peer a retransmission, as in a browser.
            let _ = self.end.handle(now, self.epoch, &packet, &mut messages);
        }
        for message in messages {
            if let Ok(Some(Came::Lesson(still))) = self.end.message(now, &mut self.lesson, &message)
                && self.seen.len() < MAX_SEEN
                && let Some(number) = still.file().first_chunk()
            {
                self.seen.push(Slide {
                    number: u32::from_be_bytes(*number),
                    at: now,
                });
            }
        }
        self.speak(now, transport);
    }

    /// When [`Slides::poll`] is due.
    pub fn next(&self) -> Micros {
        self.end.next(self.epoch, || Micros::NEVER)
    }

    /// Timers.
    pub fn poll(&mut self, now: Micros, transport: &mut Transport) {
        self.end.handle_timeout(now, self.epoch);
        self.speak(now, transport);
    }

    /// Slides that came whole since the last call.
    pub fn take(&mut self) -> Vec<Slide> {
        std::mem::take(&mut self.seen)
    }

    fn speak(&mut self, now: Micros, transport: &mut Transport) {
        self.end.acknowledge(now, &self.lesson);
        self.end.flush(now, self.epoch, transport);
    }
}
