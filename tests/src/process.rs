//! A child process under supervision: output into a log file, ended with its owner, early exits noticed. Starts processes and
//! writes their logs.
//!
//! Invariant: no child outlives its owner, also when the owner is killed. Between the two stands a small shell that ends the
//! child when the owner's end of a pipe closes; the kernel closes it whatever happened to the owner.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::eventually::eventually;

/// Each line of the shell's input is the name of a signal to pass on; the end of the input kills the child. The shell ends
/// with the child and with its exit code.
const SUPERVISOR: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{
  while read -r signal; do kill -s "$signal" "$child" 2>/dev/null; done
  kill -s KILL "$child" 2>/dev/null
} <&3 &
watcher=$!
wait "$child"
code=$?
kill -s KILL "$watcher" 2>/dev/null
exit "$code"
"#;

/// How long a killed child may take to be gone; only a stuck disk makes it longer.
const KILL_DEADLINE: Duration = Duration::from_secs(5);

/// How many lines of a log an error message quotes.
const TAIL_LINES: usize = 30;

/// What to start. Built up by value, then [`Supervised::start`].
#[derive(Debug, Clone)]
pub struct Program {
    name: String,
    path: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
}

impl Program {
    /// A program by path; `name` is what its log file and messages call it.
    pub fn new(name: &str, path: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            path: path.into(),
            args: Vec::new(),
            env: Vec::new(),
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets one variable on top of the environment of this process.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }
}

/// A running child. Dropping it kills the child and waits until it is gone.
#[derive(Debug)]
pub struct Supervised {
    name: String,
    log: PathBuf,
    supervisor: Child,
}

impl Supervised {
    /// Starts `program` with standard output and error in `<folder>/<name>.log`, which is appended to.
    ///
    /// # Errors
    /// When the log cannot be opened, the program is not there or `sh` cannot be started.
    pub fn start(program: Program, folder: &Path) -> Result<Self> {
        let Program {
            name,
            path,
            args,
            env,
        } = program;
        if !path.is_file() {
            bail!("{} is not there", path.display());
        }
        let log = folder.join(format!("{name}.log"));
        let output = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR, "sh"])
            .arg(&path)
            .args(args)
            .envs(env)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            // In a group of its own, so that Ctrl-C in the terminal reaches the owner only and the order of the end is ours.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self {
            name,
            log,
            supervisor,
        })
    }

    /// The file with all the child wrote.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The last lines of the log, for messages.
    pub fn log_tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let skipped = lines.len().saturating_sub(TAIL_LINES);
        let tail = lines.get(skipped..).unwrap_or_default().join("\n");
        format!("last lines of {}:\n{tail}", self.log.display())
    }

    /// The process id of the child itself, which runs `program`.
    ///
    /// # Errors
    /// When it is gone, or the system has no /proc.
    pub fn child_pid(&self, program: &Path) -> Result<u32> {
        let supervisor = self.supervisor.id();
        let children = format!("/proc/{supervisor}/task/{supervisor}/children");
        let children = std::fs::read_to_string(children)?;
        // The supervising shell has a second child, which waits for signals to pass on.
        let child = children.split_whitespace().find(|pid| {
            std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == program)
        });
        let child = child.with_context(|| format!("{} is gone", self.name))?;
        Ok(child.parse()?)
    }

    /// Sends a signal by name without `SIG`, such as `TERM`.
    ///
    /// # Errors
    /// When the child is gone.
    pub fn signal(&mut self, name: &str) -> Result<()> {
        let input = self
            .supervisor
            .stdin
            .as_mut()
            .context("the child was ended before")?;
        writeln!(input, "{name}").with_context(|| format!("{} is gone", self.name))
    }

    /// The exit code once the child has ended, `128 + n` for signal `n`; `None` while it runs.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn exit_code(&mut self) -> Result<Option<i32>> {
        Ok(self
            .supervisor
            .try_wait()?
            .map(|status| status.code().unwrap_or(-1)))
    }

    /// Waits for the child to end by itself and returns its exit code.
    ///
    /// # Errors
    /// When it still runs at the deadline; the message quotes its log.
    pub async fn ended(&mut self, deadline: Duration) -> Result<i32> {
        let name = self.name.clone();
        let ended = eventually(deadline, &format!("{name} to end"), async || {
            self.exit_code()?
                .with_context(|| format!("{name} still runs"))
        })
        .await;
        ended.with_context(|| self.log_tail())
    }

    /// Waits until `ready` answers, and fails at once when the child ends before that.
    ///
    /// # Errors
    /// The last error of `ready`, or the early end; the message quotes the log.
    pub async fn ready<T, F>(&mut self, deadline: Duration, mut ready: F) -> Result<T>
    where
        F: AsyncFnMut() -> Result<T>,
    {
        let name = self.name.clone();
        // The outer result is the wait's, the inner one says that waiting longer is of no use.
        let answer = eventually(deadline, &format!("{name} to be ready"), async || {
            if let Some(code) = self.exit_code()? {
                return Ok(Err(anyhow::anyhow!("{name} ended with exit code {code}")));
            }
            ready().await.map(Ok)
        })
        .await;
        answer
            .and_then(|inner| inner)
            .with_context(|| self.log_tail())
    }

    /// Kills the child now and waits until it is gone.
    pub fn kill(&mut self) {
        drop(self.supervisor.stdin.take());
        let end = Instant::now() + KILL_DEADLINE;
        while matches!(self.supervisor.try_wait(), Ok(None)) {
            if Instant::now() >= end {
                // The shell does not come back; ending it too leaves at most what the kernel could not end either.
                let _ = self.supervisor.kill();
                let _ = self.supervisor.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A TCP port of 127.0.0.1 that nobody listens on. Another process may take it before it is used: callers that start
/// servers try again when the log says "address already in use".
///
/// # Errors
/// When the system has no port left.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests;
