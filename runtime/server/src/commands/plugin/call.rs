//! `jackfield plugin call`: a telephone of text.

mod keyboard;
mod save;

use std::io::{IsTerminal, Write, stdin, stdout};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use harness::{Run, Script};
use plugin_host::Flow;

use super::pages::{Pages, WebClient, WebOptions};
use super::{Source, component, engine, load};
use keyboard::{Console, Keyboard};

#[derive(Debug, Args)]
pub(crate) struct CallOptions {
    #[command(flatten)]
    source: Source,
    /// A component that is built already, in place of the folder's.
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
    /// Calls a TwiML document in place of a component; others of its folder are reached by relative URLs.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["component", "url"])]
    twiml: Option<String>,
    /// Calls a TwiML application on a web server in place of a component.
    #[arg(long, value_name = "URL", conflicts_with = "component")]
    url: Option<String>,
    /// Asks for the first TwiML document by GET; else by POST.
    #[arg(long)]
    get: bool,
    /// Lets a component's requests go out. Those of a TwiML application do so anyway; without it nobody answers.
    #[arg(long)]
    http: bool,
    #[command(flatten)]
    web: WebOptions,
    /// The number of the other side, which is you.
    #[arg(long, value_name = "NUMBER")]
    from: Option<String>,
    /// The number that is called.
    #[arg(long, value_name = "NUMBER")]
    to: Option<String>,
    /// A setting of the flow. Any number of times.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// The flow calls you, in place of you calling it.
    #[arg(long)]
    outbound: bool,
    /// Adds the call to this file of scripts, as a case.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// What the case is called.
    #[arg(long, default_value = "By hand", value_name = "NAME")]
    name: String,
}

/// Plays one call, by the keyboard.
pub(super) fn call(options: &CallOptions) -> anyhow::Result<()> {
    let console = Console::new(
        std::io::BufReader::new(stdin()),
        stdout(),
        stdin().is_terminal(),
    );
    call_on(options, &console)
}

fn call_on(options: &CallOptions, console: &Console) -> anyhow::Result<()> {
    let mut news = Vec::new();
    let script = script(options)?;
    let (flow, script) = called(options, script, &mut news)?;
    console.write(&String::from_utf8_lossy(&news));
    let keyboard = Keyboard::on(console.clone());
    let shown = keyboard.shown();
    let run = harness::play(&flow, script, keyboard);
    console.write(run.transcript.get(shown.bytes()..).unwrap_or_default());
    let seconds = run.duration.as_secs_f64();
    console.write(&format!(
        "The call took {seconds:.1} s; the flow {}.\n",
        run.end.outcome
    ));
    keep(options, console, &run)
}

/// What answers, and the script of what the call finds.
fn called(
    options: &CallOptions,
    script: Script,
    news: &mut impl Write,
) -> anyhow::Result<(Flow, Script)> {
    if let Some(document) = options.twiml.as_ref().or(options.url.as_ref()) {
        let pages = Pages::of(document, options.get, &options.web)?;
        return Ok((engine()?.load(bundled::TWIML)?, pages.serve(script)));
    }
    let component = component(options.component.as_deref(), &options.source, news)?;
    let script = match options.http {
        true => Arc::new(WebClient::new(&options.web)?).open(script),
        false => script,
    };
    let flow = load(&component)?;
    let script = script.granting(flow.asks().clone());
    Ok((flow, script))
}

fn script(options: &CallOptions) -> anyhow::Result<Script> {
    let mut script = match options.outbound {
        true => Script::outbound(),
        false => Script::new(),
    };
    // The one who is called is the other side of a call that the flow places.
    let (other, ours) = match options.outbound {
        true => (&options.to, &options.from),
        false => (&options.from, &options.to),
    };
    if let Some(number) = other {
        script = script.with(number);
    }
    if let Some(number) = ours {
        script = script.at(number);
    }
    for setting in &options.set {
        let Some((name, value)) = setting.split_once('=') else {
            bail!("--set {setting} is no NAME=VALUE");
        };
        script = script.setting(name, value);
    }
    Ok(script)
}

/// Saves the call where that is wished; somebody at a terminal is asked.
fn keep(options: &CallOptions, console: &Console, run: &Run) -> anyhow::Result<()> {
    let asked = || {
        console.is_terminal().then(|| {
            console.write("Save the call as a case? A file of scripts, or enter for no: ");
            console.read().unwrap_or_default()
        })
    };
    let file = options.save.clone().or_else(|| asked().map(PathBuf::from));
    let Some(file) = file.filter(|file| !file.as_os_str().is_empty()) else {
        return Ok(());
    };
    let name = save::save(&file, &options.name, run)
        .with_context(|| format!("cannot save the call in {}", file.display()))?;
    console.write(&format!("\"{name}\" is in {}\n", file.display()));
    Ok(())
}

#[cfg(test)]
mod tests;
