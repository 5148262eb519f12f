//! What a receiver asks for again: from the one history, or the stored ciphertext.

use zhuandi_wire::time::Micros;

use super::Leg;
use crate::drop_reason::DropReason;
use crate::pacer::{self, Item};
use crate::publication::Publication;
use crate::rewriter::Numbers;
use crate::sent_log::{SentLog, State};

/// A second repair of one packet is not sent before this time, or a round trip.
const REPAIR_GUARD_US: i64 = 25_000;
const GUARDS: usize = 256;

/// Feedback that has not spoken of a packet after a round trip and this long will not.
const FEEDBACK_US: i64 = 150_000;
/// A copy that leaves with one of so many next packets is waited for; one that stands farther apart may be lost as well,
/// and then there would be no time for a second repair.
const AWAITED: u64 = 2;

/// What is known of a packet of sound beside its ciphertext.
#[derive(Clone, Copy, Debug)]
pub struct SealedSound {
    /// Index of its transport-wide number; none where it had no such number.
    sent: Option<u64>,
    /// Older frames that it carried: bit k is the frame k + 1 packets before.
    copies: u16,
}

impl Leg {
    /// Keep a packet of sound as it left, for repairs; `sent` is the index of its transport-wide number.
    pub fn keep_sealed(&mut self, now: Micros, out: u64, sent: u64, sealed: &[u8]) {
        let kept = SealedSound {
            sent: self.has_twcc().then_some(sent),
            copies: self.carried,
        };
        if let Some(repair) = &mut self.repair {
            repair.push(now, out, kept, sealed);
        }
    }

    /// Whether sound that is asked for again came after all, or its copies came or may still come. Receivers ask for
    /// packets, not for sound: they do not look whether a copy filled the gap.
    pub fn is_covered(&self, now: Micros, number: u16, rtt_us: i64, log: &SentLog) -> bool {
        let (Some(repair), Some(out)) = (&self.repair, self.rewriter.out_index(number)) else {
            return false;
        };
        let state = |kept: SealedSound| {
            let sent = kept.sent?;
            let row = log.range(sent..sent + 1).next()?;
            let stale = row.state == State::Flying && now.since(row.at) > rtt_us + FEEDBACK_US;
            (!stale).then_some(row.state)
        };
        let came = |(kept, _): (SealedSound, &[u8])| state(kept) == Some(State::Acked);
        if repair.get(out).is_some_and(came) {
            return true;
        }
        let next = self.rewriter.next_index();
        (1u64..=16).any(|distance| {
            let bit = 1u16 << (distance - 1);
            match repair.get(out + distance) {
                Some((kept, _)) => {
                    kept.copies & bit != 0
                        && matches!(state(kept), Some(State::Acked | State::Flying))
                }
                // Not sent yet, but it will be with the next packets.
                None => {
                    distance <= AWAITED
                        && out + distance >= next
                        && self.redundancy & bit != 0
                        && self.has_twcc()
                }
            }
        })
    }

    /// The receiver asks for a packet again; `sparing`: what a later key frame made worthless is not sent.
    pub fn nack(
        &mut self,
        now: Micros,
        number: u16,
        rtt_us: i64,
        sparing: bool,
        source: &Publication,
    ) -> Result<Item, DropReason> {
        let floor = if sparing {
            self.floor.max(self.keyframe.0)
        } else {
            self.floor
        };
        let out = self.rewriter.out_index(number).filter(|&out| out >= floor);
        let out = out.ok_or(DropReason::NackUnknown)?;
        if !self.guard(now, out, rtt_us.max(REPAIR_GUARD_US)) {
            return Err(DropReason::NackThrottled);
        }
        if let Some(repair) = &self.repair {
            let (_, sealed) = repair.get(out).ok_or(DropReason::NackUnknown)?;
            let out = Numbers {
                seq: out,
                ..Numbers::default()
            };
            return Ok(self.item(now, pacer::Kind::Resend, 0, 0, out, sealed.len()));
        }
        let (encoding, seq) = self
            .rewriter
            .reverse(number)
            .ok_or(DropReason::NackUnknown)?;
        let kept = source
            .encoding(encoding)
            .and_then(|encoding| encoding.history.get(seq));
        let (meta, payload) = kept.ok_or(DropReason::NackUnknown)?;
        let out = self
            .rewriter
            .sent_as(number, &meta.numbers(seq))
            .ok_or(DropReason::NackUnknown)?;
        if self.encoding.rtx_ssrc.is_none() || self.pts.rtx(meta.codec).is_none() {
            return Err(DropReason::NackUnknown);
        }
        let item = self.item(now, pacer::Kind::Rtx, encoding, seq, out, payload.len());
        Ok(Item {
            temporal: meta.temporal(),
            ..item
        })
    }

    /// Append stored ciphertext once more; answers the transport-wide number that it carried the first time.
    pub fn resend(&mut self, out: &mut Vec<u8>, seq: u64) -> Result<Option<u16>, DropReason> {
        let stored = self.repair.as_ref().and_then(|repair| repair.get(seq));
        let (_, sealed) = stored.ok_or(DropReason::NackUnknown)?;
        out.extend_from_slice(sealed);
        self.counters.rtx_packets += 1;
        Ok(self.header.twcc_of(sealed))
    }

    /// False when this number was repaired a moment ago.
    fn guard(&mut self, now: Micros, out: u64, span_us: i64) -> bool {
        if self.guards.is_empty() {
            self.guards.resize(GUARDS, (u64::MAX, Micros(0)));
        }
        let at = usize::try_from(out % GUARDS as u64).unwrap_or(0);
        let Some(guard) = self.guards.get_mut(at) else {
            return false;
        };
        if guard.0 == out && now.since(guard.1) < span_us {
            return false;
        }
        *guard = (out, now);
        true
    }
}

#[cfg(test)]
mod tests;
