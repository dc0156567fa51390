//! Has an official record a message by phone, and keeps it as a file of the account's, which a broadcast then plays.
//!
//! Whoever calls types the PIN (the account's secret `message-pin`, 8 to 16 digits), chooses a language where there are several, speaks after
//! the tone, hears the message back, and keeps it (1), records again (2) or gives up (3). Nothing is kept of who hangs up before, or has not
//! heard it to its end once, and nobody is called: that is for whoever starts the broadcast.
//!
//! Settings: `message` (the file is `NAME-LANGUAGE.wav`, or `NAME.wav` where there are no languages; without the setting `message`), `languages`
//! (such as `lao khm`), `longest` (seconds of a message, 180; at most 300), `prompts` (a folder of recorded prompts, [`prompts`]; without it they are
//! spoken).

mod prompts;

use std::time::Duration;

use jackfield_guest::{
    Call, CallError, Digits, Prepared, Recorded, RecordingOptions, Verdict, error, info,
};
use prompts::{Prompt, Prompts};

jackfield_guest::flow!(run);

const PIN: &str = "message-pin";
/// How often a call may type the PIN, choose or say nothing.
const TRIES: usize = 3;
/// How often a call may record.
const RECORDINGS: usize = 10;
const PATIENCE: Duration = Duration::from_secs(8);
/// Seconds of a message, where no setting says otherwise.
const LONGEST: u32 = 180;
/// Seconds of a message that is kept whatever the call's codec: of 16-bit sound with 16,000 samples a second 10 MiB hold 327.
const LONGEST_OF_ALL: u32 = 300;

/// Where a caller left it.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    Keep,
    Again,
    GiveUp,
}

fn run(call: &Call) -> Result<(), CallError> {
    let files = files(call)?;
    let longest = longest(call)?;
    let prompts = Prompts::new(call);
    if !is_let_in(call, &prompts)? {
        return call.hang_up();
    }
    let last = match choose(call, &prompts, &files)? {
        Some(file) => record(call, &prompts, file, longest)?,
        None => Prompt::NothingKept,
    };
    prompts.play(last)?.finish()?;
    call.hang_up()
}

/// By the setting, as far as such a message can be kept.
fn longest(call: &Call) -> Result<Duration, CallError> {
    let seconds = call.setting_as("longest")?.unwrap_or(LONGEST);
    if (1..=LONGEST_OF_ALL).contains(&seconds) {
        return Ok(Duration::from_secs(u64::from(seconds)));
    }
    let why = format!(
        "the setting `longest`: 1 to {LONGEST_OF_ALL} seconds, for a longer message may be too large to be kept"
    );
    Err(CallError::InvalidArgument(why))
}

/// The files that may be recorded, each with its language; by the settings.
fn files(call: &Call) -> Result<Vec<(String, String)>, CallError> {
    let message = call
        .setting("message")
        .unwrap_or_else(|| "message".to_owned());
    let languages = call.setting("languages").unwrap_or_default();
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if let Some(wrong) = [message.as_str()]
        .into_iter()
        .chain(languages.split_whitespace())
        .find(|text| !plain(text))
    {
        let why = format!(
            "`{wrong}` among the settings `message` and `languages`: letters, digits, `-` and `_` make the name of a file"
        );
        return Err(CallError::InvalidArgument(why));
    }
    let mut files: Vec<(String, String)> = languages
        .split_whitespace()
        .map(|language| (language.to_owned(), format!("{message}-{language}.wav")))
        .collect();
    if files.is_empty() {
        files.push((String::new(), format!("{message}.wav")));
    }
    if files.len() > 9 {
        let why = "the setting `languages`: there is a key for each of nine".to_owned();
        return Err(CallError::InvalidArgument(why));
    }
    Ok(files)
}

/// Answers, and asks for the PIN: so many times, and no longer than the host allows.
fn is_let_in(call: &Call, prompts: &Prompts<'_>) -> Result<bool, CallError> {
    // Before the answer, lest somebody types ahead what is heard by the story.
    let mut pin = call.conceal_keys()?;
    call.answer()?;
    for _ in 0..TRIES {
        // One more than a PIN has at most: with the sixteenth key the question would be over, and the `#` would answer the next one.
        let digits = Digits::up_to(17).until('#');
        let keys = prompts.play(Prompt::Pin)?.gather(digits, PATIENCE)?;
        if keys.is_empty() {
            pin = call.conceal_keys()?;
            continue; // nothing was tried
        }
        let verdict = pin.check(PIN)?;
        pin = match verdict {
            Verdict::Right => return Ok(true),
            Verdict::Locked(_) => {
                prompts.play(Prompt::Locked)?.finish()?;
                return Ok(false);
            }
            Verdict::Wrong => call.conceal_keys()?,
        };
        prompts.play(Prompt::WrongPin)?.finish()?;
    }
    prompts.play(Prompt::Goodbye)?.finish()?;
    Ok(false)
}

/// The file of the language that the caller wants; none of who says nothing.
fn choose(
    call: &Call,
    prompts: &Prompts<'_>,
    files: &[(String, String)],
) -> Result<Option<String>, CallError> {
    if let [(_, only)] = files {
        return Ok(Some(only.clone()));
    }
    for _ in 0..TRIES {
        call.clear_digits()?;
        let languages = files.iter().map(|(language, _)| language.as_str());
        let question = prompts.play_languages(languages)?;
        let key = question.gather(Digits::exactly(1), PATIENCE)?;
        let number = key.parse::<usize>().ok().and_then(|key| key.checked_sub(1));
        if let Some((_, file)) = number.and_then(|number| files.get(number)) {
            return Ok(Some(file.clone()));
        }
    }
    Ok(None)
}

/// Records until the caller is content or gives up; what they hear then.
fn record(
    call: &Call,
    prompts: &Prompts<'_>,
    file: String,
    longest: Duration,
) -> Result<Prompt, CallError> {
    let mut silences = 0;
    for _ in 0..RECORDINGS {
        prompts.play(Prompt::Record)?.finish()?;
        call.clear_digits()?;
        let options = RecordingOptions::of_message()
            .until_keys("#")
            .at_most(longest);
        let message = call.record(options)?;
        if !message.heard_voice {
            silences += 1;
            if silences == TRIES {
                return Ok(Prompt::NothingKept);
            }
            prompts.play(Prompt::Silence)?.finish()?;
            continue;
        }
        silences = 0;
        let Some(prepared) = prepare(call, &message)? else {
            return Ok(Prompt::Failed);
        };
        match ask(call, prompts, &prepared)? {
            Choice::Keep => return keep(call, prepared, &file),
            Choice::Again => {}
            Choice::GiveUp => return Ok(Prompt::NothingKept),
        }
    }
    Ok(Prompt::NothingKept)
}

/// Plays the message, and asks what is to become of it. Again (2) and giving up (3) need not wait for its end; keeping it (1) does.
fn ask(call: &Call, prompts: &Prompts<'_>, message: &Prepared) -> Result<Choice, CallError> {
    let mut is_heard = false;
    for _ in 0..TRIES {
        call.clear_digits()?;
        let is_cut = call.play(message.source())?.until_key()?;
        if is_cut && !is_heard {
            match call.gather(Digits::exactly(1), PATIENCE)?.as_str() {
                "2" => return Ok(Choice::Again),
                "3" => return Ok(Choice::GiveUp),
                _ => call.play(message.source())?.finish()?,
            };
            call.clear_digits()?;
        }
        is_heard = true;
        let menu = prompts.play(Prompt::Menu)?;
        match menu.gather(Digits::exactly(1), PATIENCE)?.as_str() {
            "1" => return Ok(Choice::Keep),
            "2" => return Ok(Choice::Again),
            "3" => return Ok(Choice::GiveUp),
            _ => {}
        }
    }
    Ok(Choice::GiveUp)
}

/// None where the host could not: the tenant is told why.
fn prepare(call: &Call, message: &Recorded) -> Result<Option<Prepared>, CallError> {
    match call.files().prepare(message) {
        Ok(prepared) => Ok(Some(prepared)),
        Err(CallError::LimitReached(why)) => {
            error!(call, "the message cannot be heard back: {why}");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn keep(call: &Call, message: Prepared, file: &str) -> Result<Prompt, CallError> {
    match call.files().keep(message, file) {
        Ok(()) => {
            info!(call, "a message was recorded and kept as {file}");
            Ok(Prompt::Kept)
        }
        Err(CallError::LimitReached(why)) => {
            error!(call, "{file} is as it was: {why}");
            Ok(Prompt::Failed)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jackfield_guest::Rehearsal;

    #[test]
    fn names_that_are_none_are_told_before_anybody_is_answered() {
        for (name, value) in [
            ("message", "flood/lo"),
            ("languages", "lao ../en"),
            ("languages", "a b c d e f g h i j"),
            ("longest", "soon"),
            ("longest", "0"),
            ("longest", "301"),
        ] {
            let caller = Rehearsal::new().setting(name, value);
            let outcome = run(&Call::on(caller.clone()));
            assert!(
                matches!(outcome, Err(CallError::InvalidArgument(_))),
                "{outcome:?}"
            );
            assert!(caller.transcript().is_empty());
        }
    }
}
