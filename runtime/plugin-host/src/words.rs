//! Commands, events and their answers in words: for transcripts and differences.

mod audio;
mod key_values;
mod people;
mod rooms;
mod speech;

use call::{
    CallError, Command, DialTarget, Event, MachineDetection, MediaSource, PauseBehavior,
    PlaybackEnd, Recording, RecordingCommand, RecordingEnd, RecordingOptions, Referral, Reply,
    StoryFlow, StreamEnd, StreamRequest, StreamTracks, TransferCommand,
};

pub use audio::{audio, audio_result, pin, pin_result};
pub use key_values::{key_value, key_value_result};
pub use people::{people, people_result};

/// Bytes of a text that are shown.
const SHOWN_BYTES: usize = 120;

/// What a story asks for, such as `play menu.wav`.
#[must_use]
pub fn command(command: &Command) -> String {
    match command {
        Command::Answer => "answer".to_owned(),
        Command::Reject(reason) => format!("reject with {}", reason.status()),
        Command::HangUp => "hang up".to_owned(),
        Command::Play {
            source: MediaSource::Url(url),
            loops,
        } => format!("play {url}{}", times(*loops)),
        Command::Play {
            source: MediaSource::File(path),
            loops,
        } => format!("play {path}{}", times(*loops)),
        Command::Say { speech, loops } => {
            let mut words = format!("say \"{}\"{}", shortened(&speech.text), times(*loops));
            if let Some(voice) = &speech.voice {
                words.push_str(&format!(" as {voice}"));
            }
            if let Some(language) = &speech.language {
                words.push_str(&format!(" in {language}"));
            }
            words
        }
        Command::Press(keys) => format!("press {keys}"),
        Command::StopPlayback(id) => format!("stop playback {}", id.0),
        Command::Echo(true) => "echo on".to_owned(),
        Command::Echo(false) => "echo off".to_owned(),
        Command::Http(request) => {
            let signed = if request.sign { ", signed" } else { "" };
            let body = shortened(&String::from_utf8_lossy(&request.body)).into_owned();
            let body = if body.is_empty() {
                body
            } else {
                format!(" with \"{body}\"")
            };
            format!("{} {}{body}{signed}", request.method.as_str(), request.url)
        }
        Command::Conference(command) => rooms::conference_command(command),
        Command::Queue(command) => rooms::queue_command(command),
        Command::Dial(request) | Command::DialWith { request, .. } => {
            let in_turn = if request.in_turn { " in turn" } else { "" };
            let targets: Vec<_> = request.targets.iter().map(target).collect();
            format!("dial {}{in_turn}", targets.join(", "))
        }
        Command::StopDial(id) => format!("stop dial {}", id.0),
        Command::Transfer(TransferCommand::Allow(id)) => {
            format!("let whoever answers dial {} ask for a transfer", id.0)
        }
        Command::Transfer(TransferCommand::AllowOwn(id)) => {
            format!("let the caller ask for a transfer of dial {}", id.0)
        }
        Command::Transfer(TransferCommand::HandOver { dial, next }) => {
            format!("hand over dial {} to {}", dial.0, story(&next.story))
        }
        Command::Transfer(TransferCommand::Conclude { dial, is_taken }) => {
            let outcome = if *is_taken { "granted" } else { "not granted" };
            format!("the transfer of dial {} was {outcome}", dial.0)
        }
        Command::StartStream(request) => stream(request),
        Command::StopStream(id) => format!("stop stream {}", id.0),
        Command::DetectMachine(request) => match request.options.mode {
            MachineDetection::Enable => "detect who answered".to_owned(),
            MachineDetection::DetectMessageEnd => {
                "detect who answered, to the end of a message".to_owned()
            }
        },
        Command::Recording(command) => recording_command(command),
        Command::Refer(request) => format!("refer to {}", request.target),
        Command::Listen(request) => speech::listen(request),
        Command::StopListening(id) => format!("stop listening {}", id.0),
        Command::ContinueWith(next) => format!("continue with {}", story(&next.story)),
    }
}

fn target(target: &DialTarget) -> String {
    let Some(whisper) = &target.whisper else {
        return target.to.clone();
    };
    format!("{} (who hears {} first)", target.to, story(&whisper.story))
}

fn story(story: &StoryFlow) -> std::borrow::Cow<'_, str> {
    shortened(match story {
        StoryFlow::Component(name) => name,
        StoryFlow::VoiceUrl(url) => &url.url,
        StoryFlow::Twiml(document) => document,
    })
}

fn recording_command(command: &RecordingCommand) -> String {
    match command {
        RecordingCommand::Start(start) => record(&start.options),
        RecordingCommand::Pause(id, PauseBehavior::Skip) => format!("pause recording {}", id.0),
        RecordingCommand::Pause(id, PauseBehavior::Silence) => {
            format!("pause recording {} in silence", id.0)
        }
        RecordingCommand::Resume(id) => format!("resume recording {}", id.0),
        RecordingCommand::Stop(id) => format!("stop recording {}", id.0),
    }
}

fn record(options: &RecordingOptions) -> String {
    let mut words = format!("record {:?}, {:?}", options.tracks, options.channels).to_lowercase();
    if options.beep {
        words.push_str(", after a beep");
    }
    if let Some(timeout) = options.silence_timeout {
        words.push_str(&format!(", until {} ms of silence", timeout.as_millis()));
    }
    if !options.finish_keys.is_empty() {
        words.push_str(&format!(", until a key of {}", options.finish_keys));
    }
    if let Some(length) = options.max_length {
        words.push_str(&format!(", at most {} ms", length.as_millis()));
    }
    if options.trim_silence {
        words.push_str(", trimmed");
    }
    words
}

fn recorded(recording: &Recording) -> String {
    let end = match &recording.end {
        Ok(RecordingEnd::Silence) => "silence".to_owned(),
        Ok(RecordingEnd::Key(key)) => format!("key {key}"),
        Ok(RecordingEnd::MaxLength) => "its longest length".to_owned(),
        Ok(RecordingEnd::HungUp) => "the hang-up".to_owned(),
        Ok(RecordingEnd::Stopped) => "a command".to_owned(),
        Err(why) => format!("a failure: {why}"),
    };
    format!("ended by {end}, {} ms", recording.duration_ms)
}

/// How a command was answered, such as `playback 1`.
#[must_use]
pub fn result(result: &Result<Reply, CallError>) -> String {
    match result {
        Ok(Reply::Done) => "done".to_owned(),
        Ok(Reply::Playback(id)) => format!("playback {}", id.0),
        Ok(Reply::Request(id)) => format!("request {}", id.0),
        Ok(Reply::Dial(id)) => format!("dial {}", id.0),
        Ok(Reply::Stream(id)) => format!("stream {}", id.0),
        Ok(Reply::Recording(id)) => format!("recording {}", id.0),
        Ok(Reply::Listening(id)) => format!("listening {}", id.0),
        Err(error) => format!("refused: {error}"),
    }
}

/// What a story hears, such as `digit 1`.
#[must_use]
pub fn event(event: &Event) -> String {
    match event {
        Event::Answered => "answered".to_owned(),
        Event::Digit(digit) => format!("digit {digit}"),
        Event::PlaybackEnded(id, PlaybackEnd::Finished) => format!("playback {} finished", id.0),
        Event::PlaybackEnded(id, PlaybackEnd::Stopped) => format!("playback {} stopped", id.0),
        Event::PlaybackEnded(id, PlaybackEnd::Failed(why)) => {
            format!("playback {} failed: {why}", id.0)
        }
        Event::HttpResponse(id, Ok(response)) => {
            format!("response {} to request {}", response.status, id.0)
        }
        Event::HttpResponse(id, Err(error)) => format!("no response to request {}: {error}", id.0),
        Event::Conference(event) => rooms::conference_event(event),
        Event::Queue(event) => rooms::queue_event(event),
        Event::DialAnswered(id, _) => format!("dial {} answered", id.0),
        Event::DialEnded(id, end) | Event::DialEndedBy(id, end, _) => {
            format!("dial {} ended: {}", id.0, end.status)
        }
        Event::DialTransferred(id, _, asked) => {
            format!("dial {} ended: transfer to {}", id.0, asked.target)
        }
        Event::StreamStarted(id) => format!("stream {} started", id.0),
        Event::StreamEnded(id, StreamEnd::Stopped) => format!("stream {} stopped", id.0),
        Event::StreamEnded(id, StreamEnd::Closed) => format!("stream {} closed", id.0),
        Event::StreamEnded(id, StreamEnd::Failed(error)) => {
            format!("stream {} failed: {error}", id.0)
        }
        Event::MachineDetected(detection) => {
            format!("answered by {}", detection.answered_by.as_str())
        }
        Event::RecordingEnded(id, recording) => {
            format!("recording {} {}", id.0, recorded(recording))
        }
        Event::Referred(referral) => referred(referral),
        Event::Speech(id, event) => speech::event(*id, event),
        Event::HungUp(cause) => format!("hung up ({})", format!("{cause:?}").to_lowercase()),
        Event::TakenFromQueue(exit) => format!("taken from the queue after {} s", exit.waited_s),
    }
}

fn referred(referral: &Referral) -> String {
    let status =
        |status: Option<u16>| status.map_or_else(|| "-".to_owned(), |status| status.to_string());
    let over = if referral.is_over { ", over" } else { "" };
    let why = match referral.reason.as_str() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    let answer = status(referral.refer_status);
    format!(
        "referred {answer}, call {}{over}{why}",
        status(referral.call_status)
    )
}

/// A wait, such as `wait 5000 ms`.
#[must_use]
pub fn wait(timeout_ms: Option<u32>) -> String {
    timeout_ms.map_or_else(|| "wait".to_owned(), |ms| format!("wait {ms} ms"))
}

fn stream(request: &StreamRequest) -> String {
    let what = match (request.both_ways, request.tracks) {
        (true, _) => "both ways ",
        (false, StreamTracks::Inbound) => "",
        (false, StreamTracks::Outbound) => "the outbound track ",
        (false, StreamTracks::Both) => "both tracks ",
    };
    let name = request.name.as_ref();
    let name = name.map_or_else(String::new, |name| format!(" as {name}"));
    let with: Vec<_> = request
        .parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let with = match with.is_empty() {
        true => String::new(),
        false => format!(" with {}", shortened(&with.join(" "))),
    };
    format!("stream {what}to {}{name}{with}", request.url)
}

fn times(loops: u32) -> String {
    if loops == 1 {
        String::new()
    } else {
        format!(" {loops} times")
    }
}

fn shortened(text: &str) -> std::borrow::Cow<'_, str> {
    if text.len() <= SHOWN_BYTES {
        return text.into();
    }
    format!("{}…", &text[..text.floor_char_boundary(SHOWN_BYTES)]).into()
}

#[cfg(test)]
mod tests {
    use call::{HangUpCause, HttpRequest, PlaybackId, Speech};

    use super::*;

    #[test]
    fn commands_read_as_one_would_say_them() {
        let say = |text: &str, voice: Option<&str>, loops| Command::Say {
            speech: Speech {
                text: text.to_owned(),
                voice: voice.map(ToOwned::to_owned),
                language: None,
            },
            loops,
        };
        let post = Command::Http(HttpRequest {
            method: call::HttpMethod::Post,
            url: "http://x/".to_owned(),
            headers: Vec::new(),
            body: b"Digits=1".to_vec(),
            sign: true,
        });
        for (given, words) in [
            (
                Command::Play {
                    source: MediaSource::File("menu.wav".to_owned()),
                    loops: 1,
                },
                "play menu.wav".to_owned(),
            ),
            (
                Command::Play {
                    source: MediaSource::Url("http://x/a".to_owned()),
                    loops: 3,
                },
                "play http://x/a 3 times".to_owned(),
            ),
            (
                say("hello", Some("kal"), 2),
                "say \"hello\" 2 times as kal".to_owned(),
            ),
            (
                say(&"é".repeat(70), None, 1),
                format!("say \"{}…\"", "é".repeat(60)),
            ),
            (
                Command::StopPlayback(PlaybackId(4)),
                "stop playback 4".to_owned(),
            ),
            (
                Command::Dial(call::DialRequest {
                    targets: vec![
                        "+1".into(),
                        DialTarget {
                            to: "sip:a@192.0.2.1".to_owned(),
                            whisper: Some(call::Whisper {
                                story: StoryFlow::Component("desk".to_owned()),
                                settings: Vec::new(),
                            }),
                            ..DialTarget::from("")
                        },
                    ],
                    in_turn: true,
                    caller_id: None,
                    ring_timeout_s: 30,
                    time_limit_s: None,
                    answer_on_bridge: false,
                    hang_up_on_star: false,
                    ring_tone: None,
                }),
                "dial +1, sip:a@192.0.2.1 (who hears desk first) in turn".to_owned(),
            ),
            (
                Command::StartStream(StreamRequest {
                    url: "wss://x/".to_owned(),
                    tracks: StreamTracks::Inbound,
                    both_ways: true,
                    parameters: vec![
                        ("a".to_owned(), "1".to_owned()),
                        ("b".to_owned(), "2".to_owned()),
                    ],
                    name: Some("ear".to_owned()),
                    status_callback: None,
                }),
                "stream both ways to wss://x/ as ear with a=1 b=2".to_owned(),
            ),
            (
                Command::Recording(RecordingCommand::Start(
                    RecordingOptions {
                        finish_keys: "#".to_owned(),
                        ..RecordingOptions::of_verb()
                    }
                    .into(),
                )),
                "record caller, mono, after a beep, until 5000 ms of silence, until a key of #, at most 3600000 ms, trimmed"
                    .to_owned(),
            ),
            (
                Command::Refer(call::ReferRequest {
                    target: "sip:a@b".to_owned(),
                    timeout_s: 60,
                }),
                "refer to sip:a@b".to_owned(),
            ),
            (post, "POST http://x/ with \"Digits=1\", signed".to_owned()),
        ] {
            assert_eq!(command(&given), words);
        }
        assert_eq!(
            event(&Event::HungUp(HangUpCause::Remote)),
            "hung up (remote)"
        );
        let referral = |call_status, is_over| Referral {
            refer_status: Some(202),
            call_status,
            is_over,
            reason: if is_over { "busy" } else { "" }.to_owned(),
        };
        for (given, words) in [
            (referral(None, false), "referred 202, call -"),
            (
                referral(Some(486), true),
                "referred 202, call 486, over: busy",
            ),
        ] {
            assert_eq!(event(&Event::Referred(given)), words);
        }
        assert_eq!(result(&Err(CallError::HungUp)), "refused: the call is over");
        assert_eq!(
            (wait(None), wait(Some(20))),
            ("wait".to_owned(), "wait 20 ms".to_owned())
        );
    }
}
