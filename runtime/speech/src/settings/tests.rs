use super::*;

fn check(text: &str) -> Result<(), String> {
    let settings: Settings = toml::from_str(text).map_err(|error| error.to_string())?;
    settings.check().map_err(|error| error.to_string())
}

#[test]
fn the_defaults_are_usable() {
    assert_eq!(check(""), Ok(()));
}

#[test]
fn what_does_not_fit_is_named() {
    for (text, expected) in [
        (
            "order = ['flite', 'espeak']",
            "speech.order: there is no provider \"espeak\"; there are flite, espeak-ng",
        ),
        ("[languages]\nkm = []", "speech.languages.km is empty"),
        (
            "[languages]\nen_US = ['flite']",
            "speech.languages.en_US: \"en_US\" is no language",
        ),
        (
            "[languages]\nkm = ['none']",
            "speech.languages.km: there is no provider \"none\"",
        ),
        ("default_language = 'english'", ""),
        (
            "default_language = 'en us'",
            "speech.default_language: \"en us\" is no language",
        ),
        (
            "[http.a]\nurl = 'http://x/{text}'\nlanguages = ['km']\n[recorded.a]\nfolder = '.'\nlanguage = 'km'",
            "speech.http and speech.recorded: \"a\" names two providers",
        ),
        (
            "[recorded.flite]\nfolder = '.'\nlanguage = 'km'",
            "\"flite\" names two providers",
        ),
        ("[http.a]\nurl = 'x'", "missing field `languages`"),
        ("voices = 1", "unknown field `voices`"),
    ] {
        match check(text) {
            Err(error) => assert!(error.contains(expected), "{text}: {error}"),
            Ok(()) => assert_eq!(expected, "", "{text}"),
        }
    }
}
