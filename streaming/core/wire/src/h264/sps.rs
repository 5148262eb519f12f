//! The picture size in a sequence parameter set (ITU-T H.264 7.3.2.1.1).

/// Width and height in pixels after cropping; `None` when the set is cut short or absurd. `body` follows the NAL header.
pub fn frame_size(body: &[u8]) -> Option<(u16, u16)> {
    let mut bits = Bits {
        bytes: body,
        at: 0,
        zeros: 0,
        byte: 0,
        left: 0,
    };
    let profile = bits.take(8)?;
    bits.take(16)?;
    bits.golomb()?;
    let mut chroma = 1;
    let mut planes = false;
    if matches!(
        profile,
        44 | 83 | 86 | 100 | 110 | 118 | 122 | 128 | 134 | 135 | 138 | 139 | 244
    ) {
        chroma = bits.golomb()?;
        planes = chroma == 3 && bits.flag()?;
        bits.golomb()?;
        bits.golomb()?;
        bits.flag()?;
        if bits.flag()? {
            skip_scaling_lists(&mut bits, if chroma == 3 { 12 } else { 8 })?;
        }
    }
    bits.golomb()?;
    skip_order_count(&mut bits)?;
    bits.golomb()?;
    bits.flag()?;
    let width = bits.golomb()?.checked_add(1)?.checked_mul(16)?;
    let map_height = bits.golomb()?.checked_add(1)?.checked_mul(16)?;
    let frames_only = bits.flag()?;
    if !frames_only {
        bits.flag()?;
    }
    bits.flag()?;
    let height = map_height.checked_mul(if frames_only { 1 } else { 2 })?;
    let (left, right, top, bottom) = if bits.flag()? {
        (
            bits.golomb()?,
            bits.golomb()?,
            bits.golomb()?,
            bits.golomb()?,
        )
    } else {
        (0, 0, 0, 0)
    };
    let sampled = !planes && chroma != 0;
    let unit_x = if sampled && chroma != 3 { 2 } else { 1 };
    let unit_y = if sampled && chroma == 1 { 2 } else { 1 } * if frames_only { 1 } else { 2 };
    let width = width.checked_sub(left.checked_add(right)?.checked_mul(unit_x)?)?;
    let height = height.checked_sub(top.checked_add(bottom)?.checked_mul(unit_y)?)?;
    Some((u16::try_from(width).ok()?, u16::try_from(height).ok()?)).filter(|&(w, h)| w > 0 && h > 0)
}

fn skip_order_count(bits: &mut Bits) -> Option<()> {
    match bits.golomb()? {
        0 => {
            bits.golomb()?;
        }
        1 => {
            bits.flag()?;
            bits.golomb()?;
            bits.golomb()?;
            for _ in 0..bits.golomb().filter(|&count| count < 256)? {
                bits.golomb()?;
            }
        }
        _ => {}
    }
    Some(())
}

fn skip_scaling_lists(bits: &mut Bits, lists: u32) -> Option<()> {
    for list in 0..lists {
        if !bits.flag()? {
            continue;
        }
        let (mut last, mut next) = (8_i64, 8_i64);
        for _ in 0..if list < 6 { 16 } else { 64 } {
            if next != 0 {
                next = (last + bits.signed_golomb()?).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
    }
    Some(())
}

/// Bits of a NAL unit, without its emulation prevention bytes.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    zeros: u8,
    byte: u8,
    left: u8,
}

impl Bits<'_> {
    fn refill(&mut self) -> Option<()> {
        let mut byte = *self.bytes.get(self.at)?;
        self.at += 1;
        if self.zeros >= 2 && byte == 3 {
            self.zeros = 0;
            byte = *self.bytes.get(self.at)?;
            self.at += 1;
        }
        self.zeros = if byte == 0 {
            self.zeros.saturating_add(1)
        } else {
            0
        };
        (self.byte, self.left) = (byte, 8);
        Some(())
    }

    fn flag(&mut self) -> Option<bool> {
        if self.left == 0 {
            self.refill()?;
        }
        self.left -= 1;
        Some(self.byte >> self.left & 1 == 1)
    }

    fn take(&mut self, count: u8) -> Option<u32> {
        (0..count).try_fold(0, |value, _| Some(value << 1 | u32::from(self.flag()?)))
    }

    fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1_u32 << zeros) - 1 + self.take(zeros)?)
    }

    fn signed_golomb(&mut self) -> Option<i64> {
        let code = i64::from(self.golomb()?);
        Some(if code % 2 == 0 {
            -code / 2
        } else {
            (code + 1) / 2
        })
    }
}
