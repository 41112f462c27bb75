//! A service deployment as DescribeServiceDeployments shows it. Pure.

use super::timestamp;
use crate::classify::readable;
use aws_sdk_ecs::types as sdk;
use privateservice_core::observed::{ServiceDeployment, ServiceDeploymentStatus};

/// The service deployment, unless the answer lacks its ARN or shows a status that nobody knows.
pub(crate) fn service_deployment(found: &sdk::ServiceDeployment) -> Option<ServiceDeployment> {
    use sdk::ServiceDeploymentStatus as Status;
    let status = match found.status()? {
        Status::Pending => ServiceDeploymentStatus::Pending,
        Status::InProgress => ServiceDeploymentStatus::InProgress,
        Status::StopRequested => ServiceDeploymentStatus::StopRequested,
        Status::Stopped => ServiceDeploymentStatus::Stopped,
        Status::Successful => ServiceDeploymentStatus::Successful,
        Status::RollbackRequested => ServiceDeploymentStatus::RollbackRequested,
        Status::RollbackInProgress => ServiceDeploymentStatus::RollbackInProgress,
        Status::RollbackSuccessful => ServiceDeploymentStatus::RollbackSuccessful,
        Status::RollbackFailed => ServiceDeploymentStatus::RollbackFailed,
        _ => return None,
    };
    let breaker = found.deployment_circuit_breaker();
    let target = found.target_service_revision();
    let tasks =
        |count: fn(&sdk::ServiceRevisionSummary) -> i32| target.map(count).unwrap_or_default();
    let mut triggered_alarms: Vec<String> = found
        .alarms()
        .map(|alarms| alarms.triggered_alarm_names().to_vec())
        .unwrap_or_default();
    triggered_alarms.sort();
    Some(ServiceDeployment {
        arn: found.service_deployment_arn()?.to_owned(),
        status,
        reason: found.status_reason().map(readable),
        rollback_reason: found
            .rollback()
            .and_then(sdk::Rollback::reason)
            .map(readable),
        has_source: !found.source_service_revisions().is_empty(),
        breaker_triggered: breaker.and_then(sdk::ServiceDeploymentCircuitBreaker::status)
            == Some(&sdk::ServiceDeploymentRollbackMonitorsStatus::Triggered),
        failed_tasks: breaker
            .map(sdk::ServiceDeploymentCircuitBreaker::failure_count)
            .unwrap_or_default(),
        triggered_alarms,
        desired_count: tasks(sdk::ServiceRevisionSummary::requested_task_count),
        running_count: tasks(sdk::ServiceRevisionSummary::running_task_count),
        pending_count: tasks(sdk::ServiceRevisionSummary::pending_task_count),
        created_at: found.created_at().and_then(timestamp),
        finished_at: found
            .finished_at()
            .or(found.stopped_at())
            .and_then(timestamp),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(status: &str) -> sdk::builders::ServiceDeploymentBuilder {
        sdk::ServiceDeployment::builder()
            .service_deployment_arn("arn:1")
            .status(status.into())
    }

    #[test]
    fn the_first_deployment_has_nothing_to_go_back_to() {
        let first = service_deployment(&found("IN_PROGRESS").build()).unwrap();
        assert!(!first.has_source);
        let old = sdk::ServiceRevisionSummary::builder().arn("old").build();
        let second = found("PENDING").source_service_revisions(old).build();
        assert!(service_deployment(&second).unwrap().has_source);
    }

    #[test]
    fn a_stopped_one_ended_when_it_stopped() {
        let stopped = found("STOPPED").stopped_at(aws_sdk_ecs::primitives::DateTime::from_secs(7));
        let stopped = service_deployment(&stopped.build()).unwrap();
        assert_eq!(stopped.status, ServiceDeploymentStatus::Stopped);
        assert_eq!(stopped.finished_at.unwrap().as_second(), 7);
    }

    #[test]
    fn a_status_nobody_knows_is_not_read() {
        assert!(service_deployment(&found("HIBERNATING").build()).is_none());
    }
}
