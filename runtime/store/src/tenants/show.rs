//! Rows as tables of a tenants file: what the operator's API shows, and changes.

use call::AccountSid;
use toml::{Table, Value};

use crate::{
    Account, Carrier, Directory, Encryption, Flow, IpPrefix, Number, Outbound, Priority, Secret,
    SipHost, Target, Trunk,
};

/// Whether secrets stand in a table: only where it is read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrets {
    Shown,
    Left,
}

impl Secrets {
    fn of(self, secret: &Secret) -> Option<Value> {
        (self == Self::Shown).then(|| secret.expose().into())
    }
}

/// A table whose keys without a value are left out.
struct Lines(Table);

impl Lines {
    fn of<const N: usize>(lines: [(&str, Option<Value>); N]) -> Self {
        let given = lines.into_iter().filter_map(|(key, value)| {
            let is_empty = |value: &Value| {
                value.as_table().is_some_and(Table::is_empty)
                    || value.as_array().is_some_and(Vec::is_empty)
                    || value.as_bool() == Some(false)
            };
            let value = value.filter(|value| !is_empty(value))?;
            Some((key.to_owned(), value))
        });
        Self(given.collect())
    }

    fn value(self) -> Option<Value> {
        Some(Value::Table(self.0))
    }
}

fn text(value: impl ToString) -> Option<Value> {
    Some(value.to_string().into())
}

fn whole(number: u32) -> Option<Value> {
    Some(i64::from(number).into())
}

/// With the digits that a 32-bit number has, not those that 64 bits would add.
fn rate(number: f32) -> Option<Value> {
    number.to_string().parse::<f64>().ok().map(Value::from)
}

fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Option<Value> {
    let values = values.into_iter().map(|value| value.to_string().into());
    Some(Value::Array(values.collect()))
}

fn pairs<'m>(map: impl IntoIterator<Item = (&'m String, &'m String)>) -> Option<Value> {
    let pairs = map
        .into_iter()
        .map(|(key, value)| (key.clone(), value.as_str().into()));
    Some(Value::Table(pairs.collect()))
}

/// Whatever serde writes in the file's own spelling.
fn spelled(value: &impl serde::Serialize) -> Option<Value> {
    Value::try_from(value).ok()
}

/// A class that is not what an account has without it.
fn unless_usual(priority: Priority) -> Option<Value> {
    (priority != Priority::default()).then(|| priority.as_str().into())
}

pub(crate) fn carrier(carrier: &Carrier) -> Table {
    Lines::of([
        ("id", text(&carrier.id)),
        ("name", text(&carrier.name)),
        ("domain", carrier.domain.as_deref().map(Value::from)),
        ("number_pool", texts(&carrier.number_pool)),
        ("calls_per_second", carrier.calls_per_second.and_then(rate)),
    ])
    .0
}

pub(crate) fn account(account: &Account, secrets: Secrets) -> Table {
    let outbound = &account.outbound;
    let queue = &outbound.queue;
    let waits_otherwise = outbound.max_waiting != Outbound::default().max_waiting;
    let own = account.secrets.iter().filter_map(|(name, secret)| {
        let value = secrets.of(secret)?;
        Some((name.clone(), value))
    });
    let media = account.media_dir.as_ref();
    Lines::of([
        ("carrier", text(&account.carrier)),
        ("name", text(&account.name)),
        ("sid", text(account.sid)),
        ("media_dir", media.and_then(|folder| text(folder.display()))),
        ("voice", account.voice.as_deref().map(Value::from)),
        ("open_recordings", Some(account.has_open_recordings.into())),
        ("settings", pairs(&account.settings)),
        (
            "fallback",
            account.fallback.as_ref().and_then(|one| flow(one).value()),
        ),
        (
            "egress",
            Lines::of([("allow", texts(&account.egress.allow))]).value(),
        ),
        (
            "outbound",
            Lines::of([
                ("allow", texts(&outbound.allow)),
                ("max_channels", whole(outbound.max_channels)),
                ("calls_per_second", rate(outbound.calls_per_second)),
                (
                    "max_waiting",
                    whole(outbound.max_waiting).filter(|_| waits_otherwise),
                ),
                ("priority", unless_usual(queue.priority)),
                ("highest_priority", unless_usual(queue.highest_priority)),
                ("expires_after_s", queue.expires_after_s.and_then(whole)),
                ("window", queue.window.as_ref().and_then(text)),
            ])
            .value(),
        ),
        ("secrets", Some(Value::Table(own.collect()))),
        ("grants", spelled(&account.grants)),
    ])
    .0
}

fn flow(flow: &Flow) -> Lines {
    match flow {
        Flow::Component(name) => Lines::of([("flow", text(name))]),
        Flow::VoiceUrl { url, method } => Lines::of([
            ("voice_url", text(url)),
            ("voice_method", text(method.as_str())),
        ]),
        Flow::Twiml(document) => Lines::of([("twiml", text(document))]),
    }
}

/// `account` is how the file names whose it is.
pub(crate) fn number(number: &Number, account: &str) -> Table {
    let told = number.status_callback.as_ref();
    let method = |told: &call::StatusCallback| Value::from(told.method.as_str());
    let mut lines = Lines::of([
        ("number", text(&number.number)),
        ("account", text(account)),
        ("settings", pairs(&number.settings)),
        ("status_callback", told.and_then(|told| text(&told.url))),
        ("status_callback_method", told.map(method)),
    ]);
    lines.0.extend(flow(&number.flow).0);
    lines.0
}

/// `account` is how the file names whose it is.
pub(crate) fn trunk(trunk: &Trunk, account: Option<&str>, secrets: Secrets) -> Table {
    let target = |target: &Target| match target {
        Target::Uri(uri) => uri.to_string(),
        Target::Registered => "registered".to_owned(),
    };
    let parts = trunk.channels_by_prefix.iter();
    let parts = parts.map(|(prefix, channels)| (prefix.to_owned(), i64::from(channels).into()));
    let reserved = trunk.reserved.by_prefix.iter();
    let reserved =
        reserved.map(|(prefix, channels)| (prefix.to_owned(), i64::from(channels).into()));
    let outcomes = trunk.outcomes.iter();
    let outcomes = outcomes.map(|(code, status)| (code.to_string(), status.to_string().into()));
    let codecs = trunk.codecs.iter().map(|codec| codec.name());
    Lines::of([
        ("id", text(&trunk.id)),
        ("carrier", text(&trunk.carrier)),
        ("account", account.map(Value::from)),
        (
            "sources",
            texts(trunk.sources.iter().map(IpPrefix::to_string)),
        ),
        ("targets", texts(trunk.targets.iter().map(target))),
        (
            "sip_hosts",
            texts(trunk.sip_hosts.iter().map(SipHost::to_string)),
        ),
        ("prefixes", texts(&trunk.prefixes)),
        (
            "rank",
            (trunk.rank > 0).then(|| whole(trunk.rank)).flatten(),
        ),
        ("max_channels", whole(trunk.max_channels)),
        ("calls_per_second", rate(trunk.calls_per_second)),
        ("channels_by_prefix", Some(Value::Table(parts.collect()))),
        (
            "reserved_for_inbound",
            (trunk.reserved.channels > 0)
                .then(|| whole(trunk.reserved.channels))
                .flatten(),
        ),
        ("reserved_by_prefix", Some(Value::Table(reserved.collect()))),
        ("codecs", texts(codecs)),
        ("dtmf", text(trunk.dtmf.name())),
        (
            "encryption",
            (trunk.encryption != Encryption::Off)
                .then(|| spelled(&trunk.encryption))
                .flatten(),
        ),
        ("outcomes", Some(Value::Table(outcomes.collect()))),
        ("login", login(trunk, secrets)),
        ("credentials", credentials(trunk, secrets)),
        ("registration", registration(trunk)),
        ("health", trunk.health.as_ref().and_then(spelled)),
        ("numbers", number_rules(trunk)),
        ("caller_id", spelled(&trunk.caller_id)),
        ("nat", nat(trunk)),
    ])
    .0
}

fn login(trunk: &Trunk, secrets: Secrets) -> Option<Value> {
    let login = trunk.login.as_ref()?;
    Lines::of([
        ("username", text(&login.username)),
        ("password", secrets.of(&login.password)),
        ("registers", Some(login.registers.into())),
    ])
    .value()
}

fn credentials(trunk: &Trunk, secrets: Secrets) -> Option<Value> {
    let credentials = trunk.credentials.as_ref()?;
    Lines::of([
        ("username", text(&credentials.username)),
        ("password", secrets.of(&credentials.password)),
        ("realm", credentials.realm.as_deref().map(Value::from)),
    ])
    .value()
}

fn registration(trunk: &Trunk) -> Option<Value> {
    let registration = trunk.registration.as_ref()?;
    Lines::of([
        ("registrar", text(&registration.registrar)),
        ("user", text(&registration.user)),
        ("contact_user", text(&registration.contact_user)),
        ("expires_s", whole(registration.expires_s)),
    ])
    .value()
}

fn number_rules(trunk: &Trunk) -> Option<Value> {
    let rules = &trunk.numbers;
    let prefix = Some(rules.prefix.as_str()).filter(|prefix| !prefix.is_empty());
    Lines::of([
        ("country", rules.country.and_then(text)),
        ("dial_as", spelled(&rules.dial_as)),
        ("prefix", prefix.map(Value::from)),
    ])
    .value()
}

fn nat(trunk: &Trunk) -> Option<Value> {
    let nat = &trunk.nat;
    Lines::of([
        ("force_rport", Some(nat.force_rport.into())),
        ("to_source", Some(nat.to_source.into())),
        ("symmetric_rtp", Some(nat.symmetric_rtp.into())),
        ("advertised_sip", nat.advertised_sip.and_then(text)),
        ("advertised_media", nat.advertised_media.and_then(text)),
    ])
    .value()
}

/// How a file names an account.
pub(crate) fn account_name(directory: &Directory, account: AccountSid) -> String {
    let account = directory.account(account);
    account.map_or_else(String::new, |account| {
        format!("{}/{}", account.carrier, account.name)
    })
}
