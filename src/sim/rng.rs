//! Draws that depend on a seed alone, on every machine alike (SplitMix64).

use std::time::Duration;

#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    /// For one question: the draws follow from what it is about and not from who asked something else before.
    pub(super) fn about(parts: &[u64]) -> Self {
        let mut rng = Self(0x6b61_666b_6100);
        for part in parts {
            rng.0 = rng.draw() ^ part;
        }
        rng
    }

    pub(super) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Both ends included.
    pub(super) fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.draw() % (high - low + 1)
    }

    pub(super) fn index(&mut self, length: usize) -> usize {
        let length = u64::try_from(length).unwrap();
        usize::try_from(self.within(0, length - 1)).unwrap()
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.within(0, 99) < percent
    }

    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    pub(super) fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.within(low, high))
    }

    /// Between nothing and `most`.
    pub(super) fn part_of(&mut self, most: Duration) -> Duration {
        self.millis(0, u64::try_from(most.as_millis()).unwrap())
    }
}
