//! What a recipient's call does: the broadcast's message, with what is known of them.

use std::collections::BTreeMap;

use quick_xml::escape::escape;
use store::{Flow, Message, Recipient};
use url::Url;

/// What an answer of an application may have, too.
const MAX_FILLED_BYTES: usize = 64 << 10;

/// The flow of a recipient's call, and its settings.
///
/// # Errors
/// In words, where there is no message for them.
pub(super) fn flow(
    message: &Message,
    recipient: &Recipient,
) -> Result<(Flow, BTreeMap<String, String>), String> {
    let none = BTreeMap::new();
    match message {
        Message::Audio { files, fallback } => {
            let own = recipient.language.as_ref();
            let own = own.and_then(|language| files.get(language));
            let file = own.or(fallback.as_ref()).ok_or_else(|| {
                let language = recipient.language.as_deref().unwrap_or("no language");
                format!("there is no message for whoever speaks {language}, and no fallback")
            })?;
            let document = format!(
                "<Response><Play>{}</Play></Response>",
                escape(file.as_str())
            );
            Ok((Flow::Twiml(document), none))
        }
        Message::Twiml(document) => match fill(document, recipient) {
            filled if filled.len() > MAX_FILLED_BYTES => {
                Err("the message is too long with their fields".to_owned())
            }
            filled => Ok((Flow::Twiml(filled), none)),
        },
        Message::Url { url, method } => {
            let mut url: Url = url.parse().map_err(|error| format!("{url}: {error}"))?;
            url.query_pairs_mut().extend_pairs(known(recipient));
            let url = url.to_string();
            Ok((
                Flow::VoiceUrl {
                    url,
                    method: *method,
                },
                none,
            ))
        }
        Message::Plugin(name) => {
            let settings =
                known(recipient).map(|(name, value)| (format!("person.{name}"), value.to_owned()));
            Ok((Flow::Component(name.clone()), settings.collect()))
        }
    }
}

/// What is known of a recipient, by name.
fn known(recipient: &Recipient) -> impl Iterator<Item = (&str, &str)> {
    let language = recipient.language.as_deref();
    let language = language.map(|language| ("language", language));
    let fields = recipient.fields.iter();
    language
        .into_iter()
        .chain(fields.map(|(name, value)| (name.as_str(), value.as_str())))
}

/// Puts what is known in the place of `{{name}}`; what is not known leaves nothing there.
fn fill(document: &str, recipient: &Recipient) -> String {
    let mut filled = String::with_capacity(document.len());
    let mut rest = document;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else {
            break;
        };
        filled.push_str(before);
        let value = known(recipient).find(|(known, _)| *known == name.trim());
        filled.push_str(&escape(value.map_or("", |(_, value)| value)));
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use store::{RecipientState, WebhookMethod};

    use super::*;

    fn noy(language: Option<&str>) -> Recipient {
        Recipient {
            number: "+8562055500001".parse().unwrap(),
            language: language.map(str::to_owned),
            areas: Vec::new(),
            fields: [("name", "Noy & Co"), ("village", "")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            state: RecipientState::Waiting { due_unix_ms: 0 },
            attempts: Vec::new(),
        }
    }

    fn audio(fallback: Option<&str>) -> Message {
        Message::Audio {
            files: [("lo".to_owned(), "flood/lo&.wav".to_owned())].into(),
            fallback: fallback.map(str::to_owned),
        }
    }

    #[track_caller]
    fn check(message: &Message, language: Option<&str>, expected: Flow) {
        assert_eq!(flow(message, &noy(language)).unwrap().0, expected);
    }

    #[test]
    fn each_language_has_its_file_and_others_the_fallback() {
        let play = |file: &str| Flow::Twiml(format!("<Response><Play>{file}</Play></Response>"));
        check(&audio(None), Some("lo"), play("flood/lo&amp;.wav"));
        check(
            &audio(Some("flood/en.wav")),
            Some("khm"),
            play("flood/en.wav"),
        );
        check(&audio(Some("flood/en.wav")), None, play("flood/en.wav"));
        let why = flow(&audio(None), &noy(Some("khm"))).unwrap_err();
        assert!(why.contains("speaks khm"), "{why}");
    }

    #[test]
    fn what_is_known_of_somebody_goes_into_the_message() {
        let document = "<Say>{{name}}, {{ language }}{{who}}{{village}}! {{</Say>";
        let filled = "<Say>Noy &amp; Co, lo! {{</Say>".to_owned();
        check(
            &Message::Twiml(document.to_owned()),
            Some("lo"),
            Flow::Twiml(filled),
        );
        let url = Message::Url {
            url: "https://app.example/warn?id=7".to_owned(),
            method: WebhookMethod::Get,
        };
        let expected = Flow::VoiceUrl {
            url: "https://app.example/warn?id=7&language=lo&name=Noy+%26+Co&village=".to_owned(),
            method: WebhookMethod::Get,
        };
        check(&url, Some("lo"), expected);
        let (_, settings) = flow(&Message::Plugin("warn".to_owned()), &noy(Some("lo"))).unwrap();
        assert_eq!(settings["person.language"], "lo");
        assert_eq!(settings["person.name"], "Noy & Co");
    }
}
