//! Twilio's `Applications` resource: URLs under one SID.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use call::ApplicationSid;
use serde_json::{Value, json};
use store::{Application, Directory, Edit, Page, Scope, random_application_sid};

use crate::ApiState;
use crate::auth::Requester;
use crate::edit::{self, UrlChange, edit, friendly_name};
use crate::kept::{self, Kept};
use crate::page::{ListPage, PageRequest};
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;

const WRITE: Vocabulary = Vocabulary {
    supported: &[
        "FriendlyName",
        "VoiceUrl",
        "VoiceMethod",
        "VoiceFallbackUrl",
        "VoiceFallbackMethod",
        "StatusCallback",
        "StatusCallbackMethod",
        "SmsUrl",
        "SmsMethod",
        "SmsFallbackUrl",
        "SmsFallbackMethod",
        "SmsStatusCallback",
        "MessageStatusCallback",
        "ApiVersion",
        "PublicApplicationConnectEnabled",
        "VoiceCallerIdLookup",
    ],
    unsupported: &[],
};
const LIST: Vocabulary = Vocabulary {
    supported: &["FriendlyName", "PageSize", "Page", "PageToken"],
    unsupported: &[],
};

/// What every application here is.
const ONLY: &[(&str, &str)] = &[
    ("ApiVersion", "2010-04-01"),
    ("PublicApplicationConnectEnabled", "false"),
    ("VoiceCallerIdLookup", "false"),
];

/// How the URLs of an application are to be changed.
struct Changes {
    name: Option<String>,
    voice: UrlChange,
    fallback: UrlChange,
    status_callback: UrlChange,
    texts: Kept,
}

impl Changes {
    fn read(
        parameters: &Parameters,
        directory: &Directory,
        scope: Scope,
        before: Option<&Application>,
    ) -> Result<Self, Problem> {
        parameters.only(ONLY)?;
        let told = before.and_then(|before| before.status_callback.as_ref());
        let told = told.map(edit::as_voice_url);
        Ok(Self {
            name: friendly_name(parameters, 64)?,
            voice: UrlChange::read(
                parameters,
                "VoiceUrl",
                "VoiceMethod",
                before.and_then(|before| before.voice.as_ref()),
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
            texts: Kept::read(parameters, kept::OF_APPLICATION, directory, scope)?,
        })
    }

    fn make(self, application: &mut Application) {
        application.name = self.name.unwrap_or_else(|| application.name.clone());
        application.voice = self.voice.of(application.voice.take());
        application.fallback = self.fallback.of(application.fallback.take());
        application.status_callback = self
            .status_callback
            .of_callback(application.status_callback.take());
        self.texts.into(&mut application.kept);
    }
}

/// `POST /Applications.json`.
pub(crate) async fn create(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let parameters = Parameters::of_form(&headers, body, WRITE)?;
    let sid = random_application_sid();
    let mut application = Application {
        sid,
        account: scope.account(),
        name: sid.to_string(),
        voice: None,
        fallback: None,
        status_callback: None,
        created_unix_ms: 0,
        updated_unix_ms: 0,
        kept: BTreeMap::new(),
    };
    Changes::read(&parameters, &state.store.directory(), scope, None)?.make(&mut application);
    let change = Edit::MakeApplication(application);
    let directory = edit(&state, scope, &requester, change, &parameters, &uri).await?;
    let shown = show(&*there(&directory, scope, sid, &uri)?);
    Ok((StatusCode::CREATED, Json(shown)))
}

/// `GET /Applications.json`, newest first.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<ApplicationSid>::read(&parameters)?;
    let name = parameters.get("FriendlyName");
    let directory = state.store.directory();
    let fitting = directory
        .applications(scope.account())
        .filter(|application| name.is_none_or(|name| name == application.name));
    let at = |application: &&Arc<Application>| (application.created_unix_ms, application.sid);
    let page = Page::of(fitting, at, request.from, request.size);
    let filters = edit::given(&parameters, &["FriendlyName"]);
    let shown = |application: &Arc<Application>| show(application);
    Ok(Json(request.answer(
        "applications",
        uri.path(),
        &filters,
        page,
        shown,
    )))
}

/// `GET /Applications/{Sid}.json`.
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

/// `POST /Applications/{Sid}.json`.
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
    let parameters = Parameters::of_form(&headers, body, WRITE)?;
    let changes = Changes::read(&parameters, &directory, scope, Some(&before))?;
    let patch = Box::new(|application: &mut Application| changes.make(application));
    let change = Edit::ChangeApplication(sid, patch);
    let directory = edit(&state, scope, &requester, change, &parameters, &uri).await?;
    Ok(Json(show(&*there(&directory, scope, sid, &uri)?)))
}

/// `DELETE /Applications/{Sid}.json`.
pub(crate) async fn delete(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    let change = Edit::DeleteApplication(edit::sid(&name, &uri)?);
    let parameters = Parameters::none();
    edit(&state, scope, &requester, change, &parameters, &uri).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The application that `ApplicationSid` or `VoiceApplicationSid` names.
pub(crate) fn named(
    directory: &Directory,
    scope: Scope,
    text: &str,
) -> Result<Arc<Application>, Problem> {
    let found = text.parse().ok();
    let found = found.and_then(|sid| directory.application(scope, sid));
    found.map(Arc::clone).ok_or_else(|| {
        let message = format!("{text:?} is not the SID of an application of this account");
        Problem::bad(21218, message)
    })
}

fn there(
    directory: &Directory,
    scope: Scope,
    sid: ApplicationSid,
    uri: &Uri,
) -> Result<Arc<Application>, Problem> {
    let found = directory.application(scope, sid).map(Arc::clone);
    found.ok_or_else(|| Problem::not_found(uri))
}

fn show(application: &Application) -> Value {
    let (voice_url, voice_method) = edit::shown(application.voice.as_ref());
    let (fallback_url, fallback_method) = edit::shown(application.fallback.as_ref());
    let told = application.status_callback.as_ref().map(edit::as_voice_url);
    let (status_callback, status_callback_method) = edit::shown(told.as_ref());
    let account = application.account;
    let mut shown = json!({
        "sid": application.sid,
        "account_sid": account,
        "friendly_name": application.name,
        "api_version": "2010-04-01",
        "date_created": edit::date(application.created_unix_ms),
        "date_updated": edit::date(application.updated_unix_ms),
        "voice_url": voice_url,
        "voice_method": voice_method,
        "voice_fallback_url": fallback_url,
        "voice_fallback_method": fallback_method,
        "voice_caller_id_lookup": false,
        "status_callback": status_callback,
        "status_callback_method": status_callback_method,
        "sms_url": null,
        "sms_method": null,
        "sms_fallback_url": null,
        "sms_fallback_method": null,
        "sms_status_callback": null,
        "message_status_callback": null,
        "public_application_connect_enabled": false,
        "uri": format!("/2010-04-01/Accounts/{account}/Applications/{}.json", application.sid),
    });
    kept::show(&application.kept, &mut shown);
    shown
}
