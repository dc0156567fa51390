//! The call, as its story sees it.

use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use crate::digits::Entry;
use crate::inbox::Inbox;
use crate::{
    CallError, CallInfo, Dial, Dialing, Digits, Event, HangUpCause, Host, HttpError, Level,
    MediaSource, Playback, PlaybackEnd, Recorded, RecordingEnd, RecordingId, RehearsedPairs,
    RehearsedPeople, RejectReason, Request, Response, Speech, StreamEnd, warn,
};

/// One call, from its beginning to its end.
///
/// A command ([`answer`](Self::answer), [`play`](Self::play), …) is accepted or refused at once. Only what says so waits.
/// Once the call is over, both fail with [`CallError::HungUp`].
pub struct Call {
    host: Box<dyn Host>,
    inbox: RefCell<Inbox>,
}

impl Call {
    /// A call on a host of your own, such as a [`Rehearsal`](crate::Rehearsal). In a component [`flow!`](crate::flow) makes
    /// the call.
    #[must_use]
    pub fn on(host: impl Host + 'static) -> Self {
        Self {
            host: Box::new(host),
            inbox: RefCell::default(),
        }
    }

    /// What is known of this call from its beginning: who calls whom, and its SID.
    #[must_use]
    pub fn info(&self) -> CallInfo {
        self.host.info()
    }

    /// A setting of the flow: of the number that was called, over those of the account.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<String> {
        self.host.setting(name)
    }

    /// A setting that is read as something else than text, such as a number; none where it is not set.
    ///
    /// ```
    /// use jackfield_guest::{Call, CallError, Rehearsal};
    ///
    /// let call = Call::on(Rehearsal::new().setting("tries", "3").setting("pause", "long"));
    /// assert_eq!(call.setting_as::<u32>("tries"), Ok(Some(3)));
    /// assert_eq!(call.setting_as::<u32>("other"), Ok(None));
    /// assert!(matches!(call.setting_as::<u32>("pause"), Err(CallError::InvalidArgument(_))));
    /// ```
    ///
    /// # Errors
    /// [`CallError::InvalidArgument`], in words for the account, when it is set to something that is none.
    pub fn setting_as<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, CallError> {
        let Some(text) = self.setting(name) else {
            return Ok(None);
        };
        let read = text.trim().parse().map(Some);
        read.map_err(|_| {
            let kind = std::any::type_name::<T>();
            CallError::InvalidArgument(format!(
                "the setting `{name}` is \"{text}\", and has to be a {kind}"
            ))
        })
    }

    /// Writes a line to the tenant's log. The macros [`info!`](crate::info), [`warn!`](crate::warn) and so on format it too.
    pub fn log(&self, level: Level, message: &str) {
        self.host.log(level, message);
    }

    /// Answers an inbound call. From now on prompts are heard. A call that is answered already stays so.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the caller gave up.
    pub fn answer(&self) -> Result<(), CallError> {
        self.host.answer()
    }

    /// Turns an inbound call away.
    ///
    /// # Errors
    /// [`CallError::AlreadyAnswered`] after [`answer`](Self::answer); [`CallError::HungUp`] when the caller gave up.
    pub fn reject(&self, reason: RejectReason) -> Result<(), CallError> {
        self.host.reject(reason)
    }

    /// Ends the call at once; what still plays is cut.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when it is over already.
    pub fn hang_up(&self) -> Result<(), CallError> {
        self.host.hang_up()
    }

    /// Plays a prompt behind those that were asked for before: an `http(s)` URL, or a path in the tenant's media folder.
    ///
    /// ```no_run
    /// # fn story(call: &jackfield_guest::Call) -> Result<(), jackfield_guest::CallError> {
    /// call.play("prompts/welcome.wav")?.finish()?;
    /// call.play("https://example.net/weather.mp3")?.finish()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`CallError::NotAnswered`] before [`answer`](Self::answer), [`CallError::LimitReached`] when too many wait.
    pub fn play(&self, source: impl Into<MediaSource>) -> Result<Playback<'_>, CallError> {
        self.play_times(source, 1)
    }

    /// Plays a prompt `loops` times (1 to 1,000); else like [`play`](Self::play).
    ///
    /// # Errors
    /// Those of [`play`](Self::play), and [`CallError::InvalidArgument`] for `loops` out of range.
    pub fn play_times(
        &self,
        source: impl Into<MediaSource>,
        loops: u32,
    ) -> Result<Playback<'_>, CallError> {
        let id = self.host.play(source.into(), loops)?;
        Ok(Playback::new(self, id))
    }

    /// Speaks a text behind what was asked for before: a string, or a [`Speech`] that names voice and language.
    ///
    /// ```no_run
    /// # use jackfield_guest::Speech;
    /// # fn story(call: &jackfield_guest::Call) -> Result<(), jackfield_guest::CallError> {
    /// call.say("Hello.")?.finish()?;
    /// call.say(Speech::new("Hello again.").voice("slt"))?.finish()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`CallError::NotAnswered`] before [`answer`](Self::answer), [`CallError::InvalidArgument`] beyond 4,096
    /// characters, [`CallError::LimitReached`] when too many wait.
    pub fn say(&self, speech: impl Into<Speech>) -> Result<Playback<'_>, CallError> {
        self.say_times(speech, 1)
    }

    /// Speaks a text `loops` times (1 to 1,000); else like [`say`](Self::say).
    ///
    /// # Errors
    /// Those of [`say`](Self::say), and [`CallError::InvalidArgument`] for `loops` out of range.
    pub fn say_times(
        &self,
        speech: impl Into<Speech>,
        loops: u32,
    ) -> Result<Playback<'_>, CallError> {
        let id = self.host.say(speech.into(), loops)?;
        Ok(Playback::new(self, id))
    }

    /// Presses keys behind what was asked for before, for whatever answers there: 1 to 64 of `0123456789ABCD*#`, `w` to wait half a second
    /// and `W` to wait a second.
    ///
    /// ```no_run
    /// # fn story(call: &jackfield_guest::Call) -> Result<(), jackfield_guest::CallError> {
    /// call.press("W1294#")?.finish()?; // an extension behind a switchboard
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`play`](Self::play), and [`CallError::InvalidArgument`] for what is no key.
    pub fn press(&self, keys: impl Into<String>) -> Result<Playback<'_>, CallError> {
        let id = self.host.press(keys.into())?;
        Ok(Playback::new(self, id))
    }

    /// Calls somebody else and joins them to this call: a number, a SIP URI, or a [`Dial`] that says more.
    ///
    /// Nobody has answered yet when it returns: [`Dialing::finish`] waits until the conversation is over, or has come to nothing.
    ///
    /// ```
    /// # use jackfield_guest::{Call, CallError, Callee, Dial, DialStatus, Rehearsal};
    /// # use std::time::Duration;
    /// # fn story(call: &Call) -> Result<(), CallError> {
    /// call.answer()?;
    /// let nurse = Dial::to("+85510000001").ring_for(Duration::from_secs(20));
    /// let talk = call.dial(nurse)?.finish()?;
    /// if talk.status != DialStatus::Completed {
    ///     call.say("Nobody is there. Please call again tomorrow.")?.finish()?;
    /// }
    /// call.hang_up()
    /// # }
    /// # let caller = Rehearsal::new().callee("+85510000001", Callee::never());
    /// # story(&Call::on(caller.clone())).unwrap();
    /// # assert_eq!(caller.transcript()[1..3], ["dial +85510000001", "say Nobody is there. Please call again tomorrow."]);
    /// # assert_eq!(caller.elapsed(), Duration::from_secs(22));
    /// ```
    ///
    /// # Errors
    /// [`CallError::NotAnswered`] before [`answer`](Self::answer), unless [`Dial::answer_on_bridge`] is set;
    /// [`CallError::InvalidArgument`] for what cannot be dialled; [`CallError::LimitReached`] while another dial is under way.
    pub fn dial(&self, whom: impl Into<Dial>) -> Result<Dialing<'_>, CallError> {
        let whom: Dial = whom.into();
        let id = self.host.dial(whom.into())?;
        Ok(Dialing::new(self, id))
    }

    /// Sends the caller's audio back to them, or ceases to. Prompts take precedence while they play.
    ///
    /// # Errors
    /// [`CallError::NotAnswered`] before [`answer`](Self::answer).
    pub fn echo(&self, on: bool) -> Result<(), CallError> {
        self.host.echo(on)
    }

    /// Collects keys: those that were typed ahead first, then what the caller presses.
    ///
    /// `timeout` is the longest wait for each key. When it is over, what was typed until then is the answer: empty when
    /// there was none. To ask and listen in one, see [`Playback::gather`].
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn gather(&self, digits: Digits, timeout: Duration) -> Result<String, CallError> {
        let mut entry = Entry::new(digits);
        while let Some(key) = self.wait_until(self.after(timeout), Inbox::take_key)? {
            if entry.press(key) {
                break;
            }
        }
        Ok(entry.into_digits())
    }

    /// Waits for the next key, for as long as it takes: one of `0123456789*#ABCD`.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn key(&self) -> Result<char, CallError> {
        self.wait_for(Inbox::take_key)
    }

    /// Forgets the keys pressed so far that no gather has taken.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call is over.
    pub fn clear_digits(&self) -> Result<(), CallError> {
        while let Some(event) = self.host.next_event(Some(Duration::ZERO)) {
            self.receive(event);
            self.still_up()?;
        }
        self.inbox.borrow_mut().clear_keys();
        self.still_up()
    }

    /// Lets time pass. Keys pressed meanwhile are kept for the next gather.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn pause(&self, duration: Duration) -> Result<(), CallError> {
        self.wait_until(self.after(duration), |_| None::<()>)?;
        Ok(())
    }

    /// Lets time pass until a key is pressed. True when one was; the next gather begins with it.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn pause_until_key(&self, duration: Duration) -> Result<bool, CallError> {
        let key = self.wait_until(self.after(duration), |inbox| inbox.has_key().then_some(()))?;
        Ok(key.is_some())
    }

    /// Makes an HTTP request and waits for its answer.
    ///
    /// The host follows redirects, keeps the call's cookies, and gives up after 15 seconds. The outer error ends the
    /// story; that no answer came is the inner one, to be dealt with on the spot:
    ///
    /// ```no_run
    /// # use jackfield_guest::{Call, CallError, Request, warn};
    /// # fn story(call: &Call) -> Result<(), CallError> {
    /// match call.http(Request::get("https://example.net/rain"))? {
    ///     Ok(rain) if rain.is_success() => call.say(rain.text().as_ref())?.finish()?,
    ///     Ok(rain) => call.say(format!("The server said {}.", rain.status))?.finish()?,
    ///     Err(cause) => {
    ///         warn!(call, "no forecast: {cause}");
    ///         call.say("No forecast today.")?.finish()?
    ///     }
    /// };
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends before the answer. Once the call is over, the request is still sent, but
    /// nobody waits for its answer.
    pub fn http(&self, request: Request) -> Result<Result<Response, HttpError>, CallError> {
        let id = self.host.send_request(request)?;
        self.wait_for(|inbox| inbox.take_response(id))
    }

    /// Makes an HTTP request whose answer nobody waits for. At most 8 are under way at a time.
    ///
    /// # Errors
    /// [`CallError::LimitReached`] while 8 are under way.
    pub fn send(&self, request: Request) -> Result<(), CallError> {
        let id = self.host.send_request(request)?;
        self.inbox.borrow_mut().do_without(id);
        Ok(())
    }

    /// The time since the call's story began. It stands still between two waits.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.host.elapsed()
    }

    /// Why the call is over, once a wait has failed with [`CallError::HungUp`].
    #[must_use]
    pub fn hang_up_cause(&self) -> Option<HangUpCause> {
        self.inbox.borrow().hung_up()
    }

    pub(crate) fn host(&self) -> &dyn Host {
        &*self.host
    }

    /// Takes events in until `look` finds what it looks for.
    pub(crate) fn wait_for<T>(
        &self,
        look: impl FnMut(&mut Inbox) -> Option<T>,
    ) -> Result<T, CallError> {
        let found = self.wait_until(None, look)?;
        Ok(found.expect("a wait without a time limit ends with what it waits for"))
    }

    /// The people of a rehearsal; none in a component.
    pub(crate) fn rehearsed_people(&self) -> Option<RehearsedPeople> {
        self.host.rehearsed_people()
    }

    /// The pairs of a rehearsal; none in a component.
    pub(crate) fn rehearsed_pairs(&self) -> Option<RehearsedPairs> {
        self.host.rehearsed_pairs()
    }

    /// What was told and not yet asked for.
    pub(crate) fn inbox(&self) -> std::cell::RefMut<'_, Inbox> {
        self.inbox.borrow_mut()
    }

    /// Takes events in until that recording has ended. The hang-up does not end this wait: what the call leaves comes after it, and
    /// then the hang-up again.
    pub(crate) fn wait_for_recording(&self, id: RecordingId) -> Result<Recorded, CallError> {
        loop {
            if let Some(recorded) = self.inbox.borrow_mut().take_recorded(id) {
                return Ok(recorded);
            }
            let was_over = self.hang_up_cause().is_some();
            match self.host.next_event(None) {
                Some(Event::HungUp(_)) if was_over => return Err(CallError::HungUp),
                Some(event) => self.receive(event),
                None => {} // nothing else would be a reason to come back
            }
        }
    }

    /// Takes events in until `look` finds what it looks for, or the moment `end` has come.
    pub(crate) fn wait_until<T>(
        &self,
        end: Option<Duration>,
        mut look: impl FnMut(&mut Inbox) -> Option<T>,
    ) -> Result<Option<T>, CallError> {
        loop {
            if let Some(found) = look(&mut self.inbox.borrow_mut()) {
                return Ok(Some(found));
            }
            self.still_up()?;
            let left = end.map(|end| end.saturating_sub(self.host.elapsed()));
            if left == Some(Duration::ZERO) {
                return Ok(None);
            }
            match (self.host.next_event(left), left) {
                (Some(event), _) => self.receive(event),
                (None, Some(_)) => return Ok(None),
                (None, None) => {} // nothing else would be a reason to come back
            }
        }
    }

    fn receive(&self, event: Event) {
        match &event {
            Event::PlaybackEnded((id, PlaybackEnd::Failed(why))) => {
                warn!(self, "playback {id} failed: {why}");
            }
            Event::StreamEnded((id, StreamEnd::Failed(why))) => {
                warn!(self, "stream {id} failed: {why}");
            }
            Event::RecordingEnded((
                _,
                Recorded {
                    sid,
                    end: RecordingEnd::Failed(why),
                    ..
                },
            )) => {
                warn!(self, "recording {sid} failed: {why}");
            }
            _ => {}
        }
        self.inbox.borrow_mut().put(event);
    }

    fn still_up(&self) -> Result<(), CallError> {
        match self.hang_up_cause() {
            Some(_) => Err(CallError::HungUp),
            None => Ok(()),
        }
    }

    /// That moment from now; none when it is beyond all time.
    pub(crate) fn after(&self, duration: Duration) -> Option<Duration> {
        self.host.elapsed().checked_add(duration)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Call").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
