//! A recording as Twilio's API shows it.

use serde_json::{Value, json};
use store::{RecordingRow, rfc2822};

/// The properties of Twilio's `Recordings` resource. What this server does not have is null.
pub(crate) fn show(row: &RecordingRow, public_url: &str) -> Value {
    let path = format!(
        "/2010-04-01/Accounts/{}/Recordings/{}",
        row.account, row.sid
    );
    let duration = match row.status.is_final() {
        true => seconds(row.duration_ms).to_string(),
        false => "-1".to_owned(),
    };
    json!({
        "sid": row.sid,
        "account_sid": row.account,
        "call_sid": row.call,
        "conference_sid": null,
        "api_version": "2010-04-01",
        "date_created": rfc2822(row.created_unix_ms),
        "date_updated": rfc2822(row.updated_unix_ms),
        "start_time": rfc2822(row.created_unix_ms),
        "duration": duration,
        "channels": row.channels,
        "source": row.source.to_string(),
        "status": row.status.to_string(),
        "error_code": null,
        "price": null,
        "price_unit": null,
        "encryption_details": null,
        "media_url": format!("{public_url}{path}"),
        "uri": format!("{path}.json"),
        "subresource_uris": {},
    })
}

/// Whole seconds, to the nearest; what is there at all is one at least.
fn seconds(ms: u64) -> u64 {
    let rounded = ms.saturating_add(500) / 1_000;
    if ms > 0 { rounded.max(1) } else { 0 }
}

#[cfg(test)]
mod tests {
    #[test]
    fn seconds_are_the_nearest_and_something_is_one() {
        for (ms, expected) in [(0, 0), (20, 1), (1_499, 1), (1_500, 2), (59_999, 60)] {
            assert_eq!(super::seconds(ms), expected, "{ms}");
        }
    }
}
