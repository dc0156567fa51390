//! Conferences and who is in them as Twilio's API shows them.

use serde_json::{Value, json};
use store::{ConferenceRow, ParticipantRow, rfc2822};

/// The properties of Twilio's `Conferences` resource. What this server does not have is null.
pub(crate) fn show(row: ConferenceRow) -> Value {
    let path = format!(
        "/2010-04-01/Accounts/{}/Conferences/{}",
        row.account, row.sid
    );
    json!({
        "sid": row.sid,
        "account_sid": row.account,
        "api_version": "2010-04-01",
        "friendly_name": row.name,
        "status": row.status.to_string(),
        "date_created": rfc2822(row.created_unix_ms),
        "date_updated": rfc2822(row.updated_unix_ms),
        "reason_conference_ended": row.ended.map(|reason| reason.as_str()),
        "call_sid_ending_conference": row.ended_by,
        "region": row.region,
        "uri": format!("{path}.json"),
        "subresource_uris": {
            "participants": format!("{path}/Participants.json"),
            "recordings": format!("{path}/Recordings.json"),
        },
    })
}

/// The properties of Twilio's `Participants` resource, with the status that goes with it. What this server does not have is null.
pub(crate) fn show_participant(row: ParticipantRow, status: &str) -> Value {
    let one = row.participant;
    json!({
        "account_sid": row.account,
        "conference_sid": row.conference,
        "call_sid": one.call,
        "label": one.label,
        "muted": one.muted,
        "hold": one.held,
        "coaching": one.coaches.is_some(),
        "call_sid_to_coach": one.coaches,
        "start_conference_on_enter": one.start_on_enter,
        "end_conference_on_exit": one.end_on_exit,
        "status": status,
        "queue_time": null,
        "api_version": "2010-04-01",
        "date_created": rfc2822(row.created_unix_ms),
        "date_updated": rfc2822(row.updated_unix_ms),
        "uri": format!(
            "/2010-04-01/Accounts/{}/Conferences/{}/Participants/{}.json",
            row.account, row.conference, one.call
        ),
    })
}
