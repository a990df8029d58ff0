//! Seeded randomness: one stream per purpose, so that taking one source of trouble away does not change the luck of
//! the others.

use std::time::Duration;

/// A stream of random numbers (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The stream for `purpose` of a seed.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let start = fnv(purpose.bytes().chain(seed.to_le_bytes()));
        Self(start)
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// True with a probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        let unit = (self.bits() >> 11) as f64 / (1u64 << 53) as f64;
        unit < probability
    }

    /// A time between two, in milliseconds.
    pub fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from + 1))
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() {
            return None;
        }
        let index = self.below(from.len() as u64);
        from.get(index as usize)
    }

    /// A UUID (version 4 in form).
    pub fn uuid(&mut self) -> String {
        let hex = format!("{:016x}{:016x}", self.bits(), self.bits());
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }
}

/// FNV-1a of bytes: the same in every process, unlike the standard library's hashers.
pub fn fnv(bytes: impl IntoIterator<Item = u8>) -> u64 {
    extend(0xcbf2_9ce4_8422_2325, bytes)
}

/// Goes on with a hash.
pub fn extend(hash: u64, bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
