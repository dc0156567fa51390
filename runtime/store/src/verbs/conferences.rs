//! The life of a conference: there with its first participant, and kept when it is over.

use call::{
    CallbackSubject, ConferenceCallback, ConferenceSid, ConferenceTurn, Participant,
    ParticipantExit,
};

use super::callbacks::{self, NewCallback};
use super::{Rows, Scope, StoreError};
use crate::conference_parameters::{conference_parameters, topic};
use crate::{ConferenceNote, ConferenceRow, ConferenceStatus, ParticipantRow};

/// Keeps one thing that happened, and puts it into the outbox where the account's server is to be told. A conference that is over, or was
/// never there, stays as it is.
pub(crate) fn note_conference(
    rows: &mut dyn Rows,
    scope: Scope,
    note: ConferenceNote,
) -> Result<(), StoreError> {
    let before = rows.conference(note.sid)?;
    let after = match (&before, &note.turn) {
        (Some(row), _) if row.status == ConferenceStatus::Completed => return Ok(()),
        (Some(row), _) => row.clone(),
        (None, ConferenceTurn::Opened(callback)) => begun(scope, &note, callback.clone()),
        (None, _) => return Ok(()),
    };
    let mut after = ConferenceRow {
        updated_unix_ms: note.at_unix_ms,
        ..after
    };
    match &note.turn {
        ConferenceTurn::Opened(_)
        | ConferenceTurn::Announced { .. }
        | ConferenceTurn::Speaks(..) => {}
        ConferenceTurn::Placed(region) => after.region = Some(region.clone()),
        ConferenceTurn::Expected(participant) => keep(rows, &after, participant, false)?,
        ConferenceTurn::Joined(participant)
        | ConferenceTurn::Muted(participant)
        | ConferenceTurn::Held(participant)
        | ConferenceTurn::Modified(participant) => keep(rows, &after, participant, true)?,
        ConferenceTurn::Began => after.status = ConferenceStatus::InProgress,
        ConferenceTurn::Missed(call) => rows.remove_participant(note.sid, *call)?,
        ConferenceTurn::Left(participant, _) => {
            rows.remove_participant(note.sid, participant.call)?;
        }
        ConferenceTurn::Ended(reason, by) => {
            after.status = ConferenceStatus::Completed;
            after.ended = Some(*reason);
            after.ended_by = by.as_ref().map(|by| by.call);
        }
    }
    tell(rows, &mut after, &note)?;
    rows.put_conference(before.as_ref(), &after)
}

/// Tells whoever is told of the conference, if it is their topic.
fn tell(
    rows: &mut dyn Rows,
    row: &mut ConferenceRow,
    note: &ConferenceNote,
) -> Result<(), StoreError> {
    let Some(callback) = &row.callback else {
        return Ok(());
    };
    let Some((topic, event)) = topic(&note.turn) else {
        return Ok(());
    };
    if !callback.topics.contains(&topic) {
        return Ok(());
    }
    let new = NewCallback {
        account: row.account,
        subject: CallbackSubject::Conference(row.sid),
        event: event.to_owned(),
        sequence: row.told,
        to: callback.to.clone(),
        parameters: conference_parameters(row, event, note),
        start: None,
        at_unix_ms: note.at_unix_ms,
    };
    callbacks::tell(rows, new)?;
    row.told += 1;
    Ok(())
}

fn begun(
    scope: Scope,
    note: &ConferenceNote,
    callback: Option<ConferenceCallback>,
) -> ConferenceRow {
    ConferenceRow {
        sid: note.sid,
        account: scope.account(),
        name: note.name.clone(),
        status: ConferenceStatus::Init,
        ended: None,
        ended_by: None,
        callback,
        region: None,
        told: 0,
        created_unix_ms: note.at_unix_ms,
        updated_unix_ms: note.at_unix_ms,
    }
}

fn keep(
    rows: &mut dyn Rows,
    conference: &ConferenceRow,
    participant: &Participant,
    is_connected: bool,
) -> Result<(), StoreError> {
    let known = rows.participants(conference.sid)?;
    let before = known
        .iter()
        .find(|known| known.participant.call == participant.call);
    let at = conference.updated_unix_ms;
    rows.put_participant(&ParticipantRow {
        conference: conference.sid,
        account: conference.account,
        participant: participant.clone(),
        is_connected,
        created_unix_ms: before.map_or(at, |before| before.created_unix_ms),
        updated_unix_ms: at,
    })
}

/// Ends the conferences that a process was at work on when it was killed: all calls in them are over.
pub(crate) fn recover_conferences(
    rows: &mut dyn Rows,
    live: &[ConferenceSid],
    at_unix_ms: u64,
) -> Result<(), StoreError> {
    for &sid in live {
        let Some(row) = rows.conference(sid)? else {
            continue;
        };
        let scope = Scope::of_host(row.account);
        let gone = rows.participants(sid)?;
        let last = gone
            .iter()
            .rfind(|gone| gone.is_connected)
            .map(|last| last.participant.clone());
        let left = gone.into_iter().map(|gone| match gone.is_connected {
            true => ConferenceTurn::Left(gone.participant, ParticipantExit::HungUp),
            false => ConferenceTurn::Missed(gone.participant.call),
        });
        let ended = ConferenceTurn::Ended(call::ConferenceEndReason::LastLeft, last);
        for turn in left.chain([ended]) {
            let note = ConferenceNote {
                sid,
                name: row.name.clone(),
                turn,
                at_unix_ms,
            };
            note_conference(rows, scope, note)?;
        }
    }
    Ok(())
}
