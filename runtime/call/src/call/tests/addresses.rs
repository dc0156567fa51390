//! Descriptions that aim our media at ourselves, at a whole network or at nobody: refused, and nothing is sent.

use super::*;

/// Addresses, as `c=` has them, and ports, as `m=` has them.
const LIES: [(&str, u16); 30] = [
    ("IN IP4 127.0.0.1", 4000),
    ("IN IP4 127.8.9.10", 4000),
    ("IN IP4 224.0.0.1", 4000),
    ("IN IP4 224.2.1.1/127/3", 4000),
    ("IN IP4 232.1.2.3", 4000),
    ("IN IP4 239.255.255.255", 4000),
    ("IN IP4 255.255.255.255", 4000),
    ("IN IP4 240.0.0.1", 4000),
    ("IN IP4 169.254.169.254", 80),
    ("IN IP4 169.254.169.254", 4000),
    ("IN IP4 0.1.2.3", 4000),
    ("IN IP4 192.0.2.1", 20_000), // where this leg listens
    ("IN IP4 192.0.2.1", 5060),   // where our SIP listens
    ("IN IP4 198.51.100.7", 1),
    ("IN IP4 198.51.100.7", 53),
    ("IN IP4 198.51.100.7", 1023),
    ("IN IP6 ::", 4000),
    ("IN IP6 ::1", 4000),
    ("IN IP6 ::127.0.0.1", 4000),
    ("IN IP6 ff02::1", 4000),
    ("IN IP6 ff0e::1/3", 4000),
    ("IN IP6 fe80::1", 4000),
    ("IN IP6 64:ff9b::7f00:1", 4000),
    ("IN IP6 64:ff9b::a9fe:a9fe", 4000),
    ("IN IP6 2002:7f00:1::1", 4000),
    ("IN IP6 ::ffff:0.0.0.0", 4000),
    ("IN IP6 ::ffff:127.0.0.1", 4000),
    ("IN IP6 ::ffff:169.254.169.254", 4000),
    ("IN IP6 ::ffff:224.0.0.1", 4000),
    ("IN IP4 localhost", 4000),
];

const HONEST: (&str, u16) = ("IN IP4 198.51.100.7", 4000);
/// RFC 3264 section 8.4: a hold as it used to be. Legal, and nothing is sent.
const OLD_HOLD: (&str, u16) = ("IN IP4 0.0.0.0", 4000);

fn description((connection, port): (&str, u16)) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc={connection}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
    )
}

/// A host that others reach at an address of the IP version that the description speaks.
fn reachable_in(connection: &str) -> sdp::Local {
    let address = if connection.starts_with("IN IP6") {
        "[2001:db8::1]:20000"
    } else {
        "192.0.2.1:20000"
    };
    sdp::Local {
        address: address.parse().unwrap(),
        policy: sdp::AddressPolicy {
            allow_loopback: false,
            own: ["192.0.2.1:5060".parse().unwrap()].into(),
            strangers: None,
        },
        ..local()
    }
}

fn inbound(offer: Option<&str>, connection: &str) -> (Run, Vec<Effect>) {
    let leg = InboundLeg {
        dialog: DialogId(1),
        offer: offer.map(bytes),
        local: reachable_in(connection),
    };
    let call = Call::inbound(start(), leg, LIMITS);
    let mut run = Run { call, now: start() };
    let effects = run.raw_effects();
    (run, effects)
}

impl Run {
    fn raw_effects(&mut self) -> Vec<Effect> {
        std::iter::from_fn(|| self.call.poll()).collect()
    }

    fn feed_raw(&mut self, input: Input) -> Vec<Effect> {
        self.call.handle(self.now, input);
        self.raw_effects()
    }
}

/// Where media was told to flow; none if it was not.
fn connected(effects: &[Effect]) -> Option<MediaPath> {
    effects.iter().find_map(|effect| match effect {
        Effect::Media(MediaCommand::Connect(path)) => Some(*path),
        _ => None,
    })
}

#[test]
fn an_offer_that_lies_gets_488() {
    for lie in LIES {
        let (mut run, effects) = inbound(Some(&description(lie)), lie.0);
        let refused = matches!(
            effects.first(),
            Some(Effect::Sip(sip::Command::Reject { status: 488, .. }))
        );
        assert!(refused, "{lie:?}: {effects:?}");
        assert_eq!(connected(&effects), None, "{lie:?}");
        assert_eq!(run.feed(command(Command::Answer)), ["refused: HungUp"]);
    }
}

#[test]
fn a_later_offer_that_lies_gets_488_and_changes_nothing() {
    for lie in LIES {
        let first = if lie.0.starts_with("IN IP6") {
            ("IN IP6 2001:db8::7", 4000)
        } else {
            HONEST
        };
        let (mut run, _) = inbound(Some(&description(first)), lie.0);
        run.feed(command(Command::Answer));
        let acked = run.feed_raw(Input::Sip(sip::Event::Acked { sdp: None }));
        assert!(connected(&acked).is_some(), "{lie:?}");
        let effects = run.feed_raw(Input::Sip(sip::Event::Offer {
            sdp: Some(bytes(&description(lie))),
        }));
        let refused = matches!(
            effects.as_slice(),
            [Effect::Sip(sip::Command::RejectOffer { status: 488, .. })]
        );
        assert!(refused, "{lie:?}: {effects:?}");
    }
}

#[test]
fn an_answer_that_lies_ends_the_call() {
    for lie in LIES {
        let (mut run, _) = inbound(None, lie.0);
        run.feed(command(Command::Answer));
        let effects = run.feed_raw(Input::Sip(sip::Event::Acked {
            sdp: Some(bytes(&description(lie))),
        }));
        let ended = matches!(effects.first(), Some(Effect::Sip(sip::Command::Bye { .. })));
        assert!(ended, "{lie:?}: {effects:?}");
        assert_eq!(connected(&effects), None, "{lie:?}");
    }
}

#[test]
fn an_old_hold_is_no_lie_and_nothing_is_sent() {
    let (mut run, _) = inbound(Some(&description(OLD_HOLD)), OLD_HOLD.0);
    run.feed(command(Command::Answer));
    let effects = run.feed_raw(Input::Sip(sip::Event::Acked { sdp: None }));
    let path = connected(&effects).unwrap();
    assert!(!path.direction.sends(), "{path:?}");
}

#[test]
fn nothing_is_sent_to_a_caller_that_never_confirms() {
    let (mut run, effects) = inbound(Some(&description(HONEST)), HONEST.0);
    assert_eq!(connected(&effects), None);
    assert_eq!(connected(&run.feed_raw(command(Command::Answer))), None);
    run.feed(play("menu.wav"));
    let fetched = run.feed_raw(Input::Fetched(PlaybackId(1), Ok(prompt())));
    assert_eq!(connected(&fetched), None);
    assert_eq!(
        connected(&run.feed_raw(Input::Sip(sip::Event::NoAck))),
        None
    );
    assert_eq!(run.record().0, CallStatus::Failed);
}
