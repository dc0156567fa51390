//! What was asked of a web server, and what it answered.

use serde::{Deserialize, Serialize};

use crate::{HttpError, HttpRequest, HttpResponse};

/// A request for a call, and what came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// When it was asked for, in milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
    /// What was asked.
    pub request: HttpRequest,
    /// When the answer was heard of, in milliseconds since the Unix epoch, and what it was. None where there is none yet, or the call was over before.
    pub answer: Option<(u64, Result<HttpResponse, HttpError>)>,
}
