//! How a rehearsal's caller is listened to.

use super::stage::Stage;
use crate::{CallError, Event, ListeningId, ListeningRequest, SpeechEnd, SpeechEvent};

/// The listening under way.
pub(super) struct Listener {
    id: ListeningId,
    /// Words are told as they are said.
    partial_results: bool,
    /// Somebody speaks to it.
    has_begun: bool,
}

impl Stage {
    pub(super) fn listen(&mut self, request: &ListeningRequest) -> Result<ListeningId, CallError> {
        self.up()?;
        if !self.answered {
            return Err(CallError::NotAnswered);
        }
        if !self.listens {
            return Err(CallError::Unsupported("no recogniser".to_owned()));
        }
        if self.listening.is_some() {
            return Err(CallError::LimitReached(
                "one listening at a time".to_owned(),
            ));
        }
        let hints = match request.hints.as_slice() {
            [] => String::new(),
            hints => format!(" for {}", hints.join(", ")),
        };
        self.note(format!("listen in {}{hints}", request.language));
        self.listenings += 1;
        self.listening = Some(Listener {
            id: self.listenings,
            partial_results: request.partial_results,
            has_begun: false,
        });
        Ok(self.listenings)
    }

    pub(super) fn stop_listening(&mut self, id: ListeningId) -> Result<(), CallError> {
        self.up()?;
        let listening = self.listening.take_if(|listening| listening.id == id);
        listening.ok_or(CallError::UnknownId)?;
        self.note("stop listening");
        let now = self.now;
        let stopped = SpeechEvent::Ended(SpeechEnd::Stopped);
        self.happens(now, Event::Speech((id, stopped)));
        Ok(())
    }

    /// What is said reaches the listening under way; none of what nobody listens to, and nothing of what began before it.
    pub(super) fn in_listening(&mut self, event: Event) -> Option<Event> {
        let Event::Speech((0, said)) = event else {
            return Some(event);
        };
        let listener = self.listening.as_mut()?;
        let id = listener.id;
        let is_heard = match said {
            SpeechEvent::Began => {
                listener.has_begun = true;
                true
            }
            SpeechEvent::Partial(_) => listener.has_begun && listener.partial_results,
            SpeechEvent::Ended(SpeechEnd::Failed(_)) => true,
            SpeechEvent::Ended(_) => listener.has_begun,
        };
        if is_heard && matches!(said, SpeechEvent::Ended(_)) {
            self.listening = None;
        }
        is_heard.then_some(Event::Speech((id, said)))
    }
}
