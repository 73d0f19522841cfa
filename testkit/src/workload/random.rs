//! Random numbers by a seed: the same on every machine and with every release of whatever crate.

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The numbers of one record, whichever were made before it.
    pub(super) fn of(seed: u64, record: u64) -> Self {
        let start = Self(seed).next() ^ record;
        Self(Self(start).next())
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`, which is small: the bias does not matter.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        let word = self.next() >> 32;
        u32::try_from((word * u64::from(bound)) >> 32).expect("less than the bound")
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let count = u32::try_from(of.len()).expect("a short list");
        of[self.below(count) as usize]
    }

    /// In `0..1`.
    pub(super) fn uniform(&mut self) -> f64 {
        half(self.next() >> 32)
    }

    /// Near enough to N(0, 1): twelve uniform numbers added up. There is no logarithm in it, which not every C library
    /// computes to the same last bit.
    pub(super) fn normal(&mut self) -> f64 {
        let sum: f64 = (0..6)
            .map(|_| self.next())
            .map(|word| half(word >> 32) + half(word & u64::from(u32::MAX)))
            .sum();
        sum - 6.0
    }
}

/// A word of 32 bits as a fraction.
fn half(word: u64) -> f64 {
    let word = u32::try_from(word).expect("32 bits");
    f64::from(word) / 4_294_967_296.0
}
