//! `wasi:random`: a `ChaCha20` stream from the story's seed, so that a journal replays.

use chacha20::rand_core::Rng;
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

use crate::sandbox::Sandbox;
use crate::state::HOST_CALL_BYTES;

impl Sandbox {
    fn random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.host_call()?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > HOST_CALL_BYTES {
            wasmtime::bail!(
                "asked for {length} random bytes at once: at most {HOST_CALL_BYTES} are given"
            );
        }
        let mut bytes = vec![0; length];
        self.random.fill_bytes(&mut bytes);
        Ok(bytes)
    }
}

impl random::Host for Sandbox {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(length)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.host_call()?;
        Ok(self.random.next_u64())
    }
}

impl insecure::Host for Sandbox {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(length)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.host_call()?;
        Ok(self.random.next_u64())
    }
}

impl insecure_seed::Host for Sandbox {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        self.host_call()?;
        Ok((self.random.next_u64(), self.random.next_u64()))
    }
}
