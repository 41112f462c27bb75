//! What scales a service: planned from specs, written by real SDK clients, read back, and at work in the simulator.

use crate::backdrop::NAMESPACE;
use crate::world::{World, owner, plenty, quick, register};
use aws_sim::{Load, Options};
use k8s_openapi::jiff::Timestamp;
use privateservice_api::environment::EnvironmentType;
use privateservice_api::privateservice::{Autoscaling, Port, PrivateService, PrivateServiceStatus};
use privateservice_aws::inventory::What;
use privateservice_aws::{Account, Need, Outputs};
use privateservice_core::desired::Desired;
use privateservice_core::memory;
use privateservice_core::observed::Scope;
use privateservice_core::place::Place;
use privateservice_core::plan::{Plan, Remains, plan_deletion};
use privateservice_core::resolve::{Neighbours, ObjectData, SecretLookup, resolve};
use privateservice_core::scaling;
use privateservice_core::service::ConnectService;
use privateservice_core::step::{Reference, Step};
use privateservice_core::task_definition::{AppProtocol, PortMapping};
use privateservice_core::watched_secret::{Absence, AwsSecret};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

mod at_work;
mod bands;
mod bounds;
mod cooldowns;
mod no_data;
mod reading;
mod requests;
mod samples;
mod several_metrics;
mod target_tracking;

struct Nobody;

impl Neighbours for Nobody {
    fn ports_of(&self, _environment: &str, _name: &str) -> Option<Option<Vec<Port>>> {
        None
    }

    fn config_map(&self, _name: &str) -> Option<&ObjectData> {
        None
    }

    fn secret(&self, _name: &str) -> SecretLookup<'_> {
        SecretLookup::Off
    }

    fn aws_secret(&self, _id: &str) -> AwsSecret {
        AwsSecret::Missing(Absence::NoSuchSecret)
    }
}

fn place(cluster: &str) -> Place {
    Place {
        environment: "staging".into(),
        kind: EnvironmentType::Staging,
        region: "us-east-1".into(),
        role: None,
        cluster_arn: cluster.into(),
        namespace: "flexstack.internal".into(),
        namespace_arn: format!(
            "arn:aws:servicediscovery:us-east-1:111122223333:namespace/{NAMESPACE}"
        ),
        subnets: ["subnet-1".to_owned()].into(),
        security_groups: ["sg-1".to_owned()].into(),
        assign_public_ip: false,
        execution_role_arn: "arn:aws:iam::111122223333:role/execution".into(),
        task_role_arn: None,
        log_group: "/flexstack".into(),
        env: BTreeMap::new(),
        tags: BTreeMap::new(),
        grants: vec![],
        generation: 1,
        pace: privateservice_core::wave::Pace::default(),
    }
}

/// A service in the simulator and what its object asks for and remembers.
struct Scaled {
    world: World,
    name: &'static str,
    scope: Scope,
    desired: Desired,
    status: PrivateServiceStatus,
}

impl Scaled {
    async fn new(options: Options, spec: &Value) -> Self {
        // Boxed: the SDK's futures are large.
        let world = Box::pin(World::of(options, quick(), plenty())).await;
        Box::pin(world.create("api")).await;
        Self::of(world, spec).await
    }

    /// The same with ports of these names that speak HTTP, the first of them at 8080.
    async fn http(ports: &[&str], spec: &Value) -> Self {
        let world = Box::pin(World::new()).await;
        world.track("api");
        let mut register = register("api");
        let mut create = world.create_step("api", Reference::FromEarlierStep);
        let connect = create.connect.services.remove(0);
        if let Step::RegisterTaskDefinition {
            task_definition, ..
        } = &mut register
        {
            let mappings = &mut task_definition.container.port_mappings;
            mappings.clear();
            for (number, port) in (8080..).zip(ports) {
                let name = format!("api_{port}");
                create.connect.services.push(ConnectService {
                    discovery_name: name.clone(),
                    port: number,
                    ..connect.clone()
                });
                mappings.push(PortMapping {
                    name,
                    container_port: number,
                    app_protocol: Some(AppProtocol::Http),
                });
            }
        }
        let mut outputs = Outputs::default();
        for step in [register, Step::CreateService(Box::new(create))] {
            let done = world.link.execute("api", &step, &mut outputs).await;
            done.unwrap();
        }
        Self::of(world, spec).await
    }

    /// The same at work: what scales it is written, and so many tasks run.
    async fn at_work(mut self, tasks: i32) -> Self {
        self.converge().await;
        self.set(tasks).await;
        self.world.sim.advance(Duration::from_mins(2));
        self
    }

    async fn of(world: World, spec: &Value) -> Self {
        world.sim.advance(Duration::from_mins(2));
        let scope = world.scope("api");
        let mut scaled = Self {
            desired: desired(&world, "api", spec),
            world,
            name: "api",
            scope,
            status: PrivateServiceStatus::default(),
        };
        let scope = scaled.scope.clone();
        let is_read = |account: &Account| {
            let observed = account.inventory().observed(&scope);
            observed.service.present().is_some()
        };
        scaled.world.link.until("it is read", is_read).await;
        scaled
    }

    fn edit(&mut self, spec: &Value) {
        self.desired = desired(&self.world, self.name, spec);
    }

    /// Has the service and what scales it read anew, and waits for both.
    async fn look(&mut self) {
        let scope = self.scope.clone();
        let inventory = self.world.link.account.inventory();
        inventory.touch(&scope, What::Service);
        inventory.touch(&scope, What::Scaling);
        self.world
            .link
            .demand(&scope, &[Need::Service, Need::Scaling]);
        let is_read = |account: &Account| {
            let observed = account.inventory().observed(&scope);
            observed.service.present().is_some() && observed.scaling.present().is_some()
        };
        self.world.link.until("both are read", is_read).await;
    }

    /// Demands what a plan waits for, until it waits no more.
    async fn feed(&mut self) -> Plan {
        loop {
            let plan = self.plan();
            let needs = plan.needs();
            if needs.is_empty() {
                return plan;
            }
            self.world.link.read(&self.scope, &needs).await;
        }
    }

    fn plan(&self) -> Plan {
        let observed = self.world.link.observed(&self.scope);
        let memory = memory::memory("uid", &self.status, Timestamp::UNIX_EPOCH);
        scaling::plan(&self.desired, &observed, &memory, Timestamp::UNIX_EPOCH)
    }

    /// Passes as the operator makes them, until nothing is left to do; the operations.
    async fn converge(&mut self) -> Vec<&'static str> {
        let mut called = Vec::new();
        for _ in 0..20 {
            let names = scaling::schedule_names(&self.desired, &self.memory());
            let inventory = self.world.link.account.inventory();
            inventory.follow_schedules(&self.scope, names);
            let plan = self.feed().await;
            if plan.steps.is_empty() {
                assert!(plan.is_settled(), "{plan:?}");
                return called;
            }
            self.carry_out(&plan, &mut called).await;
            let said = self.known();
            self.look().await;
            assert_eq!(self.known(), said);
        }
        panic!("it does not converge: {called:?}");
    }

    fn memory(&self) -> scaling::Memory {
        scaling::memory(&self.status)
    }

    /// What the answers to writes said is what a read finds.
    fn known(&self) -> scaling::Observed {
        let observed = self.world.link.observed(&self.scope);
        let mut seen = observed.scaling.present().unwrap().clone();
        (seen.missing, seen.asked) = Default::default();
        seen
    }

    async fn carry_out(&mut self, plan: &Plan, called: &mut Vec<&'static str>) {
        let before = self.world.link.observed(&self.scope);
        let memory = self.memory();
        if let Some(status) =
            scaling::announced(&self.status, &self.desired, &before, &memory, plan)
        {
            self.status = status;
        }
        let mut outputs = Outputs::default();
        let mut outcomes = Vec::new();
        for step in &plan.steps {
            let outcome = self.world.link.execute(self.name, step, &mut outputs).await;
            outcomes.push(outcome.unwrap());
            called.push(step.operation());
        }
        let after = self.world.link.observed(&self.scope);
        self.status.autoscaling = scaling::remember(
            &self.status,
            &self.desired,
            &before,
            &after,
            &self.memory(),
            plan,
            &outcomes,
        );
    }

    /// Sets the number of tasks by hand.
    async fn set(&self, tasks: i32) {
        let update = self.world.ecs().update_service();
        let update = update.cluster(&self.world.cluster).service(self.name);
        update.desired_count(tasks).send().await.unwrap();
    }

    fn count(&self) -> Value {
        let state = self.world.sim.state();
        let services = state["services"].as_array().unwrap().clone();
        let mine = services.iter().find(|one| one["serviceName"] == self.name);
        mine.unwrap()["desiredCount"].clone()
    }

    /// Whole minutes under a load, one after the other; the count after each.
    fn minutes(&self, load: &Load, minutes: usize) -> Vec<i64> {
        self.world.sim.set_load(None, self.name, Some(load.clone()));
        (0..minutes)
            .map(|_| {
                self.world.sim.advance(Duration::from_mins(1));
                self.count().as_i64().unwrap()
            })
            .collect()
    }

    /// A minute of each load, one after the other; the count after each.
    fn walk(&self, loads: impl IntoIterator<Item = Load>) -> Vec<i64> {
        let minute = |load| self.minutes(&load, 1);
        loads.into_iter().flat_map(minute).collect()
    }
}

/// A load of so many percent of CPU, and little memory.
fn cpu(percent: f64) -> Load {
    Load {
        cpu_percent: Some(percent),
        memory_percent: Some(20.0),
        ..Load::default()
    }
}

/// Counts as they are told in the tests: a count, and for how many minutes in a row.
fn counts(runs: &[(i64, usize)]) -> Vec<i64> {
    let run = |(count, minutes): &(i64, usize)| vec![*count; *minutes];
    runs.iter().flat_map(run).collect()
}

fn desired(world: &World, name: &str, spec: &Value) -> Desired {
    let mut object = json!({
        "apiVersion": "flexstack.dev/v1alpha1", "kind": "PrivateService",
        "metadata": {"name": name, "namespace": "team", "uid": "uid"},
        "spec": {"source": {"image": {"name": "redis:alpine"}}},
    });
    for (field, value) in spec.as_object().unwrap() {
        object["spec"][field] = value.clone();
    }
    let object: PrivateService = serde_json::from_value(object).unwrap();
    resolve(&object, &place(&world.cluster), "kube-1", &Nobody)
        .unwrap()
        .desired
}

/// Whatever is asked for is what AWS shows afterwards, in a form that equals it: nothing is written twice.
#[tokio::test]
async fn every_kind_of_scaling_is_written_once_and_recognised() {
    let web = json!([{"name": "web", "port": 80, "protocol": "http"}]);
    let specs = [
        json!({}),
        json!({"scaling": {"memoryThreshold": 70, "cooldownSeconds": 60}}),
        json!({"ports": web, "scaling": {"requestThreshold": 600}}),
        json!({"ports": web, "scaling": {"cpuThreshold": 0, "requestThreshold": 600}}),
        json!({"ports": web, "scaling": {"policy": "TargetTracking", "memoryThreshold": 60, "requestThreshold": 600}}),
        json!({"scaling": {"minTasks": 2, "maxTasks": 2}}),
        json!({"scaling": {"cpuThreshold": 0}}),
        json!({"scaling": {"schedules": [
            {"name": "night", "schedule": "cron(0 20 ? * MON-FRI *)", "timezone": "Europe/Berlin", "maxTasks": 2},
            {"name": "often", "schedule": "rate(12 hours)", "timezone": "Europe/Berlin", "minTasks": 2},
            {"name": "once", "schedule": "at(2099-01-31T08:00:00)", "minTasks": 0, "maxTasks": 0}]}}),
        json!({"paused": true}),
    ];
    let mut scaled = Scaled::new(Options::default(), &specs[0]).await;
    for spec in specs.iter().chain(specs.iter().rev()) {
        scaled.edit(spec);
        let called = scaled.converge().await;
        assert!(called.len() <= 14, "{spec}: {called:?}");
        scaled.look().await;
        assert!(scaled.plan().is_settled(), "{spec}: {:?}", scaled.plan());
    }
    let alarms = aws_sdk_cloudwatch::Client::new(&scaled.world.sdk());
    let left = alarms.describe_alarms().send().await.unwrap();
    let left: Vec<_> = left
        .metric_alarms()
        .iter()
        .map(|alarm| alarm.alarm_name().unwrap())
        .collect();
    assert_eq!(
        left,
        ["staging/api/cpu-high", "staging/api/scale-in"],
        "nothing of what was wanted in between"
    );
}

#[tokio::test]
async fn tags_name_the_owner_and_are_read_only_when_status_forgot() {
    let mut scaled = Scaled::new(Options::default(), &json!({})).await;
    scaled.converge().await;
    assert_eq!(
        scaled
            .world
            .calls("application-autoscaling:ListTagsForResource"),
        0
    );
    // Another process, with nothing in status.
    scaled.world.link = scaled.world.another(quick()).await;
    scaled.world.track("api");
    scaled.status.autoscaling = None;
    scaled.look().await;
    assert_eq!(scaled.converge().await, [""; 0]);
    let asked = |operation: &str| scaled.world.calls(operation);
    assert_eq!(asked("application-autoscaling:ListTagsForResource"), 1);
    assert_eq!(asked("monitoring:ListTagsForResource"), 2);

    // Somebody else's tag on one of them is respected.
    let alarms = aws_sdk_cloudwatch::Client::new(&scaled.world.sdk());
    let owner = aws_sdk_cloudwatch::types::Tag::builder()
        .key("flexstack.dev/owner")
        .value("kube-2/team/api")
        .build();
    let arn = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:staging/api/cpu-high";
    let tagged = alarms.tag_resource().resource_arn(arn).tags(owner);
    tagged.send().await.unwrap();
    scaled.world.link = scaled.world.another(quick()).await;
    scaled.world.track("api");
    scaled.status.autoscaling = None;
    scaled.edit(&json!({"scaling": {"cpuThreshold": 50}}));
    scaled.look().await;
    let plan = scaled.feed().await;
    assert_eq!(plan.steps, []);
    assert_eq!(plan.conflict.unwrap().arn, arn);
}

#[tokio::test]
async fn a_deletion_leaves_nothing_and_retain_leaves_all_without_an_owner() {
    for retain in [false, true] {
        let spec = json!({"scaling": {"memoryThreshold": 70}});
        let mut scaled = Scaled::new(Options::default(), &spec).await;
        scaled.converge().await;
        let remains = Remains {
            owner: owner("api"),
            cluster_arn: scaled.world.cluster.clone(),
            existed: true,
            dns_existed: false,
            scaling: Some(scaled.memory()),
            retain,
        };
        scaled.world.link.read(&scaled.scope, &[Need::Dns]).await;
        let plan = plan_deletion(&remains, &scaled.world.link.observed(&scaled.scope));
        let mut called = Vec::new();
        for step in &plan.steps {
            let mut outputs = Outputs::default();
            let done = scaled.world.link.execute("api", step, &mut outputs).await;
            done.unwrap();
            called.push(step.operation());
        }
        scaled.look().await;
        let observed = scaled.world.link.observed(&scaled.scope);
        let seen = observed.scaling.present().unwrap();
        if retain {
            assert_eq!(seen.alarms.len(), 3);
            assert!(seen.target.is_some());
            assert!(observed.owners.values().all(Option::is_none));
        } else {
            assert!(seen.target.is_none() && seen.policies.is_empty() && seen.alarms.is_empty());
            assert_eq!(
                called,
                [
                    "cloudwatch:DeleteAlarms",
                    "application-autoscaling:DeregisterScalableTarget",
                    "ecs:DeleteService"
                ]
            );
            // Again, as after a lost answer.
            let again = plan.steps.first().unwrap();
            let mut outputs = Outputs::default();
            let done = scaled.world.link.execute("api", again, &mut outputs).await;
            done.unwrap();
        }
    }
}

#[tokio::test]
async fn status_remembers_what_is_ours() {
    let mut scaled = Scaled::new(Options::default(), &json!({})).await;
    scaled.converge().await;
    let Some(Autoscaling {
        target: Some(target),
        alarms,
        ..
    }) = scaled.status.autoscaling.clone()
    else {
        panic!("{:?}", scaled.status.autoscaling)
    };
    assert!(
        target.starts_with("arn:aws:application-autoscaling:"),
        "{target}"
    );
    assert_eq!(alarms, ["staging/api/cpu-high", "staging/api/scale-in"]);
}
