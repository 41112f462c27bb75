//! What the person sees: numbered steps, commands as they would be typed, and their output. Writes to the terminal.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, bail};
use privateservice_tests::World;

static STEP: AtomicU32 = AtomicU32::new(1);

/// Prints a line.
pub(crate) fn say(line: &str) {
    // A reader that went away is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints a line to standard error.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Begins the next step.
pub(crate) fn step(title: &str) {
    let number = STEP.fetch_add(1, Ordering::Relaxed);
    let (on, off) = if std::io::stdout().is_terminal() {
        ("\x1b[1m", "\x1b[0m")
    } else {
        ("", "")
    };
    say(&format!("\n{on}{number}. {title}{off}"));
}

/// Runs kubectl, showing the command and what it answers; its output.
///
/// # Errors
/// When kubectl fails.
pub(crate) async fn kubectl(world: &World, command: &str) -> Result<String> {
    shown(world, command, "").await
}

/// The same with a manifest on its input, which is shown too.
///
/// # Errors
/// When kubectl fails.
pub(crate) async fn kubectl_with(world: &World, command: &str, manifest: &str) -> Result<String> {
    shown(world, command, manifest).await
}

/// Runs kubectl with a manifest that is to be refused; what it says.
///
/// # Errors
/// When it is not refused.
pub(crate) async fn refused(world: &World, command: &str, manifest: &str) -> Result<String> {
    echo(command, manifest);
    let output = world.plane()?.kubectl(&words(command), manifest).await?;
    print_indented(&output.stdout);
    print_indented(&output.stderr);
    if output.success() {
        bail!("`kubectl {command}` was accepted");
    }
    Ok(output.stderr)
}

async fn shown(world: &World, command: &str, input: &str) -> Result<String> {
    echo(command, input);
    let output = world.plane()?.kubectl(&words(command), input).await?;
    print_indented(&output.stdout);
    print_indented(&output.stderr);
    output.ok()
}

fn echo(command: &str, input: &str) {
    if input.is_empty() {
        say(&format!("   $ kubectl {command}"));
        return;
    }
    say(&format!("   $ kubectl {command} <<'EOF'"));
    print_indented(input);
    say("   EOF");
}

fn print_indented(text: &str) {
    for line in text.lines() {
        say(&format!("   {line}"));
    }
}

/// Splits a command line at spaces, but not between single quotes.
fn words(command: &str) -> Vec<&str> {
    command
        .split('\'')
        .enumerate()
        .flat_map(|(part, text)| {
            if part % 2 == 1 {
                vec![text]
            } else {
                text.split_whitespace().collect()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_words_together() {
        assert_eq!(
            words("patch a -p '{\"b\": 1}' --x"),
            ["patch", "a", "-p", "{\"b\": 1}", "--x"]
        );
    }
}
