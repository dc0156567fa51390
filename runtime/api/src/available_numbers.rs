//! Twilio's `AvailablePhoneNumbers` resource: what is free in the carrier's pool, by country and kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::{Map, Value, json};
use store::{Country, Directory, NumberKind, Page, PhoneNumber, Scope};

use crate::ApiState;
use crate::number_pattern::NumberPattern;
use crate::page::{ListPage, PageRequest};
use crate::parameters::{Parameters, Vocabulary};
use crate::participants::flag;
use crate::problem::Problem;

/// The kinds that are asked for one by one, and what leads to each from its country.
pub(crate) const KINDS: [(NumberKind, &str, &str); 3] = [
    (NumberKind::Local, "Local", "local"),
    (NumberKind::Mobile, "Mobile", "mobile"),
    (NumberKind::TollFree, "TollFree", "toll_free"),
];

/// Digits of an area code, at most.
pub(crate) const MAX_AREA_CODE: usize = 8;

const COUNTRIES: Vocabulary = Vocabulary {
    supported: &["PageSize", "Page", "PageToken"],
    unsupported: &[],
};
const NUMBERS: Vocabulary = Vocabulary {
    supported: &[
        "AreaCode",
        "Contains",
        "VoiceEnabled",
        "SmsEnabled",
        "MmsEnabled",
        "FaxEnabled",
        "Beta",
        "ExcludeAllAddressRequired",
        "ExcludeLocalAddressRequired",
        "ExcludeForeignAddressRequired",
        "PageSize",
        "Page",
        "PageToken",
    ],
    unsupported: &[
        "Distance",
        "InLata",
        "InLocality",
        "InPostalCode",
        "InRateCenter",
        "InRegion",
        "NearLatLong",
        "NearNumber",
    ],
};

/// What a number must be like.
struct Filter {
    area_code: Option<String>,
    contains: Option<NumberPattern>,
    /// False where something is asked for that no number here can do.
    is_possible: bool,
}

/// The index, a country, and its numbers by kind.
pub(crate) fn routes() -> Router<ApiState> {
    let root = "/2010-04-01/Accounts/{account}/AvailablePhoneNumbers";
    let index = Router::new()
        .route(&format!("{root}.json"), get(countries))
        .route(&format!("{root}/{{country}}"), get(country));
    KINDS.into_iter().fold(index, |router, (kind, name, _)| {
        let of_kind = get(numbers).layer(Extension(kind));
        router.route(&format!("{root}/{{country}}/{name}.json"), of_kind)
    })
}

/// `GET /AvailablePhoneNumbers.json`: the countries of which there is a number.
async fn countries(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), COUNTRIES)?;
    let request = PageRequest::<u8>::read(&parameters)?;
    let kinds = look(&state, move |directory| kinds(directory, scope)).await;
    // Pages begin with what is greatest.
    let at = |(country, _): &(Country, Vec<NumberKind>)| {
        let letters = country.as_str().bytes();
        let rank = letters.fold(0, |rank, letter| rank << 8 | u64::from(letter));
        (u64::MAX - rank, 0)
    };
    let page = Page::of(kinds.into_iter(), at, request.from, request.size);
    let shown = |(country, kinds): (Country, Vec<_>)| show_country(scope, country, &kinds);
    Ok(Json(request.answer(
        "countries",
        uri.path(),
        &[],
        page,
        shown,
    )))
}

/// `GET /AvailablePhoneNumbers/{country}.json`: 404 for one of which there is no number.
async fn country(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let code = name.strip_suffix(".json");
    let code: Option<Country> = code.and_then(|code| code.parse().ok());
    let code = code.ok_or_else(|| Problem::not_found(&uri))?;
    let kinds = look(&state, move |directory| kinds(directory, scope)).await;
    let kinds = kinds.get(&code).ok_or_else(|| Problem::not_found(&uri))?;
    Ok(Json(show_country(scope, code, kinds)))
}

/// `GET /AvailablePhoneNumbers/{country}/Local.json` and its like, in the order of the numbers.
async fn numbers(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(kind): Extension<NumberKind>,
    Path((_, country)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let country: Country = country.parse().map_err(|_| Problem::not_found(&uri))?;
    let parameters = Parameters::of_query(uri.query(), NUMBERS)?;
    let request = PageRequest::<u8>::read(&parameters)?;
    let filter = Filter::read(&parameters)?;
    let found = look(&state, move |directory| {
        let free = free(directory, scope).filter(|number| filter.fits(number));
        let of_kind = free.filter(|number| number.home() == Some((country, kind)));
        of_kind.cloned().collect::<Vec<_>>()
    });
    let at = |number: &PhoneNumber| {
        let digits = number.international_digits().unwrap_or_default();
        (u64::MAX - digits.parse::<u64>().unwrap_or(0), 0)
    };
    let page = Page::of(found.await.into_iter(), at, request.from, request.size);
    let names = NUMBERS.supported.iter().copied();
    let filters = parameters.given(names.filter(|name| !name.starts_with("Page")));
    let shown = |number: PhoneNumber| show(&number, country);
    Ok(Json(request.answer(
        "available_phone_numbers",
        uri.path(),
        &filters,
        page,
        shown,
    )))
}

/// Reads the pool away from the requests that wait for the network: where a number belongs is a question to a large table.
pub(crate) async fn look<T: Send + 'static>(
    state: &ApiState,
    reading: impl FnOnce(&Directory) -> T + Send + 'static,
) -> T {
    let directory: Arc<Directory> = state.store.directory();
    let read = tokio::task::spawn_blocking(move || reading(&directory));
    read.await.expect("reading the pool does not panic")
}

pub(crate) fn free(directory: &Directory, scope: Scope) -> impl Iterator<Item = &PhoneNumber> {
    let account = directory.account(scope.account()).into_iter();
    account.flat_map(|account| directory.free_numbers(&account.carrier))
}

/// The kinds of numbers that are free, by country.
fn kinds(directory: &Directory, scope: Scope) -> BTreeMap<Country, Vec<NumberKind>> {
    let mut kinds: BTreeMap<Country, Vec<NumberKind>> = BTreeMap::new();
    for (country, kind) in free(directory, scope).filter_map(PhoneNumber::home) {
        let known = kinds.entry(country).or_default();
        if !known.contains(&kind) {
            known.push(kind);
        }
    }
    kinds
}

impl Filter {
    fn read(parameters: &Parameters) -> Result<Self, Problem> {
        let area_code = parameters.get("AreaCode");
        if area_code.is_some_and(|code| !is_area_code(code)) {
            let message = format!("`AreaCode` must be 1 to {MAX_AREA_CODE} digits");
            return Err(Problem::bad_parameter(message));
        }
        let contains = parameters.get("Contains").map(str::parse).transpose();
        let contains = contains.map_err(|error: crate::number_pattern::InvalidPattern| {
            Problem::bad_parameter(format!("`Contains` {error}"))
        })?;
        // No number here needs an address or is in trial: of these only the spelling is looked at.
        for name in [
            "Beta",
            "ExcludeAllAddressRequired",
            "ExcludeLocalAddressRequired",
            "ExcludeForeignAddressRequired",
        ] {
            flag(parameters, name)?;
        }
        let mut is_possible = flag(parameters, "VoiceEnabled")? != Some(false);
        for name in ["SmsEnabled", "MmsEnabled", "FaxEnabled"] {
            is_possible &= flag(parameters, name)? != Some(true);
        }
        Ok(Self {
            area_code: area_code.map(str::to_owned),
            contains,
            is_possible,
        })
    }

    fn fits(&self, number: &PhoneNumber) -> bool {
        let Some(digits) = number.international_digits() else {
            return false;
        };
        self.is_possible
            && (self.area_code.as_ref()).is_none_or(|code| is_of_area(number, code))
            && (self.contains.as_ref()).is_none_or(|pattern| pattern.fits(digits))
    }
}

/// Whether the digits behind the calling code begin so.
pub(crate) fn is_of_area(number: &PhoneNumber, code: &str) -> bool {
    let national = number.national_digits();
    national.is_some_and(|digits| digits.starts_with(code))
}

pub(crate) fn is_area_code(text: &str) -> bool {
    text.len() <= MAX_AREA_CODE && text.bytes().all(|digit| digit.is_ascii_digit())
}

/// The country's code stands for its name too.
fn show_country(scope: Scope, country: Country, kinds: &[NumberKind]) -> Value {
    let account = scope.account();
    let path = format!("/2010-04-01/Accounts/{account}/AvailablePhoneNumbers/{country}");
    let below: Map<String, Value> = KINDS
        .into_iter()
        .filter(|(kind, ..)| kinds.contains(kind))
        .map(|(_, name, key)| (key.to_owned(), format!("{path}/{name}.json").into()))
        .collect();
    json!({
        "country_code": country.as_str(),
        "country": country.as_str(),
        "beta": false,
        "uri": format!("{path}.json"),
        "subresource_uris": below,
    })
}

/// The properties of Twilio's resource. What this server does not know is null.
fn show(number: &PhoneNumber, country: Country) -> Value {
    json!({
        "friendly_name": number.as_str(),
        "phone_number": number.as_str(),
        "iso_country": country.as_str(),
        "lata": null,
        "locality": null,
        "rate_center": null,
        "latitude": null,
        "longitude": null,
        "region": null,
        "postal_code": null,
        "address_requirements": "none",
        "beta": false,
        "capabilities": { "voice": true, "sms": false, "mms": false, "fax": false },
    })
}
