use jackfield_guest::routing::{Attempt, Channels, OutboundCall, Recent};

use super::*;

const NOW: u64 = 1_795_377_600_000;
const CALLED: &str = "+85512345678";

fn request(attempts: &[Attempt]) -> Request {
    Request {
        attempts: attempts.to_vec(),
        ..Request::new(OutboundCall::new("1294", CALLED), NOW)
    }
}

fn prices() -> Context {
    Context::new()
        .with_setting("price.north", "+ 0.3, +855 0.031, +85510 0.02")
        .with_setting("price.south", "+855 0.05")
}

fn with(id: &str, change: impl FnOnce(&mut Trunk)) -> Trunk {
    let mut trunk = Trunk::new(id);
    change(&mut trunk);
    trunk
}

#[track_caller]
fn check(trunks: &[Trunk], attempts: &[Attempt], context: &Context, expected: &[&str]) {
    let decision = route(&request(attempts), trunks, context).unwrap();
    assert_eq!(decision.trunks(), expected, "{decision:?}");
}

#[test]
fn prices_are_read_and_written() {
    for (text, expected) in [
        ("0.031", "0.031"),
        ("2", "2"),
        ("0.5", "0.5"),
        ("1.000001", "1.000001"),
        ("00.10", "0.1"),
    ] {
        assert_eq!(Price::parse(text, "a").unwrap().to_string(), expected);
    }
    for bad in [
        "",
        ".5",
        "1,5",
        "-1",
        "1.0000001",
        "free",
        "99999999999999999999",
    ] {
        let told = Price::parse(bad, "max-price").unwrap_err();
        assert!(
            told.contains("`max-price`") && told.contains("0.031"),
            "{told}"
        );
    }
    let rows = Context::new().with_setting("price.north", "+855");
    let told = Price::of(&Trunk::new("north"), CALLED, &rows).unwrap_err();
    assert!(told.contains("\"+855\""), "{told}");
}

#[test]
fn the_order_is_failed_then_well_then_cheap_then_empty() {
    let (north, south) = (Trunk::new("north"), Trunk::new("south"));
    check(
        &[south.clone(), north.clone()],
        &[],
        &prices(),
        &["north", "south"],
    );
    check(
        &[Trunk::new("unknown"), south.clone()],
        &[],
        &prices(),
        &["south", "unknown"],
    );

    let degraded = with("north", |trunk| trunk.health = Health::Degraded);
    check(
        &[degraded.clone(), south.clone()],
        &[],
        &prices(),
        &["south", "north"],
    );
    let answers = |attempted, answered| {
        with("north", |trunk| {
            trunk.recent = Recent {
                attempted,
                answered,
                congested: 0,
            }
        })
    };
    check(
        &[answers(20, 5), south.clone()],
        &[],
        &prices(),
        &["south", "north"],
    );
    check(
        &[answers(20, 6), south.clone()],
        &[],
        &prices(),
        &["north", "south"],
    );
    check(
        &[answers(19, 0), south.clone()],
        &[],
        &prices(),
        &["north", "south"],
    );

    let failed = |outcome| Attempt::new("south", outcome, NOW - 60_000, NOW - 50_000);
    check(
        &[degraded.clone(), south.clone()],
        &[failed(Outcome::Congestion)],
        &prices(),
        &["north", "south"],
    );
    check(
        &[degraded, south.clone()],
        &[failed(Outcome::Busy)],
        &prices(),
        &["south", "north"],
    );

    let busy = with("north", |trunk| {
        trunk.channels = Channels { used: 9, limit: 30 }
    });
    check(&[busy, south], &[], &Context::new(), &["south", "north"]);
}
