//! Environment variables: `PORT`, then the Environment's, then those of `envFrom`, then those of `env`; later wins.

pub(super) mod object;
mod plain_secrets;
mod service_ref;

pub use object::{ObjectData, SecretLookup};
pub(super) use plain_secrets::plain_secrets;

use super::Notice;
use super::ports::{self, ResolvedPort};
use super::secrets::{self, Named};
use crate::place::{Place, SharedValue};
use crate::problem::Problem;
use crate::stored_secret::{SecretValues, Target};
use crate::watched_secret::{AwsSecret, Watched};
use object::{Kind, Taken};
use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::{EnvVar, EnvVarSource, Port, PrivateService};
use std::collections::{BTreeMap, BTreeSet};

/// What an object may refer to in Kubernetes.
pub trait Neighbours {
    /// The `ports` of the PrivateService of that name in that Environment, where names are unique: `None` if there is no such object,
    /// `Some(None)` if it leaves `ports` absent.
    fn ports_of(&self, environment: &str, name: &str) -> Option<Option<Vec<Port>>>;

    /// What is in the ConfigMap of that name in the object's own Kubernetes namespace, if there is one.
    fn config_map(&self, name: &str) -> Option<&ObjectData>;

    /// What is in the Secret of that name in the object's own Kubernetes namespace.
    fn secret(&self, name: &str) -> SecretLookup<'_>;

    /// What is known of the secret of that name or ARN in Secrets Manager, in the account and Region of the object's Environment. Asking for it
    /// has it read, if it was not yet.
    fn aws_secret(&self, id: &str) -> AwsSecret;
}

/// The variables of a service. A name is in one of the first three: ECS refuses a name that is in both lists of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Variables {
    /// Values by name.
    pub(super) plain: BTreeMap<String, String>,
    /// What ECS reads the values from, by name.
    pub(super) secret: BTreeMap<String, String>,
    /// What is to be stored where ECS reads it.
    pub(super) stored: SecretValues,
    /// Which of them come from secrets of others.
    pub(super) watched: Watched,
    /// What the user should know about them.
    pub(super) notices: Vec<Notice>,
}

impl Variables {
    fn set(&mut self, name: &str, value: Value) {
        self.plain.remove(name);
        self.secret.remove(name);
        let target = Target::Variable(name.to_owned());
        self.stored.remove(&target);
        self.watched.uses.remove(&target);
        match value {
            Value::Plain(value) => drop(self.plain.insert(name.to_owned(), value)),
            Value::Parameter(from) => drop(self.secret.insert(name.to_owned(), from)),
            Value::Secret(named) => {
                self.secret.insert(name.to_owned(), named.value_from());
                named.watch(target, &mut self.watched);
                self.notices.extend(named.notice);
            }
            Value::Stored(value) => self.stored.set(target, value),
        }
    }
}

/// What a variable holds.
enum Value {
    Plain(String),
    /// As ECS's `valueFrom`.
    Parameter(String),
    /// A secret that somebody else keeps.
    Secret(Box<Named>),
    /// A value that is to be stored.
    Stored(String),
}

/// Resolves all variables, on top of those the Environment shares. What wins over a shared one is all that is asked for.
pub(super) fn variables(
    object: &PrivateService,
    place: &Place,
    shared: &BTreeMap<String, SharedValue>,
    own_ports: &[ResolvedPort],
    neighbours: &dyn Neighbours,
) -> Result<Variables, Problem> {
    let mut variables = Variables::default();
    if let Some(port) = ports::default_port(own_ports) {
        let number = port.number.to_string();
        variables.set("PORT", Value::Plain(number));
    }
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    let taken = object.spec.env_from.iter();
    let taken: Vec<Taken> = taken
        .map(|entry| object::all_of(entry, neighbours))
        .collect::<Result<_, _>>()?;
    let own = object.spec.env.iter().map(|entry| &entry.name);
    let own: BTreeSet<&String> = own
        .chain(taken.iter().flat_map(|taken| taken.variables.keys()))
        .collect();
    for (name, value) in shared.iter().filter(|(name, _)| !own.contains(name)) {
        variables.set(name, shared_value(name, value, place, neighbours)?);
    }
    for taken in taken {
        for (name, value) in taken.variables {
            let value = match taken.kind {
                Kind::ConfigMap => Value::Plain(value),
                Kind::Secret => Value::Stored(value),
            };
            variables.set(&name, value);
        }
        variables.notices.extend(taken.notice);
    }
    for entry in &object.spec.env {
        let value = value(entry, place, namespace, neighbours)?;
        variables.set(&entry.name, value);
    }
    Ok(variables)
}

fn shared_value(
    name: &str,
    value: &SharedValue,
    place: &Place,
    neighbours: &dyn Neighbours,
) -> Result<Value, Problem> {
    Ok(match value {
        SharedValue::Plain(value) => Value::Plain(value.clone()),
        SharedValue::Secret(secret) => {
            let field = format!("env {name} of Environment {}", place.environment);
            Value::Secret(secrets::shared(&field, secret, place, neighbours)?)
        }
        SharedValue::Parameter(parameter) => {
            Value::Parameter(secrets::shared_parameter(parameter, place))
        }
    })
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
    let exactly_one = || {
        Problem::new(
            Reason::InvalidSpec,
            format!("{field}: write exactly one of value and valueFrom, with one source"),
        )
    };
    match (value, value_from) {
        (Some(value), None) => Ok(Value::Plain(value.clone())),
        (None, Some(from)) => {
            let mut sources = sources(&field, from, place, namespace, neighbours);
            match (sources.pop(), sources.is_empty()) {
                (Some(value), true) => value,
                _ => Err(exactly_one()),
            }
        }
        _ => Err(exactly_one()),
    }
}

/// What each source of a variable yields; the schema lets an object have one only.
fn sources(
    field: &str,
    from: &EnvVarSource,
    place: &Place,
    namespace: &str,
    neighbours: &dyn Neighbours,
) -> Vec<Result<Value, Problem>> {
    let EnvVarSource {
        service_ref,
        aws_secret_ref,
        ssm_parameter_ref,
        config_map_key_ref,
        secret_key_ref,
    } = from;
    let service = service_ref.as_ref().map(|service| {
        service_ref::referenced(field, service, place, neighbours).map(Value::Plain)
    });
    let secret = aws_secret_ref.as_ref().map(|secret| {
        secrets::named(field, secret, place, namespace, neighbours).map(Value::Secret)
    });
    let parameter = ssm_parameter_ref.as_ref().map(|parameter| {
        secrets::value_from_parameter(field, parameter, place, namespace).map(Value::Parameter)
    });
    let config_map = config_map_key_ref.as_ref().map(|one| {
        object::key(field, Kind::ConfigMap, &one.name, &one.key, neighbours).map(Value::Plain)
    });
    let stored = secret_key_ref.as_ref().map(|one| {
        object::key(field, Kind::Secret, &one.name, &one.key, neighbours).map(Value::Stored)
    });
    [service, secret, parameter, config_map, stored]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests;
