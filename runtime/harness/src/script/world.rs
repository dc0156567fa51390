//! What the call of a script finds: settings, prompts, servers, people, and whoever else is there.

use std::sync::Arc;
use std::time::Duration;

use call::{
    AnsweredBy, Grants, HttpError, HttpRequest, HttpResponse, KeyValueError, KeyValueWrite,
    PeopleCommand, PeopleError, Person, StreamEnd, StreamError,
};

use super::{Answers, Script};
use crate::callee::Callee;
use crate::far_ends::Answer;
use crate::referee::Referee;
use crate::web::Web;

impl Script {
    /// So many others are in a conference that the story joins. Nobody, where nothing is said.
    #[must_use]
    pub fn others_in_conference(mut self, others: u8) -> Self {
        self.others.in_conference = others;
        self
    }

    /// So many others wait already in a queue that the story waits in. Nobody, where nothing is said.
    #[must_use]
    pub fn others_in_queue(mut self, others: u8) -> Self {
        self.others.in_queue = others;
        self
    }

    /// Whoever is dialled by this number or URI. Others cannot be reached: dialling them fails at once.
    #[must_use]
    pub fn callee(mut self, target: &str, callee: Callee) -> Self {
        self.callees.insert(target.to_owned(), callee);
        self
    }

    /// What the caller does when the story sends them on. They refuse with 405, where nothing is said.
    #[must_use]
    pub fn referee(mut self, referee: Referee) -> Self {
        self.referee = Some(referee);
        self
    }

    /// No recogniser is configured: a flow that wants to listen is refused.
    #[must_use]
    pub fn without_recogniser(mut self) -> Self {
        self.no_recogniser = true;
        self
    }

    /// A setting of the flow, where the script does not have it.
    #[must_use]
    pub fn default_setting(mut self, name: &str, value: &str) -> Self {
        let setting = self.settings.entry(name.to_owned());
        setting.or_insert_with(|| value.to_owned());
        self
    }

    /// The number of the other side: who calls in, or who was called. `+15550100` where nothing is said.
    #[must_use]
    pub fn with(mut self, number: &str) -> Self {
        self.parties[0] = Some(number.to_owned());
        self
    }

    /// The number of our side. `+15550199` where nothing is said.
    #[must_use]
    pub fn at(mut self, number: &str) -> Self {
        self.parties[1] = Some(number.to_owned());
        self
    }

    /// What the clocks say when the call comes in, in milliseconds since 1970. Where nothing is said, it is a moment in 2026.
    #[must_use]
    pub fn starts_at(mut self, unix_ms: u64) -> Self {
        self.starts_unix_ms = Some(unix_ms);
        self
    }

    /// A setting of the flow.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The account grants the story this and nothing else. Everything, where nothing is said.
    #[must_use]
    pub fn granting(mut self, grants: Grants) -> Self {
        self.grants = Some(Arc::new(grants));
        self
    }

    /// A key-value pair that the account has when the call comes in. Otherwise it has none.
    ///
    /// # Errors
    /// When it is none that can be kept.
    pub fn pair(mut self, key: &str, value: &[u8]) -> Result<Self, KeyValueError> {
        let (key, value) = (key.to_owned(), value.to_vec());
        self.pairs.write(KeyValueWrite::Set { key, value })?;
        Ok(self)
    }

    /// Somebody whom the account knows when the call comes in. Otherwise it knows nobody.
    ///
    /// # Errors
    /// When they are none that can be kept.
    pub fn person(mut self, person: Person) -> Result<Self, PeopleError> {
        self.people.obey(PeopleCommand::Save(person.into()))?;
        Ok(self)
    }

    /// A secret of the account that is a PIN. One that the script does not know is never right.
    #[must_use]
    pub fn pin(mut self, name: &str, digits: &str) -> Self {
        self.pins.insert(name.to_owned(), digits.to_owned());
        self
    }

    /// Too many wrong PINs were typed before this call: none is looked at, for so many seconds.
    #[must_use]
    pub fn pin_locked(mut self, seconds: u32) -> Self {
        self.pin_locked = Some(seconds);
        self
    }

    /// The prompt with this path or URL takes so long. Others take two seconds.
    #[must_use]
    pub fn prompt(mut self, source: &str, duration: Duration) -> Self {
        self.prompts.insert(source.to_owned(), duration);
        self
    }

    /// The prompt with this path or URL does not exist.
    #[must_use]
    pub fn without_prompt(mut self, source: &str) -> Self {
        self.missing.push(source.to_owned());
        self
    }

    /// The next request to a URL that begins with `url` gets this answer, 100 ms later. Each answer is given once;
    /// where none is left nobody answers.
    #[must_use]
    pub fn respond(self, url: &str, response: Result<HttpResponse, HttpError>) -> Self {
        self.answers(url, response, false)
    }

    /// Each request to a URL that begins with `url`, and for which no [`Self::respond`] is left before it, gets this answer.
    #[must_use]
    pub fn always_respond(self, url: &str, response: Result<HttpResponse, HttpError>) -> Self {
        self.answers(url, response, true)
    }

    fn answers(
        mut self,
        url: &str,
        response: Result<HttpResponse, HttpError>,
        always: bool,
    ) -> Self {
        self.responses.push(Answers {
            url: url.to_owned(),
            response,
            always,
        });
        self
    }

    /// Requests for which the script has no answer are answered by this. It may take its time: that is none of the call's.
    #[must_use]
    pub fn web(
        mut self,
        answer: impl Fn(&HttpRequest) -> Result<HttpResponse, HttpError> + Send + Sync + 'static,
    ) -> Self {
        self.web = Some(Web::new(answer));
        self
    }

    /// Who answered, and how long it takes to know. Somebody after 2 seconds, where nothing is said.
    #[must_use]
    pub fn answered_by(mut self, who: AnsweredBy, after: Duration) -> Self {
        self.answered_by = Some((who, after));
        self
    }

    /// The far end of media streams to URLs that begin with `url` closes them after so long. Others stay open.
    #[must_use]
    pub fn stream_closes(self, url: &str, after: Duration) -> Self {
        self.stream_ends(url, after, StreamEnd::Closed)
    }

    /// Media streams to URLs that begin with `url` fail: they do not come about, or are lost after so long.
    #[must_use]
    pub fn stream_fails(self, url: &str, after: Duration, error: StreamError) -> Self {
        self.stream_ends(url, after, StreamEnd::Failed(error))
    }

    fn stream_ends(mut self, url: &str, after: Duration, end: StreamEnd) -> Self {
        let url = url.to_owned();
        self.far_ends.push(Answer { url, after, end });
        self
    }
}
