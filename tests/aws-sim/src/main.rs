//! `aws-sim serve`: the simulator as a process. In: flags. Out: one line on standard output,
//! `listening on http://...`, then logs on standard error until it is ended.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use aws_sim::{ClockKind, Options, Quotas, ScalingOptions, Simulator, serve};
use clap::{Args, Parser, Subcommand};

#[derive(Parser)]
#[command(about = "A simulator of Amazon ECS over time")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve on a loopback address.
    Serve(Serve),
}

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
struct Serve {
    /// Loopback address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    address: SocketAddr,
    /// Base URL of the stand-in for what the simulator does not answer itself.
    #[arg(long)]
    upstream: Option<String>,
    /// Simulated seconds in a real second.
    #[arg(long, default_value_t = 1.0, conflicts_with = "manual_clock")]
    speed: f64,
    /// Time moves only by POST /_sim/clock/advance.
    #[arg(long)]
    manual_clock: bool,
    /// Enforce AWS's published request rates times this factor.
    #[arg(long)]
    quota_factor: Option<f64>,
    /// Multiplies the published bursts where rates are enforced.
    #[arg(long, default_value_t = 1.0, requires = "quota_factor")]
    burst_factor: f64,
    /// Account of the ECS resources and secrets.
    #[arg(long, default_value = "111122223333")]
    account: String,
    /// Region of the ECS resources and secrets.
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// Simulated seconds for which a new service is MISSING to readers.
    #[arg(long, default_value_t = 0.0)]
    describe_lag: f64,
    /// Simulated seconds for which readers see an updated service as it was before.
    #[arg(long, default_value_t = 0.0)]
    update_lag_seconds: f64,
    /// Show no service deployments and refuse to describe them.
    #[arg(long)]
    hide_service_deployments: bool,
    /// Refuse subnets that the stand-in behind does not know.
    #[arg(long, requires = "upstream")]
    check_subnets: bool,
    /// Stop tasks that name a secret of this account and Region that cannot be read.
    #[arg(long)]
    check_secrets: bool,
    /// Tell EventBridge in the stand-in behind what happens.
    #[arg(long, requires = "upstream")]
    events: bool,
    /// Leave Application Auto Scaling and the alarms of CloudWatch to the stand-in behind.
    #[arg(long)]
    no_scaling: bool,
    /// Seed of identifiers and fault dice.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Append every request to this file as one line of JSON.
    #[arg(long)]
    record: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let Command::Serve(serve_args) = Cli::parse().command;
    run(serve_args).await
}

async fn run(arguments: Serve) -> anyhow::Result<()> {
    anyhow::ensure!(arguments.speed > 0.0, "--speed must be above 0");
    let clock = if arguments.manual_clock {
        ClockKind::Manual
    } else {
        ClockKind::Real {
            speed: arguments.speed,
        }
    };
    let quotas = arguments.quota_factor.map(|rate_factor| Quotas {
        rate_factor,
        burst_factor: arguments.burst_factor,
    });
    let describe_lag =
        Duration::try_from_secs_f64(arguments.describe_lag).context("--describe-lag")?;
    let update_lag = Duration::try_from_secs_f64(arguments.update_lag_seconds)
        .context("--update-lag-seconds")?;
    let simulator = Simulator::new(Options {
        clock,
        quotas,
        upstream: arguments.upstream,
        account: arguments.account,
        region: arguments.region,
        describe_lag,
        update_lag,
        hide_service_deployments: arguments.hide_service_deployments,
        check_subnets: arguments.check_subnets,
        check_secrets: arguments.check_secrets,
        events: arguments.events,
        scaling: (!arguments.no_scaling).then(ScalingOptions::default),
        seed: arguments.seed,
        record: arguments.record,
        ..Options::default()
    })
    .context("cannot open the record file")?;
    let server = serve(simulator, arguments.address)
        .await
        .context("cannot listen")?;
    // The first line is the contract with whoever started this process.
    writeln_stdout(&format!("listening on {}", server.url))?;
    tokio::signal::ctrl_c()
        .await
        .context("cannot wait for a signal")
}

fn writeln_stdout(line: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
