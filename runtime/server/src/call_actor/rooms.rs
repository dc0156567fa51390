//! A call among others: in a conference, or at a queue.

use call::{
    ConferenceEnd, ConferenceEvent, ConferenceInput, ConferenceRequest, Input, QueueEvent,
    QueueExit, QueueInput, QueueOutcome, QueueRequest, QueueSid,
};
use tokio::sync::mpsc;
use tracing::info;

use super::{CallActor, Message};
use crate::media_plane::{LineEnd, line};
use crate::rooms::{Arrival, ConferenceMessage, JoiningConference, QueueMessage, send};
use crate::services::random;

/// The way to where the call is.
pub(super) enum Room {
    Conference(mpsc::Sender<ConferenceMessage>),
    Queue(mpsc::Sender<QueueMessage>),
}

impl CallActor {
    /// Does what the call asks of a conference.
    pub(super) fn ask_conference(&mut self, request: ConferenceRequest) {
        let call = self.info.call_sid;
        let input = match request {
            ConferenceRequest::Join {
                name,
                options,
                terms,
            } => {
                let (ours, theirs) = line();
                self.leg.join(ours);
                let joining = JoiningConference {
                    call,
                    options,
                    terms,
                    inbox: self.inbox.clone(),
                    line: theirs,
                    rate: self.rate,
                };
                let key = (self.info.account_sid, name);
                let media = &self.services.media;
                match self.services.conferences.join(media, &key, joining) {
                    Ok(conference) => self.room = Some(Room::Conference(conference)),
                    Err(why) => {
                        info!(target: "tenant", "no conference: {why}");
                        let left = ConferenceEvent::Left(ConferenceEnd::Refused(why));
                        send(&self.inbox, Message::Conference(left));
                    }
                }
                return;
            }
            ConferenceRequest::Leave { hung_up } => {
                self.leg.leave();
                ConferenceInput::Leave { call, hung_up }
            }
            ConferenceRequest::Mute(muted) => ConferenceInput::Mute(call, muted),
            ConferenceRequest::Hold(held) => ConferenceInput::Hold(call, held),
            ConferenceRequest::Announced(outcome) => ConferenceInput::Announced(call, outcome),
        };
        if let Some(Room::Conference(conference)) = &self.room {
            send(conference, ConferenceMessage::Input(input));
        }
    }

    /// Does what the call asks of a queue.
    pub(super) fn ask_queue(&mut self, request: QueueRequest) {
        let call = self.info.call_sid;
        let (name, input, whisper) = match request {
            QueueRequest::Wait { name, max_size } => {
                (name, QueueInput::Wait { call, max_size }, None)
            }
            QueueRequest::Serve { name, whisper } => match whisper {
                None => (name, QueueInput::Serve(call), None),
                whisper => (name, QueueInput::ServeWhispering(call), whisper),
            },
            QueueRequest::Leave => {
                self.leg.leave();
                if let Some(Room::Queue(queue)) = &self.room {
                    send(queue, QueueMessage::Leave(call));
                }
                return;
            }
        };
        let inbox = self.inbox.clone();
        let key = (self.info.account_sid, name);
        let arrival = Arrival {
            call,
            inbox,
            input,
            whisper,
        };
        match self.services.queues.arrive(&key, arrival) {
            Ok(queue) => self.room = Some(Room::Queue(queue)),
            Err(why) => {
                info!(target: "tenant", "no queue: {why}");
                let left = QueueEvent::Left(QueueExit {
                    sid: QueueSid::from_bytes(random()),
                    outcome: QueueOutcome::Failed,
                    waited_s: 0,
                });
                send(&self.inbox, Message::Queue(left));
            }
        }
    }

    /// The conference has news.
    pub(super) fn hear_conference(&mut self, event: ConferenceEvent) -> Input {
        if matches!(event, ConferenceEvent::Left(_)) {
            self.is_alone();
        }
        Input::Conference(event)
    }

    /// The queue has news.
    pub(super) fn hear_queue(&mut self, event: QueueEvent) -> Input {
        if matches!(event, QueueEvent::Left(_)) {
            self.stop_whisper();
            self.is_alone();
        }
        Input::Queue(event)
    }

    /// The queue joins the call to another one.
    pub(super) fn join_line(&mut self, end: LineEnd) {
        if matches!(self.room, Some(Room::Queue(_))) {
            self.leg.join(end);
        }
    }

    /// What was said to the call is over: it and who serves it may hear each other.
    pub(super) fn has_heard_whisper(&self) {
        if let Some(Room::Queue(queue)) = &self.room {
            send(queue, QueueMessage::Whispered(self.info.call_sid));
        }
    }

    fn is_alone(&mut self) {
        self.leg.leave();
        self.room = None;
    }
}
