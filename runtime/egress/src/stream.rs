//! A response whose body still comes in.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout_at};

use crate::egress::causes;
use crate::error::FetchError;
use crate::gate::Place;
use crate::limits::Bounds;
use crate::request::{Hop, shown};

/// A response whose head is there. Dropping it abandons the rest.
#[derive(Debug)]
pub struct StreamedResponse {
    /// 100 to 599.
    pub status: u16,
    /// Names in lower case, in the order received; bytes outside UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// Where the body comes from; relative references resolve against it. User information is kept, a fragment is not.
    pub url: String,
    /// For errors.
    shown: String,
    body: Limited<Incoming>,
    /// Bytes of the body, or fewer: 0 where its server does not say.
    announced_bytes: u64,
    bounds: Bounds,
    deadline: Instant,
    _place: Place,
}

impl StreamedResponse {
    pub(crate) fn new(
        response: http::Response<Incoming>,
        hop: &Hop,
        bounds: Bounds,
        deadline: Instant,
        place: Place,
    ) -> Self {
        let (head, body) = response.into_parts();
        let text =
            |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)));
        Self {
            status: head.status.as_u16(),
            headers: headers.collect(),
            url: hop.url().as_str().to_owned(),
            shown: shown(hop.url()),
            announced_bytes: body.size_hint().lower(),
            body: Limited::new(body, bounds.response_bytes),
            bounds,
            deadline,
            _place: place,
        }
    }

    /// Whether its content type is one of audio.
    pub(crate) fn is_audio(&self) -> bool {
        let fields = self.headers.iter();
        let mut types = fields.filter(|(name, _)| name == "content-type");
        types.any(|(_, value)| {
            let media_type = value.split(';').next().unwrap_or_default().trim();
            let top_level = media_type.split('/').next().unwrap_or_default();
            top_level.eq_ignore_ascii_case("audio")
                || media_type.eq_ignore_ascii_case("application/ogg")
        })
    }

    /// The next piece of the body, or none after the last. After an error there is nothing more to come.
    ///
    /// # Errors
    /// If the body breaks off, is too large, or its time is over.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        if self.announced_bytes > self.bounds.response_bytes as u64 {
            return Err(too_large(&self.shown, self.bounds.response_bytes));
        }
        loop {
            let next = timeout_at(self.deadline, self.body.frame())
                .await
                .map_err(|_| too_late(&self.shown, self.bounds.total))?;
            match next {
                None => return Ok(None),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => return Ok(Some(data)),
                    Err(_trailers) => {}
                },
                Some(Err(error)) if error.is::<LengthLimitError>() => {
                    return Err(too_large(&self.shown, self.bounds.response_bytes));
                }
                Some(Err(error)) => {
                    let why = causes(error.as_ref());
                    return Err(FetchError::Protocol(format!("{}: {why}", self.shown)));
                }
            }
        }
    }
}

/// The answer to a request of this URL is not there in time.
pub(crate) fn too_late(url: &str, total: Duration) -> FetchError {
    FetchError::TimedOut(format!("{url}: not complete within {total:?}"))
}

fn too_large(url: &str, limit: usize) -> FetchError {
    FetchError::TooLarge(format!("{url}: a body of more than {limit} bytes"))
}
