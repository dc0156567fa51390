//! What callbacks say of a conference: the parameters of Twilio's conference events.

use call::{
    ConferenceEndReason, ConferenceTopic, ConferenceTurn, MediaSource, Participant, ParticipantExit,
};

use crate::callback_parameters::{Form, put};
use crate::{ConferenceNote, ConferenceRow, rfc2822};

/// What a turn is told under, and its name; none where nobody is told of such.
pub(crate) const fn topic(turn: &ConferenceTurn) -> Option<(ConferenceTopic, &'static str)> {
    use ConferenceTopic::{Announcement, End, Hold, Join, Leave, Modify, Mute, Speaker, Start};
    Some(match turn {
        ConferenceTurn::Began => (Start, "conference-start"),
        ConferenceTurn::Ended(..) => (End, "conference-end"),
        ConferenceTurn::Joined(_) => (Join, "participant-join"),
        ConferenceTurn::Left(..) => (Leave, "participant-leave"),
        ConferenceTurn::Muted(one) if one.muted => (Mute, "participant-mute"),
        ConferenceTurn::Muted(_) => (Mute, "participant-unmute"),
        ConferenceTurn::Held(one) if one.held => (Hold, "participant-hold"),
        ConferenceTurn::Held(_) => (Hold, "participant-unhold"),
        ConferenceTurn::Modified(_) => (Modify, "participant-modify"),
        ConferenceTurn::Speaks(_, true) => (Speaker, "participant-speech-start"),
        ConferenceTurn::Speaks(_, false) => (Speaker, "participant-speech-stop"),
        ConferenceTurn::Announced {
            outcome: Ok(()), ..
        } => (Announcement, "announcement-end"),
        ConferenceTurn::Announced { .. } => (Announcement, "announcement-fail"),
        ConferenceTurn::Opened(_)
        | ConferenceTurn::Placed(_)
        | ConferenceTurn::Expected(_)
        | ConferenceTurn::Missed(_) => return None,
    })
}

/// The form that tells of a turn.
pub(crate) fn conference_parameters(
    row: &ConferenceRow,
    event: &str,
    note: &ConferenceNote,
) -> Form {
    let mut form = Form::new();
    put(&mut form, "ConferenceSid", row.sid);
    put(&mut form, "FriendlyName", &row.name);
    put(&mut form, "AccountSid", row.account);
    put(&mut form, "StatusCallbackEvent", event);
    put(&mut form, "SequenceNumber", row.told);
    if let Some(at) = rfc2822(note.at_unix_ms) {
        put(&mut form, "Timestamp", at);
    }
    match &note.turn {
        ConferenceTurn::Joined(one)
        | ConferenceTurn::Muted(one)
        | ConferenceTurn::Held(one)
        | ConferenceTurn::Modified(one)
        | ConferenceTurn::Speaks(one, _) => put_participant(&mut form, one),
        ConferenceTurn::Left(one, how) => {
            put_participant(&mut form, one);
            let (status, reason) = exit_words(*how);
            put(&mut form, "ParticipantCallStatus", status);
            put(&mut form, "ReasonParticipantLeft", reason);
        }
        ConferenceTurn::Ended(reason, by) => put_end(&mut form, *reason, by.as_ref()),
        ConferenceTurn::Announced {
            participant,
            source,
            outcome,
        } => {
            if let Some(one) = participant {
                put_participant(&mut form, one);
            }
            let (MediaSource::Url(place) | MediaSource::File(place)) = source;
            put(&mut form, "AnnounceUrl", place);
            if let Err(why) = outcome {
                put(&mut form, "ReasonAnnouncementFailed", why);
            }
        }
        ConferenceTurn::Opened(_)
        | ConferenceTurn::Placed(_)
        | ConferenceTurn::Expected(_)
        | ConferenceTurn::Missed(_)
        | ConferenceTurn::Began => {}
    }
    form
}

fn put_participant(form: &mut Form, one: &Participant) {
    put(form, "CallSid", one.call);
    if let Some(label) = &one.label {
        put(form, "ParticipantLabel", label);
    }
    put(form, "Muted", one.muted);
    put(form, "Hold", one.held);
    put(form, "Coaching", one.coaches.is_some());
    if let Some(coached) = one.coaches {
        put(form, "CallSidToCoach", coached);
    }
    put(form, "StartConferenceOnEnter", one.start_on_enter);
    put(form, "EndConferenceOnExit", one.end_on_exit);
}

fn put_end(form: &mut Form, reason: ConferenceEndReason, by: Option<&Participant>) {
    if let Some(by) = by {
        put(form, "CallSidEndingConference", by.call);
        if let Some(label) = &by.label {
            put(form, "ParticipantLabelEndingConference", label);
        }
    }
    put(form, "ReasonConferenceEnded", reason.as_str());
    let who = by.map_or_else(String::new, |by| format!(" {}", by.call));
    let words = match reason {
        ConferenceEndReason::Api => "The conference was ended through the API".to_owned(),
        ConferenceEndReason::EndOnExitLeft => {
            format!("Participant{who} with endConferenceOnExit=true left the conference")
        }
        ConferenceEndReason::EndOnExitKicked => {
            format!("Participant{who} with endConferenceOnExit=true was removed")
        }
        ConferenceEndReason::LastLeft => "The last participant left the conference".to_owned(),
        ConferenceEndReason::LastKicked => "The last participant was removed".to_owned(),
    };
    put(form, "Reason", words);
}

/// The status of the call, and why the participant went.
const fn exit_words(how: ParticipantExit) -> (&'static str, &'static str) {
    match how {
        ParticipantExit::HungUp => ("completed", "participant_hung_up"),
        ParticipantExit::Left => ("in-progress", "participant_left"),
        ParticipantExit::Kicked => ("in-progress", "participant_updated_via_api"),
        ParticipantExit::Ended => ("in-progress", "conference_ended"),
    }
}
