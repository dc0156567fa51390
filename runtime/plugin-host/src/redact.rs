//! A journal that may be shown to others: what people typed, said and are is not in it.

use std::collections::BTreeMap;

use call::{
    AudioCommand, AudioReply, CallCallback, CallError, CallInfo, Command, ConferenceCommand,
    ConferenceEvent, ConferenceOptions, Continuation, DialRequest, DialTarget, Event, HttpRequest,
    HttpResponse, KeyValueCommand, KeyValueRead, KeyValueReply, KeyValueWrite, MediaSource,
    OrderedSound, PartialWords, PeopleCommand, PeopleReply, Person, PersonChange, PlaybackEnd,
    QueueCommand, Recording, RecordingCallback, RecordingCommand, RecordingSid, ReferRequest,
    Reply, SpeechEnd, SpeechEvent, StatusCallback, StoryFlow, StreamRequest, Transfer, WaitSound,
    Whisper,
};

use crate::journal::{Entry, Header, Journal, JournalError, bundle, unbundle};
use crate::story::Outcome;

/// In the place of every recording.
const NO_RECORDING: RecordingSid = RecordingSid::from_bytes([0; 16]);
/// Header fields whose values say nothing of anybody.
const PLAIN_HEADERS: [&str; 5] = [
    "accept",
    "content-length",
    "content-type",
    "date",
    "user-agent",
];
/// A part of a path that is longer is rather a token than a name.
const LONGEST_NAME: usize = 24;
/// What a guest said itself, in the text of a trap.
const LAST_WORDS: &str = "its last words: ";

impl Journal {
    /// The journal with placeholders of the same kind and length in place of keys, numbers, texts, HTTP bodies, the values of
    /// settings and header fields, log lines, and the names of recordings: each digit becomes `0`, each letter `x` or `X`. Of URLs
    /// the server and the plain words of the path stay. Times, SIDs of calls and the order of things stay too.
    ///
    /// It replays as far as the story does not depend on what is gone. Redacting it again changes nothing.
    #[must_use]
    pub fn redacted(self) -> Self {
        let told = !self.is_redacted();
        let entries = self.entries.into_iter().map(entry);
        Self {
            header: header(self.header),
            entries: told
                .then_some(Entry::Redacted)
                .into_iter()
                .chain(entries)
                .collect(),
        }
    }

    /// It was [`Self::redacted`]: it does not replay exactly.
    #[must_use]
    pub fn is_redacted(&self) -> bool {
        self.entries.first() == Some(&Entry::Redacted)
    }
}

/// All journals of [`bundle`], redacted.
///
/// # Errors
/// As [`unbundle`] and [`Journal::read`].
pub fn redact_bundle(whole: &[u8]) -> Result<Vec<u8>, JournalError> {
    let journals = unbundle(whole)?.into_iter().map(Journal::read);
    let redacted = journals.map(|journal| Ok(journal?.redacted().to_bytes()));
    Ok(bundle(&redacted.collect::<Result<Vec<_>, JournalError>>()?))
}

fn header(header: Header) -> Header {
    let settings = header.settings.into_iter();
    Header {
        info: CallInfo {
            caller: target(&header.info.caller),
            callee: target(&header.info.callee),
            sip_call_id: text(&header.info.sip_call_id),
            ..header.info
        },
        settings: settings.map(|(name, value)| (name, url(&value))).collect(),
        // What a story drew at random may have been a secret.
        seed: [0; 32],
        ..header
    }
}

fn entry(entry: Entry) -> Entry {
    match entry {
        Entry::Command {
            command: done,
            result,
        } => Entry::Command {
            command: command(done),
            result: answer(result),
        },
        Entry::Next {
            timeout_ms,
            event: told,
            now_unix_ms,
        } => Entry::Next {
            timeout_ms,
            event: told.map(event),
            now_unix_ms,
        },
        Entry::Log(mut line) => {
            line.message = text(&line.message);
            Entry::Log(line)
        }
        Entry::Ended(end) => Entry::Ended(outcome(end)),
        Entry::KeyValue { command, result } => Entry::KeyValue {
            command: key_value(command),
            result: result.map(key_value_reply),
        },
        Entry::People { command, result } => Entry::People {
            command: people(command),
            result: result.map(|reply| match reply {
                PeopleReply::Person(found) => PeopleReply::Person(found.map(person)),
                PeopleReply::Done => PeopleReply::Done,
            }),
        },
        Entry::Audio { command, result } => Entry::Audio {
            command: audio(command),
            result: result.map(|reply| match reply {
                AudioReply::Prepared(name) => AudioReply::Prepared(text(&name)),
                AudioReply::Kept => AudioReply::Kept,
            }),
        },
        // The name of a secret stays: it is the flow's. What was typed was never there.
        entry @ Entry::Pin { .. } => entry,
        entry @ (Entry::MemoryRefused { .. } | Entry::Cut | Entry::Redacted) => entry,
    }
}

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
        Command::ContinueWith(next) => Command::ContinueWith(Continuation {
            story: story(next.story),
            settings: settings(next.settings),
        }),
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
        | Command::Transfer(_)) => command,
    }
}

/// As it stands in a redacted journal. Keys are kept of equal length, and no longer tell one from another.
pub(crate) fn key_value(command: KeyValueCommand) -> KeyValueCommand {
    match command {
        KeyValueCommand::Read(read) => KeyValueCommand::Read(match read {
            KeyValueRead::Get(key) => KeyValueRead::Get(text(&key)),
            KeyValueRead::Exists(key) => KeyValueRead::Exists(text(&key)),
            KeyValueRead::List { after } => KeyValueRead::List {
                after: after.as_deref().map(text),
            },
        }),
        KeyValueCommand::Write(write) => KeyValueCommand::Write(match write {
            KeyValueWrite::Set { key, value } => KeyValueWrite::Set {
                key: text(&key),
                value: body(&value),
            },
            KeyValueWrite::Delete(key) => KeyValueWrite::Delete(text(&key)),
            KeyValueWrite::Increment { key, delta } => KeyValueWrite::Increment {
                key: text(&key),
                delta,
            },
        }),
    }
}

/// As it stands in a redacted journal. The name of what is kept is the account's, and stays.
pub(crate) fn audio(command: AudioCommand) -> AudioCommand {
    match command {
        AudioCommand::Prepare(_) => AudioCommand::Prepare(NO_RECORDING),
        AudioCommand::Keep { prepared, name } => AudioCommand::Keep {
            prepared: text(&prepared),
            name,
        },
    }
}

/// As it stands in a redacted journal.
pub(crate) fn people(command: PeopleCommand) -> PeopleCommand {
    match command {
        PeopleCommand::Get(number) => PeopleCommand::Get(text(&number)),
        PeopleCommand::Save(change) => PeopleCommand::Save(PersonChange {
            number: text(&change.number),
            language: change.language,
            areas: change.areas.as_deref().map(texts),
            fields: values(change.fields),
        }),
        PeopleCommand::Remove(number) => PeopleCommand::Remove(text(&number)),
    }
}

/// The names of fields stay: they are the flow's, not the person's.
fn person(person: Person) -> Person {
    Person {
        number: text(&person.number),
        language: person.language,
        areas: texts(&person.areas),
        fields: values(person.fields),
    }
}

fn texts(texts: &[String]) -> Vec<String> {
    texts.iter().map(|one| text(one)).collect()
}

fn values(fields: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let fields = fields.into_iter();
    fields.map(|(name, value)| (name, text(&value))).collect()
}

fn key_value_reply(reply: KeyValueReply) -> KeyValueReply {
    match reply {
        KeyValueReply::Value(value) => KeyValueReply::Value(value.as_deref().map(body)),
        KeyValueReply::Keys { keys, more } => KeyValueReply::Keys {
            keys: keys.iter().map(|key| text(key)).collect(),
            more,
        },
        reply => reply,
    }
}

fn dial(request: DialRequest) -> DialRequest {
    DialRequest {
        targets: request.targets.into_iter().map(dialled).collect(),
        caller_id: request.caller_id.as_deref().map(target),
        ..request
    }
}

fn dialled(dialled: DialTarget) -> DialTarget {
    let whisper = dialled.whisper.map(|whisper| Whisper {
        story: story(whisper.story),
        settings: settings(whisper.settings),
    });
    DialTarget {
        to: target(&dialled.to),
        whisper,
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

fn answer(result: Result<Reply, CallError>) -> Result<Reply, CallError> {
    result.map_err(error)
}

fn error(error: CallError) -> CallError {
    match error {
        CallError::InvalidArgument(why) => CallError::InvalidArgument(text(&why)),
        CallError::UnsupportedMedia(why) => CallError::UnsupportedMedia(text(&why)),
        error => error,
    }
}

fn event(event: Event) -> Event {
    match event {
        Event::Digit(key) => Event::Digit(digit(key)),
        Event::PlaybackEnded(id, PlaybackEnd::Failed(why)) => {
            Event::PlaybackEnded(id, PlaybackEnd::Failed(digits(&why)))
        }
        Event::Conference(ConferenceEvent::Held(Some(heard))) => {
            Event::Conference(ConferenceEvent::Held(Some(ordered(heard))))
        }
        Event::Conference(ConferenceEvent::WaitsWith(heard)) => {
            Event::Conference(ConferenceEvent::WaitsWith(ordered(heard)))
        }
        Event::HttpResponse(id, Ok(response)) => {
            let response = HttpResponse {
                headers: headers(response.headers),
                body: body(&response.body),
                url: url(&response.url),
                ..response
            };
            Event::HttpResponse(id, Ok(response))
        }
        Event::DialEnded(id, mut end) => {
            end.reason = digits(&end.reason);
            Event::DialEnded(id, end)
        }
        Event::DialTransferred(id, mut end, asked) => {
            end.reason = digits(&end.reason);
            let fields = asked.fields.into_iter();
            let asked = Transfer {
                target: target(&asked.target),
                fields: fields.map(|(name, value)| (name, text(&value))).collect(),
                ..asked
            };
            Event::DialTransferred(id, end, asked)
        }
        Event::Referred(mut referral) => {
            referral.reason = text(&referral.reason);
            Event::Referred(referral)
        }
        Event::Speech(id, event) => Event::Speech(id, said(event)),
        Event::RecordingEnded(id, recording) => Event::RecordingEnded(
            id,
            Recording {
                sid: NO_RECORDING,
                url: url(&recording.url),
                end: recording.end.map_err(|why| digits(&why)),
                ..recording
            },
        ),
        event => event,
    }
}

fn said(event: SpeechEvent) -> SpeechEvent {
    match event {
        SpeechEvent::Partial(words) => SpeechEvent::Partial(PartialWords {
            stable: text(&words.stable),
            unstable: text(&words.unstable),
        }),
        SpeechEvent::Ended(SpeechEnd::Heard(mut words)) => {
            words.text = text(&words.text);
            SpeechEvent::Ended(SpeechEnd::Heard(words))
        }
        event => event,
    }
}

/// As it stands in a redacted journal.
pub(crate) fn outcome(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Finished(Err(why)) => Outcome::Finished(Err(error(why))),
        Outcome::Trapped(why) => Outcome::Trapped(match why.split_once(LAST_WORDS) {
            Some((trap, words)) => format!("{trap}{LAST_WORDS}{}", text(words)),
            None => why,
        }),
        outcome => outcome,
    }
}

fn source(source: MediaSource) -> MediaSource {
    match source {
        MediaSource::Url(place) => MediaSource::Url(url(&place)),
        MediaSource::File(path) => MediaSource::File(digits(&path)),
    }
}

fn sound(sound: WaitSound) -> WaitSound {
    match sound {
        WaitSound::Prompt(prompt) => WaitSound::Prompt(source(prompt)),
        sound => sound,
    }
}

fn ordered(sound_or_document: OrderedSound) -> OrderedSound {
    match sound_or_document {
        OrderedSound::Sound(heard) => OrderedSound::Sound(sound(heard)),
        OrderedSound::Document(document) => OrderedSound::Document(callback(document)),
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

fn callback(callback: StatusCallback) -> StatusCallback {
    StatusCallback {
        url: url(&callback.url),
        ..callback
    }
}

fn headers(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let masked = |(name, value): (String, String)| {
        let is_plain = PLAIN_HEADERS
            .iter()
            .any(|plain| name.eq_ignore_ascii_case(plain));
        let value = if is_plain { value } else { text(&value) };
        (name, value)
    };
    headers.into_iter().map(masked).collect()
}

/// Text stays text of the same length in characters; anything else becomes zeros.
fn body(body: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(body) {
        Ok(words) => text(words).into_bytes(),
        Err(_) => vec![0; body.len()],
    }
}

fn text(text: &str) -> String {
    let masked = |character: char| match character {
        '0'..='9' => '0',
        'A'..='Z' => 'X',
        'a'..='z' => 'x',
        character if character.is_ascii() => character,
        _ => 'x',
    };
    text.chars().map(masked).collect()
}

fn digits(text: &str) -> String {
    let masked = |character: char| match character {
        '0'..='9' => '0',
        character => character,
    };
    text.chars().map(masked).collect()
}

/// `*` and `#` end what is typed: they tell nothing, and the story may wait for them.
const fn digit(key: char) -> char {
    match key {
        '0'..='9' => '0',
        'A'..='D' => 'A',
        key => key,
    }
}

/// A number, or a SIP URI.
fn target(target: &str) -> String {
    match target.split_once(':') {
        Some((scheme @ ("sip" | "sips"), rest)) => format!("{scheme}:{}", text(rest)),
        _ => text(target),
    }
}

/// Of a URL the server, the plain words of its path and the names in its query stay. What is none is text.
fn url(url: &str) -> String {
    let Some((scheme @ ("http" | "https" | "ws" | "wss"), rest)) = url.split_once("://") else {
        return text(url);
    };
    let (place, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (path, query) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    let server = match place.rsplit_once('@') {
        Some((user, server)) => format!("{}@{server}", text(user)),
        None => place.to_owned(),
    };
    let path: Vec<String> = path.split('/').map(word).collect();
    let query = query.split_inclusive(['?', '&', '#']).map(parameter);
    format!(
        "{scheme}://{server}{}{}",
        path.join("/"),
        query.collect::<String>()
    )
}

/// A part of a path.
fn word(part: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphabetic() || matches!(c, '-' | '_' | '.');
    match part.len() <= LONGEST_NAME && part.chars().all(is_plain) {
        true => part.to_owned(),
        false => text(part),
    }
}

/// `name=value`, with the sign that follows it.
fn parameter(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, value)) => format!("{name}={}", text(value)),
        None => text(parameter),
    }
}

#[cfg(test)]
mod tests {
    use call::{HttpMethod, ListeningId, PlaybackId, RequestId, Speech, Words};

    use super::*;
    use crate::journal::tests::{entries, header};
    use crate::log::{LogLevel, LogLine};

    #[test]
    fn of_urls_the_server_and_plain_words_stay() {
        for (given, expected) in [
            ("https://a.example/voice", "https://a.example/voice"),
            (
                "https://me:pw1@a.example:8443/v2/menu.xml?From=%2B8551&x#rc=2",
                "https://xx:xx0@a.example:8443/x0/menu.xml?From=%0X0000&x#rc=0",
            ),
            (
                "http://a/Recordings/REabcdefabcdefabcdefabcdefabcdefab",
                "http://a/Recordings/XXxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            ),
            ("http://a", "http://a"),
            ("http://a?pin=77&q", "http://a?pin=00&x"),
            ("Room 12, ភ្នំ", "Xxxx 00, xxxx"),
            ("ftp://a/b1", "xxx://x/x0"),
        ] {
            assert_eq!(url(given), expected, "{given}");
            assert_eq!(url(expected), expected, "twice: {given}");
        }
        assert_eq!(target("+85512345678"), "+00000000000");
        assert_eq!(target("sips:alice@b.example"), "sips:xxxxx@x.xxxxxxx");
    }

    /// A journal with a secret, `4711` or `Alice`, wherever one can be.
    fn secrets() -> Journal {
        let mut journal = Journal {
            header: header(),
            entries: entries(),
        };
        let info = &mut journal.header.info;
        info.caller = "+4711".to_owned();
        info.callee = "sip:Alice@4711".to_owned();
        info.sip_call_id = "4711@Alice".to_owned();
        journal
            .header
            .settings
            .insert("pin".to_owned(), "4711".to_owned());
        let command = |command| Entry::Command {
            command,
            result: Err(CallError::InvalidArgument("Alice 4711".to_owned())),
        };
        let told = |event| Entry::Next {
            timeout_ms: None,
            event: Some(event),
            now_unix_ms: 0,
        };
        let http = |name: &str| (name.to_owned(), "Alice 4711".to_owned());
        journal.entries.extend([
            command(Command::Say {
                speech: Speech {
                    text: "Alice 4711".to_owned(),
                    voice: None,
                    language: None,
                },
                loops: 1,
            }),
            command(Command::Press("4711".to_owned())),
            command(Command::Play {
                source: MediaSource::File("4711.wav".to_owned()),
                loops: 1,
            }),
            command(Command::Http(HttpRequest {
                method: HttpMethod::Post,
                url: "http://x/4711?a=Alice".to_owned(),
                headers: vec![http("authorization")],
                body: b"pin=4711&name=Alice".to_vec(),
                sign: true,
            })),
            command(Command::Queue(QueueCommand::Serve {
                name: "q4711".to_owned(),
            })),
            told(Event::PlaybackEnded(
                PlaybackId(1),
                PlaybackEnd::Failed("4711".to_owned()),
            )),
            told(Event::Speech(
                ListeningId(1),
                SpeechEvent::Partial(PartialWords {
                    stable: "Alice".to_owned(),
                    unstable: "4711".to_owned(),
                }),
            )),
            told(Event::Speech(
                ListeningId(1),
                SpeechEvent::Ended(SpeechEnd::Heard(Words {
                    text: "Alice 4711".to_owned(),
                    confidence_permille: Some(900),
                })),
            )),
            told(Event::HttpResponse(
                RequestId(1),
                Ok(HttpResponse {
                    status: 200,
                    headers: vec![http("set-cookie")],
                    body: b"\xff4711".to_vec(),
                    url: "http://x/4711".to_owned(),
                }),
            )),
            told(Event::RecordingEnded(
                call::RecordingId(1),
                Recording {
                    sid: RecordingSid::from_bytes([0x47; 16]),
                    url: "http://x/RE4711".to_owned(),
                    end: Err("4711".to_owned()),
                    duration_ms: 1,
                    heard_voice: true,
                },
            )),
            Entry::Log(LogLine {
                level: LogLevel::Info,
                context: String::new(),
                message: "Alice typed 4711".to_owned(),
                at_unix_ms: 0,
            }),
            Entry::Ended(Outcome::Trapped(
                "unreachable; its last words: Alice 4711".to_owned(),
            )),
        ]);
        journal
    }

    #[test]
    fn nothing_of_a_secret_stays_and_all_else_does() {
        let whole = secrets();
        let redacted = whole.clone().redacted();
        assert!(!whole.is_redacted() && redacted.is_redacted());
        let bytes = redacted.to_bytes();
        assert!(!bytes.windows(4).any(|part| part == b"4711"));
        assert!(!bytes.windows(5).any(|part| part == b"Alice"));
        assert_eq!(redacted.entries.len(), whole.entries.len() + 1);
        let steps = |journal: &Journal| journal.lines().filter_map(|line| line.step).count();
        assert_eq!(steps(&redacted), steps(&whole));
        assert_eq!(Journal::read(&bytes), Ok(redacted.clone()));
        assert_eq!(redacted.clone().redacted(), redacted, "twice");

        let both = bundle(&[whole.to_bytes(), whole.to_bytes()]);
        let both = redact_bundle(&both).unwrap();
        assert_eq!(both, bundle(&[bytes.clone(), bytes]));
        assert!(redact_bundle(b"no bundle").is_err());
    }
}
