use crate::fixtures::{CLUSTER_ID, Known, object, place};
use crate::place::Place;
use crate::problem::Problem;
use crate::resolve::{Resolved, resolve};
use crate::task_definition::LogDriver;
use privateservice_api::conditions::Reason;
use serde_json::{Value, json};

const SECRET: &str = "arn:aws:secretsmanager:eu-west-3:111122223333:secret:logging/vendor-AbCdEf";

fn try_logging(logging: &str, grants: &str) -> Result<Resolved, Problem> {
    let place = Place {
        grants: serde_saphyr::from_str(grants).unwrap(),
        ..place()
    };
    let spec = format!("{{source: {{image: {{name: 'a:1'}}}}, logging: {logging}}}");
    resolve(&object(&spec), &place, CLUSTER_ID, &Known::default())
}

fn granted(logging: &str) -> Resolved {
    let grants = format!("[{{namespaces: [team-a], secrets: ['{SECRET}']}}]");
    try_logging(logging, &grants).unwrap()
}

/// What the user's container and the log router are sent with, cut down to what concerns output.
fn rendered(resolved: &Resolved) -> Value {
    let definition = &resolved.desired.task_definition;
    assert_eq!(definition.container.log_driver, LogDriver::Awsfirelens);
    let router = definition.log_router.as_ref().unwrap();
    assert_eq!(
        router.log_options["awslogs-group"], "/shop",
        "its own output"
    );
    json!({
        "options": definition.container.log_options,
        "secretOptions": definition.container.log_secret_options,
        "routerSecrets": router.secrets,
    })
}

#[test]
fn without_a_word_output_goes_to_cloudwatch_and_no_container_is_added() {
    let quiet = try_logging("{cloudWatch: {}}", "[]").unwrap();
    let definition = &quiet.desired.task_definition;
    assert_eq!(definition.container.log_driver, LogDriver::Awslogs);
    assert_eq!(definition.log_router, None);
    assert_eq!(quiet.logs.destination, "CloudWatch");
    let url = quiet.logs.url.unwrap();
    assert!(
        url.ends_with("log-group/$252Fshop$3FlogStreamNameFilter$3Dapi$252F"),
        "{url}"
    );
}

#[test]
fn datadog_is_told_as_its_documentation_says() {
    let logging = format!(
        "{{datadog: {{site: datadoghq.eu, source: redis, tags: ['team:shop'], apiKey: {{awsSecretRef: {{id: '{SECRET}', key: dd}}}}}}}}"
    );
    let resolved = granted(&logging);
    assert_eq!(
        rendered(&resolved),
        json!({
            "options": {
                "Name": "datadog",
                "Host": "http-intake.logs.datadoghq.eu",
                "TLS": "on",
                "provider": "ecs",
                "dd_service": "api",
                "dd_source": "redis",
                "dd_tags": "env:pre-prod,team:shop",
            },
            "secretOptions": {"apikey": format!("{SECRET}:dd::")},
            "routerSecrets": {},
        })
    );
    assert_eq!(resolved.logs.destination, "Datadog");
}

#[test]
fn axiom_is_told_as_its_documentation_says() {
    let of = |domain: &str| {
        let logging = format!(
            "{{axiom: {{dataset: shop, {domain} token: {{awsSecretRef: {{id: '{SECRET}'}}}}}}}}"
        );
        rendered(&granted(&logging))
    };
    assert_eq!(
        of(""),
        json!({
            "options": {
                "Name": "http",
                "Host": "us-east-1.aws.edge.axiom.co",
                "Port": "443",
                "URI": "/v1/ingest/shop",
                "Format": "json",
                "tls": "On",
                "json_date_key": "_time",
                "json_date_format": "iso8601",
                "Header": "Authorization Bearer ${AXIOM_TOKEN}",
            },
            "secretOptions": {},
            "routerSecrets": {"AXIOM_TOKEN": SECRET},
        })
    );
    let own = of("domain: api.eu.axiom.co,");
    assert_eq!(own["options"]["URI"], "/v1/datasets/shop/ingest");
}

#[test]
fn fluent_bit_gets_the_options_as_they_are() {
    let logging = format!(
        "{{fluentBit: {{options: {{Name: loki, host: loki.corp}}, secretOptions: {{http_passwd: {{awsSecretRef: {{id: '{SECRET}'}}}}}}}}}}"
    );
    assert_eq!(
        rendered(&granted(&logging)),
        json!({
            "options": {"Name": "loki", "host": "loki.corp"},
            "secretOptions": {"http_passwd": SECRET},
            "routerSecrets": {},
        })
    );
}

#[test]
fn a_token_that_is_not_granted_is_refused_by_the_name_of_its_field() {
    let source = format!("{{awsSecretRef: {{id: '{SECRET}'}}}}");
    for (logging, field) in [
        (
            format!("{{datadog: {{apiKey: {source}}}}}"),
            "logging.datadog.apiKey: ",
        ),
        (
            format!("{{axiom: {{dataset: a, token: {source}}}}}"),
            "logging.axiom.token: ",
        ),
        (
            format!("{{fluentBit: {{options: {{Name: x}}, secretOptions: {{a: {source}}}}}}}"),
            "logging.fluentBit.secretOptions: ",
        ),
    ] {
        let problem = try_logging(&logging, "[]").unwrap_err();
        assert_eq!(problem.reason, Reason::NamespaceNotAllowed);
        assert!(
            problem.message.starts_with(field),
            "{} for {logging}",
            problem.message
        );
    }
}

#[test]
fn exec_needs_a_role_and_brings_an_init_process() {
    let with = |role: Option<&str>| {
        let place = Place {
            task_role_arn: role.map(str::to_owned),
            ..place()
        };
        let spec = "{source: {image: {name: 'a:1'}}, exec: true}";
        resolve(&object(spec), &place, CLUSTER_ID, &Known::default())
    };
    let desired = with(Some("arn:aws:iam::111122223333:role/default"))
        .unwrap()
        .desired;
    assert!(desired.exec && desired.task_definition.container.init_process);
    let problem = with(None).unwrap_err();
    assert_eq!(problem.reason, Reason::InvalidSpec);
    assert!(
        problem.message.contains("write taskRoleArn"),
        "{}",
        problem.message
    );
}
