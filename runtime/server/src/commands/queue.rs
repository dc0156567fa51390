//! `jackfield queue`: the outbound calls of an account that wait, on a running server.

use std::fmt::Write as _;

use bytes::Bytes;
use clap::Subcommand;
use http::Method;
use serde_json::Value;

use crate::commands::account_api::AccountApi;

/// What is done with the calls that wait.
#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// Shows how many wait, by class.
    Show {
        #[command(flatten)]
        api: AccountApi,
    },
    /// Lets all of them wait, and those that come, until `resume`. Calls that are up go on.
    Stop {
        #[command(flatten)]
        api: AccountApi,
    },
    /// Lets them be dialled again.
    Resume {
        #[command(flatten)]
        api: AccountApi,
    },
    /// Ends those that wait as canceled: nobody is called.
    Cancel {
        /// Only those of this class: `emergency`, `normal` or `bulk`.
        #[arg(long)]
        priority: Option<String>,
        #[command(flatten)]
        api: AccountApi,
    },
}

/// Asks, and prints how the queue then is.
pub(crate) fn run(command: &QueueCommand) -> anyhow::Result<()> {
    let (api, method, path, priority) = match command {
        QueueCommand::Show { api } => (api, Method::GET, "OutboundQueue", None),
        QueueCommand::Stop { api } => (api, Method::POST, "OutboundQueue/Stop", None),
        QueueCommand::Resume { api } => (api, Method::POST, "OutboundQueue/Resume", None),
        QueueCommand::Cancel { api, priority } => {
            (api, Method::POST, "OutboundQueue/Cancel", priority.as_ref())
        }
    };
    let form = priority.map(|class| format!("Priority={class}"));
    let form = Bytes::from(form.unwrap_or_default());
    let answer = api.ask(method, path, &[], FORM, form)?;
    let queue: Value = serde_json::from_slice(&answer)?;
    match api.json {
        true => println!("{queue:#}"),
        false => print!("{}", in_words(&queue)),
    }
    Ok(())
}

/// The body has parameters.
const FORM: &str = "application/x-www-form-urlencoded";

fn in_words(queue: &Value) -> String {
    const INFALLIBLE: &str = "writing to a string cannot fail";
    let mut text = String::new();
    if let Some(canceled) = queue["canceled"].as_u64() {
        writeln!(text, "{canceled} canceled").expect(INFALLIBLE);
    }
    let state = queue["state"].as_str().unwrap_or_default();
    writeln!(text, "{state}, {} waiting", queue["waiting"]).expect(INFALLIBLE);
    for class in store::Priority::ALL {
        let counts = &queue["by_priority"][class.as_str()];
        let (due, later) = (&counts["due"], &counts["later"]);
        writeln!(text, "  {class}: {due} due, {later} later").expect(INFALLIBLE);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_queue_in_words() {
        let none = json!({ "due": 0, "later": 0 });
        let queue = json!({
            "state": "stopped",
            "waiting": 5,
            "canceled": 2,
            "by_priority": { "emergency": none, "normal": { "due": 4, "later": 1 }, "bulk": none },
        });
        let words = "2 canceled\nstopped, 5 waiting\n  emergency: 0 due, 0 later\n  normal: 4 due, 1 later\n  bulk: 0 due, 0 later\n";
        assert_eq!(in_words(&queue), words);
    }
}
