//! What is listened to, and what was said.

use call::{ListenRequest, ListeningId, PartialWords, SpeechEnd, SpeechEvent};

use super::shortened;

pub(super) fn listen(request: &ListenRequest) -> String {
    let hints = request.hints.join(", ");
    let hints = match hints.is_empty() {
        true => hints,
        false => format!(" for {}", shortened(&hints)),
    };
    format!("listen in {}{hints}", request.language)
}

pub(super) fn event(id: ListeningId, event: &SpeechEvent) -> String {
    let what = match event {
        SpeechEvent::Began => "somebody speaks".to_owned(),
        SpeechEvent::Partial(PartialWords { stable, unstable }) => {
            let all = [stable.as_str(), unstable.as_str()].join(" ");
            format!("\"{}\" so far", shortened(all.trim()))
        }
        SpeechEvent::Ended(SpeechEnd::Heard(words)) => {
            format!("\"{}\"", shortened(&words.text))
        }
        SpeechEvent::Ended(SpeechEnd::NotUnderstood) => "not understood".to_owned(),
        SpeechEvent::Ended(SpeechEnd::Stopped) => "stopped".to_owned(),
        SpeechEvent::Ended(SpeechEnd::Failed(why)) => format!("failed: {why}"),
    };
    format!("listening {}: {what}", id.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use call::Words;

    use super::*;

    #[test]
    fn what_is_said_reads_as_one_would_say_it() {
        let mut request = ListenRequest {
            language: "en-US".to_owned(),
            hints: vec!["yes".to_owned(), "no".to_owned()],
            end_silence: None,
            max_speech: Duration::from_secs(60),
            partial_results: false,
            model: None,
            profanity_filter: true,
        };
        assert_eq!(listen(&request), "listen in en-US for yes, no");
        request.hints.clear();
        assert_eq!(listen(&request), "listen in en-US");
        let partial = |stable: &str, unstable: &str| {
            SpeechEvent::Partial(PartialWords {
                stable: stable.to_owned(),
                unstable: unstable.to_owned(),
            })
        };
        let heard = SpeechEnd::Heard(Words {
            text: "one two".to_owned(),
            confidence_permille: None,
        });
        for (given, expected) in [
            (SpeechEvent::Began, "somebody speaks"),
            (partial("one", "two"), "\"one two\" so far"),
            (partial("", "two"), "\"two\" so far"),
            (SpeechEvent::Ended(heard), "\"one two\""),
            (
                SpeechEvent::Ended(SpeechEnd::NotUnderstood),
                "not understood",
            ),
        ] {
            let expected = format!("listening 3: {expected}");
            assert_eq!(event(ListeningId(3), &given), expected);
        }
    }
}
