//! Twilio's `Usage/Records` resource: what an account's calls and recordings came to.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::Uri;
use axum::{Extension, Json};
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde_json::{Value, json};
use store::{Page, Scope, UsageCategory, UsageOfDay};

use crate::ApiState;
use crate::edit;
use crate::page::{ListPage, PageRequest};
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;

const LIST: Vocabulary = Vocabulary {
    supported: &[
        "Category",
        "StartDate",
        "EndDate",
        "IncludeSubaccounts",
        "PageSize",
        "Page",
        "PageToken",
    ],
    unsupported: &[],
};

/// Which days a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grouping {
    /// All that are asked for.
    Together,
    Daily,
}

/// `GET /Usage/Records.json` and `…/AllTime.json`: one record for each category.
pub(crate) async fn all(
    state: State<ApiState>,
    scope: Extension<Scope>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    list(state, scope, uri, Grouping::Together).await
}

/// `GET /Usage/Records/Daily.json`: one for each category and day on which there was any, newest first.
pub(crate) async fn daily(
    state: State<ApiState>,
    scope: Extension<Scope>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    list(state, scope, uri, Grouping::Daily).await
}

async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
    grouping: Grouping,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<u8>::read(&parameters)?;
    let wanted = parameters.get("Category").map(category).transpose()?;
    let today = (state.clock)() / 86_400_000;
    let today = u32::try_from(today).unwrap_or(u32::MAX);
    let first = day(&parameters, "StartDate", today)?.unwrap_or(0);
    let last = day(&parameters, "EndDate", today)?.unwrap_or(today);
    let with_subaccounts = match parameters.get("IncludeSubaccounts") {
        None | Some("true") => true,
        Some("false") => false,
        Some(_) => {
            let message = "`IncludeSubaccounts` must be `true` or `false`";
            return Err(Problem::bad_parameter(message));
        }
    };
    let store = state.store.clone();
    // May read some thousand rows: not on a thread that other requests wait for.
    let reading = tokio::task::spawn_blocking(move || {
        let directory = store.directory();
        let children = directory.subaccounts(scope.account());
        let children = children.filter(|_| with_subaccounts).map(|child| child.sid);
        let accounts = std::iter::once(scope.account()).chain(children);
        let mut days = Vec::new();
        for account in accounts {
            days.extend(store.usage(Scope::of_host(account), first, last)?);
        }
        Ok::<_, Problem>(days)
    });
    let days = reading.await.expect("reading usage does not panic")?;
    let days = days.into_iter();
    let days = days.filter(|day| wanted.is_none_or(|wanted| wanted == day.category));
    let records = match grouping {
        Grouping::Together => together(days, wanted, first, last),
        Grouping::Daily => by_day(days),
    };
    let at = |record: &Record| (u64::from(record.first), u8::MAX - record.category as u8);
    let page = Page::of(records.into_iter(), at, request.from, request.size);
    let names = ["Category", "StartDate", "EndDate", "IncludeSubaccounts"];
    let filters = edit::given(&parameters, &names);
    let shown = |record: Record| record.show(scope);
    Ok(Json(request.answer(
        "usage_records",
        uri.path(),
        &filters,
        page,
        shown,
    )))
}

/// What came together on some days.
#[derive(Debug, Clone, Copy)]
struct Record {
    category: UsageCategory,
    first: u32,
    last: u32,
    count: u64,
    minutes: u64,
}

/// One for each category, be there any or not, as at Twilio.
fn together(
    days: impl Iterator<Item = UsageOfDay>,
    wanted: Option<UsageCategory>,
    first: u32,
    last: u32,
) -> Vec<Record> {
    let categories = UsageCategory::ALL.into_iter();
    let categories = categories.filter(|one| wanted.is_none_or(|wanted| wanted == *one));
    let mut records: Vec<Record> = categories
        .map(|category| Record {
            category,
            first,
            last,
            count: 0,
            minutes: 0,
        })
        .collect();
    for day in days {
        let mut records = records.iter_mut();
        if let Some(record) = records.find(|record| record.category == day.category) {
            record.count += day.count;
            record.minutes += day.minutes;
        }
    }
    records
}

fn by_day(days: impl Iterator<Item = UsageOfDay>) -> Vec<Record> {
    let mut records: BTreeMap<(u32, UsageCategory), Record> = BTreeMap::new();
    for day in days {
        let key = (day.day, day.category);
        let record = records.entry(key).or_insert(Record {
            category: day.category,
            first: day.day,
            last: day.day,
            count: 0,
            minutes: 0,
        });
        record.count += day.count;
        record.minutes += day.minutes;
    }
    records.into_values().collect()
}

impl Record {
    /// Nothing costs anything here: prices are null.
    fn show(self, scope: Scope) -> Value {
        let account = scope.account();
        let category = self.category.as_str();
        let unit = match self.category {
            UsageCategory::Recordings => "recordings",
            _ => "calls",
        };
        let (start, end) = (date(self.first), date(self.last));
        json!({
            "account_sid": account,
            "api_version": "2010-04-01",
            "category": category,
            "description": category,
            "start_date": start,
            "end_date": end,
            "count": self.count.to_string(),
            "count_unit": unit,
            "usage": self.minutes.to_string(),
            "usage_unit": "minutes",
            "price": null,
            "price_unit": null,
            "as_of": null,
            "uri": format!(
                "/2010-04-01/Accounts/{account}/Usage/Records.json?Category={category}&StartDate={start}&EndDate={end}"
            ),
            "subresource_uris": {},
        })
    }
}

fn category(text: &str) -> Result<UsageCategory, Problem> {
    let mut all = UsageCategory::ALL.into_iter();
    all.find(|category| category.as_str() == text)
        .ok_or_else(|| {
            let known = UsageCategory::ALL.map(UsageCategory::as_str).join(", ");
            Problem::bad_parameter(format!("`Category` must be one of: {known}"))
        })
}

/// A date, `2010-08-31`, or so many days before or after today: `-30days`.
fn day(parameters: &Parameters, name: &str, today: u32) -> Result<Option<u32>, Problem> {
    let Some(text) = parameters.get(name) else {
        return Ok(None);
    };
    let wrong = || {
        Problem::bad_parameter(format!(
            "`{name}` must be a date such as 2010-08-31, or an offset such as -30days"
        ))
    };
    if let Some(offset) = text
        .strip_suffix("days")
        .or_else(|| text.strip_suffix("day"))
    {
        let offset: i64 = offset.parse().map_err(|_| wrong())?;
        let day = i64::from(today).saturating_add(offset);
        return u32::try_from(day).map(Some).map_err(|_| wrong());
    }
    let date: Date = text.parse().map_err(|_| wrong())?;
    let days = epoch().until(date).map_err(|_| wrong())?.get_days();
    u32::try_from(days).map(Some).map_err(|_| wrong())
}

fn epoch() -> Date {
    Timestamp::UNIX_EPOCH
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
}

fn date(day: u32) -> String {
    let date = epoch().checked_add(Span::new().days(i64::from(day)));
    date.map_or_else(|_| String::new(), |date| date.to_string())
}
