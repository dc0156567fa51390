//! What an endpoint counts.

/// Running totals of an endpoint since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Valid requests taken in, retransmissions included.
    pub requests: u64,
    /// Valid responses taken in, retransmissions included.
    pub responses: u64,
    /// Datagrams that are not valid messages, answered (400, 505) or dropped.
    pub malformed: u64,
    /// Empty datagrams and keep-alives of line ends.
    pub keepalives: u64,
    /// Requests answered 403 because their source is no peer.
    pub refused: u64,
    /// Requests answered 401: they have to prove who sent them.
    pub challenged: u64,
    /// Requests answered 503 because a bound was reached.
    pub overloaded: u64,
    /// Requests answered 503 because this endpoint is about to end.
    pub drained: u64,
    /// Answers held back: to no peer, and too large beside the request.
    pub answers_withheld: u64,
    /// Requests that repeat one already answered or being answered.
    pub retransmissions_absorbed: u64,
    /// Messages this endpoint sent again because nothing came back in time.
    pub retransmissions_sent: u64,
    /// Responses and ACKs that match no transaction or dialog.
    pub strays: u64,
    /// Commands that no longer fit their dialog, such as an answer that crossed a CANCEL.
    pub commands_ignored: u64,
}
