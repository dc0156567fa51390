//! Who may come into a conference.

use super::{Conference, ConferenceOptions};
use crate::CallSid;

impl Conference {
    /// Why a call may not join; none if it may. Says nothing of what its label is: the server's log has it.
    pub(super) fn refusal(&self, call: CallSid, options: &ConferenceOptions) -> Option<String> {
        let first = self.participants.first();
        let first = first.map_or(options, |first| &first.options);
        let most = first.max_participants.unwrap_or(self.most).min(self.most);
        if self.participants.len() >= most as usize {
            let why = format!("the conference is full: it takes {most} participants");
            return Some(why);
        }
        let label = options.label.as_deref();
        label
            .is_some_and(|label| self.is_label_taken(label, call))
            .then(|| "the label is in use by another participant".to_owned())
    }

    /// Whether another call that is in it, or is expected, has this label.
    #[must_use]
    pub fn is_label_taken(&self, label: &str, call: CallSid) -> bool {
        let members = self.participants.iter();
        let members = members.map(|one| (one.call, &one.options.label));
        let expected = self.expected.iter().map(|one| (one.call, &one.label));
        let mut all = members.chain(expected);
        all.any(|(other, its)| other != call && its.as_deref() == Some(label))
    }
}
