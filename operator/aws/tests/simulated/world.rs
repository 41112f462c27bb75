//! A fresh AWS with one cluster and one account connected to it.

use crate::backdrop::{Backdrop, NAMESPACE};
use aws_sdk_ecs::config::{Credentials, Region, SharedCredentialsProvider};
use aws_sim::{Options, Server, Simulator, serve};
use k8s_openapi::jiff::Timestamp;
use privateservice_api::meta;
use privateservice_aws::{
    Account, AccountKey, Connector, ConnectorConfig, Lane, Need, Outputs, Permit, Priority,
    QuotaTable, Timing,
};
use privateservice_core::failure::Failure;
use privateservice_core::hash::Hash;
use privateservice_core::observed::{Observed, Scope};
use privateservice_core::owner::{ObjectKey, Owner};
use privateservice_core::service::{
    CapacityProvider, Connect, ConnectService, Deployment, Network,
};
use privateservice_core::step::{CreateService, Outcome, Reference, Step};
use privateservice_core::task_definition::{
    Container, CpuArchitecture, LogDriver, PortMapping, TaskDefinition,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

pub(crate) struct World {
    pub(crate) sim: Simulator,
    pub(crate) cloud_map: Backdrop,
    server: Server,
    pub(crate) cluster: String,
    pub(crate) link: Link,
}

/// One operator process as AWS sees it.
pub(crate) struct Link {
    pub(crate) account: Arc<Account>,
    woken: UnboundedReceiver<ObjectKey>,
    pub(crate) connector: Connector,
}

/// Reads that are quick to share and quick to retry; nothing is polled or swept by itself.
pub(crate) fn quick() -> Timing {
    Timing {
        poll_interval: Duration::from_hours(1),
        sweep_interval: Duration::from_hours(1),
        coalesce_window: Duration::from_millis(20),
        verify_window: Duration::from_millis(20),
        reread_after: Duration::from_millis(1),
        listing_reuse: Duration::ZERO,
        retry_after: Duration::from_millis(10),
        penalty: Duration::from_millis(10),
        call_timeout: Duration::from_secs(5),
        ..Timing::default()
    }
}

pub(crate) fn plenty() -> QuotaTable {
    QuotaTable::published().scaled(1000.0, 1000.0)
}

pub(crate) fn key(name: &str) -> ObjectKey {
    ObjectKey {
        namespace: "team".into(),
        name: name.into(),
    }
}

pub(crate) fn owner(name: &str) -> Owner {
    Owner {
        cluster_id: "kube-1".into(),
        namespace: "team".into(),
        name: name.into(),
    }
}

pub(crate) fn edit() -> Priority {
    Priority {
        lane: Lane::Edit,
        since: Timestamp::UNIX_EPOCH,
    }
}

pub(crate) fn hash(name: &str) -> Hash {
    Hash::of_text(name)
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(quick(), plenty()).await
    }

    pub(crate) async fn with(timing: Timing, quotas: QuotaTable) -> Self {
        Self::of(Options::default(), timing, quotas).await
    }

    pub(crate) async fn of(options: Options, timing: Timing, quotas: QuotaTable) -> Self {
        let cloud_map = Backdrop::default();
        let options = Options {
            upstream: Some(cloud_map.serve().await),
            ..options
        };
        let sim = Simulator::new(options).unwrap();
        let server = serve(sim.clone(), ([127, 0, 0, 1], 0).into())
            .await
            .unwrap();
        let link = connect(&server.url, timing, quotas, Permit::always()).await;
        let ecs = aws_sdk_ecs::Client::new(&sdk_config(&server.url));
        let cluster = ecs
            .create_cluster()
            .cluster_name("flexstack")
            .capacity_providers("FARGATE");
        let made = cluster.send().await.unwrap();
        let cluster = made.cluster().unwrap().cluster_arn().unwrap().to_owned();
        Self {
            sim,
            cloud_map,
            server,
            cluster,
            link,
        }
    }

    /// A second operator process, with an empty memory.
    pub(crate) async fn another(&self, timing: Timing) -> Link {
        connect(&self.server.url, timing, plenty(), Permit::always()).await
    }

    /// A second operator process, which may change something only while `permit` lasts.
    pub(crate) async fn permitted(&self, timing: Timing, permit: Permit) -> Link {
        connect(&self.server.url, timing, plenty(), permit).await
    }

    /// A client that does things behind the operator's back.
    pub(crate) fn ecs(&self) -> aws_sdk_ecs::Client {
        aws_sdk_ecs::Client::new(&sdk_config(&self.server.url))
    }

    /// How to connect clients of other services.
    pub(crate) fn sdk(&self) -> aws_config::SdkConfig {
        sdk_config(&self.server.url)
    }

    /// The same for Secrets Manager.
    pub(crate) fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&sdk_config(&self.server.url))
    }

    pub(crate) fn scope(&self, name: &str) -> Scope {
        Scope {
            cluster_arn: self.cluster.clone(),
            service: name.into(),
            namespace_id: NAMESPACE.into(),
            family: format!("staging_{name}"),
        }
    }

    pub(crate) fn track(&self, name: &str) -> Scope {
        let scope = self.scope(name);
        self.link
            .account
            .inventory()
            .track(&key(name), &owner(name), &scope);
        scope
    }

    pub(crate) async fn execute(&self, name: &str, step: &Step) -> Result<Outcome, Failure> {
        self.link.execute(name, step, &mut Outputs::default()).await
    }

    pub(crate) fn create_step(&self, name: &str, revision: Reference) -> CreateService {
        CreateService {
            cluster_arn: self.cluster.clone(),
            name: name.into(),
            client_token: format!("token-{name}"),
            task_definition: revision,
            desired_count: 1,
            network: Network {
                subnets: BTreeSet::from(["subnet-1".to_owned()]),
                security_groups: BTreeSet::from(["sg-1".to_owned()]),
                assign_public_ip: false,
            },
            connect: connection(name),
            capacity: vec![CapacityProvider {
                name: "FARGATE".into(),
                weight: 1,
                base: 0,
            }],
            registry: None,
            deployment: Deployment {
                minimum_healthy_percent: 100,
                maximum_percent: 200,
                circuit_breaker: true,
                rollback: true,
                rebalancing: true,
                alarms: BTreeSet::new(),
            },
            exec: false,
            tags: owner(name).tags("staging"),
        }
    }

    /// Registers a revision and creates a service; its ARN.
    pub(crate) async fn create(&self, name: &str) -> String {
        self.track(name);
        let mut outputs = Outputs::default();
        self.link
            .execute(name, &register(name), &mut outputs)
            .await
            .unwrap();
        let create = self.create_step(name, Reference::FromEarlierStep);
        let create = Step::CreateService(Box::new(create));
        match self
            .link
            .execute(name, &create, &mut outputs)
            .await
            .unwrap()
        {
            Outcome::ServiceCreated { arn } => arn,
            other => panic!("{other:?}"),
        }
    }

    /// Calls of one operation so far.
    pub(crate) fn calls(&self, operation: &str) -> usize {
        self.sim
            .counts()
            .get(operation)
            .copied()
            .unwrap_or_default()
    }
}

impl Link {
    pub(crate) async fn execute(
        &self,
        name: &str,
        step: &Step,
        outputs: &mut Outputs,
    ) -> Result<Outcome, Failure> {
        Box::pin(
            self.account
                .execute(step, outputs, &owner(name), &key(name), edit()),
        )
        .await
    }

    pub(crate) fn demand(&self, scope: &Scope, needs: &[Need]) {
        self.account.inventory().demand(scope, needs, edit());
    }

    pub(crate) fn observed(&self, scope: &Scope) -> Observed {
        self.account.inventory().observed(scope)
    }

    /// Waits until something holds, looking again whenever an object is woken.
    pub(crate) async fn until(&mut self, what: &str, mut holds: impl FnMut(&Account) -> bool) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while !holds(&self.account) {
            let woken = tokio::time::timeout_at(deadline, self.woken.recv()).await;
            assert!(
                woken.is_ok(),
                "nobody was woken and it does not hold: {what}"
            );
        }
    }

    /// Waits until something holds that wakes nobody.
    pub(crate) async fn eventually(&self, what: &str, mut holds: impl FnMut(&Account) -> bool) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while !holds(&self.account) {
            assert!(
                tokio::time::Instant::now() < deadline,
                "it does not hold: {what}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The next object that is woken.
    pub(crate) async fn woken(&mut self) -> ObjectKey {
        let woken = tokio::time::timeout(Duration::from_secs(20), self.woken.recv()).await;
        woken
            .expect("nobody was woken")
            .expect("the channel is open")
    }

    /// Demands facts and waits for the answer of the read, whatever it is.
    pub(crate) async fn read(&mut self, scope: &Scope, needs: &[Need]) -> Observed {
        while self.woken.try_recv().is_ok() {}
        self.demand(scope, needs);
        while self.woken().await.name != scope.service {}
        self.observed(scope)
    }
}

pub(crate) fn connection(name: &str) -> Connect {
    Connect {
        namespace_arn: format!(
            "arn:aws:servicediscovery:us-east-1:111122223333:namespace/{NAMESPACE}"
        ),
        services: vec![ConnectService {
            discovery_name: format!("{name}_default"),
            dns_name: format!("{name}.flexstack.internal"),
            port: 8080,
            idle_timeout: None,
            request_timeout: None,
        }],
    }
}

pub(crate) fn register(name: &str) -> Step {
    let definition = TaskDefinition {
        family: format!("staging_{name}"),
        cpu: 256,
        memory: 512,
        ephemeral_storage: None,
        cpu_architecture: CpuArchitecture::X86,
        execution_role_arn: "arn:aws:iam::111122223333:role/execution".into(),
        task_role_arn: None,
        container: Container {
            name: "app".into(),
            image: "redis:alpine".into(),
            registry_credentials: None,
            command: Vec::new(),
            entry_point: Vec::new(),
            environment: BTreeMap::from([("PORT".to_owned(), "8080".to_owned())]),
            port_mappings: vec![PortMapping {
                name: format!("{name}_default"),
                container_port: 8080,
                app_protocol: None,
            }],
            health_check: None,
            restart: true,
            init_process: false,
            stop_timeout: 30,
            log_options: BTreeMap::from([
                ("awslogs-group".to_owned(), "/flexstack".to_owned()),
                ("awslogs-region".to_owned(), "us-east-1".to_owned()),
                ("awslogs-stream-prefix".to_owned(), name.to_owned()),
            ]),
            log_driver: LogDriver::Awslogs,
            log_secret_options: BTreeMap::new(),
            secrets: BTreeMap::new(),
        },
        log_router: None,
    };
    let mut tags = owner(name).tags("staging");
    tags.insert(meta::TAG_RENDERING.into(), hash(name).0);
    tags.insert(meta::TAG_INTENT.into(), hash("intent").0);
    Step::RegisterTaskDefinition {
        task_definition: Box::new(definition),
        tags,
        hash: hash(name),
        intent: hash("intent"),
    }
}

fn sdk_config(url: &str) -> aws_config::SdkConfig {
    aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "111122223333",
            "secret",
            None,
            None,
            "test",
        )))
        .endpoint_url(url)
        .build()
}

async fn connect(url: &str, timing: Timing, quotas: QuotaTable, permit: Permit) -> Link {
    let (wake, woken) = unbounded_channel();
    let config = ConnectorConfig {
        quota_share: 1.0,
        quotas,
        timing,
        permit,
    };
    let connector = Connector::with_sdk_config(config, &sdk_config(url), wake)
        .await
        .unwrap();
    let account = connector.account(&AccountKey {
        region: "us-east-1".into(),
        role: None,
    });
    Link {
        account,
        woken,
        connector,
    }
}
