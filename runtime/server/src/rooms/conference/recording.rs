//! The recording of a conference: begun with it, and dealt with by the API.

use api::{RecordingChange, RecordingError};
use call::{AccountSid, ConferenceRecording, ConferenceSid, RecordingSid};
use store::RecordingStatus;
use tokio::sync::oneshot;
use tracing::info;

use super::{ConferenceActor, ConferenceMessage, Conferences};
use crate::media_plane::TapeOrder;

/// What the API asks of a conference's recording.
pub(crate) struct RecordingRequest {
    /// None: whichever goes on.
    recording: Option<RecordingSid>,
    change: RecordingChange,
    reply: oneshot::Sender<Result<RecordingSid, RecordingError>>,
}

impl Conferences {
    /// Deals with the recording of a conference of this account; without a SID with whichever goes on.
    ///
    /// # Errors
    /// If the account has no such conference, or that no such recording.
    pub(crate) async fn change_recording(
        &self,
        account: AccountSid,
        sid: ConferenceSid,
        recording: Option<RecordingSid>,
        change: RecordingChange,
    ) -> Result<RecordingSid, RecordingError> {
        let room = self.find(account, sid).ok_or(RecordingError::Unknown)?;
        let (reply, answer) = oneshot::channel();
        let request = RecordingRequest {
            recording,
            change,
            reply,
        };
        // A room that is gone meanwhile has no recording that goes on.
        room.send(ConferenceMessage::Recording(request))
            .await
            .map_err(|_| RecordingError::Unknown)?;
        answer.await.map_err(|_| RecordingError::Unknown)?
    }
}

impl ConferenceActor {
    /// Records all that is heard by all from now on. One that cannot begin is the tenant's to know of.
    pub(super) fn record(&mut self, recording: ConferenceRecording) {
        let Some(studio) = self.studio.upgrade() else {
            return; // the process ends
        };
        let (account, _) = self.key;
        match studio.begin_conference(account, self.sid, recording, self.mix.rate()) {
            Ok((sid, tape)) => {
                self.mix.record(tape);
                self.recording = Some(sid);
            }
            Err(why) => info!(target: "tenant", "the conference is not recorded: {why}"),
        }
    }

    /// The conference has ended, though somebody who is expected keeps it: what they hear is of another one.
    pub(super) fn end_recording(&mut self) {
        if self.recording.take().is_some() {
            self.mix.tape(TapeOrder::Stop);
        }
    }

    /// Does what the API asks.
    pub(super) fn change_recording(&mut self, request: RecordingRequest) {
        let wanted = request.recording;
        let found = self
            .recording
            .filter(|own| wanted.is_none_or(|wanted| wanted == *own));
        let Some((sid, studio)) = found.zip(self.studio.upgrade()) else {
            // Nobody may be waiting for it any more.
            let _ = request.reply.send(Err(RecordingError::Unknown));
            return;
        };
        let (order, status) = match request.change {
            RecordingChange::Pause(behavior) => {
                (TapeOrder::Pause(behavior), RecordingStatus::Paused)
            }
            RecordingChange::Resume => (TapeOrder::Resume, RecordingStatus::InProgress),
            RecordingChange::Stop => {
                self.recording = None;
                (TapeOrder::Stop, RecordingStatus::Processing)
            }
        };
        // Before the end of the tape, which is written down behind it.
        let kept = studio.set_status(sid, status);
        self.mix.tape(order);
        tokio::spawn(async move {
            // What the client reads next is what it has ordered; one that ended by itself has nothing to be ordered. A failure was logged.
            let answer = match kept.await {
                Ok(true) => Err(RecordingError::Unknown),
                _ => Ok(sid),
            };
            let _ = request.reply.send(answer);
        });
    }
}
