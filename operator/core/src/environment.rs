//! Judging an Environment: is what it names there, and is it what services need? Pure.

use crate::failure::Failure;
use crate::names;
use crate::problem::Problem;
use privateservice_api::conditions::Reason;
use privateservice_api::environment::{Environment, EnvironmentStatus, Existing};

/// What AWS says about an Environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentFacts {
    /// The account of our credentials (`sts:GetCallerIdentity`).
    pub account: Result<String, Failure>,
    /// The ECS cluster; `None` if AWS has none of that ARN.
    pub cluster: Result<Option<ClusterFacts>, Failure>,
    /// The Cloud Map namespace; `None` if AWS has none of that id.
    pub namespace: Result<Option<NamespaceFacts>, Failure>,
}

/// An ECS cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterFacts {
    /// ARN.
    pub arn: String,
    /// True if its status is ACTIVE.
    pub active: bool,
    /// Capacity providers associated with it.
    pub capacity_providers: Vec<String>,
}

/// A Cloud Map namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceFacts {
    /// ARN.
    pub arn: String,
    /// Its DNS name.
    pub name: String,
    /// True for type DNS_PRIVATE.
    pub dns_private: bool,
}

/// What to look up in AWS for an Environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentQuery {
    /// ARN of the ECS cluster.
    pub cluster_arn: String,
    /// ARN of the Cloud Map namespace.
    pub namespace_arn: String,
}

/// Another Environment that claims the same place.
pub trait OtherEnvironments {
    /// The name of an older Environment (or one of the same age that comes first by name) with the same account, Region, VPC and
    /// namespace, if there is one.
    fn rival(&self, environment: &Environment) -> Option<String>;
}

/// What to ask AWS, once the spec itself is in order.
///
/// # Errors
/// `InvalidSpec` naming what is missing or contradicts itself.
pub fn query(environment: &Environment) -> Result<EnvironmentQuery, Problem> {
    let spec = &environment.spec;
    let existing = existing(environment)?;
    let cluster_arn = given(existing.cluster_arn.as_ref(), "clusterArn")?;
    let namespace_arn = given(existing.namespace_arn.as_ref(), "namespaceArn")?;
    given(existing.execution_role_arn.as_ref(), "executionRoleArn")?;
    given(existing.log_group_name.as_ref(), "logGroupName")?;
    if existing
        .security_group_ids
        .as_ref()
        .is_none_or(Vec::is_empty)
    {
        return Err(missing("securityGroupIds"));
    }
    for (field, arn) in [
        ("clusterArn", &cluster_arn),
        ("namespaceArn", &namespace_arn),
    ] {
        if names::region_of(arn) != Some(spec.region.as_str()) {
            return Err(invalid(format!(
                "spec.existing.{field} is in Region {}, but spec.region is {}",
                names::region_of(arn).unwrap_or("?"),
                spec.region
            )));
        }
    }
    if let Some(account) = &spec.account_id
        && let Some(other) = names::account_of(&cluster_arn)
        && other != account
    {
        return Err(invalid(format!(
            "spec.existing.clusterArn is in account {other}, but spec.accountId is {account}"
        )));
    }
    Ok(EnvironmentQuery {
        cluster_arn,
        namespace_arn,
    })
}

/// Why an Environment is not known to be fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// AWS, or the spec, says so.
    Known(Problem),
    /// AWS did not say: no answer, no permission, no valid credentials. What was known before still holds for a while.
    Unanswered(Problem),
}

impl Unfit {
    /// The words for it.
    pub const fn problem(&self) -> &Problem {
        match self {
            Self::Known(problem) | Self::Unanswered(problem) => problem,
        }
    }
}

impl From<Problem> for Unfit {
    fn from(problem: Problem) -> Self {
        Self::Known(problem)
    }
}

/// Judges what AWS said. `Ok` is Ready.
///
/// # Errors
/// The first thing that keeps services from running here, in words that say what to do.
pub fn judge(
    environment: &Environment,
    facts: &EnvironmentFacts,
    others: &dyn OtherEnvironments,
) -> Result<(), Unfit> {
    let spec = &environment.spec;
    let asked = query(environment)?;
    let account = facts.account.as_ref().map_err(from_failure)?;
    let wanted = spec
        .account_id
        .as_deref()
        .or_else(|| names::account_of(&asked.cluster_arn));
    if let Some(wanted) = wanted
        && wanted != account
    {
        return Err(Unfit::Known(Problem::new(
            Reason::CredentialsError,
            format!(
                "the operator's credentials are of account {account}, but this Environment is in {wanted}: nothing is written until they agree"
            ),
        )));
    }
    if let Some(rival) = others.rival(environment) {
        return Err(Unfit::Known(Problem::new(
            Reason::NameConflict,
            format!(
                "Environment {rival} already has the same account, Region, VPC and namespace: delete one of the two, or give this one another namespace"
            ),
        )));
    }
    let cluster = facts.cluster.as_ref().map_err(from_failure)?;
    let cluster = cluster
        .as_ref()
        .filter(|cluster| cluster.active)
        .ok_or_else(|| {
            invalid(format!(
                "there is no ACTIVE ECS cluster {}: create it",
                asked.cluster_arn
            ))
        })?;
    let lacking: Vec<&str> = ["FARGATE", "FARGATE_SPOT"]
        .into_iter()
        .filter(|name| !cluster.capacity_providers.iter().any(|have| have == name))
        .collect();
    if !lacking.is_empty() {
        return Err(Unfit::Known(Problem::new(
            Reason::CapacityUnavailable,
            format!(
                "the cluster lacks the capacity provider {}: associate it (aws ecs put-cluster-capacity-providers)",
                lacking.join(" and ")
            ),
        )));
    }
    let namespace = facts.namespace.as_ref().map_err(from_failure)?;
    let namespace = namespace.as_ref().ok_or_else(|| {
        invalid(format!(
            "there is no Cloud Map namespace {}",
            asked.namespace_arn
        ))
    })?;
    if !namespace.dns_private {
        return Err(Unfit::Known(invalid(format!(
            "the Cloud Map namespace {} is not a private DNS namespace: its names would not resolve in the VPC",
            namespace.name
        ))));
    }
    if namespace.name != spec.namespace {
        return Err(Unfit::Known(invalid(format!(
            "spec.existing.namespaceArn is named {}, but spec.namespace is {}",
            namespace.name, spec.namespace
        ))));
    }
    Ok(())
}

/// The status fields an Environment offers to services, once it is Ready.
pub fn offers(environment: &Environment, account: &str, services: i32) -> EnvironmentStatus {
    let existing = environment.spec.existing.clone().unwrap_or_default();
    EnvironmentStatus {
        account_id: Some(account.to_owned()),
        region: Some(environment.spec.region.clone()),
        cluster_arn: existing.cluster_arn,
        namespace_arn: existing.namespace_arn,
        security_group_ids: existing.security_group_ids.unwrap_or_default(),
        execution_role_arn: existing.execution_role_arn,
        task_role_arn: existing.task_role_arn,
        log_group_name: existing.log_group_name,
        services: Some(services),
        ..EnvironmentStatus::default()
    }
}

fn existing(environment: &Environment) -> Result<&Existing, Problem> {
    environment.spec.existing.as_ref().ok_or_else(|| {
        invalid(
            "spec.existing is required: name the clusterArn, namespaceArn, securityGroupIds, executionRoleArn and logGroupName to use"
                .to_owned(),
        )
    })
}

fn given(value: Option<&String>, field: &str) -> Result<String, Problem> {
    value.cloned().ok_or_else(|| missing(field))
}

fn missing(field: &str) -> Problem {
    invalid(format!(
        "spec.existing.{field} is required: this version of the operator creates no foundation of its own"
    ))
}

fn invalid(message: String) -> Problem {
    Problem::new(Reason::InvalidSpec, message)
}

fn from_failure(failure: &Failure) -> Unfit {
    let problem = Problem::new(failure.reason(), failure.to_string());
    match failure {
        Failure::Refused { .. } => Unfit::Known(problem),
        _ => Unfit::Unanswered(problem),
    }
}
