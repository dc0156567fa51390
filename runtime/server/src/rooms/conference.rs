//! One actor owns one conference: who is in it, and the way to its mixer.

use std::collections::HashMap;
use std::sync::Arc;

use call::{
    CallSid, Conference, ConferenceEffect, ConferenceEnd, ConferenceEvent, ConferenceInput,
    ConferenceOptions, ConferenceSid, Hearing,
};
use media::Rate;
use tokio::sync::mpsc;
use tracing::{Instrument, info, info_span};

use super::{Directory, Key, send};
use crate::call_actor::{Inbox, Message};
use crate::media_plane::{Chair, LineEnd, MediaPlane, Mix, MixHearing};
use crate::services::random;

/// The conferences of all accounts.
pub(crate) struct Conferences {
    directory: Arc<Directory<ConferenceMessage>>,
    /// Participants in one at a time.
    most: u32,
}

/// What reaches a conference.
pub(crate) enum ConferenceMessage {
    Join(Box<JoiningConference>),
    /// Anything but [`ConferenceInput::Join`].
    Input(ConferenceInput),
}

/// A call that wants to join.
pub(crate) struct JoiningConference {
    pub(crate) call: CallSid,
    pub(crate) options: Box<ConferenceOptions>,
    /// Where it is told.
    pub(crate) inbox: Inbox,
    /// The other end of what its leg is joined to.
    pub(crate) line: LineEnd,
    /// Of its leg's codec.
    pub(crate) rate: Rate,
}

impl Conferences {
    /// No conference. `rooms`: those that an account may have at a time; `most`: participants of each.
    pub(crate) fn new(rooms: usize, most: u32) -> Self {
        Self {
            directory: Arc::new(Directory::new(rooms)),
            most,
        }
    }

    /// Joins the conference of this name, or begins it. What comes of it goes to the call's inbox.
    ///
    /// # Errors
    /// Why the call cannot join.
    pub(crate) fn join(
        &self,
        media: &MediaPlane,
        key: &Key,
        joining: JoiningConference,
    ) -> Result<mpsc::Sender<ConferenceMessage>, String> {
        let message = ConferenceMessage::Join(Box::new(joining));
        self.directory.enter(key, message, |messages| {
            let most = self.most as usize;
            let mix = media.open_mix(most).map_err(|error| error.to_string())?;
            let sid = ConferenceSid::from_bytes(random());
            let actor = ConferenceActor {
                directory: Arc::clone(&self.directory),
                key: key.clone(),
                messages,
                conference: Conference::new(sid, self.most),
                mix,
                calls: HashMap::new(),
            };
            let (account, _) = key;
            let span = info_span!("conference", conference.sid = %sid, tenant.id = %account);
            tokio::spawn(actor.run().instrument(span));
            Ok(())
        })
    }
}

struct ConferenceActor {
    directory: Arc<Directory<ConferenceMessage>>,
    key: Key,
    messages: mpsc::Receiver<ConferenceMessage>,
    conference: Conference,
    mix: Mix,
    calls: HashMap<CallSid, Guest>,
}

/// A call as the conference knows it.
struct Guest {
    inbox: Inbox,
    rate: Rate,
    /// Until it is seated.
    line: Option<LineEnd>,
    chair: Option<Chair>,
}

impl ConferenceActor {
    async fn run(mut self) {
        info!("the conference is open");
        loop {
            let Some(message) = self.messages.recv().await else {
                break;
            };
            self.take(message);
            if self.conference.is_empty() && self.directory.close(&self.key, &self.messages) {
                break;
            }
        }
        info!("the conference is over");
    }

    fn take(&mut self, message: ConferenceMessage) {
        let input = match message {
            ConferenceMessage::Input(input) => input,
            ConferenceMessage::Join(joining) => {
                let JoiningConference { call, options, .. } = *joining;
                let guest = Guest {
                    inbox: joining.inbox,
                    rate: joining.rate,
                    line: Some(joining.line),
                    chair: None,
                };
                self.calls.insert(call, guest);
                ConferenceInput::Join { call, options }
            }
        };
        self.conference.handle(input);
        while let Some(effect) = self.conference.poll() {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: ConferenceEffect) {
        match effect {
            ConferenceEffect::Tell(call, event) => self.tell(call, event),
            ConferenceEffect::Seat(call) => {
                if let Some(guest) = self.calls.get_mut(&call)
                    && let Some(line) = guest.line.take()
                {
                    guest.chair = Some(self.mix.seat(line, guest.rate));
                }
            }
            ConferenceEffect::Unseat(call) => {
                if let Some(chair) = self.chair(call) {
                    self.mix.unseat(chair);
                }
            }
            ConferenceEffect::Hear(call, hearing) => self.hear(call, &hearing),
            ConferenceEffect::BeepEnter => self.mix.beep(media::ConferenceBeep::Enter),
            ConferenceEffect::BeepExit => self.mix.beep(media::ConferenceBeep::Exit),
        }
    }

    fn hear(&mut self, call: CallSid, hearing: &Hearing) {
        let coaches = hearing.coaches.and_then(|coached| self.chair(coached));
        if let Some(chair) = self.chair(call) {
            let hearing = MixHearing {
                is_muted: hearing.muted,
                is_held: hearing.held,
                coaches,
            };
            self.mix.hear(chair, hearing);
        }
    }

    /// Tells a call. One that has left is told last.
    fn tell(&mut self, call: CallSid, event: ConferenceEvent) {
        let has_left = matches!(event, ConferenceEvent::Left(_));
        if let ConferenceEvent::Left(ConferenceEnd::Refused(why)) = &event {
            info!(call.sid = %call, "a call is turned away: {why}");
        }
        if let Some(guest) = self.calls.get(&call) {
            send(&guest.inbox, Message::Conference(event));
        }
        if has_left {
            self.calls.remove(&call);
        }
    }

    fn chair(&self, call: CallSid) -> Option<Chair> {
        self.calls.get(&call)?.chair
    }
}

#[cfg(test)]
mod tests;
