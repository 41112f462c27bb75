//! News of our own writes: what they touch is uncertain until a read that began after they ended.

use super::record::Why;
use super::state::{KnownOwner, State, dns_id, newest, service_id};
use super::{Inventory, Need};
use crate::limits::Priority;
use k8s_openapi::jiff::Timestamp;
use privateservice_core::fact::Fact;
use privateservice_core::observed::{ObservedDns, Revision, Scope, Service, ServiceDeployment};
use privateservice_core::owner::{ObjectKey, Owner};
use privateservice_core::scaling;

/// What a write touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The ECS service, and with it its newest service deployment.
    Service,
    /// The Cloud Map DNS service.
    Dns,
    /// The newest revision of the family.
    Newest,
    /// What scales the service.
    Scaling,
}

/// What was known before a write.
#[derive(Debug)]
pub(crate) enum Before {
    Service(Box<(Fact<Service>, Fact<ServiceDeployment>)>),
    Dns(Fact<ObservedDns>),
    Newest(Fact<Revision>),
    Scaling(Box<Fact<scaling::Observed>>),
}

impl Inventory {
    /// A write to this thing begins, or ended: reads that began before now are not believed.
    pub fn touch(&self, scope: &Scope, what: What) {
        drop(self.touch_and_keep(scope, what));
    }

    /// The same; what was known before can be put back if the write turns out to have changed nothing.
    pub(crate) fn touch_and_keep(&self, scope: &Scope, what: What) -> Option<Before> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let sequence = state.next();
        match what {
            What::Service => {
                let id = service_id(scope);
                let service = state.services.get_mut(&id)?.touch(sequence);
                let deployment = state.rollouts.records.get_mut(&id);
                let deployment = deployment.map(|record| record.touch(sequence));
                let both = (service, deployment.unwrap_or_default());
                Some(Before::Service(Box::new(both)))
            }
            What::Dns => {
                touch_name(state, scope, sequence);
                let record = state.dns.get_mut(&dns_id(scope))?;
                Some(Before::Dns(record.touch(sequence)))
            }
            What::Newest => {
                let record = state.definitions.get_mut(&newest(scope))?;
                Some(Before::Newest(record.touch(sequence)))
            }
            What::Scaling => {
                let record = state.scaling.get_mut(&service_id(scope))?;
                Some(Before::Scaling(Box::new(record.touch(sequence))))
            }
        }
    }

    /// AWS refused the write, so that nothing changed.
    pub(crate) fn restore(&self, scope: &Scope, before: Before) {
        let mut state = self.lock();
        match before {
            Before::Service(both) => {
                let (service, deployment) = *both;
                let id = service_id(scope);
                if let Some(record) = state.services.get_mut(&id) {
                    record.restore(service);
                }
                if let Some(record) = state.rollouts.records.get_mut(&id) {
                    record.restore(deployment);
                }
            }
            Before::Dns(fact) => {
                if let Some(record) = state.dns.get_mut(&dns_id(scope)) {
                    record.restore(fact);
                }
            }
            Before::Newest(fact) => {
                if let Some(record) = state.definitions.get_mut(&newest(scope)) {
                    record.restore(fact);
                }
            }
            Before::Scaling(fact) => {
                if let Some(record) = state.scaling.get_mut(&service_id(scope)) {
                    record.restore(*fact);
                }
            }
        }
    }

    /// AWS's answer to a registration describes the newest revision.
    pub(crate) fn registered(&self, scope: &Scope, revision: Revision, at: Timestamp) {
        let mut state = self.lock();
        state.learn_revision(&scope.family, revision.clone());
        if let Some(record) = state.definitions.get_mut(&newest(scope)) {
            record.learn(revision, at);
        }
    }

    /// AWS's answer to a creation describes the Cloud Map service.
    pub(crate) fn dns_created(&self, scope: &Scope, dns: ObservedDns, at: Timestamp) {
        let mut state = self.lock();
        state.tag_owners.remove(&dns.id);
        if let Some(record) = state.dns.get_mut(&dns_id(scope)) {
            record.learn(dns, at);
        }
    }

    /// AWS's answer to a deletion says that there is no Cloud Map service of that name any more.
    pub(crate) fn dns_deleted(&self, scope: &Scope, at: Timestamp) {
        if let Some(record) = self.lock().dns.get_mut(&dns_id(scope)) {
            record.learn_absent(at);
        }
    }

    /// A revision can no longer be used.
    pub(crate) fn revision_gone(&self, scope: &Scope, arn: &str) {
        let mut state = self.lock();
        if let Some(revision) = state
            .revisions
            .get_mut(&scope.family)
            .and_then(|known| known.iter_mut().find(|one| one.arn == arn))
        {
            revision.active = false;
        }
        // It may be what was believed to be the newest, or what a read under way takes for it.
        let other = state
            .definitions
            .get(&newest(scope))
            .and_then(|record| record.fact.present())
            .is_some_and(|known| known.arn != arn);
        drop(state);
        if !other {
            self.touch(scope, What::Newest);
        }
    }

    /// Wants what was written read again at once.
    pub(crate) fn look_again(&self, scope: &Scope, needs: &[Need], priority: Priority) {
        self.want(scope, needs, Why::FreshLook, priority);
    }

    /// Where an object lives, and its owner.
    pub(crate) fn place_of(&self, key: &ObjectKey) -> Option<(Scope, Owner)> {
        let state = self.lock();
        state
            .objects
            .get(key)
            .map(|tracked| (tracked.scope.clone(), tracked.owner.clone()))
    }

    /// The owner in the tags of a Cloud Map service, if they were read not long ago.
    pub(crate) fn known_tag_owner(&self, id: &str) -> Option<KnownOwner> {
        let state = self.lock();
        let (owner, read) = state.tag_owners.get(id)?;
        (super::now().saturating_duration_since(*read) < VERIFIED_FOR)
            .then(|| KnownOwner(owner.clone()))
    }
}

/// How long a look at the tags of a Cloud Map service counts as "verified before deletion".
const VERIFIED_FOR: std::time::Duration = std::time::Duration::from_mins(1);

fn touch_name(state: &mut State, scope: &Scope, sequence: u64) {
    if let Some(namespace) = state.namespaces.get_mut(&scope.namespace_id) {
        namespace.touched.insert(scope.service.clone(), sequence);
        if let Some(listing) = &mut namespace.listing {
            listing.entries.remove(&scope.service);
        }
    }
}
