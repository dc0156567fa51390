//! A caller on a registration line: prompts by name, menus, and patience.

use std::cell::Cell;
use std::time::Duration;

use jackfield_guest::{Call, CallError, Digits, Playback, error};

use crate::{Gazetteer, Place};

/// From one key to the next, as `<Gather>` has it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a question is asked of who says nothing, where no setting says otherwise.
const ATTEMPTS: u32 = 3;

/// A caller, and what the flow's settings say.
///
/// Settings: `gazetteer` (the table), `prompts` (the folder of the prompts in the account's media folder), `attempts` (how often a question
/// is asked of who presses nothing, 3; with 0 as often as it takes), `invalid-attempts` (how often in a call something may be pressed that is
/// in no menu; without it as often as it takes).
pub struct Line<'a> {
    call: &'a Call,
    folder: String,
    /// Of audio files: `mp3`.
    ending: &'static str,
    attempts: u32,
    /// How often something may still be pressed that is in no menu, where there is a bound.
    invalid_left: Cell<Option<u32>>,
}

/// What a caller pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pressed {
    /// A number, which some menu may have; what is no number is 0, which none has.
    Number(usize),
    /// A star at the beginning: back.
    Back,
    /// Nothing.
    Silence,
}

/// What a caller chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice<'p> {
    /// A place.
    Place(&'p Place),
    /// To go back.
    Back,
    /// Nothing, often enough, or too often what is in no menu: there may be nobody.
    Silence,
}

impl<'a> Line<'a> {
    /// `folder` is where prompts are if no setting says otherwise, `ending` what their files end with.
    ///
    /// # Errors
    /// [`CallError::InvalidArgument`] for `attempts` or `invalid-attempts` that are no number.
    pub fn new(call: &'a Call, folder: &str, ending: &'static str) -> Result<Self, CallError> {
        Ok(Self {
            call,
            folder: call.setting("prompts").unwrap_or_else(|| folder.to_owned()),
            ending,
            attempts: call.setting_as("attempts")?.unwrap_or(ATTEMPTS),
            invalid_left: Cell::new(call.setting_as("invalid-attempts")?),
        })
    }

    /// The account's gazetteer.
    ///
    /// # Errors
    /// [`CallError::InvalidArgument`], which says what is wrong with the setting.
    pub fn gazetteer(&self) -> Result<Gazetteer, CallError> {
        let table = self.call.setting("gazetteer").ok_or_else(|| {
            "the setting `gazetteer` is missing: give the flow's number the table of its places"
                .to_owned()
        });
        table
            .and_then(|table| Gazetteer::read(&table))
            .map_err(CallError::InvalidArgument)
    }

    /// Plays a prompt to its end.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn play(&self, name: &str, language: &str) -> Result<(), CallError> {
        self.prompt(name, language)?.finish()?;
        // What was pressed meanwhile is no answer to a question that comes now.
        self.call.clear_digits()
    }

    /// Asks a question.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn ask_once(&self, question: &str, language: &str) -> Result<Pressed, CallError> {
        self.call.clear_digits()?;
        let question = self.prompt(question, language)?;
        let keys = question.gather(Digits::any().until('#'), PATIENCE)?;
        Ok(match keys.as_str() {
            "" => Pressed::Silence,
            keys if keys.starts_with('*') => Pressed::Back,
            keys => Pressed::Number(keys.parse().unwrap_or(0)),
        })
    }

    /// Asks a question until something was pressed, or there was silence often enough.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn ask(&self, question: &str, language: &str) -> Result<Pressed, CallError> {
        let mut silences = 0;
        loop {
            let pressed = self.ask_once(question, language)?;
            silences += u32::from(pressed == Pressed::Silence);
            if pressed != Pressed::Silence || silences == self.attempts {
                return Ok(pressed);
            }
        }
    }

    /// Asks for one of some places, until one of them is chosen.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn choose<'p>(
        &self,
        question: &str,
        language: &str,
        places: &[&'p Place],
    ) -> Result<Choice<'p>, CallError> {
        loop {
            let number = match self.ask(question, language)? {
                Pressed::Number(number) => number,
                Pressed::Back => return Ok(Choice::Back),
                Pressed::Silence => return Ok(Choice::Silence),
            };
            let place = number.checked_sub(1).and_then(|index| places.get(index));
            if let Some(place) = place.filter(|place| place.is_offered_in(language)) {
                return Ok(Choice::Place(place));
            }
            if !self.may_try_again() {
                return Ok(Choice::Silence);
            }
        }
    }

    /// Counts an answer that is in no menu; whether there may be another one.
    pub fn may_try_again(&self) -> bool {
        let left = self.invalid_left.get();
        self.invalid_left
            .set(left.map(|left| left.saturating_sub(1)));
        left.is_none_or(|left| left > 1)
    }

    /// Says goodbye to who may not be there.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn give_up(&self, language: &str) -> Result<(), CallError> {
        error!(
            self.call,
            "no key, or none that the menus have: the caller is not registered"
        );
        self.play("goodbye", language)?;
        self.call.hang_up()
    }

    /// Says that the number cannot be registered; the call is answered.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn turn_away(&self, language: &str) -> Result<(), CallError> {
        error!(
            self.call,
            "the caller withholds their number, or it is in no international form (does the trunk have a `numbers.country`?): they are not registered"
        );
        self.play("no_number", language)?;
        self.call.hang_up()
    }

    fn prompt(&self, name: &str, language: &str) -> Result<Playback<'_>, CallError> {
        let Self { folder, ending, .. } = self;
        self.call
            .play(format!("{folder}/{name}-{language}.{ending}"))
    }
}
