//! Reading secrets: what they are, and their values. In: references and versions. Out: answers, or a value for a task or a
//! test. No IO beyond noting the day of the access.

use serde_json::{Value, json};

use super::Secrets;
use super::list::{self, Page};
use super::refusals;
use super::secret::Secret;
use super::value::SecretValue;
use crate::clock::Moment;
use crate::errors::AwsError;

/// Items of a page of BatchGetSecretValue (Secrets Manager API reference).
const BATCH: usize = 20;

impl Secret {
    /// A version with its value, as GetSecretValue answers, and the day of the access noted.
    fn opened(
        &mut self,
        id: Option<&str>,
        label: Option<&str>,
        now: Moment,
    ) -> Result<Value, AwsError> {
        let version = self.selected(id, label)?;
        let mut answer = self.named();
        answer["VersionId"] = json!(version.id);
        answer["CreatedDate"] = json!(version.created.seconds());
        if !version.labels.is_empty() {
            answer["VersionStages"] = json!(version.labels);
        }
        let (member, value) = version.value.member();
        answer[member] = value;
        let id = version.id.clone();
        self.note_access(&id, now);
        Ok(answer)
    }
}

impl Secrets {
    pub(super) fn describe(&mut self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        Ok(self.found(body, now)?.described())
    }

    pub(super) fn get_value(&mut self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let secret = self.usable(body, now)?;
        let (id, label) = (body["VersionId"].as_str(), body["VersionStage"].as_str());
        secret.opened(id, label, now)
    }

    pub(super) fn batch_get(&mut self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let named = body["SecretIdList"]
            .as_array()
            .filter(|ids| !ids.is_empty());
        let filters = body["Filters"].as_array().filter(|all| !all.is_empty());
        if named.is_some() == filters.is_some() {
            return Err(refusals::parameter(
                "Either 'SecretIdList' or 'Filters' must be provided, but not both.",
            ));
        }
        if filters.is_none() && !body["MaxResults"].is_null() {
            return Err(refusals::parameter(
                "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is \
                 provided.",
            ));
        }
        let page = match named {
            Some(ids) => Page {
                items: ids
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect(),
                next: None,
            },
            None => list::page(body, self.matching(&body["Filters"], false)?, BATCH)?,
        };
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for id in page.items {
            let asked = json!({"SecretId": id});
            match self.get_value(&asked, now) {
                Ok(value) => values.push(value),
                Err(error) => errors.push(json!({
                    "SecretId": id, "ErrorCode": error.code, "Message": error.message,
                })),
            }
        }
        let mut answer = json!({"SecretValues": values, "Errors": errors});
        if let Some(next) = page.next {
            answer["NextToken"] = json!(next);
        }
        Ok(answer)
    }

    /// The value that a task is given at its start.
    pub(crate) fn open(
        &mut self,
        reference: &str,
        id: Option<&str>,
        label: Option<&str>,
        now: Moment,
    ) -> Result<SecretValue, AwsError> {
        let secret = self.usable(&json!({"SecretId": reference}), now)?;
        let version = secret.selected(id, label)?;
        let (id, value) = (version.id.clone(), version.value.clone());
        secret.note_access(&id, now);
        Ok(value)
    }

    /// The text of a version by label or id, for tests: without a trace, and of secrets scheduled for deletion too.
    pub(crate) fn peek(&self, reference: &str, version: &str, now: Moment) -> Option<String> {
        let secret = self.all.get(&self.name_of(reference, now).ok()?)?;
        let found = secret.holder(version).or_else(|| secret.version(version))?;
        found.value.text().map(str::to_owned)
    }
}
