//! What holds for any bytes at all. The fuzz target includes this file, and the test replays its corpus through it.

use std::time::Duration;

use jackfield_speech::{Language, MAX_CHARACTERS, Part, Run, Utterance, Word, plain_text, to_ssml};

/// A text that is to be spoken: what is made of it is bounded, has words for every language, and means the same when it is written as
/// SSML for a service. True if it can be spoken.
pub(crate) fn ssml(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Ok(utterance) = Utterance::read(&text) else {
        return false;
    };
    assert!(!utterance.parts.is_empty() && utterance.parts.len() <= 200);
    let (mut silence, mut characters) = (Duration::ZERO, 0);
    for part in &utterance.parts {
        match part {
            Part::Silence(length) => silence += *length,
            Part::Run(run) => characters += check(run),
        }
    }
    assert!(silence < Duration::from_secs(300));
    // A letter becomes a word (`#`, hash), and a digit a longer one (`1'21"`, one minute twenty one seconds).
    assert!(characters <= 60 * MAX_CHARACTERS, "{characters}");
    true
}

fn check(run: &Run) -> usize {
    assert!(!run.words.is_empty());
    assert!((0.2..=4.0).contains(&run.prosody.rate));
    assert!((0.5..=2.0).contains(&run.prosody.pitch));
    assert!(run.prosody.gain_db <= 20.0);
    let mut longest = 0;
    for tag in ["en-US", "km", "sw"] {
        let language = Language::parse(tag).expect("it is a language");
        let text = plain_text(&run.words, &language);
        longest = longest.max(text.chars().count());
        let written = to_ssml(run, &language);
        let again = Utterance::read(&written).expect("what we write can be read");
        let [Part::Run(again)] = again.parts.as_slice() else {
            panic!("{written}");
        };
        assert_eq!(meaning(again), meaning(run), "{written}");
    }
    longest
}

fn meaning(run: &Run) -> String {
    let words = run.words.iter().map(|word| match word {
        Word::Text(text) => text.clone(),
        Word::SayAs { value, .. } => format!("{value:?}"),
    });
    words.collect::<Vec<_>>().join(" ")
}
