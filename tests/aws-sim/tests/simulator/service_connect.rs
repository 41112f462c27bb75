use aws_sdk_ecs::types::{
    ApplicationProtocol, ContainerDefinition, PortMapping, ServiceConnectClientAlias,
    ServiceConnectConfiguration, ServiceConnectService,
};
use aws_sim::Options;

use crate::harness::{CLUSTER, Harness, refusal, start};

async fn with_port(
    harness: &Harness,
    family: &str,
    protocol: Option<ApplicationProtocol>,
) -> String {
    let port = PortMapping::builder()
        .container_port(8080)
        .name("api_default");
    let port = port.set_app_protocol(protocol).build();
    let container = ContainerDefinition::builder()
        .name("app")
        .image("a")
        .port_mappings(port);
    harness.register(family, container.build()).await
}

fn connect(discovery_name: &str, alias: &str) -> ServiceConnectConfiguration {
    let alias = ServiceConnectClientAlias::builder()
        .port(8080)
        .dns_name(alias)
        .build()
        .unwrap();
    let service = ServiceConnectService::builder().port_name("api_default");
    let service = service
        .discovery_name(discovery_name)
        .client_aliases(alias)
        .build()
        .unwrap();
    ServiceConnectConfiguration::builder()
        .enabled(true)
        .namespace("flexstack.internal")
        .services(service)
        .build()
}

#[tokio::test]
async fn the_configuration_shows_on_the_deployment() {
    let harness = start(Options::default()).await;
    let definition = with_port(&harness, "api", None).await;
    let create = harness.service("api", &definition);
    create
        .service_connect_configuration(connect("api_default", "api.x"))
        .send()
        .await
        .unwrap();
    let service = harness.describe("api").await;
    let shown = service.deployments()[0]
        .service_connect_configuration()
        .unwrap();
    assert_eq!(shown.services()[0].discovery_name(), Some("api_default"));
    assert_eq!(
        service.deployments()[0].service_connect_resources().len(),
        1
    );
}

#[tokio::test]
async fn a_port_must_be_named_in_the_task_definition() {
    let harness = start(Options::default()).await;
    let plain = ContainerDefinition::builder()
        .name("app")
        .image("a")
        .build();
    let definition = harness.register("api", plain).await;
    let create = harness.service("api", &definition);
    let create = create.service_connect_configuration(connect("api_default", "api.x"));
    assert!(refusal(create.send().await).contains("port name api_default was not found"));
}

#[tokio::test]
async fn names_and_aliases_belong_to_one_service_until_it_is_gone() {
    let harness = start(Options::default()).await;
    let definition = with_port(&harness, "api", None).await;
    let create = |service: &str, discovery: &str, alias: &str| {
        let create = harness.service(service, &definition);
        create
            .service_connect_configuration(connect(discovery, alias))
            .send()
    };
    create("one", "api_default", "api.x").await.unwrap();
    let taken = refusal(create("two", "api_default", "other.x").await);
    assert!(taken.contains("SC service is already used by"), "{taken}");
    let taken = refusal(create("two", "other_default", "api.x").await);
    assert!(
        taken.contains("Client alias api.x:8080 is already used"),
        "{taken}"
    );
    let delete = harness
        .ecs
        .delete_service()
        .cluster(CLUSTER)
        .service("one")
        .force(true);
    delete.send().await.unwrap();
    assert!(
        create("two", "api_default", "api.x").await.is_err(),
        "still draining"
    );
    harness.advance(60);
    create("two", "api_default", "api.x").await.unwrap();
}

#[tokio::test]
async fn the_protocol_of_an_endpoint_never_changes() {
    let harness = start(Options::default()).await;
    let tcp = with_port(&harness, "api", None).await;
    let create = harness.service("api", &tcp);
    create
        .service_connect_configuration(connect("api_default", "api.x"))
        .send()
        .await
        .unwrap();
    let http = with_port(&harness, "api", Some(ApplicationProtocol::Http)).await;
    let update = || harness.ecs.update_service().cluster(CLUSTER).service("api");
    let said = refusal(update().task_definition(&http).send().await);
    assert!(
        said.contains("The following config cannot be changed for a SC service."),
        "{said}"
    );
    let said = update().task_definition(&http);
    let said = said.service_connect_configuration(connect("api_default", "api.x"));
    assert!(said.send().await.is_err());
    let renamed = update().task_definition(&http);
    let renamed = renamed.service_connect_configuration(connect("api_default_2", "api.x"));
    renamed.send().await.unwrap();
}

#[tokio::test]
async fn a_namespace_holds_three_hundred_services() {
    let harness = start(Options::default()).await;
    let definition = with_port(&harness, "api", None).await;
    let create = |number: usize| {
        let client_only = ServiceConnectConfiguration::builder().enabled(true);
        let client_only = client_only.namespace("flexstack.internal").build();
        let create = harness.service(&format!("api-{number}"), &definition);
        create.service_connect_configuration(client_only).send()
    };
    for number in 0..300 {
        create(number).await.unwrap();
    }
    assert!(refusal(create(300).await).contains("maximum number of services: 300"));
}
