//! A recogniser that understands each word, in virtual time.

use std::collections::VecDeque;
use std::time::Duration;

use call::{
    DEFAULT_END_SILENCE, ListenOrder, ListenRequest, ListeningId, PartialWords, SpeechEnd,
    SpeechEvent, Words,
};

use crate::script::spoken;

/// How sure it is.
const CONFIDENCE_PERMILLE: u16 = 900;

/// The listening of the call, and what it is about to be told.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    listening: Option<Listening>,
    news: VecDeque<(Duration, ListeningId, SpeechEvent)>,
}

#[derive(Debug)]
struct Listening {
    id: ListeningId,
    request: ListenRequest,
    /// What was said to it.
    words: Vec<String>,
}

impl Listener {
    pub(crate) fn order(&mut self, id: ListeningId, order: ListenOrder) {
        self.news.clear();
        self.listening = match order {
            ListenOrder::Begin(request) => Some(Listening {
                id,
                request,
                words: Vec::new(),
            }),
            ListenOrder::Stop => None,
        };
    }

    /// The caller begins to say these words. Who goes on before the silence has ended what they said, says more of the same.
    pub(crate) fn hear(&mut self, now: Duration, words: &str) {
        let Some(listening) = &mut self.listening else {
            return;
        };
        let id = listening.id;
        self.news
            .retain(|(_, _, event)| !matches!(event, SpeechEvent::Ended(_)));
        if listening.words.is_empty() {
            self.news.push_back((now, id, SpeechEvent::Began));
        }
        let (mut said, all) = (0, words.chars().count());
        for word in words.split_whitespace() {
            said += word.chars().count() + 1;
            listening.words.push(word.to_owned());
            if listening.request.partial_results {
                let at = now + spoken(said.min(all));
                let partial = SpeechEvent::Partial(listening.so_far());
                self.news.push_back((at, id, partial));
            }
        }
        let silence = listening.request.end_silence;
        let end = now + spoken(all) + silence.unwrap_or(DEFAULT_END_SILENCE);
        let heard = SpeechEnd::Heard(Words {
            text: listening.words.join(" "),
            confidence_permille: Some(CONFIDENCE_PERMILLE),
        });
        self.news.push_back((end, id, SpeechEvent::Ended(heard)));
    }

    /// When something is to be told.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.news.front().map(|(at, ..)| *at)
    }

    /// What is to be told by now.
    pub(crate) fn next(&mut self, now: Duration) -> Option<(ListeningId, SpeechEvent)> {
        let (_, id, event) = self.news.pop_front_if(|(at, ..)| *at <= now)?;
        if matches!(event, SpeechEvent::Ended(_)) {
            self.listening = None;
        }
        Some((id, event))
    }
}

impl Listening {
    /// The last word may change.
    fn so_far(&self) -> PartialWords {
        let (last, stable) = match self.words.as_slice() {
            [stable @ .., last] => (last.clone(), stable.join(" ")),
            [] => (String::new(), String::new()),
        };
        PartialWords {
            stable,
            unstable: last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(partial_results: bool) -> Listener {
        let mut listener = Listener::default();
        let request = ListenRequest {
            language: "en".to_owned(),
            hints: Vec::new(),
            end_silence: Some(Duration::from_secs(2)),
            max_speech: Duration::from_secs(60),
            partial_results,
            model: None,
            profanity_filter: true,
        };
        listener.order(ListeningId(1), ListenOrder::Begin(request));
        listener
    }

    fn told(listener: &mut Listener) -> Vec<(u128, SpeechEvent)> {
        let mut told = Vec::new();
        while let Some(at) = listener.deadline() {
            let (_, event) = listener.next(at).unwrap();
            told.push((at.as_millis(), event));
        }
        told
    }

    fn heard(text: &str) -> SpeechEvent {
        SpeechEvent::Ended(SpeechEnd::Heard(Words {
            text: text.to_owned(),
            confidence_permille: Some(900),
        }))
    }

    fn partial(stable: &str, unstable: &str) -> SpeechEvent {
        SpeechEvent::Partial(PartialWords {
            stable: stable.to_owned(),
            unstable: unstable.to_owned(),
        })
    }

    #[test]
    fn words_are_understood_as_they_are_said() {
        let mut listener = listener(true);
        listener.hear(Duration::from_secs(1), "yes please");
        assert_eq!(
            told(&mut listener),
            [
                (1_000, SpeechEvent::Began),
                (1_264, partial("", "yes")),
                (1_660, partial("yes", "please")),
                (3_660, heard("yes please")),
            ]
        );
        listener.hear(Duration::from_secs(5), "too late");
        assert_eq!(listener.deadline(), None);
    }

    #[test]
    fn who_goes_on_in_time_has_said_both() {
        let mut listener = listener(false);
        listener.hear(Duration::ZERO, "one");
        listener.next(Duration::ZERO);
        listener.hear(Duration::from_secs(2), "two");
        assert_eq!(told(&mut listener), [(4_198, heard("one two"))]);
    }

    #[test]
    fn nothing_comes_of_what_was_stopped() {
        let mut listener = listener(true);
        listener.hear(Duration::ZERO, "yes");
        listener.order(ListeningId(1), ListenOrder::Stop);
        assert_eq!(listener.deadline(), None);
    }
}
