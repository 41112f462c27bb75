//! One task's life. In: when it was created and how its image behaves. Out: its state at any
//! moment. Pure. Invariant: everything that will happen to a task left alone is decided at its
//! creation, so that state is a function of time.

use std::time::Duration;

use serde_json::{Value, json};

use super::scheduler::Phase;
use super::task_secrets::Given;
use crate::behaviour::Behaviour;
use crate::clock::Moment;

/// How long a stopped task can still be described (ECS API reference, ListTasks: "at least one
/// hour").
const STOPPED_TASK_KEPT: Duration = Duration::from_hours(1);

/// A task without a health check counts as healthy after this long in RUNNING (ECS API reference,
/// DeploymentConfiguration).
pub(crate) const HEALTHY_WITHOUT_CHECK_AFTER: Duration = Duration::from_secs(40);

/// The container health check of a task's essential container.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HealthCheck {
    pub(crate) interval: Duration,
    pub(crate) retries: u32,
    pub(crate) start_period: Duration,
}

/// Why a task stops.
#[derive(Debug, Clone)]
pub(crate) struct End {
    pub(crate) code: &'static str,
    pub(crate) reason: String,
    pub(crate) exit_code: Option<i64>,
    /// `reason` of the essential container.
    pub(crate) container_reason: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Stop {
    pub(crate) at: Moment,
    pub(crate) done: Moment,
    pub(crate) end: End,
}

#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) deployment: String,
    /// ARN of its task definition.
    pub(crate) definition: String,
    pub(crate) capacity_provider: Option<String>,
    pub(crate) ip: String,
    /// Names and images.
    pub(crate) containers: Vec<(String, String)>,
    /// Which of them decides over the task: its first essential one.
    pub(crate) essential: usize,
    pub(crate) cpu: String,
    pub(crate) memory: String,
    pub(crate) has_health_check: bool,
    pub(crate) created: Moment,
    pub(crate) pending: Moment,
    /// When it reaches RUNNING; never if it cannot be started.
    pub(crate) running: Option<Moment>,
    pub(crate) healthy: Option<Moment>,
    pub(crate) unhealthy: Option<Moment>,
    /// When it ends by itself.
    pub(crate) ends: Option<(Moment, End)>,
    pub(crate) stop: Option<Stop>,
    /// The health its deployment last took note of.
    pub(crate) counted: Phase,
    /// Cloud Map services that hold an instance for it.
    pub(crate) registered: bool,
    /// Its variables and secrets.
    pub(crate) given: Given,
}

impl Task {
    /// Decides the life of a task from its image's behaviour.
    pub(crate) fn schedule(
        &mut self,
        behaviour: &Behaviour,
        check: Option<HealthCheck>,
        image: &str,
        restarts_after: Option<Duration>,
    ) {
        let started = self.created + behaviour.start_delay;
        self.pending = self.created + behaviour.start_delay / 2;
        if let Some(reason) = behaviour.start_failure(image) {
            let end = End {
                code: "TaskFailedToStart",
                container_reason: Some(reason.clone()),
                reason,
                exit_code: None,
            };
            self.ends = Some((started, end));
            return;
        }
        self.running = Some(started);
        let healthy_after = behaviour.passes_check_after();
        match check {
            None => self.healthy = Some(started + HEALTHY_WITHOUT_CHECK_AFTER),
            Some(check) => {
                let patience = check.start_period + check.interval * check.retries;
                match healthy_after {
                    Some(after) if after < patience => {
                        self.healthy = Some(started + after.max(check.interval));
                    }
                    _ => self.unhealthy = Some(started + patience),
                }
            }
        }
        if let Some(after) = behaviour.exits_after {
            // With a restart policy the agent restarts a container that ran long enough, in place
            // and out of the scheduler's sight (ECS API reference, ContainerRestartPolicy).
            if restarts_after.is_none_or(|period| after < period) {
                let end = End {
                    code: "EssentialContainerExited",
                    reason: "Essential container in task exited".to_owned(),
                    exit_code: Some(behaviour.exit_code),
                    container_reason: behaviour.exit_reason.clone(),
                };
                self.ends = Some((started + after, end));
            }
        }
    }

    /// Whether it can still be listed and described.
    pub(crate) fn is_kept(&self, now: Moment) -> bool {
        self.stop
            .as_ref()
            .is_none_or(|stop| now < stop.done + STOPPED_TASK_KEPT)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.is_some()
    }

    pub(crate) fn is_running(&self, now: Moment) -> bool {
        self.stop.is_none() && self.running.is_some_and(|at| at <= now)
    }

    pub(crate) fn is_pending(&self, now: Moment) -> bool {
        self.stop.is_none() && !self.is_running(now)
    }

    pub(crate) fn phase(&self, now: Moment) -> Phase {
        let past = |at: Option<Moment>| at.is_some_and(|at| at <= now);
        if past(self.unhealthy) {
            Phase::Unhealthy
        } else if past(self.healthy) {
            Phase::Healthy
        } else {
            Phase::Starting
        }
    }

    /// The moment at which traffic and DNS may reach it: RUNNING, and HEALTHY if it is checked.
    pub(crate) fn serves_from(&self) -> Option<Moment> {
        if self.has_health_check {
            self.healthy
        } else {
            self.running
        }
    }

    pub(crate) fn begin_stop(&mut self, now: Moment, end: End, takes: Duration) {
        if self.stop.is_none() {
            self.stop = Some(Stop {
                at: now,
                done: now + takes,
                end,
            });
        }
    }

    /// The next moment after `now` at which something about it changes by itself.
    pub(crate) fn next_change(&self, now: Moment) -> Option<Moment> {
        let own = [
            self.running,
            self.healthy,
            self.unhealthy,
            self.ends.as_ref().map(|(at, _)| *at),
        ];
        let stop = [self.stop.as_ref().map(|stop| stop.done)];
        let moments: &[Option<Moment>] = if self.stop.is_some() { &stop } else { &own };
        moments
            .iter()
            .flatten()
            .copied()
            .filter(|at| *at > now)
            .min()
    }

    pub(crate) fn last_status(&self, now: Moment) -> &'static str {
        match &self.stop {
            Some(stop) if stop.done <= now => "STOPPED",
            Some(stop) if stop.end.code == "TaskFailedToStart" => "DEPROVISIONING",
            Some(_) => "STOPPING",
            None if self.is_running(now) => "RUNNING",
            None if self.pending <= now => "PENDING",
            None => "PROVISIONING",
        }
    }

    pub(crate) fn health(&self, now: Moment) -> &'static str {
        // What a task would have become counts no more once it stops.
        let moment = self.stop.as_ref().map_or(now, |stop| stop.at.min(now));
        match (self.has_health_check, self.phase(moment)) {
            (true, Phase::Healthy) => "HEALTHY",
            (true, Phase::Unhealthy) => "UNHEALTHY",
            _ => "UNKNOWN",
        }
    }

    pub(crate) fn to_json(&self, now: Moment, cluster_arn: &str, service: &str) -> Value {
        let arn = format!(
            "{}/{}",
            cluster_arn.replacen(":cluster/", ":task/", 1),
            self.id
        );
        let last_status = self.last_status(now);
        let containers = self
            .containers
            .iter()
            .enumerate()
            .map(|(index, (name, image))| {
                let mut container = json!({
                    "containerArn": format!("{arn}/{name}").replacen(":task/", ":container/", 1),
                    "taskArn": arn, "name": name, "image": image, "lastStatus": last_status,
                    "healthStatus": if index == self.essential { self.health(now) } else { "UNKNOWN" },
                    "networkInterfaces": [{"privateIpv4Address": self.ip}],
                });
                if let Some(stop) = &self.stop {
                    let is_cause = index == self.essential;
                    if let Some(code) = stop.end.exit_code {
                        // The others are stopped because the essential one exited.
                        let of_itself = stop.end.code == "EssentialContainerExited" && !is_cause;
                        container["exitCode"] = json!(if of_itself { 0 } else { code });
                    }
                    if let Some(reason) = stop.end.container_reason.as_ref().filter(|_| is_cause) {
                        container["reason"] = json!(reason);
                    }
                }
                container
            })
            .collect::<Vec<_>>();
        let mut task = json!({
            "taskArn": arn,
            "clusterArn": cluster_arn,
            "taskDefinitionArn": self.definition,
            "group": format!("service:{service}"),
            "startedBy": self.deployment,
            "launchType": "FARGATE",
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "lastStatus": last_status,
            "desiredStatus": if self.stop.is_some() { "STOPPED" } else { "RUNNING" },
            "healthStatus": self.health(now),
            "connectivity": "CONNECTED",
            "cpu": self.cpu, "memory": self.memory,
            "createdAt": self.created.seconds(),
            "containers": containers,
            "attachments": [{
                "id": format!("{}-eni", self.id), "type": "ElasticNetworkInterface",
                "status": if self.stop.is_some() { "DELETED" } else { "ATTACHED" },
                "details": [{"name": "privateIPv4Address", "value": self.ip}],
            }],
            "version": 1,
        });
        if let Some(provider) = &self.capacity_provider {
            task["capacityProviderName"] = json!(provider);
        }
        let ended = self.stop.as_ref().map_or(now, |stop| stop.at.min(now));
        if let Some(running) = self.running.filter(|at| *at <= ended) {
            task["startedAt"] = json!(running.seconds());
        }
        if let Some(stop) = &self.stop {
            task["stopCode"] = json!(stop.end.code);
            task["stoppedReason"] = json!(stop.end.reason);
            task["stoppingAt"] = json!(stop.at.seconds());
            if stop.done <= now {
                task["stoppedAt"] = json!(stop.done.seconds());
            }
        }
        task
    }
}
