//! What ECS has to know of Cloud Map to judge a request. In: answers gathered before the request is
//! judged. Out: namespaces and registries that exist. No IO itself.

use std::collections::HashMap;

use serde_json::Value;

use crate::errors::AwsError;

/// A namespace as Service Connect needs it.
#[derive(Debug, Clone)]
pub(crate) struct Namespace {
    /// What identifies it: its id where known.
    pub(crate) key: String,
    /// Its name, for default aliases.
    pub(crate) name: String,
}

/// Answers of Cloud Map, by the reference used in the request. Without a Cloud Map behind the
/// simulator everything is taken to exist.
#[derive(Debug, Default)]
pub(crate) struct UpstreamFacts {
    pub(crate) is_connected: bool,
    pub(crate) namespaces: HashMap<String, Value>,
    pub(crate) registries: HashMap<String, Value>,
    /// What EC2 says against the subnets.
    pub(crate) subnet_problem: Option<String>,
}

impl UpstreamFacts {
    pub(crate) fn namespace(&self, reference: &str) -> Result<Namespace, AwsError> {
        let id = reference.rsplit('/').next().unwrap_or(reference).to_owned();
        match self.namespaces.get(reference) {
            Some(found) => Ok(Namespace {
                key: found["Id"].as_str().unwrap_or(&id).to_owned(),
                name: found["Name"].as_str().unwrap_or(&id).to_owned(),
            }),
            None if self.is_connected => Err(AwsError::new(
                "NamespaceNotFoundException",
                format!("The specified namespace was not found: {reference}"),
            )),
            None => Ok(Namespace {
                key: id.clone(),
                name: id,
            }),
        }
    }

    pub(crate) fn check_subnets(&self) -> Result<(), AwsError> {
        self.subnet_problem.as_ref().map_or(Ok(()), |said| {
            Err(AwsError::invalid(format!(
                "Error retrieving subnet information: {said} (ErrorCode: InvalidSubnetID.NotFound)"
            )))
        })
    }

    /// Checks `serviceRegistries`: one at most, existing, made for custom health checks; A records
    /// take no port (ECS API reference, ServiceRegistry; Cloud Map API reference, CreateService).
    pub(crate) fn check_registries(&self, registries: &Value) -> Result<(), AwsError> {
        let registries = registries.as_array().map_or(&[][..], Vec::as_slice);
        if registries.len() > 1 {
            return Err(AwsError::invalid(
                "service registries can have at most 1 items.",
            ));
        }
        let Some(registry) = registries.first().filter(|_| self.is_connected) else {
            return Ok(());
        };
        let arn = registry["registryArn"].as_str().unwrap_or_default();
        let Some(found) = self.registries.get(arn) else {
            return Err(AwsError::invalid(format!(
                "Unable to find the service registry {arn}."
            )));
        };
        if !found["HealthCheckCustomConfig"].is_object() {
            return Err(AwsError::invalid(format!(
                "The service registry {arn} must be created with HealthCheckCustomConfig."
            )));
        }
        let records = found["DnsConfig"]["DnsRecords"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let only_addresses = !records.iter().any(|record| record["Type"] == "SRV");
        let names_port = ["port", "containerPort", "containerName"]
            .iter()
            .any(|member| !registry[*member].is_null());
        if only_addresses && names_port {
            return Err(AwsError::invalid(
                "A service registry with A records must not have a port or container name.",
            ));
        }
        Ok(())
    }
}
