//! One actor owns one call.

mod elsewhere;
mod far_end;
mod parent;
mod recordings;
mod rooms;
mod versions;
mod whisper;

use std::sync::Arc;
use std::time::{Duration, Instant};

use call::{
    Call, CallError, CallInfo, CallRecord, CallStatus, ChildId, ChildNews, ConferenceEvent,
    Detection, Direction, DoneStream, Effect, Event, Grants, HangUpCause, Input, ListenOrder,
    ListeningId, MediaCommand, MediaEvent, PlaybackEnd, PromptSource, QueueEvent, Reply,
    SpeechEvent, StatusCallback, StoryChoice, StoryOutcome, StreamId, StreamOrder,
};
pub(crate) use far_end::FarEnd;
use media::Rate;
use plugin_host::{Stop, StoryEnd};
use recordings::Recordings;
pub(crate) use recordings::{RecordingDeed, RecordingRequest};
use rooms::Room;
use store::Scope;
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument, debug, info};
use whisper::Whispering;

use crate::applications::is_application;
use crate::children::{self, Children, Parent, Placing};
use crate::clock;
use crate::clock::sleep_until;
use crate::flows::{Begun, Story, VersionId};
use crate::kept_audio::AudioDesk;
use crate::key_values::Pairs;
use crate::library::prompt_codecs;
use crate::listening::Listening;
use crate::lost_calls;
use crate::mailbox::{AccountDesks, Request, StoryDesk, mailbox};
use crate::media_plane::{Leg, LineEnd, line};
use crate::news::News;
use crate::people::People;
use crate::pins::PinDesk;
use crate::referral::{self, Peer};
use crate::rooms::QueueWhisper;
use crate::services::{Services, call_span};
use crate::streams::{Owner, StreamErrand, Streams};

/// Results of jobs (prompts, requests, the story's end) and orders from outside that may wait for the actor.
const INBOX: usize = 64;

/// Where a call's actor is reached: from the API, at shutdown, by its own jobs.
pub(crate) type Inbox = mpsc::Sender<Message>;

/// What a new call brings with it.
pub(crate) struct NewActor {
    pub(crate) info: CallInfo,
    pub(crate) call: Call,
    /// The call whose story dials this one.
    pub(crate) parent: Option<Parent>,
    /// How such a call goes over another trunk, until it rings.
    pub(crate) placing: Option<Box<Placing>>,
    pub(crate) account: Arc<store::Account>,
    pub(crate) peer: Peer,
    pub(crate) story: Story,
    pub(crate) leg: Leg,
    pub(crate) signals: mpsc::Receiver<sip::Event>,
    pub(crate) media: mpsc::Receiver<MediaEvent>,
    /// Of a call that has no wire.
    pub(crate) far_end: Option<FarEnd>,
}

/// Drives one call from its first message to its record. Owns the call alone; nothing else locks it.
pub(crate) struct CallActor {
    services: Arc<Services>,
    info: Arc<CallInfo>,
    call: Call,
    account: Arc<store::Account>,
    peer: Peer,
    story: Story,
    leg: Leg,
    /// Of a call that has no wire: it takes the place of the SIP endpoint.
    far_end: Option<FarEnd>,
    /// Of the leg's codec.
    rate: Rate,
    /// The conference or queue that the call is at.
    room: Option<Room>,
    recordings: Recordings,
    signals: mpsc::Receiver<sip::Event>,
    media: mpsc::Receiver<MediaEvent>,
    inbox: Inbox,
    parent: Option<Parent>,
    placing: Option<Box<Placing>>,
    /// What the parent hears of its end, unless it goes over another trunk.
    parting: Option<ChildNews>,
    children: Children,
    messages: mpsc::Receiver<Message>,
    running: Option<Running>,
    /// What it hears before one who serves its queue.
    whispering: Option<Whispering>,
    /// How many of them there were.
    whispers: u32,
    /// What its stories began with.
    begun: Vec<(StoryChoice, Begun)>,
    /// What the story that runs is a version of.
    running_version: Option<Arc<VersionId>>,
    /// Where the answer to the command in hand goes.
    reply: Option<oneshot::Sender<Result<Reply, CallError>>>,
    cookies: crate::web::Cookies,
    streams: Streams,
    /// Where the answer to what the API asked of streams goes.
    stream_reply: Option<oneshot::Sender<Result<DoneStream, CallError>>>,
    /// What the story listens to.
    listening: Option<Listening>,
    /// Of the stories that ended; more than one where the first broke.
    journals: Vec<Vec<u8>>,
    /// The record, and when the call ended in Unix milliseconds.
    ended: Option<(CallRecord, u64)>,
    /// The other side was heard to ring: it is dialled no second time.
    rang: bool,
    /// Our BYE is under way; until it is answered the far end may count the call as one of its own.
    leaving: bool,
}

/// Waits until our BYE is answered, or nobody answers it in the time that its transaction has (RFC 3261 section 17.1.2.2, 32 s).
async fn let_go(mut signals: mpsc::Receiver<sip::Event>) {
    while let Some(event) = signals.recv().await {
        if matches!(event, sip::Event::Terminated) {
            return;
        }
    }
}

/// The story that runs now.
struct Running {
    desk: StoryDesk,
    grants: Arc<Grants>,
    stop: Stop,
}

/// What reaches a call from elsewhere in the host.
#[derive(Debug)]
pub(crate) enum Message {
    /// A job's result, or an order from the API.
    Input(Input),
    /// The story is over; its journal comes along.
    StoryOver(StoryEnd),
    /// So is what was told beside it.
    WhisperOver(u32, StoryEnd),
    /// The call is served by one who has this said to it first.
    Whisper(Box<QueueWhisper>),
    /// The conference that the call asked, or is in.
    Conference(ConferenceEvent),
    /// The queue that the call asked, or is at.
    Queue(QueueEvent),
    /// The queue joins the call's leg to another one's.
    Line(Box<LineEnd>),
    /// A call that this call's story dialled has an actor: there it is reached.
    Placed(ChildId, Inbox),
    /// The call whose story dials this one joins its leg to this one's.
    Join(Box<LineEnd>),
    /// The API begins a recording, or deals with one.
    Recording(RecordingRequest),
    /// The API begins a media stream, or ends one.
    Stream(StreamErrand),
    /// The API gives the call another story, or the call that dialled it does. One that was dialled leaves whoever dialled it.
    Redirect(Story),
    /// The API says how long it may last.
    Limit(Duration),
    /// The API reads the journals of its stories, as far as they have come.
    Journal(oneshot::Sender<Vec<u8>>),
}

impl CallActor {
    /// Puts the call on the list of live ones and starts its actor on `runtime`. Returns where it is reached.
    pub(crate) fn spawn(
        runtime: &tokio::runtime::Handle,
        services: Arc<Services>,
        new: NewActor,
    ) -> Inbox {
        let (inbox, messages) = mpsc::channel(INBOX);
        services
            .live
            .insert(new.info.call_sid, new.info.account_sid, inbox.clone());
        let span = call_span(&new.info);
        let way_to_it = inbox.clone();
        let actor = Self {
            services,
            info: Arc::new(new.info),
            call: new.call,
            account: new.account,
            peer: new.peer,
            story: new.story,
            leg: new.leg,
            far_end: new.far_end,
            rate: Rate::Narrow,
            room: None,
            recordings: Recordings::default(),
            signals: new.signals,
            media: new.media,
            parent: new.parent,
            placing: new.placing,
            parting: None,
            children: Children::default(),
            inbox,
            messages,
            running: None,
            whispering: None,
            whispers: 0,
            begun: Vec::new(),
            running_version: None,
            reply: None,
            cookies: crate::web::Cookies::default(),
            streams: Streams::default(),
            stream_reply: None,
            listening: None,
            journals: Vec::new(),
            ended: None,
            rang: false,
            leaving: false,
        };
        runtime.spawn(actor.run().instrument(span));
        way_to_it
    }

    async fn run(mut self) {
        let info = Arc::clone(&self.info);
        self.services
            .news
            .tell(|| News::Began(CallInfo::clone(&info)));
        self.drain();
        while !self.call.is_ended() {
            let input = self.next_input().await;
            self.note(&input);
            self.leaving &= !matches!(input, Input::Sip(sip::Event::Terminated));
            self.call.handle(Instant::now(), input);
            self.drain();
        }
        if !self.goes_elsewhere().await {
            if let (Some(parent), Some(news)) = (&self.parent, self.parting.take()) {
                parent.tell(news);
            }
            self.finish().await;
        }
    }

    /// Keeps the record and the journal in one transaction, then takes the call off the list of live ones: a call that is on
    /// it is not on disk yet. Its channels are free when the far end has let go.
    async fn finish(self) {
        let sid = self.info.call_sid;
        let taught = match &self.ended {
            Some((record, _)) if self.info.direction != Direction::Inbound => Some(record.clone()),
            _ => None,
        };
        if let Some(record) = &taught {
            self.services.policies.recent.note(
                &self.peer.trunk,
                record.outcome(),
                clock::unix_ms(),
            );
        }
        if let Some((record, at)) = self.ended {
            let journal =
                (!self.journals.is_empty()).then(|| plugin_host::journal::bundle(&self.journals));
            self.services.finish(&self.info, record, at, journal).await;
        }
        self.services.live.remove(&sid);
        self.services.conferences.call_is_over(sid);
        // Its children and the API see that it is over.
        drop(self.messages);
        drop(self.leg);
        if self.leaving {
            let_go(self.signals).await;
        }
        match taught {
            Some(record) => self.services.outbound.ended_with(sid, &record),
            None => self.services.outbound.ended(sid),
        }
    }

    async fn next_input(&mut self) -> Input {
        loop {
            let rings_until = self.rings_until();
            let requests = self
                .running
                .as_mut()
                .map(|running| &mut running.desk.requests);
            let whispered = Self::whispered_requests(self.whispering.as_mut());
            let message = tokio::select! {
                Some(event) = self.signals.recv() => return Input::Sip(event),
                Some(Request { command, reply }) = next_request(requests) => {
                    self.reply = Some(reply);
                    return Input::Command(command);
                }
                Some(request) = next_request(whispered) => {
                    match self.take_whispered(request) {
                        Some(input) => return input,
                        None => continue,
                    }
                }
                Some(event) = self.media.recv() => return Input::Media(event),
                Some(message) = self.messages.recv() => message,
                () = Parent::gone(self.parent.as_ref()) => {
                    self.parent = None;
                    return self.end_from_parent(Input::HangUp(HangUpCause::Local));
                }
                () = sleep_until(rings_until) => {
                    return self.end_from_parent(Input::Deadline);
                }
                () = sleep_until(self.call.deadline()) => return Input::Deadline,
            };
            if let Some(input) = self.open(message) {
                return input;
            }
        }
    }

    /// What the call is to know of a message; some are for its leg alone.
    fn open(&mut self, message: Message) -> Option<Input> {
        Some(match message {
            Message::Input(input) => {
                match &input {
                    Input::HangUp(HangUpCause::Local) => {
                        return self.has_parent().then(|| self.end_from_parent(input));
                    }
                    Input::Recorded(id, _) => self.recordings.forget(*id),
                    Input::Speech(id, SpeechEvent::Ended(_)) => self.listened(*id),
                    _ => {}
                }
                input
            }
            Message::Recording(request) => return self.ask_for_recording(request),
            Message::Stream(StreamErrand { deed, reply }) => {
                self.stream_reply = Some(reply);
                Input::StreamDeed(deed)
            }
            Message::Limit(asked) => {
                let longest = self.services.call_limits(&self.account).max_duration;
                Input::LimitTo(asked.min(longest))
            }
            Message::Journal(reply) => {
                // Nobody may be waiting for it any more.
                let _ = reply.send(self.journals_so_far());
                return None;
            }
            Message::Whisper(whisper) => {
                self.whisper(*whisper);
                return None;
            }
            Message::WhisperOver(number, end) => {
                self.whisper_over(number, end);
                return None;
            }
            Message::Redirect(story) => self.take_elsewhere(story),
            Message::Conference(event) => self.hear_conference(event),
            Message::Queue(event) => self.hear_queue(event),
            Message::Line(end) => {
                self.join_line(*end);
                return None;
            }
            Message::StoryOver(end) => {
                self.running = None;
                let version = self.account_for(&end);
                self.journals.push(end.journal);
                let outcome = StoryOutcome::from(end.outcome);
                self.log_outcome(&outcome, version.as_deref());
                Input::StoryEnded(outcome)
            }
            Message::Placed(child, inbox) => {
                self.children.placed(child, inbox);
                return None;
            }
            Message::Join(line) => {
                self.join_parent(*line);
                return None;
            }
        })
    }

    /// Those of the stories that ended, and what the one that runs has written.
    fn journals_so_far(&self) -> Vec<u8> {
        let mut journals = self.journals.clone();
        let running = self.running.as_ref();
        journals.extend(running.and_then(|running| running.stop.journal()));
        plugin_host::journal::bundle(&journals)
    }

    fn drain(&mut self) {
        while let Some(effect) = self.call.poll() {
            self.perform(effect);
        }
    }

    /// Hands one effect over; never waits.
    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Sip(command) => self.signal(command),
            Effect::Media(command) => {
                match &command {
                    MediaCommand::Connect(path) => self.rate = path.media_codec().rate(),
                    MediaCommand::Recording(order) => self.note_recording(*order),
                    _ => {}
                }
                self.leg.send(command);
            }
            Effect::StartStory(choice) => self.start_story(choice),
            Effect::StopStory => self.stop_story(),
            Effect::Reply(result) => {
                self.note_whispered(&result);
                if let Some(result) = self.answer_api(result)
                    && let Some(reply) = self.reply.take()
                {
                    // A story that was stopped does not listen any more.
                    let _ = reply.send(result);
                }
            }
            Effect::Tell(event) => self.tell(event),
            Effect::Fetch(id, source) => self.fetch(id, source),
            Effect::Http(id, request) => self.request(id, request),
            Effect::StartRecording { id, start, codec } => {
                self.start_recording(id, start, codec);
            }
            Effect::ChangeFlow(next) => {
                let is_answered = self.call.is_up();
                self.story
                    .take_over(children::told(next.story, next.settings), is_answered);
                self.begun.clear();
            }
            Effect::Conference(request) => self.ask_conference(request),
            Effect::Queue(request) => self.ask_queue(request),
            Effect::PlaceChild(child, mut call) => {
                let parent = Parent::new(child, self.inbox.clone(), &call);
                if is_application(&call.target.to) {
                    return self.place_application(parent, call);
                }
                if let Some(far_end) = &self.far_end {
                    call.caller_id
                        .get_or_insert_with(|| far_end.own().to_owned());
                }
                self.children.place(
                    &self.services,
                    &self.info,
                    &self.account,
                    &self.story,
                    parent,
                    call,
                );
            }
            Effect::HangUpChild(child) => self.children.hang_up(child),
            Effect::TakeTransfer(child) => {
                self.children
                    .send(child, Message::Input(Input::TakeTransfer));
            }
            Effect::ConcludeTransfer(child, is_taken) => {
                let input = Input::ConcludeTransfer(is_taken);
                self.children.send(child, Message::Input(input));
            }
            Effect::HandOver(child, next) => {
                let story = children::told(next.story, next.settings);
                self.children.send(child, Message::Redirect(story));
            }
            Effect::Bridge(child) => {
                let (ours, theirs) = line();
                self.leg.join(ours);
                self.children.send(child, Message::Join(Box::new(theirs)));
            }
            Effect::Unbridge => self.leg.leave(),
            Effect::RingBack(tone) => {
                let tone = tone.map(media::RingTone::samples);
                self.leg.send(MediaCommand::Background(tone));
            }
            Effect::TellParent(news) => self.tell_parent(news),
            Effect::Stream(id, order) => self.stream(id, order),
            Effect::StreamDone(done) => {
                if let Some(reply) = self.stream_reply.take() {
                    // Nobody may be waiting for it any more.
                    let _ = reply.send(done);
                }
            }
            Effect::Listen(id, order) => self.listen(id, order),
            Effect::Refer(target) => self.refer(&target),
            Effect::TellDetection(callback, detection) => self.tell_detection(callback, detection),
            Effect::Status(status) => self.record(status),
        }
    }

    fn tell(&mut self, event: Event) {
        for running in self.hearers(&event) {
            let told = running.desk.events.try_send(event.clone());
            if let Err(mpsc::error::TrySendError::Full(_)) = told {
                info!("the flow leaves its events unread: it is stopped");
                running.stop.stop();
            }
        }
    }

    fn account_desks(&self) -> AccountDesks {
        let scope = Scope::of_host(self.account.sid);
        let Services {
            store,
            studio,
            sound_library,
            pins,
            ..
        } = self.services.as_ref();
        AccountDesks {
            pairs: Pairs::new(Arc::clone(store), scope),
            people: People::new(Arc::clone(store), scope),
            audio: AudioDesk::new(
                Arc::clone(store),
                Arc::clone(studio),
                sound_library.uploads().clone(),
                Arc::clone(&self.info),
            ),
            pins: PinDesk::new(Arc::clone(store), Arc::clone(pins), &self.info),
        }
    }

    fn start_story(&mut self, choice: StoryChoice) {
        let (mailbox, desk) = mailbox(self.account_desks());
        let stop = Stop::new();
        match self.begun_with_share(choice) {
            Ok((begun, share)) => {
                let memory = share.memory.clone();
                let services = &self.services;
                let setup = services.story_setup(&self.info, &begun, memory, stop.clone());
                let (inbox, grants) = (self.inbox.clone(), Arc::clone(&setup.grants));
                let story = async move {
                    let end = begun.flow.start(setup, mailbox).await;
                    drop(share);
                    // The actor may have ended with the call.
                    let _ = inbox.send(Message::StoryOver(end)).await;
                };
                tokio::spawn(story.in_current_span());
                self.running = Some(Running { desk, grants, stop });
            }
            Err(error) => {
                let outcome = StoryOutcome::Broke(error.to_string());
                self.log_outcome(&outcome, None);
                self.job(async { Input::StoryEnded(outcome) });
            }
        }
    }

    fn stop_story(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop.stop();
        }
    }

    fn fetch(&mut self, id: call::PlaybackId, source: PromptSource) {
        self.services.news.tell(|| News::Queued(describe(&source)));
        let (services, account) = (Arc::clone(&self.services), Arc::clone(&self.account));
        let codecs = prompt_codecs(self.call.codecs());
        self.job(async move {
            let prompt = services
                .sound_library
                .prompt(&account, &source, codecs)
                .await;
            if let Err(reason) = &prompt {
                // The story is told, and the SDK logs it for the tenant.
                debug!(playback = id.0, "a playback failed: {reason}");
            }
            Input::Fetched(id, prompt)
        });
    }

    fn request(&mut self, id: call::RequestId, request: call::HttpRequest) {
        let (services, account, cookies) = (
            Arc::clone(&self.services),
            Arc::clone(&self.account),
            self.cookies.clone(),
        );
        let grants = self.grants_in_hand();
        self.job(async move {
            let web = &services.web;
            Input::Http(
                id,
                web.story_request(&account, grants, &cookies, request).await,
            )
        });
    }

    fn stream(&mut self, id: StreamId, order: StreamOrder) {
        let beside = self.whispering.as_ref().map(|one| &one.running);
        let mut stories = self.running.iter().chain(beside);
        let is_secret = stories.any(|running| running.desk.keys_are_concealed());
        if is_secret && matches!(order, StreamOrder::Key(_)) {
            return; // of a PIN
        }
        let owner = || Owner {
            services: Arc::clone(&self.services),
            info: Arc::clone(&self.info),
            account: Arc::clone(&self.account),
            inbox: self.inbox.clone(),
        };
        self.streams.order(id, order, &self.leg, owner);
    }

    fn listen(&mut self, id: ListeningId, order: ListenOrder) {
        self.listening = None;
        match order {
            ListenOrder::Begin(request) => {
                let (services, inbox) = (&self.services, self.inbox.clone());
                let listening =
                    Listening::begin(&services.recognition, &self.leg, inbox, id, request);
                match listening {
                    Ok(listening) => self.listening = Some(listening),
                    Err(end) => self.job(async move { Input::Speech(id, SpeechEvent::Ended(end)) }),
                }
            }
            ListenOrder::Stop => self.leg.remove_tap(id),
        }
    }

    /// A listening has ended by itself.
    fn listened(&mut self, id: ListeningId) {
        self.leg.remove_tap(id);
        if self
            .listening
            .as_ref()
            .is_some_and(|listening| listening.is(id))
        {
            self.listening = None;
        }
    }

    /// Finds whom the other side is to call.
    fn refer(&self, target: &str) {
        let directory = self.services.store.directory();
        let found = match &self.far_end {
            None => referral::uri(&directory, &self.account, &self.peer, target),
            Some(_) => {
                Err("an application was dialled by a call here: nobody can be sent on".to_owned())
            }
        };
        if let Err(why) = &found {
            info!(target: "tenant", "not referred: {why}");
        }
        self.job(async { Input::ReferTo(found) });
    }

    fn tell_detection(&self, to: StatusCallback, detected: Detection) {
        let Services { store, .. } = self.services.as_ref();
        let told = store.tell_detection(self.info.call_sid, to, detected, clock::unix_ms());
        self.services.keep(told, "who answered", &self.info);
    }

    /// Runs one job beside the actor; its result comes back as an input.
    fn job(&self, job: impl Future<Output = Input> + Send + 'static) {
        let inbox = self.inbox.clone();
        tokio::spawn(
            async move {
                let input = job.await;
                // The actor may have ended with the call.
                let _ = inbox.send(Message::Input(input)).await;
            }
            .in_current_span(),
        );
    }

    fn record(&mut self, status: CallStatus) {
        let Some(record) = self.call.record() else {
            self.rang = true;
            self.placing = None;
            if status == CallStatus::InProgress {
                self.services.news.tell(|| News::Answered);
                if self.far_end.is_none() {
                    lost_calls::keep(&self.services, self.info.call_sid, self.call.dialog());
                }
            }
            return self.services.set_status(&self.info, status);
        };
        let record = CallRecord {
            quality: self.leg.quality(),
            ..record.clone()
        };
        log_end(&record);
        self.tell_of_end(&record);
        self.services.news.tell(|| News::Ended(record.clone()));
        self.ended = Some((record, clock::unix_ms()));
    }

    /// Tells the watchers what came in.
    fn note(&self, input: &Input) {
        let news = &self.services.news;
        match input {
            Input::Media(MediaEvent::Digit(digit)) => news.tell(|| News::Digit(*digit)),
            Input::Media(MediaEvent::PlaybackEnded { stopped: true, .. }) => {
                news.tell(|| News::PlaybackEnded(PlaybackEnd::Stopped));
            }
            Input::Media(MediaEvent::PlaybackEnded { .. }) => {
                news.tell(|| News::PlaybackEnded(PlaybackEnd::Finished));
            }
            Input::Fetched(_, Err(reason)) => {
                news.tell(|| News::PlaybackEnded(PlaybackEnd::Failed(reason.clone())));
            }
            _ => {}
        }
    }

    fn log_outcome(&self, outcome: &StoryOutcome, version: Option<&VersionId>) {
        let trouble = match outcome {
            StoryOutcome::Returned(Ok(()) | Err(CallError::HungUp)) => return,
            StoryOutcome::Returned(Err(error)) => format!("the flow gave up: {error}"),
            StoryOutcome::Broke(reason) => format!("the flow broke: {reason}"),
        };
        info!(target: "tenant", "{trouble}");
        if let Some(version) = version {
            self.log_trouble(version, &trouble);
        }
        self.services.news.tell(|| News::Logged(trouble));
    }
}

fn log_end(record: &CallRecord) {
    let quality = record.quality.as_ref();
    info!(
        status = %record.status,
        duration_s = record.duration_s,
        sip.status = record.sip_status,
        rtp.received = quality.map(|quality| quality.received),
        rtp.lost = quality.map(|quality| quality.lost),
        rtp.late = quality.map(|quality| quality.late),
        rtp.jitter_ms = quality.map(|quality| quality.max_jitter_ms),
        rtp.round_trip_ms = quality.and_then(|quality| quality.round_trip_ms),
        rtp.mos = quality.map(call::CallQuality::mos),
        "{}",
        record.end_reason
    );
}

fn describe(source: &PromptSource) -> String {
    match source {
        PromptSource::Media(call::MediaSource::File(path)) => path.clone(),
        PromptSource::Media(call::MediaSource::Url(url)) => url.clone(),
        PromptSource::Speech(speech) => format!("“{}”", speech.text),
        PromptSource::Apology => "an apology".to_owned(),
        PromptSource::Music => "the music for those who wait".to_owned(),
    }
}

async fn next_request(requests: Option<&mut mpsc::Receiver<Request>>) -> Option<Request> {
    match requests {
        Some(requests) => requests.recv().await,
        None => None,
    }
}
