//! Files on their way to the bucket. The folder is the queue: what lies there complete has not arrived yet.
//!
//! A recording is over, told of and fetched from its file; only then does the file go. It is removed here when it is there, so that whatever
//! kills the process in between costs at most that it is sent again.

use std::sync::{Arc, Weak};

use call::{AccountSid, RecordingSid};
use store::Scope;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{info, warn};

use super::Desk;
use super::bucket::Bucket;
use super::retries::{FIRST_PAUSE, LONGEST_PAUSE, Retries};

/// So many failures one after the other, and it is the bucket that is away, not a file that is bad.
const AWAY: u32 = 3;

/// Sends what there is, then what comes, as long as the desk is there.
pub(super) async fn run(desk: Weak<Desk>) {
    let mut pause = FIRST_PAUSE;
    let mut retries = Retries::default();
    loop {
        let Some(present) = desk.upgrade() else {
            return;
        };
        let Some(bucket) = present.bucket.clone() else {
            return;
        };
        let is_away = present.upload_due(&bucket, &mut retries).await;
        let news = Arc::clone(&present.completed);
        drop(present);
        if is_away {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            continue;
        }
        pause = FIRST_PAUSE;
        match retries.next() {
            Some(next) => tokio::select! {
                () = news.notified() => {}
                () = sleep_until(next) => {}
            },
            None => news.notified().await,
        }
    }
}

impl Desk {
    /// Sends each complete file whose recording is over and that may be tried now. Whether the rest has to wait for the bucket.
    pub(super) async fn upload_due(&self, bucket: &Bucket, retries: &mut Retries) -> bool {
        let files = self.files.clone();
        let complete = tokio::task::spawn_blocking(move || files.complete()).await;
        let complete = match complete.map_err(anyhow::Error::from) {
            Ok(Ok(complete)) => complete,
            Ok(Err(error)) => return cannot_be_listed(&error.into()),
            Err(error) => return cannot_be_listed(&error),
        };
        let mut failures = 0;
        for (account, sid) in retries.due(complete, Instant::now()) {
            let Err(why) = self.upload_if_over(bucket, account, sid).await else {
                retries.sent(sid);
                failures = 0;
                continue;
            };
            let seconds = retries.failed(sid, Instant::now()).as_secs();
            warn!(
                recording.sid = %sid,
                "a recording waits for the bucket, which is tried again in {seconds} s: {why:#}"
            );
            failures += 1;
            if failures == AWAY {
                return true;
            }
        }
        false
    }

    async fn upload_if_over(
        &self,
        bucket: &Bucket,
        account: AccountSid,
        sid: RecordingSid,
    ) -> anyhow::Result<()> {
        let row = self.store.recording(Scope::of_host(account), sid)?;
        // What is not on disk as over is made whole by the next start from its file.
        if !row.is_some_and(|row| row.status.is_final()) {
            return Ok(());
        }
        // Whoever deletes it has it in hand: it is not to go.
        let Some(claim) = self.claims.take(sid) else {
            return Ok(());
        };
        let path = self.files.path(account, sid, "wav");
        if !path.exists() {
            return Ok(()); // deleted since the folder was read
        }
        if !bucket
            .put(account, sid, &path, || claim.is_wanted())
            .await?
        {
            // Whoever waits to delete it has the rest to do; if they gave up, it goes another time.
            anyhow::bail!("it is being deleted");
        }
        let files = self.files.clone();
        let freed = tokio::task::spawn_blocking(move || files.remove(account, sid)).await??;
        self.usage.removed(account, freed);
        info!(recording.sid = %sid, "a recording is in the bucket");
        Ok(())
    }
}

fn cannot_be_listed(error: &anyhow::Error) -> bool {
    warn!("the folder of recordings cannot be read, and none goes to the bucket: {error:#}");
    true
}

#[cfg(test)]
mod tests {
    use call::{CallSid, RecordingSource, RecordingTracks};
    use store::{NewRecording, RecordingEnding, RecordingStatus};
    use tokio::runtime::Handle;

    use super::super::bucket::tests::{in_memory, read};
    use super::super::files::Files;
    use super::super::mp3::Mp3Encoder;
    use super::super::samples;
    use super::super::usage::Usage;
    use super::*;
    use crate::callbacks::Callbacks;

    const AC: AccountSid = samples::ACCOUNT;
    const CONTENT: &[u8] = b"RIFF and so on";

    fn desk(folder: &std::path::Path) -> Desk {
        Desk {
            files: Files::new(folder.to_owned()),
            usage: Usage::of(Vec::new()),
            encoder: Arc::new(Mp3Encoder::new("", folder)),
            bucket: None,
            claims: Arc::default(),
            completed: Arc::default(),
            store: Arc::new(samples::store()),
            callbacks: Arc::new(Callbacks::new()),
            runtime: Handle::current(),
            public_url: String::new(),
        }
    }

    /// Keeps a recording that is over; its file is whole, or one that nobody can read.
    async fn over(desk: &Desk, number: u8, is_readable: bool) -> RecordingSid {
        let sid = RecordingSid::from_bytes([number; 16]);
        let new = NewRecording {
            sid,
            of: CallSid::from_bytes([2; 16]).into(),
            source: RecordingSource::OutboundApi,
            channels: 1,
            rate_hz: 8_000,
            tracks: RecordingTracks::Both,
            callback: None,
            url: String::new(),
            created_unix_ms: 0,
        };
        let begun = desk.store.begin_recording(Scope::of_host(AC), new);
        begun.await.unwrap();
        let ending = RecordingEnding {
            status: RecordingStatus::Completed,
            duration_ms: 1_000,
            file_bytes: CONTENT.len() as u64,
        };
        desk.store.finish_recording(sid, ending, 1).await.unwrap();
        let path = desk.files.path(AC, sid, "wav");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match is_readable {
            true => std::fs::write(path, CONTENT).unwrap(),
            false => std::fs::create_dir(path).unwrap(),
        }
        sid
    }

    #[tokio::test]
    async fn files_that_cannot_be_sent_hold_up_no_other() {
        for bad in [1, 2, 5] {
            let folder = tempfile::tempdir().unwrap();
            let (desk, bucket) = (desk(folder.path()), in_memory());
            for number in 0..bad {
                over(&desk, number, false).await;
            }
            let good = over(&desk, 100, true).await;
            let mut retries = Retries::default();
            // Whichever come first: three that fail are a bucket that is away, and the next round goes on behind them.
            let mut rounds = 0;
            while read(&bucket, AC, good).await.as_deref() != Some(CONTENT) {
                rounds += 1;
                assert!(rounds <= 2, "{bad} bad ones");
                desk.upload_due(&bucket, &mut retries).await;
            }
            assert!(!desk.files.path(AC, good, "wav").exists());
            // The next one does not wait for theirs.
            let new = over(&desk, 101, true).await;
            desk.upload_due(&bucket, &mut retries).await;
            desk.upload_due(&bucket, &mut retries).await;
            assert_eq!(read(&bucket, AC, new).await.as_deref(), Some(CONTENT));
            assert!(retries.next().is_some(), "they are tried again");
        }
    }

    #[tokio::test]
    async fn what_goes_on_or_is_being_deleted_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        let (desk, bucket) = (desk(folder.path()), in_memory());
        let sid = over(&desk, 3, true).await;
        let deleting = desk.claims.take_to_delete(sid).await;
        let mut retries = Retries::default();
        assert!(!desk.upload_due(&bucket, &mut retries).await);
        assert_eq!(read(&bucket, AC, sid).await, None);
        drop(deleting);
        let nobodys = RecordingSid::from_bytes([4; 16]);
        std::fs::write(desk.files.path(AC, nobodys, "wav"), CONTENT).unwrap();
        assert!(!desk.upload_due(&bucket, &mut retries).await);
        assert_eq!(read(&bucket, AC, sid).await.as_deref(), Some(CONTENT));
        assert_eq!(
            read(&bucket, AC, nobodys).await,
            None,
            "no row says it is over"
        );
    }
}
