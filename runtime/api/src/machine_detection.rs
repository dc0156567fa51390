//! The parameters that ask who answered. They become settings of the call's flow, under names of their own.

use std::collections::BTreeMap;
use std::time::Duration;

use call::{MachineDetection, MachineDetectionOptions};

use crate::parameters::{Parameters, is_web};
use crate::problem::Problem;

/// Those that say how, each with the setting that it becomes.
const TUNABLES: [(&str, &str); 4] = [
    ("MachineDetectionTimeout", "machine-detection-timeout"),
    (
        "MachineDetectionSpeechThreshold",
        "machine-detection-speech-threshold",
    ),
    (
        "MachineDetectionSpeechEndThreshold",
        "machine-detection-speech-end-threshold",
    ),
    (
        "MachineDetectionSilenceTimeout",
        "machine-detection-silence-timeout",
    ),
];

/// Those that say who is told while the flow is under way.
const ASYNC: [&str; 2] = ["AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod"];

/// The settings of a call whose flow is to know who answered; none where nobody asks.
pub(crate) fn settings(parameters: &Parameters) -> Result<BTreeMap<String, String>, Problem> {
    let is_async = match parameters.get("AsyncAmd") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            return Err(Problem::bad_parameter(
                "`AsyncAmd` must be `true` or `false`",
            ));
        }
    };
    let Some(mode) = mode(parameters)? else {
        return match idle(parameters) {
            None if is_async => Err(needs("AsyncAmd", "MachineDetection")),
            None => Ok(BTreeMap::new()),
            Some(name) => Err(needs(name, "MachineDetection")),
        };
    };
    let options = options(parameters, mode)?;
    options
        .check()
        .map_err(|error| Problem::bad_parameter(error.to_string()))?;
    let mode = parameters.get("MachineDetection").unwrap_or_default();
    let mut settings = BTreeMap::from([("machine-detection".to_owned(), mode.to_owned())]);
    for (name, setting) in TUNABLES {
        let value = parameters.get(name).map(ToOwned::to_owned);
        settings.extend(value.map(|value| (setting.to_owned(), value)));
    }
    if is_async {
        settings.insert("async-amd".to_owned(), "true".to_owned());
        settings.extend(callback(parameters, ASYNC)?);
    } else if let Some(name) = given(parameters, ASYNC) {
        return Err(needs(name, "AsyncAmd=true"));
    }
    Ok(settings)
}

/// The settings of one who is called into a conference, behind [`settings`]: who answered is found out while they are in it.
pub(crate) fn of_participant(parameters: &Parameters) -> Result<BTreeMap<String, String>, Problem> {
    const NAMES: [&str; 2] = ["AmdStatusCallback", "AmdStatusCallbackMethod"];
    if parameters.get("MachineDetection").is_none() {
        return match given(parameters, NAMES) {
            Some(name) => Err(needs(name, "MachineDetection")),
            None => Ok(BTreeMap::new()),
        };
    }
    let mut settings = BTreeMap::from([("async-amd".to_owned(), "true".to_owned())]);
    settings.extend(callback(parameters, NAMES)?);
    Ok(settings)
}

fn mode(parameters: &Parameters) -> Result<Option<MachineDetection>, Problem> {
    match parameters.get("MachineDetection") {
        None => Ok(None),
        Some("Enable") => Ok(Some(MachineDetection::Enable)),
        Some("DetectMessageEnd") => Ok(Some(MachineDetection::DetectMessageEnd)),
        Some(_) => Err(Problem::bad_parameter(
            "`MachineDetection` must be `Enable` or `DetectMessageEnd`",
        )),
    }
}

/// A parameter that has no effect without the one that asks.
fn idle(parameters: &Parameters) -> Option<&'static str> {
    let tunables = TUNABLES.iter().map(|(name, _)| *name);
    given(parameters, tunables.chain(ASYNC))
}

/// The first of these names that is given.
fn given(
    parameters: &Parameters,
    names: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    let mut names = names.into_iter();
    names.find(|name| parameters.get(name).is_some())
}

fn options(
    parameters: &Parameters,
    mode: MachineDetection,
) -> Result<MachineDetectionOptions, Problem> {
    let number = |name: &str| -> Result<Option<u32>, Problem> {
        let Some(text) = parameters.get(name) else {
            return Ok(None);
        };
        let message = || format!("`{name}` must be a whole number, and is {text:?}");
        let number = text.parse().map(Some);
        number.map_err(|_| Problem::bad_parameter(message()))
    };
    let ms = |name: &str| -> Result<Option<Duration>, Problem> {
        Ok(number(name)?.map(|ms| Duration::from_millis(ms.into())))
    };
    let [timeout, speech, speech_end, silence] = TUNABLES.map(|(name, _)| name);
    let default = MachineDetectionOptions::default();
    Ok(MachineDetectionOptions {
        mode,
        timeout: number(timeout)?.map_or(default.timeout, |s| Duration::from_secs(s.into())),
        speech_threshold: ms(speech)?.unwrap_or(default.speech_threshold),
        speech_end_threshold: ms(speech_end)?.unwrap_or(default.speech_end_threshold),
        silence_timeout: ms(silence)?.unwrap_or(default.silence_timeout),
    })
}

/// Where the answer goes while the flow is under way: the names of its URL and its method.
fn callback(
    parameters: &Parameters,
    [url_name, method_name]: [&str; 2],
) -> Result<Vec<(String, String)>, Problem> {
    let Some(url) = parameters.get(url_name) else {
        return match parameters.get(method_name) {
            Some(_) => Err(needs(method_name, url_name)),
            None => Ok(Vec::new()),
        };
    };
    if !is_web(url) {
        let message = format!("`{url_name}` must begin with http:// or https://");
        return Err(Problem::bad(21205, message));
    }
    let method = parameters.method(method_name)?.as_str();
    Ok(vec![
        ("async-amd-status-callback".to_owned(), url.to_owned()),
        (
            "async-amd-status-callback-method".to_owned(),
            method.to_owned(),
        ),
    ])
}

fn needs(name: &str, other: &str) -> Problem {
    Problem::bad_parameter(format!("`{name}` has no effect without `{other}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Vocabulary;

    const WORDS: Vocabulary = Vocabulary {
        supported: &[
            "MachineDetection",
            "MachineDetectionTimeout",
            "MachineDetectionSpeechThreshold",
            "MachineDetectionSilenceTimeout",
            "AsyncAmd",
            "AsyncAmdStatusCallback",
            "AsyncAmdStatusCallbackMethod",
        ],
        unsupported: &[],
    };

    fn read(query: &str) -> Result<String, Problem> {
        let settings = settings(&Parameters::of_query(Some(query), WORDS)?)?;
        let settings: Vec<_> = settings
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Ok(settings.join(" "))
    }

    #[test]
    fn what_is_asked_becomes_settings() {
        for (query, expected) in [
            ("", ""),
            ("AsyncAmd=false", ""),
            ("MachineDetection=Enable", "machine-detection=Enable"),
            (
                "MachineDetection=DetectMessageEnd&MachineDetectionTimeout=3&MachineDetectionSpeechThreshold=6000",
                "machine-detection=DetectMessageEnd machine-detection-speech-threshold=6000 machine-detection-timeout=3",
            ),
            (
                "MachineDetection=Enable&AsyncAmd=true",
                "async-amd=true machine-detection=Enable",
            ),
            (
                "MachineDetection=Enable&AsyncAmd=true&AsyncAmdStatusCallback=http://a/",
                "async-amd=true async-amd-status-callback=http://a/ async-amd-status-callback-method=POST machine-detection=Enable",
            ),
        ] {
            assert_eq!(read(query).unwrap(), expected, "{query}");
        }
    }

    #[test]
    fn what_is_wrong_or_would_have_no_effect_is_refused() {
        for (query, code, words) in [
            (
                "MachineDetection=yes",
                20001,
                "`Enable` or `DetectMessageEnd`",
            ),
            (
                "MachineDetection=Enable&MachineDetectionTimeout=61",
                20001,
                "use 3000 to 60000",
            ),
            (
                "MachineDetection=Enable&MachineDetectionTimeout=3.5",
                20001,
                "a whole number",
            ),
            (
                "MachineDetectionSilenceTimeout=2000",
                20001,
                "without `MachineDetection`",
            ),
            ("AsyncAmd=true", 20001, "`AsyncAmd` has no effect"),
            ("AsyncAmd=1", 20001, "`true` or `false`"),
            (
                "MachineDetection=Enable&AsyncAmdStatusCallback=http://a/",
                20001,
                "without `AsyncAmd=true`",
            ),
            (
                "AsyncAmdStatusCallbackMethod=PUT",
                20001,
                "without `MachineDetection`",
            ),
            (
                "MachineDetection=Enable&AsyncAmdStatusCallbackMethod=GET",
                20001,
                "without `AsyncAmd=true`",
            ),
            (
                "MachineDetection=Enable&AsyncAmd=true&AsyncAmdStatusCallbackMethod=GET",
                20001,
                "without `AsyncAmdStatusCallback`",
            ),
            (
                "MachineDetection=Enable&AsyncAmd=true&AsyncAmdStatusCallback=ftp://a/",
                21205,
                "http://",
            ),
            (
                "MachineDetection=Enable&AsyncAmd=true&AsyncAmdStatusCallback=http://a/&AsyncAmdStatusCallbackMethod=PUT",
                21209,
                "`GET` or `POST`",
            ),
        ] {
            let problem = read(query).unwrap_err();
            assert_eq!(problem.code, code, "{query}");
            assert!(problem.message.contains(words), "{}", problem.message);
        }
    }
}
