//! Who is told of a call: the `StatusCallback` parameters of `POST Calls`.

use call::StatusCallback;
use store::{CallCallback, ProgressEvent};

use crate::parameters::{Parameters, is_web};
use crate::problem::Problem;

/// What the parameters ask for; none without a URL. Without events only the end is told, as at Twilio.
pub(crate) fn read(parameters: &Parameters) -> Result<Option<CallCallback>, Problem> {
    let events: Result<Vec<_>, _> = parameters.all("StatusCallbackEvent").map(event).collect();
    let mut on = events?;
    let Some(url) = parameters.get("StatusCallback") else {
        return match ["StatusCallbackMethod", "StatusCallbackEvent"]
            .into_iter()
            .find(|name| parameters.get(name).is_some())
        {
            Some(name) => Err(Problem::bad_parameter(format!(
                "`{name}` has no effect without `StatusCallback`"
            ))),
            None => Ok(None),
        };
    };
    if !is_web(url) {
        let message = "`StatusCallback` must begin with http:// or https://";
        return Err(Problem::bad(21609, message));
    }
    if on.is_empty() {
        on.push(ProgressEvent::Completed);
    }
    on.sort_unstable();
    on.dedup();
    let to = StatusCallback {
        url: url.to_owned(),
        method: parameters.method("StatusCallbackMethod")?,
    };
    Ok(Some(CallCallback { to, on }))
}

fn event(word: &str) -> Result<ProgressEvent, Problem> {
    let known = ProgressEvent::ALL
        .into_iter()
        .find(|event| event.as_str() == word);
    known.ok_or_else(|| {
        let words = ProgressEvent::ALL.map(ProgressEvent::as_str).join(", ");
        Problem::bad_parameter(format!("`StatusCallbackEvent` must be some of: {words}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Vocabulary;

    const WORDS: Vocabulary = Vocabulary {
        supported: &[
            "StatusCallback",
            "StatusCallbackMethod",
            "StatusCallbackEvent",
        ],
        unsupported: &[],
    };

    fn reading(query: &str) -> Result<String, Problem> {
        let callback = read(&Parameters::of_query(Some(query), WORDS)?)?;
        Ok(callback.map_or_else(String::new, |callback| {
            let events = callback.on.into_iter().map(ProgressEvent::as_str);
            let events: Vec<_> = events.collect();
            let CallCallback { to, .. } = callback;
            format!("{:?} {} {}", to.method, to.url, events.join("+"))
        }))
    }

    #[test]
    fn who_is_told_of_what() {
        for (query, expected) in [
            ("", ""),
            ("StatusCallback=", ""),
            ("StatusCallback=http://a/", "Post http://a/ completed"),
            (
                "StatusCallback=https://a/&StatusCallbackMethod=get&StatusCallbackEvent=answered&StatusCallbackEvent=initiated",
                "Get https://a/ initiated+answered",
            ),
            (
                "StatusCallback=http://a/&StatusCallbackEvent=ringing+ringing+completed",
                "Post http://a/ ringing+completed",
            ),
        ] {
            assert_eq!(reading(query).unwrap(), expected, "{query}");
        }
    }

    #[test]
    fn what_is_wrong_or_would_have_no_effect_is_refused() {
        for (query, code, words) in [
            ("StatusCallback=ftp://a/", 21609, "http://"),
            (
                "StatusCallback=http://a/&StatusCallbackMethod=PUT",
                21209,
                "`GET` or `POST`",
            ),
            (
                "StatusCallback=http://a/&StatusCallbackEvent=busy",
                20001,
                "initiated, ringing, answered, completed",
            ),
            (
                "StatusCallbackEvent=ringing",
                20001,
                "without `StatusCallback`",
            ),
            (
                "StatusCallbackMethod=GET",
                20001,
                "without `StatusCallback`",
            ),
        ] {
            let problem = reading(query).unwrap_err();
            assert_eq!(problem.code, code, "{query}");
            assert!(problem.message.contains(words), "{}", problem.message);
        }
    }
}
