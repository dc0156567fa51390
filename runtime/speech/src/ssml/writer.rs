//! A run of words as SSML, for services that read it.

use std::fmt::Write as _;

use quick_xml::escape::escape;

use crate::{Language, Run, Value, Word};

/// Words as an SSML document of their own. Loudness is left out: it is made here, whoever speaks.
#[must_use]
pub fn write(run: &Run, language: &Language) -> String {
    let mut text = format!("<speak version=\"1.1\" xml:lang=\"{language}\">");
    let (rate, pitch) = (run.prosody.rate, run.prosody.pitch);
    let has_prosody = rate != 1.0 || pitch != 1.0;
    if has_prosody {
        let (rate, pitch) = (100.0 * rate, 100.0 * (pitch - 1.0));
        let _ = write!(text, "<prosody rate=\"{rate:.0}%\" pitch=\"{pitch:+.0}%\">");
    }
    for (at, word) in run.words.iter().enumerate() {
        if at > 0 {
            text.push(' ');
        }
        match word {
            Word::Text(words) => text.push_str(&escape(words)),
            Word::SayAs { value, text: words } => {
                let (kind, words) = marked(value, words);
                let words = escape(&words);
                let _ = write!(text, "<say-as interpret-as={kind}>{words}</say-as>");
            }
        }
    }
    text.push_str(if has_prosody {
        "</prosody></speak>"
    } else {
        "</speak>"
    });
    text
}

/// What the mark says, in quotes, and the text in it. A code is written without what only groups it, and a
/// day so that nobody takes it for another.
fn marked(value: &Value, text: &str) -> (&'static str, String) {
    let kind = match value {
        Value::Characters(signs) => return ("\"characters\"", signs.clone()),
        Value::Cardinal { .. } => "\"cardinal\"",
        Value::Ordinal(_) => "\"ordinal\"",
        Value::Money { .. } => "\"currency\"",
        Value::Time { .. } => "\"time\"",
        Value::Length { .. } => "\"duration\"",
        Value::Date {
            year: Some(year),
            month,
            day,
        } => {
            return (
                "\"date\" format=\"ymd\"",
                format!("{year:04}-{month:02}-{day:02}"),
            );
        }
        Value::Date {
            year: None,
            month,
            day,
        } => return ("\"date\" format=\"md\"", format!("{month:02}-{day:02}")),
    };
    (kind, text.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::{Language, Part, Utterance};

    #[test]
    fn what_is_written_means_what_was_read() {
        for (inside, expected) in [
            ("a &lt; b", "a &lt; b"),
            (
                "<prosody rate='150%' pitch='-20%' volume='loud'>a</prosody>",
                "<prosody rate=\"150%\" pitch=\"-20%\">a</prosody>",
            ),
            (
                "a <say-as interpret-as='digits'>1&amp;2</say-as> b",
                "a 1&amp;2 b", // no digits: it stays as it stands
            ),
            (
                "a <say-as interpret-as='digits'>12</say-as>",
                "a <say-as interpret-as=\"characters\">12</say-as>",
            ),
            (
                "<say-as interpret-as='date' format='dmy'>3.4.26</say-as>",
                "<say-as interpret-as=\"date\" format=\"ymd\">2026-04-03</say-as>",
            ),
            (
                "<say-as interpret-as='date'>4/3</say-as>",
                "<say-as interpret-as=\"date\" format=\"md\">04-03</say-as>",
            ),
            (
                "<say-as interpret-as='currency'>$5</say-as>",
                "<say-as interpret-as=\"currency\">$5</say-as>",
            ),
        ] {
            let read = |text: &str| {
                let mut parts = Utterance::read(text).unwrap().parts;
                let Some(Part::Run(run)) = parts.pop() else {
                    panic!("{text}");
                };
                run
            };
            let khmer = Language::parse("km-KH").unwrap();
            let written = super::write(&read(&format!("<speak>{inside}</speak>")), &khmer);
            let expected = format!("<speak version=\"1.1\" xml:lang=\"km-KH\">{expected}</speak>");
            assert_eq!(written, expected, "{inside}");
            assert_eq!(super::write(&read(&written), &khmer), expected, "{inside}");
        }
    }
}
