//! A table whose rows keep their index: the engine's objects refer to one another by number, not by pointer.

/// Rows with stable indexes; freed indexes are used again.
#[derive(Debug)]
pub struct Slab<T> {
    rows: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab {
            rows: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slab<T> {
    /// Put a value in; answers its index.
    pub fn insert(&mut self, value: T) -> u32 {
        if let Some(index) = self.free.pop()
            && let Some(row) = self.rows.get_mut(index as usize)
        {
            *row = Some(value);
            return index;
        }
        self.rows.push(Some(value));
        u32::try_from(self.rows.len() - 1).unwrap_or(u32::MAX)
    }

    /// Take a value out.
    pub fn remove(&mut self, index: u32) -> Option<T> {
        let value = self.rows.get_mut(index as usize)?.take();
        if value.is_some() {
            self.free.push(index);
        }
        value
    }

    /// Look at a value.
    pub fn get(&self, index: u32) -> Option<&T> {
        self.rows.get(index as usize)?.as_ref()
    }

    /// Change a value.
    pub fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.rows.get_mut(index as usize)?.as_mut()
    }

    /// All values with their indexes.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0u32..)
            .zip(&self.rows)
            .filter_map(|(index, row)| Some((index, row.as_ref()?)))
    }

    /// All values with their indexes, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut T)> {
        (0u32..)
            .zip(&mut self.rows)
            .filter_map(|(index, row)| Some((index, row.as_mut()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_index_is_used_again_and_the_others_stay() {
        let mut slab = Slab::default();
        let (a, b) = (slab.insert("a"), slab.insert("b"));
        assert_eq!(slab.remove(a), Some("a"));
        assert_eq!(slab.remove(a), None);
        assert_eq!(slab.insert("c"), a);
        assert_eq!(slab.get(b), Some(&"b"));
        assert_eq!(slab.iter().count(), 2);
    }
}
