//! baresip as a softphone: dials, sends a recording, keeps what it hears.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::audio;
use crate::needs;
use crate::ports;
use crate::process::{Process, eventually};

/// A softphone. Dropping it ends the process.
#[derive(Debug)]
pub struct Softphone {
    process: Process,
    control: TcpStream,
    folder: TempDir,
}

/// Who registers, and whom it trusts.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// Its name at the server.
    pub user: &'a str,
    /// What proves it.
    pub password: &'a str,
    /// The authorities that vouch for a server over TLS.
    pub ca: Option<&'a Path>,
    /// How its audio is encrypted, as in [`Softphone::call_encrypted`].
    pub encryption: Option<&'a str>,
}

impl Softphone {
    /// Dials `number` at `server` with one codec (`PCMU`, `PCMA`, `G722` or `opus`) and waits for the answer. `speech` is what it says; silence
    /// follows, as baresip hangs up where its recording ends.
    #[must_use]
    pub fn call(server: SocketAddr, number: &str, codec: &str, speech: &[i16]) -> Self {
        Self::call_from(Ipv4Addr::LOCALHOST, server, number, codec, speech)
    }

    /// As [`Self::call`], from another of this host's addresses.
    #[must_use]
    pub fn call_from(
        address: Ipv4Addr,
        server: SocketAddr,
        number: &str,
        codec: &str,
        speech: &[i16],
    ) -> Self {
        let account = unregistered(address, codec);
        let mut phone = Self::start(address, &account, speech, "");
        phone.dial(&format!("sip:{number}@{server}"));
        phone
    }

    /// As [`Self::call`], over TCP.
    #[must_use]
    pub fn call_over_tcp(server: SocketAddr, number: &str, codec: &str, speech: &[i16]) -> Self {
        let address = Ipv4Addr::LOCALHOST;
        let mut phone = Self::start(address, &unregistered(address, codec), speech, "");
        phone.dial(&format!("sip:{number}@{server};transport=tcp"));
        phone
    }

    /// As [`Self::call`], over TLS to a server that the authorities in `ca` vouch for.
    #[must_use]
    pub fn call_over_tls(
        server: SocketAddr,
        ca: &Path,
        number: &str,
        codec: &str,
        speech: &[i16],
    ) -> Self {
        let address = Ipv4Addr::LOCALHOST;
        let account = unregistered(address, codec);
        let mut phone = Self::start(address, &account, speech, &trusting(ca));
        phone.dial(&format!("sip:{number}@{server};transport=tls"));
        phone
    }

    /// As [`Self::call_over_tls`], with audio encrypted as a module of baresip does it: `srtp-mand` (RTP/SAVP) or `srtp`
    /// (RTP/AVP with a key).
    #[must_use]
    pub fn call_encrypted(
        server: SocketAddr,
        ca: &Path,
        number: &str,
        codec: &str,
        encryption: &str,
    ) -> Self {
        let address = Ipv4Addr::LOCALHOST;
        let account = unregistered(address, codec);
        let account = format!("{};mediaenc={encryption}\n", account.trim_end());
        let mut phone = Self::start(address, &account, &[], &trusting(ca));
        phone.dial(&format!("sip:{number}@{server};transport=tls"));
        phone
    }

    /// Registers with a server that lets it in by password, and waits until it has.
    #[must_use]
    pub fn registered(server: SocketAddr, transport: &str, login: &Login<'_>) -> Self {
        let address = Ipv4Addr::LOCALHOST;
        let Login {
            user,
            password,
            ca,
            encryption,
        } = login;
        let encryption = encryption.map_or_else(String::new, |name| format!(";mediaenc={name}"));
        let account = format!(
            "<sip:{user}@{server};transport={transport}>;auth_user={user};auth_pass={password};regint=60;audio_codecs=PCMA/8000/1{encryption}\n"
        );
        let settings = ca.map(trusting).unwrap_or_default();
        let mut phone = Self::start(address, &account, &[], &settings);
        phone
            .process
            .wait_for_line("200 OK () [1 binding]", Duration::from_secs(20));
        phone
    }

    /// Waits for a call and takes it.
    pub fn answer(&mut self) {
        self.process
            .wait_for_line("Incoming call", Duration::from_secs(20));
        self.command(r#"{"command":"accept"}"#);
    }

    /// Dials a URI and waits for the answer.
    pub fn dial(&mut self, uri: &str) {
        self.command(&format!(r#"{{"command":"dial","params":"{uri}"}}"#));
        self.process
            .wait_for_line("Call established", Duration::from_secs(20));
    }

    fn start(address: Ipv4Addr, account: &str, speech: &[i16], settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for baresip's files");
        let control_port = ports::free();
        configure(&folder, address, control_port, account, speech, settings);
        let process = Process::start(
            "baresip",
            Command::new(needs::program("baresip", "baresip-core"))
                .arg("-f")
                .arg(folder.path()),
            &folder.path().join("output.txt"),
        );
        let control = eventually("baresip takes commands", Duration::from_secs(20), || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, control_port)).ok()
        });
        Self {
            process,
            control,
            folder,
        }
    }

    /// Presses a key: baresip sends it as RFC 4733 events.
    pub fn press(&mut self, key: char) {
        self.command(&format!(r#"{{"command":"sndcode","params":"{key}"}}"#));
    }

    /// Waits for one of its lines.
    pub fn expect(&mut self, line: &str, limit: Duration) {
        self.process.wait_for_line(line, limit);
    }

    /// Hangs up.
    pub fn hang_up(&mut self) {
        self.command(r#"{"command":"hangup"}"#);
    }

    /// Waits until the call is over, whoever ended it, and returns what was heard from its beginning to its end.
    #[must_use]
    pub fn finish(mut self, limit: Duration) -> Vec<i16> {
        self.process.wait_for_line("terminated (duration", limit);
        self.command(r#"{"command":"quit"}"#);
        self.process.wait(Duration::from_secs(10));
        audio::read_wav(&self.recording())
    }

    /// Commands are JSON in netstrings.
    fn command(&mut self, json: &str) {
        write!(self.control, "{}:{json},", json.len())
            .expect("baresip takes commands while it runs");
    }

    /// The one file of what was decoded in this call.
    fn recording(&self) -> PathBuf {
        fs::read_dir(self.folder.path())
            .expect("baresip's folder is there")
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .find(|path| path.to_string_lossy().ends_with("-dec.wav"))
            .unwrap_or_else(|| panic!("baresip recorded nothing:\n{}", self.process.output()))
    }
}

/// An account that is registered nowhere.
fn unregistered(address: Ipv4Addr, codec: &str) -> String {
    let rate = match codec {
        "opus" => "48000/2",
        "G722" => "16000/1",
        _ => "8000/1",
    };
    format!("<sip:softphone@{address}>;regint=0;audio_codecs={codec}/{rate}\n")
}

/// Settings that trust these authorities, and ask servers to prove themselves.
fn trusting(ca: &Path) -> String {
    format!("sip_cafile {}\nsip_verify_server yes\n", ca.display())
}

fn configure(
    folder: &TempDir,
    address: Ipv4Addr,
    control_port: u16,
    account: &str,
    speech: &[i16],
    settings: &str,
) {
    const MINUTE: usize = 60 * 8_000;
    let modules = needs::file(
        &[
            "/usr/lib/baresip/modules",
            "/usr/lib/x86_64-linux-gnu/baresip/modules",
            "/usr/local/lib/baresip/modules",
        ],
        "baresip-core",
    );
    let mut said = speech.to_vec();
    said.resize(speech.len() + MINUTE, 0);
    let says = folder.path().join("says.wav");
    audio::write_wav(&says, &said);

    let first_port = ports::range(20);
    let config = format!(
        "sip_listen {address}:0\n\
         net_interface {address}\n\
         audio_source aufile,{says}\n\
         audio_player aubridge,nil\n\
         audio_alert aubridge,nil\n\
         ausrc_srate 8000\n\
         auplay_srate 8000\n\
         ausrc_channels 1\n\
         auplay_channels 1\n\
         rtp_ports {first_port}-{last_port}\n\
         jitter_buffer_delay 1-5\n\
         snd_path {folder}\n\
         ctrl_tcp_listen 127.0.0.1:{control_port}\n\
         module_path {modules}\n\
         module g711.so\n\
         module g722.so\n\
         module opus.so\n\
         opus_inbandfec yes\n\
         module aufile.so\n\
         module aubridge.so\n\
         module sndfile.so\n\
         module srtp.so\n\
         module_tmp account.so\n\
         module_app menu.so\n\
         module_app ctrl_tcp.so\n\
         {settings}",
        says = says.display(),
        last_port = first_port + 19,
        folder = folder.path().display(),
        modules = modules.display(),
    );
    for (name, text) in [
        ("config", config),
        ("accounts", account.to_owned()),
        ("contacts", String::new()),
    ] {
        fs::write(folder.path().join(name), text).expect("baresip's folder can be written");
    }
}
