//! What the API asks of the running host: calls that wait or are up, and tenants' data.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::{Context, bail};
use api::{ApiState, Done, End, EndError, Metric};
use call::{AccountSid, CallRecord, CallSid, CallStatus, Grants, HangUpCause};
use dial::AccountWaits;
use sha2::{Digest, Sha256};
use store::{
    Applied, Author, CallRow, Directory, OperatorEdit, Priority, Scope, Secret, StoreError, Tenants,
};
use tokio::sync::oneshot;

use crate::call_actor::Message;
use crate::clock;
use crate::flows::Story;
use crate::services::{Services, random};
use crate::trunks::{self, admission};

/// Between the two moments when a call leaves the queue and when its actor can be reached, the disk is written.
const LEAVING_QUEUE: Duration = Duration::from_millis(50);
/// How often that is waited for before the call counts as nobody's.
const LEAVING_QUEUE_TRIES: u32 = 20;

/// The routes of the API over the running host.
pub(crate) fn router(services: &Arc<Services>, token: &OperatorToken) -> axum::Router {
    let host = Arc::new(Host {
        services: Arc::downgrade(services),
    });
    api::router(ApiState {
        store: Arc::clone(&services.store) as Arc<dyn store::AccountStore>,
        people: Arc::clone(&services.store) as Arc<dyn store::PeopleStore>,
        broadcasts: Arc::clone(&services.store) as Arc<dyn store::BroadcastStore>,
        media: Arc::clone(&host) as Arc<dyn api::Media>,
        live_broadcasts: Arc::clone(&host) as Arc<dyn api::LiveBroadcasts>,
        live: Arc::clone(&host) as Arc<dyn api::LiveCalls>,
        recordings: Arc::clone(&host) as Arc<dyn api::LiveRecordings>,
        rooms: Arc::clone(&host) as Arc<dyn api::LiveRooms>,
        streams: Arc::clone(&host) as Arc<dyn api::LiveStreams>,
        messages: Arc::clone(&host) as Arc<dyn api::LiveMessages>,
        public_url: services.studio.public_url().to_owned(),
        redact_journal: |journal| plugin_host::journal::redact_bundle(journal).ok(),
        read_journal,
        plugins: Arc::clone(&host) as Arc<dyn api::Plugins>,
        operator: host,
        operator_key: token.secret(),
        clock: Arc::new(clock::unix_ms),
    })
}

/// What a call's journals tell, in the words of the API.
fn read_journal(journal: &[u8]) -> Option<api::Told> {
    let told = plugin_host::told::told(journal).ok()?;
    let fault = |line: plugin_host::LogLine| api::Fault {
        at_unix_ms: line.at_unix_ms,
        is_error: line.level >= plugin_host::LogLevel::Error,
        message: line.message,
    };
    Some(api::Told {
        exchanges: told.exchanges,
        faults: told.faults.into_iter().map(fault).collect(),
    })
}

/// The running host as the API sees it.
pub(crate) struct Host {
    services: Weak<Services>,
}

impl Host {
    pub(crate) fn services(&self) -> Arc<Services> {
        self.services
            .upgrade()
            .expect("the API stops before the services it serves")
    }
}

impl api::LiveBroadcasts for Host {
    fn broadcasts_changed(&self) {
        self.services().broadcasts.look();
    }

    fn retry_strategy(&self, account: AccountSid) -> Option<String> {
        let services = self.services();
        let directory = services.store.directory();
        services.flows.strategy_of(directory.account(account)?)
    }
}

impl api::LiveCalls for Host {
    fn take_place(&self, account: AccountSid) -> Option<api::Place> {
        self.services().outbound.take_place(account)
    }

    fn directory_changed(&self) {
        let services = self.services();
        tokio::task::spawn_blocking(move || take_over(&services));
    }

    fn callbacks_wait(&self) {
        self.services().callbacks.look();
    }

    fn journal(&self, account: AccountSid, call: CallSid) -> api::Done<Option<Vec<u8>>> {
        let inbox = self.services().live.inbox(account, call);
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            inbox?.send(Message::Journal(reply)).await.ok()?;
            answer.await.ok()
        })
    }

    fn accepted(&self, call: &CallRow) {
        self.services().outbound.accepted(call);
    }

    fn waits(&self, account: AccountSid) -> AccountWaits {
        self.services().outbound.waits(account)
    }

    fn explain_route(
        &self,
        account: AccountSid,
        from: &str,
        to: &str,
    ) -> Result<Vec<dial::Choice>, dial::Refusal> {
        self.services().outbound.explain(account, from, to)
    }

    fn ask_policy(
        &self,
        account: AccountSid,
        from: &str,
        to: &str,
    ) -> Done<Option<api::PolicyAnswer>> {
        let (services, from, to) = (self.services(), from.to_owned(), to.to_owned());
        Box::pin(async move {
            let outbound = Arc::clone(&services.outbound);
            outbound.ask_policy(&services, account, from, to).await
        })
    }

    fn cancel_waiting(&self, account: AccountSid, class: Option<Priority>) -> Done<usize> {
        let services = self.services();
        Box::pin(async move { services.outbound.cancel_all(account, class).await })
    }

    fn end(&self, account: AccountSid, call: CallSid, how: End) -> Done<Result<(), EndError>> {
        let services = self.services();
        Box::pin(async move { end(&services, account, call, how).await })
    }

    fn redirect(
        &self,
        account: AccountSid,
        call: CallSid,
        flow: store::Flow,
        settings: BTreeMap<String, String>,
    ) -> bool {
        let Some(inbox) = self.services().live.inbox(account, call) else {
            return false;
        };
        let story = Story { flow, settings };
        // A full inbox belongs to a call that is drowning in its own results; it will be asked again.
        inbox.try_send(Message::Redirect(story)).is_ok()
    }

    fn limit(&self, account: AccountSid, call: CallSid, longest: Duration) {
        if let Some(inbox) = self.services().live.inbox(account, call) {
            tokio::spawn(async move {
                // A call that is gone needs no limit.
                let _ = inbox.send(Message::Limit(longest)).await;
            });
        }
    }
}

async fn end(
    services: &Arc<Services>,
    account: AccountSid,
    call: CallSid,
    how: End,
) -> Result<(), EndError> {
    for _ in 0..LEAVING_QUEUE_TRIES {
        // Each time: one that failed over a trunk waits again.
        services.outbound.cancel(call).await;
        match services
            .store
            .call(Scope::of_host(account), call)?
            .map(|row| row.status)
        {
            Some(CallStatus::Canceled) => return Ok(()),
            Some(CallStatus::InProgress) if how == End::Cancel => return Err(EndError::WrongState),
            Some(status) if !status.is_final() => {}
            _ => return Err(EndError::WrongState),
        }
        if services.live.hang_up(account, call, HangUpCause::Api) {
            return Ok(());
        }
        tokio::time::sleep(LEAVING_QUEUE).await;
    }
    let record = CallRecord::new(CallStatus::Canceled, "ended while nobody dialled it");
    services
        .store
        .finish_call(call, record, clock::unix_ms(), None)
        .await?;
    services.callbacks.look();
    services.broadcasts.look();
    Ok(())
}

impl api::Operator for Host {
    fn bundled(&self) -> Vec<String> {
        bundled::ALL
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect()
    }

    fn check_component(&self, bytes: &[u8], grants: &Grants) -> Result<(), String> {
        self.services()
            .flows
            .check(bytes, grants)
            .map(drop)
            .map_err(|error| error.to_string())
    }

    fn metrics(&self) -> Done<Vec<Metric>> {
        let services = self.services();
        Box::pin(async move { crate::metrics::collect(&services).await })
    }

    fn trunks(&self) -> Done<Vec<api::TrunkStatus>> {
        let services = self.services();
        Box::pin(async move { trunks::status::of_all(&services).await })
    }

    fn administer(
        &self,
        edit: OperatorEdit,
        author: Author,
    ) -> Done<Result<Arc<Directory>, StoreError>> {
        let services = self.services();
        Box::pin(async move {
            let directory = services.store.administer(edit, author).await?;
            let services = Arc::clone(&services);
            let taken_over = tokio::task::spawn_blocking(move || take_over(&services)).await;
            taken_over.expect("taking tenants over does not panic");
            Ok(directory)
        })
    }

    fn apply(&self, tenants: Tenants) -> Done<Result<Applied, StoreError>> {
        let services = self.services();
        Box::pin(async move {
            let applied = services.store.apply(tenants).await?;
            let services = Arc::clone(&services);
            // Compiles what is new.
            let taken_over = tokio::task::spawn_blocking(move || take_over(&services)).await;
            taken_over.expect("taking tenants over does not panic");
            Ok(applied)
        })
    }
}

/// Puts the store's tenants in force: who may call us, what may run, whom we may call.
pub(crate) fn take_over(services: &Services) {
    services.in_force(|directory| {
        services.endpoint.set_peers(admission::peers(directory));
        services.endpoint.set_users(admission::users(directory));
        services.trunks.set_directory(directory);
    });
    services.flows.reload(services.store.as_ref());
    services.in_force(|directory| services.outbound.set_directory(Arc::clone(directory)));
}

/// The secret of this installation: the operator API's bearer token, and what keys are derived from.
pub(crate) struct OperatorToken(String);

impl OperatorToken {
    const FILE: &str = "operator.token";

    /// Reads the token of a data folder, or makes one, readable by this user alone.
    pub(crate) fn load_or_create(data_dir: &Path) -> anyhow::Result<Self> {
        let path = data_dir.join(Self::FILE);
        match std::fs::read_to_string(&path) {
            Ok(_) => Self::load(data_dir),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let token: String = random::<32>()
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                write_secret(&path, &token)
                    .with_context(|| format!("cannot write {}", path.display()))?;
                Ok(Self(token))
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Reads the token of a data folder that a server has made.
    pub(crate) fn load(data_dir: &Path) -> anyhow::Result<Self> {
        let path = data_dir.join(Self::FILE);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let token = text.trim();
        if token.len() != 64 {
            bail!(
                "{} is damaged: remove it, and the next start makes a new one",
                path.display()
            );
        }
        Ok(Self(token.to_owned()))
    }

    /// For the `Authorization` header, and to compare with it.
    pub(crate) fn secret(&self) -> Secret {
        Secret::new(self.0.clone())
    }

    /// A key for one purpose.
    pub(crate) fn derive(&self, purpose: &str) -> [u8; 32] {
        Sha256::digest(format!("jackfield {purpose}\0{}", self.0)).into()
    }
}

fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
