//! The operator with AWS's rates lifted: the same code as the operator's `run` with the same flags, so that what it can do
//! itself shows. Runs until it is killed.

use std::ffi::OsString;

use anyhow::Result;
use clap::Parser;
use privateservice_runtime::{Config, connect, run as run_operator, telemetry};
use tokio_util::sync::CancellationToken;

/// So much faster than AWS grants that it never matters.
const FASTER: f64 = 10_000.0;

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    config: Config,
}

pub(crate) fn run() -> Result<()> {
    let flags: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut config = Flags::parse_from(flags).config;
    config.quotas = config.quotas.scaled(FASTER, FASTER);
    // An error means that it is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    telemetry::start(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let client = connect().await?;
        run_operator(config, client, CancellationToken::new()).await
    })
}
