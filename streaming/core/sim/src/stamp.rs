//! The time of capture travels inside simulated payloads, so that delays are measured without clocks to agree on.

use zhuandi_wire::time::Micros;

/// Bytes that a stamp takes.
pub const LEN: usize = 8;

/// Append a stamp.
pub fn write(out: &mut Vec<u8>, captured: Micros) {
    out.extend_from_slice(&captured.0.to_be_bytes());
}

/// The stamp at the beginning of these bytes.
pub fn read(bytes: &[u8]) -> Option<Micros> {
    bytes
        .first_chunk()
        .map(|stamp| Micros(i64::from_be_bytes(*stamp)))
}
