//! A store that speaks as much of S3 as is asked of it: objects are put (whole or in parts), read and removed by signed requests.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Whose requests it takes.
const KEY_ID: &str = "bucket-key";

/// The store, on a free port, for as long as the test process lives. It begins with no objects.
#[derive(Debug)]
pub struct Bucket {
    address: SocketAddr,
    shelf: Arc<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    state: Mutex<State>,
    /// What is held may go on.
    let_go: Condvar,
    /// Answers everything with 503.
    is_down: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    /// Parts by their numbers, of uploads that go on, by their ids.
    uploads: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    /// Uploads that were ever begun.
    begun: u32,
    /// Parts that were ever taken.
    parts: u32,
    /// Requests that were answered with 503.
    refused: u32,
    /// Puts wait.
    is_held: bool,
    /// Puts that wait.
    waiting: u32,
    /// What is never taken: the first thing that is put once this is some.
    unwanted: Option<Unwanted>,
}

#[derive(Debug)]
enum Unwanted {
    Next,
    Key(String),
}

impl Bucket {
    /// Serves the bucket `calls`.
    #[must_use]
    pub fn serve() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shelf = Arc::<Shelf>::default();
        let shared = Arc::clone(&shelf);
        std::thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let shelf = Arc::clone(&shared);
                // A client that goes away in the middle is its own business.
                std::thread::spawn(move || shelf.answer(&stream));
            }
        });
        Self { address, shelf }
    }

    /// What the server's configuration says in its section `recording`.
    #[must_use]
    pub fn settings(&self) -> String {
        format!(
            "s3_bucket = \"calls\"\ns3_endpoint = \"http://{}\"\ns3_access_key_id = \"{KEY_ID}\"\n\
             s3_secret_access_key = \"secret\"\ns3_prefix = \"kept\"\n",
            self.address
        )
    }

    /// From now on it answers 503 to everything, or no longer.
    pub fn set_down(&self, is_down: bool) {
        self.shelf.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Requests that it has answered with 503.
    #[must_use]
    pub fn refused(&self) -> u32 {
        self.shelf.lock().refused
    }

    /// From now on what is put waits, or goes on.
    pub fn hold(&self, is_held: bool) {
        self.shelf.lock().is_held = is_held;
        self.shelf.let_go.notify_all();
    }

    /// Puts that wait.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.shelf.lock().waiting
    }

    /// From now on one object is refused (403) as often as it is put: the first that comes; or none any longer.
    pub fn refuse_one(&self, does_refuse: bool) {
        self.shelf.lock().unwanted = does_refuse.then_some(Unwanted::Next);
    }

    /// Whether there is one that is refused.
    #[must_use]
    pub fn has_refused_one(&self) -> bool {
        matches!(self.shelf.lock().unwanted, Some(Unwanted::Key(_)))
    }

    /// Parts that were taken so far, and uploads in parts that were neither completed nor aborted.
    #[must_use]
    pub fn parts(&self) -> (u32, usize) {
        let state = self.shelf.lock();
        (state.parts, state.uploads.len())
    }

    /// The objects by their keys.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.shelf.lock().objects.clone()
    }
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as puts are held.
    fn wait(&self) {
        let mut state = self.lock();
        state.waiting += 1;
        while state.is_held {
            let waited = self.let_go.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting -= 1;
    }

    fn answer(&self, stream: &TcpStream) -> Option<()> {
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .ok()?;
        let mut reader = BufReader::new(stream);
        let mut lines = reader.by_ref().lines().map_while(Result::ok);
        let request = lines.next()?;
        let mut words = request.split(' ');
        let (method, target) = (words.next()?, words.next()?);
        let headers: BTreeMap<String, String> = lines
            .take_while(|line| !line.is_empty())
            .filter_map(|line| {
                let (name, value) = line.split_once(':')?;
                Some((name.to_lowercase(), value.trim().to_owned()))
            })
            .collect();
        let length = headers.get("content-length");
        let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let signed = format!("AWS4-HMAC-SHA256 Credential={KEY_ID}/");
        let is_signed = headers
            .get("authorization")
            .is_some_and(|given| given.starts_with(&signed));
        if method == "PUT" {
            self.wait();
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (status, content) = if self.is_down.load(Ordering::SeqCst) {
            self.lock().refused += 1;
            ("503 Slow Down", Vec::new())
        } else if let Some(key) = path.strip_prefix("/calls/").filter(|_| is_signed) {
            self.lock().answer(method, key, query, body)
        } else {
            ("403 Forbidden", Vec::new())
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nETag: \"1\"\r\nLast-Modified: Tue, 31 Aug 2010 20:36:28 GMT\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            content.len()
        );
        let mut stream = stream;
        stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(&content))
            .ok()
    }
}

impl State {
    /// What a request comes to: the status, and the body of its answer.
    fn answer(
        &mut self,
        method: &str,
        key: &str,
        query: &str,
        body: Vec<u8>,
    ) -> (&'static str, Vec<u8>) {
        let asked = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let mut values = pairs.filter(|(given, _)| *given == name);
            values.next().map(|(_, value)| value)
        };
        let upload = asked("uploadId");
        match (method, upload) {
            ("PUT" | "POST", _) if self.is_unwanted(key) => ("403 Forbidden", Vec::new()),
            ("POST", None) if asked("uploads").is_some() => {
                self.begun += 1;
                let id = format!("upload-{}", self.begun);
                self.uploads.insert(id.clone(), BTreeMap::new());
                let answer = format!(
                    "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                );
                ("200 OK", answer.into_bytes())
            }
            ("PUT", Some(id)) => {
                let number = asked("partNumber").and_then(|number| number.parse().ok());
                let Some((parts, number)) = self.uploads.get_mut(id).zip(number) else {
                    return ("404 Not Found", Vec::new());
                };
                parts.insert(number, body);
                self.parts += 1;
                ("200 OK", Vec::new())
            }
            ("POST", Some(id)) => {
                let Some(parts) = self.uploads.remove(id) else {
                    return ("404 Not Found", Vec::new());
                };
                let whole = parts.into_values().flatten().collect();
                self.objects.insert(key.to_owned(), whole);
                let answer =
                    "<CompleteMultipartUploadResult><ETag>1</ETag></CompleteMultipartUploadResult>";
                ("200 OK", answer.into())
            }
            ("DELETE", Some(id)) => {
                self.uploads.remove(id);
                ("204 No Content", Vec::new())
            }
            ("PUT", None) => {
                self.objects.insert(key.to_owned(), body);
                ("200 OK", Vec::new())
            }
            ("GET", None) => match self.objects.get(key) {
                Some(object) => ("200 OK", object.clone()),
                None => ("404 Not Found", Vec::new()),
            },
            ("DELETE", None) => {
                self.objects.remove(key);
                ("204 No Content", Vec::new())
            }
            _ => ("501 Not Implemented", Vec::new()),
        }
    }

    fn is_unwanted(&mut self, key: &str) -> bool {
        match &self.unwanted {
            Some(Unwanted::Next) => {
                self.unwanted = Some(Unwanted::Key(key.to_owned()));
                true
            }
            Some(Unwanted::Key(unwanted)) => unwanted == key,
            None => false,
        }
    }
}
