//! Who is in a `<Dial>`: numbers, SIP URIs and devices, each with what they hear first, and who is told of their call.

use jackfield_guest::{Credentials, Target, TargetTerms, Whisper};

use super::Reading;
use super::callback::{OF_CALL, OF_DETECTION};
use crate::fault::{
    DIAL_CREDENTIALS, DIAL_NESTED, DIAL_NUMBER, DIAL_SEND_DIGITS, DIAL_TOO_MANY, NOT_IN_SCHEMA,
};
use crate::parse::{Element, Node};

/// What can be dialled at a time.
const MOST_TARGETS: usize = 10;

/// Bytes of a username or a password.
const LONGEST_CREDENTIAL: usize = 255;

/// The setting of a story that presses keys before its first document.
const SEND_DIGITS: &str = "send-digits";

/// Somebody to call, and what is said of them alone.
type Callee = (Target, TargetTerms);

/// Whom a `<Dial>` calls.
pub(super) struct Callees {
    pub(super) targets: Vec<Target>,
    /// Of the targets, in their order; empty where nothing is said of any.
    pub(super) terms: Vec<TargetTerms>,
    /// They are one and the same in several places.
    pub(super) in_turn: bool,
}

impl Reading {
    /// Of what is not supported yet, its name.
    pub(super) fn callees(&mut self, dial: &Element) -> Result<Callees, String> {
        let mut nouns: Vec<Vec<Callee>> = Vec::new();
        let usual = |target: Target| (target, TargetTerms::default());
        for node in &dial.children {
            let targets = match node {
                Node::Text(text) => {
                    let number = plain_number(text);
                    self.check_number("Dial", &number);
                    vec![usual(Target::new(number))]
                }
                Node::Element(noun) => match noun.name.as_str() {
                    "Number" => vec![usual(self.number(noun))],
                    "Sip" => self.sip(noun),
                    "Client" => self.client(noun).map(usual).into_iter().collect(),
                    "Application" => self.application(noun).map(usual).into_iter().collect(),
                    "Conference" | "Queue" | "Sim" | "WhatsApp" => {
                        return Err(noun.name.clone());
                    }
                    other => {
                        let message = format!("Dial: <{other}> cannot be in it, and is ignored");
                        self.warn(DIAL_NESTED, message);
                        continue;
                    }
                },
            };
            let named = targets
                .into_iter()
                .filter(|(target, _)| !target.to.is_empty());
            nouns.extend(Some(named.collect::<Vec<_>>()).filter(|named| !named.is_empty()));
        }
        Ok(self.all_or_in_turn(nouns))
    }

    /// The places of one noun are tried one after the other. Beside other nouns, which ring at the same time, that cannot be.
    fn all_or_in_turn(&mut self, nouns: Vec<Vec<Callee>>) -> Callees {
        let in_turn = nouns.len() == 1 && nouns[0].len() > 1;
        if !in_turn && nouns.iter().any(|places| places.len() > 1) {
            let message = "Sip: beside others only the first <Uri> is dialled";
            self.warn(NOT_IN_SCHEMA, message);
        }
        let places =
            |noun: Vec<Callee>| noun.into_iter().take(if in_turn { usize::MAX } else { 1 });
        let mut callees: Vec<Callee> = nouns.into_iter().flat_map(places).collect();
        if callees.len() > MOST_TARGETS {
            let message = format!("Dial: only the first {MOST_TARGETS} are dialled");
            self.warn(DIAL_TOO_MANY, message);
            callees.truncate(MOST_TARGETS);
        }
        let (targets, mut terms): (Vec<_>, Vec<_>) = callees.into_iter().unzip();
        if terms.iter().all(|terms| *terms == TargetTerms::default()) {
            terms.clear();
        }
        Callees {
            targets,
            terms,
            in_turn,
        }
    }

    /// What is no number can be called by nobody: the dial comes to nothing, and `action` hears so.
    fn check_number(&mut self, element: &str, number: &str) {
        if !number.is_empty() && !is_dialable(number) {
            let message = format!(
                "{element}: {number:?} is no telephone number: give digits with a `+` in front, or a short code"
            );
            self.warn(DIAL_NUMBER, message);
        }
    }

    /// Who is called by number. Keys for a switchboard are a whisper too: one that the machine there hears, before who is behind it hears theirs.
    fn number(&mut self, noun: &Element) -> Target {
        let keys = noun.attribute("sendDigits");
        let keys = keys.and_then(|keys| self.keys("Number", keys, DIAL_SEND_DIGITS));
        let whispered = self.whispered(noun, &["sendDigits"]);
        let number = plain_number(&noun.text());
        self.check_number("Number", &number);
        let target = self.followed(noun, Target::new(number));
        match (keys, whispered) {
            (Some(keys), Some(whisper)) => target.whisper(whisper.setting(SEND_DIGITS, &keys)),
            (Some(keys), None) => target.whisper(Whisper::twiml(pressing(&keys))),
            (None, Some(whisper)) => target.whisper(whisper),
            (None, None) => target,
        }
    }

    /// Who is called at a URI, or at several: by priority, and of the same by weight.
    fn sip(&mut self, noun: &Element) -> Vec<Callee> {
        let (mut places, mut fields) = (Vec::new(), Vec::new());
        let usual = self.credentials(noun);
        for inner in noun.elements() {
            match inner.name.as_str() {
                "Uri" => places.push(self.place(inner)),
                "Headers" => fields.extend(self.headers(inner)),
                other => {
                    let message = format!("<{other}> in <Sip> is ignored");
                    self.warn(NOT_IN_SCHEMA, message);
                }
            }
        }
        places.sort_by_key(|place| (place.priority, std::cmp::Reverse(place.weight)));
        let text = noun.text().trim().to_owned();
        if places.is_empty() {
            places.push(Place {
                uri: text,
                ..Place::default()
            });
        } else if !text.is_empty() {
            self.warn(NOT_IN_SCHEMA, "Sip: beside <Uri> the text has no effect");
        }
        let whispered = self.whispered(noun, &["username", "password"]);
        let target = self.followed(noun, Target::new(String::new()));
        let target = with_whisper(target, whispered);
        let at = |place: Place| {
            let target = Target {
                to: with_fields(place.uri, &fields),
                ..target.clone()
            };
            let credentials = place.credentials.or_else(|| usual.clone());
            (target, TargetTerms { credentials })
        };
        places.into_iter().map(at).collect()
    }

    /// Priority and weight as of RFC 2782: the smallest priority first, the greatest weight first.
    fn place(&mut self, uri: &Element) -> Place {
        for (name, _) in &uri.attributes {
            if !["priority", "weight", "username", "password"].contains(&name.as_str()) {
                let message = format!("Uri: {name} is not supported yet, and is ignored");
                self.warn(NOT_IN_SCHEMA, message);
            }
        }
        let mut number = |name| self.value(uri, name, 0, NOT_IN_SCHEMA, |text| text.parse().ok());
        Place {
            priority: number("priority"),
            weight: number("weight"),
            uri: uri.text().trim().to_owned(),
            credentials: self.credentials(uri),
        }
    }

    /// What is proved to whoever answers there that they want a password. No warning says what it is.
    fn credentials(&mut self, element: &Element) -> Option<Credentials> {
        let given = ["username", "password"].map(|name| element.attribute(name));
        let fits = |text: &&str| {
            (1..=LONGEST_CREDENTIAL).contains(&text.len()) && !text.contains(char::is_control)
        };
        match given.map(|text| text.filter(fits)) {
            [Some(username), Some(password)] => Some(Credentials {
                username: username.to_owned(),
                password: password.to_owned(),
            }),
            _ => {
                if given != [None, None] {
                    let message = format!(
                        "{}: username and password are left out: they stand together, with 1 to {LONGEST_CREDENTIAL} bytes each",
                        element.name
                    );
                    self.warn(DIAL_CREDENTIALS, message);
                }
                None
            }
        }
    }

    /// `<Header>`s for the INVITE, which the host takes behind the `?` of a URI.
    fn headers(&mut self, headers: &Element) -> Vec<String> {
        let mut fields = Vec::new();
        for inner in headers.elements() {
            if inner.name != "Header" {
                let message = format!("<{}> in <Headers> is ignored", inner.name);
                self.warn(NOT_IN_SCHEMA, message);
                continue;
            }
            self.know(inner, &["name", "value"]);
            let name = inner.attribute("name").unwrap_or_default();
            fields.extend(self.field(inner, name));
        }
        fields
    }

    /// A device of the account, with `<Parameter>`s as `X-` fields of its INVITE.
    fn client(&mut self, noun: &Element) -> Option<Target> {
        let (mut identity, mut fields) = (noun.text().trim().to_owned(), Vec::new());
        for inner in noun.elements() {
            match inner.name.as_str() {
                "Identity" => {
                    self.know(inner, &[]);
                    identity = inner.text().trim().to_owned();
                }
                "Parameter" => {
                    self.know(inner, &["name", "value"]);
                    let name = inner.attribute("name").unwrap_or_default();
                    fields.extend(self.field(inner, &format!("X-{name}")));
                }
                other => {
                    let message = format!("<{other}> in <Client> is ignored");
                    self.warn(NOT_IN_SCHEMA, message);
                }
            }
        }
        if identity.is_empty() {
            self.warn(NOT_IN_SCHEMA, "Client: there is no identity in it");
            return None;
        }
        let name = identity.strip_prefix("client:").unwrap_or(&identity);
        let whispered = self.whispered(noun, &[]);
        let to = with_fields(format!("client:{name}"), &fields);
        let target = self.followed(noun, Target::new(to));
        Some(with_whisper(target, whispered))
    }

    /// A header field as it stands in a URI, with the value of this element. None, with a warning, of one that means something to SIP.
    fn field(&mut self, element: &Element, name: &str) -> Option<String> {
        let is_token = |name: &str| {
            let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !name.is_empty() && name.bytes().all(is_token_byte)
        };
        let own = name.strip_prefix("X-").or_else(|| name.strip_prefix("x-"));
        if !own.is_some_and(is_token) && !name.eq_ignore_ascii_case("User-to-User") {
            let message = format!(
                "{}: the field {name:?} is left out: X- and letters, digits, `-`, `_`, `.` make a name, or User-to-User",
                element.name
            );
            self.warn(NOT_IN_SCHEMA, message);
            return None;
        }
        let value = element.attribute("value").unwrap_or_default();
        Some(format!("{name}={}", escaped(value)))
    }

    /// Who is told of their call, and of who answered it.
    fn followed(&mut self, noun: &Element, target: Target) -> Target {
        Target {
            status_callback: self.call_callback(noun),
            detection: self.detection(noun),
            ..target
        }
    }

    /// What they hear first, at a URL that is as written.
    fn whispered(&mut self, noun: &Element, known: &[&str]) -> Option<Whisper> {
        for (name, _) in &noun.attributes {
            let mut known = known.iter().chain(&["url", "method"]);
            let mut others = OF_CALL.iter().chain(&OF_DETECTION);
            if !known.any(|own| own == name) && !others.any(|own| own == name) {
                let message = format!("{}: {name} is not supported yet, and is ignored", noun.name);
                self.warn(NOT_IN_SCHEMA, message);
            }
        }
        let method = self.method(noun, NOT_IN_SCHEMA);
        let url = noun.attribute("url")?.trim();
        Some(Whisper::voice_url(url, method))
    }
}

/// One `<Uri>`.
#[derive(Default)]
struct Place {
    priority: u32,
    weight: u32,
    uri: String,
    credentials: Option<Credentials>,
}

fn with_whisper(target: Target, whisper: Option<Whisper>) -> Target {
    match whisper {
        Some(whisper) => target.whisper(whisper),
        None => target,
    }
}

/// Header fields behind the `?` of a URI (RFC 3261 section 19.1.1), which may have some.
fn with_fields(uri: String, fields: &[String]) -> String {
    if fields.is_empty() || uri.is_empty() {
        return uri;
    }
    let mark = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{mark}{}", fields.join("&"))
}

/// All but RFC 3986's unreserved characters as `%HH`.
pub(super) fn escaped(value: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    value.bytes().map(byte).collect()
}

/// A document that presses keys, which are letters, digits, `*` and `#`.
fn pressing(keys: &str) -> String {
    format!("<Response><Play digits=\"{keys}\"/></Response>")
}

/// Whether this may be a telephone number, or what stands in the place of one: a URI with a scheme.
pub(super) fn is_dialable(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = digits.len() <= 20 && digits.bytes().all(|key| b"0123456789*#".contains(&key));
    text.contains(':') || !digits.is_empty() && is_number
}

/// A number without what people write between its digits.
pub(super) fn plain_number(text: &str) -> String {
    let text = text.trim();
    if text.contains(':') || text.chars().any(char::is_alphabetic) {
        return text.to_owned();
    }
    text.chars()
        .filter(|c| !c.is_whitespace() && !"()-.".contains(*c))
        .collect()
}

#[cfg(test)]
mod tests;
