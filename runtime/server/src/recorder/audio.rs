//! What was recorded, in one piece: for whoever keeps it elsewhere.

use std::io;

use bytes::{Bytes, BytesMut};
use call::{AccountSid, RecordingSid};

use super::Studio;

impl Studio {
    /// The WAV file of a recording that has ended, from here or from the bucket; none where it is in neither.
    pub(crate) async fn audio(
        &self,
        account: AccountSid,
        sid: RecordingSid,
    ) -> io::Result<Option<Bytes>> {
        let path = self.desk.files.path(account, sid, "wav");
        match tokio::fs::read(path).await {
            Ok(bytes) => return Ok(Some(bytes.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let Some(bucket) = &self.desk.bucket else {
            return Ok(None);
        };
        let Some((_, mut pieces)) = bucket.get(account, sid).await? else {
            return Ok(None);
        };
        let mut whole = BytesMut::new();
        while let Some(piece) = pieces.recv().await {
            whole.extend_from_slice(&piece?);
        }
        Ok(Some(whole.freeze()))
    }
}
