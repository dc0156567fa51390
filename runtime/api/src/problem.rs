//! Errors as Twilio's API gives them.

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use call::AccountSid;
use serde::Serialize;
use store::StoreError;

/// An error response. The code is one of Twilio's dictionary (<https://www.twilio.com/docs/api/errors>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: u32,
    pub(crate) message: String,
    /// Where errors are explained; the code comes behind it.
    pages: Option<String>,
    retry_after_s: u64,
    /// What is wrong with each line of a table.
    rows: Vec<BadRow>,
}

/// Where Twilio explains its codes.
pub(crate) const PAGES: &str = "https://www.twilio.com/docs/errors";

#[derive(Serialize)]
struct Body {
    code: u32,
    message: String,
    more_info: String,
    status: u16,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rows: Vec<BadRow>,
}

/// A line of a table that says nothing that could be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct BadRow {
    /// Counts from 1; the heading is one.
    pub(crate) line: u64,
    pub(crate) error: String,
}

impl Problem {
    fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            pages: None,
            retry_after_s: 1,
            rows: Vec::new(),
        }
    }

    /// The same, with the lines of a table that are wrong.
    pub(crate) fn with_rows(self, rows: Vec<BadRow>) -> Self {
        Self { rows, ..self }
    }

    /// The same, explained elsewhere.
    pub(crate) fn with_pages(self, pages: String) -> Self {
        Self {
            pages: Some(pages),
            ..self
        }
    }

    /// Too many wrong credentials from one place.
    pub(crate) fn too_many_failures(seconds: u64) -> Self {
        let message = format!("Too many wrong credentials: try again in {seconds} s");
        Self {
            retry_after_s: seconds,
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, 20429, message)
        }
    }

    /// Something in the request is wrong: 400.
    pub(crate) fn bad(code: u32, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A parameter is wrong for which Twilio has no code of its own.
    pub(crate) fn bad_parameter(message: impl Into<String>) -> Self {
        Self::bad(20001, message)
    }

    /// No credentials, or wrong ones; the same for all of them.
    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 20003, "Authenticate")
    }

    /// Nothing is there, or nothing of this account.
    pub(crate) fn not_found(uri: &Uri) -> Self {
        let path = uri.path();
        let message = format!("The requested resource {path} was not found");
        Self::new(StatusCode::NOT_FOUND, 20404, message)
    }

    /// The account is suspended or closed, or its parent is.
    pub(crate) fn not_active(account: AccountSid) -> Self {
        let message = format!("Account {account} is not active");
        Self::new(StatusCode::FORBIDDEN, 20005, message)
    }

    /// Credentials that are right, but not for this.
    pub(crate) fn access_denied() -> Self {
        let message = "A key cannot do this: use the account's SID and auth token";
        Self::new(StatusCode::FORBIDDEN, 20006, message)
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, 20004, "Method not allowed")
    }

    pub(crate) fn body_too_large() -> Self {
        let message = format!("The body is larger than {} bytes", crate::MAX_FORM_BYTES);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, 20001, message)
    }

    pub(crate) fn component_too_large() -> Self {
        let message = format!(
            "The component is larger than {} MiB: strip it",
            store::tenants::MAX_COMPONENT_BYTES >> 20
        );
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, 20001, message)
    }

    /// What is there does not allow it.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, 20409, message)
    }

    /// As much goes on as may: 429.
    pub(crate) fn busy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, 20429, message)
    }

    pub(crate) fn too_many() -> Self {
        let message = "Too many calls are waiting: try again later";
        Self::new(StatusCode::TOO_MANY_REQUESTS, 20429, message)
    }

    /// Something of ours has failed.
    pub(crate) fn internal() -> Self {
        let message = "An internal error has occurred; nothing was done";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 20500, message)
    }

    /// The call is over, or too far for what is asked of it.
    pub(crate) fn call_state(message: impl Into<String>) -> Self {
        Self::bad(21220, message)
    }
}

impl From<dial::Refusal> for Problem {
    fn from(refusal: dial::Refusal) -> Self {
        match refusal {
            dial::Refusal::QueueFull => Self::too_many(),
            dial::Refusal::NotActive(account) => Self::not_active(account),
            other => Self::bad(other.twilio_code(), other.to_string()),
        }
    }
}

/// Logs what is ours to know and tells the tenant no more than whether to try again.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error == StoreError::Busy {
            let message = "The server is too busy to keep this: try again in a moment";
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, 20503, message);
        }
        tracing::error!(%error, "the store failed a request of the API");
        Self::internal()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let pages = self.pages.as_deref().unwrap_or(PAGES);
        let body = Body {
            code: self.code,
            message: self.message.clone(),
            more_info: format!("{pages}/{}", self.code),
            status: self.status.as_u16(),
            rows: self.rows.clone(),
        };
        let mut response = (self.status, Json(body)).into_response();
        response.extensions_mut().insert(self.clone());
        match self.status {
            StatusCode::UNAUTHORIZED => {
                ([(WWW_AUTHENTICATE, "Basic realm=\"Twilio API\"")], response).into_response()
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                ([(RETRY_AFTER, self.retry_after_s.to_string())], response).into_response()
            }
            _ => response,
        }
    }
}
