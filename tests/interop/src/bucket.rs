//! A store that speaks as much of S3 as is asked of it: objects are put, read and removed by signed requests.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Answers everything with 503.
    is_down: AtomicBool,
    /// Requests that were refused since.
    refused: Mutex<u32>,
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
        *self
            .shelf
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The objects by their keys.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.shelf.lock().clone()
    }
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
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
        let key = target.strip_prefix("/calls/");
        let (status, content) = match (method, key) {
            _ if self.is_down.load(Ordering::SeqCst) => {
                *self.refused.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                ("503 Slow Down", Vec::new())
            }
            _ if !is_signed => ("403 Forbidden", Vec::new()),
            ("PUT", Some(key)) => {
                self.lock().insert(key.to_owned(), body);
                ("200 OK", Vec::new())
            }
            ("GET", Some(key)) => match self.lock().get(key) {
                Some(object) => ("200 OK", object.clone()),
                None => ("404 Not Found", Vec::new()),
            },
            ("DELETE", Some(key)) => {
                self.lock().remove(key);
                ("204 No Content", Vec::new())
            }
            _ => ("501 Not Implemented", Vec::new()),
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
