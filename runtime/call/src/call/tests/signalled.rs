//! What passed in SIP with whoever was dialled.

use super::dial::{answered, dialled};
use super::*;
use crate::{
    CallSid, ChildEnd, ChildId, DialEnd, DialId, DialRequest, DialTarget, Event, Signalled,
};

const CALLED: [CallSid; 2] = [CallSid::from_bytes([1; 16]), CallSid::from_bytes([2; 16])];

fn signalled(call_id: &str) -> Signalled {
    Signalled {
        sip_call_id: call_id.to_owned(),
        fields: vec![("X-Ward".to_owned(), call_id.to_owned())],
    }
}

fn news(child: usize, news: ChildNews) -> Input {
    Input::Child(ChildId(u32::try_from(child).unwrap() + 1), news)
}

fn ended(child: usize, status: CallStatus, was_placed: bool) -> Input {
    news(
        child,
        ChildNews::Ended(ChildEnd {
            status,
            call_sid: was_placed.then_some(CALLED[child]),
            duration_s: 0,
            sip_status: None,
            reason: String::new(),
        }),
    )
}

fn dialling() -> Run {
    let mut run = Run::up();
    run.feed(command(Command::Dial(DialRequest {
        targets: ["+1", "+2"].map(DialTarget::from).into(),
        in_turn: false,
        caller_id: None,
        ring_timeout_s: 30,
        time_limit_s: None,
        answer_on_bridge: false,
        hang_up_on_star: false,
        ring_tone: None,
    })));
    run
}

/// What the story is told after these inputs.
fn told(run: &mut Run, inputs: Vec<Input>) -> Vec<Event> {
    let mut told = Vec::new();
    for input in inputs {
        run.call.handle(run.now, input);
        told.extend(
            std::iter::from_fn(|| run.call.poll()).filter_map(|effect| match effect {
                Effect::Tell(event) => Some(event),
                _ => None,
            }),
        );
    }
    told
}

/// It is that of the call which the dial ended by, as it was told last: one that went over another trunk tells it twice.
#[test]
fn a_dial_ends_with_what_passed_with_whom_it_ended_by() {
    let inputs = vec![
        news(0, ChildNews::Signalled(CALLED[0], signalled("first"))),
        news(0, ChildNews::Signalled(CALLED[0], signalled("again"))),
        ended(0, CallStatus::NoAnswer, true),
        news(1, ChildNews::Signalled(CALLED[1], signalled("other"))),
        ended(1, CallStatus::Busy, true),
    ];
    let told = told(&mut dialling(), inputs);
    let [Event::DialEndedBy(DialId(1), end, by)] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (end.status, end.call_sid),
        (CallStatus::NoAnswer, Some(CALLED[0]))
    );
    assert_eq!(*by, signalled("again"));
}

#[test]
fn where_no_invite_left_nothing_passed() {
    let inputs = vec![
        ended(0, CallStatus::Failed, false),
        ended(1, CallStatus::Failed, false),
    ];
    let told = told(&mut dialling(), inputs);
    assert!(
        matches!(
            &told[..],
            [Event::DialEnded(DialId(1), DialEnd { call_sid: None, .. })]
        ),
        "{told:?}"
    );
}

#[test]
fn a_dialled_call_tells_it_before_its_end() {
    let fields = || vec![("X-Ward".to_owned(), "7".to_owned())];
    for (end, expected) in [
        (
            answered(),
            vec!["in-progress", "media Connect", "parent: Answered"],
        ),
        (
            Input::Sip(sip::Event::Failed {
                status: 486,
                reason: "Busy Here".to_owned(),
                retry_after: None,
                cause: None,
                contacts: Vec::new(),
            }),
            vec!["parent: Signalled", "parent: ended busy 0 s", "busy"],
        ),
    ] {
        let mut run = dialled();
        run.call.signalled = Some(Signalled {
            sip_call_id: "1@h".to_owned(),
            fields: Vec::new(),
        });
        assert!(
            run.feed(Input::Sip(sip::Event::OwnFields(fields())))
                .is_empty()
        );
        assert_eq!(run.call.signalled.as_ref().unwrap().fields, fields());
        assert_eq!(run.feed(end), expected);
    }
}
