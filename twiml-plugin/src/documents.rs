//! The documents of one call: the first, those that links lead to, and the fallback's.

use std::time::Duration;

use jackfield_guest::{Call, CallError, HttpMethod, Response, debug, error, warn};

use crate::cache::Cache;
use crate::document::Document;
use crate::fault::{Fault, INVALID_URL, TOO_MANY_REDIRECTS, URL_AND_TWIML};
use crate::fetch::{CallStatus, Parameter, append, fault_of, form, parameters_of, request};
use crate::reference::{is_web_url, resolve, without_query};
use crate::verb::Link;

/// A caller who presses nothing hears no more documents than this.
const MOST_DOCUMENTS: u32 = 100;
/// Between two fetches of the same URL.
const SPACING: Duration = Duration::from_millis(100);

/// The setting that has what the call's INVITE said, as pairs of a form.
const ARRIVAL: &str = "arrival";
/// Before the name of a header field.
pub(crate) const SIP_HEADER: &str = "SipHeader_";

/// Why a document goes no further.
pub(crate) enum Stop {
    /// The call is over, or refuses what every call must be able to do.
    Call(CallError),
    /// The document, or the next one, is at fault. The caller does not yet know.
    Fault(Fault),
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Fetches documents, at a bounded rate and in bounded number.
pub(crate) struct Documents<'a> {
    call: &'a Call,
    /// How many since the caller last pressed a key.
    since_key: u32,
    /// Which URLs were fetched less than [`SPACING`] ago, and when.
    just_fetched: Vec<(String, Duration)>,
    cache: Cache,
    /// Pairs of the next request, as they stand in its form.
    with_next: String,
}

impl<'a> Documents<'a> {
    pub(crate) fn of(call: &'a Call) -> Self {
        Self {
            call,
            since_key: 0,
            just_fetched: Vec::new(),
            cache: Cache::default(),
            with_next: String::new(),
        }
    }

    /// The caller is there: the count begins anew.
    pub(crate) fn heard_a_key(&mut self) {
        self.since_key = 0;
    }

    /// The next request has these pairs besides, whose names others chose.
    pub(crate) fn tell_with_next<'b>(&mut self, pairs: impl Iterator<Item = (String, &'b str)>) {
        for (name, value) in pairs {
            append(&name, value, &mut self.with_next);
        }
    }

    /// The document that the settings name. Its request has what whoever dialled this application has to say.
    pub(crate) fn first(
        &mut self,
        status: CallStatus,
        parameters: Vec<Parameter>,
    ) -> Result<Document, Stop> {
        self.with_next = self.setting("parameters").unwrap_or_default();
        if self.setting("twiml-ignored").is_some() {
            let message = "`Url` and `Twiml` were both given: `Url` is asked, `Twiml` is not run";
            warn!(self.call, "{}", Fault::new(URL_AND_TWIML, message));
        }
        if let Some(url) = self.setting("voice-url") {
            let method = self.method("voice-method");
            return self.follow(&Link { url, method }, None, parameters, status);
        }
        let Some(twiml) = self.setting("twiml") else {
            let message = "neither the setting voice-url nor twiml is there: nothing to run";
            return Err(Fault::new(INVALID_URL, message).into());
        };
        match Document::inline(twiml.as_bytes()) {
            Ok(document) => Ok(document),
            Err(fault) => self.fall_back(fault, None, status),
        }
    }

    /// The method that a setting names. Twilio's API has checked it where it came through there.
    fn method(&self, setting: &str) -> HttpMethod {
        match self.setting(setting) {
            Some(method) if method.eq_ignore_ascii_case("GET") => HttpMethod::Get,
            _ => HttpMethod::Post,
        }
    }

    /// The document behind a link, or the fallback's in its place.
    pub(crate) fn follow(
        &mut self,
        link: &Link,
        base: Option<&str>,
        parameters: Vec<Parameter>,
        status: CallStatus,
    ) -> Result<Document, Stop> {
        let url = base.map_or_else(|| link.url.clone(), |base| resolve(base, &link.url));
        match self.fetch(link.method, &url, parameters, status)? {
            Ok(document) => Ok(document),
            Err(fault) => self.fall_back(fault, Some(url), status),
        }
    }

    fn fall_back(
        &mut self,
        fault: Fault,
        url: Option<String>,
        status: CallStatus,
    ) -> Result<Document, Stop> {
        let Some(fallback) = self.setting("fallback-url") else {
            return Err(fault.into());
        };
        error!(self.call, "{fault}");
        let mut parameters = vec![("ErrorCode", fault.code.to_string())];
        parameters.extend(url.map(|url| ("ErrorUrl", url)));
        let method = self.method("fallback-method");
        Ok(self.fetch(method, &fallback, parameters, status)??)
    }

    fn fetch(
        &mut self,
        method: HttpMethod,
        url: &str,
        parameters: Vec<Parameter>,
        status: CallStatus,
    ) -> Result<Result<Document, Fault>, CallError> {
        if !is_web_url(url) {
            let message = format!("{url:?} is not an http or https URL");
            return Ok(Err(Fault::new(INVALID_URL, message)));
        }
        self.since_key += 1;
        if self.since_key > MOST_DOCUMENTS {
            let message = format!("{MOST_DOCUMENTS} documents without a key from the caller");
            return Ok(Err(Fault::new(TOO_MANY_REDIRECTS, message).of(url)));
        }
        self.space_out(url)?;
        let others = std::mem::take(&mut self.with_next);
        let form = self.form(status, parameters, &others);
        let request = self.cache.ask(request(method, url, &form));
        let document = match self.call.http(request.clone())? {
            Ok(response) => {
                let response = self.cache.answered(&request, response);
                Document::fetched(&Response {
                    url: without_query(&response.url, &form),
                    ..response
                })
            }
            Err(error) => Err(fault_of(&error, url)),
        };
        if let Ok(document) = &document {
            debug!(self.call, "{url}: {} verbs", document.verbs.len());
        }
        Ok(document)
    }

    /// Tells a server something; nobody waits for its answer. What cannot be told is left out, and the log says so.
    pub(crate) fn tell(
        &self,
        link: &Link,
        base: Option<&str>,
        parameters: Vec<Parameter>,
        status: CallStatus,
    ) {
        let url = base.map_or_else(|| link.url.clone(), |base| resolve(base, &link.url));
        if !is_web_url(&url) {
            let message = format!("{url:?} is not an http or https URL");
            return warn!(self.call, "{}", Fault::new(INVALID_URL, message));
        }
        let form = self.form(status, parameters, "");
        if let Err(error) = self.call.send(request(link.method, &url, &form)) {
            debug!(self.call, "{url} is not told: {error}");
        }
    }

    /// What is known of the call, what its INVITE said, these, and pairs that stand in place of the INVITE's of the same names.
    fn form(&self, status: CallStatus, parameters: Vec<Parameter>, others: &str) -> String {
        let mut all = parameters_of(self.call.info(), status);
        all.extend(parameters);
        let mut form = form(&all);
        let arrival = self.setting(ARRIVAL).unwrap_or_default();
        let name = |pair: &str| pair.split('=').next().map(str::to_owned);
        let told = arrival
            .split('&')
            .filter(|pair| others.split('&').all(|other| name(other) != name(pair)));
        for pair in told
            .chain(others.split('&'))
            .filter(|pair| !pair.is_empty())
        {
            form.push('&');
            form.push_str(pair);
        }
        form
    }

    /// Waits until the same URL may be fetched again, whatever was fetched in between.
    fn space_out(&mut self, url: &str) -> Result<(), CallError> {
        let now = self.call.elapsed();
        self.just_fetched.retain(|(_, at)| now < *at + SPACING);
        let last = self.just_fetched.iter().rfind(|(last, _)| last == url);
        // After the hang-up there is one request left, and nothing that waits.
        if let Some((_, at)) = last
            && self.call.hang_up_cause().is_none()
        {
            self.call.pause((*at + SPACING).saturating_sub(now))?;
        }
        self.just_fetched
            .push((url.to_owned(), self.call.elapsed()));
        Ok(())
    }

    /// A setting, if it says anything.
    fn setting(&self, name: &str) -> Option<String> {
        self.call.setting(name).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use jackfield_guest::Rehearsal;

    use super::*;

    #[test]
    fn fetches_of_the_same_url_keep_their_distance() {
        let check = |urls: &[&str], expected_ms: u64| {
            let call = Call::on(Rehearsal::new());
            let mut documents = Documents::of(&call);
            for url in urls {
                documents.space_out(url).unwrap();
                call.pause(Duration::from_millis(30)).unwrap();
            }
            assert_eq!(
                call.elapsed(),
                Duration::from_millis(expected_ms),
                "{urls:?}"
            );
        };
        check(&["http://a/", "http://a/"], 130);
        check(&["http://a/", "http://b/"], 60);
        check(&["http://a/", "http://b/", "http://a/"], 130);
        check(&["http://a/", "http://b/", "http://a/", "http://b/"], 160);
    }
}
