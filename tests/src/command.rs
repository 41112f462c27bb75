//! Running a program to its end and keeping what it said, and finding the pinned tools. Starts processes.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// What a program said and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The command line, for messages.
    pub command: String,
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Whether the exit code is 0.
    pub fn success(&self) -> bool {
        self.code == 0
    }

    /// Standard output of a success.
    ///
    /// # Errors
    /// When the exit code is not 0; the message holds all the program said.
    pub fn ok(self) -> Result<String> {
        if self.success() {
            return Ok(self.stdout);
        }
        bail!(
            "`{}` ended with {}:\n{}{}",
            self.command,
            self.code,
            self.stdout,
            self.stderr
        )
    }
}

/// Runs `command` with `stdin` as its whole input and waits for its end. A program that is still running when the future is
/// dropped is killed.
///
/// # Errors
/// When it cannot be started or its pipes break. An exit code other than 0 is an [`Output`], not an error.
pub async fn run(mut command: Command, stdin: &str) -> Result<Output> {
    let program = command.as_std().get_program();
    let mut line = Path::new(program)
        .file_name()
        .unwrap_or(program)
        .to_string_lossy()
        .into_owned();
    for arg in command.as_std().get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let input = child.stdin.take();
    // Written while the output is read: a program that answers before it has read everything would otherwise block on a full pipe.
    let write = async {
        if let Some(mut input) = input {
            // A program that does not read its input closes it early, which is its good right.
            let _ = input.write_all(stdin.as_bytes()).await;
        }
    };
    let ((), output) = tokio::join!(write, child.wait_with_output());
    let output = output.with_context(|| format!("lost `{line}`"))?;
    Ok(Output {
        command: line,
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The folder of this repository.
pub fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_path_buf()
}

/// A pinned tool, such as `kubectl`: from the folder in `KUBEBUILDER_ASSETS` or where `tests/tools/install` puts it. Never one
/// that happens to be on the PATH.
///
/// # Errors
/// When it is not there yet; the message says how to get it.
pub fn tool(name: &str) -> Result<PathBuf> {
    let folder = std::env::var_os("KUBEBUILDER_ASSETS")
        .map_or_else(|| repository().join(".cache/tools/bin"), PathBuf::from);
    installed(folder.join(name))
}

/// A program of the Python environment, such as `python` or `ministack`.
///
/// # Errors
/// When it is not there yet; the message says how to get it.
pub fn python_tool(name: &str) -> Result<PathBuf> {
    installed(repository().join(".cache/python/bin").join(name))
}

fn installed(path: PathBuf) -> Result<PathBuf> {
    if !path.is_file() {
        bail!("{} is not there; run `make tools`", path.display());
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_what_a_program_says_and_how_it_ends() {
        let mut command = Command::new("sh");
        command.args(["-c", "cat; echo no >&2; exit 4"]);
        let output = run(command, "yes").await.unwrap();
        assert_eq!(
            (output.code, output.stdout.as_str(), output.stderr.as_str()),
            (4, "yes", "no\n")
        );
        let message = output.ok().unwrap_err().to_string();
        assert!(
            message.contains("ended with 4") && message.contains("no"),
            "{message}"
        );
    }

    #[tokio::test]
    async fn long_input_to_a_program_that_answers_at_once_does_not_block() {
        let text = "x".repeat(4 << 20);
        let output = run(Command::new("cat"), &text).await.unwrap();
        assert_eq!(output.stdout.len(), text.len());
    }
}
