//! Who answered: asked once at a time, told once, kept in the record.

use std::time::Duration;

use super::*;
use crate::{AnsweredBy, Detection, DetectionRequest, MachineDetectionOptions, StatusCallback};

fn request() -> DetectionRequest {
    DetectionRequest {
        options: MachineDetectionOptions::default(),
        status_callback: None,
    }
}

fn detect(request: DetectionRequest) -> Input {
    command(Command::DetectMachine(request))
}

fn detected(answered_by: AnsweredBy) -> Input {
    Input::Media(MediaEvent::MachineDetected(Detection {
        answered_by,
        duration_ms: 1_500,
    }))
}

fn told(answered_by: &str) -> String {
    format!("tell MachineDetected(Detection {{ answered_by: {answered_by}, duration_ms: 1500 }})")
}

#[test]
fn the_story_and_the_record_hear_who_answered() {
    let mut run = Run::up();
    assert_eq!(run.feed(detect(request())).last().unwrap(), "Done");
    assert_eq!(run.feed(detected(AnsweredBy::Human)), [told("Human")]);
    assert_eq!(run.feed(detected(AnsweredBy::Fax)), [""; 0], "once");
    run.feed(Input::Sip(sip::Event::Bye { cause: None }));
    let record = run.call.record().unwrap();
    assert_eq!(record.answered_by, Some(AnsweredBy::Human));
}

#[test]
fn one_at_a_time_and_again_when_it_is_known() {
    let mut run = Run::up();
    run.feed(detect(request()));
    assert_eq!(run.feed(detect(request())), ["refused: LimitReached"]);
    run.feed(detected(AnsweredBy::MachineStart));
    assert_eq!(run.feed(detect(request())).last().unwrap(), "Done");
}

#[test]
fn a_callback_is_told_before_the_story() {
    let mut run = Run::up();
    let callback = StatusCallback {
        url: "https://a.example/amd".to_owned(),
        method: HttpMethod::Post,
    };
    run.feed(detect(DetectionRequest {
        status_callback: Some(callback),
        ..request()
    }));
    assert_eq!(
        run.feed(detected(AnsweredBy::Unknown)),
        [
            "callback https://a.example/amd Unknown".to_owned(),
            told("Unknown")
        ]
    );
}

#[test]
fn a_story_that_breaks_takes_its_question_along() {
    let mut run = Run::up();
    run.feed(detect(request()));
    run.feed(broke());
    assert_eq!(run.feed(detected(AnsweredBy::Human)), [""; 0]);
    assert_eq!(run.feed(detect(request())).last().unwrap(), "Done");
}

#[test]
fn what_is_out_of_range_is_refused() {
    let with_timeout = |seconds| DetectionRequest {
        options: MachineDetectionOptions {
            timeout: Duration::from_secs(seconds),
            ..MachineDetectionOptions::default()
        },
        ..request()
    };
    let to = |url: &str, method| DetectionRequest {
        status_callback: Some(StatusCallback {
            url: url.to_owned(),
            method,
        }),
        ..request()
    };
    for (request, words) in [
        (with_timeout(2), "MachineDetectionTimeout is 2000 ms"),
        (with_timeout(61), "use 3000 to 60000"),
        (to("ftp://a/", HttpMethod::Post), "begins with http://"),
        (to("http://a/", HttpMethod::Put), "a GET or a POST"),
    ] {
        let mut run = Run::up();
        run.call.handle(run.now, detect(request));
        let Some(Effect::Reply(Err(error))) = run.call.poll() else {
            panic!("{words}: not refused");
        };
        assert!(error.to_string().contains(words), "{error}");
    }
}
