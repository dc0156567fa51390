//! Twilio's `Usage/Records` resource: what an account's calls and recordings came to.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;
use axum::{Extension, Json, Router};
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
enum Period {
    /// All that are asked for.
    AllTime,
    /// Each by itself, where there was any.
    Daily,
    Monthly,
    Yearly,
    Today,
    Yesterday,
    ThisMonth,
    LastMonth,
}

/// What is asked below `Usage/Records`.
const PERIODS: [(&str, Period); 9] = [
    ("", Period::AllTime),
    ("/AllTime", Period::AllTime),
    ("/Daily", Period::Daily),
    ("/Monthly", Period::Monthly),
    ("/Yearly", Period::Yearly),
    ("/Today", Period::Today),
    ("/Yesterday", Period::Yesterday),
    ("/ThisMonth", Period::ThisMonth),
    ("/LastMonth", Period::LastMonth),
];

pub(crate) fn routes() -> Router<ApiState> {
    let root = "/2010-04-01/Accounts/{account}/Usage/Records";
    let mut router = Router::new();
    for (name, period) in PERIODS {
        let listed = get(list).layer(Extension(period));
        router = router.route(&format!("{root}{name}.json"), listed);
    }
    router
}

impl Period {
    /// The days that it means whoever asks; none where it means all.
    fn days(self, today: Date) -> Option<(Date, Date)> {
        let yesterday = || today.yesterday().unwrap_or(today);
        let days = match self {
            Self::AllTime | Self::Daily | Self::Monthly | Self::Yearly => return None,
            Self::Today => (today, today),
            Self::Yesterday => (yesterday(), yesterday()),
            Self::ThisMonth => (today.first_of_month(), today),
            Self::LastMonth => {
                let before = today.first_of_month().yesterday().unwrap_or(today);
                (before.first_of_month(), before)
            }
        };
        Some(days)
    }

    /// The days that are one record with this one; none where all are.
    fn around(self, day: u32) -> Option<(u32, u32)> {
        let date = epoch().checked_add(Span::new().days(i64::from(day)));
        let date = date.unwrap_or(Date::MAX);
        let (first, last) = match self {
            Self::Daily => (date, date),
            Self::Monthly => (date.first_of_month(), date.last_of_month()),
            Self::Yearly => (date.first_of_year(), date.last_of_year()),
            _ => return None,
        };
        Some((number(first)?, number(last)?))
    }
}

/// `GET /Usage/Records.json` and its like: one record for each category, or by day, month or year, newest first.
async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(period): Extension<Period>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<u8>::read(&parameters)?;
    let wanted = parameters.get("Category").map(category).transpose()?;
    let today = (state.clock)() / 86_400_000;
    let today = u32::try_from(today).unwrap_or(u32::MAX);
    let (first, last) = asked(&parameters, period, today)?;
    // Of a period that the dates leave nothing of, a record says that there was nothing on its first day.
    let is_empty = first > last;
    let last = last.max(first);
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
            if !is_empty {
                days.extend(store.usage(Scope::of_host(account), first, last)?);
            }
        }
        Ok::<_, Problem>(days)
    });
    let days = reading.await.expect("reading usage does not panic")?;
    let days = days.into_iter();
    let days = days.filter(|day| wanted.is_none_or(|wanted| wanted == day.category));
    let records = match period {
        Period::Daily | Period::Monthly | Period::Yearly => apart(days, period, first, last),
        _ => together(days, wanted, first, last),
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

/// One for each category of each day, month or year in which there was any.
fn apart(
    days: impl Iterator<Item = UsageOfDay>,
    period: Period,
    first: u32,
    last: u32,
) -> Vec<Record> {
    let mut records: BTreeMap<(u32, UsageCategory), Record> = BTreeMap::new();
    for day in days {
        let (begin, end) = period.around(day.day).unwrap_or((day.day, day.day));
        let record = records.entry((begin, day.category)).or_insert(Record {
            category: day.category,
            first: begin.max(first),
            last: end.min(last),
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

/// The first day and the last one that are asked for: those of the period that the dates leave.
fn asked(parameters: &Parameters, period: Period, today: u32) -> Result<(u32, u32), Problem> {
    let start = day(parameters, "StartDate", today)?;
    let end = day(parameters, "EndDate", today)?;
    if start.zip(end).is_some_and(|(start, end)| start > end) {
        let message = "`StartDate` must not be after `EndDate`";
        return Err(Problem::bad_parameter(message));
    }
    let now = epoch().checked_add(Span::new().days(i64::from(today)));
    let days = period.days(now.unwrap_or(Date::MAX));
    let days = days.and_then(|(first, last)| Some((number(first)?, number(last)?)));
    Ok(match days {
        Some((first, last)) => (start.unwrap_or(0).max(first), end.unwrap_or(last).min(last)),
        None => (start.unwrap_or(0), end.unwrap_or(today)),
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
        let day = u32::try_from(day).map_err(|_| wrong())?;
        // No calendar goes further.
        return match number(Date::MAX) {
            Some(last) if day <= last => Ok(Some(day)),
            _ => Err(wrong()),
        };
    }
    let date: Date = text.parse().map_err(|_| wrong())?;
    number(date).map(Some).ok_or_else(wrong)
}

/// Days since 1970-01-01; none before.
fn number(date: Date) -> Option<u32> {
    u32::try_from(epoch().until(date).ok()?.get_days()).ok()
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
