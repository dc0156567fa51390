//! The life of a media stream of which somebody is told: open until its end is told too.

use call::{AccountSid, CallSid, CallbackSubject, StreamEnd, StreamSid};

use super::callbacks::{NewCallback, tell};
use crate::callback_parameters::stream_parameters;
use crate::rows::Rows;
use crate::{Scope, StoreError, StreamNote, StreamTold, StreamTurn};

/// Why a stream ended that a killed process leaves behind.
const SERVER_STOPPED: &str = "the server stopped";

/// A stream of which the beginning was told, and the end was not.
pub(crate) struct OpenStream {
    pub(crate) account: AccountSid,
    pub(crate) call: CallSid,
    pub(crate) stream: StreamSid,
    pub(crate) told: StreamTold,
}

/// Puts a turn into the outbox. An end is told once.
pub(crate) fn note_stream(
    rows: &mut dyn Rows,
    scope: Scope,
    note: StreamNote,
) -> Result<(), StoreError> {
    let (event, error) = match &note.turn {
        StreamTurn::Started => ("stream-started", None),
        StreamTurn::Ended(StreamEnd::Stopped | StreamEnd::Closed) => ("stream-stopped", None),
        StreamTurn::Ended(StreamEnd::Failed(error)) => ("stream-error", Some(error.to_string())),
    };
    let stream = OpenStream {
        account: scope.account(),
        call: note.call,
        stream: note.stream,
        told: note.told,
    };
    let sequence = match note.turn {
        StreamTurn::Started => {
            rows.put_open_stream(&stream)?;
            0
        }
        StreamTurn::Ended(_) => u32::from(rows.remove_open_stream(stream.call, stream.stream)?),
    };
    put(
        rows,
        &stream,
        event,
        error.as_deref(),
        sequence,
        note.at_unix_ms,
    )
}

/// Ends the streams that a process had open when it was killed.
pub(crate) fn recover_streams(
    rows: &mut dyn Rows,
    open: Vec<OpenStream>,
    at_unix_ms: u64,
) -> Result<(), StoreError> {
    for stream in open {
        rows.remove_open_stream(stream.call, stream.stream)?;
        put(
            rows,
            &stream,
            "stream-error",
            Some(SERVER_STOPPED),
            1,
            at_unix_ms,
        )?;
    }
    Ok(())
}

fn put(
    rows: &mut dyn Rows,
    stream: &OpenStream,
    event: &str,
    error: Option<&str>,
    sequence: u32,
    at_unix_ms: u64,
) -> Result<(), StoreError> {
    let new = NewCallback {
        account: stream.account,
        subject: CallbackSubject::Stream(stream.stream),
        event: event.to_owned(),
        sequence,
        to: stream.told.to.clone(),
        parameters: stream_parameters(stream, event, error, at_unix_ms),
        start: None,
        at_unix_ms,
    };
    tell(rows, new)
}
