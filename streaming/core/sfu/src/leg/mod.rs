//! One forwarding leg: selector, rewriter, payload types and header of one outgoing stream.

mod items;
mod outgoing;
mod padding;
mod queue;
mod redundancy;
mod repair;
mod switching;
#[cfg(test)]
mod tests;

pub use repair::SealedSound;

use zhuandi_wire::time::Micros;

use crate::api::{EncodingParams, Kind, LessonId, RtpParameters, SubscriptionId};
use crate::clock::SentReports;
use crate::drop_reason::DropReason;
use crate::encoding::{Encoding, Taken};
use crate::header::{HeaderTemplate, Names};
use crate::history::{Bounds, History};
use crate::keyframes::KeyframeAllowance;
use crate::pacer::Item;
use crate::packet::Meta;
use crate::payload_types::PayloadTypes;
use crate::publication::Publication;
use crate::rewriter::Rewriter;
use crate::selector::{Selector, Verdict};

/// Ticks of the video clock between frames that are sent to catch up: one millisecond.
const CATCH_UP_TICKS: u32 = 90;

/// Where a leg ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Index of a transport.
    Transport(u32),
    /// The log of a lesson.
    Log(LessonId, u16),
}

/// Counters of one leg; they grow for ever.
#[derive(Clone, Copy, Debug, Default)]
pub struct LegCounters {
    /// Media packets sent.
    pub packets: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// Packets that were due and not sent.
    pub dropped: u64,
    /// Packets that the receiver asked for again.
    pub nacks: u64,
    /// Repairs sent.
    pub rtx_packets: u64,
    /// Key-frame requests of the receiver.
    pub plis: u64,
    /// Last fraction lost, in 1/256.
    pub loss_q8: u8,
    /// Receiver's jitter in timestamp units.
    pub jitter: u32,
}

/// What becomes of a packet on this leg.
#[derive(Clone, Copy, Debug)]
pub enum Offer {
    /// Send it.
    Send(Item),
    /// A key frame's first packet came late: go from here to the newest packet.
    Replay,
    /// Nothing goes out.
    Nothing(DropReason),
}

/// See the module.
#[derive(Debug)]
pub struct Leg {
    /// Handle of the subscription that it belongs to.
    pub subscription: SubscriptionId,
    /// Where it ends.
    pub to: To,
    /// Index of the publication that it is connected to.
    pub publication: Option<u32>,
    /// The only encoding that it carries, where the client role publishes all.
    pub fixed: Option<u8>,
    /// Layers.
    pub selector: Selector,
    /// Numbers.
    pub rewriter: Rewriter,
    /// Counters.
    pub counters: LegCounters,
    /// Sender reports that left.
    pub reports: SentReports,
    /// A sender report is due early: the stream began, or its mapping changed.
    pub report_soon: bool,
    /// Its end can take packets: a key frame sent before would be lost.
    pub ready: bool,
    /// Copies of sound in each packet: bit k stands for the packet k + 1 before (RFC 2198).
    pub redundancy: u16,
    /// Ciphertext of sound, for repairs where RTX is not negotiated.
    pub repair: Option<History<SealedSound>>,
    rtp: RtpParameters,
    encoding: EncodingParams,
    index: u32,
    rate: u32,
    pts: PayloadTypes,
    carries: bool,
    header: HeaderTemplate,
    rtx_header: HeaderTemplate,
    rtx_next: u64,
    last_at: Micros,
    last_ticks: u16,
    carried: u16,
    guards: Vec<(u64, Micros)>,
    floor: u64,
    held: bool,
    padded: u64,
    keyframe: (u64, Option<Micros>),
    allowance: KeyframeAllowance,
    reported: Option<u64>,
}

impl Leg {
    /// A leg that is connected to nothing. `seed` chooses its first sequence numbers.
    pub fn new(
        subscription: SubscriptionId,
        to: To,
        rtp: RtpParameters,
        encoding: EncodingParams,
        seed: u32,
    ) -> Leg {
        let [a, b, c, d] = seed.to_be_bytes();
        Leg {
            subscription,
            to,
            publication: None,
            fixed: None,
            selector: Selector::default(),
            rewriter: Rewriter::new(u16::from_be_bytes([a, b])),
            counters: LegCounters::default(),
            reports: SentReports::default(),
            report_soon: false,
            ready: matches!(to, To::Log(..)),
            redundancy: 0,
            repair: None,
            rtp,
            encoding,
            index: 0,
            rate: 90_000,
            pts: PayloadTypes::default(),
            carries: false,
            header: HeaderTemplate::default(),
            rtx_header: HeaderTemplate::default(),
            rtx_next: u64::from(u16::from_be_bytes([c, d]) & 0x7FFF),
            last_at: Micros(0),
            last_ticks: 0,
            carried: 0,
            guards: Vec::new(),
            floor: 0,
            held: false,
            padded: 0,
            keyframe: (0, None),
            allowance: KeyframeAllowance::default(),
            reported: None,
        }
    }

    /// Its index in the engine's table, written into what it queues.
    pub fn set_index(&mut self, index: u32) {
        self.index = index;
    }

    /// The streams that it sends, with the first index of each that was never sealed.
    pub fn spent(&self) -> impl Iterator<Item = (u32, u64)> {
        let media = self
            .encoding
            .ssrc
            .map(|ssrc| (ssrc, self.rewriter.next_index()));
        let repairs = self.encoding.rtx_ssrc.map(|ssrc| (ssrc, self.rtx_next));
        media.into_iter().chain(repairs)
    }

    /// An earlier leg sent this stream up to here: an index is sealed once (RFC 3711 9.1).
    pub fn go_on_at(&mut self, ssrc: u32, index: u64) {
        if self.encoding.ssrc == Some(ssrc) {
            self.rewriter.go_on_at(index);
        } else if self.encoding.rtx_ssrc == Some(ssrc) {
            self.rtx_next = self.rtx_next.max(index);
        }
    }

    /// Connect to a publication, or to nothing. Numbers go on.
    pub fn attach(&mut self, publication: Option<(u32, &Publication)>) {
        self.rewriter.detach();
        self.selector.restart();
        self.publication = publication.map(|(index, _)| index);
        let Some((_, source)) = publication else {
            return;
        };
        self.rate = source.encodings.first().map_or(90_000, Encoding::rate);
        self.pts = PayloadTypes::new(&self.rtp.codecs, &source.rtp.codecs);
        let mut codecs = source.rtp.codecs.iter().map(|known| known.codec);
        self.carries = codecs.any(|codec| self.pts.media(codec).is_some());
        self.selector.set_alive(match self.fixed {
            Some(only) => 1 << only.min(7),
            None if source.has_choice() => source.alive(),
            None => 1,
        });
        let names = Names {
            mid: &self.rtp.mid,
            rid: self.encoding.rid.as_deref(),
            repair: false,
            audio_level: source.rtp.extensions.audio_level.is_some(),
        };
        self.header = HeaderTemplate::new(self.ssrc(), &self.rtp.extensions, &names);
        let repair = Names {
            repair: true,
            audio_level: false,
            ..names
        };
        let rtx_ssrc = self.encoding.rtx_ssrc.unwrap_or(0);
        self.rtx_header = HeaderTemplate::new(rtx_ssrc, &self.rtp.extensions, &repair);
        if self.rtp.kind == Kind::Audio && self.rtp.nack && self.encoding.rtx_ssrc.is_none() {
            self.repair
                .get_or_insert_with(|| History::new(Bounds::REPAIR));
        }
    }

    /// Its media SSRC; 0 in a log.
    pub fn ssrc(&self) -> u32 {
        self.encoding.ssrc.unwrap_or(0)
    }

    /// Its repair SSRC.
    pub fn rtx_ssrc(&self) -> Option<u32> {
        self.encoding.rtx_ssrc
    }

    /// Sound or picture.
    pub fn is_video(&self) -> bool {
        self.rtp.kind == Kind::Video
    }

    /// Its packets carry a transport-wide number.
    pub fn has_twcc(&self) -> bool {
        self.header.has_twcc()
    }

    /// Receiver's jitter in microseconds.
    pub fn jitter_us(&self) -> u32 {
        let us = u64::from(self.counters.jitter) * 1_000_000 / u64::from(self.rate.max(1));
        u32::try_from(us).unwrap_or(u32::MAX)
    }

    /// Whether it needs a key frame to go on, and could send one.
    pub fn waits(&self) -> bool {
        self.ready && !self.held && self.carries && self.selector.waits()
    }

    /// Judge one packet of the publication.
    pub fn consider(
        &mut self,
        source: &Publication,
        encoding: u8,
        taken: &Taken,
        meta: &Meta,
        size: usize,
    ) -> Offer {
        if !self.ready {
            return Offer::Nothing(DropReason::NotConnected);
        }
        if self.held {
            return Offer::Nothing(DropReason::Paused);
        }
        if self.fixed.is_some_and(|only| only != encoding) {
            return Offer::Nothing(DropReason::OtherLayer);
        }
        if self.pts.media(meta.codec).is_none() {
            return Offer::Nothing(DropReason::UnknownPayloadType);
        }
        let look = meta.look(encoding);
        if !taken.newest {
            if look.keyframe && self.waits() && self.selector.target() == Some(encoding) {
                return Offer::Replay;
            }
            return self.consider_late(encoding, taken, meta, size);
        }
        let input = meta.numbers(taken.seq);
        if size == 0 {
            if self.selector.current() == Some(encoding) {
                self.rewriter.omit(&input, false);
            }
            return Offer::Nothing(DropReason::RtxEmpty);
        }
        let before = self.selector.current();
        if self.leaves_gap(source, encoding, meta) {
            return Offer::Nothing(DropReason::OtherLayer);
        }
        match self.selector.judge(&look) {
            Verdict::Forward { switched } => {
                if switched {
                    let ts = self.switch_ts(source, before, encoding, meta);
                    self.rewriter.switch(encoding, &input, ts);
                    self.report_soon = true;
                }
                self.send(encoding, &input, meta, size)
            }
            Verdict::Omit(reason) => {
                self.rewriter.omit(&input, meta.has_picture());
                Offer::Nothing(reason)
            }
            Verdict::Drop(reason) => Offer::Nothing(reason),
        }
    }

    /// One packet of a key frame's chain, in order; the first one starts the stream. Frames go out a millisecond apart.
    pub fn replay(
        &mut self,
        source: &Publication,
        encoding: u8,
        seq: u64,
        meta: &Meta,
        size: usize,
    ) -> Offer {
        let taken = Taken {
            seq,
            newest: true,
            restarted: false,
            first: false,
        };
        let starts = self.selector.current() != Some(encoding);
        let input = meta.numbers(seq);
        let expected = self.rewriter.last().map(|last| last.ts);
        if let (false, Some(last), Some(offset)) = (starts, expected, self.rewriter.ts_offset())
            && self.is_video()
            && meta.ts.wrapping_add(offset) != last
        {
            self.rewriter
                .retime(&input, last.wrapping_add(CATCH_UP_TICKS));
        }
        self.consider(source, encoding, &taken, meta, size)
    }
}
