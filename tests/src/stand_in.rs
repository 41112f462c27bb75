//! MiniStack, the stand-in for the AWS services that the simulator does not model. Starts a process that listens on 127.0.0.1.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::command::python_tool;
use crate::process::{Program, Supervised, free_port};
use crate::scratch::Scratch;

/// Ready in 0.2 s on an idle machine; a busy one gets much more before the wait is called off.
const READY_DEADLINE: Duration = Duration::from_mins(1);

/// A running MiniStack with nothing in it. Dropping it ends it.
#[derive(Debug)]
pub struct MiniStack {
    port: u16,
    // Declared before the folder its log is in: fields are dropped in order.
    _process: Supervised,
    _scratch: Scratch,
}

impl MiniStack {
    /// Starts one on a free port, in the region us-east-1, and waits until it answers.
    ///
    /// # Errors
    /// When it is not installed or does not answer; the message quotes its log.
    pub async fn start() -> Result<Self> {
        let program = python_tool("ministack")?;
        let scratch = Scratch::new("psvc-ministack")?;
        let port = free_port()?;
        // It binds every interface, opens SFTP and MQTT listeners and keeps state in the home folder unless told otherwise.
        let program = Program::new("ministack", program)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("SFTP_ENABLED", "0")
            .env("IOT_MTLS_ENABLED", "0")
            .env("MINISTACK_REGION", "us-east-1")
            .env("HOME", scratch.path())
            .env("PYTHONUNBUFFERED", "1");
        let mut process = Supervised::start(program, scratch.path())?;
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(2))
            .build()?;
        let health = format!("http://127.0.0.1:{port}/_ministack/health");
        process
            .ready(READY_DEADLINE, async || {
                let response = http.get(&health).send().await.context("no answer yet")?;
                response.error_for_status().context("not healthy yet")?;
                Ok(())
            })
            .await?;
        Ok(Self {
            port,
            _process: process,
            _scratch: scratch,
        })
    }

    /// Where it listens, such as `http://127.0.0.1:4566`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_and_listens_on_its_own_port_only() {
        let one = MiniStack::start().await.unwrap();
        let other = MiniStack::start().await.unwrap();
        assert_ne!(one.url(), other.url());
        let health = reqwest::get(format!("{}/_ministack/health", one.url()))
            .await
            .unwrap();
        assert!(health.status().is_success());
        let url = one.url();
        drop(one);
        assert!(
            reqwest::get(format!("{url}/_ministack/health"))
                .await
                .is_err()
        );
    }
}
