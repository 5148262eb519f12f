//! The one rule for key-frame requests of a publication: a burst of two, then at most one in two seconds, so that no minute
//! has more than thirty.
//!
//! Browsers answer a request on any simulcast layer with key frames on all, so the rule counts per publication; a key frame
//! serves every leg that waits (DESIGN 2).

use zhuandi_wire::time::Micros;

/// One request more may be sent after this time.
pub const REFILL_US: i64 = 2_150_000;
/// Requests that may follow one another at once.
pub const BURST: i64 = 2;
/// A request that brought nothing is repeated after this time, where the rule allows it.
const REPEAT_US: i64 = 400_000;

/// When to ask the publisher for key frames.
#[derive(Debug)]
pub struct KeyframeRule {
    credit_us: i64,
    credited: Micros,
    wanted: bool,
    asked: Option<Micros>,
    sent: u64,
}

impl Default for KeyframeRule {
    fn default() -> Self {
        KeyframeRule {
            credit_us: BURST * REFILL_US,
            credited: Micros(0),
            wanted: false,
            asked: None,
            sent: 0,
        }
    }
}

impl KeyframeRule {
    /// Somebody needs a key frame.
    pub fn want(&mut self) {
        self.wanted = true;
    }

    /// A key frame came: nobody waits for it any more.
    pub fn arrived(&mut self) {
        self.wanted = false;
    }

    /// Whether somebody waits for a key frame.
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Whether to send a request now; call when somebody wants one and at [`KeyframeRule::next`].
    pub fn poll(&mut self, now: Micros) -> bool {
        if !self.wanted || now < self.next(now) {
            return false;
        }
        self.refill(now);
        self.credit_us -= REFILL_US;
        self.asked = Some(now);
        self.sent += 1;
        true
    }

    /// When to poll again.
    pub fn next(&self, now: Micros) -> Micros {
        if !self.wanted {
            return Micros::NEVER;
        }
        let credit = (self.credit_us + now.since(self.credited)).min(BURST * REFILL_US);
        let allowed = now.plus((REFILL_US - credit).max(0));
        self.asked
            .map_or(allowed, |asked| allowed.max(asked.plus(REPEAT_US)))
    }

    /// Requests since the start.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    fn refill(&mut self, now: Micros) {
        self.credit_us = (self.credit_us + now.since(self.credited)).min(BURST * REFILL_US);
        self.credited = now;
    }
}

/// What one receiver may ask for: three at once, then ten a minute. Who asks more often is broken, or on a link on which key
/// frames do not arrive.
#[derive(Clone, Copy, Debug)]
pub struct KeyframeAllowance {
    credit_us: i64,
    at: Micros,
}

const ALLOWANCE_REFILL_US: i64 = 6_000_000;
const ALLOWANCE_BURST: i64 = 3;

impl Default for KeyframeAllowance {
    fn default() -> Self {
        KeyframeAllowance {
            credit_us: ALLOWANCE_BURST * ALLOWANCE_REFILL_US,
            at: Micros(0),
        }
    }
}

impl KeyframeAllowance {
    /// Whether one more request counts.
    pub fn take(&mut self, now: Micros) -> bool {
        let filled = self.credit_us.saturating_add(now.since(self.at));
        self.credit_us = filled.min(ALLOWANCE_BURST * ALLOWANCE_REFILL_US);
        self.at = now;
        let allowed = self.credit_us >= ALLOWANCE_REFILL_US;
        self.credit_us -= if allowed { ALLOWANCE_REFILL_US } else { 0 };
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_has_more_than_thirty_requests_nor_one_receiver_more_than_thirteen() {
        let mut rule = KeyframeRule::default();
        let mut allowance = KeyframeAllowance::default();
        let (mut sent, mut allowed) = (0, 0);
        for i in 0..60_000 {
            rule.want();
            sent += u32::from(rule.poll(Micros(i * 1000)));
            allowed += u32::from(allowance.take(Micros(i * 1000)));
        }
        assert!((28..=30).contains(&sent), "{sent}");
        assert!((11..=13).contains(&allowed), "{allowed}");
    }

    #[test]
    fn a_storm_of_requests_becomes_a_burst_of_two_and_one_in_two_seconds() {
        let mut rule = KeyframeRule::default();
        let sent = (0..10_000).filter(|i| {
            rule.want();
            rule.poll(Micros(i * 1000))
        });
        assert_eq!(sent.count(), 6, "at 0, 0.4, 2.15, 4.3, 6.45 and 8.6 s");
    }

    #[test]
    fn a_key_frame_ends_the_wait_and_an_unanswered_request_is_repeated() {
        let mut rule = KeyframeRule::default();
        rule.want();
        assert!(rule.poll(Micros(0)));
        assert!(!rule.poll(Micros(REPEAT_US - 1)));
        assert_eq!(rule.next(Micros(1)), Micros(REPEAT_US));
        assert!(rule.poll(Micros(REPEAT_US)));
        rule.arrived();
        assert_eq!(rule.next(Micros(REPEAT_US)), Micros::NEVER);
        assert!(!rule.poll(Micros(9 * REPEAT_US)));
    }
}
