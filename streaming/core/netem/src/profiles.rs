//! The links that people can choose by name.

use std::sync::Arc;

use crate::capacity::Capacity;
use crate::profile::{LinkProfile, Profile, QueueLimit};
use crate::trace::Trace;

/// All names, in the order in which the pages list them.
pub const NAMES: [&str; 7] = [
    "clean",
    "village-4g",
    "village-adsl",
    "county-uplink",
    "satellite",
    "2g-64k",
    "64k-loss10",
];

/// A village's mobile cell over 40 s, in kbit/s for 4 s each: the shape of the shared 4G and 3G traces, without a gap.
const VILLAGE_CELL_KBPS: [u64; 10] = [2_000, 1_300, 700, 1_600, 2_400, 900, 350, 600, 1_100, 1_800];
const CELL_STEP_US: i64 = 4_000_000;

/// The profile of this name.
pub fn named(name: &str) -> Option<Profile> {
    let (down, up) = match name {
        "clean" => (LinkProfile::default(), LinkProfile::default()),
        "village-4g" => (village_cell(1_000), village_cell(500)),
        // Asymmetric, and its modem buffers a second of uplink.
        "village-adsl" => (fixed(1_000, 25, 300), fixed(256, 25, 1_000)),
        // What one of the schools behind a county's line of 20 Mbit/s gets while all watch; for the line itself use `SharedLink`.
        "county-uplink" => (fixed(2_000, 15, 200), fixed(1_000, 15, 200)),
        // A geostationary hop takes at least 239 ms.
        "satellite" => (satellite(1_500), satellite(384)),
        "2g-64k" => (cell_2g(), cell_2g()),
        "64k-loss10" => (lossy_64k(), lossy_64k()),
        _ => return None,
    };
    Some(Profile {
        name: name.to_owned(),
        down,
        up,
    })
}

fn fixed(kbps: u64, delay_ms: i64, queue_ms: u32) -> LinkProfile {
    LinkProfile {
        capacity: Capacity::Constant(kbps * 1_000),
        delay_us: delay_ms * 1_000,
        queue: QueueLimit::Millis(queue_ms),
        ..LinkProfile::default()
    }
}

fn village_cell(permille: u64) -> LinkProfile {
    let steps: Vec<(i64, u64)> = (0..)
        .map(|index: i64| index * CELL_STEP_US)
        .zip(VILLAGE_CELL_KBPS.map(|kbps| kbps * permille))
        .collect();
    LinkProfile {
        capacity: Trace::from_steps(&steps).map_or(Capacity::Unlimited, |trace| {
            Capacity::Trace(Arc::new(trace))
        }),
        jitter_us: 15_000,
        loss: 0.005,
        burst: 3.0,
        ..fixed(1, 40, 500)
    }
}

fn satellite(kbps: u64) -> LinkProfile {
    LinkProfile {
        jitter_us: 10_000,
        loss: 0.01,
        burst: 3.0,
        ..fixed(kbps, 290, 600)
    }
}

fn cell_2g() -> LinkProfile {
    LinkProfile {
        jitter_us: 60_000,
        loss: 0.01,
        ..fixed(64, 150, 1_000)
    }
}

fn lossy_64k() -> LinkProfile {
    LinkProfile {
        loss: 0.10,
        ..fixed(64, 50, 500)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_for_a_possible_link_in_both_directions() {
        for name in NAMES {
            let profile = named(name).unwrap();
            assert_eq!(profile.name, name);
            assert_eq!(profile.down.check(), Ok(()), "{name}");
            assert_eq!(profile.up.check(), Ok(()), "{name}");
            let limited = !matches!(profile.down.capacity, Capacity::Unlimited);
            assert_eq!(limited, name != "clean", "{name}");
        }
        assert!(named("64k").is_none());
    }

    #[test]
    fn the_village_cell_carries_its_mean() {
        let down = named("village-4g").unwrap().down;
        assert_eq!(down.capacity.mean_bps(), Some(1_275_000));
        assert_eq!(down.capacity_bits(0, 40_000_000), 51_000_000);
    }
}
