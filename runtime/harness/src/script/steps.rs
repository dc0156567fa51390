//! The steps of a script, as its author writes them one after the other.

use std::time::Duration;

use super::{BETWEEN_KEYS, Expectation, Script, Step, length_of_words};
use crate::callee::{Callee, CalleeDoes};
use crate::rooms::Other;

impl Script {
    /// Expects the story to answer.
    #[must_use]
    pub fn expect_answer(self) -> Self {
        self.step(Step::Expect(Expectation::Answer))
    }

    /// Expects a prompt whose path or URL ends with `name`.
    #[must_use]
    pub fn expect_play(self, name: &str) -> Self {
        self.step(Step::Expect(Expectation::Play(name.to_owned())))
    }

    /// Expects speech with `words` in it.
    #[must_use]
    pub fn expect_say(self, words: &str) -> Self {
        self.step(Step::Expect(Expectation::Say(words.to_owned())))
    }

    /// Expects the story to press these keys.
    #[must_use]
    pub fn expect_press(self, keys: &str) -> Self {
        self.step(Step::Expect(Expectation::Press(keys.to_owned())))
    }

    /// Expects the story to switch the echo on or off.
    #[must_use]
    pub fn expect_echo(self, on: bool) -> Self {
        self.step(Step::Expect(Expectation::Echo(on)))
    }

    /// Expects the story to join the conference of this name.
    #[must_use]
    pub fn expect_join(self, name: &str) -> Self {
        self.step(Step::Expect(Expectation::Join(name.to_owned())))
    }

    /// Expects the story to wait in the queue of this name.
    #[must_use]
    pub fn expect_enqueue(self, name: &str) -> Self {
        self.step(Step::Expect(Expectation::Enqueue(name.to_owned())))
    }

    /// Expects the story to serve the queue of this name.
    #[must_use]
    pub fn expect_serve(self, name: &str) -> Self {
        self.step(Step::Expect(Expectation::Serve(name.to_owned())))
    }

    /// Somebody else joins the conference.
    #[must_use]
    pub fn other_joins(self) -> Self {
        self.step(Step::Other(Other::Joins))
    }

    /// The one who joined the conference last leaves it.
    #[must_use]
    pub fn other_leaves_conference(self) -> Self {
        self.step(Step::Other(Other::LeavesConference))
    }

    /// Somebody else ends the conference.
    #[must_use]
    pub fn other_ends_conference(self) -> Self {
        self.step(Step::Other(Other::EndsConference))
    }

    /// Somebody else serves the queue in which the caller waits, and gets whoever waits longest; or comes to wait where the caller
    /// serves.
    #[must_use]
    pub fn other_comes_to_queue(self) -> Self {
        self.step(Step::Other(Other::ComesToQueue))
    }

    /// The other one of the queue hangs up.
    #[must_use]
    pub fn other_leaves_queue(self) -> Self {
        self.step(Step::Other(Other::LeavesQueue))
    }

    /// Somebody who waits before the caller in the queue gives up.
    #[must_use]
    pub fn other_gives_up(self) -> Self {
        self.step(Step::Other(Other::GivesUp))
    }

    /// Whoever is dialled by this number or URI, and rings, answers now. Without a [`Self::callee`] they ring until then.
    #[must_use]
    pub fn callee_answers(self, target: &str) -> Self {
        self.callee_does(target, CalleeDoes::Answers)
    }

    /// Whoever is dialled by this number or URI, and rings, turns the call away as busy.
    #[must_use]
    pub fn callee_is_busy(self, target: &str) -> Self {
        self.callee_does(target, CalleeDoes::IsBusy)
    }

    /// Whoever was dialled by this number or URI, and has answered, hangs up.
    #[must_use]
    pub fn callee_hangs_up(self, target: &str) -> Self {
        self.callee_does(target, CalleeDoes::HangsUp)
    }

    fn callee_does(mut self, target: &str, does: CalleeDoes) -> Self {
        let callee = self.callees.entry(target.to_owned());
        callee.or_insert(Callee::never());
        self.step(Step::Callee(target.to_owned(), does))
    }

    /// The API ends the call, as an operator would.
    #[must_use]
    pub fn api_hangs_up(self) -> Self {
        self.step(Step::ApiHangsUp)
    }

    /// Expects the story to dial these targets, in this order.
    #[must_use]
    pub fn expect_dial(self, targets: &[&str]) -> Self {
        self.step(Step::Expect(Expectation::Dial(targets.join(", "))))
    }

    /// Expects the story to send the caller on to this target.
    #[must_use]
    pub fn expect_refer(self, target: &str) -> Self {
        self.step(Step::Expect(Expectation::Refer(target.to_owned())))
    }

    /// Expects the flow to hand the call over: to a component of this name, or a document at a URL or in words that these are in. The other
    /// story is not played; the call ends there.
    #[must_use]
    pub fn expect_continue_with(self, story: &str) -> Self {
        self.step(Step::Expect(Expectation::ContinueWith(story.to_owned())))
    }

    /// Expects the story to begin a media stream to a URL that ends with `name`.
    #[must_use]
    pub fn expect_stream(self, name: &str) -> Self {
        self.step(Step::Expect(Expectation::Stream(name.to_owned())))
    }

    /// Expects the story to begin a recording.
    #[must_use]
    pub fn expect_record(self) -> Self {
        self.step(Step::Expect(Expectation::Record))
    }

    /// Expects the story to turn the call away with this SIP status.
    #[must_use]
    pub fn expect_reject(self, status: u16) -> Self {
        self.step(Step::Expect(Expectation::Reject(status)))
    }

    /// Expects the story to hang up. A story that returns while the call is up does so too.
    #[must_use]
    pub fn expect_hang_up(self) -> Self {
        self.step(Step::Expect(Expectation::HangUp))
    }

    /// Expects the whisper to return, so that the one who hears it is joined to the caller.
    #[must_use]
    pub fn expect_put_through(self) -> Self {
        self.step(Step::Expect(Expectation::PutThrough))
    }

    /// Presses these keys, 200 ms apart.
    #[must_use]
    pub fn press(self, keys: &str) -> Self {
        let mut steps = Vec::new();
        for key in keys.chars() {
            if !steps.is_empty() {
                steps.push(Step::Wait(BETWEEN_KEYS));
            }
            steps.push(Step::Press(key));
        }
        self.all(steps)
    }

    /// Speaks for so long: recordings hear it.
    #[must_use]
    pub fn speak(self, duration: Duration) -> Self {
        self.all([Step::Speak(duration), Step::Wait(duration)])
    }

    /// Says these words, 66 ms a character: recordings hear a voice, and who listens hears the words.
    #[must_use]
    pub fn says(self, words: &str) -> Self {
        let length = length_of_words(words);
        self.all([Step::Says(words.to_owned()), Step::Wait(length)])
    }

    /// Does nothing for so long, counted from the step before.
    #[must_use]
    pub fn wait(self, duration: Duration) -> Self {
        self.step(Step::Wait(duration))
    }

    /// The caller hangs up, or gives up before an answer.
    #[must_use]
    pub fn hang_up(self) -> Self {
        self.step(Step::HangUp)
    }
}
