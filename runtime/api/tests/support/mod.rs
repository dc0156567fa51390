//! The router over a store in memory, with two accounts.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod broken;
pub(crate) mod fields;
pub(crate) mod routes;
pub(crate) mod things;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::future::ready;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use call::{
    AccountSid, CallRecord, CallSid, CallStatus, ConferenceCallback, ConferenceEndReason,
    ConferenceInput, ConferenceSid, ConferenceTerms, ConferenceTurn, Exchange, Grants, HttpError,
    HttpMethod, HttpRequest, HttpResponse, Participant, ParticipantExit, RecordingChannels,
    RecordingOf, RecordingSid, StartRecording, StreamId, StreamRequest,
};
use dial::AccountWaits;
use http_body_util::BodyExt as _;
use jackfield_api::{
    ApiState, Done, End, EndError, Fault, GatewayStatus, LearnedChannels, LiveBroadcasts,
    LiveCalls, LiveMessages, LiveRecordings, LiveRooms, LiveStream, LiveStreams, Media, MediaError,
    MediaFile, Message, MessageOutcome, Metric, NotExpected, Operator, Plugins, PushError,
    QueueMember, QueueView, RecordingChange, RecordingError, RecordingFile, RecordingFormat,
    StreamName, StreamRefusal, Told, TrunkStatus, Upload, router,
};
use serde_json::Value;
use store::tenants::Surroundings;
use store::{
    AccountStore, Applied, Author, CallRow, ConferenceNote, Directory, Flow, Leg, MemoryStore,
    NewRecording, NewVersion, OperatorEdit, ParticipantFilter, Plugin, PluginChange, PluginLogLine,
    PluginOwner, Priority, RecordingEnding, RecordingRow, RecordingStatus, Scope, Secret, SelfTest,
    Store, StoreError, Tenants, TrunkId, UploadedPlugin, VersionUsage,
};
use tokio::sync::Notify;
use tower::ServiceExt as _;

pub(crate) const SID: &str = "AC11111111111111111111111111111111";
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const OTHER_SID: &str = "AC22222222222222222222222222222222";
pub(crate) const OTHER_TOKEN: &str = "fedcba9876543210fedcba9876543210";
pub(crate) const NOBODY_SID: &str = "AC33333333333333333333333333333333";
pub(crate) const OPERATOR_KEY: &str = "the operator's key";

pub(crate) const TENANTS: &str = r#"
[[carrier]]
id = "demo"
number_pool = ["+85533333333"]

[[account]]
carrier = "demo"
name = "hotline"
sid = "AC11111111111111111111111111111111"
auth_token = "0123456789abcdef0123456789abcdef"
outbound.allow = ["+855", "1294", "sip:"]

[[account]]
carrier = "demo"
name = "other"
sid = "AC22222222222222222222222222222222"
auth_token = "fedcba9876543210fedcba9876543210"
outbound.allow = ["+"]

[[trunk]]
id = "gateway"
carrier = "demo"
target = "127.0.0.1:5080"
max_channels = 10
calls_per_second = 1.0

[[number]]
number = "+85511111111"
account = "hotline"
flow = "menu"

[[number]]
number = "345"
account = "hotline"
flow = "menu"

[[number]]
number = "+85522222222"
account = "other"
flow = "menu"
"#;

/// When every test begins: Tue, 31 Aug 2010 20:36:28 UTC.
pub(crate) const START_UNIX_MS: u64 = 1_283_286_988_000;

/// A call, and the flow and settings that it was given.
pub(crate) type Redirected = (CallSid, Flow, BTreeMap<String, String>);

/// Ends calls in the store at once, and remembers what it was told.
#[derive(Default)]
pub(crate) struct Live {
    store: Arc<MemoryStore>,
    pub(crate) full: AtomicBool,
    pub(crate) accepted: Mutex<Vec<CallSid>>,
    /// How often it was told of the outbox.
    pub(crate) callbacks: AtomicU64,
    /// How often it was told that accounts have changed.
    pub(crate) directory_changes: AtomicU64,
    pub(crate) media: Mutex<BTreeMap<(AccountSid, String), MediaFile>>,
    /// How often it was told of broadcasts.
    pub(crate) broadcast_changes: AtomicU64,
    /// The plugin that says when broadcasts call again.
    pub(crate) retry_strategy: Mutex<Option<String>>,
    pub(crate) ended: Mutex<Vec<(AccountSid, CallSid, End)>>,
    pub(crate) redirected: Mutex<Vec<Redirected>>,
    pub(crate) cancelled: Mutex<Vec<(AccountSid, Option<Priority>)>>,
    pub(crate) limited: Mutex<Vec<(CallSid, Duration)>>,
    /// Of the calls that are up, as far as they have come.
    pub(crate) journals: Mutex<BTreeMap<CallSid, Vec<u8>>>,
    /// What the account's routing policy answers.
    pub(crate) policy: Mutex<Option<jackfield_api::PolicyAnswer>>,
    /// What the next `end` fails with.
    pub(crate) failure: Mutex<Option<EndError>>,
}

impl LiveCalls for Live {
    fn take_place(&self, _account: AccountSid) -> Option<jackfield_api::Place> {
        let has_room = !self.full.load(Ordering::SeqCst);
        has_room.then(|| Box::new(()) as jackfield_api::Place)
    }

    fn waits(&self, _account: AccountSid) -> AccountWaits {
        AccountWaits::default()
    }

    fn explain_route(
        &self,
        account: AccountSid,
        from: &str,
        to: &str,
    ) -> Result<Vec<dial::Choice>, dial::Refusal> {
        let directory = self.store.directory();
        let limits = dial::QueueLimits::default();
        let dialer = dial::Dialer::new(directory, limits);
        dialer.explain(std::time::Instant::now(), account, from, to)
    }

    fn ask_policy(
        &self,
        _account: AccountSid,
        _from: &str,
        _to: &str,
    ) -> Done<Option<jackfield_api::PolicyAnswer>> {
        Box::pin(ready(self.policy.lock().unwrap().clone()))
    }

    fn cancel_waiting(&self, account: AccountSid, class: Option<Priority>) -> Done<usize> {
        self.cancelled.lock().unwrap().push((account, class));
        Box::pin(ready(3))
    }

    fn directory_changed(&self) {
        self.directory_changes.fetch_add(1, Ordering::SeqCst);
    }

    fn callbacks_wait(&self) {
        self.callbacks.fetch_add(1, Ordering::SeqCst);
    }

    fn journal(&self, _account: AccountSid, call: CallSid) -> Done<Option<Vec<u8>>> {
        let journals = self.journals.lock().unwrap();
        Box::pin(ready(journals.get(&call).cloned()))
    }

    fn accepted(&self, call: &CallRow) {
        let kept = self
            .store
            .call(Scope::of_host(call.account), call.sid)
            .unwrap();
        assert_eq!(kept.as_ref(), Some(call), "kept before it is handed on");
        self.accepted.lock().unwrap().push(call.sid);
    }

    fn end(&self, account: AccountSid, call: CallSid, how: End) -> Done<Result<(), EndError>> {
        self.ended.lock().unwrap().push((account, call, how));
        if let Some(failure) = self.failure.lock().unwrap().take() {
            return Box::pin(ready(Err(failure)));
        }
        let row = self
            .store
            .call(Scope::of_host(account), call)
            .unwrap()
            .unwrap();
        let (status, duration_s) = match row.status {
            CallStatus::InProgress => (CallStatus::Completed, 7),
            _ => (CallStatus::Canceled, 0),
        };
        let record = CallRecord {
            duration_s,
            ..CallRecord::new(status, "ended by the API")
        };
        let finished = self
            .store
            .finish_call(call, record, START_UNIX_MS + 9000, None);
        Box::pin(async { Ok(finished.await?) })
    }

    fn redirect(
        &self,
        _account: AccountSid,
        call: CallSid,
        flow: Flow,
        settings: BTreeMap<String, String>,
    ) -> bool {
        let is_there = !self.full.load(Ordering::SeqCst);
        let mut redirected = self.redirected.lock().unwrap();
        redirected.push((call, flow, settings));
        is_there
    }

    fn limit(&self, _account: AccountSid, call: CallSid, longest: Duration) {
        self.limited.lock().unwrap().push((call, longest));
    }
}

/// Keeps no more than names; what is empty is no audio.
impl Media for Live {
    fn keep(
        &self,
        account: AccountSid,
        name: String,
        bytes: Bytes,
    ) -> Done<Result<MediaFile, MediaError>> {
        if bytes.is_empty() {
            let why = "The file cannot be played: it is empty".to_owned();
            return Box::pin(ready(Err(MediaError::Unfit(why))));
        }
        let file = MediaFile {
            name: name.clone(),
            bytes: bytes.len() as u64,
            updated_unix_ms: START_UNIX_MS,
        };
        let mut media = self.media.lock().unwrap();
        media.insert((account, name), file.clone());
        Box::pin(ready(Ok(file)))
    }

    fn list(&self, account: AccountSid) -> Done<std::io::Result<Vec<MediaFile>>> {
        let media = self.media.lock().unwrap();
        let own = media.iter().filter(|((of, _), _)| *of == account);
        Box::pin(ready(Ok(own.map(|(_, file)| file.clone()).collect())))
    }

    fn remove(&self, account: AccountSid, name: String) -> Done<std::io::Result<bool>> {
        let gone = self.media.lock().unwrap().remove(&(account, name));
        Box::pin(ready(Ok(gone.is_some())))
    }

    fn is_there(&self, account: AccountSid, name: String) -> Done<bool> {
        let is_there = self.media.lock().unwrap().contains_key(&(account, name));
        Box::pin(ready(is_there))
    }
}

impl LiveBroadcasts for Live {
    fn broadcasts_changed(&self) {
        self.broadcast_changes.fetch_add(1, Ordering::SeqCst);
    }

    fn retry_strategy(&self, _account: AccountSid) -> Option<String> {
        self.retry_strategy.lock().unwrap().clone()
    }
}

/// Begins recordings in the store, and has one file for all.
pub(crate) struct Tapes(Arc<MemoryStore>);

pub(crate) const RE: RecordingSid = RecordingSid::from_bytes([0x44; 16]);
pub(crate) const WAV: &[u8] = b"RIFF and so on";
pub(crate) const MIXED_MP3: &[u8] = b"both voices in one channel";

impl LiveRecordings for Tapes {
    fn begin(
        &self,
        account: AccountSid,
        call: CallSid,
        start: StartRecording,
    ) -> Done<Result<RecordingSid, RecordingError>> {
        // `RE` is the first of `hotline`.
        let scope = Scope::of_host(account);
        let sids = (0x44..).map(|number| member(account, number));
        let mut sids = sids.map(|sid| RecordingSid::from_bytes(*sid.as_bytes()));
        let is_new = |sid: &RecordingSid| self.0.recording(scope, *sid).unwrap().is_none();
        let sid = sids.find(is_new).unwrap();
        let new = NewRecording {
            sid,
            of: call.into(),
            source: start.source,
            tracks: start.options.tracks,
            callback: None,
            url: String::new(),
            channels: match start.options.channels {
                RecordingChannels::Mono => 1,
                RecordingChannels::Dual => 2,
            },
            rate_hz: 8_000,
            created_unix_ms: START_UNIX_MS,
        };
        let begun = self.0.begin_recording(scope, new);
        Box::pin(async move {
            begun.await.unwrap();
            Ok(sid)
        })
    }

    fn change(
        &self,
        _account: AccountSid,
        _of: RecordingOf,
        recording: Option<RecordingSid>,
        change: RecordingChange,
    ) -> Done<Result<RecordingSid, RecordingError>> {
        let sid = recording.unwrap_or(RE);
        let done = match change {
            RecordingChange::Pause(_) => {
                self.0.set_recording_status(sid, RecordingStatus::Paused, 0)
            }
            RecordingChange::Resume => {
                self.0
                    .set_recording_status(sid, RecordingStatus::InProgress, 0)
            }
            RecordingChange::Stop => {
                let ending = RecordingEnding {
                    status: RecordingStatus::Completed,
                    duration_ms: 4_400,
                    file_bytes: 70_444,
                };
                self.0.finish_recording(sid, ending, START_UNIX_MS)
            }
        };
        Box::pin(async move {
            match done.await {
                Ok(()) => Ok(sid),
                Err(_) => Err(RecordingError::Unknown),
            }
        })
    }

    fn open(
        &self,
        recording: &RecordingRow,
        format: RecordingFormat,
        channels: RecordingChannels,
    ) -> Done<std::io::Result<Option<RecordingFile>>> {
        let (pieces, out) = tokio::sync::mpsc::channel(2);
        let file = match (format, channels) {
            (RecordingFormat::Mp3, RecordingChannels::Mono) if recording.channels == 2 => MIXED_MP3,
            _ => WAV,
        };
        pieces.try_send(Ok(file.into())).unwrap();
        Box::pin(ready(Ok(Some(RecordingFile {
            format,
            bytes: (format == RecordingFormat::Wav).then_some(WAV.len() as u64),
            pieces: out,
        }))))
    }

    fn remove(&self, _recording: &RecordingRow) -> Done<std::io::Result<()>> {
        Box::pin(ready(Ok(())))
    }
}

/// Has one stream at a time, which is called `ear` until another one is begun; remembers what was asked for.
#[derive(Default)]
pub(crate) struct Taps {
    pub(crate) begun: Mutex<Vec<StreamRequest>>,
    pub(crate) messages: Arc<Mutex<Vec<Message>>>,
    pub(crate) slow: Arc<Slow>,
}

/// A connector that takes the text `slow` when it is told to.
#[derive(Default)]
pub(crate) struct Slow {
    pub(crate) begun: Notify,
    pub(crate) answers: Notify,
    pub(crate) taken: Notify,
}

/// Takes texts, but for two.
impl LiveMessages for Taps {
    fn send_message(&self, _: AccountSid, message: Message) -> Done<MessageOutcome> {
        if message.body == "slow" {
            let (messages, slow) = (Arc::clone(&self.messages), Arc::clone(&self.slow));
            return Box::pin(async move {
                slow.begun.notify_one();
                slow.answers.notified().await;
                messages.lock().unwrap().push(message);
                slow.taken.notify_one();
                MessageOutcome::Sent
            });
        }
        let outcome = match message.body.as_str() {
            "lost" => MessageOutcome::Failed("nobody there".to_owned()),
            "unconnected" => MessageOutcome::NoConnector,
            _ => MessageOutcome::Sent,
        };
        self.messages.lock().unwrap().push(message);
        Box::pin(ready(outcome))
    }
}

impl LiveStreams for Taps {
    fn begin_stream(
        &self,
        _: AccountSid,
        call: CallSid,
        request: StreamRequest,
    ) -> Done<Result<LiveStream, StreamRefusal>> {
        let answer = match request.name.as_deref() {
            Some("taken") => Err(StreamRefusal::Refused("that name is taken".to_owned())),
            name => Ok(LiveStream {
                sid: StreamId(1).sid(call),
                name: name.map(str::to_owned),
            }),
        };
        self.begun.lock().unwrap().push(request);
        Box::pin(ready(answer))
    }

    fn stop_stream(
        &self,
        _: AccountSid,
        call: CallSid,
        stream: StreamName,
    ) -> Done<Result<LiveStream, StreamRefusal>> {
        let sid = StreamId(1).sid(call);
        let is_there = match &stream {
            StreamName::Sid(named) => *named == sid,
            StreamName::Name(name) => name == "ear",
        };
        let stopped = is_there.then(|| LiveStream {
            sid,
            name: Some("ear".to_owned()),
        });
        Box::pin(ready(stopped.ok_or(StreamRefusal::Unknown)))
    }
}

/// A call that waits at the account's queue `busy`. No two accounts have one in common.
pub(crate) fn member(account: AccountSid, number: u8) -> CallSid {
    let hotline: AccountSid = SID.parse().unwrap();
    let bytes = account.as_bytes().iter().zip(hotline.as_bytes());
    let bytes: Vec<u8> = bytes.map(|(one, other)| one ^ other ^ number).collect();
    CallSid::from_bytes(bytes.try_into().unwrap())
}

/// Does to conferences in the store what it is ordered to, as if somebody were in those that go on.
pub(crate) struct Rooms {
    store: Arc<MemoryStore>,
    /// What holds for the conferences in which somebody is expected.
    terms: Arc<Mutex<Vec<ConferenceTerms>>>,
    /// What was ordered of conferences that go on.
    orders: Arc<Mutex<Vec<ConferenceInput>>>,
}

impl LiveRooms for Rooms {
    fn order_conference(
        &self,
        account: AccountSid,
        sid: ConferenceSid,
        order: ConferenceInput,
    ) -> Done<bool> {
        let scope = Scope::of_host(account);
        let conference = self.store.conference(scope, sid).unwrap();
        if conference.is_none_or(|row| row.ended.is_some()) {
            return Box::pin(ready(false));
        }
        self.orders.lock().unwrap().push(order.clone());
        let rows = self
            .store
            .participants(scope, sid, Default::default(), None, 250)
            .unwrap()
            .rows;
        let of = |call: CallSid| {
            let row = rows.iter().find(|row| row.participant.call == call);
            row.map(|row| row.participant.clone())
        };
        let turn = match order {
            ConferenceInput::End => Some(ConferenceTurn::Ended(ConferenceEndReason::Api, None)),
            ConferenceInput::Kick(call) => {
                of(call).map(|one| ConferenceTurn::Left(one, ParticipantExit::Kicked))
            }
            ConferenceInput::Announce(to, source) => Some(ConferenceTurn::Announced {
                participant: to.and_then(of),
                source,
                outcome: Ok(()),
            }),
            ConferenceInput::Change(call, change) => of(call).map(|one| {
                ConferenceTurn::Modified(Participant {
                    muted: change.muted.unwrap_or(one.muted),
                    held: change.hold.map_or(one.held, |hold| hold.is_some()),
                    coaches: change.coach.unwrap_or(one.coaches),
                    end_on_exit: change.end_on_exit.unwrap_or(one.end_on_exit),
                    ..one
                })
            }),
            other => panic!("{other:?} is not the API's to order"),
        };
        let is_done = turn.map(|turn| self.note(scope, sid, turn)).is_some();
        Box::pin(ready(is_done))
    }

    fn expect_participant(
        &self,
        account: AccountSid,
        name: String,
        participant: Participant,
        callback: Option<ConferenceCallback>,
        terms: ConferenceTerms,
    ) -> Done<Result<ConferenceSid, NotExpected>> {
        let (scope, sid) = (Scope::of_host(account), ConferenceSid::from_bytes([8; 16]));
        let all = self
            .store
            .participants(scope, sid, ParticipantFilter::default(), None, 250);
        let all = all.unwrap().rows;
        let label = participant.label.as_ref();
        if label.is_some()
            && all
                .iter()
                .any(|row| row.participant.label.as_ref() == label)
        {
            return Box::pin(ready(Err(NotExpected::LabelTaken)));
        }
        let is_there = |call| all.iter().any(|row| row.participant.call == call);
        if participant
            .coaches
            .is_some_and(|coached| !is_there(coached))
        {
            return Box::pin(ready(Err(NotExpected::CoachedMissing)));
        }
        let placed = terms.region.clone().map(ConferenceTurn::Placed);
        self.terms.lock().unwrap().push(terms);
        let opened = [ConferenceTurn::Opened(callback)].into_iter().chain(placed);
        for turn in opened.chain([ConferenceTurn::Expected(participant)]) {
            let note = ConferenceNote {
                sid,
                name: name.clone(),
                turn,
                at_unix_ms: START_UNIX_MS,
            };
            self.store.note_conference(scope, note).wait().unwrap();
        }
        Box::pin(ready(Ok(sid)))
    }

    fn conference_name(&self, account: AccountSid, sid: ConferenceSid) -> Option<String> {
        let found = self.store.conference(Scope::of_host(account), sid).unwrap();
        found.map(|row| row.name)
    }

    fn look_at_queue(&self, account: AccountSid, name: String) -> Done<Option<QueueView>> {
        let members = (1..=3).map(|number| QueueMember {
            call: member(account, number),
            since_unix_ms: START_UNIX_MS,
            waited_s: 4 - u32::from(number),
        });
        let view = QueueView {
            average_wait_s: 2,
            members: members.collect(),
        };
        Box::pin(ready((name == "busy").then_some(view)))
    }

    fn resize_queue(&self, _: AccountSid, _: String, _: u32) {}

    fn expects_no_longer(&self, call: CallSid) {
        let scope = Scope::of_host(SID.parse().unwrap());
        let sid = ConferenceSid::from_bytes([8; 16]);
        self.note(scope, sid, ConferenceTurn::Missed(call));
    }
}

impl Rooms {
    fn note(&self, scope: Scope, sid: ConferenceSid, turn: ConferenceTurn) {
        let note = ConferenceNote {
            sid,
            name: "weekly".to_owned(),
            turn,
            at_unix_ms: START_UNIX_MS + 9_000,
        };
        self.store.note_conference(scope, note).wait().unwrap();
    }
}

/// Takes components that begin as WebAssembly does; those that end in `fails` fail their self-test.
pub(crate) struct Workshop(Arc<MemoryStore>);

impl Plugins for Workshop {
    fn usage(&self, _: &PluginOwner, _: &str) -> HashMap<u32, VersionUsage> {
        let usage = VersionUsage {
            calls: 7,
            ..VersionUsage::default()
        };
        HashMap::from([(1, usage)])
    }

    fn log(&self, _: &PluginOwner, _: &str) -> Vec<PluginLogLine> {
        vec![PluginLogLine {
            at_unix_ms: START_UNIX_MS,
            version: 1,
            call: "CA1".to_owned(),
            level: "warn".to_owned(),
            message: "three callers".to_owned(),
        }]
    }

    fn push(&self, upload: Upload) -> Done<Result<UploadedPlugin, PushError>> {
        if !upload.bytes.starts_with(b"\0asm") {
            return Box::pin(ready(Err(PushError::Unfit("not a component".to_owned()))));
        }
        let self_test = match upload.bytes.ends_with(b"fails") {
            true => SelfTest::Failed {
                cases: 2,
                why: "it said something else".to_owned(),
            },
            false => SelfTest::Passed { cases: 2 },
        };
        let kept = self.0.upload_plugin(NewVersion {
            owner: upload.owner,
            name: upload.name,
            bytes: upload.bytes.into(),
            worlds: vec!["call-flow".to_owned()],
            self_test,
            activate: upload.activate,
            by: upload.by,
            at_unix_ms: START_UNIX_MS,
        });
        Box::pin(async { Ok(kept.await?) })
    }

    fn change(
        &self,
        owner: PluginOwner,
        name: String,
        change: PluginChange,
        who: String,
    ) -> Done<Result<Arc<Plugin>, PushError>> {
        let changed = self
            .0
            .change_plugin(owner, name, change, who, START_UNIX_MS);
        Box::pin(async { Ok(changed.await?) })
    }
}

/// Takes components that begin as WebAssembly does.
pub(crate) struct Staff(Arc<MemoryStore>);

impl Operator for Staff {
    fn bundled(&self) -> Vec<String> {
        vec!["menu".to_owned()]
    }

    fn check_component(&self, bytes: &[u8], _: &Grants) -> Result<(), String> {
        bytes
            .starts_with(b"\0asm")
            .then_some(())
            .ok_or_else(|| "not a component".to_owned())
    }

    fn metrics(&self) -> Done<Vec<Metric>> {
        let metric = |name, labels: &[_], value| Metric {
            name,
            help: "what it counts",
            labels: labels.to_vec(),
            value,
        };
        let trunk = |id: &str| [("trunk", id.to_owned())];
        let metrics = vec![
            metric("calls", &[], 2),
            metric("trunk_channels", &trunk("north"), 7),
            metric("trunk_channels", &trunk("a \"b\\"), 8),
            metric("sip_malformed_total", &[], 3),
        ];
        Box::pin(async move { metrics })
    }

    fn trunks(&self) -> Done<Vec<TrunkStatus>> {
        let gateway = GatewayStatus {
            contact: "sip:gw@10.0.0.7".to_owned(),
            hop: "udp:192.0.2.7:40000".to_owned(),
            expires_in_s: 500,
        };
        let status = TrunkStatus {
            id: "vientiane-1".to_owned(),
            carrier: "laos".to_owned(),
            channels_in_use: 3,
            max_channels: 8,
            learned: vec![LearnedChannels {
                prefix: Some("+25261".to_owned()),
                channels: 5,
            }],
            registration: None,
            down: Vec::new(),
            gateways: vec![gateway],
        };
        Box::pin(async move { vec![status] })
    }

    fn administer(
        &self,
        edit: OperatorEdit,
        author: Author,
    ) -> Done<Result<Arc<Directory>, StoreError>> {
        Box::pin(self.0.administer(edit, author))
    }

    fn apply(&self, tenants: Tenants) -> Done<Result<Applied, StoreError>> {
        Box::pin(self.0.apply(tenants))
    }
}

/// What the journal `[1,2]` tells: a document that was fetched, one that was not, and what was said of it.
fn told() -> Told {
    let request = |url: &str| HttpRequest {
        method: HttpMethod::Post,
        url: url.to_owned(),
        headers: vec![("accept".to_owned(), "*/*".to_owned())],
        body: b"CallSid=CA1&To=%2B1".to_vec(),
        sign: true,
    };
    let response = HttpResponse {
        status: 200,
        headers: vec![("content-type".to_owned(), "text/xml".to_owned())],
        body: b"<Response/>".to_vec(),
        url: "http://a/voice".to_owned(),
    };
    let unreachable = HttpError::Unreachable("http://b/".to_owned());
    let fault = |is_error, message: &str| Fault {
        at_unix_ms: START_UNIX_MS + 2_000,
        is_error,
        message: message.to_owned(),
    };
    Told {
        exchanges: vec![
            Exchange {
                at_unix_ms: START_UNIX_MS,
                request: request("http://a/voice"),
                answer: Some((START_UNIX_MS + 120, Ok(response))),
            },
            Exchange {
                at_unix_ms: START_UNIX_MS + 1_000,
                request: request("http://b/"),
                answer: Some((START_UNIX_MS + 2_000, Err(unreachable))),
            },
        ],
        faults: vec![
            fault(false, "12200 http://a/voice: line 1: `Sai` is no verb"),
            fault(true, "a line without a code"),
            fault(true, "11200 http://b/: unreachable"),
        ],
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Answer {
    /// The status and Twilio's code of an error; the rest of its shape is checked on the way.
    #[track_caller]
    pub(crate) fn problem(&self) -> (u16, u64) {
        let code = self.json["code"]
            .as_u64()
            .unwrap_or_else(|| panic!("{self:?}"));
        let more_info = format!("https://www.twilio.com/docs/errors/{code}");
        assert_eq!(self.json["more_info"], more_info.as_str(), "{self:?}");
        assert_eq!(self.json["status"], self.status.as_u16(), "{self:?}");
        assert!(self.json["message"].is_string(), "{self:?}");
        assert_eq!(self.json.as_object().unwrap().len(), 4, "{self:?}");
        (self.status.as_u16(), code)
    }

    pub(crate) fn message(&self) -> &str {
        self.json["message"].as_str().unwrap()
    }
}

pub(crate) struct Api {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) live: Arc<Live>,
    pub(crate) taps: Arc<Taps>,
    /// What holds for the conferences in which somebody is expected.
    pub(crate) terms: Arc<Mutex<Vec<ConferenceTerms>>>,
    /// What was ordered of conferences that go on.
    pub(crate) conference_orders: Arc<Mutex<Vec<ConferenceInput>>>,
    pub(crate) now: Arc<AtomicU64>,
    pub(crate) router: Router,
}

impl Api {
    pub(crate) fn new() -> Self {
        Self::with(TENANTS)
    }

    /// With these tenants.
    pub(crate) fn with(tenants: &str) -> Self {
        Self::built(tenants, |store| store)
    }

    /// With whatever `between` puts between the router and the store.
    pub(crate) fn over<S: AccountStore + 'static>(
        between: impl FnOnce(Arc<MemoryStore>) -> Arc<S>,
    ) -> Self {
        Self::built(TENANTS, between)
    }

    fn built<S: AccountStore + 'static>(
        tenants: &str,
        between: impl FnOnce(Arc<MemoryStore>) -> Arc<S>,
    ) -> Self {
        let store = Arc::new(MemoryStore::new());
        let surroundings = Surroundings {
            folder: Path::new("/"),
            bundled: &["menu"],
            uploaded: &|_, _, _| false,
            check_component: &|_, _| Ok(()),
        };
        store
            .apply(Tenants::parse(tenants, &surroundings).unwrap())
            .wait()
            .unwrap();
        let live = Arc::new(Live {
            store: Arc::clone(&store),
            ..Live::default()
        });
        let taps = Arc::new(Taps::default());
        let now = Arc::new(AtomicU64::new(START_UNIX_MS));
        let terms = Arc::<Mutex<Vec<ConferenceTerms>>>::default();
        let conference_orders = Arc::<Mutex<Vec<ConferenceInput>>>::default();
        let clock = Arc::clone(&now);
        let router = router(ApiState {
            store: between(Arc::clone(&store)),
            people: Arc::clone(&store) as Arc<dyn store::PeopleStore>,
            broadcasts: Arc::clone(&store) as Arc<dyn store::BroadcastStore>,
            media: live.clone(),
            live_broadcasts: live.clone(),
            live: live.clone(),
            recordings: Arc::new(Tapes(Arc::clone(&store))),
            streams: taps.clone(),
            messages: taps.clone(),
            rooms: Arc::new(Rooms {
                store: Arc::clone(&store),
                terms: Arc::clone(&terms),
                orders: Arc::clone(&conference_orders),
            }),
            public_url: "https://voice.example".to_owned(),
            redact_journal: |journal| (journal == b"[1,2]").then(|| b"[0,0]".to_vec()),
            read_journal: |journal| (journal == b"[1,2]").then(told),
            plugins: Arc::new(Workshop(Arc::clone(&store))),
            operator: Arc::new(Staff(Arc::clone(&store))),
            operator_key: Secret::new(OPERATOR_KEY.to_owned()),
            clock: Arc::new(move || clock.load(Ordering::SeqCst)),
        });
        Self {
            store,
            live,
            taps,
            terms,
            conference_orders,
            now,
            router,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let json = match body.is_empty() {
            true => Value::Null, // a 204
            false => serde_json::from_slice(&body)
                .unwrap_or_else(|error| panic!("{error} in {status} {body:?}")),
        };
        Answer {
            status,
            headers,
            json,
        }
    }

    /// A request of the account `hotline`. `path` is below the account unless it begins with a slash.
    pub(crate) async fn request(&self, method: &str, path: &str, form: &str) -> Answer {
        self.send(request(method, path, form, (SID, TOKEN))).await
    }

    /// The status of what need not be JSON.
    pub(crate) async fn status(&self, method: &str, path: &str, user: (&str, &str)) -> u16 {
        let request = request(method, path, "", user);
        let response = self.router.clone().oneshot(request).await.unwrap();
        response.status().as_u16()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "").await
    }

    pub(crate) async fn post(&self, path: &str, form: &str) -> Answer {
        self.request("POST", path, form).await
    }

    /// A new call of the account `hotline`: its SID.
    pub(crate) async fn new_call(&self) -> CallSid {
        let answer = self
            .post("Calls.json", "To=%2B85512345678&From=345&Twiml=x")
            .await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json["sid"].as_str().unwrap().parse().unwrap()
    }

    /// Lets a call ring, or be answered, five seconds later.
    pub(crate) fn advance(&self, call: CallSid, status: CallStatus) {
        let leg = Leg {
            trunk: TrunkId("gateway".to_owned()),
            sip_call_id: "x".to_owned(),
        };
        let at = START_UNIX_MS + 5000;
        let begun = self.store.begin_attempt(call, leg.into(), at);
        begun.wait().unwrap();
        self.store.set_status(call, status, at).wait().unwrap();
    }
}

/// A form request with Basic authentication.
pub(crate) fn request(
    method: &str,
    path: &str,
    form: &str,
    (user, password): (&str, &str),
) -> Request<Body> {
    let uri = match path.starts_with('/') {
        true => path.to_owned(),
        false => format!("/2010-04-01/Accounts/{SID}/{path}"),
    };
    let credentials = STANDARD.encode(format!("{user}:{password}"));
    Request::builder()
        .method(method)
        .uri(uri)
        .header("authorization", format!("Basic {credentials}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()))
        .unwrap()
}
