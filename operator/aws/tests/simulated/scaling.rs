//! What scales a service: planned from specs, written by real SDK clients, read back, and at work in the simulator.

use crate::backdrop::NAMESPACE;
use crate::world::{World, plenty, quick, register};
use aws_sim::{Load, Options};
use k8s_openapi::jiff::Timestamp;
use privateservice_api::environment::EnvironmentType;
use privateservice_api::privateservice::{Port, PrivateService, PrivateServiceStatus};
use privateservice_aws::inventory::What;
use privateservice_aws::{Account, Need, Outputs};
use privateservice_core::desired::Desired;
use privateservice_core::memory;
use privateservice_core::observed::Scope;
use privateservice_core::place::Place;
use privateservice_core::plan::Plan;
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
mod writing;

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
