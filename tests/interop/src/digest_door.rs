//! lighttpd in front of an application: whoever asks must prove a user name and a password by digest (RFC 7616).

use std::fs;
use std::process::Command;
use std::time::Duration;

use md5::{Digest as _, Md5};
use sha2::Sha256;
use tempfile::TempDir;

use crate::process::Process;
use crate::{needs, ports};

/// What has to be proved. A URL writes them with `%20` and `%40`.
const USER: &str = "us er";
const PASSWORD: &str = "p@ss";
const REALM: &str = "app";

/// A hash of digest authentication.
#[derive(Debug, Clone, Copy)]
pub enum Hash {
    /// What most servers ask for.
    Md5,
    /// The one of RFC 7616.
    Sha256,
}

/// A running lighttpd. Dropping it ends it.
#[derive(Debug)]
pub struct DigestDoor {
    _process: Process,
    _folder: TempDir,
    port: u16,
}

impl DigestDoor {
    /// One in front of an application with this URL, such as `http://127.0.0.1:8000/`.
    #[must_use]
    pub fn in_front_of(application: &str, hash: Hash) -> Self {
        let folder = tempfile::tempdir().expect("a folder for lighttpd's files");
        let port = ports::free();
        let login = format!("{USER}:{REALM}:{PASSWORD}");
        let (algorithm, hashed) = match hash {
            Hash::Md5 => ("MD5", hex(&Md5::digest(login))),
            Hash::Sha256 => ("SHA-256", hex(&Sha256::digest(login))),
        };
        let users = folder.path().join("users");
        let line = format!("{USER}:{REALM}:{hashed}\n");
        fs::write(&users, line).expect("the folder can be written to");
        let authority = application.trim_start_matches("http://");
        let authority = authority.trim_end_matches('/');
        let (host, its_port) = authority.split_once(':').expect("a URL with a port");
        let config = format!(
            r#"server.modules = ("mod_auth", "mod_authn_file", "mod_proxy")
server.document-root = "{folder}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "/dev/stderr"
auth.backend = "htdigest"
auth.backend.htdigest.userfile = "{users}"
auth.require = ("/" => ("method" => "digest", "algorithm" => "{algorithm}", "realm" => "{REALM}", "require" => "valid-user"))
proxy.server = ("" => (("host" => "{host}", "port" => {its_port})))
"#,
            folder = folder.path().display(),
            users = users.display(),
        );
        let path = folder.path().join("lighttpd.conf");
        fs::write(&path, config).expect("the folder can be written to");
        let mut command = Command::new(needs::program("lighttpd", "lighttpd"));
        command.arg("-D").arg("-f").arg(&path);
        let output = folder.path().join("output.txt");
        let mut process = Process::start("lighttpd", &mut command, &output);
        process.wait_for_line("server started", Duration::from_secs(20));
        Self {
            _process: process,
            _folder: folder,
            port,
        }
    }

    /// The URL of a path, with what opens the door.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        self.url_with_password(path, "p%40ss")
    }

    /// The same with another password.
    #[must_use]
    pub fn url_with_password(&self, path: &str, password: &str) -> String {
        format!("http://us%20er:{password}@127.0.0.1:{}{path}", self.port)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
