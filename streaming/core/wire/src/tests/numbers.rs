//! Sequence numbers and timestamps from every wrap-around start.

use super::STARTS;
use crate::seq::{self, TsUnwrapper, Unwrapper};

#[test]
fn indexes_rise_by_one_through_a_wrap_from_every_start() {
    for start in STARTS {
        let mut unwrapper = Unwrapper::new();
        let first = unwrapper.unwrap(start);
        for step in 1..200_000_u64 {
            assert_eq!(
                unwrapper.unwrap(seq::low16(u64::from(start) + step)),
                first + step
            );
        }
    }
}

#[test]
fn a_packet_from_before_the_first_gets_the_index_before_it() {
    for start in STARTS {
        let mut unwrapper = Unwrapper::new();
        let first = unwrapper.unwrap(start);
        assert_eq!(unwrapper.unwrap(start.wrapping_sub(3)), first - 3);
        assert_eq!(
            unwrapper.highest(),
            Some(first),
            "an older one must not move the highest"
        );
        assert_eq!(unwrapper.unwrap(start.wrapping_add(1)), first + 1);
    }
}

#[test]
fn looking_changes_nothing() {
    for start in STARTS {
        let mut unwrapper = Unwrapper::new();
        assert_eq!(
            unwrapper.look(start),
            Unwrapper::FIRST_CYCLE + u64::from(start)
        );
        assert_eq!(unwrapper.highest(), None);
        let first = unwrapper.unwrap(start);
        assert_eq!(unwrapper.look(start.wrapping_add(30_000)), first + 30_000);
        assert_eq!(unwrapper.highest(), Some(first));
    }
}

#[test]
fn an_index_below_zero_does_not_exist() {
    assert_eq!(seq::nearest(0, 65_535), None);
    assert_eq!(seq::nearest(5, 65_535), None);
    assert_eq!(seq::nearest(5, 4), Some(4));
    assert_eq!(seq::nearest(65_535, 0), Some(65_536));
}

#[test]
fn order_on_the_circle_is_the_shorter_way_round() {
    for start in STARTS {
        assert!(seq::newer(start.wrapping_add(1), start));
        assert!(!seq::newer(start, start));
        assert!(!seq::newer(start.wrapping_sub(1), start));
        assert_eq!(seq::distance(start.wrapping_add(32_767), start), 32_767);
        assert_eq!(seq::distance(start.wrapping_sub(32_768), start), -32_768);
        let ts = u32::from(start) << 16 | 0xFFFF;
        assert_eq!(seq::ts_distance(ts.wrapping_add(3000), ts), 3000);
    }
}

#[test]
fn timestamps_are_extended_through_a_wrap_from_every_start() {
    for start in STARTS {
        let ts = u32::from(start) << 16 | u32::from(start);
        let mut unwrapper = TsUnwrapper::new();
        let first = unwrapper.unwrap(ts);
        for step in 1..10_000_u64 {
            assert_eq!(
                unwrapper.unwrap(seq::low32(u64::from(ts) + step * 900_000)),
                first + step * 900_000
            );
        }
        let highest = unwrapper.highest().unwrap();
        assert_eq!(unwrapper.unwrap(seq::low32(highest - 3000)), highest - 3000);
        assert_eq!(unwrapper.highest(), Some(highest));
    }
}
