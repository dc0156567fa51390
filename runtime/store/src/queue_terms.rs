//! When, and before whom, a call that waits may be dialled.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::CallingHours;

/// How much a call matters beside others that wait. A more urgent one is dialled first, whoever's it is; within one class accounts take
/// turns.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Before all others, such as a warning. Only an account that the operator lets have it.
    Emergency,
    /// As most calls.
    #[default]
    Normal,
    /// When nothing else is to be done, such as a survey.
    Bulk,
}

impl Priority {
    /// From the most urgent to the least.
    pub const ALL: [Self; 3] = [Self::Emergency, Self::Normal, Self::Bulk];

    /// As parameters and files spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::Normal => "normal",
            Self::Bulk => "bulk",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a priority is `emergency`, `normal` or `bulk`")]
pub struct InvalidPriority;

impl FromStr for Priority {
    type Err = InvalidPriority;

    fn from_str(text: &str) -> Result<Self, InvalidPriority> {
        let mut all = Self::ALL.into_iter();
        all.find(|priority| priority.as_str() == text)
            .ok_or(InvalidPriority)
    }
}

/// What is ordered of a call's wait. The default: as most calls, at once, for as long as it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueTerms {
    /// Before and behind whom it waits.
    pub priority: Priority,
    /// Not dialled before, in milliseconds since the Unix epoch.
    pub not_before_unix_ms: Option<u64>,
    /// Not dialled then or later, in milliseconds since the Unix epoch: one that still waits ends as failed.
    pub expires_unix_ms: Option<u64>,
    /// The hours of the day and the days of the week in which it may be dialled; at any time where there are none.
    pub window: Option<CallingHours>,
}

impl QueueTerms {
    /// The first time, no earlier than `unix_ms`, at which it may be dialled, its end aside.
    #[must_use]
    pub fn first_time(&self, unix_ms: u64) -> u64 {
        let from = unix_ms.max(self.not_before_unix_ms.unwrap_or(0));
        match &self.window {
            Some(hours) => hours.first_time(from),
            None => from,
        }
    }

    /// Whether its time is over.
    #[must_use]
    pub fn is_expired(&self, unix_ms: u64) -> bool {
        self.expires_unix_ms.is_some_and(|end| unix_ms >= end)
    }
}

/// What holds for the calls of an account that say nothing of their own, and what they may say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueDefaults {
    /// The class of a call that names none.
    pub priority: Priority,
    /// The most urgent class that its calls may have.
    pub highest_priority: Priority,
    /// Seconds from a call's acceptance to its end, where it waits in vain; none: it waits.
    pub expires_after_s: Option<u32>,
    /// The hours of a call that names none.
    pub window: Option<CallingHours>,
}

impl QueueDefaults {
    /// The terms of a call that says nothing of its own.
    #[must_use]
    pub fn terms(&self, accepted_unix_ms: u64) -> QueueTerms {
        let expires_after = self
            .expires_after_s
            .map(|seconds| u64::from(seconds) * 1_000);
        QueueTerms {
            priority: self.priority,
            not_before_unix_ms: None,
            expires_unix_ms: expires_after.map(|after| accepted_unix_ms + after),
            window: self.window.clone(),
        }
    }
}

/// The `end_reason` of a call whose time was over before it could be dialled.
pub const EXPIRED: &str = "expired: its time was over before it could be dialled";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ordered_and_spelled() {
        let mut all = [Priority::Bulk, Priority::Emergency, Priority::Normal];
        all.sort();
        assert_eq!(all, Priority::ALL);
        for priority in all {
            assert_eq!(priority.as_str().parse(), Ok(priority));
        }
        assert_eq!("urgent".parse::<Priority>(), Err(InvalidPriority));
    }

    #[test]
    fn a_call_that_says_nothing_takes_what_its_account_has() {
        assert_eq!(QueueDefaults::default().terms(5), QueueTerms::default());
        let defaults = QueueDefaults {
            priority: Priority::Bulk,
            expires_after_s: Some(60),
            ..QueueDefaults::default()
        };
        let terms = defaults.terms(5);
        assert_eq!(terms.priority, Priority::Bulk);
        assert!(!terms.is_expired(60_004));
        assert!(terms.is_expired(60_005));
    }

    #[test]
    fn the_first_time_is_in_the_hours_and_not_before() {
        let terms = QueueTerms {
            not_before_unix_ms: Some(1_000),
            window: Some("00:01-24:00 UTC".parse().unwrap()),
            ..QueueTerms::default()
        };
        assert_eq!(terms.first_time(0), 60_000);
        assert_eq!(terms.first_time(70_000), 70_000);
        let at_once = QueueTerms {
            not_before_unix_ms: Some(1_000),
            ..QueueTerms::default()
        };
        assert_eq!(
            (at_once.first_time(0), at_once.first_time(2_000)),
            (1_000, 2_000)
        );
    }
}
