//! What `jackfield COMMAND` does: each command, and the two ways to ask a running server, as an account and as its operator.

mod account_api;
mod apply;
mod broadcast;
pub(crate) mod cli;
mod media;
mod own_api;
mod people;
mod plugin;
mod queue;
mod recordings;
mod resources;
mod retry;
mod route;
mod serve;
mod server_api;
mod status;
