//! A SIP peer for hundreds of numbers, each of which does what its last digits say; it remembers who was called, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::audio;

const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What a number does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Answers, and listens to the end.
    Answers,
    /// Answers, and hangs up at once.
    HangsUp,
    /// Rings, until the caller gives up.
    Rings,
    /// Refuses with this status.
    Refuses(u16),
}

impl Manner {
    /// By the last two digits: two of a hundred have no room (503); else by the last one: 0 to 5 listen, 6 is busy, 7 rings, 8 refuses with 603,
    /// 9 hangs up.
    #[must_use]
    pub fn of(number: &str) -> Self {
        if number.ends_with("49") || number.ends_with("99") {
            return Self::Refuses(503);
        }
        match number.bytes().last() {
            Some(b'6') => Self::Refuses(486),
            Some(b'7') => Self::Rings,
            Some(b'8') => Self::Refuses(603),
            Some(b'9') => Self::HangsUp,
            _ => Self::Answers,
        }
    }
}

/// A call as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// How many lines are taken, that of this call among them.
    pub lines_taken: usize,
    /// It found all lines taken.
    pub is_refused: bool,
}

/// The peer, as long as it is not dropped.
#[derive(Debug)]
pub struct Callees {
    /// Where it takes calls.
    pub address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// When each number was called, by the dialog.
    calls: BTreeMap<String, (String, Instant)>,
    /// Dialogs that came to an end on our side: heard to the end, or refused.
    heard: Vec<String>,
    /// What each voice said that was heard, by its SSRC: samples of G.711 in the order of their time.
    voices: BTreeMap<u32, BTreeMap<u32, Vec<i16>>>,
    /// Each call as it came, in their order.
    arrivals: Vec<Arrival>,
    is_over: bool,
}

impl Callees {
    /// Starts it on a port of its own. `manner` says what a number does when it is called for the nth time, from 0.
    #[must_use]
    pub fn start(manner: fn(&str, usize) -> Manner) -> Self {
        Self::at(ANY_PORT, manner)
    }

    /// The same at an address, such as one that has registered.
    #[must_use]
    pub fn at(address: SocketAddr, manner: fn(&str, usize) -> Manner) -> Self {
        Self::begin(address, manner, usize::MAX).0
    }

    /// Starts one that has so many lines, and answers; whoever comes while all are taken gets a 503.
    #[must_use]
    pub fn with_lines(lines: usize) -> Self {
        Self::begin(ANY_PORT, |_, _| Manner::Answers, lines).0
    }

    /// Each call as it came, in their order.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        let shared = self.shared.lock().expect("nobody panics with it");
        shared.arrivals.clone()
    }

    /// How many calls found all lines taken.
    #[must_use]
    pub fn refused(&self) -> usize {
        let arrivals = self.arrivals();
        arrivals.iter().filter(|call| call.is_refused).count()
    }

    fn begin(
        address: SocketAddr,
        manner: fn(&str, usize) -> Manner,
        lines: usize,
    ) -> (Self, UdpSocket) {
        let socket = UdpSocket::bind(address).expect("a port");
        socket
            .set_read_timeout(Some(Duration::from_millis(200)))
            .expect("a socket has a timeout");
        let media = UdpSocket::bind("127.0.0.1:0").expect("a port");
        media
            .set_read_timeout(Some(Duration::from_millis(200)))
            .expect("a socket has a timeout");
        let address = socket.local_addr().expect("a bound socket has an address");
        let ears = media.try_clone().expect("a second handle");
        let shared = Arc::default();
        let peer = Peer {
            socket,
            media,
            manner,
            shared: Arc::clone(&shared),
            answers: BTreeMap::new(),
            lines,
            up: BTreeSet::new(),
        };
        thread::spawn(move || peer.run());
        (Self { address, shared }, ears)
    }

    /// Starts it as one that also listens: [`Self::voices`].
    #[must_use]
    pub fn listening(manner: fn(&str, usize) -> Manner) -> Self {
        let (callees, media) = Self::begin(ANY_PORT, manner, usize::MAX);
        let shared = Arc::clone(&callees.shared);
        thread::spawn(move || listen(&media, &shared));
        callees
    }

    /// What was heard in each call that had audio.
    #[must_use]
    pub fn voices(&self) -> Vec<Vec<i16>> {
        let shared = self.shared.lock().expect("nobody panics with it");
        let voices = shared.voices.values();
        voices
            .map(|packets| packets.values().flatten().copied().collect())
            .collect()
    }

    /// When each number was called, in order.
    #[must_use]
    pub fn called(&self) -> BTreeMap<String, Vec<Instant>> {
        let shared = self.shared.lock().expect("nobody panics with it");
        let mut called = BTreeMap::<String, Vec<Instant>>::new();
        for (number, at) in shared.calls.values() {
            called.entry(number.clone()).or_default().push(*at);
        }
        for times in called.values_mut() {
            times.sort();
        }
        called
    }

    /// Who listened until the caller hung up, once for each such call.
    #[must_use]
    pub fn heard(&self) -> Vec<String> {
        let shared = self.shared.lock().expect("nobody panics with it");
        shared.heard.clone()
    }
}

impl Drop for Callees {
    fn drop(&mut self) {
        if let Ok(mut shared) = self.shared.lock() {
            shared.is_over = true;
        }
    }
}

/// Takes packets of PCMU apart (RFC 3550 section 5.1), of which none here has a list of sources or an extension.
fn listen(media: &UdpSocket, shared: &Mutex<Shared>) {
    let mut buffer = [0; 2_048];
    loop {
        let length = media.recv(&mut buffer).unwrap_or(0);
        let Ok(mut shared) = shared.lock() else {
            return;
        };
        if shared.is_over {
            return;
        }
        let Some((header, payload)) = buffer[..length].split_first_chunk::<12>() else {
            continue;
        };
        let word = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|byte| header[at + byte]));
        if header[1] & 0x7f == 0 {
            let samples = payload.iter().map(|octet| audio::mu_law(*octet)).collect();
            let voice = shared.voices.entry(word(8)).or_default();
            voice.insert(word(4), samples);
        }
    }
}

struct Peer {
    socket: UdpSocket,
    /// Takes RTP; only one that [listens](Callees::listening) looks at it.
    media: UdpSocket,
    manner: fn(&str, usize) -> Manner,
    shared: Arc<Mutex<Shared>>,
    /// The last answer to each dialog's INVITE, what it is, and the INVITE.
    answers: BTreeMap<String, (Manner, String, Message)>,
    lines: usize,
    /// Dialogs that were answered and are not over.
    up: BTreeSet<String>,
}

impl Peer {
    fn run(mut self) {
        let mut buffer = [0; 65_536];
        loop {
            if self.shared.lock().map_or(true, |shared| shared.is_over) {
                return;
            }
            let Ok((length, from)) = self.socket.recv_from(&mut buffer) else {
                continue;
            };
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if let Some(message) = Message::parse(&text) {
                self.take(&message, from);
            }
        }
    }

    fn take(&mut self, message: &Message, from: SocketAddr) {
        let dialog = message.header("Call-ID").to_owned();
        match message.method.as_str() {
            "INVITE" => {
                if let Some((_, answer, _)) = self.answers.get(&dialog) {
                    self.send(answer, from);
                    return;
                }
                let manner = self.called(&dialog, &message.user);
                if manner == Manner::Answers {
                    self.up.insert(dialog.clone());
                }
                let answer = match manner {
                    Manner::Refuses(status) => message.answer(status, None),
                    Manner::Rings => message.answer(180, None),
                    Manner::Answers | Manner::HangsUp => {
                        let media = self.media.local_addr().expect("it is bound");
                        message.answer(
                            200,
                            Some((self.socket.local_addr().expect("it is bound"), media)),
                        )
                    }
                };
                self.send(&answer, from);
                self.answers
                    .insert(dialog, (manner, answer, message.clone()));
            }
            "CANCEL" => {
                self.send(&message.answer(200, None), from);
                if let Some((_, last, invite)) = self.answers.get_mut(&dialog) {
                    *last = invite.answer(487, None);
                    let last = last.clone();
                    self.send(&last, from);
                }
            }
            "BYE" => {
                self.up.remove(&dialog);
                self.send(&message.answer(200, None), from);
                if let Some((Manner::Answers, _, invite)) = self.answers.get(&dialog) {
                    let mut shared = self.shared.lock().expect("nobody panics with it");
                    shared.heard.push(invite.user.clone());
                }
            }
            "ACK" => {
                if let Some((Manner::HangsUp, _, invite)) = self.answers.get(&dialog) {
                    let bye = invite.bye(self.socket.local_addr().expect("it is bound"));
                    self.send(&bye, from);
                }
            }
            _ => {}
        }
    }

    fn called(&mut self, dialog: &str, number: &str) -> Manner {
        let mut shared = self.shared.lock().expect("nobody panics with it");
        let before = shared.calls.values().filter(|(known, _)| known == number);
        let manner = match self.up.len() < self.lines {
            true => (self.manner)(number, before.count()),
            false => Manner::Refuses(503),
        };
        let is_refused = self.up.len() >= self.lines;
        shared.arrivals.push(Arrival {
            lines_taken: self.up.len() + usize::from(!is_refused),
            is_refused,
        });
        let call = (number.to_owned(), Instant::now());
        shared.calls.insert(dialog.to_owned(), call);
        manner
    }

    fn send(&self, text: &str, to: SocketAddr) {
        // A peer that was killed has no port.
        let _ = self.socket.send_to(text.as_bytes(), to);
    }
}

/// A request, as far as it matters here.
#[derive(Debug, Clone)]
struct Message {
    method: String,
    /// Of the request URI.
    user: String,
    headers: Vec<(String, String)>,
}

impl Message {
    fn parse(text: &str) -> Option<Self> {
        let (head, _) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, uri) = (first.next()?, first.next()?);
        let user = uri
            .strip_prefix("sip:")
            .and_then(|uri| uri.split('@').next());
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        });
        let is_request = !method.starts_with("SIP/");
        is_request.then(|| Self {
            method: method.to_owned(),
            user: user.unwrap_or_default().to_owned(),
            headers: headers.collect(),
        })
    }

    fn header(&self, name: &str) -> &str {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    fn to_with_tag(&self) -> String {
        let to = self.header("To");
        match to.contains(";tag=") {
            true => to.to_owned(),
            false => format!("{to};tag=callee"),
        }
    }

    fn answer(&self, status: u16, session: Option<(SocketAddr, SocketAddr)>) -> String {
        let mut answer = format!("SIP/2.0 {status} Answered\r\n");
        for (name, value) in &self.headers {
            let is_copied = ["Via", "From", "Call-ID", "CSeq"].iter();
            if is_copied
                .into_iter()
                .any(|copied| copied.eq_ignore_ascii_case(name))
            {
                answer.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        answer.push_str(&format!("To: {}\r\n", self.to_with_tag()));
        let Some((contact, media)) = session else {
            answer.push_str("Content-Length: 0\r\n\r\n");
            return answer;
        };
        let body = format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
            ip = media.ip(),
            port = media.port()
        );
        answer.push_str(&format!(
            "Contact: <sip:{contact}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        answer
    }

    fn bye(&self, ours: SocketAddr) -> String {
        let contact = self.header("Contact");
        let uri = contact
            .trim_start_matches(|c| c != '<')
            .trim_start_matches('<');
        let uri = uri.split('>').next().unwrap_or_default();
        format!(
            "BYE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {ours};branch=z9hG4bK-{call}\r\nMax-Forwards: 70\r\n\
             From: {from}\r\nTo: {to}\r\nCall-ID: {call}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
            call = self.header("Call-ID"),
            from = self.to_with_tag(),
            to = self.header("From"),
        )
    }
}
