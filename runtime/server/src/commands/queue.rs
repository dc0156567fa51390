//! `jackfield queue`: the outbound calls of an account that wait, on a running server.

use std::fmt::Write as _;

use bytes::Bytes;
use clap::{Args, Subcommand};
use http::Method;
use serde_json::Value;

use crate::commands::account_api::AccountApi;

/// What is done with the calls that wait.
#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// Shows how many wait, by class.
    Show(Door),
    /// Lets all of them wait, and those that come, until `resume`. Calls that are up go on.
    Stop(Door),
    /// Lets them be dialled again.
    Resume(Door),
    /// Ends those that wait as canceled: nobody is called.
    Cancel {
        /// Only those of this class: `emergency`, `normal` or `bulk`.
        #[arg(long)]
        priority: Option<String>,
        #[command(flatten)]
        api: AccountApi,
    },
}

/// Whose queue it is, and who asks.
#[derive(Debug, Args)]
pub(crate) struct Door {
    /// Asks as the operator: the token is that in `operator.token` of the server's data folder.
    #[arg(long)]
    operator: bool,
    #[command(flatten)]
    api: AccountApi,
}

impl Door {
    /// Asks for a path below the queue.
    fn ask(&self, method: Method, below: &str) -> anyhow::Result<Bytes> {
        match self.operator {
            true => {
                let path = format!("queue{}", below.to_lowercase());
                self.api.ask_as_operator(method, &path, FORM, Bytes::new())
            }
            false => {
                let path = format!("OutboundQueue{below}");
                self.api.ask(method, &path, &[], FORM, Bytes::new())
            }
        }
    }
}

/// Asks, and prints how the queue then is.
pub(crate) fn run(command: &QueueCommand) -> anyhow::Result<()> {
    let (api, answer) = match command {
        QueueCommand::Show(door) => (&door.api, door.ask(Method::GET, "")?),
        QueueCommand::Stop(door) => (&door.api, door.ask(Method::POST, "/Stop")?),
        QueueCommand::Resume(door) => (&door.api, door.ask(Method::POST, "/Resume")?),
        QueueCommand::Cancel { api, priority } => {
            let form = priority.as_ref().map(|class| format!("Priority={class}"));
            let form = Bytes::from(form.unwrap_or_default());
            let path = "OutboundQueue/Cancel";
            (api, api.ask(Method::POST, path, &[], FORM, form)?)
        }
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
