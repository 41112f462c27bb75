//! A simulator under a manual clock with a real SDK client, and the requests most tests start from.

use std::time::Duration;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::retry::RetryConfig;
use aws_sdk_ecs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecs::operation::create_service::builders::CreateServiceFluentBuilder;
use aws_sdk_ecs::operation::register_task_definition::builders::RegisterTaskDefinitionFluentBuilder;
use aws_sdk_ecs::operation::update_service::builders::UpdateServiceFluentBuilder;
use aws_sdk_ecs::types::{
    AwsVpcConfiguration, CapacityProviderStrategyItem, Compatibility, ContainerDefinition,
    DeploymentCircuitBreaker, DeploymentConfiguration, HealthCheck, NetworkConfiguration,
    NetworkMode, Service, ServiceDeployment, ServiceField,
};
use aws_sim::{Options, Server, Simulator, serve};

pub(crate) const CLUSTER: &str = "staging";

pub(crate) struct Harness {
    pub(crate) simulator: Simulator,
    pub(crate) server: Server,
    pub(crate) ecs: Client,
    pub(crate) scaling: aws_sdk_applicationautoscaling::Client,
    pub(crate) cloud_watch: aws_sdk_cloudwatch::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
}

/// A configuration of any SDK client: each has types of its own by the same names.
macro_rules! configured {
    ($sdk:ident, $url:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("us-east-1"))
                .credentials_provider(Credentials::new(
                    "111122223333",
                    "secret",
                    None,
                    None,
                    "test",
                ))
                .retry_config(RetryConfig::disabled())
                .endpoint_url($url)
                .build(),
        )
    };
}

pub(crate) fn client(url: &str) -> Client {
    configured!(aws_sdk_ecs, url)
}

pub(crate) fn secrets_client(url: &str) -> aws_sdk_secretsmanager::Client {
    use aws_sdk_secretsmanager::config::{
        BehaviorVersion, Credentials, Region, retry::RetryConfig,
    };
    let credentials = Credentials::new("111122223333", "secret", None, None, "test");
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::disabled())
        .endpoint_url(url);
    aws_sdk_secretsmanager::Client::from_conf(config.build())
}

/// A simulator with a cluster that has both Fargate capacity providers.
pub(crate) async fn start(options: Options) -> Harness {
    let simulator = Simulator::new(options).unwrap();
    let server = serve(simulator.clone(), ([127, 0, 0, 1], 0).into())
        .await
        .unwrap();
    let ecs = client(&server.url);
    ecs.create_cluster()
        .cluster_name(CLUSTER)
        .capacity_providers("FARGATE")
        .capacity_providers("FARGATE_SPOT")
        .send()
        .await
        .unwrap();
    let scaling = configured!(aws_sdk_applicationautoscaling, &server.url);
    let cloud_watch = configured!(aws_sdk_cloudwatch, &server.url);
    let secrets = secrets_client(&server.url);
    Harness {
        simulator,
        server,
        ecs,
        scaling,
        cloud_watch,
        secrets,
    }
}

/// Code and text of a service error.
pub(crate) fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E>>,
) -> String {
    let error = result.expect_err("AWS refuses this");
    let service = error
        .as_service_error()
        .expect("a service error, not a broken connection");
    format!(
        "{}: {}",
        service.code().unwrap_or(""),
        service.message().unwrap_or("")
    )
}

impl Harness {
    pub(crate) fn advance(&self, seconds: u64) {
        self.simulator.advance(Duration::from_secs(seconds));
    }

    /// The smallest task definition Fargate takes.
    pub(crate) fn definition(&self, family: &str) -> RegisterTaskDefinitionFluentBuilder {
        self.ecs
            .register_task_definition()
            .family(family)
            .requires_compatibilities(Compatibility::Fargate)
            .network_mode(NetworkMode::Awsvpc)
            .cpu("256")
            .memory("512")
    }

    pub(crate) async fn register(&self, family: &str, container: ContainerDefinition) -> String {
        let made = self
            .definition(family)
            .container_definitions(container)
            .send()
            .await
            .unwrap();
        made.task_definition()
            .unwrap()
            .task_definition_arn()
            .unwrap()
            .to_owned()
    }

    /// A request for a service of one task that rolls 100/200 with circuit breaker and rollback.
    pub(crate) fn service(&self, name: &str, definition: &str) -> CreateServiceFluentBuilder {
        self.ecs
            .create_service()
            .cluster(CLUSTER)
            .service_name(name)
            .task_definition(definition)
            .desired_count(1)
            .capacity_provider_strategy(on("FARGATE"))
            .network_configuration(network(&["sg-1"]))
            .deployment_configuration(rolling(100, 200))
    }

    pub(crate) async fn describe(&self, name: &str) -> Service {
        self.find(name).await.expect("the service is described")
    }

    pub(crate) async fn find(&self, name: &str) -> Option<Service> {
        let asked = self.ecs.describe_services().cluster(CLUSTER).services(name);
        let found = asked.include(ServiceField::Tags).send().await.unwrap();
        if found.services().is_empty() {
            assert_eq!(found.failures()[0].reason(), Some("MISSING"));
        }
        found.services().first().cloned()
    }

    /// A service of one image, complete and healthy.
    pub(crate) async fn running(&self, name: &str, image: &str) -> String {
        let definition = self.register(name, container(image)).await;
        self.service(name, &definition).send().await.unwrap();
        self.advance(60);
        definition
    }

    pub(crate) fn update(&self, name: &str) -> UpdateServiceFluentBuilder {
        self.ecs.update_service().cluster(CLUSTER).service(name)
    }

    /// Begins to roll a service to another image.
    pub(crate) async fn roll(&self, name: &str, image: &str) -> String {
        let definition = self.register(name, container(image)).await;
        let update = self.update(name).task_definition(&definition);
        update.send().await.unwrap();
        definition
    }

    pub(crate) async fn newest_deployment(&self, name: &str) -> ServiceDeployment {
        let listed = self.ecs.list_service_deployments().cluster(CLUSTER);
        let listed = listed.service(name).send().await.unwrap();
        let newest = listed.service_deployments()[0].service_deployment_arn();
        self.service_deployment(newest.unwrap()).await
    }

    pub(crate) async fn service_deployment(&self, arn: &str) -> ServiceDeployment {
        let found = self.ecs.describe_service_deployments();
        let found = found.service_deployment_arns(arn).send().await.unwrap();
        found.service_deployments()[0].clone()
    }

    /// The texts of a service's events, newest first.
    pub(crate) async fn events(&self, name: &str) -> Vec<String> {
        let service = self.describe(name).await;
        let texts = service.events().iter().filter_map(|event| event.message());
        texts.map(str::to_owned).collect()
    }

    /// One request to `/_sim/`; returns its HTTP status.
    pub(crate) async fn control(&self, action: &str, body: serde_json::Value) -> u16 {
        let url = format!("{}/_sim/{action}", self.server.url);
        let answer = reqwest::Client::new().post(url).body(body.to_string());
        answer.send().await.unwrap().status().as_u16()
    }

    pub(crate) async fn stopped_tasks(&self, name: &str) -> Vec<aws_sdk_ecs::types::Task> {
        let listed = self
            .ecs
            .list_tasks()
            .cluster(CLUSTER)
            .service_name(name)
            .desired_status(aws_sdk_ecs::types::DesiredStatus::Stopped)
            .send()
            .await
            .unwrap();
        if listed.task_arns().is_empty() {
            return Vec::new();
        }
        let asked = self.ecs.describe_tasks().cluster(CLUSTER);
        let asked = asked.set_tasks(Some(listed.task_arns().to_vec()));
        asked.send().await.unwrap().tasks().to_vec()
    }
}

pub(crate) fn container(image: &str) -> ContainerDefinition {
    ContainerDefinition::builder()
        .name("app")
        .image(image)
        .essential(true)
        .build()
}

/// A container with a health check every 10 s, which fails after two.
pub(crate) fn checked(image: &str) -> ContainerDefinition {
    let check = HealthCheck::builder()
        .command("CMD")
        .command("true")
        .interval(10)
        .retries(2);
    let check = check.build().unwrap();
    ContainerDefinition::builder()
        .name("app")
        .image(image)
        .health_check(check)
        .build()
}

pub(crate) fn on(provider: &str) -> CapacityProviderStrategyItem {
    CapacityProviderStrategyItem::builder()
        .capacity_provider(provider)
        .weight(1)
        .build()
        .unwrap()
}

pub(crate) fn network(groups: &[&str]) -> NetworkConfiguration {
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    let vpc = AwsVpcConfiguration::builder()
        .subnets("subnet-a")
        .set_security_groups(Some(groups));
    NetworkConfiguration::builder()
        .awsvpc_configuration(vpc.build().unwrap())
        .build()
}

pub(crate) fn rolling(minimum: i32, maximum: i32) -> DeploymentConfiguration {
    let breaker = DeploymentCircuitBreaker::builder()
        .enable(true)
        .rollback(true)
        .build();
    DeploymentConfiguration::builder()
        .minimum_healthy_percent(minimum)
        .maximum_percent(maximum)
        .deployment_circuit_breaker(breaker)
        .build()
}
