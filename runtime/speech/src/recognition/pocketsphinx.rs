//! PocketSphinx, where it is installed: a process for each utterance.
//!
//! It is made for clear speech in a quiet room. On a telephone it is good at telling a few phrases apart, and poor at writing down
//! whatever is said.

mod output;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use media::{Rate, RateConverter};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::grammar::{Dictionary, of_hints};
use super::{Channels, Phrase, Recogniser, RecognitionSettings, SpokenFrame, Task, Understanding};
use crate::{Failure, Language};
use output::Output;

const NAME: &str = "pocketsphinx";
/// What its models are made for.
const SAMPLES_A_FRAME: usize = Rate::Wide.frame_samples();
/// From start to end: the longest utterance, and time to think about it. Then the process is killed.
const MOST_TIME: Duration = Duration::from_secs(90);
/// The lines of one segment come at once; one that is followed by nothing for so long is whole.
const PAUSE: Duration = Duration::from_millis(50);

/// PocketSphinx with one model.
#[derive(Debug)]
pub struct PocketSphinx {
    program: PathBuf,
    model: PathBuf,
    dictionary: PathBuf,
    language_model: PathBuf,
    language: Language,
    words: Dictionary,
}

impl PocketSphinx {
    /// Looks for the program. None where the settings are the defaults and it is not installed.
    ///
    /// # Errors
    /// If it is there and its model is not, or the other way round, or the dictionary cannot be read.
    pub async fn find(settings: &RecognitionSettings) -> Result<Option<Self>, Failure> {
        let Some(program) = on_path(&settings.pocketsphinx) else {
            if settings.pocketsphinx == RecognitionSettings::default().pocketsphinx {
                return Ok(None);
            }
            let program = settings.pocketsphinx.display();
            return Err(Failure(format!("there is no program {program}")));
        };
        let model = &settings.pocketsphinx_model;
        if !model.join("mdef").is_file() {
            let model = model.display();
            return Err(Failure(format!(
                "{model} has no acoustic model in it: Debian's package pocketsphinx-en-us has one"
            )));
        }
        let dictionary = &settings.pocketsphinx_dictionary;
        let text = tokio::fs::read_to_string(dictionary).await;
        let text = text.map_err(|error| Failure(format!("{}: {error}", dictionary.display())))?;
        let words = Dictionary::read(&text);
        if words.is_empty() {
            let dictionary = dictionary.display();
            return Err(Failure(format!("{dictionary} has no words in it")));
        }
        let language = settings
            .language()
            .map_err(|error| Failure(error.to_string()))?;
        Ok(Some(Self {
            program,
            model: model.clone(),
            dictionary: dictionary.clone(),
            language_model: settings.pocketsphinx_language_model.clone(),
            language,
            words,
        }))
    }

    async fn run(&self, task: Arc<Task>, channels: Channels) -> Result<(), Failure> {
        match timeout(MOST_TIME, self.listen(&task, channels)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let seconds = MOST_TIME.as_secs();
                Err(Failure(format!(
                    "not done within {seconds} seconds, and killed"
                )))
            }
        }
    }

    async fn listen(&self, task: &Task, channels: Channels) -> Result<(), Failure> {
        let (grammar, unknown) = of_hints(&task.hints, &self.words);
        if !unknown.is_empty() {
            tracing::info!(
                target: "tenant",
                "hints with words that {NAME} does not know are left out: {}",
                unknown.join(", ")
            );
        }
        // The file is gone when this is dropped.
        let grammar = grammar.map(|grammar| file_with(&grammar)).transpose();
        let cannot = |error| Failure(format!("{} cannot be run: {error}", self.program.display()));
        let grammar = grammar.map_err(cannot)?;
        let grammar = grammar.as_ref().map(tempfile::NamedTempFile::path);
        let mut child = self.start(grammar).map_err(cannot)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let stderr = child.stderr.take();
        let Channels { audio, phrases } = channels;
        let feed = async {
            if let Some(stdin) = stdin {
                feed(stdin, audio).await;
            }
        };
        let ((), (), complaint) =
            tokio::join!(feed, read(stdout, &phrases), last_complaint(stderr));
        ended(&mut child, complaint).await
    }

    fn start(&self, grammar: Option<&Path>) -> std::io::Result<Child> {
        let mut command = Command::new(&self.program);
        command
            .args([
                "-infile",
                "/dev/stdin",
                "-samprate",
                "16000",
                "-time",
                "yes",
            ])
            .arg("-hmm")
            .arg(&self.model)
            .arg("-dict")
            .arg(&self.dictionary);
        match grammar {
            Some(grammar) => command.arg("-jsgf").arg(grammar),
            None => command.arg("-lm").arg(&self.language_model),
        };
        command
            .env_clear()
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }
}

impl Recogniser for PocketSphinx {
    fn name(&self) -> &str {
        NAME
    }

    fn languages(&self) -> Vec<String> {
        vec![self.language.to_string()]
    }

    fn understands(&self, language: &Language) -> bool {
        language.primary() == self.language.primary()
    }

    fn understand(&self, task: Arc<Task>, channels: Channels) -> Understanding<'_> {
        Box::pin(self.run(task, channels))
    }
}

/// A file, or a program of that name on the `PATH`.
fn on_path(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.is_file().then(|| program.to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(program));
    places.find(|place| place.is_file())
}

fn file_with(text: &str) -> std::io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

/// Writes the audio at the rate of the model, until it ends or the program reads no more.
async fn feed(mut stdin: ChildStdin, mut audio: mpsc::Receiver<SpokenFrame>) {
    let mut widened = RateConverter::new(Rate::Narrow, Rate::Wide);
    let mut wide = [0; SAMPLES_A_FRAME];
    while let Some(frame) = audio.recv().await {
        widened.convert(&frame, &mut wide);
        let bytes: Vec<u8> = wide
            .iter()
            .flat_map(|sample| sample.to_le_bytes())
            .collect();
        // A program that ends before it has read all says why itself.
        if stdin.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// Hands over what it prints, segment by segment.
async fn read(stdout: Option<impl AsyncRead + Unpin>, phrases: &mpsc::Sender<Phrase>) {
    let Some(stdout) = stdout else { return };
    let mut lines = BufReader::new(stdout).lines();
    let mut output = Output::default();
    while let Some(line) = next_line(&mut lines, &mut output, phrases).await {
        hand_over(output.take(&line), phrases).await;
    }
    hand_over(output.flush(), phrases).await;
}

/// The next line; what came before it is handed over where it is long in coming.
async fn next_line<R: AsyncRead + Unpin>(
    lines: &mut Lines<BufReader<R>>,
    output: &mut Output,
    phrases: &mpsc::Sender<Phrase>,
) -> Option<String> {
    let line = match timeout(PAUSE, lines.next_line()).await {
        Ok(line) => line,
        Err(_) => {
            hand_over(output.flush(), phrases).await;
            lines.next_line().await
        }
    };
    line.ok().flatten()
}

async fn hand_over(phrase: Option<Phrase>, phrases: &mpsc::Sender<Phrase>) {
    if let Some(phrase) = phrase {
        // Who does not listen any more needs none.
        let _ = phrases.send(phrase).await;
    }
}

/// The last error of all that it says of itself.
async fn last_complaint(stderr: Option<impl AsyncRead + Unpin>) -> Option<String> {
    let mut lines = BufReader::new(stderr?).lines();
    let mut last = None;
    while let Ok(Some(line)) = lines.next_line().await {
        if line.starts_with("ERROR") || line.starts_with("FATAL") {
            last = Some(line);
        }
    }
    last
}

async fn ended(child: &mut Child, complaint: Option<String>) -> Result<(), Failure> {
    let status = child.wait().await;
    let status = status.map_err(|error| Failure(error.to_string()))?;
    if status.success() {
        return Ok(());
    }
    let complaint = complaint.map_or_else(String::new, |complaint| format!(": {complaint}"));
    Err(Failure(format!("{status}{complaint}")))
}

#[cfg(test)]
mod tests;
