//! What is said: one listening at a time, told in order, and ended with what began it.

use std::time::Duration;

use super::*;
use crate::{ListenRequest, ListeningId, PartialWords, SpeechEnd, SpeechEvent, Words};

fn request() -> ListenRequest {
    ListenRequest {
        language: "en-US".to_owned(),
        hints: vec!["yes".to_owned()],
        end_silence: None,
        max_speech: Duration::from_secs(60),
        partial_results: true,
        model: None,
        profanity_filter: true,
    }
}

fn listen() -> Input {
    command(Command::Listen(request()))
}

fn news(id: u32, event: SpeechEvent) -> Input {
    Input::Speech(ListeningId(id), event)
}

fn heard(text: &str) -> SpeechEvent {
    SpeechEvent::Ended(SpeechEnd::Heard(Words {
        text: text.to_owned(),
        confidence_permille: Some(900),
    }))
}

#[test]
fn the_story_hears_who_speaks_and_what() {
    let mut run = Run::up();
    assert_eq!(
        run.feed(listen()),
        ["listen 1 Begin", "Listening(ListeningId(1))"]
    );
    assert_eq!(run.feed(listen()), ["refused: LimitReached"]);
    assert_eq!(
        run.feed(news(1, SpeechEvent::Began)),
        ["tell Speech(ListeningId(1), Began)"]
    );
    let partial = SpeechEvent::Partial(PartialWords::default());
    assert_eq!(run.feed(news(1, partial)).len(), 1);
    assert_eq!(
        run.feed(news(1, heard("yes"))),
        [
            "tell Speech(ListeningId(1), Ended(Heard(Words { text: \"yes\", confidence_permille: Some(900) })))"
        ]
    );
    assert_eq!(run.feed(news(1, heard("no"))), [""; 0], "it is over");
    assert_eq!(
        run.feed(listen()),
        ["listen 2 Begin", "Listening(ListeningId(2))"]
    );
    assert_eq!(run.feed(news(1, heard("no"))), [""; 0], "of the first one");
}

#[test]
fn who_stops_hears_that_it_is_stopped() {
    let mut run = Run::up();
    run.feed(listen());
    let stop = |id| command(Command::StopListening(ListeningId(id)));
    assert_eq!(run.feed(stop(2)), ["refused: UnknownId"]);
    assert_eq!(
        run.feed(stop(1)),
        [
            "listen 1 Stop",
            "tell Speech(ListeningId(1), Ended(Stopped))",
            "Done"
        ]
    );
    assert_eq!(run.feed(stop(1)), ["refused: UnknownId"]);
    assert_eq!(run.feed(news(1, heard("late"))), [""; 0]);
}

#[test]
fn nobody_listens_after_the_call_or_a_story_that_broke() {
    let mut run = Run::up();
    run.feed(listen());
    assert!(run.feed(broke()).contains(&"listen 1 Stop".to_owned()));
    run.feed(listen());
    let bye = run.feed(Input::Sip(sip::Event::Bye { cause: None }));
    assert!(bye.contains(&"listen 2 Stop".to_owned()), "{bye:?}");
    assert_eq!(run.feed(listen()), ["refused: HungUp"]);
}

#[test]
fn who_cannot_understand_says_so_before_it_listens() {
    let deaf = Limits {
        has_recogniser: false,
        ..LIMITS
    };
    let (mut run, _) = Run::inbound_with(Some(OFFER), deaf);
    assert_eq!(run.feed(listen()), ["refused: NotAnswered"]);
    run.feed(command(Command::Answer));
    assert_eq!(run.feed(listen()), ["refused: Unsupported"]);
}

#[test]
fn what_is_out_of_range_is_refused() {
    let ms = Duration::from_millis;
    for (request, words) in [
        (
            ListenRequest {
                language: String::new(),
                ..request()
            },
            "the language has 0 characters",
        ),
        (
            ListenRequest {
                hints: vec!["a".to_owned(); 501],
                ..request()
            },
            "more than 500 hints",
        ),
        (
            ListenRequest {
                hints: vec!["ខ".repeat(101)],
                ..request()
            },
            "more than 100 characters",
        ),
        (
            ListenRequest {
                end_silence: Some(ms(99)),
                ..request()
            },
            "the silence at the end is 99 ms: give 100 to 60000",
        ),
        (
            ListenRequest {
                max_speech: ms(60_001),
                ..request()
            },
            "the longest speech is 60001 ms: give 1000 to 60000",
        ),
        (
            ListenRequest {
                model: Some(String::new()),
                ..request()
            },
            "the model's name has 0 characters",
        ),
    ] {
        let mut run = Run::up();
        run.call.handle(run.now, command(Command::Listen(request)));
        let Some(Effect::Reply(Err(error))) = run.call.poll() else {
            panic!("{words}: not refused");
        };
        assert!(error.to_string().contains(words), "{error}");
    }
}
