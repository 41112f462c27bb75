//! Tags of scalable targets. In: request JSON. Out: stored pairs. No IO.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Scaling, refuse};
use crate::errors::AwsError;

/// Tags on one resource (Application Auto Scaling API reference, TooManyTagsException; AWS General Reference).
const MOST: usize = 50;

/// Reads and checks a map of tags: keys of 1-128, values of 0-256 characters, no `aws:` prefix.
pub(super) fn parse(value: &Value) -> Result<BTreeMap<String, String>, AwsError> {
    let mut tags = BTreeMap::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        let fits = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
        if !fits || key.to_lowercase().starts_with("aws:") {
            return Err(refuse(format!("Invalid tag: {key}")));
        }
        tags.insert(key.clone(), value.to_owned());
    }
    check_count(tags.len())?;
    Ok(tags)
}

fn check_count(count: usize) -> Result<(), AwsError> {
    if count > MOST {
        return Err(AwsError::new(
            "TooManyTagsException",
            format!("A scalable target can have at most {MOST} tags."),
        ));
    }
    Ok(())
}

impl Scaling {
    fn tags_of(&mut self, body: &Value) -> Result<&mut BTreeMap<String, String>, AwsError> {
        let arn = body["ResourceARN"].as_str().unwrap_or_default().to_owned();
        let target = self.targets.values_mut().find(|target| target.arn == arn);
        target.map(|target| &mut target.tags).ok_or_else(|| {
            AwsError::new(
                "ResourceNotFoundException",
                format!("The resource {arn} was not found."),
            )
            .with("ResourceName", arn)
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
        Ok(json!({"Tags": self.tags_of(body)?}))
    }
}
