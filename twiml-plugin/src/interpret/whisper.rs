//! Documents that somebody who was dialled hears alone.

use jackfield_guest::warn;

use super::Interpreter;
use crate::document::Document;
use crate::fault::{DIAL_IN_DIAL, NOT_IN_SCHEMA};
use crate::verb::Verb;

impl Interpreter<'_> {
    /// The verbs of a document that stand in a whisper; none where all do.
    pub(super) fn heard_in_whisper(&self, document: &Document) -> Option<Vec<Verb>> {
        let (heard, left_out): (Vec<&Verb>, Vec<&Verb>) = document
            .verbs
            .iter()
            .partition(|verb| stands_in_whisper(verb));
        if !self.is_whisper || left_out.is_empty() {
            return None;
        }
        if left_out.iter().any(|verb| dials(verb)) {
            warn!(
                self.call,
                "{DIAL_IN_DIAL} Dial: whoever is dialled dials nobody: it is ignored"
            );
        }
        warn!(
            self.call,
            "{NOT_IN_SCHEMA} a document for somebody who is dialled has Say, Play, Pause, Gather, Redirect and Hangup: the rest is ignored"
        );
        Some(heard.into_iter().cloned().collect())
    }
}

const fn dials(verb: &Verb) -> bool {
    matches!(verb, Verb::Dial(_) | Verb::Room(_))
}

const fn stands_in_whisper(verb: &Verb) -> bool {
    matches!(
        verb,
        Verb::Prompt(_) | Verb::Gather(_) | Verb::Redirect(_) | Verb::Hangup
    )
}
