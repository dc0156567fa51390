//! `jackfield twiml`.

use std::io::Write;

use clap::{Args, Subcommand};

use super::engine;
use super::pages::{Pages, WebOptions};
use super::test::{Playing, play_all, scripts};

#[derive(Debug, Subcommand)]
pub(crate) enum TwimlCommand {
    /// Plays scripts against a TwiML application, in virtual time: a file, with those beside it, or the URL of a web server.
    Test(TwimlOptions),
}

#[derive(Debug, Args)]
pub(crate) struct TwimlOptions {
    /// The call's first document: a file, or an http or https URL. Other documents of the file's folder are reached by relative
    /// URLs, with or without `.xml`.
    #[arg(value_name = "FILE|URL")]
    pub(crate) document: String,
    /// Files of scripts; without any those in the folder `scripts` beside the document, or here where it is a URL.
    pub(crate) scripts: Vec<std::path::PathBuf>,
    /// Asks for the first document by GET; else by POST.
    #[arg(long)]
    pub(crate) get: bool,
    #[command(flatten)]
    pub(crate) web: WebOptions,
    #[command(flatten)]
    pub(crate) playing: Playing,
}

pub(crate) fn run(command: &TwimlCommand) -> anyhow::Result<()> {
    match command {
        TwimlCommand::Test(options) => test(options, &mut std::io::stdout()),
    }
}

/// Plays the scripts against the bundled TwiML component.
fn test(options: &TwimlOptions, out: &mut impl Write) -> anyhow::Result<()> {
    let pages = Pages::of(&options.document, options.get, &options.web)?;
    let scripts = scripts(&options.scripts, &pages.scripts())?;
    let worlds = engine()?.worlds(bundled::TWIML)?;
    let serve = |script| pages.serve(script);
    play_all(&worlds, scripts, &options.playing, &serve, out)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::pages::tests::{options, server};
    use super::*;

    const SCRIPT: &str = r#"
        [[case]]
        name = "One leads on"
        steps = [
            { flow = "answers" },
            { flow.says = "Press one" },
            { caller.presses = "1" },
            { flow.says = "You pressed" },
            { flow = "hangs-up" },
        ]
    "#;

    fn tested(document: &str, script: &str, folder: &Path, allow: &[&str]) -> (String, bool) {
        let file = folder.join("calls.toml");
        fs::write(&file, script).unwrap();
        let options = TwimlOptions {
            document: document.to_owned(),
            scripts: vec![file],
            get: false,
            web: options(allow),
            playing: Playing::default(),
        };
        let mut out = Vec::new();
        let is_ok = test(&options, &mut out).is_ok();
        (String::from_utf8(out).unwrap(), is_ok)
    }

    #[test]
    fn a_file_leads_to_those_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let voice = folder.path().join("voice.xml");
        let gather = r#"<Response><Gather numDigits="1" action="pressed"><Say>Press one</Say></Gather></Response>"#;
        fs::write(&voice, gather).unwrap();
        let pressed = "<Response><Say>You pressed one</Say></Response>";
        fs::write(folder.path().join("pressed.xml"), pressed).unwrap();
        let (out, is_ok) = tested(voice.to_str().unwrap(), SCRIPT, folder.path(), &[]);
        assert!(is_ok, "{out}");
        assert!(out.contains("1 cases, 0 failed"), "{out}");

        fs::remove_file(folder.path().join("pressed.xml")).unwrap();
        let (out, is_ok) = tested(voice.to_str().unwrap(), SCRIPT, folder.path(), &[]);
        assert!(!is_ok && out.contains("answered 404"), "{out}");
    }

    #[test]
    fn a_local_application_is_asked_where_that_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let url = server("<Response><Say>Real</Say></Response>");
        let script = "[[case]]\nname = 'a'\nsteps = [{ flow = 'answers' }, { flow.says = 'Real' }]";
        let (out, is_ok) = tested(&url, script, folder.path(), &["127.0.0.1"]);
        assert!(is_ok, "{out}");
        let (out, is_ok) = tested(&url, script, folder.path(), &[]);
        assert!(!is_ok && out.contains("here --allow grants it"), "{out}");
    }
}
