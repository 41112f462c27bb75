//! The operator's command line: `run`, `crds`, `iam-policy`, `version`. Everything else is in the crates below.

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use privateservice_aws::permissions::policy::{Policy, assume_roles};
use privateservice_runtime::{Config, telemetry};
use std::io::Write as _;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Runs PrivateServices on Amazon ECS.
#[derive(Parser)]
#[command(name = "privateservice-operator", version)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the operator until SIGTERM or SIGINT.
    Run(Box<Config>),
    /// Prints the CustomResourceDefinitions as YAML.
    Crds,
    /// Prints the least IAM policy as JSON.
    IamPolicy(IamPolicy),
    /// Prints the version.
    Version,
}

#[derive(Args)]
struct IamPolicy {
    #[command(flatten)]
    scope: Scope,

    /// Partition of the ARNs in it.
    #[arg(long, value_enum, default_value_t)]
    partition: Partition,
}

/// What the policy is for.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Scope {
    /// For the operator: services, and Environments whose parts exist.
    #[arg(long)]
    services: bool,

    /// For the operator, beside the one above: Environments that make their parts as a CloudFormation stack.
    #[arg(long)]
    foundation: bool,

    /// For the role that CloudFormation works with (`spec.foundation.cloudFormationRoleArn`); without one, for the operator.
    #[arg(long)]
    foundation_resources: bool,

    /// For the operator, if Environments name roles that it assumes (`spec.assumeRole`): their ARNs. The roles themselves need the policies
    /// above, each in its account.
    #[arg(long, value_name = "ROLE_ARN", num_args = 1..)]
    assume_role: Vec<String>,
}

/// A set of Regions with accounts of its own.
#[derive(ValueEnum, Clone, Copy, Default)]
enum Partition {
    /// Most Regions.
    #[default]
    Aws,
    /// China.
    AwsCn,
    /// AWS GovCloud (US).
    AwsUsGov,
}

fn main() -> ExitCode {
    let result = match Program::parse().command {
        Command::Run(config) => run(*config),
        Command::Crds => crds(),
        Command::IamPolicy(wanted) => iam_policy(&wanted),
        Command::Version => print(&format!("{}\n", env!("CARGO_PKG_VERSION"))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line with the whole chain of causes.
            let line = telemetry::chain(error.as_ref());
            let _ = writeln!(std::io::stderr(), "privateservice-operator: {line}");
            ExitCode::FAILURE
        }
    }
}

fn run(config: Config) -> anyhow::Result<()> {
    // One provider for Kubernetes and AWS alike; an error means that it is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    telemetry::start(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let result = runtime.block_on(async {
        let shutdown = CancellationToken::new();
        stop_on_signals(shutdown.clone())?;
        let client = privateservice_runtime::connect()
            .await
            .context("cannot connect to Kubernetes (KUBECONFIG or the in-cluster account)")?;
        privateservice_runtime::run(config, client, shutdown).await
    });
    // What is left (a pass beyond its grace) is not waited for.
    runtime.shutdown_background();
    result
}

/// The first signal asks to stop; the second one ends the process.
fn stop_on_signals(shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if shutdown.is_cancelled() {
                std::process::exit(1);
            }
            shutdown.cancel();
        }
    });
    Ok(())
}

fn crds() -> anyhow::Result<()> {
    let documents = privateservice_api::crd::yaml().context("cannot write the CRDs as YAML")?;
    let texts: Vec<String> = documents.into_iter().map(|(_, text)| text).collect();
    print(&texts.join("---\n"))
}

fn iam_policy(wanted: &IamPolicy) -> anyhow::Result<()> {
    if !wanted.scope.assume_role.is_empty() {
        let document = assume_roles(&wanted.scope.assume_role);
        return print(
            &(serde_json::to_string_pretty(&document).context("cannot write JSON")? + "\n"),
        );
    }
    let policy = if wanted.scope.services {
        Policy::Services
    } else if wanted.scope.foundation {
        Policy::Foundation
    } else {
        Policy::FoundationResources
    };
    let partition = match wanted.partition {
        Partition::Aws => "aws",
        Partition::AwsCn => "aws-cn",
        Partition::AwsUsGov => "aws-us-gov",
    };
    let document = policy.document(partition);
    print(&(serde_json::to_string_pretty(&document).context("cannot write JSON")? + "\n"))
}

fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        // The reader has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to standard output"),
    }
}
