//! `jackfield serve`: the server, from its configuration to a clean stop.

use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use sip::Transport;
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use crate::config::Config;
use crate::runtime::Runtime;

/// Runs until SIGTERM or Ctrl-C, then lets the calls that are up finish; a second signal does not wait for them.
pub(crate) fn serve(config: Config) -> anyhow::Result<()> {
    crate::log::start(&config.log)?;
    let drain = Duration::from_secs(config.limits.drain_s);
    let tokio = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    tokio.block_on(async {
        let mut signals = Signals::new()?;
        let runtime = Runtime::start(config).await?;
        announce(&runtime)?;
        signals.next().await;
        info!(
            "stopping: new calls are refused, {} may finish within {drain:?}",
            runtime.live_calls()
        );
        tokio::select! {
            () = runtime.drain(drain) => {}
            () = signals.next() => info!("asked again: not waiting any longer"),
        }
        runtime.stop().await;
        info!("stopped");
        Ok(())
    })
}

/// One line for scripts that start the server, with the ports that were taken where the configuration said 0.
fn announce(runtime: &Runtime) -> anyhow::Result<()> {
    let mut ready = format!(
        "ready sip={} api={}",
        runtime.sip_address(),
        runtime.api_address()
    );
    for transport in [Transport::Tls, Transport::Ws, Transport::Wss] {
        for address in runtime.sip_addresses().of(transport).iter() {
            ready.push_str(&format!(" {transport}={address}"));
        }
    }
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{ready}")?;
    stdout.flush().context("cannot write to standard output")
}

struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
