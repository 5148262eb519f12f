//! Wall clock against RTP timestamps of one stream, from its sender reports (RFC 3550 6.4.1), and round trips from
//! the reports that answer ours.

use zhuandi_wire::rtcp::SenderInfo;
use zhuandi_wire::time::Micros;

/// Seconds between 1900 (NTP) and 1970 (Unix).
const NTP_UNIX_S: i128 = 2_208_988_800;

/// A Unix time in microseconds as a 32.32 NTP timestamp.
pub fn ntp_from_unix_us(unix_us: i64) -> u64 {
    let us = i128::from(unix_us) + NTP_UNIX_S * 1_000_000;
    u64::try_from((us << 32) / 1_000_000).unwrap_or(0)
}

/// A span in microseconds in units of 2^-32 s.
fn ntp_span(us: i64) -> i64 {
    i64::try_from((i128::from(us) << 32) / 1_000_000).unwrap_or(0)
}

/// A span in microseconds in units of a clock rate.
pub fn ticks(us: i64, rate: u32) -> i64 {
    i64::try_from(i128::from(us) * i128::from(rate) / 1_000_000).unwrap_or(0)
}

/// "At this wall clock time the stream's timestamp was this", and when we heard it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderClock {
    /// Wall clock of the sender.
    pub ntp: u64,
    /// Timestamp of the stream.
    pub ts: u32,
    /// Our time of arrival.
    pub at: Micros,
}

impl SenderClock {
    /// The same clock, read at a later time.
    pub fn advanced(&self, now: Micros, rate: u32) -> SenderClock {
        let span = now.since(self.at);
        SenderClock {
            ntp: self.ntp.wrapping_add_signed(ntp_span(span)),
            ts: self.ts.wrapping_add_signed(low32(ticks(span, rate))),
            at: now,
        }
    }

    /// Microseconds of wall clock from this report to the given timestamp.
    pub fn until_us(&self, ts: u32, rate: u32) -> i64 {
        let ticks = i64::from(ts.wrapping_sub(self.ts).cast_signed());
        ticks.saturating_mul(1_000_000) / i64::from(rate.max(1))
    }

    /// Microseconds of wall clock from this report to another one of the same sender.
    pub fn to_us(&self, other: &SenderClock) -> i64 {
        let span = i128::from(other.ntp.wrapping_sub(self.ntp).cast_signed());
        i64::try_from((span * 1_000_000) >> 32).unwrap_or(0)
    }
}

fn low32(value: i64) -> i32 {
    zhuandi_wire::seq::low32(value.cast_unsigned()).cast_signed()
}

/// The sender reports that we sent on one leg, to read the round trip out of the answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SentReports {
    sent: [Option<(u32, Micros)>; 4],
    at: usize,
}

impl SentReports {
    /// A report left.
    pub fn sent(&mut self, now: Micros, info: &SenderInfo) {
        if let Some(place) = self.sent.get_mut(self.at % 4) {
            *place = Some((info.compact_ntp(), now));
        }
        self.at = (self.at + 1) % 4;
    }

    /// Round trip in microseconds from a report block (RFC 3550 A.7 with our clock); `None` when it answers no report of ours.
    pub fn rtt_us(&self, now: Micros, last_sr: u32, delay_since_sr: u32) -> Option<i64> {
        let (_, at) = self
            .sent
            .iter()
            .flatten()
            .find(|(ntp, _)| *ntp == last_sr && last_sr != 0)?;
        let held = (i64::from(delay_since_sr) * 1_000_000) >> 16;
        let rtt = now.since(*at) - held;
        (-1000..10_000_000).contains(&rtt).then(|| rtt.max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_advances_in_both_of_its_units_around_the_wrap() {
        for ts in [0, 1, 127, 32_767, 65_535, u32::MAX] {
            let clock = SenderClock {
                ntp: 5 << 32,
                ts,
                at: Micros(1_000_000),
            };
            let later = clock.advanced(Micros(3_500_000), 90_000);
            assert_eq!(later.ntp, (7 << 32) + (1 << 31));
            assert_eq!(later.ts, ts.wrapping_add(225_000));
            assert_eq!(clock.until_us(later.ts, 90_000), 2_500_000);
            assert_eq!(clock.to_us(&later), 2_500_000);
            assert_eq!(later.to_us(&clock), -2_500_000);
        }
    }

    #[test]
    fn the_round_trip_is_what_the_receiver_did_not_hold() {
        let mut reports = SentReports::default();
        let info = SenderInfo {
            ntp: ntp_from_unix_us(1_790_000_000_000_000),
            rtp_ts: 0,
            packets: 0,
            octets: 0,
        };
        reports.sent(Micros(1_000_000), &info);
        let half_a_second = 1 << 15;
        assert_eq!(
            reports.rtt_us(Micros(1_580_000), info.compact_ntp(), half_a_second),
            Some(80_000)
        );
        assert_eq!(
            reports.rtt_us(Micros(1_580_000), info.compact_ntp() + 1, 0),
            None
        );
        assert_eq!(reports.rtt_us(Micros(1_580_000), 0, 0), None);
    }
}
