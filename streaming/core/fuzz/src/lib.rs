//! One libFuzzer target for each entry of `zhuandi_wire::fuzz::TARGETS`.

pub use libfuzzer_sys;

/// The entry point called `name`.
pub fn entry(name: &str) -> zhuandi_wire::fuzz::Entry {
    let found = zhuandi_wire::fuzz::TARGETS.iter().find(|(target, _)| *target == name);
    found.map(|(_, entry)| *entry).expect("a name of the table")
}

/// A libFuzzer binary that calls the entry point with this name.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        $crate::libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::entry($name)(data));
    };
}
