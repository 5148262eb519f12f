//! Which missing packet of a voice an older frame belongs to, when a later packet carries that frame again (RFC 2198).
//!
//! Such a copy has a timestamp and no sequence number. Between two packets that came, frames of one length tell which
//! number it had; where lengths differ (pauses, a change of frame length) nothing is guessed.

use zhuandi_wire::opus::MAX_TICKS;
use zhuandi_wire::seq::ts_distance;

use crate::history::History;
use crate::packet::Meta;

/// How far back a copy may lie: 341 ms of the shortest frames that browsers send.
const MAX_BACK: u64 = 40;

/// Extended number of the missing packet of the frame from `ts`; `carrier` is number and timestamp of the packet with the
/// copy. `None` when that frame is there already, or its place is not certain.
pub fn hole_of(history: &History<Meta>, carrier: (u64, u32), ts: u32) -> Option<u64> {
    let mut above = carrier;
    for seq in (carrier.0.saturating_sub(MAX_BACK)..carrier.0).rev() {
        let Some((meta, _)) = history.get(seq) else {
            continue;
        };
        let into = i64::from(ts_distance(ts, meta.ts));
        if into == 0 {
            return None;
        }
        if into > 0 {
            return between((seq, meta.ts), above, into);
        }
        above = (seq, meta.ts);
    }
    None
}

/// The number of the frame that begins `into` ticks after the packet `below`.
fn between(below: (u64, u32), above: (u64, u32), into: i64) -> Option<u64> {
    let (count, span) = (above.0 - below.0, i64::from(ts_distance(above.1, below.1)));
    let frame = span.checked_div(i64::try_from(count).ok()?)?;
    let certain = (1..=i64::from(MAX_TICKS)).contains(&frame)
        && frame * i64::try_from(count).ok()? == span
        && into % frame == 0
        && into < span;
    let steps = u64::try_from(into.checked_div(frame)?).ok()?;
    certain.then_some(below.0 + steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Codec;
    use crate::history::Bounds;
    use zhuandi_wire::time::Micros;

    /// A history with packets of these numbers and timestamps.
    fn kept(packets: &[(u64, u32)]) -> History<Meta> {
        let mut history = History::new(Bounds::AUDIO);
        for &(seq, ts) in packets {
            let meta = Meta::parse(Codec::Opus, &[1]).unwrap();
            history.push(Micros(0), seq, Meta { ts, ..meta }, &[1]);
        }
        history
    }

    #[test]
    fn between_frames_of_one_length_a_copy_has_one_place() {
        for start in [0u64, 1, 127, 32_767, 65_534, 65_535] {
            let base = u32::MAX - 1000;
            let at = |step: u32| (start + u64::from(step), base.wrapping_add(step * 960));
            let history = kept(&[at(0), at(1), at(4)]);
            for lost in [2, 3] {
                assert_eq!(hole_of(&history, at(5), at(lost).1), Some(at(lost).0));
            }
            assert_eq!(hole_of(&history, at(8), at(6).1), Some(at(6).0));
            assert_eq!(hole_of(&history, at(5), at(4).1), None, "it is there");
        }
    }

    #[test]
    fn where_the_place_is_not_certain_nothing_is_guessed() {
        let history = kept(&[(100, 0), (103, 20_000)]);
        assert_eq!(
            hole_of(&history, (104, 20_960), 960),
            None,
            "a pause lies between"
        );
        assert_eq!(
            hole_of(&history, (104, 20_960), 21_000),
            None,
            "newer than its packet"
        );
        assert_eq!(
            hole_of(&history, (104, 20_960), u32::MAX),
            None,
            "older than all"
        );
        assert_eq!(hole_of(&kept(&[]), (104, 20_960), 20_000), None);
        let odd = kept(&[(100, 0)]);
        assert_eq!(hole_of(&odd, (104, 3840), 961), None, "between two frames");
    }
}
