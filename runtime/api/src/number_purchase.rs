//! How an account comes to a number: by the number itself, or by an area of which any will do.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use serde_json::Value;
use store::{Edit, Number, NumberKind, PhoneNumber, Scope};

use crate::ApiState;
use crate::auth::Requester;
use crate::available_numbers::{MAX_AREA_CODE, free, is_area_code, is_of_area, look};
use crate::destination::normalise;
use crate::edit::edit;
use crate::incoming_numbers::{CREATE, Changes, show};
use crate::parameters::Parameters;
use crate::problem::Problem;

/// Numbers of an area that are tried when others are quicker.
const MOST_TRIES: usize = 20;

/// What is asked for.
enum Wanted {
    This(PhoneNumber),
    /// Any whose digits behind the calling code begin so.
    OfArea(String),
}

impl Wanted {
    /// On the list of one kind only a number may be named.
    fn read(parameters: &Parameters, kind: Option<NumberKind>) -> Result<Self, Problem> {
        match (parameters.get("PhoneNumber"), parameters.get("AreaCode")) {
            (Some(_), Some(_)) => {
                let message = "`AreaCode` has no effect with `PhoneNumber`: give one of them";
                Err(Problem::bad_parameter(message))
            }
            (_, Some(_)) if kind.is_some() => {
                let message =
                    "`AreaCode` is for IncomingPhoneNumbers.json: give `PhoneNumber` here";
                Err(Problem::bad(21457, message))
            }
            (None, Some(code)) if is_area_code(code) => Ok(Self::OfArea(code.to_owned())),
            (None, Some(_)) => {
                let message = format!("`AreaCode` must be 1 to {MAX_AREA_CODE} digits");
                Err(Problem::bad(21451, message))
            }
            (Some(number), None) => normalise(number).parse().map(Self::This).map_err(|_| {
                let message = format!("`PhoneNumber` {number:?} is not a telephone number");
                Problem::bad(21421, message)
            }),
            (None, None) => {
                let message = "`PhoneNumber` or `AreaCode` is required";
                Err(Problem::bad(21421, message))
            }
        }
    }

    /// The free numbers that will do.
    async fn of_pool(&self, state: &ApiState, scope: Scope) -> Vec<PhoneNumber> {
        match self {
            Self::This(number) => {
                let directory = state.store.directory();
                let is_free = free(&directory, scope).any(|free| free == number);
                is_free.then(|| number.clone()).into_iter().collect()
            }
            Self::OfArea(code) => {
                let code = code.clone();
                let read = look(state, move |directory| {
                    let fitting = free(directory, scope).filter(|number| is_of_area(number, &code));
                    fitting.take(MOST_TRIES).cloned().collect()
                });
                read.await
            }
        }
    }

    fn none_left(&self) -> Problem {
        match self {
            Self::This(number) => {
                let message = format!(
                    "{number} is not available: the operator offers other numbers, or none"
                );
                Problem::bad(21422, message)
            }
            Self::OfArea(code) => {
                let message = format!(
                    "No number of the area {code} is free: AvailablePhoneNumbers.json tells which are"
                );
                Problem::bad(21452, message)
            }
        }
    }
}

/// `POST /IncomingPhoneNumbers.json`, `/IncomingPhoneNumbers/Local.json` and its like: a number of the carrier's pool becomes the account's.
pub(crate) async fn create(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(requester): Extension<Requester>,
    kind: Option<Extension<NumberKind>>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let parameters = Parameters::of_form(&headers, body, CREATE)?;
    let kind = kind.map(|Extension(kind)| kind);
    let wanted = Wanted::read(&parameters, kind)?;
    if let (Wanted::This(number), Some(kind)) = (&wanted, kind)
        && number.home().map(|(_, kind)| kind) != Some(kind)
    {
        let message =
            format!("{number} is of another kind: POST IncomingPhoneNumbers.json takes any");
        return Err(Problem::bad(21458, message));
    }
    for number in wanted.of_pool(&state, scope).await {
        let changes = Changes::read(&parameters, &state.store.directory(), scope, None)?;
        let patch = Box::new(|number: &mut Number| changes.make(number));
        let change = Edit::TakeNumber(number.clone(), patch);
        match edit(&state, scope, &requester, change, &parameters, &uri).await {
            Ok(directory) => {
                let mut own = directory.numbers(scope.account());
                let row = own.find(|row| row.number == number);
                let shown = show(row.ok_or_else(|| Problem::not_found(&uri))?);
                return Ok((StatusCode::CREATED, Json(shown)));
            }
            // Somebody else was quicker.
            Err(problem) if problem.status == StatusCode::NOT_FOUND => {}
            Err(problem) => return Err(problem),
        }
    }
    Err(wanted.none_left())
}
