//! Service Connect's rules. In: a configuration, its task definition, and what is taken in the
//! namespace. Out: the configuration with AWS's defaults, or AWS's refusal. No IO. Invariant: a
//! discovery name and an alias belong to one ECS service of a namespace at a time.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::upstream_facts::UpstreamFacts;
use crate::errors::AwsError;

/// Services in a namespace; AWS does not raise it (AWS General Reference, ECS service quotas).
const SERVICES_PER_NAMESPACE: usize = 300;

/// What of an endpoint can never change (public report of the error text; ECS API reference,
/// PortMapping: protocol and appProtocol).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stable {
    application_protocol: String,
    owner: String,
}

impl Stable {
    fn show(&self) -> String {
        format!(
            "ScServiceStableConfig(applicationProtocol={}, transportProtocol=TCP, ecsServiceArn={})",
            self.application_protocol, self.owner
        )
    }
}

/// What is taken in all namespaces.
#[derive(Debug, Default)]
pub(crate) struct Endpoints {
    names: BTreeMap<(String, String), Stable>,
    aliases: BTreeMap<(String, String, u64), String>,
    members: BTreeMap<String, BTreeSet<String>>,
}

/// One endpoint a configuration asks for.
#[derive(Debug)]
struct Wanted {
    discovery_name: String,
    dns_name: String,
    port: Option<u64>,
    stable: Stable,
}

/// A checked configuration, ready to be taken.
#[derive(Debug)]
pub(crate) struct Checked {
    /// With the namespace as an ARN where it is known, and discovery names filled in.
    pub(crate) configuration: Value,
    namespace: String,
    wanted: Vec<Wanted>,
}

fn refuse(message: String) -> AwsError {
    AwsError::invalid(message)
}

impl Endpoints {
    /// Checks a configuration for a service; takes nothing.
    pub(crate) fn check(
        &self,
        configuration: &Value,
        definition: &Value,
        service_arn: &str,
        facts: &UpstreamFacts,
    ) -> Result<Option<Checked>, AwsError> {
        if configuration["enabled"] != json!(true) {
            return Ok(None);
        }
        let reference = configuration["namespace"].as_str().unwrap_or_default();
        if reference.is_empty() {
            return Err(refuse("Service Connect requires a namespace.".to_owned()));
        }
        let namespace = facts.namespace(reference)?;
        let mut shown = configuration.clone();
        let mut wanted: Vec<Wanted> = Vec::new();
        let services = shown["services"].as_array_mut().into_iter().flatten();
        for service in services {
            let one = Self::read_service(service, definition, service_arn, &namespace.name)?;
            if wanted
                .iter()
                .any(|other| other.discovery_name == one.discovery_name)
            {
                return Err(refuse(format!(
                    "Duplicate discoveryName {}.",
                    one.discovery_name
                )));
            }
            self.check_name(&namespace.key, &one)?;
            wanted.push(one);
        }
        let members = self.members.get(&namespace.key);
        let is_new = members.is_none_or(|members| !members.contains(service_arn));
        if is_new && members.map_or(0, BTreeSet::len) >= SERVICES_PER_NAMESPACE {
            return Err(refuse(format!(
                "The namespace already has the maximum number of services: {SERVICES_PER_NAMESPACE}."
            )));
        }
        Ok(Some(Checked {
            configuration: shown,
            namespace: namespace.key,
            wanted,
        }))
    }

    fn read_service(
        service: &mut Value,
        definition: &Value,
        service_arn: &str,
        namespace: &str,
    ) -> Result<Wanted, AwsError> {
        let port_name = service["portName"].as_str().unwrap_or_default().to_owned();
        let ports = definition["containerDefinitions"]
            .as_array()
            .into_iter()
            .flatten();
        let ports = ports.flat_map(|one| one["portMappings"].as_array().into_iter().flatten());
        let port = ports
            .into_iter()
            .find(|port| port["name"] == json!(port_name));
        let Some(port) = port else {
            return Err(refuse(format!(
                "The Service Connect port name {port_name} was not found in the named port mappings \
                 of the task definition."
            )));
        };
        let discovery_name = service["discoveryName"]
            .as_str()
            .unwrap_or(&port_name)
            .to_owned();
        let well_formed = (1..=64).contains(&discovery_name.len())
            && discovery_name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c));
        if !well_formed {
            return Err(refuse(format!("Invalid discoveryName {discovery_name}.")));
        }
        let protocol = port["appProtocol"].as_str().map(str::to_uppercase);
        let is_tcp = protocol.is_none();
        if is_tcp && !service["timeout"]["perRequestTimeoutSeconds"].is_null() {
            return Err(refuse(
                "perRequestTimeoutSeconds is not supported for TCP services.".to_owned(),
            ));
        }
        let aliases = service["clientAliases"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if aliases.len() > 1 {
            return Err(refuse(
                "A Service Connect service can have one client alias.".to_owned(),
            ));
        }
        let alias = aliases.first();
        let dns_name = alias
            .and_then(|alias| alias["dnsName"].as_str())
            .map_or_else(|| format!("{discovery_name}.{namespace}"), str::to_owned);
        let dns_fits = (1..=127).contains(&dns_name.len())
            && dns_name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c));
        let alias_port = alias.and_then(|alias| alias["port"].as_u64());
        if !dns_fits || alias_port.is_some_and(|port| !(1..=65535).contains(&port)) {
            return Err(refuse(format!("Invalid client alias {dns_name}.")));
        }
        service["discoveryName"] = json!(discovery_name);
        Ok(Wanted {
            discovery_name,
            dns_name,
            port: alias_port,
            stable: Stable {
                application_protocol: protocol.unwrap_or_else(|| "TCP".to_owned()),
                owner: service_arn.to_owned(),
            },
        })
    }

    fn check_name(&self, namespace: &str, one: &Wanted) -> Result<(), AwsError> {
        let key = (namespace.to_owned(), one.discovery_name.clone());
        if let Some(taken) = self.names.get(&key) {
            if taken.owner != one.stable.owner {
                return Err(refuse(format!(
                    "SC service is already used by {}: discoveryName {}.",
                    taken.owner, one.discovery_name
                )));
            }
            if *taken != one.stable {
                return Err(refuse(format!(
                    "The following config cannot be changed for a SC service. Previous config: {}, \
                     current config: {}",
                    taken.show(),
                    one.stable.show()
                )));
            }
        }
        let Some(port) = one.port else { return Ok(()) };
        let alias = (namespace.to_owned(), one.dns_name.clone(), port);
        match self
            .aliases
            .get(&alias)
            .filter(|owner| **owner != one.stable.owner)
        {
            Some(owner) => Err(refuse(format!(
                "Client alias {}:{port} is already used by {owner}.",
                one.dns_name
            ))),
            None => Ok(()),
        }
    }

    /// Takes what a checked configuration asks for; returns its (namespace, discovery name) pairs.
    pub(crate) fn take(&mut self, service_arn: &str, checked: &Checked) -> Vec<(String, String)> {
        // Aliases follow the newest configuration; names stay held until the service is gone.
        self.aliases.retain(|_, owner| owner != service_arn);
        let members = self.members.entry(checked.namespace.clone()).or_default();
        members.insert(service_arn.to_owned());
        let mut taken = Vec::new();
        for one in &checked.wanted {
            let key = (checked.namespace.clone(), one.discovery_name.clone());
            self.names.insert(key.clone(), one.stable.clone());
            if let Some(port) = one.port {
                let alias = (checked.namespace.clone(), one.dns_name.clone(), port);
                self.aliases.insert(alias, service_arn.to_owned());
            }
            taken.push(key);
        }
        taken
    }

    /// Of the names a service holds, those whose application protocol Service Connect can count requests of.
    pub(crate) fn with_protocol<'a>(&self, held: &'a [(String, String)]) -> Vec<&'a str> {
        let counted = |key: &&(String, String)| {
            let stable = self.names.get(*key);
            stable.is_some_and(|stable| stable.application_protocol != "TCP")
        };
        let held = held.iter().filter(counted);
        held.map(|(_, name)| name.as_str()).collect()
    }

    /// Gives up everything a service held.
    pub(crate) fn release(&mut self, service_arn: &str) {
        self.names.retain(|_, stable| stable.owner != service_arn);
        self.aliases.retain(|_, owner| owner != service_arn);
        for members in self.members.values_mut() {
            members.remove(service_arn);
        }
    }
}
