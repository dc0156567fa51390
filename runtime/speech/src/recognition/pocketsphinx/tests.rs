use std::fs;

use super::*;
use crate::testing::script;

/// A stand-in that does as the script says, with a model folder beside it.
async fn stand_in(folder: &Path, body: &str) -> PocketSphinx {
    fs::create_dir(folder.join("model")).unwrap();
    fs::write(folder.join("model/mdef"), "").unwrap();
    fs::write(folder.join("words"), "yes Y EH S\nno N OW\n").unwrap();
    let settings = RecognitionSettings {
        pocketsphinx: script(folder, "program", body),
        pocketsphinx_model: folder.join("model"),
        pocketsphinx_dictionary: folder.join("words"),
        pocketsphinx_language_model: folder.join("lm"),
        ..RecognitionSettings::default()
    };
    let found = PocketSphinx::find(&settings).await.unwrap();
    found.expect("it is there")
}

fn task(hints: &[&str]) -> Arc<Task> {
    Arc::new(Task {
        language: Language::parse("en-US").unwrap(),
        hints: hints.iter().map(|hint| (*hint).to_owned()).collect(),
        model: None,
        profanity_filter: true,
    })
}

/// What becomes of so many frames of a constant.
async fn understand(
    sphinx: &PocketSphinx,
    hints: &[&str],
    frames: usize,
) -> (Result<(), Failure>, Vec<Phrase>) {
    let (audio_in, audio) = mpsc::channel(frames.max(1));
    for _ in 0..frames {
        audio_in.send([1_000; media::SAMPLES_8K]).await.unwrap();
    }
    drop(audio_in);
    let (phrases, mut understood) = mpsc::channel(8);
    let outcome = sphinx
        .understand(task(hints), Channels { audio, phrases })
        .await;
    let mut heard = Vec::new();
    while let Some(phrase) = understood.recv().await {
        heard.push(phrase);
    }
    (outcome, heard)
}

#[tokio::test]
async fn it_gets_the_audio_at_its_rate_and_the_hints_as_a_grammar() {
    let folder = tempfile::tempdir().unwrap();
    let body = r#"while [ "$1" != -jsgf ]; do shift; done
tail -n 1 "$2" | tr -dc 'a-z| '; echo
wc -c"#;
    let sphinx = stand_in(folder.path(), body).await;
    let (outcome, heard) = understand(&sphinx, &["yes", "no", "jackfield"], 50).await;
    assert_eq!(outcome, Ok(()));
    let texts: Vec<_> = heard.iter().map(|phrase| phrase.text.as_str()).collect();
    assert_eq!(texts, ["public hints yes | no", "32000"]);
}

#[tokio::test]
async fn without_hints_it_gets_the_language_model() {
    let folder = tempfile::tempdir().unwrap();
    let sphinx = stand_in(folder.path(), "cat >/dev/null; echo $*").await;
    let (_, heard) = understand(&sphinx, &["jackfield"], 1).await;
    let arguments = &heard[0].text;
    assert!(
        arguments.contains("-lm ") && !arguments.contains("-jsgf"),
        "{arguments}"
    );
}

#[tokio::test]
async fn what_it_says_of_its_failure_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let body = "echo INFO: a lot >&2; echo 'ERROR: no such model' >&2; echo INFO: bye >&2; exit 1";
    let sphinx = stand_in(folder.path(), body).await;
    let (outcome, heard) = understand(&sphinx, &[], 2_000).await;
    assert_eq!(
        outcome.unwrap_err().0,
        "exit status: 1: ERROR: no such model"
    );
    assert_eq!(heard, []);
}

#[tokio::test]
async fn a_segment_is_told_before_the_next_one_comes() {
    let folder = tempfile::tempdir().unwrap();
    // It says what it has understood, then waits for the end of the audio.
    let body = "echo yes; echo 'yes 0.1 0.2 0.5'; cat >/dev/null";
    let sphinx = stand_in(folder.path(), body).await;
    let (audio_in, audio) = mpsc::channel(1);
    let (phrases, mut understood) = mpsc::channel(8);
    let understanding = sphinx.understand(task(&[]), Channels { audio, phrases });
    let listen = async {
        let phrase = understood.recv().await.unwrap();
        assert_eq!(phrase.confidence_permille, Some(500));
        drop(audio_in);
    };
    let (outcome, ()) = tokio::join!(understanding, listen);
    assert_eq!(outcome, Ok(()));
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let absent = RecognitionSettings {
        pocketsphinx: PathBuf::from("/nowhere/pocketsphinx"),
        ..RecognitionSettings::default()
    };
    let failure = PocketSphinx::find(&absent).await.unwrap_err();
    assert_eq!(failure.0, "there is no program /nowhere/pocketsphinx");
    let folder = tempfile::tempdir().unwrap();
    let without_model = RecognitionSettings {
        pocketsphinx: script(folder.path(), "program", "true"),
        pocketsphinx_model: folder.path().to_owned(),
        ..RecognitionSettings::default()
    };
    let failure = PocketSphinx::find(&without_model).await.unwrap_err();
    assert!(
        failure.0.contains("has no acoustic model in it"),
        "{failure}"
    );
}
