//! What an account's calls came to, by days, months and years.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::atomic::Ordering;

use call::{CallRecord, CallStatus};
use jiff::Timestamp;
use serde_json::Value;
use store::Store as _;
use support::Api;

fn set(api: &Api, now: &str) -> u64 {
    let at: Timestamp = format!("{now}T12:00:00Z").parse().unwrap();
    let at = u64::try_from(at.as_millisecond()).unwrap();
    api.now.store(at, Ordering::SeqCst);
    at
}

/// A call of a minute on each of these days; afterwards it is the last of them.
async fn calls_on(days: &[&str]) -> Api {
    let api = Api::new();
    for day in days {
        let at = set(&api, day);
        let call = api.new_call().await;
        api.advance(call, CallStatus::InProgress);
        let record = CallRecord {
            duration_s: 60,
            ..CallRecord::new(CallStatus::Completed, "hung up")
        };
        let ended = api.store.finish_call(call, record, at, None);
        ended.wait().unwrap();
    }
    api
}

/// First day, last day and count of each record.
async fn records(api: &Api, below: &str) -> Vec<(String, String, String)> {
    let sign = if below.contains('?') { '&' } else { '?' };
    let path = format!("Usage/Records{below}{sign}Category=calls");
    let answer = api.get(&path).await;
    assert_eq!(answer.status, 200, "{path} {answer:?}");
    let rows = answer.json["usage_records"].as_array().unwrap().iter();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.map(|row| {
        assert_eq!(text(row, "count"), text(row, "usage"), "a minute each");
        (
            text(row, "start_date"),
            text(row, "end_date"),
            text(row, "count"),
        )
    })
    .collect()
}

const DAYS: &[&str] = &[
    "2009-12-31",
    "2010-07-15",
    "2010-08-01",
    "2010-08-30",
    "2010-08-31",
];

#[tokio::test]
async fn each_period_has_its_days() {
    let api = calls_on(DAYS).await;
    for (below, expected) in [
        (".json", &[("1970-01-01", "2010-08-31", "5")][..]),
        ("/AllTime.json", &[("1970-01-01", "2010-08-31", "5")]),
        ("/Today.json", &[("2010-08-31", "2010-08-31", "1")]),
        ("/Yesterday.json", &[("2010-08-30", "2010-08-30", "1")]),
        ("/ThisMonth.json", &[("2010-08-01", "2010-08-31", "3")]),
        ("/LastMonth.json", &[("2010-07-01", "2010-07-31", "1")]),
        (
            "/Yearly.json",
            &[
                ("2010-01-01", "2010-08-31", "4"),
                ("2009-01-01", "2009-12-31", "1"),
            ],
        ),
        (
            "/Monthly.json",
            &[
                ("2010-08-01", "2010-08-31", "3"),
                ("2010-07-01", "2010-07-31", "1"),
                ("2009-12-01", "2009-12-31", "1"),
            ],
        ),
        (
            "/Monthly.json?StartDate=2010-07-15&EndDate=2010-08-02",
            &[
                ("2010-08-01", "2010-08-02", "1"),
                ("2010-07-15", "2010-07-31", "1"),
            ],
        ),
        (
            "/Daily.json?StartDate=-1days",
            &[
                ("2010-08-31", "2010-08-31", "1"),
                ("2010-08-30", "2010-08-30", "1"),
            ],
        ),
        (
            "/ThisMonth.json?StartDate=2010-08-30",
            &[("2010-08-30", "2010-08-31", "2")],
        ),
        (
            "/Today.json?EndDate=2010-08-30",
            &[("2010-08-31", "2010-08-31", "0")],
        ),
        ("/Yearly.json?EndDate=2001-01-01", &[]),
    ] {
        let found = records(&api, below).await;
        let found: Vec<_> = found.iter().map(|(a, b, c)| (&**a, &**b, &**c)).collect();
        assert_eq!(found, expected, "{below}");
    }
}

#[tokio::test]
async fn the_month_before_and_the_day_before_are_those_of_the_calendar() {
    for (today, below, first, last) in [
        ("2011-03-31", "/LastMonth.json", "2011-02-01", "2011-02-28"),
        ("2012-03-01", "/LastMonth.json", "2012-02-01", "2012-02-29"),
        ("2012-01-01", "/LastMonth.json", "2011-12-01", "2011-12-31"),
        ("2012-01-01", "/Yesterday.json", "2011-12-31", "2011-12-31"),
        ("2012-01-01", "/ThisMonth.json", "2012-01-01", "2012-01-01"),
    ] {
        let api = Api::new();
        set(&api, today);
        let expected = (first.to_owned(), last.to_owned(), "0".to_owned());
        assert_eq!(records(&api, below).await, [expected], "{today} {below}");
    }
}

#[tokio::test]
async fn records_are_paged_and_lead_to_themselves() {
    let api = calls_on(DAYS).await;
    let mut path = "Usage/Records/Monthly.json?PageSize=1&Category=calls".to_owned();
    let mut first_days = Vec::new();
    while first_days.len() < 4 {
        let page = api.get(&path).await;
        let row = &page.json["usage_records"][0];
        first_days.push(row["start_date"].as_str().unwrap().to_owned());
        let own = api.get(row["uri"].as_str().unwrap()).await;
        assert_eq!(own.json["usage_records"][0]["count"], row["count"]);
        let Some(next) = page.json["next_page_uri"].as_str() else {
            break;
        };
        path = next.to_owned();
    }
    assert_eq!(first_days, ["2010-08-01", "2010-07-01", "2009-12-01"]);
    for wrong in [
        "StartDate=2010-08-31&EndDate=2010-08-30",
        "StartDate=0000-01-01",
        "EndDate=99999-01-01",
        "StartDate=-99999999999999999999days",
        "EndDate=8000000days",
        "StartDate=2932897days",
        "Category=fax",
    ] {
        let answer = api
            .get(&format!("Usage/Records/Monthly.json?{wrong}"))
            .await;
        assert_eq!(answer.problem(), (400, 20001), "{wrong}");
    }
}
