//! What a caller may choose: time, account, quotas, delays, and how images behave. Plain data; does
//! no IO. Every assumption that AWS does not document exactly is a knob here.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::ClockKind;

/// Settings of a [`crate::Simulator`].
#[derive(Debug, Clone)]
pub struct Options {
    /// How time passes.
    pub clock: ClockKind,
    /// AWS's published request rates; `None` enforces nothing.
    pub quotas: Option<Quotas>,
    /// Base URL of the stand-in that answers everything but ECS, such as `http://127.0.0.1:4566`.
    pub upstream: Option<String>,
    /// The account of all ECS resources: 12 digits.
    pub account: String,
    /// The region of all ECS resources.
    pub region: String,
    /// For how long after CreateService the service is MISSING to readers (simulated time).
    pub describe_lag: Duration,
    /// Seed of identifiers and fault dice.
    pub seed: u64,
    /// Delays and assumptions of the model.
    pub timing: Timing,
    /// Whether a task that exits before it counts as healthy is a failed start for the circuit
    /// breaker. The API reference names tasks that do not reach RUNNING or fail health checks;
    /// public reports have crash loops trip the breaker.
    pub early_exit_is_failure: bool,
    /// Whether CreateService and UpdateService ask the stand-in behind whether the subnets exist.
    pub check_subnets: bool,
    /// How images behave that no behaviour was set for.
    pub default_behaviour: Behaviour,
    /// A file to which every request is appended as one line of JSON.
    pub record: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: ClockKind::Manual,
            quotas: None,
            upstream: None,
            account: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            describe_lag: Duration::ZERO,
            seed: 1,
            timing: Timing::default(),
            early_exit_is_failure: true,
            check_subnets: false,
            default_behaviour: Behaviour::default(),
            record: None,
        }
    }
}

/// Factors on the token buckets that AWS publishes (ECS developer guide, Request throttling).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quotas {
    /// Multiplies every sustained rate; 1 is AWS's.
    pub rate_factor: f64,
    /// Multiplies every burst; 1 is AWS's.
    pub burst_factor: f64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            rate_factor: 1.0,
            burst_factor: 1.0,
        }
    }
}

/// Delays that AWS does not publish.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// From the request to stop a task until it is STOPPED.
    pub task_stop: Duration,
    /// From the last task's end until a deleted service is INACTIVE.
    pub draining: Duration,
    /// For how long an INACTIVE service can be described before it is MISSING.
    pub inactive_kept: Duration,
    /// Wait after the third failed start in a row, doubled by each further one, at most 15 minutes
    /// (ECS developer guide, Service throttle logic, gives the limit only).
    pub start_backoff: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            task_stop: Duration::from_secs(5),
            draining: Duration::from_secs(5),
            inactive_kept: Duration::from_hours(1),
            start_backoff: Duration::from_secs(10),
        }
    }
}

/// How the tasks of an image or a service behave. Durations are in seconds of simulated time on the
/// wire (`start_delay_seconds` and so on).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// From the start of a task to RUNNING (or to the failed pull).
    #[serde(with = "seconds", rename = "start_delay_seconds")]
    pub start_delay: Duration,
    /// The essential container exits this long after RUNNING.
    #[serde(with = "optional_seconds", rename = "exits_after_seconds")]
    pub exits_after: Option<Duration>,
    /// Its exit code.
    pub exit_code: i64,
    /// Whether the container health check ever passes.
    pub healthy: bool,
    /// From RUNNING to the first passing health check, at least one interval.
    #[serde(with = "seconds", rename = "healthy_after_seconds")]
    pub healthy_after: Duration,
    /// The image cannot be pulled.
    pub cannot_pull: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            start_delay: Duration::from_secs(15),
            exits_after: None,
            exit_code: 1,
            healthy: true,
            healthy_after: Duration::ZERO,
            cannot_pull: false,
        }
    }
}

impl Behaviour {
    pub(crate) fn healthy_after(&self) -> Option<Duration> {
        self.healthy.then_some(self.healthy_after)
    }
}

/// What a behaviour is set for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Tasks whose first essential container runs this image, exactly as in the task definition.
    Image(String),
    /// Tasks of the service of this name, in any cluster; wins over the image.
    Service(String),
}

mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(value.as_secs_f64())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(from)?;
        Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
    }
}

mod optional_seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "the signature serde asks for")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(|value| value.as_secs_f64()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        Option::<f64>::deserialize(from)?
            .map(|seconds| Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom))
            .transpose()
    }
}
