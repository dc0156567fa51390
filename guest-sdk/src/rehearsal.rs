//! A caller that follows a script, for native tests of a story.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::{
    CallError, CallInfo, Direction, Event, HangUpCause, Host, HttpError, Level, MediaSource,
    PlaybackEnd, PlaybackId, RejectReason, Request, RequestId, Response, Speech,
};

/// How long a web server takes to answer.
const HTTP_TIME: Duration = Duration::from_millis(100);

/// A caller that follows a script, and a host that notes what the story does.
///
/// Time is the rehearsal's own: it moves when the story waits, to the next thing that happens. A prompt or a sentence
/// lasts two seconds, a web server takes 100 ms. When a story waits for something that never comes, the call ends with
/// [`HangUpCause::Limit`]. A clone is the same rehearsal: give one to [`Call::on`](crate::Call::on) and keep the other.
///
/// ```
/// use std::time::Duration;
///
/// use jackfield_guest::{Call, CallError, Digits, Rehearsal};
///
/// let caller = Rehearsal::new().press(1.0, "12").press(2.5, "34#").hang_up(60.0);
/// let call = Call::on(caller.clone());
///
/// call.answer()?;
/// let pin = call.say("Your PIN, please.")?.gather(Digits::any().until('#'), Duration::from_secs(5))?;
/// assert_eq!(pin, "1234");
/// assert_eq!(caller.transcript(), ["answer", "say Your PIN, please.", "stop"]);
/// # Ok::<(), CallError>(())
/// ```
#[derive(Clone)]
pub struct Rehearsal(Rc<RefCell<Stage>>);

type Server = dyn Fn(&Request) -> Result<Response, HttpError>;

struct Stage {
    info: CallInfo,
    settings: BTreeMap<String, String>,
    missing: BTreeSet<String>,
    speech: Result<(), CallError>,
    server: Box<Server>,

    now: Duration,
    /// What will happen when; what happens at the same moment happens in this order.
    script: Vec<(Duration, Event)>,
    playing: VecDeque<Playing>,
    answered: bool,
    over: Option<HangUpCause>,
    playbacks: PlaybackId,

    transcript: Vec<String>,
    requests: Vec<Request>,
    log: Vec<String>,
}

/// One playback of the queue; the first is what is heard.
struct Playing {
    id: PlaybackId,
    left: Duration,
    failure: Option<String>,
}

impl fmt::Debug for Rehearsal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = formatter.debug_struct("Rehearsal");
        name.field("transcript", &self.stage().transcript)
            .finish_non_exhaustive()
    }
}

impl Default for Rehearsal {
    fn default() -> Self {
        Self::new()
    }
}

impl Rehearsal {
    /// An inbound call that rings, from +15550100 to +15550199.
    #[must_use]
    pub fn new() -> Self {
        let info = CallInfo {
            call_sid: format!("CA{}", "1".repeat(32)),
            account_sid: format!("AC{}", "2".repeat(32)),
            caller: "+15550100".to_owned(),
            callee: "+15550199".to_owned(),
            direction: Direction::Inbound,
            parent_call_sid: None,
            sip_call_id: "rehearsal@example.net".to_owned(),
        };
        Self(Rc::new(RefCell::new(Stage {
            info,
            settings: BTreeMap::new(),
            missing: BTreeSet::new(),
            speech: Ok(()),
            server: Box::new(|request| Err(HttpError::Unreachable(request.url.clone()))),
            now: Duration::ZERO,
            script: Vec::new(),
            playing: VecDeque::new(),
            answered: false,
            over: None,
            playbacks: 0,
            transcript: Vec::new(),
            requests: Vec::new(),
            log: Vec::new(),
        })))
    }

    /// An outbound call that was just answered.
    #[must_use]
    pub fn outbound() -> Self {
        let rehearsal = Self::new();
        rehearsal.stage_mut().info.direction = Direction::OutboundApi;
        rehearsal.stage_mut().answered = true;
        rehearsal
    }

    /// Gives the flow a setting.
    #[must_use]
    pub fn setting(self, name: &str, value: &str) -> Self {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.stage_mut().settings.insert(name, value);
        self
    }

    /// The caller presses these keys, `seconds` after the beginning.
    #[must_use]
    pub fn press(self, seconds: f32, keys: &str) -> Self {
        for key in keys.chars() {
            self.happens(seconds, Event::Digit(key));
        }
        self
    }

    /// The caller hangs up, `seconds` after the beginning.
    #[must_use]
    pub fn hang_up(self, seconds: f32) -> Self {
        self.happens(seconds, Event::HungUp(HangUpCause::Remote));
        self
    }

    /// The prompt at this path or URL does not exist.
    #[must_use]
    pub fn without_prompt(self, source: &str) -> Self {
        self.stage_mut().missing.insert(source.to_owned());
        self
    }

    /// The host refuses to speak.
    #[must_use]
    pub fn without_speech(self, refusal: CallError) -> Self {
        self.stage_mut().speech = Err(refusal);
        self
    }

    /// What web servers answer. Without one, nobody does.
    #[must_use]
    pub fn server(
        self,
        server: impl Fn(&Request) -> Result<Response, HttpError> + 'static,
    ) -> Self {
        self.stage_mut().server = Box::new(server);
        self
    }

    /// What the story did to the call, a line each: `answer`, `play prompts/menu.wav`, `say Hello.`, `stop`, `echo on`,
    /// `reject busy`, `hang up`. Loops follow as ` x3`, a voice and a language in brackets.
    #[must_use]
    pub fn transcript(&self) -> Vec<String> {
        self.stage().transcript.clone()
    }

    /// The requests that were sent, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.stage().requests.clone()
    }

    /// The lines of the log, such as `warn: no such village`.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.stage().log.clone()
    }

    /// How long the rehearsal has lasted.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.stage().now
    }

    fn happens(&self, seconds: f32, event: Event) {
        let at = Duration::from_secs_f32(seconds);
        self.stage_mut().happens(at, event);
    }

    fn stage(&self) -> Ref<'_, Stage> {
        self.0.borrow()
    }

    fn stage_mut(&self) -> RefMut<'_, Stage> {
        self.0.borrow_mut()
    }
}

impl Stage {
    fn happens(&mut self, at: Duration, event: Event) {
        let place = self.script.partition_point(|(other, _)| *other <= at);
        self.script.insert(place, (at, event));
    }

    fn note(&mut self, line: impl Into<String>) {
        self.transcript.push(line.into());
    }

    fn up(&self) -> Result<(), CallError> {
        match self.over {
            Some(_) => Err(CallError::HungUp),
            None => Ok(()),
        }
    }

    fn queue(
        &mut self,
        line: String,
        loops: u32,
        failure: Option<String>,
    ) -> Result<PlaybackId, CallError> {
        self.up()?;
        if !self.answered {
            return Err(CallError::NotAnswered);
        }
        if !(1..=1_000).contains(&loops) {
            return Err(CallError::InvalidArgument("loops: 1 to 1,000".to_owned()));
        }
        self.note(match loops {
            1 => line,
            loops => format!("{line} x{loops}"),
        });
        self.playbacks += 1;
        self.playing.push_back(Playing {
            id: self.playbacks,
            left: match failure {
                Some(_) => Duration::ZERO,
                None => Duration::from_secs(2) * loops,
            },
            failure,
        });
        Ok(self.playbacks)
    }

    fn end(&mut self, cause: HangUpCause) {
        self.playing.clear();
        self.over = Some(cause);
    }

    /// Lets time pass.
    fn advance(&mut self, duration: Duration) {
        self.now += duration;
        if let Some(first) = self.playing.front_mut() {
            first.left = first.left.saturating_sub(duration);
        }
    }

    fn next_event(&mut self, timeout: Option<Duration>) -> Option<Event> {
        if let Some(cause) = self.over {
            return Some(Event::HungUp(cause));
        }
        let scripted = self.script.first();
        let scripted = scripted.map(|(at, _)| at.saturating_sub(self.now));
        let played = self.playing.front().map(|first| first.left);
        let Some(wait) = scripted.into_iter().chain(played).chain(timeout).min() else {
            self.end(HangUpCause::Limit);
            return Some(Event::HungUp(HangUpCause::Limit));
        };
        self.advance(wait);
        if scripted == Some(wait) {
            let (_, event) = self.script.remove(0);
            if let Event::HungUp(cause) = event {
                self.end(cause);
            }
            return Some(event);
        }
        if played == Some(wait) {
            let ended = self.playing.pop_front()?;
            let end = match ended.failure {
                Some(why) => PlaybackEnd::Failed(why),
                None => PlaybackEnd::Finished,
            };
            return Some(Event::PlaybackEnded((ended.id, end)));
        }
        None
    }
}

impl Host for Rehearsal {
    fn info(&self) -> CallInfo {
        self.stage().info.clone()
    }

    fn setting(&self, name: &str) -> Option<String> {
        self.stage().settings.get(name).cloned()
    }

    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
            Level::Critical => "critical",
        };
        self.stage_mut().log.push(format!("{level}: {message}"));
    }

    fn answer(&self) -> Result<(), CallError> {
        let mut stage = self.stage_mut();
        stage.up()?;
        if !stage.answered {
            stage.answered = true;
            stage.note("answer");
        }
        Ok(())
    }

    fn reject(&self, reason: RejectReason) -> Result<(), CallError> {
        let mut stage = self.stage_mut();
        stage.up()?;
        if stage.answered {
            return Err(CallError::AlreadyAnswered);
        }
        stage.note(match reason {
            RejectReason::Busy => "reject busy",
            RejectReason::Declined => "reject declined",
            RejectReason::NotFound => "reject not found",
            RejectReason::Unavailable => "reject unavailable",
        });
        stage.end(HangUpCause::Local);
        Ok(())
    }

    fn hang_up(&self) -> Result<(), CallError> {
        let mut stage = self.stage_mut();
        stage.up()?;
        stage.note("hang up");
        stage.end(HangUpCause::Local);
        Ok(())
    }

    fn play(&self, source: MediaSource, loops: u32) -> Result<PlaybackId, CallError> {
        let (MediaSource::Url(source) | MediaSource::File(source)) = source;
        let mut stage = self.stage_mut();
        let failure = stage.missing.contains(&source);
        let failure = failure.then(|| format!("{source} is not there"));
        stage.queue(format!("play {source}"), loops, failure)
    }

    fn say(&self, speech: Speech, loops: u32) -> Result<PlaybackId, CallError> {
        let mut stage = self.stage_mut();
        stage.speech.clone()?;
        let options: Vec<String> = speech.voice.into_iter().chain(speech.language).collect();
        let line = match options.as_slice() {
            [] => format!("say {}", speech.text),
            options => format!("say {} [{}]", speech.text, options.join(" ")),
        };
        stage.queue(line, loops, None)
    }

    fn stop_playback(&self, playback: PlaybackId) -> Result<(), CallError> {
        let mut stage = self.stage_mut();
        stage.up()?;
        let place = stage.playing.iter().position(|other| other.id == playback);
        let place = place.ok_or(CallError::UnknownId)?;
        stage.playing.remove(place);
        stage.note("stop");
        let now = stage.now;
        stage.happens(now, Event::PlaybackEnded((playback, PlaybackEnd::Stopped)));
        Ok(())
    }

    fn echo(&self, on: bool) -> Result<(), CallError> {
        let mut stage = self.stage_mut();
        stage.up()?;
        if !stage.answered {
            return Err(CallError::NotAnswered);
        }
        stage.note(if on { "echo on" } else { "echo off" });
        Ok(())
    }

    fn send_request(&self, request: Request) -> Result<RequestId, CallError> {
        let mut stage = self.stage_mut();
        let response = (stage.server)(&request);
        stage.requests.push(request);
        let id = RequestId::try_from(stage.requests.len()).expect("a test sends few requests");
        let at = stage.now + HTTP_TIME;
        stage.happens(at, Event::HttpResponse((id, response)));
        Ok(id)
    }

    fn next_event(&self, timeout: Option<Duration>) -> Option<Event> {
        self.stage_mut().next_event(timeout)
    }

    fn elapsed(&self) -> Duration {
        self.stage().now
    }
}
