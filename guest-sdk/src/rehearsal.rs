//! A caller that follows a script, for native tests of a story.

mod callee;
mod host;
mod listener;
mod recordings;
mod referee;
mod rooms;
mod stage;
mod transfer;

use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::{
    AnsweredBy, CallError, CallInfo, Direction, Event, HangUpCause, HttpError, PartialWords,
    Person, Request, Response, SpeechEnd, SpeechEvent, StreamEnd, StreamId, Target, Words,
};
pub use callee::Callee;
pub use referee::Referee;
use stage::Stage;

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
        Self(Rc::new(RefCell::new(Stage::new(info))))
    }

    /// An outbound call that was just answered.
    #[must_use]
    pub fn outbound() -> Self {
        let rehearsal = Self::new();
        rehearsal.stage_mut().info.direction = Direction::OutboundApi;
        rehearsal.stage_mut().answered = true;
        rehearsal
    }

    /// The call of somebody who was dialled and has just answered, and who hears a whisper before they are joined to the caller.
    #[must_use]
    pub fn whisper() -> Self {
        let rehearsal = Self::outbound();
        let mut stage = rehearsal.stage_mut();
        stage.info.direction = Direction::OutboundDial;
        stage.info.parent_call_sid = Some(format!("CA{}", "3".repeat(32)));
        drop(stage);
        rehearsal
    }

    /// Gives the flow a setting.
    #[must_use]
    pub fn setting(self, name: &str, value: &str) -> Self {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.stage_mut().settings.insert(name, value);
        self
    }

    /// Whoever is dialled as this answers with a header field, of those that [`Call::signals_of_last_dial`](crate::Call::signals_of_last_dial) tells.
    #[must_use]
    pub fn answering_with(self, callee: &str, name: &str, value: &str) -> Self {
        let field = (name.to_owned(), value.to_owned());
        let mut stage = self.stage_mut();
        let fields = stage.own_fields.entry(callee.to_owned()).or_default();
        fields.push(field);
        drop(stage);
        self
    }

    /// A key-value pair that the account has before the call.
    #[must_use]
    pub fn pair(self, key: &str, value: &str) -> Self {
        let (key, value) = (key.to_owned(), value.as_bytes().to_vec());
        self.stage().pairs.borrow_mut().insert(key, value);
        self
    }

    /// The account's key-value pairs as they are now.
    #[must_use]
    pub fn pairs(&self) -> BTreeMap<String, Vec<u8>> {
        self.stage().pairs.borrow().clone()
    }

    /// Somebody whom the account knows before the call.
    #[must_use]
    pub fn person(self, person: Person) -> Self {
        let people = self.stage().people.clone();
        people.borrow_mut().insert(person.number.clone(), person);
        self
    }

    /// The account's people as they are now, by number.
    #[must_use]
    pub fn people(&self) -> BTreeMap<String, Person> {
        self.stage().people.borrow().clone()
    }

    /// A secret of the account that is a PIN. One that is not there is never right.
    #[must_use]
    pub fn pin(self, name: &str, digits: &str) -> Self {
        let (name, digits) = (name.to_owned(), digits.to_owned());
        let pins = self.stage().pins.clone();
        pins.borrow_mut().secrets.insert(name, digits);
        self
    }

    /// What was kept as audio of the account's: the SIDs of recordings, by the names of files.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, String> {
        self.stage().files.borrow().clone()
    }

    /// The caller presses these keys, `seconds` after the beginning.
    #[must_use]
    pub fn press(self, seconds: f32, keys: &str) -> Self {
        for key in keys.chars() {
            self.happens(seconds, Event::Digit(key));
        }
        self
    }

    /// The caller begins to say these words, `seconds` after the beginning. A listening hears them in two seconds, all but the last
    /// of them after one; nobody hears them where none is under way.
    #[must_use]
    pub fn says(self, seconds: f32, words: &str) -> Self {
        let (stable, unstable) = words.rsplit_once(' ').unwrap_or(("", words));
        let partial = PartialWords {
            stable: stable.to_owned(),
            unstable: unstable.to_owned(),
        };
        let heard = SpeechEnd::Heard(Words {
            text: words.to_owned(),
            confidence_permille: Some(900),
        });
        self.speech(seconds, SpeechEvent::Began);
        self.speech(seconds + 1.0, SpeechEvent::Partial(partial));
        self.speech(seconds + 2.0, SpeechEvent::Ended(heard));
        self
    }

    /// The caller makes a sound that is no word, `seconds` after the beginning; a listening knows that a second later.
    #[must_use]
    pub fn mumbles(self, seconds: f32) -> Self {
        self.speech(seconds, SpeechEvent::Began);
        self.speech(seconds + 1.0, SpeechEvent::Ended(SpeechEnd::NotUnderstood));
        self
    }

    /// The recogniser fails, `seconds` after the beginning.
    #[must_use]
    pub fn recogniser_fails(self, seconds: f32, why: &str) -> Self {
        let end = SpeechEnd::Failed(why.to_owned());
        self.speech(seconds, SpeechEvent::Ended(end));
        self
    }

    /// The host has no recogniser.
    #[must_use]
    pub fn without_recogniser(self) -> Self {
        self.stage_mut().listens = false;
        self
    }

    /// The caller hangs up, `seconds` after the beginning.
    #[must_use]
    pub fn hang_up(self, seconds: f32) -> Self {
        self.happens(seconds, Event::HungUp(HangUpCause::Remote));
        self
    }

    /// Whoever is dialled by this number or URI. Others cannot be reached: dialling them fails at once.
    #[must_use]
    pub fn callee(self, target: &str, callee: Callee) -> Self {
        self.stage_mut().callees.insert(target.to_owned(), callee);
        self
    }

    /// Whoever is dialled as `target` ends the conversation with the wish that the caller be sent to `to`, where the story lets them ask.
    #[must_use]
    pub fn transfer(self, target: &str, to: &str) -> Self {
        let (target, to) = (target.to_owned(), to.to_owned());
        self.stage_mut().wishes.of.insert(target, to);
        self
    }

    /// The caller ends the conversation with whoever was dialled as `target` with the wish that they be sent to `to`, where the story lets callers ask.
    #[must_use]
    pub fn own_transfer(self, target: &str, to: &str) -> Self {
        let (target, to) = (target.to_owned(), to.to_owned());
        self.stage_mut().wishes.own.insert(target, to);
        self
    }

    /// What the other side does when the story sends it on. Without it, it refuses with 405.
    #[must_use]
    pub fn referee(self, referee: Referee) -> Self {
        self.stage_mut().referee = referee;
        self
    }

    /// The prompt at this path or URL does not exist.
    #[must_use]
    pub fn without_prompt(self, source: &str) -> Self {
        self.stage_mut().missing.insert(source.to_owned());
        self
    }

    /// The caller says nothing to recordings. Otherwise they speak for three seconds to each.
    #[must_use]
    pub fn without_voice(self) -> Self {
        self.stage_mut().voice = Duration::ZERO;
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

    /// How many seconds web servers take to answer: 0.1 without it.
    #[must_use]
    pub fn server_takes(self, seconds: f32) -> Self {
        self.stage_mut().server_takes = Duration::from_secs_f32(seconds);
        self
    }

    /// Who answered, and how many seconds a story that asks has to wait. Without it, somebody after 2 seconds.
    #[must_use]
    pub fn answered_by(self, who: AnsweredBy, after_seconds: f32) -> Self {
        self.stage_mut().answered_by = (who, Duration::from_secs_f32(after_seconds));
        self
    }

    /// The far end of a stream ends it, `seconds` after the beginning. Streams count up from 1; one whose end comes before its
    /// beginning never starts.
    #[must_use]
    pub fn stream_ends(self, seconds: f32, stream: StreamId, end: StreamEnd) -> Self {
        self.happens(seconds, Event::StreamEnded((stream, end)));
        self
    }

    /// What the story did to the call, a line each: `answer`, `play prompts/menu.wav`, `say Hello.`, `stop`, `echo on`,
    /// `dial +15550101`, `stop dial`, `listen in en-US`, `refer to +15550101`, `record`, `reject busy`, `hang up`, `join conference weekly`, `wait in queue support`. Loops follow as
    /// ` x3`, a voice and a language in brackets.
    #[must_use]
    pub fn transcript(&self) -> Vec<String> {
        self.stage().transcript.clone()
    }

    /// The requests that were sent, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.stage().requests.clone()
    }

    /// When each of [`requests`](Self::requests) was sent, counted from the call's beginning.
    #[must_use]
    pub fn request_times(&self) -> Vec<Duration> {
        self.stage().request_times.clone()
    }

    /// Everybody whom the story dialled, in order.
    #[must_use]
    pub fn dialled(&self) -> Vec<Target> {
        self.stage().dialled.clone()
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

    /// To the listening that is under way then.
    fn speech(&self, seconds: f32, event: SpeechEvent) {
        self.happens(seconds, Event::Speech((0, event)));
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
