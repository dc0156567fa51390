//! An account's key-value pairs, as its stories reach them.

use std::sync::Arc;

use call::{KeyValueCommand, KeyValueError, KeyValueReply};
use store::{Scope, Store, StoreError};
use tracing::error;

/// One account's pairs in the store.
#[derive(Clone)]
pub(crate) struct Pairs {
    store: Arc<dyn Store>,
    scope: Scope,
}

impl Pairs {
    pub(crate) fn new(store: Arc<dyn Store>, scope: Scope) -> Self {
        Self { store, scope }
    }

    /// Does what a story asks. A change is on disk when this is over.
    pub(crate) async fn obey(
        &self,
        command: KeyValueCommand,
    ) -> Result<KeyValueReply, KeyValueError> {
        let done = match command {
            KeyValueCommand::Write(write) => self.store.write_key_value(self.scope, write).await,
            KeyValueCommand::Read(read) => {
                let Self { store, scope } = self.clone();
                // The row may have to come from the disk.
                let reading =
                    tokio::task::spawn_blocking(move || store.read_key_value(scope, read));
                reading
                    .await
                    .unwrap_or_else(|error| Err(StoreError::Failed(error.to_string())))
            }
        };
        done.map_err(|error| match error {
            StoreError::KeyValue(error) => error,
            error @ StoreError::Busy => KeyValueError::Unavailable(error.to_string()),
            error => {
                error!("cannot reach key-value pairs: {error}");
                KeyValueError::Unavailable("the store is broken".to_owned())
            }
        })
    }
}
