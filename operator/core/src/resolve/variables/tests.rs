use crate::fixtures::{CLUSTER_ID, Known, object, place};
use crate::place::Place;
use crate::problem::Problem;
use crate::resolve::{Resolved, resolve};
use privateservice_api::conditions::Reason;
use std::collections::BTreeMap;

const SECRET: &str = "arn:aws:secretsmanager:eu-west-3:111122223333:secret:orders/db-AbCdEf";
const VERSION: &str = "9d4cb84b-ad69-40c0-a0ab-cead36b967e8";

fn try_env(env: &str, grants: &str, shared: &[(&str, &str)]) -> Result<Resolved, Problem> {
    let place = Place {
        grants: serde_saphyr::from_str(grants).unwrap(),
        env: shared
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..place()
    };
    let spec = format!("{{source: {{image: {{name: 'a:1'}}}}, env: {env}}}");
    resolve(&object(&spec), &place, CLUSTER_ID, &Known::default())
}

fn granted(env: &str, shared: &[(&str, &str)]) -> Resolved {
    let grants = format!("[{{namespaces: [team-a], secrets: ['{SECRET}']}}]");
    try_env(env, &grants, shared).unwrap()
}

fn from_secret(name: &str, more: &str) -> String {
    format!("{{name: {name}, valueFrom: {{awsSecretRef: {{id: '{SECRET}'{more}}}}}}}")
}

fn texts(map: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    map.iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

#[test]
fn a_secret_is_told_to_ecs_by_name_key_and_version() {
    let env = format!(
        "[{}, {}, {}, {}]",
        from_secret("WHOLE", ""),
        from_secret("KEY", ", key: url"),
        from_secret("PINNED", &format!(", key: url, versionId: {VERSION}")),
        from_secret("WHOLE_PINNED", &format!(", versionId: {VERSION}")),
    );
    let container = granted(&env, &[]).desired.task_definition.container;
    assert_eq!(
        texts(&container.secrets),
        [
            ("KEY", format!("{SECRET}:url::").as_str()),
            ("PINNED", &format!("{SECRET}:url::{VERSION}")),
            ("WHOLE", SECRET),
            ("WHOLE_PINNED", &format!("{SECRET}:::{VERSION}")),
        ]
    );
    assert_eq!(texts(&container.environment), [("PORT", "8080")]);
}

#[test]
fn a_name_is_in_one_of_the_two_lists_and_the_services_own_entry_wins() {
    let env = format!(
        "[{}, {}]",
        from_secret("SHARED", ""),
        from_secret("PORT", "")
    );
    let shared = [("SHARED", "plain"), ("OTHER", "kept")];
    let container = granted(&env, &shared).desired.task_definition.container;
    assert_eq!(texts(&container.environment), [("OTHER", "kept")]);
    assert_eq!(
        texts(&container.secrets),
        [("PORT", SECRET), ("SHARED", SECRET)]
    );
}

#[test]
fn a_secret_that_is_not_granted_is_refused_by_the_variables_name() {
    let problem = try_env(&format!("[{}]", from_secret("DB", "")), "[]", &[]).unwrap_err();
    assert_eq!(problem.reason, Reason::NamespaceNotAllowed);
    assert!(
        problem.message.starts_with("env DB: "),
        "{}",
        problem.message
    );
    assert!(
        problem.message.contains("spec.grants"),
        "{}",
        problem.message
    );
}

#[test]
fn another_key_or_version_is_another_intent_and_another_revision() {
    let all: Vec<Resolved> = [
        "",
        ", key: a",
        ", key: b",
        &format!(", versionId: {VERSION}"),
    ]
    .iter()
    .map(|more| granted(&format!("[{}]", from_secret("DB", more)), &[]))
    .collect();
    for (index, one) in all.iter().enumerate() {
        for other in &all[index + 1..] {
            assert_ne!(one.desired.intent, other.desired.intent);
            assert_ne!(one.desired.own, other.desired.own);
            assert_ne!(one.desired.content(), other.desired.content());
        }
    }
}

#[test]
fn an_entry_without_one_source_is_refused_although_the_schema_did_not() {
    for env in [
        "[{name: A}]".to_owned(),
        "[{name: A, valueFrom: {}}]".to_owned(),
        format!("[{{name: A, value: x, valueFrom: {{awsSecretRef: {{id: '{SECRET}'}}}}}}]"),
    ] {
        let problem = try_env(&env, "[]", &[]).unwrap_err();
        assert_eq!(problem.reason, Reason::InvalidSpec, "{env}");
    }
}

#[test]
fn a_secret_in_plain_text_is_told_without_its_value() {
    let noticed = |env: &str| {
        let notices = try_env(env, "[]", &[]).unwrap().notices;
        notices
            .into_iter()
            .find(|notice| notice.reason == "PlainSecret")
            .map(|notice| notice.message)
    };
    let message = noticed(
        "[{name: DB_PASSWORD, value: hunter2}, {name: stripe.api-key, value: hunter2}, {name: LOG_LEVEL, value: info}]",
    )
    .unwrap();
    assert!(
        message.starts_with("env DB_PASSWORD, stripe.api-key: "),
        "{message}"
    );
    assert!(
        message.contains("write {name: DB_PASSWORD, valueFrom: "),
        "{message}"
    );
    assert!(!message.contains("hunter2"), "{message}");
    for harmless in [
        "[{name: DB_PASSWORD_FILE, value: /run/db}]",
        "[{name: TOKEN_TTL, value: '60'}]",
        "[{name: DB_PASSWORD, value: ''}]",
        "[{name: LOG_LEVEL, value: info}]",
    ] {
        assert_eq!(noticed(harmless), None, "{harmless}");
    }
}

#[test]
fn a_parameter_is_told_to_ecs_by_its_arn_where_it_is_granted() {
    let parameter = |name: &str, granted: &str| {
        let env = format!("[{{name: FLAG, valueFrom: {{ssmParameterRef: {{name: {name}}}}}}}]");
        let grants = format!("[{{namespaces: [team-a], parameters: ['{granted}']}}]");
        try_env(&env, &grants, &[])
            .map(|resolved| resolved.desired.task_definition.container.secrets["FLAG"].clone())
    };
    let arn = |path: &str| format!("arn:aws:ssm:eu-west-3:111122223333:parameter/{path}");
    for (name, granted, path) in [
        ("/shop/flag", "/shop/*", "shop/flag"),
        ("/shop/flag", "/shop/flag", "shop/flag"),
        ("flag", "flag", "flag"),
        ("flag", "/flag", "flag"),
        ("/flag", "*", "flag"),
    ] {
        assert_eq!(
            parameter(name, granted).unwrap(),
            arn(path),
            "{name} {granted}"
        );
    }
    for (name, granted) in [
        ("/shop/flag", "/shop"),
        ("/shop/flag", "/sho"),
        ("/shop/flag", "/team-a/*"),
    ] {
        let problem = parameter(name, granted).unwrap_err();
        assert_eq!(problem.reason, Reason::NamespaceNotAllowed);
        assert!(
            problem.message.contains(r#"parameters: ["/shop/flag"]"#),
            "{}",
            problem.message
        );
    }
}
