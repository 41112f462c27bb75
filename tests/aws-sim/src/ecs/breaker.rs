//! The deployment circuit breaker and the back-off of failing starts. In: failed and healthy tasks of
//! the PRIMARY deployment. Out: its counters. Pure.

use std::time::Duration;

use serde_json::Value;

use super::service::Service;
use crate::clock::Moment;
use crate::options::Timing;
use crate::random::Random;

/// The longest wait between failing starts (ECS developer guide, Service throttle logic).
const LONGEST_BACKOFF: Duration = Duration::from_mins(15);

/// Failed starts in a row after which a service starts tasks more slowly.
const FAILURES_BEFORE_BACKOFF: u32 = 3;

/// Failures at which a deployment fails: `None` when the circuit breaker is off. `configuration` is a
/// service's `deploymentConfiguration`.
///
/// `BOUNDED_PERCENT` is a percentage of the desired count, rounded up, between 3 and 200; the
/// default is 50 (ECS API reference, ThresholdConfiguration).
pub(crate) fn threshold(configuration: &Value, desired: u32) -> Option<u32> {
    let breaker = &configuration["deploymentCircuitBreaker"];
    if !breaker["enable"].as_bool().unwrap_or(false) {
        return None;
    }
    let configuration = &breaker["thresholdConfiguration"];
    let value = configuration["value"]
        .as_u64()
        .and_then(|value| u32::try_from(value).ok())
        .unwrap_or(50);
    let share = (desired.saturating_mul(value)).div_ceil(100);
    Some(match configuration["type"].as_str() {
        Some("COUNT") => value.max(1),
        Some("UNBOUNDED_PERCENT") => share.max(1),
        _ => share.clamp(3, 200),
    })
}

/// Takes note that a task of the PRIMARY deployment failed to start or failed its health check.
pub(crate) fn count_failure(service: &mut Service, now: Moment, timing: &Timing, ids: &mut Random) {
    let Some(primary) = service.deployments.first_mut() else {
        return;
    };
    primary.failed_tasks += 1;
    primary.updated = now;
    let failures = primary.failed_tasks;
    if failures >= FAILURES_BEFORE_BACKOFF {
        let doublings = (failures - FAILURES_BEFORE_BACKOFF).min(16);
        let wait = timing
            .start_backoff
            .saturating_mul(1 << doublings)
            .min(LONGEST_BACKOFF);
        primary.not_before = now + wait;
    }
    note(service, now, failures);
    if failures == FAILURES_BEFORE_BACKOFF {
        let text = "is unable to consistently start tasks successfully. For more information, see \
                    the Troubleshooting section of the Amazon ECS Developer Guide.";
        service.say(ids.uuid(), now, text);
    }
}

/// Takes note that a task of the PRIMARY deployment became healthy.
pub(crate) fn count_success(service: &mut Service, now: Moment) {
    let breaker = &service.settings["deploymentConfiguration"]["deploymentCircuitBreaker"];
    let resets = breaker["resetOnHealthyTask"].as_bool().unwrap_or(true);
    if let Some(primary) = service.deployments.first_mut().filter(|_| resets) {
        primary.failed_tasks = 0;
        primary.not_before = now;
        note(service, now, 0);
    }
}

/// The counter as the service deployment shows it: that of the deployment itself, not of its rollback.
fn note(service: &mut Service, now: Moment, failures: u32) {
    let of_rollout = service
        .primary()
        .filter(|primary| !primary.is_rollback)
        .map(|primary| primary.record.clone());
    let record = of_rollout.and_then(|arn| service.record(&arn));
    if let Some(record) = record.filter(|record| record.is_open()) {
        record.failures = failures;
        record.updated = now;
    }
}
