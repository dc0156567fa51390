//! What everybody but the story does: the caller, those who are dialled, and who plays them by hand.

use call::{HangUpCause, Input, MediaEvent};

use super::{PATIENCE, Stage, Table};
use crate::callee::CalleeDoes;
use crate::player::{Scene, Turn};
use crate::rooms::Other;
use crate::script::{Step, length_of_words};
use crate::transcript::Who;

impl Stage {
    /// Lets the player, if there is one, say what comes next. False if it waits for something to happen.
    pub(super) fn ask(&mut self) -> bool {
        let is_idle = self.over.is_none() && self.script.steps.is_empty();
        let may_ask = |table: &mut Table| is_idle && !table.listens && !table.has_left;
        let Some(mut table) = self.table.take_if(may_ask) else {
            return false;
        };
        let (talking, ringing) = self
            .callees
            .up()
            .partition::<Vec<_>, _>(|(_, talks)| *talks);
        let names = |calls: Vec<(&str, bool)>| -> Vec<String> {
            calls.into_iter().map(|(to, _)| to.to_owned()).collect()
        };
        let turn = table.player.turn(Scene {
            now: self.now,
            lines: self.transcript.since(table.seen),
            ringing: &names(ringing),
            talking: &names(talking),
        });
        table.seen = self.transcript.length();
        self.step_since = self.now;
        match turn {
            Turn::Leaves => table.has_left = true,
            Turn::Listens => table.listens = true,
            Turn::Does(script) => {
                let steps = script.steps.into_iter();
                let steps = steps.filter(|planned| !matches!(planned.step, Step::Expect(_)));
                self.script.steps.extend(steps);
            }
        }
        self.table = Some(table);
        true
    }

    /// The caller does what is due now. False if nothing is.
    pub(super) fn act(&mut self) -> bool {
        match self.step() {
            Some(Step::Press(key)) => {
                let key = *key;
                self.note(Who::Caller, &format!("presses {key}"));
                self.next_step();
                self.press(key);
                true
            }
            Some(Step::Speak(duration)) => {
                let duration = *duration;
                self.note(Who::Caller, &format!("speaks {} ms", duration.as_millis()));
                self.next_step();
                self.recordings.speak(self.now, duration);
                true
            }
            Some(Step::Says(words)) => {
                let words = words.clone();
                self.note(Who::Caller, &format!("says \"{words}\""));
                self.next_step();
                self.recordings.speak(self.now, length_of_words(&words));
                self.listener.hear(self.now, &words);
                true
            }
            Some(Step::HangUp) => {
                self.next_step();
                self.caller_hangs_up();
                true
            }
            Some(Step::Other(other)) => {
                let other = *other;
                self.other_acts(other);
                true
            }
            Some(Step::Callee(target, does)) => {
                let (target, does) = (target.clone(), *does);
                self.callee_acts(&target, does);
                true
            }
            Some(Step::ApiHangsUp) => {
                self.note(Who::Other, "the API hangs up");
                self.next_step();
                self.feed(Input::HangUp(HangUpCause::Api));
                true
            }
            Some(Step::Wait(duration)) if self.step_since + *duration <= self.now => {
                self.next_step();
                true
            }
            None if self.over.is_none() && self.step_since + PATIENCE <= self.now => {
                self.lose_patience();
                true
            }
            _ => false,
        }
    }

    /// A key that ends a recording is told with that, and not as a digit.
    pub(super) fn press(&mut self, key: char) {
        let ended = self.recordings.press(self.now, key);
        if ended.is_empty() {
            self.feed(Input::Media(MediaEvent::Digit(key)));
        }
        for (id, recording) in ended {
            self.feed(Input::Recorded(id, recording));
        }
    }

    pub(super) fn lose_patience(&mut self) {
        if let Some(table) = self.table.as_mut().filter(|table| !table.has_left) {
            table.listens = false;
            self.step_since = self.now;
        } else {
            self.done.push((self.now, Step::HangUp));
            self.caller_hangs_up();
        }
    }

    pub(super) fn other_acts(&mut self, other: Other) {
        if !self.rooms.act(self.instant(), other) {
            return self.cannot_be("has nobody there who could");
        }
        self.note(Who::Other, other.words());
        self.next_step();
        self.perform_effects();
    }

    pub(super) fn callee_acts(&mut self, target: &str, does: CalleeDoes) {
        let Some((child, news)) = self.callees.act(self.now, target, does) else {
            let state = match does {
                CalleeDoes::HangsUp => "is not talking to",
                CalleeDoes::Answers | CalleeDoes::IsBusy => "is not calling",
            };
            return self.cannot_be(&format!("{state} {target}"));
        };
        self.note(Who::Other, &format!("{target} {}", does.words()));
        self.next_step();
        self.feed(Input::Child(child, news));
    }

    pub(super) fn caller_hangs_up(&mut self) {
        let (words, event) = if self.answered {
            ("hangs up", sip::Event::Bye { cause: None })
        } else {
            ("gives up", sip::Event::Canceled { cause: None })
        };
        self.note(Who::Caller, words);
        self.feed(Input::Sip(event));
    }
}
