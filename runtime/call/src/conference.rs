//! A conference: who is in it, who is heard, when it begins and when it is over.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{CallSid, ConferenceSid, WaitSound};

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
    },
    /// Leaves it, or is gone.
    Leave,
    /// Is not heard, or is again.
    Mute(bool),
    /// Neither hears nor is heard, or takes part again.
    Hold(bool),
}

/// What becomes of a call in a conference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConferenceEvent {
    /// It is in.
    Joined(ConferencePlace),
    /// The others are heard from now on.
    Began,
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
    /// Somebody whose going ends the conference went.
    Ended,
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
    },
    /// A call leaves, or is over.
    Leave(CallSid),
    /// A call is muted, or no longer.
    Mute(CallSid, bool),
    /// A call is put on hold, or taken off it.
    Hold(CallSid, bool),
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
    began: bool,
    participants: Vec<Participant>,
    effects: VecDeque<ConferenceEffect>,
}

#[derive(Debug)]
struct Participant {
    call: CallSid,
    options: Box<ConferenceOptions>,
    held: bool,
}

impl Conference {
    /// An empty conference of at most `most` participants.
    #[must_use]
    pub fn new(sid: ConferenceSid, most: u32) -> Self {
        Self {
            sid,
            most,
            began: false,
            participants: Vec::new(),
            effects: VecDeque::new(),
        }
    }

    /// Feeds one input; effects wait in order for [`Self::poll`].
    pub fn handle(&mut self, input: ConferenceInput) {
        match input {
            ConferenceInput::Join { call, options } => self.join(call, options),
            ConferenceInput::Leave(call) => self.leave(call),
            ConferenceInput::Mute(call, muted) => {
                if let Some(participant) = self.participant(call) {
                    participant.options.muted = muted;
                    self.say_how_heard(call);
                }
            }
            ConferenceInput::Hold(call, held) => {
                if let Some(participant) = self.participant(call) {
                    participant.held = held;
                    self.say_how_heard(call);
                }
            }
        }
    }

    /// The next thing to be done. Drain it before the next [`Self::handle`].
    pub fn poll(&mut self) -> Option<ConferenceEffect> {
        self.effects.pop_front()
    }

    /// Nobody is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.participants.is_empty()
    }

    fn join(&mut self, call: CallSid, options: Box<ConferenceOptions>) {
        let first = self
            .participants
            .first()
            .map_or(&options, |first| &first.options);
        let most = first.max_participants.unwrap_or(self.most).min(self.most);
        if self.participants.len() >= most as usize {
            let why = format!("the conference is full: it takes {most} participants");
            return self.tell(call, ConferenceEvent::Left(ConferenceEnd::Refused(why)));
        }
        let beeps = matches!(options.beep, Beep::OnEnter | Beep::Always);
        self.participants.push(Participant {
            call,
            options,
            held: false,
        });
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
    }

    fn leave(&mut self, call: CallSid) {
        let Some(at) = self.participants.iter().position(|one| one.call == call) else {
            return;
        };
        let gone = self.participants.remove(at);
        self.dismiss(call, ConferenceEnd::Left);
        if gone.options.end_on_exit {
            for other in std::mem::take(&mut self.participants) {
                self.dismiss(other.call, ConferenceEnd::Ended);
            }
            return;
        }
        self.say_how_coaches_are_heard(call);
        if matches!(gone.options.beep, Beep::OnExit | Beep::Always) && !self.is_empty() {
            self.effects.push_back(ConferenceEffect::BeepExit);
        }
    }

    fn dismiss(&mut self, call: CallSid, end: ConferenceEnd) {
        self.effects.push_back(ConferenceEffect::Unseat(call));
        self.tell(call, ConferenceEvent::Left(end));
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

    fn participant(&mut self, call: CallSid) -> Option<&mut Participant> {
        self.participants.iter_mut().find(|one| one.call == call)
    }

    fn tell(&mut self, call: CallSid, event: ConferenceEvent) {
        self.effects.push_back(ConferenceEffect::Tell(call, event));
    }
}

#[cfg(test)]
mod tests;
