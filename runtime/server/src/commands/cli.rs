//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::broadcast::BroadcastCommand;
use crate::commands::media::MediaCommand;
use crate::commands::people::PeopleCommand;
use crate::commands::plugin::PluginCommand;
use crate::commands::plugin::twiml::TwimlCommand;
use crate::commands::queue::QueueCommand;
use crate::commands::resources::{self, CallerIdCommand, Output, ThingCommand};
use crate::commands::retry::RetryCommand;
use crate::commands::route::RouteCommand;
use crate::compiler::worker::{self, WorkerOptions};
use crate::config::Config;
use crate::self_test::worker as self_test_worker;

/// A programmable voice runtime: what a call does is a WebAssembly component.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server until SIGTERM or Ctrl-C.
    Serve {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Loads tenants' data (carriers, accounts, trunks, numbers, components) from a TOML file; repeating it changes nothing.
    ///
    /// Works beside a running server, which takes it over at once, and without one.
    Apply {
        /// The tenants file.
        file: PathBuf,
        /// Puts the file in force where something was changed over the API since it was applied last; otherwise that stays, and is told.
        #[arg(long)]
        overwrite: bool,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Shows how the trunks of the running server stand: channels, registrations, gateways, servers that do not answer.
    Status {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Carriers of the running server.
    #[command(subcommand)]
    Carriers(ThingCommand),
    /// Accounts of the running server: their SIDs, what they may do, whether they are in use (`status=suspended`).
    #[command(subcommand)]
    Accounts(ThingCommand),
    /// Trunks of the running server.
    #[command(subcommand)]
    Trunks(ThingCommand),
    /// Numbers of the running server, and what their calls do.
    #[command(subcommand)]
    Numbers(ThingCommand),
    /// Numbers that accounts may show as the caller besides their own.
    #[command(subcommand)]
    CallerIds(CallerIdCommand),
    /// Shows who changed what, the newest first.
    Audit {
        /// How many entries.
        #[arg(long, short = 'n', default_value_t = 50)]
        entries: usize,
        #[command(flatten)]
        output: Output,
    },
    /// Whom an account of the running server calls: language, areas and fields of each number.
    #[command(subcommand)]
    People(PeopleCommand),
    /// Audio of an account of the running server, for its broadcasts and its TwiML.
    #[command(subcommand)]
    Media(MediaCommand),
    /// One message to many: whom an account of the running server calls with it, and what comes of it.
    #[command(subcommand)]
    Broadcast(BroadcastCommand),
    /// Retry strategies: what one would have made of broadcasts that were made.
    #[command(subcommand)]
    Retry(RetryCommand),
    /// The outbound calls of an account that wait, on a running server: counts, stop, resume, cancel.
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Over which trunk a call would go.
    #[command(subcommand)]
    Route(RouteCommand),
    /// Makes, builds, tests and inspects plugins on this machine alone; uploads them to a server and says which version runs.
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Tests TwiML applications, on this machine alone.
    #[command(subcommand)]
    Twiml(TwimlCommand),
    /// Lists what to record for a folder of recorded words: the name of each file, and what to say in it.
    Recordings {
        /// `en`, `km`, `lo`, `so`, or a file with rules of your own.
        rules: String,
    },
    /// Places one real SIP call over loopback to a bundled flow, shows it as it happens, and saves what the caller heard.
    Demo(DemoOptions),
    /// Compiles one component from standard input: what the server starts for each upload.
    #[command(hide = true)]
    CompileWorker(WorkerOptions),
    /// Plays callers against one compiled component from standard input: what the server starts for each upload.
    #[command(hide = true)]
    SelfTestWorker(self_test_worker::SelfTestOptions),
}

#[derive(Debug, Args)]
pub(crate) struct ConfigFile {
    /// The process's settings; without it the defaults. `JACKFIELD_SECTION_KEY` variables win over both.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl ConfigFile {
    pub(crate) fn load(&self) -> anyhow::Result<Config> {
        Config::load(self.config.as_deref(), std::env::vars())
    }
}

#[derive(Debug, Args)]
pub(crate) struct DemoOptions {
    /// What answers: `menu`, `echo`, or the path of a component (`my_flow.wasm`).
    #[arg(long, default_value = "menu")]
    pub(crate) flow: String,
    /// The keys the caller presses when a prompt has been heard: `1`, `12#`; after a comma those for the next prompt.
    #[arg(long, default_value = "1")]
    pub(crate) press: String,
    /// Where the recording and the demo's own data go.
    #[arg(long, default_value = "var/first-call", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Flite as a WebAssembly module, for flows that speak.
    #[arg(long, default_value = "var/voices/flite.wasm", value_name = "FILE")]
    pub(crate) flite: PathBuf,
}

pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Serve { config } => crate::commands::serve::serve(config.load()?),
        Command::Apply {
            file,
            overwrite,
            config,
        } => crate::commands::apply::apply(&config.load()?, &file, overwrite),
        Command::Status { config } => crate::commands::status::status(&config.load()?),
        Command::Carriers(command) => resources::run(resources::CARRIERS, &command),
        Command::Accounts(command) => resources::run(resources::ACCOUNTS, &command),
        Command::Trunks(command) => resources::run(resources::TRUNKS, &command),
        Command::Numbers(command) => resources::run(resources::NUMBERS, &command),
        Command::CallerIds(command) => resources::run_caller_ids(&command),
        Command::Audit { entries, output } => resources::audit(&output, entries),
        Command::Route(command) => crate::commands::route::run(&command),
        Command::Queue(command) => crate::commands::queue::run(&command),
        Command::People(command) => crate::commands::people::run(&command),
        Command::Media(command) => crate::commands::media::run(&command),
        Command::Broadcast(command) => crate::commands::broadcast::run(&command),
        Command::Retry(command) => crate::commands::retry::run(&command),
        Command::Plugin(command) => crate::commands::plugin::run(&command),
        Command::Twiml(command) => crate::commands::plugin::twiml::run(&command),
        Command::Recordings { rules } => {
            crate::commands::recordings::list(&rules, &mut std::io::stdout())
        }
        Command::Demo(options) => crate::demo::run(&options),
        Command::CompileWorker(options) => worker::run(&options),
        Command::SelfTestWorker(options) => self_test_worker::run(&options),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
