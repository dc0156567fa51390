//! What a call's journals tell its owner: what was asked of web servers, and what went wrong.

use std::collections::BTreeMap;

use call::{Command, Event, Exchange, Reply, RequestId};

use crate::journal::{Entry, Journal, JournalError, unbundle};
use crate::log::{LogLevel, LogLine};

/// What a call's journals tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// In the order in which they were asked for.
    pub exchanges: Vec<Exchange>,
    /// Warnings and errors of the log.
    pub faults: Vec<LogLine>,
}

/// Reads the journals of a call, as they are kept: see [`crate::journal::bundle`].
///
/// # Errors
/// As [`unbundle`] and [`Journal::read`].
pub fn told(bundle: &[u8]) -> Result<Told, JournalError> {
    let mut told = Told::default();
    for journal in unbundle(bundle)? {
        read(Journal::read(journal)?, &mut told);
    }
    Ok(told)
}

fn read(journal: Journal, told: &mut Told) {
    let mut now = journal.header.started_unix_ms;
    let mut open: BTreeMap<RequestId, usize> = BTreeMap::new();
    for entry in journal.entries {
        match entry {
            Entry::Command {
                command: Command::Http(request),
                result: Ok(Reply::Request(id)),
            } => {
                open.insert(id, told.exchanges.len());
                told.exchanges.push(Exchange {
                    at_unix_ms: now,
                    request,
                    answer: None,
                });
            }
            Entry::Next {
                event, now_unix_ms, ..
            } => {
                now = now_unix_ms;
                if let Some(Event::HttpResponse(id, answer)) = event
                    && let Some(at) = open.remove(&id)
                    && let Some(exchange) = told.exchanges.get_mut(at)
                {
                    exchange.answer = Some((now, answer));
                }
            }
            Entry::Log(line) if line.level >= LogLevel::Warn => told.faults.push(line),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use call::{HttpError, HttpMethod, HttpRequest};

    use super::*;
    use crate::journal::bundle;
    use crate::journal::tests::header;

    #[test]
    fn requests_find_their_answers_and_faults_are_kept() {
        let request = |url: &str| HttpRequest {
            method: HttpMethod::Get,
            url: url.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            sign: true,
        };
        let asked = |url: &str, id: u32| Entry::Command {
            command: Command::Http(request(url)),
            result: Ok(Reply::Request(RequestId(id))),
        };
        let heard = |id: u32, after_ms: u64| Entry::Next {
            timeout_ms: None,
            event: Some(Event::HttpResponse(
                RequestId(id),
                Err(HttpError::TimedOut("a".to_owned())),
            )),
            now_unix_ms: header().started_unix_ms + after_ms,
        };
        let logged = |level, message: &str| {
            Entry::Log(LogLine {
                level,
                context: String::new(),
                message: message.to_owned(),
                at_unix_ms: 9,
            })
        };
        let entries = vec![
            asked("http://a/", 1),
            asked("http://b/", 2),
            heard(2, 50),
            logged(LogLevel::Info, "hello"),
            logged(LogLevel::Warn, "12200 odd"),
            asked("http://c/", 3),
        ];
        let journal = Journal {
            header: header(),
            entries,
        };
        let told = told(&bundle(&[journal.to_bytes()])).unwrap();
        let started = header().started_unix_ms;
        let seen: Vec<_> = told
            .exchanges
            .iter()
            .map(|one| {
                let answered = one.answer.as_ref().map(|(at, _)| at - started);
                (&*one.request.url, one.at_unix_ms - started, answered)
            })
            .collect();
        let expected = [
            ("http://a/", 0, None),
            ("http://b/", 0, Some(50)),
            ("http://c/", 50, None),
        ];
        assert_eq!(seen, expected);
        let [fault] = &told.faults[..] else {
            panic!("{:?}", told.faults)
        };
        assert_eq!(fault.message, "12200 odd");
        assert!(super::told(b"nonsense").is_err());
    }
}
