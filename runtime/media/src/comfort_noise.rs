//! Comfort noise (RFC 3389): the sound of a quiet room while the peer sends nothing.

/// Reflection coefficients that are used; a peer may send more, for details nobody hears.
const MAX_ORDER: usize = 12;

/// Makes noise as a peer's packets describe it.
#[derive(Debug, Clone)]
pub struct ComfortNoise {
    /// Root mean square of the noise to be made, in sample units, and of that made last.
    level: f32,
    current: f32,
    /// Reflection coefficients; those beyond what the peer sent are 0.
    reflections: [f32; MAX_ORDER],
    /// The synthesis filter's memory.
    backward: [f32; MAX_ORDER + 1],
    random: u32,
}

impl ComfortNoise {
    /// Silent until told otherwise. `seed` varies the noise.
    #[must_use]
    pub fn new(seed: u32) -> Self {
        Self {
            level: 0.0,
            current: 0.0,
            reflections: [0.0; MAX_ORDER],
            backward: [0.0; MAX_ORDER + 1],
            random: seed | 1,
        }
    }

    /// Takes a packet's payload: a level, and perhaps a spectrum (sections 3.1 and 3.2). Without one the noise is white. An empty
    /// payload changes nothing.
    pub fn describe(&mut self, payload: &[u8]) {
        let Some((level, spectrum)) = payload.split_first() else {
            return;
        };
        // The first bit is reserved.
        let below_overload_db = f32::from(level & 0x7f);
        self.level = 32_767.0 * 10f32.powf(-below_overload_db / 20.0);
        self.reflections = [0.0; MAX_ORDER];
        for (reflection, index) in self.reflections.iter_mut().zip(spectrum) {
            // 255 is reserved; the filter would ring for ever.
            *reflection = 258.0 * (f32::from((*index).min(254)) - 127.0) / 32_768.0;
        }
    }

    /// Makes noise, at whatever rate the samples have. A new level is reached at their end.
    pub fn fill(&mut self, samples: &mut [i16]) {
        let step = (self.level - self.current) / samples.len().max(1) as f32;
        // Noise of power 1 leaves the filter with power 1.
        let rest: f32 = self.reflections.iter().map(|k| 1.0 - k * k).product();
        let input_gain = rest.sqrt();
        for sample in samples {
            self.current += step;
            let input = self.white() * input_gain;
            *sample = (self.synthesise(input) * self.current) as i16; // `as` saturates
        }
        self.current = self.level;
    }

    /// Evenly distributed, of power 1.
    fn white(&mut self) -> f32 {
        // Marsaglia's xorshift.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        (self.random as f32 / (1u64 << 31) as f32 - 1.0) * 3f32.sqrt()
    }

    /// The all-pole lattice of the reflection coefficients. Stable whatever they are, as all are within -1 to 1.
    fn synthesise(&mut self, input: f32) -> f32 {
        let mut forward = input;
        for order in (0..MAX_ORDER).rev() {
            forward -= self.reflections[order] * self.backward[order];
            self.backward[order + 1] = self.backward[order] + self.reflections[order] * forward;
        }
        self.backward[0] = forward;
        forward
    }
}

#[cfg(test)]
mod tests;
