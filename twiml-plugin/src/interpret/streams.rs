//! Media streams: begun beside the document, stopped by name, or given the word.

use fault_codes::{STREAM_PROTOCOL, of_stream_protocol};
use jackfield_guest::{CallError, StreamEnd, StreamError, error, warn};

use super::Interpreter;
use crate::document::Document;
use crate::fault::{
    NOT_IN_SCHEMA, STREAM_CLOSED, STREAM_HANDSHAKE, STREAM_REFUSED, STREAM_SCHEME, STREAM_TIMEOUT,
    STREAM_URL,
};
use crate::reference::resolve;
use crate::verb::Stream;

impl<'c> Interpreter<'c> {
    /// Begins a stream; the document goes on, whatever becomes of it.
    pub(super) fn start_stream(
        &mut self,
        stream: &Stream,
        document: &Document,
    ) -> Result<(), CallError> {
        if let Some(begun) = self.begin(stream, document)?
            && let Some(name) = &stream.request.name
        {
            self.streams.insert(name.clone(), begun);
        }
        Ok(())
    }

    /// Stops the stream of that name.
    pub(super) fn stop_stream(&mut self, name: &str) -> Result<(), CallError> {
        match self.streams.remove(name) {
            Some(stream) => stream.stop(),
            None => {
                warn!(
                    self.call,
                    "{NOT_IN_SCHEMA} Stop: these documents have begun no stream of the name {name:?}: one that the API began, it ends"
                );
                Ok(())
            }
        }
    }

    /// Begins a stream both ways, and waits for its end.
    pub(super) fn connect(
        &mut self,
        stream: &Stream,
        document: &Document,
    ) -> Result<(), CallError> {
        let Some(begun) = self.begin(stream, document)? else {
            return Ok(());
        };
        if let StreamEnd::Failed(why) = begun.finish()? {
            error!(self.call, "{} Stream: {why}", code(&why));
        }
        // Somebody had the word: the caller did not sit there alone.
        self.documents.heard_a_key();
        Ok(())
    }

    fn begin(
        &self,
        stream: &Stream,
        document: &Document,
    ) -> Result<Option<jackfield_guest::Stream<'c>>, CallError> {
        let mut request = stream.request.clone();
        if let Some(link) = &stream.status_callback {
            let base = document.url.as_deref();
            let url = base.map_or_else(|| link.url.clone(), |base| resolve(base, &link.url));
            request = request.status_callback(link.method, url);
        }
        match self.call.stream(request) {
            Ok(begun) => Ok(Some(begun)),
            Err(CallError::HungUp) => Err(CallError::HungUp),
            Err(error) => {
                let code = match has_stream_scheme(&stream.request.url) {
                    true => STREAM_URL,
                    false => STREAM_SCHEME,
                };
                error!(self.call, "{code} Stream: {error}");
                Ok(None)
            }
        }
    }
}

/// Whether it is a URL of a WebSocket, wherever it leads.
fn has_stream_scheme(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        scheme.eq_ignore_ascii_case("wss") || scheme.eq_ignore_ascii_case("ws")
    })
}

/// Twilio's code for it.
fn code(error: &StreamError) -> u16 {
    match error {
        StreamError::TimedOut(_) => STREAM_TIMEOUT,
        StreamError::NotGranted(_) | StreamError::Unreachable(_) => STREAM_REFUSED,
        StreamError::Refused(_) => STREAM_HANDSHAKE,
        StreamError::Lost(_) => STREAM_CLOSED,
        StreamError::TooLarge(_) => STREAM_PROTOCOL,
        StreamError::Protocol(why) => of_stream_protocol(why),
    }
}
