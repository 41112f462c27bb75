//! Tasks read secrets at their start, and only then.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{
    ContainerDefinition, KeyValuePair, LogConfiguration, LogDriver, RepositoryCredentials, Secret,
    ServiceDeploymentStatus, TaskStopCode,
};
use aws_sim::{Behaviour, Options, Subject};

use crate::harness::{CLUSTER, Harness, container, start};
use crate::secrets::{ONE, TWO, create};

const ABSENT: &str = "arn:aws:secretsmanager:us-east-1:111122223333:secret:none-AbCdEf";

async fn strict() -> Harness {
    start(Options {
        check_secrets: true,
        ..Options::default()
    })
    .await
}

fn secret(name: &str, value_from: &str) -> Secret {
    Secret::builder()
        .name(name)
        .value_from(value_from)
        .build()
        .unwrap()
}

/// The container of an image, with secrets.
fn reading(image: &str, secrets: &[(&str, &str)]) -> ContainerDefinition {
    let secrets = secrets
        .iter()
        .map(|(name, from)| secret(name, from))
        .collect();
    let plain = KeyValuePair::builder().name("MODE").value("plain").build();
    ContainerDefinition::builder()
        .name("app")
        .image(image)
        .environment(plain)
        .set_secrets(Some(secrets))
        .build()
}

async fn register(harness: &Harness, containers: Vec<ContainerDefinition>) -> String {
    let definition = harness
        .definition("api")
        .execution_role_arn("arn:aws:iam::111122223333:role/execution")
        .set_container_definitions(Some(containers));
    let made = definition.send().await.unwrap();
    let made = made.task_definition().unwrap().task_definition_arn();
    made.unwrap().to_owned()
}

/// A service `api` of one container, and time for its tasks to start.
async fn run(harness: &Harness, container: ContainerDefinition) {
    let definition = register(harness, vec![container]).await;
    harness.service("api", &definition).send().await.unwrap();
    harness.advance(60);
}

async fn running(harness: &Harness) -> Vec<BTreeMap<String, String>> {
    let list = harness
        .ecs
        .list_tasks()
        .cluster(CLUSTER)
        .service_name("api");
    let listed = list.send().await.unwrap();
    let given = |arn: &String| harness.simulator.task_environment(arn);
    listed.task_arns().iter().map(given).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    owned.collect()
}

/// Why the first task could not start.
async fn failure(harness: &Harness) -> String {
    let stopped = harness.stopped_tasks("api").await;
    let task = stopped.first().expect("a task has stopped");
    assert_eq!(task.stop_code(), Some(&TaskStopCode::TaskFailedToStart));
    let reason = task.stopped_reason().unwrap();
    assert_eq!(task.containers()[0].reason(), Some(reason));
    reason.to_owned()
}

#[tokio::test]
async fn a_task_is_given_whole_secrets_their_members_and_their_versions() {
    let harness = strict().await;
    let value = r#"{"user": "admin", "port": 5432, "tls": true}"#;
    let create = harness
        .secrets
        .create_secret()
        .name("db")
        .client_request_token(ONE);
    let made = create.secret_string(value).send().await.unwrap();
    let arn = made.arn().unwrap();
    let put = harness
        .secrets
        .put_secret_value()
        .secret_id("db")
        .client_request_token(TWO);
    put.secret_string(r#"{"user": "root"}"#)
        .send()
        .await
        .unwrap();
    let container = reading(
        "a",
        &[
            ("WHOLE", arn),
            ("USER", &format!("{arn}:user::")),
            ("OLD_USER", &format!("{arn}:user:AWSPREVIOUS:")),
            ("OLD_PORT", &format!("{arn}:port::{ONE}")),
            ("OLD_TLS", &format!("{arn}:tls::{ONE}")),
            ("PARTIAL", &arn[..arn.len() - 7]),
            (
                "PARAMETER",
                "arn:aws:ssm:us-east-1:111122223333:parameter/a",
            ),
            ("FOREIGN", &arn.replace("111122223333", "444455556666")),
        ],
    );
    run(&harness, container).await;
    let whole = r#"{"user": "root"}"#;
    let expected = pairs(&[
        ("MODE", "plain"),
        ("WHOLE", whole),
        ("USER", "root"),
        ("OLD_USER", "admin"),
        ("OLD_PORT", "5432"),
        ("OLD_TLS", "true"),
        ("PARTIAL", whole),
    ]);
    assert_eq!(running(&harness).await, [expected]);
    assert!(harness.simulator.task_environment("none").is_empty());
}

#[tokio::test]
async fn a_changed_secret_reaches_the_tasks_that_start_after_it() {
    let harness = strict().await;
    let made = create(&harness, "db", "first").await;
    run(&harness, reading("a", &[("PASSWORD", made.arn().unwrap())])).await;
    let put = harness.secrets.put_secret_value().secret_id("db");
    put.secret_string("second").send().await.unwrap();
    harness.advance(600);
    let passwords = async || {
        let given = running(&harness).await;
        let mut passwords: Vec<String> = given.iter().map(|one| one["PASSWORD"].clone()).collect();
        passwords.sort();
        passwords
    };
    assert_eq!(passwords().await, ["first"]);
    harness.update("api").desired_count(2).send().await.unwrap();
    harness.advance(60);
    assert_eq!(passwords().await, ["first", "second"]);
    harness
        .update("api")
        .force_new_deployment(true)
        .send()
        .await
        .unwrap();
    harness.advance(200);
    assert_eq!(passwords().await, ["second", "second"]);
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_stops_the_task() {
    let whole = "ResourceInitializationError: unable to pull secrets or registry auth: execution \
                 resource retrieval failed: ";
    let retried = "unable to retrieve secret from asm: service call has been retried 1 time(s): ";
    let cases = [
        (
            "none",
            "",
            "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        ),
        (
            "db",
            ":user::",
            "retrieved secret from Secrets Manager did not contain json key user",
        ),
        (
            "text",
            ":user::",
            "invalid character looking for beginning of value",
        ),
        (
            "db",
            "::AWSPREVIOUS:",
            "ResourceNotFoundException: Secrets Manager can't find the specified secret value for \
             staging label: AWSPREVIOUS",
        ),
        (
            "db",
            ":::00000000-0000-0000-0000-000000000009",
            "ResourceNotFoundException: Secrets Manager can't find the specified secret value for \
             VersionId: 00000000-0000-0000-0000-000000000009",
        ),
        (
            "db",
            ":::9",
            "minimum field size of 32, GetSecretValueInput.VersionId.",
        ),
        (
            "empty",
            "",
            "ResourceNotFoundException: Secrets Manager can't find the specified secret value for \
             staging label: AWSCURRENT",
        ),
        (
            "deleted",
            "",
            "InvalidRequestException: You can't perform this operation on the secret because it was \
             marked for deletion.",
        ),
        (
            "db",
            ":user",
            "unexpected ARN format with parameters when trying to retrieve ASM secret",
        ),
    ];
    for (name, parameters, ends) in cases {
        let harness = strict().await;
        for (name, value) in [
            ("db", r#"{"name": "hunter2"}"#),
            ("text", "hunter2"),
            ("deleted", "a"),
        ] {
            create(&harness, name, value).await;
        }
        harness
            .secrets
            .create_secret()
            .name("empty")
            .send()
            .await
            .unwrap();
        harness
            .secrets
            .delete_secret()
            .secret_id("deleted")
            .send()
            .await
            .unwrap();
        let found = harness
            .secrets
            .describe_secret()
            .secret_id(name)
            .send()
            .await;
        let arn = found.map_or_else(|_| ABSENT.to_owned(), |found| found.arn.unwrap());
        run(
            &harness,
            reading("a", &[("PASSWORD", &format!("{arn}{parameters}"))]),
        )
        .await;
        let reason = failure(&harness).await;
        let rest = reason.strip_prefix(whole).unwrap();
        assert!(rest.ends_with(ends), "{reason}");
        assert_eq!(
            rest.starts_with(retried),
            !rest.starts_with("unexpected"),
            "{reason}"
        );
        assert!(!reason.contains("hunter2"), "{reason}");
        if rest.contains("Exception: ") {
            let fetch = format!(
                "failed to fetch secret {arn} from secrets manager: operation error Secrets Manager: \
                 GetSecretValue, https response error StatusCode: 400, RequestID: "
            );
            assert!(rest.contains(&fetch), "{reason}");
        }
        assert!(running(&harness).await.is_empty(), "{name}{parameters}");
    }
}

#[tokio::test]
async fn a_deployment_whose_secret_is_missing_is_rolled_back() {
    let harness = strict().await;
    let made = create(&harness, "db", "first").await;
    let arn = made.arn().unwrap();
    run(&harness, reading("a", &[("PASSWORD", arn)])).await;
    let wrong = register(&harness, vec![reading("b", &[("PASSWORD", ABSENT)])]).await;
    harness
        .update("api")
        .task_definition(wrong)
        .send()
        .await
        .unwrap();
    harness.advance(300);
    let record = harness.newest_deployment("api").await;
    let expected = ServiceDeploymentStatus::RollbackSuccessful;
    assert_eq!(record.status(), Some(&expected));
    let expected = pairs(&[("MODE", "plain"), ("PASSWORD", "first")]);
    assert_eq!(running(&harness).await, [expected]);
}

#[tokio::test]
async fn without_the_check_what_cannot_be_read_is_left_out() {
    let harness = start(Options::default()).await;
    let made = create(&harness, "db", "first").await;
    let secrets = [("PASSWORD", made.arn().unwrap()), ("OTHER", ABSENT)];
    run(&harness, reading("a", &secrets)).await;
    let expected = pairs(&[("MODE", "plain"), ("PASSWORD", "first")]);
    assert_eq!(running(&harness).await, [expected]);
}

#[tokio::test]
async fn log_drivers_and_registries_read_secrets_too() {
    let harness = strict().await;
    let key = create(&harness, "key", "hunter2").await;
    let login = create(
        &harness,
        "login",
        r#"{"username": "u", "password": "hunter2"}"#,
    )
    .await;
    let with = |key: &str, login: &str| {
        let log = LogConfiguration::builder().log_driver(LogDriver::Awsfirelens);
        let log = log.secret_options(secret("apikey", key)).build().unwrap();
        let credentials = RepositoryCredentials::builder().credentials_parameter(login);
        ContainerDefinition::builder()
            .name("app")
            .image("a")
            .log_configuration(log)
            .repository_credentials(credentials.build().unwrap())
            .build()
    };
    let (key, login) = (key.arn().unwrap(), login.arn().unwrap());
    run(&harness, with(key, login)).await;
    let listed = harness
        .ecs
        .list_tasks()
        .cluster(CLUSTER)
        .send()
        .await
        .unwrap();
    let task = &listed.task_arns()[0];
    let expected = pairs(&[("apikey", "hunter2")]);
    assert_eq!(harness.simulator.task_log_options(task), expected);
    assert!(harness.simulator.task_environment(task).is_empty());

    let registry = "unable to get registry auth from asm: service call has been retried 1 time(s): asm \
                    fetching ";
    let cases = [
        (ABSENT, login, "unable to retrieve secret from asm"),
        (key, ABSENT, registry),
        (key, key, "AuthorizationData is malformed, empty field"),
    ];
    for (key, login, expected) in cases {
        let definition = register(&harness, vec![with(key, login)]).await;
        let update = harness.update("api").task_definition(definition);
        update.send().await.unwrap();
        harness.advance(20);
        let stopped = harness.stopped_tasks("api").await;
        let reasons: Vec<&str> = stopped
            .iter()
            .filter_map(|task| task.stopped_reason())
            .collect();
        assert!(
            reasons.iter().any(|reason| reason.contains(expected)),
            "{reasons:?}"
        );
    }
}

#[tokio::test]
async fn the_essential_containers_variable_is_the_one_that_counts() {
    let harness = strict().await;
    let made = create(&harness, "db", "first").await;
    let sidecar = KeyValuePair::builder()
        .name("PASSWORD")
        .value("of the sidecar")
        .build();
    let sidecar = ContainerDefinition::builder()
        .name("sidecar")
        .image("s")
        .essential(false)
        .environment(sidecar)
        .environment(KeyValuePair::builder().name("ONLY").value("here").build())
        .build();
    let app = reading("a", &[("PASSWORD", made.arn().unwrap())]);
    let definition = register(&harness, vec![app, sidecar]).await;
    harness.service("api", &definition).send().await.unwrap();
    harness.advance(60);
    let expected = pairs(&[("MODE", "plain"), ("PASSWORD", "first"), ("ONLY", "here")]);
    assert_eq!(running(&harness).await, [expected]);
}

#[tokio::test]
async fn a_missing_secret_comes_before_a_missing_image_and_after_a_broken_network() {
    let harness = strict().await;
    harness
        .simulator
        .behave(Subject::Image("a".to_owned()), Behaviour::cannot_pull());
    run(&harness, reading("a", &[("PASSWORD", ABSENT)])).await;
    assert!(
        failure(&harness)
            .await
            .starts_with("ResourceInitializationError")
    );

    let harness = strict().await;
    harness.simulator.break_network("sg-1", true);
    run(&harness, reading("a", &[("PASSWORD", ABSENT)])).await;
    assert!(failure(&harness).await.ends_with("i/o timeout"));

    let harness = strict().await;
    run(&harness, container("a")).await;
    assert_eq!(running(&harness).await, [BTreeMap::new()]);
}
