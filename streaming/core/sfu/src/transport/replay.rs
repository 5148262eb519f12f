//! Which indices were taken: the replay list of RFC 3711 3.3.2, and our guard against sealing an index twice.

/// How far behind the newest an index may be. Repairs of audio come without RTX and arrive this late at most.
const WINDOW: u64 = 1024;
const WORDS: usize = (WINDOW / 64) as usize;

/// A window over the newest [`WINDOW`] indices.
#[derive(Clone, Debug, Default)]
pub(super) struct ReplayWindow {
    /// The newest taken, plus one; 0 = none yet.
    next: u64,
    /// A ring: bit `index % WINDOW` says that `index` was taken.
    taken: [u64; WORDS],
}

impl ReplayWindow {
    /// The newest index that was taken.
    pub(super) fn newest(&self) -> Option<u64> {
        self.next.checked_sub(1)
    }

    /// A look: may this index still be taken?
    pub(super) fn is_new(&self, index: u64) -> bool {
        if index >= self.next {
            return true;
        }
        self.next - index <= WINDOW && self.word(index).is_none_or(|word| word & bit(index) == 0)
    }

    /// Take an index; `false` when it was taken before or is too old.
    pub(super) fn take(&mut self, index: u64) -> bool {
        if !self.is_new(index) {
            return false;
        }
        if index >= self.next {
            self.forget_between(self.next, index);
            self.next = index + 1;
        }
        if let Some(word) = self.taken.get_mut(place(index)) {
            *word |= bit(index);
        }
        true
    }

    fn word(&self, index: u64) -> Option<&u64> {
        self.taken.get(place(index))
    }

    /// Clear the bits of the indices that become part of the window unseen.
    fn forget_between(&mut self, from: u64, to: u64) {
        if to - from >= WINDOW {
            self.taken.fill(0);
            return;
        }
        for index in from..=to {
            if let Some(word) = self.taken.get_mut(place(index)) {
                *word &= !bit(index);
            }
        }
    }
}

fn place(index: u64) -> usize {
    ((index / 64) % WORDS as u64) as usize
}

fn bit(index: u64) -> u64 {
    1 << (index % 64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_index_is_taken_once_at_every_wrap_start() {
        for start in [0, 1, 127, 32_767, 65_534, 65_535, 1 << 32, (1 << 48) - 3000] {
            let mut window = ReplayWindow::default();
            for index in start..start + 2_500 {
                assert!(window.take(index), "{index} from {start}");
                assert!(!window.take(index), "{index} again from {start}");
            }
            assert!(!window.take(start));
            assert_eq!(window.newest(), Some(start + 2_499));
        }
    }

    #[test]
    fn late_ones_are_taken_inside_the_window_only() {
        let mut window = ReplayWindow::default();
        assert!(window.take(5_000));
        assert!(window.take(5_000 - WINDOW + 1));
        assert!(!window.take(5_000 - WINDOW));
        assert!(window.take(4_999));
        assert!(!window.take(4_999));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_set(steps in proptest::collection::vec(0u64..6_000, 1..400)) {
            let mut window = ReplayWindow::default();
            let mut taken = BTreeSet::new();
            for index in steps {
                let newest = taken.last().copied().unwrap_or(0);
                let fresh = !taken.contains(&index) && index + WINDOW > newest;
                prop_assert_eq!(window.take(index), fresh, "index {} newest {}", index, newest);
                if fresh {
                    taken.insert(index);
                }
            }
        }
    }
}
