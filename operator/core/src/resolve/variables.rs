//! Environment variables: `PORT`, then the Environment's, then the service's own; later wins.

use super::ports::{self, ResolvedPort};
use crate::names;
use crate::place::Place;
use crate::problem::Problem;
use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::{
    Port, PrivateService, Protocol, ServiceRef, ServiceRefFormat,
};
use std::collections::BTreeMap;

/// The other services of the same Environment, by name (names are unique in an Environment).
pub trait Neighbours {
    /// The `ports` of the PrivateService of that name in that Environment: `None` if there is no such object, `Some(None)` if it
    /// leaves `ports` absent.
    fn ports_of(&self, environment: &str, name: &str) -> Option<Option<Vec<Port>>>;
}

/// Resolves all variables to plain values, on top of those the Environment shares.
pub(super) fn variables(
    object: &PrivateService,
    place: &Place,
    shared: &BTreeMap<String, String>,
    own_ports: &[ResolvedPort],
    neighbours: &dyn Neighbours,
) -> Result<BTreeMap<String, String>, Problem> {
    let mut variables = BTreeMap::new();
    if let Some(port) = ports::default_port(own_ports) {
        variables.insert("PORT".to_owned(), port.number.to_string());
    }
    variables.extend(shared.clone());
    for entry in &object.spec.env {
        let reference = entry
            .value_from
            .as_ref()
            .and_then(|from| from.service_ref.as_ref());
        let value = match (&entry.value, reference) {
            (Some(value), None) => value.clone(),
            (None, Some(reference)) => referenced(&entry.name, reference, place, neighbours)?,
            (Some(_), Some(_)) | (None, None) => {
                let message = format!(
                    "env {}: write exactly one of value and valueFrom",
                    entry.name
                );
                return Err(Problem::new(Reason::InvalidSpec, message));
            }
        };
        variables.insert(entry.name.clone(), value);
    }
    Ok(variables)
}

fn referenced(
    variable: &str,
    reference: &ServiceRef,
    place: &Place,
    neighbours: &dyn Neighbours,
) -> Result<String, Problem> {
    let missing = |message: String| Problem::new(Reason::ReferenceNotFound, message);
    let environment = &place.environment;
    let name = &reference.name;
    let spec = neighbours.ports_of(environment, name).ok_or_else(|| {
        missing(format!(
            "env {variable}: there is no PrivateService {name} in Environment {environment} (yet)"
        ))
    })?;
    let all = ports::ports(spec.as_deref()).map_err(|problem| {
        missing(format!(
            "env {variable}: PrivateService {name}: {}",
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
            "env {variable}: PrivateService {name} has no port {}; it has {}",
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
                    "env {variable}: port {} of {name} is tcp and has no url; write format: hostPort",
                    port.name
                ),
            ));
        }
        ServiceRefFormat::Url => format!("http://{host}:{}", port.number),
    })
}
