//! What a story kept with its account, and found there, redacted.

use std::collections::BTreeMap;

use call::{
    AudioCommand, AudioReply, KeyValueCommand, KeyValueRead, KeyValueReply, KeyValueWrite,
    PeopleCommand, PeopleReply, Person, PersonChange,
};

use super::NO_RECORDING;
use super::mask::{body, text};

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

pub(super) fn key_value_reply(reply: KeyValueReply) -> KeyValueReply {
    match reply {
        KeyValueReply::Value(value) => KeyValueReply::Value(value.as_deref().map(body)),
        KeyValueReply::Keys { keys, more } => KeyValueReply::Keys {
            keys: keys.iter().map(|key| text(key)).collect(),
            more,
        },
        reply => reply,
    }
}

pub(super) fn people_reply(reply: PeopleReply) -> PeopleReply {
    match reply {
        PeopleReply::Person(found) => PeopleReply::Person(found.map(person)),
        PeopleReply::Done => PeopleReply::Done,
    }
}

pub(super) fn audio_reply(reply: AudioReply) -> AudioReply {
    match reply {
        AudioReply::Prepared(name) => AudioReply::Prepared(text(&name)),
        AudioReply::Kept => AudioReply::Kept,
    }
}
