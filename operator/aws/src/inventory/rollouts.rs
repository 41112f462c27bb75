//! What is remembered of service deployments, by the ECS service they belong to. Pure.
//!
//! A service shows the ARN of its service deployment while that is under way; afterwards the ARN is remembered for as long as the PRIMARY
//! deployment stays the same, because every new service deployment has another one.
//!
//! Invariant: what is known is about the newest service deployment that the service has shown.

use super::record::Record;
use super::state::ServiceId;
use privateservice_core::fact::Fact;
use privateservice_core::observed::{Service, ServiceDeployment};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A service deployment, and the PRIMARY deployment beside which it was the newest.
#[derive(Debug)]
struct Shown {
    primary: String,
    arn: String,
}

/// The service deployments of all services.
#[derive(Debug, Default)]
pub(super) struct Rollouts {
    // Boxed as in `State`.
    pub(super) records: BTreeMap<ServiceId, Box<Record<ServiceDeployment>>>,
    pub(super) wanted: BTreeSet<ServiceId>,
    shown: HashMap<ServiceId, Shown>,
    unreadable: BTreeSet<ServiceId>,
}

impl Rollouts {
    /// The ARN of a service's newest service deployment, if it is known without a listing.
    pub(super) fn arn(&self, id: &ServiceId, service: &Service) -> Option<&str> {
        let shown = self.shown.get(id)?;
        (service.primary()?.id == shown.primary).then_some(shown.arn.as_str())
    }

    /// A read showed the service: what is known of another service deployment than its newest is uncertain from `sequence` on.
    pub(super) fn service_seen(&mut self, id: &ServiceId, service: &Service, sequence: u64) {
        let Some(primary) = service.primary() else {
            return;
        };
        let before = self
            .shown
            .get(id)
            .map(|shown| (shown.primary.clone(), shown.arn.clone()));
        if let Some(arn) = &service.service_deployment {
            self.listed(id, &primary.id, arn);
        } else if self.arn(id, service).is_none() {
            self.shown.remove(id);
        }
        let after = self
            .shown
            .get(id)
            .map(|shown| (shown.primary.clone(), shown.arn.clone()));
        // Another PRIMARY deployment under the same ARN is a rollback that was not known of.
        if before != after
            && let Some(record) = self.records.get_mut(id)
        {
            record.touch(sequence);
        }
    }

    /// A listing, or the service itself, named its newest service deployment.
    pub(super) fn listed(&mut self, id: &ServiceId, primary: &str, arn: &str) {
        let shown = Shown {
            primary: primary.to_owned(),
            arn: arn.to_owned(),
        };
        self.shown.insert(id.clone(), shown);
    }

    /// Remembers whether service deployments of this service can be read at all; true if that is news.
    pub(super) fn set_readable(&mut self, id: &ServiceId, readable: bool) -> bool {
        if readable {
            self.unreadable.remove(id)
        } else {
            self.unreadable.insert(id.clone())
        }
    }

    /// True if service deployments of this service cannot be read at all.
    pub(super) fn is_unreadable(&self, id: &ServiceId) -> bool {
        self.unreadable.contains(id)
    }

    /// The fact for a service. There is none without a service; while it cannot be read, what was known before says nothing.
    pub(super) fn fact(&self, id: &ServiceId, service: &Fact<Service>) -> Fact<ServiceDeployment> {
        if let Fact::Absent { first, last } = service {
            return Fact::Absent {
                first: *first,
                last: *last,
            };
        }
        if self.is_unreadable(id) {
            return Fact::Unknown;
        }
        let record = self.records.get(id);
        record.map_or(Fact::Unknown, |record| record.fact.clone())
    }

    /// Forgets what belongs to no record any more.
    pub(super) fn forget_the_untracked(&mut self, id: &ServiceId) {
        if !self.records.contains_key(id) {
            self.shown.remove(id);
            self.unreadable.remove(id);
        }
    }
}

#[cfg(test)]
mod tests;
