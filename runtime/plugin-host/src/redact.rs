//! A journal that may be shown to others: what people typed, said and are is not in it.

mod accounts;
mod commands;
mod events;
mod mask;

use call::{CallInfo, RecordingSid};

pub(crate) use self::accounts::{audio, key_value, people};
use self::accounts::{audio_reply, key_value_reply, people_reply};
pub(crate) use self::commands::command;
pub(crate) use self::events::outcome;
use self::events::{answer, event};
use self::mask::{target, text, url};
use crate::journal::{Entry, Header, Journal, JournalError, bundle, unbundle};

/// In the place of every recording.
const NO_RECORDING: RecordingSid = RecordingSid::from_bytes([0; 16]);

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
            result: result.map(people_reply),
        },
        Entry::Audio { command, result } => Entry::Audio {
            command: audio(command),
            result: result.map(audio_reply),
        },
        // The name of a secret stays: it is the flow's. What was typed was never there.
        entry @ Entry::Pin { .. } => entry,
        entry @ (Entry::MemoryRefused { .. } | Entry::Cut | Entry::Redacted) => entry,
    }
}

#[cfg(test)]
mod tests {
    use call::{
        CallError, Command, Event, HttpMethod, HttpRequest, HttpResponse, ListeningId, MediaSource,
        PartialWords, PlaybackEnd, PlaybackId, QueueCommand, Recording, RequestId, Speech,
        SpeechEnd, SpeechEvent, Words,
    };

    use super::*;
    use crate::journal::tests::{entries, header};
    use crate::log::{LogLevel, LogLine};
    use crate::story::Outcome;

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
