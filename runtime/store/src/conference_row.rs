//! What is kept of one conference, and of who is in it.

use std::fmt;

use call::{
    AccountSid, CallSid, ConferenceCallback, ConferenceEndReason, ConferenceSid, ConferenceTurn,
    Participant,
};
use serde::{Deserialize, Serialize};

use crate::{Cursor, Page, TimeSpan};

/// How far a conference has come, in the words of Twilio's `Conferences` resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ConferenceStatus {
    /// Who is there waits for others.
    Init,
    /// They hear each other.
    InProgress,
    /// It is over.
    Completed,
}

impl ConferenceStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Init, Self::InProgress, Self::Completed];
}

impl fmt::Display for ConferenceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Init => "init",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
        })
    }
}

/// One thing that happened in a conference, about to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConferenceNote {
    /// The conference.
    pub sid: ConferenceSid,
    /// What its account calls it.
    pub name: String,
    /// What happened.
    pub turn: ConferenceTurn,
    /// When.
    pub at_unix_ms: u64,
}

/// One conference. Times are in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConferenceRow {
    /// Its SID.
    pub sid: ConferenceSid,
    /// Whose conference it is.
    pub account: AccountSid,
    /// What the account calls it.
    pub name: String,
    /// How far it has come.
    pub status: ConferenceStatus,
    /// Why it is over; none while it goes on.
    pub ended: Option<ConferenceEndReason>,
    /// The call with which it came to its end, where one ended it.
    pub ended_by: Option<CallSid>,
    /// Who is told of it.
    pub callback: Option<ConferenceCallback>,
    /// What whoever began it gave as its region.
    pub region: Option<String>,
    /// How many callbacks were put into the outbox, which is the sequence number of the next.
    pub told: u32,
    /// When the first call joined.
    pub created_unix_ms: u64,
    /// When anything of it was last written.
    pub updated_unix_ms: u64,
}

/// Somebody who is in a conference, or is called for it; the row goes when they do. Times are in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipantRow {
    /// The conference.
    pub conference: ConferenceSid,
    /// Whose conference it is.
    pub account: AccountSid,
    /// How they take part, or will.
    pub participant: Participant,
    /// They are in it; else they are being called.
    pub is_connected: bool,
    /// When they joined, or were called.
    pub created_unix_ms: u64,
    /// When anything of it was last written.
    pub updated_unix_ms: u64,
}

/// Which of an account's conferences to list. The default lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConferenceFilter {
    /// Only those that have come exactly this far.
    pub status: Option<ConferenceStatus>,
    /// Only those of exactly this name.
    pub name: Option<String>,
    /// Only those begun in this time.
    pub created: TimeSpan,
    /// Only those last written in this time.
    pub updated: TimeSpan,
}

impl ConferenceFilter {
    pub(crate) fn fits(&self, row: &ConferenceRow) -> bool {
        self.status.is_none_or(|status| status == row.status)
            && self.name.as_ref().is_none_or(|name| *name == row.name)
            && self.updated.contains(Some(row.updated_unix_ms))
    }

    /// The times of beginning that may fit: from the first, and before the second.
    pub(crate) fn created(&self) -> (u64, u64) {
        (
            self.created.from_unix_ms.unwrap_or(0),
            self.created.before_unix_ms.unwrap_or(u64::MAX),
        )
    }
}

/// Which participants of a conference to list. The default lists all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ParticipantFilter {
    /// Only those that are, or are not, muted.
    pub muted: Option<bool>,
    /// Only those that are, or are not, on hold.
    pub held: Option<bool>,
    /// Only those that coach somebody, or nobody.
    pub coaching: Option<bool>,
}

impl ParticipantFilter {
    pub(crate) fn fits(&self, row: &ParticipantRow) -> bool {
        let one = &row.participant;
        self.muted.is_none_or(|muted| muted == one.muted)
            && self.held.is_none_or(|held| held == one.held)
            && self
                .coaching
                .is_none_or(|coaching| coaching == one.coaches.is_some())
    }
}

/// Where the next page of conferences begins.
pub type ConferenceCursor = Cursor<ConferenceSid>;

/// A page of conferences.
pub type ConferencePage = Page<ConferenceRow, ConferenceSid>;

/// A page of participants.
pub type ParticipantPage = Page<ParticipantRow, CallSid>;

impl ConferenceCursor {
    pub(crate) const fn of_conference(row: &ConferenceRow) -> Self {
        Self {
            created_unix_ms: row.created_unix_ms,
            sid: row.sid,
        }
    }
}

impl Cursor {
    pub(crate) const fn of_participant(row: &ParticipantRow) -> Self {
        Self {
            created_unix_ms: row.created_unix_ms,
            sid: row.participant.call,
        }
    }
}
