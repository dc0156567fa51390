//! Each test is a story of inputs and the effects that each of them must have, in short words.

mod addresses;
mod adoption;
mod detection;
mod dial;
mod encryption;
mod hand_over;
mod own_transfer;
mod recordings;
mod redirect;
mod referral;
mod rooms;
mod signalled;
mod speech_input;
mod streams;
mod transfer;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media::Prompt;
use sip::DialogId;

use super::*;
use crate::{
    CallError, ChildNews, Command, HttpError, HttpMethod, HttpRequest, MediaSource, Outcome,
    PlaybackId, PromptSource, RejectReason, Speech, StoryOutcome,
};

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";
const VIDEO_ONLY: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=video 4000 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n";

/// A call on simulated time that says what it does.
struct Run {
    call: Call,
    now: Instant,
}

impl Run {
    fn inbound(offer: Option<&str>) -> (Self, Vec<String>) {
        Self::inbound_with(offer, LIMITS)
    }

    fn inbound_with(offer: Option<&str>, limits: Limits) -> (Self, Vec<String>) {
        let now = start();
        let leg = InboundLeg {
            dialog: DialogId(1),
            offer: offer.map(bytes),
            local: local(),
        };
        let mut run = Self {
            call: Call::inbound(now, leg, limits),
            now,
        };
        let effects = run.effects();
        (run, effects)
    }

    fn outbound() -> (Self, Vec<String>) {
        Self::outbound_with(Outcomes::default())
    }

    fn outbound_with(outcomes: Outcomes) -> (Self, Vec<String>) {
        Self::dialling(outcomes, local())
    }

    fn dialling(outcomes: Outcomes, local: sdp::Local) -> (Self, Vec<String>) {
        let invite = sip::OutgoingInvite::new(
            sip::Hop::udp(SocketAddr::from(([127, 0, 0, 1], 5060))),
            "sip:1@127.0.0.1".to_owned(),
            "sip:2@127.0.0.1".to_owned(),
            "sip:1@127.0.0.1".to_owned(),
        );
        let leg = OutboundLeg {
            dialog: DialogId(2),
            invite,
            outcomes,
            local,
        };
        let mut run = Self {
            call: Call::outbound(leg, LIMITS),
            now: start(),
        };
        let effects = run.effects();
        (run, effects)
    }

    /// An inbound call that was answered and confirmed.
    fn up() -> Self {
        let (mut run, _) = Self::inbound(Some(OFFER));
        run.feed(command(Command::Answer));
        run.feed(Input::Sip(sip::Event::Acked { sdp: None }));
        run
    }

    fn feed(&mut self, input: Input) -> Vec<String> {
        self.call.handle(self.now, input);
        self.effects()
    }

    /// Lets time pass up to the deadline, which must be `expected` away.
    fn wait_for_deadline(&mut self, expected: Duration) -> Vec<String> {
        let deadline = self.call.deadline().expect("a deadline");
        assert_eq!(deadline - self.now, expected);
        self.now = deadline;
        self.feed(Input::Deadline)
    }

    fn effects(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.call.poll())
            .map(|effect| words(&effect))
            .collect()
    }

    fn record(&self) -> (CallStatus, Option<u16>, u32) {
        let record = self.call.record().expect("the call is over");
        (record.status, record.sip_status, record.duration_s)
    }
}

const LIMITS: Limits = Limits {
    max_duration: Duration::from_secs(3_600),
    has_fallback: false,
    has_recogniser: true,
};

#[allow(
    clippy::disallowed_methods,
    reason = "simulated time needs some beginning"
)]
fn start() -> Instant {
    Instant::now()
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn local() -> sdp::Local {
    sdp::Local {
        policy: sdp::AddressPolicy {
            allow_loopback: true,
            ..Default::default()
        },
        ..sdp::Local::new(SocketAddr::from(([127, 0, 0, 1], 5000)), 7)
    }
}

fn command(command: Command) -> Input {
    Input::Command(command)
}

fn play(file: &str) -> Input {
    command(Command::Play {
        source: MediaSource::File(file.to_owned()),
        loops: 1,
    })
}

fn prompt() -> Arc<Prompt> {
    Arc::new(Prompt::from_pcm(&[0; 160]))
}

fn broke() -> Input {
    Input::StoryEnded(StoryOutcome::Broke("trap".to_owned()))
}

fn words(effect: &Effect) -> String {
    match effect {
        Effect::Sip(command) => format!("sip {}", first_word(command)),
        Effect::Media(MediaCommand::Signalled(key)) => format!("media Signalled {key}"),
        Effect::Media(command) => format!("media {}", first_word(command)),
        Effect::StartStory(choice) => format!("start {choice:?}"),
        Effect::StopStory => "stop".to_owned(),
        Effect::Reply(Ok(reply)) => format!("{reply:?}"),
        Effect::Reply(Err(error)) => format!("refused: {}", first_word(error)),
        Effect::Tell(event) => format!("tell {event:?}"),
        Effect::Fetch(id, PromptSource::Apology) => format!("fetch {} apology", id.0),
        Effect::Fetch(id, PromptSource::Music) => format!("fetch {} music", id.0),
        Effect::Fetch(id, _) => format!("fetch {}", id.0),
        Effect::Conference(request) => format!("conference {}", first_word(request)),
        Effect::Queue(request) => format!("queue {}", first_word(request)),
        Effect::Http(id, _) => format!("http {}", id.0),
        Effect::PlaceChild(child, call) => format!("call {} as {}", call.target.to, child.0),
        Effect::HangUpChild(child) => format!("end {}", child.0),
        Effect::TakeTransfer(child) => format!("may ask {}", child.0),
        Effect::ConcludeTransfer(child, is_taken) => format!("tell {} {is_taken}", child.0),
        Effect::HandOver(child, next) => format!("hand over {}: {:?}", child.0, next.story),
        Effect::Bridge(child) => format!("join {}", child.0),
        Effect::Unbridge => "leave".to_owned(),
        Effect::RingBack(tone) => if tone.is_some() { "ring" } else { "hush" }.to_owned(),
        Effect::TellParent(ChildNews::Ended(end)) => {
            format!("parent: ended {} {} s", end.status, end.duration_s)
        }
        Effect::TellParent(news) => format!("parent: {}", first_word(news)),
        Effect::Stream(id, order) => format!("stream {} {}", id.0, first_word(order)),
        Effect::StreamDone(Ok(done)) => format!("done {} {:?}", done.id.0, done.name),
        Effect::StreamDone(Err(error)) => format!("not done: {}", first_word(error)),
        Effect::Listen(id, order) => format!("listen {} {}", id.0, first_word(order)),
        Effect::TellDetection(callback, detection) => {
            format!("callback {} {:?}", callback.url, detection.answered_by)
        }
        Effect::StartRecording { id, codec, .. } => format!("record {} {codec:?}", id.0),
        Effect::ChangeFlow(next) => format!("flow {:?}", next.story),
        Effect::Refer(target) => format!("refer to {target}"),
        Effect::Status(status) => status.to_string(),
    }
}

fn first_word(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    text.split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_caller_is_answered_hears_a_prompt_presses_a_key_and_hangs_up() {
    let (mut run, effects) = Run::inbound(Some(OFFER));
    assert_eq!(effects, ["ringing", "sip Ring", "start Flow"]);
    assert_eq!(
        run.feed(command(Command::Answer)),
        ["sip Answer", "in-progress", "Done"]
    );
    assert_eq!(
        run.feed(Input::Sip(sip::Event::Acked { sdp: None })),
        ["media Connect", "tell Answered"]
    );
    assert_eq!(
        run.feed(play("menu.wav")),
        ["fetch 1", "Playback(PlaybackId(1))"]
    );
    assert_eq!(
        run.feed(Input::Fetched(PlaybackId(1), Ok(prompt()))),
        ["media Play"]
    );
    assert_eq!(
        run.feed(Input::Media(MediaEvent::Digit('1'))),
        ["tell Digit('1')"]
    );
    assert_eq!(
        run.feed(command(Command::StopPlayback(PlaybackId(1)))),
        ["media Stop", "Done"]
    );
    let ended = MediaEvent::PlaybackEnded {
        id: PlaybackId(1),
        stopped: true,
    };
    assert_eq!(
        run.feed(Input::Media(ended)),
        ["tell PlaybackEnded(PlaybackId(1), Stopped)"]
    );
    run.now += Duration::from_millis(2_001);
    assert_eq!(
        run.feed(Input::Sip(sip::Event::Bye { cause: None })),
        ["tell HungUp(Remote)", "completed"]
    );
    assert!(!run.call.is_ended(), "the story still has its bookkeeping");
    assert_eq!(
        run.feed(Input::StoryEnded(StoryOutcome::Returned(Err(
            CallError::HungUp
        )))),
        [""; 0]
    );
    assert!(run.call.is_ended());
    assert_eq!(run.record(), (CallStatus::Completed, Some(200), 3));
}

#[test]
fn how_an_unanswered_inbound_call_ends() {
    let reject = |reason| command(Command::Reject(reason));
    let rows = [
        (
            Input::Sip(sip::Event::Canceled { cause: None }),
            CallStatus::NoAnswer,
            487,
        ),
        (reject(RejectReason::Busy), CallStatus::Busy, 486),
        (reject(RejectReason::Declined), CallStatus::NoAnswer, 603),
        (reject(RejectReason::NotFound), CallStatus::Failed, 404),
        (reject(RejectReason::Unavailable), CallStatus::Failed, 503),
        (command(Command::HangUp), CallStatus::NoAnswer, 603),
        (
            Input::HangUp(HangUpCause::Shutdown),
            CallStatus::NoAnswer,
            503,
        ),
        (
            Input::StoryEnded(StoryOutcome::Returned(Ok(()))),
            CallStatus::NoAnswer,
            603,
        ),
    ];
    for (input, status, code) in rows {
        let (mut run, _) = Run::inbound(Some(OFFER));
        let name = format!("{input:?}");
        run.feed(input);
        assert_eq!(run.record(), (status, Some(code), 0), "{name}");
    }
}

#[test]
fn commands_that_do_not_fit_the_state_are_refused_and_do_nothing() {
    let echo = || command(Command::Echo(true));
    let (mut ringing, _) = Run::inbound(Some(OFFER));
    assert_eq!(ringing.feed(play("a.wav")), ["refused: NotAnswered"]);
    assert_eq!(ringing.feed(echo()), ["refused: NotAnswered"]);

    let mut up = Run::up();
    assert_eq!(
        up.feed(command(Command::Reject(RejectReason::Busy))),
        ["refused: AlreadyAnswered"]
    );
    assert_eq!(
        up.feed(command(Command::Answer)),
        ["Done"],
        "answering twice is no mistake"
    );
    assert_eq!(
        up.feed(command(Command::StopPlayback(PlaybackId(9)))),
        ["refused: UnknownId"]
    );
    let speech = |text: String| Speech {
        text,
        voice: None,
        language: None,
    };
    for (loops, text) in [
        (0, "x".to_owned()),
        (1_001, "x".to_owned()),
        (1, "x".repeat(4_097)),
        (1, format!("<speak>{}</speak>", "x".repeat(4_097))),
        (1, format!("<speak>{}</speak>", "<break/>".repeat(9_000))),
    ] {
        assert_eq!(
            up.feed(command(Command::Say {
                speech: speech(text),
                loops
            })),
            ["refused: InvalidArgument"]
        );
    }

    up.feed(Input::Sip(sip::Event::Bye { cause: None }));
    for late in [
        play("a.wav"),
        echo(),
        command(Command::HangUp),
        command(Command::Answer),
    ] {
        assert_eq!(up.feed(late), ["refused: HungUp"]);
    }
}

#[test]
fn requests_are_bounded_and_go_on_after_the_hang_up() {
    let request = || {
        let (url, headers, body) = ("http://127.0.0.1/".to_owned(), Vec::new(), Vec::new());
        command(Command::Http(HttpRequest {
            method: HttpMethod::Get,
            url,
            headers,
            body,
            sign: false,
        }))
    };
    let mut run = Run::up();
    for id in 1..=8 {
        assert_eq!(
            run.feed(request()),
            [format!("http {id}"), format!("Request(RequestId({id}))")]
        );
    }
    assert_eq!(run.feed(request()), ["refused: LimitReached"]);
    run.feed(Input::Sip(sip::Event::Bye { cause: None }));
    let answer = || Input::Http(RequestId(1), Err(HttpError::TimedOut("15 s".to_owned())));
    assert_eq!(run.feed(answer()).len(), 1);
    assert_eq!(run.feed(answer()), [""; 0], "an answer counts once");
    assert_eq!(run.feed(request()), ["http 9", "Request(RequestId(9))"]);
}

#[test]
fn an_offer_we_cannot_answer_is_refused_before_any_story() {
    let (run, effects) = Run::inbound(Some(VIDEO_ONLY));
    assert_eq!(effects, ["sip Reject", "failed"]);
    assert_eq!(run.record(), (CallStatus::Failed, Some(488), 0));
    assert!(run.call.is_ended());
}

#[test]
fn a_late_offer_is_answered_in_the_ack() {
    let (mut run, _) = Run::inbound(None);
    assert_eq!(
        run.feed(command(Command::Answer)),
        ["sip Answer", "in-progress", "Done"]
    );
    let acked = Input::Sip(sip::Event::Acked {
        sdp: Some(bytes(OFFER)),
    });
    assert_eq!(run.feed(acked), ["media Connect", "tell Answered"]);
}

#[test]
fn an_answer_that_is_never_confirmed_fails_the_call() {
    let (mut run, _) = Run::inbound(Some(OFFER));
    run.feed(command(Command::Answer));
    assert_eq!(
        run.feed(Input::Sip(sip::Event::NoAck)),
        ["tell HungUp(Lost)", "failed"]
    );
}

#[test]
fn an_outbound_call_rings_is_answered_and_runs_its_story() {
    let (mut run, effects) = Run::outbound();
    assert_eq!(effects, ["sip Invite"]);
    let ringing = || {
        Input::Sip(sip::Event::Provisional {
            status: 180,
            sdp: None,
        })
    };
    assert_eq!(run.feed(ringing()), ["ringing"]);
    let answered = Input::Sip(sip::Event::Answered {
        sdp: Some(bytes(OFFER)),
    });
    assert_eq!(
        run.feed(answered),
        ["in-progress", "media Connect", "start Flow"]
    );
    assert_eq!(run.feed(command(Command::Answer)), ["Done"]);
    assert_eq!(
        run.feed(command(Command::HangUp)),
        ["sip Bye", "tell HungUp(Local)", "completed", "Done"]
    );
}

#[test]
fn what_a_final_answer_means_for_an_outbound_call() {
    let rows = [
        (486, CallStatus::Busy),
        (600, CallStatus::Busy),
        (408, CallStatus::NoAnswer),
        (480, CallStatus::NoAnswer),
        (487, CallStatus::NoAnswer),
        (603, CallStatus::NoAnswer),
        (404, CallStatus::Failed),
        (503, CallStatus::Failed),
    ];
    for (status, expected) in rows {
        let (mut run, _) = Run::outbound();
        run.feed(Input::Sip(sip::Event::Failed {
            status,
            reason: "why".to_owned(),
            retry_after: None,
            cause: None,
            contacts: Vec::new(),
        }));
        assert_eq!(run.record(), (expected, Some(status), 0));
        assert!(run.call.is_ended(), "no story ran");
    }
}

#[test]
fn a_trunk_says_what_its_answers_mean_and_the_record_keeps_what_the_peer_said() {
    let outcomes: Outcomes = [(603, CallStatus::Failed)].into_iter().collect();
    let cause = |protocol, cause| {
        let text = None;
        Some(sip::Reason {
            protocol,
            cause,
            text,
        })
    };
    for (status, wait_ms, told, expected, outcome) in [
        (
            603,
            None,
            None,
            (CallStatus::Failed, None, None),
            Outcome::Rejected,
        ),
        (
            503,
            Some(1_500),
            cause(sip::ReasonProtocol::Q850, 34),
            (CallStatus::Failed, Some(34), Some(2)),
            Outcome::Congestion,
        ),
        (
            486,
            Some(0),
            cause(sip::ReasonProtocol::Sip, 600),
            (CallStatus::Busy, None, Some(0)),
            Outcome::Busy,
        ),
    ] {
        let (mut run, _) = Run::outbound_with(outcomes.clone());
        run.feed(Input::Sip(sip::Event::Failed {
            status,
            reason: "why".to_owned(),
            retry_after: wait_ms.map(Duration::from_millis),
            cause: told,
            contacts: Vec::new(),
        }));
        let record = run.call.record().expect("the call is over");
        assert_eq!(
            (record.sip_status, record.end_reason.as_str()),
            (Some(status), "why")
        );
        assert_eq!(
            (record.status, record.q850_cause, record.retry_after_s),
            expected
        );
        assert_eq!(record.outcome(), outcome);
    }
}

#[test]
fn cancelling_waits_for_the_final_answer_and_survives_a_crossing_one() {
    let failed = Input::Sip(sip::Event::Failed {
        status: 487,
        reason: String::new(),
        retry_after: None,
        cause: None,
        contacts: Vec::new(),
    });
    let crossed = Input::Sip(sip::Event::Answered {
        sdp: Some(bytes(OFFER)),
    });
    for (input, effects) in [
        (failed, vec!["canceled"]),
        (crossed, vec!["sip Bye", "canceled"]),
    ] {
        let (mut run, _) = Run::outbound();
        assert_eq!(run.feed(Input::HangUp(HangUpCause::Api)), ["sip Cancel"]);
        assert_eq!(
            run.feed(Input::HangUp(HangUpCause::Api)),
            [""; 0],
            "once is enough"
        );
        assert_eq!(run.feed(input), effects);
        assert_eq!(run.record().0, CallStatus::Canceled);
    }
}

#[test]
fn what_could_not_be_played_shows_in_how_the_call_ended() {
    let missed = "hung up by us, though a prompt could not be played";
    for (fetched, reason) in [
        (Ok(prompt()), HUNG_UP_BY_US),
        (Err("gone".to_owned()), missed),
    ] {
        let mut up = Run::up();
        up.feed(play("a.wav"));
        up.feed(Input::Fetched(PlaybackId(1), fetched));
        up.feed(command(Command::HangUp));
        assert_eq!(up.call.record().unwrap().end_reason, reason);
    }
}

#[test]
fn a_story_that_breaks_before_anything_was_heard_is_begun_again_once() {
    let (mut run, _) = Run::inbound(Some(OFFER));
    assert_eq!(run.feed(broke()), ["start Flow"]);
    let effects = run.feed(broke());
    assert_eq!(
        effects,
        ["sip Answer", "in-progress", "media Echo", "fetch 1 apology"],
        "then the caller is told"
    );
    assert_eq!(
        run.feed(Input::Fetched(PlaybackId(1), Ok(prompt()))),
        ["media Play"]
    );
    let ended = Input::Media(MediaEvent::PlaybackEnded {
        id: PlaybackId(1),
        stopped: false,
    });
    assert_eq!(run.feed(ended), ["sip Bye", "completed"]);
    assert!(run.call.is_ended());
}

#[test]
fn a_story_that_breaks_after_something_was_heard_gives_way_to_the_fallback() {
    let (mut run, _) = Run::inbound_with(
        Some(OFFER),
        Limits {
            has_fallback: true,
            ..LIMITS
        },
    );
    run.feed(command(Command::Answer));
    run.feed(play("menu.wav"));
    run.feed(Input::Fetched(PlaybackId(1), Ok(prompt())));
    assert_eq!(
        run.feed(broke()),
        ["media Stop", "media Echo", "start Fallback"]
    );
    assert_eq!(
        run.feed(broke()),
        ["media Echo", "fetch 2 apology"],
        "and that to the apology"
    );
    assert_eq!(
        run.feed(Input::Fetched(PlaybackId(2), Err("gone".to_owned()))),
        ["sip Bye", "completed"]
    );
}

#[test]
fn a_call_that_the_fallback_ended_shows_it() {
    let (mut run, _) = Run::inbound_with(
        Some(OFFER),
        Limits {
            has_fallback: true,
            ..LIMITS
        },
    );
    run.feed(command(Command::Answer));
    run.feed(broke());
    assert_eq!(run.feed(broke()), ["media Echo", "start Fallback"]);
    run.feed(Input::StoryEnded(StoryOutcome::Returned(Ok(()))));
    assert_eq!(
        run.call.record().unwrap().end_reason,
        "hung up by us, after the fallback took over"
    );
}

#[test]
fn a_story_that_gives_up_is_not_begun_again() {
    let mut run = Run::up();
    let gave_up = StoryOutcome::Returned(Err(CallError::NotGranted("egress".to_owned())));
    assert_eq!(
        run.feed(Input::StoryEnded(gave_up)),
        ["media Echo", "fetch 1 apology"]
    );
}

#[test]
fn prompts_that_fail_are_told_and_the_next_one_plays() {
    let mut run = Run::up();
    run.feed(play("gone.wav"));
    run.feed(play("there.wav"));
    assert_eq!(
        run.feed(Input::Fetched(PlaybackId(2), Ok(prompt()))),
        [""; 0],
        "not its turn yet"
    );
    let effects = run.feed(Input::Fetched(
        PlaybackId(1),
        Err("no such file".to_owned()),
    ));
    assert_eq!(
        effects,
        [
            "tell PlaybackEnded(PlaybackId(1), Failed(\"no such file\"))",
            "media Play"
        ]
    );
}

#[test]
fn the_longest_time_can_be_changed_while_it_is_up() {
    let mut run = Run::up();
    run.feed(Input::LimitTo(Duration::from_secs(7_200)));
    let later = run.call.deadline().unwrap();
    run.feed(Input::LimitTo(Duration::from_secs(60)));
    let sooner = run.call.deadline().unwrap();
    assert_eq!(later - sooner, Duration::from_secs(7_140));
    let effects = run.wait_for_deadline(Duration::from_secs(60));
    assert!(effects.contains(&"sip Bye".to_owned()), "{effects:?}");
}

#[test]
fn a_call_ends_at_its_longest_and_its_story_soon_after() {
    let mut run = Run::up();
    let effects = run.wait_for_deadline(LIMITS.max_duration);
    assert_eq!(effects, ["sip Bye", "tell HungUp(Limit)", "completed"]);
    assert_eq!(run.wait_for_deadline(GRACE), ["stop"]);
    assert!(run.call.is_ended());
    assert_eq!(run.record().2, 3_600);
}

#[test]
fn a_prompt_without_an_end_is_ended_by_the_time_limit() {
    let mut run = Run::up();
    run.feed(command(Command::Play {
        source: MediaSource::File("menu.wav".to_owned()),
        loops: 1_000,
    }));
    let heard = run.feed(Input::Fetched(PlaybackId(1), Ok(prompt())));
    assert_eq!(heard, ["media Play"]);
    assert!(run.call.record().is_none(), "it is heard still");
    let effects = run.wait_for_deadline(LIMITS.max_duration);
    assert_eq!(effects, ["sip Bye", "tell HungUp(Limit)", "completed"]);
    assert_eq!(run.record().2, 3_600);
}

#[test]
fn a_later_offer_is_answered_or_refused_and_the_call_goes_on() {
    let offer = |sdp: Option<&str>| {
        Input::Sip(sip::Event::Offer {
            sdp: sdp.map(bytes),
        })
    };
    let mut run = Run::up();
    assert_eq!(
        run.feed(offer(Some(OFFER))),
        ["media Connect", "sip AcceptOffer"]
    );
    assert_eq!(run.feed(offer(None)), ["sip AcceptOffer"]);
    assert_eq!(run.feed(offer(Some(VIDEO_ONLY))), ["sip RejectOffer"]);
    assert!(run.call.record().is_none());
}

/// What an offer within the call does: our description, where one is sent, and where media then goes.
fn offered(run: &mut Run, offer: Option<&str>) -> (String, Option<MediaPath>) {
    let sdp = offer.map(bytes);
    exchanged(run, sip::Event::Offer { sdp })
}

fn exchanged(run: &mut Run, event: sip::Event) -> (String, Option<MediaPath>) {
    run.call.handle(run.now, Input::Sip(event));
    let (mut said, mut path) = (String::new(), None);
    while let Some(effect) = run.call.poll() {
        match effect {
            Effect::Sip(sip::Command::AcceptOffer { sdp, .. }) => {
                said = String::from_utf8_lossy(&sdp).into_owned();
            }
            Effect::Sip(sip::Command::RejectOffer { status, .. }) => said = status.to_string(),
            Effect::Media(MediaCommand::Connect(connected)) => path = Some(connected),
            _ => {}
        }
    }
    (said, path)
}

/// The version in a description's `o=` line.
fn version(description: &str) -> u64 {
    let origin = description.lines().find(|line| line.starts_with("o="));
    let words = origin.expect("an o= line").split(' ').nth(2);
    words.expect("a version").parse().expect("a number")
}

#[test]
fn a_hold_is_mirrored_and_a_resume_brings_the_audio_back() {
    use sdp::Direction::{Inactive, RecvOnly, SendRecv};
    let mut run = Run::up();
    let mut last = 1;
    for (line, direction) in [
        ("a=sendonly\r\n", RecvOnly),
        ("a=sendrecv\r\n", SendRecv),
        ("a=inactive\r\n", Inactive),
        ("", SendRecv),
    ] {
        let (said, path) = offered(&mut run, Some(&format!("{OFFER}{line}")));
        assert_eq!(path.map(|path| path.direction), Some(direction), "{line}");
        assert!(
            said.contains(&format!("a={}\r\n", direction.name())),
            "{said}"
        );
        last += 1;
        assert_eq!(version(&said), last, "another description, another version");
    }
    // The old way: the address is none.
    let old = OFFER.replace("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0");
    let (said, path) = offered(&mut run, Some(&old));
    assert_eq!(path.map(|path| path.direction), Some(RecvOnly));
    // A refresh repeats itself, and so do we.
    let (again, _) = offered(&mut run, Some(&old));
    assert_eq!(again, said);
}

#[test]
fn a_reinvite_without_offer_hears_what_we_want_now() {
    let mut run = Run::up();
    offered(&mut run, Some(&format!("{OFFER}a=sendonly\r\n")));
    let (said, path) = offered(&mut run, None);
    assert!(
        said.contains("a=sendrecv\r\n"),
        "no hold of the peer's is repeated: {said}"
    );
    assert_eq!((version(&said), path), (3, None));
    let acked = Input::Sip(sip::Event::Acked {
        sdp: Some(bytes(OFFER)),
    });
    assert_eq!(run.feed(acked), ["media Connect"]);
    let (again, _) = offered(&mut run, None);
    assert_eq!(again, said, "the same, of the same version");
}

#[test]
fn a_fax_is_refused_and_the_audio_stays() {
    let mut run = Run::up();
    let head = OFFER.split("m=").next().unwrap_or_default();
    let fax = format!("{head}m=image 4002 udptl t38\r\n");
    assert_eq!(offered(&mut run, Some(&fax)), ("488".to_owned(), None));
    // Beside audio it gets port 0.
    let (said, path) = offered(
        &mut run,
        Some(&format!("{OFFER}m=image 4002 udptl t38\r\n")),
    );
    assert!(
        said.contains("m=audio 5000 ") && said.contains("m=image 0 udptl t38\r\n"),
        "{said}"
    );
    assert!(path.is_some());
}

#[test]
fn an_offer_before_the_answer_counts_from_the_answer_on() {
    let (mut run, _) = Run::outbound();
    let moved = OFFER.replace("4000", "4444").replace("101", "96");
    let (said, path) = offered(&mut run, Some(&moved));
    assert!(said.contains("m=audio 5000 RTP/AVP 0 96\r\n"), "{said}");
    assert_eq!(path, None, "no audio before the answer");
    let sdp = Some(bytes(&moved));
    let (_, path) = exchanged(&mut run, sip::Event::Answered { sdp });
    let path = path.expect("audio flows");
    assert_eq!(path.remote.port(), 4444);
    assert_eq!(
        path.telephone_event.map(|event| event.receive),
        Some(96),
        "as we answered"
    );
    // What cannot be answered is refused, and what is told too early as well.
    let (mut run, _) = Run::outbound();
    assert_eq!(offered(&mut run, Some(VIDEO_ONLY)).0, "488");
    let (mut run, _) = Run::inbound(Some(OFFER));
    assert_eq!(offered(&mut run, Some(OFFER)).0, "488");
}

#[test]
fn a_refresh_may_move_the_peer() {
    let mut run = Run::up();
    offered(&mut run, Some(&OFFER.replace("101", "96")));
    let answered = |port: &str| sip::Event::OfferAnswered {
        sdp: Some(bytes(&OFFER.replace("101", "97").replace("4000", port))),
    };
    let (_, path) = exchanged(&mut run, answered("4444"));
    let path = path.expect("it moved");
    assert_eq!(path.remote.port(), 4444);
    let event = path.telephone_event.expect("telephone events");
    assert_eq!(
        (event.send, event.receive),
        (97, 96),
        "we receive by our description's numbers"
    );
    assert_eq!(exchanged(&mut run, answered("4444")).1, None, "nothing new");
    let sdp = Some(bytes(VIDEO_ONLY));
    assert_eq!(
        exchanged(&mut run, sip::Event::OfferAnswered { sdp }).1,
        None
    );
    assert_eq!(
        exchanged(&mut run, sip::Event::OfferAnswered { sdp: None }).1,
        None
    );
}

#[test]
fn digits_in_info_go_to_the_media_that_knows_whether_they_are_news() {
    let info = |body: &str| {
        Input::Sip(sip::Event::Info {
            content_type: "application/dtmf-relay",
            body: bytes(body),
        })
    };
    let mut run = Run::up();
    assert_eq!(run.feed(info("Signal=5\r\n")), ["media Signalled 5"]);
    assert_eq!(run.feed(info("Signal=17\r\n")), [""; 0]);
    let (mut ringing, _) = Run::inbound(Some(OFFER));
    assert_eq!(
        ringing.feed(info("Signal=5\r\n")),
        [""; 0],
        "not before the answer"
    );
}

#[test]
fn a_peer_that_is_not_heard_any_more_ends_the_call() {
    let mut run = Run::up();
    let effects = run.feed(Input::Media(MediaEvent::PeerSilent));
    assert!(
        effects.iter().any(|effect| effect.starts_with("sip Bye")),
        "{effects:?}"
    );
    assert_eq!(run.record(), (CallStatus::Completed, Some(200), 0));
    let (mut ringing, _) = Run::inbound(Some(OFFER));
    assert_eq!(ringing.feed(Input::Media(MediaEvent::PeerSilent)), [""; 0]);
}

#[test]
fn a_call_may_be_taken_back_while_its_answer_waits() {
    let (mut run, _) = Run::inbound(Some(OFFER));
    run.feed(command(Command::Answer));
    run.feed(Input::Sip(sip::Event::Canceled { cause: None }));
    assert_eq!(run.record(), (CallStatus::NoAnswer, Some(487), 0));
    let (mut run, _) = Run::inbound(Some(OFFER));
    run.feed(Input::Sip(sip::Event::NoAck));
    assert_eq!(run.record(), (CallStatus::Failed, Some(504), 0));
}
