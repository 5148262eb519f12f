//! A modelled browser that attends: what it hears and sees, and what it tells the server.
//!
//! Play-out happens when somebody looks: a packet, a timer or a question brings a slot up to its time first.

use zhuandi_sfu::transport::demux::{self, classify};
use zhuandi_sfu::transport::{Epoch, Path, Transport};
use zhuandi_sfu::twcc_recorder::TwccRecorder;
use zhuandi_wire::extensions;
use zhuandi_wire::rtcp::{Message, messages, write_nack, write_pli, write_receiver_report};
use zhuandi_wire::rtp::Header;
use zhuandi_wire::time::Micros;

pub mod decoder;
pub mod delay_target;
pub mod freeze;
pub mod nack_sender;
pub mod picture_buffer;
pub mod picture_slot;
pub mod render_clock;
pub mod shown;
pub mod slides;
pub mod sound_buffer;
pub mod sound_slot;

use picture_slot::PictureSlot;
use slides::Slides;
use sound_slot::SoundSlot;

/// SSRC of our RTCP.
const OWN_SSRC: u32 = 1;
const TWCC_ID: u8 = 3;
/// Browsers report picture once a second; sound alone less often.
const REPORT_US: i64 = 1_000_000;
/// Key frames are thought about this often.
const KEY_CHECK_US: i64 = 100_000;

/// What one slot receives.
pub enum Slot {
    /// A voice.
    Sound(Box<SoundSlot>),
    /// A camera or a screen.
    Picture(Box<PictureSlot>),
}

/// See the module.
pub struct Receiver {
    transport: Transport,
    path: Path,
    /// In the order of [`Receiver::add`].
    pub slots: Vec<Slot>,
    twcc: TwccRecorder,
    report_at: Micros,
    key_at: Micros,
    /// Compact NTP of the last sender report by SSRC, and when it came.
    reports: Vec<(u32, u32, Micros)>,
    /// Whether it sends transport-wide feedback.
    pub tells_twcc: bool,
    /// Its data channel.
    pub slides: Slides,
}

impl Receiver {
    /// On an association that stands, as its client.
    pub fn new(now: Micros, mut transport: Transport, path: Path, epoch: Epoch) -> Receiver {
        Receiver {
            slides: Slides::new(now, epoch, &mut transport),
            transport,
            path,
            slots: Vec::new(),
            twcc: TwccRecorder::default(),
            report_at: now.plus(REPORT_US),
            key_at: now.plus(KEY_CHECK_US),
            reports: Vec::new(),
            tells_twcc: true,
        }
    }

    /// One more slot.
    pub fn add(&mut self, slot: Slot) {
        self.slots.push(slot);
    }

    /// The page's `jitterBufferTarget` for all slots.
    pub fn set_target(&mut self, now: Micros, target_us: i64) {
        for slot in &mut self.slots {
            match slot {
                Slot::Sound(slot) => {
                    slot.settle(now);
                    slot.buffer.set_target(target_us);
                }
                Slot::Picture(slot) => slot.clock.target_us = target_us,
            }
        }
    }

    /// Bring all slots up to now.
    pub fn settle(&mut self, now: Micros) {
        for slot in &mut self.slots {
            match slot {
                Slot::Sound(slot) => slot.settle(now),
                Slot::Picture(slot) => slot.settle(now),
            }
        }
    }

    /// When to call [`Receiver::poll`].
    pub fn next(&self) -> Micros {
        let slots = self.slots.iter().map(|slot| match slot {
            Slot::Sound(_) => Micros::NEVER,
            Slot::Picture(slot) => slot.next(),
        });
        let twcc = self
            .twcc
            .next()
            .min(self.report_at)
            .min(self.key_at)
            .min(self.slides.next());
        slots.min().unwrap_or(Micros::NEVER).min(twcc)
    }

    /// What is due by time: the datagrams to send.
    pub fn poll(&mut self, now: Micros, out: &mut Vec<Vec<u8>>) {
        loop {
            let mut packet = Vec::new();
            if !self.twcc.poll(now, OWN_SSRC, &mut packet) {
                break;
            }
            self.send(packet, out);
        }
        if self.slides.next() <= now {
            self.slides.poll(now, &mut self.transport);
        }
        self.flush(out);
        let mut packet = Vec::new();
        for slot in &mut self.slots {
            if let Slot::Picture(slot) = slot {
                let (ssrc, lost) = (slot.ssrc, slot.poll(now));
                write_nack(&mut packet, OWN_SSRC, ssrc, &lost);
            }
        }
        if self.key_at <= now {
            self.key_at = now.plus(KEY_CHECK_US);
            for slot in &mut self.slots {
                if let Slot::Picture(slot) = slot {
                    slot.settle(now);
                    if slot.wants_key(now) {
                        write_pli(&mut packet, OWN_SSRC, slot.ssrc);
                    }
                }
            }
        }
        self.send(packet, out);
        if self.report_at <= now {
            self.report_at = now.plus(REPORT_US);
            self.report(now, out);
        }
    }

    /// A datagram of the server.
    pub fn receive(&mut self, now: Micros, datagram: &mut [u8], out: &mut Vec<Vec<u8>>) {
        match classify(datagram) {
            demux::Kind::Rtp => self.receive_rtp(now, datagram, out),
            demux::Kind::Dtls => {
                if self.transport.handle_dtls(now, self.path, datagram).is_ok() {
                    self.slides.receive(now, &mut self.transport);
                    self.flush(out);
                }
            }
            _ => self.receive_rtcp(now, datagram),
        }
    }

    /// What the data channel has to say.
    fn flush(&mut self, out: &mut Vec<Vec<u8>>) {
        while let Some((_, datagram)) = self.transport.poll_transmit() {
            out.push(datagram);
        }
    }

    fn receive_rtp(&mut self, now: Micros, datagram: &mut [u8], out: &mut Vec<Vec<u8>>) {
        let Ok(plain) = self.transport.unprotect_rtp(now, self.path, datagram) else {
            // Sound is repaired with the same ciphertext: the second copy is a replay.
            return;
        };
        let packet = datagram.get_mut(..plain.len).unwrap_or_default();
        let Ok(header) = Header::parse(packet) else {
            return;
        };
        let ssrc = header.fields.ssrc;
        let mut elements = header.extensions(packet);
        let number = elements
            .find(|element| element.id == TWCC_ID)
            .and_then(|element| extensions::twcc(element.data));
        if let Some(number) = number.filter(|_| self.tells_twcc) {
            self.twcc.arrived(now, number, ssrc);
        }
        let mut packet_out = Vec::new();
        for slot in &mut self.slots {
            match slot {
                Slot::Sound(slot) if slot.ssrc == ssrc => {
                    let payload = header
                        .payload(packet)
                        .ok()
                        .and_then(|range| packet.get(range));
                    let lost = slot.arrived(now, &header, payload.unwrap_or_default());
                    write_nack(&mut packet_out, OWN_SSRC, ssrc, &lost);
                    break;
                }
                Slot::Picture(slot) if slot.ssrc == ssrc || slot.rtx_ssrc == ssrc => {
                    let (ssrc, lost) = (slot.ssrc, slot.arrived(now, header, packet));
                    write_nack(&mut packet_out, OWN_SSRC, ssrc, &lost);
                    break;
                }
                _ => {}
            }
        }
        self.send(packet_out, out);
    }

    fn receive_rtcp(&mut self, now: Micros, datagram: &mut [u8]) {
        let Ok(plain) = self.transport.unprotect_rtcp(now, self.path, datagram) else {
            return;
        };
        for message in messages(datagram.get(..plain.len).unwrap_or_default()).flatten() {
            if let Message::SenderReport(report) = message {
                self.reports.retain(|(ssrc, ..)| *ssrc != report.ssrc);
                self.reports
                    .push((report.ssrc, report.info.compact_ntp(), now));
            }
        }
    }

    fn report(&mut self, now: Micros, out: &mut Vec<Vec<u8>>) {
        let mut blocks = Vec::new();
        for slot in &mut self.slots {
            let (ssrc, stats) = match slot {
                Slot::Sound(slot) => (slot.ssrc, &mut slot.stats),
                Slot::Picture(slot) => (slot.ssrc, &mut slot.stats),
            };
            if stats.highest().is_some() {
                let last = self.reports.iter().find(|(other, ..)| *other == ssrc);
                blocks.push(stats.block(now, ssrc, last.map(|(_, ntp, at)| (*ntp, *at))));
            }
        }
        let mut packet = Vec::new();
        write_receiver_report(&mut packet, OWN_SSRC, &blocks);
        self.send(packet, out);
    }

    fn send(&mut self, mut packet: Vec<u8>, out: &mut Vec<Vec<u8>>) {
        if !packet.is_empty() && self.transport.protect_rtcp(&mut packet, 0).is_ok() {
            out.push(packet);
        }
    }
}
