//! The first bytes of an Opus packet: how long its sound is (RFC 6716 3.1, 3.2).

/// Longest sound of one packet: 120 ms.
pub const MAX_TICKS: u16 = 5_760;

/// Length of a packet's sound in ticks of 48 kHz; `None` where the packet is empty or says more than is allowed.
pub fn ticks(packet: &[u8]) -> Option<u16> {
    let toc = *packet.first()?;
    let config = toc >> 3;
    let frame: u16 = match (config, config & 3) {
        (0..=11, 0) => 480,
        (0..=11, 1) => 960,
        (0..=11, 2) => 1_920,
        (0..=11, _) => 2_880,
        (12..=15, size) => 480 << (size & 1),
        (_, size) => 120 << size,
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u16::from(packet.get(1)? & 0x3F),
    };
    let ticks: u16 = frame.checked_mul(frames)?;
    (1..=MAX_TICKS).contains(&ticks).then_some(ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_says_how_long_it_sounds() {
        assert_eq!(ticks(&[9 << 3]), Some(960), "SILK, one frame of 20 ms");
        assert_eq!(ticks(&[11 << 3]), Some(2_880), "SILK, one frame of 60 ms");
        assert_eq!(ticks(&[13 << 3]), Some(960), "both coders, 20 ms");
        assert_eq!(ticks(&[16 << 3]), Some(120), "CELT, 2.5 ms");
        assert_eq!(ticks(&[31 << 3 | 1]), Some(1_920), "two frames of 20 ms");
        assert_eq!(
            ticks(&[31 << 3 | 3, 0x83]),
            Some(2_880),
            "three frames, counted"
        );
    }

    #[test]
    fn what_cannot_be_is_not_believed() {
        assert_eq!(ticks(&[]), None);
        assert_eq!(ticks(&[31 << 3 | 3]), None, "no count");
        assert_eq!(ticks(&[31 << 3 | 3, 0]), None, "no frame");
        assert_eq!(ticks(&[11 << 3 | 3, 3]), None, "180 ms");
        for toc in 0..=u8::MAX {
            assert!(ticks(&[toc, 0xFF]).is_none_or(|ticks| ticks <= MAX_TICKS));
        }
    }
}
