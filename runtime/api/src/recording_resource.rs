//! A recording as Twilio's API shows it.

use call::RecordingTracks;
use serde_json::{Value, json};
use store::{RecordingRow, RecordingStatus, rfc2822};

/// The properties of Twilio's `Recordings` resource, of an account that reaches the API by `url`. What this server does not have is null.
pub(crate) fn show(row: &RecordingRow, url: &str) -> Value {
    let path = format!(
        "/2010-04-01/Accounts/{}/Recordings/{}",
        row.account, row.sid
    );
    let duration = match row.status.is_final() {
        true => row.duration_s().to_string(),
        false => "-1".to_owned(),
    };
    json!({
        "sid": row.sid,
        "account_sid": row.account,
        "call_sid": row.of.call(),
        "conference_sid": row.of.conference(),
        "api_version": "2010-04-01",
        "date_created": rfc2822(row.created_unix_ms),
        "date_updated": rfc2822(row.updated_unix_ms),
        "start_time": rfc2822(row.created_unix_ms),
        "duration": duration,
        "channels": row.channels,
        "track": track(row.tracks),
        "source": row.source.to_string(),
        "status": row.status.to_string(),
        "error_code": error_code(row.status),
        "price": null,
        "price_unit": null,
        "encryption_details": null,
        "media_url": format!("{url}{path}"),
        "uri": format!("{path}.json"),
        "subresource_uris": {},
    })
}

/// Why there is no file, or not all of it: nothing was heard, or the host failed.
const fn error_code(status: RecordingStatus) -> Option<u32> {
    match status {
        RecordingStatus::Absent => Some(16_102),
        RecordingStatus::Failed => Some(12_400),
        _ => None,
    }
}

/// As Twilio spells whose voice is recorded.
const fn track(tracks: RecordingTracks) -> &'static str {
    match tracks {
        RecordingTracks::Caller => "inbound",
        RecordingTracks::Callee => "outbound",
        RecordingTracks::Both => "both",
    }
}
