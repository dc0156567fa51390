//! How a rehearsal answers to a story.

use std::time::Duration;

use super::Rehearsal;
use crate::{
    AnsweredBy, CallError, CallInfo, ConferenceOptions, ConferenceTerms, Continuation, Departure,
    Detection, DetectionMode, DetectionRequest, DialId, DialRequest, Event, HangUpCause, Host,
    Level, ListeningId, ListeningRequest, MediaSource, PauseBehavior, PlaybackEnd, PlaybackId,
    RecordingEnd, RecordingId, RecordingOptions, ReferRequest, RehearsedFiles, RehearsedPairs,
    RehearsedPeople, RehearsedPins, RehearsedQueue, RehearsedTransfer, RejectReason, Request,
    RequestId, Signals, Speech, StartedStream, StoryFlow, StreamEnd, StreamId, StreamRequest,
    StreamTracks, TargetTerms, Transfer, WaitSound,
};

impl Host for Rehearsal {
    fn info(&self) -> CallInfo {
        self.stage().info.clone()
    }

    fn setting(&self, name: &str) -> Option<String> {
        self.stage().settings.get(name).cloned()
    }

    fn rehearsed_pairs(&self) -> Option<RehearsedPairs> {
        Some(self.stage().pairs.clone())
    }

    fn rehearsed_signals(&self) -> Option<Option<Signals>> {
        Some(self.stage().signalled.clone())
    }

    fn rehearsed_people(&self) -> Option<RehearsedPeople> {
        Some(self.stage().people.clone())
    }

    fn rehearsed_files(&self) -> Option<RehearsedFiles> {
        Some(self.stage().files.clone())
    }

    fn rehearsed_pins(&self) -> Option<RehearsedPins> {
        Some(self.stage().pins.clone())
    }

    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
            Level::Critical => "critical",
        };
        self.stage_mut().log.push(format!("{level}: {message}"));
    }

    fn answer(&self) -> Result<(), CallError> {
        let mut stage = self.stage_mut();
        stage.up()?;
        if !stage.answered {
            stage.answered = true;
            stage.note("answer");
        }
        Ok(())
    }

    fn reject(&self, reason: RejectReason) -> Result<(), CallError> {
        let mut stage = self.stage_mut();
        stage.up()?;
        if stage.answered {
            return Err(CallError::AlreadyAnswered);
        }
        stage.note(match reason {
            RejectReason::Busy => "reject busy",
            RejectReason::Declined => "reject declined",
            RejectReason::NotFound => "reject not found",
            RejectReason::Unavailable => "reject unavailable",
        });
        stage.end(HangUpCause::Local);
        Ok(())
    }

    fn hang_up(&self) -> Result<(), CallError> {
        let mut stage = self.stage_mut();
        stage.up()?;
        stage.note("hang up");
        stage.end(HangUpCause::Local);
        Ok(())
    }

    fn play(&self, source: MediaSource, loops: u32) -> Result<PlaybackId, CallError> {
        let (MediaSource::Url(source) | MediaSource::File(source)) = source;
        let mut stage = self.stage_mut();
        let failure = stage.missing.contains(&source);
        let failure = failure.then(|| format!("{source} is not there"));
        stage.queue(format!("play {source}"), loops, failure)
    }

    fn say(&self, speech: Speech, loops: u32) -> Result<PlaybackId, CallError> {
        let mut stage = self.stage_mut();
        stage.speech.clone()?;
        let options: Vec<String> = speech.voice.into_iter().chain(speech.language).collect();
        let line = match options.as_slice() {
            [] => format!("say {}", speech.text),
            options => format!("say {} [{}]", speech.text, options.join(" ")),
        };
        stage.queue(line, loops, None)
    }

    fn press(&self, keys: String) -> Result<PlaybackId, CallError> {
        self.stage_mut().queue(format!("press {keys}"), 1, None)
    }

    fn stop_playback(&self, playback: PlaybackId) -> Result<(), CallError> {
        let mut stage = self.stage_mut();
        stage.up()?;
        let place = stage.playing.iter().position(|other| other.id == playback);
        let place = place.ok_or(CallError::UnknownId)?;
        stage.playing.remove(place);
        stage.note("stop");
        let now = stage.now;
        stage.happens(now, Event::PlaybackEnded((playback, PlaybackEnd::Stopped)));
        Ok(())
    }

    fn continue_with(&self, next: Continuation) -> Result<(), CallError> {
        let mut stage = self.stage_mut();
        stage.up()?;
        let story = match &next.story {
            StoryFlow::Component(name) => name,
            StoryFlow::VoiceUrl(link) => &link.url,
            StoryFlow::Twiml(document) => document,
        };
        let line = format!("continue with {story}");
        stage.note(line);
        Ok(())
    }

    fn echo(&self, on: bool) -> Result<(), CallError> {
        let mut stage = self.stage_mut();
        stage.up()?;
        if !stage.answered {
            return Err(CallError::NotAnswered);
        }
        stage.note(if on { "echo on" } else { "echo off" });
        Ok(())
    }

    fn start_recording(&self, options: RecordingOptions) -> Result<RecordingId, CallError> {
        self.stage_mut().record(options)
    }

    fn pause_recording(&self, id: RecordingId, _: PauseBehavior) -> Result<(), CallError> {
        self.stage_mut().deal_with_recording(id, "pause recording")
    }

    fn resume_recording(&self, id: RecordingId) -> Result<(), CallError> {
        self.stage_mut().deal_with_recording(id, "resume recording")
    }

    fn stop_recording(&self, id: RecordingId) -> Result<(), CallError> {
        let mut stage = self.stage_mut();
        stage.deal_with_recording(id, "stop recording")?;
        stage.end_recording(id, RecordingEnd::Stopped);
        Ok(())
    }

    fn send_request(&self, request: Request) -> Result<RequestId, CallError> {
        let mut stage = self.stage_mut();
        let response = (stage.server)(&request);
        stage.requests.push(request);
        let (now, takes) = (stage.now, stage.server_takes);
        stage.request_times.push(now);
        let id = RequestId::try_from(stage.requests.len()).expect("a test sends few requests");
        let at = now + takes;
        stage.happens(at, Event::HttpResponse((id, response)));
        Ok(id)
    }

    fn join_conference(&self, name: String, options: ConferenceOptions) -> Result<(), CallError> {
        let terms = ConferenceTerms::default();
        self.stage_mut().join_conference(&name, &options, &terms)
    }

    fn rehearsed_conference(
        &self,
        name: &str,
        options: &ConferenceOptions,
        terms: &ConferenceTerms,
    ) -> Option<Result<(), CallError>> {
        Some(self.stage_mut().join_conference(name, options, terms))
    }

    fn leave_conference(&self) -> Result<(), CallError> {
        self.stage_mut().leave_conference()
    }

    fn mute(&self, muted: bool) -> Result<(), CallError> {
        let line = if muted { "mute" } else { "unmute" };
        self.stage_mut().in_conference(line)
    }

    fn hold(&self, sound: Option<WaitSound>) -> Result<(), CallError> {
        let line = sound.map(|sound| format!("hold with {}", sound.words()));
        let line = line.as_deref().unwrap_or("unhold");
        self.stage_mut().in_conference(line)
    }

    fn wait_in_queue(
        &self,
        name: String,
        sound: WaitSound,
        max_size: Option<u32>,
    ) -> Result<(), CallError> {
        self.stage_mut().wait_in_queue(&name, &sound, max_size)
    }

    fn serve_queue(&self, name: String) -> Result<(), CallError> {
        self.stage_mut().serve_queue(&name)
    }

    fn leave_queue(&self) -> Result<(), CallError> {
        self.stage_mut().leave_queue()
    }

    fn dial(&self, request: DialRequest) -> Result<DialId, CallError> {
        self.stage_mut().dial(&request, &[])
    }

    fn rehearsed_dial(
        &self,
        request: &DialRequest,
        terms: &[TargetTerms],
    ) -> Option<Result<DialId, CallError>> {
        Some(self.stage_mut().dial(request, terms))
    }

    fn rehearsed_transfer(
        &self,
        deed: RehearsedTransfer<'_>,
    ) -> Option<Result<Option<Transfer>, CallError>> {
        Some(self.stage_mut().transfer(deed))
    }

    fn rehearsed_queue(
        &self,
        deed: RehearsedQueue<'_>,
    ) -> Option<Result<Option<Departure>, CallError>> {
        Some(self.stage_mut().more_of_queue(deed))
    }

    fn stop_dial(&self, dial: DialId) -> Result<(), CallError> {
        self.stage_mut().stop_dial(dial)
    }

    fn start_stream(&self, request: StreamRequest) -> Result<StartedStream, CallError> {
        let mut stage = self.stage_mut();
        stage.up()?;
        if !stage.answered {
            return Err(CallError::NotAnswered);
        }
        let what = match (request.both_ways, request.tracks) {
            (true, _) => "both ways ",
            (false, StreamTracks::Inbound) => "",
            (false, StreamTracks::Outbound) => "the outbound track ",
            (false, StreamTracks::Both) => "both tracks ",
        };
        let name = request.name.map(|name| format!(" as {name}"));
        let name = name.unwrap_or_default();
        stage.note(format!("stream {what}to {}{name}", request.url));
        stage.streams += 1;
        let id = stage.streams;
        let now = stage.now;
        let fails = stage.script.iter().any(|(at, event)| {
            matches!(event, Event::StreamEnded((ended, _)) if *ended == id && *at <= now)
        });
        if !fails {
            stage.happens(now, Event::StreamStarted(id));
        }
        let sid = format!("MZ{id:032x}");
        Ok(StartedStream { id, sid })
    }

    fn stop_stream(&self, stream: StreamId) -> Result<(), CallError> {
        let mut stage = self.stage_mut();
        stage.up()?;
        if !(1..=stage.streams).contains(&stream) {
            return Err(CallError::UnknownId);
        }
        stage.note(format!("stop stream {stream}"));
        let now = stage.now;
        stage.happens(now, Event::StreamEnded((stream, StreamEnd::Stopped)));
        Ok(())
    }

    fn detect_machine(&self, request: DetectionRequest) -> Result<(), CallError> {
        let mut stage = self.stage_mut();
        stage.up()?;
        if !stage.answered {
            return Err(CallError::NotAnswered);
        }
        stage.note(match request.mode {
            DetectionMode::Enable => "detect who answered",
            DetectionMode::DetectMessageEnd => "detect who answered, to the end of a message",
        });
        let (answered_by, after) = stage.answered_by;
        let timeout = Duration::from_millis(request.timeout_ms.into());
        let (answered_by, after) = match after < timeout {
            true => (answered_by, after),
            false => (AnsweredBy::Unknown, timeout),
        };
        let detection = Detection {
            answered_by,
            duration_ms: u32::try_from(after.as_millis()).unwrap_or(u32::MAX),
        };
        let at = stage.now + after;
        stage.happens(at, Event::MachineDetected(detection));
        Ok(())
    }

    fn refer(&self, request: ReferRequest) -> Result<(), CallError> {
        self.stage_mut().refer(&request)
    }

    fn listen(&self, request: ListeningRequest) -> Result<ListeningId, CallError> {
        self.stage_mut().listen(&request)
    }

    fn stop_listening(&self, id: ListeningId) -> Result<(), CallError> {
        self.stage_mut().stop_listening(id)
    }

    fn next_event(&self, timeout: Option<Duration>) -> Option<Event> {
        let mut stage = self.stage_mut();
        let event = stage.next_event(timeout);
        event.map(|event| match event {
            Event::Digit(key) => Event::Digit(stage.pins.borrow_mut().told(key)),
            event => event,
        })
    }

    fn elapsed(&self) -> Duration {
        self.stage().now
    }
}
