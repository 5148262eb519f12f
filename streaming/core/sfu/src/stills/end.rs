//! The stills' side of one transport: its data channel, what it may say, what it still gets.

use std::sync::Arc;

use zhuandi_wire::still::{Begin, MAX_OWN_BYTES, Message, Source};
use zhuandi_wire::time::Micros;

use super::own::MAX_TILES;
use super::{LessonStills, OwnStills, Sender, Still, Taken};
use crate::api::TransportId;
use crate::channel::Channel;
use crate::drop_reason::DropReason;
use crate::transport::{Epoch, Transport};

/// Which way the lesson's stills go on a transport; own stills go the other way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stills {
    /// No data channel.
    #[default]
    None,
    /// The peer sends them to us.
    FromPeer,
    /// We send them to the peer.
    ToPeer,
}

/// Least time between two stills that a peer announces.
const MIN_BEGIN_US: i64 = 200_000;
/// Announcements that are remembered: one a source, and the one before it.
const MAX_BEGUN: usize = 4;

/// A still that is whole, or the newest again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// For everybody who receives.
    Lesson(Arc<Still>),
    /// The peer's own under 0; of somebody else under a tile.
    Own(u32, Arc<Still>),
}

/// A still that the peer announced.
#[derive(Debug)]
struct Begun {
    begin: Begin,
    /// An acknowledgement is due then.
    have_at: Micros,
}

/// See the module.
pub struct End {
    /// Which way stills go.
    pub way: Stills,
    /// Once the peer said something on it, or we opened it.
    pub channel: Option<Channel>,
    /// What the peer is to get.
    pub sender: Sender,
    /// What the peer gave of its own, or a server of others.
    pub own: OwnStills,
    /// Whose own stills the peer looks at, and under which tile.
    shows: Vec<(TransportId, u32)>,
    /// We open the channel, not the peer.
    opens: bool,
    begun: Vec<Begun>,
    began: Option<Micros>,
    greeted: bool,
}

impl End {
    /// The peer looks at the own stills of these from now on, each under its tile; what was under other tiles is forgotten.
    pub fn show(&mut self, shows: Vec<(TransportId, u32)>) {
        let before = std::mem::replace(&mut self.shows, shows);
        for gone in before.iter().filter(|pair| !self.shows.contains(pair)) {
            self.sender.forget(gone.1);
        }
    }

    /// The tile under which the peer looks at somebody.
    pub fn tile_of(&self, other: TransportId) -> Option<u32> {
        let mut found = self.shows.iter().filter(|(shown, _)| *shown == other);
        found.next().map(|(_, tile)| *tile)
    }

    /// An end that has not spoken yet; `opens`: the channel is ours to open.
    pub fn new(way: Stills, opens: bool) -> End {
        End {
            way,
            shows: Vec::new(),
            opens,
            channel: None,
            sender: Sender::default(),
            own: OwnStills::default(),
            begun: Vec::new(),
            began: None,
            greeted: false,
        }
    }

    /// DTLS is up.
    pub fn connected(&mut self) {
        if self.opens && self.way != Stills::None {
            self.channel.get_or_insert_with(Channel::open);
        }
    }

    /// Take an SCTP packet; its messages are appended.
    pub fn handle(
        &mut self,
        now: Micros,
        epoch: Epoch,
        packet: &[u8],
        messages: &mut Vec<Vec<u8>>,
    ) -> Result<(), DropReason> {
        if self.way == Stills::None {
            return Err(DropReason::ChannelUnknown);
        }
        let channel = self.channel.get_or_insert_with(Channel::accept);
        channel.handle(now, epoch, packet, messages)
    }

    /// Act on one message. Some = a still that is whole, or the newest again.
    pub fn message(
        &mut self,
        now: Micros,
        lesson: &mut LessonStills,
        bytes: &[u8],
    ) -> Result<Option<Came>, DropReason> {
        match Message::parse(bytes).map_err(|_| DropReason::ChannelMalformed)? {
            Message::Begin(begin) => self.begin(now, lesson, begin),
            Message::Chunk {
                number,
                index,
                data,
            } => self.chunk(now, lesson, number, index, data),
            Message::Have { number, bitmap } => {
                self.sender.have(number, bitmap);
                Ok(None)
            }
        }
    }

    /// Which stills the peer may give: an output end the lesson's, a page that receives its own, a server tiles of others.
    fn may_begin(&self, begin: &Begin) -> Result<(), DropReason> {
        let may = match self.way {
            Stills::None => false,
            Stills::FromPeer => begin.of == 0,
            Stills::ToPeer => self.opens == (begin.of != 0) && begin.source == Source::Camera,
        };
        let large = usize::try_from(begin.bytes).is_ok_and(|bytes| bytes > MAX_OWN_BYTES);
        match (may, self.way == Stills::ToPeer && large) {
            (false, _) => Err(DropReason::StillForbidden),
            (true, true) => Err(DropReason::StillTooLarge),
            (true, false) => Ok(()),
        }
    }

    fn begin(
        &mut self,
        now: Micros,
        lesson: &mut LessonStills,
        begin: Begin,
    ) -> Result<Option<Came>, DropReason> {
        self.may_begin(&begin)?;
        let same = |begun: &&mut Begun| begun.begin == begin;
        if let Some(begun) = self.begun.iter_mut().find(same) {
            begun.have_at = now;
            return Ok(None);
        }
        // A server gives tiles as fast as the link takes them.
        let tiles = begin.of != 0;
        let soon = |at| now.since(at) < MIN_BEGIN_US;
        if !tiles && self.began.is_some_and(soon) {
            return Err(DropReason::StillRate);
        }
        self.began = Some(now);
        self.begun
            .retain(|other| other.begin.number != begin.number);
        if self.begun.len() >= if tiles { 2 * MAX_TILES } else { MAX_BEGUN } {
            self.begun.remove(0);
        }
        self.begun.push(Begun {
            begin,
            have_at: now,
        });
        let known = match self.way {
            Stills::FromPeer => lesson.begin(begin).map(Came::Lesson),
            _ => self
                .own
                .begin(begin)
                .map(|still| Came::Own(begin.of, still)),
        };
        Ok(known)
    }

    fn chunk(
        &mut self,
        now: Micros,
        lesson: &mut LessonStills,
        number: u16,
        index: u16,
        data: &[u8],
    ) -> Result<Option<Came>, DropReason> {
        let named = |begun: &&mut Begun| begun.begin.number == number;
        let begun = self.begun.iter_mut().find(named);
        let begun = begun.ok_or(DropReason::StillUnknown)?;
        let Begin { of, hash, .. } = begun.begin;
        let taken = match self.way {
            Stills::FromPeer => lesson.take(now, &hash, index, data),
            _ => self.own.take(now, of, &hash, index, data),
        };
        match taken {
            Ok(Taken::Waits(at)) => {
                begun.have_at = begun.have_at.min(at);
                Ok(None)
            }
            Ok(Taken::Again) => {
                begun.have_at = now;
                Ok(None)
            }
            Ok(Taken::Whole(still)) => {
                begun.have_at = now;
                Ok(Some(match self.way {
                    Stills::FromPeer => Came::Lesson(still),
                    _ => Came::Own(of, still),
                }))
            }
            Err(reason) => {
                self.begun.retain(|begun| begun.begin.number != number);
                Err(reason)
            }
        }
    }

    /// The channel has just become open: the peer is to get what is newest.
    pub fn greet(&mut self, lesson: &LessonStills) {
        let open = self.channel.as_ref().is_some_and(Channel::is_open);
        if open && self.way == Stills::ToPeer && !std::mem::replace(&mut self.greeted, true) {
            lesson
                .newest()
                .for_each(|still| self.sender.offer(0, still));
        }
    }

    /// Bytes on the link of all that the peer is still to get; 0 while it cannot take any.
    pub fn left_bytes(&self) -> u64 {
        let open = self.channel.as_ref().is_some_and(Channel::is_open);
        if open { self.sender.left_bytes() } else { 0 }
    }

    /// Acknowledge what is due.
    pub fn acknowledge(&mut self, now: Micros, lesson: &LessonStills) {
        let Some(channel) = &mut self.channel else {
            return;
        };
        for begun in self.begun.iter_mut().filter(|begun| begun.have_at <= now) {
            begun.have_at = Micros::NEVER;
            let bitmap = match self.way {
                Stills::FromPeer => lesson.bitmap(&begun.begin),
                _ => self.own.bitmap(&begun.begin),
            };
            let mut message = Vec::new();
            Message::Have {
                number: begun.begin.number,
                bitmap: &bitmap,
            }
            .write(&mut message);
            channel.send(&message);
        }
    }

    /// A chunk or a begin may be sent now, as far as the channel goes.
    pub fn is_ready(&self, now: Micros) -> bool {
        self.channel.as_ref().is_some_and(Channel::is_ready) && self.sender.due() <= now
    }

    /// Put the next chunk or begin into the channel.
    pub fn send_next(&mut self, now: Micros) {
        let mut message = Vec::new();
        if let Some(channel) = &mut self.channel
            && self.sender.next(now, &mut message)
        {
            channel.send(&message);
        }
    }

    /// Hand what the channel has to say to the transport; the bytes of it.
    pub fn flush(&mut self, now: Micros, epoch: Epoch, transport: &mut Transport) -> usize {
        let mut packets = Vec::new();
        if let Some(channel) = &mut self.channel {
            channel.poll_transmit(now, epoch, &mut packets);
        }
        let mut bytes = 0;
        for packet in packets {
            bytes += packet.len() + DTLS_OVERHEAD;
            transport.send_data(now, &packet);
        }
        bytes
    }

    /// Timers of the channel.
    pub fn handle_timeout(&mut self, now: Micros, epoch: Epoch) {
        if let Some(channel) = &mut self.channel
            && channel.poll_timeout(epoch) <= now
        {
            channel.handle_timeout(now, epoch);
        }
    }

    /// When it has something to do; `leftover_at` is when the pacer may have room.
    pub fn next(&self, epoch: Epoch, leftover_at: impl FnOnce() -> Micros) -> Micros {
        let Some(channel) = &self.channel else {
            return Micros::NEVER;
        };
        let haves = self.begun.iter().map(|begun| begun.have_at).min();
        let due = self.sender.due();
        let send = if channel.is_ready() && due != Micros::NEVER {
            due.max(leftover_at())
        } else {
            Micros::NEVER
        };
        haves
            .unwrap_or(Micros::NEVER)
            .min(channel.poll_timeout(epoch))
            .min(send)
    }
}

#[cfg(test)]
impl End {
    /// What is here of an own still that was announced under this number.
    pub(super) fn bitmap_of(&self, number: u16) -> Option<Vec<u8>> {
        let begun = self.begun.iter().find(|one| one.begin.number == number)?;
        Some(self.own.bitmap(&begun.begin))
    }
}

/// Record header, explicit nonce and tag (RFC 6347, RFC 5288), UDP and IP.
pub(super) const DTLS_OVERHEAD: usize = 13 + 8 + 16 + 28;
