//! Where the documents of a call over REST come from.

use store::{Answer, Flow, Scope, WebhookMethod};

use crate::ApiState;
use crate::applications;
use crate::parameters::{Parameters, is_web};
use crate::problem::Problem;

/// Characters of a document that a request may bring along.
const MAX_TWIML_CHARS: usize = 4000;

/// What an application says. It takes the place of everything that says where documents come from.
pub(crate) fn of_application(
    state: &ApiState,
    scope: Scope,
    sid: &str,
    parameters: &Parameters,
) -> Result<Answer, Problem> {
    let ignored = ["Url", "Twiml", "Method", "FallbackUrl", "FallbackMethod"];
    if let Some(name) = ignored
        .into_iter()
        .find(|name| parameters.get(name).is_some())
    {
        let message = format!("`{name}` has no effect with `ApplicationSid`: give one of them");
        return Err(Problem::bad_parameter(message));
    }
    let application = applications::named(&state.store.directory(), scope, sid)?;
    if application.voice.is_none() {
        let message = format!("The application {sid} has no `VoiceUrl`");
        return Err(Problem::bad(21218, message));
    }
    Ok(Answer::of_application(&application))
}

/// `Url` wins over `Twiml`, as it does at Twilio.
pub(crate) fn flow(parameters: &Parameters) -> Result<Flow, Problem> {
    let method = parameters.method("Method")?;
    match (parameters.get("Url"), parameters.get("Twiml")) {
        (Some(url), _) if is_web(url) => Ok(Flow::VoiceUrl {
            url: url.to_owned(),
            method: WebhookMethod::of(method),
        }),
        (Some(_), _) => Err(Problem::bad(
            21205,
            "`Url` must begin with http:// or https://",
        )),
        (None, Some(twiml)) if twiml.chars().count() > MAX_TWIML_CHARS => {
            let message = format!("`Twiml` is longer than {MAX_TWIML_CHARS} characters: use `Url`");
            Err(Problem::bad(32018, message))
        }
        (None, Some(twiml)) => Ok(Flow::Twiml(twiml.to_owned())),
        (None, None) => Err(Problem::bad(21205, "`Url` or `Twiml` is required")),
    }
}

/// Where to ask when a document cannot be had.
pub(crate) fn fallback(parameters: &Parameters) -> Result<Vec<(String, String)>, Problem> {
    let Some(url) = parameters.get("FallbackUrl") else {
        return match parameters.get("FallbackMethod") {
            Some(_) => Err(Problem::bad_parameter(
                "`FallbackMethod` has no effect without `FallbackUrl`",
            )),
            None => Ok(Vec::new()),
        };
    };
    if !is_web(url) {
        let message = "`FallbackUrl` must begin with http:// or https://";
        return Err(Problem::bad(21205, message));
    }
    let method = parameters.method("FallbackMethod")?.as_str();
    Ok(vec![
        ("fallback-url".to_owned(), url.to_owned()),
        ("fallback-method".to_owned(), method.to_owned()),
    ])
}

/// The TwiML component warns of a document that came along with a `Url`.
pub(crate) fn ignored_twiml(parameters: &Parameters) -> Option<(String, String)> {
    parameters.get("Url").and(parameters.get("Twiml"))?;
    Some(("twiml-ignored".to_owned(), "true".to_owned()))
}
