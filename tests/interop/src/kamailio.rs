//! Kamailio: the proxy in front of several nodes, or a provider that we register at.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{Process, eventually};
use crate::{needs, ports};

/// A running proxy. Dropping it ends it.
#[derive(Debug)]
pub struct Kamailio {
    process: Process,
    folder: TempDir,
    /// Where it takes calls.
    pub front: SocketAddr,
}

/// Who registers at a provider.
#[derive(Debug, Clone, Copy)]
pub struct Customer<'a> {
    /// Its name there, which callers of the provider dial.
    pub user: &'a str,
    /// What proves it.
    pub password: &'a str,
    /// By which hash: `MD5` or `SHA-256`.
    pub algorithm: &'a str,
}

impl Kamailio {
    /// Starts it with `kamailio/spread.cfg` in front of `nodes`, and waits until it answers.
    #[must_use]
    pub fn spread_over(nodes: &[SocketAddr]) -> Self {
        let list: String = nodes.iter().map(|node| format!("1 sip:{node}\n")).collect();
        let back = ports::free().to_string();
        Self::start("spread", &[("BACK", &back)], &[("dispatcher.list", &list)])
    }

    /// Starts it with `kamailio/provider.cfg`, which sends its customer's calls to `network`, and waits until it answers.
    #[must_use]
    pub fn provider_of(customer: &Customer<'_>, network: SocketAddr) -> Self {
        let port = network.port().to_string();
        let values = [
            ("CUSTOMER", customer.user),
            ("PASSWORD", customer.password),
            ("ALGORITHM", customer.algorithm),
            ("NETWORK", &port),
        ];
        Self::start("provider", &values, &[])
    }

    fn start(config: &str, values: &[(&str, &str)], files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for Kamailio's files");
        let front = (Ipv4Addr::LOCALHOST, ports::free()).into();
        write_config(folder.path(), config, front, values);
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text)
                .expect("Kamailio's folder can be written");
        }
        let process = Process::start(
            "kamailio",
            Command::new(needs::program("kamailio", "kamailio"))
                .args(["-DD", "-E", "-m", "32", "-M", "8", "-w"])
                .arg(folder.path())
                .arg("-P")
                .arg(folder.path().join("kamailio.pid"))
                .arg("-Y")
                .arg(folder.path())
                .arg("-f")
                .arg(folder.path().join("kamailio.cfg")),
            &folder.path().join("output.txt"),
        );
        let proxy = Self {
            process,
            folder,
            front,
        };
        eventually("Kamailio listens", Duration::from_secs(20), || {
            std::net::UdpSocket::bind(proxy.front)
                .is_err()
                .then_some(())
        });
        proxy
    }

    /// How many lines of its log hold `text`.
    #[must_use]
    pub fn count_logged(&self, text: &str) -> usize {
        let log = self.process.output();
        log.lines().filter(|line| line.contains(text)).count()
    }

    /// What it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.output()
    }
}

impl Drop for Kamailio {
    /// Its children end with the process that started them, if that one is asked.
    fn drop(&mut self) {
        self.process.terminate();
        self.process.wait(Duration::from_secs(20));
        if std::thread::panicking() {
            eprintln!("--- Kamailio in {:?} ---\n{}", self.folder, self.log());
        }
    }
}

/// Writes `kamailio/NAME.cfg` with its values filled in.
fn write_config(folder: &Path, name: &str, front: SocketAddr, values: &[(&str, &str)]) {
    let template = needs::workspace()
        .join("tests/interop/kamailio")
        .join(name)
        .with_extension("cfg");
    let mut config = std::fs::read_to_string(&template)
        .unwrap_or_else(|error| panic!("{}: {error}", template.display()));
    let modules = needs::file(
        &[
            "/usr/lib/x86_64-linux-gnu/kamailio/modules",
            "/usr/lib/aarch64-linux-gnu/kamailio/modules",
            "/usr/lib/kamailio/modules",
        ],
        "kamailio",
    );
    let (port, modules) = (front.port().to_string(), modules.display().to_string());
    let folder_name = folder.display().to_string();
    let common = [
        ("FRONT", port.as_str()),
        ("MODULES", &modules),
        ("FOLDER", &folder_name),
    ];
    for (key, value) in common.iter().chain(values) {
        config = config.replace(&format!("@{key}@"), value);
    }
    std::fs::write(folder.join("kamailio.cfg"), config).expect("Kamailio's folder can be written");
}
