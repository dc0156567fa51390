use std::time::Duration;

use super::*;
use crate::testing::script;
use crate::{Prosody, Word};

/// A part of what version 1.51 prints.
const LISTING: &str = "\
Pty Language       Age/Gender VoiceName          File                 Other Languages
 5  am              --/M      Amharic            sem/am
 5  cmn             --/M      Chinese_(Mandarin,_latin_as_English) sit/cmn              (zh-cmn 5)(zh 5)
 5  en-029          --/M      English_(Caribbean) gmw/en-029           (en 10)
 2  en-gb           --/M      English_(Great_Britain) gmw/en               (en 2)
 2  en-us           --/M      English_(America)  gmw/en-US            (en 3)
 5  fr-be           --/M      French_(Belgium)   roa/fr-BE            (fr 8)
 5  fr-fr           --/M      French_(France)    roa/fr               (fr 5)
 5  ku              --/M      Kurdish            ira/ku
 5  nb              --/M      Norwegian_Bokmål  gmq/nb               (no 5)
 5  vi-vn-x-south   --/M      Vietnamese_(Southern) aav/vi-VN-x-south
 5  sw              --/M      Swahili            bnt/sw
 5  yue             --/M      Chinese_(Cantonese) sit/yue              (zh-yue 5)(zh 8)
";

fn language(tag: &str) -> Language {
    Language::parse(tag).unwrap()
}

fn run_of(text: &str) -> Run {
    Run {
        words: vec![Word::Text(text.to_owned())],
        ..Run::default()
    }
}

#[test]
fn a_language_finds_the_nearest_voice() {
    let table = VoiceTable::read(LISTING);
    assert_eq!(table.voices.len(), 12);
    for (wanted, expected) in [
        ("sw", Some("sw")),
        ("sw-KE", Some("sw")),
        ("AM-et", Some("am")),
        ("en", Some("en-gb")),
        ("en-US", Some("en-us")),
        ("en-AU", Some("en-gb")),
        ("fr-CA", Some("fr-fr")),
        ("no-NO", Some("nb")),
        ("zh-CN", Some("cmn")),
        ("zh-yue-HK", Some("yue")),
        ("vi-VN", Some("vi-vn-x-south")),
        ("km-KH", None),
        ("e", None),
    ] {
        let found = table.find(&language(wanted));
        assert_eq!(
            found.map(|voice| voice.language.as_str()),
            expected,
            "{wanted}"
        );
    }
}

#[test]
fn a_listing_that_is_none_has_no_voices() {
    for listing in ["", "espeak: command not found", " 5  -rm/* --/M x", "5"] {
        assert!(VoiceTable::read(listing).voices.is_empty(), "{listing}");
    }
}

#[test]
fn voices_have_variants() {
    let espeak = EspeakNg {
        program: PathBuf::new(),
        table: VoiceTable::read(LISTING),
        bounds: Bounds::default(),
    };
    for (voice, expected) in [
        ("sw", Some("sw")),
        ("SW+f3", Some("sw")),
        ("en-us+whisper", Some("en-us")),
        ("sw+", None),
        ("sw+../../x", None),
        ("slt", None),
        ("en", None),
    ] {
        let expected = expected.map(|tag| vec![language(tag)]);
        assert_eq!(espeak.languages_of(voice), expected, "{voice}");
    }
    let woman = espeak.voice_for(&language("am"), Some(Gender::Woman));
    assert_eq!(woman.unwrap(), "am+f2");
}

#[test]
fn rate_and_pitch_on_its_scales() {
    for (factor, expected_speed, expected_pitch) in [
        (1.0, 175, 50),
        (2.0, 350, 99),
        (0.5, 88, 0),
        (4.0, 450, 99),
        (0.2, 80, 0),
        (1.2, 210, 63),
    ] {
        assert_eq!(
            (speed(factor), pitch(factor)),
            (expected_speed, expected_pitch),
            "{factor}"
        );
    }
}

/// Voices are listed, and the rest is as given.
fn program(folder: &std::path::Path, body: &str) -> PathBuf {
    let body =
        format!("if [ \"$1\" = --voices ]; then cat <<'END'\n{LISTING}END\nexit; fi\n{body}");
    script(folder, "espeak-ng", &body)
}

#[tokio::test]
async fn the_program_gets_text_and_options() {
    let folder = tempfile::tempdir().unwrap();
    let heard = folder.path().join("heard");
    let path = program(
        folder.path(),
        &format!("echo \"$@\" >{0}; cat >>{0}; exit 1", heard.display()),
    );
    let espeak = EspeakNg::find(path).await.unwrap();
    let mut run = run_of("habari [[x]] 'yako' <b>");
    run.prosody = Prosody {
        rate: 2.0,
        pitch: 1.2,
        gain_db: 0.0,
    };
    espeak
        .speak(&run, &language("sw-KE"), "sw")
        .await
        .unwrap_err();
    let heard = std::fs::read_to_string(heard).unwrap();
    assert_eq!(
        heard,
        "-b1 --stdin --stdout -vsw -s350 -p63\nhabari [ [x]] 'yako' <b>"
    );
}

#[tokio::test]
async fn a_program_at_fault_is_a_failure_that_says_why() {
    let folder = tempfile::tempdir().unwrap();
    for (body, expected) in [
        (
            "echo broken data >&2; exit 1",
            "exit status: 1: broken data",
        ),
        ("exec sleep 600", "not done within 0.5 seconds, and killed"),
        ("echo this is no audio; exit 0", "what it gave is no audio"),
        ("exit 0", "it gave nothing for this text"),
        (
            "head -c 200000 /dev/zero",
            "it wrote more than 100000 bytes",
        ),
    ] {
        let mut espeak = EspeakNg::find(program(folder.path(), body)).await.unwrap();
        espeak.bounds = Bounds {
            time: Duration::from_millis(500),
            output: 100_000,
        };
        let error = espeak
            .speak(&run_of("x"), &language("sw"), "sw")
            .await
            .unwrap_err();
        assert!(error.0.starts_with(expected), "{body}: {error}");
    }
}

#[tokio::test]
async fn another_program_is_not_taken_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = script(folder.path(), "other", "echo hello");
    let error = EspeakNg::find(path).await.unwrap_err();
    assert!(error.0.ends_with("--voices names no voice"), "{error}");
}
