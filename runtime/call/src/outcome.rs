//! What the end of an unanswered call means.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::CallStatus;

/// The table from final SIP status to call status: the default one ([`CallStatus::from_sip`]), and over it what one trunk
/// means by its codes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes(BTreeMap<u16, CallStatus>);

impl Outcomes {
    /// The status of an outbound call that ended unanswered with this SIP code, 300 to 699.
    #[must_use]
    pub fn status(&self, code: u16) -> CallStatus {
        self.0
            .get(&code)
            .copied()
            .unwrap_or_else(|| CallStatus::from_sip(code))
    }
}

impl FromIterator<(u16, CallStatus)> for Outcomes {
    /// The default table with these rows over it.
    fn from_iter<I: IntoIterator<Item = (u16, CallStatus)>>(rows: I) -> Self {
        Self(rows.into_iter().collect())
    }
}
