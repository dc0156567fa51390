//! People over REST: not Twilio's. Whom the account calls, one by one and as a list.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse as _;
use axum::routing::get;
use axum::{Extension, Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Person, PersonChange, PersonFilter, PhoneNumber, Scope, StoreError};

use crate::date::iso8601;
use crate::destination::normalise;
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;
use crate::{ApiState, people_csv};

/// People on a page that names no size.
const DEFAULT_SIZE: usize = 50;
/// People on a page, at most.
const MAX_SIZE: usize = 1_000;

pub(crate) const LIST: Vocabulary = Vocabulary {
    supported: &[
        "Language",
        "Area",
        "Field",
        "CreatedFrom",
        "CreatedBefore",
        "PageSize",
        "After",
    ],
    unsupported: &[],
};

pub(crate) fn routes() -> Router<ApiState> {
    let root = "/v1/Accounts/{account}/People";
    Router::new()
        .route(root, get(list))
        .route(
            &format!("{root}/{{number}}"),
            get(fetch).put(save).delete(remove),
        )
        .merge(people_csv::routes())
}

/// The body of `PUT …/People/{number}`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    language: Option<String>,
    areas: Option<Vec<String>>,
    #[serde(default)]
    fields: BTreeMap<String, String>,
}

/// `GET …/People`: by their numbers, a page at a time.
async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let filter = filter(&parameters)?;
    let size = match parameters.get("PageSize").map(str::parse) {
        None => DEFAULT_SIZE,
        Some(Ok(size)) if (1..=MAX_SIZE).contains(&size) => size,
        Some(_) => {
            let message = format!("`PageSize` must be 1 to {MAX_SIZE}");
            return Err(Problem::bad_parameter(message));
        }
    };
    let after = parameters.get("After").map(number).transpose()?;
    let people = Arc::clone(&state.people);
    let page = read(move || people.people(scope, &filter, after.as_ref(), size)).await?;
    let next = page.next.map(|next| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters.pairs().filter(|(name, _)| *name != "After"));
        query.append_pair("After", next.as_str());
        format!("{}?{}", uri.path(), query.finish())
    });
    let shown: Vec<Value> = page.people.iter().map(show).collect();
    Ok(Json(json!({
        "people": shown,
        "total": state.people.count_people(scope)?,
        "next_page_uri": next,
    })))
}

/// `GET …/People/{number}`.
async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, text)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let person = match number(&text) {
        Ok(number) => state.people.person(scope, &number)?,
        Err(_) => None,
    };
    let person = person.ok_or_else(|| Problem::not_found(&uri))?;
    Ok(Json(show(&person)))
}

/// `PUT …/People/{number}`: what the body names is replaced, what it does not name stays. On disk before the answer: 201 for somebody new.
async fn save(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, text)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let number = number(&text)?;
    let saved: Saved = of_json(body)?;
    let change = PersonChange {
        number,
        language: saved.language,
        areas: saved.areas,
        fields: saved.fields,
    };
    let person = state
        .people
        .save_person(scope, change, (state.clock)())
        .await
        .map_err(problem)?;
    let status = match person.created_unix_ms == person.updated_unix_ms {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok((status, Json(show(&person))))
}

/// `DELETE …/People/{number}`.
async fn remove(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, text)): Path<(String, String)>,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    let is_gone = match number(&text) {
        Ok(number) => state.people.remove_person(scope, number).await?,
        Err(_) => false,
    };
    match is_gone {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found(&uri)),
    }
}

/// Whom a query means.
pub(crate) fn filter(parameters: &Parameters) -> Result<PersonFilter, Problem> {
    let mut fields = BTreeMap::new();
    for pair in parameters.each("Field") {
        let pair = pair.split_once(':').ok_or_else(|| {
            Problem::bad_parameter("`Field` is a name and a value, such as `role:chief`")
        })?;
        fields.insert(pair.0.to_owned(), pair.1.to_owned());
    }
    let time = |name: &str| match parameters.get(name) {
        None => Ok(None),
        Some(text) => unix_ms(text).map(Some).ok_or_else(|| {
            Problem::bad_parameter(format!("`{name}` is a time such as `2026-05-01T00:00:00Z`"))
        }),
    };
    Ok(PersonFilter {
        language: parameters.get("Language").map(str::to_owned),
        areas: parameters.each("Area").map(str::to_owned).collect(),
        fields,
        created_from_unix_ms: time("CreatedFrom")?,
        created_before_unix_ms: time("CreatedBefore")?,
    })
}

/// A time by RFC 3339.
pub(crate) fn unix_ms(text: &str) -> Option<u64> {
    let at: Timestamp = text.parse().ok()?;
    u64::try_from(at.as_millisecond()).ok()
}

/// The number as clients write it.
pub(crate) fn number(text: &str) -> Result<PhoneNumber, Problem> {
    let number = normalise(text).parse();
    number.map_err(|error: store::InvalidNumber| Problem::bad(21211, error.to_string()))
}

/// A body in JSON; an empty one names nothing.
pub(crate) fn of_json<T: Default + for<'a> Deserialize<'a>>(
    body: Result<Bytes, BytesRejection>,
) -> Result<T, Problem> {
    let body = body.map_err(|rejection| match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::body_too_large(),
        _ => Problem::bad_parameter("The body could not be read"),
    })?;
    if body.is_empty() {
        return Ok(T::default());
    }
    let read = serde_json::from_slice(&body);
    read.map_err(|error| Problem::bad_parameter(format!("The body is not understood: {error}")))
}

/// What the store refuses is the request's fault.
pub(crate) fn problem(error: StoreError) -> Problem {
    match error {
        StoreError::NotPossible(why) => Problem::bad_parameter(why),
        other => other.into(),
    }
}

/// A read of many rows, away from the requests that wait for the network.
pub(crate) async fn read<T: Send + 'static>(
    reading: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Problem> {
    let read = tokio::task::spawn_blocking(reading).await;
    Ok(read.expect("reading does not panic")?)
}

fn show(person: &Person) -> Value {
    json!({
        "number": person.number.as_str(),
        "language": person.language,
        "areas": person.areas,
        "fields": person.fields,
        "date_created": iso8601(person.created_unix_ms),
        "date_updated": iso8601(person.updated_unix_ms),
    })
}
