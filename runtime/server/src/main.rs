//! `jackfield`: the binary. Configuration, sockets, actors, media threads; all that outlives a request.

mod account_api;
mod apply;
mod broadcast_command;
mod broadcasts;
mod call_actor;
mod callbacks;
mod children;
mod cli;
mod clock;
mod compiler;
mod config;
mod demo;
mod detection;
mod endpoint;
mod flite;
mod flows;
mod inbound;
mod kept_audio;
mod key_values;
mod library;
mod listening;
mod live;
mod log;
mod mailbox;
mod media_command;
mod media_plane;
mod messages;
mod metrics;
mod news;
mod operator;
mod outbound;
mod own_api;
mod people;
mod pins;
mod plugin;
mod plugins;
mod queue;
mod recorder;
mod recordings;
mod referral;
mod registry;
mod resolver;
mod retry;
mod rooms;
mod route;
mod routing;
mod runtime;
mod self_test;
mod serve;
mod services;
mod shares;
mod status;
mod streams;
mod things;
mod transport;
mod trunks;
mod uploads;
mod web;
mod webhook;

use clap::Parser;

fn main() -> std::process::ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("jackfield: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
