//! Servers on loopback, and a door that may reach them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(dead_code, reason = "each test file uses its part")]

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use http::Method;
use jackfield_egress::{
    Bounds, CookieJar, Egress, FetchError, Grants, Kind, Limits, Request, Resolve, Response,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Serves `app` on loopback until the test's runtime ends.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

/// A server that counts the connections it sees, answers the first bytes of each with `answer`, and keeps it open.
pub(crate) struct Raw {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Raw {
    pub(crate) async fn bind(address: &str, answer: impl Into<Vec<u8>>) -> io::Result<Self> {
        let (listener, answer) = (TcpListener::bind(address).await?, answer.into());
        let connections = Arc::new(AtomicUsize::new(0));
        let raw = Self {
            address: listener.local_addr()?,
            connections: Arc::clone(&connections),
        };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let answer = answer.clone();
                tokio::spawn(async move {
                    let _request = stream.read(&mut [0; 4096]).await;
                    let _sent = stream.write_all(&answer).await;
                    std::future::pending::<()>().await;
                });
            }
        });
        Ok(raw)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

pub(crate) const EMPTY_200: &[u8] =
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Gives each look-up the next of its answers, and the last one from then on. Remembers the names it was asked for.
pub(crate) struct Script {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Script {
    pub(crate) fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().rev().map(parse).collect()),
            asked: Mutex::default(),
        })
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolve for Script {
    fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 {
            answers.pop()
        } else {
            answers.last().cloned()
        };
        answer.ok_or_else(|| io::Error::other("no such name"))
    }
}

/// Times short enough for a test that waits for them to pass.
pub(crate) fn brief() -> Limits {
    let brief = Duration::from_secs(1);
    let bounds = |bounds: Bounds| Bounds {
        total: 2 * brief,
        first_byte: brief,
        ..bounds
    };
    let usual = Limits::default();
    Limits {
        story: bounds(usual.story),
        media: bounds(usual.media),
        connect: brief,
        ..usual
    }
}

pub(crate) fn loopback() -> Grants {
    Grants::parse(&["127.0.0.0/8", "::1"]).unwrap()
}

pub(crate) fn get(url: impl Into<String>) -> Request {
    Request {
        kind: Kind::Story,
        method: Method::GET,
        url: url.into(),
        headers: Vec::new(),
        body: Bytes::new(),
        sign: None,
        may_visit: None,
        own_headers: jackfield_egress::OwnHeaders::default(),
        token: None,
    }
}

pub(crate) fn post(url: impl Into<String>, form: &str) -> Request {
    let form_type = (
        "Content-Type".to_owned(),
        "application/x-www-form-urlencoded".to_owned(),
    );
    Request {
        method: Method::POST,
        headers: vec![form_type],
        body: Bytes::copy_from_slice(form.as_bytes()),
        ..get(url)
    }
}

/// Fetches for a tenant that may reach loopback, with cookies of its own.
pub(crate) async fn fetch(egress: &Egress, request: Request) -> Result<Response, FetchError> {
    egress
        .fetch("AC1", &loopback(), request, &CookieJar::default())
        .await
}
