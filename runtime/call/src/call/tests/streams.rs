//! Media streams: which are begun, what they are told, and when they end.

use super::*;
use crate::{
    StatusCallback, StreamDeed, StreamEnd, StreamError, StreamId, StreamKey, StreamNews,
    StreamRequest, StreamTracks,
};

fn request(url: &str) -> StreamRequest {
    StreamRequest {
        url: url.to_owned(),
        tracks: StreamTracks::Inbound,
        both_ways: false,
        parameters: Vec::new(),
        name: None,
        status_callback: None,
    }
}

fn named(name: &str) -> StreamRequest {
    StreamRequest {
        name: Some(name.to_owned()),
        ..request("wss://a.example/")
    }
}

fn both_ways() -> StreamRequest {
    StreamRequest {
        both_ways: true,
        ..request("wss://a.example/")
    }
}

fn with_callback(url: &str, method: HttpMethod) -> StreamRequest {
    StreamRequest {
        status_callback: Some(StatusCallback {
            url: url.to_owned(),
            method,
        }),
        ..request("wss://a.example/")
    }
}

fn start_stream(request: StreamRequest) -> Input {
    command(Command::StartStream(request))
}

#[test]
fn a_stream_is_opened_told_of_keys_and_ended_by_the_far_end() {
    let mut run = Run::up();
    assert_eq!(
        run.feed(start_stream(both_ways())),
        ["stream 1 Open", "Stream(StreamId(1))"]
    );
    assert_eq!(
        run.feed(Input::Stream(StreamId(1), StreamNews::Started)),
        ["stream 1 Join", "tell StreamStarted(StreamId(1))"]
    );
    assert_eq!(
        run.feed(Input::Media(MediaEvent::Digit('5'))),
        ["stream 1 Key", "tell Digit('5')"]
    );
    let ended = || Input::Stream(StreamId(1), StreamNews::Ended(StreamEnd::Closed));
    assert_eq!(
        run.feed(ended()),
        ["stream 1 Close", "tell StreamEnded(StreamId(1), Closed)"]
    );
    assert_eq!(run.feed(ended()), [""; 0], "once");
    assert_eq!(
        run.feed(Input::Media(MediaEvent::Digit('6'))),
        ["tell Digit('6')"]
    );
}

#[test]
fn a_stream_that_is_stopped_ends_at_once_and_its_later_news_say_nothing() {
    let mut run = Run::up();
    run.feed(start_stream(request("ws://a.example/")));
    assert_eq!(
        run.feed(command(Command::StopStream(StreamId(1)))),
        [
            "stream 1 Close",
            "tell StreamEnded(StreamId(1), Stopped)",
            "Done"
        ]
    );
    let lost = StreamEnd::Failed(StreamError::Lost("reset".to_owned()));
    for late in [StreamNews::Started, StreamNews::Ended(lost)] {
        assert_eq!(run.feed(Input::Stream(StreamId(1), late)), [""; 0]);
    }
    assert_eq!(
        run.feed(command(Command::StopStream(StreamId(1)))),
        ["refused: UnknownId"]
    );
}

#[test]
fn streams_end_with_the_call_and_with_a_story_that_breaks() {
    let bye = Input::Sip(sip::Event::Bye { cause: None });
    for end in [bye, broke()] {
        let mut run = Run::up();
        run.feed(start_stream(request("wss://a.example/")));
        run.feed(start_stream(both_ways()));
        let effects = run.feed(end);
        assert_eq!(effects[..2], ["stream 1 Close", "stream 2 Close"]);
        assert!(
            !effects.iter().any(|effect| effect.contains("StreamEnded")),
            "{effects:?}"
        );
    }
}

#[test]
fn requests_that_do_not_fit_are_refused() {
    let parameters = |count: usize, chars: usize| StreamRequest {
        parameters: vec![("n".to_owned(), "é".repeat(chars)); count],
        ..request("wss://a.example/")
    };
    let both_tracks = StreamRequest {
        tracks: StreamTracks::Both,
        ..both_ways()
    };
    for (wrong, refusal) in [
        (request("https://a.example/"), "InvalidArgument"),
        (request("wss:a.example"), "InvalidArgument"),
        (
            request(&format!("wss://a.example/{}", "x".repeat(4_096))),
            "InvalidArgument",
        ),
        (both_tracks, "InvalidArgument"),
        (parameters(100, 1), "InvalidArgument"),
        (parameters(1, 500), "InvalidArgument"),
        (
            with_callback("ftp://a.example/", HttpMethod::Post),
            "InvalidArgument",
        ),
        (
            with_callback("https://a.example/", HttpMethod::Put),
            "InvalidArgument",
        ),
        (named(""), "InvalidArgument"),
        (named(&"x".repeat(65)), "InvalidArgument"),
    ] {
        let mut run = Run::up();
        let name = format!("{wrong:?}");
        assert_eq!(
            run.feed(start_stream(wrong)),
            [format!("refused: {refusal}")],
            "{name}"
        );
    }
    let mut run = Run::up();
    assert_eq!(run.feed(start_stream(parameters(99, 499))).len(), 2);
    let (mut ringing, _) = Run::inbound(Some(OFFER));
    assert_eq!(
        ringing.feed(start_stream(request("wss://a.example/"))),
        ["refused: NotAnswered"]
    );
}

#[test]
fn streams_of_a_call_are_few_have_names_of_their_own_and_one_speaks() {
    let mut run = Run::up();
    run.feed(start_stream(both_ways()));
    assert_eq!(
        run.feed(start_stream(both_ways())),
        ["refused: LimitReached"]
    );
    run.feed(start_stream(named("a")));
    assert_eq!(
        run.feed(start_stream(named("a"))),
        ["refused: InvalidArgument"]
    );
    run.feed(start_stream(named("b")));
    run.feed(start_stream(named("c")));
    assert_eq!(
        run.feed(start_stream(named("d"))),
        ["refused: LimitReached"]
    );
    run.feed(command(Command::StopStream(StreamId(2))));
    assert_eq!(
        run.feed(start_stream(named("a"))),
        ["stream 5 Open", "Stream(StreamId(5))"],
        "a name comes free with its stream, a number never"
    );
}

fn begun_by_api(request: StreamRequest) -> Input {
    Input::StreamDeed(StreamDeed::Start(request))
}

fn stopped_by_api(key: StreamKey) -> Input {
    Input::StreamDeed(StreamDeed::Stop(key))
}

#[test]
fn the_api_begins_a_stream_of_which_the_story_hears_nothing_and_which_it_leaves_behind() {
    let mut run = Run::up();
    assert_eq!(
        run.feed(begun_by_api(named("ear"))),
        ["stream 1 Open", "done 1 Some(\"ear\")"]
    );
    assert_eq!(
        run.feed(Input::Stream(StreamId(1), StreamNews::Started)),
        ["stream 1 Join"]
    );
    assert_eq!(
        run.feed(command(Command::StopStream(StreamId(1)))),
        ["refused: UnknownId"],
        "it is not the story's"
    );
    run.feed(start_stream(request("wss://a.example/")));
    run.feed(Input::Redirect);
    assert_eq!(
        run.feed(Input::StoryEnded(StoryOutcome::Returned(Ok(())))),
        ["stream 2 Close", "start Flow"]
    );
    let ended = Input::Stream(StreamId(1), StreamNews::Ended(StreamEnd::Closed));
    assert_eq!(run.feed(ended), ["stream 1 Close"]);
    run.feed(begun_by_api(request("wss://a.example/")));
    let effects = run.feed(Input::Sip(sip::Event::Bye { cause: None }));
    assert_eq!(effects[0], "stream 3 Close", "it ends with the call");
    assert_eq!(
        run.feed(begun_by_api(request("wss://a.example/"))),
        ["not done: HungUp"]
    );
}

#[test]
fn the_api_ends_streams_by_number_or_name_and_the_story_hears_of_its_own() {
    let mut run = Run::up();
    run.feed(start_stream(named("story's")));
    run.feed(begun_by_api(named("api's")));
    assert_eq!(
        run.feed(stopped_by_api(StreamKey::Name("story's".to_owned()))),
        [
            "stream 1 Close",
            "tell StreamEnded(StreamId(1), Stopped)",
            "done 1 Some(\"story's\")"
        ]
    );
    assert_eq!(
        run.feed(stopped_by_api(StreamKey::Id(StreamId(2)))),
        ["stream 2 Close", "done 2 Some(\"api's\")"]
    );
    for gone in [
        StreamKey::Id(StreamId(2)),
        StreamKey::Name("api's".to_owned()),
    ] {
        assert_eq!(run.feed(stopped_by_api(gone)), ["not done: UnknownId"]);
    }
    assert_eq!(
        run.feed(begun_by_api(request("https://a.example/"))),
        ["not done: InvalidArgument"]
    );
    let (mut ringing, _) = Run::inbound(Some(OFFER));
    assert_eq!(
        ringing.feed(begun_by_api(request("wss://a.example/"))),
        ["not done: NotAnswered"]
    );
}
