//! The recordings of an actor's call: begun for its story or for the API, and told of.

use api::RecordingChange;
use call::{
    CallError, Command, Input, Recording, RecordingCommand, RecordingId, RecordingOrder,
    RecordingSid, Reply, StartRecording,
};
use store::RecordingStatus;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::CallActor;

/// What the API asks of a call's recordings.
#[derive(Debug)]
pub(crate) struct RecordingRequest {
    pub(crate) deed: RecordingDeed,
    /// The recording that was begun or dealt with, or why not.
    pub(crate) reply: oneshot::Sender<Result<RecordingSid, CallError>>,
}

/// What is to be done. Without a SID it is the latest recording that is meant.
#[derive(Debug)]
pub(crate) enum RecordingDeed {
    Start(StartRecording),
    Change(Option<RecordingSid>, RecordingChange),
}

/// The recordings of one call, by both their names.
#[derive(Debug, Default)]
pub(super) struct Recordings {
    sids: Vec<(RecordingId, RecordingSid)>,
    asked: Option<Asked>,
}

/// The API waits for an answer.
#[derive(Debug)]
struct Asked {
    reply: oneshot::Sender<Result<RecordingSid, CallError>>,
    /// The recording that it is about; of a new one, once it has begun.
    sid: Option<RecordingSid>,
    /// Why a new one could not begin.
    refused: Option<String>,
    /// Ends when what an order makes of it is on disk: whether it was over already.
    kept: Option<JoinHandle<bool>>,
}

impl Recordings {
    fn find(&self, sid: Option<RecordingSid>) -> Option<(RecordingId, RecordingSid)> {
        let is_meant = |(_, own): &&(RecordingId, RecordingSid)| sid.is_none_or(|sid| sid == *own);
        self.sids.iter().rev().find(is_meant).copied()
    }

    fn sid(&self, id: RecordingId) -> Option<RecordingSid> {
        let own = self.sids.iter().find(|(own, _)| *own == id)?;
        Some(own.1)
    }

    pub(super) fn forget(&mut self, id: RecordingId) {
        self.sids.retain(|(own, _)| *own != id);
    }
}

impl CallActor {
    /// What the API asks for, as a command of the call; none if it means no recording of it.
    pub(super) fn ask_for_recording(&mut self, request: RecordingRequest) -> Option<Input> {
        let RecordingRequest { deed, reply } = request;
        let (wanted, change) = match deed {
            RecordingDeed::Start(start) => {
                return Some(self.ask(reply, None, RecordingCommand::Start(start)));
            }
            RecordingDeed::Change(sid, change) => (sid, change),
        };
        let Some((id, sid)) = self.recordings.find(wanted) else {
            // Nobody may be waiting for it any more.
            let _ = reply.send(Err(CallError::UnknownId));
            return None;
        };
        let command = match change {
            RecordingChange::Pause(behavior) => RecordingCommand::Pause(id, behavior),
            RecordingChange::Resume => RecordingCommand::Resume(id),
            RecordingChange::Stop => RecordingCommand::Stop(id),
        };
        Some(self.ask(reply, Some(sid), command))
    }

    fn ask(
        &mut self,
        reply: oneshot::Sender<Result<RecordingSid, CallError>>,
        sid: Option<RecordingSid>,
        command: RecordingCommand,
    ) -> Input {
        self.recordings.asked = Some(Asked {
            reply,
            sid,
            refused: None,
            kept: None,
        });
        Input::Command(Command::Recording(command))
    }

    /// Answers the API if the command in hand was its; gives the answer back if not.
    pub(super) fn answer_api(
        &mut self,
        result: Result<Reply, CallError>,
    ) -> Option<Result<Reply, CallError>> {
        let Some(asked) = self.recordings.asked.take() else {
            return Some(result);
        };
        let answer = match (result, asked.refused, asked.sid) {
            (Err(error), ..) => Err(error),
            (Ok(_), Some(why), _) => Err(CallError::LimitReached(why)),
            (Ok(_), None, Some(sid)) => Ok(sid),
            (Ok(_), None, None) => Err(CallError::UnknownId),
        };
        let (reply, kept) = (asked.reply, asked.kept);
        tokio::spawn(async move {
            // What the client reads next is what it has ordered. A failure was logged.
            let is_over = match kept {
                Some(kept) => kept.await.unwrap_or_default(),
                None => false,
            };
            let answer = if is_over {
                Err(CallError::UnknownId)
            } else {
                answer
            };
            // Nobody may be waiting for it any more.
            let _ = reply.send(answer);
        });
        None
    }

    /// Begins a recording; its end, or that it cannot begin, comes back as an input.
    pub(super) fn start_recording(
        &mut self,
        id: RecordingId,
        start: StartRecording,
        codec: media::Codec,
    ) {
        let studio = &self.services.studio;
        match studio.begin(&self.info, id, start, codec) {
            Ok(begun) => {
                self.recordings.sids.push((id, begun.sid));
                if let Some(asked) = &mut self.recordings.asked {
                    asked.sid = Some(begun.sid);
                }
                self.leg.record(begun.tape);
                let (sid, url) = (begun.sid, studio.url(self.info.account_sid, begun.sid));
                self.job(async move {
                    let ended = begun.ended.await;
                    let lost = |_| failed(sid, url, "the recorder has stopped".to_owned());
                    Input::Recorded(id, ended.unwrap_or_else(lost))
                });
            }
            Err(why) => {
                if let Some(asked) = &mut self.recordings.asked {
                    asked.refused = Some(why.clone());
                }
                let sid = store::random_recording_sid();
                self.job(async move { Input::Recorded(id, failed(sid, String::new(), why)) });
            }
        }
    }

    /// Keeps what an order makes of a recording.
    pub(super) fn note_recording(&mut self, order: RecordingOrder) {
        let (id, status) = match order {
            RecordingOrder::Pause(id, _) => (id, RecordingStatus::Paused),
            RecordingOrder::Resume(id) => (id, RecordingStatus::InProgress),
            RecordingOrder::Stop(id, _) => (id, RecordingStatus::Processing),
        };
        let Some(sid) = self.recordings.sid(id) else {
            return;
        };
        let kept = self.services.studio.set_status(sid, status);
        if let Some(asked) = &mut self.recordings.asked {
            asked.kept = Some(kept);
        }
    }
}

fn failed(sid: RecordingSid, url: String, why: String) -> Recording {
    Recording {
        sid,
        url,
        end: Err(why),
        duration_ms: 0,
        heard_voice: false,
    }
}
