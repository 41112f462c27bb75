//! From a need of an object to marks on what must be read for it. Pure, except that it tells the readers.

use super::record::{Record, Why};
use super::state::{Definition, State, dns_id, newest, service_id};
use super::{Inventory, Need, now};
use crate::limits::Priority;
use privateservice_core::observed::Scope;
use std::time::Instant;

impl Inventory {
    pub(super) fn want(&self, scope: &Scope, needs: &[Need], why: Why, priority: Priority) {
        let now = now();
        let mut guard = self.lock();
        let state = &mut *guard;
        for need in needs {
            match need {
                Need::Service => self.want_service(state, scope, why, priority, now),
                Need::Dns => {
                    let id = dns_id(scope);
                    if let Some(record) = state.dns.get_mut(&id) {
                        record.want(why, priority, now);
                        state.wanted_dns.insert(id);
                        self.dns_reads.notify_one();
                    }
                }
                Need::Newest => self.want_definition(state, newest(scope), why, priority, now),
                Need::Revision(arn) => {
                    let watchers = state
                        .definitions
                        .get(&newest(scope))
                        .map(|one| one.watchers.clone());
                    let Some(watchers) = watchers else { continue };
                    let id = Definition::Revision {
                        family: scope.family.clone(),
                        arn: arn.clone(),
                    };
                    let sequence = state.sequence;
                    let record = state.definitions.entry(id.clone());
                    record
                        .or_insert_with(|| Box::new(Record::new(sequence)))
                        .watchers = watchers;
                    self.want_definition(state, id, why, priority, now);
                }
                Need::Deployment => {
                    let id = service_id(scope);
                    if let Some(record) = state.rollouts.records.get_mut(&id) {
                        record.want(why, priority, now);
                        state.rollouts.wanted.insert(id.clone());
                        self.deployment_reads.notify_one();
                    }
                    // Only the service tells which one is the newest.
                    let service = state.services.get(&id);
                    if service.is_some_and(|record| record.fact.is_unknown()) {
                        self.want_service(state, scope, why, priority, now);
                    }
                }
                Need::Scaling => {
                    let id = service_id(scope);
                    if let Some(record) = state.scaling.get_mut(&id) {
                        record.want(why, priority, now);
                        state.wanted_scaling.insert(id);
                        self.scaling_reads.notify_one();
                    }
                }
                Need::Owner(arn) => {
                    let id = (service_id(scope), arn.clone());
                    if let Some(record) = state.owner_record(&id) {
                        record.want(why, priority, now);
                        state.wanted_owners.insert(id);
                        self.owner_reads.notify_one();
                    }
                }
                // Whoever asks what is known of one has it read.
                Need::Secrets => {}
                Need::Stopped => {
                    let id = service_id(scope);
                    if let Some(record) = state.stopped.get_mut(&id) {
                        record.want(why, priority, now);
                        state.wanted_stopped.insert(id);
                        self.stopped_reads.notify_one();
                    }
                }
            }
        }
    }

    fn want_service(
        &self,
        state: &mut State,
        scope: &Scope,
        why: Why,
        priority: Priority,
        now: Instant,
    ) {
        if state.want_service(service_id(scope), why, false, priority, now) {
            self.service_reads.notify_one();
        }
    }

    fn want_definition(
        &self,
        state: &mut State,
        id: Definition,
        why: Why,
        priority: Priority,
        now: Instant,
    ) {
        if let Some(record) = state.definitions.get_mut(&id) {
            record.want(why, priority, now);
            state.wanted_definitions.insert(id);
            self.definition_reads.notify_one();
        }
    }
}
