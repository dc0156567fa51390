//! The simulated world of one call: the call core, its leg, web servers and the caller, on one virtual clock.

mod effects;
mod legs;
mod others;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use call::{
    AccountSid, AnsweredBy, AudioCommand, AudioError, AudioReply, Call, CallError, CallInfo,
    CallSid, Command, ConcealedKeys, Detection, Direction, Event, Grants, HangUpCause, HttpError,
    HttpRequest, HttpResponse, Input, KeyValueCommand, KeyValueError, KeyValueReply, KeyValues,
    Limits, MediaEvent, People, PeopleCommand, PeopleError, PeopleReply, PinError, PinVerdict,
    Reply, RequestId, StoryOutcome,
};
use legs::{inbound_leg, outbound_leg};
use plugin_host::{Stop, words};

use crate::callee::Callees;
use crate::far_ends::FarEnds;
use crate::kept_audio::Audio;
use crate::leg::Leg;
use crate::listener::Listener;
use crate::player::Player;
use crate::recordings::Recordings;
use crate::referee::Reports;
use crate::rooms::Rooms;
use crate::saved::Deeds;
use crate::script::{Expectation, Kind, Planned, Script, Step};
use crate::transcript::{Transcript, Who};

/// When a call comes in whose script does not say: 2026-01-01 00:00:00 UTC, in milliseconds since 1970.
const STARTED_UNIX_MS: u64 = 1_767_225_600_000;
/// From a request to its answer.
const SERVER_LATENCY: Duration = Duration::from_millis(100);
/// A caller who has nothing more to do listens for so long, then hangs up.
const PATIENCE: Duration = Duration::from_secs(600);
/// The spoken apology of the runtime.
const APOLOGY: Duration = Duration::from_secs(3);
/// The runtime's music for those who wait.
const MUSIC: Duration = Duration::from_secs(16);
/// Who answers where the script does not say.
const SOMEBODY: (AnsweredBy, Duration) = (AnsweredBy::Human, Duration::from_secs(2));
const CALL_SID: CallSid = CallSid::from_bytes([0x11; 16]);
/// The call whose story dialled one that hears a whisper.
const PARENT_SID: CallSid = CallSid::from_bytes([0x44; 16]);
const CALLER: &str = "+15550100";
const CALLEE: &str = "+15550199";
const MAX_DURATION: Duration = Duration::from_secs(4 * 3600);

/// One call and all that is around it.
pub(crate) struct Stage {
    call: Call,
    leg: Leg,
    rooms: Rooms,
    recordings: Recordings,
    audio: Audio,
    listener: Listener,
    script: Script,
    /// Beginning of virtual time.
    epoch: Instant,
    now: Duration,
    /// When the script's current step became the current one.
    step_since: Duration,
    /// Told to the story, not heard yet.
    told: VecDeque<Event>,
    answered: bool,
    /// The one who heard a whisper is joined to the caller.
    is_put_through: bool,
    over: Option<HangUpCause>,
    /// How the story ended.
    ended: Option<StoryOutcome>,
    responses: VecDeque<Arriving>,
    callees: Callees,
    reports: Reports,
    pub(crate) far_ends: FarEnds,
    /// Who answered, and when that comes to be known.
    detected: Option<(Duration, Detection)>,
    reply: Option<Result<Reply, CallError>>,
    /// The story is to be dropped when it waits next.
    stop: Stop,
    pub(crate) transcript: Transcript,
    pub(crate) commands: Vec<Command>,
    pub(crate) requests: Vec<HttpRequest>,
    pub(crate) unexpected: Option<String>,
    /// What was done at which time, by the story as far as the caller noticed it, and by everybody else.
    done: Vec<(Duration, Step)>,
    table: Option<Table>,
}

/// A player, and what it has seen.
struct Table {
    player: Box<dyn Player>,
    /// Bytes of the transcript.
    seen: usize,
    /// It lets time pass until something happens.
    listens: bool,
    /// It is asked no more.
    has_left: bool,
}

/// A response on its way.
struct Arriving {
    at: Duration,
    id: RequestId,
    result: Result<HttpResponse, HttpError>,
}

impl Stage {
    pub(crate) fn new(mut script: Script, stop: Stop) -> Self {
        let epoch = Instant::now();
        let limits = Limits {
            max_duration: MAX_DURATION,
            has_fallback: false,
            has_recogniser: !script.no_recogniser,
        };
        let call = match script.kind {
            Kind::Inbound => Call::inbound(epoch, inbound_leg(), limits),
            Kind::Outbound => Call::outbound(outbound_leg(), limits),
            Kind::Whisper => Call::dialled(CALL_SID, outbound_leg(), limits, true),
        };
        let far_ends = FarEnds::new(std::mem::take(&mut script.far_ends));
        let mut stage = Self {
            call,
            leg: Leg::default(),
            rooms: Rooms::new(script.others),
            recordings: Recordings::default(),
            audio: Audio::default(),
            listener: Listener::default(),
            script,
            epoch,
            now: Duration::ZERO,
            step_since: Duration::ZERO,
            told: VecDeque::new(),
            answered: false,
            is_put_through: false,
            over: None,
            ended: None,
            responses: VecDeque::new(),
            callees: Callees::default(),
            reports: Reports::default(),
            far_ends,
            detected: None,
            reply: None,
            stop,
            transcript: Transcript::default(),
            commands: Vec::new(),
            requests: Vec::new(),
            unexpected: None,
            done: Vec::new(),
            table: None,
        };
        stage.perform_effects();
        stage
    }

    /// Everybody but the story is played by this.
    pub(crate) fn played_by(mut self, player: Box<dyn Player>) -> Self {
        self.table = Some(Table {
            player,
            seen: 0,
            listens: false,
            has_left: false,
        });
        self
    }

    /// What the story knows from its beginning.
    pub(crate) fn info(&self) -> CallInfo {
        let [other, ours] = &self.script.parties;
        let other = other.clone().unwrap_or_else(|| CALLER.to_owned());
        let ours = ours.clone().unwrap_or_else(|| CALLEE.to_owned());
        let (caller, callee, direction) = match self.script.kind {
            Kind::Inbound => (other, ours, Direction::Inbound),
            Kind::Outbound => (ours, other, Direction::OutboundApi),
            Kind::Whisper => (ours, other, Direction::OutboundDial),
        };
        let is_dialled = self.script.kind == Kind::Whisper;
        CallInfo {
            call_sid: CALL_SID,
            account_sid: AccountSid::from_bytes([0x22; 16]),
            caller,
            callee,
            direction,
            parent_call_sid: is_dialled.then_some(PARENT_SID),
            sip_call_id: "script@harness.invalid".to_owned(),
        }
    }

    pub(crate) fn settings(&self) -> BTreeMap<String, String> {
        self.script.settings.clone()
    }

    /// What the account grants the story.
    pub(crate) fn grants(&self) -> Arc<Grants> {
        let granted = self.script.grants.clone();
        granted.unwrap_or_else(|| Arc::new(Grants::everything()))
    }

    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    pub(crate) fn started_unix_ms(&self) -> u64 {
        self.script.starts_unix_ms.unwrap_or(STARTED_UNIX_MS)
    }

    pub(crate) fn now_unix_ms(&self) -> u64 {
        self.started_unix_ms() + u64::try_from(self.now.as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn record(&self) -> Option<&call::CallRecord> {
        self.call.record()
    }

    /// What was done, and by whom it was done to whom; takes it away.
    pub(crate) fn deeds(&mut self) -> Deeds {
        Deeds {
            kind: self.script.kind,
            parties: self.script.parties.clone(),
            settings: self.settings(),
            others: self.script.others,
            steps: std::mem::take(&mut self.done),
        }
    }

    /// The story gives a command. None when the script expects something else: the story goes no further.
    pub(crate) fn command(&mut self, command: Command) -> Option<Result<Reply, CallError>> {
        self.commands.push(command.clone());
        if let Command::Http(request) = &command {
            self.requests.push(request.clone());
        }
        let words = words::command(&command);
        let expected = self.compare(&command);
        self.feed(Input::Command(command));
        let reply = self.reply.take().unwrap_or(Err(CallError::HungUp));
        let line = match &reply {
            Err(error) => format!("{words}: {error}"),
            Ok(_) => words.clone(),
        };
        self.note(Who::Story, &line);
        if expected {
            return Some(reply);
        }
        self.leave_script(&format!("does `{words}`"));
        None
    }

    /// The story asks for the account's pairs.
    pub(crate) fn key_value(
        &mut self,
        command: KeyValueCommand,
    ) -> Result<KeyValueReply, KeyValueError> {
        let asked = words::key_value(&command);
        let result = self.script.pairs.obey(command);
        let line = format!("{asked}: {}", words::key_value_result(&result));
        self.note(Who::Story, &line);
        result
    }

    /// The account's pairs as they are now; takes them away.
    pub(crate) fn pairs(&mut self) -> KeyValues {
        std::mem::take(&mut self.script.pairs)
    }

    /// The story asks for the account's people.
    pub(crate) fn people(&mut self, command: PeopleCommand) -> Result<PeopleReply, PeopleError> {
        let asked = words::people(&command);
        let result = self.script.people.obey(command);
        let line = format!("{asked}: {}", words::people_result(&result));
        self.note(Who::Story, &line);
        result
    }

    /// The story prepares what its call recorded, or keeps it.
    pub(crate) fn audio(&mut self, command: AudioCommand) -> Result<AudioReply, AudioError> {
        let asked = words::audio(&command);
        let result = self.audio.obey(command, &self.recordings);
        if let Some((name, length)) = self.audio.last_prepared() {
            self.script.prompts.insert(name.clone(), *length);
        }
        let line = format!("{asked}: {}", words::audio_result(&result));
        self.note(Who::Story, &line);
        result
    }

    /// What was kept of the call's recordings; takes it away.
    pub(crate) fn kept_audio(&mut self) -> BTreeMap<String, Duration> {
        self.audio.take_kept()
    }

    /// The story asks whether keys that it was not told are a PIN.
    pub(crate) fn check_pin(
        &mut self,
        secret: &str,
        keys: &ConcealedKeys,
    ) -> Result<PinVerdict, PinError> {
        let pin = self.script.pins.get(secret);
        let verdict = match self.script.pin_locked {
            Some(seconds) => PinVerdict::Locked { seconds },
            None if pin.is_some_and(|pin| pin == keys.expose()) => PinVerdict::Right,
            None => PinVerdict::Wrong,
        };
        let result = Ok(verdict);
        let line = format!("{}: {}", words::pin(secret), words::pin_result(&result));
        self.note(Who::Story, &line);
        result
    }

    /// The account's people as they are now; takes them away.
    pub(crate) fn registered(&mut self) -> People {
        std::mem::take(&mut self.script.people)
    }

    /// True when the command is the script's next step, which then is done, or nothing that the caller notices, or when
    /// the script has no more steps.
    fn compare(&mut self, command: &Command) -> bool {
        let Some(done) = Expectation::of(command) else {
            return true;
        };
        let (false, Some(step)) = (self.table.is_some(), self.step()) else {
            self.done.push((self.now, Step::Expect(done)));
            return true;
        };
        // Where the caller is about to act, the story goes on before listening.
        let met = matches!(step, Step::Expect(expectation) if expectation.is_met_by(&done));
        if met {
            self.next_step();
        }
        met
    }

    /// The story returned or broke: what the script still expects, did not come.
    pub(crate) fn story_ended(&mut self, outcome: StoryOutcome, words: &str) {
        self.note(Who::Story, &format!("({words})"));
        let returns = matches!(outcome, StoryOutcome::Returned(_));
        let meaning = match self.script.kind {
            Kind::Whisper => Expectation::PutThrough,
            Kind::Inbound | Kind::Outbound => Expectation::HangUp,
        };
        let meaning = Step::Expect(meaning);
        if returns && self.step() == Some(&meaning) {
            self.next_step();
        } else if returns && self.over.is_none() {
            self.done.push((self.now, meaning));
        }
        if matches!(self.step(), Some(Step::Expect(_))) && self.unexpected.is_none() {
            self.leave_script(words);
        }
        self.ended = Some(outcome.clone());
        self.feed(Input::StoryEnded(outcome));
        // Who was put through talks to the caller: that is no part of the story.
        while !self.is_put_through
            && !self.call.is_ended()
            && self.unexpected.is_none()
            && (self.act() || self.advance(None))
        {}
    }

    /// The story waits: lets time pass until there is something to tell or the time is over. False when the story
    /// would wait for ever for something that the script does not do.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> Option<Option<Event>> {
        let waited = self.wait_until(timeout.map(|timeout| self.now + timeout));
        if let Some(table) = &mut self.table {
            table.listens = false;
        }
        waited
    }

    fn wait_until(&mut self, until: Option<Duration>) -> Option<Option<Event>> {
        loop {
            if let Some(event) = self.told.pop_front() {
                self.note(Who::Call, &words::event(&event));
                return Some(Some(event));
            }
            if let Some(cause) = self.over
                && self.responses.is_empty()
            {
                return Some(Some(Event::HungUp(cause)));
            }
            if until.is_some_and(|until| until <= self.now) {
                return Some(None);
            }
            if !self.act() && !self.ask() && !self.advance(until) {
                self.leave_script("waits for ever");
            }
            if self.unexpected.is_some() {
                return None;
            }
        }
    }

    /// Moves the clock to the next thing that happens, at most to `until`. False if nothing ever will.
    fn advance(&mut self, until: Option<Duration>) -> bool {
        let caller = match self.step() {
            Some(Step::Wait(duration)) => Some(self.step_since + *duration),
            None if self.over.is_none() => Some(self.step_since + PATIENCE),
            _ => None,
        };
        let response = self.responses.front().map(|response| response.at);
        let core = self.call.deadline().map(|at| at - self.epoch);
        // A caller who expects something will not wait for the call's longest duration to see that it does not come.
        let is_patient = self.over.is_some() || self.script.steps.is_empty();
        let core = core.filter(|at| is_patient || *at < MAX_DURATION);
        let Some(next) = [
            until,
            caller,
            response,
            core,
            self.leg.deadline(),
            self.recordings.deadline(),
            self.callees.deadline(),
            self.reports.deadline(),
            self.far_ends.deadline(),
            self.listener.deadline(),
            self.detected.map(|(at, _)| at),
        ]
        .into_iter()
        .flatten()
        .min() else {
            return false;
        };
        self.now = self.now.max(next);
        self.fire();
        true
    }

    /// Everything that is due now, the caller's doings excepted.
    fn fire(&mut self) {
        while let Some(id) = self.leg.ended(self.now) {
            self.feed(Input::Media(MediaEvent::PlaybackEnded {
                id,
                stopped: false,
            }));
        }
        while let Some((id, news)) = self.far_ends.news(self.now) {
            self.feed(Input::Stream(id, news));
        }
        while let Some((id, event)) = self.listener.next(self.now) {
            self.feed(Input::Speech(id, event));
        }
        if let Some((_, detection)) = self.detected.take_if(|(at, _)| *at <= self.now) {
            self.feed(Input::Media(MediaEvent::MachineDetected(detection)));
        }
        while let Some((id, recording)) = self.recordings.ended(self.now) {
            self.feed(Input::Recorded(id, recording));
        }
        while let Some(response) = self
            .responses
            .pop_front_if(|response| response.at <= self.now)
        {
            self.feed(Input::Http(response.id, response.result));
        }
        while let Some((child, news)) = self.callees.next(self.now) {
            self.feed(Input::Child(child, news));
        }
        while let Some(event) = self.reports.next(self.now) {
            self.feed(Input::Sip(event));
        }
        let due = self.call.deadline().is_some_and(|at| at <= self.instant());
        if due {
            self.feed(Input::Deadline);
        }
    }

    fn feed(&mut self, input: Input) {
        self.call.handle(self.instant(), input);
        self.perform_effects();
    }

    fn step(&self) -> Option<&Step> {
        self.script.steps.front().map(|planned| &planned.step)
    }

    /// A step cannot be done where the call is. A player is told so, and may do something else.
    fn cannot_be(&mut self, story: &str) {
        if self.table.is_none() {
            return self.leave_script(story);
        }
        self.note(Who::Other, &format!("(the story {story})"));
        self.script.steps.pop_front();
    }

    /// The story, or the call, is not where the script has it.
    fn leave_script(&mut self, story: &str) {
        let step = match self.script.steps.front() {
            Some(Planned { number, step }) => format!("step {number}: the script has `{step}`"),
            None => "the script has nothing more".to_owned(),
        };
        self.fail(format!("{step}, the story {story}"));
    }

    fn next_step(&mut self) {
        let planned = self.script.steps.pop_front();
        self.done
            .extend(planned.map(|planned| (self.now, planned.step)));
        self.step_since = self.now;
    }

    fn fail(&mut self, why: String) {
        self.unexpected = Some(why);
        self.stop.stop();
    }

    pub(crate) fn note(&mut self, who: Who, what: &str) {
        self.transcript.add(self.now, who, what);
    }

    fn instant(&self) -> Instant {
        self.epoch + self.now
    }
}
