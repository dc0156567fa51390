//! The simulated world of one call: the call core, its leg, web servers and the caller, on one virtual clock.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use call::{
    AccountSid, AnsweredBy, Call, CallError, CallInfo, CallSid, CallStatus, Command, Detection,
    Direction, Effect, Event, HangUpCause, HttpError, HttpRequest, HttpResponse, InboundLeg, Input,
    Limits, MediaCommand, MediaEvent, OutboundLeg, PromptSource, Reply, RequestId,
};
use media::Prompt;
use plugin_host::{Stop, words};
use sip::DialogId;

use crate::callee::Callees;
use crate::far_ends::FarEnds;
use crate::leg::Leg;
use crate::recordings::Recordings;
use crate::rooms::Rooms;
use crate::script::{Expectation, Script, Step};
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
const CALLER: &str = "+15550100";
const CALLEE: &str = "+15550199";
const MAX_DURATION: Duration = Duration::from_secs(4 * 3600);

/// One call and all that is around it.
pub(crate) struct Stage {
    call: Call,
    leg: Leg,
    rooms: Rooms,
    recordings: Recordings,
    script: Script,
    /// Beginning of virtual time.
    epoch: Instant,
    now: Duration,
    /// When the script's current step became the current one.
    step_since: Duration,
    /// Told to the story, not heard yet.
    told: VecDeque<Event>,
    answered: bool,
    over: Option<HangUpCause>,
    responses: VecDeque<Arriving>,
    callees: Callees,
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
        };
        let call = if script.outbound {
            Call::outbound(outbound_leg(), limits)
        } else {
            Call::inbound(epoch, inbound_leg(), limits)
        };
        let far_ends = FarEnds::new(std::mem::take(&mut script.far_ends));
        let mut stage = Self {
            call,
            leg: Leg::default(),
            rooms: Rooms::new(script.others),
            recordings: Recordings::default(),
            script,
            epoch,
            now: Duration::ZERO,
            step_since: Duration::ZERO,
            told: VecDeque::new(),
            answered: false,
            over: None,
            responses: VecDeque::new(),
            callees: Callees::default(),
            far_ends,
            detected: None,
            reply: None,
            stop,
            transcript: Transcript::default(),
            commands: Vec::new(),
            requests: Vec::new(),
            unexpected: None,
        };
        stage.perform_effects();
        stage
    }

    /// What the story knows from its beginning.
    pub(crate) fn info(&self) -> CallInfo {
        let (caller, callee, direction) = if self.script.outbound {
            (CALLEE, CALLER, Direction::OutboundApi)
        } else {
            (CALLER, CALLEE, Direction::Inbound)
        };
        CallInfo {
            call_sid: CallSid::from_bytes([0x11; 16]),
            account_sid: AccountSid::from_bytes([0x22; 16]),
            caller: caller.to_owned(),
            callee: callee.to_owned(),
            direction,
            parent_call_sid: None,
            sip_call_id: "script@harness.invalid".to_owned(),
        }
    }

    pub(crate) fn settings(&self) -> std::collections::BTreeMap<String, String> {
        self.script.settings.clone()
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
        let step = self.script.steps.front().map(ToString::to_string);
        let step = step.unwrap_or_else(|| "nothing more".to_owned());
        self.fail(format!("the script has `{step}`, the story does `{words}`"));
        None
    }

    /// True when the command is the script's next step, which then is done, or nothing that the caller notices, or when
    /// the script has no more steps.
    fn compare(&mut self, command: &Command) -> bool {
        let met = match self.script.steps.front() {
            None => return true,
            Some(Step::Expect(expectation)) => expectation.is_met_by(command),
            // The caller is about to act, and the story goes on before listening.
            Some(_) => Expectation::Answer.is_met_by(command).map(|_| false),
        };
        if met == Some(true) {
            self.next_step();
        }
        met != Some(false)
    }

    /// The story returned or broke: what the script still expects, did not come.
    pub(crate) fn story_ended(&mut self, outcome: call::StoryOutcome, words: &str) {
        self.note(Who::Story, &format!("({words})"));
        let hangs_up = matches!(outcome, call::StoryOutcome::Returned(_));
        if hangs_up && self.script.steps.front() == Some(&Step::Expect(Expectation::HangUp)) {
            self.next_step();
        }
        if let Some(Step::Expect(expectation)) = self.script.steps.front()
            && self.unexpected.is_none()
        {
            let expected = expectation.to_string();
            self.fail(format!("the script has `{expected}`, the story {words}"));
        }
        self.feed(Input::StoryEnded(outcome));
        while !self.call.is_ended() && self.unexpected.is_none() && self.advance(None) {}
    }

    /// The story waits: lets time pass until there is something to tell or the time is over. False when the story
    /// would wait for ever for something that the script does not do.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> Option<Option<Event>> {
        let until = timeout.map(|timeout| self.now + timeout);
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
            if !self.act() && !self.advance(until) {
                let step = self.script.steps.front();
                let step = step.map_or_else(|| "nothing more".to_owned(), ToString::to_string);
                self.fail(format!("the script has `{step}`, the story waits for ever"));
                return None;
            }
        }
    }

    /// The caller does what is due now. False if nothing is.
    fn act(&mut self) -> bool {
        match self.script.steps.front() {
            Some(Step::Press(key)) => {
                let key = *key;
                self.note(Who::Caller, &format!("presses {key}"));
                self.next_step();
                self.press(key);
                true
            }
            Some(Step::Speak(duration)) => {
                let duration = *duration;
                self.note(Who::Caller, &format!("speaks {} ms", duration.as_millis()));
                self.next_step();
                self.recordings.speak(self.now, duration);
                true
            }
            Some(Step::HangUp) => {
                self.next_step();
                self.caller_hangs_up();
                true
            }
            Some(Step::Other(other)) => {
                let other = *other;
                self.note(Who::Other, other.words());
                self.next_step();
                self.rooms.act(self.instant(), other);
                self.perform_effects();
                true
            }
            Some(Step::Wait(duration)) if self.step_since + *duration <= self.now => {
                self.next_step();
                true
            }
            None if self.over.is_none() && self.step_since + PATIENCE <= self.now => {
                self.caller_hangs_up();
                true
            }
            _ => false,
        }
    }

    /// A key that ends a recording is told with that, and not as a digit.
    fn press(&mut self, key: char) {
        let ended = self.recordings.press(self.now, key);
        if ended.is_empty() {
            self.feed(Input::Media(MediaEvent::Digit(key)));
        }
        for (id, recording) in ended {
            self.feed(Input::Recorded(id, recording));
        }
    }

    fn caller_hangs_up(&mut self) {
        let (words, event) = if self.answered {
            ("hangs up", sip::Event::Bye { cause: None })
        } else {
            ("gives up", sip::Event::Canceled { cause: None })
        };
        self.note(Who::Caller, words);
        self.feed(Input::Sip(event));
    }

    /// Moves the clock to the next thing that happens, at most to `until`. False if nothing ever will.
    fn advance(&mut self, until: Option<Duration>) -> bool {
        let caller = match self.script.steps.front() {
            Some(Step::Wait(duration)) => Some(self.step_since + *duration),
            None if self.over.is_none() => Some(self.step_since + PATIENCE),
            _ => None,
        };
        let response = self.responses.front().map(|response| response.at);
        let core = self.call.deadline().map(|at| at - self.epoch);
        // A caller who expects something will not wait for the call's longest duration to see that it does not come.
        let core = core.filter(|_| self.over.is_some() || self.script.steps.is_empty());
        let Some(next) = [
            until,
            caller,
            response,
            core,
            self.leg.deadline(),
            self.recordings.deadline(),
            self.callees.deadline(),
            self.far_ends.deadline(),
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
        let due = self.call.deadline().is_some_and(|at| at <= self.instant());
        if due {
            self.feed(Input::Deadline);
        }
    }

    fn feed(&mut self, input: Input) {
        self.call.handle(self.instant(), input);
        self.perform_effects();
    }

    fn perform_effects(&mut self) {
        loop {
            let input = match self.call.poll() {
                Some(effect) => self.perform(effect),
                None => match self.rooms.news() {
                    None => return,
                    news => news,
                },
            };
            if let Some(input) = input {
                self.call.handle(self.instant(), input);
            }
        }
    }

    /// Does what the call asks for; gives what comes of it at once.
    fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Sip(command) => peer(command).map(Input::Sip),
            Effect::Media(MediaCommand::Recording(order)) => self
                .recordings
                .obey(self.now, order)
                .map(|(id, recording)| Input::Recorded(id, recording)),
            Effect::Media(command) => self.media(command).map(Input::Media),
            Effect::StartRecording { id, options, .. } => {
                self.recordings.start(self.now, id, options);
                None
            }
            Effect::Reply(reply) => {
                self.reply = Some(reply);
                None
            }
            Effect::Tell(event) => {
                if let Event::HungUp(cause) = event {
                    self.over = Some(cause);
                    self.leg.silence();
                }
                self.told.push_back(event);
                None
            }
            Effect::Fetch(id, source) => Some(Input::Fetched(id, self.prompt(&source))),
            Effect::Http(id, request) => {
                let result = self.script.response_to(&request.url);
                let at = self.now + SERVER_LATENCY;
                self.responses.push_back(Arriving { at, id, result });
                None
            }
            Effect::Stream(id, order) => {
                self.far_ends.order(self.now, id, order);
                None
            }
            Effect::StopStory => {
                self.stop.stop();
                None
            }
            Effect::Status(status) => {
                self.answered |= status == CallStatus::InProgress;
                None
            }
            Effect::Conference(request) => {
                self.rooms.conference(self.info().call_sid, request);
                None
            }
            Effect::Queue(request) => {
                self.rooms
                    .queue(self.instant(), self.info().call_sid, request);
                None
            }
            Effect::PlaceChild(child, call) => {
                let callee = self.script.callees.get(&call.to);
                self.callees.place(self.now, child, &call, callee);
                None
            }
            Effect::HangUpChild(child) => {
                let news = self.callees.hang_up(self.now, child)?;
                Some(Input::Child(child, news))
            }
            Effect::StartStory(_)
            | Effect::Bridge(_)
            | Effect::Unbridge
            | Effect::RingBack(_)
            | Effect::TellParent(_)
            | Effect::TellDetection(..) => None,
        }
    }

    fn media(&mut self, command: MediaCommand) -> Option<MediaEvent> {
        match command {
            MediaCommand::Play { id, prompt, loops } => {
                let frames = u32::try_from(prompt.frames()).unwrap_or(u32::MAX);
                let length = Duration::from_millis(media::FRAME_MS.into()) * frames;
                self.leg.play(self.now, id, length.saturating_mul(loops));
                None
            }
            MediaCommand::Press { id, keys } => {
                let length = keys.chars().map(length_of_key).sum();
                self.leg.play(self.now, id, length);
                None
            }
            MediaCommand::Stop(id) => self
                .leg
                .stop(self.now, id)
                .then_some(MediaEvent::PlaybackEnded { id, stopped: true }),
            MediaCommand::DetectMachine(options) => {
                let (answered_by, after) = self.script.answered_by.unwrap_or(SOMEBODY);
                let (answered_by, after) = match after < options.timeout {
                    true => (answered_by, after),
                    false => (AnsweredBy::Unknown, options.timeout),
                };
                let duration_ms = u32::try_from(after.as_millis()).unwrap_or(u32::MAX);
                let detection = Detection {
                    answered_by,
                    duration_ms,
                };
                self.detected = Some((self.now + after, detection));
                None
            }
            MediaCommand::Connect(_)
            | MediaCommand::Echo(_)
            | MediaCommand::Background(_)
            | MediaCommand::Recording(_)
            | MediaCommand::Signalled(_) => None,
        }
    }

    /// A silent prompt of the right length.
    fn prompt(&self, source: &PromptSource) -> Result<Arc<Prompt>, String> {
        let length = match source {
            PromptSource::Media(source) => self.script.length_of(source)?,
            PromptSource::Speech(speech) => Script::length_of_speech(speech),
            PromptSource::Apology => APOLOGY,
            PromptSource::Music => MUSIC,
        };
        let samples = usize::try_from(length.as_millis() * 8).unwrap_or(usize::MAX);
        Ok(Arc::new(Prompt::from_pcm(&vec![0; samples])))
    }

    fn next_step(&mut self) {
        self.script.steps.pop_front();
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

/// What the other side does at once.
fn peer(command: sip::Command) -> Option<sip::Event> {
    match command {
        sip::Command::Answer { .. } => Some(sip::Event::Acked { sdp: None }),
        sip::Command::Bye { .. } => Some(sip::Event::Terminated),
        sip::Command::Invite { invite, .. } => Some(sip::Event::Answered {
            sdp: sdp::answer(&invite.sdp, &local(2))
                .ok()
                .map(|negotiated| negotiated.description),
        }),
        _ => None,
    }
}

fn inbound_leg() -> InboundLeg {
    InboundLeg {
        dialog: DialogId(1),
        offer: Some(sdp::offer(&local(2))),
        local: local(1),
    }
}

fn outbound_leg() -> OutboundLeg {
    OutboundLeg {
        dialog: DialogId(2),
        invite: sip::OutgoingInvite::new(
            sip::Hop::udp(address(2)),
            format!("sip:{CALLER}@192.0.2.2"),
            format!("sip:{CALLEE}@192.0.2.1"),
            format!("sip:{CALLER}@192.0.2.2"),
        ),
        outcomes: Default::default(),
        local: local(1),
    }
}

/// One of the two ends, 1 ours and 2 the caller's.
fn local(end: u8) -> sdp::Local {
    sdp::Local {
        codecs: vec![sdp::Codec::Pcmu],
        ..sdp::Local::new(address(end), end.into())
    }
}

/// An address for documentation (RFC 5737): nothing is sent there.
fn address(end: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, end], 4000))
}

/// How long a key takes with the silence after it.
fn length_of_key(key: char) -> Duration {
    Duration::from_millis(match key {
        'W' => 1_000,
        'w' => 500,
        _ => 200,
    })
}
