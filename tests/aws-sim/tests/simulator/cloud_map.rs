//! Cloud Map behind the simulator: needs MiniStack (`PRIVATESERVICE_MINISTACK` or the workspace's
//! Python folder names its program).

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws_sdk_ecs::types::{ServiceConnectConfiguration, ServiceRegistry};
use aws_sdk_servicediscovery::Client;
use aws_sdk_servicediscovery::types::{
    DnsConfig, DnsRecord, FilterCondition, HealthCheckCustomConfig, RecordType, ServiceFilter,
    ServiceFilterName,
};
use aws_sim::{Fault, FaultKind, Options};

use crate::harness::{CLUSTER, Harness, container, refusal, start};

struct MiniStack {
    process: Child,
    url: String,
}

impl Drop for MiniStack {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn ministack() -> MiniStack {
    let installed =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.cache/python/bin/ministack");
    let program = std::env::var_os("PRIVATESERVICE_MINISTACK").map_or(installed, PathBuf::from);
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let process = Command::new(&program)
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .env("SFTP_ENABLED", "0")
        .env("IOT_MTLS_ENABLED", "0")
        .env("MINISTACK_REGION", "us-east-1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}; `make tools` installs it", program.display()));
    let stack = MiniStack {
        process,
        url: format!("http://127.0.0.1:{port}"),
    };
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while reqwest::get(format!("{}/_ministack/health", stack.url))
        .await
        .is_err()
    {
        assert!(
            tokio::time::Instant::now() < deadline,
            "MiniStack did not answer"
        );
        tokio::task::yield_now().await;
    }
    stack
}

struct Connected {
    _stack: MiniStack,
    harness: Harness,
    map: Client,
    namespace: String,
    namespace_arn: String,
}

async fn connected() -> Connected {
    connected_with(Options::default()).await
}

async fn connected_with(options: Options) -> Connected {
    let stack = ministack().await;
    let harness = start(Options {
        upstream: Some(stack.url.clone()),
        ..options
    })
    .await;
    let config = aws_sdk_servicediscovery::Config::builder()
        .behavior_version(aws_sdk_servicediscovery::config::BehaviorVersion::latest())
        .region(aws_sdk_servicediscovery::config::Region::new("us-east-1"))
        .credentials_provider(aws_sdk_servicediscovery::config::Credentials::new(
            "111122223333",
            "secret",
            None,
            None,
            "test",
        ))
        .endpoint_url(&harness.server.url)
        .build();
    let map = Client::from_conf(config);
    let made = map
        .create_private_dns_namespace()
        .name("flexstack.internal")
        .vpc("vpc-1");
    let operation = made
        .send()
        .await
        .unwrap()
        .operation_id()
        .unwrap()
        .to_owned();
    let done = map
        .get_operation()
        .operation_id(operation)
        .send()
        .await
        .unwrap();
    let targets = done.operation().unwrap().targets().unwrap().clone();
    let namespace = targets.values().next().unwrap().clone();
    let found = map.get_namespace().id(&namespace).send().await.unwrap();
    let namespace_arn = found.namespace().unwrap().arn().unwrap().to_owned();
    Connected {
        _stack: stack,
        harness,
        map,
        namespace,
        namespace_arn,
    }
}

impl Connected {
    fn create(
        &self,
        name: &str,
        creator: &str,
    ) -> aws_sdk_servicediscovery::operation::create_service::builders::CreateServiceFluentBuilder
    {
        let record = DnsRecord::builder()
            .r#type(RecordType::A)
            .ttl(15)
            .build()
            .unwrap();
        #[expect(
            deprecated,
            reason = "the model requires the member, its documentation does not"
        )]
        let health = HealthCheckCustomConfig::builder()
            .failure_threshold(1)
            .build();
        self.map
            .create_service()
            .name(name)
            .namespace_id(&self.namespace)
            .creator_request_id(creator)
            .dns_config(DnsConfig::builder().dns_records(record).build().unwrap())
            .health_check_custom_config(health)
    }
}

#[tokio::test]
async fn a_name_is_used_once_in_a_namespace_and_a_retry_finds_its_own() {
    let stack = connected().await;
    let made = stack.create("api", "request-1").send().await.unwrap();
    let id = made.service().unwrap().id().unwrap().to_owned();
    let again = stack.create("api", "request-1").send().await.unwrap();
    assert_eq!(again.service().unwrap().id(), Some(id.as_str()));
    let other = stack
        .create("API", "request-2")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let aws_sdk_servicediscovery::operation::create_service::CreateServiceError::ServiceAlreadyExists(
        taken,
    ) = other
    else {
        panic!("{other:?}")
    };
    assert_eq!(taken.service_id(), Some(id.as_str()));
    assert_eq!(taken.creator_request_id(), Some("request-1"));
    stack.map.delete_service().id(&id).send().await.unwrap();
    stack.create("api", "request-2").send().await.unwrap();
}

#[tokio::test]
async fn a_listing_is_of_the_namespace_asked_for_and_in_pages() {
    let stack = connected().await;
    for name in ["a", "b", "c"] {
        stack.create(name, name).send().await.unwrap();
    }
    let filter = |namespace: &str| {
        let filter = ServiceFilter::builder().name(ServiceFilterName::NamespaceId);
        filter
            .values(namespace)
            .condition(FilterCondition::Eq)
            .build()
            .unwrap()
    };
    let listed = stack
        .map
        .list_services()
        .filters(filter("ns-other"))
        .send()
        .await
        .unwrap();
    assert!(listed.services().is_empty());
    let listed = stack
        .map
        .list_services()
        .filters(filter(&stack.namespace))
        .max_results(2);
    let first = listed.clone().send().await.unwrap();
    assert_eq!(first.services().len(), 2);
    let rest = listed
        .set_next_token(first.next_token().map(str::to_owned))
        .send()
        .await
        .unwrap();
    assert_eq!((rest.services().len(), rest.next_token()), (1, None));
}

#[tokio::test]
async fn tasks_that_serve_are_instances_and_hold_the_registry() {
    let stack = connected().await;
    let made = stack.create("api", "x").send().await.unwrap();
    let registry = made.service().unwrap().clone();
    let definition = stack.harness.register("api", container("a")).await;
    let use_it = |arn: &str| {
        let registries = ServiceRegistry::builder().registry_arn(arn).build();
        stack
            .harness
            .service("api", &definition)
            .service_registries(registries)
            .send()
    };
    let missing = "arn:aws:servicediscovery:us-east-1:111122223333:service/srv-none";
    assert!(refusal(use_it(missing).await).contains("Unable to find the service registry"));
    use_it(registry.arn().unwrap()).await.unwrap();
    let find = || {
        stack
            .map
            .list_instances()
            .service_id(registry.id().unwrap())
            .send()
    };
    assert!(find().await.unwrap().instances().is_empty());
    stack.harness.advance(20);
    let found = find().await.unwrap();
    let address = found.instances()[0].attributes().unwrap()["AWS_INSTANCE_IPV4"].clone();
    assert!(address.starts_with("10."));
    let delete = || stack.map.delete_service().id(registry.id().unwrap()).send();
    assert!(refusal(delete().await).starts_with("ResourceInUse"));
    let ecs = &stack.harness.ecs;
    ecs.delete_service()
        .cluster(CLUSTER)
        .service("api")
        .force(true)
        .send()
        .await
        .unwrap();
    stack.harness.advance(30);
    assert!(find().await.unwrap().instances().is_empty());
    delete().await.unwrap();
}

#[tokio::test]
async fn service_connect_needs_a_namespace_that_exists() {
    let stack = connected().await;
    let definition = stack.harness.register("api", container("a")).await;
    let join = |namespace: &str| {
        let connect = ServiceConnectConfiguration::builder()
            .enabled(true)
            .namespace(namespace);
        stack
            .harness
            .service("api", &definition)
            .service_connect_configuration(connect.build())
            .send()
    };
    let wrong = stack.namespace_arn.replace("ns-", "ns-none");
    assert!(refusal(join(&wrong).await).starts_with("NamespaceNotFoundException"));
    join(&stack.namespace_arn).await.unwrap();
    // A later update that does not name the namespace still finds it.
    let second = stack.harness.register("api", container("b")).await;
    let update = stack
        .harness
        .ecs
        .update_service()
        .cluster(CLUSTER)
        .service("api");
    update.task_definition(second).send().await.unwrap();
}

#[tokio::test]
async fn subnets_must_exist_when_they_are_checked() {
    let stack = connected_with(Options {
        check_subnets: true,
        ..Options::default()
    })
    .await;
    let definition = stack.harness.register("api", container("a")).await;
    let said = refusal(stack.harness.service("api", &definition).send().await);
    assert!(said.contains("InvalidSubnetID.NotFound"), "{said}");
}

#[tokio::test]
async fn faults_hit_forwarded_operations_too() {
    let stack = connected().await;
    let fault = Fault::always("servicediscovery:GetNamespace", FaultKind::AccessDenied);
    stack.harness.simulator.fault(fault);
    let said = refusal(stack.map.get_namespace().id(&stack.namespace).send().await);
    assert!(said.starts_with("AccessDeniedException"), "{said}");
    let list = stack.map.list_namespaces().send().await.unwrap();
    assert_eq!(list.namespaces().len(), 1);
    let empty = Fault::next("servicediscovery:ListNamespaces", FaultKind::EmptyPage, 1);
    stack.harness.simulator.fault(empty);
    assert!(
        stack
            .map
            .list_namespaces()
            .send()
            .await
            .unwrap()
            .namespaces()
            .is_empty()
    );
}
