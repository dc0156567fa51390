//! Sends each call over the cheapest trunk that is well and has room, and names the next ones to fail over to.
//!
//! Behind the others go trunks on which this call has failed already, then those that are degraded or answer few calls; within each group the
//! price decides, then how full they are. Settings, each of them optional:
//!
//! | setting | means |
//! |---|---|
//! | `price.TRUNK` | `+855 0.031, + 0.2`: what a minute costs, by the beginning of the number; without it the trunk's own prices |
//! | `max-price` | what a minute may cost; trunks that are dearer, or whose price is not known, are not used |
//! | `caller-id.TRUNK` | the number that is shown on this trunk |
//! | `dial-prefix.TRUNK` | digits in front of the number, as a gateway wants them to choose a SIM card; the plus is left away |
//! | `ring-seconds` | how long each attempt rings |
//! | `min-answered` | percent of calls that a trunk should answer: 30 where nothing is said |

mod price;

use std::time::Duration;

use jackfield_guest::Context;
use jackfield_guest::routing::{Decision, Health, Outcome, Pause, PlannedAttempt, Request, Trunk};
use price::Price;

jackfield_guest::routing_policy!(route);

/// Attempts that are planned for one call.
const MAX_ATTEMPTS: usize = 10;
/// Calls from which on the share of answers tells something.
const TELLING: u32 = 20;

/// A trunk that could carry the call, and how good it is. The least comes first.
struct Offer<'a> {
    trunk: &'a Trunk,
    failed: bool,
    poor: bool,
    price: Option<Price>,
}

fn route(request: &Request, trunks: &[Trunk], context: &Context) -> Result<Decision, String> {
    let called = &request.call.callee;
    let serving: Vec<&Trunk> = trunks
        .iter()
        .filter(|trunk| trunk.health != Health::Down && trunk.serves(called))
        .collect();
    if serving.is_empty() {
        return Ok(Decision::refuse(format!(
            "no trunk that is up serves {called}"
        )));
    }
    let mut offers = Vec::new();
    for trunk in serving {
        offers.push(offer(request, trunk, context)?);
    }
    if let Some(limit) = context.setting("max-price") {
        let limit = Price::parse(&limit, "max-price")?;
        offers.retain(|offer| offer.price.is_some_and(|price| price <= limit));
        if offers.is_empty() {
            return Ok(Decision::refuse(format!(
                "no trunk calls {called} for {limit} a minute"
            )));
        }
    }
    let now = request.now_unix_ms;
    let full: Vec<&Trunk> = offers.iter().map(|offer| offer.trunk).collect();
    offers.retain(|offer| offer.trunk.has_room(called, now));
    if offers.is_empty() {
        return Ok(wait(&full, now));
    }
    offers.sort_by_key(Offer::rank);
    offers.truncate(MAX_ATTEMPTS);
    let attempts = offers.iter().map(|offer| attempt(offer, called, context));
    attempts.collect::<Result<_, _>>().map(Decision::Attempts)
}

fn offer<'a>(request: &Request, trunk: &'a Trunk, context: &Context) -> Result<Offer<'a>, String> {
    let least: u32 = context.number("min-answered", 30)?;
    let answered = trunk.recent.answered_percent();
    let few = answered.is_some_and(|percent| trunk.recent.attempted >= TELLING && percent < least);
    let mut attempts = request.attempts.iter();
    Ok(Offer {
        trunk,
        failed: attempts
            .any(|attempt| attempt.trunk == trunk.id && is_of_the_trunk(attempt.outcome)),
        poor: few || trunk.health == Health::Degraded,
        price: Price::of(trunk, &request.call.callee, context)?,
    })
}

/// Whether an attempt that ended so might have gone well on another trunk.
const fn is_of_the_trunk(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Congestion | Outcome::Unreachable | Outcome::Rejected | Outcome::Failed
    )
}

impl Offer<'_> {
    /// The least goes first: what has not failed, what is well, what is cheap, what is empty.
    fn rank(&self) -> (bool, bool, bool, Option<Price>, u64) {
        let channels = &self.trunk.channels;
        let fullness = u64::from(channels.used) * 1_000 / u64::from(channels.limit.max(1));
        (
            self.failed,
            self.poor,
            self.price.is_none(),
            self.price,
            fullness,
        )
    }

    fn reason(&self) -> String {
        let mut reason = match self.price {
            Some(price) => format!("{price} a minute"),
            None => "its price is not known".to_owned(),
        };
        for (said, words) in [(self.failed, ", failed before"), (self.poor, ", not well")] {
            if said {
                reason.push_str(words);
            }
        }
        reason
    }
}

fn attempt(offer: &Offer<'_>, called: &str, context: &Context) -> Result<PlannedAttempt, String> {
    let id = &offer.trunk.id;
    let mut attempt = offer.trunk.attempt(offer.reason());
    if let Some(caller_id) = context.setting(&format!("caller-id.{id}")) {
        attempt = attempt.showing(caller_id);
    }
    if let Some(prefix) = context.setting(&format!("dial-prefix.{id}")) {
        let digits = called.strip_prefix('+').unwrap_or(called);
        attempt = attempt.dialling(format!("{prefix}{digits}"));
    }
    let seconds: u64 = context.number("ring-seconds", 0)?;
    if seconds > 0 {
        attempt = attempt.ring_for(Duration::from_secs(seconds));
    }
    Ok(attempt)
}

/// No trunk has room now. Where all of them asked to be left alone, until the first one may be asked again.
fn wait(trunks: &[&Trunk], now_unix_ms: u64) -> Decision {
    let closed = |trunk: &&Trunk| {
        trunk
            .closed_until_unix_ms
            .filter(|until| *until > now_unix_ms)
    };
    let until: Option<Vec<u64>> = trunks.iter().map(closed).collect();
    let until_unix_ms = until.and_then(|times| times.into_iter().min());
    let reason = match (until_unix_ms, trunks) {
        (Some(_), _) => "every trunk asked to be left alone".to_owned(),
        (None, [only]) => format!("{} has no room", only.id),
        (None, all) => format!("none of {} trunks has room", all.len()),
    };
    Decision::Wait(Pause {
        until_unix_ms,
        reason,
    })
}

#[cfg(test)]
mod tests;
