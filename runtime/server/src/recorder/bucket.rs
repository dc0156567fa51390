//! A bucket of an S3-compatible store, where files of recordings are kept that are complete.

mod http;

use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use call::{AccountSid, RecordingSid};
use futures_util::StreamExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, Error, MultipartUpload, ObjectStore, ObjectStoreExt as _,
    PutMultipartOptions, PutOptions, RetryConfig,
};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;

use crate::config;

/// Pieces that may wait for a slow client.
const PIECES: usize = 4;

/// The bucket, and where in it.
#[derive(Debug)]
pub(super) struct Bucket {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// Bytes of a file that are sent at a time.
    part_bytes: usize,
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
            .with_http_connector(http::Connector)
            .with_retry(once);
        if let Some(endpoint) = &config.s3_endpoint {
            builder = builder
                .with_allow_http(endpoint.starts_with("http://"))
                .with_endpoint(endpoint);
        }
        let store = Arc::new(builder.build()?);
        let part_bytes = config.s3_part_kib << 10;
        Ok(Some(Self::new(store, &config.s3_prefix, part_bytes)))
    }

    fn new(store: Arc<dyn ObjectStore>, prefix: &str, part_bytes: usize) -> Self {
        Self {
            store,
            prefix: Path::from(prefix),
            part_bytes,
        }
    }

    fn place(&self, account: AccountSid, sid: RecordingSid) -> Path {
        let folder = self.prefix.clone().join(account.to_string());
        folder.join(format!("{sid}.wav"))
    }

    /// Puts a file there, in place of what may be there already; one that is longer than a part goes in parts, of which each waits for the one
    /// before. False where it was unwanted before its last part: nothing of it is there then.
    pub(super) async fn put(
        &self,
        account: AccountSid,
        sid: RecordingSid,
        file: &FilePath,
        is_wanted: impl Fn() -> bool,
    ) -> anyhow::Result<bool> {
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::ContentType, "audio/x-wav".into());
        let place = self.place(account, sid);
        let mut file = tokio::fs::File::open(file).await?;
        let first = self.part_of(&mut file).await?;
        if first.len() < self.part_bytes {
            let options = PutOptions {
                attributes,
                ..PutOptions::default()
            };
            self.store.put_opts(&place, first.into(), options).await?;
            return Ok(true);
        }
        let options = PutMultipartOptions {
            attributes,
            ..PutMultipartOptions::default()
        };
        let mut upload = self.store.put_multipart_opts(&place, options).await?;
        let sent = self.send_parts(upload.as_mut(), first, file, is_wanted);
        let sent = sent.await;
        if !matches!(sent, Ok(true)) {
            // What was sent of it would be paid for. It failed as it is.
            let _ = upload.abort().await;
        }
        sent
    }

    async fn send_parts(
        &self,
        upload: &mut dyn MultipartUpload,
        first: Vec<u8>,
        mut file: File,
        is_wanted: impl Fn() -> bool,
    ) -> anyhow::Result<bool> {
        let mut part = first;
        while !part.is_empty() {
            if !is_wanted() {
                return Ok(false);
            }
            upload.put_part(part.into()).await?;
            part = self.part_of(&mut file).await?;
        }
        if !is_wanted() {
            return Ok(false);
        }
        upload.complete().await?;
        Ok(true)
    }

    /// The next bytes of a file; fewer than a part only at its end.
    async fn part_of(&self, file: &mut File) -> std::io::Result<Vec<u8>> {
        let mut part = Vec::new();
        file.take(self.part_bytes as u64)
            .read_to_end(&mut part)
            .await?;
        Ok(part)
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// So small that what is tested goes in parts.
    const PART_BYTES: usize = 1 << 10;

    /// A bucket in memory.
    pub(in crate::recorder) fn in_memory() -> Bucket {
        Bucket::new(
            Arc::new(object_store::memory::InMemory::new()),
            "calls/2026",
            PART_BYTES,
        )
    }

    fn sids() -> (AccountSid, RecordingSid) {
        (
            AccountSid::from_bytes([1; 16]),
            RecordingSid::from_bytes([2; 16]),
        )
    }

    /// What is there, of the length that is told.
    pub(in crate::recorder) async fn read(
        bucket: &Bucket,
        account: AccountSid,
        sid: RecordingSid,
    ) -> Option<Vec<u8>> {
        let (bytes, mut pieces) = bucket.get(account, sid).await.unwrap()?;
        let mut read = Vec::new();
        while let Some(piece) = pieces.recv().await {
            read.extend(piece.unwrap());
        }
        assert_eq!(read.len() as u64, bytes);
        Some(read)
    }

    #[tokio::test]
    async fn a_file_is_put_read_and_removed() {
        let (account, sid) = sids();
        let bucket = in_memory();
        assert_eq!(read(&bucket, account, sid).await, None);
        let file = tempfile::NamedTempFile::new().unwrap();
        let place = bucket.place(account, sid).to_string();
        assert_eq!(place, format!("calls/2026/{account}/{sid}.wav"));
        for length in [0, 1, PART_BYTES, PART_BYTES * 2 + 5] {
            let content: Vec<u8> = (0..length).map(|at| at as u8).collect();
            std::fs::write(file.path(), &content).unwrap();
            let put = bucket.put(account, sid, file.path(), || true).await;
            assert!(put.unwrap());
            assert_eq!(read(&bucket, account, sid).await, Some(content));
        }
        for _ in 0..2 {
            bucket.remove(account, sid).await.unwrap();
            assert_eq!(read(&bucket, account, sid).await, None);
        }
    }

    #[tokio::test]
    async fn what_becomes_unwanted_between_two_parts_is_not_put() {
        let (account, sid) = sids();
        let bucket = in_memory();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [7; PART_BYTES * 2]).unwrap();
        for parts in 0..3 {
            let asked = AtomicUsize::new(0);
            let is_wanted = || asked.fetch_add(1, Ordering::Relaxed) < parts;
            let put = bucket.put(account, sid, file.path(), is_wanted).await;
            assert!(!put.unwrap(), "after {parts}");
            assert_eq!(read(&bucket, account, sid).await, None);
        }
    }
}
