//! Why tasks failed: what ECS still tells of stopped tasks, made into `status.failures`, and recognised causes in a person's words. Pure.
//!
//! ECS forgets a stopped task after about an hour (ECS API reference, ListTasks); status does not.

mod cause;

pub use cause::{Cause, cause};

use crate::console;
use crate::desired::Desired;
use crate::names;
use crate::observed::{RolloutState, Service, StoppedContainer, StoppedTask, StoppedTasks};
use crate::rollout::Judgement;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use privateservice_api::privateservice::TaskFailure;
use std::collections::BTreeMap;

/// Failures that status keeps.
const KEPT: usize = 5;
/// Characters of ECS's words that status keeps.
const WORDS: usize = 500;

/// The newest failures: those known before, and those that ECS describes now; one of the deployment `rollout` always among them.
pub fn failures(
    before: &[TaskFailure],
    stopped: Option<&StoppedTasks>,
    desired: &Desired,
    rollout: Option<&str>,
) -> Vec<TaskFailure> {
    let mut all: Vec<TaskFailure> = stopped
        .into_iter()
        .flat_map(|stopped| &stopped.tasks)
        .map(|task| failure(task, desired))
        .collect();
    let known = before
        .iter()
        .filter(|failure| !all.iter().any(|other| other.task == failure.task))
        .cloned()
        .collect::<Vec<_>>();
    all.extend(known);
    all.sort_by(|a, b| {
        let at = |failure: &TaskFailure| failure.at.as_ref().map(|at| at.0);
        at(b).cmp(&at(a)).then(a.task.cmp(&b.task))
    });
    let own = rollout.and_then(|rollout| newest_of(&all, rollout).cloned());
    all.truncate(KEPT);
    if let Some(own) = own
        && !all.contains(&own)
    {
        all.pop();
        all.push(own);
    }
    all
}

/// The newest failure of a task of this deployment.
pub fn newest_of<'a>(failures: &'a [TaskFailure], deployment: &str) -> Option<&'a TaskFailure> {
    failures
        .iter()
        .find(|failure| failure.deployment.as_deref() == Some(deployment))
}

fn failure(task: &StoppedTask, desired: &Desired) -> TaskFailure {
    let container = telling(&task.containers);
    let container_reason = container.and_then(|container| container.reason.as_deref());
    let reason = match (task.reason.as_deref(), container_reason) {
        // ECS repeats the container's reason as the task's.
        (Some(task), Some(container)) if !task.contains(container) => {
            Some(format!("{task}: {container}"))
        }
        (Some(words), _) | (None, Some(words)) => Some(words.to_owned()),
        (None, None) => None,
    };
    TaskFailure {
        task: task.id.clone(),
        stop_code: task.stop_code.clone(),
        reason: reason.map(|reason| shortened(&reason)),
        exit_code: container.and_then(|container| container.exit_code),
        container: container.map(|container| container.name.clone()),
        // Kubernetes keeps whole seconds.
        at: task
            .at
            .and_then(|at| Timestamp::from_second(at.as_second()).ok())
            .map(Time),
        logs_url: task.started.then(|| logs_url(desired, &task.id)).flatten(),
        deployment: task.started_by.clone(),
        task_definition: Some(names::last_segment(&task.task_definition).to_owned()),
    }
}

/// The container that tells most: one with a reason, else one that exited with an error, else ours.
fn telling(containers: &[StoppedContainer]) -> Option<&StoppedContainer> {
    containers
        .iter()
        .find(|container| container.reason.is_some())
        .or_else(|| {
            containers
                .iter()
                .find(|container| container.exit_code.is_some_and(|code| code != 0))
        })
        .or_else(|| {
            containers
                .iter()
                .find(|container| container.name == names::CONTAINER)
        })
        .or_else(|| containers.first())
}

fn shortened(words: &str) -> String {
    if words.chars().count() <= WORDS {
        return words.to_owned();
    }
    words
        .chars()
        .take(WORDS - 1)
        .chain(std::iter::once('…'))
        .collect()
}

/// The log stream of a task's container in the CloudWatch console; ECS names it `prefix/container/task` (ECS developer guide, awslogs).
/// `None` where output goes elsewhere.
fn logs_url(desired: &Desired, task: &str) -> Option<String> {
    let options = &desired.task_definition.container.log_options;
    let option = |name: &str| options.get(name).map(String::as_str);
    let stream = format!(
        "{}/{}/{task}",
        option("awslogs-stream-prefix")?,
        names::CONTAINER
    );
    Some(console::log_stream(
        names::partition_of(&desired.scope.cluster_arn),
        option("awslogs-region")?,
        option("awslogs-group")?,
        &stream,
    ))
}

/// What makes it worth asking ECS for stopped tasks: failed tasks by deployment, and how many run while too few do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symptoms {
    failed: BTreeMap<String, i32>,
    running: Option<i32>,
    ended: Option<String>,
}

impl Symptoms {
    /// The symptoms that a service shows, and that its rollout is judged to have.
    pub fn of(service: &Service, judgement: Option<&Judgement>) -> Self {
        let settled = service
            .primary()
            .is_some_and(|primary| primary.rollout_state == Some(RolloutState::Completed));
        Self {
            failed: service
                .deployments
                .iter()
                .filter(|deployment| deployment.failed_tasks > 0)
                .map(|deployment| (deployment.id.clone(), deployment.failed_tasks))
                .collect(),
            running: settled.then_some(service.running_count),
            // A failed deployment without tasks is listed for a moment only.
            ended: judgement
                .filter(|judgement| judgement.failed.is_some() && !judgement.unsure)
                .map(|judgement| judgement.id.clone().unwrap_or_default()),
        }
    }

    /// True if something got worse since: another task failed, or fewer run although nothing is being rolled out.
    pub fn is_worse_than(&self, before: &Self, service: &Service) -> bool {
        let more_failed = self
            .failed
            .iter()
            .any(|(id, failed)| before.failed.get(id).is_none_or(|known| known < failed));
        let fewer_run = match (self.running, before.running) {
            (Some(now), Some(before)) => now < before && now < service.desired_count,
            (Some(now), None) => now < service.desired_count,
            (None, _) => false,
        };
        let ended = self.ended.is_some() && self.ended != before.ended;
        more_failed || fewer_run || ended
    }
}

#[cfg(test)]
mod tests;
