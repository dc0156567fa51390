//! Carriers, accounts, trunks and numbers, one by one: in JSON, with the keys of a tenants file.

use std::path::Path as FilePath;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::tenants::{Kind, Surroundings};
use store::{
    Account, AccountStatus, Author, CarrierId, Directory, OperatorEdit, Secret, StoreError,
    Tenants, TrunkId,
};

use super::{Refused, refused};
use crate::ApiState;

/// Things on a page that names no size, and at most.
const PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;

/// Which page of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    after: Option<String>,
    limit: Option<usize>,
}

pub(crate) const fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Carrier => "carriers",
        Kind::Account => "accounts",
        Kind::Trunk => "trunks",
        Kind::Number => "numbers",
    }
}

/// `GET /operator/v1/{things}?after=ID&limit=N`, by their ids.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(kind): Extension<Kind>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Value>, Refused> {
    let directory = state.store.directory();
    let Query(query) = query.map_err(|rejection| Refused::bad(rejection.body_text()))?;
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Refused::bad(format!("`limit` is 1 to {MAX_PAGE}")));
    }
    let ids = directory.ids(kind).into_iter();
    let behind = |id: &String| query.after.as_ref().is_none_or(|after| id > after);
    let mut ids: Vec<String> = ids.filter(behind).take(limit + 1).collect();
    let is_more = ids.len() > limit;
    ids.truncate(limit);
    let shown: Vec<_> = ids
        .iter()
        .filter_map(|id| show(&directory, kind, id))
        .collect();
    let next = ids.last().filter(|_| is_more);
    Ok(Json(json!({ plural(kind): shown, "next": next })))
}

/// `GET /operator/v1/{things}/{id}`.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(kind): Extension<Kind>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refused> {
    let shown = show(&state.store.directory(), kind, &id);
    Ok(Json(shown.ok_or_else(Refused::not_found)?))
}

/// `POST /operator/v1/{things}`: a new one. An account's token is told here and never again, if it was made here.
pub(crate) async fn create(
    State(state): State<ApiState>,
    Extension(kind): Extension<Kind>,
    Extension(author): Extension<Author>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let change = Change::read(body)?;
    let directory = state.store.directory();
    let author = change.author(author);
    let tenants = change.tenants(&state, &directory, kind, None).await?;
    let [id] = &tenants.ids()[..] else {
        return Err(Refused::bad("the body is one thing".to_owned()));
    };
    let id = id.clone();
    if directory.table(kind, &id).is_some() {
        let message = format!(
            "there is a {} `{id}` already: change it with PATCH",
            kind.table()
        );
        return Err(Refused(StatusCode::CONFLICT, message));
    }
    let applied = state.operator.apply(tenants.applied_by(author)).await;
    let applied = applied.map_err(|error| refused(&error))?;
    let shown = show(&state.store.directory(), kind, &id);
    let mut shown = shown.ok_or_else(Refused::not_found)?;
    if let Some(made) = applied.tokens.first() {
        shown["auth_token"] = made.token.expose().into();
    }
    Ok((StatusCode::CREATED, Json(shown)))
}

/// `PATCH /operator/v1/{things}/{id}`: what the body names changes, and a null takes away (RFC 7396). An account's `status` too.
pub(crate) async fn update(
    State(state): State<ApiState>,
    Extension(kind): Extension<Kind>,
    Extension(author): Extension<Author>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Refused> {
    let directory = state.store.directory();
    if directory.table(kind, &id).is_none() {
        return Err(Refused::not_found());
    }
    let mut change = Change::read(body)?;
    let author = change.author(author);
    let status = match kind {
        Kind::Account => change.take_status()?,
        _ => None,
    };
    if kind == Kind::Account {
        check_inherited(&directory, &id, &change)?;
    }
    change.check_id(kind, &id)?;
    if !change.is_empty() {
        let tenants = change.tenants(&state, &directory, kind, Some(&id)).await?;
        let applied = state
            .operator
            .apply(tenants.applied_by(author.clone()))
            .await;
        applied.map_err(|error| refused(&error))?;
    }
    if let (Some(status), Ok(sid)) = (status, id.parse()) {
        let edit = OperatorEdit::SetStatus(sid, status);
        administer(&state, edit, author).await?;
    }
    let shown = show(&state.store.directory(), kind, &id);
    Ok(Json(shown.ok_or_else(Refused::not_found)?))
}

/// `DELETE /operator/v1/{things}/{id}`.
pub(crate) async fn delete(
    State(state): State<ApiState>,
    Extension(kind): Extension<Kind>,
    Extension(author): Extension<Author>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    let directory = state.store.directory();
    let edit = match kind {
        Kind::Carrier => Some(OperatorEdit::DeleteCarrier(CarrierId(id))),
        Kind::Trunk => Some(OperatorEdit::DeleteTrunk(TrunkId(id))),
        Kind::Account => id.parse().ok().map(OperatorEdit::DeleteAccount),
        Kind::Number => {
            let number = id.parse().ok().and_then(|sid| directory.number_of_any(sid));
            number.map(|number| {
                OperatorEdit::DeleteNumber(number.carrier.clone(), number.number.clone())
            })
        }
    };
    administer(&state, edit.ok_or_else(Refused::not_found)?, author).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /operator/v1/accounts/{sid}/token`: a new token in place of the one there is, which opens nothing from now on.
pub(crate) async fn new_token(
    State(state): State<ApiState>,
    Extension(author): Extension<Author>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refused> {
    let sid = id.parse().map_err(|_| Refused::not_found())?;
    let token = Secret::random();
    let edit = OperatorEdit::SetToken(sid, token.clone());
    administer(&state, edit, author).await?;
    Ok(Json(json!({ "sid": sid, "auth_token": token.expose() })))
}

pub(crate) async fn administer(
    state: &ApiState,
    edit: OperatorEdit,
    author: Author,
) -> Result<Arc<Directory>, Refused> {
    let done = state.operator.administer(edit, author).await;
    done.map_err(|error| match error {
        StoreError::NotThere => Refused::not_found(),
        StoreError::NotPossible(why) => Refused(StatusCode::CONFLICT, why),
        error => refused(&error),
    })
}

/// The table, and what no file has: the id, and an account's status, parent and names of secrets.
fn show(directory: &Directory, kind: Kind, id: &str) -> Option<Value> {
    let table = directory.table(kind, id)?;
    let mut shown = serde_json::to_value(table).expect("a table has a form in JSON");
    shown["id"] = id.into();
    if kind == Kind::Account {
        let account = directory.account(id.parse().ok()?)?;
        shown["status"] = account.status.as_str().into();
        shown["parent"] = json!(account.parent);
        shown["secret_names"] = account.secrets.keys().cloned().collect();
    }
    Some(shown)
}

/// What a subaccount has from its parent is changed there.
fn check_inherited(directory: &Directory, id: &str, change: &Change) -> Result<(), Refused> {
    const OWN: [&str; 3] = ["name", "auth_token", "secrets"];
    let account: Option<&Arc<Account>> = id.parse().ok().and_then(|sid| directory.account(sid));
    let parent = account.and_then(|account| account.parent);
    let foreign = change.fields().find(|field| !OWN.contains(&field.as_str()));
    match (parent, foreign) {
        (Some(parent), Some(field)) => Err(Refused::bad(format!(
            "`{field}` of a subaccount is that of its parent: change it at {parent}"
        ))),
        _ => Ok(()),
    }
}

/// What a body asks for.
struct Change(Map<String, Value>);

impl Change {
    fn read(body: Result<Bytes, BytesRejection>) -> Result<Self, Refused> {
        let body = body.map_err(|rejection| Refused(rejection.status(), rejection.body_text()))?;
        match serde_json::from_slice(&body) {
            Ok(Value::Object(object)) => Ok(Self(object)),
            Ok(_) => Err(Refused::bad("the body is a JSON object".to_owned())),
            Err(error) => Err(Refused::bad(format!("the body is no JSON: {error}"))),
        }
    }

    fn fields(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For the audit log, the names of what is changed.
    fn author(&self, author: Author) -> Author {
        Author {
            fields: self.fields().cloned().collect(),
            ..author
        }
    }

    fn take_status(&mut self) -> Result<Option<AccountStatus>, Refused> {
        let Some(status) = self.0.remove("status") else {
            return Ok(None);
        };
        let wrong = || Refused::bad("`status` is active, suspended or closed".to_owned());
        serde_json::from_value(status)
            .map(Some)
            .map_err(|_| wrong())
    }

    /// What a thing is known by does not change; saying the same is no harm.
    fn check_id(&mut self, kind: Kind, id: &str) -> Result<(), Refused> {
        let keys: &[&str] = match kind {
            Kind::Carrier | Kind::Trunk => &["id"],
            Kind::Account => &["id", "sid"],
            Kind::Number => &["id"],
        };
        for key in keys {
            if self.0.remove(*key).is_some_and(|given| given != id) {
                let message = format!("`{key}` does not change: make another {}", kind.table());
                return Err(Refused::bad(message));
            }
        }
        Ok(())
    }

    /// Reads what the thing then is. May compile a component.
    async fn tenants(
        self,
        state: &ApiState,
        directory: &Arc<Directory>,
        kind: Kind,
        id: Option<&str>,
    ) -> Result<Tenants, Refused> {
        let mut unset = Vec::new();
        let mut set = Value::Object(self.0);
        take_nulls(&mut set, &mut Vec::new(), &mut unset);
        let (operator, directory) = (state.operator.clone(), Arc::clone(directory));
        let id = id.map(str::to_owned);
        let reading = tokio::task::spawn_blocking(move || {
            let bundled = operator.bundled();
            let surroundings = Surroundings {
                folder: FilePath::new("/"),
                bundled: &bundled.iter().map(String::as_str).collect::<Vec<_>>(),
                uploaded: &|carrier, account, name| directory.has_plugin(carrier, account, name),
                check_component: &|bytes, grants| operator.check_component(bytes, grants),
            };
            Tenants::of_thing(&directory, kind, id.as_deref(), &set, &unset, &surroundings)
        });
        let read = reading.await.expect("reading a thing does not panic");
        read.map_err(Refused::bad)
    }
}

/// Takes the nulls out of an object, and tells the keys that lead to each.
fn take_nulls(value: &mut Value, path: &mut Vec<String>, unset: &mut Vec<Vec<String>>) {
    let Value::Object(object) = value else {
        return;
    };
    let nulls: Vec<String> = object
        .iter()
        .filter(|(_, value)| value.is_null())
        .map(|(key, _)| key.clone())
        .collect();
    for key in nulls {
        object.remove(&key);
        unset.push(path.iter().cloned().chain([key]).collect());
    }
    for (key, value) in object {
        path.push(key.clone());
        take_nulls(value, path, unset);
        path.pop();
    }
}
