//! `wasi:keyvalue`: the account's pairs, through the story's port.

use call::{KeyValueCommand, KeyValueError, KeyValueRead, KeyValueReply, KeyValueWrite};
use wasmtime::component::Resource;

use crate::bindings::{atomics, key_value};
use crate::journal::Entry;
use crate::meter::Limit;
use crate::state::{Halt, StoryState};

/// What stands for the account's pairs in a guest's table: where the pages of keys that it was given ended.
///
/// WASI's cursor is a number; here it is a place in this list, so that it stays right while others write.
#[allow(unreachable_pub, reason = "the generated bindings re-export it")]
#[derive(Debug, Default)]
pub struct Bucket {
    pages: Vec<String>,
}

type Answer<T> = wasmtime::Result<Result<T, key_value::Error>>;

impl key_value::Host for StoryState {
    async fn open(&mut self, identifier: String) -> Answer<Resource<Bucket>> {
        self.sandbox.host_call()?;
        if !identifier.is_empty() {
            return Ok(Err(key_value::Error::NoSuchStore));
        }
        Ok(Ok(self.sandbox.table.push(Bucket::default())?))
    }
}

impl key_value::HostBucket for StoryState {
    async fn get(&mut self, _: Resource<Bucket>, key: String) -> Answer<Option<Vec<u8>>> {
        let read = KeyValueCommand::Read(KeyValueRead::Get(key));
        self.key_value(read, |reply| match reply {
            KeyValueReply::Value(value) => Some(value),
            _ => None,
        })
        .await
    }

    async fn set(&mut self, _: Resource<Bucket>, key: String, value: Vec<u8>) -> Answer<()> {
        self.write(KeyValueWrite::Set { key, value }).await
    }

    async fn delete(&mut self, _: Resource<Bucket>, key: String) -> Answer<()> {
        self.write(KeyValueWrite::Delete(key)).await
    }

    async fn exists(&mut self, _: Resource<Bucket>, key: String) -> Answer<bool> {
        let read = KeyValueCommand::Read(KeyValueRead::Exists(key));
        self.key_value(read, |reply| match reply {
            KeyValueReply::Exists(exists) => Some(exists),
            _ => None,
        })
        .await
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<u64>,
    ) -> Answer<key_value::KeyResponse> {
        let pages = &self.sandbox.table.get(&bucket)?.pages;
        let after = match cursor {
            None => None,
            Some(cursor) => {
                let page = usize::try_from(cursor).ok();
                let Some(last) = page.and_then(|page| pages.get(page)) else {
                    self.sandbox.host_call()?;
                    let why = format!("the cursor {cursor} is not of this bucket");
                    return Ok(Err(key_value::Error::Other(why)));
                };
                Some(last.clone())
            }
        };
        let read = KeyValueCommand::Read(KeyValueRead::List { after });
        let listed = self
            .key_value(read, |reply| match reply {
                KeyValueReply::Keys { keys, more } => Some((keys, more)),
                _ => None,
            })
            .await?;
        let (keys, more) = match listed {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        let last = keys.last().filter(|_| more).cloned();
        let cursor = match last {
            Some(last) => {
                let pages = &mut self.sandbox.table.get_mut(&bucket)?.pages;
                pages.push(last);
                Some(pages.len() as u64 - 1)
            }
            None => None,
        };
        Ok(Ok(key_value::KeyResponse { keys, cursor }))
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.sandbox.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for StoryState {
    async fn increment(&mut self, _: Resource<Bucket>, key: String, delta: u64) -> Answer<u64> {
        let write = KeyValueCommand::Write(KeyValueWrite::Increment { key, delta });
        self.key_value(write, |reply| match reply {
            KeyValueReply::Number(sum) => Some(sum),
            _ => None,
        })
        .await
    }
}

impl StoryState {
    async fn write(&mut self, write: KeyValueWrite) -> Answer<()> {
        self.key_value(KeyValueCommand::Write(write), |reply| match reply {
            KeyValueReply::Done => Some(()),
            _ => None,
        })
        .await
    }

    /// Asks the port, and writes down what it said. Counts as a command: so many of both a story may give.
    async fn key_value<T>(
        &mut self,
        command: KeyValueCommand,
        read: impl FnOnce(KeyValueReply) -> Option<T>,
    ) -> Answer<T> {
        self.sandbox.host_call()?;
        let limit = self.limits.commands;
        if self.commands >= limit {
            self.sandbox.notebook.reach(Limit::Commands);
            let why = format!("limit reached: {limit} commands in one story");
            return Ok(Err(key_value::Error::Other(why)));
        }
        self.commands += 1;
        let result = if self.grants.key_value {
            let asked = self.port.key_value(command.clone());
            let Ok(result) = tokio::time::timeout_at(self.patience, asked).await else {
                return Err(Halt::Stalled.into());
            };
            result
        } else {
            Err(KeyValueError::NotGranted)
        };
        self.sandbox.budget.back_from_host();
        self.sandbox.notebook.write(&Entry::KeyValue {
            command,
            result: result.clone(),
        });
        match result {
            Ok(reply) => read(reply).map(Ok).ok_or_else(|| Halt::WrongReply.into()),
            Err(error) => Ok(Err(error.into())),
        }
    }
}

impl From<KeyValueError> for key_value::Error {
    fn from(error: KeyValueError) -> Self {
        match error {
            KeyValueError::NotGranted => Self::AccessDenied,
            error => Self::Other(error.to_string()),
        }
    }
}
