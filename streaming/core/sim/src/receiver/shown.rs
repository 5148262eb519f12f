//! What a classroom sees of one source over time: how long at which height, how long nothing.

use zhuandi_wire::time::Micros;

use super::picture_buffer::Frame;

/// Time at one picture height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Lines; 0: switched off.
    pub height: u16,
    /// How long.
    pub us: i64,
}

/// See the module.
#[derive(Debug)]
pub struct Shown {
    since: Micros,
    height: u16,
    paused: bool,
    off: bool,
    rungs: Vec<Rung>,
    /// Frames shown.
    pub frames: u64,
    /// Their encoded bytes.
    pub bytes: u64,
    /// Key frames among them.
    pub keys: u64,
    /// Changes of height, off included.
    pub switches: u64,
    /// Sum of the time from capture to screen.
    pub delay_sum_us: i64,
    /// When a picture was first seen; never: not yet.
    pub first: Micros,
    /// Time of the last frame.
    pub last: Micros,
}

impl Shown {
    /// Nothing yet.
    pub fn new(now: Micros) -> Shown {
        Shown {
            since: now,
            height: 0,
            paused: false,
            off: true,
            rungs: Vec::new(),
            frames: 0,
            bytes: 0,
            keys: 0,
            switches: 0,
            delay_sum_us: 0,
            first: Micros::NEVER,
            last: Micros::NEVER,
        }
    }

    /// A frame is on the screen; answers false when the picture is switched off anyway.
    pub fn frame(&mut self, at: Micros, frame: &Frame) -> bool {
        let height = match frame.names.height {
            0 => self.height,
            height => height,
        };
        if self.paused {
            self.height = height;
            return false;
        }
        self.frames += 1;
        self.keys += u64::from(frame.names.key);
        self.bytes += u64::from(frame.bytes);
        self.delay_sum_us += at.since(frame.names.captured);
        self.first = self.first.min(at);
        self.last = at;
        if self.off || height != self.height {
            self.account(at);
            self.switches += 1;
            (self.height, self.off) = (height, false);
        }
        true
    }

    /// Switched off, or on again: it counts as off until the next frame. Answers whether that is news.
    pub fn set_paused(&mut self, now: Micros, paused: bool) -> bool {
        if std::mem::replace(&mut self.paused, paused) == paused {
            return false;
        }
        if paused && !self.off {
            self.account(now);
            self.switches += 1;
            self.off = true;
        }
        true
    }

    /// Time at each height until now.
    pub fn rungs(&self, now: Micros) -> Vec<Rung> {
        let mut rungs = self.rungs.clone();
        add(&mut rungs, self.seen(), now.since(self.since));
        rungs
    }

    fn seen(&self) -> u16 {
        if self.off { 0 } else { self.height }
    }

    fn account(&mut self, now: Micros) {
        let seen = self.seen();
        add(&mut self.rungs, seen, now.since(self.since));
        self.since = now;
    }
}

fn add(rungs: &mut Vec<Rung>, height: u16, us: i64) {
    match rungs.iter_mut().find(|rung| rung.height == height) {
        Some(rung) => rung.us += us,
        None => rungs.push(Rung { height, us }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(height: u16) -> Frame {
        Frame {
            names: super::super::picture_buffer::Names {
                height,
                key: height > 0,
                ..Default::default()
            },
            ts: 0,
            bytes: 10,
            complete: Micros(0),
            repaired: false,
            first: 0,
        }
    }

    #[test]
    fn time_is_shared_out_over_heights_and_off() {
        let mut shown = Shown::new(Micros(0));
        assert!(shown.frame(Micros(1000), &frame(180)));
        assert!(shown.frame(Micros(3000), &frame(360)));
        shown.frame(Micros(3500), &frame(0));
        assert!(shown.set_paused(Micros(4000), true));
        assert!(!shown.frame(Micros(4100), &frame(0)));
        shown.set_paused(Micros(6000), false);
        shown.frame(Micros(7000), &frame(180));
        let rungs = shown.rungs(Micros(8000));
        let time = |height| {
            rungs
                .iter()
                .find(|rung| rung.height == height)
                .map(|rung| rung.us)
        };
        assert_eq!(
            (time(0), time(180), time(360)),
            (Some(4000), Some(3000), Some(1000))
        );
        assert_eq!((shown.switches, shown.frames), (4, 4));
    }
}
