//! A conference: who is in it, who is heard, when it begins and when it is over.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{CallSid, ConferenceSid, MediaSource, WaitSound};

mod admission;
mod announcement;
mod callback;
mod terms;
mod turn;

use announcement::Announcements;
pub use callback::{ConferenceCallback, ConferenceTopic};
pub use terms::{ConferenceRecording, ConferenceTerms};
pub use turn::{
    ConferenceEndReason, ConferenceTurn, OrderedSound, Participant, ParticipantChange,
    ParticipantExit,
};

/// The fewest that `max_participants` may say.
pub(crate) const MIN_PARTICIPANTS: u32 = 2;
/// The most that `max_participants` may say (Twilio's bound, and the mixer's).
pub(crate) const MAX_PARTICIPANTS: u32 = 250;
/// A conference begins when so many are in it.
const BEGINS_WITH: usize = 2;

/// When a tone is heard by all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Beep {
    /// Not on account of this call.
    Never,
    /// When it comes.
    OnEnter,
    /// When it goes.
    OnExit,
    /// Both.
    #[default]
    Always,
}

/// How a call takes part in a conference. The default is Twilio's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConferenceOptions {
    /// Is not heard, until it is unmuted.
    pub muted: bool,
    /// Whether others hear that it comes or goes.
    pub beep: Beep,
    /// The conference begins with this call, once there are two.
    pub start_on_enter: bool,
    /// The conference ends when this call goes.
    pub end_on_exit: bool,
    /// Heard until the conference begins.
    pub wait_sound: WaitSound,
    /// Hears all, and is heard by this call alone.
    pub coach: Option<CallSid>,
    /// 2 to 250; the first call's counts.
    pub max_participants: Option<u32>,
    /// A name for the call in it, 128 characters at most.
    pub label: Option<String>,
    /// Who is told of the conference; the first call's counts.
    pub status_callback: Option<ConferenceCallback>,
}

impl Default for ConferenceOptions {
    fn default() -> Self {
        Self {
            muted: false,
            beep: Beep::default(),
            start_on_enter: true,
            end_on_exit: false,
            wait_sound: WaitSound::default(),
            coach: None,
            max_participants: None,
            label: None,
            status_callback: None,
        }
    }
}

/// What a story asks of a conference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConferenceCommand {
    /// Joins the one of this name.
    Join {
        /// 1 to 128 characters.
        name: String,
        /// How it takes part.
        options: Box<ConferenceOptions>,
    },
    /// Leaves it.
    Leave,
    /// Is not heard, or is again.
    Mute(bool),
    /// Is on hold with this sound, or takes part again.
    Hold(Option<WaitSound>),
    /// Joins the one of this name, and says something of the whole.
    JoinWith {
        /// 1 to 128 characters.
        name: String,
        /// How it takes part.
        options: Box<ConferenceOptions>,
        /// What it says of the whole, if it is the first.
        terms: Box<ConferenceTerms>,
    },
}

/// What a call asks of a conference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConferenceRequest {
    /// Joins the one of this name in its account.
    Join {
        /// 1 to 128 characters.
        name: String,
        /// How it takes part.
        options: Box<ConferenceOptions>,
        /// What it says of the whole, if it is the first.
        terms: Box<ConferenceTerms>,
    },
    /// Leaves it.
    Leave {
        /// The call is over.
        hung_up: bool,
    },
    /// Is not heard, or is again.
    Mute(bool),
    /// Neither hears nor is heard, or takes part again.
    Hold(bool),
    /// An announcement is over, or could not be heard; then says why.
    Announced(Result<(), String>),
}

/// What becomes of a call in a conference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConferenceEvent {
    /// It is in.
    Joined(ConferencePlace),
    /// The others are heard from now on.
    Began,
    /// Somebody else has muted it, or lets it be heard again.
    Muted(bool),
    /// Somebody else has put it on hold with this sound, or taken it off.
    Held(Option<OrderedSound>),
    /// This is heard from now on until the conference begins.
    WaitsWith(OrderedSound),
    /// It is in it no longer.
    Left(ConferenceEnd),
}

/// Which conference a call has joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConferencePlace {
    /// The conference.
    pub sid: ConferenceSid,
    /// Who is in it, this call among them.
    pub participants: u32,
}

/// Why a call is in a conference no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConferenceEnd {
    /// It left.
    Left,
    /// Somebody whose going ends the conference went, or the API ended it.
    Ended,
    /// It was removed through the API.
    Removed,
    /// It was never in; says why.
    Refused(String),
}

/// One thing that happened to a conference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConferenceInput {
    /// A call wants to join.
    Join {
        /// Which.
        call: CallSid,
        /// How it takes part.
        options: Box<ConferenceOptions>,
        /// What it says of the whole, if it is the first.
        terms: Box<ConferenceTerms>,
    },
    /// A call leaves.
    Leave {
        /// Which.
        call: CallSid,
        /// It is over.
        hung_up: bool,
    },
    /// A call mutes itself, or does so no longer.
    Mute(CallSid, bool),
    /// A call puts itself on hold, or takes itself off.
    Hold(CallSid, bool),
    /// Somebody else changes how a call takes part. It is told.
    Change(CallSid, ParticipantChange),
    /// An announcement for one call, or for all.
    Announce(Option<CallSid>, MediaSource),
    /// A call has heard the announcement that it was told of first among those it has not answered yet, or could not; then says why.
    Announced(CallSid, Result<(), String>),
    /// A call is expected, and will take part so: the conference is there, also while nobody is in it.
    Expect(
        Participant,
        Option<ConferenceCallback>,
        Box<ConferenceTerms>,
    ),
    /// A call is not expected any longer.
    Forget(CallSid),
    /// A call is heard to speak, or no longer.
    Speaks(CallSid, bool),
    /// A call is removed.
    Kick(CallSid),
    /// All are removed.
    End,
}

/// One thing to be done for a conference, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConferenceEffect {
    /// Tell a call.
    Tell(CallSid, ConferenceEvent),
    /// Give a call a place in the mix. Its [`Self::Hear`] follows.
    Seat(CallSid),
    /// Take its place away.
    Unseat(CallSid),
    /// How it hears and is heard from now on.
    Hear(CallSid, Hearing),
    /// Somebody came: a tone for all.
    BeepEnter,
    /// Somebody went: a tone for all.
    BeepExit,
    /// Let a call hear this once, in place of the others.
    Announce(CallSid, MediaSource),
    /// Record it from now on. Once at most.
    Record(ConferenceRecording),
    /// Keep this, and tell whoever is to be told.
    Note(ConferenceTurn),
}

/// How a participant hears and is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hearing {
    /// Is not heard.
    pub muted: bool,
    /// Neither hears nor is heard.
    pub held: bool,
    /// Is heard by this one alone.
    pub coaches: Option<CallSid>,
}

/// Decides who is in a conference and who hears whom. It is over when the last one has gone.
#[derive(Debug)]
pub struct Conference {
    sid: ConferenceSid,
    /// What the host allows.
    most: u32,
    opened: bool,
    began: bool,
    /// How it is recorded, until that begins.
    recording: Option<ConferenceRecording>,
    /// Somebody is told of who speaks.
    tells_of_speakers: bool,
    participants: Vec<Member>,
    /// Who may come still, as they will take part.
    expected: Vec<Participant>,
    announcements: Announcements,
    effects: VecDeque<ConferenceEffect>,
}

#[derive(Debug)]
struct Member {
    call: CallSid,
    options: Box<ConferenceOptions>,
    held: bool,
    speaks: bool,
}

impl Member {
    fn shown(&self) -> Participant {
        Participant {
            call: self.call,
            label: self.options.label.clone(),
            muted: self.options.muted,
            held: self.held,
            coaches: self.options.coach,
            start_on_enter: self.options.start_on_enter,
            end_on_exit: self.options.end_on_exit,
        }
    }
}

impl Conference {
    /// An empty conference of at most `most` participants.
    #[must_use]
    pub fn new(sid: ConferenceSid, most: u32) -> Self {
        Self {
            sid,
            most,
            opened: false,
            began: false,
            recording: None,
            tells_of_speakers: false,
            participants: Vec::new(),
            expected: Vec::new(),
            announcements: Announcements::default(),
            effects: VecDeque::new(),
        }
    }

    /// Feeds one input; effects wait in order for [`Self::poll`].
    pub fn handle(&mut self, input: ConferenceInput) {
        match input {
            ConferenceInput::Join {
                call,
                options,
                terms,
            } => self.join(call, options, *terms),
            ConferenceInput::Leave { call, hung_up } => {
                let how = match hung_up {
                    true => ParticipantExit::HungUp,
                    false => ParticipantExit::Left,
                };
                self.leave(call, how);
            }
            ConferenceInput::Mute(call, muted) => self.mute(call, muted),
            ConferenceInput::Hold(call, held) => self.hold(call, held),
            ConferenceInput::Change(call, change) => self.change(call, change),
            ConferenceInput::Announce(to, source) => self.announce(to, &source),
            ConferenceInput::Announced(call, outcome) => {
                let over = self.announcements.heard(call, outcome);
                self.note_announcements(over);
            }
            ConferenceInput::Expect(participant, callback, terms) => {
                self.open(callback, *terms);
                self.expected.push(participant.clone());
                self.note(ConferenceTurn::Expected(participant));
            }
            ConferenceInput::Forget(call) => self.forget(call),
            ConferenceInput::Speaks(call, speaks) => self.speaks(call, speaks),
            ConferenceInput::Kick(call) => self.leave(call, ParticipantExit::Kicked),
            ConferenceInput::End => {
                if !self.is_empty() {
                    self.expected.clear();
                    self.end(ConferenceEndReason::Api, None);
                }
            }
        }
    }

    /// The next thing to be done. Drain it before the next [`Self::handle`].
    pub fn poll(&mut self) -> Option<ConferenceEffect> {
        self.effects.pop_front()
    }

    /// Nobody is in it, and nobody is expected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.participants.is_empty() && self.expected.is_empty()
    }

    /// A call that is in it.
    #[must_use]
    pub fn find(&self, call: CallSid) -> Option<Participant> {
        let member = self.participants.iter().find(|one| one.call == call)?;
        Some(member.shown())
    }

    fn join(&mut self, call: CallSid, options: Box<ConferenceOptions>, terms: ConferenceTerms) {
        if let Some(why) = self.refusal(call, &options) {
            return self.tell(call, ConferenceEvent::Left(ConferenceEnd::Refused(why)));
        }
        let beeps = matches!(options.beep, Beep::OnEnter | Beep::Always);
        self.open(options.status_callback.clone(), terms);
        self.expected.retain(|expected| expected.call != call);
        let member = Member {
            call,
            options,
            held: false,
            speaks: false,
        };
        self.note(ConferenceTurn::Joined(member.shown()));
        self.participants.push(member);
        let place = ConferencePlace {
            sid: self.sid,
            participants: self.participants.len() as u32,
        };
        self.tell(call, ConferenceEvent::Joined(place));
        self.effects.push_back(ConferenceEffect::Seat(call));
        self.say_how_heard(call);
        if self.began {
            self.tell(call, ConferenceEvent::Began);
            self.say_how_coaches_are_heard(call);
        } else if self.may_begin() {
            self.begin();
        }
        if beeps {
            self.effects.push_back(ConferenceEffect::BeepEnter);
        }
    }

    /// It is there from now on. Who is told of it, and what holds for the whole, is said once.
    fn open(&mut self, callback: Option<ConferenceCallback>, terms: ConferenceTerms) {
        if !std::mem::replace(&mut self.opened, true) {
            self.recording = terms.recording;
            let topics = callback.as_ref().map(|callback| &callback.topics);
            self.tells_of_speakers =
                topics.is_some_and(|topics| topics.contains(&ConferenceTopic::Speaker));
            self.note(ConferenceTurn::Opened(callback));
            if let Some(region) = terms.region {
                self.note(ConferenceTurn::Placed(region));
            }
        }
    }

    fn forget(&mut self, call: CallSid) {
        let before = self.expected.len();
        self.expected.retain(|expected| expected.call != call);
        if self.expected.len() == before {
            return;
        }
        self.note(ConferenceTurn::Missed(call));
        if self.is_empty() {
            self.end(ConferenceEndReason::LastLeft, None);
        }
    }

    /// Who is there now is to hear it.
    fn announce(&mut self, to: Option<CallSid>, source: &MediaSource) {
        let calls = self.participants.iter().map(|one| one.call);
        let calls = calls.filter(|call| to.is_none_or(|to| to == *call));
        let calls: Vec<CallSid> = calls.collect();
        for call in &calls {
            let effect = ConferenceEffect::Announce(*call, source.clone());
            self.effects.push_back(effect);
        }
        self.announcements.begin(to, source.clone(), calls);
    }

    fn note_announcements(&mut self, over: Vec<announcement::Over>) {
        for one in over {
            let participant = one.to.and_then(|call| self.find(call));
            if one.to.is_none() || participant.is_some() {
                self.note(ConferenceTurn::Announced {
                    participant,
                    source: one.source,
                    outcome: one.outcome,
                });
            }
        }
    }

    fn may_begin(&self) -> bool {
        self.participants.len() >= BEGINS_WITH
            && self
                .participants
                .iter()
                .any(|one| one.options.start_on_enter)
    }

    fn begin(&mut self) {
        self.began = true;
        let calls: Vec<CallSid> = self.participants.iter().map(|one| one.call).collect();
        for call in calls {
            self.tell(call, ConferenceEvent::Began);
            self.say_how_heard(call);
        }
        let recording = self.recording.take();
        self.effects.extend(recording.map(ConferenceEffect::Record));
        self.note(ConferenceTurn::Began);
    }

    fn leave(&mut self, call: CallSid, how: ParticipantExit) {
        let Some(at) = self.participants.iter().position(|one| one.call == call) else {
            return;
        };
        let gone = self.participants.remove(at);
        let is_kicked = how == ParticipantExit::Kicked;
        let end = match is_kicked {
            true => ConferenceEnd::Removed,
            false => ConferenceEnd::Left,
        };
        let shown = gone.shown();
        self.dismiss(&gone, end, how);
        match (gone.options.end_on_exit, self.is_empty(), is_kicked) {
            (true, _, true) => self.end(ConferenceEndReason::EndOnExitKicked, Some(shown)),
            (true, _, false) => self.end(ConferenceEndReason::EndOnExitLeft, Some(shown)),
            (false, true, true) => self.end(ConferenceEndReason::LastKicked, Some(shown)),
            (false, true, false) => self.end(ConferenceEndReason::LastLeft, Some(shown)),
            (false, false, _) => {
                self.say_how_coaches_are_heard(call);
                if matches!(gone.options.beep, Beep::OnExit | Beep::Always) {
                    self.effects.push_back(ConferenceEffect::BeepExit);
                }
            }
        }
    }

    /// Whoever is left goes.
    fn end(&mut self, reason: ConferenceEndReason, by: Option<Participant>) {
        for other in std::mem::take(&mut self.participants) {
            self.dismiss(&other, ConferenceEnd::Ended, ParticipantExit::Ended);
        }
        self.note(ConferenceTurn::Ended(reason, by));
    }

    fn dismiss(&mut self, gone: &Member, end: ConferenceEnd, how: ParticipantExit) {
        self.effects.push_back(ConferenceEffect::Unseat(gone.call));
        let over = self.announcements.gone(gone.call);
        self.note_announcements(over);
        self.note(ConferenceTurn::Left(gone.shown(), how));
        self.tell(gone.call, ConferenceEvent::Left(end));
    }

    fn mute(&mut self, call: CallSid, muted: bool) {
        if let Some(member) = self.member(call) {
            let was = std::mem::replace(&mut member.options.muted, muted);
            let shown = member.shown();
            self.say_how_heard(call);
            if was != muted {
                self.note(ConferenceTurn::Muted(shown));
            }
        }
    }

    fn hold(&mut self, call: CallSid, held: bool) {
        if let Some(member) = self.member(call) {
            let was = std::mem::replace(&mut member.held, held);
            let shown = member.shown();
            self.say_how_heard(call);
            if was != held {
                self.note(ConferenceTurn::Held(shown));
            }
        }
    }

    fn change(&mut self, call: CallSid, change: ParticipantChange) {
        if self.modify(call, &change) {
            self.say_how_heard(call);
            if let Some(shown) = self.find(call) {
                self.note(ConferenceTurn::Modified(shown));
            }
        }
        if self.find(call).is_none() {
            return;
        }
        if let Some(muted) = change.muted {
            self.mute(call, muted);
            self.tell(call, ConferenceEvent::Muted(muted));
        }
        if let Some(sound) = change.wait_sound.filter(|_| !self.began) {
            self.tell(call, ConferenceEvent::WaitsWith(sound));
        }
        if let Some(sound) = change.hold {
            self.hold(call, sound.is_some());
            self.tell(call, ConferenceEvent::Held(sound));
        }
    }

    /// Changes what is neither heard nor told; false where it is as it was.
    fn modify(&mut self, call: CallSid, change: &ParticipantChange) -> bool {
        let Some(member) = self.member(call) else {
            return false;
        };
        let options = &mut member.options;
        let before = options.clone();
        if let Some(end_on_exit) = change.end_on_exit {
            options.end_on_exit = end_on_exit;
        }
        if let Some(on_exit) = change.beep_on_exit {
            let on_enter = matches!(options.beep, Beep::OnEnter | Beep::Always);
            options.beep = match (on_enter, on_exit) {
                (true, true) => Beep::Always,
                (true, false) => Beep::OnEnter,
                (false, true) => Beep::OnExit,
                (false, false) => Beep::Never,
            };
        }
        if let Some(coach) = change.coach {
            options.coach = coach;
        }
        *options != before
    }

    /// One who is coached came or went: those who coach are heard by that one alone, or by nobody.
    fn say_how_coaches_are_heard(&mut self, coached: CallSid) {
        let coaches = self.participants.iter();
        let coaches = coaches.filter(|one| one.options.coach == Some(coached));
        for call in coaches.map(|one| one.call).collect::<Vec<_>>() {
            self.say_how_heard(call);
        }
    }

    fn say_how_heard(&mut self, call: CallSid) {
        let Some(one) = self.participants.iter().find(|one| one.call == call) else {
            return;
        };
        let coaches = one.options.coach;
        let is_there = |coached| self.participants.iter().any(|one| one.call == coached);
        let hearing = Hearing {
            muted: one.options.muted || !coaches.is_none_or(is_there),
            held: one.held || !self.began,
            coaches: coaches.filter(|coached| is_there(*coached)),
        };
        self.effects
            .push_back(ConferenceEffect::Hear(call, hearing));
    }

    /// Tells of who speaks, where somebody wants to know and others hear it.
    fn speaks(&mut self, call: CallSid, speaks: bool) {
        if !self.tells_of_speakers || !self.began {
            return;
        }
        if let Some(member) = self.member(call)
            && std::mem::replace(&mut member.speaks, speaks) != speaks
        {
            let shown = member.shown();
            self.note(ConferenceTurn::Speaks(shown, speaks));
        }
    }

    fn member(&mut self, call: CallSid) -> Option<&mut Member> {
        self.participants.iter_mut().find(|one| one.call == call)
    }

    fn note(&mut self, turn: ConferenceTurn) {
        self.effects.push_back(ConferenceEffect::Note(turn));
    }

    fn tell(&mut self, call: CallSid, event: ConferenceEvent) {
        self.effects.push_back(ConferenceEffect::Tell(call, event));
    }
}

#[cfg(test)]
mod tests;
