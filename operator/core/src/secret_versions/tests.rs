use super::*;
use crate::fixtures::{CLUSTER_ID, Known, at, object, place};
use crate::place::Place;
use crate::resolve::{ObjectData, resolve};
use crate::watched_secret::AwsSecret;
use privateservice_api::privateservice::StoredSecret;
use std::collections::BTreeSet;

const STORED: &str =
    "arn:aws:secretsmanager:eu-west-3:111122223333:secret:pre-prod/team-a/api-AbCdEf";
const ARN: &str = "arn:aws:secretsmanager:eu-west-3:111122223333:secret:orders/db-AbCdEf";
/// The name in [`ARN`].
const NAME: &str = "orders/db";

fn current(version: &str) -> AwsSecret {
    AwsSecret::Current {
        arn: ARN.into(),
        version: version.into(),
        read_at: at(0),
        failure: None,
    }
}

fn unread() -> AwsSecret {
    let (arn, failure) = (Some(ARN.to_owned()), None);
    AwsSecret::Unread { arn, failure }
}

fn unreadable() -> AwsSecret {
    AwsSecret::Unreadable {
        why: "denied".into(),
    }
}

/// Resolves a service with these variables, and what is known of the secret that they name.
fn with(fields: &str, secret: &AwsSecret) -> Resolved {
    let known = Known {
        secrets: BTreeMap::from([(
            "k8s".to_owned(),
            ObjectData {
                text: BTreeMap::from([("url".to_owned(), "u".to_owned())]),
                binary: BTreeSet::new(),
            },
        )]),
        aws_secrets: BTreeMap::from([NAME, ARN].map(|id| (id.to_owned(), secret.clone()))),
        ..Known::default()
    };
    let place = Place {
        grants: serde_saphyr::from_str(&format!("[{{namespaces: [team-a], secrets: ['{ARN}']}}]"))
            .unwrap(),
        ..place()
    };
    let spec = format!("{{source: {{image: {{name: 'a:1'}}}}, {fields}}}");
    resolve(&object(&spec), &place, CLUSTER_ID, &known).unwrap()
}

const STORED_URL: &str = "env: [{name: URL, valueFrom: {secretKeyRef: {name: k8s, key: url}}}]";

fn by(id: &str) -> String {
    format!("env: [{{name: DB, valueFrom: {{awsSecretRef: {{id: '{id}', key: url}}}}}}]")
}

/// One pass over a service of which all that was wanted last time is in force: what is chosen now.
struct Story {
    status: PrivateServiceStatus,
    applied: Option<Hash>,
    redeploy: Option<String>,
}

impl Story {
    fn new() -> Self {
        Self {
            status: PrivateServiceStatus::default(),
            applied: None,
            redeploy: None,
        }
    }

    fn choose(&self, resolved: &Resolved, newest: Option<&str>) -> Choice {
        let stored = resolved.stored.as_ref().map(|stored| StoredAt {
            stored,
            arn: STORED,
            newest: newest.unwrap_or_default(),
        });
        let asked = |desired: Desired| desired.asked(self.redeploy.clone(), None);
        choose(resolved, stored, &self.status, self.applied.as_ref(), asked)
    }

    /// The same, and what was chosen is rolled out if anything has to be.
    fn pass(&mut self, resolved: &Resolved, newest: Option<&str>) -> Choice {
        let choice = self.choose(resolved, newest);
        assert!(!choice.unread, "nothing is rolled out before it is read");
        self.applied = Some(choice.desired.intent.clone());
        choice.in_force.show(&mut self.status.aws_secrets, true);
        if let Some(stored) = &choice.in_force.stored {
            let before = self.status.stored_secret.take().unwrap_or_default();
            let mut kept = Kept::of(&before);
            kept.roll(&stored.version);
            self.status.stored_secret = Some(StoredSecret {
                rolled_out_version_id: kept.pinned,
                ..before
            });
        }
        choice
    }
}

/// What the variable DB is read from.
fn db(choice: &Choice) -> &str {
    &choice.desired.task_definition.container.secrets["DB"]
}

fn named(version: &str) -> String {
    format!("{ARN}:url::{version}")
}

/// One rule for both kinds of secrets: a change waits, unless it is to make a rollout or something else does.
#[test]
fn a_changed_value_waits_for_a_rollout_unless_it_is_to_make_one() {
    type Read = fn(&Choice) -> (String, bool);
    let stored: Read = |choice| {
        let stored = choice.in_force.stored.clone().unwrap();
        (stored.version, stored.pending)
    };
    let watched: Read = |choice| {
        let one = choice.in_force.watched.values().next().unwrap().clone();
        assert_eq!(db(choice), named(one.named.as_deref().unwrap()));
        (one.named.unwrap(), one.pending)
    };
    for (env, read) in [
        (STORED_URL.to_owned(), stored),
        (by(NAME), watched),
        (by(ARN), watched),
    ] {
        let resolve = |fields: &str, version: &str| with(fields, &current(version));
        let mut story = Story::new();
        let first = story.pass(&resolve(&env, "v1"), Some("v1"));
        assert_eq!(read(&first), ("v1".into(), false), "{env}");

        let changed = resolve(&env, "v2");
        let waits = story.choose(&changed, Some("v2"));
        assert_eq!(read(&waits), ("v1".into(), true), "{env}");
        assert_eq!(waits.desired.intent, first.desired.intent);
        assert!(
            waits
                .in_force
                .to_string()
                .contains("flexstack.dev/redeploy-at")
        );
        let back = story.choose(&resolve(&env, "v1"), Some("v1"));
        assert_eq!(read(&back), ("v1".into(), false));

        let automatic = Resolved {
            automatic: true,
            ..changed.clone()
        };
        let rolls = story.choose(&automatic, Some("v2"));
        assert_eq!(read(&rolls), ("v2".into(), false));
        assert!(rolls.in_force.rolls, "it waits for no wave");
        assert_eq!(rolls.desired.own, first.desired.own, "nobody's edit");

        let edited = story.choose(
            &resolve(&format!("{env}, command: [run]"), "v2"),
            Some("v2"),
        );
        assert_eq!(read(&edited), ("v2".into(), false));
        assert!(!edited.in_force.rolls);
        story.redeploy = Some("now".into());
        let redeployed = story.pass(&changed, Some("v2"));
        assert_eq!(read(&redeployed), ("v2".into(), false));
        assert_ne!(redeployed.desired.content(), first.desired.content());
    }
}

#[test]
fn what_is_rolled_out_goes_on_while_nothing_is_read_and_nothing_else_is_until_it_is() {
    for id in [NAME, ARN] {
        let mut story = Story::new();
        assert!(story.choose(&with(&by(id), &unread()), None).unread);
        let before = story.pass(&with(&by(id), &current("v1")), None);
        story
            .choose(&with(&by(id), &current("v2")), None)
            .in_force
            .show(&mut story.status.aws_secrets, false);
        let shown = story.status.clone();
        assert!(shown.aws_secrets[0].pending);

        // After a restart: the same status, whatever was pending goes on being pending.
        let after = story.choose(&with(&by(id), &unread()), None);
        assert!(!after.unread);
        assert_eq!(after.desired.intent, before.desired.intent);
        after.in_force.show(&mut story.status.aws_secrets, true);
        assert_eq!(story.status, shown);

        let edited = story.choose(
            &with(&format!("{}, command: [run]", by(id)), &unread()),
            None,
        );
        assert!(edited.unread, "a rollout takes along what is current now");
        let automatic = Resolved {
            automatic: true,
            ..with(&by(id), &unread())
        };
        assert!(story.choose(&automatic, None).unread);
    }
}

/// An operator that did not name versions, or may not look: no task is replaced when that changes.
#[test]
fn tasks_that_were_started_without_a_version_are_not_replaced_to_name_it() {
    for automatic in [false, true] {
        let resolve = |secret: &AwsSecret| Resolved {
            automatic,
            ..with(&by(ARN), secret)
        };
        let mut story = Story::new();
        let denied = story.pass(&resolve(&unreadable()), None);
        assert_eq!(db(&denied), format!("{ARN}:url::"));
        // As an operator of before: it left no entries.
        for forget in [false, true] {
            if forget {
                story.status.aws_secrets.clear();
            }
            let seen = story.pass(&resolve(&current("v1")), None);
            assert_eq!(seen.desired.intent, denied.desired.intent);
            let entry = &story.status.aws_secrets[0];
            assert!(entry.unnamed && !entry.pending);
            assert_eq!(entry.rolled_out_version_id.as_deref(), Some("v1"));
        }
        let changed = story.choose(&resolve(&current("v2")), None);
        let one = &changed.in_force.watched[ARN];
        assert_eq!(one.pending, !automatic);
        assert_eq!(changed.in_force.rolls, automatic);
        let expected = if automatic {
            named("v2")
        } else {
            format!("{ARN}:url::")
        };
        assert_eq!(db(&changed), expected);
    }
}

#[test]
fn a_right_that_is_withdrawn_replaces_no_task() {
    for automatic in [false, true] {
        let mut story = Story::new();
        let seen = story.pass(&with(&by(ARN), &current("v1")), None);
        let denied = Resolved {
            automatic,
            ..with(&by(ARN), &unreadable())
        };
        let after = story.pass(&denied, None);
        assert_eq!(after.desired.intent, seen.desired.intent);
        assert_eq!(db(&after), named("v1"));
        story.redeploy = Some("now".into());
        let redeployed = story.pass(&denied, None);
        assert_eq!(db(&redeployed), format!("{ARN}:url::"));
        assert!(story.status.aws_secrets[0].unnamed);
    }
}

#[test]
fn another_secret_under_the_same_name_is_another_secret() {
    let mut story = Story::new();
    let one = story.pass(&with(&by(NAME), &current("v1")), None);
    let AwsSecret::Current { arn, .. } = current("v1") else {
        unreachable!()
    };
    let other = AwsSecret::Current {
        arn: arn.replace("AbCdEf", "GhIjKl"),
        version: "v1".into(),
        read_at: at(0),
        failure: None,
    };
    let place = Place {
        grants: serde_saphyr::from_str(
            "[{namespaces: [team-a], secrets: ['arn:aws:secretsmanager:eu-west-3:111122223333:secret:orders/*']}]",
        )
        .unwrap(),
        ..place()
    };
    let known = Known {
        aws_secrets: BTreeMap::from([(NAME.to_owned(), other)]),
        ..Known::default()
    };
    let logging = format!(
        "{{source: {{image: {{name: 'a:1'}}}}, logging: {{axiom: {{dataset: d, token: {{awsSecretRef: {{id: {NAME}}}}}}}}}}}"
    );
    for spec in [
        format!("{{source: {{image: {{name: 'a:1'}}}}, {}}}", by(NAME)),
        logging,
    ] {
        let resolved = resolve(&object(&spec), &place, CLUSTER_ID, &known).unwrap();
        let choice = story.choose(&resolved, None);
        assert!(!choice.in_force.rolls);
        assert_ne!(choice.desired.intent, one.desired.intent);
        assert_ne!(choice.desired.own, one.desired.own);
    }
}

#[test]
fn a_picture_is_old_if_it_was_taken_before_unless_a_newer_one_cannot_be_had() {
    let story = Story::new();
    let stale = |secret: &AwsSecret, since| {
        let resolved = with(&by(NAME), secret);
        let choice = story.choose(&resolved, None);
        !choice.stale(&resolved, since).is_empty()
    };
    assert!(stale(&current("v1"), at(1)));
    assert!(!stale(&current("v1"), at(0)));
    let AwsSecret::Current {
        arn,
        version,
        read_at,
        ..
    } = current("v1")
    else {
        unreachable!()
    };
    let failing = AwsSecret::Current {
        arn,
        version,
        read_at,
        failure: Some(crate::failure::Failure::Throttled {
            operation: "secretsmanager:DescribeSecret",
        }),
    };
    assert!(!stale(&failing, at(1)));
}

#[test]
fn what_status_says_of_others_stays_until_a_rollout_without_them() {
    let mut story = Story::new();
    story.pass(&with(&by(NAME), &current("v1")), None);
    let other = story.choose(&with(&by(ARN), &current("v1")), None);
    let mut entries = story.status.aws_secrets.clone();
    other.in_force.show(&mut entries, false);
    let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids, [ARN, NAME]);
    assert_eq!(entries[0].rolled_out_version_id, None);
    other.in_force.show(&mut entries, true);
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].rolled_out_version_id.as_deref(), Some("v1"));
}

#[test]
fn before_a_rollout_is_sent_status_knows_what_it_names() {
    let story = Story::new();
    let mut status = PrivateServiceStatus::default();
    let choice = story.choose(&with(&by(NAME), &current("v1")), None);
    choice.in_force.note(&mut status);
    assert_eq!(status.aws_secrets[0].version_id.as_deref(), Some("v1"));
    assert_eq!(status.aws_secrets[0].rolled_out_version_id, None);
}
