//! Where a call is together with others, and what it hears while it waits for them.

use media::Prompt;

use super::dial::check_story;
use super::{Call, State};
use crate::conference::{MAX_PARTICIPANTS, MIN_PARTICIPANTS};
use crate::playlist::Stopped;
use crate::queue::MAX_SIZE;
use crate::{
    CallError, ConferenceCallback, ConferenceCommand, ConferenceEvent, ConferenceOptions,
    ConferenceRequest, ConferenceTerms, Effect, Event, HttpMethod, MediaCommand, MediaSource,
    OrderedSound, PlaybackEnd, PlaybackId, PromptSource, QueueCommand, QueueEvent, QueueRequest,
    RecordingCallback, Reply, WaitSound, Whisper,
};

/// Characters in the name of a conference, and in a label (Twilio's bounds).
const MAX_CONFERENCE_NAME: usize = 128;
/// Characters in the name of a queue.
const MAX_QUEUE_NAME: usize = 64;
/// Bytes of the URL that is told of a conference.
const MAX_URL: usize = 4_096;
/// The sound is begun again after so many times.
const SOUND_LOOPS: u32 = 1_000;

/// What is known of the others, and the sound that is heard in their place.
#[derive(Debug)]
pub(super) struct Room {
    place: Place,
    /// The conference or the queue knows of the call.
    entered: bool,
    /// Heard until the others are there.
    waiting: WaitSound,
    /// Heard while the call is on hold.
    held: Option<WaitSound>,
    /// The sound on the playlist.
    playing: Option<PlaybackId>,
    /// Announcements on the playlist. Their ends are the conference's to know.
    announcing: Vec<PlaybackId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Nowhere,
    Conference,
    Queue,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            place: Place::Nowhere,
            entered: false,
            waiting: WaitSound::Silence,
            held: None,
            playing: None,
            announcing: Vec::new(),
        }
    }
}

impl Room {
    /// What is to be heard while nothing else plays.
    fn wanted(&self) -> Option<PromptSource> {
        match self.held.as_ref().unwrap_or(&self.waiting) {
            _ if !self.entered => None,
            WaitSound::Silence => None,
            WaitSound::Music => Some(PromptSource::Music),
            WaitSound::Prompt(source) => Some(PromptSource::Media(source.clone())),
        }
    }

    /// The sound cannot be had: the music is heard in its place, and nothing in that of the music.
    fn replace(&mut self) {
        let sound = self.held.as_mut().unwrap_or(&mut self.waiting);
        *sound = match sound {
            WaitSound::Prompt(_) => WaitSound::Music,
            WaitSound::Music | WaitSound::Silence => WaitSound::Silence,
        };
    }
}

impl Call {
    /// Obeys a command about conferences. The call is up.
    pub(super) fn obey_conference(
        &mut self,
        command: ConferenceCommand,
    ) -> Result<Reply, CallError> {
        let request = match command {
            ConferenceCommand::Join { name, options } => {
                self.join_conference(name, options, Box::default())?
            }
            ConferenceCommand::JoinWith {
                name,
                options,
                terms,
            } => {
                let recording = terms.recording.as_ref();
                recording
                    .and_then(|recording| recording.callback.as_ref())
                    .map_or(Ok(()), RecordingCallback::check)
                    .map_err(CallError::InvalidArgument)?;
                self.join_conference(name, options, terms)?
            }
            ConferenceCommand::Leave => {
                self.is_at(Place::Conference)?;
                ConferenceRequest::Leave { hung_up: false }
            }
            ConferenceCommand::Mute(muted) => {
                self.is_at(Place::Conference)?;
                ConferenceRequest::Mute(muted)
            }
            ConferenceCommand::Hold(sound) => {
                self.is_at(Place::Conference)?;
                let is_held = sound.is_some();
                self.room.held = sound;
                self.change_sound();
                ConferenceRequest::Hold(is_held)
            }
        };
        self.emit(Effect::Conference(request));
        Ok(Reply::Done)
    }

    fn join_conference(
        &mut self,
        name: String,
        options: Box<ConferenceOptions>,
        terms: Box<ConferenceTerms>,
    ) -> Result<ConferenceRequest, CallError> {
        check_name("conference", &name, MAX_CONFERENCE_NAME)?;
        check_options(&options)?;
        self.enter(Place::Conference, &options.wait_sound)?;
        Ok(ConferenceRequest::Join {
            name,
            options,
            terms,
        })
    }

    /// Obeys a command about queues. The call is up.
    pub(super) fn obey_queue(&mut self, command: QueueCommand) -> Result<Reply, CallError> {
        let request = match command {
            QueueCommand::Wait {
                name,
                sound,
                max_size,
            } => {
                check_name("queue", &name, MAX_QUEUE_NAME)?;
                check_range("max-size", max_size, 1, MAX_SIZE)?;
                self.enter(Place::Queue, &sound)?;
                QueueRequest::Wait { name, max_size }
            }
            QueueCommand::Serve { name } => self.serve_queue(name, None)?,
            QueueCommand::ServeWith { name, whisper } => {
                check_story("a whisper", &whisper.story, &whisper.settings)?;
                self.serve_queue(name, Some(whisper))?
            }
            QueueCommand::Leave => {
                self.is_at(Place::Queue)?;
                QueueRequest::Leave
            }
        };
        self.emit(Effect::Queue(request));
        Ok(Reply::Done)
    }

    fn serve_queue(
        &mut self,
        name: String,
        whisper: Option<Whisper>,
    ) -> Result<QueueRequest, CallError> {
        check_name("queue", &name, MAX_QUEUE_NAME)?;
        self.enter(Place::Queue, &WaitSound::Silence)?;
        Ok(QueueRequest::Serve { name, whisper })
    }

    /// The conference has news.
    pub(super) fn conference(&mut self, event: ConferenceEvent) {
        if self.room.place != Place::Conference {
            return;
        }
        match &event {
            ConferenceEvent::Joined(_) => self.has_entered(),
            ConferenceEvent::Began => self.has_company(),
            ConferenceEvent::Muted(_) => {}
            ConferenceEvent::Held(sound) => {
                self.room.held = sound.as_ref().map(OrderedSound::sound);
                self.change_sound();
            }
            ConferenceEvent::WaitsWith(sound) => {
                self.room.waiting = sound.sound();
                self.change_sound();
            }
            ConferenceEvent::Left(_) => self.is_alone(),
        }
        self.tell(Event::Conference(event));
    }

    /// The queue has news.
    pub(super) fn at_queue(&mut self, event: QueueEvent) {
        if let (QueueEvent::Left(exit), true) = (event, self.story.says_goodbye()) {
            return self.tell(Event::TakenFromQueue(exit));
        }
        if self.room.place != Place::Queue {
            return;
        }
        match event {
            QueueEvent::Waiting(_) => self.has_entered(),
            QueueEvent::Bridged(_) => self.has_company(),
            QueueEvent::Left(_) => self.is_alone(),
        }
        self.tell(Event::Queue(event));
    }

    /// Leaves wherever the call is.
    pub(super) fn leave_room(&mut self) {
        match self.room.place {
            Place::Nowhere => return,
            Place::Conference => {
                let hung_up = self.state == State::Over;
                self.emit(Effect::Conference(ConferenceRequest::Leave { hung_up }));
            }
            Place::Queue => self.emit(Effect::Queue(QueueRequest::Leave)),
        }
        self.is_alone();
    }

    /// Plays an announcement behind what the story has said to play.
    pub(super) fn announce(&mut self, source: MediaSource) {
        if self.room.place != Place::Conference {
            return; // it has left meanwhile
        }
        match self.queue(1, PromptSource::Media(source)) {
            Ok(Reply::Playback(id)) => self.room.announcing.push(id),
            Ok(_) => {}
            Err(error) => self.announced(Err(error.to_string())),
        }
    }

    /// Whether this was an announcement, which the conference is told then.
    pub(super) fn announcement_ended(&mut self, id: PlaybackId, end: &PlaybackEnd) -> bool {
        let Some(at) = self.room.announcing.iter().position(|one| *one == id) else {
            return false;
        };
        self.room.announcing.remove(at);
        self.announced(match end {
            PlaybackEnd::Finished | PlaybackEnd::Stopped => Ok(()),
            PlaybackEnd::Failed(why) => Err(why.clone()),
        });
        true
    }

    fn announced(&mut self, outcome: Result<(), String>) {
        self.emit(Effect::Conference(ConferenceRequest::Announced(outcome)));
    }

    /// The sound ended: it begins again where it is wanted still.
    pub(super) fn sound_ended(&mut self, id: PlaybackId, end: &PlaybackEnd) {
        if self.room.playing == Some(id) {
            self.room.playing = None;
            if matches!(end, PlaybackEnd::Failed(_)) {
                self.room.replace();
            }
        }
    }

    /// Whether this is the sound, and as a prompt there is nothing to be heard of it.
    pub(super) fn is_empty_sound(&self, id: PlaybackId, prompt: &Prompt) -> bool {
        self.room.playing == Some(id) && prompt.frames() == 0
    }

    /// Begins the sound where it is wanted and nothing else plays.
    pub(super) fn sound(&mut self) {
        if self.state != State::Up || !self.playlist.is_empty() {
            return;
        }
        if let Some(source) = self.room.wanted() {
            let id = self.playlist.push_sound(SOUND_LOOPS);
            self.room.playing = Some(id);
            self.emit(Effect::Fetch(id, source));
        }
    }

    /// Stops the sound for what the story wants to be heard. It begins again after that.
    pub(super) fn hush(&mut self) {
        let Some(id) = self.room.playing.take() else {
            return;
        };
        if self.playlist.stop(id) == Stopped::Playing {
            self.emit(Effect::Media(MediaCommand::Stop(id)));
        }
    }

    fn change_sound(&mut self) {
        self.hush();
        self.sound();
    }

    /// Whether the call waits or serves at a queue.
    pub(super) fn is_at_queue(&self) -> bool {
        self.room.place == Place::Queue
    }

    /// Whether the call is together with others, or waits for them.
    pub(super) fn is_in_room(&self) -> bool {
        self.room.place != Place::Nowhere
    }

    fn enter(&mut self, place: Place, sound: &WaitSound) -> Result<(), CallError> {
        if self.dial.is_some() {
            let message = "the call dials somebody: end that first";
            return Err(CallError::InvalidArgument(message.to_owned()));
        }
        let what = match self.room.place {
            Place::Nowhere => {
                self.room.place = place;
                self.room.waiting = sound.clone();
                return Ok(());
            }
            Place::Conference => "in a conference",
            Place::Queue => "at a queue",
        };
        let message = format!("the call is {what}: leave it first");
        Err(CallError::InvalidArgument(message))
    }

    fn is_at(&self, place: Place) -> Result<(), CallError> {
        let what = match place {
            _ if self.room.place == place => return Ok(()),
            Place::Queue => "at no queue: wait or serve at one first",
            Place::Nowhere | Place::Conference => "in no conference: join one first",
        };
        Err(CallError::InvalidArgument(format!("the call is {what}")))
    }

    fn has_entered(&mut self) {
        if !std::mem::replace(&mut self.room.entered, true) {
            self.sound();
        }
    }

    fn has_company(&mut self) {
        self.room.entered = true;
        self.room.waiting = WaitSound::Silence;
        if self.room.held.is_none() {
            self.hush();
        }
    }

    fn is_alone(&mut self) {
        self.hush();
        let announcing = std::mem::take(&mut self.room.announcing);
        for id in &announcing {
            if self.playlist.stop(*id) == Stopped::Playing {
                self.emit(Effect::Media(MediaCommand::Stop(*id)));
            }
        }
        self.room = Room {
            announcing, // their ends are not the story's to know
            ..Room::default()
        };
    }
}

fn check_options(options: &ConferenceOptions) -> Result<(), CallError> {
    let most = options.max_participants;
    check_range("max-participants", most, MIN_PARTICIPANTS, MAX_PARTICIPANTS)?;
    let label = options.label.as_deref().unwrap_or("-");
    check_name("label", label, MAX_CONFERENCE_NAME)?;
    match &options.status_callback {
        Some(callback) => check_callback(callback),
        None => Ok(()),
    }
}

fn check_callback(callback: &ConferenceCallback) -> Result<(), CallError> {
    let url = &callback.to.url;
    let is_web = ["http://", "https://"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    if !is_web || url.len() > MAX_URL {
        let message = format!(
            "the conference tells {url:?}: give an http or https URL of up to {MAX_URL} bytes"
        );
        return Err(CallError::InvalidArgument(message));
    }
    if !matches!(callback.to.method, HttpMethod::Get | HttpMethod::Post) {
        let message = "the conference tells by GET or POST";
        return Err(CallError::InvalidArgument(message.to_owned()));
    }
    match callback.topics.is_empty() {
        true => {
            let message = "the conference tells nothing: give it a topic";
            Err(CallError::InvalidArgument(message.to_owned()))
        }
        false => Ok(()),
    }
}

fn check_name(what: &str, name: &str, most: usize) -> Result<(), CallError> {
    let characters = name.chars().count();
    if (1..=most).contains(&characters) {
        return Ok(());
    }
    Err(CallError::InvalidArgument(format!(
        "the {what} has a name of {characters} characters: give 1 to {most}"
    )))
}

fn check_range(what: &str, value: Option<u32>, least: u32, most: u32) -> Result<(), CallError> {
    match value {
        Some(value) if !(least..=most).contains(&value) => Err(CallError::InvalidArgument(
            format!("{what} is {value}: give {least} to {most}"),
        )),
        _ => Ok(()),
    }
}
