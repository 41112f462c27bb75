use std::time::Duration;

use aws_sdk_ecs::types::{AvailabilityZoneRebalancing, NetworkConfiguration, PropagateTags, Tag};
use aws_sim::Options;

use crate::harness::{CLUSTER, container, network, on, refusal, rolling, start};

#[tokio::test]
async fn a_missing_cluster_or_service_is_said_so() {
    let harness = start(Options::default()).await;
    let definition = harness.register("api", container("a")).await;
    let elsewhere = harness
        .service("api", &definition)
        .cluster("nowhere")
        .send()
        .await;
    assert_eq!(
        refusal(elsewhere),
        "ClusterNotFoundException: Cluster not found."
    );
    assert!(harness.find("api").await.is_none());
    let update = harness
        .ecs
        .update_service()
        .cluster(CLUSTER)
        .service("api")
        .send()
        .await;
    assert_eq!(
        refusal(update),
        "ServiceNotFoundException: Service not found."
    );
    let delete = harness
        .ecs
        .delete_service()
        .cluster(CLUSTER)
        .service("api")
        .send()
        .await;
    assert_eq!(
        refusal(delete),
        "ServiceNotFoundException: Service not found."
    );
}

#[tokio::test]
async fn the_same_token_and_parameters_create_once() {
    let harness = start(Options::default()).await;
    let definition = harness.register("api", container("a")).await;
    let create = |token: &str| harness.service("api", &definition).client_token(token);
    create("t1").send().await.unwrap();
    harness.advance(5);
    create("t1").send().await.unwrap();
    let not_idempotent = "InvalidParameterException: Creation of service was not idempotent.";
    assert_eq!(refusal(create("t2").send().await), not_idempotent);
    assert_eq!(
        refusal(create("t1").desired_count(2).send().await),
        not_idempotent
    );
    assert_eq!(
        refusal(harness.service("api", &definition).send().await),
        not_idempotent
    );
    let services = harness.simulator.state()["services"].clone();
    assert_eq!(services.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_deleted_service_drains_then_is_inactive_then_missing() {
    let harness = start(Options::default()).await;
    let definition = harness.running("api", "a").await;
    let delete = |force: bool| {
        harness
            .ecs
            .delete_service()
            .cluster(CLUSTER)
            .service("api")
            .force(force)
            .send()
    };
    let scaled = refusal(delete(false).await);
    assert!(scaled.contains("The service cannot be stopped while it is scaled above 0."));
    let answer = delete(true).await.unwrap();
    assert_eq!(answer.service().unwrap().status(), Some("DRAINING"));
    let listed = harness
        .ecs
        .list_services()
        .cluster(CLUSTER)
        .send()
        .await
        .unwrap();
    assert!(listed.service_arns().is_empty());
    let again = refusal(harness.service("api", &definition).send().await);
    assert_eq!(
        again,
        "InvalidParameterException: Unable to Start a service that is still Draining."
    );
    let update = harness
        .ecs
        .update_service()
        .cluster(CLUSTER)
        .service("api")
        .send()
        .await;
    assert_eq!(
        refusal(update),
        "ServiceNotActiveException: Service was not ACTIVE."
    );
    harness.advance(30);
    let gone = harness.describe("api").await;
    assert_eq!((gone.status(), gone.running_count()), (Some("INACTIVE"), 0));
    assert!(refusal(delete(true).await).starts_with("ServiceNotFoundException"));
    harness.advance(3600);
    assert!(harness.find("api").await.is_none());
    harness.service("api", &definition).send().await.unwrap();
    assert_eq!(harness.describe("api").await.status(), Some("ACTIVE"));
}

#[tokio::test]
async fn a_used_token_replays_the_deleted_service() {
    let harness = start(Options::default()).await;
    let definition = harness.register("api", container("a")).await;
    let create = |token: &str| {
        harness
            .service("api", &definition)
            .client_token(token)
            .send()
    };
    create("epoch-1").await.unwrap();
    let delete = harness
        .ecs
        .delete_service()
        .cluster(CLUSTER)
        .service("api")
        .force(true);
    delete.send().await.unwrap();
    harness.advance(60);
    let replayed = create("epoch-1").await.unwrap();
    assert_eq!(replayed.service().unwrap().status(), Some("INACTIVE"));
    let made = create("epoch-2").await.unwrap();
    assert_eq!(made.service().unwrap().status(), Some("ACTIVE"));
}

#[tokio::test]
async fn readers_lag_behind_a_creation() {
    let options = Options {
        describe_lag: Duration::from_secs(10),
        ..Options::default()
    };
    let harness = start(options).await;
    let definition = harness.register("api", container("a")).await;
    harness.service("api", &definition).send().await.unwrap();
    assert!(harness.find("api").await.is_none());
    let listed = harness
        .ecs
        .list_services()
        .cluster(CLUSTER)
        .send()
        .await
        .unwrap();
    assert!(listed.service_arns().is_empty());
    harness.advance(10);
    assert!(harness.find("api").await.is_some());
}

#[tokio::test]
async fn a_page_of_services_is_ten_unless_asked() {
    let harness = start(Options::default()).await;
    let definition = harness.register("api", container("a")).await;
    for number in 0..12 {
        harness
            .service(&format!("api-{number}"), &definition)
            .send()
            .await
            .unwrap();
    }
    let first = harness
        .ecs
        .list_services()
        .cluster(CLUSTER)
        .send()
        .await
        .unwrap();
    assert_eq!(first.service_arns().len(), 10);
    let next = harness.ecs.list_services().cluster(CLUSTER);
    let next = next
        .set_next_token(first.next_token().map(str::to_owned))
        .send()
        .await
        .unwrap();
    assert_eq!((next.service_arns().len(), next.next_token()), (2, None));
    let eleven = (0..11).map(|number| format!("api-{number}")).collect();
    let many = harness
        .ecs
        .describe_services()
        .cluster(CLUSTER)
        .set_services(Some(eleven));
    assert!(refusal(many.send().await).starts_with("InvalidParameterException"));
}

#[tokio::test]
async fn capacity_providers_must_be_associated_with_the_cluster() {
    let harness = start(Options::default()).await;
    harness
        .ecs
        .create_cluster()
        .cluster_name("bare")
        .send()
        .await
        .unwrap();
    let definition = harness.register("api", container("a")).await;
    let bare = harness
        .service("api", &definition)
        .cluster("bare")
        .send()
        .await;
    assert!(refusal(bare).contains("not associated with the cluster"));
    let attach = harness.ecs.put_cluster_capacity_providers().cluster("bare");
    let attach = attach.capacity_providers("FARGATE");
    let attach = attach
        .set_default_capacity_provider_strategy(Some(vec![]))
        .send()
        .await;
    attach.unwrap();
    harness
        .service("api", &definition)
        .cluster("bare")
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn percentages_and_zone_rebalancing_have_rules() {
    let harness = start(Options::default()).await;
    let definition = harness.register("api", container("a")).await;
    let with = |minimum, maximum| {
        harness
            .service("api", &definition)
            .deployment_configuration(rolling(minimum, maximum))
    };
    for (minimum, maximum) in [(101, 200), (-1, 200), (0, 99), (0, 201), (100, 100)] {
        let refused = refusal(with(minimum, maximum).send().await);
        assert!(
            refused.starts_with("InvalidParameterException"),
            "{minimum}/{maximum}"
        );
    }
    assert!(refusal(with(0, 100).send().await).contains("rebalancing"));
    let explicit =
        with(0, 100).availability_zone_rebalancing(AvailabilityZoneRebalancing::Disabled);
    explicit.send().await.unwrap();
}

#[tokio::test]
async fn a_service_needs_a_network() {
    let harness = start(Options::default()).await;
    let definition = harness.register("api", container("a")).await;
    let none = harness.service("api", &definition);
    let none = none
        .network_configuration(NetworkConfiguration::builder().build())
        .send()
        .await;
    assert!(refusal(none).contains("Network Configuration must be provided"));
    let six = ["a", "b", "c", "d", "e", "f"];
    let many = harness
        .service("api", &definition)
        .network_configuration(network(&six));
    assert!(refusal(many.send().await).contains("securityGroups"));
}

#[tokio::test]
async fn a_capacity_change_must_be_forced_and_then_starts_a_deployment() {
    let harness = start(Options::default()).await;
    harness.running("api", "a").await;
    let update = || {
        let update = harness.ecs.update_service().cluster(CLUSTER).service("api");
        update.capacity_provider_strategy(on("FARGATE_SPOT"))
    };
    assert!(refusal(update().send().await).contains("you must force a new deployment"));
    update().force_new_deployment(true).send().await.unwrap();
    let service = harness.describe("api").await;
    assert_eq!(service.deployments().len(), 2);
    let shown = &service.capacity_provider_strategy()[0];
    assert_eq!(shown.capacity_provider(), "FARGATE_SPOT");
}

#[tokio::test]
async fn only_some_members_start_a_deployment() {
    let harness = start(Options::default()).await;
    let definition = harness.running("api", "a").await;
    let update = || harness.ecs.update_service().cluster(CLUSTER).service("api");
    update().desired_count(2).send().await.unwrap();
    let without_role = update().enable_execute_command(true).send().await;
    assert!(refusal(without_role).contains("a valid taskRoleArn"));
    let tags = PropagateTags::Service;
    update().propagate_tags(tags.clone()).send().await.unwrap();
    update()
        .deployment_configuration(rolling(50, 200))
        .send()
        .await
        .unwrap();
    update().task_definition(&definition).send().await.unwrap();
    let service = harness.describe("api").await;
    assert_eq!(service.deployments().len(), 1);
    assert_eq!(
        (service.desired_count(), service.propagate_tags()),
        (2, Some(&tags))
    );
    update()
        .network_configuration(network(&["sg-2"]))
        .send()
        .await
        .unwrap();
    assert_eq!(harness.describe("api").await.deployments().len(), 2);
    // What an update does not name keeps its value.
    let configuration = harness
        .describe("api")
        .await
        .deployment_configuration()
        .cloned()
        .unwrap();
    assert_eq!(configuration.minimum_healthy_percent(), Some(50));
}

#[tokio::test]
async fn tags_are_changed_by_their_own_operations_and_have_rules() {
    let harness = start(Options::default()).await;
    let definition = harness.register("api", container("a")).await;
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    let create = harness.service("api", &definition).tags(tag("team", "a"));
    let arn = create
        .send()
        .await
        .unwrap()
        .service()
        .unwrap()
        .service_arn()
        .unwrap()
        .to_owned();
    let add = |tag: Tag| {
        harness
            .ecs
            .tag_resource()
            .resource_arn(&arn)
            .tags(tag)
            .send()
    };
    add(tag("team", "b")).await.unwrap();
    add(tag("owner", "x")).await.unwrap();
    assert!(refusal(add(tag("aws:x", "y")).await).starts_with("InvalidParameterException"));
    assert!(refusal(add(tag(&"k".repeat(129), "y")).await).contains("length"));
    let remove = harness
        .ecs
        .untag_resource()
        .resource_arn(&arn)
        .tag_keys("owner");
    remove.send().await.unwrap();
    let service = harness.describe("api").await;
    assert_eq!(service.tags().len(), 1);
    assert_eq!(service.tags()[0].value(), Some("b"));
    let many = (0..51).map(|number| tag(&number.to_string(), "")).collect();
    let full = harness
        .service("other", &definition)
        .set_tags(Some(many))
        .send()
        .await;
    assert!(refusal(full).contains("50 tags"));
}
