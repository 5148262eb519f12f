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
            while let Some(item) = association.pacer.pop(now) {
                let sent = send_item(
                    now,
                    association,
                    &mut self.legs,
                    &self.publications,
                    path,
                    &item,
                    out,
                );
                if let Err(reason) = sent
                    && let Some(count) = self.drops.get_mut(reason.index())
                {
                    *count += 1;
                }
            }
            if !association.pacer.is_empty() {
                self.arm(now, index);
            }
        }
    }
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
            association.counters.tx_packets += 1;
            association.counters.tx_bytes += (buf.len() - start) as u64;
        });
    }
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
            resend(leg, item, buf)
        } else {
            seal(now, association, leg, source, item, buf)
        };
        if result.is_err() {
            buf.truncate(start);
            return;
        }
        let len = buf.len() - start;
        association.counters.tx_packets += 1;
        association.counters.tx_bytes += len as u64;
        if twcc {
            association.sent.sent(now, len);
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
    if let Some(repair) = leg.repair.as_mut().filter(|_| item.kind == Kind::Audio) {
        repair.push(now, item.out.seq, (), buf.get(start..).unwrap_or_default());
    }
    Ok(())
}

/// Sound without RTX is repaired with the same ciphertext, so that no nonce is used for other bytes (DESIGN 2).
fn resend(leg: &mut Leg, item: &Item, buf: &mut Vec<u8>) -> Result<(), DropReason> {
    let (_, sealed) = leg
        .repair
        .as_ref()
        .and_then(|repair| repair.get(item.out.seq))
        .ok_or(DropReason::NackUnknown)?;
    buf.extend_from_slice(sealed);
    leg.counters.rtx_packets += 1;
    Ok(())
}
