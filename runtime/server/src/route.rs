//! `jackfield route explain`: over which trunk a call would go now, and why, on a running server.

use std::fmt::Write as _;

use clap::Subcommand;
use http::Method;
use serde_json::Value;

use crate::account_api::AccountApi;

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
}

/// Asks, and prints the answer.
pub(crate) fn run(command: &RouteCommand) -> anyhow::Result<()> {
    let RouteCommand::Explain { to, from, api } = command;
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
    match route["chosen"].as_str() {
        Some(trunk) => writeln!(text, "a call to {to} goes over {trunk} now").expect(INFALLIBLE),
        None => writeln!(text, "a call to {to} waits now").expect(INFALLIBLE),
    }
    for (place, trunk) in (1..).zip(route["trunks"].as_array().into_iter().flatten()) {
        let name = trunk["trunk"].as_str().unwrap_or_default();
        let reason = trunk["reason"].as_str().unwrap_or_default();
        writeln!(text, "  {place}. {name}: {reason}").expect(INFALLIBLE);
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
        let waits = json!({ "to": "+855", "chosen": null, "trunks": [] });
        assert_eq!(in_words(&waits), "a call to +855 waits now\n");
    }
}
