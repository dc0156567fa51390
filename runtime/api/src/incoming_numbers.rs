//! Twilio's `IncomingPhoneNumbers` resource: the numbers of an account, and what their calls do.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use call::{ApplicationSid, PhoneNumberSid};
use serde_json::{Value, json};
use store::{Directory, Edit, Flow, Number, NumberKind, Page, Scope, VoiceUrl};

use crate::ApiState;
use crate::applications;
use crate::auth::Requester;
use crate::edit::{self, UrlChange, edit, friendly_name};
use crate::kept::{self, Kept};
use crate::page::{ListPage, PageRequest};
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;

/// What this server does nothing with.
const UNSUPPORTED: &[&str] = &[
    "AccountSid",
    "AddressSid",
    "BundleSid",
    "EmergencyAddressSid",
    "IdentitySid",
    "TrunkSid",
];
/// What every number here is.
const ONLY: &[(&str, &str)] = &[
    ("ApiVersion", "2010-04-01"),
    ("EmergencyStatus", "Inactive"),
    ("VoiceCallerIdLookup", "false"),
    ("VoiceReceiveMode", "voice"),
];
pub(crate) const CREATE: Vocabulary = Vocabulary {
    supported: &[
        "AreaCode",
        "PhoneNumber",
        "FriendlyName",
        "VoiceUrl",
        "VoiceMethod",
        "VoiceFallbackUrl",
        "VoiceFallbackMethod",
        "StatusCallback",
        "StatusCallbackMethod",
        "VoiceApplicationSid",
        "SmsUrl",
        "SmsMethod",
        "SmsFallbackUrl",
        "SmsFallbackMethod",
        "SmsApplicationSid",
        "ApiVersion",
        "EmergencyStatus",
        "VoiceCallerIdLookup",
        "VoiceReceiveMode",
    ],
    unsupported: UNSUPPORTED,
};
const UPDATE: Vocabulary = Vocabulary {
    supported: &[
        "FriendlyName",
        "VoiceUrl",
        "VoiceMethod",
        "VoiceFallbackUrl",
        "VoiceFallbackMethod",
        "StatusCallback",
        "StatusCallbackMethod",
        "VoiceApplicationSid",
        "SmsUrl",
        "SmsMethod",
        "SmsFallbackUrl",
        "SmsFallbackMethod",
        "SmsApplicationSid",
        "ApiVersion",
        "EmergencyStatus",
        "VoiceCallerIdLookup",
        "VoiceReceiveMode",
    ],
    unsupported: UNSUPPORTED,
};
const LIST: Vocabulary = Vocabulary {
    supported: &[
        "PhoneNumber",
        "FriendlyName",
        "PageSize",
        "Page",
        "PageToken",
    ],
    unsupported: &["Beta", "Origin"],
};

/// How a number is to be changed.
pub(crate) struct Changes {
    name: Option<String>,
    voice: UrlChange,
    fallback: UrlChange,
    status_callback: UrlChange,
    /// None stays; an empty one is taken away.
    application: Option<Option<ApplicationSid>>,
    texts: Kept,
}

impl Changes {
    pub(crate) fn read(
        parameters: &Parameters,
        directory: &Directory,
        scope: Scope,
        before: Option<&Number>,
    ) -> Result<Self, Problem> {
        parameters.only(ONLY)?;
        let told = before.and_then(|before| before.status_callback.as_ref());
        let told = told.map(edit::as_voice_url);
        let application = match parameters.raw("VoiceApplicationSid") {
            None => None,
            Some("") => Some(None),
            Some(sid) => Some(Some(applications::named(directory, scope, sid)?.sid)),
        };
        Ok(Self {
            name: friendly_name(parameters, 64)?,
            voice: UrlChange::read(
                parameters,
                "VoiceUrl",
                "VoiceMethod",
                before.and_then(voice_url).as_ref(),
            )?,
            fallback: UrlChange::read(
                parameters,
                "VoiceFallbackUrl",
                "VoiceFallbackMethod",
                before.and_then(|before| before.fallback.as_ref()),
            )?,
            status_callback: UrlChange::read(
                parameters,
                "StatusCallback",
                "StatusCallbackMethod",
                told.as_ref(),
            )?,
            application,
            texts: Kept::read(parameters, kept::OF_NUMBER, directory, scope)?,
        })
    }

    /// What is not named stays: a number that runs a component does so until it gets a URL.
    pub(crate) fn make(self, number: &mut Number) {
        if self.name.is_some() {
            number.name = self.name;
        }
        let before = voice_url(number);
        if self.voice.has_url() || before.is_some() {
            let now = self.voice.of(before);
            number.flow = now.map_or_else(Flow::rejecting, Flow::from);
        }
        number.fallback = self.fallback.of(number.fallback.take());
        number.status_callback = self
            .status_callback
            .of_callback(number.status_callback.take());
        number.application = self.application.unwrap_or(number.application);
        self.texts.into(&mut number.kept);
    }
}

/// The URL that answers the number's calls, if one does.
fn voice_url(number: &Number) -> Option<VoiceUrl> {
    match &number.flow {
        Flow::VoiceUrl { url, method } => Some(VoiceUrl {
            url: url.clone(),
            method: *method,
        }),
        Flow::Component(_) | Flow::Twiml(_) => None,
    }
}

/// `GET /IncomingPhoneNumbers.json`, newest first; `/IncomingPhoneNumbers/Local.json` and its like those of that kind.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    kind: Option<Extension<NumberKind>>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<PhoneNumberSid>::read(&parameters)?;
    let part = parameters.get("PhoneNumber").map(str::to_owned);
    let name = parameters.get("FriendlyName");
    let directory = state.store.directory();
    let fitting = directory.numbers(scope.account()).filter(|number| {
        (part.as_ref()).is_none_or(|part| number.number.as_str().contains(part.as_str()))
            && name.is_none_or(|name| name == shown_name(number))
            && (kind.as_ref()).is_none_or(|Extension(kind)| {
                number.number.home().map(|(_, kind)| kind) == Some(*kind)
            })
    });
    let at = |number: &&Arc<Number>| (number.created_unix_ms, number.sid());
    let page = Page::of(fitting, at, request.from, request.size);
    let filters = edit::given(&parameters, &["PhoneNumber", "FriendlyName"]);
    let shown = |number: &Arc<Number>| show(number);
    Ok(Json(request.answer(
        "incoming_phone_numbers",
        uri.path(),
        &filters,
        page,
        shown,
    )))
}

/// `GET /IncomingPhoneNumbers/{Sid}.json`.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let sid = edit::sid(&name, &uri)?;
    let directory = state.store.directory();
    Ok(Json(show(&*there(&directory, scope, sid, &uri)?)))
}

/// `POST /IncomingPhoneNumbers/{Sid}.json`: what its calls do. Calls that are up go on as they were.
pub(crate) async fn update(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let sid = edit::sid(&name, &uri)?;
    let directory = state.store.directory();
    let before = there(&directory, scope, sid, &uri)?;
    let parameters = Parameters::of_form(&headers, body, UPDATE)?;
    let changes = Changes::read(&parameters, &directory, scope, Some(&before))?;
    let patch = Box::new(|number: &mut Number| changes.make(number));
    let change = Edit::ChangeNumber(sid, patch);
    let directory = edit(&state, scope, &requester, change, &parameters, &uri).await?;
    Ok(Json(show(&*there(&directory, scope, sid, &uri)?)))
}

/// `DELETE /IncomingPhoneNumbers/{Sid}.json`: the account has it no more. It is free again if it is of the carrier's pool.
pub(crate) async fn delete(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    let change = Edit::ReleaseNumber(edit::sid(&name, &uri)?);
    let parameters = Parameters::none();
    edit(&state, scope, &requester, change, &parameters, &uri).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn there(
    directory: &Directory,
    scope: Scope,
    sid: PhoneNumberSid,
    uri: &Uri,
) -> Result<Arc<Number>, Problem> {
    let found = directory.number_of(scope, sid).map(Arc::clone);
    found.ok_or_else(|| Problem::not_found(uri))
}

fn shown_name(number: &Number) -> &str {
    let name = number.name.as_deref();
    name.unwrap_or_else(|| number.number.as_str())
}

const fn kind_word(kind: NumberKind) -> &'static str {
    match kind {
        NumberKind::Local => "local",
        NumberKind::Mobile => "mobile",
        NumberKind::TollFree => "tollfree",
    }
}

/// `flow` is not Twilio's: the component that answers in place of a URL.
pub(crate) fn show(number: &Number) -> Value {
    let voice = voice_url(number);
    let (voice_url, voice_method) = edit::shown(voice.as_ref());
    let (fallback_url, fallback_method) = edit::shown(number.fallback.as_ref());
    let told = number.status_callback.as_ref().map(edit::as_voice_url);
    let (status_callback, status_callback_method) = edit::shown(told.as_ref());
    let (sid, account) = (number.sid(), number.account);
    let flow = match &number.flow {
        Flow::Component(name) => Some(name),
        Flow::VoiceUrl { .. } | Flow::Twiml(_) => None,
    };
    let mut shown = json!({
        "sid": sid,
        "account_sid": account,
        "friendly_name": shown_name(number),
        "phone_number": number.number.as_str(),
        "api_version": "2010-04-01",
        "date_created": edit::date(number.created_unix_ms),
        "date_updated": edit::date(number.updated_unix_ms),
        "voice_url": voice_url,
        "voice_method": voice_method,
        "voice_fallback_url": fallback_url,
        "voice_fallback_method": fallback_method,
        "voice_application_sid": number.application,
        "voice_caller_id_lookup": false,
        "voice_receive_mode": "voice",
        "status_callback": status_callback,
        "status_callback_method": status_callback_method,
        "sms_url": "",
        "sms_method": "POST",
        "sms_fallback_url": "",
        "sms_fallback_method": "POST",
        "sms_application_sid": null,
        "trunk_sid": null,
        "address_requirements": "none",
        "address_sid": null,
        "identity_sid": null,
        "bundle_sid": null,
        "emergency_status": "Inactive",
        "emergency_address_sid": null,
        "emergency_address_status": null,
        "beta": false,
        "origin": "twilio",
        "status": "in-use",
        "type": number.number.home().map(|(_, kind)| kind_word(kind)),
        "capabilities": { "voice": true, "sms": false, "mms": false, "fax": false },
        "flow": flow,
        "uri": format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{sid}.json"),
    });
    kept::show(&number.kept, &mut shown);
    shown
}
