//! What leaves: each transport that has something is emptied in turn, so that the datagrams of one receiver are neighbours.

use zhuandi_wire::rtp;
use zhuandi_wire::time::Micros;

use super::Engine;
use super::association::Association;
use crate::api::{Outgoing, Path};
use crate::drop_reason::DropReason;
use crate::leg::Leg;
use crate::pacer::{Item, Kind};
use crate::publication::Publication;
use crate::slab::Slab;

/// One poll answers with about this much; poll again until it is empty.
const MAX_POLL_BYTES: usize = 1 << 20;

impl Engine {
    /// Append what is to be sent now; nothing is appended when there is nothing more.
    pub fn poll_transmit(&mut self, now: Micros, out: &mut Outgoing) {
        while let Some((path, bytes)) = self.farewells.pop_front() {
            out.push(path, |buf| buf.extend_from_slice(&bytes));
        }
        while out.buf.len() < MAX_POLL_BYTES {
            let Some(index) = self.dirty.pop_front() else {
                return;
            };
            let Some(association) = self.associations.get_mut(index) else {
                continue;
            };
            association.dirty = false;
            while let Some((path, bytes)) = association.transport.poll_transmit() {
                out.push(path, |buf| buf.extend_from_slice(&bytes));
            }
            let Some(path) = association.transport.path().filter(|_| association.up) else {
                association.pacer.clear();
                continue;
            };
            send_rtcp(association, path, out);
            let waits = association.outage.waits();
            while let Some(item) = association.pacer.pop(now) {
                let (legs, sources) = (&mut self.legs, &self.publications);
                let sent = send_item(now, association, legs, sources, path, &item, out);
                if let Err(reason) = sent {
                    reason.count(&mut self.drops);
                }
            }
            if association.outage.knocks(now) {
                knock(now, association, &mut self.legs, path, out);
            }
            let began_to_wait = association.outage.waits() && !waits;
            self.send_stills(now, index, out);
            self.send_padding_for_probe(now, index, path, out);
            if began_to_wait || self.waits(index, now) {
                self.arm(now, index);
            }
        }
    }
}

impl Engine {
    /// What media left is for stills.
    fn send_stills(&mut self, now: Micros, index: u32, out: &mut Outgoing) {
        self.pump_stills(now, index);
        let Some(association) = self.associations.get_mut(index) else {
            return;
        };
        while let Some((path, bytes)) = association.transport.poll_transmit() {
            association.count_sent(&path, bytes.len());
            out.push(path, |buf| buf.extend_from_slice(&bytes));
        }
    }

    /// What stills left is for the padding of a probe.
    fn send_padding_for_probe(&mut self, now: Micros, index: u32, path: Path, out: &mut Outgoing) {
        let Some(association) = self.associations.get_mut(index) else {
            return;
        };
        while association.pacer.wants_padding(now) {
            let (legs, sources) = (&mut self.legs, &self.publications);
            if pad(now, association, legs, sources, path, out).is_err() {
                association.pacer.abort_probe(now, &association.sent);
            }
        }
    }

    fn waits(&self, index: u32, now: Micros) -> bool {
        let waits = |found: &Association| {
            found.pacer.next(now) != Micros::NEVER || found.stills.channel.is_some()
        };
        self.associations.get(index).is_some_and(waits)
    }
}

/// One packet of padding into the silence of a receiver that gets no sound: its answer ends the outage.
fn knock(
    now: Micros,
    association: &mut Association,
    legs: &mut Slab<Leg>,
    path: Path,
    out: &mut Outgoing,
) {
    association.outage.sent(now);
    let mut ways = association.legs.iter().copied();
    let way = ways.find(|index| legs.get(*index).is_some_and(Leg::pads));
    // Without a way to pad there is no picture that would come back.
    let _ = send_padding(now, association, legs, way, path, out);
}

fn send_rtcp(association: &mut Association, path: Path, out: &mut Outgoing) {
    for packet in std::mem::take(&mut association.rtcp) {
        out.push(path, |buf| {
            let start = buf.len();
            buf.extend_from_slice(&packet);
            if association.transport.protect_rtcp(buf, start).is_err() {
                buf.truncate(start);
                return;
            }
            association.count_sent(&path, buf.len() - start);
        });
    }
}

/// Something for a probe: a recent packet once more where it is small beside the probe, else padding alone.
fn pad(
    now: Micros,
    association: &mut Association,
    legs: &mut Slab<Leg>,
    publications: &Slab<Publication>,
    path: Path,
    out: &mut Outgoing,
) -> Result<(), DropReason> {
    let mut ways = association.legs.iter().copied();
    let way = ways.find(|index| legs.get(*index).is_some_and(Leg::pads));
    let leg = way.and_then(|index| legs.get_mut(index));
    let leg = leg.ok_or(DropReason::TooLate)?;
    let source = leg.publication.and_then(|at| publications.get(at));
    let most = association.pacer.probe.most_bytes();
    if let Some(item) = source.and_then(|source| leg.recent(now, most, source)) {
        let sent = send_item(now, association, legs, publications, path, &item, out);
        if sent.is_ok() {
            return sent;
        }
    }
    send_padding(now, association, legs, way, path, out)
}

fn send_padding(
    now: Micros,
    association: &mut Association,
    legs: &mut Slab<Leg>,
    way: Option<u32>,
    path: Path,
    out: &mut Outgoing,
) -> Result<(), DropReason> {
    let leg = way.and_then(|index| legs.get_mut(index));
    let leg = leg.ok_or(DropReason::TooLate)?;
    let mut result = Ok(());
    out.push(path, |buf| {
        let start = buf.len();
        let index = leg.write_padding(buf, now, association.sent.number());
        let index = index.ok_or(DropReason::TooLate);
        result = index.and_then(|index| association.transport.protect_rtp(buf, start, index));
        if result.is_err() {
            buf.truncate(start);
            return;
        }
        let bytes = association.count_sent(&path, buf.len() - start);
        association.sent.sent(now, bytes);
        association.pacer.sent(Kind::Padding, bytes);
    });
    result
}

/// Numbers and keys are made here, when the packet leaves, straight in the outgoing buffer.
fn send_item(
    now: Micros,
    association: &mut Association,
    legs: &mut Slab<Leg>,
    publications: &Slab<Publication>,
    path: Path,
    item: &Item,
    out: &mut Outgoing,
) -> Result<(), DropReason> {
    let leg = legs.get_mut(item.leg).ok_or(DropReason::TooLate)?;
    let source = leg
        .publication
        .and_then(|at| publications.get(at))
        .ok_or(DropReason::TooLate)?;
    let mut result = Ok(());
    let twcc = leg.has_twcc() && item.kind != Kind::Resend;
    out.push(path, |buf| {
        let start = buf.len();
        result = if item.kind == Kind::Resend {
            // The same ciphertext, so that no nonce is used for other bytes (DESIGN 2).
            leg.resend(buf, item.out.seq)
                .map(|number| association.sent.resent(number))
        } else {
            seal(now, association, leg, source, item, buf)
        };
        if result.is_err() {
            buf.truncate(start);
            return;
        }
        let len = buf.len() - start;
        let bytes = association.count_sent(&path, len);
        association.pacer.sent(item.kind, bytes);
        association.outage.sent(now);
        if twcc {
            association.sent.sent(now, bytes);
        }
        if matches!(item.kind, Kind::Audio | Kind::Video) {
            association.budget.earn(item.kind == Kind::Audio, len);
        }
    });
    result
}

fn seal(
    now: Micros,
    association: &mut Association,
    leg: &mut Leg,
    source: &Publication,
    item: &Item,
    buf: &mut Vec<u8>,
) -> Result<(), DropReason> {
    let start = buf.len();
    let number = association.sent.number();
    let index = leg
        .write(buf, now, item, number, source)
        .ok_or(DropReason::TooLate)?;
    if item.kind == Kind::Video {
        rtp::pad(buf, start, association.pacer.padding(item));
    }
    association.transport.protect_rtp(buf, start, index)?;
    if item.kind == Kind::Audio {
        let sealed = buf.get(start..).unwrap_or_default();
        leg.keep_sealed(now, item.out.seq, association.sent.next_index(), sealed);
    }
    Ok(())
}
