//! The whole memory of an inventory: who is tracked, what is known, which reads are wanted. Pure over an explicit clock.

use super::record::Record;
use super::rollouts::Rollouts;
use crate::timing::Timing;
use k8s_openapi::jiff::Timestamp;
use privateservice_core::fact::Fact;
use privateservice_core::names;
use privateservice_core::observed::{
    Observed, ObservedDns, Revision, Scope, Service, StoppedTasks,
};
use privateservice_core::owner::{ObjectKey, Owner};
use privateservice_core::scaling;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

/// An ECS service: cluster ARN and name.
pub(super) type ServiceId = (String, String);
/// A Cloud Map service: namespace id and name.
pub(super) type DnsId = (String, String);

/// A scalable target or an alarm of a service: the service and the ARN.
pub(super) type OwnerId = (ServiceId, String);

/// What DescribeTaskDefinition is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Definition {
    /// The newest ACTIVE revision of a family.
    Newest(String),
    /// One revision of a family, by ARN.
    Revision { family: String, arn: String },
}

impl Definition {
    pub(super) fn family(&self) -> &str {
        match self {
            Self::Newest(family) | Self::Revision { family, .. } => family,
        }
    }
}

/// A Cloud Map service in a listing.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    pub(super) id: String,
    pub(super) arn: String,
    /// Owner by the description, which only we write; tags outrank it.
    pub(super) described: Option<Owner>,
}

/// Whose a Cloud Map service is; `None` inside means that it carries no ownership tag.
#[derive(Clone, Debug)]
pub(crate) struct KnownOwner(pub(crate) Option<Owner>);

/// A complete listing of a namespace.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) start: u64,
    pub(super) began: Timestamp,
    pub(super) at: Instant,
    pub(super) entries: HashMap<String, Summary>,
}

/// A Cloud Map namespace. Never forgotten, so that a listing under way when its last service goes stays ordered; there are few.
#[derive(Debug, Default)]
pub(super) struct Namespace {
    pub(super) listing: Option<Listing>,
    pub(super) listing_runs: bool,
    /// Names our writes touched, with the sequence: older listings say nothing about them, also after they are untracked.
    pub(super) touched: HashMap<String, u64>,
}

#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) scope: Scope,
    pub(super) owner: Owner,
}

/// Everything an inventory remembers.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) sequence: u64,
    pub(super) objects: BTreeMap<ObjectKey, Tracked>,
    // Records are boxed: they are large, and the nodes of a map are half empty.
    pub(super) services: BTreeMap<ServiceId, Box<Record<Service>>>,
    pub(super) dns: BTreeMap<DnsId, Box<Record<ObservedDns>>>,
    pub(super) definitions: BTreeMap<Definition, Box<Record<Revision>>>,
    pub(super) stopped: BTreeMap<ServiceId, Box<Record<StoppedTasks>>>,
    pub(super) scaling: BTreeMap<ServiceId, Box<Record<scaling::Observed>>>,
    /// True once AWS said that there is no Application Auto Scaling here.
    pub(super) scaling_unsupported: bool,
    /// Names of the scheduled actions that may be there.
    pub(super) schedules: BTreeMap<ServiceId, BTreeSet<String>>,
    /// Names of the Environments, which the names of alarms and policies begin with.
    pub(super) environments: BTreeMap<ServiceId, String>,
    pub(super) owners: BTreeMap<OwnerId, Box<Record<Option<Owner>>>>,
    pub(super) rollouts: Rollouts,
    pub(super) revisions: HashMap<String, Vec<Revision>>,
    pub(super) namespaces: HashMap<String, Namespace>,
    /// Owners by tags, by Cloud Map service id, with the time of the read.
    pub(super) tag_owners: HashMap<String, (Option<Owner>, Instant)>,
    pub(super) wanted_services: BTreeSet<ServiceId>,
    pub(super) wanted_dns: BTreeSet<DnsId>,
    pub(super) wanted_definitions: BTreeSet<Definition>,
    pub(super) wanted_stopped: BTreeSet<ServiceId>,
    pub(super) wanted_scaling: BTreeSet<ServiceId>,
    pub(super) wanted_owners: BTreeSet<OwnerId>,
}

pub(super) fn service_id(scope: &Scope) -> ServiceId {
    (scope.cluster_arn.clone(), scope.service.clone())
}

pub(super) fn dns_id(scope: &Scope) -> DnsId {
    (scope.namespace_id.clone(), scope.service.clone())
}

pub(super) fn newest(scope: &Scope) -> Definition {
    Definition::Newest(scope.family.clone())
}

impl State {
    /// The next number of the order of reads and writes.
    pub(super) fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Follows an object, instead of what it was followed by before.
    pub(super) fn track(
        &mut self,
        key: &ObjectKey,
        scope: Scope,
        owner: Owner,
        now: Instant,
        timing: &Timing,
    ) {
        if self
            .objects
            .get(key)
            .is_some_and(|old| old.scope == scope && old.owner == owner)
        {
            return;
        }
        self.untrack(key);
        let sequence = self.sequence;
        let id = service_id(&scope);
        follow(&mut self.services, id.clone(), sequence, key);
        follow(&mut self.rollouts.records, id.clone(), sequence, key);
        let environment = names::environment_of(&scope.family).to_owned();
        self.environments.insert(id.clone(), environment);
        follow(&mut self.scaling, id.clone(), sequence, key);
        follow(&mut self.stopped, id, sequence, key);
        follow(&mut self.definitions, newest(&scope), sequence, key);
        self.revisions.entry(scope.family.clone()).or_default();
        let inherited = self.inherited_dns(&scope, &owner, now, timing);
        let namespace = self
            .namespaces
            .entry(scope.namespace_id.clone())
            .or_default();
        let touched = namespace
            .touched
            .get(&scope.service)
            .copied()
            .unwrap_or_default();
        let dns = self.dns.entry(dns_id(&scope)).or_insert_with(|| {
            let mut record = Record::new(touched);
            if let Some((fact, at)) = inherited {
                record.inherit(fact, at);
            }
            Box::new(record)
        });
        dns.follow(key);
        self.objects.insert(key.clone(), Tracked { scope, owner });
    }

    /// Forgets an object, and what only it was followed for.
    pub(super) fn untrack(&mut self, key: &ObjectKey) {
        let Some(Tracked { scope, .. }) = self.objects.remove(key) else {
            return;
        };
        let id = service_id(&scope);
        leave(&mut self.services, &mut self.wanted_services, &id, key);
        leave(&mut self.stopped, &mut self.wanted_stopped, &id, key);
        leave(&mut self.scaling, &mut self.wanted_scaling, &id, key);
        if !self.scaling.contains_key(&id) {
            self.schedules.remove(&id);
            self.environments.remove(&id);
            self.owners.retain(|(service, _), _| *service != id);
            self.wanted_owners.retain(|(service, _)| *service != id);
        }
        let rollouts = &mut self.rollouts;
        leave(&mut rollouts.records, &mut rollouts.wanted, &id, key);
        rollouts.forget_the_untracked(&id);
        leave(&mut self.dns, &mut self.wanted_dns, &dns_id(&scope), key);
        let mine = |definition: &Definition| definition.family() == scope.family;
        let definitions: Vec<Definition> = self
            .definitions
            .keys()
            .filter(|&one| mine(one))
            .cloned()
            .collect();
        for definition in definitions {
            leave(
                &mut self.definitions,
                &mut self.wanted_definitions,
                &definition,
                key,
            );
        }
        if !self.definitions.contains_key(&newest(&scope)) {
            self.revisions.remove(&scope.family);
        }
    }

    /// The facts of a scope.
    pub(super) fn observed(&self, scope: &Scope) -> Observed {
        let id = service_id(scope);
        let service = fact(self.services.get(&id).map(AsRef::as_ref));
        Observed {
            deployment: self.rollouts.fact(&id, &service),
            deployment_unreadable: self.rollouts.is_unreadable(&id),
            stopped: fact(self.stopped.get(&id).map(AsRef::as_ref)),
            service,
            dns: fact(self.dns.get(&dns_id(scope)).map(AsRef::as_ref)),
            newest: fact(self.definitions.get(&newest(scope)).map(AsRef::as_ref)),
            revisions: self.revisions_of(&scope.family),
            scaling: fact(self.scaling.get(&id).map(AsRef::as_ref)),
            scaling_unsupported: self.scaling_unsupported,
            owners: self.owners_of(&id),
        }
    }

    /// Owners of what scales a service, as far as their tags were read or written.
    fn owners_of(&self, service: &ServiceId) -> BTreeMap<String, Option<Owner>> {
        let from = (service.clone(), String::new());
        self.owners
            .range(from..)
            .take_while(|((id, _), _)| id == service)
            .filter_map(|((_, arn), record)| Some((arn.clone(), record.fact.present()?.clone())))
            .collect()
    }

    /// The record of the owner of what scales a service; `None` if nobody follows the service.
    pub(super) fn owner_record(&mut self, id: &OwnerId) -> Option<&mut Record<Option<Owner>>> {
        let watchers = self.scaling.get(&id.0)?.watchers.clone();
        let sequence = self.sequence;
        let record = self
            .owners
            .entry(id.clone())
            .or_insert_with(|| Box::new(Record::new(sequence)));
        record.watchers = watchers;
        Some(record)
    }

    /// Adds a revision of a family that is followed, or replaces what was known of it.
    pub(super) fn learn_revision(&mut self, family: &str, revision: Revision) {
        if let Some(known) = self.revisions.get_mut(family) {
            known.retain(|other| other.arn != revision.arn);
            known.push(revision);
        }
    }

    fn revisions_of(&self, family: &str) -> BTreeMap<String, Revision> {
        let known = self.revisions.get(family).into_iter().flatten();
        known
            .map(|revision| (revision.arn.clone(), revision.clone()))
            .collect()
    }

    /// Whether a Cloud Map service's owner is known without asking for its tags: by tags read not long ago, or by a description that
    /// names an owner who is tracked here. A description that names somebody else may be older than a change of its tags.
    pub(super) fn dns_owner(
        &self,
        summary: &Summary,
        owners: &[&Owner],
        now: Instant,
    ) -> Option<KnownOwner> {
        if let Some((owner, read)) = self.tag_owners.get(&summary.id)
            && now.saturating_duration_since(*read) < TAGS_KEPT
        {
            return Some(KnownOwner(owner.clone()));
        }
        let described = summary.described.as_ref()?;
        owners
            .contains(&described)
            .then(|| KnownOwner(Some(described.clone())))
    }

    /// What the last listing of the namespace says about a service that was not tracked when it was read.
    fn inherited_dns(
        &self,
        scope: &Scope,
        owner: &Owner,
        now: Instant,
        timing: &Timing,
    ) -> Option<(Fact<ObservedDns>, Instant)> {
        let namespace = self.namespaces.get(&scope.namespace_id)?;
        let listing = namespace.listing.as_ref()?;
        let touched = namespace
            .touched
            .get(&scope.service)
            .copied()
            .unwrap_or_default();
        if listing.start <= touched
            || now.saturating_duration_since(listing.at) > timing.listing_reuse
        {
            return None;
        }
        let fact = match listing.entries.get(&scope.service) {
            None => Fact::Unknown.absent_again(listing.began),
            Some(summary) => {
                let KnownOwner(owner) = self.dns_owner(summary, &[owner], now)?;
                let dns = ObservedDns {
                    id: summary.id.clone(),
                    arn: summary.arn.clone(),
                    owner,
                };
                Fact::seen(dns, listing.began)
            }
        };
        Some((fact, listing.at))
    }
}

/// Tags of a Cloud Map service that its description says nothing about are asked for again after this long.
pub(super) const TAGS_KEPT: std::time::Duration = std::time::Duration::from_mins(10);

fn fact<T: Clone>(record: Option<&Record<T>>) -> Fact<T> {
    record.map_or(Fact::Unknown, |record| record.fact.clone())
}

fn follow<K: Ord, T: Clone + PartialEq>(
    records: &mut BTreeMap<K, Box<Record<T>>>,
    id: K,
    sequence: u64,
    key: &ObjectKey,
) {
    let record = records.entry(id);
    record
        .or_insert_with(|| Box::new(Record::new(sequence)))
        .follow(key);
}

fn leave<K: Ord, T>(
    records: &mut BTreeMap<K, Box<Record<T>>>,
    wanted: &mut BTreeSet<K>,
    id: &K,
    key: &ObjectKey,
) {
    if let Some(record) = records.get_mut(id) {
        record.watchers.retain(|watcher| watcher != key);
        record.moving.remove(key);
        if record.watchers.is_empty() {
            records.remove(id);
            wanted.remove(id);
        }
    }
}
