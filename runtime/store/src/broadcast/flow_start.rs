//! A flow of `RapidPro`'s that is started for each person reached.

use call::BroadcastSid;
use serde::{Deserialize, Serialize};

use crate::seal::Purpose;
use crate::{Account, Secret, StoreError};

/// Which flow, and where. Its token lies sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowStart {
    /// Where `RapidPro` is, without a slash at its end: `https://rapidpro.example.org`.
    pub server: String,
    /// The flow's UUID.
    pub flow: String,
    sealed_token: Vec<u8>,
}

impl FlowStart {
    /// Where flows are started.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/api/v2/flow_starts.json", self.server)
    }
}

impl Account {
    /// Seals the API token with which a broadcast of this account starts a flow.
    #[must_use]
    pub fn seal_flow_start(
        &self,
        broadcast: BroadcastSid,
        server: String,
        flow: String,
        token: &Secret,
    ) -> FlowStart {
        let token = token.expose().as_bytes();
        FlowStart {
            server,
            flow,
            sealed_token: self
                .key
                .seal(Purpose::FlowToken, broadcast.as_bytes(), token),
        }
    }

    /// The token of [`Self::seal_flow_start`].
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for another broadcast's, another account's, or changed bytes.
    pub fn open_flow_token(
        &self,
        broadcast: BroadcastSid,
        start: &FlowStart,
    ) -> Result<Secret, StoreError> {
        let corrupt = |why: String| StoreError::Corrupt(format!("token of {broadcast}: {why}"));
        let sealed = &start.sealed_token;
        let opened = self
            .key
            .open(Purpose::FlowToken, broadcast.as_bytes(), sealed);
        let token = opened.map_err(|error| corrupt(error.to_string()))?;
        let token = String::from_utf8(token);
        token
            .map(Secret::new)
            .map_err(|error| corrupt(error.to_string()))
    }
}
