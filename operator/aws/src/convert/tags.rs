//! Tags of both services.

use std::collections::BTreeMap;

/// Tags for ECS.
pub(crate) fn ecs_tags(tags: &BTreeMap<String, String>) -> Vec<aws_sdk_ecs::types::Tag> {
    tags.iter()
        .map(|(key, value)| {
            aws_sdk_ecs::types::Tag::builder()
                .key(key)
                .value(value)
                .build()
        })
        .collect()
}

/// Tags from ECS.
pub(crate) fn from_ecs(tags: &[aws_sdk_ecs::types::Tag]) -> BTreeMap<String, String> {
    tags.iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or("").to_owned())))
        .collect()
}

/// Tags for Cloud Map.
pub(crate) fn discovery_tags(
    tags: &BTreeMap<String, String>,
) -> Result<Vec<aws_sdk_servicediscovery::types::Tag>, super::Incomplete> {
    tags.iter()
        .map(|(key, value)| {
            Ok(aws_sdk_servicediscovery::types::Tag::builder()
                .key(key)
                .value(value)
                .build()?)
        })
        .collect()
}

/// Tags from Cloud Map.
pub(crate) fn from_discovery(
    tags: &[aws_sdk_servicediscovery::types::Tag],
) -> BTreeMap<String, String> {
    tags.iter()
        .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
        .collect()
}

/// Tags for Secrets Manager.
pub(crate) fn secret_tags(
    tags: &BTreeMap<String, String>,
) -> Vec<aws_sdk_secretsmanager::types::Tag> {
    tags.iter()
        .map(|(key, value)| {
            aws_sdk_secretsmanager::types::Tag::builder()
                .key(key)
                .value(value)
                .build()
        })
        .collect()
}

/// Tags from Secrets Manager.
pub(crate) fn from_secret(tags: &[aws_sdk_secretsmanager::types::Tag]) -> BTreeMap<String, String> {
    tags.iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or("").to_owned())))
        .collect()
}
