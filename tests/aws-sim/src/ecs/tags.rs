//! Tags: their rules and the tag operations. In: request JSON. Out: stored pairs. No IO.

use serde_json::{Value, json};

use super::service::Status;
use super::world::World;
use crate::errors::AwsError;

/// Key and value of each tag, in the order they were given.
pub(crate) type Tags = Vec<(String, String)>;

pub(crate) fn to_json(tags: &[(String, String)]) -> Value {
    tags.iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect()
}

fn is_allowed(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_alphanumeric() || c == ' ' || "+-=._:/@".contains(c))
}

/// Reads and checks a list of tags: at most 50, keys of 1-128 and values of 0-256 characters, no
/// `aws:` prefix, each key once (ECS API reference, Tag).
pub(crate) fn parse(value: &Value) -> Result<Tags, AwsError> {
    let mut tags = Tags::new();
    for tag in value.as_array().into_iter().flatten() {
        let key = tag["key"].as_str().unwrap_or_default().to_owned();
        let value = tag["value"].as_str().unwrap_or_default().to_owned();
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(AwsError::invalid(format!(
                "Tag key or value has an invalid length: {key}"
            )));
        }
        if !is_allowed(&key) || !is_allowed(&value) {
            return Err(AwsError::invalid(format!(
                "Tag contains invalid characters: {key}"
            )));
        }
        if key.to_lowercase().starts_with("aws:") {
            return Err(AwsError::invalid(
                "Tag keys that start with aws: are reserved.",
            ));
        }
        if tags.iter().any(|(other, _)| *other == key) {
            return Err(AwsError::invalid(format!("Duplicate tag key: {key}")));
        }
        tags.push((key, value));
    }
    check_count(&tags)?;
    Ok(tags)
}

fn check_count(tags: &Tags) -> Result<(), AwsError> {
    if tags.len() > 50 {
        return Err(AwsError::invalid("A resource can have at most 50 tags."));
    }
    Ok(())
}

impl World {
    fn tags_of(&mut self, arn: &str) -> Result<&mut Tags, AwsError> {
        let missing = || {
            AwsError::new(
                "ResourceNotFoundException",
                "The specified resource could not be found.",
            )
        };
        let resource = arn.split(':').nth(5).unwrap_or_default().to_owned();
        match resource.split_once('/') {
            Some(("cluster", name)) => self
                .clusters
                .get_mut(name)
                .map(|cluster| &mut cluster.tags)
                .ok_or_else(missing),
            Some(("service", path)) => {
                let (cluster, name) = path.split_once('/').ok_or_else(missing)?;
                let key = (cluster.to_owned(), name.to_owned());
                let service = self.services.get_mut(&key).ok_or_else(missing)?;
                if service.status == Status::Inactive {
                    return Err(AwsError::invalid(
                        "The specified service is inactive. Specify an active service and try again.",
                    ));
                }
                Ok(&mut service.tags)
            }
            Some(("task-definition", _)) => self
                .definitions
                .by_arn_mut(arn)
                .map(|found| &mut found.tags)
                .ok_or_else(missing),
            _ => Err(AwsError::invalid("The specified resource ARN is invalid.")),
        }
    }

    pub(crate) fn tag_resource(&mut self, body: &Value) -> Result<Value, AwsError> {
        let added = parse(&body["tags"])?;
        let tags = self.tags_of(body["resourceArn"].as_str().unwrap_or_default())?;
        let mut next = tags.clone();
        for (key, value) in added {
            next.retain(|(other, _)| *other != key);
            next.push((key, value));
        }
        check_count(&next)?;
        *tags = next;
        Ok(json!({}))
    }

    pub(crate) fn untag_resource(&mut self, body: &Value) -> Result<Value, AwsError> {
        let removed = body["tagKeys"].as_array().cloned().unwrap_or_default();
        let tags = self.tags_of(body["resourceArn"].as_str().unwrap_or_default())?;
        tags.retain(|(key, _)| !removed.contains(&json!(key)));
        Ok(json!({}))
    }

    pub(crate) fn list_tags_for_resource(&mut self, body: &Value) -> Result<Value, AwsError> {
        let tags = self.tags_of(body["resourceArn"].as_str().unwrap_or_default())?;
        Ok(json!({"tags": to_json(tags)}))
    }
}
