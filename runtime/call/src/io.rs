//! What goes into a call and what comes out of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use media::{MachineDetectionOptions, Prompt};

use crate::{
    CallError, CallStatus, ChildCall, ChildId, ChildNews, Command, ConferenceEvent,
    ConferenceRequest, Continuation, Detection, DoneStream, Event, HangUpCause, HttpError,
    HttpRequest, HttpResponse, ListenOrder, ListeningId, MediaSource, PlaybackId, QueueEvent,
    QueueRequest, Recording, RecordingId, RecordingOrder, Reply, RequestId, Speech, SpeechEvent,
    StartRecording, StatusCallback, StreamDeed, StreamId, StreamNews, StreamOrder,
};

/// One thing that happened. Fed to [`crate::Call::handle`] in the order it happened.
#[derive(Debug)]
pub enum Input {
    /// The leg's dialog has news.
    Sip(sip::Event),
    /// The story asks for something. Exactly one [`Effect::Reply`] answers it.
    Command(Command),
    /// The leg's media has news.
    Media(MediaEvent),
    /// A prompt that [`Effect::Fetch`] asked for is there, or cannot be had; then it says why.
    Fetched(PlaybackId, Result<Arc<Prompt>, String>),
    /// A request that [`Effect::Http`] asked for came to its end.
    Http(RequestId, Result<HttpResponse, HttpError>),
    /// What a conference says to an [`Effect::Conference`], and later.
    Conference(ConferenceEvent),
    /// The conference has an announcement for the call.
    Announce(MediaSource),
    /// What a queue says to an [`Effect::Queue`], and later.
    Queue(QueueEvent),
    /// What became of a stream that [`Effect::Stream`] opened.
    Stream(StreamId, StreamNews),
    /// The API begins or ends a stream. Exactly one [`Effect::StreamDone`] answers it.
    StreamDeed(StreamDeed),
    /// What became of a listening that [`Effect::Listen`] began.
    Speech(ListeningId, SpeechEvent),
    /// A recording that [`Effect::StartRecording`] began has ended, or could not begin.
    Recorded(RecordingId, Recording),
    /// The URI of an [`Effect::Refer`], or why the other side is not to call there.
    ReferTo(Result<String, String>),
    /// The call's other side may ask that whoever dialled it be sent on.
    TakeTransfer,
    /// What became of such a wish of the other side: it was granted, or not.
    ConcludeTransfer(bool),
    /// The story that [`Effect::StartStory`] began is over.
    StoryEnded(StoryOutcome),
    /// A call that [`Effect::PlaceChild`] asked for has news.
    Child(ChildId, ChildNews),
    /// Another story takes the place of the one that runs: whatever that does is broken off. A call that another call's story dialled leaves
    /// that one, and goes on as a call of its own. Only on a call that is up; elsewhere nothing happens.
    Redirect,
    /// It may last so long from its answer on, and no longer.
    LimitTo(Duration),
    /// Somebody other than the story ends the call.
    HangUp(HangUpCause),
    /// The moment that [`crate::Call::deadline`] named has come.
    Deadline,
}

/// One thing to be done for the call. Performed in order; none of them may make the caller wait.
#[derive(Debug)]
pub enum Effect {
    /// To the SIP endpoint.
    Sip(sip::Command),
    /// To the leg on its media thread.
    Media(MediaCommand),
    /// This is the call's flow from now on; [`Self::StartStory`] follows.
    ChangeFlow(Continuation),
    /// Run the story; answered by [`Input::StoryEnded`].
    StartStory(StoryChoice),
    /// The story had its time after the hang-up: drop it.
    StopStory,
    /// The answer to the last [`Input::Command`].
    Reply(Result<Reply, CallError>),
    /// Into the story's event queue.
    Tell(Event),
    /// Get a prompt ready; answered by [`Input::Fetched`].
    Fetch(PlaybackId, PromptSource),
    /// Make a request; answered by [`Input::Http`].
    Http(RequestId, HttpRequest),
    /// To the conference; answered by [`Input::Conference`].
    Conference(ConferenceRequest),
    /// To the queue; answered by [`Input::Queue`].
    Queue(QueueRequest),
    /// Call somebody for this call's story; answered by [`Input::Child`], the last of which is [`ChildNews::Ended`].
    PlaceChild(ChildId, ChildCall),
    /// End such a call, answered or not.
    HangUpChild(ChildId),
    /// Give such a call [`Input::TakeTransfer`].
    TakeTransfer(ChildId),
    /// Give such a call [`Input::ConcludeTransfer`].
    ConcludeTransfer(ChildId, bool),
    /// Give such a call another story, and [`Input::Redirect`].
    HandOver(ChildId, Continuation),
    /// Join the leg of such a call to this call's leg.
    Bridge(ChildId),
    /// This call's leg leaves the one it was joined to.
    Unbridge,
    /// Let the other side hear ringing where nothing else is to be heard, or no longer.
    RingBack(Option<media::RingTone>),
    /// To the call whose story dialled this one. After [`ChildNews::Ended`] that one has no say over it any more.
    TellParent(ChildNews),
    /// To a media stream.
    Stream(StreamId, StreamOrder),
    /// The answer to an [`Input::StreamDeed`].
    StreamDone(Result<DoneStream, CallError>),
    /// Listen, or cease to; answered by [`Input::Speech`], the last of which is [`SpeechEvent::Ended`].
    Listen(ListeningId, ListenOrder),
    /// Find the URI of somebody whom the other side is to call, if it may; answered by [`Input::ReferTo`].
    Refer(String),
    /// Tell the tenant's server who answered.
    TellDetection(StatusCallback, Detection),
    /// Begin a recording; answered by [`Input::Recorded`] when it has ended.
    StartRecording {
        /// Its name in this call.
        id: RecordingId,
        /// As it was asked for.
        start: StartRecording,
        /// What the leg speaks now.
        codec: media::Codec,
    },
    /// The status changed. The last one is final.
    Status(CallStatus),
}

/// Which story a call runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoryChoice {
    /// The number's own, or the one the outbound call asked for.
    Flow,
    /// The account's fallback, after the flow failed.
    Fallback,
}

/// How a story came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoryOutcome {
    /// It returned. An error other than [`CallError::HungUp`] is a failure the tenant hears of.
    Returned(Result<(), CallError>),
    /// It broke: a trap, too much time or memory, or it could not be started. In words, for the tenant's log.
    Broke(String),
}

/// Where a playback's audio comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptSource {
    /// A file or URL of the tenant.
    Media(MediaSource),
    /// Text to be spoken.
    Speech(Speech),
    /// The apology a caller hears when a flow failed. It is part of the runtime: it needs no speech provider.
    Apology,
    /// The runtime's own music for those who wait.
    Music,
}

/// To a leg's media.
#[derive(Debug, Clone)]
pub enum MediaCommand {
    /// Start or change the flow of RTP.
    Connect(MediaPath),
    /// Queue a prompt behind those handed over before.
    Play {
        /// Comes back in [`MediaEvent::PlaybackEnded`].
        id: PlaybackId,
        /// Shared by every call that plays it.
        prompt: Arc<Prompt>,
        /// 1 to 1,000.
        loops: u32,
    },
    /// Press keys behind what was handed over before; the end is reported as that of a playback.
    Press {
        /// Comes back in [`MediaEvent::PlaybackEnded`].
        id: PlaybackId,
        /// As in [`Command::Press`].
        keys: Arc<str>,
    },
    /// Stop a playback that was handed over; its end is reported.
    Stop(PlaybackId),
    /// Send received audio back, or cease to.
    Echo(bool),
    /// Send this over and over where nothing else is to be heard, or no longer: whole frames of 20 ms at 8 kHz.
    Background(Option<Arc<[i16]>>),
    /// Deal with a recording.
    Recording(RecordingOrder),
    /// A key was told of in signalling: one of `0123456789*#ABCD`. Comes back as [`MediaEvent::Digit`] unless the media told of the same
    /// press.
    Signalled(char),
    /// Listen for who answered; comes back as [`MediaEvent::MachineDetected`]. A detection that was under way ends.
    DetectMachine(MachineDetectionOptions),
}

/// Where and how one leg's RTP flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaPath {
    /// Where to send, and whose address to accept.
    pub remote: SocketAddr,
    /// Both ways.
    pub codec: sdp::Codec,
    /// RTP payload type (0 to 127) that we send audio with.
    pub send_payload_type: u8,
    /// RTP payload type that the peer sends audio with.
    pub receive_payload_type: u8,
    /// Payload types of RFC 4733 events at the codec's clock rate, when negotiated.
    pub telephone_event: Option<sdp::TelephoneEvent>,
    /// The payload type of the comfort noise that the peer may send.
    pub comfort_noise: Option<u8>,
    /// The peer has use for what Opus can repeat of the frame before.
    pub redundancy: bool,
    /// Milliseconds of audio in a packet, as the peer would like it: 10 to 60, by tens. What it sends may differ.
    pub ptime_ms: u32,
    /// Ours: what we may send and what we expect.
    pub direction: sdp::Direction,
    /// RTCP goes over the port of RTP, both ways.
    pub rtcp_mux: bool,
    /// Where the peer wants RTCP.
    pub remote_rtcp: Option<SocketAddr>,
    /// The keys; none where packets go unencrypted.
    pub srtp: Option<sdp::Srtp>,
}

impl MediaPath {
    /// A plain path both ways, with our payload types and no extras.
    #[must_use]
    pub fn new(remote: SocketAddr, codec: sdp::Codec) -> Self {
        Self {
            remote,
            codec,
            send_payload_type: codec.payload_type(),
            receive_payload_type: codec.payload_type(),
            telephone_event: None,
            comfort_noise: None,
            redundancy: false,
            ptime_ms: media::FRAME_MS,
            direction: sdp::Direction::SendRecv,
            rtcp_mux: false,
            remote_rtcp: None,
            srtp: None,
        }
    }

    /// What codes and decodes its audio.
    #[must_use]
    pub const fn media_codec(&self) -> media::Codec {
        media_codec(self.codec)
    }
}

/// What codes and decodes the audio of a negotiated codec.
#[must_use]
pub const fn media_codec(codec: sdp::Codec) -> media::Codec {
    match codec {
        sdp::Codec::Pcmu => media::Codec::Pcmu,
        sdp::Codec::Pcma => media::Codec::Pcma,
        sdp::Codec::G722 => media::Codec::G722,
        sdp::Codec::Opus => media::Codec::Opus,
    }
}

/// From a leg's media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaEvent {
    /// One key press, whoever told of it: one of `0123456789*#ABCD`.
    Digit(char),
    /// Nothing came from the peer for as long as the configuration allows.
    PeerSilent,
    /// Who answered; told once for each [`MediaCommand::DetectMachine`].
    MachineDetected(Detection),
    /// A playback that was handed over is over.
    PlaybackEnded {
        /// As given in [`MediaCommand::Play`].
        id: PlaybackId,
        /// It was stopped before its last sample.
        stopped: bool,
    },
}
