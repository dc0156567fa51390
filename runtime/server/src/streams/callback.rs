//! What an application is told of a stream: Twilio's `StreamEvent`s, by the outbox.

use std::sync::Arc;

use call::{CallInfo, StreamEnd, StreamId, StreamRequest, StreamSid};
use store::{Scope, StreamNote, StreamTold, StreamTurn};

use super::Owner;
use crate::clock;
use crate::services::Services;

/// Who is told of one stream; nobody in most cases.
pub(super) struct Callbacks(Option<Told>);

struct Told {
    services: Arc<Services>,
    info: Arc<CallInfo>,
    stream: StreamSid,
    told: StreamTold,
}

impl Callbacks {
    pub(super) fn new(owner: &Owner, id: StreamId, request: &StreamRequest) -> Self {
        let callback = request.status_callback.clone();
        Self(callback.map(|to| Told {
            services: Arc::clone(&owner.services),
            info: Arc::clone(&owner.info),
            stream: id.sid(owner.info.call_sid),
            told: StreamTold {
                name: request.name.clone(),
                to,
            },
        }))
    }

    pub(super) fn started(&self) {
        self.tell(StreamTurn::Started);
    }

    pub(super) fn ended(&self, end: &StreamEnd) {
        self.tell(StreamTurn::Ended(end.clone()));
    }

    fn tell(&self, turn: StreamTurn) {
        let Some(told) = &self.0 else { return };
        let note = StreamNote {
            call: told.info.call_sid,
            stream: told.stream,
            told: told.told.clone(),
            turn,
            at_unix_ms: clock::unix_ms(),
        };
        let scope = Scope::of_host(told.info.account_sid);
        let commit = told.services.store.note_stream(scope, note);
        told.services
            .keep(commit, "a turn of a media stream", &told.info);
    }
}
