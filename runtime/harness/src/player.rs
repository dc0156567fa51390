//! Somebody who decides what the caller does while the call goes on.

use std::time::Duration;

use crate::Script;

/// What the caller does next.
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
#[derive(Debug, Clone)]
pub enum Turn {
    /// The steps of this script, one after the other; expectations among them are left out.
    Does(Script),
    /// Lets time pass until something happens, ten minutes at most.
    Listens,
    /// Is asked no more: listens to the end, and hangs up after ten minutes in which nothing comes.
    Leaves,
}

/// Where the call stands when a player is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scene<'a> {
    /// Virtual time since the call came.
    pub now: Duration,
    /// The lines of the transcript since the player was asked last.
    pub lines: &'a str,
    /// Those who were dialled and ring, by number or URI.
    pub ringing: &'a [String],
    /// Those who were dialled and have answered.
    pub talking: &'a [String],
}

/// Plays the caller, and whoever else is there.
pub trait Player: Send {
    /// Asked each time the story waits and has been told all there is to tell. Time stands still meanwhile.
    fn turn(&mut self, scene: Scene<'_>) -> Turn;
}
