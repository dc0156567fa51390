//! `jackfield demo`: the runtime with its embedded defaults, and one real call over loopback, seen and heard.

mod softphone;
mod tenants;
mod transcript;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use crate::commands::cli::DemoOptions;
use crate::config::Config;
use crate::runtime::Runtime;
use softphone::Softphone;
use transcript::Transcript;

/// The number that the demo's flow answers.
const NUMBER: &str = "1000";
/// The caller.
const CALLER: &str = "1002";

/// Starts the runtime, places the call, and says what came of it.
pub(crate) fn run(options: &DemoOptions) -> anyhow::Result<()> {
    let config = config(options);
    crate::log::start(&config.log)?;
    let tokio = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    tokio.block_on(async {
        let runtime = Runtime::start(config).await?;
        tenants::apply(runtime.services(), options).await?;
        let called = place_call(&runtime, options).await;
        runtime.stop().await;
        say_how_to_go_on(&called?);
        Ok(())
    })
}

async fn place_call(runtime: &Runtime, options: &DemoOptions) -> anyhow::Result<PathBuf> {
    let recording = options.out.join("heard.wav");
    let transcript = Arc::new(Transcript::start());
    let watching = tokio::spawn(transcript::watch(
        Arc::clone(&transcript),
        runtime.services().news.watch(),
    ));
    println!(
        "The runtime is up; a softphone on this machine dials {NUMBER}, whose flow is `{}`.\n",
        options.flow
    );
    let softphone = Softphone::start(&transcript)?;
    let outcome = softphone
        .call(runtime.sip_address(), NUMBER, &options.press, &recording)
        .await;
    // The last news may still be on their way.
    while runtime.live_calls() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    watching.abort();
    outcome.context("the call did not come about")?;
    Ok(recording)
}

/// The embedded defaults: free ports on loopback, data in a folder of the demo's own.
fn config(options: &DemoOptions) -> Config {
    let free_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut config = Config {
        data_dir: options.out.join("data"),
        ..Config::default()
    };
    config.sip.bind = free_port.into();
    config.api.bind = free_port;
    config.speech.flite = Some(options.flite.clone());
    config.log.filter = "warn,tenant=off".to_owned();
    config
}

fn say_how_to_go_on(recording: &Path) {
    println!(
        "\nWhat the caller heard is in {}.

To dial it yourself with a softphone, start the server:
  target/debug/jackfield apply --config examples/first-call/jackfield.toml examples/first-call/tenants.toml
  target/debug/jackfield serve --config examples/first-call/jackfield.toml
and call sip:1000@127.0.0.1 (menu), sip:1001@127.0.0.1 (echo) or sip:1002@127.0.0.1 (TwiML) from this machine,
for instance with `baresip -e \"/dial sip:1000@127.0.0.1\"`.

To write a flow of your own: docs/book/first-plugin.md. To hear it here: jackfield demo --flow my_flow.wasm",
        recording.display()
    );
}

#[cfg(test)]
mod tests;
