//! Chance: named ChaCha8 streams. The only file that uses `rand`.
//!
//! A stream belongs to one node or one link and is named after it (`"node/rs1"`), so that a new node does not change
//! what the others draw. Everything is made from whole `u64` draws here, since the distributions of `rand` differ
//! between its versions.

use super::time::Duration;
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

    /// A span with exponential distribution and this mean (time to failure of something that does not age): the mean
    /// times −ln of a uniform draw, in whole numbers.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        // U = draw / 2⁶⁴ in (0, 1]; −log₂ U = leading zeros + 1 − log₂ m, with m in [1, 2) read as 63 fraction bits.
        let draw = self.u64().max(1);
        let zeros = draw.leading_zeros();
        let mut m = u128::from(draw << zeros);
        let mut log_m: u64 = 0;
        for bit in (0..32).rev() {
            m = (m * m) >> 63;
            if m >= 1 << 64 {
                m >>= 1;
                log_m |= 1 << bit;
            }
        }
        let minus_log2 = ((u64::from(zeros) + 1) << 32) - log_m;
        let minus_ln = (u128::from(minus_log2) * LN2_Q32) >> 32;
        let nanos = (u128::from(mean.nanos()) * minus_ln) >> 32;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// ln 2 with 32 fraction bits.
const LN2_Q32: u128 = 2_977_044_472;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_spans_have_their_mean_and_pass_it_one_time_in_e() {
        let mut stream = Stream::named(1, "failures/n1");
        let mean = Duration::from_secs(1_000);
        let draws: Vec<u64> = (0..20_000).map(|_| stream.exponential(mean).nanos() / 1_000_000).collect();
        let average = draws.iter().sum::<u64>() / 20_000;
        assert!((980_000..1_020_000).contains(&average), "the mean of 20,000 draws is {average} ms");
        let longer = draws.iter().filter(|draw| **draw > 1_000_000).count();
        assert!((7_150..7_560).contains(&longer), "{longer} of 20,000 are longer than the mean; 1/e is 7,358");
    }

    #[test]
    fn streams_depend_on_seed_and_name_only() {
        let first = |seed, name: &str| Stream::named(seed, name).u64();
        assert_eq!(first(1, "node/a"), first(1, "node/a"));
        assert_ne!(first(1, "node/a"), first(2, "node/a"));
        assert_ne!(first(1, "node/a"), first(1, "node/b"));
    }
}
