//! What one call proves to the far end that it is for: on the disk its password is sealed, and gone with the call's end.

use call::CallSid;
use serde::{Deserialize, Serialize};

use crate::seal::Purpose;
use crate::{Account, Secret, StoreError};

/// A username, and its password as the call's account sealed it for that call alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipCredentials {
    /// As the far end knows it.
    pub username: String,
    sealed_password: Vec<u8>,
}

impl Account {
    /// Seals what a call of this account proves to whoever asks for it (RFC 3261 section 22).
    #[must_use]
    pub fn seal_credentials(
        &self,
        call: CallSid,
        username: String,
        password: &Secret,
    ) -> SipCredentials {
        let password = password.expose().as_bytes();
        SipCredentials {
            username,
            sealed_password: self
                .key
                .seal(Purpose::CallPassword, call.as_bytes(), password),
        }
    }

    /// The password of [`Self::seal_credentials`].
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for another call's, another account's, or changed bytes.
    pub fn open_credentials(
        &self,
        call: CallSid,
        credentials: &SipCredentials,
    ) -> Result<Secret, StoreError> {
        let corrupt = |why: String| StoreError::Corrupt(format!("password of {call}: {why}"));
        let sealed = &credentials.sealed_password;
        let opened = self
            .key
            .open(Purpose::CallPassword, call.as_bytes(), sealed);
        let password = opened.map_err(|error| corrupt(error.to_string()))?;
        let password = String::from_utf8(password);
        password
            .map(Secret::new)
            .map_err(|error| corrupt(error.to_string()))
    }
}
