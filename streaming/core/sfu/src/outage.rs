//! A receiver that fell silent while packets fly to it: sound alone goes on, then sound without copies, until it is heard again.

use zhuandi_wire::time::Micros;

/// Shortest silence that means anything.
const MIN_SILENCE_US: i64 = 400_000;
/// After this long the copies of sound are a load on a link that may be coming back.
const LONG_US: i64 = 2_000_000;
/// Where no sound goes, a packet of padding asks this often whether the link is back: nothing else would be answered.
const KNOCK_US: i64 = 500_000;
/// Intervals before one was measured: browsers send TWCC every 50 to 250 ms, and reports every one to five seconds.
pub const TWCC_INTERVAL_US: i64 = 250_000;
/// See [`TWCC_INTERVAL_US`].
pub const REPORT_INTERVAL_US: i64 = 5_000_000;

/// What the mechanism still sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Silence {
    /// All.
    #[default]
    None,
    /// Sound alone.
    Short,
    /// Sound without copies.
    Long,
}

/// See the module. It judges only receivers that were heard before: some never tell anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outage {
    heard: Option<Micros>,
    unheard_since: Option<Micros>,
    sent_at: Micros,
    interval_us: i64,
    level: Silence,
}

impl Outage {
    /// A packet left.
    pub fn sent(&mut self, now: Micros) {
        self.sent_at = now;
        if self.unheard_since.is_none() {
            self.unheard_since = Some(now);
        }
    }

    /// Feedback came; `flying`: packets left that it does not speak of; `interval_us`: what to expect before some was
    /// measured. True when an outage ends with it.
    pub fn heard(&mut self, now: Micros, flying: bool, interval_us: i64) -> bool {
        if let (Some(before), Silence::None) = (self.heard, self.level) {
            let interval = now.since(before).clamp(0, REPORT_INTERVAL_US);
            self.interval_us += (interval - self.interval_us) / 8;
        } else if self.heard.is_none() {
            self.interval_us = interval_us;
        }
        self.heard = Some(now);
        self.unheard_since = flying.then_some(now);
        std::mem::take(&mut self.level) != Silence::None
    }

    /// Whether packets fly of which nothing was heard.
    pub fn waits(&self) -> bool {
        self.unheard_since.is_some()
    }

    /// How long packets fly of which nothing was heard; 0: none do.
    pub fn unheard_us(&self, now: Micros) -> i64 {
        self.unheard_since.map_or(0, |since| now.since(since))
    }

    /// Whether something must leave to be answered.
    pub fn knocks(&self, now: Micros) -> bool {
        now >= self.knock_at()
    }

    /// What is left of sending.
    pub fn level(&self) -> Silence {
        self.level
    }

    /// Look at the clock; answers the new level when it changed. `rtt_us`: round trip.
    pub fn tick(&mut self, now: Micros, rtt_us: i64) -> Option<Silence> {
        if now < self.worse_at(rtt_us) {
            return None;
        }
        self.level = match self.level {
            Silence::None => Silence::Short,
            _ => Silence::Long,
        };
        Some(self.level)
    }

    /// When to look next.
    pub fn next(&self, rtt_us: i64) -> Micros {
        self.worse_at(rtt_us).min(self.knock_at())
    }

    fn knock_at(&self) -> Micros {
        match self.level {
            Silence::None => Micros::NEVER,
            _ => self.sent_at.plus(KNOCK_US),
        }
    }

    fn worse_at(&self, rtt_us: i64) -> Micros {
        let (Some(since), Some(_)) = (self.unheard_since, self.heard) else {
            return Micros::NEVER;
        };
        let patience = MIN_SILENCE_US.max(2 * rtt_us + 2 * self.interval_us);
        match self.level {
            Silence::None => since.plus(patience),
            Silence::Short => since.plus(LONG_US.max(2 * patience)),
            Silence::Long => Micros::NEVER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: i64 = 50_000;

    fn steady(interval_us: i64) -> Outage {
        let mut outage = Outage::default();
        for i in 0..100 {
            outage.sent(Micros(i * interval_us));
            assert!(!outage.heard(Micros(i * interval_us), true, TWCC_INTERVAL_US));
        }
        outage
    }

    #[test]
    fn a_receiver_that_falls_silent_gets_sound_alone_then_without_copies() {
        let mut outage = steady(100_000);
        let last = 99 * 100_000;
        assert_eq!(outage.tick(Micros(last + 399_999), RTT), None);
        assert_eq!(
            outage.tick(Micros(last + 400_000), RTT),
            Some(Silence::Short)
        );
        assert_eq!(outage.tick(Micros(last + 1_999_999), RTT), None);
        assert_eq!(
            outage.tick(Micros(last + 2_000_000), RTT),
            Some(Silence::Long)
        );
        assert!(outage.heard(Micros(last + 5_000_000), false, TWCC_INTERVAL_US));
        assert_eq!(outage.level(), Silence::None);
    }

    #[test]
    fn into_a_silence_without_sound_somebody_knocks() {
        let mut outage = steady(100_000);
        let last = 99 * 100_000;
        assert!(!outage.knocks(Micros(last + 5_000_000)), "no outage yet");
        outage.tick(Micros(last + 400_000), RTT);
        outage.sent(Micros(last + 450_000));
        assert!(!outage.knocks(Micros(last + 949_999)));
        assert!(outage.knocks(Micros(last + 950_000)));
        assert_eq!(outage.next(RTT), Micros(last + 950_000));
    }

    #[test]
    fn a_long_round_trip_and_rare_reports_are_no_outage() {
        let mut outage = steady(1_000_000);
        let last = 99 * 1_000_000;
        assert_eq!(outage.tick(Micros(last + 3_000_000), 600_000), None);
        assert!(outage.tick(Micros(last + 3_300_000), 600_000).is_some());
    }

    #[test]
    fn nothing_is_judged_while_nothing_flies_or_nothing_was_ever_heard() {
        let mut silent = Outage::default();
        silent.sent(Micros(0));
        assert_eq!(silent.tick(Micros(90_000_000), RTT), None);
        let mut idle = steady(100_000);
        idle.heard(Micros(10_000_000), false, TWCC_INTERVAL_US);
        assert_eq!(idle.tick(Micros(90_000_000), RTT), None);
        idle.sent(Micros(90_000_000));
        assert_eq!(idle.tick(Micros(90_399_999), RTT), None);
        assert!(idle.tick(Micros(90_400_000), RTT).is_some());
    }
}
