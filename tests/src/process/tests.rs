//! The supervision holds: children are real processes of this machine.

use super::*;
use crate::scratch::Scratch;

const SOON: Duration = Duration::from_secs(10);

/// A child that says its own process id and then sleeps.
fn sleeper(scratch: &Scratch) -> Supervised {
    let program = Program::new("sleeper", "/bin/sh").args(["-c", "echo pid $$; exec sleep 600"]);
    Supervised::start(program, scratch.path()).unwrap()
}

async fn pid(child: &mut Supervised) -> String {
    let log = child.log().to_path_buf();
    child
        .ready(SOON, async || {
            let text = std::fs::read_to_string(&log)?;
            text.strip_prefix("pid ")
                .map(|pid| pid.trim().to_owned())
                .context("no pid yet")
        })
        .await
        .unwrap()
}

/// Whether the process runs; a zombie does not.
fn alive(pid: &str) -> bool {
    let output = Command::new("ps")
        .args(["-o", "stat=", "-p", pid])
        .output()
        .unwrap();
    let state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

#[tokio::test]
async fn a_dropped_child_is_gone() {
    let scratch = Scratch::new("psvc-process-test").unwrap();
    let mut child = sleeper(&scratch);
    let pid = pid(&mut child).await;
    assert!(alive(&pid));
    drop(child);
    assert!(!alive(&pid));
}

#[tokio::test]
async fn a_child_dies_with_an_owner_that_is_killed() {
    let scratch = Scratch::new("psvc-process-test").unwrap();
    // The owner is a process that does nothing but hold the other end of the supervisor's input, as this process does for
    // its own children.
    let mut owner = Command::new("sleep")
        .arg("600")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let log = scratch.path().join("pid");
    let mut supervisor = Command::new("sh")
        .args([
            "-c",
            SUPERVISOR,
            "sh",
            "sh",
            "-c",
            r#"echo $$ >"$0"; exec sleep 600"#,
        ])
        .arg(&log)
        .stdin(owner.stdout.take().unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = eventually(SOON, "the child's pid", async || {
        let text = std::fs::read_to_string(&log)?;
        text.strip_suffix('\n')
            .map(str::to_owned)
            .context("half a line")
    })
    .await
    .unwrap();
    assert!(alive(&pid));
    owner.kill().unwrap();
    eventually(SOON, "the child to die", async || {
        anyhow::ensure!(!alive(&pid), "it lives");
        Ok(())
    })
    .await
    .unwrap();
    owner.wait().unwrap();
    supervisor.wait().unwrap();
}

#[tokio::test]
async fn an_early_end_is_reported_with_the_log() {
    let scratch = Scratch::new("psvc-process-test").unwrap();
    let program = Program::new("failing", "/bin/sh").args(["-c", "echo no such flag; exit 3"]);
    let mut child = Supervised::start(program, scratch.path()).unwrap();
    let never = child
        .ready(SOON, async || -> Result<()> { bail!("not yet") })
        .await;
    let message = format!("{:#}", never.unwrap_err());
    assert!(
        message.contains("exit code 3") && message.contains("no such flag"),
        "{message}"
    );
}

#[tokio::test]
async fn a_signal_reaches_the_child() {
    let scratch = Scratch::new("psvc-process-test").unwrap();
    let mut child = sleeper(&scratch);
    pid(&mut child).await;
    child.signal("TERM").unwrap();
    assert_eq!(child.ended(SOON).await.unwrap(), 128 + 15);
}
