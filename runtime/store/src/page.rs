//! Lists, a page at a time, newest first.

use std::fmt;
use std::str::FromStr;

use call::{CallSid, CallStatus};

use crate::{
    CallRow, ParticipantFilter, ParticipantPage, ParticipantRow, QueueCursor, QueuePage, QueueRow,
    Scope, StoreError,
};

/// How many rows one page looks at before it ends early, so that a filter that fits nothing costs a bounded time.
const ROWS_VISITED: usize = 10_000;

/// Which of an account's calls to list. The default lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// Only calls to exactly this number or SIP URI.
    pub to: Option<String>,
    /// Only calls from exactly this caller.
    pub from: Option<String>,
    /// Only calls that have come exactly this far.
    pub status: Option<CallStatus>,
    /// Only calls that this call's story dialled.
    pub parent: Option<CallSid>,
    /// Only calls created at this time or later, in milliseconds since the Unix epoch.
    pub created_from_unix_ms: Option<u64>,
    /// Only calls created before this time, in milliseconds since the Unix epoch.
    pub created_before_unix_ms: Option<u64>,
    /// Only calls that were first dialled, or came in, in this time.
    pub started: TimeSpan,
    /// Only calls that ended in this time.
    pub ended: TimeSpan,
}

/// A span of time, in milliseconds since the Unix epoch. The default is all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeSpan {
    /// Its beginning.
    pub from_unix_ms: Option<u64>,
    /// Its end, which is not in it.
    pub before_unix_ms: Option<u64>,
}

impl TimeSpan {
    /// Whether a time is in it. What has no time is in no span but the default.
    #[must_use]
    pub fn contains(&self, at_unix_ms: Option<u64>) -> bool {
        let Some(at) = at_unix_ms else {
            return *self == Self::default();
        };
        self.from_unix_ms.is_none_or(|from| from <= at)
            && self.before_unix_ms.is_none_or(|before| at < before)
    }
}

impl CallFilter {
    pub(crate) fn fits(&self, row: &CallRow) -> bool {
        self.to.as_ref().is_none_or(|to| *to == row.to)
            && self.from.as_ref().is_none_or(|from| *from == row.from)
            && self.status.is_none_or(|status| status == row.status)
            && self.parent.is_none_or(|parent| row.parent == Some(parent))
            && self.started.contains(row.started_unix_ms)
            && self.ended.contains(row.ended_unix_ms)
    }

    /// The creation times that may fit: from the first, and before the second.
    pub(crate) fn created(&self) -> (u64, u64) {
        (
            self.created_from_unix_ms.unwrap_or(0),
            self.created_before_unix_ms.unwrap_or(u64::MAX),
        )
    }
}

/// Where the next page begins: right after one row of the page before. Prints as the page token of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor<S = CallSid> {
    pub(crate) created_unix_ms: u64,
    pub(crate) sid: S,
}

impl Cursor {
    pub(crate) const fn at(row: &CallRow) -> Self {
        Self {
            created_unix_ms: row.created_unix_ms,
            sid: row.sid,
        }
    }
}

/// The text is not a page token that this store gave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a page token: take it from `next_page_uri`")]
pub struct InvalidCursor;

impl<S: fmt::Display> fmt::Display for Cursor<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.created_unix_ms, self.sid)
    }
}

impl<S: FromStr> FromStr for Cursor<S> {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (created, sid) = text.split_once('-').ok_or(InvalidCursor)?;
        Ok(Self {
            created_unix_ms: u64::from_str_radix(created, 16).map_err(|_| InvalidCursor)?,
            sid: sid.parse().map_err(|_| InvalidCursor)?,
        })
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<R = CallRow, S = CallSid> {
    /// Newest first.
    pub rows: Vec<R>,
    /// Where the next page begins, if there may be more. With a filter a page can be short, or empty, and yet have a next.
    pub next: Option<Cursor<S>>,
}

impl<R, S: Copy + Ord> Page<R, S> {
    /// A page of rows that are all at hand; `at` says when each was created, and its SID.
    pub fn of(
        rows: impl Iterator<Item = R>,
        at: impl Fn(&R) -> (u64, S),
        from: Option<Cursor<S>>,
        limit: usize,
    ) -> Self {
        let cursor = |row: &R| {
            let (created_unix_ms, sid) = at(row);
            Cursor {
                created_unix_ms,
                sid,
            }
        };
        let mut rows: Vec<R> = rows
            .filter(|row| from.is_none_or(|from| cursor(row) < from))
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse(cursor(row)));
        let is_more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| is_more).map(cursor);
        Self { rows, next }
    }
}

/// Takes the first `limit` fitting rows of an account's list, which come newest first from behind the cursor.
pub(crate) fn take<R, S: Copy>(
    rows: impl Iterator<Item = Result<R, StoreError>>,
    at: impl Fn(&R) -> Cursor<S>,
    fits: impl Fn(&R) -> bool,
    limit: usize,
) -> Result<Page<R, S>, StoreError> {
    let mut page = Page {
        rows: Vec::new(),
        next: None,
    };
    let mut last = None;
    for (visited, row) in rows.enumerate() {
        if page.rows.len() == limit || visited == ROWS_VISITED {
            page.next = last;
            break;
        }
        let row = row?;
        last = Some(at(&row));
        if fits(&row) {
            page.rows.push(row);
        }
    }
    Ok(page)
}

/// A page of who is in a conference. There are 250 at most: all are read.
pub(crate) fn of_participants(
    mut all: Vec<ParticipantRow>,
    scope: Scope,
    filter: ParticipantFilter,
    from: Option<Cursor>,
    limit: usize,
) -> Result<ParticipantPage, StoreError> {
    all.retain(|row| {
        row.account == scope.account() && from.is_none_or(|from| Cursor::of_participant(row) < from)
    });
    all.sort_by_key(|row| std::cmp::Reverse(Cursor::of_participant(row)));
    take(
        all.into_iter().map(Ok),
        Cursor::of_participant,
        |row| filter.fits(row),
        limit,
    )
}

/// A page of an account's queues. There are a thousand at most: all are read.
pub(crate) fn of_queues(
    mut all: Vec<QueueRow>,
    from: Option<QueueCursor>,
    limit: usize,
) -> Result<QueuePage, StoreError> {
    let at = QueueCursor::of_queue;
    all.retain(|row| from.is_none_or(|from| at(row) < from));
    all.sort_by_key(|row| std::cmp::Reverse(at(row)));
    take(all.into_iter().map(Ok), at, |_| true, limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_prints_and_reads_back() {
        let cursor = Cursor {
            created_unix_ms: 1_790_000_000_000,
            sid: CallSid::from_bytes([7; 16]),
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in [
            "",
            "-",
            "1-",
            "1-CA00",
            "g-CA07070707070707070707070707070707",
            "PA1",
        ] {
            assert_eq!(bad.parse::<Cursor<CallSid>>(), Err(InvalidCursor), "{bad}");
        }
    }
}
