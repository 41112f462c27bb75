use aws_sdk_ecs::types::{
    Compatibility, ContainerDefinition, EphemeralStorage, HealthCheck, KeyValuePair,
    LogConfiguration, LogDriver, NetworkMode, PortMapping, Secret, SortOrder, Tag,
    TaskDefinitionField,
};
use aws_sim::Options;

use crate::harness::{CLUSTER, Harness, container, refusal, start};

async fn refused(harness: &Harness, container: ContainerDefinition) -> String {
    refusal(
        harness
            .definition("api")
            .container_definitions(container)
            .send()
            .await,
    )
}

fn app() -> aws_sdk_ecs::types::builders::ContainerDefinitionBuilder {
    ContainerDefinition::builder()
        .name("app")
        .image("redis:alpine")
}

#[tokio::test]
async fn a_revision_is_new_even_for_the_same_input_and_its_echo_has_defaults() {
    let harness = start(Options::default()).await;
    let first = harness
        .register("staging_api", container("redis:alpine"))
        .await;
    let second = harness
        .register("staging_api", container("redis:alpine"))
        .await;
    assert!(first.ends_with("task-definition/staging_api:1"), "{first}");
    assert!(second.ends_with(":2"));
    let found = harness
        .ecs
        .describe_task_definition()
        .task_definition("staging_api");
    let found = found.send().await.unwrap();
    let shown = found.task_definition().unwrap();
    assert_eq!(shown.revision(), 2);
    assert_eq!(shown.container_definitions()[0].essential(), Some(true));
    assert_eq!(shown.container_definitions()[0].cpu(), 0);
}

#[tokio::test]
async fn tags_are_shown_when_asked_for() {
    let harness = start(Options::default()).await;
    let tag = Tag::builder().key("hash").value("abc").build();
    let register = harness
        .definition("api")
        .container_definitions(container("a"))
        .tags(tag);
    register.send().await.unwrap();
    let find = || {
        harness
            .ecs
            .describe_task_definition()
            .task_definition("api:1")
    };
    assert_eq!(find().send().await.unwrap().tags().len(), 0);
    let tagged = find()
        .include(TaskDefinitionField::Tags)
        .send()
        .await
        .unwrap();
    assert_eq!(tagged.tags()[0].value(), Some("abc"));
}

#[tokio::test]
async fn a_listing_is_of_one_family_newest_first_if_asked() {
    let harness = start(Options::default()).await;
    for family in ["api", "api", "api-two"] {
        harness.register(family, container("a")).await;
    }
    let list = harness
        .ecs
        .list_task_definitions()
        .family_prefix("api")
        .sort(SortOrder::Desc);
    let listed = list.max_results(1).send().await.unwrap();
    assert!(listed.task_definition_arns()[0].ends_with("/api:2"));
    assert!(listed.next_token().is_some());
}

#[tokio::test]
async fn an_inactive_revision_runs_on_but_is_refused_for_anything_new() {
    let harness = start(Options::default()).await;
    let definition = harness.running("api", "a").await;
    let deregister = harness
        .ecs
        .deregister_task_definition()
        .task_definition(&definition);
    deregister.send().await.unwrap();
    let said = refusal(harness.service("other", &definition).send().await);
    assert_eq!(said, "ClientException: TaskDefinition is inactive");
    assert_eq!(harness.describe("api").await.running_count(), 1);
    let force = harness.ecs.update_service().cluster(CLUSTER).service("api");
    let said = refusal(force.force_new_deployment(true).send().await);
    assert_eq!(said, "ClientException: TaskDefinition is inactive");
    let said = refusal(harness.service("other", "nothing:1").send().await);
    assert_eq!(said, "ClientException: TaskDefinition not found.");
}

#[tokio::test]
async fn fargate_takes_only_its_sizes() {
    let harness = start(Options::default()).await;
    let sizes = [
        ("256", "512", true),
        ("256", "4096", false),
        ("300", "512", false),
        ("2048", "17408", false),
        ("8192", "20480", true),
        ("8192", "18432", false),
        ("32768", "249856", true),
        ("0.25 vCPU", "512", false),
    ];
    for (cpu, memory, fits) in sizes {
        let asked = harness.definition("api").cpu(cpu).memory(memory);
        let result = asked.container_definitions(container("a")).send().await;
        assert_eq!(result.is_ok(), fits, "{cpu}/{memory}");
    }
    let none = harness
        .definition("api")
        .set_cpu(None)
        .container_definitions(container("a"));
    assert!(refusal(none.send().await).contains("'cpu' be defined at the task level"));
}

#[tokio::test]
async fn fargate_needs_awsvpc_and_to_be_asked_for() {
    let harness = start(Options::default()).await;
    let bridge = harness.definition("api").network_mode(NetworkMode::Bridge);
    let bridge = bridge.container_definitions(container("a")).send().await;
    assert!(refusal(bridge).contains("Fargate only supports network mode"));
    let ec2 = harness.definition("api").set_requires_compatibilities(None);
    let ec2 = ec2.requires_compatibilities(Compatibility::Ec2);
    assert!(
        ec2.container_definitions(container("a"))
            .send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn logs_and_secrets_need_an_execution_role() {
    let harness = start(Options::default()).await;
    let logs = LogConfiguration::builder()
        .log_driver(LogDriver::Awslogs)
        .options("awslogs-group", "g")
        .options("awslogs-region", "us-east-1")
        .options("awslogs-stream-prefix", "api")
        .build()
        .unwrap();
    let logged = app().log_configuration(logs).build();
    assert!(
        refused(&harness, logged.clone())
            .await
            .contains("execution role")
    );
    let secret = Secret::builder()
        .name("TOKEN")
        .value_from("arn:x")
        .build()
        .unwrap();
    assert!(
        refused(&harness, app().secrets(secret).build())
            .await
            .contains("executionRoleArn")
    );
    let with_role = harness
        .definition("api")
        .execution_role_arn("arn:aws:iam::1:role/x");
    with_role
        .container_definitions(logged)
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn health_checks_have_ranges() {
    let harness = start(Options::default()).await;
    let check = |timeout: i32, command: &str| {
        HealthCheck::builder()
            .command(command)
            .command("true")
            .timeout(timeout)
            .build()
            .unwrap()
    };
    for (timeout, command, fits) in [
        (60, "CMD", true),
        (61, "CMD", false),
        (1, "CMD", false),
        (5, "true", false),
    ] {
        let container = app().health_check(check(timeout, command)).build();
        let result = harness
            .definition("api")
            .container_definitions(container)
            .send()
            .await;
        assert_eq!(result.is_ok(), fits, "{timeout} {command}");
    }
}

#[tokio::test]
async fn names_are_unique_and_storage_has_a_range() {
    let harness = start(Options::default()).await;
    let twice = harness
        .definition("api")
        .container_definitions(container("a"));
    let twice = twice.container_definitions(container("b")).send().await;
    assert!(refusal(twice).contains("Duplicate container name"));
    let pair = || KeyValuePair::builder().name("A").value("1").build();
    let said = refused(
        &harness,
        app().environment(pair()).environment(pair()).build(),
    )
    .await;
    assert!(said.contains("Duplicate environment"), "{said}");
    let port = |number: i32| {
        PortMapping::builder()
            .container_port(number)
            .name("http")
            .build()
    };
    let said = refused(
        &harness,
        app().port_mappings(port(1)).port_mappings(port(2)).build(),
    )
    .await;
    assert!(said.contains("Duplicate port mapping name"), "{said}");
    for (size, fits) in [(20, false), (21, true), (200, true), (201, false)] {
        let storage = EphemeralStorage::builder().size_in_gib(size).build();
        let asked = harness.definition("api").ephemeral_storage(storage);
        let result = asked.container_definitions(container("a")).send().await;
        assert_eq!(result.is_ok(), fits, "{size}");
    }
}
