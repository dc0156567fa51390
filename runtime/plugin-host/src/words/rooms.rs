//! Conferences and queues in words.

use call::{
    Beep, ConferenceCommand, ConferenceEnd, ConferenceEvent, ConferenceOptions, MediaSource,
    OrderedSound, QueueCommand, QueueEvent, WaitSound,
};

pub(super) fn conference_command(command: &ConferenceCommand) -> String {
    match command {
        ConferenceCommand::Join { name, options } => join(name, &differences(options)),
        ConferenceCommand::JoinWith {
            name,
            options,
            terms,
        } => {
            let mut differences = differences(options);
            differences.extend(terms.recording.as_ref().map(|recording| {
                let told = recording.callback.as_ref();
                let told = told.map(|callback| format!(" and tells {}", callback.to.url));
                format!("recorded{}", told.unwrap_or_default())
            }));
            join(name, &differences)
        }
        ConferenceCommand::Leave => "leave conference".to_owned(),
        ConferenceCommand::Mute(true) => "mute".to_owned(),
        ConferenceCommand::Mute(false) => "unmute".to_owned(),
        ConferenceCommand::Hold(Some(sound)) => format!("hold with {}", sound_words(sound)),
        ConferenceCommand::Hold(None) => "unhold".to_owned(),
    }
}

fn join(name: &str, differences: &[String]) -> String {
    match differences {
        [] => format!("join conference {name}"),
        some => format!("join conference {name} ({})", some.join(", ")),
    }
}

/// What is not as it is when nothing is said.
fn differences(options: &ConferenceOptions) -> Vec<String> {
    let flags = [
        (options.muted, "muted"),
        (!options.start_on_enter, "does not begin it"),
        (options.end_on_exit, "ends it"),
    ];
    let mut words: Vec<String> = flags
        .into_iter()
        .filter(|(is_so, _)| *is_so)
        .map(|(_, word)| word.to_owned())
        .collect();
    words.extend(match options.beep {
        Beep::Always => None,
        Beep::Never => Some("no beep".to_owned()),
        Beep::OnEnter => Some("beep on entering".to_owned()),
        Beep::OnExit => Some("beep on leaving".to_owned()),
    });
    if options.wait_sound != WaitSound::Music {
        words.push(format!("waits with {}", sound_words(&options.wait_sound)));
    }
    words.extend(options.coach.map(|coached| format!("coaches {coached}")));
    words.extend(
        options
            .max_participants
            .map(|most| format!("at most {most}")),
    );
    words.extend(options.label.as_ref().map(|label| format!("as {label}")));
    words.extend(options.status_callback.as_ref().map(|callback| {
        let topics: Vec<_> = callback.topics.iter().map(|topic| topic.as_str()).collect();
        format!("tells {} of {}", callback.to.url, topics.join(" "))
    }));
    words
}

pub(super) fn queue_command(command: &QueueCommand) -> String {
    match command {
        QueueCommand::Wait {
            name,
            sound,
            max_size,
        } => {
            let most = max_size.map(|most| format!(" of at most {most}"));
            let sound = match sound {
                WaitSound::Music => String::new(),
                sound => format!(" with {}", sound_words(sound)),
            };
            format!("wait in queue {name}{}{sound}", most.unwrap_or_default())
        }
        QueueCommand::Serve { name } => format!("serve queue {name}"),
        QueueCommand::ServeWith { name, .. } => format!("serve queue {name} after a whisper"),
        QueueCommand::Leave => "leave queue".to_owned(),
    }
}

pub(super) fn conference_event(event: &ConferenceEvent) -> String {
    match event {
        ConferenceEvent::Joined(place) => format!("joined as participant {}", place.participants),
        ConferenceEvent::Began => "the conference began".to_owned(),
        ConferenceEvent::Muted(true) => "muted by the API".to_owned(),
        ConferenceEvent::Muted(false) => "unmuted by the API".to_owned(),
        ConferenceEvent::Held(Some(sound)) => {
            format!("held by the API with {}", ordered_words(sound))
        }
        ConferenceEvent::Held(None) => "unheld by the API".to_owned(),
        ConferenceEvent::WaitsWith(sound) => format!("waits with {}", ordered_words(sound)),
        ConferenceEvent::Left(ConferenceEnd::Removed) => {
            "removed from the conference by the API".to_owned()
        }
        ConferenceEvent::Left(ConferenceEnd::Left) => "left the conference".to_owned(),
        ConferenceEvent::Left(ConferenceEnd::Ended) => "the conference ended".to_owned(),
        ConferenceEvent::Left(ConferenceEnd::Refused(why)) => {
            format!("not in the conference: {why}")
        }
    }
}

pub(super) fn queue_event(event: &QueueEvent) -> String {
    match event {
        QueueEvent::Waiting(place) => format!("waits as {} of {}", place.position, place.size),
        QueueEvent::Bridged(bridge) => {
            format!("bridged with {} after {} s", bridge.call, bridge.waited_s)
        }
        QueueEvent::Left(exit) => {
            let outcome = format!("{:?}", exit.outcome).to_lowercase();
            format!("left the queue: {outcome}, waited {} s", exit.waited_s)
        }
    }
}

fn ordered_words(sound: &OrderedSound) -> &str {
    match sound {
        OrderedSound::Sound(sound) => sound_words(sound),
        OrderedSound::Document(document) => &document.url,
    }
}

fn sound_words(sound: &WaitSound) -> &str {
    match sound {
        WaitSound::Music => "music",
        WaitSound::Silence => "silence",
        WaitSound::Prompt(MediaSource::Url(name) | MediaSource::File(name)) => name,
    }
}

#[cfg(test)]
mod tests {
    use call::{CallSid, ConferenceCallback, ConferenceTopic, HttpMethod, StatusCallback};

    use super::*;

    #[test]
    fn a_conference_is_joined_in_words() {
        let join = |options| {
            let (name, options) = ("weekly".to_owned(), Box::new(options));
            conference_command(&ConferenceCommand::Join { name, options })
        };
        assert_eq!(join(ConferenceOptions::default()), "join conference weekly");
        let all = ConferenceOptions {
            muted: true,
            beep: Beep::Never,
            start_on_enter: false,
            end_on_exit: true,
            wait_sound: WaitSound::Prompt(MediaSource::File("a.wav".to_owned())),
            coach: Some(CallSid::from_bytes([0; 16])),
            max_participants: Some(5),
            label: Some("chair".to_owned()),
            status_callback: Some(ConferenceCallback {
                to: StatusCallback {
                    url: "https://a/told".to_owned(),
                    method: HttpMethod::Post,
                },
                topics: vec![ConferenceTopic::Join, ConferenceTopic::Leave],
            }),
        };
        assert_eq!(
            join(all),
            "join conference weekly (muted, does not begin it, ends it, no beep, waits with a.wav, \
             coaches CA00000000000000000000000000000000, at most 5, as chair, tells https://a/told of join leave)"
        );
    }

    #[test]
    fn a_queue_is_waited_at_in_words() {
        let wait = |sound, max_size| {
            let name = "help".to_owned();
            queue_command(&QueueCommand::Wait {
                name,
                sound,
                max_size,
            })
        };
        assert_eq!(wait(WaitSound::Music, None), "wait in queue help");
        assert_eq!(
            wait(WaitSound::Silence, Some(7)),
            "wait in queue help of at most 7 with silence"
        );
    }
}
