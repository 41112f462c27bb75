//! Secrets Manager: lists of secrets and versions, and values of many secrets at once.

use aws_sdk_secretsmanager::operation::batch_get_secret_value::BatchGetSecretValueOutput;
use aws_sdk_secretsmanager::operation::list_secrets::ListSecretsOutput;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, SortOrderType, Tag};
use aws_sim::Options;
use serde_json::json;

use crate::harness::{Harness, refusal, start};
use crate::secrets::{create, post};

fn filter(key: FilterNameStringType, values: &[&str]) -> Filter {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Filter::builder().key(key).set_values(Some(values)).build()
}

async fn names(harness: &Harness, filters: Vec<Filter>) -> Vec<String> {
    let list = harness.secrets.list_secrets().set_filters(Some(filters));
    let found = list.send().await.unwrap();
    let names = found
        .secret_list()
        .iter()
        .filter_map(|secret| secret.name());
    names.map(str::to_owned).collect()
}

async fn tagged(harness: &Harness, name: &str, key: &str, value: &str) {
    let create = harness.secrets.create_secret().name(name);
    let create = create.tags(Tag::builder().key(key).value(value).build());
    create.secret_string(name).send().await.unwrap();
}

#[tokio::test]
async fn filters_match_beginnings_and_combine() {
    use FilterNameStringType::{Name, TagKey, TagValue};
    let harness = start(Options::default()).await;
    tagged(&harness, "staging/web", "owner", "web").await;
    tagged(&harness, "staging/api", "Owner", "api").await;
    tagged(&harness, "production/web", "owner", "website").await;
    create(&harness, "plain", "value").await;
    let cases = [
        (
            vec![],
            vec!["staging/web", "staging/api", "production/web", "plain"],
        ),
        (
            vec![filter(Name, &["staging/"])],
            vec!["staging/web", "staging/api"],
        ),
        (vec![filter(Name, &["Staging/"])], vec![]),
        (vec![filter(Name, &["web"])], vec![]),
        (
            vec![filter(Name, &["plain", "prod"])],
            vec!["production/web", "plain"],
        ),
        (
            vec![filter(Name, &["!staging/"])],
            vec!["production/web", "plain"],
        ),
        (
            vec![filter(TagKey, &["own"])],
            vec!["staging/web", "production/web"],
        ),
        (
            vec![filter(TagValue, &["web"])],
            vec!["staging/web", "production/web"],
        ),
        (
            vec![filter(TagValue, &["!web"])],
            vec!["staging/api", "plain"],
        ),
        (
            vec![filter(TagKey, &["owner"]), filter(Name, &["staging/"])],
            vec!["staging/web"],
        ),
    ];
    for (filters, expected) in cases {
        assert_eq!(
            names(&harness, filters.clone()).await,
            expected,
            "{filters:?}"
        );
    }
    let other = harness
        .secrets
        .list_secrets()
        .filters(filter(FilterNameStringType::All, &["a"]));
    let text = refusal(other.send().await);
    assert_eq!(text, "NotImplementedBySimulator: secretsmanager:filter all");
}

#[tokio::test]
async fn secrets_come_in_pages_in_the_order_they_were_made() {
    let harness = start(Options::default()).await;
    let made: Vec<String> = (0..5).map(|n| format!("s{}", 9 - n)).collect();
    for name in &made {
        create(&harness, name, "value").await;
    }
    let pages = harness
        .secrets
        .list_secrets()
        .max_results(2)
        .into_paginator();
    let pages = pages.send().collect::<Result<Vec<_>, _>>().await.unwrap();
    let sizes: Vec<usize> = pages.iter().map(|page| page.secret_list().len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
    let all = pages.iter().flat_map(ListSecretsOutput::secret_list);
    let all: Vec<&str> = all.filter_map(|secret| secret.name()).collect();
    assert_eq!(all, made);
    let back = harness
        .secrets
        .list_secrets()
        .sort_order(SortOrderType::Desc);
    let back = back.max_results(1).send().await.unwrap();
    assert_eq!(back.secret_list()[0].name(), Some("s5"));
    let by_name = json!({"SortBy": "name", "MaxResults": 1});
    let (_, shown) = post(&harness, "ListSecrets", by_name).await;
    assert_eq!(shown["SecretList"][0]["Name"], "s5");
    for size in [0, 101] {
        let list = harness.secrets.list_secrets().max_results(size).send();
        assert!(refusal(list.await).starts_with("ValidationException"));
    }
    let stale = harness
        .secrets
        .list_secrets()
        .next_token("yesterday")
        .send();
    assert!(refusal(stale.await).starts_with("InvalidNextTokenException"));
}

#[tokio::test]
async fn an_entry_shows_labels_and_dates_and_no_value() {
    let harness = start(Options::default()).await;
    let made = create(&harness, "db", "hunter2").await;
    let first = harness.secrets.list_secrets().send().await.unwrap();
    let entry = &first.secret_list()[0];
    assert_eq!(entry.arn(), made.arn());
    let labels = entry.secret_versions_to_stages().unwrap();
    assert_eq!(labels[made.version_id().unwrap()], ["AWSCURRENT"]);
    assert!(entry.last_accessed_date().is_none() && entry.deleted_date().is_none());
    harness.advance(60);
    harness
        .secrets
        .get_secret_value()
        .secret_id("db")
        .send()
        .await
        .unwrap();
    let update = harness
        .secrets
        .update_secret()
        .secret_id("db")
        .description("of orders");
    update.kms_key_id("alias/own").send().await.unwrap();
    let second = harness.secrets.list_secrets().send().await.unwrap();
    let later = &second.secret_list()[0];
    assert_eq!(later.description(), Some("of orders"));
    assert_eq!(later.kms_key_id(), Some("alias/own"));
    assert!(later.last_changed_date() > entry.last_changed_date());
    assert_eq!(later.last_accessed_date().unwrap().secs() % 86_400, 0);
    assert!(!format!("{later:?}").contains("hunter2"));
}

#[tokio::test]
async fn deleted_secrets_are_listed_only_when_asked_for() {
    let harness = start(Options::default()).await;
    create(&harness, "kept", "value").await;
    create(&harness, "deleted", "value").await;
    harness
        .secrets
        .delete_secret()
        .secret_id("deleted")
        .send()
        .await
        .unwrap();
    assert_eq!(names(&harness, vec![]).await, ["kept"]);
    let all = harness
        .secrets
        .list_secrets()
        .include_planned_deletion(true);
    let all = all.send().await.unwrap();
    assert_eq!(all.secret_list().len(), 2);
    assert!(all.secret_list()[1].deleted_date().is_some());
    let versions = harness
        .secrets
        .list_secret_version_ids()
        .secret_id("deleted");
    assert_eq!(versions.send().await.unwrap().versions().len(), 1);
}

#[tokio::test]
async fn versions_come_in_pages() {
    let harness = start(Options::default()).await;
    create(&harness, "db", "value 0").await;
    for n in 1..5 {
        let put = harness.secrets.put_secret_value().secret_id("db");
        put.secret_string(format!("value {n}"))
            .send()
            .await
            .unwrap();
    }
    let list = harness.secrets.list_secret_version_ids().secret_id("db");
    let pages = list
        .include_deprecated(true)
        .max_results(2)
        .into_paginator();
    let pages = pages.send().collect::<Result<Vec<_>, _>>().await.unwrap();
    let sizes: Vec<usize> = pages.iter().map(|page| page.versions().len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
    let version = &pages[0].versions()[0];
    assert_eq!(version.kms_key_ids(), ["DefaultEncryptionKey"]);
    assert!(version.version_stages.is_none(), "it is deprecated");
}

#[tokio::test]
async fn many_values_are_read_at_once_and_each_failure_is_told() {
    let harness = start(Options::default()).await;
    tagged(&harness, "a", "owner", "x").await;
    tagged(&harness, "b", "owner", "y").await;
    tagged(&harness, "c", "owner", "z").await;
    harness
        .secrets
        .delete_secret()
        .secret_id("c")
        .send()
        .await
        .unwrap();
    let read = harness.secrets.batch_get_secret_value();
    let read = read
        .secret_id_list("a")
        .secret_id_list("c")
        .secret_id_list("d");
    let read = read.send().await.unwrap();
    assert_eq!(read.secret_values()[0].secret_string(), Some("a"));
    let failures: Vec<(&str, &str)> = read
        .errors()
        .iter()
        .map(|error| (error.secret_id().unwrap(), error.error_code().unwrap()))
        .collect();
    let expected = [
        ("c", "InvalidRequestException"),
        ("d", "ResourceNotFoundException"),
    ];
    assert_eq!(failures, expected);

    let owned = || {
        let read = harness.secrets.batch_get_secret_value();
        read.filters(filter(FilterNameStringType::TagKey, &["owner"]))
    };
    let pages = owned().max_results(1).into_paginator().send();
    let pages = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
    let all = pages
        .iter()
        .flat_map(BatchGetSecretValueOutput::secret_values);
    let all: Vec<&str> = all.filter_map(|value| value.secret_string()).collect();
    assert_eq!(all, ["a", "b"]);

    let neither = harness.secrets.batch_get_secret_value().send().await;
    let both = owned().secret_id_list("a").send().await;
    let in_pages = harness.secrets.batch_get_secret_value().secret_id_list("a");
    let in_pages = in_pages.max_results(1).send().await;
    for refused in [neither, both, in_pages] {
        assert!(refusal(refused).starts_with("InvalidParameterException"));
    }
    let large = owned().max_results(21).send().await;
    assert!(refusal(large).starts_with("ValidationException"));
}
