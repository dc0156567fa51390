//! How the bucket is reached: by the HTTP and TLS that the rest of the process uses. It is the operator's, and may be on a private address.

use std::time::Duration;

use axum::body::HttpBody;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, StreamBody};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector as Connect, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};

/// Until an answer begins. A part of a file has been sent by then.
const ANSWER: Duration = Duration::from_secs(120);
/// Until the next piece of an answer.
const PIECE: Duration = Duration::from_secs(30);

/// Makes the client.
#[derive(Debug)]
pub(super) struct Connector;

impl Connect for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(HttpClient::new(HyperService(client)))
    }
}

#[derive(Debug)]
struct HyperService(Client<HttpsConnector<HttpConnector>, HttpRequestBody>);

#[async_trait::async_trait]
impl HttpService for HyperService {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = tokio::time::timeout(ANSWER, self.0.request(request)).await;
        let answer = answer.map_err(|late| HttpError::new(HttpErrorKind::Timeout, late))?;
        let answer = answer.map_err(|error| {
            let kind = match error.is_connect() {
                true => HttpErrorKind::Connect,
                false => HttpErrorKind::Request,
            };
            HttpError::new(kind, error)
        })?;
        let (head, body) = answer.into_parts();
        let body = body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error));
        let body = in_time(body);
        Ok(HttpResponse::from_parts(head, HttpResponseBody::new(body)))
    }
}

/// The body of an answer, of which each piece comes in time or is an error. Time counts from when a piece is wanted: a client that takes a file
/// slowly does not break it off.
fn in_time<B>(body: B) -> impl HttpBody<Data = Bytes, Error = HttpError> + Send + Sync
where
    B: HttpBody<Data = Bytes, Error = HttpError> + Unpin + Send + Sync,
{
    let frames = stream::unfold(Some(body), |body| async move {
        let mut body = body?;
        match tokio::time::timeout(PIECE, body.frame()).await {
            Ok(frame) => Some((frame?, Some(body))),
            Err(late) => Some((Err(HttpError::new(HttpErrorKind::Timeout, late)), None)),
        }
    });
    // Whoever collects a body asks again behind its end.
    StreamBody::new(frames.fuse())
}

#[cfg(test)]
mod tests {
    use hyper::body::Frame;
    use tokio::sync::mpsc;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_breaks_off_and_a_slow_client_does_not_break_it() {
        let (sender, mut pieces) = mpsc::channel(4);
        let body = StreamBody::new(stream::poll_fn(move |context| pieces.poll_recv(context)));
        let mut body = std::pin::pin!(in_time(body));
        for piece in ["one", "two", "three"] {
            sender
                .send(Ok(Frame::data(Bytes::from(piece))))
                .await
                .unwrap();
            tokio::time::advance(PIECE * 2).await; // the client is slow
            let frame = body.frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), piece);
        }
        let before = Instant::now();
        let error = body.frame().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Timeout);
        assert_eq!(before.elapsed(), PIECE);
        for _ in 0..2 {
            assert!(body.frame().await.is_none(), "however often it is asked");
        }
    }
}
