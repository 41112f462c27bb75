//! All of the simulated ECS and of what scales it, and how it moves through time. In: moments and changes by the
//! operations. Out: services brought up to date, and the Cloud Map registrations this implies. No
//! IO. Invariant: after [`World::tick`] nothing is left to do at or before that moment.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use serde_json::Value;

use super::breaker;
use super::cluster::Cluster;
use super::registrations::Registration;
use super::rollout::{self, Around};
use super::scheduler::{self, Phase, TaskView};
use super::service::{Rollout, Service, Status};
use super::service_connect::Endpoints;
use super::surroundings::Surroundings;
use super::task::End;
use super::task_definition::Definitions;
use crate::behaviour::{Behaviour, Subject};
use crate::clock::Moment;
use crate::cloud_watch::CloudWatch;
use crate::options::{Options, Timing};
use crate::random::Random;
use crate::scaling::Scaling;
use crate::secrets::Secrets;

/// Cluster name and service name.
pub(crate) type ServiceKey = (String, String);

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
    pub(crate) surroundings: Surroundings,
    pub(crate) secrets: Secrets,
    pub(crate) outbox: Vec<Registration>,
    /// Events that nobody has delivered yet.
    pub(crate) told: Vec<Value>,
    pub(crate) scaling: Scaling,
    pub(crate) cloud_watch: CloudWatch,
    wakes: BTreeSet<(Moment, ServiceKey)>,
    pub(super) addresses: u32,
}

impl World {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            ids: Random::new(options.seed),
            secrets: Secrets::new(&options),
            options,
            clusters: BTreeMap::new(),
            definitions: Definitions::default(),
            services: BTreeMap::new(),
            task_index: HashMap::new(),
            tokens: HashMap::new(),
            endpoints: Endpoints::default(),
            behaviours: HashMap::new(),
            surroundings: Surroundings::default(),
            outbox: Vec::new(),
            told: Vec::new(),
            scaling: Scaling::default(),
            cloud_watch: CloudWatch::default(),
            wakes: BTreeSet::new(),
            addresses: 0,
        }
    }

    /// `arn:aws:ecs:<region>:<account>:<resource>`
    pub(crate) fn arn(&self, resource: &str) -> String {
        format!(
            "arn:aws:ecs:{}:{}:{resource}",
            self.options.region, self.options.account
        )
    }

    /// Lets everything happen that is due, in order; at the same moment services come before what scales them.
    pub(crate) fn tick(&mut self, now: Moment) {
        loop {
            let wake = self.wakes.first().cloned().filter(|(at, _)| *at <= now);
            let scaling = self.next_scaling().filter(|at| *at <= now);
            match (wake, scaling) {
                (Some((at, key)), scaling) if scaling.is_none_or(|scaling| at <= scaling) => {
                    self.touch(&key, at);
                }
                (_, Some(at)) => self.scale_at(at),
                (_, None) => break,
            }
        }
        self.secrets.tick(now);
        self.cloud_watch.rest(now);
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
        if self.options.events {
            self.tell(&mut service, now);
        }
        service.next_wake = next_wake(&service, now, &self.options.timing);
        if let Some(at) = service.next_wake {
            self.wakes.insert((at, key.clone()));
        }
        self.services.insert(key.clone(), service);
        self.note_fulfilment(key, now);
    }

    fn step(&mut self, service: &mut Service, key: &ServiceKey, now: Moment) -> bool {
        let mut changed = self.observe_tasks(service, now);
        changed |= self.register_instances(service, now);
        let task_index = &mut self.task_index;
        service.tasks.retain(|id, task| {
            let kept = task.is_kept(now);
            if !kept {
                task_index.remove(id);
            }
            kept
        });
        match service.status {
            Status::Active => {
                let mut around = Around {
                    ids: &mut self.ids,
                    timing: &self.options.timing,
                    surroundings: &self.surroundings,
                    definitions: &self.definitions,
                };
                changed |= rollout::settle(service, now, &mut around);
                changed |= self.schedule(service, key, now);
            }
            Status::Draining => changed |= self.drain(service, key, now),
            Status::Inactive => {}
        }
        changed
    }

    /// Notes what happened to tasks by themselves: failures, health, ends.
    fn observe_tasks(&mut self, service: &mut Service, now: Moment) -> bool {
        let primary = service
            .primary()
            .map(|primary| primary.id.clone())
            .unwrap_or_default();
        let in_rollout = service
            .primary()
            .is_some_and(|primary| primary.rollout == Rollout::InProgress);
        let (mut failures, mut successes, mut changed) = (0, 0, false);
        let early_exit_is_failure = self.options.early_exit_is_failure;
        let takes = self.options.timing.task_stop;
        for task in service
            .tasks
            .values_mut()
            .filter(|task| !task.is_stopping())
        {
            let is_primary = task.deployment == primary;
            let phase = task.phase(now);
            if phase != task.counted {
                task.counted = phase;
                successes += u32::from(is_primary && phase == Phase::Healthy);
                failures += u32::from(is_primary && phase == Phase::Unhealthy);
                changed = true;
            }
            if let Some((_, end)) = task.ends.clone().filter(|(at, _)| *at <= now) {
                let early = task.counted == Phase::Starting;
                let failed = end.code == "TaskFailedToStart" || (early && early_exit_is_failure);
                failures += u32::from(is_primary && failed);
                task.begin_stop(now, end, takes.min(Duration::from_secs(1)));
                changed = true;
            }
        }
        if successes > 0 {
            breaker::count_success(service, now);
        }
        if in_rollout
            || service
                .primary()
                .is_some_and(|p| p.rollout == Rollout::Completed)
        {
            for _ in 0..failures {
                breaker::count_failure(service, now, &self.options.timing, &mut self.ids);
            }
        }
        changed
    }

    fn schedule(&mut self, service: &mut Service, key: &ServiceKey, now: Moment) -> bool {
        let Some(primary) = service.primary().cloned() else {
            return false;
        };
        let may_start = primary.rollout != Rollout::Failed
            && primary.not_before <= now
            && service.unplaced_until.is_none_or(|until| until <= now);
        let standing: Vec<String> = service
            .tasks
            .values()
            .filter(|task| !task.is_stopping())
            .map(|task| task.id.clone())
            .collect();
        let views: Vec<TaskView> = standing
            .iter()
            .filter_map(|id| service.tasks.get(id))
            .map(|task| TaskView {
                primary: task.deployment == primary.id,
                phase: task.phase(now),
            })
            .collect();
        let decision = scheduler::decide(service.limits(), &views, may_start);
        let takes = self.options.timing.task_stop;
        for id in decision
            .stop
            .iter()
            .filter_map(|index| standing.get(*index))
        {
            if let Some(task) = service.tasks.get_mut(id) {
                let end = if task.phase(now) == Phase::Unhealthy {
                    End {
                        code: "ServiceSchedulerInitiated",
                        reason: "Task failed container health checks".to_owned(),
                        exit_code: Some(137),
                        container_reason: None,
                    }
                } else {
                    rollout::scheduler_stop(&task.deployment)
                };
                task.begin_stop(now, end, takes);
            }
        }
        let stopped = decision
            .stop
            .iter()
            .filter_map(|index| standing.get(*index).cloned())
            .collect::<Vec<_>>();
        if !stopped.is_empty() {
            let text = format!(
                "has stopped {} running tasks: {}",
                stopped.len(),
                listed(&stopped)
            );
            service.say(self.ids.uuid(), now, &text);
        }
        let started = (0..decision.start)
            .filter_map(|_| self.start_task(service, key, &primary.id, &primary.revision, now))
            .collect::<Vec<_>>();
        if !started.is_empty() {
            let text = format!("has started {} tasks: {}", started.len(), listed(&started));
            service.say(self.ids.uuid(), now, &text);
        }
        if started.len() < decision.start {
            let text = "was unable to place a task. Reason: Capacity is unavailable at this time. \
                        Please try again later or in a different availability zone.";
            service.say(self.ids.uuid(), now, text);
            service.unplaced_until = Some(now + self.options.timing.capacity_retry);
        }
        !started.is_empty() || !stopped.is_empty()
    }

    fn drain(&mut self, service: &mut Service, key: &ServiceKey, now: Moment) -> bool {
        let takes = self.options.timing.task_stop;
        let mut changed = false;
        for task in service
            .tasks
            .values_mut()
            .filter(|task| !task.is_stopping())
        {
            let end = rollout::scheduler_stop(&task.deployment);
            task.begin_stop(now, end, takes);
            changed = true;
        }
        let done = drained_at(service).unwrap_or(now) + self.options.timing.draining;
        if done <= now {
            service.status = Status::Inactive;
            service.inactive = Some(now);
            service.deployments.clear();
            service.history.clear();
            self.endpoints.release(&service.arn);
            service.endpoints.clear();
            self.forget_target(key, now);
            changed = true;
        } else {
            service.inactive = None;
        }
        changed
    }
}

/// `(task 1) (task 2).`, as service events name tasks.
fn listed(ids: &[String]) -> String {
    let named: Vec<String> = ids.iter().map(|id| format!("(task {id})")).collect();
    format!("{}.", named.join(" "))
}

/// When the last task of a service is gone; its deletion if it had none.
fn drained_at(service: &Service) -> Option<Moment> {
    let last = service
        .tasks
        .values()
        .filter_map(|task| task.stop.as_ref())
        .map(|stop| stop.done);
    last.max().max(service.deleted)
}

fn next_wake(service: &Service, now: Moment, timing: &Timing) -> Option<Moment> {
    let tasks = service
        .tasks
        .values()
        .filter_map(|task| task.next_change(now));
    let of_primary = service.primary().map_or([None; 3], |primary| {
        let back = primary.turn_back.as_ref().map(|back| back.at);
        [Some(primary.not_before), primary.baked, back]
    });
    let drained = (service.status == Status::Draining)
        .then(|| drained_at(service))
        .flatten();
    let drained = drained.map(|at| at + timing.draining);
    let superseded = service
        .history
        .iter()
        .filter_map(|one| one.stops_at(timing));
    tasks
        .chain(of_primary.into_iter().flatten())
        .chain(service.unplaced_until)
        .chain(drained)
        .chain(superseded)
        .filter(|at| *at > now)
        .min()
}
