use super::*;
use crate::fixtures::{CLUSTER_ID, Known, object, owner, place};
use crate::resolve::{ObjectData, Resolved, resolve};
use privateservice_api::conditions::Reason;

const ARN: &str = "arn:aws:secretsmanager:eu-west-3:111122223333:secret:pre-prod/team-a/api-AbCdEf";

fn data(values: &[(&str, &str)]) -> ObjectData {
    ObjectData {
        text: values
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        binary: BTreeSet::from(["blob".to_owned()]),
    }
}

fn known(values: &[(&str, &str)]) -> Known {
    Known {
        secrets: BTreeMap::from([("db".to_owned(), data(values))]),
        ..Known::default()
    }
}

fn try_with(fields: &str, values: &[(&str, &str)]) -> Result<Resolved, Problem> {
    let spec = format!("{{source: {{image: {{name: 'a:1'}}}}, {fields}}}");
    resolve(&object(&spec), &place(), CLUSTER_ID, &known(values))
}

fn with(fields: &str, values: &[(&str, &str)]) -> Resolved {
    try_with(fields, values).unwrap()
}

const URL: &str = "env: [{name: URL, valueFrom: {secretKeyRef: {name: db, key: url}}}]";

fn stored(fields: &str, values: &[(&str, &str)]) -> Stored {
    with(fields, values).stored.unwrap()
}

#[test]
fn a_value_is_stored_under_the_name_of_its_variable_and_named_with_its_version() {
    let resolved = with(URL, &[("url", "postgres://secret"), ("other", "x")]);
    let stored = resolved.stored.clone().unwrap();
    assert_eq!(stored.name, "pre-prod/team-a/api");
    assert_eq!(
        stored.values.canonical_json(),
        r#"{"URL":"postgres://secret"}"#
    );
    assert!(ARN.starts_with(&format!("{}-", stored.partial_arn)));
    let container = resolved
        .desired
        .with_secret(&stored, ARN, "v1")
        .task_definition
        .container;
    assert_eq!(container.secrets["URL"], format!("{ARN}:URL::v1"));
    assert!(!container.environment.contains_key("URL"));
}

#[test]
fn no_value_is_in_a_debug_text_or_in_anything_that_is_serialised() {
    let resolved = with(URL, &[("url", "hunter2")]);
    assert!(!format!("{resolved:?}").contains("hunter2"));
    let stored = resolved.stored.clone().unwrap();
    let desired = resolved.desired.with_secret(&stored, ARN, "v1");
    assert!(!serde_json::to_string(&desired).unwrap().contains("hunter2"));
    assert!(!format!("{:?}", data(&[("url", "hunter2")])).contains("hunter2"));
}

#[test]
fn a_refusal_is_shown_without_what_it_quotes() {
    let stored = stored(URL, &[("url", "a \"quoted\" value")]);
    let quoting = format!("bad value {} in URL", stored.values.canonical_json());
    assert_eq!(stored.values.redacted(&quoting), "bad value *** in URL");
    let part = r#"near a \"quoted\" value"#;
    assert_eq!(stored.values.redacted(part), "near ***");
}

#[test]
fn later_sources_win_and_what_lost_is_not_stored() {
    let fields = "envFrom: [{secretRef: {name: db}}, {prefix: DB_, secretRef: {name: db}}], \
        env: [{name: url, value: plain}, {name: PORT, valueFrom: {secretKeyRef: {name: db, key: url}}}]";
    let resolved = with(fields, &[("url", "u"), ("user", "v")]);
    let stored = resolved.stored.unwrap();
    assert_eq!(
        stored.values.canonical_json(),
        r#"{"DB_url":"u","DB_user":"v","PORT":"u","user":"v"}"#
    );
    let plain = resolved.desired.task_definition.container.environment;
    assert_eq!(plain.keys().collect::<Vec<_>>(), ["url"]);
}

#[test]
fn tokens_of_log_targets_are_stored_and_go_where_they_are_needed() {
    for (logging, key, option) in [
        (
            "datadog: {apiKey: {secretKeyRef: {name: db, key: token}}}",
            "logging/apikey",
            true,
        ),
        (
            "axiom: {dataset: d, token: {secretKeyRef: {name: db, key: token}}}",
            "logging/AXIOM_TOKEN",
            false,
        ),
        (
            "fluentBit: {options: {Name: http}, secretOptions: {http_Passwd: {secretKeyRef: {name: db, key: token}}}}",
            "logging/http_Passwd",
            true,
        ),
    ] {
        let resolved = with(&format!("logging: {{{logging}}}"), &[("token", "t")]);
        let stored = resolved.stored.clone().unwrap();
        assert_eq!(
            stored.values.canonical_json(),
            format!(r#"{{"{key}":"t"}}"#)
        );
        let definition = resolved
            .desired
            .with_secret(&stored, ARN, "v1")
            .task_definition;
        let from = format!("{ARN}:{key}::v1");
        let options: Vec<_> = definition.container.log_secret_options.values().collect();
        let router: Vec<_> = definition
            .log_router
            .as_ref()
            .unwrap()
            .secrets
            .values()
            .collect();
        let (found, empty) = if option {
            (options, router)
        } else {
            (router, options)
        };
        assert_eq!(found, [&from]);
        assert!(empty.is_empty());
    }
}

#[test]
fn what_cannot_be_stored_is_told_by_the_variables_name_and_without_values() {
    let missing = "env: [{name: URL, valueFrom: {secretKeyRef: {name: db, key: uri}}}]";
    let binary = "env: [{name: URL, valueFrom: {secretKeyRef: {name: db, key: blob}}}]";
    let nothing = "env: [{name: URL, valueFrom: {secretKeyRef: {name: none, key: url}}}]";
    for (fields, words) in [
        (
            missing,
            "env URL: the key uri is not in Secret db, which has url",
        ),
        (binary, "env URL: the key blob of Secret db is binary data"),
        (nothing, "env URL: there is no Secret none in this"),
    ] {
        let problem = try_with(fields, &[("url", "hunter2")]).unwrap_err();
        assert_eq!(problem.reason, Reason::ReferenceNotFound);
        assert!(problem.message.starts_with(words), "{}", problem.message);
        assert!(!problem.message.contains("hunter2"));
    }
    let large = "x".repeat(SECRET_LIMIT);
    let problem = try_with(URL, &[("url", &large)]).unwrap_err();
    assert_eq!(problem.reason, Reason::InvalidSpec);
    assert!(
        problem.message.contains("65546 bytes"),
        "{}",
        problem.message
    );
    let fits = "x".repeat(SECRET_LIMIT - 10);
    assert_eq!(try_with(URL, &[("url", &fits)]).err(), None);
}

fn seen(versions: &[(&str, &[&str])]) -> ObservedSecret {
    ObservedSecret {
        arn: ARN.into(),
        owner: Some(owner()),
        deleted: false,
        versions: versions
            .iter()
            .map(|(id, labels)| {
                let labels = labels.iter().map(|&label| label.to_owned()).collect();
                ((*id).to_owned(), labels)
            })
            .collect(),
    }
}

fn kept(newest: &str, pinned: &str, earlier: &[&str]) -> Kept {
    Kept {
        arn: Some(ARN.into()),
        newest: Some(newest.into()),
        pinned: Some(pinned.into()),
        earlier: earlier.iter().map(|&id| id.to_owned()).collect(),
    }
}

fn step(plan: SecretPlan) -> SecretStep {
    match plan {
        SecretPlan::Do(step) => step,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_time_it_is_created_and_after_that_status_is_believed() {
    let none = Kept::default();
    assert_eq!(step(plan("v1", &owner(), &none, None)), SecretStep::Create);
    let stored = SecretPlan::Stored { arn: ARN.into() };
    assert_eq!(plan("v1", &owner(), &kept("v1", "v1", &[]), None), stored);
    assert_eq!(
        plan("v2", &owner(), &kept("v1", "v1", &[]), None),
        SecretPlan::Read
    );
}

#[test]
fn each_state_of_the_secret_has_its_one_next_call() {
    let arn = || ARN.to_owned();
    let of = |seen: &Description| plan("v2", &owner(), &kept("v1", "v1", &[]), Some(seen));
    assert_eq!(step(of(&None)), SecretStep::Create);
    let current = seen(&[("v1", &[CURRENT])]);
    assert_eq!(
        step(of(&Some(current.clone()))),
        SecretStep::Put { arn: arn() }
    );
    let deleted = ObservedSecret {
        deleted: true,
        ..current.clone()
    };
    assert_eq!(step(of(&Some(deleted))), SecretStep::Restore { arn: arn() });
    let there = seen(&[("v1", &[CURRENT]), ("v2", &[])]);
    let promote = SecretStep::Promote {
        arn: arn(),
        from: Some("v1".into()),
    };
    assert_eq!(step(of(&Some(there))), promote);
    let done = seen(&[("v1", &["AWSPREVIOUS"]), ("v2", &[CURRENT])]);
    assert_eq!(of(&Some(done)), SecretPlan::Stored { arn: arn() });
    let theirs = ObservedSecret {
        owner: None,
        ..current
    };
    let taken = SecretPlan::Taken {
        arn: arn(),
        owner: None,
    };
    assert_eq!(of(&Some(theirs)), taken);
}

#[test]
fn a_version_in_use_is_labelled_before_it_could_be_removed_and_no_longer_after() {
    let versions = seen(&[("v1", &["AWSPREVIOUS"]), ("v2", &[CURRENT])]);
    let in_use = kept("v2", "v1", &[]);
    let label = step(plan("v3", &owner(), &in_use, Some(&Some(versions))));
    let (arn, version) = (ARN.to_owned(), "v1".to_owned());
    assert_eq!(
        label,
        SecretStep::Label {
            arn: arn.clone(),
            version: version.clone()
        }
    );
    let labelled = seen(&[("v1", &[&stored_label("v1")]), ("v2", &[CURRENT])]);
    let put = step(plan("v3", &owner(), &in_use, Some(&Some(labelled.clone()))));
    assert_eq!(put, SecretStep::Put { arn: arn.clone() });
    let unused = kept("v2", "v2", &[]);
    let unlabel = step(plan("v3", &owner(), &unused, Some(&Some(labelled))));
    assert_eq!(unlabel, SecretStep::Unlabel { arn, version });
}

#[test]
fn a_rollout_is_remembered_and_the_ones_before_it_too() {
    let mut kept = Kept::default();
    for version in ["a", "b", "b", "a", "c", "d", "e", "f", "g"] {
        kept.roll(version);
    }
    assert_eq!(kept.pinned.as_deref(), Some("g"));
    assert_eq!(kept.earlier, ["f", "e", "d", "c", "a"]);
}

#[test]
fn another_version_or_secret_is_another_intent_and_another_value_alone_is_none() {
    let one = with(URL, &[("url", "u")]);
    let other = with(URL, &[("url", "w")]);
    assert_eq!(one.desired.intent, other.desired.intent);
    let stored = one.stored.unwrap();
    let with = |arn: &str, version: &str| one.desired.clone().with_secret(&stored, arn, version);
    assert_ne!(with(ARN, "v1").intent, with(ARN, "v2").intent);
    assert_eq!(
        with(ARN, "v1").own,
        one.desired.own,
        "a new version is nobody's edit"
    );
    assert_ne!(with(ARN, "v1").intent, with("arn:other", "v1").intent);
    let another = super::tests::with(
        "env: [{name: URI, valueFrom: {secretKeyRef: {name: db, key: url}}}]",
        &[("url", "u")],
    );
    assert_ne!(one.desired.intent, another.desired.intent);
    assert_ne!(
        one.desired.own, another.desired.own,
        "which values are stored is"
    );
}
