//! `jackfield queue`: the outbound calls of an account that wait, on a running server.

use std::fmt::Write as _;

use bytes::Bytes;
use clap::Subcommand;
use http::Method;
use serde_json::Value;
use store::Priority;

use crate::commands::account_api::AccountOrOperator;

/// What is done with the calls that wait.
#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// Shows how many wait, by class.
    Show(AccountOrOperator),
    /// Lets all of them wait, and those that come, until `resume`. Calls that are up go on.
    Stop(AccountOrOperator),
    /// Lets them be dialled again.
    Resume(AccountOrOperator),
    /// Ends those that wait as canceled: nobody is called.
    Cancel {
        /// Only those of this class: `emergency`, `normal` or `bulk`.
        #[arg(long)]
        priority: Option<Priority>,
        #[command(flatten)]
        owner: AccountOrOperator,
    },
}

/// Asks for a path below the queue.
fn ask(owner: &AccountOrOperator, method: Method, below: &str) -> anyhow::Result<Bytes> {
    let own = format!("OutboundQueue{below}");
    let operators = format!("queue{}", below.to_lowercase());
    owner.ask(method, &own, &operators, FORM, Bytes::new())
}

fn cancel(owner: &AccountOrOperator, class: Option<Priority>) -> anyhow::Result<Bytes> {
    let form = class.map(|class| format!("Priority={class}"));
    let query = class.map(|class| format!("?priority={class}"));
    let operators = format!("queue/cancel{}", query.unwrap_or_default());
    let form = Bytes::from(form.unwrap_or_default());
    owner.ask(Method::POST, "OutboundQueue/Cancel", &operators, FORM, form)
}

/// Asks, and prints how the queue then is.
pub(crate) fn run(command: &QueueCommand) -> anyhow::Result<()> {
    let (api, answer) = match command {
        QueueCommand::Show(owner) => (&owner.api, ask(owner, Method::GET, "")?),
        QueueCommand::Stop(owner) => (&owner.api, ask(owner, Method::POST, "/Stop")?),
        QueueCommand::Resume(owner) => (&owner.api, ask(owner, Method::POST, "/Resume")?),
        QueueCommand::Cancel { owner, priority } => (&owner.api, cancel(owner, *priority)?),
    };
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
    for class in Priority::ALL {
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
