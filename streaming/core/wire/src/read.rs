//! Big-endian reads that cannot panic.

use crate::Malformed;

/// The byte at `at`.
pub(crate) fn u8_at(buf: &[u8], at: usize) -> Result<u8, Malformed> {
    buf.get(at).copied().ok_or(Malformed::Truncated)
}

/// The 16 bits at `at`.
pub(crate) fn u16_at(buf: &[u8], at: usize) -> Result<u16, Malformed> {
    array_at(buf, at).map(u16::from_be_bytes)
}

/// The 24 bits at `at`.
pub(crate) fn u24_at(buf: &[u8], at: usize) -> Result<u32, Malformed> {
    let [a, b, c] = array_at(buf, at)?;
    Ok(u32::from_be_bytes([0, a, b, c]))
}

/// The 32 bits at `at`.
pub(crate) fn u32_at(buf: &[u8], at: usize) -> Result<u32, Malformed> {
    array_at(buf, at).map(u32::from_be_bytes)
}

/// The 64 bits at `at`.
pub(crate) fn u64_at(buf: &[u8], at: usize) -> Result<u64, Malformed> {
    array_at(buf, at).map(u64::from_be_bytes)
}

/// What starts at `at`; empty at the very end.
pub(crate) fn tail(buf: &[u8], at: usize) -> Result<&[u8], Malformed> {
    buf.get(at..).ok_or(Malformed::Truncated)
}

fn array_at<const N: usize>(buf: &[u8], at: usize) -> Result<[u8; N], Malformed> {
    buf.get(at..)
        .and_then(|rest| rest.first_chunk::<N>())
        .copied()
        .ok_or(Malformed::Truncated)
}
