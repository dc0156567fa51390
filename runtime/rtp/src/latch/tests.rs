use super::*;

/// What the peer's SDP says: its address behind its NAT.
const SIGNALLED: &str = "10.0.0.5:4000";
/// Where its packets come from: its NAT's address, the one its signalling comes from too, and a port the NAT chose.
const NAT: &str = "203.0.113.9:61234";
/// Somebody else behind that NAT.
const NEIGHBOUR: &str = "203.0.113.9:7777";
/// A stranger.
const SPRAYER: &str = "198.51.100.66:5555";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn packet(ssrc: u32, sequence: u16) -> Packet<'static> {
    Packet {
        payload_type: 0,
        marker: false,
        sequence,
        timestamp: 0,
        ssrc,
        payload: &[0xff; 160],
    }
}

fn symmetric() -> Latch {
    let mut latch = Latch::new(&[address(NAT).ip()]);
    latch.agree(address(SIGNALLED));
    latch
}

fn strict() -> Latch {
    let mut latch = Latch::new(&[]);
    latch.agree(address(SIGNALLED));
    latch
}

/// What happens in a row of a table.
enum Step {
    /// A packet from there with this SSRC and sequence number: `Y` taken, `n` refused.
    From(&'static str, u32, u16, char),
    /// So many ticks of 20 ms.
    Pass(usize),
    /// An offer and answer with this address.
    Agree(&'static str),
}
use Step::{Agree, From, Pass};

/// Feeds the steps, checks each verdict, and at last where packets go.
fn check(what: &str, mut latch: Latch, steps: &[Step], peer: &str) {
    for (index, step) in steps.iter().enumerate() {
        match step {
            From(source, ssrc, sequence, expected) => {
                let source = address(source);
                let considered = latch.considers(source);
                let taken = latch.take(source, &packet(*ssrc, *sequence));
                assert_eq!(taken, *expected == 'Y', "{what}, step {index}");
                assert!(considered || !taken, "{what}, step {index}: unread");
            }
            Pass(ticks) => (0..*ticks).for_each(|_| latch.tick()),
            Agree(signalled) => latch.agree(address(signalled)),
        }
    }
    assert_eq!(latch.peer(), Some(address(peer)), "{what}");
}

#[test]
fn by_default_only_the_signalled_address_is_heard() {
    check(
        "strict",
        strict(),
        &[
            From(SIGNALLED, 1, 0, 'Y'),
            From("[::ffff:10.0.0.5]:4000", 1, 1, 'Y'),
            From("10.0.0.5:4002", 1, 2, 'n'),
            From(NAT, 1, 3, 'n'),
            From(NAT, 1, 4, 'n'),
            From(NAT, 1, 5, 'n'),
            From(NAT, 1, 6, 'n'),
        ],
        SIGNALLED,
    );
    let latch = strict();
    for (source, considered) in [(SIGNALLED, true), (NAT, false), (SPRAYER, false)] {
        assert_eq!(latch.considers(address(source)), considered, "{source}");
    }
    let unconnected = Latch::new(&[address(NAT).ip()]);
    assert_eq!(unconnected.peer(), None);
    assert!(!unconnected.considers(address(NAT)));
}

#[test]
fn three_packets_in_a_row_prove_a_sender() {
    let rows: &[(&str, &[Step], &str)] = &[
        ("nothing came", &[], SIGNALLED),
        (
            "a port that the NAT chose",
            &[
                From(NAT, 1, 65_535, 'n'),
                From(NAT, 1, 0, 'n'),
                From(NAT, 1, 1, 'Y'),
                From(NAT, 1, 2, 'Y'),
            ],
            NAT,
        ),
        (
            "two are not enough",
            &[From(NAT, 1, 0, 'n'), From(NAT, 1, 1, 'n')],
            SIGNALLED,
        ),
        (
            "no NAT after all: heard from its first packet on",
            &[
                From(SIGNALLED, 1, 0, 'Y'),
                From(SIGNALLED, 1, 1, 'Y'),
                From(SIGNALLED, 1, 2, 'Y'),
                From(NAT, 2, 0, 'n'),
                From(NAT, 2, 1, 'n'),
                From(NAT, 2, 2, 'n'),
            ],
            SIGNALLED,
        ),
        (
            "an address that does not signal",
            &[
                From(SPRAYER, 1, 0, 'n'),
                From(SPRAYER, 1, 1, 'n'),
                From(SPRAYER, 1, 2, 'n'),
                From(SPRAYER, 1, 3, 'n'),
            ],
            SIGNALLED,
        ),
        (
            "another port of the signalled address",
            &[
                From("10.0.0.5:4002", 1, 0, 'n'),
                From("10.0.0.5:4002", 1, 1, 'n'),
                From("10.0.0.5:4002", 1, 2, 'n'),
            ],
            SIGNALLED,
        ),
        (
            "a sprayer between them neither wins nor harms",
            &[
                From(SPRAYER, 9, 0, 'n'),
                From(NAT, 1, 0, 'n'),
                From(SPRAYER, 9, 1, 'n'),
                From(NAT, 1, 1, 'n'),
                From(SPRAYER, 9, 2, 'n'),
                From(NAT, 1, 2, 'Y'),
                From(SPRAYER, 9, 3, 'n'),
            ],
            NAT,
        ),
        (
            "a neighbour behind the same NAT between them: nobody is believed",
            &[
                From(NAT, 1, 0, 'n'),
                From(NAT, 1, 1, 'n'),
                From(NEIGHBOUR, 1, 2, 'n'),
                From(NAT, 1, 2, 'n'),
                From(NAT, 1, 3, 'n'),
                From(NAT, 1, 4, 'Y'),
            ],
            NAT,
        ),
        (
            "a source that changes its SSRC",
            &[
                From(NAT, 1, 0, 'n'),
                From(NAT, 2, 1, 'n'),
                From(NAT, 1, 2, 'n'),
                From(NAT, 2, 3, 'n'),
            ],
            SIGNALLED,
        ),
        (
            "the same packet again and again",
            &[
                From(NAT, 1, 7, 'n'),
                From(NAT, 1, 7, 'n'),
                From(NAT, 1, 7, 'n'),
                From(NAT, 1, 7, 'n'),
            ],
            SIGNALLED,
        ),
        (
            "a packet lost on the way only delays",
            &[
                From(NAT, 1, 0, 'n'),
                From(NAT, 1, 1, 'n'),
                From(NAT, 1, 3, 'n'),
                From(NAT, 1, 4, 'n'),
                From(NAT, 1, 5, 'Y'),
            ],
            NAT,
        ),
    ];
    for (what, steps, peer) in rows {
        check(what, symmetric(), steps, peer);
    }
}

#[test]
fn what_was_learned_stays_until_the_next_offer_and_answer() {
    let learned = || {
        let mut latch = symmetric();
        (0..3).for_each(|sequence| _ = latch.take(address(NAT), &packet(1, sequence)));
        latch
    };
    let neighbour_tries = || (0..4).map(|sequence| From(NEIGHBOUR, 5, sequence, 'n'));
    let neighbour_wins = [
        From(NEIGHBOUR, 5, 0, 'n'),
        From(NEIGHBOUR, 5, 1, 'n'),
        From(NEIGHBOUR, 5, 2, 'Y'),
        From(NAT, 1, 9, 'n'),
    ];

    let locked: Vec<Step> = neighbour_tries()
        .chain([From(SIGNALLED, 1, 3, 'n'), From(NAT, 2, 900, 'Y')])
        .collect();
    check("locked, whatever its SSRC is", learned(), &locked, NAT);

    let again = [Agree(SIGNALLED), From(NAT, 1, 3, 'Y')];
    check("the same address: no gap", learned(), &again, NAT);
    let rebound: Vec<Step> = [Agree(SIGNALLED)]
        .into_iter()
        .chain(neighbour_wins)
        .collect();
    check(
        "the same, its NAT's port changed",
        learned(),
        &rebound,
        NEIGHBOUR,
    );
    let moved = [
        Agree("10.0.0.5:4100"),
        From(NAT, 1, 3, 'n'),
        From("10.0.0.5:4100", 1, 4, 'Y'),
    ];
    check("another address", learned(), &moved, "10.0.0.5:4100");
    let idle = [Agree(SIGNALLED), Pass(1_000), From(NAT, 1, 3, 'Y')];
    check("the same, and silence", learned(), &idle, NAT);
}

#[test]
fn learning_ends_two_seconds_after_its_first_packet() {
    let first_two = || vec![From(NAT, 1, 0, 'n'), From(NAT, 1, 1, 'n')];
    let row = |before: Vec<Step>, ticks, after: &[(u16, char)], what, peer| {
        let mut steps = before;
        steps.push(Pass(ticks));
        let after = after.iter();
        steps.extend(after.map(|(sequence, expected)| From(NAT, 1, *sequence, *expected)));
        check(what, symmetric(), &steps, peer);
    };
    row(first_two(), 99, &[(2, 'Y')], "in time", NAT);
    row(
        first_two(),
        100,
        &[(2, 'n'), (3, 'n'), (4, 'n')],
        "late",
        SIGNALLED,
    );
    row(
        vec![],
        10_000,
        &[(0, 'n'), (1, 'n'), (2, 'Y')],
        "a peer that keeps silent at first",
        NAT,
    );
    // A stranger's packets do not start the clock: spraying cannot shut the peer out.
    row(
        (0..9)
            .map(|sequence| From(SPRAYER, 9, sequence, 'n'))
            .collect(),
        10_000,
        &[(0, 'n'), (1, 'n'), (2, 'Y')],
        "sprayed before the peer speaks",
        NAT,
    );
}

/// What the attacks below are tried on.
trait Learner {
    fn take(&mut self, source: SocketAddr, packet: &Packet<'_>) -> bool;
    fn peer(&self) -> SocketAddr;
}

impl Learner for Latch {
    fn take(&mut self, source: SocketAddr, packet: &Packet<'_>) -> bool {
        Latch::take(self, source, packet)
    }
    fn peer(&self) -> SocketAddr {
        Latch::peer(self).unwrap()
    }
}

/// Latching as it is often done, and must not be: whoever speaks first is the peer.
struct Immediate(Option<SocketAddr>);

impl Learner for Immediate {
    fn take(&mut self, source: SocketAddr, _: &Packet<'_>) -> bool {
        *self.0.get_or_insert(source) == source
    }
    fn peer(&self) -> SocketAddr {
        self.0.unwrap_or(address(SIGNALLED))
    }
}

/// Sprays before the peer speaks, between its packets and after; tells what the attacker got: packets of ours, and packets taken.
fn spray(learner: &mut dyn Learner) -> (u32, u32) {
    let (mut stolen, mut injected) = (0, 0);
    for round in 0..200_u16 {
        for shot in 0..5 {
            let sequence = round * 5 + shot;
            injected += u32::from(learner.take(address(SPRAYER), &packet(9, sequence)));
        }
        if round >= 10 {
            learner.take(address(NAT), &packet(1, round));
        }
        stolen += u32::from(learner.peer() == address(SPRAYER));
    }
    (stolen, injected)
}

#[test]
fn a_sprayer_steals_nothing_and_injects_nothing() {
    for (what, mut latch, peer) in [
        ("strict", strict(), SIGNALLED),
        ("symmetric", symmetric(), NAT),
    ] {
        assert_eq!(spray(&mut latch), (0, 0), "{what}");
        assert_eq!(Learner::peer(&latch), address(peer), "{what}");
    }
}

#[test]
fn the_same_spray_robs_those_who_believe_more() {
    assert_eq!(spray(&mut Immediate(None)), (200, 1_000));
    // Three in a row alone are no defence: it takes the address of the signalling too.
    let mut anywhere = Latch::new(&[address(NAT).ip(), address(SPRAYER).ip()]);
    anywhere.agree(address(SIGNALLED));
    assert_eq!(spray(&mut anywhere), (200, 998));
}
