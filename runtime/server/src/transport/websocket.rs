//! SIP over WebSocket: one message in each WebSocket message, text or binary (RFC 7118).

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, StatusCode, header};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{
    Callback, ErrorResponse, Request, Response,
};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tracing::debug;

use super::connection::{Ends, Queue, Reading, WRITE, run_both};
use super::stream::Bounds;

/// The subprotocol's name (RFC 7118 §4.1).
const SUBPROTOCOL: &str = "sip";
/// How often the peer is asked for a sign of life. Proxies on the way drop what is silent for a minute.
const PING: Duration = Duration::from_secs(40);
/// How long a peer may be silent, pings notwithstanding.
const SILENCE: Duration = Duration::from_secs(90);
/// Room for the peer's next bytes.
const READ: usize = 4_096;

/// The server's side of the handshake.
///
/// # Errors
///
/// A request that is no WebSocket's, or that does not offer the subprotocol `sip`: it is answered so.
pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    bounds: Bounds,
) -> Result<WebSocketStream<S>, Error> {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ)
        .write_buffer_size(0)
        .max_message_size(Some(bounds.whole()))
        .max_frame_size(Some(bounds.whole()));
    tokio_tungstenite::accept_hdr_async_with_config(stream, OnlySip, Some(config)).await
}

/// Takes who speaks SIP.
struct OnlySip;

impl Callback for OnlySip {
    fn on_request(
        self,
        request: &Request,
        mut response: Response,
    ) -> Result<Response, ErrorResponse> {
        let offered = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
        let offers_sip = offered
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|name| name.trim().eq_ignore_ascii_case(SUBPROTOCOL));
        if !offers_sip {
            let mut refusal =
                ErrorResponse::new(Some("the subprotocol `sip` is spoken here".to_owned()));
            *refusal.status_mut() = StatusCode::BAD_REQUEST;
            return Err(refusal);
        }
        let chosen = HeaderValue::from_static(SUBPROTOCOL);
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, chosen);
        Ok(response)
    }
}

/// Serves a connection to its end.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    socket: WebSocketStream<S>,
    mut ends: Ends,
) {
    let (mut writer, mut reader) = socket.split();
    run_both(
        read(&mut reader, &ends.reading),
        write(&mut writer, &mut ends.queue, &ends.reading),
        &mut ends.dropped,
    )
    .await;
    // A peer that is gone needs no good-bye.
    let _ = timeout(WRITE, writer.close()).await;
    ends.close().await;
}

async fn read<S: AsyncRead + AsyncWrite + Unpin>(
    reader: &mut SplitStream<WebSocketStream<S>>,
    reading: &Reading,
) {
    loop {
        let bytes = match timeout(SILENCE, reader.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => text.into(),
            Ok(Some(Ok(Message::Binary(bytes)))) => bytes,
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => continue,
            Ok(None | Some(Ok(Message::Close(_)))) => return,
            Ok(Some(Err(error))) => return debug!("a SIP connection is closed: {error}"),
            Err(_) => return debug!("a SIP connection was silent for too long"),
        };
        take(bytes, reading).await;
    }
}

async fn take(bytes: Bytes, reading: &Reading) {
    if bytes == "\r\n\r\n" {
        reading.pong.notify_one();
    } else if !bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
        reading.deliver(bytes).await;
    }
}

async fn write<S: AsyncRead + AsyncWrite + Unpin>(
    writer: &mut SplitSink<WebSocketStream<S>, Message>,
    queue: &mut Queue,
    reading: &Reading,
) {
    let mut pings = interval_at(Instant::now() + PING, PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let (message, is_queued) = tokio::select! {
            bytes = queue.next() => match bytes {
                Some(bytes) => (message(bytes), true),
                None => return,
            },
            () = reading.pong.notified() => (Message::Text("\r\n".into()), false),
            _ = pings.tick() => (Message::Ping(Bytes::new()), false),
        };
        match timeout(WRITE, writer.send(message)).await {
            Ok(Ok(())) if is_queued => queue.sent(),
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

/// As text where it is some: browsers read that more easily.
fn message(bytes: Bytes) -> Message {
    match Utf8Bytes::try_from(bytes.clone()) {
        Ok(text) => Message::Text(text),
        Err(_) => Message::Binary(bytes),
    }
}
