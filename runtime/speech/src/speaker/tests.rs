use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::{Gender, Speaking, words};

/// Gives as many samples of 1000 as the text has characters, unless it is broken. Notes what it was asked.
#[derive(Default)]
struct Actor {
    name: &'static str,
    languages: &'static [&'static str],
    voices: &'static [&'static str],
    is_broken: bool,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Provider for Actor {
    fn name(&self) -> &str {
        self.name
    }

    fn languages(&self) -> Vec<String> {
        self.languages.iter().map(|&tag| tag.to_owned()).collect()
    }

    fn voices(&self) -> Vec<String> {
        self.voices.iter().map(|&voice| voice.to_owned()).collect()
    }

    fn voice_for(&self, language: &Language, gender: Option<Gender>) -> Option<VoiceName> {
        let speaks = self.languages.iter().any(|tag| *tag == language.primary());
        let at = usize::from(gender == Some(Gender::Man));
        speaks.then(|| self.voices.get(at).unwrap_or(&"plain").to_string())
    }

    fn languages_of(&self, voice: &str) -> Option<Vec<Language>> {
        let languages = self.languages.iter().copied();
        self.voices
            .contains(&voice)
            .then(|| languages.filter_map(Language::parse).collect())
    }

    fn speak<'a>(&'a self, run: &'a Run, language: &'a Language, voice: &'a str) -> Speaking<'a> {
        let text = words::text(&run.words, language);
        let line = format!("{} {language} {voice}: {text}", self.name);
        self.asked.lock().unwrap().push(line);
        let samples = vec![1_000; text.chars().count()];
        let outcome = match self.is_broken {
            true => Err(Failure::new("out of breath")),
            false => Ok(samples),
        };
        Box::pin(async { outcome })
    }
}

/// Those three, and what they were asked.
struct Stage {
    asked: Arc<Mutex<Vec<String>>>,
    speaker: Speaker,
}

impl Stage {
    fn new(settings: &str, broken: &[&str]) -> Self {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let actor = |name, languages, voices| {
            let actor = Actor {
                name,
                languages,
                voices,
                is_broken: broken.contains(&name),
                asked: Arc::clone(&asked),
            };
            Box::new(actor) as Box<dyn Provider>
        };
        let providers = vec![
            actor("flite", &["en"], &["slt", "kal"]),
            actor(
                "espeak-ng",
                &["sw", "en", "ku", "fr", "th", "om", "am", "my", "de"],
                &[],
            ),
        ];
        let settings = toml::from_str(settings).unwrap();
        let speaker = Speaker::new(providers, &settings).unwrap();
        Self { asked, speaker }
    }

    async fn say(
        &self,
        text: &str,
        language: Option<&str>,
        voice: Option<&str>,
    ) -> Result<Spoken, String> {
        let request = Request {
            text,
            language,
            voice,
        };
        let spoken = self.speaker.speak(request).await;
        spoken.map_err(|error| error.to_string())
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[tokio::test]
async fn language_and_voice_choose_who_speaks() {
    let stage = Stage::new("", &[]);
    for (language, voice, asked, notes) in [
        (None, None, "flite en-US slt: Hi", &[][..]),
        (Some("en-GB"), None, "flite en-GB slt: Hi", &[]),
        (Some("sw-KE"), None, "espeak-ng sw-KE plain: Hi", &[]),
        (None, Some("kal"), "flite en kal: Hi", &[]),
        (None, Some("man"), "flite en-US kal: Hi", &[]),
        (None, Some("alice"), "flite en-US slt: Hi", &[]),
        (None, Some("espeak-ng"), "espeak-ng en-US plain: Hi", &[]),
        (
            None,
            Some("sltt"),
            "flite en-US slt: Hi",
            &[
                "there is no voice sltt: flite's slt speaks; known are flite (slt, kal), espeak-ng, man, woman",
            ],
        ),
        (
            None,
            Some("Polly.Matthew-Neural"),
            "flite en-US kal: Hi",
            &["the voice Polly.Matthew-Neural does not speak here: flite's kal does"],
        ),
        (
            None,
            Some("Polly.Hans"),
            "espeak-ng de-DE plain: Hi",
            &["the voice Polly.Hans does not speak here: espeak-ng's plain does"],
        ),
        (
            Some("sw"),
            Some("Google.en-US-Standard-A"),
            "espeak-ng sw plain: Hi",
            &["the voice Google.en-US-Standard-A does not speak here: espeak-ng's plain does"],
        ),
        (
            Some("sw"),
            Some("kal"),
            "espeak-ng sw plain: Hi",
            &["the voice kal does not speak here: espeak-ng's plain does"],
        ),
        (
            Some("sw"),
            Some("flite"),
            "espeak-ng sw plain: Hi",
            &["the voice flite does not speak here: espeak-ng's plain does"],
        ),
    ] {
        let spoken = stage.say("Hi", language, voice).await.unwrap();
        assert_eq!(stage.asked(), [asked], "{language:?} {voice:?}");
        assert_eq!(spoken.notes, notes, "{language:?} {voice:?}");
    }
}

#[tokio::test]
async fn the_settings_choose_the_order() {
    let settings =
        "order = ['espeak-ng', 'flite']\ndefault_language = 'sw'\n[languages]\nen-GB = ['flite']";
    let stage = Stage::new(settings, &[]);
    for (language, asked) in [
        (None, "espeak-ng sw plain: Hi"),
        (Some("en-US"), "espeak-ng en-US plain: Hi"),
        (Some("EN-gb"), "flite EN-gb slt: Hi"),
    ] {
        stage.say("Hi", language, None).await.unwrap();
        assert_eq!(stage.asked(), [asked], "{language:?}");
    }
}

#[tokio::test]
async fn the_next_one_speaks_when_one_fails() {
    let stage = Stage::new("", &["flite"]);
    let spoken = stage
        .say("<speak>Hi<break time='1s'/>you</speak>", None, None)
        .await
        .unwrap();
    let asked = [
        "flite en-US slt: Hi",
        "espeak-ng en-US plain: Hi",
        "espeak-ng en-US plain: you",
    ];
    assert_eq!(stage.asked(), asked, "one voice for the whole text");
    assert_eq!(spoken.notes, ["flite failed: out of breath"]);

    let stage = Stage::new("", &["flite", "espeak-ng"]);
    let error = stage.say("Hi", None, None).await.unwrap_err();
    assert_eq!(
        error,
        "flite failed: out of breath; espeak-ng failed: out of breath"
    );
}

#[tokio::test]
async fn silences_are_exact_and_loudness_is_ours() {
    let stage = Stage::new("", &[]);
    let text = "<speak>ab<break time='250ms'/><prosody volume='+6.02dB'>c</prosody><break time='1ms'/>\
        <prosody volume='silent'>d</prosody></speak>";
    let spoken = stage.say(text, None, None).await.unwrap();
    let expected = [
        vec![1_000; 2],
        vec![0; 4_000],
        vec![2_000; 1],
        vec![0; 16],
        vec![0; 1],
    ]
    .concat();
    assert_eq!(spoken.samples, expected);
    let loud =
        "<speak><prosody volume='+20dB'><prosody volume='+20dB'>a</prosody></prosody></speak>";
    assert_eq!(stage.say(loud, None, None).await.unwrap().samples, [10_000]);
}

#[tokio::test]
async fn each_language_of_a_text_finds_its_speaker() {
    let stage = Stage::new("", &[]);
    let text = "<speak xml:lang='en-GB'>One <lang xml:lang='fr'>deux</lang> <lang xml:lang='km'>bi</lang></speak>";
    let spoken = stage.say(text, None, None).await.unwrap();
    let asked = [
        "flite en-GB slt: One",
        "espeak-ng fr plain: deux",
        "flite en-GB slt: bi",
    ];
    assert_eq!(stage.asked(), asked);
    assert_eq!(
        spoken.notes,
        ["nobody speaks `km`: it is spoken as `en-GB`"]
    );
}

#[tokio::test]
async fn errors_say_what_would_help() {
    let stage = Stage::new("", &[]);
    for (text, language, voice, expected) in [
        (
            "Hi",
            Some("km-KH"),
            None,
            "nobody speaks `km-KH`: flite speaks en; espeak-ng speaks 9 others, nearest ku, am, om; name a provider for \"km\" in the configuration: [speech.http.NAME], or recordings in [speech.recorded.NAME]",
        ),
        (
            "Hi",
            Some("en_US"),
            None,
            "\"en_US\" is no language: give a BCP 47 tag such as `en-US` or `km`",
        ),
        (
            "<speak>",
            None,
            None,
            "the SSML cannot be read: <speak> is not closed",
        ),
        ("", None, None, "there is nothing to say: the text is empty"),
    ] {
        let error = stage.say(text, language, voice).await.unwrap_err();
        assert_eq!(error, expected);
        assert_eq!(stage.asked(), [""; 0]);
    }
    let nobody = Speaker::new(Vec::new(), &Settings::default()).unwrap();
    let request = Request {
        text: "Hi",
        language: None,
        voice: None,
    };
    assert_eq!(nobody.speak(request).await, Err(SpeechError::NoProvider));
}

#[tokio::test]
async fn what_is_configured_and_installed_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let espeak = crate::testing::script(
        folder.path(),
        "espeak",
        "echo ' 5  sw  --/M  Swahili  bnt/sw'",
    );
    let settings = format!(
        "espeak_ng = '{}'\n[http.khmer]\nurl = 'https://tts.example/{{text}}'\nlanguages = ['km']\n\
         [recorded.numbers]\nfolder = '{}'\nlanguage = 'km'",
        espeak.display(),
        folder.path().display()
    );
    let settings = toml::from_str(&settings).unwrap();
    let flite = Actor {
        name: "flite",
        ..Actor::default()
    };
    let (speaker, warnings) = Speaker::find(&settings, Some(Box::new(flite)))
        .await
        .unwrap();
    let found = format!("{speaker:?}");
    assert_eq!(found, r#"["flite", "espeak-ng", "khmer", "numbers"]"#);
    assert_eq!(speaker.order, ["khmer", "flite", "espeak-ng", "numbers"]);
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].starts_with("speech.recorded.numbers: not yet recorded"),
        "{warnings:?}"
    );
}

/// Never answers, and counts who waits for it.
struct Sleeper(Arc<AtomicUsize>);

impl Provider for Sleeper {
    fn name(&self) -> &str {
        "flite"
    }

    fn languages(&self) -> Vec<String> {
        vec!["en".to_owned()]
    }

    fn voices(&self) -> Vec<String> {
        Vec::new()
    }

    fn voice_for(&self, _: &Language, _: Option<Gender>) -> Option<VoiceName> {
        Some("any".to_owned())
    }

    fn languages_of(&self, _: &str) -> Option<Vec<Language>> {
        None
    }

    fn speak<'a>(&'a self, _: &'a Run, _: &'a Language, _: &'a str) -> Speaking<'a> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn few_are_spoken_at_once_and_none_takes_for_ever() {
    let waiting = Arc::new(AtomicUsize::new(0));
    let sleeper = Box::new(Sleeper(Arc::clone(&waiting))) as Box<dyn Provider>;
    let speaker = Arc::new(Speaker::new(vec![sleeper], &Settings::default()).unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..2 * AT_ONCE {
        let speaker = Arc::clone(&speaker);
        tasks.spawn(async move {
            let request = Request {
                text: "Hi",
                language: None,
                voice: None,
            };
            speaker.speak(request).await
        });
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(waiting.load(Ordering::SeqCst), AT_ONCE);
    let late = SpeechError::Failed("the text was not spoken within 90 seconds".to_owned());
    for outcome in tasks.join_all().await {
        assert_eq!(outcome.unwrap_err(), late);
    }
}
