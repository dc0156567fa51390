//! dnsmasq as the DNS server of a zone.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::Process;
use crate::{needs, ports};

/// A running DNS server. Dropping it ends it.
#[derive(Debug)]
pub struct Dns {
    _process: Process,
    _folder: TempDir,
    /// Where it answers.
    pub address: SocketAddr,
}

impl Dns {
    /// A server that knows `name`'s SIP servers over UDP, all on loopback: their ports, the most preferred first (RFC 2782).
    #[must_use]
    pub fn with_sip_servers(name: &str, ports: &[u16]) -> Self {
        let mut records = vec![
            format!("--host-record=sbc.{name},127.0.0.1"),
            format!("--naptr-record={name},10,10,s,SIP+D2U,,_sip._udp.{name}"),
        ];
        for (priority, port) in ports.iter().enumerate() {
            records.push(format!(
                "--srv-host=_sip._udp.{name},sbc.{name},{port},{priority},0"
            ));
        }
        Self::with_records(name, &records)
    }

    /// A server that knows these names below `zone`, all of them as 127.0.0.1.
    #[must_use]
    pub fn with_hosts(zone: &str, names: &[&str]) -> Self {
        let record = |name: &&str| format!("--host-record={name},127.0.0.1");
        Self::with_records(zone, &names.iter().map(record).collect::<Vec<_>>())
    }

    /// A server that says this of a zone, as options of dnsmasq, and nothing else.
    fn with_records(zone: &str, records: &[String]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for dnsmasq's files");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()));
        let mut command = Command::new(needs::program("dnsmasq", "dnsmasq-base"));
        command
            .args([
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--no-resolv",
            ])
            .args(["--no-hosts", "--bind-interfaces", "--log-facility=-"])
            .arg("--user=")
            .arg(format!(
                "--pid-file={}",
                folder.path().join("pid").display()
            ))
            .arg(format!("--listen-address={}", address.ip()))
            .arg(format!("--port={}", address.port()))
            .arg(format!("--local=/{zone}/"))
            .args(records);
        let output = folder.path().join("output.txt");
        let mut process = Process::start("dnsmasq", &mut command, &output);
        // Written once it listens.
        process.wait_for_line("started", Duration::from_secs(20));
        Self {
            _process: process,
            _folder: folder,
            address,
        }
    }
}
