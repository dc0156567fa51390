//! What the API asks of conferences and queues at which calls are.

use call::{
    AccountSid, CallSid, ConferenceCallback, ConferenceInput, ConferenceSid, ConferenceTerms,
    Participant,
};

use crate::Done;

/// A queue at which calls are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueView {
    /// Seconds that those who wait have waited on average.
    pub average_wait_s: u32,
    /// Who waits; who waits longest is the first.
    pub members: Vec<QueueMember>,
}

/// A call that waits at a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMember {
    /// Which.
    pub call: CallSid,
    /// Since when, in milliseconds since the Unix epoch.
    pub since_unix_ms: u64,
    /// For how long, in seconds.
    pub waited_s: u32,
}

/// Why a conference does not expect a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotExpected {
    /// Another participant has its label.
    LabelTaken,
    /// Whom it is to coach is not in the conference.
    CoachedMissing,
    /// Says what stands in the way.
    Impossible(String),
}

/// The conferences and queues at which calls are. None of these blocks.
pub trait LiveRooms: Send + Sync {
    /// Changes a participant ([`ConferenceInput::Change`]), removes one ([`ConferenceInput::Kick`]), lets one or all hear something
    /// ([`ConferenceInput::Announce`]) or ends a conference ([`ConferenceInput::End`]). Resolves once it is on disk: false where the account
    /// has no such conference that goes on, or nobody is in it whom the order is about.
    fn order_conference(
        &self,
        account: AccountSid,
        conference: ConferenceSid,
        order: ConferenceInput,
    ) -> Done<bool>;

    /// Expects a call in the conference of this name, which is there from now on. Who is told of it, and what holds for the whole, is said by
    /// whoever begins it. Resolves
    /// once that is on disk; fails with why it cannot be.
    fn expect_participant(
        &self,
        account: AccountSid,
        conference: String,
        participant: Participant,
        callback: Option<ConferenceCallback>,
        terms: ConferenceTerms,
    ) -> Done<Result<ConferenceSid, NotExpected>>;

    /// The name of a conference that goes on.
    fn conference_name(&self, account: AccountSid, conference: ConferenceSid) -> Option<String>;

    /// Who is at the queue of this name; none where no call is.
    fn look_at_queue(&self, account: AccountSid, name: String) -> Done<Option<QueueView>>;

    /// So many may wait at the queue of this name from now on.
    fn resize_queue(&self, account: AccountSid, name: String, max_size: u32);

    /// The call does not come.
    fn expects_no_longer(&self, call: CallSid);
}
