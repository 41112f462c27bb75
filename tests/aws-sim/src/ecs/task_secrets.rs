//! What a task is given at its start: its variables, and secrets out of Secrets Manager. In: container definitions. Out: the
//! values, or why the task cannot start. No IO. Invariant: no reason and no `Debug` holds a value.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::world::World;
use crate::clock::Moment;
use crate::secrets::SecretValue;

/// What the containers of one task were given.
#[derive(Clone, Default)]
pub(crate) struct Given {
    /// Variables by name. Of two containers with the same one the essential one's.
    pub(crate) environment: BTreeMap<String, String>,
    /// Options of log drivers by name, those from secrets.
    pub(crate) log_options: BTreeMap<String, String>,
}

impl fmt::Debug for Given {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Given")
            .field("environment", &self.environment.keys())
            .field("log_options", &self.log_options.keys())
            .finish()
    }
}

/// A secret's ARN and, behind it, `:json-key:version-stage:version-id`, each of which may be empty (ECS developer guide,
/// Pass Secrets Manager secrets through environment variables).
struct Reference<'a> {
    arn: &'a str,
    key: Option<&'a str>,
    stage: Option<&'a str>,
    version: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// `None` if the colons are not those of either form.
    fn parse(value_from: &'a str) -> Option<Self> {
        let colons: Vec<usize> = value_from.match_indices(':').map(|(at, _)| at).collect();
        let parameters = match (colons.len(), colons.get(6)) {
            (6, None) => "::",
            (9, Some(at)) => value_from.get(at + 1..)?,
            _ => return None,
        };
        let end = colons.get(6).copied().unwrap_or(value_from.len());
        let mut parameters = parameters
            .split(':')
            .map(|part| Some(part).filter(|part| !part.is_empty()));
        Some(Self {
            arn: value_from.get(..end)?,
            key: parameters.next()?,
            stage: parameters.next()?,
            version: parameters.next()?,
        })
    }
}

/// `stoppedReason` after a failed retrieval; the rest says which.
fn unable(what: &str) -> String {
    format!(
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource \
         retrieval failed: {what}"
    )
}

fn unable_to_retrieve(why: &str) -> String {
    unable(&format!(
        "unable to retrieve secret from asm: service call has been retried 1 time(s): {why}"
    ))
}

/// A member of a secret in JSON as the ECS agent writes it into a variable: texts bare, the rest as Go prints it (public
/// source of the agent).
fn printed(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(printed).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(members) => {
            let members: BTreeMap<&String, String> = members
                .iter()
                .map(|(name, value)| (name, printed(value)))
                .collect();
            let members: Vec<String> = members
                .into_iter()
                .map(|(name, value)| format!("{name}:{value}"))
                .collect();
            format!("map[{}]", members.join(" "))
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// The part of a value that a key names; without a key all of it.
fn part(value: &SecretValue, key: Option<&str>) -> Result<String, String> {
    let text = value.text().unwrap_or_default();
    let Some(key) = key else {
        return Ok(text.to_owned());
    };
    // AWS quotes the first character that is no JSON; it is one of the secret.
    let members: BTreeMap<String, Value> = serde_json::from_str(text)
        .map_err(|_| unable_to_retrieve("invalid character looking for beginning of value"))?;
    members.get(key).map(printed).ok_or_else(|| {
        unable_to_retrieve(&format!(
            "retrieved secret from Secrets Manager did not contain json key {key}"
        ))
    })
}

/// Whether a value is what a registry asks for (ECS developer guide, Using non-AWS container images).
fn check_credentials(value: &SecretValue) -> Result<(), String> {
    for member in ["username", "password"] {
        let found = part(value, Some(member)).unwrap_or_default();
        if found.is_empty() {
            return Err(unable(&format!(
                "unable to get registry auth from asm: service call has been retried 1 time(s): asm \
                 fetching {member}: AuthorizationData is malformed, empty field"
            )));
        }
    }
    Ok(())
}

fn pairs<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value[member].as_array().into_iter().flatten()
}

impl World {
    /// What the containers of a task are given. With `check_secrets` the first secret that cannot be read is why the task
    /// cannot start; without, it is left out.
    pub(super) fn give(
        &mut self,
        containers: &[Value],
        essential: usize,
        now: Moment,
    ) -> Result<Given, String> {
        let mut given = Given::default();
        let others = containers.iter().enumerate();
        let others = others.filter(|(index, _)| *index != essential);
        let ordered = others.map(|(_, container)| container);
        for container in ordered.chain(containers.get(essential)) {
            let text =
                |pair: &Value, member: &str| pair[member].as_str().unwrap_or_default().to_owned();
            for pair in pairs(container, "environment") {
                let (name, value) = (text(pair, "name"), text(pair, "value"));
                given.environment.insert(name, value);
            }
            for pair in pairs(container, "secrets") {
                if let Some(value) = self.read_for_task(&text(pair, "valueFrom"), now)? {
                    given.environment.insert(text(pair, "name"), value);
                }
            }
            for pair in pairs(&container["logConfiguration"], "secretOptions") {
                if let Some(value) = self.read_for_task(&text(pair, "valueFrom"), now)? {
                    given.log_options.insert(text(pair, "name"), value);
                }
            }
            let credentials = &container["repositoryCredentials"]["credentialsParameter"];
            if let Some(reference) = credentials.as_str().filter(|arn| self.is_own(arn)) {
                let read = self.secrets.open(reference, None, None, now);
                let checked = read
                    .map_err(|error| {
                        let (code, text) = (error.code, error.message);
                        unable(&format!(
                            "unable to get registry auth from asm: service call has been retried 1 \
                             time(s): asm fetching secret from the service for {reference}: {code}: \
                             {text}"
                        ))
                    })
                    .and_then(|value| check_credentials(&value));
                if self.options.check_secrets {
                    checked?;
                }
            }
        }
        Ok(given)
    }

    fn is_own(&self, reference: &str) -> bool {
        reference.starts_with(self.secrets.prefix())
    }

    /// One value; `None` for what is not in Secrets Manager of this account and Region, and for what cannot be read where that
    /// does not matter.
    fn read_for_task(&mut self, value_from: &str, now: Moment) -> Result<Option<String>, String> {
        if !self.is_own(value_from) {
            return Ok(None);
        }
        let read = self.read(value_from, now);
        if self.options.check_secrets {
            read.map(Some)
        } else {
            Ok(read.ok())
        }
    }

    fn read(&mut self, value_from: &str, now: Moment) -> Result<String, String> {
        let reference = Reference::parse(value_from).ok_or_else(|| {
            unable("unexpected ARN format with parameters when trying to retrieve ASM secret")
        })?;
        let Reference {
            arn,
            key,
            stage,
            version,
        } = reference;
        let failed = |why: &str| {
            unable_to_retrieve(&format!(
                "failed to fetch secret {arn} from secrets manager: {why}"
            ))
        };
        if version.is_some_and(|id| id.len() < 32) {
            return Err(failed(
                "InvalidParameter: 1 validation error(s) found. - minimum field size of 32, \
                 GetSecretValueInput.VersionId.",
            ));
        }
        let value = self.secrets.open(arn, version, stage, now);
        let value = value.map_err(|error| {
            let (code, text) = (error.code, error.message);
            failed(&format!(
                "operation error Secrets Manager: GetSecretValue, https response error StatusCode: 400, \
                 RequestID: {}, {code}: {text}",
                self.ids.uuid()
            ))
        })?;
        part(&value, key)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_has_all_its_colons_or_none() {
        let arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:a/b-AbCdEf";
        let cases = [
            (String::new(), Some((None, None, None))),
            (":::".to_owned(), Some((None, None, None))),
            (":key::".to_owned(), Some((Some("key"), None, None))),
            (
                "::AWSPREVIOUS:".to_owned(),
                Some((None, Some("AWSPREVIOUS"), None)),
            ),
            (":key::id".to_owned(), Some((Some("key"), None, Some("id")))),
            (":key".to_owned(), None),
            (":key:::".to_owned(), None),
        ];
        for (rest, expected) in cases {
            let text = format!("{arn}{rest}");
            let parsed = Reference::parse(&text);
            assert!(
                parsed.as_ref().is_none_or(|found| found.arn == arn),
                "{text}"
            );
            let parts = parsed.map(|found| (found.key, found.stage, found.version));
            assert_eq!(parts, expected, "{text}");
        }
    }

    #[test]
    fn members_are_printed_as_the_agent_does() {
        let cases = [
            (json!("a b"), "a b"),
            (json!(5432), "5432"),
            (json!(true), "true"),
            (json!(null), "<nil>"),
            (json!({"b": 1, "a": ["x", "y"]}), "map[a:[x y] b:1]"),
        ];
        for (value, expected) in cases {
            assert_eq!(printed(&value), expected);
        }
    }

    #[test]
    fn what_was_given_is_not_shown() {
        let mut given = Given::default();
        let secret = ("PASSWORD".to_owned(), "hunter2".to_owned());
        given.environment.extend([secret]);
        let shown = format!("{given:?}");
        assert!(shown.contains("PASSWORD") && !shown.contains("hunter2"));
    }
}
