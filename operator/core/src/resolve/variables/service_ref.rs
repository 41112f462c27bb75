//! Variables that hold the address of another PrivateService.

use super::Neighbours;
use crate::names;
use crate::place::Place;
use crate::problem::Problem;
use crate::resolve::ports;
use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::{Protocol, ServiceRef, ServiceRefFormat};

/// The value of such a variable.
///
/// # Errors
/// `ReferenceNotFound` for a service or port that is not there; `InvalidSpec` for a url of a tcp port.
pub(super) fn referenced(
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
