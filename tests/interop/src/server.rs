//! `jackfield serve` with a data folder, ports and tenants of its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use tempfile::TempDir;

use crate::certificates::Certificates;
use crate::needs;
use crate::process::Process;
use crate::rest::{self, Rest};
use crate::{audio, ports, ready_made};

const ACCOUNT_SID: &str = "AC00000000000000000000000000000001";
const AUTH_TOKEN: &str = "a-token-that-only-these-tests-know";
/// The first start with a data folder compiles the flows: a second on an idle machine.
const READY_LIMIT: Duration = Duration::from_secs(90);
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A prompt of `examples/first-call`, which is also what the tests' account plays from.
#[must_use]
pub fn prompt(name: &str) -> Vec<i16> {
    audio::read_wav(&prompt_path(name))
}

/// Where that prompt is.
#[must_use]
pub fn prompt_path(name: &str) -> PathBuf {
    media_dir().join("prompts").join(name).with_extension("wav")
}

fn media_dir() -> PathBuf {
    needs::workspace().join("examples/first-call/media")
}

/// What a number does, in the words of the tenants file.
#[derive(Debug, Clone)]
pub enum Flow {
    /// A bundled component.
    Component(&'static str),
    /// `TwiML` from a web application.
    VoiceUrl(String),
    /// One `TwiML` document.
    Twiml(String),
}

/// The tenants of one test: one account of one carrier with one trunk.
#[derive(Debug, Clone, Default)]
pub struct Tenants {
    /// Where the trunk takes calls.
    pub callee: Option<SocketAddr>,
    /// Where the trunk's calls come from; none for loopback's 127.0.0.1.
    pub source: Option<IpAddr>,
    /// What lies between us and the trunk: keys of its `nat` table.
    pub nat: String,
    /// The account's numbers.
    pub numbers: Vec<(&'static str, Flow)>,
    /// Lines of the trunk's table in place of all of the above: `targets`, `nat`, and tables of its own.
    pub trunk: Option<String>,
    /// Further lines of the account's table, such as its grants.
    pub account: String,
    /// Who is told how the calls to the account's numbers end.
    pub status_callback: Option<String>,
    /// A second account of the same carrier.
    pub uploads: Option<Uploads>,
}

/// An account whose flows are components of its own.
#[derive(Debug, Clone)]
pub struct Uploads {
    /// Each with its number.
    pub components: Vec<(&'static str, Vec<u8>)>,
    /// The document that takes over when one of them breaks.
    pub fallback: Option<&'static str>,
    /// The account's grants: [`ALL_GRANTS`], or less.
    pub grants: &'static str,
}

/// Grants that leave nothing out.
pub const ALL_GRANTS: &str =
    "{ hosts = [\"*\"], dial = [\"*\"], settings = [\"*\"], key-value = true }";

impl Uploads {
    fn to_toml(&self) -> String {
        let fallback = self.fallback.map_or_else(String::new, |document| {
            format!("fallback = {{ twiml = '''{document}''' }}\n")
        });
        let mut text = format!(
            "\n[[account]]\n\
             carrier = \"interop\"\n\
             name = \"uploads\"\n\
             media_dir = \"{}\"\n\
             outbound = {{ allow = [\"+1500555\"], max_channels = 50, calls_per_second = 50.0 }}\n\
             grants = {grants}\n\
             {fallback}",
            media_dir().display(),
            grants = self.grants
        );
        for (number, _) in &self.components {
            text.push_str(&format!(
                "\n[[component]]\naccount = \"uploads\"\nname = \"flow-{number}\"\nfile = \"{number}.wasm\"\n\
                 \n[[number]]\nnumber = \"{number}\"\naccount = \"uploads\"\nflow = \"flow-{number}\"\n"
            ));
        }
        text
    }
}

/// Whom the account calls, where its own lines say nothing of that.
const OUTBOUND: &str = "outbound = { allow = [\"+1500555\", \"sip:\", \"client:gateway-1\"], max_channels = 50, calls_per_second = 50.0 }\n";

impl Tenants {
    /// An account with these numbers.
    #[must_use]
    pub fn with_numbers(numbers: Vec<(&'static str, Flow)>) -> Self {
        Self {
            numbers,
            ..Self::default()
        }
    }

    /// An account whose outbound calls to `+1500555…` reach `callee`.
    #[must_use]
    pub fn calling(callee: SocketAddr) -> Self {
        Self {
            callee: Some(callee),
            numbers: vec![("1000", Flow::Component("menu"))],
            ..Self::default()
        }
    }

    /// An account with these numbers, whose trunk is described by `trunk`: lines of its table.
    #[must_use]
    pub fn over_trunk(trunk: &str, numbers: Vec<(&'static str, Flow)>) -> Self {
        Self {
            trunk: Some(trunk.to_owned()),
            ..Self::with_numbers(numbers)
        }
    }

    /// The same tenants, and the trunk's calls come from `source`.
    #[must_use]
    pub fn from_source(self, source: impl Into<IpAddr>) -> Self {
        Self {
            source: Some(source.into()),
            ..self
        }
    }

    /// The same tenants, with these keys in the trunk's `nat` table.
    #[must_use]
    pub fn with_nat(self, nat: &str) -> Self {
        Self {
            nat: nat.to_owned(),
            ..self
        }
    }

    /// The same tenants, and `url` is told how the calls to their numbers end.
    #[must_use]
    pub fn telling(self, url: &str) -> Self {
        Self {
            status_callback: Some(url.to_owned()),
            ..self
        }
    }

    /// Where the trunk is, as lines of its table.
    fn whereabouts(&self) -> String {
        if let Some(trunk) = &self.trunk {
            return trunk.clone();
        }
        let target = self
            .callee
            .map(|callee| format!("target = \"{callee}\"\n"))
            .unwrap_or_default();
        let source = self.source.unwrap_or(Ipv4Addr::LOCALHOST.into());
        let nat = match self.nat.as_str() {
            "" => String::new(),
            keys => format!("nat = {{ {keys} }}\n"),
        };
        format!("sources = [\"{source}\"]\n{target}{nat}")
    }

    fn to_toml(&self) -> String {
        let trunk = self.whereabouts();
        // Behind its own lines may come other tables.
        let own = trunk.split("[[").next().unwrap_or_default();
        let has_channels = own.contains("max_channels");
        let mut text = format!(
            "[[carrier]]\n\
             id = \"interop\"\n\
             name = \"Interop\"\n\n\
             [[account]]\n\
             sid = \"{ACCOUNT_SID}\"\n\
             carrier = \"interop\"\n\
             name = \"tests\"\n\
             auth_token = \"{AUTH_TOKEN}\"\n\
             media_dir = \"{}\"\n\
             egress = {{ allow = [\"127.0.0.0/8\"] }}\n\
             {outbound}\
             {account}\n\n\
             [[trunk]]\n\
             id = \"peer\"\n\
             carrier = \"interop\"\n\
             {channels}\
             calls_per_second = 50.0\n\
             {trunk}",
            media_dir().display(),
            channels = if has_channels {
                ""
            } else {
                "max_channels = 50\n"
            },
            outbound = match self.account.contains("outbound = ") {
                true => "",
                false => OUTBOUND,
            },
            account = self.account
        );
        for (number, flow) in &self.numbers {
            let flow = match flow {
                Flow::Component(name) => format!("flow = \"{name}\""),
                Flow::VoiceUrl(url) => format!("voice_url = \"{url}\""),
                Flow::Twiml(document) => format!("twiml = '''{document}'''"),
            };
            text.push_str(&format!(
                "\n[[number]]\nnumber = \"{number}\"\naccount = \"tests\"\n{flow}\n"
            ));
            if let Some(url) = &self.status_callback {
                text.push_str(&format!("status_callback = \"{url}\"\n"));
            }
        }
        if let Some(uploads) = &self.uploads {
            text.push_str(&uploads.to_toml());
        }
        text
    }
}

/// Where a server is, and where it says it is.
#[derive(Debug, Clone)]
pub struct Place {
    bind: Ipv4Addr,
    sip_settings: String,
    speech_settings: String,
    recording_settings: String,
    egress_settings: String,
    api_settings: String,
    dns: Option<SocketAddr>,
    sip_port: u16,
    advertised: Option<Ipv4Addr>,
    rtp_ports: (u16, u16),
}

impl Place {
    /// On loopback, with ports that no other server of the tests has.
    #[must_use]
    pub fn on_loopback() -> Self {
        let first_port = ports::range(200);
        Self {
            bind: Ipv4Addr::LOCALHOST,
            sip_settings: String::new(),
            speech_settings: String::new(),
            recording_settings: String::new(),
            egress_settings: String::new(),
            api_settings: String::new(),
            dns: None,
            sip_port: 0,
            advertised: None,
            rtp_ports: (first_port, first_port + 199),
        }
    }

    /// There, with the same SIP port at every start, as peers expect of who answers their requests.
    #[must_use]
    pub fn keeping_its_port(self) -> Self {
        Self {
            sip_port: ports::free(),
            ..self
        }
    }

    /// On a host of its own, with the usual ports.
    #[must_use]
    pub fn at(bind: Ipv4Addr) -> Self {
        Self {
            bind,
            sip_settings: String::new(),
            speech_settings: String::new(),
            recording_settings: String::new(),
            egress_settings: String::new(),
            api_settings: String::new(),
            dns: None,
            sip_port: 5060,
            advertised: None,
            rtp_ports: (16_384, 32_767),
        }
    }

    /// There, and its peers are told another address.
    #[must_use]
    pub fn known_as(self, advertised: Ipv4Addr) -> Self {
        Self {
            advertised: Some(advertised),
            ..self
        }
    }

    /// There, with these ports for media, the first and the last.
    #[must_use]
    pub fn with_rtp_ports(self, rtp_ports: (u16, u16)) -> Self {
        Self { rtp_ports, ..self }
    }

    /// There, and names are looked up at `dns`.
    #[must_use]
    pub fn asking(mut self, dns: SocketAddr) -> Self {
        self.dns = Some(dns);
        self
    }

    /// There, with this line in the configuration's `sip` section.
    #[must_use]
    pub fn with_sip(mut self, setting: &str) -> Self {
        self.sip_settings.push_str(setting);
        self.sip_settings.push('\n');
        self
    }

    /// There, with these lines at the end of the configuration's `speech` section.
    #[must_use]
    pub fn with_speech(self, settings: &str) -> Self {
        Self {
            speech_settings: settings.to_owned(),
            ..self
        }
    }

    /// There, with these lines in the configuration's `recording` section.
    #[must_use]
    pub fn with_recording(self, settings: &str) -> Self {
        Self {
            recording_settings: settings.to_owned(),
            ..self
        }
    }

    /// There, with these lines in the configuration's `api` section.
    #[must_use]
    pub fn with_api(self, settings: &str) -> Self {
        Self {
            api_settings: settings.to_owned(),
            ..self
        }
    }

    /// There, with these lines in the configuration's `egress` section.
    #[must_use]
    pub fn with_egress(self, settings: &str) -> Self {
        Self {
            egress_settings: settings.to_owned(),
            ..self
        }
    }

    /// There, and it speaks SIP over TLS too, with these files.
    #[must_use]
    pub fn with_tls(self, certificates: &Certificates) -> Self {
        let sip_settings = format!(
            "tls_bind = \"{}:0\"\ntls_certificate = \"{}\"\ntls_key = \"{}\"\ntls_roots = \"{}\"\n",
            self.bind,
            certificates.certificate.display(),
            certificates.key.display(),
            certificates.authority.display(),
        );
        Self {
            sip_settings,
            ..self
        }
    }

    fn to_toml(&self) -> String {
        let Self {
            bind,
            sip_settings,
            sip_port,
            rtp_ports: (first, last),
            ..
        } = self;
        let [sip_advertised, rtp_advertised] = match self.advertised {
            Some(address) => [
                format!("advertised = \"{address}:{sip_port}\"\n"),
                format!("advertised = \"{address}\"\n"),
            ],
            None => [String::new(), String::new()],
        };
        let dns = self.dns.map_or_else(String::new, |server| {
            format!("[dns]\nservers = [\"{server}\"]\n")
        });
        format!(
            "[sip]\nbind = \"{bind}:{sip_port}\"\n{sip_advertised}{sip_settings}{dns}\
             [rtp]\nbind = \"{bind}\"\n{rtp_advertised}port_min = {first}\nport_max = {last}\n"
        )
    }
}

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    process: Process,
    /// Where it speaks SIP.
    pub sip: SocketAddr,
    /// Where it speaks SIP over TLS, if it does.
    pub tls: Option<SocketAddr>,
    /// Where it serves REST.
    pub api: SocketAddr,
    folder: TempDir,
}

impl Server {
    /// Loads the tenants, starts the server on loopback and waits until it is ready.
    #[must_use]
    pub fn start(tenants: &Tenants) -> Self {
        Self::start_at(Place::on_loopback(), tenants)
    }

    /// Loads the tenants, starts the server and waits until it is ready.
    #[must_use]
    pub fn start_at(place: Place, tenants: &Tenants) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the server");
        let config = write_files(folder.path(), &place, tenants);
        let data = folder.path().join("data");
        ready_made::lend(&data);

        let (applied, said) = apply(&config);
        assert!(
            applied.success(),
            "jackfield apply failed ({applied}):\n{said}"
        );

        let (process, [sip, api], tls) = serve(&config, &folder.path().join("serve.log"));
        ready_made::keep(&data);
        Self {
            process,
            sip,
            tls,
            api,
            folder,
        }
    }

    /// Kills it as `kill -9` does, and starts it anew with what it left.
    pub fn kill_and_start_again(&mut self) {
        self.process.kill();
        self.start_again();
    }

    /// Stops it with SIGTERM, waits until it has ended, and starts it anew with what it left.
    pub fn stop_and_start_again(&mut self) {
        self.process.terminate();
        self.process.wait(STOP_LIMIT);
        self.start_again();
    }

    /// Waits until it has stopped, as it was asked to, and starts it anew with what it left.
    pub fn start_again_once_stopped(&mut self) {
        self.process.wait(STOP_LIMIT);
        self.start_again();
    }

    fn start_again(&mut self) {
        let folder = self.folder.path();
        let again = serve(
            &folder.join("jackfield.toml"),
            &folder.join("serve-again.log"),
        );
        (self.process, [self.sip, self.api], self.tls) = again;
    }

    /// The account's API user.
    #[must_use]
    pub fn rest(&self) -> Rest {
        Rest {
            address: self.api,
            account_sid: ACCOUNT_SID.to_owned(),
            auth_token: AUTH_TOKEN.to_owned(),
        }
    }

    /// Files of recordings in its data folder.
    #[must_use]
    pub fn recording_files(&self) -> usize {
        self.files_of_accounts("recordings")
    }

    /// Files that accounts can play, hidden ones too.
    #[must_use]
    pub fn media_files(&self) -> usize {
        self.files_of_accounts("media")
    }

    /// Files in the accounts' folders of that kind, in its data folder.
    fn files_of_accounts(&self, kind: &str) -> usize {
        let folder = self.folder.path().join("data").join(kind);
        let accounts = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let files = accounts.filter_map(|account| std::fs::read_dir(account.path()).ok());
        files.map(Iterator::count).sum()
    }

    /// The memory it holds, in KiB.
    #[must_use]
    pub fn resident_kib(&self) -> u64 {
        self.process.resident_kib()
    }

    /// How many files and sockets it has open.
    #[must_use]
    pub fn open_files(&self) -> usize {
        self.process.open_files()
    }

    /// Lets it have at most so many files and sockets open.
    pub fn limit_open_files(&self, limit: usize) {
        self.process.limit_open_files(limit);
    }

    /// What the operator shows to the API.
    #[must_use]
    pub fn operator_token(&self) -> String {
        let token = std::fs::read_to_string(self.folder.path().join("data/operator.token"));
        let token = token.expect("a server makes its operator's token");
        token.trim().to_owned()
    }

    /// One of the process's numbers, by its name without `jackfield_`.
    #[must_use]
    pub fn metric(&self, name: &str) -> u64 {
        let page = rest::operator_page(self.api, "/operator/v1/metrics", &self.operator_token());
        let prefix = format!("jackfield_{name} ");
        page.lines()
            .find_map(|line| line.strip_prefix(&prefix)?.parse().ok())
            .unwrap_or_else(|| panic!("no {name} in {page}"))
    }

    /// What `jackfield status` says.
    #[must_use]
    pub fn status(&self) -> String {
        self.operate(&["status"])
    }

    /// What a command beside the server prints, such as `accounts list`.
    #[must_use]
    pub fn operate(&self, arguments: &[&str]) -> String {
        let output = Command::new(binary())
            .args(arguments)
            .arg("--config")
            .arg(self.folder.path().join("jackfield.toml"))
            .env("JACKFIELD_API_BIND", self.api.to_string())
            .output()
            .expect("jackfield can be run");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "jackfield {arguments:?} failed:\n{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        text
    }

    /// What it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.output()
    }

    /// Asks it to stop when its calls are over, with SIGTERM, and waits until it has begun to.
    pub fn drain(&mut self) {
        self.process.terminate();
        self.process.wait_for_line("stopping:", STOP_LIMIT);
    }

    /// Stops it with SIGTERM, and asserts that it ends by itself and in order.
    pub fn stop(mut self) {
        self.process.terminate();
        let status = self.process.wait(STOP_LIMIT);
        assert!(
            status.success(),
            "jackfield ended with {status}:\n{}",
            self.process.output()
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the server's log ---\n{}", self.process.output());
        }
    }
}

/// What `jackfield apply` says where it refuses these tenants.
///
/// # Panics
/// If it takes them.
#[must_use]
pub fn refusal(tenants: &Tenants) -> String {
    let folder = tempfile::tempdir().expect("a folder for the server");
    let config = write_files(folder.path(), &Place::on_loopback(), tenants);
    let (applied, said) = apply(&config);
    assert!(!applied.success(), "jackfield apply took them:\n{said}");
    said
}

/// Applies the tenants file beside the configuration: how that ended, and what was said.
fn apply(config: &Path) -> (ExitStatus, String) {
    let mut apply = command("apply", config);
    apply.arg(config.with_file_name("tenants.toml"));
    let log = config.with_file_name("apply.log");
    let mut apply = Process::start("jackfield apply", &mut apply, &log);
    (apply.wait(READY_LIMIT), apply.output())
}

/// Starts the server and waits until it is ready: where it speaks SIP and REST, and SIP over TLS.
fn serve(config: &Path, log: &Path) -> (Process, [SocketAddr; 2], Option<SocketAddr>) {
    let mut process = Process::start("jackfield serve", &mut command("serve", config), log);
    let ready = process.wait_for_line("ready sip=", READY_LIMIT);
    let address = |key| {
        address_of(&ready, key).unwrap_or_else(|| panic!("no {key} in the ready line: {ready}"))
    };
    let addresses = [address("sip="), address("api=")];
    (process, addresses, address_of(&ready, "tls="))
}

fn write_files(folder: &Path, place: &Place, tenants: &Tenants) -> PathBuf {
    let flite = needs::workspace().join("var/voices/flite.wasm");
    let flite = if flite.is_file() {
        format!("flite = \"{}\"\n", flite.display())
    } else {
        String::new()
    };
    let speech = format!("[speech]\n{flite}{}", place.speech_settings);
    let egress = match place.egress_settings.as_str() {
        "" => String::new(),
        settings => format!("[egress]\n{settings}\n"),
    };
    let config = format!(
        "data_dir = \"{}\"\n\
         {}\
         [api]\nbind = \"127.0.0.1:0\"\n{}\n\
         [log]\nfilter = \"debug,wasmtime=warn,cranelift=warn\"\n\
         [recording]\n{}\
         {egress}\
         {speech}",
        folder.join("data").display(),
        place.to_toml(),
        place.api_settings,
        place.recording_settings,
    );
    let path = folder.join("jackfield.toml");
    for (path, text) in [
        (&path, config),
        (&folder.join("tenants.toml"), tenants.to_toml()),
    ] {
        std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    for (number, component) in tenants
        .uploads
        .iter()
        .flat_map(|uploads| &uploads.components)
    {
        let file = folder.join(number).with_extension("wasm");
        std::fs::write(&file, component)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    path
}

/// `jackfield VERB --config CONFIG`, with none of the developer's own settings about it.
fn command(verb: &str, config: &Path) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("JACKFIELD_"))
    {
        command.env_remove(name);
    }
    command.arg(verb).arg("--config").arg(config);
    command
}

/// The binary under test: `INTEROP_BINARY`, or what cargo built beside this test.
///
/// # Panics
/// If it is not built.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("INTEROP_BINARY") {
        return path.into();
    }
    let test = std::env::current_exe().expect("a running program has a path");
    let built = test
        .ancestors()
        .nth(2)
        .expect("tests lie in target/debug/deps")
        .join("jackfield");
    assert!(
        built.is_file(),
        "{} is not built: run `cargo build` first (./test does)",
        built.display()
    );
    built
}

fn address_of(ready: &str, key: &str) -> Option<SocketAddr> {
    ready
        .split_whitespace()
        .find_map(|word| word.strip_prefix(key)?.parse().ok())
}
