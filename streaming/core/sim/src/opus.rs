//! The first byte of an Opus packet, as far as a simulation needs it (RFC 6716 3.1).

/// A first byte of one SILK frame of this length in wideband, or of one 20 ms CELT frame for other lengths.
pub fn toc(frame_us: i64) -> u8 {
    let config = match frame_us {
        10_000 => 8,
        40_000 => 10,
        60_000 => 11,
        _ => 31,
    };
    config << 3
}

/// Length of the one frame behind this first byte.
pub fn frame_us(toc: u8) -> i64 {
    let config = toc >> 3;
    match (config, config % 4) {
        (0..=11, rest) => [10_000, 20_000, 40_000, 60_000]
            .get(usize::from(rest))
            .copied()
            .unwrap_or(0),
        (12..=15, rest) => 10_000 << (rest % 2),
        (_, rest) => 2_500 << rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_frame_is_read_back() {
        for length in [10_000, 20_000, 40_000, 60_000] {
            assert_eq!(frame_us(toc(length)), length);
        }
    }
}
