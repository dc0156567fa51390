//! Listenings: what a leg hears is understood by a recogniser, in a task beside its call.
//!
//! The media thread fills a [`tap`] and waits for nobody; a recogniser that is slow or breaks ends its own listening. It is begun when
//! somebody speaks, not before: who waits in silence costs a queue.

mod transcript;
mod utterance;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use call::{Input, ListenRequest, ListeningId, PartialWords, SpeechEnd, SpeechEvent, StreamTracks};
use media::Law;
use speech::{Channels, Recogniser, Recognition, SpokenFrame, Task};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};
use tracing::Instrument;

use crate::call_actor::{Inbox, Message};
use crate::media_plane::{Leg, TapEnd, tap};
use transcript::Transcript;
use utterance::{Heard, Utterance};

/// How often the leg's frames are taken.
const TICK: Duration = Duration::from_millis(20);
/// How long a recogniser may think after the last word.
const THINKING: Duration = Duration::from_secs(15);
/// Phrases that may wait; a recogniser that has more to say waits.
const PHRASES: usize = 32;

/// One listening, as its call's actor has it. Dropping it ends it.
pub(crate) struct Listening {
    id: ListeningId,
    task: AbortHandle,
}

impl Listening {
    /// Begins to listen; never waits. News go to `inbox`.
    ///
    /// # Errors
    /// Where nobody understands the language.
    pub(crate) fn begin(
        recognition: &Arc<Recognition>,
        leg: &Leg,
        inbox: Inbox,
        id: ListeningId,
        request: ListenRequest,
    ) -> Result<Self, SpeechEnd> {
        let (recogniser, language) = recognition
            .of(&request.language)
            .map_err(SpeechEnd::Failed)?;
        let (tap, end) = tap(id, StreamTracks::Inbound, false);
        leg.add_tap(tap);
        let listener = Listener {
            id,
            inbox,
            recogniser,
            recognition: Arc::clone(recognition),
            utterance: Utterance::new(request.end_silence, request.max_speech),
            partial_results: request.partial_results,
            task: Arc::new(Task {
                language,
                hints: request.hints,
                model: request.model,
                profanity_filter: request.profanity_filter,
            }),
            tap: end,
        };
        let task = tokio::spawn(listener.run().in_current_span());
        Ok(Self {
            id,
            task: task.abort_handle(),
        })
    }

    pub(crate) fn is(&self, id: ListeningId) -> bool {
        self.id == id
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a listening's task has.
struct Listener {
    id: ListeningId,
    inbox: Inbox,
    recognition: Arc<Recognition>,
    recogniser: Arc<dyn Recogniser>,
    task: Arc<Task>,
    partial_results: bool,
    utterance: Utterance,
    tap: TapEnd,
}

impl Listener {
    async fn run(mut self) {
        let end = self.listen().await;
        self.tell(SpeechEvent::Ended(end)).await;
    }

    async fn listen(&mut self) -> SpeechEnd {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let beginning = self.wait_for_speech(&mut ticks).await;
        self.tell(SpeechEvent::Began).await;
        // Room is taken while somebody speaks: who is silent takes none.
        let Some(_seat) = self.recognition.seat() else {
            let message =
                "as many speak at this moment as are understood at a time (speech.input.at_once)";
            return SpeechEnd::Failed(message.to_owned());
        };
        // It has room for all that may be said.
        let (audio, frames) = mpsc::channel(beginning.len() + self.utterance.most_frames());
        for frame in beginning {
            let _ = audio.try_send(frame);
        }
        self.understand(&mut ticks, audio, frames).await
    }

    /// The first frames of what is said, and some before them.
    async fn wait_for_speech(&mut self, ticks: &mut Interval) -> Vec<SpokenFrame> {
        loop {
            ticks.tick().await;
            while let Some(frame) = self.next_frame() {
                if let Heard::Beginning(frames) = self.utterance.hear(&frame) {
                    return frames;
                }
            }
        }
    }

    async fn understand(
        &mut self,
        ticks: &mut Interval,
        audio: mpsc::Sender<SpokenFrame>,
        frames: mpsc::Receiver<SpokenFrame>,
    ) -> SpeechEnd {
        let recogniser = Arc::clone(&self.recogniser);
        let (phrases_in, mut phrases) = mpsc::channel(PHRASES);
        let channels = Channels {
            audio: frames,
            phrases: phrases_in,
        };
        let mut understanding = recogniser.understand(Arc::clone(&self.task), channels);
        let mut transcript = Transcript::default();
        let mut told = PartialWords::default();
        let mut audio = Some(audio);
        let mut until = None;
        loop {
            tokio::select! {
                outcome = &mut understanding => {
                    while let Ok(phrase) = phrases.try_recv() {
                        transcript.take(phrase);
                    }
                    return match outcome {
                        Ok(()) => transcript.into_end(),
                        Err(failure) => SpeechEnd::Failed(format!("{}: {failure}", recogniser.name())),
                    };
                }
                Some(phrase) = phrases.recv() => {
                    transcript.take(phrase);
                    let so_far = transcript.so_far();
                    // Some say the same again with each piece of audio.
                    if self.partial_results && so_far != told {
                        told.clone_from(&so_far);
                        self.tell(SpeechEvent::Partial(so_far)).await;
                    }
                }
                _ = ticks.tick(), if audio.is_some() => {
                    let is_over = audio.as_ref().is_none_or(|audio| self.pass_on(audio));
                    if is_over {
                        audio = None;
                        until = Some(Instant::now() + THINKING);
                    }
                }
                () = reached(until) => {
                    let (name, seconds) = (recogniser.name(), THINKING.as_secs());
                    return SpeechEnd::Failed(format!("{name}: no answer within {seconds} seconds"));
                }
            }
        }
    }

    /// Hands over what was heard since the last time. True when what is said is over.
    fn pass_on(&mut self, audio: &mpsc::Sender<SpokenFrame>) -> bool {
        while let Some(frame) = self.next_frame() {
            match self.utterance.hear(&frame) {
                Heard::Speech => {
                    let _ = audio.try_send(frame);
                }
                Heard::End => return true,
                Heard::Silence | Heard::Beginning(_) => {}
            }
        }
        false
    }

    fn next_frame(&self) -> Option<SpokenFrame> {
        let frame = self.tap.frames.pop()?;
        Some(frame.codes.map(|code| Law::Mu.decode(code)))
    }

    async fn tell(&self, event: SpeechEvent) {
        let input = Message::Input(Input::Speech(self.id, event));
        // The actor may have ended with the call.
        let _ = self.inbox.send(input).await;
    }
}

async fn reached(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
