//! Media streams: calls' audio over WebSocket connections, in the messages of Twilio's Media Streams.
//!
//! Each stream is a task of its own, between a [`tap`] at its call's leg and a far end that nobody vouches for: whatever that does, the
//! call goes on, and so do the others.

mod api;
mod callback;
mod exchange;
mod flood;
mod messages;
mod playout;

use std::collections::HashMap;
use std::sync::Arc;

use call::{CallInfo, Input, StreamEnd, StreamId, StreamNews, StreamOrder, StreamRequest};
use tokio::sync::mpsc;
use tracing::{Instrument, info};

use crate::call_actor::{Inbox, Message};
use crate::media_plane::{Leg, Tap, TapEnd, tap};
use crate::services::Services;

pub(crate) use api::StreamErrand;
use callback::Callbacks;
use exchange::Exchange;
use messages::Messages;
use playout::Playout;

/// Keys that may wait for a stream's task; later ones are not told.
const KEYS: usize = 32;

/// The streams of one call, as its actor has them.
#[derive(Default)]
pub(crate) struct Streams(HashMap<StreamId, Open>);

struct Open {
    /// Closed: the stream is to end.
    keys: mpsc::Sender<char>,
    /// Until it joins the leg.
    tap: Option<Tap>,
}

/// Whose streams they are, and where their news go.
pub(crate) struct Owner {
    pub(crate) services: Arc<Services>,
    pub(crate) info: Arc<CallInfo>,
    pub(crate) account: Arc<store::Account>,
    pub(crate) inbox: Inbox,
}

impl Streams {
    /// Does as the call says; never waits.
    pub(crate) fn order(
        &mut self,
        id: StreamId,
        order: StreamOrder,
        leg: &Leg,
        owner: impl FnOnce() -> Owner,
    ) {
        match order {
            StreamOrder::Open(request) => {
                let (tap, end) = tap(id, request.tracks, request.both_ways);
                let (keys, pressed) = mpsc::channel(KEYS);
                let tap = Some(tap);
                self.0.insert(id, Open { keys, tap });
                let stream = Stream {
                    owner: owner(),
                    id,
                    request,
                    tap: end,
                    keys: pressed,
                };
                tokio::spawn(stream.run().in_current_span());
            }
            StreamOrder::Join => {
                if let Some(tap) = self.0.get_mut(&id).and_then(|open| open.tap.take()) {
                    leg.add_tap(tap);
                }
            }
            StreamOrder::Key(key) => {
                if let Some(open) = self.0.get(&id) {
                    // A far end that does not keep up misses it.
                    let _ = open.keys.try_send(key);
                }
            }
            StreamOrder::Close => {
                self.0.remove(&id);
                leg.remove_tap(id);
            }
        }
    }
}

/// One stream, from its handshake to its end.
struct Stream {
    owner: Owner,
    id: StreamId,
    request: StreamRequest,
    tap: TapEnd,
    keys: mpsc::Receiver<char>,
}

impl Stream {
    async fn run(mut self) {
        let callbacks = Callbacks::new(&self.owner, self.id, &self.request);
        let end = self.stream(&callbacks).await;
        if let StreamEnd::Failed(error) = &end {
            info!(target: "tenant", "stream {}: {error}", self.id.0);
        }
        callbacks.ended(&end);
        if end != StreamEnd::Stopped {
            self.tell(StreamNews::Ended(end)).await;
        }
    }

    async fn stream(&mut self, callbacks: &Callbacks) -> StreamEnd {
        let web = Arc::clone(&self.owner.services.web);
        let opened = tokio::select! {
            opened = web.open_stream(&self.owner.account, &self.request.url) => opened,
            () = closed(&mut self.keys) => return StreamEnd::Stopped,
        };
        let socket = match opened {
            Ok(socket) => socket,
            Err(error) => return StreamEnd::Failed(error),
        };
        callbacks.started();
        self.tell(StreamNews::Started).await;
        let info = &self.owner.info;
        let messages = Messages::new(
            self.id.sid(info.call_sid),
            info.call_sid,
            info.account_sid,
            &self.request,
        );
        let playout = self.request.both_ways.then(Playout::default);
        Exchange::new(messages, &self.tap, playout, &mut self.keys)
            .run(socket.messages)
            .await
    }

    async fn tell(&self, news: StreamNews) {
        let input = Message::Input(Input::Stream(self.id, news));
        // The actor may have ended with the call.
        let _ = self.owner.inbox.send(input).await;
    }
}

/// Resolves when the stream is to end. Keys that are pressed before it has begun are not for it.
async fn closed(keys: &mut mpsc::Receiver<char>) {
    while keys.recv().await.is_some() {}
}
