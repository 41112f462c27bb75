//! All of the simulated ECS, and how it moves through time. In: moments and changes by the
//! operations. Out: services brought up to date, and the Cloud Map registrations this implies. No
//! IO. Invariant: after [`World::tick`] no service has anything left to do at or before that moment.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::rollout;
use super::scheduler::{self, Phase, TaskView};
use super::service::{Rollout, Service, Status};
use super::service_connect::Endpoints;
use super::task::{End, HealthCheck, STOPPED_TASK_KEPT, Task};
use super::task_definition::Definitions;
use crate::clock::Moment;
use crate::options::{Behaviour, Options, Subject};
use crate::random::Random;

/// Cluster name and service name.
pub(crate) type ServiceKey = (String, String);

/// A change of a Cloud Map service's instances that follows from a task's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) cloud_map_service: String,
    pub(crate) instance: String,
    /// The key that created the ECS service: the stand-in keeps accounts apart by it.
    pub(crate) access_key: Option<String>,
    /// The attributes of the instance; `None` removes it.
    pub(crate) attributes: Option<BTreeMap<String, String>>,
}

/// A client token already used: what it asked for and what it made.
#[derive(Debug, Clone)]
pub(crate) struct UsedToken {
    pub(crate) request: Value,
    pub(crate) created: Moment,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) ids: Random,
    pub(crate) clusters: BTreeMap<String, Cluster>,
    pub(crate) definitions: Definitions,
    pub(crate) services: BTreeMap<ServiceKey, Service>,
    pub(crate) task_index: HashMap<String, ServiceKey>,
    pub(crate) tokens: HashMap<(String, String), UsedToken>,
    pub(crate) endpoints: Endpoints,
    pub(crate) behaviours: HashMap<Subject, Behaviour>,
    pub(crate) outbox: Vec<Registration>,
    wakes: BTreeSet<(Moment, ServiceKey)>,
    addresses: u32,
}

impl World {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            ids: Random::new(options.seed),
            options,
            clusters: BTreeMap::new(),
            definitions: Definitions::default(),
            services: BTreeMap::new(),
            task_index: HashMap::new(),
            tokens: HashMap::new(),
            endpoints: Endpoints::default(),
            behaviours: HashMap::new(),
            outbox: Vec::new(),
            wakes: BTreeSet::new(),
            addresses: 0,
        }
    }

    /// `arn:aws:ecs:<region>:<account>:<resource>`
    pub(crate) fn arn(&self, resource: &str) -> String {
        format!("arn:aws:ecs:{}:{}:{resource}", self.options.region, self.options.account)
    }

    /// Lets everything happen that is due.
    pub(crate) fn tick(&mut self, now: Moment) {
        while let Some((at, key)) = self.wakes.first().cloned() {
            if at > now {
                break;
            }
            self.touch(&key, at);
        }
    }

    /// Brings one service up to date at `now` and notes when it next needs attention.
    pub(crate) fn touch(&mut self, key: &ServiceKey, now: Moment) {
        let Some(mut service) = self.services.remove(key) else {
            self.wakes.retain(|(_, other)| other != key);
            return;
        };
        if let Some(at) = service.next_wake.take() {
            self.wakes.remove(&(at, key.clone()));
        }
        // Each round settles what the previous one caused; a round that changes nothing ends it.
        while self.step(&mut service, key, now) {}
        service.next_wake = next_wake(&service, now, self.options.timing.draining);
        if let Some(at) = service.next_wake {
            self.wakes.insert((at, key.clone()));
        }
        self.services.insert(key.clone(), service);
    }

    fn step(&mut self, service: &mut Service, key: &ServiceKey, now: Moment) -> bool {
        let mut changed = self.observe_tasks(service, now);
        changed |= self.register_instances(service, now);
        let task_index = &mut self.task_index;
        service.tasks.retain(|id, task| {
            let kept = task.stop.as_ref().is_none_or(|stop| now < stop.done + STOPPED_TASK_KEPT);
            if !kept {
                task_index.remove(id);
            }
            kept
        });
        match service.status {
            Status::Active => {
                let definitions = &self.definitions;
                let is_usable = |arn: &str| definitions.is_active(arn);
                changed |= rollout::settle(service, now, &mut self.ids, &is_usable);
                changed |= self.schedule(service, key, now);
            }
            Status::Draining => changed |= self.drain(service, now),
            Status::Inactive => {}
        }
        changed
    }

    /// Notes what happened to tasks by themselves: failures, health, ends.
    fn observe_tasks(&mut self, service: &mut Service, now: Moment) -> bool {
        let primary = service.primary().map(|primary| primary.id.clone()).unwrap_or_default();
        let in_rollout =
            service.primary().is_some_and(|primary| primary.rollout == Rollout::InProgress);
        let (mut failures, mut successes, mut changed) = (0, 0, false);
        let early_exit_is_failure = self.options.early_exit_is_failure;
        let takes = self.options.timing.task_stop;
        for task in service.tasks.values_mut().filter(|task| !task.is_stopping()) {
            let is_primary = task.deployment == primary;
            let phase = task.phase(now);
            if phase == Phase::Healthy && !task.counted_healthy {
                task.counted_healthy = true;
                successes += u32::from(is_primary);
                changed = true;
            }
            if phase == Phase::Unhealthy && !task.counted_unhealthy {
                task.counted_unhealthy = true;
                failures += u32::from(is_primary);
                changed = true;
            }
            if let Some((_, end)) = task.ends.clone().filter(|(at, _)| *at <= now) {
                let early = !task.counted_healthy && !task.counted_unhealthy;
                let failed = end.code == "TaskFailedToStart" || (early && early_exit_is_failure);
                failures += u32::from(is_primary && failed);
                task.begin_stop(now, end, takes.min(Duration::from_secs(1)));
                changed = true;
            }
        }
        if successes > 0 {
            rollout::count_success(service, now);
        }
        if in_rollout || service.primary().is_some_and(|p| p.rollout == Rollout::Completed) {
            for _ in 0..failures {
                rollout::count_failure(service, now, &self.options.timing, &mut self.ids);
            }
        }
        changed
    }

    fn schedule(&mut self, service: &mut Service, key: &ServiceKey, now: Moment) -> bool {
        let Some(primary) = service.primary().cloned() else { return false };
        let may_start = primary.rollout != Rollout::Failed && primary.not_before <= now;
        let standing: Vec<String> = service
            .tasks
            .values()
            .filter(|task| !task.is_stopping())
            .map(|task| task.id.clone())
            .collect();
        let views: Vec<TaskView> = standing
            .iter()
            .filter_map(|id| service.tasks.get(id))
            .map(|task| TaskView { primary: task.deployment == primary.id, phase: task.phase(now) })
            .collect();
        let decision = scheduler::decide(service.limits(), &views, may_start);
        let takes = self.options.timing.task_stop;
        for id in decision.stop.iter().filter_map(|index| standing.get(*index)) {
            if let Some(task) = service.tasks.get_mut(id) {
                let end = if task.phase(now) == Phase::Unhealthy {
                    End {
                        code: "ServiceSchedulerInitiated",
                        reason: "Task failed container health checks".to_owned(),
                        exit_code: Some(137),
                    }
                } else {
                    rollout::scheduler_stop(&task.deployment)
                };
                task.begin_stop(now, end, takes);
            }
        }
        if !decision.stop.is_empty() {
            let text = format!("has stopped {} running tasks.", decision.stop.len());
            service.say(self.ids.uuid(), now, &text);
        }
        for _ in 0..decision.start {
            self.start_task(service, key, &primary.id, &primary.revision, now);
        }
        if decision.start > 0 {
            service.say(self.ids.uuid(), now, &format!("has started {} tasks.", decision.start));
        }
        decision.start > 0 || !decision.stop.is_empty()
    }

    fn start_task(
        &mut self,
        service: &mut Service,
        key: &ServiceKey,
        deployment: &str,
        revision: &str,
        now: Moment,
    ) {
        let Some(members) = service.revision(revision).map(|revision| revision.members.clone())
        else {
            return;
        };
        let arn = members.get("taskDefinition").and_then(Value::as_str).unwrap_or_default();
        let definition = self.definitions.by_arn(arn).map(|found| found.shown.clone());
        let definition = definition.unwrap_or_else(|| json!({}));
        let containers = definition["containerDefinitions"].as_array().cloned().unwrap_or_default();
        let essential = containers
            .iter()
            .find(|container| container["essential"] != json!(false))
            .cloned()
            .unwrap_or_default();
        let image = essential["image"].as_str().unwrap_or_default().to_owned();
        let behaviour = self
            .behaviours
            .get(&Subject::Service(service.name.clone()))
            .or_else(|| self.behaviours.get(&Subject::Image(image.clone())))
            .unwrap_or(&self.options.default_behaviour)
            .clone();
        let seconds =
            |value: &Value, otherwise: u64| Duration::from_secs(value.as_u64().unwrap_or(otherwise));
        let check = essential["healthCheck"].is_object().then(|| HealthCheck {
            interval: seconds(&essential["healthCheck"]["interval"], 30),
            retries: essential["healthCheck"]["retries"]
                .as_u64()
                .and_then(|retries| u32::try_from(retries).ok())
                .unwrap_or(3),
            start_period: seconds(&essential["healthCheck"]["startPeriod"], 0),
        });
        let restart = &essential["restartPolicy"];
        let restarts_after = (restart["enabled"] == json!(true))
            .then(|| seconds(&restart["restartAttemptPeriod"], 300));
        self.addresses += 1;
        let [_, second, third, fourth] = self.addresses.to_be_bytes();
        let id = self.ids.hex32();
        let mut task = Task {
            id: id.clone(),
            deployment: deployment.to_owned(),
            task_definition: arn.to_owned(),
            capacity_provider: self.pick_provider(&members),
            ip: format!("10.{second}.{third}.{fourth}"),
            containers: containers
                .iter()
                .map(|container| {
                    let text = |member: &str| {
                        container[member].as_str().unwrap_or_default().to_owned()
                    };
                    (text("name"), text("image"))
                })
                .collect(),
            cpu: definition["cpu"].as_str().unwrap_or_default().to_owned(),
            memory: definition["memory"].as_str().unwrap_or_default().to_owned(),
            has_health_check: check.is_some(),
            created: now,
            pending: now,
            running: None,
            healthy: None,
            unhealthy: None,
            ends: None,
            stop: None,
            counted_unhealthy: false,
            counted_healthy: false,
            registered: false,
        };
        task.schedule(&behaviour, check, &image, restarts_after);
        self.task_index.insert(id.clone(), key.clone());
        service.tasks.insert(id, task);
    }

    /// One of the strategy's providers, by weight. Which one AWS picks for one task is not
    /// documented; `base` is not modelled.
    fn pick_provider(&mut self, members: &serde_json::Map<String, Value>) -> Option<String> {
        let items = members.get("capacityProviderStrategy")?.as_array()?;
        let weight = |item: &Value| item["weight"].as_u64().unwrap_or(0);
        let total: u64 = items.iter().map(weight).sum();
        let mut left = self.ids.next() % total.max(1);
        let chosen = items.iter().find(|item| {
            let here = weight(item);
            let found = left < here;
            left = left.saturating_sub(here);
            found
        });
        chosen.or(items.first())?["capacityProvider"].as_str().map(str::to_owned)
    }

    fn drain(&mut self, service: &mut Service, now: Moment) -> bool {
        let takes = self.options.timing.task_stop;
        let mut changed = false;
        for task in service.tasks.values_mut().filter(|task| !task.is_stopping()) {
            let end = rollout::scheduler_stop(&task.deployment);
            task.begin_stop(now, end, takes);
            changed = true;
        }
        let done = drained_at(service).unwrap_or(now) + self.options.timing.draining;
        if done <= now {
            service.status = Status::Inactive;
            service.inactive = Some(now);
            service.deployments.clear();
            service.service_deployments.clear();
            self.endpoints.release(&service.arn);
            service.endpoints.clear();
            changed = true;
        } else {
            service.inactive = None;
        }
        changed
    }

    /// Keeps the instances of the service's Cloud Map registry equal to the tasks that serve.
    fn register_instances(&mut self, service: &mut Service, now: Moment) -> bool {
        let mut changed = false;
        let mut registrations = Vec::new();
        for task in service.tasks.values() {
            let serves =
                !task.is_stopping() && task.serves_from().is_some_and(|from| from <= now);
            if serves == task.registered {
                continue;
            }
            let deployment = service.deployments.iter().find(|d| d.id == task.deployment);
            let members = deployment
                .and_then(|deployment| service.revision(&deployment.revision))
                .map_or(&service.spec, |revision| &revision.members);
            let registries = members.get("serviceRegistries").and_then(Value::as_array);
            for registry in registries.into_iter().flatten() {
                let arn = registry["registryArn"].as_str().unwrap_or_default();
                let attributes = BTreeMap::from([
                    ("AWS_INSTANCE_IPV4".to_owned(), task.ip.clone()),
                    ("AWS_INIT_HEALTH_STATUS".to_owned(), "HEALTHY".to_owned()),
                    ("ECS_SERVICE_NAME".to_owned(), service.name.clone()),
                    ("REGION".to_owned(), self.options.region.clone()),
                ]);
                registrations.push(Registration {
                    cloud_map_service: arn.rsplit('/').next().unwrap_or_default().to_owned(),
                    instance: task.id.clone(),
                    access_key: service.access_key.clone(),
                    attributes: serves.then_some(attributes),
                });
            }
            changed = true;
        }
        for task in service.tasks.values_mut() {
            task.registered =
                !task.is_stopping() && task.serves_from().is_some_and(|from| from <= now);
        }
        self.outbox.append(&mut registrations);
        changed
    }
}

/// When the last task of a service is gone; its deletion if it had none.
fn drained_at(service: &Service) -> Option<Moment> {
    let last = service.tasks.values().filter_map(|task| task.stop.as_ref()).map(|stop| stop.done);
    last.max().max(service.deleted)
}

fn next_wake(service: &Service, now: Moment, draining: Duration) -> Option<Moment> {
    let tasks = service.tasks.values().filter_map(|task| task.next_change(now));
    let backoff = service.primary().map(|primary| primary.not_before);
    let drained = (service.status == Status::Draining).then(|| drained_at(service)).flatten();
    let drained = drained.map(|at| at + draining);
    tasks.chain(backoff).chain(drained).filter(|at| *at > now).min()
}
