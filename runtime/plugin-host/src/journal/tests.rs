//! What a journal keeps, and what is none.

use call::{ConferenceCommand, ConferenceRecording, ConferenceTerms, Direction, HangUpCause};

use super::*;

pub(crate) fn header() -> Header {
    Header {
        component_sha256: [7; 32],
        info: CallInfo {
            call_sid: call::CallSid::from_bytes([1; 16]),
            account_sid: call::AccountSid::from_bytes([2; 16]),
            caller: "+85512000001".to_owned(),
            callee: "1294".to_owned(),
            direction: Direction::Inbound,
            parent_call_sid: None,
            sip_call_id: "a@b".to_owned(),
        },
        settings: BTreeMap::from([("url".to_owned(), "http://x/".to_owned())]),
        seed: [3; 32],
        started_unix_ms: 1_700_000_000_000,
        limits: Limits::default(),
    }
}

pub(crate) fn entries() -> Vec<Entry> {
    vec![
        Entry::Command {
            command: Command::Answer,
            result: Ok(Reply::Done),
        },
        Entry::Next {
            timeout_ms: Some(5_000),
            event: Some(Event::Digit('1')),
            now_unix_ms: 1_700_000_001_000,
        },
        Entry::MemoryRefused {
            current: 1,
            desired: 2,
        },
        Entry::Next {
            timeout_ms: None,
            event: Some(Event::HungUp(HangUpCause::Remote)),
            now_unix_ms: 1_700_000_002_000,
        },
        Entry::Ended(Outcome::Finished(Ok(()))),
    ]
}

#[test]
fn what_was_written_is_read() {
    let journal = Journal {
        header: header(),
        entries: entries(),
    };
    assert_eq!(Journal::read(&journal.to_bytes()), Ok(journal));
}

/// What is left out of a command would be looked for in what follows it.
#[test]
fn who_joins_a_conference_can_be_read() {
    let join = |terms: Option<ConferenceTerms>| {
        let (name, options) = ("weekly".to_owned(), Box::default());
        let command = match terms {
            None => ConferenceCommand::Join { name, options },
            Some(terms) => ConferenceCommand::JoinWith {
                name,
                options,
                terms: Box::new(terms),
            },
        };
        Entry::Command {
            command: Command::Conference(command),
            result: Ok(Reply::Done),
        }
    };
    let recording = Some(ConferenceRecording {
        trim_silence: true,
        callback: None,
    });
    let terms = ConferenceTerms {
        recording,
        ..ConferenceTerms::default()
    };
    let mut all = vec![
        join(None),
        join(Some(ConferenceTerms::default())),
        join(Some(terms)),
    ];
    all.extend(entries());
    let journal = Journal {
        header: header(),
        entries: all,
    };
    assert_eq!(Journal::read(&journal.to_bytes()), Ok(journal));
}

#[test]
fn lines_tell_what_happened_and_when() {
    let journal = Journal {
        header: header(),
        entries: entries(),
    };
    let lines: Vec<String> = journal.lines().map(|line| line.to_string()).collect();
    assert_eq!(
        lines,
        [
            "    1     0.00 s  answer: done",
            "    2     1.00 s  wait 5000 ms: digit 1",
            "          1.00 s  refused to let its memory grow from 1 to 2 bytes",
            "    3     2.00 s  wait: hung up (remote)",
            "          2.00 s  the story finished",
        ]
    );
}

#[test]
fn damage_is_named() {
    let bytes = Journal {
        header: header(),
        entries: entries(),
    }
    .to_bytes();
    let mut newer = bytes.clone();
    newer[3] = 9;
    for (bytes, error) in [
        (&b""[..], JournalError::NotAJournal),
        (&b"RIFF"[..], JournalError::NotAJournal),
        (&newer[..], JournalError::UnknownVersion(9)),
        (&bytes[..10], JournalError::Broken { at: 4 }),
    ] {
        assert_eq!(Journal::read(bytes), Err(error));
    }
    for length in 4..bytes.len() {
        let _ = Journal::read(&bytes[..length]);
    }
}

#[test]
fn a_bundle_gives_its_journals_back_and_names_where_it_is_cut() {
    let journals = [b"one".to_vec(), Vec::new(), b"three".to_vec()];
    let whole = bundle(&journals);
    assert_eq!(
        unbundle(&whole),
        Ok(journals.iter().map(Vec::as_slice).collect())
    );
    assert_eq!(unbundle(&[]), Ok(Vec::new()));
    // The entries begin at 0, 7 and 11.
    for (length, at) in [(3, 0), (6, 0), (9, 7), (14, 11), (19, 11)] {
        assert_eq!(
            unbundle(&whole[..length]),
            Err(JournalError::Broken { at }),
            "{length}"
        );
    }
}

#[test]
fn a_full_journal_is_cut_and_keeps_its_end() {
    let mut writer = Writer::new(&header(), 600);
    let line = Entry::Command {
        command: Command::Echo(true),
        result: Err(CallError::InvalidArgument("x".repeat(100))),
    };
    for _ in 0..100 {
        writer.write(&line);
    }
    let bytes = writer.close(&Entry::Ended(Outcome::OutOfTime));
    assert!(bytes.len() < 620, "{}", bytes.len());
    let entries = Journal::read(&bytes).unwrap().entries;
    assert_eq!(
        entries[entries.len() - 2..],
        [Entry::Cut, Entry::Ended(Outcome::OutOfTime)]
    );
}
