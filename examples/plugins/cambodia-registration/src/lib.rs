//! Registers people by phone with the commune where they live, in the language that they want to hear, as the early-warning line of Cambodia does.
//!
//! A greeting in Khmer; on numbers that take feedback a menu (1 or nothing registers, 2 records); the languages; the provinces in the order
//! of the gazetteer, of which each is offered in the languages that the gazetteer gives it; districts; communes; a farewell. Where the
//! gazetteer has nothing below a place, that place is registered. A star goes back to the languages. What is in no menu hears the same
//! question again, and so does silence. Who has no number that can be registered hears that at once, or when they have chosen to register.
//!
//! Settings: see [`registration::Line`]; `feedback-numbers` (called numbers that take feedback, with blanks between them) and
//! `feedback-url` (what is told when a recording is ready, as TwiML's `recordingStatusCallback`).

use jackfield_guest::{
    Call, CallError, HttpMethod, RecordingOptions, RecordingTurn, StatusCallback, info,
};
use registration::{Choice, Gazetteer, Line, Pressed, can_be_saved, save};

jackfield_guest::flow!(run);

/// In the order of their keys: Khmer, Central Mnong, Jarai, Tampuan and Kreung, by ISO 639-3.
const LANGUAGES: [&str; 5] = ["khm", "cmo", "jra", "tpu", "krr"];
/// What everybody hears until they have chosen.
const FIRST: &str = LANGUAGES[0];

/// Where a caller came to, or none of who said nothing, with the language of their farewell.
struct Registered {
    language: &'static str,
    code: Option<String>,
}

/// What the first menu of a number that takes feedback has.
enum Wish {
    Register,
    Speak,
}

fn run(call: &Call) -> Result<(), CallError> {
    let line = Line::new(call, "ews_registration", "wav")?;
    let gazetteer = line.gazetteer()?;
    let can_be_saved = can_be_saved(call)?;
    call.answer()?;
    if takes_feedback(call) {
        line.play("introduction", FIRST)?;
        match wants(&line)? {
            Some(Wish::Speak) => return feedback(call, &line),
            Some(Wish::Register) if can_be_saved => {}
            Some(Wish::Register) => return line.turn_away(FIRST),
            None => return line.give_up(FIRST),
        }
    } else if can_be_saved {
        line.play("introduction", FIRST)?;
    } else {
        return line.turn_away(FIRST);
    }
    let Registered { language, code } = register(&line, &gazetteer)?;
    let Some(code) = code else {
        return line.give_up(language);
    };
    save(call, &gazetteer, &code, language)?;
    line.play("registration_successful", language)?;
    call.hang_up()
}

fn takes_feedback(call: &Call) -> bool {
    let numbers = call.setting("feedback-numbers").unwrap_or_default();
    let called = call.info().callee;
    numbers.split_whitespace().any(|number| number == called)
}

/// What who calls a number that takes feedback chooses; silence registers. None after too many keys that the menu does not have.
fn wants(line: &Line<'_>) -> Result<Option<Wish>, CallError> {
    loop {
        match line.ask_once("main_menu", FIRST)? {
            Pressed::Number(1) | Pressed::Silence => return Ok(Some(Wish::Register)),
            Pressed::Number(2) => return Ok(Some(Wish::Speak)),
            Pressed::Number(_) | Pressed::Back if line.may_try_again() => {}
            Pressed::Number(_) | Pressed::Back => return Ok(None),
        }
    }
}

fn feedback(call: &Call, line: &Line<'_>) -> Result<(), CallError> {
    line.play("record_feedback_instructions", FIRST)?;
    let mut options = RecordingOptions::of_message();
    if let Some(url) = call.setting("feedback-url") {
        let method = HttpMethod::Post;
        options =
            options.status_callback(StatusCallback { url, method }, [RecordingTurn::Completed]);
    }
    let recorded = call.record(options)?;
    if !recorded.heard_voice {
        line.play("goodbye", FIRST)?;
        return call.hang_up();
    }
    info!(
        call,
        "feedback of {} ms: {}", recorded.duration_ms, recorded.url
    );
    line.play("feedback_successful", FIRST)?;
    call.hang_up()
}

fn register(line: &Line<'_>, gazetteer: &Gazetteer) -> Result<Registered, CallError> {
    loop {
        let language = match language(line)? {
            Some(language) => language,
            None => {
                return Ok(Registered {
                    language: FIRST,
                    code: None,
                });
            }
        };
        match place(line, gazetteer, language)? {
            Some(code) => return Ok(Registered { language, code }),
            None => continue, // back to the languages
        }
    }
}

fn language(line: &Line<'_>) -> Result<Option<&'static str>, CallError> {
    loop {
        let number = match line.ask("select_language", FIRST)? {
            Pressed::Number(number) => number,
            Pressed::Back => continue,
            Pressed::Silence => return Ok(None),
        };
        let language = number.checked_sub(1).and_then(|index| LANGUAGES.get(index));
        if let Some(language) = language {
            return Ok(Some(language));
        }
        if !line.may_try_again() {
            return Ok(None);
        }
    }
}

/// From the provinces down as far as the gazetteer goes. None for a star, `Some(None)` for silence.
fn place(
    line: &Line<'_>,
    gazetteer: &Gazetteer,
    language: &str,
) -> Result<Option<Option<String>>, CallError> {
    let mut code = String::new();
    loop {
        let places = gazetteer.within(&code);
        if places.is_empty() {
            return Ok(Some(Some(code)));
        }
        let question = match code.as_str() {
            "" => "select_province",
            code => code,
        };
        code = match line.choose(question, language, &places)? {
            Choice::Place(place) => place.code.clone(),
            Choice::Back => return Ok(None),
            Choice::Silence => return Ok(Some(None)),
        };
    }
}

#[cfg(test)]
mod tests {
    use registration::Gazetteer;

    const GAZETTEER: &str = include_str!("../gazetteer.csv");

    #[test]
    fn the_scripts_have_the_gazetteer_as_it_is() {
        assert!(include_str!("../scripts/calls.toml").contains(GAZETTEER));
    }

    #[test]
    fn provinces_are_in_the_order_of_the_recorded_menu_with_their_languages() {
        let gazetteer = Gazetteer::read(GAZETTEER).unwrap();
        let codes: Vec<&str> = gazetteer
            .within("")
            .iter()
            .map(|place| place.code.as_str())
            .collect();
        assert_eq!(
            codes.join(","),
            "15,01,06,07,04,17,02,10,19,13,22,23,24,09,18,03,25,14,16,11,20,05,21,08,12"
        );
        for place in gazetteer.within("") {
            let languages = match place.code.as_str() {
                "16" => "khm jra tpu krr",
                "11" => "khm cmo",
                _ => "khm",
            };
            assert_eq!(place.languages.join(" "), languages, "{}", place.code);
        }
    }
}
