//! How much a receiver's NACKs may cost: a hopeless link or a flood must not become an amplifier.
//!
//! Repairs of picture take a share of the pacing rate, by the loss that was measured; where nothing is paced, a quarter of
//! the media bytes. Repairs of sound (small, and first) take as much as the sound.

use zhuandi_wire::time::Micros;

use crate::bucket::Bucket;

/// Credit that picture starts with and may save up where nothing is paced: a lost key frame.
pub const PICTURE_BURST_BYTES: i64 = 128 << 10;
/// The same for sound: a second of it.
pub const SOUND_BURST_BYTES: i64 = 16 << 10;
/// The same on a paced link, which a second of sound would fill: a dozen packets.
pub const PACED_SOUND_BURST_BYTES: i64 = 4 << 10;
/// What a paced link may save up: half a dozen packets, or half a second's share.
const PACED_BURST_BITS: i64 = 6 * 1200 * 8;
/// Share of the rate in per mille: at least this, or one and a half times the loss.
const MIN_SHARE: u64 = 150;
const MAX_SHARE: u64 = 600;
/// Loss is looked at over about so many packets.
const LOSS_PACKETS: i64 = 200;
/// Below this share of its burst a paced budget is kept for what other frames stand on.
const SCARCE: i64 = 2;

/// What a repair is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// Sound.
    Sound,
    /// Picture that others stand on.
    Base,
    /// Picture of a higher temporal layer: one frame is lost with it.
    Upper,
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct RepairBudget {
    picture: i64,
    sound: i64,
    paced: Option<Bucket>,
    loss_ppm: i64,
}

impl Default for RepairBudget {
    fn default() -> Self {
        RepairBudget {
            picture: PICTURE_BURST_BYTES,
            sound: SOUND_BURST_BYTES,
            paced: None,
            loss_ppm: 0,
        }
    }
}

impl RepairBudget {
    /// The last decision: rate of all media, and what repairs may take of it (0: by the loss). A rate of 0 paces nothing.
    pub fn set_rate(&mut self, now: Micros, pacing_bps: u64, repair_bps: u64) {
        if pacing_bps == 0 {
            self.paced = None;
            return;
        }
        let loss = u64::try_from(self.loss_ppm).unwrap_or(0) * 3 / 2000;
        let share = loss.clamp(MIN_SHARE, MAX_SHARE);
        let by_loss = pacing_bps.saturating_mul(share) / 1000;
        let rate_bps = if repair_bps > 0 { repair_bps } else { by_loss };
        let burst = PACED_BURST_BITS.max(i64::try_from(rate_bps / 2).unwrap_or(i64::MAX));
        match &mut self.paced {
            Some(bucket) => bucket.set(now, rate_bps, burst),
            None => {
                let mut bucket = Bucket::new(now, rate_bps, burst);
                bucket.fill();
                self.paced = Some(bucket);
            }
        }
    }

    /// The receiver told of so many packets lost of so many.
    pub fn told(&mut self, lost: u64, expected: u64) {
        let (lost, expected) = (lost.min(expected).min(10_000), expected.min(10_000));
        let (lost, expected) = (lost.cast_signed(), expected.cast_signed());
        if expected > 0 {
            let sample = lost * 1_000_000 / expected;
            self.loss_ppm += (sample - self.loss_ppm) * expected / (expected + LOSS_PACKETS);
        }
    }

    /// Media left.
    pub fn earn(&mut self, is_sound: bool, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(0);
        self.picture = (self.picture + bytes / 4).min(PICTURE_BURST_BYTES);
        if is_sound {
            let most = match self.paced {
                Some(_) => PACED_SOUND_BURST_BYTES,
                None => SOUND_BURST_BYTES,
            };
            self.sound = (self.sound + bytes).min(most);
        }
    }

    /// Whether a repair may be sent.
    pub fn allows(&mut self, now: Micros, repair: Repair) -> bool {
        match (repair, &mut self.paced) {
            (Repair::Sound, _) => self.sound > 0,
            (_, None) => self.picture > 0,
            (Repair::Base, Some(bucket)) => bucket.has_credit(now),
            (Repair::Upper, Some(bucket)) => {
                bucket.has_credit(now) && bucket.credit_bits() > PACED_BURST_BITS / SCARCE
            }
        }
    }

    /// A repair is sent.
    pub fn spend(&mut self, repair: Repair, bytes: u16) {
        match (repair, &mut self.paced) {
            (Repair::Sound, _) => self.sound -= i64::from(bytes),
            (_, None) => self.picture -= i64::from(bytes),
            (_, Some(bucket)) => bucket.spend(usize::from(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Micros = Micros(0);

    #[test]
    fn repairs_of_picture_take_a_quarter_and_those_of_sound_do_not_wait_for_them() {
        let mut budget = RepairBudget::default();
        let mut repaired = 0;
        for _ in 0..1000 {
            budget.earn(false, 1000);
            while budget.allows(T0, Repair::Base) {
                budget.spend(Repair::Base, 1000);
                repaired += 1;
            }
        }
        assert!((370..=385).contains(&repaired), "{repaired}");
        assert!(budget.allows(T0, Repair::Sound));
        (0..20).for_each(|_| budget.spend(Repair::Sound, 1000));
        assert!(!budget.allows(T0, Repair::Sound));
        (0..20).for_each(|_| budget.earn(true, 1000));
        assert!(budget.allows(T0, Repair::Sound));
    }

    /// Bytes of repairs of a kind within ten seconds of asking for everything.
    fn taken(mut budget: RepairBudget, repair: Repair) -> u64 {
        let mut bytes = 0;
        for ms in 0..10_000 {
            if budget.allows(Micros(ms * 1000), repair) {
                budget.spend(repair, 1000);
                bytes += 1000;
            }
        }
        bytes
    }

    #[test]
    fn a_paced_link_repairs_by_its_loss_and_never_less_than_a_seventh() {
        let mut budget = RepairBudget::default();
        budget.set_rate(T0, 800_000, 0);
        let clean = taken(budget, Repair::Base);
        assert!((150_000..165_000).contains(&clean), "{clean} of 1 MB");
        (0..100).for_each(|_| budget.told(20, 100));
        budget.set_rate(T0, 800_000, 0);
        let lossy = taken(budget, Repair::Base);
        assert!((295_000..312_000).contains(&lossy), "{lossy} of 1 MB");
        (0..100).for_each(|_| budget.told(100, 100));
        budget.set_rate(T0, 800_000, 0);
        assert!(taken(budget, Repair::Base) < 640_000);
        budget.set_rate(T0, 800_000, 80_000);
        assert!((100_000..115_000).contains(&taken(budget, Repair::Base)));
    }

    #[test]
    fn when_it_is_scarce_the_frames_that_others_stand_on_come_first() {
        let mut budget = RepairBudget::default();
        budget.set_rate(T0, 100_000, 0);
        let mut upper = 0;
        while budget.allows(T0, Repair::Upper) {
            budget.spend(Repair::Upper, 1000);
            upper += 1;
        }
        assert!(upper >= 2 && budget.allows(T0, Repair::Base));
    }
}
