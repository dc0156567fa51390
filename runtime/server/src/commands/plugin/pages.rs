//! Where a TwiML call on an author's machine finds its documents: in a folder, or on a web server.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, mpsc};

use anyhow::{Context, bail};
use call::{HttpError, HttpRequest, HttpResponse};
use clap::Args;
use egress::{CookieJar, Egress, Grants, SigningKey};
use harness::Script;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::web;

/// Under which name a folder's files are asked for.
const FOLDER_HOST: &str = "twiml.invalid";
/// Requests of all calls count as those of one tenant.
const TENANT: &str = "harness";

#[derive(Debug, Args)]
pub(crate) struct WebOptions {
    /// Lets requests go to this address, block of addresses or host, which is not public: `localhost`, `127.0.0.0/8`. Any number
    /// of times.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) allow: Vec<String>,
    /// Signs requests, as the auth token of an account does.
    #[arg(
        long,
        env = "TWILIO_AUTH_TOKEN",
        hide_env_values = true,
        default_value = "harness",
        value_name = "TOKEN"
    )]
    pub(crate) auth_token: String,
}

/// The documents of TwiML calls.
pub(super) struct Pages {
    voice_url: String,
    method: &'static str,
    source: Source,
}

enum Source {
    Folder(PathBuf),
    Web(Arc<WebClient>),
}

impl Pages {
    /// Those that begin with this document: a file, or an `http` or `https` URL.
    pub(super) fn of(document: &str, get: bool, web: &WebOptions) -> anyhow::Result<Self> {
        let method = if get { "GET" } else { "POST" };
        if document.starts_with("http://") || document.starts_with("https://") {
            return Ok(Self {
                voice_url: document.to_owned(),
                method,
                source: Source::Web(Arc::new(WebClient::new(web)?)),
            });
        }
        let file = Path::new(document);
        let name = file.file_name().filter(|_| file.is_file());
        let Some(name) = name.and_then(|name| name.to_str()) else {
            bail!("{document} is neither a file nor an http or https URL");
        };
        let mut voice_url = Url::parse(&format!("http://{FOLDER_HOST}/"))?;
        voice_url.set_path(name);
        Ok(Self {
            voice_url: voice_url.into(),
            method,
            source: Source::Folder(folder_of(file).to_owned()),
        })
    }

    /// Where scripts are looked for when none are named.
    pub(super) fn scripts(&self) -> PathBuf {
        match &self.source {
            Source::Folder(folder) => folder.join("scripts"),
            Source::Web(_) => "scripts".into(),
        }
    }

    /// The script of a call that begins with the document, unless it names another one. Its own answers come before these pages.
    pub(super) fn serve(&self, script: Script) -> Script {
        let script = script
            .default_setting("voice-url", &self.voice_url)
            .default_setting("voice-method", self.method);
        match &self.source {
            Source::Folder(folder) => {
                let folder = folder.clone();
                script.web(move |request| page(&folder, &request.url))
            }
            Source::Web(client) => client.open(script),
        }
    }
}

/// A file's folder, as it was written.
fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// A file of the folder, with or without `.xml` at the end of the URL's path.
fn page(folder: &Path, url: &str) -> Result<HttpResponse, HttpError> {
    let url = Url::parse(url).map_err(|error| HttpError::InvalidUrl(error.to_string()))?;
    if url.host_str() != Some(FOLDER_HOST) {
        let folder = folder.display();
        let why =
            format!("only files of {folder} are served here: the case needs an answer for {url}");
        return Err(HttpError::Unreachable(why));
    }
    let path = percent_decode_str(url.path()).decode_utf8_lossy();
    let path = Path::new(path.trim_start_matches('/'));
    let is_inside = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let file = folder.join(path);
    let mut with_ending = file.clone().into_os_string();
    with_ending.push(".xml");
    let found = [file, with_ending.into()].into_iter().filter(|_| is_inside);
    for file in found {
        if let Ok(body) = fs::read(&file) {
            return Ok(response(200, content_type(&file), body));
        }
    }
    let body = format!("there is no {} in {}", path.display(), folder.display());
    Ok(response(404, "text/plain", body.into_bytes()))
}

fn response(status: u16, content_type: &str, body: Vec<u8>) -> HttpResponse {
    HttpResponse {
        status,
        headers: vec![("content-type".to_owned(), content_type.to_owned())],
        body,
        url: String::new(),
    }
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("mp3") => "audio/mpeg",
        Some("wav") => "audio/wav",
        Some("ogg") => "audio/ogg",
        Some("txt") => "text/plain",
        Some("json") => "application/json",
        _ => "text/xml",
    }
}

/// Real requests, on threads of their own: the call that asked stands still meanwhile, and so does its time.
pub(super) struct WebClient {
    /// There until this is dropped.
    runtime: Option<tokio::runtime::Runtime>,
    egress: Arc<Egress>,
    grants: Grants,
    key: SigningKey,
}

impl WebClient {
    pub(super) fn new(options: &WebOptions) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("cannot start the thread that asks web servers")?;
        Ok(Self {
            runtime: Some(runtime),
            egress: Arc::new(Egress::new(egress::Limits::default())),
            grants: Grants::parse(&options.allow)?,
            key: SigningKey::new(options.auth_token.clone()),
        })
    }

    /// A script whose requests go out, with cookies of their own.
    pub(super) fn open(self: &Arc<Self>, script: Script) -> Script {
        let client = Arc::clone(self);
        let cookies = Arc::new(CookieJar::default());
        script.web(move |request| client.ask(&cookies, request.clone()))
    }

    fn ask(
        &self,
        cookies: &Arc<CookieJar>,
        request: HttpRequest,
    ) -> Result<HttpResponse, HttpError> {
        let (answer, answered) = mpsc::channel();
        let (egress, grants) = (Arc::clone(&self.egress), self.grants.clone());
        let (cookies, request) = (Arc::clone(cookies), web::of_story(request, &self.key));
        let fetching = async move {
            let fetched = egress.fetch(TENANT, &grants, request, &cookies).await;
            let _ = answer.send(fetched); // nobody listens once the program ends
        };
        if let Some(runtime) = &self.runtime {
            runtime.spawn(fetching);
        }
        match answered.recv() {
            Ok(Ok(response)) => Ok(web::to_story(response)),
            Ok(Err(error)) => Err(allow_hint(web::in_call_words(error))),
            Err(_) => Err(HttpError::Unreachable(
                "the request was given up".to_owned(),
            )),
        }
    }
}

impl Drop for WebClient {
    /// The last script that has it may be dropped while a call is played, where nothing may wait for threads.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Here it is a flag that grants what an account's `egress.allow` does on a server.
fn allow_hint(error: HttpError) -> HttpError {
    match error {
        HttpError::NotGranted(why) => {
            HttpError::NotGranted(format!("{why}; here --allow grants it"))
        }
        error => error,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    pub(crate) fn options(allow: &[&str]) -> WebOptions {
        WebOptions {
            allow: allow.iter().map(|&entry| entry.to_owned()).collect(),
            auth_token: "harness".to_owned(),
        }
    }

    /// A web server on loopback that gives each request this document; its URL.
    pub(crate) fn server(document: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/voice", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 4_096];
                let _ = stream.read(&mut request).unwrap();
                let length = document.len();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\nconnection: close";
                write!(
                    stream,
                    "{head}\r\ncontent-length: {length}\r\n\r\n{document}"
                )
                .unwrap();
                stream.shutdown(std::net::Shutdown::Write).unwrap();
                let _ = stream.read_to_end(&mut Vec::new()); // what is not read would reset the connection
            }
        });
        url
    }

    #[test]
    fn files_are_served_by_their_names_and_nothing_outside_of_the_folder_is() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("app");
        fs::create_dir(&folder).unwrap();
        fs::write(root.path().join("secret.xml"), "<Response/>").unwrap();
        fs::write(folder.join("menu.xml"), "<Response/>").unwrap();
        fs::write(folder.join("a b.mp3"), "sound").unwrap();
        for (url, status, content_type) in [
            ("http://twiml.invalid/menu.xml?x=1", 200, "text/xml"),
            ("http://twiml.invalid/menu", 200, "text/xml"),
            ("http://twiml.invalid/a%20b.mp3", 200, "audio/mpeg"),
            ("http://twiml.invalid/other", 404, "text/plain"),
            ("http://twiml.invalid/../secret.xml", 404, "text/plain"),
            ("http://twiml.invalid/..%2Fsecret.xml", 404, "text/plain"),
            ("http://twiml.invalid/%2Fetc/passwd", 404, "text/plain"),
        ] {
            let page = page(&folder, url).unwrap();
            assert_eq!(
                (page.status, page.headers[0].1.as_str()),
                (status, content_type),
                "{url}"
            );
        }
        let error = page(&folder, "http://elsewhere.example/").unwrap_err();
        assert!(
            error.to_string().contains("the case needs an answer"),
            "{error}"
        );
    }

    #[test]
    fn a_document_that_is_nowhere_is_refused() {
        let error = Pages::of("nowhere.xml", false, &options(&[]))
            .err()
            .unwrap();
        assert_eq!(
            error.to_string(),
            "nowhere.xml is neither a file nor an http or https URL"
        );
        let error = Pages::of("http://a/", false, &options(&["a b"]))
            .err()
            .unwrap();
        assert!(
            error.to_string().contains("is not an egress grant"),
            "{error}"
        );
    }
}
