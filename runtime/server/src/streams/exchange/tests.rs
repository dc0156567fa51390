//! Exchanges in virtual time, over a pipe in memory.

use call::{AccountSid, CallSid, StreamId, StreamRequest, StreamTracks};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::*;
use crate::media_plane::{Codes, Piece, TappedFrame, Track, tap};

const CALL: CallSid = CallSid::from_bytes([0x22; 16]);
/// What fits on the way between the two.
const PIPE_BYTES: usize = 64 << 10;
const LARGEST: usize = 100_000;

/// A stream, its leg's end of the tap, and its far end.
struct Rig {
    far: WebSocketStream<DuplexStream>,
    frames: std::sync::Arc<crossbeam_queue::ArrayQueue<TappedFrame>>,
    pieces: std::sync::Arc<crossbeam_queue::ArrayQueue<Piece>>,
    reached: std::sync::Arc<crossbeam_queue::ArrayQueue<u32>>,
    keys: mpsc::Sender<char>,
    ended: JoinHandle<StreamEnd>,
    round: u64,
}

impl Rig {
    /// A stream that has said `connected` and `start`.
    async fn new(both_ways: bool) -> Self {
        let mut rig = Self::mute(both_ways).await;
        assert_eq!(rig.next().await["event"], "connected");
        assert_eq!(rig.next().await["event"], "start");
        rig
    }

    async fn mute(both_ways: bool) -> Self {
        let (ours, theirs) = duplex(PIPE_BYTES);
        let config = WebSocketConfig::default()
            .write_buffer_size(0)
            .max_message_size(Some(LARGEST));
        let socket = WebSocketStream::from_raw_socket(ours, Role::Client, Some(config)).await;
        let far = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
        let request = StreamRequest {
            url: "wss://a.example/".to_owned(),
            tracks: StreamTracks::Inbound,
            both_ways,
            parameters: Vec::new(),
            name: None,
            status_callback: None,
        };
        let (_leg, end) = tap(StreamId(1), request.tracks, both_ways);
        let (keys, mut pressed) = mpsc::channel(4);
        let account = AccountSid::from_bytes([0x33; 16]);
        let messages = Messages::new(StreamId(1).sid(CALL), CALL, account, &request);
        let (frames, pieces, reached) =
            (end.frames.clone(), end.pieces.clone(), end.reached.clone());
        let ended = tokio::spawn(async move {
            let playout = both_ways.then(Playout::default);
            Exchange::new(messages, &end, playout, &mut pressed)
                .run(socket)
                .await
        });
        Self {
            far,
            frames,
            pieces,
            reached,
            keys,
            ended,
            round: 0,
        }
    }

    async fn next(&mut self) -> Value {
        loop {
            match self.far.next().await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn say(&mut self, message: Value) {
        let text = message.to_string();
        self.far.send(Message::text(text)).await.unwrap();
    }

    async fn say_audio(&mut self, code: u8, codes: usize) {
        use base64::Engine as _;
        let payload = base64::engine::general_purpose::STANDARD.encode(vec![code; codes]);
        self.say(json!({"event": "media", "media": {"payload": payload}}))
            .await;
    }

    /// The leg hears 20 ms.
    fn hear(&mut self) {
        self.round += 1;
        let frame = TappedFrame {
            track: Track::Inbound,
            round: self.round,
            codes: [0xff; size_of::<Codes>()],
        };
        // As in the leg, what finds no room is dropped.
        let _ = self.frames.push(frame);
    }

    /// The leg says what waits: its first codes and lengths.
    fn spoken(&self) -> Vec<(u8, usize)> {
        std::iter::from_fn(|| self.pieces.pop())
            .filter_map(|piece| match piece {
                Piece::Audio { codes, length } => Some((codes[0], length)),
                Piece::Mark(mark) => {
                    self.reached.push(mark).unwrap();
                    None
                }
            })
            .collect()
    }

    async fn end(self) -> StreamEnd {
        self.ended.await.unwrap()
    }
}

async fn ticks(count: u32) {
    tokio::time::sleep(TICK * count).await;
}

#[tokio::test(start_paused = true)]
async fn frames_and_keys_are_sent_and_a_stop_is_told() {
    let mut rig = Rig::new(true).await;
    rig.hear();
    rig.hear();
    for chunk in ["1", "2"] {
        let media = rig.next().await;
        assert_eq!(media["media"]["chunk"], chunk);
    }
    rig.keys.send('5').await.unwrap();
    let key = rig.next().await;
    assert_eq!(
        (&key["event"], &key["dtmf"]["digit"]),
        (&json!("dtmf"), &json!("5"))
    );
    assert_eq!(key["sequenceNumber"], "4");
    let (keys, _) = mpsc::channel(1);
    drop(std::mem::replace(&mut rig.keys, keys));
    assert_eq!(rig.next().await["event"], "stop");
    let close = rig.far.next().await.unwrap().unwrap();
    let Message::Close(Some(frame)) = close else {
        panic!("{close:?}");
    };
    assert_eq!(frame.code, CloseCode::Normal);
    assert_eq!(rig.end().await, StreamEnd::Stopped);
}

#[tokio::test(start_paused = true)]
async fn audio_is_said_in_pieces_and_marks_come_back_when_they_are_reached() {
    let mut rig = Rig::new(true).await;
    rig.say_audio(7, 400).await;
    rig.say(json!({"event": "mark", "mark": {"name": "one"}}))
        .await;
    ticks(2).await;
    assert_eq!(rig.spoken(), [(7, 160), (7, 160), (7, 80)]);
    let mark = rig.next().await;
    assert_eq!(
        (&mark["event"], &mark["mark"]["name"]),
        (&json!("mark"), &json!("one"))
    );
}

#[tokio::test(start_paused = true)]
async fn clear_forgets_what_waits_and_returns_the_marks_at_once() {
    let mut rig = Rig::new(true).await;
    rig.say_audio(7, 40_000).await;
    rig.say(json!({"event": "mark", "mark": {"name": "a"}}))
        .await;
    rig.say(json!({"event": "mark", "mark": {"name": "b"}}))
        .await;
    ticks(2).await;
    assert_eq!(rig.pieces.len(), crate::media_plane::PIECES);
    rig.say(json!({"event": "clear"})).await;
    for name in ["a", "b"] {
        assert_eq!(rig.next().await["mark"]["name"], name);
    }
    assert_eq!(rig.spoken(), [], "not even what the leg had");
    rig.say_audio(9, 160).await;
    ticks(2).await;
    assert_eq!(rig.spoken(), [(9, 160)]);
}

#[tokio::test(start_paused = true)]
async fn how_a_far_end_ends_a_stream() {
    let bytes = |text: &str| Message::text(text.to_owned());
    let big = || bytes(&"x".repeat(LARGEST + 1));
    for (message, expected) in [
        (Message::Close(None), "Closed"),
        (big(), "Failed(TooLarge("),
    ] {
        let mut rig = Rig::new(true).await;
        let name = message.len();
        // It may be refused before all of it was sent.
        let _ = rig.far.send(message).await;
        let Rig { ended, .. } = rig;
        let end = format!("{:?}", ended.await.unwrap());
        assert!(end.starts_with(expected), "{name}: {end}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_cut_is_lost_and_junk_is_an_error() {
    let rig = Rig::new(false).await;
    let Rig { far, ended, .. } = rig;
    drop(far);
    let end = format!("{:?}", ended.await.unwrap());
    assert!(end.starts_with("Failed(Lost("), "{end}");

    let rig = Rig::new(false).await;
    let Rig { mut far, ended, .. } = rig;
    far.get_mut().write_all(&[0xff; 64]).await.unwrap();
    let end = format!("{:?}", ended.await.unwrap());
    assert!(end.starts_with("Failed(Protocol("), "{end}");
}

#[tokio::test(start_paused = true)]
async fn messages_that_cannot_be_used_are_left_out_up_to_a_hundred() {
    let mut rig = Rig::new(true).await;
    for _ in 1..MAX_UNREADABLE {
        rig.say(json!({"event": "tea"})).await;
    }
    rig.say_audio(7, 160).await;
    ticks(2).await;
    assert_eq!(rig.spoken(), [(7, 160)], "it goes on");
    rig.far.send(Message::binary(vec![1])).await.unwrap();
    let end = format!("{:?}", rig.end().await);
    assert!(end.contains("100 messages"), "{end}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_taken_from_the_far_end_of_a_stream_one_way() {
    let mut rig = Rig::new(false).await;
    for _ in 0..2 * MAX_UNREADABLE {
        rig.say_audio(7, 160).await;
    }
    ticks(2).await;
    assert_eq!(rig.spoken(), []);
    rig.hear();
    assert_eq!(rig.next().await["event"], "media");
}

#[tokio::test(start_paused = true)]
async fn a_far_end_that_does_not_read_is_given_up() {
    let mut rig = Rig::new(true).await;
    let began = Instant::now();
    while !rig.ended.is_finished() {
        rig.hear();
        ticks(1).await;
    }
    // The pipe holds some 270 messages of 240 bytes: over 5 s. Then it has 10 s.
    let took = began.elapsed().as_secs();
    assert!((14..22).contains(&took), "{took} s");
    let end = format!("{:?}", rig.end().await);
    assert!(
        end.starts_with("Failed(TimedOut(\"the far end did not read"),
        "{end}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_far_end_that_is_silent_is_asked_and_then_given_up() {
    let mut rig = Rig::new(true).await;
    let began = Instant::now();
    // It answers pings, for the library does while it reads.
    while began.elapsed() < Duration::from_secs(200) {
        let message = rig.far.next().await.unwrap().unwrap();
        assert!(message.is_ping(), "{message:?}");
    }
    assert!(!rig.ended.is_finished());
    // From now on it only takes bytes.
    let began = Instant::now();
    let Rig { far, ended, .. } = rig;
    let mut raw = far.into_inner();
    let reading = tokio::spawn(async move {
        let mut bytes = [0; 1_024];
        while raw.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
    });
    let end = format!("{:?}", ended.await.unwrap());
    assert!(end.contains("not even a pong"), "{end}");
    let took = began.elapsed().as_secs();
    assert!((39..=61).contains(&took), "{took} s");
    reading.abort();
}

#[tokio::test(start_paused = true)]
async fn a_flood_waits_and_frames_go_on() {
    let mut rig = Rig::new(true).await;
    let began = Instant::now();
    let (frames, ended) = (rig.frames.clone(), rig.ended.abort_handle());
    let mut sent = 0;
    while sent < 6_000 {
        let say = rig.say(json!({"event": "clear"}));
        if tokio::time::timeout(Duration::from_millis(100), say)
            .await
            .is_ok()
        {
            sent += 1;
        }
    }
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert!(!ended.is_finished());
    rig.hear();
    assert_eq!(rig.next().await["event"], "media");
    assert!(frames.is_empty());
}
