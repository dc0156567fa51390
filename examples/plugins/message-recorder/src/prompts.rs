//! What an official hears.

use jackfield_guest::{Call, CallError, Playback};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// Asks for the PIN.
    Pin,
    /// What was typed is not the PIN.
    WrongPin,
    /// Too many PINs were wrong.
    Locked,
    /// Says goodbye to who did not get in.
    Goodbye,
    /// Asks for the message.
    Record,
    /// Nothing was heard.
    Silence,
    /// Asks what becomes of the message.
    Menu,
    /// It is kept. The last one.
    Kept,
    /// It is not. The last one.
    NothingKept,
    /// It could not be kept. The last one.
    Failed,
}

impl Prompt {
    /// The name of its file, and what is spoken where there are no files.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Pin => ("pin", "Please type your PIN, then press hash."),
            Self::WrongPin => ("wrong_pin", "That is not the PIN."),
            Self::Locked => (
                "locked",
                "Too many PINs were wrong. Please call again later. Goodbye.",
            ),
            Self::Goodbye => ("goodbye", "Goodbye."),
            Self::Record => (
                "record",
                "Please speak after the tone, and press hash when you are done.",
            ),
            Self::Silence => ("silence", "We have heard nothing."),
            Self::Menu => (
                "menu",
                "To keep this message, press 1. To record it again, press 2. To give up, press 3.",
            ),
            Self::Kept => (
                "kept",
                "The message is kept. Nobody is called yet. Goodbye.",
            ),
            Self::NothingKept => ("nothing_kept", "No message was kept. Goodbye."),
            Self::Failed => (
                "failed",
                "The message could not be kept. Please tell those who run this line. Goodbye.",
            ),
        }
    }
}

/// The prompts of one call: files of a folder, or spoken.
pub struct Prompts<'a> {
    call: &'a Call,
    folder: Option<String>,
}

impl<'a> Prompts<'a> {
    /// By the setting `prompts`.
    pub fn new(call: &'a Call) -> Self {
        let folder = call.setting("prompts");
        Self { call, folder }
    }

    /// Plays one: `FOLDER/NAME.wav`.
    pub fn play(&self, prompt: Prompt) -> Result<Playback<'a>, CallError> {
        let (name, words) = prompt.words();
        match &self.folder {
            Some(folder) => self.call.play(format!("{folder}/{name}.wav")),
            None => self.call.say(words),
        }
    }

    /// Asks for one of these languages by its key: `FOLDER/language.wav`.
    pub fn play_languages<'l>(
        &self,
        languages: impl Iterator<Item = &'l str>,
    ) -> Result<Playback<'a>, CallError> {
        if let Some(folder) = &self.folder {
            return self.call.play(format!("{folder}/language.wav"));
        }
        let choices: Vec<String> = languages
            .enumerate()
            .map(|(index, language)| format!("For {language}, press {}.", index + 1))
            .collect();
        self.call.say(choices.join(" "))
    }
}
