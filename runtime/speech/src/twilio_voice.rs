//! Names of voices that Twilio's applications use, and what each says of who should speak.

use crate::{Gender, Language};

/// What a name says.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Wish {
    pub(crate) gender: Option<Gender>,
    /// The language the voice speaks by itself.
    pub(crate) language: Option<Language>,
    /// A voice of another provider's, which is not here.
    pub(crate) is_foreign: bool,
}

/// None if it is no name of Twilio's.
pub(crate) fn wish(name: &str) -> Option<Wish> {
    let gender = match name {
        "man" => Some(Gender::Man),
        "woman" | "alice" => Some(Gender::Woman),
        _ => None,
    };
    if gender.is_some() {
        return Some(Wish {
            gender,
            ..Wish::default()
        });
    }
    let (provider, voice) = name.split_once('.')?;
    match provider {
        "Polly" | "Amazon" => Some(polly(voice)),
        "Google" | "Azure" | "ElevenLabs" => Some(google(voice)),
        _ => None,
    }
}

/// `Joanna`, `Joanna-Neural`, `Joanna-Generative`.
fn polly(voice: &str) -> Wish {
    let name = voice.split('-').next().unwrap_or_default();
    let found = POLLY.iter().find_map(|(language, women, men)| {
        let has = |names: &str| names.split_whitespace().any(|known| known == name);
        let gender = match (has(women), has(men)) {
            (true, _) => Gender::Woman,
            (_, true) => Gender::Man,
            _ => return None,
        };
        Some((Language::parse(language), gender))
    });
    let (language, gender) =
        found.map_or((None, None), |(language, gender)| (language, Some(gender)));
    Wish {
        gender,
        language,
        is_foreign: true,
    }
}

/// `en-US-Standard-A`, `cmn-CN-Wavenet-B`, `es-419-Neural2-A`: a language and its region, then a name.
fn google(voice: &str) -> Wish {
    let mut subtags = voice.split('-');
    let language = subtags.next().filter(|tag| (2..=3).contains(&tag.len()));
    let region = subtags.next().filter(|tag| (2..=3).contains(&tag.len()));
    let tag = language
        .zip(region)
        .map(|(language, region)| format!("{language}-{region}"));
    Wish {
        gender: None,
        language: tag.and_then(|tag| Language::parse(&tag)),
        is_foreign: true,
    }
}

/// Amazon Polly's voices: language, women, men.
const POLLY: [(&str, &str, &str); 42] = [
    ("ar", "Zeina", ""),
    ("ar-AE", "Hala", "Zayd"),
    ("ca-ES", "Arlet", ""),
    ("cmn-CN", "Zhiyu", ""),
    ("cs-CZ", "Jitka", ""),
    ("cy-GB", "Gwyneth", ""),
    ("da-DK", "Naja Sofie", "Mads"),
    ("de-AT", "Hannah", ""),
    ("de-CH", "Sabrina", ""),
    ("de-DE", "Marlene Vicki", "Daniel Hans"),
    ("en-AU", "Nicole Olivia", "Russell"),
    ("en-GB", "Amy Emma", "Arthur Brian Geraint"),
    ("en-IE", "Niamh", ""),
    ("en-IN", "Aditi Kajal Raveena", ""),
    ("en-NZ", "Aria", ""),
    (
        "en-US",
        "Danielle Ivy Joanna Kendra Kimberly Ruth Salli",
        "Gregory Joey Justin Kevin Matthew Stephen",
    ),
    ("en-ZA", "Ayanda", ""),
    ("es-ES", "Conchita Lucia", "Enrique Sergio"),
    ("es-MX", "Mia", "Andres"),
    ("es-US", "Lupe Penelope", "Miguel Pedro"),
    ("fi-FI", "Suvi", ""),
    ("fr-BE", "Isabelle", ""),
    ("fr-CA", "Chantal Gabrielle", "Liam"),
    ("fr-FR", "Celine Lea", "Mathieu Remi"),
    ("is-IS", "Dora", "Karl"),
    ("it-IT", "Bianca Carla", "Adriano Giorgio"),
    ("ja-JP", "Kazuha Mizuki Tomoko", "Takumi"),
    ("ko-KR", "Jihye Seoyeon", ""),
    ("nb-NO", "Ida Liv", ""),
    ("nl-BE", "Lisa", ""),
    ("nl-NL", "Laura Lotte", "Ruben"),
    ("pl-PL", "Ewa Maja Ola", "Jacek Jan"),
    ("pt-BR", "Camila Vitoria", "Ricardo Thiago"),
    ("pt-PT", "Ines", "Cristiano"),
    ("ro-RO", "Carmen", ""),
    ("ru-RU", "Tatyana", "Maxim"),
    ("sv-SE", "Astrid Elin", ""),
    ("tr-TR", "Burcu Filiz", ""),
    ("yue-CN", "Hiujin", ""),
    // Names that were there under an older spelling.
    ("es-ES", "Lucía", ""),
    ("fr-FR", "Céline Léa", ""),
    ("pt-PT", "Inês", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_twilio() {
        let (man, woman) = (Some(Gender::Man), Some(Gender::Woman));
        for (name, expected) in [
            ("man", Some((man, None, false))),
            ("alice", Some((woman, None, false))),
            ("Polly.Joanna", Some((woman, Some("en-US"), true))),
            ("Polly.Joanna-Neural", Some((woman, Some("en-US"), true))),
            ("Polly.Hans", Some((man, Some("de-DE"), true))),
            ("Polly.Nobody", Some((None, None, true))),
            ("Polly.", Some((None, None, true))),
            ("Google.km-KH-Standard-A", Some((None, Some("km-KH"), true))),
            (
                "Google.cmn-CN-Wavenet-B",
                Some((None, Some("cmn-CN"), true)),
            ),
            (
                "Google.es-419-Neural2-A",
                Some((None, Some("es-419"), true)),
            ),
            ("Google.x", Some((None, None, true))),
            ("ElevenLabs.UgBBYS2sOqTuMpoF3BR0", Some((None, None, true))),
            ("slt", None),
            ("Other.voice", None),
            ("", None),
        ] {
            let expected = expected.map(|(gender, language, is_foreign)| Wish {
                gender,
                language: language.and_then(Language::parse),
                is_foreign,
            });
            assert_eq!(wish(name), expected, "{name}");
        }
    }
}
