//! Whether media is encrypted: SRTP (RFC 3711) with its keys in the description (SDES, RFC 4568).

use crate::{CryptoSuite, MasterKey, OurKeys, SdpError};

/// Whether media is to be encrypted: a trunk's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Security {
    /// Never. What is offered encrypted only is refused.
    #[default]
    None,
    /// If the peer can.
    Offer,
    /// Else there is no call.
    Require,
}

/// Our side of encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalSecurity {
    /// What is wanted.
    pub policy: Security,
    /// Nobody but the peer reads our signalling: it goes over TLS. Else a key in it would be no secret, and none is offered, answered
    /// or taken (RFC 4568 section 7).
    pub signalling_is_secure: bool,
    /// The keys of what we send: random, of this leg alone.
    pub keys: OurKeys,
}

impl LocalSecurity {
    /// No encryption, and so no keys.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            policy: Security::None,
            signalling_is_secure: false,
            keys: OurKeys::new([0; OurKeys::RANDOM_BYTES]),
        }
    }

    /// Whether any description can be agreed on; if not, do not place the call.
    ///
    /// # Errors
    /// [`SdpError::NoWayForKeys`] where encryption is required and signalling is not secure.
    pub fn check(&self) -> Result<(), SdpError> {
        if self.policy == Security::Require && !self.signalling_is_secure {
            return Err(SdpError::NoWayForKeys);
        }
        Ok(())
    }

    /// Keys may be exchanged.
    pub(crate) fn is_possible(&self) -> bool {
        self.policy != Security::None && self.signalling_is_secure
    }
}

/// The encryption both sides agreed on. Both keys are of one suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Srtp {
    /// Of the packets we send: ours.
    pub send: MasterKey,
    /// Of the packets we receive: the peer's.
    pub receive: MasterKey,
}

impl Srtp {
    /// Both ways.
    #[must_use]
    pub const fn suite(&self) -> CryptoSuite {
        self.receive.suite()
    }
}
