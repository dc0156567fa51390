//! A caller who types.

use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use harness::{Player, Scene, Script, Turn};

const HELP: &str = "\
  0-9 * # A-D   press these keys: 12#
  enter         let time pass until something happens
  s SECONDS     let so much time pass
  v SECONDS     speak, as recordings hear
  w WORDS       say these words
  h             hang up
  a [NUMBER]    whoever was dialled answers; the first one who rings, or this one
  b [NUMBER]    ... is busy
  x [NUMBER]    ... hangs up; so does who talks to you at a queue
  j, l, e       somebody joins the conference, leaves it, ends it
  q, g          somebody comes to the queue, or gives up waiting before you
";

/// The longest time that one line lets pass, in seconds.
const DAY: f64 = 86_400.0;

/// Where lines come from, and text goes to. Clones are the same.
#[derive(Clone)]
pub(super) struct Console {
    input: Arc<Mutex<dyn BufRead + Send>>,
    output: Arc<Mutex<dyn Write + Send>>,
    is_terminal: bool,
}

impl Console {
    pub(super) fn new(
        input: impl BufRead + Send + 'static,
        output: impl Write + Send + 'static,
        is_terminal: bool,
    ) -> Self {
        Self {
            input: Arc::new(Mutex::new(input)),
            output: Arc::new(Mutex::new(output)),
            is_terminal,
        }
    }

    /// Somebody sits there.
    pub(super) const fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// The next line, without the white space around it; none when there are no more.
    pub(super) fn read(&self) -> Option<String> {
        let mut line = String::new();
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = input.read_line(&mut line).unwrap_or_default();
        (bytes > 0).then(|| line.trim().to_owned())
    }

    /// What cannot be written, as nobody reads it any more, is left out.
    pub(super) fn write(&self, text: &str) {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = output.write_all(text.as_bytes());
        let _ = output.flush();
    }
}

/// How much of the transcript was shown.
#[derive(Clone, Default)]
pub(super) struct Shown(Arc<AtomicUsize>);

impl Shown {
    pub(super) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Does what is typed.
pub(super) struct Keyboard {
    console: Console,
    shown: Shown,
}

impl Keyboard {
    /// Says what can be typed.
    pub(super) fn on(console: Console) -> Self {
        if console.is_terminal {
            console
                .write("Enter lets time pass, keys are pressed, h hangs up, ? tells the rest.\n");
        }
        Self {
            console,
            shown: Shown::default(),
        }
    }

    pub(super) fn shown(&self) -> Shown {
        self.shown.clone()
    }
}

impl Player for Keyboard {
    fn turn(&mut self, scene: Scene<'_>) -> Turn {
        self.console.write(scene.lines);
        self.shown.0.fetch_add(scene.lines.len(), Ordering::Relaxed);
        loop {
            if self.console.is_terminal {
                self.console.write("> ");
            }
            let Some(line) = self.console.read() else {
                return Turn::Leaves;
            };
            match turn_of(&line, scene) {
                Ok(turn) => return turn,
                Err(help) => self.console.write(&help),
            }
        }
    }
}

/// What a line asks for, or what to say where it asks for nothing that is known.
fn turn_of(line: &str, scene: Scene<'_>) -> Result<Turn, String> {
    let does = |script| Ok(Turn::Does(script));
    let nothing = Script::new;
    let is_key = |key: char| key.is_ascii_digit() || "*#ABCD".contains(key);
    if !line.is_empty() && line.chars().all(is_key) {
        return does(nothing().press(line));
    }
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match word {
        "" | "s" if rest.is_empty() => Ok(Turn::Listens),
        "s" => does(nothing().wait(seconds(rest)?)),
        "v" => does(nothing().speak(seconds(rest)?)),
        "w" if rest.is_empty() => Err("say something: w one, please\n".to_owned()),
        "w" => does(nothing().says(rest)),
        "h" => does(nothing().hang_up()),
        "a" => does(nothing().callee_answers(&who(rest, scene.ringing, "rings")?)),
        "b" => does(nothing().callee_is_busy(&who(rest, scene.ringing, "rings")?)),
        "x" if rest.is_empty() && scene.talking.is_empty() => does(nothing().other_leaves_queue()),
        "x" => does(nothing().callee_hangs_up(&who(rest, scene.talking, "talks")?)),
        "j" => does(nothing().other_joins()),
        "l" => does(nothing().other_leaves_conference()),
        "e" => does(nothing().other_ends_conference()),
        "q" => does(nothing().other_comes_to_queue()),
        "g" => does(nothing().other_gives_up()),
        "?" => Err(HELP.to_owned()),
        _ => Err(format!("{line:?} is nothing that a caller does:\n{HELP}")),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text
        .parse()
        .ok()
        .filter(|seconds| (0.0..=DAY).contains(seconds));
    let seconds = seconds.ok_or_else(|| format!("{text:?} is no number of seconds: s 2.5\n"))?;
    Ok(Duration::from_secs_f64(seconds))
}

/// The one who is named, or the first.
fn who(named: &str, those: &[String], word: &str) -> Result<String, String> {
    match those.first() {
        None => Err(format!("nobody who was dialled {word}\n")),
        Some(first) if named.is_empty() => Ok(first.clone()),
        Some(_) => Ok(named.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_what_a_caller_does() {
        let ringing = ["+1".to_owned(), "+2".to_owned()];
        let scene = Scene {
            now: Duration::ZERO,
            lines: "",
            ringing: &ringing,
            talking: &[],
        };
        for (line, expected) in [
            ("12#", Script::new().press("12#")),
            ("s 1.5", Script::new().wait(Duration::from_millis(1_500))),
            ("v 4", Script::new().speak(Duration::from_secs(4))),
            ("w  yes, 2", Script::new().says("yes, 2")),
            ("h", Script::new().hang_up()),
            ("a", Script::new().callee_answers("+1")),
            ("b  +2", Script::new().callee_is_busy("+2")),
            ("x", Script::new().other_leaves_queue()),
            ("j", Script::new().other_joins()),
            ("l", Script::new().other_leaves_conference()),
            ("e", Script::new().other_ends_conference()),
            ("q", Script::new().other_comes_to_queue()),
            ("g", Script::new().other_gives_up()),
        ] {
            let Ok(Turn::Does(script)) = turn_of(line, scene) else {
                panic!("{line}");
            };
            assert_eq!(format!("{script:?}"), format!("{expected:?}"), "{line}");
        }
        for line in ["", "s"] {
            assert!(matches!(turn_of(line, scene), Ok(Turn::Listens)), "{line}");
        }
        for (line, part) in [
            ("?", "let so much time pass"),
            ("hello", "\"hello\" is nothing that a caller does"),
            ("s -1", "\"-1\" is no number of seconds"),
            ("v", "\"\" is no number of seconds"),
            ("w", "say something"),
            ("x +2", "nobody who was dialled talks"),
        ] {
            let said = turn_of(line, scene).err().unwrap();
            assert!(said.contains(part), "{line}: {said}");
        }
    }
}
