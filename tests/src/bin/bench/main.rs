//! `make bench`: what many services cost - AWS calls, time, memory - with and without AWS's published request rates. Starts a
//! control plane, a simulated AWS and the operator for each measurement, and prints a table at the end.
//!
//! Nothing here passes or fails. `BENCH=quick` measures fewer services.

mod edit;
mod lifted;
mod many;
mod report;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};

#[derive(Parser)]
#[command(about = "Measures what many services cost")]
struct Cli {
    /// What to measure; all of it unless something is named.
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// How many services in `free` and `quotas`.
    #[arg(long, value_delimiter = ',')]
    services: Vec<usize>,
    /// Measure fewer services.
    #[arg(long, env = "BENCH", value_parser = ["quick", "full"], default_value = "full")]
    size: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Many services over four Environments, as fast as the operator can.
    Free,
    /// The same with AWS's published rates enforced: RegisterTaskDefinition is granted once a second.
    Quotas,
    /// 300 services in one Environment with rates enforced, and one that is edited in the middle.
    Edit,
}

fn main() -> ExitCode {
    // The operator of the `free` part is this program again; see `lifted`.
    let done = if std::env::args().nth(1).as_deref() == Some("run") {
        lifted::run()
    } else {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(anyhow::Error::from)
            .and_then(|runtime| runtime.block_on(measure(&Cli::parse())))
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(&format!("bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn measure(cli: &Cli) -> Result<()> {
    let quick = cli.size == "quick";
    let wanted = |part| cli.parts.is_empty() || cli.parts.contains(&part);
    let sizes = match (cli.services.as_slice(), quick) {
        ([], true) => vec![100],
        ([], false) => vec![100, 1000],
        (given, _) => given.to_vec(),
    };
    let mut rows = Vec::new();
    let mut edit = None;
    if wanted(Part::Free) {
        for services in &sizes {
            rows.push(many::measure(*services, false).await?);
        }
    }
    if wanted(Part::Quotas) {
        for services in &sizes {
            rows.push(many::measure(*services, true).await?);
        }
    }
    if wanted(Part::Edit) {
        edit = Some(edit::measure(if quick { 60 } else { 300 }).await?);
    }
    report::rows(&rows);
    if let Some(edit) = edit {
        report::edit(&edit);
    }
    Ok(())
}
