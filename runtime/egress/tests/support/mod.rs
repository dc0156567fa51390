//! Servers on loopback, and a door that may reach them.

#![allow(dead_code, reason = "each test file uses its part")]

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use egress::{
    Bounds, CookieJar, Egress, FetchError, Grants, Kind, Limits, Lookup, Request, Resolve, Response,
};
use http::Method;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

/// Serves `app` on loopback until the test's runtime ends.
pub async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

/// A server that counts the connections it sees, answers each with `answer`, and keeps it open.
pub struct Raw {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Raw {
    pub async fn bind(address: &str, answer: &'static [u8]) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let connections = Arc::new(AtomicUsize::new(0));
        let raw = Self {
            address: listener.local_addr()?,
            connections: Arc::clone(&connections),
        };
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let _ = stream.write_all(answer).await;
                open.push(stream);
            }
        });
        Ok(raw)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

pub const EMPTY_200: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Gives each look-up the next of its answers, and the last one from then on. Remembers the names it was asked for.
pub struct Script {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Script {
    pub fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().rev().map(parse).collect()),
            asked: Mutex::default(),
        })
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolve for Script {
    fn resolve(&self, host: &str) -> Lookup {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 {
            answers.pop()
        } else {
            answers.last().cloned()
        };
        Box::pin(std::future::ready(
            answer.ok_or_else(|| io::Error::other("no such name")),
        ))
    }
}

/// Times short enough for a test that waits for them to pass.
pub fn brief() -> Limits {
    let brief = Duration::from_millis(300);
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

pub fn loopback() -> Grants {
    Grants::parse(&["127.0.0.0/8", "::1"]).unwrap()
}

pub fn get(url: impl Into<String>) -> Request {
    Request {
        kind: Kind::Story,
        method: Method::GET,
        url: url.into(),
        headers: Vec::new(),
        body: Bytes::new(),
        sign: None,
    }
}

pub fn post(url: impl Into<String>, form: &str) -> Request {
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
pub async fn fetch(egress: &Egress, request: Request) -> Result<Response, FetchError> {
    egress
        .fetch("AC1", &loopback(), request, &CookieJar::default())
        .await
}
