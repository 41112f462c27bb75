//! What a caller may choose: time, account, quotas and delays. Plain data; does no IO. Every
//! assumption that AWS does not document exactly is a knob here.

use std::path::PathBuf;
use std::time::Duration;

use crate::behaviour::Behaviour;
use crate::clock::ClockKind;

/// Settings of a [`crate::Simulator`].
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Options {
    /// How time passes.
    pub clock: ClockKind,
    /// AWS's published request rates; `None` enforces nothing.
    pub quotas: Option<Quotas>,
    /// Base URL of the stand-in that answers what the simulator does not, such as `http://127.0.0.1:4566`.
    pub upstream: Option<String>,
    /// The account of all ECS resources and secrets: 12 digits.
    pub account: String,
    /// The region of all ECS resources and secrets.
    pub region: String,
    /// For how long after CreateService the service is MISSING to readers (simulated time).
    pub describe_lag: Duration,
    /// For how long after UpdateService readers see the service as it was before (simulated time).
    pub update_lag: Duration,
    /// Neither `currentServiceDeployment` nor `currentServiceRevisions` is shown, and the operations
    /// on service deployments and revisions are unknown: an older ECS, or an emulator.
    pub hide_service_deployments: bool,
    /// When a service shows `currentServiceDeployment`.
    pub current_deployment: CurrentDeployment,
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
    /// Whether a task stops that names a secret of this account and Region that cannot be read. Otherwise it starts without.
    pub check_secrets: bool,
    /// Whether ECS tells EventBridge what happens. Delivered with [`crate::Simulator::settle`], and all the time under a real clock, to the queues
    /// that rules in the stand-in behind name.
    pub events: bool,
    /// How images behave that no behaviour was set for.
    pub default_behaviour: Behaviour,
    /// How Application Auto Scaling and the alarms of CloudWatch behave; `None` leaves both to the stand-in behind.
    pub scaling: Option<ScalingOptions>,
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
            update_lag: Duration::ZERO,
            hide_service_deployments: false,
            current_deployment: CurrentDeployment::default(),
            seed: 1,
            timing: Timing::default(),
            early_exit_is_failure: true,
            check_subnets: false,
            check_secrets: false,
            events: false,
            default_behaviour: Behaviour::default(),
            scaling: Some(ScalingOptions::default()),
            record: None,
        }
    }
}

/// Assumptions on Application Auto Scaling and CloudWatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScalingOptions {
    /// Scalable targets at most (AWS General Reference, Application Auto Scaling quotas; adjustable).
    pub targets: usize,
    /// For how long after its registration a new target is not found by policies and scheduled actions ("a brief delay until
    /// the operation achieves eventual consistency").
    pub register_lag: Duration,
    /// From the end of a minute until alarms see its data points; whole minutes count.
    pub metric_delay: Duration,
    /// How many data points an alarm looks at besides those of its evaluation periods, where some of these are missing. The
    /// CloudWatch user guide's example has two; "the exact number ... depends".
    pub extra_datapoints: usize,
    /// After this long a scaling that ECS has not fulfilled is given up.
    pub unfulfilled_after: Duration,
    /// Whether no policy scales in during the cooldown after a scale-out.
    pub out_cooldown_blocks_in: bool,
}

impl Default for ScalingOptions {
    fn default() -> Self {
        Self {
            targets: 3000,
            register_lag: Duration::ZERO,
            metric_delay: Duration::ZERO,
            extra_datapoints: 2,
            unfulfilled_after: Duration::from_mins(30),
            out_cooldown_blocks_in: true,
        }
    }
}

/// When a service shows `currentServiceDeployment`. The API reference says no more than "the ARN of the
/// current service deployment".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CurrentDeployment {
    /// From the answer of UpdateService on, and also after it has ended.
    #[default]
    Always,
    /// As `Always`, but not in the answer of UpdateService.
    NotInAnswers,
    /// Only until it has ended.
    WhileOpen,
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
    /// For how long a deployment with alarms stays IN_PROGRESS after its tasks are healthy. AWS
    /// computes it from the alarms; usually below 5 minutes (ECS developer guide, How CloudWatch alarms
    /// detect Amazon ECS deployment failures).
    pub alarm_bake: Duration,
    /// From the failure of a deployment until the deployment that rolls it back exists.
    pub rollback_begins: Duration,
    /// From the update that supersedes a service deployment (STOP_REQUESTED) until it is STOPPED.
    pub superseded_stops: Duration,
    /// From one failed attempt to place a task until the next.
    pub capacity_retry: Duration,
    /// From a deletion of a secret without recovery until its name is free (Secrets Manager API reference, DeleteSecret:
    /// "there might be a short delay").
    pub forced_secret_deletion: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            task_stop: Duration::from_secs(5),
            draining: Duration::from_secs(5),
            inactive_kept: Duration::from_hours(1),
            start_backoff: Duration::from_secs(10),
            alarm_bake: Duration::from_mins(1),
            rollback_begins: Duration::from_secs(1),
            superseded_stops: Duration::from_secs(5),
            capacity_retry: Duration::from_mins(3),
            forced_secret_deletion: Duration::from_secs(5),
        }
    }
}
