//! The process's own settings: one TOML file, over which environment variables win.
//!
//! Tenants' data (carriers, accounts, trunks, numbers) is not here: it lives in the store and comes with `jackfield apply`.

mod addresses;
mod digest;
mod egress;
mod recording;
mod sip;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;

pub(crate) use self::addresses::Addresses;
use self::egress::Egress;
pub(crate) use self::recording::Recording;
pub(crate) use self::sip::{Bound, Sip};
use crate::media_plane::Patience;

/// Everything `jackfield serve` needs to know. Every key has a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Where calls, recordings and compiled components are kept; made when absent.
    pub(crate) data_dir: PathBuf,
    pub(crate) sip: Sip,
    pub(crate) rtp: Rtp,
    pub(crate) dns: Dns,
    pub(crate) api: Api,
    pub(crate) egress: Egress,
    pub(crate) recording: Recording,
    /// Who speaks `say`.
    pub(crate) speech: speech::Settings,
    pub(crate) limits: Limits,
    pub(crate) log: Log,
}

/// Where media flows.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rtp {
    pub(crate) bind: IpAddr,
    /// What peers are told in SDP, when it differs from `bind`.
    pub(crate) advertised: Option<IpAddr>,
    /// First and last UDP port; each call takes an even one.
    pub(crate) port_min: u16,
    pub(crate) port_max: u16,
    /// Media threads. One paces thousands of calls.
    pub(crate) threads: usize,
    /// Seconds without RTP and RTCP after which a call counts as dead; 0: never.
    pub(crate) timeout_s: u64,
    /// The same while the call is held.
    pub(crate) hold_timeout_s: u64,
}

impl Rtp {
    /// How long a silent peer is waited for.
    pub(crate) fn patience(&self) -> Patience {
        let limit = |seconds| (seconds > 0).then(|| Duration::from_secs(seconds));
        Patience {
            talking: limit(self.timeout_s),
            held: limit(self.hold_timeout_s),
        }
    }
}

/// Who knows the addresses of names.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Dns {
    /// Asked in turn. Empty: those of the system (`/etc/resolv.conf`), and `/etc/hosts` before them.
    pub(crate) servers: Vec<NameServer>,
}

/// The port of DNS.
pub(crate) const DNS_PORT: u16 = 53;

/// A DNS server: an address, with its port where that is not [`DNS_PORT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct NameServer(pub(crate) SocketAddr);

impl TryFrom<String> for NameServer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let address = text.parse::<SocketAddr>();
        let address = address.or_else(|_| text.parse().map(|ip: IpAddr| (ip, DNS_PORT).into()));
        address.map(Self).map_err(|_| {
            format!("{text:?} is no DNS server: give an address as in 192.0.2.53, 127.0.0.1:5353 or [2001:db8::53]:53")
        })
    }
}

/// Where REST is served.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Api {
    pub(crate) bind: SocketAddr,
    /// What others reach it by, such as `https://voice.example.org`: `RecordingUrl` begins with it. None: the address that is bound.
    pub(crate) public_url: Option<String>,
}

impl Api {
    /// Without a slash at its end, for an API that is bound there.
    pub(crate) fn public_url(&self, bound: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{bound}"),
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        if let Some(url) = &self.public_url {
            let parsed = url::Url::parse(url);
            if !parsed.is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
                bail!("api.public_url is {url:?}: give a URL as in https://voice.example.org");
            }
        }
        Ok(())
    }
}

/// What this process takes on.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    /// Calls at a time; more are refused with 503.
    pub(crate) max_calls: usize,
    /// Seconds from answer to the forced hang-up.
    pub(crate) max_duration_s: u64,
    /// Seconds that calls have to finish by themselves after SIGTERM.
    pub(crate) drain_s: u64,
    /// Seconds for which the channels of calls that a killed process left behind stay counted: until the far end has noticed.
    pub(crate) lost_call_s: u64,
    /// Conferences, and queues, that an account may have at a time.
    pub(crate) max_rooms: usize,
    /// Participants of a conference, 2 to 250.
    pub(crate) max_participants: u32,
    /// Stories at a time whose component is an interpreter (of JavaScript or Python, above 8 MiB), each of which may take 256 MiB;
    /// 0: such components are not taken.
    pub(crate) max_interpreted: u32,
    /// Stories that one account may have at a time; without it as many as there is room for.
    pub(crate) account_stories: Option<u32>,
    /// Mebibytes of linear memory that the stories of one account may have together.
    pub(crate) account_memory_mib: u64,
}

/// The least that `limits.account_memory_mib` may be: what one interpreter may take.
const LEAST_ACCOUNT_MEMORY_MIB: u64 = 256;

/// The most that `limits.max_interpreted` may be: 256 GiB, if each of them takes what it may.
const MAX_INTERPRETED: u32 = 1_000;

/// What is written to standard error.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// As in `info` or `jackfield=debug,warn`.
    pub(crate) filter: String,
    /// One JSON object a line instead of text.
    pub(crate) json: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("var/data"),
            sip: Sip::default(),
            rtp: Rtp::default(),
            dns: Dns::default(),
            api: Api::default(),
            egress: Egress::default(),
            recording: Recording::default(),
            speech: speech::Settings::default(),
            limits: Limits::default(),
            log: Log::default(),
        }
    }
}

impl Default for Rtp {
    fn default() -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            advertised: None,
            port_min: 16_384,
            port_max: 32_767,
            threads: 1,
            timeout_s: 60,
            hold_timeout_s: 1_800,
        }
    }
}

impl Default for Api {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            public_url: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_calls: 5_000,
            max_duration_s: 4 * 3_600,
            drain_s: 30,
            lost_call_s: 30,
            max_rooms: 100,
            max_participants: 250,
            max_interpreted: 16,
            account_stories: None,
            account_memory_mib: 4_096,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: "info".to_owned(),
            json: false,
        }
    }
}

impl Config {
    /// Reads `path` (or takes the defaults), lets `JACKFIELD_…` variables win, and checks the whole.
    pub(crate) fn load(
        path: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> anyhow::Result<Self> {
        let text = match path {
            Some(path) => std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the configuration {}", path.display()))?,
            None => String::new(),
        };
        let name = path.map_or_else(
            || "the defaults".to_owned(),
            |path| path.display().to_string(),
        );
        Self::parse(&text, environment)
            .with_context(|| format!("the configuration ({name}) is not usable"))
    }

    fn parse(
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> anyhow::Result<Self> {
        // Once as it stands, for an error that points at the line; then with the variables laid over it.
        let mut config: Self = toml::from_str(text)?;
        let mut table: toml::Table = toml::from_str(text)?;
        for (variable, value) in environment {
            let Some(name) = variable.strip_prefix("JACKFIELD_") else {
                continue;
            };
            overlay(&mut table, name, &value);
            config = table.clone().try_into().with_context(|| {
                format!("the environment variable {variable}={value} does not fit")
            })?;
        }
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        let Rtp {
            port_min,
            port_max,
            threads,
            bind,
            advertised,
            ..
        } = &self.rtp;
        if port_min >= port_max {
            bail!("rtp.port_min ({port_min}) must be below rtp.port_max ({port_max})");
        }
        if !(1..=64).contains(threads) {
            bail!("rtp.threads is {threads}: give 1 to 64");
        }
        if bind.is_unspecified() && advertised.is_none() {
            bail!(
                "rtp.bind is {bind}, which no peer can send to: name the address in rtp.advertised"
            );
        }
        let participants = self.limits.max_participants;
        if !(2..=250).contains(&participants) {
            bail!("limits.max_participants is {participants}: give 2 to 250");
        }
        if self.limits.account_stories == Some(0) {
            bail!(
                "limits.account_stories is 0, so that no account could run a flow: give 1 or more, or leave it out"
            );
        }
        let memory_mib = self.limits.account_memory_mib;
        if memory_mib < LEAST_ACCOUNT_MEMORY_MIB {
            bail!(
                "limits.account_memory_mib is {memory_mib}: give {LEAST_ACCOUNT_MEMORY_MIB} or more, which is what one interpreter may take"
            );
        }
        if self.limits.max_interpreted > MAX_INTERPRETED {
            bail!(
                "limits.max_interpreted is {}: give 0 to {MAX_INTERPRETED}",
                self.limits.max_interpreted
            );
        }
        self.api.check()?;
        self.recording.check()?;
        self.speech.check()?;
        self.sip.check()
    }
}

/// Lays `SECTION_KEY=value` over the table. A value that is TOML counts as such, anything else as a string.
fn overlay(table: &mut toml::Table, name: &str, value: &str) {
    let name = name.to_lowercase();
    let value = value
        .parse::<toml::Value>()
        .ok()
        .filter(|value| !value.is_datetime())
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    const SECTIONS: [&str; 9] = [
        "sip",
        "rtp",
        "dns",
        "api",
        "egress",
        "recording",
        "speech",
        "limits",
        "log",
    ];
    let section = SECTIONS
        .iter()
        .find_map(|section| Some((section, name.strip_prefix(section)?.strip_prefix('_')?)));
    match section {
        Some((section, key)) => {
            let entry = table
                .entry(*section)
                .or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let Some(section) = entry.as_table_mut() {
                section.insert(key.to_owned(), value);
            }
        }
        None => {
            table.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests;
