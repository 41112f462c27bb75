//! Secrets Manager: versions and their staging labels.

use aws_sdk_secretsmanager::error::SdkError;
use aws_sdk_secretsmanager::operation::list_secret_version_ids::ListSecretVersionIdsOutput;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use aws_sdk_secretsmanager::operation::update_secret_version_stage::UpdateSecretVersionStageError;
use aws_sim::Options;

use crate::harness::{Harness, refusal, start};
use crate::secrets::{ONE, TWO};

const THREE: &str = "00000000-0000-0000-0000-000000000003";
const FOUR: &str = "00000000-0000-0000-0000-000000000004";

/// A secret `db` with a first version.
async fn with_one_version() -> Harness {
    let harness = start(Options::default()).await;
    let create = harness.secrets.create_secret().name("db");
    let create = create.client_request_token(ONE).secret_string("first");
    create.send().await.unwrap();
    harness
}

async fn put(
    harness: &Harness,
    id: &str,
    value: &str,
    labels: &[&str],
) -> Result<Vec<String>, SdkError<PutSecretValueError>> {
    let put = harness.secrets.put_secret_value().secret_id("db");
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    let put = put.client_request_token(id).secret_string(value);
    let done = put.set_version_stages(Some(labels).filter(|labels: &Vec<_>| !labels.is_empty()));
    Ok(done.send().await?.version_stages().to_vec())
}

async fn shift(
    harness: &Harness,
    label: &str,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(), SdkError<UpdateSecretVersionStageError>> {
    let update = harness
        .secrets
        .update_secret_version_stage()
        .secret_id("db");
    let update = update
        .version_stage(label)
        .set_remove_from_version_id(from.map(str::to_owned))
        .set_move_to_version_id(to.map(str::to_owned));
    update.send().await.map(|_| ())
}

/// `1: AWSCURRENT, x` for each version, by the last digit of its id, deprecated ones too.
async fn versions(harness: &Harness) -> Vec<String> {
    let list = harness.secrets.list_secret_version_ids().secret_id("db");
    let list = list.include_deprecated(true).send().await.unwrap();
    let shown = list.versions().iter().map(|version| {
        let id = version.version_id().unwrap();
        let labels = version.version_stages().join(", ");
        format!("{}: {labels}", &id[id.len() - 1..])
    });
    shown.collect()
}

#[tokio::test]
async fn a_new_version_is_current_and_the_one_before_it_previous() {
    let harness = with_one_version().await;
    assert_eq!(
        put(&harness, TWO, "second", &[]).await.unwrap(),
        ["AWSCURRENT"]
    );
    assert_eq!(
        versions(&harness).await,
        ["1: AWSPREVIOUS", "2: AWSCURRENT"]
    );
    let update = harness.secrets.update_secret().secret_id("db");
    let update = update.client_request_token(THREE).secret_string("third");
    assert_eq!(update.send().await.unwrap().version_id(), Some(THREE));
    assert_eq!(
        versions(&harness).await,
        ["1: ", "2: AWSPREVIOUS", "3: AWSCURRENT"]
    );
    let value = |version: &str| harness.simulator.secret_value("db", version);
    assert_eq!(value("AWSCURRENT").as_deref(), Some("third"));
    assert_eq!(value("AWSPREVIOUS").as_deref(), Some("second"));
    assert_eq!(value(ONE).as_deref(), Some("first"));
    assert_eq!(value("none"), None);
    let listed = harness.secrets.list_secret_version_ids().secret_id("db");
    assert_eq!(listed.send().await.unwrap().versions().len(), 2);
    let found = harness.secrets.describe_secret().secret_id("db").send();
    let found = found.await.unwrap();
    let shown = found.version_ids_to_stages().unwrap();
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[THREE], ["AWSCURRENT"]);
}

#[tokio::test]
async fn a_version_with_other_labels_is_not_current_and_takes_them_from_others() {
    let harness = with_one_version().await;
    put(&harness, TWO, "second", &["x", "y"]).await.unwrap();
    assert_eq!(put(&harness, THREE, "third", &["x"]).await.unwrap(), ["x"]);
    assert_eq!(versions(&harness).await, ["1: AWSCURRENT", "2: y", "3: x"]);
    put(&harness, FOUR, "fourth", &["AWSCURRENT", "y"])
        .await
        .unwrap();
    let expected = ["1: AWSPREVIOUS", "2: ", "3: x", "4: AWSCURRENT, y"];
    assert_eq!(versions(&harness).await, expected);
}

#[tokio::test]
async fn the_first_version_is_current_whatever_its_labels() {
    let harness = start(Options::default()).await;
    harness
        .secrets
        .create_secret()
        .name("db")
        .send()
        .await
        .unwrap();
    let labels = put(&harness, ONE, "first", &["x"]).await.unwrap();
    assert_eq!(labels, ["AWSCURRENT", "x"]);
}

#[tokio::test]
async fn the_same_token_and_value_change_nothing_and_another_value_is_refused() {
    let harness = with_one_version().await;
    put(&harness, TWO, "second", &[]).await.unwrap();
    let before = harness.simulator.state();
    harness.advance(60);
    assert_eq!(
        put(&harness, ONE, "first", &[]).await.unwrap(),
        ["AWSPREVIOUS"]
    );
    let update = |token: &str, value: &str| {
        let update = harness.secrets.update_secret().secret_id("db");
        update
            .client_request_token(token)
            .secret_string(value)
            .send()
    };
    assert_eq!(update(TWO, "second").await.unwrap().version_id(), Some(TWO));
    assert_eq!(harness.simulator.state()["secrets"], before["secrets"]);
    for text in [
        refusal(put(&harness, ONE, "second", &[]).await),
        refusal(update(ONE, "second").await),
    ] {
        let expected = format!(
            "ResourceExistsException: You can't use ClientRequestToken {ONE} because that value is \
             already in use for a version of secret "
        );
        assert!(text.starts_with(&expected), "{text}");
    }
}

#[tokio::test]
async fn moving_the_current_label_back_moves_the_previous_one() {
    let harness = with_one_version().await;
    put(&harness, TWO, "second", &[]).await.unwrap();
    let text = refusal(shift(&harness, "AWSCURRENT", None, Some(ONE)).await);
    let expected = format!(
        "InvalidParameterException: The parameter RemoveFromVersionId can't be empty. Staging label \
         AWSCURRENT is currently attached to version {TWO}, so you must explicitly reference that \
         version in RemoveFromVersionId."
    );
    assert_eq!(text, expected);
    let wrong = shift(&harness, "AWSCURRENT", Some(ONE), Some(ONE)).await;
    assert!(refusal(wrong).starts_with("InvalidParameterException"));
    shift(&harness, "AWSCURRENT", Some(TWO), Some(ONE))
        .await
        .unwrap();
    assert_eq!(
        versions(&harness).await,
        ["1: AWSCURRENT", "2: AWSPREVIOUS"]
    );
    let unmovable = shift(&harness, "AWSCURRENT", Some(ONE), None).await;
    let text = refusal(unmovable);
    assert!(
        text.contains("You can only move staging label AWSCURRENT"),
        "{text}"
    );
    assert_eq!(
        versions(&harness).await,
        ["1: AWSCURRENT", "2: AWSPREVIOUS"]
    );
}

#[tokio::test]
async fn labels_of_ones_own_are_attached_moved_and_removed() {
    let harness = with_one_version().await;
    put(&harness, TWO, "second", &[]).await.unwrap();
    shift(&harness, "pin", None, Some(ONE)).await.unwrap();
    shift(&harness, "pin", None, Some(ONE)).await.unwrap();
    assert_eq!(versions(&harness).await[0], "1: AWSPREVIOUS, pin");
    let text = refusal(shift(&harness, "pin", None, Some(TWO)).await);
    assert!(
        text.contains("RemoveFromVersionId can't be empty"),
        "{text}"
    );
    shift(&harness, "pin", Some(ONE), Some(TWO)).await.unwrap();
    assert_eq!(
        versions(&harness).await,
        ["1: AWSPREVIOUS", "2: AWSCURRENT, pin"]
    );
    shift(&harness, "pin", Some(TWO), None).await.unwrap();
    shift(&harness, "AWSPREVIOUS", Some(ONE), None)
        .await
        .unwrap();
    assert_eq!(versions(&harness).await, ["1: ", "2: AWSCURRENT"]);
    for (label, from, to) in [
        ("pin", None, None),
        ("pin", Some(TWO), None),
        ("AWSCURRENT", Some(ONE), Some(TWO)),
    ] {
        let text = refusal(shift(&harness, label, from, to).await);
        assert!(text.starts_with("InvalidParameterException"), "{text}");
    }
    let unknown = refusal(shift(&harness, "pin", None, Some(THREE)).await);
    assert!(
        unknown.starts_with("ResourceNotFoundException"),
        "{unknown}"
    );
}

#[tokio::test]
async fn a_rotation_that_has_ended_leaves_no_pending_label_behind() {
    let harness = with_one_version().await;
    put(&harness, TWO, "second", &["AWSPENDING"]).await.unwrap();
    shift(&harness, "AWSCURRENT", Some(ONE), Some(TWO))
        .await
        .unwrap();
    let expected = ["1: AWSPREVIOUS", "2: AWSCURRENT, AWSPENDING"];
    assert_eq!(versions(&harness).await, expected);
    put(&harness, THREE, "third", &[]).await.unwrap();
    assert_eq!(
        versions(&harness).await,
        ["1: ", "2: AWSPREVIOUS", "3: AWSCURRENT"]
    );
}

#[tokio::test]
async fn a_version_is_selected_by_id_and_label_together() {
    let harness = with_one_version().await;
    put(&harness, TWO, "second", &[]).await.unwrap();
    let get = |id: Option<&str>, label: Option<&str>| {
        let get = harness.secrets.get_secret_value().secret_id("db");
        let get = get.set_version_id(id.map(str::to_owned));
        get.set_version_stage(label.map(str::to_owned)).send()
    };
    for (id, label, expected) in [
        (None, None, "second"),
        (Some(ONE), None, "first"),
        (None, Some("AWSPREVIOUS"), "first"),
        (Some(TWO), Some("AWSCURRENT"), "second"),
    ] {
        let read = get(id, label).await.unwrap();
        assert_eq!(read.secret_string(), Some(expected));
    }
    let text = refusal(get(Some(ONE), Some("AWSCURRENT")).await);
    let expected = "InvalidRequestException: You provided a VersionStage that is not associated to the \
                    provided VersionId.";
    assert_eq!(text, expected);
    let text = refusal(get(Some(THREE), None).await);
    let expected = format!(
        "ResourceNotFoundException: Secrets Manager can't find the specified secret value for \
         VersionId: {THREE}"
    );
    assert_eq!(text, expected);
    let text = refusal(get(None, Some("none")).await);
    assert!(
        text.ends_with("secret value for staging label: none"),
        "{text}"
    );
}

#[tokio::test]
async fn a_secret_has_at_most_twenty_labels() {
    let harness = with_one_version().await;
    let labels: Vec<String> = (0..18).map(|n| format!("l{n}")).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    put(&harness, TWO, "second", &labels).await.unwrap();
    // AWSPREVIOUS is the twentieth.
    put(&harness, THREE, "third", &[]).await.unwrap();
    let before = versions(&harness).await;
    let full = "LimitExceededException: You exceeded the maximum number of staging labels allowed on a \
                secret.";
    assert_eq!(
        refusal(put(&harness, FOUR, "fourth", &["one more"]).await),
        full
    );
    assert_eq!(
        refusal(shift(&harness, "one more", None, Some(ONE)).await),
        full
    );
    assert_eq!(versions(&harness).await, before);
    shift(&harness, "l0", Some(TWO), None).await.unwrap();
    shift(&harness, "one more", None, Some(ONE)).await.unwrap();
}

#[tokio::test]
async fn the_previous_label_needs_a_place_too() {
    let harness = with_one_version().await;
    let labels: Vec<String> = (0..19).map(|n| format!("l{n}")).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    put(&harness, TWO, "second", &labels).await.unwrap();
    let refused = refusal(put(&harness, THREE, "third", &[]).await);
    assert!(refused.starts_with("LimitExceededException"), "{refused}");
    assert_eq!(versions(&harness).await.len(), 2);
}

#[tokio::test]
async fn deprecated_versions_go_when_there_are_more_than_a_hundred_and_they_are_a_day_old() {
    let harness = with_one_version().await;
    shift(&harness, "pin", None, Some(ONE)).await.unwrap();
    let token = |n: usize| format!("00000000-0000-0000-0000-{n:012}");
    let all = async || {
        let list = harness.secrets.list_secret_version_ids().secret_id("db");
        let pages = list.include_deprecated(true).into_paginator().send();
        let pages = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        let all = pages.iter().flat_map(ListSecretVersionIdsOutput::versions);
        let ids = all.filter_map(|version| version.version_id().map(str::to_owned));
        ids.collect::<Vec<_>>()
    };
    for n in 2..=110 {
        put(&harness, &token(n), "value", &[]).await.unwrap();
    }
    assert_eq!(all().await.len(), 110);
    harness.advance(24 * 60 * 60);
    put(&harness, &token(111), "value", &[]).await.unwrap();
    let left = all().await;
    assert_eq!(left.len(), 100);
    // The oldest have gone but for the one that is pinned.
    assert_eq!(
        (left[0].as_str(), left[1].as_str()),
        (ONE, token(13).as_str())
    );
    assert_eq!(left.last(), Some(&token(111)));
}
