//! What an account's calls and recordings came to, by days.

use serde::{Deserialize, Serialize};

use crate::rows::Rows;
use crate::{CallRow, RecordingRow, RecordingStatus, StoreError};
use call::Direction;

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum UsageCategory {
    /// Calls that were answered, both directions together.
    Calls,
    /// Calls that came in and were answered.
    CallsInbound,
    /// Calls that went out, of the API or another call's story, and were answered.
    CallsOutbound,
    /// Recordings that are whole.
    Recordings,
}

impl UsageCategory {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Calls,
        Self::CallsInbound,
        Self::CallsOutbound,
        Self::Recordings,
    ];

    /// As the API spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::CallsInbound => "calls-inbound",
            Self::CallsOutbound => "calls-outbound",
            Self::Recordings => "recordings",
        }
    }

    /// In keys of the database.
    pub(crate) const fn number(self) -> u8 {
        self as u8
    }
}

/// What came together on one day (UTC), by the time of the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageOfDay {
    /// Days since 1970-01-01.
    pub day: u32,
    /// Of what.
    pub category: UsageCategory,
    /// How many.
    pub count: u64,
    /// Minutes, each call and recording rounded up by itself.
    pub minutes: u64,
}

/// The day of a time, in days since 1970-01-01.
pub(crate) fn day_of(unix_ms: u64) -> u32 {
    u32::try_from(unix_ms / DAY_MS).unwrap_or(u32::MAX)
}

/// Counts a call that has just ended. One that nobody answered counts nothing.
pub(crate) fn count_call(rows: &mut dyn Rows, row: &CallRow) -> Result<(), StoreError> {
    let (Some(record), Some(ended)) = (&row.record, row.ended_unix_ms) else {
        return Ok(());
    };
    if row.answered_unix_ms.is_none() {
        return Ok(());
    }
    let minutes = u64::from(record.duration_s.div_ceil(60));
    let by_direction = match row.direction {
        Direction::Inbound => UsageCategory::CallsInbound,
        Direction::OutboundApi | Direction::OutboundDial => UsageCategory::CallsOutbound,
    };
    for category in [UsageCategory::Calls, by_direction] {
        rows.add_usage(row.account, day_of(ended), category, minutes)?;
    }
    Ok(())
}

/// Counts a recording that has just ended. One without a file counts nothing.
pub(crate) fn count_recording(rows: &mut dyn Rows, row: &RecordingRow) -> Result<(), StoreError> {
    if row.status != RecordingStatus::Completed {
        return Ok(());
    }
    let minutes = row.duration_ms.div_ceil(60_000);
    let day = day_of(row.updated_unix_ms);
    rows.add_usage(row.account, day, UsageCategory::Recordings, minutes)
}
