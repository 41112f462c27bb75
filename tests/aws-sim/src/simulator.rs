//! The simulator as its users hold it. In: options, time, faults, behaviours. Out: the log, the state,
//! and whatever the server answers. Cheap to clone; all clones are the same simulator.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::behaviour::{Behaviour, Subject};
use crate::clock::{Clock, Moment};
use crate::cloud_map::Memory;
use crate::ecs::world::World;
use crate::event_bus::EventBus;
use crate::faults::{Fault, Faults};
use crate::forward::Upstream;
use crate::holds::{Hold, Holds};
use crate::locked;
use crate::log::{Log, Request};
use crate::neighbours::{Neighbours, Trust};
use crate::options::Options;
use crate::quota::Limiter;
use crate::stacks::{StackTrouble, Stacks};

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) clock: Clock,
    pub(crate) world: Mutex<World>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) holds: Mutex<Holds>,
    pub(crate) log: Mutex<Log>,
    pub(crate) limiter: Mutex<Limiter>,
    pub(crate) upstream: Option<Upstream>,
    pub(crate) cloud_map: tokio::sync::Mutex<Memory>,
    pub(crate) registering: tokio::sync::Mutex<()>,
    pub(crate) event_bus: tokio::sync::Mutex<EventBus>,
    pub(crate) neighbours: Mutex<Neighbours>,
    pub(crate) stacks: Mutex<Stacks>,
}

/// A simulated AWS account in one region.
#[derive(Debug, Clone)]
pub struct Simulator {
    pub(crate) inner: Arc<Inner>,
}

impl Simulator {
    /// A fresh account.
    ///
    /// # Errors
    /// If the record file cannot be opened.
    pub fn new(options: Options) -> std::io::Result<Self> {
        let upstream = options
            .upstream
            .as_deref()
            .map(|base| Upstream::new(base, &options.account, &options.region));
        let inner = Inner {
            clock: Clock::new(options.clock),
            faults: Mutex::new(Faults::new(options.seed)),
            holds: Mutex::default(),
            log: Mutex::new(Log::new(options.record.as_deref())?),
            limiter: Mutex::new(Limiter::new(options.quotas, options.scaling.is_some())),
            upstream,
            cloud_map: tokio::sync::Mutex::default(),
            registering: tokio::sync::Mutex::default(),
            event_bus: tokio::sync::Mutex::default(),
            neighbours: Mutex::default(),
            stacks: Mutex::default(),
            world: Mutex::new(World::new(options)),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Puts another account or Region behind the endpoint at which this one is served: calls signed with its
    /// account as access key, for its Region, go there.
    pub fn add_neighbour(&self, other: Self) {
        let place = {
            let world = locked(&other.inner.world);
            (world.options.account.clone(), world.options.region.clone())
        };
        locked(&self.inner.neighbours)
            .simulators
            .insert(place, other);
    }

    /// Lets the next change of a CloudFormation stack end in a state, or every deletion of it in `DELETE_FAILED`. `None`
    /// leaves it to the stand-in.
    pub fn trouble_stack(&self, name: &str, trouble: Option<StackTrouble>) {
        locked(&self.inner.stacks).set(name, trouble);
    }

    /// Lets a role be assumed, or no longer.
    pub fn trust(&self, role_arn: &str, trust: Option<Trust>) {
        let mut neighbours = locked(&self.inner.neighbours);
        match trust {
            Some(trust) => neighbours.roles.insert(role_arn.to_owned(), trust),
            None => neighbours.roles.remove(role_arn),
        };
    }

    /// The simulated time.
    pub fn now(&self) -> Moment {
        self.inner.clock.now()
    }

    /// Moves simulated time on and lets everything happen that falls due on the way. Instances
    /// in Cloud Map follow with the next request to Cloud Map, or with [`Simulator::settle`].
    pub fn advance(&self, by: Duration) {
        self.inner.clock.advance(by);
        self.tick();
    }

    /// Brings ECS up to date with the clock.
    pub fn tick(&self) {
        let now = self.inner.clock.now();
        locked(&self.inner.world).tick(now);
    }

    /// Brings ECS up to date, and Cloud Map's instances up to date with ECS, and delivers what ECS has told EventBridge; in all accounts and Regions.
    pub async fn settle(&self) {
        self.tick();
        self.register_instances().await;
        self.deliver_events().await;
        let all = locked(&self.inner.neighbours).simulators.clone();
        for other in all.values() {
            other.tick();
            other.register_instances().await;
            other.deliver_events().await;
        }
    }

    /// Sends what ECS has told since to whoever asks for it.
    async fn deliver_events(&self) {
        let Some(upstream) = &self.inner.upstream else {
            return;
        };
        let mut bus = self.inner.event_bus.lock().await;
        let events = std::mem::take(&mut locked(&self.inner.world).told);
        bus.deliver(upstream, events).await;
    }

    /// Sends the outstanding registrations to the stand-in, in order.
    async fn register_instances(&self) {
        let Some(upstream) = &self.inner.upstream else {
            return;
        };
        let _one_at_a_time = self.inner.registering.lock().await;
        let outbox = std::mem::take(&mut locked(&self.inner.world).outbox);
        for registration in outbox {
            let mut body = json!({
                "ServiceId": registration.cloud_map_service, "InstanceId": registration.instance,
            });
            let operation = match registration.attributes {
                Some(attributes) => {
                    body["Attributes"] = json!(attributes);
                    "RegisterInstance"
                }
                None => "DeregisterInstance",
            };
            let key = registration.access_key.as_deref();
            if let Err(error) = upstream.cloud_map(operation, &body, key).await {
                tracing::warn!(
                    operation,
                    code = error.code,
                    "Cloud Map refused an instance"
                );
            }
        }
    }

    /// Adds a fault; the first one added that matches a call hits it.
    pub fn fault(&self, fault: Fault) {
        locked(&self.inner.faults).add(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        locked(&self.inner.faults).clear();
    }

    /// Holds the answer of the `nth` call (from 1) from now on that matches the filter (`*`, `writes`,
    /// `ecs:*`, `ecs:CreateService`): it takes effect, its answer waits for [`Hold::release`].
    pub fn hold_after(&self, filter: &str, nth: u32) -> Hold {
        locked(&self.inner.holds).add(filter, nth)
    }

    /// Sets how the tasks of an image or a service behave from their next start on.
    pub fn behave(&self, subject: Subject, behaviour: Behaviour) {
        locked(&self.inner.world)
            .behaviours
            .insert(subject, behaviour);
    }

    /// Takes or gives all capacity of a provider (`FARGATE`, `FARGATE_SPOT`). Without it no task is
    /// placed, which counts as no failure; services say so in their events until it is back.
    pub fn set_capacity(&self, provider: &str, available: bool) {
        let now = self.inner.clock.now();
        let mut world = locked(&self.inner.world);
        world.tick(now);
        world.set_capacity(provider, available, now);
    }

    /// Breaks or mends a subnet or a security group: tasks placed with it reach no registry and fail to
    /// start. One broken among several is enough. Running tasks are untouched.
    pub fn break_network(&self, id: &str, broken: bool) {
        let now = self.inner.clock.now();
        let mut world = locked(&self.inner.world);
        world.tick(now);
        world.break_network(id, broken);
    }

    /// Puts an alarm into ALARM or OK, as far as deployments watch it. An alarm of that name that CloudWatch has stays as it
    /// is, and with its next change of state speaks for itself.
    pub fn set_alarm(&self, name: &str, in_alarm: bool) {
        let now = self.inner.clock.now();
        let mut world = locked(&self.inner.world);
        world.tick(now);
        world.set_alarm(name, in_alarm, now);
    }

    /// The text of a secret's version, by name or ARN and by version id or staging label (`AWSCURRENT`); also of a secret that is
    /// scheduled for deletion. `None` if there is no such version, or if it holds bytes. Leaves no trace.
    pub fn secret_value(&self, name_or_arn: &str, version_or_stage: &str) -> Option<String> {
        let now = self.inner.clock.now();
        locked(&self.inner.world)
            .secrets
            .peek(name_or_arn, version_or_stage, now)
    }

    /// The variables that a task was given at its start, plain ones and those from secrets, by name; of two containers with the
    /// same variable the essential one's. Empty for a task that is not known, and for one that could not be started.
    pub fn task_environment(&self, task_arn: &str) -> BTreeMap<String, String> {
        let world = locked(&self.inner.world);
        let given = world.given_to(task_arn);
        given
            .map(|given| given.environment.clone())
            .unwrap_or_default()
    }

    /// The options of log drivers that a task was given out of secrets at its start, by name.
    pub fn task_log_options(&self, task_arn: &str) -> BTreeMap<String, String> {
        let world = locked(&self.inner.world);
        let given = world.given_to(task_arn);
        given
            .map(|given| given.log_options.clone())
            .unwrap_or_default()
    }

    /// All requests since the log was last reset, in the order they took effect.
    pub fn requests(&self) -> Vec<Request> {
        locked(&self.inner.log).since(0)
    }

    /// Number of requests per operation, such as `ecs:CreateService`.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        locked(&self.inner.log).counts()
    }

    /// Forgets the requests so far.
    pub fn reset_log(&self) {
        locked(&self.inner.log).reset();
    }

    /// Clusters, services with their deployments, tasks, task definition ARNs, secrets without their values, and what
    /// scales the services, as the describing operations show them.
    pub fn state(&self) -> Value {
        let now = self.inner.clock.now();
        let mut world = locked(&self.inner.world);
        world.tick(now);
        world.state(now)
    }
}
