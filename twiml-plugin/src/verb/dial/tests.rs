use jackfield_guest::{HttpMethod, Target, Whisper};

use super::super::tests::{check, check_ignored};
use super::*;

/// As Twilio's defaults have it.
pub(in crate::verb) fn usual(whom: Whom) -> Whom {
    whom.ring_for(Duration::from_secs(30))
        .talk_for(Duration::from_secs(14_400))
}

pub(in crate::verb) fn dial(whom: Whom) -> Verb {
    Verb::Dial(Dial {
        whom,
        terms: Vec::new(),
        answers_late: false,
        recording: None,
        action: None,
        refer: None,
    })
}

#[test]
fn reads_dial() {
    let one = || dial(usual(Whom::to("+85510000001")));
    for text in [
        "+85510000001",
        " +855 (10) 000-001\n",
        "<Number>+855.10000001</Number>",
    ] {
        check(&format!("<Dial>{text}</Dial>"), one(), &[]);
    }
    check(
        "<Dial><Number>+1</Number><Sip>sip:a@192.0.2.1;transport=tcp</Sip></Dial>",
        dial(usual(Whom::to("+1").or_to("sip:a@192.0.2.1;transport=tcp"))),
        &[],
    );
    check(
        "<Dial timeout='3' timeLimit='60' callerId='+855 23' hangupOnStar='true' sequential='true' ringTone='UK' record='do-not-record'>1294</Dial>",
        dial(
            Whom::to("1294")
                .ring_for(Duration::from_secs(5))
                .talk_for(Duration::from_secs(60))
                .caller_id("+85523")
                .hang_up_on_star()
                .in_turn()
                .ring_tone("uk"),
        ),
        &[],
    );
    check(
        "<Dial action='/done' method='get' answerOnBridge='true'>+1</Dial>",
        Verb::Dial(Dial {
            whom: usual(Whom::to("+1")).answer_on_bridge(),
            terms: Vec::new(),
            answers_late: true,
            recording: None,
            action: Some(Link {
                url: "/done".to_owned(),
                method: HttpMethod::Get,
            }),
            refer: None,
        }),
        &[],
    );
}

#[test]
fn where_a_transfer_is_asked_for_is_read() {
    for (attributes, method, warnings) in [
        ("referUrl=' /to '", HttpMethod::Post, &[][..]),
        ("referUrl='/to' referMethod='GET'", HttpMethod::Get, &[]),
        (
            "referUrl='/to' referMethod='PUT'",
            HttpMethod::Post,
            &["12200 Dial: invalid referMethod \"PUT\": the default is used"],
        ),
    ] {
        let Verb::Dial(usual) = dial(usual(Whom::to("+1"))) else {
            unreachable!("it is a dial");
        };
        let refer = Some(Link {
            url: "/to".to_owned(),
            method,
        });
        let expected = Verb::Dial(Dial { refer, ..usual });
        check(&format!("<Dial {attributes}>+1</Dial>"), expected, warnings);
    }
    check(
        "<Dial referUrl=''>+1</Dial>",
        dial(usual(Whom::to("+1"))),
        &[],
    );
}

#[test]
fn odd_values_are_warned_of() {
    let odd = |name: &str, value: &str, code| {
        let warning = format!("{code} Dial: invalid {name} {value:?}: the default is used");
        let inner = format!("<Dial {name}='{value}'>+1</Dial>");
        check(&inner, dial(usual(Whom::to("+1"))), &[&warning]);
    };
    odd("timeout", "soon", 13212);
    odd("callerId", "sales", 13214);
    odd("callerId", "", 13214);
    odd("timeLimit", "0", 13216);
    odd("hangupOnStar", "maybe", 13213);
    odd("record", "yes", 13217);
    odd("sequential", "1", 13218);
    odd("ringTone", "gb", 13220);
    check(
        "<Dial><Say>x</Say><Number byoc='x'>+1</Number></Dial>",
        dial(usual(Whom::to("+1"))),
        &[
            "13215 Dial: <Say> cannot be in it, and is ignored",
            "12200 Number: byoc is not supported yet, and is ignored",
        ],
    );
    check_ignored("<Dial/>", &["13215 Dial: there is nobody in it"]);
    let eleven = "<Number>+1</Number>".repeat(11);
    let ten = (1..10).fold(Whom::to("+1"), |whom, _| whom.or_to("+1"));
    check(
        &format!("<Dial>{eleven}</Dial>"),
        dial(usual(ten)),
        &["13250 Dial: only the first 10 are dialled"],
    );
}

#[test]
fn what_is_heard_first_is_read() {
    let whispered = |to: &str, whisper| dial(usual(Whom::to(Target::new(to).whisper(whisper))));
    let url = |method| Whisper::voice_url("/w?a=1", method);
    for (noun, expected) in [
        (
            "<Number url=' /w?a=1'>+1</Number>",
            whispered("+1", url(HttpMethod::Post)),
        ),
        (
            "<Sip url='/w?a=1' method='GET'>sip:a@b</Sip>",
            whispered("sip:a@b", url(HttpMethod::Get)),
        ),
        (
            "<Number sendDigits='ww12#'>+1</Number>",
            whispered(
                "+1",
                Whisper::twiml("<Response><Play digits=\"ww12#\"/></Response>"),
            ),
        ),
        (
            "<Number url='/w?a=1' sendDigits='ww12#'>+1</Number>",
            whispered("+1", url(HttpMethod::Post).setting("send-digits", "ww12#")),
        ),
    ] {
        check(&format!("<Dial>{noun}</Dial>"), expected, &[]);
    }
    check(
        "<Dial><Number sendDigits='x'>+1</Number></Dial>",
        dial(usual(Whom::to("+1"))),
        &[
            "13222 Number: invalid digits \"x\": none are sent; give 1 to 64 of 0-9, A-D, *, #, w, W",
        ],
    );
}

#[test]
fn what_is_not_there_yet_is_named() {
    let expected = Verb::Unsupported("Sim".to_owned());
    let inner = "<Dial><Sim>DE1</Sim></Dial>";
    check(inner, expected, &[]);
}

#[test]
fn what_is_recorded_of_the_conversation() {
    let recorded = |from_ringing, channels, trim| {
        let options = RecordingOptions {
            channels,
            source: RecordingSource::DialVerb,
            ..RecordingOptions::of_call().trim_silence(trim)
        };
        Verb::Dial(Dial {
            whom: usual(Whom::to("+1")),
            terms: Vec::new(),
            answers_late: false,
            recording: Some(TalkRecording {
                from_ringing,
                options,
            }),
            action: None,
            refer: None,
        })
    };
    use RecordingChannels::{Dual, Mono};
    for (attributes, expected) in [
        ("record='true'", recorded(false, Mono, false)),
        ("record='record-from-answer'", recorded(false, Mono, false)),
        (
            "record='record-from-answer-dual'",
            recorded(false, Dual, false),
        ),
        (
            "record='record-from-ringing' trim='trim-silence'",
            recorded(true, Mono, true),
        ),
        (
            "record='record-from-ringing-dual'",
            recorded(true, Dual, false),
        ),
    ] {
        check(&format!("<Dial {attributes}>+1</Dial>"), expected, &[]);
    }
}

#[test]
fn who_is_told_of_their_call_is_read() {
    use jackfield_guest::{CallTurn, DetectionMode, DetectionRequest, StatusCallback};
    let told = |url: &str, method| StatusCallback {
        url: url.to_owned(),
        method,
    };
    let target = Target::new("+1").status_callback(
        told("/s", HttpMethod::Get),
        [CallTurn::Initiated, CallTurn::Answered],
    );
    check(
        "<Dial><Number statusCallback='/s' statusCallbackMethod='GET' statusCallbackEvent='initiated answered initiated'>+1</Number></Dial>",
        dial(usual(Whom::to(target))),
        &[],
    );
    let target = Target::new("sip:a@b")
        .status_callback(told("/s", HttpMethod::Post), [CallTurn::Completed])
        .detect(DetectionRequest {
            mode: DetectionMode::DetectMessageEnd,
            timeout_ms: 20_000,
            status_callback: Some(told("/amd", HttpMethod::Post)),
            ..DetectionRequest::new()
        });
    check(
        "<Dial><Sip statusCallback='/s' statusCallbackEvent='busy' machineDetection='DetectMessageEnd' machineDetectionTimeout='20' machineDetectionSilenceTimeout='1' amdStatusCallback='/amd'>sip:a@b</Sip></Dial>",
        dial(usual(Whom::to(target))),
        &[
            "12200 Sip: statusCallbackEvent \"busy\" is unknown",
            "12200 Sip: invalid machineDetectionSilenceTimeout \"1\": the default is used",
        ],
    );
}

#[test]
fn who_is_told_of_the_recording_is_read() {
    use jackfield_guest::{RecordingTurn, StatusCallback};
    let told = StatusCallback {
        url: "/r".to_owned(),
        method: HttpMethod::Post,
    };
    let options = RecordingOptions {
        channels: RecordingChannels::Mono,
        tracks: RecordingTracks::Callee,
        ..RecordingOptions::of_call()
            .source(RecordingSource::DialVerb)
            .status_callback(told, [RecordingTurn::Absent, RecordingTurn::InProgress])
    };
    check(
        "<Dial record='true' recordingTrack='outbound' recordingStatusCallback='/r' recordingStatusCallbackEvent='absent in-progress'>+1</Dial>",
        Verb::Dial(Dial {
            whom: usual(Whom::to("+1")),
            terms: Vec::new(),
            answers_late: false,
            recording: Some(TalkRecording {
                from_ringing: false,
                options,
            }),
            action: None,
            refer: None,
        }),
        &[],
    );
}
