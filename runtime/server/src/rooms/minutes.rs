//! What happens in a conference, written down.

use std::sync::Arc;

use api::NotExpected;
use call::{AccountSid, ConferenceSid, ConferenceTurn};
use store::{Commit, ConferenceNote, Scope, Store};
use tokio::sync::oneshot;
use tracing::error;

use crate::callbacks::Callbacks;
use crate::clock;

/// Who writes it down, and who is to look when that is done.
#[derive(Clone)]
pub(crate) struct Notary {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) callbacks: Arc<Callbacks>,
}

/// Who waits until what happened is on disk.
pub(super) enum Wait {
    /// Who gave an order.
    Order(oneshot::Sender<bool>),
    /// Who wants to know which conference it is.
    Expected(oneshot::Sender<Result<ConferenceSid, NotExpected>>),
}

/// What happens in one conference. Nobody waits for it to be on disk but the API.
pub(super) struct Minutes {
    notary: Notary,
    account: AccountSid,
    sid: ConferenceSid,
    name: String,
    /// What was handed to the store since the last [`Self::close`].
    commits: Vec<Commit<()>>,
}

impl Minutes {
    pub(super) fn new(
        notary: Notary,
        account: AccountSid,
        sid: ConferenceSid,
        name: String,
    ) -> Self {
        Self {
            notary,
            account,
            sid,
            name,
            commits: Vec::new(),
        }
    }

    /// Hands one thing to the store, in order.
    pub(super) fn note(&mut self, turn: ConferenceTurn) {
        let note = ConferenceNote {
            sid: self.sid,
            name: self.name.clone(),
            turn,
            at_unix_ms: clock::unix_ms(),
        };
        let scope = Scope::of_host(self.account);
        self.commits
            .push(self.notary.store.note_conference(scope, note));
    }

    /// Sees through what was handed over; then whoever waits for it is told.
    pub(super) fn close(&mut self, wait: Option<Wait>) {
        let commits = std::mem::take(&mut self.commits);
        if commits.is_empty() && wait.is_none() {
            return;
        }
        let (callbacks, sid) = (Arc::clone(&self.notary.callbacks), self.sid);
        tokio::spawn(async move {
            for commit in commits {
                if let Err(why) = commit.await {
                    error!(conference.sid = %sid, "cannot keep what happened in a conference: {why}");
                }
            }
            callbacks.look();
            // Nobody may be waiting for it any more.
            match wait {
                Some(Wait::Order(done)) => drop(done.send(true)),
                Some(Wait::Expected(told)) => drop(told.send(Ok(sid))),
                None => {}
            }
        });
    }
}
