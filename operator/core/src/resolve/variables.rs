//! Environment variables: `PORT`, then the Environment's, then the service's own; later wins.

use super::Notice;
use super::ports::{self, ResolvedPort};
use super::secrets;
use crate::names;
use crate::place::Place;
use crate::problem::Problem;
use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::{
    EnvVar, Port, PrivateService, Protocol, ServiceRef, ServiceRefFormat,
};
use std::collections::BTreeMap;

/// The other services of the same Environment, by name (names are unique in an Environment).
pub trait Neighbours {
    /// The `ports` of the PrivateService of that name in that Environment: `None` if there is no such object, `Some(None)` if it
    /// leaves `ports` absent.
    fn ports_of(&self, environment: &str, name: &str) -> Option<Option<Vec<Port>>>;
}

/// The variables of a service. A name is in one of the two maps: ECS refuses a name that is in both lists of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Variables {
    /// Values by name.
    pub(super) plain: BTreeMap<String, String>,
    /// What ECS reads the values from, by name.
    pub(super) secret: BTreeMap<String, String>,
}

impl Variables {
    fn set(&mut self, name: &str, value: Value) {
        self.plain.remove(name);
        self.secret.remove(name);
        match value {
            Value::Plain(value) => self.plain.insert(name.to_owned(), value),
            Value::Secret(from) => self.secret.insert(name.to_owned(), from),
        };
    }
}

/// What a variable holds.
enum Value {
    Plain(String),
    /// As ECS's `valueFrom`.
    Secret(String),
}

/// Resolves all variables, on top of those the Environment shares.
pub(super) fn variables(
    object: &PrivateService,
    place: &Place,
    shared: &BTreeMap<String, String>,
    own_ports: &[ResolvedPort],
    neighbours: &dyn Neighbours,
) -> Result<Variables, Problem> {
    let mut variables = Variables::default();
    if let Some(port) = ports::default_port(own_ports) {
        let number = port.number.to_string();
        variables.set("PORT", Value::Plain(number));
    }
    variables.plain.extend(shared.clone());
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    for entry in &object.spec.env {
        let value = value(entry, place, namespace, neighbours)?;
        variables.set(&entry.name, value);
    }
    Ok(variables)
}

fn value(
    entry: &EnvVar,
    place: &Place,
    namespace: &str,
    neighbours: &dyn Neighbours,
) -> Result<Value, Problem> {
    let EnvVar {
        name,
        value,
        value_from,
    } = entry;
    let field = format!("env {name}");
    let from = value_from.as_ref();
    match (
        value,
        from.and_then(|from| from.service_ref.as_ref()),
        from.and_then(|from| from.aws_secret_ref.as_ref()),
        from.and_then(|from| from.ssm_parameter_ref.as_ref()),
    ) {
        (Some(value), None, None, None) => Ok(Value::Plain(value.clone())),
        (None, Some(service), None, None) => {
            referenced(&field, service, place, neighbours).map(Value::Plain)
        }
        (None, None, Some(secret), None) => {
            secrets::value_from(&field, secret, place, namespace).map(Value::Secret)
        }
        (None, None, None, Some(parameter)) => {
            secrets::value_from_parameter(&field, parameter, place, namespace).map(Value::Secret)
        }
        _ => Err(Problem::new(
            Reason::InvalidSpec,
            format!("{field}: write exactly one of value and valueFrom, with one source"),
        )),
    }
}

fn referenced(
    field: &str,
    reference: &ServiceRef,
    place: &Place,
    neighbours: &dyn Neighbours,
) -> Result<String, Problem> {
    let missing = |message: String| Problem::new(Reason::ReferenceNotFound, message);
    let environment = &place.environment;
    let name = &reference.name;
    let spec = neighbours.ports_of(environment, name).ok_or_else(|| {
        missing(format!(
            "{field}: there is no PrivateService {name} in Environment {environment} (yet)"
        ))
    })?;
    let all = ports::ports(spec.as_deref()).map_err(|problem| {
        missing(format!(
            "{field}: PrivateService {name}: {}",
            problem.message
        ))
    })?;
    let host = names::host(name, &place.namespace);
    let format = reference.format.unwrap_or_default();
    if format == ServiceRefFormat::Host && reference.port.is_none() {
        return Ok(host);
    }
    let port = match &reference.port {
        None => ports::default_port(&all),
        Some(wanted) => all.iter().find(|port| port.name == *wanted),
    };
    let port = port.ok_or_else(|| {
        let offered: Vec<&str> = all.iter().map(|port| port.name.as_str()).collect();
        missing(format!(
            "{field}: PrivateService {name} has no port {}; it has {}",
            reference.port.as_deref().unwrap_or("at all"),
            if offered.is_empty() {
                "none".to_owned()
            } else {
                offered.join(", ")
            }
        ))
    })?;
    Ok(match format {
        ServiceRefFormat::Host => host,
        ServiceRefFormat::Port => port.number.to_string(),
        ServiceRefFormat::HostPort => format!("{host}:{}", port.number),
        ServiceRefFormat::Url if port.protocol == Protocol::Tcp => {
            return Err(Problem::new(
                Reason::InvalidSpec,
                format!(
                    "{field}: port {} of {name} is tcp and has no url; write format: hostPort",
                    port.name
                ),
            ));
        }
        ServiceRefFormat::Url => format!("http://{host}:{}", port.number),
    })
}

/// Words in the name of a variable that say that its value is a secret.
const SECRET_WORDS: [&str; 8] = [
    "PASSWORD",
    "PASSWD",
    "SECRET",
    "TOKEN",
    "API_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
];
/// Endings of names that say where a secret is, or what about it, and not what it is.
const HARMLESS_ENDINGS: [&str; 9] = [
    "_FILE", "_PATH", "_ARN", "_ID", "_NAME", "_URL", "_TTL", "_SECONDS", "_LENGTH",
];

/// Tells when a variable whose name says that it is a secret is written in plain text. The value is never part of it.
pub(super) fn plain_secrets(entries: &[EnvVar]) -> Option<Notice> {
    let named: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.value.as_ref().is_some_and(|value| !value.is_empty()))
        .map(|entry| entry.name.as_str())
        .filter(|name| looks_secret(name))
        .collect();
    let first = named.first()?;
    Some(Notice {
        reason: "PlainSecret",
        message: format!(
            "env {}: by the name a secret, and written in plain text, which everybody sees who may read this object or the task definition: \
             keep it in Secrets Manager and write {{name: {first}, valueFrom: {{awsSecretRef: {{id: \"arn:aws:secretsmanager:...\"}}}}}}",
            named.join(", ")
        ),
    })
}

fn looks_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace(['-', '.'], "_");
    SECRET_WORDS.iter().any(|word| name.contains(word))
        && !HARMLESS_ENDINGS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests;
