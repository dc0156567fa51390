//! What no policy may do, whatever it answers: show another's number, or call another number than the one that was ordered.

use plugin_host::routing::Decision;
use store::PluginOwner;

/// Digits and signs that may stand in front of a number.
const LONGEST_DIAL_PREFIX: usize = 10;

/// Why a decision is not followed, where it shows or dials what the account may not. `owner`: whose policy it is.
pub(crate) fn trouble(
    decision: &Decision,
    to: &str,
    owner: &PluginOwner,
    may_show: impl Fn(&str) -> bool,
) -> Option<String> {
    let Decision::Attempts(attempts) = decision else {
        return None;
    };
    attempts.iter().zip(1..).find_map(|(attempt, nth)| {
        let trouble = if !attempt.caller_id.as_deref().is_none_or(&may_show) {
            "shows a number that is not the account's"
        } else if !attempt.dialled.as_ref().is_none_or(|dialled| leads_to(dialled, to, owner)) {
            match owner {
                PluginOwner::Account(_) => {
                    "dials another number: an account's policy may put + or 00 in front of the called one, with its country's digits, and change nothing else"
                }
                PluginOwner::Carrier(_) => {
                    "dials another number: it may put up to 10 digits in front of the called one, with its country's, and change nothing else"
                }
            }
        } else {
            return None;
        };
        Some(format!("attempt {nth} {trouble}"))
    })
}

/// Whether who dials this calls `to`. Other digits in front can lead to another country, or to an emergency service: they are for those who
/// have the trunks.
fn leads_to(dialled: &str, to: &str, owner: &PluginOwner) -> bool {
    let may_precede = |front: &str| match owner {
        PluginOwner::Account(_) => ["", "+", "00"].contains(&front),
        PluginOwner::Carrier(_) => front.len() <= LONGEST_DIAL_PREFIX,
    };
    match to.strip_prefix('+') {
        Some(digits) => dialled.strip_suffix(digits).is_some_and(may_precede),
        // A short code means another number behind every prefix.
        None => dialled == to,
    }
}

#[cfg(test)]
mod tests {
    use call::AccountSid;
    use store::CarrierId;

    use super::*;

    #[test]
    fn a_dial_prefix_changes_nothing_of_the_number() {
        for (dialled, to, expected) in [
            ("85512345678", "+85512345678", [true, true]),
            ("+85512345678", "+85512345678", [true, true]),
            ("0085512345678", "+85512345678", [true, true]),
            ("9900#85512345678", "+85512345678", [false, true]),
            ("11285512345678", "+85512345678", [false, true]),
            ("0025285512345678", "+85512345678", [false, true]),
            ("012345678", "+85512345678", [false, false]),
            ("0025212345678", "+85512345678", [false, false]),
            ("1234567890185512345678", "+85512345678", [false, false]),
            ("117", "+85512345678", [false, false]),
            ("1294", "1294", [true, true]),
            ("91294", "1294", [false, false]),
            ("1000", "sip:1000@192.0.2.1", [false, false]),
        ] {
            let account = PluginOwner::Account(AccountSid::from_bytes([1; 16]));
            let carrier = PluginOwner::Carrier(CarrierId("angkor".to_owned()));
            let may = [account, carrier].map(|owner| leads_to(dialled, to, &owner));
            assert_eq!(may, expected, "{dialled} for {to}");
        }
    }
}
