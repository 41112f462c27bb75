//! Stopped tasks as DescribeTasks shows them: those that failed, without those that were stopped on purpose. Pure.

use super::timestamp;
use crate::classify::readable;
use aws_sdk_ecs::types as sdk;
use privateservice_core::names;
use privateservice_core::observed::{StoppedContainer, StoppedTask, StoppedTasks};

/// Tasks that are kept: several times what status shows.
const KEPT: usize = 20;

/// The newest failed ones of these tasks, newest first.
pub(crate) fn stopped_tasks(found: &[sdk::Task]) -> StoppedTasks {
    let mut failed: Vec<(StoppedTask, bool)> = found
        .iter()
        .filter(|task| has_failed(task))
        .filter_map(|task| Some((stopped_task(task)?, task.last_status() == Some("STOPPED"))))
        .collect();
    failed.sort_by(|(a, _), (b, _)| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    failed.truncate(KEPT);
    StoppedTasks {
        settled: failed.iter().all(|(_, ended)| *ended),
        tasks: failed.into_iter().map(|(task, _)| task).collect(),
    }
}

/// ECS stops tasks for scaling, a newer deployment or another zone, and people stop them: none of that is a failure. Of what its scheduler
/// stops only health checks are (ECS developer guide, Stopped tasks error messages).
fn has_failed(task: &sdk::Task) -> bool {
    let reason = task.stopped_reason().unwrap_or_default().to_lowercase();
    match task.stop_code() {
        Some(sdk::TaskStopCode::UserInitiated) => false,
        Some(sdk::TaskStopCode::ServiceSchedulerInitiated) => {
            reason.contains("health") && !reason.contains("scaling activity")
        }
        Some(_) | None => true,
    }
}

fn stopped_task(found: &sdk::Task) -> Option<StoppedTask> {
    let mut containers: Vec<StoppedContainer> = found
        .containers()
        .iter()
        .map(|container| StoppedContainer {
            name: container.name().unwrap_or_default().to_owned(),
            exit_code: container.exit_code(),
            reason: container.reason().map(readable),
            unhealthy: container.health_status() == Some(&sdk::HealthStatus::Unhealthy),
        })
        .collect();
    containers.sort_by(|a, b| a.name.cmp(&b.name));
    Some(StoppedTask {
        id: names::last_segment(found.task_arn()?).to_owned(),
        started_by: found.started_by().map(str::to_owned),
        task_definition: found.task_definition_arn().unwrap_or_default().to_owned(),
        stop_code: found.stop_code().map(|code| code.as_str().to_owned()),
        reason: found.stopped_reason().map(readable),
        containers,
        started: found.started_at().is_some(),
        at: found
            .stopped_at()
            .or(found.stopping_at())
            .or(found.execution_stopped_at())
            .and_then(timestamp),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecs::primitives::DateTime;

    fn task(id: &str, code: &str, reason: &str, at: i64) -> sdk::Task {
        sdk::Task::builder()
            .task_arn(format!("arn:aws:ecs:us-east-1:1:task/flexstack/{id}"))
            .stop_code(code.into())
            .stopped_reason(reason)
            .last_status("STOPPED")
            .stopped_at(DateTime::from_secs(at))
            .build()
    }

    fn ids(tasks: &[sdk::Task]) -> Vec<String> {
        let stopped = stopped_tasks(tasks);
        stopped.tasks.into_iter().map(|task| task.id).collect()
    }

    #[test]
    fn what_was_stopped_on_purpose_is_no_failure() {
        let scaling = "Scaling activity initiated by (deployment ecs-svc/1)";
        let kept = ids(&[
            task("scaled", "ServiceSchedulerInitiated", scaling, 1),
            task("person", "UserInitiated", "Task stopped by user", 2),
            task("zone", "ServiceSchedulerInitiated", "rebalancing", 3),
            task(
                "sick",
                "ServiceSchedulerInitiated",
                "Task failed container health checks",
                4,
            ),
            task(
                "pull",
                "TaskFailedToStart",
                "CannotPullContainerError: not found",
                5,
            ),
            task(
                "exit",
                "EssentialContainerExited",
                "Essential container in task exited",
                6,
            ),
            task(
                "spot",
                "SpotInterruption",
                "Your Spot Task was interrupted.",
                7,
            ),
            task("notice", "TerminationNotice", "", 8),
        ]);
        assert_eq!(kept, ["notice", "spot", "exit", "pull", "sick"]);
    }

    #[test]
    fn the_newest_twenty_are_kept() {
        let tasks: Vec<sdk::Task> = (0..25)
            .map(|at| task(&format!("t{at}"), "TaskFailedToStart", "", at))
            .collect();
        let kept = ids(&tasks);
        assert_eq!(
            (kept.len(), kept[0].as_str(), kept[19].as_str()),
            (20, "t24", "t5")
        );
    }

    #[test]
    fn one_on_its_way_down_is_not_settled() {
        let down = sdk::Task::builder()
            .task_arn("arn/1")
            .stop_code(sdk::TaskStopCode::EssentialContainerExited)
            .last_status("DEPROVISIONING")
            .stopping_at(DateTime::from_secs(3))
            .build();
        let stopped = stopped_tasks(&[down]);
        assert!(!stopped.settled);
        assert_eq!(stopped.tasks[0].at.unwrap().as_second(), 3);
        assert!(stopped_tasks(&[]).settled);
    }
}
