//! Key-value pairs in words.

use call::{KeyValueCommand, KeyValueError, KeyValueRead, KeyValueReply, KeyValueWrite};

use super::shortened;

/// What a story asks of its account's pairs, such as `key-value: get "calls"`.
#[must_use]
pub fn key_value(command: &KeyValueCommand) -> String {
    let asked = match command {
        KeyValueCommand::Read(KeyValueRead::Get(key)) => format!("get {:?}", shortened(key)),
        KeyValueCommand::Read(KeyValueRead::Exists(key)) => {
            format!("is there {:?}", shortened(key))
        }
        KeyValueCommand::Read(KeyValueRead::List { after: None }) => "list".to_owned(),
        KeyValueCommand::Read(KeyValueRead::List { after: Some(key) }) => {
            format!("list behind {:?}", shortened(key))
        }
        KeyValueCommand::Write(KeyValueWrite::Set { key, value: kept }) => {
            format!("set {:?} to {}", shortened(key), value(kept))
        }
        KeyValueCommand::Write(KeyValueWrite::Delete(key)) => {
            format!("delete {:?}", shortened(key))
        }
        KeyValueCommand::Write(KeyValueWrite::Increment { key, delta }) => {
            format!("add {delta} to {:?}", shortened(key))
        }
    };
    format!("key-value: {asked}")
}

/// What it got.
#[must_use]
pub fn key_value_result(result: &Result<KeyValueReply, KeyValueError>) -> String {
    match result {
        Ok(KeyValueReply::Done) => "done".to_owned(),
        Ok(KeyValueReply::Value(None)) => "nothing".to_owned(),
        Ok(KeyValueReply::Value(Some(kept))) => value(kept),
        Ok(KeyValueReply::Exists(exists)) => if *exists { "yes" } else { "no" }.to_owned(),
        Ok(KeyValueReply::Keys { keys, more }) => {
            let more = if *more { ", and there are more" } else { "" };
            format!("{} keys{more}", keys.len())
        }
        Ok(KeyValueReply::Number(sum)) => sum.to_string(),
        Err(error) => error.to_string(),
    }
}

fn value(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => format!("{:?}", shortened(text)),
        Err(_) => format!("{} bytes", value.len()),
    }
}
