//! What the REST API asks of media streams.

use api::{Done, LiveStream, LiveStreams, StreamName, StreamRefusal};
use call::{
    AccountSid, CallError, CallSid, DoneStream, StreamDeed, StreamId, StreamKey, StreamRequest,
};
use tokio::sync::oneshot;

use crate::call_actor::Message;
use crate::operator::Host;

/// A deed of the API, and where its outcome goes.
#[derive(Debug)]
pub(crate) struct StreamErrand {
    pub(crate) deed: StreamDeed,
    pub(crate) reply: oneshot::Sender<Result<DoneStream, CallError>>,
}

impl LiveStreams for Host {
    fn begin_stream(
        &self,
        account: AccountSid,
        call: CallSid,
        request: StreamRequest,
    ) -> Done<Result<LiveStream, StreamRefusal>> {
        self.run_errand(account, call, StreamDeed::Start(request))
    }

    fn stop_stream(
        &self,
        account: AccountSid,
        call: CallSid,
        stream: StreamName,
    ) -> Done<Result<LiveStream, StreamRefusal>> {
        let key = match stream {
            StreamName::Name(name) => StreamKey::Name(name),
            StreamName::Sid(sid) => match StreamId::of_sid(sid, call) {
                Some(id) => StreamKey::Id(id),
                None => return Box::pin(std::future::ready(Err(StreamRefusal::Unknown))),
            },
        };
        self.run_errand(account, call, StreamDeed::Stop(key))
    }
}

impl Host {
    fn run_errand(
        &self,
        account: AccountSid,
        call: CallSid,
        deed: StreamDeed,
    ) -> Done<Result<LiveStream, StreamRefusal>> {
        let inbox = self.services().live.inbox(account, call);
        Box::pin(async move {
            let inbox = inbox.ok_or(StreamRefusal::NotInProgress)?;
            let (reply, answer) = oneshot::channel();
            // An actor that is gone means a call that is gone.
            inbox
                .send(Message::Stream(StreamErrand { deed, reply }))
                .await
                .map_err(|_| StreamRefusal::NotInProgress)?;
            let answer = answer.await.map_err(|_| StreamRefusal::NotInProgress)?;
            let done = answer.map_err(|error| match error {
                CallError::NotAnswered | CallError::HungUp => StreamRefusal::NotInProgress,
                CallError::UnknownId => StreamRefusal::Unknown,
                other => StreamRefusal::Refused(other.to_string()),
            })?;
            Ok(LiveStream {
                sid: done.id.sid(call),
                name: done.name,
            })
        })
    }
}
