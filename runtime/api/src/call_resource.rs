//! A call as Twilio's API shows it.

use call::Direction;
use serde::Serialize;
use serde_json::{Map, Value};
use store::{CallRow, Directory, rfc2822};

/// The properties of Twilio's `Calls` resource. What this server does not have is null.
#[derive(Debug, Serialize)]
pub(crate) struct CallResource {
    sid: String,
    date_created: Option<String>,
    date_updated: Option<String>,
    parent_call_sid: Option<String>,
    account_sid: String,
    to: String,
    to_formatted: String,
    from: String,
    from_formatted: String,
    /// Of the number of the account's that was called, or that calls; null where that is a SIP URI or the like.
    phone_number_sid: Option<String>,
    status: String,
    start_time: Option<String>,
    end_time: Option<String>,
    /// Seconds, as text; null until the call is over.
    duration: Option<String>,
    price: Option<String>,
    price_unit: Option<String>,
    direction: String,
    /// Null until the call is over, and where nobody asked.
    answered_by: Option<String>,
    api_version: &'static str,
    forwarded_from: Option<String>,
    group_sid: Option<String>,
    caller_name: Option<String>,
    /// Milliseconds from acceptance to the first attempt, as text; null until then.
    queue_time: Option<String>,
    trunk_sid: Option<String>,
    uri: String,
    subresource_uris: Map<String, Value>,
}

impl CallResource {
    /// `directory` tells whose the number is.
    pub(crate) fn of(row: CallRow, directory: &Directory) -> Self {
        // Ours is the one that was called, or the one that calls.
        let ours = match row.direction {
            Direction::Inbound => &row.to,
            Direction::OutboundApi | Direction::OutboundDial => &row.from,
        };
        let phone_number_sid = directory.sid_of(row.account, ours);
        let date = |at: Option<u64>| at.and_then(rfc2822);
        let path = format!("/2010-04-01/Accounts/{}/Calls/{}", row.account, row.sid);
        let below = |kind: &str| format!("{path}/{kind}.json").into();
        let subresource_uris = Map::from_iter([
            ("events".to_owned(), below("Events")),
            ("notifications".to_owned(), below("Notifications")),
            ("recordings".to_owned(), below("Recordings")),
        ]);
        let forwarded_from = row.arrived_with("ForwardedFrom");
        let caller_name = row.arrived_with("CallerName");
        Self {
            uri: format!("{path}.json"),
            sid: row.sid.to_string(),
            date_created: rfc2822(row.created_unix_ms),
            date_updated: rfc2822(row.updated_unix_ms),
            parent_call_sid: row.parent.map(|parent| parent.to_string()),
            account_sid: row.account.to_string(),
            to_formatted: row.to.clone(),
            to: row.to,
            from_formatted: row.from.clone(),
            from: row.from,
            phone_number_sid: phone_number_sid.map(|sid| sid.to_string()),
            status: row.status.to_string(),
            start_time: date(row.started_unix_ms),
            end_time: date(row.ended_unix_ms),
            answered_by: (row.record.as_ref())
                .and_then(|record| record.answered_by)
                .map(|who| who.as_str().to_owned()),
            duration: row.record.map(|record| record.duration_s.to_string()),
            price: None,
            price_unit: None,
            direction: row.direction.to_string(),
            api_version: "2010-04-01",
            forwarded_from,
            group_sid: None,
            caller_name,
            queue_time: row
                .started_unix_ms
                .map(|started| started.saturating_sub(row.created_unix_ms).to_string()),
            trunk_sid: None,
            subresource_uris,
        }
    }
}
