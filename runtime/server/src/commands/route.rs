//! `jackfield route`: over which trunk a call would go now, and why, and what another policy would have made of calls that were made.

mod past;
mod trial;

use std::fmt::Write as _;

use clap::Subcommand;
use http::Method;
use serde_json::Value;

use self::trial::TryOptions;
use crate::commands::account_api::AccountApi;

/// What is asked about routes.
#[derive(Debug, Subcommand)]
pub(crate) enum RouteCommand {
    /// Shows the trunks that may carry a call, the first choice in front, and which it would take now. Nobody is called.
    Explain {
        /// Whom to call: a number, or a SIP URI.
        #[arg(long, allow_hyphen_values = true)]
        to: String,
        /// The caller: a number of the account.
        #[arg(long, allow_hyphen_values = true)]
        from: String,
        #[command(flatten)]
        api: AccountApi,
    },
    /// Asks a routing policy about calls that were made, and shows where it would have decided otherwise. Nobody is called, and nothing is uploaded.
    ///
    /// The model: a call is asked about as it was when it was first dialled, or refused. Trunks, limits and operators are those of today, all trunks are up,
    /// and what is in use of them, and what came of their calls lately, is known of the account's own calls alone. Left out is what may not be called now.
    Try(Box<TryOptions>),
}

/// Asks, and prints the answer.
pub(crate) fn run(command: &RouteCommand) -> anyhow::Result<()> {
    let (to, from, api) = match command {
        RouteCommand::Explain { to, from, api } => (to, from, api),
        RouteCommand::Try(options) => return trial::run(options),
    };
    let query = [("To", to), ("From", from)].map(|(name, value)| (name.to_owned(), value.clone()));
    let route = api.ask_json(Method::GET, "Route", &query, &Value::Null)?;
    match api.json {
        true => println!("{route:#}"),
        false => print!("{}", in_words(&route)),
    }
    Ok(())
}

fn in_words(route: &Value) -> String {
    const INFALLIBLE: &str = "writing to a string cannot fail";
    let mut text = String::new();
    let to = route["to"].as_str().unwrap_or_default();
    let is_refused = route["policy"]["decision"] == "refuse";
    match route["chosen"].as_str() {
        Some(trunk) => writeln!(text, "a call to {to} goes over {trunk} now").expect(INFALLIBLE),
        None if is_refused => writeln!(text, "a call to {to} is not dialled").expect(INFALLIBLE),
        None => writeln!(text, "a call to {to} waits now").expect(INFALLIBLE),
    }
    for (place, trunk) in (1..).zip(route["trunks"].as_array().into_iter().flatten()) {
        let name = trunk["trunk"].as_str().unwrap_or_default();
        let reason = trunk["reason"].as_str().unwrap_or_default();
        writeln!(text, "  {place}. {name}: {reason}").expect(INFALLIBLE);
    }
    text + &policy_in_words(&route["policy"])
}

/// Nothing where the account has no routing policy.
fn policy_in_words(policy: &Value) -> String {
    const INFALLIBLE: &str = "writing to a string cannot fail";
    let Some(name) = policy["plugin"].as_str() else {
        return String::new();
    };
    let reason = policy["reason"].as_str().unwrap_or_default();
    let says = match policy["decision"].as_str() {
        Some("attempts") => "chooses:".to_owned(),
        Some("wait") => format!("lets it wait: {reason}"),
        Some("refuse") => format!("refuses it: {reason}"),
        _ => format!("decides nothing, the built-in order holds: {reason}"),
    };
    let version = &policy["version"];
    let mut text = format!("routing policy {name}, version {version}, {says}\n");
    for (place, attempt) in (1..).zip(policy["attempts"].as_array().into_iter().flatten()) {
        let trunk = attempt["trunk"].as_str().unwrap_or_default();
        let reason = attempt["reason"].as_str().unwrap_or_default();
        write!(text, "  {place}. {trunk}: {reason}").expect(INFALLIBLE);
        if let Some(shown) = attempt["caller_id"].as_str() {
            write!(text, "; shows {shown}").expect(INFALLIBLE);
        }
        if let Some(dialled) = attempt["dialled"].as_str() {
            write!(text, "; dials {dialled}").expect(INFALLIBLE);
        }
        if let Some(seconds) = attempt["ring_timeout_s"].as_u64() {
            write!(text, "; rings for {seconds} s").expect(INFALLIBLE);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_route_in_words() {
        let trunks = json!([
            { "trunk": "a", "reason": "full" },
            { "trunk": "b", "reason": "has room" },
        ]);
        let route = json!({ "to": "+855", "chosen": "b", "trunks": trunks });
        let words = "a call to +855 goes over b now\n  1. a: full\n  2. b: has room\n";
        assert_eq!(in_words(&route), words);
        let attempt =
            json!({ "trunk": "b", "reason": "cheap", "caller_id": "1294", "dialled": null });
        let policy =
            json!({ "plugin": "p", "version": 3, "decision": "attempts", "attempts": [attempt] });
        assert_eq!(
            policy_in_words(&policy),
            "routing policy p, version 3, chooses:\n  1. b: cheap; shows 1294\n"
        );
        let refuses =
            json!({ "plugin": "p", "version": 3, "decision": "refuse", "reason": "dear" });
        let words = "routing policy p, version 3, refuses it: dear\n";
        assert_eq!(policy_in_words(&refuses), words);
        let waits = json!({ "to": "+855", "chosen": null, "trunks": [] });
        assert_eq!(in_words(&waits), "a call to +855 waits now\n");
    }
}
