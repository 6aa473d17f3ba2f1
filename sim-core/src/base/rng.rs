//! Chance: named ChaCha8 streams. The only file that uses `rand`.
//!
//! A stream belongs to one node or one link and is named after it (`"node/rs1"`), so that a new node does not change
//! what the others draw. Everything is made from whole `u64` draws here, since the distributions of `rand` differ
//! between its versions.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;

/// One named stream of chance.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream `name` of the run with this seed.
    pub fn named(seed: u64, name: &str) -> Self {
        let mut key = [0u8; 32];
        for (half, salt) in key.chunks_exact_mut(16).zip([0x6c76_736c_6162_0001, 0x6c76_736c_6162_0002]) {
            let mut hasher = SipHasher24::new_with_keys(seed, salt);
            hasher.write(name.as_bytes());
            half.copy_from_slice(&hasher.finish128().as_bytes());
        }
        Stream(ChaCha8Rng::from_seed(key))
    }

    /// Any `u64`.
    pub fn u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Any `u32`.
    pub fn u32(&mut self) -> u32 {
        (self.0.next_u64() >> 32) as u32
    }

    /// A number below `bound`, each equally likely to within 2⁻⁶⁴ × bound.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a draw needs at least one outcome");
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// True `ppm` times in a million. Draws nothing for 0, so that an unused loss setting changes nothing.
    pub fn happens(&mut self, ppm: u32) -> bool {
        ppm > 0 && self.below(1_000_000) < u64::from(ppm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_depend_on_seed_and_name_only() {
        let first = |seed, name: &str| Stream::named(seed, name).u64();
        assert_eq!(first(1, "node/a"), first(1, "node/a"));
        assert_ne!(first(1, "node/a"), first(2, "node/a"));
        assert_ne!(first(1, "node/a"), first(1, "node/b"));
    }
}
