//! A program of the machine, run as a process of its own: its licence stays its own, and so do its crashes.

use std::io;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::Failure;

/// Bytes of standard error that are kept.
const MAX_ERROR: u64 = 4 << 10;

/// What one run may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// From start to end; then the process is killed.
    pub(crate) time: Duration,
    /// Bytes of standard output.
    pub(crate) output: u64,
}

impl Default for Bounds {
    /// 20 seconds, and ten minutes of audio at 22 kHz.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(20),
            output: 26 << 20,
        }
    }
}

/// Runs a program with that input, without a shell and without our environment, and gives what it wrote.
pub(crate) async fn run(
    program: &Path,
    arguments: &[String],
    input: &str,
    bounds: Bounds,
) -> Result<Vec<u8>, Failure> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let cannot =
        |error: io::Error| Failure::new(format!("{} cannot be run: {error}", program.display()));
    let child = command.spawn().map_err(cannot)?;
    let Ok(output) = timeout(bounds.time, communicate(child, input, bounds.output)).await else {
        let seconds = bounds.time.as_secs_f32();
        return Err(Failure::new(format!(
            "not done within {seconds} seconds, and killed"
        )));
    };
    let output = output.map_err(cannot)?;
    if output.stdout.len() as u64 > bounds.output {
        let most = bounds.output;
        return Err(Failure::new(format!("it wrote more than {most} bytes")));
    }
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!("{}: {}", output.status, said.trim())));
    }
    Ok(output.stdout)
}

/// Writes and reads at the same time: a program that waits for one of them does not hold the other up.
async fn communicate(mut child: Child, input: &str, limit: u64) -> io::Result<Output> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A program that ends before it has read all says why itself.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
    };
    let ((), stdout, stderr) = tokio::join!(feed, read(stdout, limit), read(stderr, MAX_ERROR));
    let (stdout, stderr) = (stdout?, stderr?);
    // One that wrote too much may be waiting for us to read the rest.
    if stdout.len() as u64 > limit {
        child.start_kill()?;
    }
    Ok(Output {
        status: child.wait().await?,
        stdout,
        stderr,
    })
}

/// At most one byte more than the limit, so that the caller sees that there was more.
async fn read(stream: Option<impl AsyncRead + Unpin>, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(limit + 1).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::script;

    const BOUNDS: Bounds = Bounds {
        time: Duration::from_secs(60),
        output: 1_000,
    };

    async fn check(body: &str, input: &str, bounds: Bounds) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = script(folder.path(), "program", body);
        let output = run(
            &path,
            &["a b".to_owned(), "$HOME".to_owned()],
            input,
            bounds,
        )
        .await;
        output
            .map(|bytes| String::from_utf8(bytes).unwrap())
            .map_err(|failure| failure.0)
    }

    #[tokio::test]
    async fn input_and_arguments_arrive_as_they_are_and_our_environment_does_not() {
        let said = check("echo \"$1|$2|$CARGO_MANIFEST_DIR\"; cat", "`id`", BOUNDS).await;
        assert_eq!(said.unwrap(), "a b|$HOME|\n`id`");
    }

    #[tokio::test]
    async fn what_a_program_says_of_its_failure_is_kept() {
        let error = check("echo no such voice >&2; exit 3", "x", BOUNDS)
            .await
            .unwrap_err();
        assert_eq!(error, "exit status: 3: no such voice");
        let error = check("kill -9 $$", "x", BOUNDS).await.unwrap_err();
        assert!(error.starts_with("signal: 9"), "{error}");
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_killed() {
        let bounds = Bounds {
            time: Duration::from_millis(50),
            ..BOUNDS
        };
        let error = check("exec sleep 600", "x", bounds).await.unwrap_err();
        assert_eq!(error, "not done within 0.05 seconds, and killed");
    }

    #[tokio::test]
    async fn a_program_that_writes_for_ever_is_stopped() {
        let error = check("exec yes", "x", BOUNDS).await.unwrap_err();
        assert_eq!(error, "it wrote more than 1000 bytes");
    }

    #[tokio::test]
    async fn a_program_that_reads_nothing_of_much_input_is_no_hindrance() {
        let input = "x".repeat(1 << 20);
        assert_eq!(check("echo done", &input, BOUNDS).await.unwrap(), "done\n");
    }

    #[tokio::test]
    async fn one_that_is_not_there() {
        let error = run(Path::new("/nowhere/espeak"), &[], "", BOUNDS)
            .await
            .unwrap_err();
        assert!(
            error.0.starts_with("/nowhere/espeak cannot be run"),
            "{error}"
        );
    }
}
