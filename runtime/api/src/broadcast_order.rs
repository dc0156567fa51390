//! What a broadcast is ordered to be: the body of `POST …/Broadcasts`.

use std::collections::BTreeMap;

use call::{BroadcastSid, StatusCallback};
use serde::{Deserialize, Deserializer};
use store::{
    BroadcastChange, BroadcastRules, FlowStart, Message, NewRecipient, PersonFilter, QueueTerms,
    Scope, Secret, WebhookMethod,
};

use crate::ApiState;
use crate::destination::normalise;
use crate::parameters::is_web;
use crate::people::{number, unix_ms};
use crate::problem::Problem;

/// Characters of a name.
const MAX_NAME_CHARS: usize = 100;
/// Characters of a document.
const MAX_TWIML_CHARS: usize = 4_000;
/// Languages of one message.
const MAX_LANGUAGES: usize = 100;
/// Recipients that a body in JSON may name.
const MAX_NAMED: usize = 1_000;
/// Characters of a token.
const MAX_TOKEN_CHARS: usize = 200;

/// What is not named stays; null takes away what was there.
type Said<T> = Option<Option<T>>;

fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(given: D) -> Result<Said<T>, D::Error> {
    Option::deserialize(given).map(Some)
}

/// The body: whatever it names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Draft {
    name: Option<String>,
    from: Option<String>,
    message: Option<DraftMessage>,
    recipients: Option<Vec<DraftRecipient>>,
    people: Option<DraftPeople>,
    priority: Option<String>,
    not_before: Option<String>,
    expires: Option<String>,
    window: Option<String>,
    max_attempts: Option<u32>,
    gap_s: Option<u32>,
    reached_after_s: Option<u32>,
    ring_timeout_s: Option<u32>,
    #[serde(default, deserialize_with = "said")]
    webhook: Said<DraftWebhook>,
    #[serde(default, deserialize_with = "said")]
    rapidpro: Said<DraftFlowStart>,
    /// What a change starts from.
    #[serde(skip)]
    rules: Option<BroadcastRules>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftMessage {
    audio: Option<BTreeMap<String, String>>,
    fallback: Option<String>,
    twiml: Option<String>,
    url: Option<String>,
    method: Option<String>,
    plugin: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftRecipient {
    number: String,
    language: Option<String>,
    #[serde(default)]
    areas: Vec<String>,
    #[serde(default)]
    fields: BTreeMap<String, String>,
}

/// Which of the account's people.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftPeople {
    language: Option<String>,
    #[serde(default)]
    areas: Vec<String>,
    #[serde(default)]
    fields: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftWebhook {
    url: String,
    method: Option<String>,
}

/// A flow of `RapidPro`'s; all of it whenever any of it is said, so that no token goes to another server than it was given for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftFlowStart {
    url: String,
    flow: String,
    token: Secret,
}

/// Who is to hear it, besides those who are to hear it already.
#[derive(Debug, Default)]
pub(crate) struct Audience {
    pub(crate) named: Vec<NewRecipient>,
    pub(crate) people: Option<PersonFilter>,
}

/// What was ordered.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) change: BroadcastChange,
    pub(crate) audience: Audience,
}

impl Draft {
    /// A change of what there is already.
    pub(crate) fn over(self, rules: &BroadcastRules) -> Self {
        Self {
            rules: Some(rules.clone()),
            ..self
        }
    }
}

/// Checks everything that can be checked before anybody is called.
pub(crate) fn read(
    state: &ApiState,
    scope: Scope,
    sid: BroadcastSid,
    draft: Draft,
    now_unix_ms: u64,
) -> Result<Order, Problem> {
    let name = draft.name.as_deref().map(str::trim).map(str::to_owned);
    if name
        .as_ref()
        .is_some_and(|name| name.is_empty() || name.chars().count() > MAX_NAME_CHARS)
    {
        let message = format!("`name` has 1 to {MAX_NAME_CHARS} characters");
        return Err(Problem::bad_parameter(message));
    }
    let from = draft.from.as_deref().map(normalise);
    if let Some(from) = &from {
        check_caller(state, scope, from)?;
    }
    let rules = rules(state, scope, &draft, now_unix_ms)?;
    let flow_start = match draft.rapidpro {
        Some(Some(start)) => Some(Some(flow_start(state, scope, sid, start)?)),
        Some(None) => Some(None),
        None => None,
    };
    let message = match draft.message {
        Some(message) => Some(read_message(state, scope, message)?),
        None => None,
    };
    Ok(Order {
        change: BroadcastChange {
            name,
            from,
            message,
            rules: Some(rules),
            flow_start,
        },
        audience: Audience {
            named: recipients(draft.recipients.unwrap_or_default())?,
            people: draft.people.map(|people| PersonFilter {
                language: people.language,
                areas: people.areas,
                fields: people.fields,
                ..PersonFilter::default()
            }),
        },
    })
}

/// The caller is a number that the account may show.
pub(crate) fn check_caller(state: &ApiState, scope: Scope, from: &str) -> Result<(), Problem> {
    if state.store.directory().may_show(scope.account(), from) {
        return Ok(());
    }
    Err(dial::Refusal::ForeignCaller(from.to_owned()).into())
}

fn read_message(state: &ApiState, scope: Scope, draft: DraftMessage) -> Result<Message, Problem> {
    let bad = |message: &str| Problem::bad_parameter(message);
    if draft.method.is_some() && draft.url.is_none() {
        return Err(bad("`message.method` has no effect without `url`"));
    }
    if draft.fallback.is_some() && draft.audio.is_none() {
        return Err(bad("`message.fallback` has no effect without `audio`"));
    }
    match (draft.audio, draft.twiml, draft.url, draft.plugin) {
        (Some(files), None, None, None) => {
            if files.is_empty() && draft.fallback.is_none() || files.len() > MAX_LANGUAGES {
                return Err(Problem::bad_parameter(format!(
                    "`message.audio` has a file for each of 1 to {MAX_LANGUAGES} languages, or there is a `fallback`"
                )));
            }
            Ok(Message::Audio {
                files,
                fallback: draft.fallback,
            })
        }
        (None, Some(twiml), None, None) => match twiml.chars().count() > MAX_TWIML_CHARS {
            true => Err(Problem::bad_parameter(format!(
                "`message.twiml` has more than {MAX_TWIML_CHARS} characters: use `url`"
            ))),
            false => Ok(Message::Twiml(twiml)),
        },
        (None, None, Some(url), None) => Ok(Message::Url {
            url: web_url(&url, "message.url")?,
            method: method(draft.method.as_deref(), "message.method")?,
        }),
        (None, None, None, Some(name)) => {
            let directory = state.store.directory();
            let account = directory.account(scope.account());
            let is_there = account
                .is_some_and(|account| directory.has_plugin(&account.carrier, account.sid, &name));
            match is_there {
                true => Ok(Message::Plugin(name)),
                false => Err(Problem::bad_parameter(format!(
                    "`message.plugin`: the account has no plugin `{name}`"
                ))),
            }
        }
        _ => Err(bad(
            "`message` has one of `audio`, `twiml`, `url` and `plugin`",
        )),
    }
}

fn rules(
    state: &ApiState,
    scope: Scope,
    draft: &Draft,
    now_unix_ms: u64,
) -> Result<BroadcastRules, Problem> {
    let before = draft.rules.clone().unwrap_or_default();
    let within = |name: &str, value: Option<u32>, range: std::ops::RangeInclusive<u32>| match value
    {
        Some(value) if !range.contains(&value) => Err(Problem::bad_parameter(format!(
            "`{name}` must be {} to {}",
            range.start(),
            range.end()
        ))),
        value => Ok(value),
    };
    let most = dial::retry::MOST_ATTEMPTS;
    let least = u32::try_from(dial::retry::LEAST_GAP.as_secs()).unwrap_or(u32::MAX);
    let webhook = match &draft.webhook {
        Some(Some(webhook)) => Some(StatusCallback {
            url: web_url(&webhook.url, "webhook.url")?,
            method: method(webhook.method.as_deref(), "webhook.method")?.into(),
        }),
        Some(None) => None,
        None => before.webhook,
    };
    Ok(BroadcastRules {
        terms: terms(state, scope, draft, before.terms, now_unix_ms)?,
        max_attempts: within("max_attempts", draft.max_attempts, 1..=most)?.or(before.max_attempts),
        gap_s: within("gap_s", draft.gap_s, least..=7 * 86_400)?.or(before.gap_s),
        reached_after_s: within("reached_after_s", draft.reached_after_s, 1..=3_600)?
            .or(before.reached_after_s),
        ring_timeout_s: within("ring_timeout_s", draft.ring_timeout_s, 1..=600)?
            .or(before.ring_timeout_s),
        webhook,
    })
}

fn terms(
    state: &ApiState,
    scope: Scope,
    draft: &Draft,
    before: QueueTerms,
    now_unix_ms: u64,
) -> Result<QueueTerms, Problem> {
    let directory = state.store.directory();
    let outbound = directory.account(scope.account());
    let outbound = outbound.map(|account| account.outbound.clone());
    let queue = outbound.unwrap_or_default().queue;
    let before = match draft.rules {
        Some(_) => before,
        None => QueueTerms {
            priority: queue.priority,
            window: queue.window.clone(),
            ..QueueTerms::default()
        },
    };
    let time = |name: &str, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => unix_ms(text).map(Some).ok_or_else(|| {
            Problem::bad_parameter(format!("`{name}` is a time such as `2026-05-01T00:00:00Z`"))
        }),
    };
    let priority = match &draft.priority {
        None => before.priority,
        Some(text) => {
            let asked = text
                .parse()
                .map_err(|error| Problem::bad_parameter(format!("`priority` {text:?}: {error}")))?;
            if asked < queue.highest_priority {
                return Err(Problem::bad_parameter(format!(
                    "`priority` may be at most `{}` for this account: the operator sets its `outbound.highest_priority`",
                    queue.highest_priority
                )));
            }
            asked
        }
    };
    let window = match &draft.window {
        None => before.window,
        Some(hours) => Some(
            hours
                .parse()
                .map_err(|error| Problem::bad_parameter(format!("`window`: {error}")))?,
        ),
    };
    let terms = QueueTerms {
        priority,
        not_before_unix_ms: time("not_before", &draft.not_before)?.or(before.not_before_unix_ms),
        expires_unix_ms: time("expires", &draft.expires)?.or(before.expires_unix_ms),
        window,
    };
    match terms.is_expired(terms.first_time(now_unix_ms)) {
        true => Err(Problem::bad_parameter(
            "Nobody could ever be called: `expires` comes before `not_before` and the hours of `window`",
        )),
        false => Ok(terms),
    }
}

fn recipients(drafts: Vec<DraftRecipient>) -> Result<Vec<NewRecipient>, Problem> {
    if drafts.len() > MAX_NAMED {
        return Err(Problem::bad_parameter(format!(
            "`recipients` has {MAX_NAMED} at most: send more as a table to Recipients.csv"
        )));
    }
    let read = drafts.into_iter().map(|draft| {
        let change = store::PersonChange {
            language: draft.language.clone(),
            areas: Some(draft.areas.clone()),
            fields: draft.fields.clone(),
            ..store::PersonChange::of(number(&draft.number)?)
        };
        change.check().map_err(Problem::bad_parameter)?;
        Ok(NewRecipient {
            number: change.number,
            language: draft.language,
            areas: draft.areas,
            fields: draft.fields,
        })
    });
    read.collect()
}

/// The token is sealed from here on.
fn flow_start(
    state: &ApiState,
    scope: Scope,
    sid: BroadcastSid,
    draft: DraftFlowStart,
) -> Result<FlowStart, Problem> {
    let url = web_url(&draft.url, "rapidpro.url")?;
    let server = url.trim_end_matches('/');
    if server.contains(['?', '#']) || server.ends_with(".json") {
        return Err(Problem::bad_parameter(
            "`rapidpro.url` is where RapidPro is, such as `https://rapidpro.example.org`, without a path of its API",
        ));
    }
    let groups: Vec<usize> = draft.flow.split('-').map(str::len).collect();
    let is_hex = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    if groups != [8, 4, 4, 4, 12] || !draft.flow.bytes().all(is_hex) {
        return Err(Problem::bad_parameter(
            "`rapidpro.flow` is the UUID of a flow, such as `f5901b62-ba76-4003-9c62-72fdacc1b7b7`",
        ));
    }
    let token = draft.token.expose();
    if !(1..=MAX_TOKEN_CHARS).contains(&token.len()) || !token.bytes().all(|b| b.is_ascii_graphic())
    {
        return Err(Problem::bad_parameter(format!(
            "`rapidpro.token` is an API token of RapidPro's: 1 to {MAX_TOKEN_CHARS} characters without spaces"
        )));
    }
    let directory = state.store.directory();
    let account = directory.account(scope.account());
    let account = account.ok_or_else(|| Problem::not_active(scope.account()))?;
    Ok(account.seal_flow_start(
        sid,
        server.to_owned(),
        draft.flow.to_lowercase(),
        &draft.token,
    ))
}

fn web_url(url: &str, name: &str) -> Result<String, Problem> {
    match is_web(url) {
        true => Ok(url.to_owned()),
        false => Err(Problem::bad_parameter(format!(
            "`{name}` must begin with http:// or https://"
        ))),
    }
}

fn method(given: Option<&str>, name: &str) -> Result<WebhookMethod, Problem> {
    match given {
        None | Some("POST") => Ok(WebhookMethod::Post),
        Some("GET") => Ok(WebhookMethod::Get),
        Some(_) => Err(Problem::bad_parameter(format!(
            "`{name}` must be `GET` or `POST`"
        ))),
    }
}
