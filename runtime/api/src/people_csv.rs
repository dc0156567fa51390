//! People as a table: taken in as CSV (RFC 4180), and given out as such.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use csv::{ReaderBuilder, StringRecord, Writer};
use serde_json::{Value, json};
use store::people::MAX_SAVED_AT_ONCE;
use store::{PeopleStore, Person, PersonChange, PersonFilter, PhoneNumber, Scope, StoreError};
use tokio::sync::mpsc;

use crate::ApiState;
use crate::date::iso8601;
use crate::destination::normalise;
use crate::problem::{BadRow, Problem};

/// Bytes of a file: that of a million people with a language and an area.
pub(crate) const MAX_BYTES: usize = 32 << 20;
/// Wrong rows that an answer names.
const MAX_NAMED: usize = 1_000;
/// Different fields that one table has columns for.
const MAX_COLUMNS: usize = 1_000;
/// People that are read at a time.
const PAGE: usize = 1_000;

/// What is of every person, in its order; other columns are fields.
const OWN_COLUMNS: [&str; 5] = ["number", "language", "areas", "created", "updated"];

pub(crate) fn routes() -> Router<ApiState> {
    Router::new().route(
        "/v1/Accounts/{account}/People.csv",
        get(export)
            .post(import)
            .layer(DefaultBodyLimit::max(MAX_BYTES)),
    )
}

/// Rows that were looked at, one by one, so that a file costs no more room than itself.
pub(crate) struct Rows<'b> {
    reader: csv::Reader<&'b [u8]>,
    columns: Vec<String>,
    record: StringRecord,
}

impl<'b> Rows<'b> {
    /// Reads the heading.
    ///
    /// # Errors
    /// In words, where it lacks `number` or has a name twice.
    pub(crate) fn of(bytes: &'b [u8]) -> Result<Self, String> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = ReaderBuilder::new().from_reader(bytes);
        let heading = reader.headers().map_err(|error| {
            format!("the first line has the names of the columns, and is not understood: {error}")
        })?;
        let columns: Vec<String> = heading.iter().map(|name| name.trim().to_owned()).collect();
        if !columns.iter().any(|name| name == "number") {
            return Err("the first line has the names of the columns, `number` among them".into());
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = columns.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(format!("the column `{twice}` is there twice"));
        }
        Ok(Self {
            reader,
            columns,
            record: StringRecord::new(),
        })
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<PersonChange, BadRow>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.reader.position().line();
        let read = self.reader.read_record(&mut self.record);
        let line = self.record.position().map_or(line, csv::Position::line);
        match read {
            Ok(false) => None,
            Ok(true) => {
                Some(person(&self.columns, &self.record).map_err(|error| BadRow { line, error }))
            }
            Err(error) => Some(Err(BadRow {
                line: error.position().map_or(line, csv::Position::line),
                error: match error.kind() {
                    csv::ErrorKind::UnequalLengths {
                        expected_len, len, ..
                    } => format!("it has {len} columns, and the heading {expected_len}"),
                    csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
                    _ => error.to_string(),
                },
            })),
        }
    }
}

/// One row; a cell that is empty takes away.
fn person(columns: &[String], record: &StringRecord) -> Result<PersonChange, String> {
    let mut change: Option<PersonChange> = None;
    let (mut language, mut areas, mut fields) = (None, None, BTreeMap::new());
    for (name, value) in columns.iter().zip(record) {
        let value = value.trim();
        match name.as_str() {
            "number" => {
                let number = normalise(value).parse::<PhoneNumber>();
                change = Some(PersonChange::of(number.map_err(|error| error.to_string())?));
            }
            "language" => language = Some(value.to_owned()),
            "areas" => {
                let codes = value.split(|c: char| c.is_whitespace() || c == ';');
                let codes = codes.filter(|code| !code.is_empty());
                areas = Some(codes.map(str::to_owned).collect());
            }
            "created" | "updated" => {}
            field => drop(fields.insert(field.to_owned(), value.to_owned())),
        }
    }
    let change = PersonChange {
        language,
        areas,
        fields,
        ..change.ok_or("it has no number")?
    };
    change.check()?;
    Ok(change)
}

/// `POST …/People.csv`: everybody in the body is saved, or where a row is wrong nobody. Every row is looked at before the first is kept; then a
/// thousand at a time are, and if the server ends meanwhile the same file can be sent again.
async fn import(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let body = body.map_err(|rejection| match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::bad_parameter(format!(
            "The file has more than {} MiB: send it in parts",
            MAX_BYTES >> 20
        )),
        _ => Problem::bad_parameter("The body could not be read"),
    })?;
    let looked_at = body.clone();
    let looked_at = tokio::task::spawn_blocking(move || look_at(&looked_at));
    let (rows, bad, count) = looked_at.await.expect("looking does not panic")?;
    if count > 0 {
        return Err(refused(rows, bad, count));
    }
    // On a task of its own: a client that goes away does not leave half of them.
    let saving = tokio::spawn(async move { save(&state, scope, &body).await });
    let (new, known) = saving.await.expect("saving does not panic")?;
    Ok(Json(json!({ "new": new, "known": known })))
}

/// How many rows there are, the first of the wrong ones, and how many of these there are.
pub(crate) fn look_at(body: &[u8]) -> Result<(u64, Vec<BadRow>, u64), Problem> {
    let (mut rows, mut bad, mut count) = (0, Vec::new(), 0);
    for row in Rows::of(body).map_err(Problem::bad_parameter)? {
        rows += 1;
        if let Err(row) = row {
            count += 1;
            if bad.len() < MAX_NAMED {
                bad.push(row);
            }
        }
    }
    Ok((rows, bad, count))
}

/// What is wrong with a table.
pub(crate) fn refused(rows: u64, bad: Vec<BadRow>, count: u64) -> Problem {
    let first = &bad[0];
    let message = format!(
        "{count} of {rows} rows are wrong, and nothing was taken; the first is line {}: {}",
        first.line, first.error
    );
    Problem::bad_parameter(message).with_rows(bad)
}

async fn save(state: &ApiState, scope: Scope, body: &[u8]) -> Result<(usize, usize), Problem> {
    let (mut new, mut known) = (0, 0);
    let mut rows = Rows::of(body).map_err(Problem::bad_parameter)?;
    loop {
        let some: Result<Vec<_>, BadRow> = rows.by_ref().take(MAX_SAVED_AT_ONCE).collect();
        let some = some.map_err(|row| Problem::bad_parameter(row.error))?;
        if some.is_empty() {
            return Ok((new, known));
        }
        let saved = state
            .people
            .save_people(scope, some, (state.clock)())
            .await
            .map_err(|error| match error {
                StoreError::NotPossible(why) => Problem::bad_parameter(format!(
                    "{why}; the first {} rows were taken",
                    new + known
                )),
                other => other.into(),
            })?;
        new += saved.new;
        known += saved.known;
    }
}

/// `GET …/People.csv`: everybody, by their numbers, with a column for each field that anybody has.
async fn export(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
) -> Result<Response, Problem> {
    let people = Arc::clone(&state.people);
    let counting = Arc::clone(&people);
    let columns = tokio::task::spawn_blocking(move || columns(&*counting, scope));
    let columns = columns.await.expect("reading does not panic")?;
    let (pieces, out) = mpsc::channel::<Result<Bytes, std::io::Error>>(2);
    tokio::task::spawn_blocking(move || {
        let heading = OWN_COLUMNS.into_iter().map(str::to_owned);
        let heading: Vec<String> = heading.chain(columns.iter().cloned()).collect();
        let mut piece = table([heading]);
        for people in pages(&*people, scope) {
            let people = match people {
                Ok(people) => people,
                Err(error) => {
                    // The client sees the answer break off.
                    let _ = pieces.blocking_send(Err(std::io::Error::other(error)));
                    return;
                }
            };
            piece.extend(table(people.iter().map(|person| cells(person, &columns))));
            // Nobody listens any more.
            if pieces
                .blocking_send(Ok(std::mem::take(&mut piece).into()))
                .is_err()
            {
                return;
            }
        }
        let _ = pieces.blocking_send(Ok(piece.into()));
    });
    Ok(as_file("people.csv", out))
}

/// A CSV file out of pieces.
pub(crate) fn as_file(name: &str, pieces: mpsc::Receiver<std::io::Result<Bytes>>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers: [(HeaderName, String); 2] = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, disposition),
    ];
    let pieces = futures_util::stream::unfold(pieces, |mut pieces| async {
        let piece = pieces.recv().await?;
        Some((piece, pieces))
    });
    (headers, Body::from_stream(pieces)).into_response()
}

/// Lines of a table.
pub(crate) fn table(rows: impl IntoIterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer = Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row).expect("memory takes what comes");
    }
    writer.into_inner().expect("memory takes what comes")
}

fn cells(person: &Person, columns: &[String]) -> Vec<String> {
    let time = |unix_ms| iso8601(unix_ms).unwrap_or_default();
    let own = [
        person.number.to_string(),
        person.language.clone().unwrap_or_default(),
        person.areas.join(";"),
        time(person.created_unix_ms),
        time(person.updated_unix_ms),
    ];
    let fields = columns.iter();
    let fields = fields.map(|name| person.fields.get(name).cloned().unwrap_or_default());
    own.into_iter().chain(fields).collect()
}

/// The fields that anybody has.
fn columns(people: &dyn PeopleStore, scope: Scope) -> Result<Vec<String>, Problem> {
    let mut columns = BTreeSet::new();
    for page in pages(people, scope) {
        for person in page? {
            columns.extend(person.fields.into_keys());
        }
        if columns.len() > MAX_COLUMNS {
            return Err(Problem::conflict(format!(
                "These people have more than {MAX_COLUMNS} different fields: read them a page at a time"
            )));
        }
    }
    Ok(columns.into_iter().collect())
}

/// All of an account's people, a page at a time.
pub(crate) fn pages(
    people: &dyn PeopleStore,
    scope: Scope,
) -> impl Iterator<Item = Result<Vec<Person>, StoreError>> {
    let (mut after, mut is_over) = (None, false);
    std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let page = people.people(scope, &PersonFilter::default(), after.as_ref(), PAGE);
        Some(page.map(|page| {
            is_over = page.next.is_none();
            after = page.next;
            page.people
        }))
        .inspect(|page| is_over |= page.is_err())
    })
}
