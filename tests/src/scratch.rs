//! A temporary folder that is gone when the process is, even when the process is killed or exits with the folder in a static
//! (which Rust never drops). Writes below `/dev/shm` where there is one, else below the system's temporary folder.
//!
//! `PRIVATESERVICE_TESTS_KEEP=1` keeps the folder, to read the logs in it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use std::os::unix::process::CommandExt;

use anyhow::{Context, Result};

/// Waits for the end of its input, which comes when the owner closes it or dies, and then removes the folder. It tries
/// for five seconds because children of the same owner may be writing there while they are being ended.
const JANITOR: &str = r#"
read -r _
tries=0
while [ -e "$1" ] && [ "$tries" -lt 50 ]; do
  rm -rf "$1" 2>/dev/null
  [ -e "$1" ] && sleep 0.1
  tries=$((tries + 1))
done
"#;

/// A folder of its own, readable by this user only.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    // Holds the janitor's input open; None when the folder is to be kept.
    janitor: Option<Child>,
}

impl Scratch {
    /// Makes a folder whose name starts with `prefix`.
    ///
    /// # Errors
    /// When the folder cannot be made or `sh` cannot be started.
    pub fn new(prefix: &str) -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() {
            memory.to_path_buf()
        } else {
            std::env::temp_dir()
        };
        let path = tempfile::Builder::new()
            .prefix(&format!("{prefix}-"))
            .tempdir_in(&parent)
            .with_context(|| format!("cannot make a folder in {}", parent.display()))?
            .keep();
        let keep = std::env::var_os("PRIVATESERVICE_TESTS_KEEP").is_some_and(|value| value != "0");
        let janitor = if keep {
            None
        } else {
            let child = Command::new("sh")
                .args(["-c", JANITOR, "sh"])
                .arg(&path)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                // In a group of its own, so that Ctrl-C in the terminal ends its owner but not the tidying up.
                .process_group(0)
                .spawn()
                .context("cannot start sh")?;
            Some(child)
        };
        Ok(Self { path, janitor })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(mut janitor) = self.janitor.take() {
            drop(janitor.stdin.take());
            // Waited for, or it would stay a zombie for as long as the test process lives.
            let _ = janitor.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_goes_with_its_owner() {
        let scratch = Scratch::new("psvc-scratch-test").unwrap();
        let path = scratch.path().to_path_buf();
        std::fs::create_dir(path.join("inner")).unwrap();
        std::fs::write(path.join("inner/file"), "content").unwrap();
        drop(scratch);
        assert!(!path.exists());
    }
}
