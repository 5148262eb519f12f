//! One libFuzzer target for each entry point of the crates' `fuzz` modules.

pub use libfuzzer_sys;

use zhuandi_wire::fuzz::Entry;

/// The entry point called `name`.
pub fn entry(name: &str) -> Entry {
    let tables = [
        zhuandi_wire::fuzz::TARGETS,
        zhuandi_sfu::fuzz::TARGETS,
        zhuandi_net::fuzz::TARGETS,
    ];
    let found = tables
        .into_iter()
        .flatten()
        .find(|(target, _)| *target == name);
    found
        .map(|(_, entry)| *entry)
        .expect("a name of the tables")
}

/// A libFuzzer binary that calls the entry point with this name.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        $crate::libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::entry($name)(data));
    };
}
