//! Judging an Environment: is what it names there, and is it what services need? Pure.

mod shared;

use crate::failure::Failure;
use crate::foundation::Outputs;
use crate::names;
use crate::problem::Problem;
use privateservice_api::conditions::Reason;
use privateservice_api::environment::{AssumeRole, Environment, EnvironmentStatus, Existing};

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
    /// Role by which AWS is asked: another one may see another account.
    pub role: Option<AssumeRole>,
}

/// Another Environment that claims the same place.
pub trait OtherEnvironments {
    /// The name of an older Environment (or one of the same age that comes first by name) with the same account, Region, VPC and
    /// namespace, if there is one.
    fn rival(&self, environment: &Environment) -> Option<String>;
}

/// The parts of a place: what exists, and what the stack made of the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// ARN of the ECS cluster.
    pub cluster_arn: String,
    /// ARN of the Cloud Map namespace.
    pub namespace_arn: String,
    /// Security group whose members may reach the services, if the stack made it.
    pub member_security_group_id: Option<String>,
    /// Security groups of every task.
    pub security_group_ids: Vec<String>,
    /// Role ECS works with.
    pub execution_role_arn: String,
    /// Default role of the code in tasks.
    pub task_role_arn: Option<String>,
    /// Log group.
    pub log_group_name: String,
    /// Queue of ECS events.
    pub event_queue_url: Option<String>,
}

impl Parts {
    /// Puts them together.
    ///
    /// # Errors
    /// `EnvironmentNotReady` if neither has one of them.
    pub fn of(existing: Option<&Existing>, made: &Outputs) -> Result<Self, Problem> {
        let existing = existing.cloned().unwrap_or_default();
        let one = |named: Option<String>, made: &Option<String>, what: &str| {
            named.or_else(|| made.clone()).ok_or_else(|| lacking(what))
        };
        let named_groups = existing.security_group_ids.unwrap_or_default();
        let security_group_ids = if named_groups.is_empty() {
            let internal = one(
                None,
                &made.internal_security_group_id,
                "internal security group",
            )?;
            let member = one(
                None,
                &made.member_security_group_id,
                "member security group",
            )?;
            vec![member, internal]
        } else {
            named_groups
        };
        Ok(Self {
            cluster_arn: one(existing.cluster_arn, &made.cluster_arn, "cluster")?,
            namespace_arn: one(existing.namespace_arn, &made.namespace_arn, "namespace")?,
            member_security_group_id: made.member_security_group_id.clone(),
            security_group_ids,
            execution_role_arn: one(
                existing.execution_role_arn,
                &made.execution_role_arn,
                "execution role",
            )?,
            task_role_arn: existing
                .task_role_arn
                .or_else(|| made.task_role_arn.clone()),
            log_group_name: one(existing.log_group_name, &made.log_group_name, "log group")?,
            event_queue_url: existing
                .event_queue_url
                .or_else(|| made.event_queue_url.clone()),
        })
    }

    /// What to ask AWS about them, by a role.
    pub fn query(&self, role: Option<AssumeRole>) -> EnvironmentQuery {
        EnvironmentQuery {
            role,
            cluster_arn: self.cluster_arn.clone(),
            namespace_arn: self.namespace_arn.clone(),
        }
    }
}

/// Whether the spec contradicts itself.
///
/// # Errors
/// `InvalidSpec` naming the contradiction.
pub fn check(environment: &Environment) -> Result<(), Problem> {
    let spec = &environment.spec;
    let existing = spec.existing.clone().unwrap_or_default();
    for (field, arn) in [
        ("clusterArn", &existing.cluster_arn),
        ("namespaceArn", &existing.namespace_arn),
    ] {
        if let Some(arn) = arn
            && names::region_of(arn) != Some(spec.region.as_str())
        {
            return Err(invalid(format!(
                "spec.existing.{field} is in Region {}, but spec.region is {}",
                names::region_of(arn).unwrap_or("?"),
                spec.region
            )));
        }
    }
    if let Some(role) = &spec.assume_role
        && let Some(account) = names::account_of(&role.role_arn)
        && let Some(other) = existing.cluster_arn.as_deref().and_then(names::account_of)
        && other != account
    {
        return Err(invalid(format!(
            "spec.existing.clusterArn is in account {other}, but spec.assumeRole.roleArn is a role of {account}"
        )));
    }
    if let Some(account) = &spec.account_id
        && let Some(other) = existing.cluster_arn.as_deref().and_then(names::account_of)
        && other != account
    {
        return Err(invalid(format!(
            "spec.existing.clusterArn is in account {other}, but spec.accountId is {account}"
        )));
    }
    shared::check(environment)
}

/// Whether this is the place to write to: the right account, and nobody else's.
///
/// # Errors
/// What keeps everybody from writing anything, in words that say what to do.
pub fn judge_place(
    environment: &Environment,
    account: &Result<String, Failure>,
    others: &dyn OtherEnvironments,
) -> Result<(), Unfit> {
    let spec = &environment.spec;
    let account = account.as_ref().map_err(from_failure)?;
    let cluster = spec
        .existing
        .as_ref()
        .and_then(|existing| existing.cluster_arn.as_deref());
    let known = environment
        .status
        .as_ref()
        .and_then(|status| status.account_id.as_deref());
    let wanted = spec
        .account_id
        .as_deref()
        .or_else(|| cluster.and_then(names::account_of))
        .or(known);
    if let Some(wanted) = wanted
        && wanted != account
    {
        return Err(Unfit::Known(Problem::new(
            Reason::CredentialsError,
            format!(
                "{} are of account {account}, but this Environment is in {wanted}: nothing is written until they agree",
                credentials(environment)
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
    Ok(())
}

/// Whose credentials are used, in words.
fn credentials(environment: &Environment) -> String {
    environment.spec.assume_role.as_ref().map_or_else(
        || "the operator's credentials".to_owned(),
        |role| format!("the credentials of {}", role.role_arn),
    )
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
    asked: &EnvironmentQuery,
    facts: &EnvironmentFacts,
    others: &dyn OtherEnvironments,
) -> Result<(), Unfit> {
    judge_place(environment, &facts.account, others)?;
    let spec = &environment.spec;
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
            "the Cloud Map namespace is named {}, but spec.namespace is {}",
            namespace.name, spec.namespace
        ))));
    }
    Ok(())
}

/// The status with what an Environment offers to services, once it is Ready.
pub fn offers(
    previous: &EnvironmentStatus,
    environment: &Environment,
    parts: Parts,
    account: &str,
) -> EnvironmentStatus {
    EnvironmentStatus {
        account_id: Some(account.to_owned()),
        region: Some(environment.spec.region.clone()),
        cluster_arn: Some(parts.cluster_arn),
        namespace_arn: Some(parts.namespace_arn),
        member_security_group_id: parts.member_security_group_id,
        security_group_ids: parts.security_group_ids,
        execution_role_arn: Some(parts.execution_role_arn),
        task_role_arn: parts.task_role_arn,
        log_group_name: Some(parts.log_group_name),
        event_queue_url: parts.event_queue_url,
        ..previous.clone()
    }
}

/// A stack of an operator that knew less, or one that somebody changed.
fn lacking(what: &str) -> Problem {
    Problem::new(
        Reason::EnvironmentNotReady,
        format!("neither spec.existing nor the stack has a {what}"),
    )
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
