//! The moment at which a leg goes over from one encoding to another: its timestamp, and for sound where it leaves no gap.

use zhuandi_wire::seq::{low32, ts_distance};

use super::Leg;
use crate::clock::ticks;
use crate::packet::Meta;
use crate::publication::Publication;

/// Sound that may be missing at a change: 10 ms at 48 kHz.
const GAP_TICKS: i64 = 480;
/// A change of sound waits no longer than this after the last packet of the old encoding: two of its longest packets.
const WAIT_US: i64 = 120_000;

impl Leg {
    /// Whether a change of sound at this packet would leave out what the old encoding is about to say: a long packet comes
    /// when it is whole, so after it the next short one fits.
    pub(super) fn leaves_gap(&self, source: &Publication, encoding: u8, meta: &Meta) -> bool {
        let before = self.selector.current();
        let changes = before.is_some_and(|before| before != encoding);
        let (Some(last), true) = (self.rewriter.last(), changes && !self.is_video()) else {
            return false;
        };
        let begins = ts_distance(self.switch_ts(source, before, encoding, meta), last.ts);
        let gap = i64::from(begins) - i64::from(self.last_ticks);
        gap > GAP_TICKS && meta.arrival.since(self.last_at) < WAIT_US
    }

    /// Timestamp of the first packet after a switch: by the publisher's own clock where it is known, else by arrival.
    pub(super) fn switch_ts(
        &self,
        source: &Publication,
        before: Option<u8>,
        encoding: u8,
        meta: &Meta,
    ) -> u32 {
        let Some(last) = self.rewriter.last() else {
            return meta.ts;
        };
        let by_arrival = ticks(meta.arrival.since(self.last_at), self.rate);
        let exact = self.rewriter.ts_offset().and_then(|offset| {
            let old = source.encoding(before.unwrap_or(encoding))?.clock?;
            let new = source.encoding(encoding)?.clock?;
            let last_in = last.ts.wrapping_sub(offset);
            let us = old.to_us(&new) + new.until_us(meta.ts, self.rate)
                - old.until_us(last_in, self.rate);
            Some(ticks(us, self.rate))
        });
        let near = |ticks: &i64| (ticks - by_arrival).abs() < i64::from(self.rate);
        let mut advance = exact.filter(near).unwrap_or(by_arrival);
        if self.is_video() {
            advance = advance.max(1);
        } else {
            // Browsers report the time at which a packet of sound is whole, its timestamp is that of its beginning: so the
            // first long packet begins before the last short one, and its receiver drops what it has heard already.
            advance += i64::from(self.last_ticks) - i64::from(meta.sound_ticks);
        }
        last.ts.wrapping_add(low32(advance.cast_unsigned()))
    }
}
