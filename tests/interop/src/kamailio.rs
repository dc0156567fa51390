//! Kamailio as the proxy in front of several nodes.

use std::net::{Ipv4Addr, SocketAddr};
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
    /// Where it speaks to the nodes from.
    pub back: SocketAddr,
}

impl Kamailio {
    /// Starts it with `kamailio/spread.cfg` in front of `nodes`, and waits until it answers.
    #[must_use]
    pub fn spread_over(nodes: &[SocketAddr]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for Kamailio's files");
        let (front, back) = (loopback(ports::udp()), loopback(ports::udp()));
        write_files(&folder, front, back, nodes);
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
            back,
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

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn write_files(folder: &TempDir, front: SocketAddr, back: SocketAddr, nodes: &[SocketAddr]) {
    let template = needs::workspace().join("tests/interop/kamailio/spread.cfg");
    let template = std::fs::read_to_string(&template)
        .unwrap_or_else(|error| panic!("{}: {error}", template.display()));
    let modules = needs::file(
        &[
            "/usr/lib/x86_64-linux-gnu/kamailio/modules",
            "/usr/lib/aarch64-linux-gnu/kamailio/modules",
            "/usr/lib/kamailio/modules",
        ],
        "kamailio",
    );
    let config = template
        .replace("@FRONT@", &front.port().to_string())
        .replace("@BACK@", &back.port().to_string())
        .replace("@MODULES@", &modules.display().to_string())
        .replace("@FOLDER@", &folder.path().display().to_string());
    let list: String = nodes.iter().map(|node| format!("1 sip:{node}\n")).collect();
    for (name, text) in [("kamailio.cfg", config), ("dispatcher.list", list)] {
        std::fs::write(folder.path().join(name), text).expect("Kamailio's folder can be written");
    }
}
