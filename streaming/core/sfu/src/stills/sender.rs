//! What one receiver is still to get: begins, chunks that it has not got, and when to send them again.
//!
//! It says what is next and when; how fast, the pacer decides.

use std::sync::Arc;

use zhuandi_wire::still::{Message, Source, has};
use zhuandi_wire::time::Micros;

use super::Still;
use super::end::DTLS_OVERHEAD;

/// Chunks of one still that are under way at most, and of all tiles together: 32 kB, more than a weak link holds.
const MAX_UNDER_WAY: usize = 32;
/// A chunk is lost when one that was sent so much later has arrived.
const REORDER_US: i64 = 60_000;
/// Silence after which one chunk goes again: twice the round trip and this.
const PATIENCE_US: i64 = 250_000;
/// A begin is small: it goes again after one round trip and this.
const BEGIN_PATIENCE_US: i64 = 150_000;
const MAX_PATIENCE_US: i64 = 3_000_000;
/// Round trip before one is known.
const FIRST_RTT_US: i64 = 200_000;
/// So many silences in a row: nobody is there, and nothing is kept free for it.
const HOPELESS: u32 = 5;
/// What a chunk carries on the link beside its data: our header, SCTP, DTLS, UDP, IP.
const CHUNK_OVERHEAD: usize = 6 + 28 + DTLS_OVERHEAD;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Waits,
    /// Sent then; the flag says that it was not the first time.
    UnderWay(Micros, bool),
    Lost,
    Arrived,
}

impl Piece {
    fn is_flown(&self) -> bool {
        matches!(self, Piece::UnderWay(..) | Piece::Lost)
    }
}

/// One still on its way to one receiver.
#[derive(Debug)]
struct Delivery {
    /// 0 the lesson's or the sender's own, else a tile.
    of: u32,
    still: Arc<Still>,
    /// What is to follow it: a tile that is on its way is finished first, or a slow link would never see one whole.
    following: Option<Arc<Still>>,
    number: u16,
    /// The begin was answered.
    answered: bool,
    pieces: Vec<Piece>,
    /// Something was sent last then; [`Micros::NEVER`] before.
    sent: Micros,
    /// Times that silence was answered by sending again.
    patience: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Sender {
    deliveries: Vec<Delivery>,
    number: u16,
    rtt_us: Option<i64>,
    acked_bytes: u64,
}

impl Sender {
    /// The receiver is to have this still under this name; an older one of its source and name is forgotten.
    pub fn offer(&mut self, of: u32, still: &Arc<Still>) {
        let source = still.source();
        let same = |other: &Delivery| other.of == of && other.still.source() == source;
        let fresh = Delivery::new(of, self.free_number(), still);
        match self.deliveries.iter().position(same) {
            None => self.deliveries.push(fresh),
            Some(at) => self.replace(at, fresh),
        }
        // Slides before the room, the room before the wall.
        self.deliveries
            .sort_by_key(|delivery| (delivery.of != 0, delivery.still.source() != Source::Screen));
    }

    fn replace(&mut self, at: usize, fresh: Delivery) {
        let Some(before) = self.deliveries.get_mut(at) else {
            return;
        };
        if before.still.hash() == fresh.still.hash() {
            before.following = None;
        } else if before.of != 0 && before.is_going() {
            before.following = Some(fresh.still);
        } else if before.is_done() {
            self.deliveries.remove(at);
            self.deliveries.push(fresh);
        } else {
            // It keeps its turn, or what changes often would never be served.
            *before = fresh;
        }
    }

    /// The next number that names nothing.
    fn free_number(&mut self) -> u16 {
        loop {
            self.number = self.number.wrapping_add(1);
            let taken = |other: &Delivery| other.number == self.number;
            if !self.deliveries.iter().any(taken) {
                return self.number;
            }
        }
    }

    /// The newest still of a source has changed back to one that was delivered: say so again.
    pub fn offer_again(&mut self, still: &Arc<Still>) {
        self.deliveries
            .retain(|other| other.of != 0 || other.still.hash() != still.hash());
        self.offer(0, still);
    }

    /// The receiver is to have nothing more under this name.
    pub fn forget(&mut self, of: u32) {
        self.deliveries.retain(|other| other.of != of);
    }

    /// The round trip as the transport knows it.
    pub fn set_rtt(&mut self, rtt_us: Option<i64>) {
        self.rtt_us = rtt_us;
    }

    /// When [`Sender::next`] has something, for all that is known now.
    pub fn due(&self) -> Micros {
        let room = self.has_room();
        let due = self.deliveries.iter().map(|one| one.due(self.rtt_us, room));
        due.min().unwrap_or(Micros::NEVER)
    }

    /// The next message, appended to `out`; it counts as sent. False = nothing is due.
    pub fn next(&mut self, now: Micros, out: &mut Vec<u8>) -> bool {
        let (rtt_us, room) = (self.rtt_us, self.has_room());
        let ready = self
            .deliveries
            .iter_mut()
            .find(|delivery| delivery.due(rtt_us, room) <= now);
        ready.is_some_and(|delivery| delivery.next(now, room, out))
    }

    /// Whether one more chunk of a tile may be under way.
    fn has_room(&self) -> bool {
        let heard = |one: &&Delivery| one.of != 0 && one.patience < HOPELESS;
        let tiles = self.deliveries.iter().filter(heard);
        tiles.map(Delivery::under_way).sum::<usize>() < MAX_UNDER_WAY
    }

    /// The receiver said what it holds. True = it holds all of that still now.
    pub fn have(&mut self, number: u16, bitmap: &[u8]) -> bool {
        let named = |delivery: &Delivery| delivery.number == number;
        let Some(at) = self.deliveries.iter().position(named) else {
            return false;
        };
        let Some(delivery) = self.deliveries.get_mut(at) else {
            return false;
        };
        let flown = delivery.bytes(Piece::is_flown);
        let whole = delivery.have(bitmap);
        self.acked_bytes += flown.saturating_sub(delivery.bytes(Piece::is_flown));
        let of = delivery.of;
        if let Some(following) = delivery.following.take_if(|_| whole) {
            self.deliveries.remove(at);
            self.offer(of, &following);
        }
        whole
    }

    /// Bytes on the link of all of the lesson that the receiver has not got; 0 when it has answered nothing for long.
    /// Nothing is kept free for tiles: they take what is left.
    pub fn left_bytes(&self) -> u64 {
        let there = |delivery: &&Delivery| delivery.of == 0 && delivery.patience < HOPELESS;
        let waiting = self.deliveries.iter().filter(there);
        let missing = |delivery: &Delivery| delivery.bytes(|piece| *piece != Piece::Arrived);
        waiting.map(missing).sum()
    }

    /// Bytes on the link that the receiver said it got, since the last call.
    pub fn take_acked_bytes(&mut self) -> u64 {
        std::mem::take(&mut self.acked_bytes)
    }

    /// Nothing is left to be delivered.
    pub fn is_idle(&self) -> bool {
        self.deliveries.iter().all(Delivery::is_done)
    }
}

#[cfg(test)]
impl Sender {
    /// The next number is the one after this.
    pub(super) fn start_numbers_at(&mut self, number: u16) {
        self.number = number;
    }

    /// Tiles of which something is missing, in the order in which they are served, and chunks of them that fly.
    pub(super) fn tiles(&self) -> (Vec<u32>, usize) {
        let open = self.deliveries.iter().filter(|one| !one.is_done());
        let flying = self.deliveries.iter().map(Delivery::under_way).sum();
        (open.map(|one| one.of).collect(), flying)
    }
}

impl Delivery {
    fn new(of: u32, number: u16, still: &Arc<Still>) -> Delivery {
        Delivery {
            of,
            still: Arc::clone(still),
            following: None,
            number,
            answered: false,
            pieces: vec![Piece::Waits; still.chunks()],
            sent: Micros::NEVER,
            patience: 0,
        }
    }

    /// Some of it flew, not all arrived, and somebody is there.
    fn is_going(&self) -> bool {
        let flown = self.pieces.iter().any(|piece| *piece != Piece::Waits);
        flown && !self.is_done() && self.patience < HOPELESS
    }

    fn is_done(&self) -> bool {
        self.answered && self.pieces.iter().all(|piece| *piece == Piece::Arrived)
    }

    /// Bytes on the link of the chunks that are so.
    fn bytes(&self, so: impl Fn(&Piece) -> bool) -> u64 {
        let chosen = self
            .pieces
            .iter()
            .enumerate()
            .filter(|(_, piece)| so(piece));
        let chunk = |index| self.still.chunk(index).map_or(0, <[u8]>::len) + CHUNK_OVERHEAD;
        chosen.map(|(index, _)| chunk(index) as u64).sum()
    }

    fn under_way(&self) -> usize {
        let is = |piece: &&Piece| matches!(piece, Piece::UnderWay(..));
        self.pieces.iter().filter(is).count()
    }

    fn patience_us(&self, rtt_us: Option<i64>) -> i64 {
        let rtt_us = rtt_us.unwrap_or(FIRST_RTT_US);
        let first = match self.answered {
            false => rtt_us + BEGIN_PATIENCE_US,
            true => 2 * rtt_us + PATIENCE_US,
        };
        let wait = first.saturating_mul(1 << self.patience.min(4));
        wait.min(MAX_PATIENCE_US)
    }

    /// A chunk that does not fly may; `room` is that of the tiles.
    fn may_send(&self, room: bool) -> bool {
        (room || self.of == 0) && self.under_way() < MAX_UNDER_WAY
    }

    fn due(&self, rtt_us: Option<i64>, room: bool) -> Micros {
        if self.is_done() {
            return Micros::NEVER;
        }
        let fresh = |piece: &Piece| matches!(piece, Piece::Waits | Piece::Lost);
        let wants = self.answered && self.pieces.iter().any(fresh);
        if (wants && self.may_send(room)) || self.sent == Micros::NEVER {
            return Micros(0);
        }
        if wants && self.under_way() == 0 {
            // The other tiles are first.
            return Micros::NEVER;
        }
        self.sent.plus(self.patience_us(rtt_us))
    }

    fn next(&mut self, now: Micros, room: bool, out: &mut Vec<u8>) -> bool {
        if !self.answered {
            self.patience += u32::from(self.sent != Micros::NEVER);
            self.sent = now;
            Message::Begin(self.still.begin(self.number, self.of)).write(out);
            return true;
        }
        let Some((index, again)) = self.choose(room) else {
            return false;
        };
        let Some(data) = self.still.chunk(index) else {
            return false;
        };
        Message::Chunk {
            number: self.number,
            index: u16::try_from(index).unwrap_or(u16::MAX),
            data,
        }
        .write(out);
        if let Some(piece) = self.pieces.get_mut(index) {
            *piece = Piece::UnderWay(now, again);
        }
        self.sent = now;
        true
    }

    /// What was lost, then what was never sent, then (after silence) what was sent longest ago.
    fn choose(&mut self, room: bool) -> Option<(usize, bool)> {
        let position = |wanted: Piece| self.pieces.iter().position(|piece| *piece == wanted);
        let may = self.may_send(room);
        if let Some(index) = position(Piece::Lost).filter(|_| may) {
            return Some((index, true));
        }
        if let Some(index) = position(Piece::Waits).filter(|_| may) {
            return Some((index, false));
        }
        self.patience += 1;
        let sent = |(index, piece): (usize, &Piece)| {
            if let Piece::UnderWay(at, _) = piece {
                Some((*at, index))
            } else {
                None
            }
        };
        let oldest = self.pieces.iter().enumerate().filter_map(sent).min();
        oldest.map(|(_, index)| (index, true))
    }

    fn have(&mut self, bitmap: &[u8]) -> bool {
        let was_done = self.is_done();
        self.answered = true;
        self.patience = 0;
        let mut newest = None;
        for (index, piece) in self.pieces.iter_mut().enumerate() {
            if has(bitmap, index) {
                // Of a chunk that was sent twice, nobody knows which one arrived (Karn's rule).
                if let Piece::UnderWay(at, false) = piece {
                    newest = newest.max(Some(*at));
                }
                *piece = Piece::Arrived;
            }
        }
        let Some(newest) = newest else {
            return !was_done && self.is_done();
        };
        for piece in &mut self.pieces {
            if let Piece::UnderWay(at, _) = piece
                && newest.since(*at) >= REORDER_US
            {
                *piece = Piece::Lost;
            }
        }
        !was_done && self.is_done()
    }
}
