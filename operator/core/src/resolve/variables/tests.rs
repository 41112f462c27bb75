use crate::fixtures::{CLUSTER_ID, Known, at, object, place};
use crate::place::{Place, SharedValue};
use crate::problem::Problem;
use crate::resolve::{ObjectData, Resolved, resolve};
use crate::watched_secret::{Absence, AwsSecret};
use privateservice_api::conditions::Reason;
use privateservice_api::environment::SharedVariable;
use std::collections::BTreeMap;

const SECRET: &str = "arn:aws:secretsmanager:eu-west-3:111122223333:secret:orders/db-AbCdEf";
const VERSION: &str = "9d4cb84b-ad69-40c0-a0ab-cead36b967e8";

fn try_env(env: &str, grants: &str, shared: &[(&str, &str)]) -> Result<Resolved, Problem> {
    let place = Place {
        grants: serde_saphyr::from_str(grants).unwrap(),
        env: shared
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
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

fn known(secret: AwsSecret) -> Known {
    Known {
        aws_secrets: BTreeMap::from([("orders/db".to_owned(), secret)]),
        ..Known::default()
    }
}

fn current(arn: &str) -> AwsSecret {
    AwsSecret::Current {
        arn: arn.into(),
        version: VERSION.into(),
        read_at: at(0),
        failure: None,
    }
}

/// Resolves a variable that names `orders/db` by its name, in a place that grants what matches the pattern.
fn by_name(more: &str, pattern: &str, secret: AwsSecret) -> Result<Resolved, Problem> {
    let place = Place {
        grants: serde_saphyr::from_str(&format!(
            "[{{namespaces: [team-a], secrets: ['{pattern}']}}]"
        ))
        .unwrap(),
        ..place()
    };
    let spec = format!(
        "{{source: {{image: {{name: 'a:1'}}}}, env: [{{name: DB, valueFrom: {{awsSecretRef: {{id: orders/db{more}}}}}}}]}}"
    );
    resolve(&object(&spec), &place, CLUSTER_ID, &known(secret))
}

const START: &str = "arn:aws:secretsmanager:eu-west-3:111122223333:secret:";

#[test]
fn a_name_is_told_to_ecs_by_the_arn_that_aws_has_for_it() {
    for (more, pinned) in [
        (", key: url", ""),
        (&format!(", key: url, versionId: {VERSION}"), VERSION),
    ] {
        let resolved = by_name(more, &format!("{START}orders/*"), current(SECRET)).unwrap();
        let from = &resolved.desired.task_definition.container.secrets["DB"];
        assert_eq!(*from, format!("{SECRET}:url::{pinned}"));
        assert_eq!(resolved.watched.uses.is_empty(), !pinned.is_empty());
        assert_eq!(resolved.watched.secrets.len(), 1);
    }
}

#[test]
fn a_name_is_granted_by_its_start_or_by_the_whole_arn_that_it_turns_out_to_have() {
    for (pattern, granted) in [
        (format!("{START}orders/*"), true),
        (SECRET.to_owned(), true),
        (format!("{START}orders/db-ZzZzZz"), false),
        (format!("{START}shop/*"), false),
    ] {
        let found = by_name("", &pattern, current(SECRET));
        assert_eq!(found.is_ok(), granted, "{pattern}");
        if let Err(problem) = found {
            assert_eq!(problem.reason, Reason::NamespaceNotAllowed);
            assert!(
                problem.message.contains("orders/db-"),
                "{}",
                problem.message
            );
        }
    }
    // What is not granted is not looked for.
    let missing = AwsSecret::Missing(Absence::NoSuchSecret);
    let problem = by_name("", &format!("{START}shop/*"), missing).unwrap_err();
    assert_eq!(problem.reason, Reason::NamespaceNotAllowed);
}

#[test]
fn a_secret_that_cannot_be_used_is_told_by_field_and_name() {
    let unreadable = AwsSecret::Unreadable {
        why: "not authorized".into(),
    };
    for (secret, reason, words) in [
        (
            AwsSecret::Missing(Absence::NoSuchSecret),
            Reason::SecretNotFound,
            "does not exist",
        ),
        (
            AwsSecret::Missing(Absence::ScheduledForDeletion),
            Reason::SecretNotFound,
            "is scheduled for deletion",
        ),
        (
            AwsSecret::Missing(Absence::NoValue),
            Reason::SecretNotFound,
            "has no value yet",
        ),
        (
            unreadable,
            Reason::AccessDenied,
            "not authorized; or write its whole ARN",
        ),
    ] {
        let problem = by_name("", &format!("{START}orders/*"), secret).unwrap_err();
        assert_eq!(problem.reason, reason);
        assert!(
            problem.message.starts_with("env DB: the secret orders/db "),
            "{}",
            problem.message
        );
        assert!(problem.message.contains(words), "{}", problem.message);
    }
}

/// Where the operator cannot look, an ARN goes on being told to ECS as it is, with a word about it.
#[test]
fn an_arn_that_cannot_be_looked_at_stays_as_it_is() {
    let here = SECRET.to_owned();
    let region = SECRET.replace("eu-west-3", "eu-west-1");
    let account = SECRET.replace("111122223333", "444455556666");
    let unreadable = AwsSecret::Unreadable {
        why: "not authorized".into(),
    };
    for (arn, known, words) in [
        (&here, unreadable.clone(), "not authorized"),
        (&region, current(&region), "it is in Region eu-west-1"),
        (
            &account,
            AwsSecret::Missing(Absence::NoSuchSecret),
            "shows no such secret of that account",
        ),
    ] {
        let place = Place {
            grants: serde_saphyr::from_str(&format!(
                "[{{namespaces: [team-a], secrets: ['{arn}']}}]"
            ))
            .unwrap(),
            ..place()
        };
        let known = Known {
            aws_secrets: BTreeMap::from([(arn.clone(), known)]),
            ..Known::default()
        };
        let spec = format!(
            "{{source: {{image: {{name: 'a:1'}}}}, env: [{{name: DB, valueFrom: {{awsSecretRef: {{id: '{arn}', key: url}}}}}}], \
             logging: {{axiom: {{dataset: d, token: {{awsSecretRef: {{id: '{arn}'}}}}}}}}}}"
        );
        let resolved = resolve(&object(&spec), &place, CLUSTER_ID, &known).unwrap();
        let container = &resolved.desired.task_definition.container;
        assert_eq!(container.secrets["DB"], format!("{arn}:url::"));
        let told: Vec<&str> = resolved
            .notices
            .iter()
            .filter(|notice| notice.reason == "SecretNotWatched")
            .map(|notice| notice.message.as_str())
            .collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told[0].starts_with("env DB: ") && told[0].contains(words),
            "{told:?}"
        );
        assert!(told[1].starts_with("logging.axiom.token: "), "{told:?}");
    }
}

#[test]
fn a_secret_of_another_namespace_is_not_named_by_its_name_either() {
    let spec = "{source: {image: {name: 'a:1'}}, env: [{name: DB, valueFrom: {awsSecretRef: {id: pre-prod/team-b/api}}}]}";
    let place = Place {
        grants: serde_saphyr::from_str(&format!(
            "[{{namespaces: [team-a], secrets: ['{START}*']}}]"
        ))
        .unwrap(),
        ..place()
    };
    let problem = resolve(&object(spec), &place, CLUSTER_ID, &Known::default()).unwrap_err();
    assert!(
        problem
            .message
            .contains("belongs to the Kubernetes namespace team-b"),
        "{}",
        problem.message
    );
    let own = spec.replace("team-b", "team-a");
    resolve(&object(&own), &place, CLUSTER_ID, &Known::default()).unwrap();
}

/// A place that shares a secret under the name DB, and a parameter under the name FLAG. Nothing is granted to anybody.
fn sharing(secret: &str) -> Place {
    let shared = format!(
        "[{{name: DB, valueFrom: {{awsSecretRef: {{id: {secret}, key: url}}}}}}, {{name: FLAG, valueFrom: {{ssmParameterRef: {{name: /shared/flag}}}}}}]"
    );
    let shared: Vec<SharedVariable> = serde_saphyr::from_str(&shared).unwrap();
    Place {
        env: shared
            .iter()
            .map(|entry| (entry.name.clone(), SharedValue::of(entry).unwrap()))
            .collect(),
        ..place()
    }
}

#[test]
fn what_the_environment_shares_needs_no_grant_and_is_not_the_services_own() {
    let resolve = |place: &Place, secret: AwsSecret| {
        let spec = object("{source: {image: {name: 'a:1'}}}");
        resolve(&spec, place, CLUSTER_ID, &known(secret))
    };
    let resolved = resolve(&sharing("orders/db"), current(SECRET)).unwrap();
    let container = &resolved.desired.task_definition.container;
    let parameter = "arn:aws:ssm:eu-west-3:111122223333:parameter/shared/flag";
    assert_eq!(
        texts(&container.secrets),
        [
            ("DB", format!("{SECRET}:url::").as_str()),
            ("FLAG", parameter)
        ]
    );
    assert_eq!(resolved.watched.uses.len(), 1, "its versions are followed");
    let bare = resolve(&place(), current(SECRET)).unwrap();
    assert_ne!(bare.desired.intent, resolved.desired.intent);
    assert_eq!(
        bare.desired.own, resolved.desired.own,
        "the Environment's edit"
    );
    let missing = AwsSecret::Missing(Absence::NoSuchSecret);
    let problem = resolve(&sharing("orders/db"), missing).unwrap_err();
    assert_eq!(problem.reason, Reason::SecretNotFound);
    let words = "env DB of Environment pre-prod: the secret orders/db ";
    assert!(problem.message.starts_with(words), "{}", problem.message);
}

#[test]
fn a_services_own_entry_wins_over_a_shared_one_whatever_kind_either_is() {
    let granted = format!("[{{namespaces: [team-a], secrets: ['{SECRET}']}}]");
    for (own, plain, secret) in [
        ("env: [{name: DB, value: own}]".to_owned(), true, None),
        (
            format!("env: [{}]", from_secret("DB", ", key: own")),
            false,
            Some(format!("{SECRET}:own::")),
        ),
        (
            "envFrom: [{configMapRef: {name: shop}}]".to_owned(),
            true,
            None,
        ),
    ] {
        let place = Place {
            grants: serde_saphyr::from_str(&granted).unwrap(),
            ..sharing("orders/db")
        };
        // The shared one is not there, which is nobody's trouble.
        let mut known = known(AwsSecret::Missing(Absence::NoSuchSecret));
        let data = ObjectData {
            text: BTreeMap::from([("DB".to_owned(), "own".to_owned())]),
            ..ObjectData::default()
        };
        known.config_maps.insert("shop".to_owned(), data);
        let spec = format!("{{source: {{image: {{name: 'a:1'}}}}, {own}}}");
        let resolved = resolve(&object(&spec), &place, CLUSTER_ID, &known).unwrap();
        let container = &resolved.desired.task_definition.container;
        assert_eq!(container.environment.contains_key("DB"), plain, "{own}");
        assert_eq!(container.secrets.get("DB"), secret.as_ref(), "{own}");
    }
}
