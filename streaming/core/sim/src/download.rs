//! A TCP download beside a lesson, with CUBIC (RFC 9438): endless data, losses found by selective acknowledgement
//! (a segment is lost when three later ones came), a retransmission timer, no pacing, no delayed acknowledgements.

use std::collections::{BTreeSet, VecDeque};

use zhuandi_wire::time::Micros;

/// A full segment with its headers, at IP level.
pub const SEGMENT_BYTES: usize = 1_500;
/// RFC 9438 4.1, 4.6.
const C: f64 = 0.4;
const BETA: f64 = 0.7;
/// Initial window (RFC 6928), in segments.
const FIRST_WINDOW: f64 = 10.0;
const MAX_WINDOW: f64 = 4_000.0;
/// Least retransmission timeout of common systems.
const MIN_RTO_US: i64 = 200_000;
const DUPLICATES: u64 = 3;

/// See the module. Segments that are sent again get a fresh number: only how much flows matters, not which bytes.
pub struct Download {
    /// Bottleneck and flow.
    pub way: (usize, usize),
    /// Its place in the queue of times.
    pub armed: Micros,
    /// Time of an acknowledgement back to the sender.
    return_us: i64,
    acks: VecDeque<(Micros, u64)>,
    flying: BTreeSet<u64>,
    sent_at: VecDeque<(u64, Micros)>,
    next: u64,
    window: f64,
    threshold: f64,
    most: f64,
    epoch: Option<Micros>,
    srtt_us: f64,
    recover: u64,
    heard: Micros,
}

impl Download {
    /// A connection that begins to send now.
    pub fn new(now: Micros, bottleneck: usize, flow: usize, return_us: i64) -> Download {
        Download {
            way: (bottleneck, flow),
            armed: Micros::NEVER,
            return_us,
            acks: VecDeque::new(),
            flying: BTreeSet::new(),
            sent_at: VecDeque::new(),
            next: 0,
            window: FIRST_WINDOW,
            threshold: f64::INFINITY,
            most: 0.0,
            epoch: None,
            srtt_us: 100_000.0,
            recover: 0,
            heard: now,
        }
    }

    /// A segment reached the classroom: its acknowledgement goes back.
    pub fn arrived(&mut self, now: Micros, segment: u64) {
        self.acks.push_back((now.plus(self.return_us), segment));
    }

    /// The next segment to send now.
    pub fn poll(&mut self, now: Micros) -> Option<u64> {
        while let Some((_, segment)) = self.acks.front().copied().filter(|(at, _)| *at <= now) {
            self.acks.pop_front();
            self.acknowledged(now, segment);
        }
        if !self.flying.is_empty() && now >= self.timeout() {
            self.lost(now);
            (self.window, self.heard) = (1.0, now);
            self.flying.clear();
        }
        if self.flying.len() as f64 >= self.window {
            return None;
        }
        let segment = self.next;
        self.next += 1;
        if self.flying.is_empty() {
            self.heard = now;
        }
        self.flying.insert(segment);
        self.sent_at.push_back((segment, now));
        Some(segment)
    }

    /// When to poll again.
    pub fn next(&self) -> Micros {
        let ack = self.acks.front().map_or(Micros::NEVER, |(at, _)| *at);
        match self.flying.is_empty() {
            true => ack,
            false => ack.min(self.timeout()),
        }
    }

    fn timeout(&self) -> Micros {
        #[allow(clippy::cast_possible_truncation)]
        let rto = (2.0 * self.srtt_us) as i64;
        self.heard.plus(rto.max(MIN_RTO_US))
    }

    fn acknowledged(&mut self, now: Micros, segment: u64) {
        self.heard = now;
        while let Some((number, at)) = self
            .sent_at
            .front()
            .copied()
            .filter(|(number, _)| *number <= segment)
        {
            self.sent_at.pop_front();
            if number == segment {
                self.srtt_us += (now.since(at) as f64 - self.srtt_us) / 8.0;
            }
        }
        if !self.flying.remove(&segment) {
            return;
        }
        let old = segment.saturating_sub(DUPLICATES);
        if self.flying.first().is_some_and(|first| *first < old) {
            self.flying = self.flying.split_off(&old);
            if segment >= self.recover {
                self.lost(now);
            }
        }
        self.grow(now);
    }

    fn lost(&mut self, now: Micros) {
        // Fast convergence (RFC 9438 4.7): leave room when the last top was not reached.
        self.most = match self.window < self.most {
            true => self.window * (1.0 + BETA) / 2.0,
            false => self.window,
        };
        self.window = (self.window * BETA).max(2.0);
        self.threshold = self.window;
        self.epoch = Some(now);
        self.recover = self.next;
    }

    fn grow(&mut self, now: Micros) {
        if self.window < self.threshold {
            self.window += 1.0;
        } else {
            let start = *self.epoch.get_or_insert(now);
            let k = (self.most * (1.0 - BETA) / C).max(0.0).cbrt();
            let t = now.since(start) as f64 / 1e6 + self.srtt_us / 1e6;
            let cubic = C * (t - k).powi(3) + self.most;
            // The window that Reno would have (RFC 9438 4.3).
            let slope = 3.0 * (1.0 - BETA) / (1.0 + BETA);
            let reno = self.most * BETA + slope * now.since(start) as f64 / self.srtt_us;
            let target = cubic.max(reno).clamp(self.window, 1.5 * self.window);
            self.window += (target - self.window) / self.window;
        }
        self.window = self.window.min(MAX_WINDOW);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Delivers through a queue of so many segments at so many segments a second; answers the segments delivered.
    fn run(seconds: i64, rate: i64, queue: i64) -> u64 {
        let mut download = Download::new(Micros(0), 0, 0, 25_000);
        let mut free = Micros(0);
        let mut wire: VecDeque<(Micros, u64)> = VecDeque::new();
        let (mut now, mut delivered) = (Micros(0), 0);
        while now.0 < seconds * 1_000_000 {
            while let Some((at, segment)) = wire.front().copied().filter(|(at, _)| *at <= now) {
                wire.pop_front();
                delivered += 1;
                download.arrived(at, segment);
            }
            while let Some(segment) = download.poll(now) {
                let waiting = free.since(now).max(0) * rate / 1_000_000;
                if waiting < queue {
                    free = free.max(now).plus(1_000_000 / rate);
                    wire.push_back((free.plus(25_000), segment));
                }
            }
            let arrival = wire.front().map_or(Micros::NEVER, |(at, _)| *at);
            now = download.next().min(arrival).max(now.plus(1));
        }
        delivered
    }

    #[test]
    fn a_download_alone_fills_the_link() {
        for (rate, queue) in [(83, 25), (83, 83), (400, 40)] {
            let delivered = run(60, rate, queue);
            let share = delivered as f64 / (60 * rate) as f64;
            assert!(
                (0.85..=1.01).contains(&share),
                "{share} of {rate} segments a second"
            );
        }
    }
}
