//! The complete wanted state of one PrivateService. No "default means None": whatever is absent here is absent in AWS.

use crate::hash::Hash;
use crate::observed::Scope;
use crate::owner::Owner;
use crate::scaling::Scaling;
use crate::service::{
    CapacityProvider, Connect, Deployment, DnsService, Member, MemberHashes, Network, identity,
};
use crate::task_definition::TaskDefinition;
use privateservice_api::meta;
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
    /// Whether ECS Exec is on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub exec: bool,
    /// Whether what nobody owns is taken over. Not sent to AWS.
    #[serde(skip)]
    pub adopt: bool,
    /// Tasks to create the service with, unless more is known. Never sent afterwards.
    pub initial_count: i32,
    /// Between how many tasks it runs, and what changes their number.
    pub scaling: Scaling,
    /// Tags of the ECS service and the DNS service, the operator's own included.
    pub tags: BTreeMap<String, String>,
    /// Hash of the spec and its resolved inputs: what the users asked for, independent of how it is rendered.
    pub intent: Hash,
    /// The part of it that is the service's own: without what its Environment adds.
    #[serde(skip)]
    pub own: Hash,
    /// The newest redeploy that was asked for, handled or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redeploy: Option<String>,
    /// An earlier revision that is to serve instead of the task definition above, because somebody asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Pinned>,
    /// Seconds after which a rollout that is not complete is stopped. Not sent to AWS.
    #[serde(skip)]
    pub progress_deadline: u32,
}

/// An earlier revision that is to serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pinned {
    /// Its ARN.
    pub arn: String,
    /// Its content.
    pub hash: Hash,
}

impl Desired {
    /// Keys of the tags that the spec and the Environment ask for: all but the operator's own.
    pub fn user_tag_keys(&self) -> impl Iterator<Item = String> {
        let keys = self.tags.keys();
        keys.filter(|key| !key.starts_with(meta::TAG_PREFIX))
            .cloned()
    }

    /// The hash of the tags.
    pub fn tags_hash(&self) -> Hash {
        Hash::of(&self.tags)
    }

    /// The same, with what annotations ask for beside the spec. It is part of the intent, so that it takes effect, and ends, like an edit.
    #[must_use]
    pub fn asked(mut self, redeploy: Option<String>, pinned: Option<Pinned>) -> Self {
        if redeploy.is_some() || pinned.is_some() {
            self.intent = Hash::of(&(&self.intent, &redeploy, &pinned));
            self.own = Hash::of(&(&self.own, &redeploy, &pinned));
        }
        self.redeploy = redeploy;
        self.pinned = pinned;
        self
    }

    /// The hash of the task definition content that is to serve.
    pub fn content(&self) -> Hash {
        self.pinned
            .as_ref()
            .map_or_else(|| self.task_definition.hash(), |pinned| pinned.hash.clone())
    }

    /// The hash of each member as rendered.
    pub fn members(&self) -> MemberHashes {
        MemberHashes::from([
            (Member::TaskDefinition, self.content()),
            (Member::Network, Hash::of(&self.network)),
            (Member::Connect, Hash::of(&self.connect)),
            (Member::Capacity, Hash::of(&self.capacity)),
            (Member::Registries, Hash::of(&self.dns.is_some())),
            (Member::Deployment, Hash::of(&self.deployment)),
            (Member::Exec, Hash::of(&self.exec)),
        ])
    }

    /// Identity of the rollout this state asks for: see [`identity`].
    pub fn rollout_identity(&self) -> Hash {
        identity(&self.members(), self.redeploy.as_deref())
    }
}
