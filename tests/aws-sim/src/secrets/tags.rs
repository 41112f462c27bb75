//! Tags of secrets: their rules and operations. In: request JSON. Out: stored pairs. No IO.

use serde_json::{Value, json};

use super::Secrets;
use super::refusals::{parameter, validation};
use crate::clock::Moment;
use crate::errors::AwsError;

/// Key and value of each tag, in the order they were given.
pub(super) type Tags = Vec<(String, String)>;

/// Tags of one secret (Secrets Manager API reference, TagResource).
const MOST: usize = 50;

pub(super) fn shown(tags: &[(String, String)]) -> Value {
    tags.iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect()
}

/// Reads and checks a list of tags: keys of 1-128 and values of 0-256 characters, no `aws:`, each key once (Secrets Manager
/// API reference, Tag, TagResource).
pub(super) fn parse(value: &Value) -> Result<Tags, AwsError> {
    let mut tags = Tags::new();
    for tag in value.as_array().into_iter().flatten() {
        let key = tag["Key"].as_str().unwrap_or_default().to_owned();
        let value = tag["Value"].as_str().unwrap_or_default().to_owned();
        if key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(validation(format!(
                "1 validation error detected: the tag {key} or its value is too long"
            )));
        }
        if key.to_lowercase().starts_with("aws:") {
            return Err(parameter("Tag keys that start with aws: are reserved."));
        }
        if tags.iter().any(|(other, _)| *other == key) {
            return Err(parameter(format!("Duplicate tag key: {key}")));
        }
        tags.push((key, value));
    }
    check_count(&tags)?;
    Ok(tags)
}

fn check_count(tags: &Tags) -> Result<(), AwsError> {
    if tags.len() > MOST {
        return Err(parameter("A secret can have at most 50 tags."));
    }
    Ok(())
}

impl Secrets {
    pub(super) fn tag(&mut self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let added = parse(&body["Tags"])?;
        let secret = self.usable(body, now)?;
        let mut next = secret.tags.clone().unwrap_or_default();
        for (key, value) in added {
            next.retain(|(other, _)| *other != key);
            next.push((key, value));
        }
        check_count(&next)?;
        secret.tags = Some(next);
        secret.changed = now;
        Ok(json!({}))
    }

    pub(super) fn untag(&mut self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let removed = body["TagKeys"].as_array().cloned().unwrap_or_default();
        let secret = self.usable(body, now)?;
        if let Some(tags) = &mut secret.tags {
            tags.retain(|(key, _)| !removed.contains(&json!(key)));
        }
        secret.changed = now;
        Ok(json!({}))
    }
}
