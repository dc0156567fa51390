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
mod tests {
    use super::*;

    fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::parse(text, environment).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        assert_eq!(parse("", &[]).unwrap().sip.bind[0].port(), 5060);
    }

    #[test]
    fn the_shipped_example_is_usable() {
        let example = include_str!("../../../examples/first-call/jackfield.toml");
        parse(example, &[]).unwrap();
    }

    #[test]
    fn environment_wins() {
        let config = parse(
            "[sip]\nbind = \"127.0.0.1:5070\"",
            &[
                ("JACKFIELD_SIP_BIND", "127.0.0.1:5090"),
                ("JACKFIELD_DATA_DIR", "/tmp/x"),
                ("JACKFIELD_LIMITS_MAX_CALLS", "7"),
                ("HOME", "/root"),
            ],
        )
        .unwrap();
        assert_eq!(config.sip.bind[0].port(), 5090);
        assert_eq!(config.data_dir, Path::new("/tmp/x"));
        assert_eq!(config.limits.max_calls, 7);
    }

    #[test]
    fn dns_servers_have_a_port_or_the_usual_one() {
        let expected = ["192.0.2.53:53", "127.0.0.1:5353", "[2001:db8::53]:53"]
            .map(|address| NameServer(address.parse().unwrap()));
        let list = r#"["192.0.2.53", "127.0.0.1:5353", "2001:db8::53"]"#;
        for config in [
            parse(&format!("[dns]\nservers = {list}"), &[]),
            parse("", &[("JACKFIELD_DNS_SERVERS", list)]),
        ] {
            assert_eq!(config.unwrap().dns.servers, expected);
        }
    }

    #[test]
    fn one_address_or_several() {
        for (value, expected) in [
            ("\"127.0.0.1:5070\"", vec!["127.0.0.1:5070"]),
            (
                "[\"127.0.0.1:5070\", \"[::1]:5070\"]",
                vec!["127.0.0.1:5070", "[::1]:5070"],
            ),
        ] {
            let expected: Addresses = expected
                .into_iter()
                .map(|address| address.parse().unwrap())
                .collect();
            let file = parse(&format!("[sip]\nbind = {value}"), &[]).unwrap();
            assert_eq!(file.sip.bind, expected);
            let variable = parse("", &[("JACKFIELD_SIP_BIND", value)]).unwrap();
            assert_eq!(variable.sip.bind, expected);
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_or_variable() {
        type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);
        let cases: &[Case<'_>] = &[
            ("[sip]\nbnid = \"x\"", &[], &["line 2", "bnid", "bind"]),
            (
                "[sip]\nbind = \"localhost\"",
                &[],
                &["line 2", "socket address"],
            ),
            (
                "[rtp]\nport_min = 10\nport_max = 10",
                &[],
                &["rtp.port_min"],
            ),
            ("[sip]\nbind = \"0.0.0.0:5060\"", &[], &["sip.advertised"]),
            (
                "[dns]\nservers = [\"ns.example\"]",
                &[],
                &["line 2", "ns.example", "192.0.2.53"],
            ),
            (
                "[sip]\nbind = [\"0.0.0.0:5060\", \"[::]:5060\"]\nadvertised = \"192.0.2.1:5060\"",
                &[],
                &["[::]:5060", "sip.advertised"],
            ),
            ("[sip]\nbind = []", &[], &["sip.bind is empty"]),
            (
                "[sip]\ntls_bind = \"127.0.0.1:5061\"",
                &[],
                &["sip.tls_certificate", "sip.tls_key"],
            ),
            (
                "[sip]\nwss_bind = \"127.0.0.1:443\"\ntls_certificate = \"a.pem\"",
                &[],
                &["sip.tls_key"],
            ),
            (
                "[sip]\ntls_client_ca = \"ca.pem\"",
                &[],
                &["sip.tls_client_ca", "sip.tls_bind"],
            ),
            (
                "[sip]\nws_bind = \"0.0.0.0:80\"",
                &[],
                &["sip.ws_bind", "sip.ws_advertised"],
            ),
            ("[sip]\nmax_connections = 0", &[], &["sip.max_connections"]),
            (
                "[recording]\nmax_length_s = 100_000",
                &[],
                &["recording.max_length_s", "86,400"],
            ),
            (
                "[recording]\ns3_prefix = \"a\"",
                &[],
                &["recording.s3_bucket is missing"],
            ),
            (
                "[recording]\ns3_bucket = \"Calls\"",
                &[],
                &["recording.s3_bucket", "a-z"],
            ),
            (
                "[recording]\ns3_bucket = \"calls\"",
                &[],
                &["recording.s3_access_key_id", "required"],
            ),
            (
                "[recording]\ns3_bucket = \"calls\"\ns3_access_key_id = \"a\"\ns3_secret_access_key = \"b\"\ns3_endpoint = \"minio\"",
                &[],
                &["recording.s3_endpoint", "https://"],
            ),
            (
                "[recording]\nmax_mib_per_account = 1\ns3_bucket = \"calls\"\ns3_access_key_id = \"a\"\ns3_secret_access_key = \"b\"",
                &[],
                &["recording.max_mib_per_account", "one of them"],
            ),
            (
                "[api]\npublic_url = \"voice.example\"",
                &[],
                &["api.public_url", "https://"],
            ),
            (
                "[limits]\nmax_participants = 251",
                &[],
                &["limits.max_participants", "250"],
            ),
            (
                "[limits]\naccount_stories = 0",
                &[],
                &["limits.account_stories", "1 or more"],
            ),
            (
                "[limits]\naccount_memory_mib = 255",
                &[],
                &["limits.account_memory_mib", "256 or more"],
            ),
            (
                "[limits]\nmax_interpreted = 1001",
                &[],
                &["limits.max_interpreted", "0 to 1000"],
            ),
            (
                "[speech]\norder = [\"espeak\"]",
                &[],
                &["speech.order", "espeak-ng"],
            ),
            (
                "",
                &[("JACKFIELD_SIP_BIND", "nowhere")],
                &["JACKFIELD_SIP_BIND", "nowhere"],
            ),
            (
                "",
                &[("JACKFIELD_SPI_BIND", "1")],
                &["JACKFIELD_SPI_BIND", "spi_bind"],
            ),
        ];
        for &(text, environment, wanted) in cases {
            let error = parse(text, environment).unwrap_err();
            for part in wanted {
                assert!(
                    error.contains(part),
                    "{text:?} {environment:?}: `{part}` is not in: {error}"
                );
            }
        }
    }
}
