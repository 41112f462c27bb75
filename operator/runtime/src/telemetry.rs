//! Log lines: to standard error, as JSON or text, filtered. Sets the process's global subscriber. And errors as one line.

use crate::config::{Config, LogFormat};
use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

/// Starts logging. Call once, first.
///
/// # Errors
/// The filter cannot be read, or logging was started before.
pub fn start(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::builder()
        .parse(&config.log_filter)
        .with_context(|| format!("cannot read the log filter {:?}", config.log_filter))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match config.log_format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}

/// An error and its causes as one line. A cause that its error repeats, as some libraries' do, is left out.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        source = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_told_once() {
        let error = anyhow::anyhow!("no such file")
            .context("cannot read a: no such file")
            .context("cannot start");
        assert_eq!(
            chain(error.as_ref()),
            "cannot start: cannot read a: no such file"
        );
    }
}
