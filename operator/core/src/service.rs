//! The members of an ECS service that the operator sets: the closed list on which drift is found.
//!
//! The same types carry what we want ([`crate::desired::Desired`]) and what AWS has ([`crate::observed::Service`]), normalised, so
//! that comparing them is `==` and hashing them gives comparable hashes.

use crate::hash::Hash;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A member of the closed list.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    strum::IntoStaticStr,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
)]
#[strum(serialize_all = "camelCase")]
#[serde(rename_all = "camelCase")]
pub enum Member {
    /// Which task definition content runs.
    TaskDefinition,
    /// Subnets, security groups, public IP.
    Network,
    /// Service Connect.
    Connect,
    /// Capacity provider strategy.
    Capacity,
    /// Cloud Map service registries.
    Registries,
    /// Deployment configuration; changing it starts no deployment.
    Deployment,
    /// ECS Exec; the init process that it needs is part of the task definition, which replaces the tasks.
    Exec,
}

impl Member {
    /// True if a change of this member replaces tasks (AWS: UpdateService, which parameters start a deployment).
    pub const fn rolls(self) -> bool {
        match self {
            Self::TaskDefinition
            | Self::Network
            | Self::Connect
            | Self::Capacity
            | Self::Registries => true,
            Self::Deployment | Self::Exec => false,
        }
    }
}

/// Hash of each member: what was last applied, kept in status.
pub type MemberHashes = BTreeMap<Member, Hash>;

/// Identity of a rollout: everything that replaces tasks when it changes, and the redeploy that was asked for last.
pub fn identity(members: &MemberHashes, redeploy: Option<&str>) -> Hash {
    let rolling: MemberHashes = members
        .iter()
        .filter(|(member, _)| member.rolls())
        .map(|(member, hash)| (*member, hash.clone()))
        .collect();
    match redeploy {
        None => Hash::of(&rolling),
        Some(redeploy) => Hash::of(&(rolling, redeploy)),
    }
}

/// `awsvpcConfiguration`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// 1 to 16 subnet ids.
    pub subnets: BTreeSet<String>,
    /// 1 to 5 security group ids.
    pub security_groups: BTreeSet<String>,
    /// Whether tasks get a public address.
    pub assign_public_ip: bool,
}

/// One item of a capacity provider strategy. Base is always 0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CapacityProvider {
    /// `FARGATE` or `FARGATE_SPOT` where we set it.
    pub name: String,
    /// 0 to 1000.
    pub weight: i32,
    /// 0 to 100000.
    pub base: i32,
}

/// Service Connect configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Connect {
    /// ARN of the Cloud Map namespace. A service without ports is a client only, and still names it.
    pub namespace_arn: String,
    /// Sorted by discovery name.
    pub services: Vec<ConnectService>,
}

/// One endpoint of a service in Service Connect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectService {
    /// See [`crate::names::discovery_name`]; the same text is the port mapping's name.
    pub discovery_name: String,
    /// See [`crate::names::host`].
    pub dns_name: String,
    /// Port clients use: the container port.
    pub port: u16,
    /// Seconds, 0 turns it off; absent keeps AWS's default (5 minutes, 1 hour for TCP).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<u32>,
    /// Seconds, 0 turns it off; absent keeps AWS's default (15). Not for TCP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_timeout: Option<u32>,
}

/// Deployment configuration of the rolling update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// Lower bound of running tasks while deploying, percent of desired; rounds up.
    pub minimum_healthy_percent: i32,
    /// Upper bound, percent of desired; rounds down.
    pub maximum_percent: i32,
    /// Whether ECS gives up on a deployment whose tasks keep failing.
    pub circuit_breaker: bool,
    /// Whether it then goes back to the last completed one.
    pub rollback: bool,
    /// Availability-zone rebalancing; ECS refuses it together with a maximum percent of 100.
    pub rebalancing: bool,
    /// Names of CloudWatch alarms that roll a deployment back; none switches them off.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub alarms: BTreeSet<String>,
}

/// The Cloud Map service that gives tasks an A record, for clients outside Service Connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DnsService {
    /// Cloud Map namespace id, `ns-...`.
    pub namespace_id: String,
    /// The PrivateService's name.
    pub name: String,
    /// Seconds a client may cache an answer.
    pub ttl: u32,
    /// `CreatorRequestId`: makes creation idempotent and proves who asked for it.
    pub creator_request_id: String,
}
