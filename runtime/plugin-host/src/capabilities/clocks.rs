//! `wasi:clocks`: time that stands still between two events.

use std::time::Duration;

use wasmtime::component::Resource;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use crate::sandbox::Sandbox;
use crate::state::{Clock, Halt};

impl wall_clock::Host for Sandbox {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.host_call()?;
        Ok(datetime(self.clock.wall()))
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.host_call()?;
        Ok(datetime(Clock::STEP))
    }
}

impl monotonic_clock::Host for Sandbox {
    fn now(&mut self) -> wasmtime::Result<monotonic_clock::Instant> {
        self.host_call()?;
        Ok(nanoseconds(self.clock.monotonic()))
    }

    fn resolution(&mut self) -> wasmtime::Result<monotonic_clock::Duration> {
        self.host_call()?;
        Ok(nanoseconds(Clock::STEP))
    }

    fn subscribe_instant(
        &mut self,
        when: monotonic_clock::Instant,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let now = nanoseconds(self.clock.monotonic());
        self.subscribe_duration(when.saturating_sub(now))
    }

    /// Time does not pass between two events, so a sleep would have no end.
    fn subscribe_duration(
        &mut self,
        duration: monotonic_clock::Duration,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.host_call()?;
        if duration > 0 {
            return Err(Halt::Slept.into());
        }
        let past = self.table.push(Past)?;
        subscribe(&mut self.table, past)
    }
}

/// A moment that has come.
struct Past;

#[async_trait]
impl Pollable for Past {
    async fn ready(&mut self) {}
}

fn datetime(since_1970: Duration) -> wall_clock::Datetime {
    wall_clock::Datetime {
        seconds: since_1970.as_secs(),
        nanoseconds: since_1970.subsec_nanos(),
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
