//! What has arrived and was not yet asked for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::conference::ConferenceNews;
use crate::queue::QueueNews;
use crate::{
    Detection, DialId, Dialed, Event, HangUpCause, HttpError, ListeningId, PlaybackEnd, PlaybackId,
    Recorded, RecordingId, Referral, RequestId, Response, SpeechEnd, SpeechEvent, StreamEnd,
    StreamId,
};

/// Keys beyond this many that nobody asked for are dropped.
const MOST_KEYS: usize = 1_000;

/// The events of one call, sorted by what waits for them.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    keys: VecDeque<char>,
    ended: BTreeMap<PlaybackId, PlaybackEnd>,
    responses: BTreeMap<RequestId, Result<Response, HttpError>>,
    pub(crate) conference: ConferenceNews,
    pub(crate) queue: QueueNews,
    joined: BTreeMap<DialId, String>,
    dialed: BTreeMap<DialId, Dialed>,
    streams_started: BTreeSet<StreamId>,
    streams_ended: BTreeMap<StreamId, StreamEnd>,
    detection: Option<Detection>,
    recorded: BTreeMap<RecordingId, Recorded>,
    referral: Option<Referral>,
    /// Of the listening that began last.
    listening: Option<ListeningId>,
    speech: VecDeque<SpeechEvent>,
    /// Requests whose answers nobody waits for.
    unwanted: BTreeSet<RequestId>,
    hung_up: Option<HangUpCause>,
}

impl Inbox {
    /// Takes one event in.
    pub(crate) fn put(&mut self, event: Event) {
        match event {
            Event::Answered => {} // `answer` did not wait for it either
            Event::Digit(key) if self.keys.len() < MOST_KEYS => self.keys.push_back(key),
            Event::Digit(_) => {}
            Event::PlaybackEnded((playback, end)) => {
                self.ended.insert(playback, end);
            }
            Event::HttpResponse((request, response)) => {
                if !self.unwanted.remove(&request) {
                    self.responses.insert(request, response);
                }
            }
            Event::Conference(event) => self.conference.put(event),
            Event::Queue(event) => self.queue.put(event),
            Event::DialAnswered((dial, call_sid)) => {
                self.joined.insert(dial, call_sid);
            }
            Event::DialEnded((dial, end)) => {
                self.dialed.insert(dial, end);
            }
            Event::StreamStarted(stream) => {
                self.streams_started.insert(stream);
            }
            Event::StreamEnded((stream, end)) => {
                self.streams_ended.insert(stream, end);
            }
            Event::MachineDetected(detection) => self.detection = Some(detection),
            Event::RecordingEnded((recording, recorded)) => {
                self.recorded.insert(recording, recorded);
            }
            Event::Referred(referral) => self.referral = Some(referral),
            Event::Speech((listening, event)) => {
                if self.listening == Some(listening) {
                    self.hear(event);
                }
            }
            Event::HungUp(cause) => self.hung_up = Some(cause),
        }
    }

    /// The first key that was not yet taken.
    pub(crate) fn take_key(&mut self) -> Option<char> {
        self.keys.pop_front()
    }

    /// Whether this key was pressed; those before it are forgotten.
    pub(crate) fn take_this_key(&mut self, wanted: char) -> bool {
        while let Some(key) = self.take_key() {
            if key == wanted {
                return true;
            }
        }
        false
    }

    /// Whether a key waits to be taken.
    pub(crate) fn has_key(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Forgets the keys that wait.
    pub(crate) fn clear_keys(&mut self) {
        self.keys.clear();
    }

    /// How that playback ended, if it did. Told once.
    pub(crate) fn take_end(&mut self, playback: PlaybackId) -> Option<PlaybackEnd> {
        self.ended.remove(&playback)
    }

    /// The answer to that request, if it came. Told once.
    pub(crate) fn take_response(
        &mut self,
        request: RequestId,
    ) -> Option<Result<Response, HttpError>> {
        self.responses.remove(&request)
    }

    /// The SID of the call that was joined by that dial, if one was.
    pub(crate) fn joined(&self, dial: DialId) -> Option<&str> {
        self.joined.get(&dial).map(String::as_str)
    }

    /// Whether that dial has ended.
    pub(crate) fn has_dialed(&self, dial: DialId) -> bool {
        self.dialed.contains_key(&dial)
    }

    /// How that dial ended, if it did. Told once.
    pub(crate) fn take_dialed(&mut self, dial: DialId) -> Option<Dialed> {
        self.dialed.remove(&dial)
    }

    /// Whether that stream was accepted, once that is known.
    pub(crate) fn stream_started(&self, stream: StreamId) -> Option<bool> {
        if self.streams_started.contains(&stream) {
            return Some(true);
        }
        self.streams_ended.contains_key(&stream).then_some(false)
    }

    /// How that stream ended, if it did. Told once.
    pub(crate) fn take_stream_end(&mut self, stream: StreamId) -> Option<StreamEnd> {
        self.streams_ended.remove(&stream)
    }

    /// Who answered, if that is known. Told once.
    pub(crate) fn take_detection(&mut self) -> Option<Detection> {
        self.detection.take()
    }

    /// What came of that recording, if it ended. Told once.
    pub(crate) fn take_recorded(&mut self, recording: RecordingId) -> Option<Recorded> {
        self.recorded.remove(&recording)
    }

    /// What is known of the referral, if anything is.
    pub(crate) fn referral(&self) -> Option<&Referral> {
        self.referral.as_ref()
    }

    /// Forgets the referral: another one begins.
    pub(crate) fn forget_referral(&mut self) {
        self.referral = None;
    }

    /// A listening begins: what is said to others is forgotten.
    pub(crate) fn begin_listening(&mut self, listening: ListeningId) {
        self.listening = Some(listening);
        self.speech.clear();
    }

    /// Words that nobody took give way to those that follow.
    fn hear(&mut self, event: SpeechEvent) {
        if let (Some(SpeechEvent::Partial(last)), SpeechEvent::Partial(next)) =
            (self.speech.back_mut(), &event)
        {
            last.clone_from(next);
        } else {
            self.speech.push_back(event);
        }
    }

    /// Whether somebody speaks, or did, to that listening.
    pub(crate) fn has_speech(&self, listening: ListeningId) -> bool {
        let is_speech = |event: &SpeechEvent| {
            let SpeechEvent::Ended(end) = event else {
                return true;
            };
            matches!(end, SpeechEnd::Heard(_) | SpeechEnd::NotUnderstood)
        };
        self.listening == Some(listening) && self.speech.iter().any(is_speech)
    }

    /// What became of that listening, in order.
    pub(crate) fn take_speech(&mut self, listening: ListeningId) -> Option<SpeechEvent> {
        match self.listening == Some(listening) {
            true => self.speech.pop_front(),
            false => None,
        }
    }

    /// Nobody waits for the answer to that request.
    pub(crate) fn do_without(&mut self, request: RequestId) {
        self.unwanted.insert(request);
    }

    /// Why the call is over, if it is.
    pub(crate) fn hung_up(&self) -> Option<HangUpCause> {
        self.hung_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbox(events: impl IntoIterator<Item = Event>) -> Inbox {
        let mut inbox = Inbox::default();
        events.into_iter().for_each(|event| inbox.put(event));
        inbox
    }

    #[test]
    fn keys_stay_in_order_and_are_taken_once() {
        let mut inbox = inbox("12#".chars().map(Event::Digit));
        let taken: String = std::iter::from_fn(|| inbox.take_key()).collect();
        assert_eq!(taken, "12#");
        assert!(!inbox.has_key());
    }

    #[test]
    fn keys_nobody_takes_do_not_pile_up_without_end() {
        let mut inbox = inbox((0..MOST_KEYS + 50).map(|_| Event::Digit('5')));
        let taken = std::iter::from_fn(|| inbox.take_key()).count();
        assert_eq!(taken, MOST_KEYS);
    }

    #[test]
    fn ends_and_responses_find_whoever_asked() {
        let mut inbox = inbox([
            Event::PlaybackEnded((2, PlaybackEnd::Stopped)),
            Event::HttpResponse((2, Err(HttpError::TimedOut("15 s".to_owned())))),
            Event::PlaybackEnded((1, PlaybackEnd::Finished)),
        ]);
        assert_eq!(inbox.take_end(1), Some(PlaybackEnd::Finished));
        assert_eq!(inbox.take_end(1), None);
        assert_eq!(inbox.take_end(2), Some(PlaybackEnd::Stopped));
        assert_eq!(inbox.take_response(1), None);
        assert!(matches!(
            inbox.take_response(2),
            Some(Err(HttpError::TimedOut(_)))
        ));
        assert_eq!(inbox.take_response(2), None);
    }

    #[test]
    fn a_hang_up_stays_known() {
        assert_eq!(inbox([Event::Answered]).hung_up(), None);
        let inbox = inbox([Event::HungUp(HangUpCause::Remote)]);
        assert_eq!(inbox.hung_up(), Some(HangUpCause::Remote));
        assert_eq!(inbox.hung_up(), Some(HangUpCause::Remote));
    }
}
