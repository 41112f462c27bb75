//! The complete wanted state of one PrivateService. No "default means None": whatever is absent here is absent in AWS.

use crate::hash::Hash;
use crate::observed::Scope;
use crate::owner::Owner;
use crate::service::{
    CapacityProvider, Connect, Deployment, DnsService, Member, MemberHashes, Network, identity,
};
use crate::task_definition::TaskDefinition;
use serde::Serialize;
use std::collections::BTreeMap;

/// The wanted state of one PrivateService in AWS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Desired {
    /// Who owns it.
    pub owner: Owner,
    /// Where it lives.
    pub scope: Scope,
    /// What its tasks run.
    pub task_definition: TaskDefinition,
    /// Subnets, security groups, public IP.
    pub network: Network,
    /// Service Connect.
    pub connect: Connect,
    /// Capacity provider strategy, sorted.
    pub capacity: Vec<CapacityProvider>,
    /// Cloud Map DNS service, absent when `network.dns` is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<DnsService>,
    /// Deployment configuration.
    pub deployment: Deployment,
    /// Tasks to create the service with. Never sent afterwards.
    pub initial_count: i32,
    /// Tags of the ECS service and the DNS service, the operator's own included.
    pub tags: BTreeMap<String, String>,
    /// Hash of the spec and its resolved inputs: what the users asked for, independent of how it is rendered.
    pub intent: Hash,
}

impl Desired {
    /// The hash of each member as rendered.
    pub fn members(&self) -> MemberHashes {
        MemberHashes::from([
            (Member::TaskDefinition, self.task_definition.hash()),
            (Member::Network, Hash::of(&self.network)),
            (Member::Connect, Hash::of(&self.connect)),
            (Member::Capacity, Hash::of(&self.capacity)),
            (Member::Registries, Hash::of(&self.dns.is_some())),
            (Member::Deployment, Hash::of(&self.deployment)),
        ])
    }

    /// Identity of the rollout this state asks for: everything that replaces tasks when it changes.
    pub fn rollout_identity(&self) -> Hash {
        identity(&self.members())
    }
}
