//! A few REST requests, over a plain socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::process::eventually;

/// An account's API user.
#[derive(Debug, Clone)]
pub struct Rest {
    /// Where the API listens.
    pub address: SocketAddr,
    /// User name and account.
    pub account_sid: String,
    /// Password.
    pub auth_token: String,
}

impl Rest {
    /// Gets a path, below the account where it begins with no slash, such as `Calls.json`: the status, and the body as JSON.
    #[must_use]
    pub fn get(&self, path: &str) -> (u16, Value) {
        self.request("GET", path, "")
    }

    /// Posts a form to a path below the account.
    #[must_use]
    pub fn post(&self, path: &str, form: &str) -> (u16, Value) {
        self.request("POST", path, form)
    }

    /// The status of a request without a form, whatever its answer is.
    #[must_use]
    pub fn request_status(&self, method: &str, path: &str) -> (u16, String) {
        let path = format!("/2010-04-01/Accounts/{}/{path}", self.account_sid);
        let credentials = STANDARD.encode(format!("{}:{}", self.account_sid, self.auth_token));
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nAuthorization: Basic {credentials}\r\n\r\n",
            self.address
        );
        let response = exchange(self.address, &request)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let status = response
            .split(' ')
            .nth(1)
            .and_then(|word| word.parse().ok());
        (status.expect("a status line"), response)
    }

    /// Deletes what is at a path below the account; the status.
    #[must_use]
    pub fn delete(&self, path: &str) -> u16 {
        self.request("DELETE", path, "").0
    }

    /// The bytes of a file below the account.
    #[must_use]
    pub fn download(&self, path: &str) -> Vec<u8> {
        let path = format!("/2010-04-01/Accounts/{}/{path}", self.account_sid);
        let credentials = STANDARD.encode(format!("{}:{}", self.account_sid, self.auth_token));
        let request = format!(
            "GET {path} HTTP/1.0\r\nHost: {}\r\nAuthorization: Basic {credentials}\r\n\r\n",
            self.address
        );
        let response = exchange_bytes(self.address, &request)
            .unwrap_or_else(|error| panic!("GET {path}: {error}"));
        let head = response.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let (head, body) = response.split_at(head.expect("a head") + 4);
        let head = String::from_utf8_lossy(head);
        assert_eq!(head.split(' ').nth(1), Some("200"), "GET {path}: {head}");
        body.to_vec()
    }

    /// As [`Self::post`], where the server may be gone at any moment.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn try_post(&self, path: &str, form: &str) -> std::io::Result<(u16, Value)> {
        self.attempt("POST", path, form)
    }

    fn request(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.attempt(method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn attempt(&self, method: &str, path: &str, body: &str) -> std::io::Result<(u16, Value)> {
        let path = match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("/2010-04-01/Accounts/{}/{path}", self.account_sid),
        };
        let credentials = STANDARD.encode(format!("{}:{}", self.account_sid, self.auth_token));
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {credentials}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let response = exchange(self.address, &request)?;
        let strange = || std::io::Error::other(format!("no answer: {response}"));
        let (head, body) = response.split_once("\r\n\r\n").ok_or_else(strange)?;
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let json = match body {
            "" => Value::Null, // a 204
            body => serde_json::from_str(body).map_err(|_| strange())?,
        };
        Ok((status.ok_or_else(strange)?, json))
    }

    /// Places a call whose flow is this `TwiML` document, and returns its SID.
    #[must_use]
    pub fn place(&self, from: &str, to: &str, twiml: &str) -> String {
        let field = |name: &str, value: &str| {
            let value: String = value
                .bytes()
                .map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                    other => format!("%{other:02X}"),
                })
                .collect();
            format!("{name}={value}")
        };
        let body = [field("From", from), field("To", to), field("Twiml", twiml)].join("&");
        let (status, call) = self.request("POST", "Calls.json", &body);
        assert_eq!(status, 201, "{call}");
        call["sid"]
            .as_str()
            .unwrap_or_else(|| panic!("no SID in {call}"))
            .to_owned()
    }

    /// Waits until a call is over, and returns it.
    #[must_use]
    pub fn ended(&self, sid: &str, limit: Duration) -> Value {
        eventually("the call is over", limit, || {
            let call = self.call(sid);
            let status = call["status"].as_str()?.to_owned();
            (!["queued", "ringing", "in-progress"].contains(&status.as_str())).then_some(call)
        })
    }

    /// Ends a call, whatever it does.
    pub fn end(&self, sid: &str) {
        let (status, call) = self.request("POST", &format!("Calls/{sid}.json"), "Status=completed");
        assert_eq!(status, 200, "{call}");
    }

    /// Waits until a call has this status.
    pub fn wait_for(&self, sid: &str, status: &str, limit: Duration) {
        eventually(status, limit, || {
            (self.call(sid)["status"] == status).then_some(())
        });
    }

    /// One call of this account.
    #[must_use]
    pub fn call(&self, sid: &str) -> Value {
        let (status, call) = self.get(&format!("Calls/{sid}.json"));
        assert_eq!(status, 200, "{call}");
        call
    }

    /// The newest call of the account: waits for the first one, whose beginning is written while it rings.
    #[must_use]
    pub fn newest_call(&self) -> Value {
        eventually("there is a call", Duration::from_secs(20), || {
            self.calls().first().cloned()
        })
    }

    /// The account's calls, the newest first.
    #[must_use]
    pub fn calls(&self) -> Vec<Value> {
        let (status, page) = self.get("Calls.json?PageSize=1000");
        assert_eq!(status, 200, "{page}");
        page["calls"]
            .as_array()
            .unwrap_or_else(|| panic!("no list of calls in {page}"))
            .clone()
    }
}

/// A page of the operator's API, as text.
#[must_use]
pub fn operator_page(api: SocketAddr, path: &str, token: &str) -> String {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {api}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    exchange(api, &request).unwrap_or_else(|error| panic!("GET {path}: {error}"))
}

fn exchange(address: SocketAddr, request: &str) -> std::io::Result<String> {
    let bytes = exchange_bytes(address, request)?;
    String::from_utf8(bytes).map_err(std::io::Error::other)
}

fn exchange_bytes(address: SocketAddr, request: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(request.as_bytes())?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response)?;
    Ok(response)
}
