//! One actor owns one conference: who is in it, and the way to its mixer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use api::NotExpected;
use call::{
    AccountSid, CallSid, Conference, ConferenceCallback, ConferenceEffect, ConferenceEnd,
    ConferenceEvent, ConferenceInput, ConferenceOptions, ConferenceSid, ConferenceTerms,
    ConferenceTurn, Hearing, Input, Participant, RecordingSid,
};
use media::Rate;
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument, info, info_span};

use super::minutes::{Minutes, Wait};
use super::{Directory, Key, Notary, send};
use crate::call_actor::{Inbox, Message};
use crate::media_plane::{Chair, LineEnd, MediaPlane, Mix, MixHearing, Speech};
use crate::recorder::Studio;
use crate::services::random;

mod recording;

use recording::RecordingRequest;

/// News of who speaks that may wait for a conference: more than all of one can give in a round.
const SPEECHES: usize = 512;

/// The conferences of all accounts.
pub(crate) struct Conferences {
    directory: Arc<Directory<ConferenceMessage>>,
    register: Arc<Register>,
    notary: Notary,
    studio: Arc<Studio>,
    /// Where the calls are expected that the API has begun.
    expected: Mutex<HashMap<CallSid, mpsc::Sender<ConferenceMessage>>>,
    /// Participants in one at a time.
    most: u32,
}

/// What reaches a conference.
pub(crate) enum ConferenceMessage {
    Join(Box<JoiningConference>),
    /// Anything but [`ConferenceInput::Join`].
    Input(ConferenceInput),
    /// An order of the API.
    Order(Order),
    /// A call that the API begins will join. Whoever asks is told which conference it is, once that is on disk.
    Expect(Box<Expected>),
    /// A call that was expected is over.
    Forget(CallSid),
    /// The API deals with what is recorded.
    Recording(RecordingRequest),
}

/// A call that will join, and where is told which conference it is.
pub(crate) struct Expected {
    participant: Participant,
    callback: Option<ConferenceCallback>,
    terms: Box<ConferenceTerms>,
    told: oneshot::Sender<Result<ConferenceSid, NotExpected>>,
}

/// Something that the API orders, and where it is told what came of it.
pub(crate) struct Order {
    /// [`ConferenceInput::Change`], [`ConferenceInput::Kick`], [`ConferenceInput::Announce`] or [`ConferenceInput::End`].
    pub(crate) input: ConferenceInput,
    /// Once it is on disk; false where nobody is there whom it is about.
    pub(crate) done: oneshot::Sender<bool>,
}

/// Whose conference it is, what they call it, and the way to it.
type Entry = (AccountSid, String, mpsc::Sender<ConferenceMessage>);

/// The conferences that go on, by their SIDs.
#[derive(Default)]
struct Register(Mutex<HashMap<ConferenceSid, Entry>>);

impl Register {
    fn lock(&self) -> MutexGuard<'_, HashMap<ConferenceSid, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that wants to join.
pub(crate) struct JoiningConference {
    pub(crate) call: CallSid,
    pub(crate) options: Box<ConferenceOptions>,
    pub(crate) terms: Box<ConferenceTerms>,
    /// Where it is told.
    pub(crate) inbox: Inbox,
    /// The other end of what its leg is joined to.
    pub(crate) line: LineEnd,
    /// Of its leg's codec.
    pub(crate) rate: Rate,
}

impl Conferences {
    /// No conference. `rooms`: those that an account may have at a time; `most`: participants of each; what happens is written
    /// down by `notary`, and what is heard recorded by `studio`.
    pub(crate) fn new(rooms: usize, most: u32, notary: Notary, studio: Arc<Studio>) -> Self {
        Self {
            directory: Arc::new(Directory::new(rooms)),
            register: Arc::default(),
            notary,
            studio,
            expected: Mutex::default(),
            most,
        }
    }

    /// What an account calls a conference of its own that goes on.
    pub(crate) fn name(&self, account: AccountSid, sid: ConferenceSid) -> Option<String> {
        let register = self.register.lock();
        let (owner, name, _) = register.get(&sid)?;
        (*owner == account).then(|| name.clone())
    }

    /// Expects a call in the conference of this name, or begins it. Resolves once that is on disk.
    ///
    /// # Errors
    /// Why there is no such conference.
    pub(crate) async fn expect(
        &self,
        media: &MediaPlane,
        key: &Key,
        participant: Participant,
        callback: Option<ConferenceCallback>,
        terms: ConferenceTerms,
    ) -> Result<ConferenceSid, NotExpected> {
        let (told, sid) = oneshot::channel();
        let call = participant.call;
        let expected = Box::new(Expected {
            participant,
            callback,
            terms: Box::new(terms),
            told,
        });
        let message = ConferenceMessage::Expect(expected);
        let room = self.enter(media, key, message);
        let room = room.map_err(NotExpected::Impossible)?;
        self.expectations().insert(call, room);
        let expected = sid.await;
        let expected =
            expected.unwrap_or_else(|_| Err(NotExpected::Impossible("it is over".to_owned())));
        if expected.is_err() {
            self.expectations().remove(&call);
        }
        expected
    }

    /// A call is over: who expected it does so no longer.
    pub(crate) fn call_is_over(&self, call: CallSid) {
        if let Some(room) = self.expectations().remove(&call) {
            send(&room, ConferenceMessage::Forget(call));
        }
    }

    fn expectations(&self) -> MutexGuard<'_, HashMap<CallSid, mpsc::Sender<ConferenceMessage>>> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives an order to a conference of this account. Resolves once it is on disk: false where there is no such conference, or nobody in
    /// it whom the order is about.
    pub(crate) async fn order(
        &self,
        account: AccountSid,
        sid: ConferenceSid,
        input: ConferenceInput,
    ) -> bool {
        let Some(room) = self.find(account, sid) else {
            return false;
        };
        let (done, outcome) = oneshot::channel();
        let order = ConferenceMessage::Order(Order { input, done });
        // A room that is gone meanwhile has nobody in it.
        room.send(order).await.is_ok() && outcome.await.unwrap_or(false)
    }

    /// The way to a conference of this account that goes on.
    fn find(
        &self,
        account: AccountSid,
        sid: ConferenceSid,
    ) -> Option<mpsc::Sender<ConferenceMessage>> {
        let found = self.register.lock().get(&sid).cloned();
        let (_, _, room) = found.filter(|(owner, ..)| *owner == account)?;
        Some(room)
    }

    /// Joins the conference of this name, or begins it. What comes of it goes to the call's inbox.
    ///
    /// # Errors
    /// Why the call cannot join.
    pub(crate) fn join(
        &self,
        media: &MediaPlane,
        key: &Key,
        joining: JoiningConference,
    ) -> Result<mpsc::Sender<ConferenceMessage>, String> {
        self.enter(media, key, ConferenceMessage::Join(Box::new(joining)))
    }

    fn enter(
        &self,
        media: &MediaPlane,
        key: &Key,
        message: ConferenceMessage,
    ) -> Result<mpsc::Sender<ConferenceMessage>, String> {
        self.directory.enter(key, message, |room, messages| {
            let most = self.most as usize;
            let (told, speech) = mpsc::channel(SPEECHES);
            let mix = media
                .open_mix(most, told)
                .map_err(|error| error.to_string())?;
            let sid = ConferenceSid::from_bytes(random());
            let (account, name) = key;
            let actor = ConferenceActor {
                directory: Arc::clone(&self.directory),
                register: Arc::clone(&self.register),
                minutes: Minutes::new(self.notary.clone(), *account, sid, name.clone()),
                sid,
                key: key.clone(),
                messages,
                conference: Conference::new(sid, self.most),
                mix,
                speech,
                studio: Arc::downgrade(&self.studio),
                recording: None,
                calls: HashMap::new(),
            };
            let span = info_span!("conference", conference.sid = %sid, tenant.id = %account);
            let entry = (*account, name.clone(), room.clone());
            self.register.lock().insert(sid, entry);
            tokio::spawn(actor.run().instrument(span));
            Ok(())
        })
    }
}

struct ConferenceActor {
    directory: Arc<Directory<ConferenceMessage>>,
    register: Arc<Register>,
    minutes: Minutes,
    sid: ConferenceSid,
    key: Key,
    messages: mpsc::Receiver<ConferenceMessage>,
    conference: Conference,
    mix: Mix,
    /// Who speaks.
    speech: mpsc::Receiver<Speech>,
    /// Not kept alive by a conference: it waits for all recordings when it goes.
    studio: Weak<Studio>,
    /// What goes on.
    recording: Option<RecordingSid>,
    calls: HashMap<CallSid, Guest>,
}

/// A call as the conference knows it.
struct Guest {
    inbox: Inbox,
    rate: Rate,
    /// Until it is seated.
    line: Option<LineEnd>,
    chair: Option<Chair>,
}

impl ConferenceActor {
    async fn run(mut self) {
        info!("the conference is open");
        loop {
            tokio::select! {
                message = self.messages.recv() => match message {
                    Some(message) => self.take(message),
                    None => break,
                },
                Some(speech) = self.speech.recv() => self.hear_speech(speech),
            }
            if self.conference.is_empty() && self.directory.close(&self.key, &self.messages) {
                break;
            }
        }
        self.register.lock().remove(&self.sid);
        info!("the conference is over");
    }

    fn take(&mut self, message: ConferenceMessage) {
        let mut wait = None;
        let input = match message {
            ConferenceMessage::Input(input) => input,
            ConferenceMessage::Order(Order { input, done }) => {
                if !self.concerns_somebody(&input) {
                    // Nobody may be waiting for it any more.
                    let _ = done.send(false);
                    return;
                }
                wait = Some(Wait::Order(done));
                input
            }
            ConferenceMessage::Expect(expected) => {
                if let Some(why) = self.objection(&expected.participant) {
                    // Nobody may be waiting for it any more.
                    let _ = expected.told.send(Err(why));
                    return;
                }
                wait = Some(Wait::Expected(expected.told));
                ConferenceInput::Expect(expected.participant, expected.callback, expected.terms)
            }
            ConferenceMessage::Forget(call) => ConferenceInput::Forget(call),
            ConferenceMessage::Recording(request) => return self.change_recording(request),
            ConferenceMessage::Join(joining) => {
                let JoiningConference {
                    call,
                    options,
                    terms,
                    ..
                } = *joining;
                let guest = Guest {
                    inbox: joining.inbox,
                    rate: joining.rate,
                    line: Some(joining.line),
                    chair: None,
                };
                self.calls.insert(call, guest);
                ConferenceInput::Join {
                    call,
                    options,
                    terms,
                }
            }
        };
        self.feed(input, wait);
    }

    fn hear_speech(&mut self, Speech { chair, speaks }: Speech) {
        let mut calls = self.calls.iter();
        // One who has gone meanwhile is told of no more.
        if let Some((call, _)) = calls.find(|(_, guest)| guest.chair == Some(chair)) {
            self.feed(ConferenceInput::Speaks(*call, speaks), None);
        }
    }

    fn feed(&mut self, input: ConferenceInput, wait: Option<Wait>) {
        self.conference.handle(input);
        while let Some(effect) = self.conference.poll() {
            self.perform(effect);
        }
        self.minutes.close(wait);
    }

    /// Why a call is not expected here; none if it is.
    fn objection(&self, participant: &Participant) -> Option<NotExpected> {
        let (label, coached) = (participant.label.as_deref(), participant.coaches);
        if label.is_some_and(|label| self.conference.is_label_taken(label, participant.call)) {
            return Some(NotExpected::LabelTaken);
        }
        let is_missing = coached.is_some_and(|coached| self.conference.find(coached).is_none());
        is_missing.then_some(NotExpected::CoachedMissing)
    }

    /// Whether whom an order is about is there.
    fn concerns_somebody(&self, input: &ConferenceInput) -> bool {
        match input {
            ConferenceInput::Change(call, _)
            | ConferenceInput::Kick(call)
            | ConferenceInput::Announce(Some(call), _) => self.conference.find(*call).is_some(),
            _ => !self.conference.is_empty(),
        }
    }

    fn perform(&mut self, effect: ConferenceEffect) {
        match effect {
            ConferenceEffect::Tell(call, event) => self.tell(call, event),
            ConferenceEffect::Seat(call) => {
                if let Some(guest) = self.calls.get_mut(&call)
                    && let Some(line) = guest.line.take()
                {
                    guest.chair = Some(self.mix.seat(line, guest.rate));
                }
            }
            ConferenceEffect::Unseat(call) => {
                if let Some(chair) = self.chair(call) {
                    self.mix.unseat(chair);
                }
            }
            ConferenceEffect::Hear(call, hearing) => self.hear(call, &hearing),
            ConferenceEffect::BeepEnter => self.mix.beep(media::ConferenceBeep::Enter),
            ConferenceEffect::BeepExit => self.mix.beep(media::ConferenceBeep::Exit),
            ConferenceEffect::Announce(call, source) => {
                if let Some(guest) = self.calls.get(&call) {
                    send(&guest.inbox, Message::Input(Input::Announce(source)));
                }
            }
            ConferenceEffect::Record(recording) => self.record(recording),
            ConferenceEffect::Note(turn) => {
                if matches!(turn, ConferenceTurn::Ended(..)) {
                    self.end_recording();
                }
                self.minutes.note(turn);
            }
        }
    }

    fn hear(&mut self, call: CallSid, hearing: &Hearing) {
        let coaches = hearing.coaches.and_then(|coached| self.chair(coached));
        if let Some(chair) = self.chair(call) {
            let hearing = MixHearing {
                is_muted: hearing.muted,
                is_held: hearing.held,
                coaches,
            };
            self.mix.hear(chair, hearing);
        }
    }

    /// Tells a call. One that has left is told last.
    fn tell(&mut self, call: CallSid, event: ConferenceEvent) {
        let has_left = matches!(event, ConferenceEvent::Left(_));
        if let ConferenceEvent::Left(ConferenceEnd::Refused(why)) = &event {
            info!(call.sid = %call, "a call is turned away: {why}");
        }
        if let Some(guest) = self.calls.get(&call) {
            send(&guest.inbox, Message::Conference(event));
        }
        if has_left {
            self.calls.remove(&call);
        }
    }

    fn chair(&self, call: CallSid) -> Option<Chair> {
        self.calls.get(&call)?.chair
    }
}

#[cfg(test)]
mod tests;
