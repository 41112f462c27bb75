//! Ports: named, numbered, with what Service Connect needs to know of each.

use crate::defaults;
use crate::names;
use crate::problem::Problem;
use crate::service::ConnectService;
use crate::task_definition::{AppProtocol, PortMapping};
use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::{Port, Protocol};

/// A port with its defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ResolvedPort {
    pub(super) name: String,
    pub(super) number: u16,
    pub(super) protocol: Protocol,
    idle_timeout: Option<u32>,
    request_timeout: Option<u32>,
}

impl ResolvedPort {
    /// The container's side.
    pub(super) fn mapping(&self, service: &str) -> PortMapping {
        PortMapping {
            name: names::discovery_name(service, &self.name),
            container_port: self.number,
            app_protocol: match self.protocol {
                Protocol::Tcp => None,
                Protocol::Http => Some(AppProtocol::Http),
                Protocol::Http2 => Some(AppProtocol::Http2),
                Protocol::Grpc => Some(AppProtocol::Grpc),
            },
        }
    }

    /// Service Connect's side.
    pub(super) fn connect(&self, service: &str, host: &str) -> ConnectService {
        ConnectService {
            discovery_name: names::discovery_name(service, &self.name),
            dns_name: host.into(),
            port: self.number,
            idle_timeout: self.idle_timeout,
            request_timeout: self.request_timeout,
        }
    }
}

/// Resolves `ports`: absent is one port, an empty list is none.
pub(super) fn ports(ports: Option<&[Port]>) -> Result<Vec<ResolvedPort>, Problem> {
    let Some(ports) = ports else {
        return Ok(vec![ResolvedPort {
            name: defaults::PORT_NAME.into(),
            number: defaults::PORT,
            protocol: Protocol::Tcp,
            idle_timeout: None,
            request_timeout: None,
        }]);
    };
    ports.iter().map(port).collect()
}

fn port(port: &Port) -> Result<ResolvedPort, Problem> {
    let number = u16::try_from(port.port)
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| {
            let message = format!(
                "ports: {} has number {}; write 1 to 65535",
                port.name, port.port
            );
            Problem::new(Reason::InvalidSpec, message)
        })?;
    let protocol = port.protocol.unwrap_or(Protocol::Tcp);
    if protocol == Protocol::Tcp && port.request_timeout_seconds.is_some() {
        let message = format!(
            "ports: {} is tcp and can have no requestTimeoutSeconds; remove it, or write protocol: http",
            port.name
        );
        return Err(Problem::new(Reason::InvalidSpec, message));
    }
    let seconds = |value: Option<i32>| value.and_then(|seconds| u32::try_from(seconds).ok());
    Ok(ResolvedPort {
        name: port.name.clone(),
        number,
        protocol,
        idle_timeout: seconds(port.idle_timeout_seconds),
        request_timeout: seconds(port.request_timeout_seconds),
    })
}

/// The port `PORT` names and references mean when they name none: the one called `default`, else the first.
pub(super) fn default_port(ports: &[ResolvedPort]) -> Option<&ResolvedPort> {
    ports
        .iter()
        .find(|port| port.name == defaults::PORT_NAME)
        .or_else(|| ports.first())
}
