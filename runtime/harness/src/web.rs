//! Web servers outside of the script.

use std::fmt;
use std::sync::Arc;

use call::{HttpError, HttpRequest, HttpResponse};

type Answer = dyn Fn(&HttpRequest) -> Result<HttpResponse, HttpError> + Send + Sync;

/// Answers the requests for which a script has no answer.
#[derive(Clone)]
pub(crate) struct Web(Arc<Answer>);

impl Web {
    pub(crate) fn new(
        answer: impl Fn(&HttpRequest) -> Result<HttpResponse, HttpError> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(answer))
    }

    pub(crate) fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        (self.0)(request)
    }
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Web")
    }
}
