use std::fs;

use super::*;
use crate::testing::wav;
use crate::{Part, Request, Settings, Speaker, Utterance};

fn record(folder: &Path, name: &str, samples: usize) {
    fs::write(folder.join(name), wav(&vec![1_000; samples])).unwrap();
}

fn khmer(folder: &Path) -> Recorded {
    let settings = RecordedSettings {
        folder: folder.to_owned(),
        language: "km".to_owned(),
        rules: None,
    };
    Recorded::new("numbers", &settings).unwrap()
}

/// The files that an SSML text plays.
fn files(set: &Recorded, text: &str) -> Result<Vec<String>, String> {
    let utterance = Utterance::read(text).unwrap();
    let Some(Part::Run(run)) = utterance.parts.first() else {
        panic!("{utterance:?}");
    };
    let files = set.files(&run.words).map_err(|failure| failure.0)?;
    let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    Ok(files.into_iter().map(name).collect())
}

#[test]
fn words_become_files() {
    let folder = tempfile::tempdir().unwrap();
    let words = [
        "4", "5", "7", "10", "20", "thousand", "month-4", "balance", "a", "KHR", "star",
    ];
    for name in words {
        record(folder.path(), &format!("{name}.wav"), 1);
    }
    let set = khmer(folder.path());
    for (text, expected) in [
        ("balance, 25", Ok(&["balance.wav", "20.wav", "5.wav"][..])),
        ("Balance 4 .", Ok(&["balance.wav", "4.wav"])),
        (
            "<speak>balance <say-as interpret-as='cardinal'>4000</say-as></speak>",
            Ok(&["balance.wav", "4.wav", "thousand.wav"]),
        ),
        (
            "<speak><say-as interpret-as='digits'>47*</say-as></speak>",
            Ok(&["4.wav", "7.wav", "star.wav"]),
        ),
        (
            "<speak><say-as interpret-as='date'>04/14</say-as></speak>",
            Ok(&["10.wav", "4.wav", "month-4.wav"]),
        ),
        (
            "<speak><say-as interpret-as='time'>14:25</say-as></speak>",
            Ok(&["10.wav", "4.wav", "20.wav", "5.wav"]),
        ),
        (
            "<speak><say-as interpret-as='ordinal'>4</say-as></speak>",
            Err("\"4\" cannot be said with recordings"),
        ),
        (
            "<speak><say-as interpret-as='cardinal'>300</say-as></speak>",
            Err("km: no recording 3 in the folder; record \"បី\" as 3.wav"),
        ),
        ("welcome", Err("km: no recording welcome in the folder")),
        ("../4", Err("km: no recording ../4 in the folder")),
    ] {
        match (files(&set, text), expected) {
            (Ok(files), Ok(expected)) => assert_eq!(files, expected, "{text}"),
            (Err(error), Err(expected)) => assert!(error.starts_with(expected), "{text}: {error}"),
            (outcome, _) => panic!("{text}: {outcome:?}"),
        }
    }
    let missing = set.what_is_missing().unwrap();
    assert!(
        missing.contains("not yet recorded in") && missing.contains(" more"),
        "{missing}"
    );
}

#[tokio::test]
async fn a_flow_says_an_amount_with_the_folder_as_its_voice() {
    let folder = tempfile::tempdir().unwrap();
    let amount =
        "<speak><say-as interpret-as='currency'>KHR 4000</say-as><break time='10ms'/>4</speak>";
    let text = |settings: &Settings| {
        let speaker = Speaker::new(vec![Box::new(khmer(folder.path()))], settings);
        let speaker = speaker.unwrap();
        async move {
            let request = Request {
                text: amount,
                language: None,
                voice: Some("numbers"),
            };
            speaker.speak(request).await
        }
    };
    let mut settings = Settings::default();
    let recorded = RecordedSettings {
        folder: folder.path().to_owned(),
        language: "km".to_owned(),
        rules: None,
    };
    settings.recorded.insert("numbers".to_owned(), recorded);
    let error = text(&settings).await.unwrap_err().to_string();
    assert!(
        error.starts_with("numbers failed: km: no recording 4 in the folder"),
        "{error}"
    );

    for (name, samples) in [("4.wav", 100), ("thousand.wav", 30), ("KHR.wav", 5)] {
        record(folder.path(), name, samples);
    }
    let spoken = text(&settings).await.unwrap();
    assert_eq!(spoken.notes, [""; 0]);
    let runs: Vec<(bool, usize)> = spoken
        .samples
        .chunk_by(|one, next| (*one == 0) == (*next == 0))
        .map(|run| (run[0] != 0, run.len()))
        .collect();
    assert_eq!(runs, [(true, 135), (false, 160), (true, 100)]);
}

#[test]
fn settings_that_do_not_fit_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.toml");
    fs::write(&rules, "language = 'th'").unwrap();
    for (language, folder, rules, expected) in [
        (
            "k m",
            folder.path(),
            None,
            "recorded.x.language: \"k m\" is no language",
        ),
        (
            "th",
            folder.path(),
            None,
            "recorded.x.language: no rules for `th` come with the program",
        ),
        (
            "km",
            Path::new("/nowhere"),
            None,
            "recorded.x.folder: /nowhere: ",
        ),
        (
            "th",
            folder.path(),
            Some(Path::new("/nowhere")),
            "recorded.x.rules: /nowhere: ",
        ),
        (
            "th",
            folder.path(),
            Some(rules.as_path()),
            "recorded.x.rules: ",
        ),
    ] {
        let settings = RecordedSettings {
            folder: folder.to_owned(),
            language: language.to_owned(),
            rules: rules.map(Path::to_owned),
        };
        let error = Recorded::new("x", &settings).unwrap_err().to_string();
        assert!(error.starts_with(&format!("speech.{expected}")), "{error}");
    }
}
