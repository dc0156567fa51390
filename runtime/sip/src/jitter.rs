//! Times that differ from one to the next, so that many who wait do not all come at once.

use std::time::Duration;

use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// Draws times; the same seed draws the same ones.
#[derive(Debug)]
pub(crate) struct Jitter {
    random: ChaCha12Rng,
}

impl Jitter {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self {
            random: ChaCha12Rng::from_seed(seed),
        }
    }

    /// A time from `low` on and before `high`, any as likely as the other.
    pub(crate) fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let part = f64::from(self.random.next_u32()) / (f64::from(u32::MAX) + 1.0);
        low + high.saturating_sub(low).mul_f64(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_lie_between_and_are_spread() {
        let (low, high) = (Duration::from_secs(10), Duration::from_secs(20));
        let mut jitter = Jitter::new([1; 32]);
        let mut tenths = [0; 10];
        for _ in 0..1000 {
            let drawn = jitter.between(low, high);
            assert!((low..high).contains(&drawn));
            tenths[(drawn - low).as_secs() as usize] += 1;
        }
        assert!(
            tenths.iter().all(|count| (60..140).contains(count)),
            "{tenths:?}"
        );
        assert_eq!(jitter.between(low, low), low);
        assert_eq!(
            Jitter::new([1; 32]).between(low, high),
            Jitter::new([1; 32]).between(low, high)
        );
    }
}
