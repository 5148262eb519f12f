//! What the transport's queue does to a leg: frames that waited too long are taken back, layers are left out for a while.

use zhuandi_wire::time::Micros;

use super::Leg;
use crate::pacer::{Cut, Pacer};

impl Leg {
    /// Its queued picture is too old: give it up, start again at a key frame, and repair nothing of before.
    pub fn give_up_queue(&mut self, pacer: &mut Pacer) {
        self.drop_queued(pacer, Cut::All);
        self.selector.restart();
        self.floor = self.rewriter.last().map_or(0, |last| last.seq + 1);
    }

    /// A key frame was queued behind old picture: nobody needs what is before it.
    pub fn skip_to_keyframe(&mut self, pacer: &mut Pacer) {
        self.drop_queued(pacer, Cut::Before(self.keyframe.0));
    }

    /// Go on without temporal layers above this one; what waits of them goes.
    pub fn squeeze(&mut self, layer: u8, pacer: &mut Pacer) {
        let newest = self.rewriter.next_index();
        self.drop_queued(pacer, Cut::Above(layer));
        // Where the newest frame went, the rest of it must not follow.
        let cut = self.rewriter.next_index() < newest;
        self.selector.squeeze(layer, cut);
    }

    /// Nothing goes out until it is let go; then it starts at a key frame.
    pub fn hold(&mut self, pacer: &mut Pacer) {
        self.give_up_queue(pacer);
        self.held = true;
    }

    /// Its source is not heard any more: nothing that waits goes out, and nothing of before is repaired.
    pub fn fall_silent(&mut self, pacer: &mut Pacer) {
        self.give_up_queue(pacer);
        pacer.remove_leg(self.index);
        self.begin_anew();
    }

    /// What comes next has nothing to do with what was sent.
    pub fn begin_anew(&mut self) {
        self.selector.restart();
        self.rewriter.detach();
    }

    /// See [`Leg::hold`].
    pub fn let_go(&mut self) {
        self.held = false;
    }

    /// The receiver asks for a key frame: whether to care. One that left a moment ago is on its way, and a receiver that
    /// asks all the time spoils the picture of all others.
    pub fn may_ask_keyframe(&mut self, now: Micros, rtt_us: i64) -> bool {
        let on_its_way = |at: Micros| now.since(at) < rtt_us;
        self.counters.plis += 1;
        !self.held && !self.keyframe.1.is_some_and(on_its_way) && self.allowance.take(now)
    }

    fn drop_queued(&mut self, pacer: &mut Pacer, cut: Cut) {
        let frames = pacer.drop_frames(self.index, cut);
        self.rewriter.withdraw(&frames);
        for frame in frames {
            let count = frame.to - frame.from;
            self.counters.dropped += count;
            for number in [&mut self.floor, &mut self.keyframe.0] {
                if *number >= frame.to {
                    *number -= count;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
