//! Between a story and its call's actor: commands one way, events the other.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use call::{
    AudioCommand, AudioError, AudioReply, CallError, Command, ConcealedKeys, Event, HangUpCause,
    KeyValueCommand, KeyValueError, KeyValueReply, PeopleCommand, PeopleError, PeopleReply,
    PinError, PinVerdict, RecordingId, Reply,
};
use plugin_host::{CallPort, Next};
use tokio::sync::{mpsc, oneshot};

use crate::clock;
use crate::kept_audio::AudioDesk;
use crate::key_values::Pairs;
use crate::people::People;
use crate::pins::PinDesk;

/// Events that a story may leave unread. One that does not read is stopped by its actor.
const EVENTS: usize = 256;

/// One command and where its answer goes.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) command: Command,
    pub(crate) reply: oneshot::Sender<Result<Reply, CallError>>,
}

/// The story's end.
pub(crate) struct Mailbox {
    requests: mpsc::Sender<Request>,
    events: mpsc::Receiver<Event>,
    /// The hang-up that was told: it is told again whenever nothing else is to come.
    hung_up: Option<HangUpCause>,
    /// HTTP requests that were not answered yet; their answers come even after the hang-up.
    http_pending: usize,
    /// Recordings that the story began and that have not ended; their ends come even after the hang-up.
    recordings: HashSet<RecordingId>,
    account: AccountDesks,
    /// Shared with the actor.
    keys_are_concealed: Arc<AtomicBool>,
}

/// What a story reaches of its account past the actor, which does not wait for a disk.
pub(crate) struct AccountDesks {
    pub(crate) pairs: Pairs,
    pub(crate) people: People,
    pub(crate) audio: AudioDesk,
    pub(crate) pins: PinDesk,
}

/// The actor's end.
#[derive(Debug)]
pub(crate) struct StoryDesk {
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) events: mpsc::Sender<Event>,
    keys_are_concealed: Arc<AtomicBool>,
}

impl StoryDesk {
    /// Whether keys are a PIN that the story asks for: then nobody else is told them.
    pub(crate) fn keys_are_concealed(&self) -> bool {
        self.keys_are_concealed.load(Ordering::Acquire)
    }
}

/// A mailbox for one story and the desk of its actor.
pub(crate) fn mailbox(account: AccountDesks) -> (Mailbox, StoryDesk) {
    // A story has one command under way at a time.
    let (requests, requests_out) = mpsc::channel(1);
    let (events_in, events) = mpsc::channel(EVENTS);
    let keys_are_concealed = Arc::new(AtomicBool::new(false));
    (
        Mailbox {
            requests,
            events,
            hung_up: None,
            http_pending: 0,
            recordings: HashSet::new(),
            account,
            keys_are_concealed: Arc::clone(&keys_are_concealed),
        },
        StoryDesk {
            requests: requests_out,
            events: events_in,
            keys_are_concealed,
        },
    )
}

impl CallPort for Mailbox {
    async fn command(&mut self, command: Command) -> Result<Reply, CallError> {
        let (reply, answer) = oneshot::channel();
        let request = Request { command, reply };
        // An actor that is gone means a call that is gone.
        self.requests
            .send(request)
            .await
            .map_err(|_| CallError::HungUp)?;
        let reply = answer.await.map_err(|_| CallError::HungUp)??;
        match reply {
            Reply::Request(_) => self.http_pending += 1,
            Reply::Recording(id) => {
                self.recordings.insert(id);
            }
            _ => {}
        }
        Ok(reply)
    }

    async fn next_event(&mut self, timeout: Option<Duration>) -> Next {
        let event = match self.hung_up {
            Some(cause) if self.http_pending == 0 && self.recordings.is_empty() => {
                Some(Event::HungUp(cause))
            }
            _ => self.wait(timeout).await,
        };
        match &event {
            Some(Event::HungUp(cause)) => self.hung_up = Some(*cause),
            Some(Event::TakenFromQueue(_)) => self.hung_up = Some(HangUpCause::Api),
            Some(Event::HttpResponse(..)) => {
                self.http_pending = self.http_pending.saturating_sub(1);
            }
            Some(Event::RecordingEnded(id, _)) => {
                self.recordings.remove(id);
            }
            _ => {}
        }
        Next {
            event,
            now_unix_ms: clock::unix_ms(),
        }
    }

    async fn key_value(
        &mut self,
        command: KeyValueCommand,
    ) -> Result<KeyValueReply, KeyValueError> {
        self.account.pairs.obey(command).await
    }

    async fn people(&mut self, command: PeopleCommand) -> Result<PeopleReply, PeopleError> {
        self.account.people.obey(command).await
    }

    async fn audio(&mut self, command: AudioCommand) -> Result<AudioReply, AudioError> {
        self.account.audio.obey(command).await
    }

    fn conceal_keys(&mut self, are_concealed: bool) {
        self.keys_are_concealed
            .store(are_concealed, Ordering::Release);
    }

    async fn check_pin(
        &mut self,
        secret: String,
        keys: ConcealedKeys,
    ) -> Result<PinVerdict, PinError> {
        self.account.pins.check(&secret, &keys)
    }
}

impl Mailbox {
    async fn wait(&mut self, timeout: Option<Duration>) -> Option<Event> {
        let lost = || Event::HungUp(self.hung_up.unwrap_or(HangUpCause::Lost));
        match timeout {
            None => Some(self.events.recv().await.unwrap_or_else(lost)),
            Some(timeout) => match tokio::time::timeout(timeout, self.events.recv()).await {
                Ok(event) => Some(event.unwrap_or_else(lost)),
                Err(_) => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use call::{AccountSid, CallInfo, CallSid, Direction, RequestId};
    use store::{MemoryStore, Scope, Store};
    use tokio::runtime::Handle;

    use super::*;
    use crate::callbacks::Callbacks;
    use crate::config;
    use crate::recorder::Studio;
    use crate::uploads::Uploads;

    fn mailbox() -> (Mailbox, StoryDesk) {
        let info = CallInfo {
            call_sid: CallSid::from_bytes([2; 16]),
            account_sid: AccountSid::from_bytes([1; 16]),
            caller: "+1".to_owned(),
            callee: "1000".to_owned(),
            direction: Direction::Inbound,
            parent_call_sid: None,
            sip_call_id: "a@b".to_owned(),
        };
        let nobody = Scope::of_host(info.account_sid);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let folder = tempfile::tempdir().unwrap();
        let studio = Studio::start(
            folder.path(),
            &config::Recording::default(),
            String::new(),
            Arc::clone(&store),
            Arc::new(Callbacks::new()),
            Handle::current(),
        )
        .unwrap();
        let uploads = Uploads::new(folder.path());
        super::mailbox(AccountDesks {
            pairs: Pairs::new(Arc::clone(&store), nobody),
            people: People::new(Arc::clone(&store), nobody),
            pins: PinDesk::new(Arc::clone(&store), Arc::default(), &info),
            audio: AudioDesk::new(store, Arc::new(studio), uploads, Arc::new(info)),
        })
    }

    async fn next(mailbox: &mut Mailbox) -> Option<Event> {
        mailbox.next_event(Some(Duration::from_secs(1))).await.event
    }

    #[tokio::test(start_paused = true)]
    async fn the_hang_up_is_told_again_but_not_before_the_last_response() {
        let (mut mailbox, mut desk) = mailbox();
        let answer = async {
            let request = desk.requests.recv().await.unwrap();
            request
                .reply
                .send(Ok(Reply::Request(RequestId(1))))
                .unwrap();
        };
        let (reply, ()) = tokio::join!(mailbox.command(Command::HangUp), answer);
        reply.unwrap();
        let hung_up = Event::HungUp(HangUpCause::Remote);
        desk.events.send(hung_up.clone()).await.unwrap();
        assert_eq!(next(&mut mailbox).await, Some(hung_up.clone()));
        assert_eq!(
            next(&mut mailbox).await,
            None,
            "the response is still to come"
        );
        let response =
            Event::HttpResponse(RequestId(1), Err(call::HttpError::TimedOut(String::new())));
        desk.events.send(response.clone()).await.unwrap();
        assert_eq!(next(&mut mailbox).await, Some(response));
        assert_eq!(next(&mut mailbox).await, Some(hung_up.clone()));
        assert_eq!(next(&mut mailbox).await, Some(hung_up));
    }

    #[tokio::test]
    async fn the_actor_knows_when_keys_are_a_secret() {
        let (mut mailbox, desk) = mailbox();
        assert!(!desk.keys_are_concealed());
        for are_concealed in [true, false] {
            mailbox.conceal_keys(are_concealed);
            assert_eq!(desk.keys_are_concealed(), are_concealed);
        }
    }

    #[tokio::test]
    async fn a_call_that_is_gone_is_hung_up() {
        let (mut mailbox, desk) = mailbox();
        drop(desk);
        assert_eq!(
            mailbox.command(Command::Answer).await,
            Err(CallError::HungUp)
        );
        assert_eq!(
            mailbox.next_event(None).await.event,
            Some(Event::HungUp(HangUpCause::Lost))
        );
    }
}
