//! How much a receiver's NACKs may cost: a hopeless link or a flood must not become an amplifier.
//!
//! Repairs of picture take at most a quarter of the media bytes, repairs of sound (small, and first) as much as the sound.

/// Credit that picture starts with and may save up: a lost key frame.
pub const PICTURE_BURST_BYTES: i64 = 128 << 10;
/// The same for sound: a second of it.
pub const SOUND_BURST_BYTES: i64 = 16 << 10;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct RepairBudget {
    picture: i64,
    sound: i64,
}

impl Default for RepairBudget {
    fn default() -> Self {
        RepairBudget {
            picture: PICTURE_BURST_BYTES,
            sound: SOUND_BURST_BYTES,
        }
    }
}

impl RepairBudget {
    /// Media left.
    pub fn earn(&mut self, is_sound: bool, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(0);
        self.picture = (self.picture + bytes / 4).min(PICTURE_BURST_BYTES);
        if is_sound {
            self.sound = (self.sound + bytes).min(SOUND_BURST_BYTES);
        }
    }

    /// Whether a repair may be sent.
    pub fn allows(&self, is_sound: bool) -> bool {
        let credit = if is_sound { self.sound } else { self.picture };
        credit > 0
    }

    /// A repair is sent.
    pub fn spend(&mut self, is_sound: bool, bytes: u16) {
        let credit = if is_sound {
            &mut self.sound
        } else {
            &mut self.picture
        };
        *credit -= i64::from(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repairs_of_picture_take_a_quarter_and_those_of_sound_do_not_wait_for_them() {
        let mut budget = RepairBudget::default();
        let mut repaired = 0;
        for _ in 0..1000 {
            budget.earn(false, 1000);
            while budget.allows(false) {
                budget.spend(false, 1000);
                repaired += 1;
            }
        }
        assert!((370..=385).contains(&repaired), "{repaired}");
        assert!(budget.allows(true));
        (0..20).for_each(|_| budget.spend(true, 1000));
        assert!(!budget.allows(true));
        (0..20).for_each(|_| budget.earn(true, 1000));
        assert!(budget.allows(true));
    }
}
