//! What a story ordered, redacted.

use call::{
    CallCallback, Command, ConferenceCommand, ConferenceOptions, Continuation, DialRequest,
    DialTarget, HttpRequest, MediaSource, QueueCommand, RecordingCallback, RecordingCommand,
    ReferRequest, StoryFlow, StreamRequest, TransferCommand, WaitSound, Whisper,
};

use super::mask::{body, callback, digits, headers, target, text, url};

/// As it stands in a redacted journal.
pub(crate) fn command(command: Command) -> Command {
    match command {
        Command::Play {
            source: asked,
            loops,
        } => Command::Play {
            source: source(asked),
            loops,
        },
        Command::Say { mut speech, loops } => {
            speech.text = text(&speech.text);
            Command::Say { speech, loops }
        }
        Command::Press(keys) => Command::Press(digits(&keys)),
        Command::Http(request) => Command::Http(HttpRequest {
            url: url(&request.url),
            headers: headers(request.headers),
            body: body(&request.body),
            ..request
        }),
        Command::Conference(ConferenceCommand::Join { name, options }) => {
            Command::Conference(ConferenceCommand::Join {
                name: digits(&name),
                options: participation(options),
            })
        }
        Command::Conference(ConferenceCommand::JoinWith {
            name,
            options,
            mut terms,
        }) => {
            let recording = terms.recording.as_mut();
            if let Some(told) = recording.and_then(|recording| recording.callback.as_mut()) {
                told.to = callback(told.to.clone());
            }
            Command::Conference(ConferenceCommand::JoinWith {
                name: digits(&name),
                options: participation(options),
                terms,
            })
        }
        Command::Conference(ConferenceCommand::Hold(heard)) => {
            Command::Conference(ConferenceCommand::Hold(heard.map(sound)))
        }
        Command::Queue(QueueCommand::Wait {
            name,
            sound: heard,
            max_size,
        }) => Command::Queue(QueueCommand::Wait {
            name: digits(&name),
            sound: sound(heard),
            max_size,
        }),
        Command::Queue(QueueCommand::Serve { name }) => Command::Queue(QueueCommand::Serve {
            name: digits(&name),
        }),
        Command::Queue(QueueCommand::ServeWith { name, whisper }) => {
            Command::Queue(QueueCommand::ServeWith {
                name: digits(&name),
                whisper: whispered(whisper),
            })
        }
        Command::Dial(request) => Command::Dial(dial(request)),
        Command::DialWith { request, mut terms } => {
            for login in terms.iter_mut().filter_map(|terms| terms.login.as_mut()) {
                login.username = text(&login.username);
            }
            Command::DialWith {
                request: dial(request),
                terms,
            }
        }
        Command::Refer(request) => Command::Refer(ReferRequest {
            target: target(&request.target),
            ..request
        }),
        Command::StartStream(request) => Command::StartStream(stream(request)),
        Command::DetectMachine(mut request) => {
            request.status_callback = request.status_callback.map(callback);
            Command::DetectMachine(request)
        }
        Command::Recording(RecordingCommand::Start(mut start)) => {
            start.callback = start.callback.map(|told| RecordingCallback {
                to: callback(told.to),
                ..told
            });
            Command::Recording(RecordingCommand::Start(start))
        }
        Command::ContinueWith(next) => Command::ContinueWith(continuation(next)),
        Command::Transfer(TransferCommand::HandOver { dial, next }) => {
            let next = continuation(next);
            Command::Transfer(TransferCommand::HandOver { dial, next })
        }
        Command::Listen(mut request) => {
            request.hints = request.hints.iter().map(|hint| text(hint)).collect();
            Command::Listen(request)
        }
        // Each by its name: what a later one carries is to be thought about here.
        command @ (Command::Answer
        | Command::Reject(_)
        | Command::HangUp
        | Command::StopPlayback(_)
        | Command::Echo(_)
        | Command::Conference(ConferenceCommand::Leave | ConferenceCommand::Mute(_))
        | Command::Queue(QueueCommand::Leave)
        | Command::StopDial(_)
        | Command::StopStream(_)
        | Command::Recording(_)
        | Command::StopListening(_)
        | Command::Transfer(
            TransferCommand::Allow(_)
            | TransferCommand::AllowOwn(_)
            | TransferCommand::Conclude { .. },
        )) => command,
    }
}

fn continuation(next: Continuation) -> Continuation {
    Continuation {
        story: story(next.story),
        settings: settings(next.settings),
    }
}

fn dial(request: DialRequest) -> DialRequest {
    DialRequest {
        targets: request.targets.into_iter().map(dialled).collect(),
        caller_id: request.caller_id.as_deref().map(target),
        ..request
    }
}

fn whispered(whisper: Whisper) -> Whisper {
    Whisper {
        story: story(whisper.story),
        settings: settings(whisper.settings),
    }
}

fn dialled(dialled: DialTarget) -> DialTarget {
    DialTarget {
        to: target(&dialled.to),
        whisper: dialled.whisper.map(whispered),
        callback: dialled.callback.map(|told| CallCallback {
            to: callback(told.to),
            ..told
        }),
        detection: dialled.detection.map(|mut asked| {
            asked.status_callback = asked.status_callback.map(callback);
            asked
        }),
    }
}

fn story(story: StoryFlow) -> StoryFlow {
    match story {
        StoryFlow::VoiceUrl(link) => StoryFlow::VoiceUrl(callback(link)),
        StoryFlow::Twiml(document) => StoryFlow::Twiml(text(&document)),
        component @ StoryFlow::Component(_) => component,
    }
}

fn settings(settings: Vec<(String, String)>) -> Vec<(String, String)> {
    let settings = settings.into_iter();
    settings.map(|(name, value)| (name, url(&value))).collect()
}

fn stream(request: StreamRequest) -> StreamRequest {
    let parameters = request.parameters.into_iter();
    StreamRequest {
        url: url(&request.url),
        parameters: parameters
            .map(|(name, value)| (name, text(&value)))
            .collect(),
        name: request.name.as_deref().map(digits),
        status_callback: request.status_callback.map(callback),
        ..request
    }
}

fn participation(mut options: Box<ConferenceOptions>) -> Box<ConferenceOptions> {
    options.label = options.label.as_deref().map(text);
    options.wait_sound = sound(options.wait_sound);
    if let Some(told) = &mut options.status_callback {
        told.to = callback(told.to.clone());
    }
    options
}

fn source(source: MediaSource) -> MediaSource {
    match source {
        MediaSource::Url(place) => MediaSource::Url(url(&place)),
        MediaSource::File(path) => MediaSource::File(digits(&path)),
    }
}

pub(super) fn sound(sound: WaitSound) -> WaitSound {
    match sound {
        WaitSound::Prompt(prompt) => WaitSound::Prompt(source(prompt)),
        sound => sound,
    }
}
