//! Secrets Manager: the end of a secret and its return.

use std::time::Duration;

use aws_sim::Options;

use crate::harness::{refusal, start};
use crate::secrets::{MISSING, create, read, tag};

const MARKED: &str = "InvalidRequestException: You can't perform this operation on the secret \
                      because it was marked for deletion.";

#[tokio::test]
async fn a_deleted_secret_can_be_restored_until_its_time_is_over() {
    let harness = start(Options::default()).await;
    let made = create(&harness, "db", "hunter2").await;
    let delete = harness.secrets.delete_secret().secret_id("db");
    let deleted = delete.recovery_window_in_days(7).send().await.unwrap();
    let due = deleted.deletion_date().unwrap().as_secs_f64();
    let window = due - harness.simulator.now().seconds();
    assert!((window - 7.0 * 86_400.0).abs() < 0.01, "{window}");
    let secrets = &harness.secrets;
    let refused = [
        refusal(secrets.get_secret_value().secret_id("db").send().await),
        refusal(
            secrets
                .put_secret_value()
                .secret_id("db")
                .secret_string("a")
                .send()
                .await,
        ),
        refusal(
            secrets
                .update_secret()
                .secret_id("db")
                .description("a")
                .send()
                .await,
        ),
        refusal(
            secrets
                .tag_resource()
                .secret_id("db")
                .tags(tag("a", "b"))
                .send()
                .await,
        ),
        refusal(
            secrets
                .untag_resource()
                .secret_id("db")
                .tag_keys("a")
                .send()
                .await,
        ),
        refusal(secrets.delete_secret().secret_id("db").send().await),
        refusal(
            secrets
                .update_secret_version_stage()
                .secret_id("db")
                .version_stage("a")
                .move_to_version_id(made.version_id().unwrap())
                .send()
                .await,
        ),
    ];
    for text in refused {
        assert_eq!(text, MARKED);
    }
    let again = secrets.create_secret().name("db").secret_string("b").send();
    let expected = "InvalidRequestException: You can't create this secret because a secret with this \
                    name is already scheduled for deletion.";
    assert_eq!(refusal(again.await), expected);
    let found = secrets
        .describe_secret()
        .secret_id("db")
        .send()
        .await
        .unwrap();
    assert!(found.deleted_date().is_some());
    assert_eq!(
        harness
            .simulator
            .secret_value("db", "AWSCURRENT")
            .as_deref(),
        Some("hunter2")
    );

    harness.simulator.advance(Duration::from_hours(7 * 24 - 1));
    secrets
        .restore_secret()
        .secret_id("db")
        .send()
        .await
        .unwrap();
    assert_eq!(read(&harness, "db").await.as_deref(), Some("hunter2"));
    secrets
        .delete_secret()
        .secret_id("db")
        .send()
        .await
        .unwrap();
    harness.simulator.advance(Duration::from_hours(30 * 24));
    let found = secrets.describe_secret().secret_id("db").send().await;
    assert_eq!(refusal(found), MISSING);
    assert_eq!(
        refusal(secrets.restore_secret().secret_id("db").send().await),
        MISSING
    );
    let anew = create(&harness, "db", "hunter3").await;
    assert_ne!(anew.arn(), made.arn());
}

#[tokio::test]
async fn a_recovery_window_is_7_to_30_days_and_excludes_force() {
    let harness = start(Options::default()).await;
    create(&harness, "db", "hunter2").await;
    let delete = || harness.secrets.delete_secret().secret_id("db");
    for days in [0, 6, 31] {
        let refused = refusal(delete().recovery_window_in_days(days).send().await);
        let expected = "InvalidParameterException: The RecoveryWindowInDays value must be between 7 and \
                        30 days (inclusive).";
        assert_eq!(refused, expected);
    }
    let both = delete()
        .recovery_window_in_days(7)
        .force_delete_without_recovery(true);
    assert!(refusal(both.send().await).starts_with("InvalidParameterException"));
    assert_eq!(read(&harness, "db").await.as_deref(), Some("hunter2"));
    let absent = harness.secrets.delete_secret().secret_id("none").send();
    assert_eq!(refusal(absent.await), MISSING);
}

#[tokio::test]
async fn a_forced_deletion_is_final_and_takes_a_moment() {
    let harness = start(Options::default()).await;
    create(&harness, "db", "hunter2").await;
    harness
        .secrets
        .delete_secret()
        .secret_id("db")
        .send()
        .await
        .unwrap();
    let force = |id: &str| {
        let delete = harness.secrets.delete_secret().secret_id(id);
        delete.force_delete_without_recovery(true).send()
    };
    force("db").await.unwrap();
    force("db").await.unwrap();
    let restore = || harness.secrets.restore_secret().secret_id("db").send();
    assert_eq!(refusal(restore().await), MARKED);
    let create_early = harness.secrets.create_secret().name("db").send();
    assert!(refusal(create_early.await).starts_with("InvalidRequestException"));
    harness.advance(5);
    assert_eq!(refusal(restore().await), MISSING);
    create(&harness, "db", "hunter3").await;
    let never_there = force("none").await.unwrap();
    assert_eq!(never_there.name(), Some("none"));
}
