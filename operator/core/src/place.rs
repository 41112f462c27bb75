//! The place a service runs in: what an Environment that is Ready offers, complete.

use crate::names;
use crate::problem::Problem;
use crate::wave::Pace;
use privateservice_api::conditions::{ConditionType, Reason};
use privateservice_api::environment::{
    AssumeRole, Environment, EnvironmentType, Grant, SharedVariable,
};
use privateservice_api::privateservice::{AwsSecretRef, SsmParameterRef};
use std::collections::{BTreeMap, BTreeSet};

/// What a shared variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SharedValue {
    /// This.
    Plain(String),
    /// What is in a secret.
    Secret(AwsSecretRef),
    /// What is in a parameter.
    Parameter(SsmParameterRef),
}

impl SharedValue {
    /// What an entry of the Environment's `env` says; `None` unless that is one thing.
    pub fn of(entry: &SharedVariable) -> Option<Self> {
        let SharedVariable {
            name: _,
            value,
            value_from,
        } = entry;
        match (value, value_from) {
            (Some(value), None) => Some(Self::Plain(value.clone())),
            (None, Some(from)) => match (&from.aws_secret_ref, &from.ssm_parameter_ref) {
                (Some(secret), None) => Some(Self::Secret(secret.clone())),
                (None, Some(parameter)) => Some(Self::Parameter(parameter.clone())),
                _ => None,
            },
            _ => None,
        }
    }
}

impl From<&str> for SharedValue {
    fn from(value: &str) -> Self {
        Self::Plain(value.to_owned())
    }
}

/// An Environment as services see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the Environment.
    pub environment: String,
    /// Decides what `spot: Flex` means.
    pub kind: EnvironmentType,
    /// AWS Region.
    pub region: String,
    /// Role that is assumed for all calls.
    pub role: Option<AssumeRole>,
    /// ARN of the ECS cluster.
    pub cluster_arn: String,
    /// Cloud Map namespace: its DNS name.
    pub namespace: String,
    /// Cloud Map namespace: ARN.
    pub namespace_arn: String,
    /// Subnets of tasks.
    pub subnets: BTreeSet<String>,
    /// Security groups of tasks.
    pub security_groups: BTreeSet<String>,
    /// Whether tasks get a public address.
    pub assign_public_ip: bool,
    /// Role with which ECS pulls images and writes logs.
    pub execution_role_arn: String,
    /// Default role of the code in tasks.
    pub task_role_arn: Option<String>,
    /// Log group.
    pub log_group: String,
    /// Shared variables.
    pub env: BTreeMap<String, SharedValue>,
    /// Shared tags.
    pub tags: BTreeMap<String, String>,
    /// What namespaces may name beyond all this.
    pub grants: Vec<Grant>,
    /// `metadata.generation` of the Environment: which edit of it this is.
    pub generation: i64,
    /// How fast an edit of it reaches services.
    pub pace: Pace,
}

impl Place {
    /// The place an Environment offers.
    ///
    /// # Errors
    /// `EnvironmentNotReady` with the Environment's own words, if its status says that it is not, or not yet anything about its present
    /// spec.
    pub fn of(environment: &Environment) -> Result<Self, Problem> {
        let name = environment.metadata.name.clone().unwrap_or_default();
        let not_ready = |why: &str| {
            Problem::new(
                Reason::EnvironmentNotReady,
                format!("Environment {name} is not ready: {why}"),
            )
        };
        let status = environment
            .status
            .as_ref()
            .ok_or_else(|| not_ready("it has not been looked at yet"))?;
        let ready = status
            .conditions
            .iter()
            .find(|condition| condition.type_ == ConditionType::Ready.as_str())
            .ok_or_else(|| not_ready("it has not been looked at yet"))?;
        // Unknown means that AWS is silent: what was Ready goes on being a place. RolledBack means that a change of the stack failed and
        // everything is as it was.
        if ready.status == "False" && ready.reason != Reason::RolledBack.as_str() {
            return Err(not_ready(&ready.message));
        }
        if is_pending(environment) {
            return Err(not_ready("its newest change has not been looked at yet"));
        }
        // The account of a role is part of its name: one of another account is never used, whatever was looked at when.
        let role = environment.spec.assume_role.as_ref();
        let elsewhere = role
            .and_then(|role| names::account_of(&role.role_arn))
            .zip(status.account_id.as_deref())
            .is_some_and(|(role, known)| role != known);
        if elsewhere {
            return Err(not_ready("its role is of another account"));
        }
        let incomplete = || not_ready("its status is incomplete");
        let spec = &environment.spec;
        let shared = spec.env.iter().map(|entry| {
            let value = SharedValue::of(entry)
                .ok_or_else(|| not_ready("an entry of its env has not exactly one source"))?;
            Ok((entry.name.clone(), value))
        });
        Ok(Self {
            environment: name.clone(),
            kind: spec.kind,
            region: spec.region.clone(),
            role: spec.assume_role.clone(),
            cluster_arn: status.cluster_arn.clone().ok_or_else(incomplete)?,
            namespace: spec.namespace.clone(),
            namespace_arn: status.namespace_arn.clone().ok_or_else(incomplete)?,
            subnets: spec.network.subnet_ids.iter().cloned().collect(),
            security_groups: status.security_group_ids.iter().cloned().collect(),
            assign_public_ip: spec.network.assign_public_ip.unwrap_or(false),
            execution_role_arn: status.execution_role_arn.clone().ok_or_else(incomplete)?,
            task_role_arn: status.task_role_arn.clone(),
            log_group: status.log_group_name.clone().ok_or_else(incomplete)?,
            env: shared.collect::<Result<_, Problem>>()?,
            tags: spec.tags.clone(),
            grants: spec.grants.clone(),
            generation: environment.metadata.generation.unwrap_or_default(),
            pace: Pace::of(spec.rollout.as_ref()),
        })
    }

    /// Cloud Map namespace id, `ns-...`.
    pub fn namespace_id(&self) -> &str {
        names::last_segment(&self.namespace_arn)
    }
}

/// True while the newest change of an Environment has not been looked at. That takes a moment; whoever ran there goes on.
pub fn is_pending(environment: &Environment) -> bool {
    environment
        .status
        .as_ref()
        .is_none_or(|status| status.observed_generation != environment.metadata.generation)
}
