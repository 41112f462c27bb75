//! Tags of alarms. In: request JSON. Out: stored pairs. No IO.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::CloudWatch;
use crate::errors::AwsError;

/// Key and value of each tag.
pub(super) type Tags = BTreeMap<String, String>;

/// Tags on one resource (CloudWatch API reference, TagResource).
const MOST: usize = 50;

fn invalid(text: String) -> AwsError {
    AwsError::new("InvalidParameterValue", text)
}

/// Reads and checks a list of tags: keys of 1-128, values of 0-256 characters, no `aws:` prefix (CloudWatch API
/// reference, Tag).
pub(super) fn parse(value: &Value) -> Result<Tags, AwsError> {
    let mut tags = Tags::new();
    for tag in value.as_array().into_iter().flatten() {
        let key = tag["Key"].as_str().unwrap_or_default();
        let value = tag["Value"].as_str();
        let fits = (1..=128).contains(&key.chars().count())
            && value.is_some_and(|value| value.chars().count() <= 256);
        if !fits || key.to_lowercase().starts_with("aws:") {
            return Err(invalid(format!("Invalid tag: {key}")));
        }
        tags.insert(key.to_owned(), value.unwrap_or_default().to_owned());
    }
    check_count(tags.len())?;
    Ok(tags)
}

fn check_count(count: usize) -> Result<(), AwsError> {
    if count > MOST {
        return Err(invalid(format!("A resource can have at most {MOST} tags.")));
    }
    Ok(())
}

impl CloudWatch {
    fn tags_of(&mut self, body: &Value) -> Result<&mut Tags, AwsError> {
        let arn = body["ResourceARN"].as_str().unwrap_or_default();
        let name = arn.splitn(7, ':').nth(6).unwrap_or_default();
        let alarm = self.alarms.get_mut(name).filter(|alarm| alarm.arn == arn);
        alarm.map(|alarm| &mut alarm.tags).ok_or_else(|| AwsError {
            status: 404,
            ..AwsError::new("ResourceNotFoundException", format!("Unknown alarm {arn}"))
                .with("ResourceType", "alarm")
                .with("ResourceId", name)
        })
    }

    pub(super) fn tag_resource(&mut self, body: &Value) -> Result<Value, AwsError> {
        let added = parse(&body["Tags"])?;
        let tags = self.tags_of(body)?;
        let mut next = tags.clone();
        next.extend(added);
        check_count(next.len())?;
        *tags = next;
        Ok(json!({}))
    }

    pub(super) fn untag_resource(&mut self, body: &Value) -> Result<Value, AwsError> {
        let removed = body["TagKeys"].as_array().cloned().unwrap_or_default();
        let tags = self.tags_of(body)?;
        tags.retain(|key, _| !removed.contains(&json!(key)));
        Ok(json!({}))
    }

    pub(super) fn list_tags_for_resource(&mut self, body: &Value) -> Result<Value, AwsError> {
        let tags = self.tags_of(body)?.iter();
        let shown = tags.map(|(key, value)| json!({"Key": key, "Value": value}));
        Ok(json!({"Tags": shown.collect::<Vec<_>>()}))
    }
}
