//! Files on their way to the bucket. The folder is the queue: what lies there complete has not arrived yet.
//!
//! A recording is over, told of and fetched from its file; only then does the file go. It is removed here when it is there, so that whatever
//! kills the process in between costs at most that it is sent again.

use std::sync::{Arc, Weak};
use std::time::Duration;

use call::{AccountSid, RecordingSid};
use store::Scope;
use tracing::{info, warn};

use super::Desk;
use super::bucket::Bucket;

/// After a failure; doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Sends what there is, then what comes, as long as the desk is there.
pub(super) async fn run(desk: Weak<Desk>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let Some(present) = desk.upgrade() else {
            return;
        };
        let Some(bucket) = present.bucket.clone() else {
            return;
        };
        let outcome = present.upload_all(&bucket).await;
        let news = Arc::clone(&present.completed);
        drop(present);
        match outcome {
            Ok(()) => {
                pause = FIRST_PAUSE;
                news.notified().await;
            }
            Err(why) => {
                let seconds = pause.as_secs();
                warn!(
                    "recordings wait for the bucket, which is tried again in {seconds} s: {why:#}"
                );
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

impl Desk {
    /// Sends each complete file whose recording is over; stops at the first that cannot be sent.
    pub(super) async fn upload_all(&self, bucket: &Bucket) -> anyhow::Result<()> {
        let files = self.files.clone();
        let complete = tokio::task::spawn_blocking(move || files.complete()).await??;
        for (account, sid) in complete {
            let row = self.store.recording(Scope::of_host(account), sid)?;
            // What is not on disk as over is made whole by the next start from its file.
            if row.is_some_and(|row| row.status.is_final()) {
                self.upload(bucket, account, sid).await?;
            }
        }
        Ok(())
    }

    async fn upload(
        &self,
        bucket: &Bucket,
        account: AccountSid,
        sid: RecordingSid,
    ) -> anyhow::Result<()> {
        let path = self.files.path(account, sid, "wav");
        match bucket.put(account, sid, &path).await {
            Ok(()) => {}
            // Deleted meanwhile, and not there any more.
            Err(_) if !path.exists() => {
                bucket.remove(account, sid).await?;
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        if !path.exists() {
            // Deleted while it was sent: not to be found there either.
            bucket.remove(account, sid).await?;
            return Ok(());
        }
        let files = self.files.clone();
        tokio::task::spawn_blocking(move || files.remove(account, sid)).await??;
        info!(recording.sid = %sid, "a recording is in the bucket");
        Ok(())
    }
}
