//! How ECS is told about a secret: by name only. Pure.
//!
//! Invariant: what is not granted to the Kubernetes namespace is never rendered.

use super::{Neighbours, Notice};
use crate::grants::{self, SecretArn};
use crate::names;
use crate::place::Place;
use crate::problem::Problem;
use crate::stored_secret::Target;
use crate::watched_secret::{Absence, AwsSecret, Watched, WatchedUse, value_from};
use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::{AwsSecretRef, SsmParameterRef};

/// A secret that somebody else keeps, as a field names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    id: String,
    arn: String,
    key: Option<String>,
    version: Option<String>,
    /// What is known of it, if that matters.
    known: Option<AwsSecret>,
    /// What the user should know about it.
    pub(super) notice: Option<Notice>,
}

impl Named {
    /// The `valueFrom`, without a version unless the field names one.
    pub(super) fn value_from(&self) -> String {
        value_from(&self.arn, self.key.as_deref(), self.version.as_deref())
    }

    /// Takes note of the secret, and that its value goes there.
    pub(super) fn watch(&self, target: Target, watched: &mut Watched) {
        if let Some(known) = &self.known {
            watched.secrets.insert(self.id.clone(), known.clone());
        }
        if self.known.is_some() && self.version.is_none() {
            let one = WatchedUse {
                id: self.id.clone(),
                arn: self.arn.clone(),
                key: self.key.clone(),
            };
            watched.uses.insert(target, one);
        }
    }
}

/// A secret that a service names.
///
/// # Errors
/// `NamespaceNotAllowed` for one that is not granted; `SecretNotFound` for one that is not there; `AccessDenied` for a name that cannot be
/// looked up.
pub(super) fn named(
    field: &str,
    secret: &AwsSecretRef,
    place: &Place,
    namespace: &str,
    neighbours: &dyn Neighbours,
) -> Result<Box<Named>, Problem> {
    let granted = |arn: SecretArn<'_>| grants::secret(field, arn, place, namespace);
    // Nobody learns of a secret that is not granted whether it is there.
    if names::is_arn(&secret.id) {
        granted(SecretArn::Whole(&secret.id))?;
        return look_up(field, secret, place, neighbours);
    }
    let partial = names::partial_secret_arn(&place.cluster_arn, &place.region, &secret.id);
    granted(SecretArn::Partial(&partial))?;
    let named = look_up(field, secret, place, neighbours)?;
    if named.arn != partial {
        granted(SecretArn::Whole(&named.arn))?;
    }
    Ok(named)
}

/// A secret that an Environment shares with all its services: it needs no grant. Those that are one namespace's are refused where the
/// Environment is looked at.
///
/// # Errors
/// As [`named`], but for grants.
pub(super) fn shared(
    field: &str,
    secret: &AwsSecretRef,
    place: &Place,
    neighbours: &dyn Neighbours,
) -> Result<Box<Named>, Problem> {
    look_up(field, secret, place, neighbours)
}

/// A secret with what is known of it. Where nothing is yet, it has as much of an ARN as its name tells.
fn look_up(
    field: &str,
    secret: &AwsSecretRef,
    place: &Place,
    neighbours: &dyn Neighbours,
) -> Result<Box<Named>, Problem> {
    let AwsSecretRef {
        id,
        key,
        version_id,
    } = secret;
    let by_arn = names::is_arn(id);
    let mut named = Box::new(Named {
        id: id.clone(),
        arn: if by_arn {
            id.clone()
        } else {
            names::partial_secret_arn(&place.cluster_arn, &place.region, id)
        },
        key: key.clone(),
        version: version_id.clone(),
        known: None,
        notice: None,
    });
    if by_arn && version_id.is_some() {
        return Ok(named);
    }
    let known = match by_arn.then(|| names::region_of(id)).flatten() {
        Some(region) if region != place.region => AwsSecret::Unreadable {
            why: format!(
                "it is in Region {region}, and only secrets of {} are looked at",
                place.region
            ),
        },
        Some(_) | None => neighbours.aws_secret(id),
    };
    // AWS does not always tell a secret of another account that is not there from one that may not be seen.
    let elsewhere = by_arn && names::account_of(id) != names::account_of(&place.cluster_arn);
    let known = match known {
        AwsSecret::Missing(Absence::NoSuchSecret) if elsewhere => AwsSecret::Unreadable {
            why: "Secrets Manager shows no such secret of that account: its policy must allow the operator secretsmanager:DescribeSecret".to_owned(),
        },
        known => known,
    };
    match &known {
        AwsSecret::Unread { .. } | AwsSecret::Current { .. } => {
            if let Some(arn) = known.arn()
                && !by_arn
            {
                arn.clone_into(&mut named.arn);
            }
        }
        AwsSecret::Missing(why) => {
            return Err(Problem::new(
                Reason::SecretNotFound,
                format!("{field}: the secret {id} {why}"),
            ));
        }
        AwsSecret::Unreadable { why } if !by_arn => {
            return Err(Problem::new(
                Reason::AccessDenied,
                format!(
                    "{field}: the secret {id} cannot be looked up by its name: {why}; or write its whole ARN as id"
                ),
            ));
        }
        AwsSecret::Unreadable { why } => {
            named.notice = Some(Notice {
                reason: "SecretNotWatched",
                message: format!(
                    "{field}: it is not seen when {id} changes, and each task takes the version that is current when it starts: {why}"
                ),
            });
        }
    }
    named.known = Some(known);
    Ok(named)
}

/// The `valueFrom` of a parameter: its ARN in the Environment's account and Region (ECS developer guide, Pass Systems Manager parameters
/// through Amazon ECS environment variables).
///
/// # Errors
/// `NamespaceNotAllowed` for a parameter that is not granted.
pub(super) fn value_from_parameter(
    field: &str,
    parameter: &SsmParameterRef,
    place: &Place,
    namespace: &str,
) -> Result<String, Problem> {
    grants::parameter(field, &parameter.name, place, namespace)?;
    Ok(shared_parameter(parameter, place))
}

/// The same for one that an Environment shares with all its services.
pub(super) fn shared_parameter(parameter: &SsmParameterRef, place: &Place) -> String {
    names::parameter_arn(
        &place.cluster_arn,
        &place.region,
        grants::parameter_path(&parameter.name),
    )
}
