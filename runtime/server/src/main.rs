//! `jackfield`: the binary. Configuration, sockets, actors, media threads; all that outlives a request.

mod applications;
mod arrival;
mod broadcasts;
mod call_actor;
mod callbacks;
mod children;
mod clock;
mod commands;
mod compiler;
mod config;
mod demo;
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
mod lost_calls;
mod mailbox;
mod media_plane;
mod messages;
mod metrics;
mod news;
mod operator;
mod outbound;
mod people;
mod pins;
mod plugins;
mod recorder;
mod referral;
mod resolver;
mod retry;
mod rooms;
mod routing;
mod runtime;
mod self_test;
mod services;
mod shares;
mod streams;
mod transport;
mod trunks;
mod uploads;
mod web;
mod webhook;

use clap::Parser;

fn main() -> std::process::ExitCode {
    match commands::cli::run(commands::cli::Cli::parse()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("jackfield: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
