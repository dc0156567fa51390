//! What a story was told, and how it ended, redacted.

use call::{
    CallError, ConferenceEvent, Event, HttpResponse, OrderedSound, PartialWords, PlaybackEnd,
    Recording, Reply, Signalled, SpeechEnd, SpeechEvent, Transfer,
};

use super::NO_RECORDING;
use super::commands::sound;
use super::mask::{body, callback, digit, digits, headers, target, text, url};
use crate::story::Outcome;

/// What a guest said itself, in the text of a trap.
const LAST_WORDS: &str = "its last words: ";

pub(super) fn answer(result: Result<Reply, CallError>) -> Result<Reply, CallError> {
    result.map_err(error)
}

fn error(error: CallError) -> CallError {
    match error {
        CallError::InvalidArgument(why) => CallError::InvalidArgument(text(&why)),
        CallError::UnsupportedMedia(why) => CallError::UnsupportedMedia(text(&why)),
        error => error,
    }
}

pub(super) fn event(event: Event) -> Event {
    match event {
        Event::Digit(key) => Event::Digit(digit(key)),
        Event::PlaybackEnded(id, PlaybackEnd::Failed(why)) => {
            Event::PlaybackEnded(id, PlaybackEnd::Failed(digits(&why)))
        }
        Event::Conference(ConferenceEvent::Held(Some(heard))) => {
            Event::Conference(ConferenceEvent::Held(Some(ordered(heard))))
        }
        Event::Conference(ConferenceEvent::WaitsWith(heard)) => {
            Event::Conference(ConferenceEvent::WaitsWith(ordered(heard)))
        }
        Event::HttpResponse(id, Ok(response)) => {
            let response = HttpResponse {
                headers: headers(response.headers),
                body: body(&response.body),
                url: url(&response.url),
                ..response
            };
            Event::HttpResponse(id, Ok(response))
        }
        Event::DialEnded(id, mut end) => {
            end.reason = digits(&end.reason);
            Event::DialEnded(id, end)
        }
        Event::DialEndedBy(id, mut end, signalled) => {
            end.reason = digits(&end.reason);
            let fields = signalled.fields.into_iter();
            let signalled = Signalled {
                fields: fields.map(|(name, value)| (name, text(&value))).collect(),
                ..signalled
            };
            Event::DialEndedBy(id, end, signalled)
        }
        Event::DialTransferred(id, mut end, asked) => {
            end.reason = digits(&end.reason);
            let fields = asked.fields.into_iter();
            let asked = Transfer {
                target: target(&asked.target),
                fields: fields.map(|(name, value)| (name, text(&value))).collect(),
                ..asked
            };
            Event::DialTransferred(id, end, asked)
        }
        Event::Referred(mut referral) => {
            referral.reason = text(&referral.reason);
            Event::Referred(referral)
        }
        Event::Speech(id, event) => Event::Speech(id, said(event)),
        Event::RecordingEnded(id, recording) => Event::RecordingEnded(
            id,
            Recording {
                sid: NO_RECORDING,
                url: url(&recording.url),
                end: recording.end.map_err(|why| digits(&why)),
                ..recording
            },
        ),
        event => event,
    }
}

fn said(event: SpeechEvent) -> SpeechEvent {
    match event {
        SpeechEvent::Partial(words) => SpeechEvent::Partial(PartialWords {
            stable: text(&words.stable),
            unstable: text(&words.unstable),
        }),
        SpeechEvent::Ended(SpeechEnd::Heard(mut words)) => {
            words.text = text(&words.text);
            SpeechEvent::Ended(SpeechEnd::Heard(words))
        }
        event => event,
    }
}

/// As it stands in a redacted journal.
pub(crate) fn outcome(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Finished(Err(why)) => Outcome::Finished(Err(error(why))),
        Outcome::Trapped(why) => Outcome::Trapped(match why.split_once(LAST_WORDS) {
            Some((trap, words)) => format!("{trap}{LAST_WORDS}{}", text(words)),
            None => why,
        }),
        outcome => outcome,
    }
}

fn ordered(sound_or_document: OrderedSound) -> OrderedSound {
    match sound_or_document {
        OrderedSound::Sound(heard) => OrderedSound::Sound(sound(heard)),
        OrderedSound::Document(document) => OrderedSound::Document(callback(document)),
    }
}
