//! A conference, as one who takes part sees it.

use std::time::Duration;

use crate::bindings::jackfield::rooms::conferences;
use crate::{
    Beep, Call, CallError, ConferenceEnd, ConferenceEvent, ConferenceOptions, ConferencePlace,
    ConferenceRecording, ConferenceTerms, OrderedSound, Playback, PlaybackEnd, RecordingCallback,
    StatusCallback, WaitSound,
};

/// What was told of the conference that was joined last.
#[derive(Debug, Default)]
pub(crate) struct ConferenceNews {
    place: Option<ConferencePlace>,
    began: bool,
    muted: Option<bool>,
    held: Option<OrderedSound>,
    /// A document to be heard on hold, or until it begins, that nobody has asked for yet.
    hold_document: Option<StatusCallback>,
    wait_document: Option<StatusCallback>,
    end: Option<ConferenceEnd>,
}

/// What comes next in a conference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConferenceTurn {
    /// The key was pressed. The call is in the conference still.
    Key,
    /// The API has put the call on hold, with a document to be heard.
    HeldWith(StatusCallback),
    /// By order of the API this document is to be heard until the conference begins.
    WaitsWith(StatusCallback),
    /// It is over for this call.
    Over(ConferenceEnd),
}

impl ConferenceNews {
    pub(crate) fn put(&mut self, event: ConferenceEvent) {
        match event {
            ConferenceEvent::Joined(place) => self.place = Some(place),
            ConferenceEvent::Began => self.began = true,
            ConferenceEvent::Muted(muted) => self.muted = Some(muted),
            ConferenceEvent::Held(sound) => {
                self.hold_document = document(sound.as_ref());
                self.held = sound;
            }
            ConferenceEvent::WaitsWith(sound) => self.wait_document = document(Some(&sound)),
            ConferenceEvent::Left(end) => self.end = Some(end),
        }
    }

    /// What is next, a press of this key among it.
    fn turn(&mut self, key: bool) -> Option<ConferenceTurn> {
        if key {
            return Some(ConferenceTurn::Key);
        }
        if let Some(end) = self.end.take() {
            return Some(ConferenceTurn::Over(end));
        }
        if let Some(document) = self.hold_document.take() {
            return Some(ConferenceTurn::HeldWith(document));
        }
        self.wait_document.take().map(ConferenceTurn::WaitsWith)
    }
}

fn document(sound: Option<&OrderedSound>) -> Option<StatusCallback> {
    match sound {
        Some(OrderedSound::Document(document)) => Some(document.clone()),
        Some(OrderedSound::Sound(_)) | None => None,
    }
}

impl Call {
    /// Joins the conference of this name, which begins with the first who does. The call must be answered.
    ///
    /// ```
    /// use jackfield_guest::{Call, CallError, ConferenceEnd, ConferenceOptions, Rehearsal};
    ///
    /// fn run(call: &Call) -> Result<(), CallError> {
    ///     call.answer()?;
    ///     let end = call.conference("weekly", ConferenceOptions::default())?.until_key('*')?;
    ///     if end == ConferenceEnd::Left {
    ///         call.say("You have left the conference.")?.finish()?;
    ///     }
    ///     call.hang_up()
    /// }
    ///
    /// let caller = Rehearsal::new().press(30.0, "*");
    /// assert_eq!(run(&Call::on(caller.clone())), Ok(()));
    /// let expected = ["answer", "join conference weekly", "leave conference", "say You have left the conference.", "hang up"];
    /// assert_eq!(caller.transcript(), expected);
    /// ```
    ///
    /// # Errors
    /// [`CallError::NotAnswered`] before [`answer`](Self::answer); [`CallError::InvalidArgument`] for a name that has not 1 to 128
    /// characters, for options out of range, and when the call is in a conference already, or at a queue.
    pub fn conference(
        &self,
        name: impl Into<String>,
        options: ConferenceOptions,
    ) -> Result<Conference<'_>, CallError> {
        self.host().join_conference(name.into(), options)?;
        self.inbox().conference = ConferenceNews::default();
        Ok(Conference { call: self })
    }

    /// As [`conference`](Self::conference), with something to say of the whole, if this call is the first: that it is recorded, and that whoever is told of it is
    /// told of who speaks.
    ///
    /// ```
    /// use jackfield_guest::{Call, CallError, ConferenceOptions, ConferenceTerms, Rehearsal};
    ///
    /// fn run(call: &Call) -> Result<(), CallError> {
    ///     call.answer()?;
    ///     let terms = ConferenceTerms::default().recorded(None);
    ///     call.conference_with("weekly", ConferenceOptions::default(), terms)?.finish()?;
    ///     call.hang_up()
    /// }
    ///
    /// let caller = Rehearsal::new().conference_ends(9.0);
    /// assert_eq!(run(&Call::on(caller.clone())), Ok(()));
    /// assert_eq!(caller.transcript(), ["answer", "join conference weekly [recorded, trimmed]", "hang up"]);
    /// ```
    ///
    /// # Errors
    /// As [`conference`](Self::conference); [`CallError::InvalidArgument`] for speakers of whom nobody is told.
    pub fn conference_with(
        &self,
        name: impl Into<String>,
        options: ConferenceOptions,
        terms: ConferenceTerms,
    ) -> Result<Conference<'_>, CallError> {
        let name = name.into();
        let rehearsed = self.host().rehearsed_conference(&name, &options, &terms);
        // From here, so that a component imports it only where its story asks.
        rehearsed.unwrap_or_else(|| conferences::join(&name, &options, &terms))?;
        self.inbox().conference = ConferenceNews::default();
        Ok(Conference { call: self })
    }
}

impl Default for ConferenceTerms {
    /// It is not recorded, and nobody is told who speaks.
    fn default() -> Self {
        Self {
            recording: None,
            speakers: false,
        }
    }
}

impl ConferenceTerms {
    /// It is recorded, silence at both ends left out; who is told of the recording.
    #[must_use]
    pub fn recorded(self, status_callback: Option<RecordingCallback>) -> Self {
        let recording = ConferenceRecording {
            trim_silence: true,
            status_callback,
        };
        Self {
            recording: Some(recording),
            ..self
        }
    }
}

/// A conference that was joined by [`Call::conference`].
///
/// It goes on whether or not the story waits for it. What the story plays meanwhile is heard by this call alone, in place of the
/// others.
#[derive(Debug)]
pub struct Conference<'a> {
    call: &'a Call,
}

impl Conference<'_> {
    /// Waits until it is over for this call.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn finish(self) -> Result<ConferenceEnd, CallError> {
        self.call.wait_for(|inbox| inbox.conference.end.take())
    }

    /// Waits until it is over for this call, or this key is pressed, which leaves. Other keys are forgotten.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn until_key(self, key: char) -> Result<ConferenceEnd, CallError> {
        let end = self.call.wait_for(|inbox| match inbox.take_this_key(key) {
            true => Some(None),
            false => inbox.conference.end.take().map(Some),
        })?;
        match end {
            Some(end) => Ok(end),
            None => self.leave(),
        }
    }

    /// Waits for what is next: a press of `key` where one is given, an order of the API that the story has to carry out, or the end. After
    /// the end nothing comes. Other keys are forgotten where one is given.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn turn(&self, key: Option<char>) -> Result<ConferenceTurn, CallError> {
        self.call.wait_for(|inbox| {
            let key = key.is_some_and(|key| inbox.take_this_key(key));
            inbox.conference.turn(key)
        })
    }

    /// As [`turn`](Self::turn), for so long at most: none when nothing happened by then.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn turn_within(
        &self,
        key: Option<char>,
        time: Duration,
    ) -> Result<Option<ConferenceTurn>, CallError> {
        self.call.wait_until(self.call.after(time), |inbox| {
            let key = key.is_some_and(|key| inbox.take_this_key(key));
            inbox.conference.turn(key)
        })
    }

    /// Whether the API has muted it, or lets it be heard: the last order. None where there was none.
    #[must_use]
    pub fn ordered_mute(&self) -> Option<bool> {
        self.call.inbox().conference.muted
    }

    /// Whether the API has put it on hold.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.call.inbox().conference.held.is_some()
    }

    /// Lets time pass while the API has the call on hold: true when it was by then, false once it is not, or all is over.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn still_held(&self, time: Duration) -> Result<bool, CallError> {
        let over = self.call.wait_until(self.call.after(time), |inbox| {
            let news = &inbox.conference;
            (news.held.is_none() || news.end.is_some()).then_some(())
        })?;
        Ok(over.is_none())
    }

    /// Lets a playback be heard while the API has the call on hold, and says how it ended; none when the call is taken off, or all is over,
    /// which stops it.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn hear_held(&self, playback: Playback<'_>) -> Result<Option<PlaybackEnd>, CallError> {
        playback
            .end_before(|inbox| inbox.conference.held.is_none() || inbox.conference.end.is_some())
    }

    /// Lets time pass while nobody else is there: true when nobody was by then, false once the conference has begun or is over.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn still_waits(&self, time: Duration) -> Result<bool, CallError> {
        let over = self.call.wait_until(self.call.after(time), |inbox| {
            let news = &inbox.conference;
            (news.began || news.end.is_some()).then_some(())
        })?;
        Ok(over.is_none())
    }

    /// Lets a playback be heard while nobody else is there, and says how it ended; none when the conference has begun or is over, which
    /// stops it.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn hear(&self, playback: Playback<'_>) -> Result<Option<PlaybackEnd>, CallError> {
        playback.end_before(|inbox| inbox.conference.began || inbox.conference.end.is_some())
    }

    /// Which one it is, once the call is in it.
    #[must_use]
    pub fn place(&self) -> Option<ConferencePlace> {
        self.call.inbox().conference.place.clone()
    }

    /// Is not heard by the others, or is again.
    ///
    /// # Errors
    /// [`CallError::InvalidArgument`] when it is over.
    pub fn mute(&self, muted: bool) -> Result<(), CallError> {
        self.call.host().mute(muted)
    }

    /// Is on hold: neither heard nor hearing, but for this sound.
    ///
    /// # Errors
    /// [`CallError::InvalidArgument`] when it is over.
    pub fn hold(&self, sound: impl Into<WaitSound>) -> Result<(), CallError> {
        self.call.host().hold(Some(sound.into()))
    }

    /// Takes part again after a hold.
    ///
    /// # Errors
    /// [`CallError::InvalidArgument`] when it is over.
    pub fn resume(&self) -> Result<(), CallError> {
        self.call.host().hold(None)
    }

    /// Leaves it.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call is over.
    pub fn leave(self) -> Result<ConferenceEnd, CallError> {
        match self.call.host().leave_conference() {
            // Over already: its end was told, or is about to be.
            Ok(()) | Err(CallError::InvalidArgument(_)) => self.finish(),
            Err(error) => Err(error),
        }
    }
}

/// Twilio's: heard by all, begins it, with tones and the runtime's music.
impl Default for ConferenceOptions {
    fn default() -> Self {
        Self {
            muted: false,
            beep: Beep::Always,
            start_on_enter: true,
            end_on_exit: false,
            wait_sound: WaitSound::Music,
            coach: None,
            max_participants: None,
            label: None,
            status_callback: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rehearsal;

    fn joined(caller: &Rehearsal) -> Call {
        let call = Call::on(caller.clone());
        call.answer().unwrap();
        call
    }

    fn join(call: &Call) -> Conference<'_> {
        call.conference("room", ConferenceOptions::default())
            .unwrap()
    }

    #[test]
    fn it_lasts_until_somebody_ends_it() {
        let caller = Rehearsal::new().press(5.0, "1").conference_ends(60.0);
        let call = joined(&caller);
        assert_eq!(join(&call).until_key('*'), Ok(ConferenceEnd::Ended));
        assert_eq!(call.elapsed(), Duration::from_secs(60));
        assert_eq!(
            call.gather(crate::Digits::any(), Duration::from_secs(1)),
            Ok(String::new()),
            "keys of the conference are not for what follows"
        );
    }

    #[test]
    fn a_key_leaves_it() {
        let caller = Rehearsal::new().press(5.0, "12*");
        let call = joined(&caller);
        assert_eq!(join(&call).until_key('*'), Ok(ConferenceEnd::Left));
        let expected = ["answer", "join conference room", "leave conference"];
        assert_eq!(caller.transcript(), expected);
        assert_eq!(join(&call).leave(), Ok(ConferenceEnd::Left), "once more");
    }

    #[test]
    fn who_waits_may_hear_prompts_until_it_begins() {
        let caller = Rehearsal::new().conference_begins(5.0).conference_ends(9.0);
        let call = joined(&caller);
        let conference = join(&call);
        assert!(conference.still_waits(Duration::from_secs(1)).unwrap());
        let heard = |prompt: &str| conference.hear(call.play(prompt).unwrap());
        assert_eq!(heard("first.wav"), Ok(Some(PlaybackEnd::Finished)));
        assert_eq!(heard("second.wav"), Ok(None));
        assert_eq!(call.elapsed(), Duration::from_secs(5));
        assert!(!conference.still_waits(Duration::ZERO).unwrap());
        assert_eq!(conference.place().unwrap().participants, 1);
        assert_eq!(conference.finish(), Ok(ConferenceEnd::Ended));
        assert_eq!(
            caller.transcript()[2..],
            ["play first.wav", "play second.wav", "stop"]
        );
    }

    #[test]
    fn mute_and_hold_are_the_hosts_to_do() {
        let caller = Rehearsal::new();
        let call = joined(&caller);
        let conference = join(&call);
        conference.mute(true).unwrap();
        conference.hold("hold.wav").unwrap();
        conference.resume().unwrap();
        conference.leave().unwrap();
        let expected = ["mute", "hold with hold.wav", "unhold", "leave conference"];
        assert_eq!(caller.transcript()[2..], expected);
        assert!(matches!(
            call.host().mute(false),
            Err(CallError::InvalidArgument(_))
        ));
    }

    #[test]
    fn the_api_mutes_and_holds() {
        let document = StatusCallback {
            url: "https://a/hold".to_owned(),
            method: crate::HttpMethod::Post,
        };
        let held = OrderedSound::Document(document.clone());
        let caller = Rehearsal::new()
            .conference_orders(1.0, ConferenceEvent::Muted(true))
            .conference_orders(2.0, ConferenceEvent::Held(Some(held)))
            .conference_orders(9.0, ConferenceEvent::Held(None))
            .press(12.0, "1*");
        let call = joined(&caller);
        let conference = join(&call);
        assert_eq!(conference.ordered_mute(), None);
        let turn = conference.turn(Some('*')).unwrap();
        assert_eq!(turn, ConferenceTurn::HeldWith(document));
        assert_eq!(conference.ordered_mute(), Some(true));
        assert!(conference.is_held());
        let heard = conference.hear_held(call.play("a.wav").unwrap());
        assert_eq!(heard, Ok(Some(PlaybackEnd::Finished)));
        assert!(!conference.still_held(Duration::from_secs(60)).unwrap());
        assert_eq!(call.elapsed(), Duration::from_secs(9));
        assert_eq!(conference.turn(Some('*')), Ok(ConferenceTurn::Key));
        assert_eq!(conference.leave(), Ok(ConferenceEnd::Left));
    }

    #[test]
    fn a_hang_up_ends_the_wait() {
        let caller = Rehearsal::new().hang_up(3.0);
        let call = joined(&caller);
        assert_eq!(join(&call).finish(), Err(CallError::HungUp));
    }
}
