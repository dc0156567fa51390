//! The parameters that say how a call is recorded, and who is told: of `POST Calls` and of `POST Calls/{Sid}/Recordings`.

use call::{
    RecordingCallback, RecordingChannels, RecordingOptions, RecordingSource, RecordingTracks,
    RecordingTurn, StartRecording, StatusCallback,
};

use crate::parameters::{Parameters, is_web};
use crate::problem::Problem;

/// Those that have no effect without a recording.
pub(crate) const NAMES: [&str; 6] = [
    "RecordingChannels",
    "RecordingStatusCallback",
    "RecordingStatusCallbackEvent",
    "RecordingStatusCallbackMethod",
    "RecordingTrack",
    "Trim",
];

/// Who is told, of what, and how.
const TELLING: [&str; 3] = [
    "RecordingStatusCallback",
    "RecordingStatusCallbackEvent",
    "RecordingStatusCallbackMethod",
];

/// What the parameters ask for.
pub(crate) fn start(
    parameters: &Parameters,
    source: RecordingSource,
) -> Result<StartRecording, Problem> {
    Ok(StartRecording {
        options: options(parameters)?,
        source,
        callback: callback(parameters, &TELLING)?,
    })
}

fn options(parameters: &Parameters) -> Result<RecordingOptions, Problem> {
    let wrong = |name: &str, known: &str| {
        Problem::bad_parameter(format!("`{name}` must be one of: {known}"))
    };
    let channels = match parameters.get("RecordingChannels") {
        None | Some("mono") => RecordingChannels::Mono,
        Some("dual") => RecordingChannels::Dual,
        Some(_) => return Err(wrong("RecordingChannels", "mono, dual")),
    };
    let tracks = match parameters.get("RecordingTrack") {
        None | Some("both") => RecordingTracks::Both,
        Some("inbound") => RecordingTracks::Caller,
        Some("outbound") => RecordingTracks::Callee,
        Some(_) => return Err(wrong("RecordingTrack", "both, inbound, outbound")),
    };
    let trim_silence = match parameters.get("Trim") {
        None | Some("do-not-trim") => false,
        Some("trim-silence") => true,
        Some(_) => return Err(wrong("Trim", "trim-silence, do-not-trim")),
    };
    Ok(RecordingOptions {
        tracks,
        trim_silence,
        ..RecordingOptions::of_call(channels)
    })
}

/// Who is told; nobody without a URL. Without events the end is told, as at Twilio. `names`: of the URL, the events and the method.
pub(crate) fn callback(
    parameters: &Parameters,
    names: &[&str; 3],
) -> Result<Option<RecordingCallback>, Problem> {
    let [url_name, event_name, method_name] = *names;
    let events = parameters.all(event_name);
    let on = events.map(|word| turn(event_name, word));
    let mut on = on.collect::<Result<Vec<_>, _>>()?;
    let Some(url) = parameters.get(url_name) else {
        let mut others = [method_name, event_name].into_iter();
        return match others.find(|name| parameters.get(name).is_some()) {
            Some(name) => Err(Problem::bad_parameter(format!(
                "`{name}` has no effect without `{url_name}`"
            ))),
            None => Ok(None),
        };
    };
    if !is_web(url) {
        let message = format!("`{url_name}` must begin with http:// or https://");
        return Err(Problem::bad(21609, message));
    }
    if on.is_empty() {
        on.push(RecordingTurn::Completed);
    }
    on.sort_unstable();
    on.dedup();
    let method = parameters.method(method_name)?;
    let url = url.to_owned();
    Ok(Some(RecordingCallback {
        to: StatusCallback { url, method },
        on,
    }))
}

fn turn(name: &str, word: &str) -> Result<RecordingTurn, Problem> {
    let known = RecordingTurn::ALL
        .into_iter()
        .find(|turn| turn.as_str() == word);
    known.ok_or_else(|| {
        let words = RecordingTurn::ALL.map(RecordingTurn::as_str).join(", ");
        Problem::bad_parameter(format!("`{name}` must be some of: {words}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Vocabulary;

    const WORDS: Vocabulary = Vocabulary {
        supported: &NAMES,
        unsupported: &[],
    };

    fn read(query: &str) -> Result<StartRecording, Problem> {
        let parameters = Parameters::of_query(Some(query), WORDS)?;
        start(&parameters, RecordingSource::OutboundApi)
    }

    #[test]
    fn how_it_is_recorded_and_who_is_told() {
        let plain = read("").unwrap();
        assert_eq!(
            (plain.options.channels, plain.options.tracks, plain.callback),
            (RecordingChannels::Mono, RecordingTracks::Both, None)
        );
        let told = read(
            "RecordingChannels=dual&RecordingTrack=inbound&Trim=trim-silence&RecordingStatusCallback=http://a/&RecordingStatusCallbackEvent=absent+in-progress&RecordingStatusCallbackMethod=get",
        )
        .unwrap();
        assert!(told.options.trim_silence);
        assert_eq!(
            (told.options.channels, told.options.tracks),
            (RecordingChannels::Dual, RecordingTracks::Caller)
        );
        let callback = told.callback.unwrap();
        assert_eq!(callback.to.method, call::HttpMethod::Get);
        assert_eq!(
            callback.on,
            [RecordingTurn::InProgress, RecordingTurn::Absent]
        );
        let callback = read("RecordingStatusCallback=http://a/").unwrap().callback;
        assert_eq!(callback.unwrap().on, [RecordingTurn::Completed]);
    }

    #[test]
    fn what_is_wrong_or_would_have_no_effect_is_refused() {
        for (query, code, words) in [
            ("RecordingStatusCallback=ftp://a/", 21609, "http://"),
            (
                "RecordingStatusCallback=http://a/&RecordingStatusCallbackMethod=PUT",
                21209,
                "`GET` or `POST`",
            ),
            (
                "RecordingStatusCallback=http://a/&RecordingStatusCallbackEvent=busy",
                20001,
                "in-progress, completed, absent",
            ),
            (
                "RecordingStatusCallbackEvent=absent",
                20001,
                "without `RecordingStatusCallback`",
            ),
            ("RecordingChannels=3", 20001, "mono, dual"),
        ] {
            let problem = read(query).unwrap_err();
            assert_eq!(problem.code, code, "{query}");
            assert!(problem.message.contains(words), "{}", problem.message);
        }
    }
}
