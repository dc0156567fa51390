//! A tenant's web application, as small as it can be: answers each path with one document and keeps what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::server;

/// What a path answers.
#[derive(Debug, Clone)]
pub struct Page {
    path: String,
    content_type: &'static str,
    body: Vec<u8>,
    delay: Duration,
    status: &'static str,
    /// What the first so many requests get in its place.
    refusals: (usize, &'static str),
}

impl Page {
    /// A document of `TwiML`.
    #[must_use]
    pub fn twiml(path: &str, document: &str) -> Self {
        Self {
            path: path.to_owned(),
            content_type: "text/xml",
            body: document.into(),
            delay: Duration::ZERO,
            status: "200 OK",
            refusals: (0, ""),
        }
    }

    /// JSON.
    #[must_use]
    pub fn json(path: &str, body: &str) -> Self {
        Self {
            content_type: "application/json",
            ..Self::twiml(path, body)
        }
    }

    /// A prompt of `examples/first-call`, as `/NAME.wav`.
    #[must_use]
    pub fn prompt(name: &str) -> Self {
        let body =
            std::fs::read(server::prompt_path(name)).expect("the prompts are in the repository");
        Self {
            path: format!("/{name}.wav"),
            content_type: "audio/wav",
            body,
            ..Self::twiml("", "")
        }
    }

    /// The same at another path, with so many bytes behind its samples that nobody hears.
    #[must_use]
    pub fn padded(mut self, path: &str, bytes: usize) -> Self {
        let length = |bytes: usize| u32::try_from(bytes).expect("a short file").to_le_bytes();
        self.body.extend([*b"junk", length(bytes)].concat());
        self.body.resize(self.body.len() + bytes, 0);
        let riff = length(self.body.len() - 8);
        self.body[4..8].copy_from_slice(&riff);
        path.clone_into(&mut self.path);
        self
    }

    /// The same with another status, such as `201 Created`.
    #[must_use]
    pub fn with_status(self, status: &'static str) -> Self {
        Self { status, ..self }
    }

    /// The same after the first `times` requests, which get this status.
    #[must_use]
    pub fn refusing(self, times: usize, status: &'static str) -> Self {
        let refusals = (times, status);
        Self { refusals, ..self }
    }

    /// The same after `delay`.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `GET` or `POST`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Query and form, decoded.
    pub parameters: BTreeMap<String, String>,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// As it came.
    pub body: Vec<u8>,
}

/// A web server on a free port, for as long as the test process lives.
#[derive(Debug)]
pub struct VoiceApp {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl VoiceApp {
    /// Serves `pages`; any other path is a 404.
    #[must_use]
    pub fn serve(pages: Vec<Page>) -> Self {
        Self::serve_at(0, pages)
    }

    /// As [`Self::serve`], on this port.
    #[must_use]
    pub fn serve_at(port: u16, pages: Vec<Page>) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the TCP port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (pages, log) = (Arc::new(pages), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let (pages, log) = (Arc::clone(&pages), Arc::clone(&log));
                // A client that goes away in the middle is its own business.
                std::thread::spawn(move || answer(&stream, &pages, &log));
            }
        });
        Self { address, asked }
    }

    /// The URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What was asked so far, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn answer(stream: &TcpStream, pages: &[Page], log: &Mutex<Vec<Asked>>) -> Option<()> {
    let asked = read(stream)?;
    let page = pages.iter().find(|page| page.path == asked.path);
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    let before = log.iter().filter(|other| other.path == asked.path).count();
    log.push(asked);
    drop(log);
    let (status, content_type, body) = match page {
        Some(page) => {
            std::thread::sleep(page.delay);
            let (times, refusal) = page.refusals;
            let status = if before < times { refusal } else { page.status };
            (status, page.content_type, page.body.as_slice())
        }
        None => ("404 Not Found", "text/plain", b"no such page".as_slice()),
    };
    let mut stream = stream;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body))
        .ok()
}

fn read(stream: &TcpStream) -> Option<Asked> {
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines().map_while(Result::ok);
    let request = lines.next()?;
    let mut words = request.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: BTreeMap<String, String> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            line.split_once(':')
                .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        })
        .collect();
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let form = String::from_utf8_lossy(&body).into_owned();
    let parameters = query
        .split('&')
        .chain(form.split('&'))
        .filter_map(parameter)
        .collect();
    Some(Asked {
        method,
        path: path.to_owned(),
        parameters,
        headers,
        body,
    })
}

fn parameter(pair: &str) -> Option<(String, String)> {
    let (name, value) = pair.split_once('=')?;
    Some((decode(name), decode(value)))
}

/// Undoes `application/x-www-form-urlencoded`.
fn decode(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next(), rest.next()]
                    .map(|digit| char::from(digit.unwrap_or(b'0')).to_digit(16));
                digits
                    .iter()
                    .fold(0, |value, digit| value * 16 + digit.unwrap_or(0) as u8)
            }
            octet => octet,
        });
    }
    String::from_utf8_lossy(&octets).into_owned()
}
