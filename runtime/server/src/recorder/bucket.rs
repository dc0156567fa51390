//! A bucket of an S3-compatible store, where files of recordings are kept that are complete.

mod door;

use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use call::{AccountSid, RecordingSid};
use futures_util::StreamExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{Attribute, Attributes, Error, ObjectStore, ObjectStoreExt as _, RetryConfig};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use crate::config;

/// Bytes of a file that are sent at a time; what is longer goes in parts (5 MiB is the least that S3 takes).
const PART_BYTES: usize = 8 << 20;
/// Pieces that may wait for a slow client.
const PIECES: usize = 4;

/// The bucket, and where in it.
#[derive(Debug)]
pub(super) struct Bucket {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl Bucket {
    /// The bucket of the configuration; none where it names none. Asks it nothing yet.
    ///
    /// # Errors
    /// If what is configured cannot be right.
    pub(super) fn of(config: &config::Recording) -> anyhow::Result<Option<Self>> {
        let Some(bucket) = &config.s3_bucket else {
            return Ok(None);
        };
        let once = RetryConfig {
            max_retries: 0, // whoever uploads tries again
            ..RetryConfig::default()
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(&config.s3_region)
            .with_access_key_id(&config.s3_access_key_id)
            .with_secret_access_key(config.s3_secret_access_key.expose())
            .with_disable_bulk_delete(true) // not every store has it
            .with_http_connector(door::Connector)
            .with_retry(once);
        if let Some(endpoint) = &config.s3_endpoint {
            builder = builder
                .with_allow_http(endpoint.starts_with("http://"))
                .with_endpoint(endpoint);
        }
        let store = Arc::new(builder.build()?);
        Ok(Some(Self::new(store, &config.s3_prefix)))
    }

    fn new(store: Arc<dyn ObjectStore>, prefix: &str) -> Self {
        Self {
            store,
            prefix: Path::from(prefix),
        }
    }

    fn place(&self, account: AccountSid, sid: RecordingSid) -> Path {
        let folder = self.prefix.clone().join(account.to_string());
        folder.join(format!("{sid}.wav"))
    }

    /// Puts a file there, in place of what may be there already.
    pub(super) async fn put(
        &self,
        account: AccountSid,
        sid: RecordingSid,
        file: &FilePath,
    ) -> anyhow::Result<()> {
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::ContentType, "audio/x-wav".into());
        let place = self.place(account, sid);
        let mut writer = BufWriter::with_capacity(Arc::clone(&self.store), place, PART_BYTES)
            .with_max_concurrency(1)
            .with_attributes(attributes);
        let mut file = tokio::fs::File::open(file).await?;
        if let Err(error) = tokio::io::copy(&mut file, &mut writer).await {
            // What was sent of it would be paid for. It failed as it is.
            let _ = writer.abort().await;
            return Err(error.into());
        }
        writer.shutdown().await?;
        Ok(())
    }

    /// A file and its length; none where it is not there.
    pub(super) async fn get(
        &self,
        account: AccountSid,
        sid: RecordingSid,
    ) -> std::io::Result<Option<(u64, mpsc::Receiver<std::io::Result<Bytes>>)>> {
        let found = match self.store.get(&self.place(account, sid)).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(std::io::Error::other(error)),
        };
        let bytes = found.meta.size;
        let (sender, pieces) = mpsc::channel(PIECES);
        tokio::spawn(async move {
            let mut stream = found.into_stream();
            while let Some(piece) = stream.next().await {
                let piece = piece.map_err(std::io::Error::other);
                if sender.send(piece).await.is_err() {
                    return; // nobody wants it any more
                }
            }
        });
        Ok(Some((bytes, pieces)))
    }

    /// Removes a file. One that is not there is none the less gone.
    pub(super) async fn remove(&self, account: AccountSid, sid: RecordingSid) -> Result<(), Error> {
        match self.store.delete(&self.place(account, sid)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A bucket in memory.
    pub(in crate::recorder) fn in_memory() -> Bucket {
        Bucket::new(
            Arc::new(object_store::memory::InMemory::new()),
            "calls/2026",
        )
    }

    #[tokio::test]
    async fn a_file_is_put_read_and_removed() {
        let (account, sid) = (
            AccountSid::from_bytes([1; 16]),
            RecordingSid::from_bytes([2; 16]),
        );
        let bucket = in_memory();
        assert!(bucket.get(account, sid).await.unwrap().is_none());
        let file = tempfile::NamedTempFile::new().unwrap();
        // More than goes at once.
        let content: Vec<u8> = (0..PART_BYTES * 2 + 5).map(|at| at as u8).collect();
        std::fs::write(file.path(), &content).unwrap();
        bucket.put(account, sid, file.path()).await.unwrap();
        let place = bucket.place(account, sid).to_string();
        assert_eq!(place, format!("calls/2026/{account}/{sid}.wav"));
        let (bytes, mut pieces) = bucket.get(account, sid).await.unwrap().unwrap();
        let mut read = Vec::new();
        while let Some(piece) = pieces.recv().await {
            read.extend(piece.unwrap());
        }
        assert_eq!((bytes, read), (content.len() as u64, content));
        for _ in 0..2 {
            bucket.remove(account, sid).await.unwrap();
            assert!(bucket.get(account, sid).await.unwrap().is_none());
        }
    }
}
