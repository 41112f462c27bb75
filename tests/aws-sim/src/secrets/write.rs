//! New secrets and new versions. In: requests with a value and a token. Out: the version the token names. No IO. Invariant: a
//! token is the id of a version, and the same token never makes or changes a second one.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Secrets;
use super::address::check_name;
use super::refusals;
use super::secret::{Secret, Version};
use super::stages::CURRENT;
use super::tags;
use super::value::SecretValue;
use crate::clock::Moment;
use crate::errors::AwsError;

/// SDKs fill it in where a program does not.
fn token(body: &Value) -> Result<&str, AwsError> {
    body["ClientRequestToken"]
        .as_str()
        .ok_or_else(refusals::no_token)
}

/// A text that is absent when it is empty.
fn text(value: &Value) -> Option<String> {
    value
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn current() -> BTreeSet<String> {
    BTreeSet::from([CURRENT.to_owned()])
}

impl Secret {
    /// Whether a version with this id and value is there already; with another value its token is used up.
    fn repeats(&self, token: &str, value: &SecretValue) -> Result<bool, AwsError> {
        match self.version(token) {
            None => Ok(false),
            Some(version) if version.value == *value => Ok(true),
            Some(_) => Err(refusals::token_taken(token, &self.arn)),
        }
    }

    /// Its ARN, its name and the id of a version.
    fn named_with(&self, version: &str) -> Value {
        let mut answer = self.named();
        answer["VersionId"] = json!(version);
        answer
    }
}

impl Secrets {
    pub(super) fn create(&mut self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let name = body["Name"].as_str().unwrap_or_default();
        check_name(name)?;
        let token = token(body)?;
        let value = SecretValue::of(body)?;
        let tags = tags::parse(&body["Tags"])?;
        if let Some(existing) = self.all.get(name).filter(|secret| !secret.is_gone(now)) {
            if existing.deletion.is_some() {
                return Err(refusals::name_scheduled_for_deletion());
            }
            return match value {
                Some(value) if existing.repeats(token, &value)? => Ok(existing.named_with(token)),
                _ => Err(refusals::name_taken(name)),
            };
        }
        self.made += 1;
        let mut secret = Secret {
            arn: self.new_arn(name),
            name: name.to_owned(),
            number: self.made,
            description: text(&body["Description"]),
            key: text(&body["KmsKeyId"]),
            tags: (!body["Tags"].is_null()).then_some(tags),
            versions: Vec::new(),
            created: now,
            changed: now,
            accessed: None,
            deletion: None,
        };
        let answer = match value {
            None => secret.named(),
            Some(value) => {
                secret.add(Version::new(token, value, now), &current(), now)?;
                secret.named_with(token)
            }
        };
        self.all.insert(name.to_owned(), secret);
        Ok(answer)
    }

    pub(super) fn put(&mut self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let token = token(body)?;
        let value = SecretValue::of(body)?.ok_or_else(|| {
            refusals::parameter("You must provide either SecretString or SecretBinary.")
        })?;
        let secret = self.usable(body, now)?;
        if !secret.repeats(token, &value)? {
            let given = body["VersionStages"].as_array().into_iter().flatten();
            let given = given.filter_map(Value::as_str).map(str::to_owned);
            let mut labels: BTreeSet<String> = given.collect();
            // The first version is the current one whatever else it is (API reference, PutSecretValue).
            if labels.is_empty() || secret.versions.is_empty() {
                labels.extend(current());
            }
            secret.add(Version::new(token, value, now), &labels, now)?;
            secret.changed = now;
        }
        let mut answer = secret.named_with(token);
        let labels = secret.version(token).map(|version| &version.labels);
        if let Some(labels) = labels.filter(|labels| !labels.is_empty()) {
            answer["VersionStages"] = json!(labels);
        }
        Ok(answer)
    }

    pub(super) fn update(&mut self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let token = token(body)?;
        let value = SecretValue::of(body)?;
        let secret = self.usable(body, now)?;
        let answer = match value {
            None => secret.named(),
            Some(value) => {
                if secret.repeats(token, &value)? {
                    return Ok(secret.named_with(token));
                }
                secret.add(Version::new(token, value, now), &current(), now)?;
                secret.named_with(token)
            }
        };
        if !body["Description"].is_null() {
            secret.description = text(&body["Description"]);
        }
        if !body["KmsKeyId"].is_null() {
            secret.key = text(&body["KmsKeyId"]);
        }
        secret.changed = now;
        Ok(answer)
    }

    /// The name and six characters that a secret of the same name had never before, or hardly.
    pub(super) fn new_arn(&mut self, name: &str) -> String {
        let suffix: String = (0..6).map(|_| self.dice.letter()).collect();
        format!("{}{name}-{suffix}", self.prefix)
    }
}
