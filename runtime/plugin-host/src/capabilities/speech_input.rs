//! `jackfield:call/speech-input`: what the other side says, in words.

use std::time::Duration;

use call::{Command, ListenRequest, ListeningId, PartialWords, Reply, SpeechEnd, SpeechEvent};

use crate::bindings::{control, speech_input};
use crate::state::{Halt, StoryState};

impl speech_input::Host for StoryState {
    async fn listen(
        &mut self,
        request: speech_input::ListeningRequest,
    ) -> wasmtime::Result<Result<control::ListeningId, control::CallError>> {
        match self.command(Command::Listen(request.into())).await? {
            Ok(Reply::Listening(id)) => Ok(Ok(id.0)),
            Ok(_) => Err(Halt::WrongReply.into()),
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn stop_listening(
        &mut self,
        id: control::ListeningId,
    ) -> wasmtime::Result<Result<(), control::CallError>> {
        self.do_simply(Command::StopListening(ListeningId(id)))
            .await
    }
}

impl From<speech_input::ListeningRequest> for ListenRequest {
    fn from(request: speech_input::ListeningRequest) -> Self {
        let length = |ms: u32| Duration::from_millis(ms.into());
        Self {
            language: request.language,
            hints: request.hints,
            end_silence: request.end_silence_ms.map(length),
            max_speech: length(request.max_speech_ms),
            partial_results: request.partial_results,
            model: request.model,
            profanity_filter: request.profanity_filter,
        }
    }
}

impl From<SpeechEvent> for control::SpeechEvent {
    fn from(event: SpeechEvent) -> Self {
        match event {
            SpeechEvent::Began => Self::Began,
            SpeechEvent::Partial(PartialWords { stable, unstable }) => {
                Self::Partial(control::PartialWords { stable, unstable })
            }
            SpeechEvent::Ended(end) => Self::Ended(end.into()),
        }
    }
}

impl From<SpeechEnd> for control::SpeechEnd {
    fn from(end: SpeechEnd) -> Self {
        match end {
            SpeechEnd::Heard(words) => Self::Heard(control::Words {
                text: words.text,
                confidence_permille: words.confidence_permille,
            }),
            SpeechEnd::NotUnderstood => Self::NotUnderstood,
            SpeechEnd::Stopped => Self::Stopped,
            SpeechEnd::Failed(why) => Self::Failed(why),
        }
    }
}
