//! One call, as a table of what happens in which state.

mod adoption;
mod commands;
mod detection;
mod dial;
mod ending;
mod offers;
mod recordings;
mod referral;
mod room;
mod speech_input;
mod story;
mod streams;
#[cfg(test)]
mod tests;
mod transfer;
mod whisper;

pub use self::ending::{HUNG_UP_BY_US, LIMIT_REACHED, NOT_CONFIRMED, NOT_HEARD};
use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use dial::Dial;
use ending::Ending;
use offers::warning;
use recordings::Recordings;
use referral::Referring;
use room::Room;
use speech_input::Listenings;
use story::Story;
use streams::Streams;
use transfer::Transferring;
use whisper::Dialled;

use crate::leg::{InboundLeg, Leg, OutboundLeg};
use crate::playlist::Playlist;
use crate::{
    AnsweredBy, CallRecord, CallStatus, DetectionRequest, Effect, Event, HangUpCause, Input,
    MediaCommand, MediaEvent, MediaPath, Outcomes, PlaybackEnd, RequestId, Signalled,
    StartRecording, StoryChoice, signalled_digit,
};

/// After the hang-up a story has this long for its bookkeeping: a webhook's 15 s and some.
const GRACE: Duration = Duration::from_secs(20);

/// What bounds one call, whatever its story wishes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From answer to the forced hang-up.
    pub max_duration: Duration,
    /// The account has a fallback story for when the flow fails.
    pub has_fallback: bool,
    /// Somebody is there who understands speech.
    pub has_recogniser: bool,
}

/// Drives one leg and its story from the first INVITE to the record.
///
/// Feed it with [`Self::handle`], then drain [`Self::poll`]; call again at [`Self::deadline`] with
/// [`Input::Deadline`]. A call that [`Self::is_ended`] gives its record.
#[derive(Debug)]
pub struct Call {
    limits: Limits,
    /// Of an outbound call's peer.
    outcomes: Outcomes,
    state: State,
    leg: Leg,
    story: Story,
    playlist: Playlist,
    room: Room,
    requests: HashSet<RequestId>,
    last_request: u32,
    /// Of this call's story.
    dial: Option<Dial>,
    last_dial: u32,
    last_child: u32,
    /// Whoever was dialled asked that the caller be sent on.
    transferring: Option<Transferring>,
    /// Where another call's story dialled this one: it tells its parent.
    dialled: Option<Dialled>,
    /// What passed in SIP, where that is told to its parent.
    signalled: Option<Signalled>,
    streams: Streams,
    listenings: Listenings,
    /// What the story wants to know of who answered, until that is known.
    detecting: Option<DetectionRequest>,
    /// What the one who dials wants to know of it; the end of a story takes nothing of that away.
    detect_at_answer: Option<DetectionRequest>,
    /// It is to be recorded.
    record_at_answer: Option<StartRecording>,
    answered_by: Option<AnsweredBy>,
    recordings: Recordings,
    /// The other side was asked to call somebody else, and may still report on that.
    referring: Option<Referring>,
    /// The answer to an offer that came with the INVITE; used when the story answers.
    negotiated: Option<(bytes::Bytes, MediaPath)>,
    /// What was agreed on before the caller confirmed that it is there: nothing is sent until it does.
    unconfirmed: Option<MediaPath>,
    /// How media flows now.
    path: Option<MediaPath>,
    /// An offer of the callee before its answer, and what was agreed on with it.
    updated: Option<(bytes::Bytes, MediaPath)>,
    answered_at: Option<Instant>,
    /// The first ACK came; later ones confirm a change of media.
    confirmed: bool,
    record: Option<CallRecord>,
    deadline: Option<Instant>,
    effects: VecDeque<Effect>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Inbound: the caller hears ringing, the story decides.
    Incoming,
    /// Outbound: the INVITE is out.
    Calling,
    /// Outbound: we gave up; the final answer is still to come.
    Cancelling(HangUpCause),
    /// Answered.
    Up,
    /// The dialog is over. The story may still have some seconds.
    Over,
}

impl Call {
    /// A call that came in. Rings at once and starts its story, or refuses an offer it cannot answer (488).
    #[must_use]
    pub fn inbound(now: Instant, leg: InboundLeg, limits: Limits) -> Self {
        let mut call = Self::new(State::Incoming, Leg::new(leg.dialog, leg.local), limits);
        match call.leg.begin(leg.offer.as_deref()) {
            Ok(negotiated) => {
                call.negotiated = negotiated;
                call.emit(Effect::Status(CallStatus::Ringing));
                call.emit(Effect::Sip(sip::Command::Ring {
                    dialog: call.leg.dialog,
                }));
                call.start_story(StoryChoice::Flow);
            }
            Err(error) => {
                call.refuse(error.status(), Some(warning(&error)));
                call.over(now, Ending::failed(error.status(), error.to_string()));
            }
        }
        call
    }

    /// A call that we place. Its story starts when the other side answers.
    #[must_use]
    pub fn outbound(leg: OutboundLeg, limits: Limits) -> Self {
        let mut call = Self::new(State::Calling, Leg::new(leg.dialog, leg.local), limits);
        call.outcomes = leg.outcomes;
        let mut invite = leg.invite;
        call.signalled = invite.call_id.clone().map(|sip_call_id| Signalled {
            sip_call_id,
            fields: Vec::new(),
        });
        invite.sdp = call.leg.offer();
        call.emit(Effect::Sip(sip::Command::Invite {
            dialog: call.leg.dialog,
            invite: Box::new(invite),
        }));
        call
    }

    fn new(state: State, leg: Leg, limits: Limits) -> Self {
        Self {
            limits,
            outcomes: Outcomes::default(),
            state,
            leg,
            story: Story::default(),
            playlist: Playlist::default(),
            room: Room::default(),
            requests: HashSet::new(),
            last_request: 0,
            dial: None,
            last_dial: 0,
            last_child: 0,
            transferring: None,
            dialled: None,
            signalled: None,
            streams: Streams::default(),
            listenings: Listenings::default(),
            detecting: None,
            detect_at_answer: None,
            record_at_answer: None,
            answered_by: None,
            recordings: Recordings::default(),
            referring: None,
            negotiated: None,
            unconfirmed: None,
            path: None,
            updated: None,
            answered_at: None,
            confirmed: false,
            record: None,
            deadline: None,
            effects: VecDeque::new(),
        }
    }

    /// Feeds one input. `now` never goes backwards; effects wait in order for [`Self::poll`].
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Sip(event) => self.handle_sip(now, event),
            Input::Command(command) => {
                let reply = self.obey(now, command);
                self.emit(Effect::Reply(reply));
            }
            Input::Media(event) => self.handle_media(now, &event),
            Input::Fetched(id, Ok(prompt)) if self.is_empty_sound(id, &prompt) => {
                let reason = "there is nothing to be heard of it".to_owned();
                self.handle(now, Input::Fetched(id, Err(reason)));
            }
            Input::Fetched(id, Ok(prompt)) => {
                self.playlist.fetched(id, prompt);
                self.play_ready();
            }
            Input::Fetched(id, Err(reason)) => {
                if self.playlist.remove(id) {
                    self.playback_ended(now, id, PlaybackEnd::Failed(reason));
                    self.play_ready();
                }
            }
            Input::Http(id, result) => {
                if self.requests.remove(&id) {
                    self.tell(Event::HttpResponse(id, result));
                }
            }
            Input::Conference(event) => self.conference(event),
            Input::Announce(source) => self.announce(source),
            Input::Queue(event) => self.at_queue(event),
            Input::Child(child, news) => self.child_news(now, child, news),
            Input::Stream(id, news) => self.stream_news(id, news),
            Input::StreamDeed(deed) => {
                let done = self.stream_deed(deed);
                self.emit(Effect::StreamDone(done));
            }
            Input::Speech(id, event) => self.speech(id, event),
            Input::Recorded(id, recording) => self.recorded(id, recording),
            Input::ReferTo(found) => self.refer_to(found),
            Input::TakeTransfer => self.take_transfer(),
            Input::ConcludeTransfer(is_taken) => self.conclude_transfer(now, is_taken),
            Input::StoryEnded(outcome) => self.story_ended(now, &outcome),
            Input::Redirect => self.redirect(now),
            Input::LimitTo(longest) => self.limit_to(now, longest),
            Input::HangUp(cause) => self.hang_up(now, cause),
            Input::Deadline => self.deadline_reached(now),
        }
    }

    /// The next thing to be done. Drain it before the next [`Self::handle`].
    pub fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When [`Input::Deadline`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
            .into_iter()
            .chain(self.referral_deadline())
            .chain(self.story.goodbye_ends())
            .min()
    }

    /// What it may be spoken in, whatever it is spoken in now.
    #[must_use]
    pub fn codecs(&self) -> &[sdp::Codec] {
        self.leg.codecs()
    }

    /// What it is spoken in now; none before media flows.
    #[must_use]
    pub fn codec(&self) -> Option<sdp::Codec> {
        self.path.map(|path| path.codec)
    }

    /// The endpoint's name for its dialog.
    #[must_use]
    pub fn dialog(&self) -> sip::DialogId {
        self.leg.dialog
    }

    /// It was answered, and is not over.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.state == State::Up
    }

    /// The dialog is over and no story runs.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.state == State::Over && self.story.running.is_none()
    }

    /// The dialog is over: nothing more is sent or heard, though the story may still have its bookkeeping to do.
    #[must_use]
    pub fn record(&self) -> Option<&CallRecord> {
        self.record.as_ref()
    }

    fn handle_sip(&mut self, now: Instant, event: sip::Event) {
        use sip::Event as Sip;
        match (self.state, event) {
            (State::Incoming | State::Up, Sip::Canceled { cause: told }) => {
                let ending = Ending::new(
                    CallStatus::NoAnswer,
                    HangUpCause::Cancelled,
                    487,
                    "the caller gave up",
                );
                self.over(now, ending.told(told));
            }
            (
                State::Calling,
                Sip::Provisional {
                    status: 180..=189,
                    sdp,
                },
            ) => {
                self.emit(Effect::Status(CallStatus::Ringing));
                self.early_media(sdp.as_deref());
            }
            (State::Calling, Sip::OwnFields(fields)) => {
                if let Some(signalled) = &mut self.signalled {
                    signalled.fields = fields;
                }
            }
            (State::Calling, Sip::Answered { sdp }) => self.answered_by_peer(now, sdp.as_deref()),
            (
                State::Calling,
                Sip::Failed {
                    status,
                    reason,
                    retry_after,
                    cause: told,
                    ..
                },
            ) => {
                let meaning = self.outcomes.status(status);
                let ending = Ending::new(meaning, HangUpCause::Remote, status, reason);
                self.over(now, ending.told(told).retry_after(retry_after));
            }
            (State::Cancelling(cause), Sip::Failed { status, .. }) => {
                self.over(
                    now,
                    Ending::new(
                        CallStatus::Canceled,
                        cause,
                        status,
                        "cancelled before an answer",
                    ),
                );
            }
            (State::Cancelling(cause), Sip::Answered { .. }) => {
                // The answer crossed our CANCEL (RFC 3261 section 9.1): the call exists, so end it.
                self.emit(Effect::Sip(sip::Command::Bye {
                    dialog: self.leg.dialog,
                    cause: None,
                }));
                self.over(
                    now,
                    Ending::new(
                        CallStatus::Canceled,
                        cause,
                        200,
                        "the answer crossed the cancellation",
                    ),
                );
            }
            (State::Up, Sip::Acked { sdp }) => self.confirmed(now, sdp.as_deref()),
            (State::Up, Sip::NoAck) => {
                self.over(
                    now,
                    Ending::new(CallStatus::Failed, HangUpCause::Lost, 200, NOT_CONFIRMED),
                );
            }
            (State::Incoming, Sip::NoAck) => {
                let reason = "no PRACK: the ringing was never confirmed".to_owned();
                self.over(now, Ending::failed(504, reason));
            }
            (State::Up, Sip::Bye { cause: told }) => {
                let ending = Ending::new(
                    CallStatus::Completed,
                    HangUpCause::Remote,
                    200,
                    "the other side hung up",
                );
                self.over(now, ending.told(told));
            }
            (State::Up | State::Cancelling(_) | State::Calling, Sip::Terminated) => {
                self.over(
                    now,
                    Ending::new(
                        self.status_when_lost(),
                        HangUpCause::Lost,
                        0,
                        "the dialog was lost",
                    ),
                );
            }
            (State::Up, Sip::Offer { sdp }) => self.renegotiate(sdp.as_deref()),
            (State::Calling, Sip::Offer { sdp: Some(offer) }) => self.renegotiate_early(offer),
            (State::Incoming | State::Calling | State::Cancelling(_), Sip::Offer { .. }) => {
                self.emit(Effect::Sip(sip::Command::RejectOffer {
                    dialog: self.leg.dialog,
                    status: 488,
                    warning: None,
                }));
            }
            (State::Up, Sip::OfferAnswered { sdp: Some(answer) }) => self.refreshed(&answer),
            (State::Up, Sip::Info { body, .. }) => {
                if let Some(digit) = signalled_digit::digit(&body) {
                    self.emit(Effect::Media(MediaCommand::Signalled(digit)));
                }
            }
            (State::Up, Sip::ReferAnswered { status, is_final }) => {
                self.refer_answered(status, is_final);
            }
            (State::Up, Sip::Referred { status, is_final }) => self.referred(status, is_final),
            (State::Up, Sip::ReferAsked(asked)) => self.transfer_asked(now, *asked),
            // Late or repeated news of a leg that is past it.
            _ => {}
        }
    }

    fn handle_media(&mut self, now: Instant, event: &MediaEvent) {
        match event {
            MediaEvent::Digit(digit) if self.state == State::Up => {
                self.key_to_streams(*digit);
                if !self.ends_dial(*digit) {
                    self.tell(Event::Digit(*digit));
                }
            }
            MediaEvent::PeerSilent if self.state == State::Up => self.peer_is_gone(now),
            MediaEvent::MachineDetected(detection) if self.state == State::Up => {
                self.machine_detected(*detection);
            }
            MediaEvent::Digit(_) | MediaEvent::PeerSilent | MediaEvent::MachineDetected(_) => {}
            MediaEvent::PlaybackEnded { id, stopped } => {
                if self.playlist.remove(*id) {
                    let end = if *stopped {
                        PlaybackEnd::Stopped
                    } else {
                        PlaybackEnd::Finished
                    };
                    self.playback_ended(now, *id, end);
                }
            }
        }
    }

    fn up(&mut self, now: Instant) {
        self.state = State::Up;
        self.answered_at = Some(now);
        self.deadline = Some(now + self.longest());
        self.emit(Effect::Status(CallStatus::InProgress));
    }

    fn deadline_reached(&mut self, now: Instant) {
        self.referral_timed_out(now);
        self.goodbye_is_over(now);
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        self.deadline = None;
        if self.state == State::Over {
            self.story.running = None;
            self.emit(Effect::StopStory);
        } else {
            self.hang_up(now, HangUpCause::Limit);
        }
    }

    fn emit(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }
}
