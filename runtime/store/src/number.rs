//! Numbers, and what happens when somebody calls one.

use std::collections::BTreeMap;

use call::{AccountSid, ApplicationSid, HttpMethod, PhoneNumberSid, StatusCallback};
use numbers::PhoneNumber;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::CarrierId;
use crate::seal::random_bytes;

/// The most applications of one account.
pub const MAX_APPLICATIONS: usize = 1_000;

/// A number of a carrier, given to one of its accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    /// The number; one of its kind within its carrier.
    pub number: PhoneNumber,
    /// Whose trunks bring its calls.
    pub carrier: CarrierId,
    /// Whose number it is.
    pub account: AccountSid,
    /// What a call to it does.
    pub flow: Flow,
    /// Settings that the flow may read; they go before the account's settings of the same name.
    pub settings: BTreeMap<String, String>,
    /// Who is told how its calls end.
    pub status_callback: Option<StatusCallback>,
    /// Its name for people; the number itself if left out.
    pub name: Option<String>,
    /// Asked when the flow's own URL fails.
    pub fallback: Option<VoiceUrl>,
    /// Answers in place of the flow, the fallback and the status callback, as long as the account has it.
    pub application: Option<ApplicationSid>,
    /// When the account got it, in milliseconds since the Unix epoch; 0 where that was not noted.
    pub created_unix_ms: u64,
    /// When it was last changed, in milliseconds since the Unix epoch; 0 where that was not noted.
    pub updated_unix_ms: u64,
    /// What its account says of texts to it, by the API's names: kept and shown, and nothing is done with it.
    pub kept: BTreeMap<String, String>,
}

impl Number {
    /// A number that was just taken: it rejects calls until it is told what to do with them.
    #[must_use]
    pub fn taken(number: PhoneNumber, carrier: CarrierId, account: AccountSid) -> Self {
        Self {
            number,
            carrier,
            account,
            flow: Flow::rejecting(),
            settings: BTreeMap::new(),
            status_callback: None,
            name: None,
            fallback: None,
            application: None,
            created_unix_ms: 0,
            updated_unix_ms: 0,
            kept: BTreeMap::new(),
        }
    }

    /// Its SID, the same as long as the same account has it.
    #[must_use]
    pub fn sid(&self) -> PhoneNumberSid {
        let named = format!(
            "jackfield number\0{}\0{}\0{}",
            self.carrier, self.account, self.number
        );
        let digest: [u8; 32] = Sha256::digest(named).into();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        PhoneNumberSid::from_bytes(bytes)
    }
}

/// A web server that is asked for `TwiML`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoiceUrl {
    /// `http` or `https`.
    pub url: String,
    /// How it is asked.
    pub method: WebhookMethod,
}

/// URLs under one SID: calls, and numbers, name them together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Its name in every reference.
    pub sid: ApplicationSid,
    /// Whose it is.
    pub account: AccountSid,
    /// Its name for people.
    pub name: String,
    /// What a call does; one that finds none is rejected.
    pub voice: Option<VoiceUrl>,
    /// Asked when the first URL fails.
    pub fallback: Option<VoiceUrl>,
    /// Who is told how its calls end.
    pub status_callback: Option<StatusCallback>,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_unix_ms: u64,
    /// When it was last changed, in milliseconds since the Unix epoch.
    pub updated_unix_ms: u64,
    /// As [`Number::kept`].
    pub kept: BTreeMap<String, String>,
}

/// A SID for a new application, with 128 random bits.
#[must_use]
pub fn random_application_sid() -> ApplicationSid {
    ApplicationSid::from_bytes(random_bytes())
}

/// A number that an account may show as the caller although its calls do not come in here: the operator has made sure that it is the
/// account's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerId {
    /// Its name in every reference.
    pub sid: PhoneNumberSid,
    /// Who may show it.
    pub account: AccountSid,
    /// The number.
    pub number: PhoneNumber,
    /// Its name for people.
    pub name: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_unix_ms: u64,
    /// When it was last changed, in milliseconds since the Unix epoch.
    pub updated_unix_ms: u64,
}

/// A SID for a new caller ID, with 128 random bits.
#[must_use]
pub fn random_caller_id_sid() -> PhoneNumberSid {
    PhoneNumberSid::from_bytes(random_bytes())
}

/// What answers a call to a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What it does.
    pub flow: Flow,
    /// Settings that the flow may read, over the account's.
    pub settings: BTreeMap<String, String>,
    /// Who is told how it ends.
    pub status_callback: Option<StatusCallback>,
}

impl Answer {
    /// As the number itself says.
    #[must_use]
    pub fn of_number(number: &Number) -> Self {
        let mut settings = number.settings.clone();
        add_fallback(&mut settings, number.fallback.as_ref());
        Self {
            flow: number.flow.clone(),
            settings,
            status_callback: number.status_callback.clone(),
        }
    }

    /// As an application says.
    #[must_use]
    pub fn of_application(application: &Application) -> Self {
        let mut settings = BTreeMap::new();
        add_fallback(&mut settings, application.fallback.as_ref());
        Self {
            flow: (application.voice.clone()).map_or_else(Flow::rejecting, Flow::from),
            settings,
            status_callback: application.status_callback.clone(),
        }
    }
}

/// The settings by which the `TwiML` component knows its second URL.
fn add_fallback(settings: &mut BTreeMap<String, String>, fallback: Option<&VoiceUrl>) {
    if let Some(VoiceUrl { url, method }) = fallback {
        settings.insert("fallback-url".to_owned(), url.clone());
        settings.insert("fallback-method".to_owned(), method.as_str().to_owned());
    }
}

/// What a call does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flow {
    /// Runs the account's component of this name, or else the bundled one.
    Component(String),
    /// Fetches `TwiML` from a web server.
    VoiceUrl {
        /// `http` or `https`.
        url: String,
        /// How the first document is asked for.
        method: WebhookMethod,
    },
    /// Runs this `TwiML` document.
    Twiml(String),
}

impl Flow {
    /// Turns the caller away: for whatever has not been told yet what to do.
    #[must_use]
    pub fn rejecting() -> Self {
        Self::Twiml("<Response><Reject/></Response>".to_owned())
    }
}

impl From<VoiceUrl> for Flow {
    fn from(VoiceUrl { url, method }: VoiceUrl) -> Self {
        Self::VoiceUrl { url, method }
    }
}

/// How a webhook is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WebhookMethod {
    /// Parameters in the query.
    Get,
    /// Parameters in a form body.
    #[default]
    Post,
}

impl WebhookMethod {
    /// As HTTP spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }

    /// How a story or a callback asks for it; what is not `GET` is `POST`, for no other is accepted where a webhook is named.
    #[must_use]
    pub const fn of(method: HttpMethod) -> Self {
        match method {
            HttpMethod::Get => Self::Get,
            HttpMethod::Post | HttpMethod::Put | HttpMethod::Delete => Self::Post,
        }
    }
}

impl From<WebhookMethod> for HttpMethod {
    fn from(method: WebhookMethod) -> Self {
        match method {
            WebhookMethod::Get => Self::Get,
            WebhookMethod::Post => Self::Post,
        }
    }
}
