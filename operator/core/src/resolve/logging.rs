//! Where output goes: the log driver of the user's container and, for all but CloudWatch Logs, a FireLens container beside it. Pure.
//!
//! Invariant: no secret value is here, only what names one.

use super::Notice;
use super::secrets::{self, Named};
use super::variables::Neighbours;
use super::variables::object::{self, Kind};
use crate::console;
use crate::defaults;
use crate::names;
use crate::owner::Owner;
use crate::place::Place;
use crate::problem::Problem;
use crate::stored_secret::{SecretValues, Target};
use crate::task_definition::{LogDriver, LogRouter};
use crate::watched_secret::Watched;
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
    /// What is to be stored where ECS reads it.
    pub(super) stored: SecretValues,
    /// What comes from secrets of others.
    pub(super) watched: Watched,
    /// What the user should know about them.
    pub(super) notices: Vec<Notice>,
}

impl Output {
    /// Takes a secret to where it goes: by its name, or by storing it.
    fn take(&mut self, target: Target, from: From) {
        let named = match from {
            From::Stored(value) => return self.stored.set(target, value),
            From::Named(named) => named,
        };
        let from = named.value_from();
        match &target {
            Target::RouterVariable(name) => {
                if let Some(router) = &mut self.router {
                    router.secrets.insert(name.clone(), from);
                }
            }
            Target::LogOption(name) | Target::Variable(name) => {
                self.secret_options.insert(name.clone(), from);
            }
        }
        named.watch(target, &mut self.watched);
        self.notices.extend(named.notice);
    }
}

/// Where the value of a secret comes from.
enum From {
    /// Somebody else keeps it.
    Named(Box<Named>),
    /// The value, which is to be stored.
    Stored(String),
}

/// What the fields of a service refer to.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) place: &'a Place,
    pub(super) owner: &'a Owner,
    pub(super) neighbours: &'a dyn Neighbours,
}

/// The output of a service.
///
/// # Errors
/// `NamespaceNotAllowed` for a secret that is not granted.
pub(super) fn output(
    logging: Option<&Logging>,
    around: Surroundings<'_>,
) -> Result<Output, Problem> {
    let Surroundings { place, owner, .. } = around;
    let logging = logging.cloned().unwrap_or_default();
    if let Some(datadog) = &logging.datadog {
        return datadog_output(datadog, around);
    }
    if let Some(axiom) = &logging.axiom {
        return axiom_output(axiom, around);
    }
    if let Some(fluent_bit) = &logging.fluent_bit {
        return fluent_bit_output(fluent_bit, around);
    }
    Ok(Output {
        driver: LogDriver::Awslogs,
        options: awslogs(place, &owner.name),
        secret_options: BTreeMap::new(),
        router: None,
        shown: shown("CloudWatch", place, &owner.name),
        stored: SecretValues::default(),
        watched: Watched::default(),
        notices: vec![],
    })
}

/// Datadog's documentation, Amazon ECS on AWS Fargate, Log collection with Fluent Bit and FireLens.
fn datadog_output(datadog: &DatadogLogging, around: Surroundings<'_>) -> Result<Output, Problem> {
    let Surroundings { place, owner, .. } = around;
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
    let mut output = routed("Datadog", &options, place, owner);
    let key = secret("logging.datadog.apiKey", &datadog.api_key, around)?;
    output.take(Target::LogOption("apikey".to_owned()), key);
    Ok(output)
}

/// Axiom's documentation, Send data from AWS FireLens. The token is part of a header, and a secret option is a value as a whole; so it is a
/// variable of the log router, which Fluent Bit puts in (Fluent Bit manual, Variables).
fn axiom_output(axiom: &AxiomLogging, around: Surroundings<'_>) -> Result<Output, Problem> {
    let Surroundings { place, owner, .. } = around;
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
    let mut output = routed("Axiom", &options, place, owner);
    let token = secret("logging.axiom.token", &axiom.token, around)?;
    output.take(Target::RouterVariable(AXIOM_TOKEN.to_owned()), token);
    Ok(output)
}

fn fluent_bit_output(
    fluent_bit: &FluentBitLogging,
    around: Surroundings<'_>,
) -> Result<Output, Problem> {
    let Surroundings { place, owner, .. } = around;
    let options: Vec<(&str, &str)> = fluent_bit
        .options
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut output = routed("FluentBit", &options, place, owner);
    for (name, source) in &fluent_bit.secret_options {
        let from = secret("logging.fluentBit.secretOptions", source, around)?;
        output.take(Target::LogOption(name.clone()), from);
    }
    Ok(output)
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
        stored: SecretValues::default(),
        watched: Watched::default(),
        notices: vec![],
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

/// Where the secret of a field comes from.
fn secret(field: &str, source: &SecretSource, around: Surroundings<'_>) -> Result<From, Problem> {
    let Surroundings {
        place,
        owner,
        neighbours,
    } = around;
    match (&source.aws_secret_ref, &source.secret_key_ref) {
        (Some(secret), None) => {
            secrets::named(field, secret, place, &owner.namespace, neighbours).map(From::Named)
        }
        (None, Some(one)) => {
            object::key(field, Kind::Secret, &one.name, &one.key, neighbours).map(From::Stored)
        }
        _ => Err(Problem::new(
            Reason::InvalidSpec,
            format!(
                "{field} takes exactly one source: write awsSecretRef: {{id: logging/vendor}} or secretKeyRef: {{name: logs, key: token}}"
            ),
        )),
    }
}

#[cfg(test)]
mod tests;
