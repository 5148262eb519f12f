//! Chance from a seed.

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014): one addition and three
/// mixing steps a number, the same on every machine. Not for secrets.
#[derive(Clone, Debug)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// A sequence of its own for each `stream` of one `seed`: a feature that is switched on does not move the
    /// numbers of another.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut mixer = Self { state: stream };
        Self {
            state: seed ^ mixer.next_u64(),
        }
    }

    /// 64 even bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// An even number in [0, 1), of 53 bits.
    pub fn fraction(&mut self) -> f64 {
        const STEPS: f64 = (1_u64 << 53) as f64;
        (self.next_u64() >> 11) as f64 / STEPS
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }

    /// A whole number in 0..=`most`; 0 when `most` is negative.
    pub fn up_to(&mut self, most: i64) -> i64 {
        (self.fraction() * (most.max(0) as f64 + 1.0)) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        let mut rng = SplitMix64 { state: 1_234_567 };
        let numbers: Vec<u64> = (0..3).map(|_| rng.next_u64()).collect();
        assert_eq!(
            numbers,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn streams_of_one_seed_differ_and_repeat() {
        let first = |stream| SplitMix64::new(7, stream).next_u64();
        assert_ne!(first(1), first(2));
        assert_eq!(first(1), first(1));
    }

    #[test]
    fn a_span_includes_both_ends() {
        let mut rng = SplitMix64::new(1, 0);
        let drawn: std::collections::BTreeSet<i64> = (0..200).map(|_| rng.up_to(3)).collect();
        assert_eq!(drawn, [0, 1, 2, 3].into());
        assert_eq!(rng.up_to(0), 0);
        assert_eq!(rng.up_to(-5), 0);
    }
}
