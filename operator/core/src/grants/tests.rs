use super::*;
use crate::fixtures::{CLUSTER_ID, Known, object, place};
use crate::resolve::{Resolved, resolve};
use crate::service::Member;

const SECRET: &str = "arn:aws:secretsmanager:eu-west-3:111122223333:secret:registry-AbCdEf";
const ROLE: &str = "arn:aws:iam::111122223333:role/team-a/orders";

/// Resolves a service of team-a in a place with these grants.
fn resolved(spec: &str, grants: &str) -> Result<Resolved, Problem> {
    let place = Place {
        grants: serde_saphyr::from_str(grants).unwrap(),
        ..place()
    };
    resolve(&object(spec), &place, CLUSTER_ID, &Known::default())
}

fn refused(spec: &str, grants: &str) -> Problem {
    resolved(spec, grants).unwrap_err()
}

fn with_secret(arn: &str) -> String {
    format!("{{source: {{image: {{name: 'a:1', credentialsSecretArn: '{arn}'}}}}}}")
}

fn with_role(arn: &str) -> String {
    format!("{{source: {{image: {{name: 'a:1'}}}}, taskRoleArn: '{arn}'}}")
}

fn with_groups(groups: &str) -> String {
    format!("{{source: {{image: {{name: 'a:1'}}}}, network: {{extraSecurityGroupIds: {groups}}}}}")
}

fn to(namespace: &str, what: &str) -> String {
    format!("[{{namespaces: [other, {namespace}], {what}}}]")
}

/// Each kind of reference: granted to the namespace it is taken, and else refused in words that name everything a person needs.
#[test]
fn what_is_not_granted_to_the_namespace_is_refused() {
    let cases = [
        (
            with_secret(SECRET),
            format!("secrets: ['{SECRET}']"),
            "source.image.credentialsSecretArn",
            SECRET,
        ),
        (
            with_role(ROLE),
            format!("taskRoles: ['{ROLE}']"),
            "taskRoleArn",
            ROLE,
        ),
        (
            with_groups("[sg-9]"),
            "securityGroups: [sg-9]".to_owned(),
            "network.extraSecurityGroupIds",
            "sg-9",
        ),
    ];
    for (spec, what, field, id) in &cases {
        resolved(spec, &to("team-a", what)).unwrap();
        for grants in ["[]", &to("team-b", what), &to("team", what)] {
            let problem = refused(spec, grants);
            assert_eq!(problem.reason, Reason::NamespaceNotAllowed);
            let (list, _) = what.split_once(':').unwrap();
            let add = format!("{{namespaces: [team-a], {list}: [\"{id}\"]}}");
            for word in [*field, id, "Environment pre-prod", "spec.grants", &add] {
                assert!(problem.message.contains(word), "{}", problem.message);
            }
        }
        // What one list holds opens no other.
        for (_, others, other, _) in &cases {
            if other != field {
                refused(spec, &to("team-a", others));
            }
        }
    }
}

#[test]
fn what_is_granted_is_rendered_where_it_belongs() {
    let spec = format!(
        "{{source: {{image: {{name: 'a:1', credentialsSecretArn: '{SECRET}'}}}}, taskRoleArn: '{ROLE}', \
         network: {{extraSecurityGroupIds: [sg-9]}}}}"
    );
    let grants = format!(
        "[{{namespaces: [team-a], secrets: ['{SECRET}'], taskRoles: ['{ROLE}']}}, \
         {{namespaces: [team-a], securityGroups: [sg-9]}}]"
    );
    let desired = resolved(&spec, &grants).unwrap().desired;
    let definition = &desired.task_definition;
    assert_eq!(definition.task_role_arn.as_deref(), Some(ROLE));
    assert_eq!(
        definition.container.registry_credentials.as_deref(),
        Some(SECRET)
    );
    let groups: Vec<&str> = desired
        .network
        .security_groups
        .iter()
        .map(String::as_str)
        .collect();
    assert_eq!(groups, ["sg-1", "sg-9"]);
    let plain = resolved("{source: {image: {name: 'a:1'}}}", &grants)
        .unwrap()
        .desired;
    assert_ne!(plain.intent, desired.intent);
    for member in [Member::TaskDefinition, Member::Network] {
        assert_ne!(plain.members()[&member], desired.members()[&member]);
    }
    // A grant that nobody uses changes nothing.
    assert_eq!(
        plain,
        resolved("{source: {image: {name: 'a:1'}}}", "[]")
            .unwrap()
            .desired
    );
}

#[test]
fn only_a_star_at_the_end_stands_for_more() {
    let start = "arn:aws:iam::111122223333:role/team-a/";
    for (pattern, granted) in [
        (format!("{start}*"), true),
        ("arn:aws:iam::111122223333:role/*".to_owned(), true),
        (format!("{start}orders*"), true),
        (start.to_owned(), false),
        (format!("{start}order"), false),
        (format!("{start}orders-2*"), false),
        ("arn:aws:iam::*:role/team-a/orders".to_owned(), false),
        ("arn:aws:iam::444455556666:role/*".to_owned(), false),
    ] {
        let found = resolved(
            &with_role(ROLE),
            &to("team-a", &format!("taskRoles: ['{pattern}']")),
        );
        assert_eq!(found.is_ok(), granted, "{pattern}");
    }
}

/// The operator names secrets `<Environment>/<namespace>/...`, and the execution role reads all of them.
#[test]
fn a_secret_of_another_namespace_cannot_be_had_whatever_is_granted() {
    let named = |name: &str| with_secret(&SECRET.replace("registry-", name));
    let all = to(
        "team-a",
        "secrets: ['arn:aws:secretsmanager:eu-west-3:111122223333:secret:*']",
    );
    for grants in ["[]", &all] {
        let problem = refused(&named("pre-prod/team-b/registry-"), grants);
        assert_eq!(problem.reason, Reason::NamespaceNotAllowed);
        assert!(
            problem.message.contains("belongs to"),
            "{}",
            problem.message
        );
        refused(&named("pre-prod/team-a-2/registry-"), grants);
        resolved(&named("pre-prod/team-a/registry-"), grants).unwrap();
    }
    // Of the Environment's prefix, but no namespace's; another Environment's; and one outside the Environment's account and Region.
    for name in ["pre-prod/registry-", "production/team-a/registry-"] {
        refused(&named(name), "[]");
        resolved(&named(name), &all).unwrap();
    }
    for (here, there) in [
        (":111122223333:", ":444455556666:"),
        (":eu-west-3:", ":eu-west-1:"),
    ] {
        refused(
            &named("pre-prod/team-a/registry-").replace(here, there),
            "[]",
        );
    }
}

#[test]
fn the_execution_role_is_never_the_role_of_the_code() {
    let execution = place().execution_role_arn;
    for grants in ["[]", &to("team-a", &format!("taskRoles: ['{execution}']"))] {
        let problem = refused(&with_role(&execution), grants);
        assert_eq!(problem.reason, Reason::InvalidSpec);
        assert!(
            problem.message.contains("execution role"),
            "{}",
            problem.message
        );
    }
}

#[test]
fn what_every_service_of_the_environment_has_needs_no_grant() {
    let place = Place {
        task_role_arn: Some("arn:aws:iam::111122223333:role/default".into()),
        ..place()
    };
    let spec = "{source: {image: {name: 'a:1'}}, taskRoleArn: 'arn:aws:iam::111122223333:role/default', \
                network: {extraSecurityGroupIds: [sg-1]}}";
    let desired = resolve(&object(spec), &place, CLUSTER_ID, &Known::default())
        .unwrap()
        .desired;
    assert_eq!(desired.task_definition.task_role_arn, place.task_role_arn);
    assert_eq!(desired.network.security_groups, place.security_groups);
}

#[test]
fn a_task_has_five_security_groups_at_most() {
    let at = |own: &[&str]| {
        let place = Place {
            security_groups: own.iter().map(|&id| id.to_owned()).collect(),
            grants: serde_saphyr::from_str(&to("team-a", "securityGroups: [sg-7, sg-8, sg-9]"))
                .unwrap(),
            ..place()
        };
        let spec = object(&with_groups("[sg-7, sg-8, sg-9]"));
        resolve(&spec, &place, CLUSTER_ID, &Known::default())
    };
    assert_eq!(
        at(&["sg-1", "sg-2"])
            .unwrap()
            .desired
            .network
            .security_groups
            .len(),
        5
    );
    assert_eq!(
        at(&["sg-1", "sg-2", "sg-9"])
            .unwrap()
            .desired
            .network
            .security_groups
            .len(),
        5,
        "one of them twice"
    );
    let problem = at(&["sg-1", "sg-2", "sg-3"]).unwrap_err();
    assert_eq!(problem.reason, Reason::InvalidSpec);
    assert!(
        problem.message.contains("would have 6"),
        "{}",
        problem.message
    );
}
