//! What a component may use beyond its call: what it asks for, and what its account grants.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    CallError, Command, ConferenceCommand, ConferenceOptions, HttpRequest, MediaSource,
    QueueCommand, RecordingCommand, StatusCallback, StoryFlow, WaitSound, secrets_in,
};

/// All of a kind.
const ALL: &str = "*";
/// SIP URIs, in [`Grants::dial`].
const SIP: &str = "sip:";
/// Devices that register with us, in [`Grants::dial`].
const CLIENT: &str = "client:";
/// Applications of the account, in [`Grants::dial`].
const APPLICATION: &str = "app:";

/// What an account grants its components, or what one of them asks for. By default nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grants {
    /// Hosts that may be asked over HTTP and WebSocket: `api.example.org`, `*.example.org` for all below it, `*` for all.
    pub hosts: Vec<String>,
    /// Whom it may call, or send a call to: beginnings of numbers (`+855`), whole short codes (`1294`), `sip:` for SIP URIs, `client:` for devices,
    /// `app:` for the account's applications, `*` for all.
    pub dial: Vec<String>,
    /// Settings of the account that it may read, by name; `*` for all. A number's own settings are for its flow without a grant.
    pub settings: Vec<String>,
    /// Secrets of the account that the host may write into header fields of its requests, or compare with what is typed, by name; `*` for all. It
    /// never sees their values.
    pub secrets: Vec<String>,
    /// The account's key-value pairs.
    pub key_value: bool,
    /// The account's people: who registered.
    pub people: bool,
    /// The account's own audio: what calls record is kept there.
    pub media: bool,
}

/// Something that a component asks for and its account does not grant. In words, the line that would grant it: `hosts = ["api.example.org"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotGranted {
    /// The key of the grants.
    pub key: &'static str,
    /// What would have to stand there; none where it is `true`.
    pub entry: Option<String>,
}

impl fmt::Display for NotGranted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.entry {
            Some(entry) => write!(f, "{} = [{entry:?}]", self.key),
            None => write!(f, "{} = true", self.key),
        }
    }
}

impl Grants {
    /// What nobody has to grant: for the runtime's own components, and where nothing is to be refused.
    #[must_use]
    pub fn everything() -> Self {
        let all = || vec![ALL.to_owned()];
        Self {
            hosts: all(),
            dial: all(),
            settings: all(),
            secrets: all(),
            key_value: true,
            people: true,
            media: true,
        }
    }

    /// Nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Checks that every entry means something.
    ///
    /// # Errors
    /// In words, about the first that does not.
    pub fn check_entries(&self) -> Result<(), String> {
        let host = |entry: &String| {
            let name = entry.strip_prefix("*.").unwrap_or(entry);
            let known = |byte: u8| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'_')
            };
            entry == ALL || (!name.is_empty() && name.bytes().all(known))
        };
        if let Some(entry) = self.hosts.iter().find(|entry| !host(entry)) {
            return Err(format!(
                "`{entry}` among `hosts` is no host: name one without scheme, port and path, as \"api.example.org\" or \"*.example.org\", or \"*\" for all"
            ));
        }
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let target = |entry: &String| {
            let number = entry.strip_prefix('+').unwrap_or(entry);
            let kinds = [ALL, SIP, CLIENT, APPLICATION];
            kinds.contains(&entry.as_str()) || (!entry.is_empty() && digits(number))
        };
        if let Some(entry) = self.dial.iter().find(|entry| !target(entry)) {
            return Err(format!(
                "`{entry}` among `dial` is none of: the beginning of a number such as \"+855\", a short code such as \"1294\", \"sip:\", \"client:\", \"app:\", and \"*\" for all"
            ));
        }
        Ok(())
    }

    /// Whether this host, as it stands in a URL, may be asked.
    #[must_use]
    pub fn has_host(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        self.hosts.iter().any(|entry| {
            let below = entry.strip_prefix('*').filter(|rest| rest.starts_with('.'));
            match below {
                Some(suffix) => {
                    host.len() > suffix.len()
                        && host.is_char_boundary(host.len() - suffix.len())
                        && host[host.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
                }
                None => entry == ALL || entry.eq_ignore_ascii_case(host),
            }
        })
    }

    /// Whether this number, SIP URI, device or application may be called.
    #[must_use]
    pub fn may_dial(&self, target: &str) -> bool {
        let is_sip = ["sip:", "sips:"].iter().any(|scheme| {
            let start = target.get(..scheme.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        self.dial.iter().any(|entry| match entry.as_str() {
            ALL => true,
            SIP => is_sip,
            CLIENT | APPLICATION => target.starts_with(entry.as_str()),
            prefix if prefix.starts_with('+') => target.starts_with(prefix),
            code => target == code,
        })
    }

    /// Whether this setting of the account may be read.
    #[must_use]
    pub fn has_setting(&self, name: &str) -> bool {
        self.settings
            .iter()
            .any(|entry| entry == ALL || entry == name)
    }

    /// Whether this secret of the account may be sent.
    #[must_use]
    pub fn has_secret(&self, name: &str) -> bool {
        self.secrets
            .iter()
            .any(|entry| entry == ALL || entry == name)
    }

    /// What of `asks` is not here. Whoever asks for all of a kind asks for some, and leaves to the account which.
    #[must_use]
    pub fn lacks(&self, asks: &Self) -> Vec<NotGranted> {
        let mut lacking = Vec::new();
        let mut compare =
            |key, asked: &[String], granted: &[String], has: &dyn Fn(&str) -> bool| {
                for entry in asked {
                    let is_granted = match entry.as_str() {
                        ALL => !granted.is_empty(),
                        entry => has(entry),
                    };
                    if !is_granted {
                        let entry = Some(entry.clone());
                        lacking.push(NotGranted { key, entry });
                    }
                }
            };
        // Of an entry for several hosts, one of them stands for all.
        let has_hosts = |entry: &str| match entry.strip_prefix("*.") {
            Some(name) => {
                self.hosts.iter().any(|own| own == entry) || self.has_host(&format!("x.{name}"))
            }
            None => self.has_host(entry),
        };
        compare("hosts", &asks.hosts, &self.hosts, &has_hosts);
        compare("dial", &asks.dial, &self.dial, &|entry| {
            self.may_dial(entry)
        });
        compare("settings", &asks.settings, &self.settings, &|name| {
            self.has_setting(name)
        });
        compare("secrets", &asks.secrets, &self.secrets, &|name| {
            self.has_secret(name)
        });
        if asks.key_value && !self.key_value {
            lacking.push(NotGranted {
                key: "key-value",
                entry: None,
            });
        }
        if asks.people && !self.people {
            lacking.push(NotGranted {
                key: "people",
                entry: None,
            });
        }
        if asks.media && !self.media {
            lacking.push(NotGranted {
                key: "media",
                entry: None,
            });
        }
        lacking
    }

    /// Whether a story may give this command. HTTP requests are answered later, and whoever makes them asks [`Self::check_request`].
    ///
    /// # Errors
    /// [`CallError::NotGranted`], which names the grant that is missing.
    pub fn check(&self, command: &Command) -> Result<(), CallError> {
        let refused = match command {
            Command::Play { source, .. } => self.check_media(source),
            Command::Conference(ConferenceCommand::Join { options, .. }) => {
                self.check_conference(options)
            }
            Command::Conference(ConferenceCommand::JoinWith { options, terms, .. }) => {
                let recording = terms.recording.as_ref();
                let callback = recording.and_then(|recording| recording.callback.as_ref());
                self.check_conference(options)
                    .and_then(|()| self.check_callback(callback.map(|told| &told.to)))
            }
            Command::Conference(ConferenceCommand::Hold(Some(sound)))
            | Command::Queue(QueueCommand::Wait { sound, .. }) => self.check_sound(sound),
            Command::Dial(request) | Command::DialWith { request, .. } => {
                request.targets.iter().try_for_each(|target| {
                    self.check_target(&target.to)?;
                    self.check_callback(target.callback.as_ref().map(|told| &told.to))?;
                    let detection = target.detection.as_ref();
                    self.check_callback(
                        detection.and_then(|asked| asked.status_callback.as_ref()),
                    )?;
                    let whisper = target.whisper.as_ref();
                    whisper.map_or(Ok(()), |whisper| self.check_story(&whisper.story))
                })
            }
            Command::Queue(QueueCommand::ServeWith { whisper, .. }) => {
                self.check_story(&whisper.story)
            }
            Command::Refer(request) => self.check_target(&request.target),
            Command::StartStream(request) => self
                .check_url(&request.url)
                .and_then(|()| self.check_callback(request.status_callback.as_ref())),
            Command::DetectMachine(request) => {
                self.check_callback(request.status_callback.as_ref())
            }
            Command::Recording(RecordingCommand::Start(start)) => {
                self.check_callback(start.callback.as_ref().map(|told| &told.to))
            }
            Command::ContinueWith(next) => self.check_story(&next.story),
            _ => Ok(()),
        };
        refused.map_err(CallError::NotGranted)
    }

    /// Whether a request may be made: to its host, with the secrets that it names.
    ///
    /// # Errors
    /// In words that name the grant.
    pub fn check_request(&self, request: &HttpRequest) -> Result<(), String> {
        self.check_url(&request.url)?;
        let mut named = request
            .headers
            .iter()
            .flat_map(|(_, value)| secrets_in(value));
        match named.find(|name| !self.has_secret(name)) {
            Some(name) => Err(to_grant("secrets", name)),
            None => Ok(()),
        }
    }

    /// Whether the host of a URL may be asked.
    ///
    /// # Errors
    /// In words that name the grant. What has no host is somebody else's to refuse.
    pub fn check_url(&self, url: &str) -> Result<(), String> {
        match host_of(url) {
            Some(host) if !self.has_host(&host) => Err(to_grant("hosts", &host)),
            _ => Ok(()),
        }
    }

    fn check_media(&self, source: &MediaSource) -> Result<(), String> {
        match source {
            MediaSource::Url(url) => self.check_url(url),
            MediaSource::File(_) => Ok(()),
        }
    }

    fn check_sound(&self, sound: &WaitSound) -> Result<(), String> {
        match sound {
            WaitSound::Prompt(source) => self.check_media(source),
            WaitSound::Music | WaitSound::Silence => Ok(()),
        }
    }

    fn check_conference(&self, options: &ConferenceOptions) -> Result<(), String> {
        let callback = options.status_callback.as_ref();
        self.check_sound(&options.wait_sound)
            .and_then(|()| self.check_callback(callback.map(|told| &told.to)))
    }

    fn check_callback(&self, callback: Option<&StatusCallback>) -> Result<(), String> {
        callback.map_or(Ok(()), |callback| self.check_url(&callback.url))
    }

    fn check_story(&self, story: &StoryFlow) -> Result<(), String> {
        match story {
            StoryFlow::VoiceUrl(link) => self.check_url(&link.url),
            StoryFlow::Component(_) | StoryFlow::Twiml(_) => Ok(()),
        }
    }

    fn check_target(&self, target: &str) -> Result<(), String> {
        if self.may_dial(target) {
            return Ok(());
        }
        let entry = match target.split_once(':') {
            Some(("client", _)) => CLIENT,
            Some(("app", _)) => APPLICATION,
            Some(_) => SIP,
            None => target,
        };
        Err(to_grant("dial", entry))
    }
}

fn to_grant(key: &'static str, entry: &str) -> String {
    let missing = NotGranted {
        key,
        entry: Some(entry.to_owned()),
    };
    format!("add `{missing}` to the account's grants in the tenants file")
}

/// The host of a URL as whoever connects will read it; none where it is no URL, or has no host.
fn host_of(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let host = url.host_str()?;
    let literal = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    Some(literal.unwrap_or(host).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DialRequest;

    fn grants(hosts: &[&str], dial: &[&str]) -> Grants {
        let texts = |entries: &[&str]| entries.iter().map(|entry| (*entry).to_owned()).collect();
        Grants {
            hosts: texts(hosts),
            dial: texts(dial),
            ..Grants::default()
        }
    }

    #[test]
    fn a_url_needs_its_host() {
        for (entry, url, granted) in [
            ("api.example.org", "https://api.example.org/a?b#c", true),
            ("api.example.org", "https://API.example.org.:8443", true),
            (
                "api.example.org",
                "https://api.example.org.evil.example/",
                false,
            ),
            (
                "api.example.org",
                "https://api.example.org@evil.example/",
                false,
            ),
            (
                "api.example.org",
                "https://evil.example\\@api.example.org/",
                false,
            ),
            ("api.example.org", "https:/evil.example/", false),
            ("api.example.org", "HTTPS:\\\\evil.example", false),
            ("api.example.org", " https://evil.example", false),
            ("127.0.0.1", "http://0x7f.1/", true),
            ("10.0.0.1", "http://0x7f.1/", false),
            (
                "api.example.org",
                "https://evil.example?@api.example.org/",
                false,
            ),
            ("api.example.org", "https://x.api.example.org/", false),
            ("*.example.org", "wss://api.example.org/", true),
            ("*.example.org", "https://a.b.example.org/", true),
            ("*.example.org", "https://example.org/", false),
            ("*.example.org", "https://notexample.org/", false),
            ("*", "http://anything/", true),
            ("127.0.0.1", "http://127.0.0.1:8000/", true),
            ("::1", "http://[::1]:8000/", true),
            ("::1", "http://[::2]/", false),
        ] {
            let grants = grants(&[entry], &[]);
            assert_eq!(grants.check_entries(), Ok(()), "{entry}");
            assert_eq!(grants.check_url(url).is_ok(), granted, "{entry}: {url}");
        }
        let told = Grants::default()
            .check_url("https://api.example.org/")
            .unwrap_err();
        assert_eq!(
            told,
            "add `hosts = [\"api.example.org\"]` to the account's grants in the tenants file"
        );
    }

    #[test]
    fn a_number_needs_its_beginning_and_a_code_all_of_it() {
        for (entry, target, granted) in [
            ("+855", "+85512345678", true),
            ("+855", "+85612345678", false),
            ("+855", "85512345678", false),
            ("1294", "1294", true),
            ("1294", "12945", false),
            ("sip:", "sip:a@example.org", true),
            ("sip:", "SIPS:a@example.org", true),
            ("sip:", "+85512345678", false),
            ("sip:", "client:alice", false),
            ("client:", "client:alice?X-Ward=7", true),
            ("client:", "sip:alice@example.org", false),
            ("+", "+1", true),
            ("*", "sip:a@example.org", true),
        ] {
            let grants = grants(&[], &[entry]);
            assert_eq!(grants.check_entries(), Ok(()), "{entry}");
            assert_eq!(grants.may_dial(target), granted, "{entry}: {target}");
        }
    }

    #[test]
    fn commands_are_refused_with_the_line_to_add() {
        let dial = |to: &str| {
            Command::Dial(DialRequest {
                targets: vec![to.into()],
                in_turn: false,
                caller_id: None,
                ring_timeout_s: 30,
                time_limit_s: None,
                answer_on_bridge: false,
                hang_up_on_star: false,
                ring_tone: None,
            })
        };
        let play = |source| Command::Play { source, loops: 1 };
        let own = grants(&["a.example"], &["+855"]);
        for (command, missing) in [
            (dial("+85512345678"), None),
            (dial("+1"), Some("dial = [\"+1\"]")),
            (dial("sip:a@b.example"), Some("dial = [\"sip:\"]")),
            (
                play(MediaSource::Url("https://a.example/x".to_owned())),
                None,
            ),
            (
                play(MediaSource::Url("https://b.example/x".to_owned())),
                Some("hosts = [\"b.example\"]"),
            ),
            (play(MediaSource::File("a.wav".to_owned())), None),
            (Command::Answer, None),
        ] {
            let told = own.check(&command).err().map(|error| error.to_string());
            match (missing, told) {
                (None, None) => {}
                (Some(missing), Some(told)) => assert!(told.contains(missing), "{told}"),
                (_, told) => panic!("{command:?}: {told:?}"),
            }
            assert_eq!(Grants::everything().check(&command), Ok(()));
        }
    }

    #[test]
    fn what_is_asked_for_and_not_granted_is_listed() {
        let asks = Grants {
            settings: vec!["greeting".to_owned()],
            secrets: vec!["crm-token".to_owned()],
            key_value: true,
            people: true,
            media: true,
            ..grants(&["api.example.org", "*.example.net"], &["+855", "1294"])
        };
        let lacking = |own: &Grants| -> Vec<String> {
            own.lacks(&asks).iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            lacking(&Grants::default()),
            [
                "hosts = [\"api.example.org\"]",
                "hosts = [\"*.example.net\"]",
                "dial = [\"+855\"]",
                "dial = [\"1294\"]",
                "settings = [\"greeting\"]",
                "secrets = [\"crm-token\"]",
                "key-value = true",
                "people = true",
                "media = true",
            ]
        );
        assert!(lacking(&Grants::everything()).is_empty());
        assert!(lacking(&asks).is_empty());
        let wider = grants(&["*.example.org", "*.example.net"], &["+85", "1294"]);
        assert_eq!(
            lacking(&wider),
            [
                "settings = [\"greeting\"]",
                "secrets = [\"crm-token\"]",
                "key-value = true",
                "people = true",
                "media = true"
            ]
        );
        // Which of all hosts is the account's to say, but not that there are none.
        let any = grants(&["*"], &[]);
        assert!(wider.lacks(&any).is_empty());
        assert_eq!(Grants::default().lacks(&any).len(), 1);
    }

    #[test]
    fn a_request_needs_its_host_and_its_secrets() {
        let mut request = HttpRequest {
            method: crate::HttpMethod::Get,
            url: "https://a.example/".to_owned(),
            headers: vec![(
                "Authorization".to_owned(),
                "Bearer {{secret:crm}}".to_owned(),
            )],
            body: Vec::new(),
            sign: false,
        };
        let mut own = grants(&["a.example"], &[]);
        let told = own.check_request(&request).unwrap_err();
        assert!(told.contains("secrets = [\"crm\"]"), "{told}");
        own.secrets.push("crm".to_owned());
        assert_eq!(own.check_request(&request), Ok(()));
        request.url = "https://b.example/".to_owned();
        let told = own.check_request(&request).unwrap_err();
        assert!(told.contains("hosts = [\"b.example\"]"), "{told}");
    }

    #[test]
    fn entries_that_mean_nothing_are_named() {
        for (grants, told) in [
            (
                grants(&["https://a.example"], &[]),
                "`https://a.example` among `hosts`",
            ),
            (grants(&[""], &[]), "is no host"),
            (grants(&["*."], &[]), "is no host"),
            (grants(&["a.*"], &[]), "is no host"),
            (grants(&[], &["855x"]), "`855x` among `dial`"),
            (grants(&[], &[""]), "among `dial`"),
        ] {
            let error = grants.check_entries().unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }
}
