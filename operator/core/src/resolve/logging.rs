//! Where output goes: the log driver of the user's container and, for all but CloudWatch Logs, a FireLens container beside it. Pure.
//!
//! Invariant: no secret value is here, only what names one.

use super::secrets;
use crate::console;
use crate::defaults;
use crate::names;
use crate::owner::Owner;
use crate::place::Place;
use crate::problem::Problem;
use crate::task_definition::{LogDriver, LogRouter};
use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::{
    AxiomLogging, DatadogLogging, FluentBitLogging, Logging, Logs, SecretSource,
};
use std::collections::BTreeMap;

/// Environment variable of the log router that holds Axiom's token.
const AXIOM_TOKEN: &str = "AXIOM_TOKEN";

/// What becomes of the output.
pub(super) struct Output {
    pub(super) driver: LogDriver,
    pub(super) options: BTreeMap<String, String>,
    pub(super) secret_options: BTreeMap<String, String>,
    pub(super) router: Option<LogRouter>,
    pub(super) shown: Logs,
}

/// The output of a service.
///
/// # Errors
/// `NamespaceNotAllowed` for a secret that is not granted.
pub(super) fn output(
    logging: Option<&Logging>,
    place: &Place,
    owner: &Owner,
) -> Result<Output, Problem> {
    let logging = logging.cloned().unwrap_or_default();
    if let Some(datadog) = &logging.datadog {
        return datadog_output(datadog, place, owner);
    }
    if let Some(axiom) = &logging.axiom {
        return axiom_output(axiom, place, owner);
    }
    if let Some(fluent_bit) = &logging.fluent_bit {
        return fluent_bit_output(fluent_bit, place, owner);
    }
    Ok(Output {
        driver: LogDriver::Awslogs,
        options: awslogs(place, &owner.name),
        secret_options: BTreeMap::new(),
        router: None,
        shown: shown("CloudWatch", place, &owner.name),
    })
}

/// Datadog's documentation, Amazon ECS on AWS Fargate, Log collection with Fluent Bit and FireLens.
fn datadog_output(
    datadog: &DatadogLogging,
    place: &Place,
    owner: &Owner,
) -> Result<Output, Problem> {
    let site = datadog.site.as_deref().unwrap_or(defaults::DATADOG_SITE);
    let source = datadog.source.as_deref().unwrap_or(&owner.name);
    let mut tags = vec![format!("env:{}", place.environment)];
    tags.extend(datadog.tags.iter().cloned());
    let options = [
        ("Name", "datadog"),
        ("Host", &format!("http-intake.logs.{site}")),
        ("TLS", "on"),
        ("provider", "ecs"),
        ("dd_service", &owner.name),
        ("dd_source", source),
        ("dd_tags", &tags.join(",")),
    ];
    let field = "logging.datadog.apiKey";
    let key = value_from(field, &datadog.api_key, place, owner)?;
    Ok(Output {
        secret_options: BTreeMap::from([("apikey".to_owned(), key)]),
        ..routed("Datadog", &options, place, owner)
    })
}

/// Axiom's documentation, Send data from AWS FireLens. The token is part of a header, and a secret option is a value as a whole; so it is a
/// variable of the log router, which Fluent Bit puts in (Fluent Bit manual, Variables).
fn axiom_output(axiom: &AxiomLogging, place: &Place, owner: &Owner) -> Result<Output, Problem> {
    let domain = axiom.domain.as_deref().unwrap_or(defaults::AXIOM_DOMAIN);
    // Edge deployments take data under another path than Axiom's own API (Axiom's documentation, Ingest data).
    let path = if domain.starts_with("api.") {
        format!("/v1/datasets/{}/ingest", axiom.dataset)
    } else {
        format!("/v1/ingest/{}", axiom.dataset)
    };
    let options = [
        ("Name", "http"),
        ("Host", domain),
        ("Port", "443"),
        ("URI", &path),
        ("Format", "json"),
        ("tls", "On"),
        ("json_date_key", "_time"),
        ("json_date_format", "iso8601"),
        (
            "Header",
            &format!("Authorization Bearer ${{{AXIOM_TOKEN}}}"),
        ),
    ];
    let token = value_from("logging.axiom.token", &axiom.token, place, owner)?;
    let mut output = routed("Axiom", &options, place, owner);
    if let Some(router) = &mut output.router {
        router.secrets.insert(AXIOM_TOKEN.to_owned(), token);
    }
    Ok(output)
}

fn fluent_bit_output(
    fluent_bit: &FluentBitLogging,
    place: &Place,
    owner: &Owner,
) -> Result<Output, Problem> {
    let options: Vec<(&str, &str)> = fluent_bit
        .options
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let secret_options = fluent_bit
        .secret_options
        .iter()
        .map(|(name, source)| {
            let value = value_from("logging.fluentBit.secretOptions", source, place, owner)?;
            Ok((name.clone(), value))
        })
        .collect::<Result<_, Problem>>()?;
    Ok(Output {
        secret_options,
        ..routed("FluentBit", &options, place, owner)
    })
}

/// Output through a log router.
fn routed(destination: &str, options: &[(&str, &str)], place: &Place, owner: &Owner) -> Output {
    Output {
        driver: LogDriver::Awsfirelens,
        options: owned(options),
        secret_options: BTreeMap::new(),
        router: Some(LogRouter {
            name: names::LOG_ROUTER.into(),
            image: defaults::LOG_ROUTER_IMAGE.into(),
            memory_reservation: defaults::LOG_ROUTER_MEMORY_MIB,
            secrets: BTreeMap::new(),
            log_options: awslogs(place, &owner.name),
        }),
        shown: shown(destination, place, &owner.name),
    }
}

/// awslogs options: one group per Environment, the service as stream prefix, non-blocking so that a slow log never stops a task.
fn awslogs(place: &Place, service: &str) -> BTreeMap<String, String> {
    owned(&[
        ("awslogs-group", &place.log_group),
        ("awslogs-region", &place.region),
        ("awslogs-stream-prefix", service),
        ("mode", "non-blocking"),
        ("max-buffer-size", defaults::LOG_BUFFER),
    ])
}

fn owned(options: &[(&str, &str)]) -> BTreeMap<String, String> {
    options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn shown(destination: &str, place: &Place, service: &str) -> Logs {
    Logs {
        destination: destination.to_owned(),
        group: Some(place.log_group.clone()),
        url: Some(console::log_streams(
            names::partition_of(&place.cluster_arn),
            &place.region,
            &place.log_group,
            &format!("{service}/"),
        )),
    }
}

/// The `valueFrom` of the secret that a field names.
fn value_from(
    field: &str,
    source: &SecretSource,
    place: &Place,
    owner: &Owner,
) -> Result<String, Problem> {
    let secret = source.aws_secret_ref.as_ref().ok_or_else(|| {
        Problem::new(
            Reason::InvalidSpec,
            format!(
                "{field} needs a source: write awsSecretRef: {{id: \"arn:aws:secretsmanager:...\"}}"
            ),
        )
    })?;
    secrets::value_from(field, secret, place, &owner.namespace)
}

#[cfg(test)]
mod tests;
