//! The flags of `run`, each with an environment variable, and what in-process tests may shorten. No IO.
//!
//! Invariant: a `Config` that came from the command line is within its ranges.

use clap::{Args, ValueEnum};
use privateservice_aws::{ConnectorConfig, Permit, QuotaTable, Timing};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// How the operator runs.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Environment of a PrivateService that names none.
    #[arg(long, env = "PRIVATESERVICE_DEFAULT_ENVIRONMENT", value_name = "NAME")]
    pub default_environment: Option<String>,

    /// Seconds between two complete readings of AWS, 1 to 86400.
    #[arg(
        long = "sweep-interval-seconds",
        env = "PRIVATESERVICE_SWEEP_INTERVAL_SECONDS",
        value_name = "SECONDS",
        default_value = "300",
        value_parser = sweep_interval
    )]
    pub sweep_interval: Duration,

    /// PrivateServices reconciled at the same time; 0 is no limit. A pass never waits for AWS's rate limits or for a read (it queues and
    /// ends), so that no limit is needed to stay within them.
    #[arg(
        long,
        env = "PRIVATESERVICE_CONCURRENCY",
        value_name = "COUNT",
        default_value_t = 0
    )]
    pub concurrency: u16,

    /// Where /livez, /readyz and /metrics are served. Port 0 takes a free one; the log says which.
    #[arg(
        long,
        env = "PRIVATESERVICE_ADMIN_ADDRESS",
        value_name = "ADDRESS",
        default_value_t = ADMIN_ADDRESS
    )]
    pub admin_address: SocketAddr,

    /// Kubernetes namespaces whose PrivateServices are managed, separated by commas. Absent: all.
    #[arg(
        long,
        env = "PRIVATESERVICE_WATCH_NAMESPACES",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    pub watch_namespaces: Vec<String>,

    /// Label selector of the PrivateServices that are managed. Absent: all.
    #[arg(long, env = "PRIVATESERVICE_WATCH_SELECTOR", value_name = "SELECTOR")]
    pub watch_selector: Option<String>,

    /// Whether Kubernetes Secrets are read (`secretKeyRef`, `secretRef`). With false, such a reference is refused.
    #[arg(
        long,
        env = "PRIVATESERVICE_KUBERNETES_SECRETS",
        value_name = "BOOLEAN",
        default_value_t = true,
        action = clap::ArgAction::Set
    )]
    pub kubernetes_secrets: bool,

    /// Label selector of the Kubernetes Secrets that are read. Absent: all.
    #[arg(long, env = "PRIVATESERVICE_SECRET_SELECTOR", value_name = "SELECTOR")]
    pub secret_selector: Option<String>,

    /// Work only while holding a Lease, so that several replicas can run and one of them works at a time.
    #[arg(long, env = "PRIVATESERVICE_LEADER_ELECT")]
    pub leader_elect: bool,

    /// Kubernetes namespace of the Lease, and of the Secret with the key of the ids of secrets' versions. Absent: the one of the service account or of the kubeconfig.
    #[arg(long, env = "PRIVATESERVICE_LEASE_NAMESPACE", value_name = "NAME")]
    pub lease_namespace: Option<String>,

    /// Name of the Lease. Replicas of one installation share it.
    #[arg(
        long,
        env = "PRIVATESERVICE_LEASE_NAME",
        value_name = "NAME",
        default_value = LEASE_NAME
    )]
    pub lease_name: String,

    /// Form of log lines.
    #[arg(long, env = "PRIVATESERVICE_LOG_FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,

    /// Which log lines are written, as tracing's filter directives, such as `info,privateservice_aws=debug`.
    #[arg(
        long,
        env = "PRIVATESERVICE_LOG_FILTER",
        value_name = "FILTER",
        default_value = LOG_FILTER
    )]
    pub log_filter: String,

    /// The share of each AWS rate this installation may use, above 0 and at most 1.
    #[arg(
        long,
        env = "PRIVATESERVICE_QUOTA_SHARE",
        value_name = "SHARE",
        default_value_t = QUOTA_SHARE,
        value_parser = quota_share
    )]
    pub quota_share: f64,

    /// Name of this installation in the ownership tag; keep it when the cluster is rebuilt. Absent: the uid of the namespace
    /// kube-system.
    #[arg(long, env = "PRIVATESERVICE_CLUSTER_ID", value_name = "ID", value_parser = cluster_id)]
    pub cluster_id: Option<String>,

    /// Durations of the AWS side; `sweep_interval` above replaces the one in here.
    #[arg(skip)]
    pub timing: Timing,

    /// AWS's rates.
    #[arg(skip = QuotaTable::published())]
    pub quotas: QuotaTable,

    /// How soon an Environment that is not Ready is looked at again.
    #[arg(skip = ENVIRONMENT_RETRY)]
    pub environment_retry: Duration,
}

/// Form of log lines.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// For people.
    Text,
}

const ADMIN_ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8080);
// kube's own spans repeat what ours say.
const LOG_FILTER: &str = "info,kube=warn";
const LEASE_NAME: &str = "privateservice-operator";
const QUOTA_SHARE: f64 = 0.8;
const ENVIRONMENT_RETRY: Duration = Duration::from_secs(30);
/// Longest cluster id. An AWS tag value takes 256 characters, and the ownership tag holds a namespace (63) and a name (48) too.
const CLUSTER_ID_LIMIT: usize = 128;

impl Default for Config {
    fn default() -> Self {
        Self {
            default_environment: None,
            sweep_interval: Duration::from_mins(5),
            concurrency: 0,
            admin_address: ADMIN_ADDRESS,
            watch_namespaces: vec![],
            watch_selector: None,
            kubernetes_secrets: true,
            secret_selector: None,
            leader_elect: false,
            lease_namespace: None,
            lease_name: LEASE_NAME.into(),
            log_format: LogFormat::default(),
            log_filter: LOG_FILTER.into(),
            quota_share: QUOTA_SHARE,
            cluster_id: None,
            timing: Timing::default(),
            quotas: QuotaTable::published(),
            environment_retry: ENVIRONMENT_RETRY,
        }
    }
}

impl Config {
    /// The part of it that the AWS side needs, which changes something only while `permit` lasts.
    pub fn connector(&self, permit: Permit) -> ConnectorConfig {
        ConnectorConfig {
            quota_share: self.quota_share,
            quotas: self.quotas.clone(),
            timing: Timing {
                sweep_interval: self.sweep_interval,
                ..self.timing.clone()
            },
            permit,
        }
    }
}

fn sweep_interval(text: &str) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err("write a whole number of seconds from 1 to 86400".into()),
    }
}

fn quota_share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("write a number above 0 and at most 1, such as 0.8".into()),
    }
}

fn cluster_id(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if text.is_empty() || text.len() > CLUSTER_ID_LIMIT || !text.chars().all(allowed) {
        return Err(format!(
            "write 1 to {CLUSTER_ID_LIMIT} of letters, digits, '-', '_', '.' and '/'"
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
