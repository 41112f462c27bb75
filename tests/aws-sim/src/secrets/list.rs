//! Lists of secrets and of versions. In: filters and tokens. Out: pages. No IO.

use serde_json::{Value, json};

use super::Secrets;
use super::refusals;
use super::secret::Secret;
use crate::clock::Moment;
use crate::errors::AwsError;

/// Items of a page unless fewer are asked for (Secrets Manager API reference, list operations).
const PAGE: usize = 100;

/// A part of a list, and the token of the rest.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

pub(super) fn page<T>(body: &Value, items: Vec<T>, most: usize) -> Result<Page<T>, AwsError> {
    let size = body["MaxResults"].as_u64();
    let size = size
        .and_then(|size| usize::try_from(size).ok())
        .unwrap_or(most);
    let start = match body["NextToken"].as_str() {
        None => 0,
        Some(token) => token
            .strip_prefix("page-")
            .and_then(|number| number.parse::<usize>().ok())
            .ok_or_else(|| {
                AwsError::new(
                    "InvalidNextTokenException",
                    "The NextToken value is invalid.",
                )
            })?,
    };
    let end = start.saturating_add(size);
    let next = (end < items.len()).then(|| format!("page-{end}"));
    let items = items.into_iter().skip(start).take(size).collect();
    Ok(Page { items, next })
}

/// Whether a secret is among those a filter asks for: one value at least matches the beginning of what the key names, or, with
/// an exclamation mark, of nothing of it.
fn passes(secret: &Secret, key: &str, values: &[&str]) -> Result<bool, AwsError> {
    let tags = secret.tags.iter().flatten();
    let subjects: Vec<&str> = match key {
        "name" => vec![&secret.name],
        "tag-key" => tags.map(|(key, _)| key.as_str()).collect(),
        "tag-value" => tags.map(|(_, value)| value.as_str()).collect(),
        other => return Err(refusals::not_simulated(&format!("filter {other}"))),
    };
    let begins = |wanted: &str| subjects.iter().any(|subject| subject.starts_with(wanted));
    Ok(values.iter().any(|value| match value.strip_prefix('!') {
        Some(unwanted) => !begins(unwanted),
        None => begins(value),
    }))
}

impl Secrets {
    /// Names of the secrets that pass all filters, in the order they were made.
    pub(super) fn matching(
        &self,
        filters: &Value,
        with_deleted: bool,
    ) -> Result<Vec<String>, AwsError> {
        let mut found = Vec::new();
        'secrets: for secret in self.all.values() {
            if secret.deletion.is_some() && !with_deleted {
                continue;
            }
            for filter in filters.as_array().into_iter().flatten() {
                let key = filter["Key"].as_str().unwrap_or_default();
                let values = filter["Values"].as_array().into_iter().flatten();
                let values: Vec<&str> = values.filter_map(Value::as_str).collect();
                if !passes(secret, key, &values)? {
                    continue 'secrets;
                }
            }
            found.push(secret);
        }
        found.sort_by_key(|secret| secret.number);
        Ok(found
            .into_iter()
            .map(|secret| secret.name.clone())
            .collect())
    }

    pub(super) fn list(&self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let with_deleted = body["IncludePlannedDeletion"] == json!(true);
        let names = self.matching(&body["Filters"], with_deleted)?;
        let mut secrets: Vec<&Secret> = names
            .iter()
            .filter_map(|name| self.all.get(name))
            .filter(|secret| !secret.is_gone(now))
            .collect();
        match body["SortBy"].as_str() {
            Some("name") => secrets.sort_by_key(|secret| &secret.name),
            Some("last-accessed-date") => secrets.sort_by_key(|secret| secret.accessed),
            Some("last-changed-date") => secrets.sort_by_key(|secret| secret.changed),
            _ => {}
        }
        if body["SortOrder"] == json!("desc") {
            secrets.reverse();
        }
        let page = page(body, secrets, PAGE)?;
        let shown: Vec<Value> = page.items.into_iter().map(Secret::listed).collect();
        let mut answer = json!({"SecretList": shown});
        if let Some(next) = page.next {
            answer["NextToken"] = json!(next);
        }
        Ok(answer)
    }

    pub(super) fn list_versions(&mut self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let secret = self.found(body, now)?;
        let with_deprecated = body["IncludeDeprecated"] == json!(true);
        let versions: Vec<Value> = secret
            .versions
            .iter()
            .filter(|version| with_deprecated || !version.labels.is_empty())
            .map(|version| version.listed(secret.key.as_deref()))
            .collect();
        let page = page(body, versions, PAGE)?;
        let mut answer = secret.named();
        answer["Versions"] = Value::Array(page.items);
        if let Some(next) = page.next {
            answer["NextToken"] = json!(next);
        }
        Ok(answer)
    }
}
