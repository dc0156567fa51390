//! Ports for tests, and the setups that go with them.

use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use call::{
    AccountSid, AudioCommand, AudioError, AudioReply, CallError, CallInfo, CallSid, Command,
    ConcealedKeys, Direction, Event, Grants, HangUpCause, KeyValueCommand, KeyValueError,
    KeyValueReply, KeyValues, People, PeopleCommand, PeopleError, PeopleReply, PinError,
    PinVerdict, PlaybackId, Reply,
};
use plugin_host::{
    Allowance, CallPort, Engine, EngineConfig, Limits, LogLine, Next, Stop, StoryEnd, StorySetup,
};

/// The story's first time.
pub(crate) const STARTED: u64 = 1_700_000_000_004;

/// One engine for all tests, as in a process.
pub(crate) fn engine() -> &'static Engine {
    static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
        Engine::new(EngineConfig {
            max_stories: 64,
            cache: None,
        })
        .unwrap()
    });
    &ENGINE
}

pub(crate) fn setup() -> StorySetup {
    StorySetup {
        info: CallInfo {
            call_sid: CallSid::from_bytes([1; 16]),
            account_sid: AccountSid::from_bytes([2; 16]),
            caller: "+85512000001".to_owned(),
            callee: "1294".to_owned(),
            direction: Direction::Inbound,
            parent_call_sid: None,
            sip_call_id: "a@b".to_owned(),
        },
        settings: BTreeMap::from([("greeting".to_owned(), "hello".to_owned())]),
        grants: Arc::new(Grants::everything()),
        seed: [3; 32],
        started_unix_ms: STARTED,
        limits: Limits::default(),
        memory: Allowance::unbounded(),
        log: Arc::new(|_| {}),
        stop: Stop::new(),
    }
}

/// Obeys every command at once and tells its events one second apart; at last that the call is over.
#[derive(Default)]
pub(crate) struct Obedient {
    pub(crate) events: VecDeque<Event>,
    pub(crate) commands: Arc<Mutex<Vec<Command>>>,
    pub(crate) pairs: Arc<Mutex<KeyValues>>,
    pub(crate) people: Arc<Mutex<People>>,
    /// What was kept, and what it was to be called.
    pub(crate) kept: Arc<Mutex<Vec<(String, String)>>>,
    /// Secrets, and what was typed for them.
    pub(crate) typed: Arc<Mutex<Vec<(String, String)>>>,
    /// Whether keys were to be a secret, each time that it was told.
    pub(crate) concealed: Arc<Mutex<Vec<bool>>>,
    seconds: u64,
}

impl Obedient {
    pub(crate) fn telling(events: impl IntoIterator<Item = Event>) -> Self {
        Self {
            events: events.into_iter().collect(),
            ..Self::default()
        }
    }
}

impl CallPort for Obedient {
    async fn command(&mut self, command: Command) -> Result<Reply, CallError> {
        let reply = match command {
            Command::Play { .. } | Command::Say { .. } => Reply::Playback(PlaybackId(1)),
            _ => Reply::Done,
        };
        self.commands.lock().unwrap().push(command);
        Ok(reply)
    }

    async fn next_event(&mut self, timeout: Option<Duration>) -> Next {
        if timeout == Some(Duration::ZERO) {
            return Next {
                event: None,
                now_unix_ms: STARTED + self.seconds * 1_000,
            };
        }
        self.seconds += 1;
        let event = self
            .events
            .pop_front()
            .unwrap_or(Event::HungUp(HangUpCause::Remote));
        Next {
            event: Some(event),
            now_unix_ms: STARTED + self.seconds * 1_000,
        }
    }

    async fn key_value(
        &mut self,
        command: KeyValueCommand,
    ) -> Result<KeyValueReply, KeyValueError> {
        self.pairs.lock().unwrap().obey(command)
    }

    async fn people(&mut self, command: PeopleCommand) -> Result<PeopleReply, PeopleError> {
        self.people.lock().unwrap().obey(command)
    }

    async fn audio(&mut self, command: AudioCommand) -> Result<AudioReply, AudioError> {
        command.check()?;
        match command {
            AudioCommand::Prepare(sid) => Ok(AudioReply::Prepared(format!("p-{sid}"))),
            AudioCommand::Keep { prepared, name } => {
                self.kept.lock().unwrap().push((prepared, name));
                Ok(AudioReply::Kept)
            }
        }
    }

    fn conceal_keys(&mut self, are_concealed: bool) {
        self.concealed.lock().unwrap().push(are_concealed);
    }

    async fn check_pin(
        &mut self,
        secret: String,
        keys: ConcealedKeys,
    ) -> Result<PinVerdict, PinError> {
        let is_right = keys.expose() == "24681357";
        let typed = keys.expose().to_owned();
        self.typed.lock().unwrap().push((secret, typed));
        Ok(match is_right {
            true => PinVerdict::Right,
            false => PinVerdict::Wrong,
        })
    }
}

/// Never answers anything.
pub(crate) struct Deaf;

impl CallPort for Deaf {
    async fn command(&mut self, _: Command) -> Result<Reply, CallError> {
        pending().await
    }

    async fn next_event(&mut self, _: Option<Duration>) -> Next {
        pending().await
    }
}

/// Runs a component with the default setup and an obedient call.
pub(crate) async fn run(wasm: &[u8]) -> StoryEnd {
    engine()
        .load(wasm)
        .unwrap()
        .start(setup(), Obedient::default())
        .await
}

/// The same, with what it logged and what it commanded.
pub(crate) async fn observe(
    wasm: &[u8],
    events: impl IntoIterator<Item = Event>,
) -> (StoryEnd, Vec<LogLine>, Vec<Command>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let port = Obedient::telling(events);
    let commands = Arc::clone(&port.commands);
    let setup = StorySetup {
        log: Arc::new(move |line| sink.lock().unwrap().push(line)),
        ..setup()
    };
    let end = engine().load(wasm).unwrap().start(setup, port).await;
    let lines = std::mem::take(&mut *lines.lock().unwrap());
    let commands = std::mem::take(&mut *commands.lock().unwrap());
    (end, lines, commands)
}
