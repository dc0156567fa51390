//! `jackfield plugin`: from an empty folder to a tested component on an author's own machine, and to a server's calls.

mod build;
mod call;
mod cost;
mod inspect;
mod journal;
mod new;
mod pages;
mod remote;
mod replay;
mod test;
pub(crate) mod twiml;
mod wit;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use plugin_host::{Engine, EngineConfig, Flow, Worlds};

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Makes a folder with a plugin that builds and passes its test.
    New(NewOptions),
    /// Builds the plugin of a folder into a component, and says whether it fits.
    Build {
        #[command(flatten)]
        source: Source,
    },
    /// Plays scripts against a component, in virtual time: no SIP, no waiting.
    Test(TestOptions),
    /// Calls a component by hand: shows what is said and played, takes keys from the keyboard, and saves the call as a case.
    Call(call::CallOptions),
    /// Shows a call's journal: all that its story was told and all that it asked for.
    Journal {
        /// As `GET …/Calls/{Sid}/Journal` gives it.
        journal: PathBuf,
        /// With placeholders in place of digits, numbers, texts, HTTP bodies and settings.
        #[arg(long)]
        redact: bool,
        /// Writes the journal to a file, to be given to somebody else.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Runs a call again from its journal: the same commands, or the first difference.
    Replay(ReplayOptions),
    /// Writes the interface, for tools of other languages than Rust.
    Wit {
        /// The folder to make.
        folder: PathBuf,
        /// Whose package it is.
        #[arg(long, value_enum, default_value = "call-flow")]
        world: NewWorld,
    },
    #[command(flatten)]
    Remote(remote::RemoteCommand),
    /// Measures what a call flow costs: its code, and each of its stories.
    Cost {
        /// The component.
        component: PathBuf,
    },
    /// Tells what a component imports and exports, which worlds it runs, and what it asks for.
    Inspect {
        /// The component.
        component: PathBuf,
        #[command(flatten)]
        account: inspect::WouldBeGranted,
    },
}

#[derive(Debug, Args)]
pub(crate) struct NewOptions {
    /// The folder to make; its last part is the plugin's name.
    pub(crate) folder: PathBuf,
    /// What it does.
    #[arg(long, value_enum, default_value = "call-flow")]
    pub(crate) world: NewWorld,
    /// What it is written in.
    #[arg(long, value_enum, default_value = "rust")]
    pub(crate) language: NewLanguage,
    /// Where the SDK (`guest-sdk` of Jackfield's sources) is; without it where this program was built.
    #[arg(long, value_name = "DIR")]
    pub(crate) sdk: Option<PathBuf>,
}

/// The world of a new plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum NewWorld {
    /// Runs calls.
    CallFlow,
    /// Chooses trunks for outbound calls.
    RoutingPolicy,
    /// Says when a call is tried again.
    RetryStrategy,
}

/// The language of a new plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum NewLanguage {
    Rust,
    /// Call flows alone.
    C,
    /// Call flows alone.
    #[value(name = "javascript")]
    JavaScript,
    /// Call flows alone.
    Python,
}

#[derive(Debug, Args)]
pub(crate) struct Source {
    /// The plugin's folder, with its `Cargo.toml` or `build.sh`.
    #[arg(long, short = 'C', default_value = ".", value_name = "DIR")]
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct TestOptions {
    #[command(flatten)]
    pub(crate) source: Source,
    /// A component that is built already, in place of the folder's.
    #[arg(long, value_name = "FILE")]
    pub(crate) component: Option<PathBuf>,
    /// Files of scripts; without any those in the folder's `scripts`.
    pub(crate) scripts: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) playing: test::Playing,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayOptions {
    #[command(flatten)]
    pub(crate) source: Source,
    /// A component that is built already, in place of the folder's.
    #[arg(long, value_name = "FILE")]
    pub(crate) component: Option<PathBuf>,
    /// As `GET …/Calls/{Sid}/Journal` gives it.
    pub(crate) journal: PathBuf,
    /// Which of the call's stories, where it had more than one: the second is the fallback of the first.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) story: usize,
    /// Shows step after step: enter for the next one, `q` and enter for no more. All of them where there is no input.
    #[arg(long)]
    pub(crate) steps: bool,
}

pub(crate) fn run(command: &PluginCommand) -> anyhow::Result<()> {
    let out = &mut std::io::stdout();
    match command {
        PluginCommand::New(options) => new::new(options, out),
        PluginCommand::Build { source } => build::build(source, out).map(drop),
        PluginCommand::Test(options) => test::test(options, out),
        PluginCommand::Call(options) => call::call(options),
        PluginCommand::Journal {
            journal,
            redact,
            out: file,
        } => journal::show(journal, *redact, file.as_deref(), out),
        PluginCommand::Replay(options) => {
            replay::replay(options, &mut std::io::stdin().lock(), out)
        }
        PluginCommand::Wit { folder, world } => wit::write(folder, *world, out),
        PluginCommand::Remote(command) => remote::run(command, out),
        PluginCommand::Cost { component } => cost::cost(component, out),
        PluginCommand::Inspect { component, account } => inspect::inspect(component, account, out),
    }
}

/// Compiles a component for calls that are played one at a time.
fn load(component: &Path) -> anyhow::Result<Flow> {
    let wasm =
        std::fs::read(component).with_context(|| format!("cannot read {}", component.display()))?;
    engine()?
        .load(&wasm)
        .with_context(|| format!("{} cannot run calls", component.display()))
}

/// The same for all that a component can do.
pub(crate) fn load_worlds(component: &Path) -> anyhow::Result<Worlds> {
    let wasm =
        std::fs::read(component).with_context(|| format!("cannot read {}", component.display()))?;
    engine()?
        .worlds(&wasm)
        .with_context(|| format!("{} does not fit", component.display()))
}

/// The component that was named, or else the folder's, built.
fn component(
    given: Option<&Path>,
    source: &Source,
    out: &mut impl Write,
) -> anyhow::Result<PathBuf> {
    given.map_or_else(
        || build::build(source, out),
        |component| Ok(component.to_owned()),
    )
}

fn engine() -> anyhow::Result<Engine> {
    let engine = Engine::new(EngineConfig {
        max_stories: 1,
        cache: None,
    })?;
    Ok(engine.with_interpreters(1)?)
}
