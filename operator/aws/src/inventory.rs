//! What is known of AWS for every tracked object, kept fresh in shared batches: the reflector of this side.
//!
//! In: who is tracked, demands for reads, news of our own writes. Out: [`Observed`] snapshots from memory, and a wake-up of an object
//! whenever a fact of it changed, or a read it demanded ended. Its readers call AWS; nothing else here does IO.
//!
//! Invariants: a failed, partial or empty answer never turns a fact into Absent; a read that began before one of our writes ended is
//! discarded; a thing is never read twice at once.

mod batch;
mod definitions;
mod deployments;
mod dns;
mod owners;
mod reader;
mod record;
mod rollouts;
mod rounds;
mod scaling;
mod services;
mod state;
mod stopped;
mod wishes;
mod writes;

use crate::calls::Calls;
use crate::clock;
use crate::connect::Clients;
use crate::limits::{Limits, Priority};
use crate::timing::Timing;
use privateservice_core::failure::Failure;
use privateservice_core::observed::{Observed, Revision, Scope, Service};
use privateservice_core::owner::{ObjectKey, Owner};
pub use privateservice_core::plan::Need;
use record::Why;
use state::{State, dns_id, service_id};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

pub(crate) use rounds::jittered;
pub(crate) use state::KnownOwner;
pub(crate) use writes::Before;
pub use writes::What;

/// The inventory of one account and Region.
#[derive(Debug)]
pub struct Inventory {
    state: Mutex<State>,
    clients: Clients,
    limits: Arc<Limits>,
    calls: Arc<Calls>,
    timing: Timing,
    wake: mpsc::UnboundedSender<ObjectKey>,
    service_reads: Notify,
    dns_reads: Notify,
    definition_reads: Notify,
    deployment_reads: Notify,
    stopped_reads: Notify,
    scaling_reads: Notify,
    owner_reads: Notify,
}

impl Inventory {
    pub(crate) fn new(
        clients: Clients,
        limits: Arc<Limits>,
        calls: Arc<Calls>,
        timing: Timing,
        wake: mpsc::UnboundedSender<ObjectKey>,
    ) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            clients,
            limits,
            calls,
            timing,
            wake,
            service_reads: Notify::new(),
            dns_reads: Notify::new(),
            definition_reads: Notify::new(),
            deployment_reads: Notify::new(),
            stopped_reads: Notify::new(),
            scaling_reads: Notify::new(),
            owner_reads: Notify::new(),
        })
    }

    /// Starts the readers; they run until they are aborted.
    pub(crate) fn start(self: &Arc<Self>) -> Vec<AbortHandle> {
        vec![
            tokio::spawn(Arc::clone(self).read_services()).abort_handle(),
            tokio::spawn(Arc::clone(self).read_dns()).abort_handle(),
            tokio::spawn(Arc::clone(self).read_definitions()).abort_handle(),
            tokio::spawn(Arc::clone(self).read_deployments()).abort_handle(),
            tokio::spawn(Arc::clone(self).read_stopped()).abort_handle(),
            tokio::spawn(Arc::clone(self).read_scaling()).abort_handle(),
            tokio::spawn(Arc::clone(self).read_owners()).abort_handle(),
            tokio::spawn(Arc::clone(self).poll()).abort_handle(),
            tokio::spawn(Arc::clone(self).sweep()).abort_handle(),
        ]
    }

    /// Follows an object at a scope. Repeating it changes nothing; another scope or owner replaces the old one. Reads nothing yet.
    pub fn track(&self, key: &ObjectKey, owner: &Owner, scope: &Scope) {
        let now = now();
        self.lock()
            .track(key, scope.clone(), owner.clone(), now, &self.timing);
    }

    /// Stops following an object and forgets what is known for it alone.
    pub fn untrack(&self, key: &ObjectKey) {
        self.lock().untrack(key);
    }

    /// Objects that are followed.
    pub fn tracked(&self) -> usize {
        self.lock().objects.len()
    }

    /// Adds revisions whose content status remembers; what AWS or our own calls said since outranks it.
    pub fn seed(&self, scope: &Scope, revisions: Vec<Revision>) {
        let mut state = self.lock();
        if let Some(known) = state.revisions.get_mut(&scope.family) {
            for revision in revisions {
                if !known.iter().any(|one| one.arn == revision.arn) {
                    known.push(revision);
                }
            }
        }
    }

    /// The facts, from memory.
    pub fn observed(&self, scope: &Scope) -> Observed {
        self.lock().observed(scope)
    }

    /// The ECS service as it was last seen, even while a write has made it uncertain. For display only.
    pub fn last_known(&self, scope: &Scope) -> Option<Service> {
        self.lock()
            .services
            .get(&service_id(scope))
            .and_then(|record| record.last_known().cloned())
    }

    /// Wants facts read. A service deployment is read once its service is known. The objects that follow the scope are woken when the reads end, whatever they find. A fact that is known
    /// and fresh is read again only once it is [`Timing::reread_after`] old, and after a failure reads pause.
    pub fn demand(&self, scope: &Scope, needs: &[Need], priority: Priority) {
        self.want(scope, needs, Why::Demand, priority);
    }

    /// Wants the ECS service, the DNS service and what scales it read now, because a user asked for it.
    pub fn sweep_now(&self, scope: &Scope) {
        let priority = Priority {
            lane: crate::limits::Lane::Edit,
            since: clock::now(),
        };
        let needs = [Need::Service, Need::Dns, Need::Scaling];
        self.want(scope, &needs, Why::FreshLook, priority);
    }

    /// Whether the service of an object is changing, as that object sees it, and is to be read every [`Timing::poll_interval`], together with
    /// its service deployment.
    pub fn set_moving(&self, key: &ObjectKey, moving: bool) {
        let mut state = self.lock();
        let Some(id) = state
            .objects
            .get(key)
            .map(|tracked| service_id(&tracked.scope))
        else {
            return;
        };
        if let Some(record) = state.services.get_mut(&id) {
            if moving {
                record.moving.insert(key.clone());
            } else {
                record.moving.remove(key);
            }
        }
    }

    /// Sweeps in a row that could not read this service; 0 after any successful read.
    pub fn missed_sweeps(&self, scope: &Scope) -> u32 {
        self.lock()
            .services
            .get(&service_id(scope))
            .map_or(0, |record| record.missed)
    }

    /// Why the last read for this scope failed, if the last one did. That service deployments cannot be read at all is no such failure, see
    /// [`Observed::deployment_unreadable`]; that stopped tasks cannot be read is none either: they are evidence and decide nothing.
    pub fn last_failure(&self, scope: &Scope) -> Option<Failure> {
        let state = self.lock();
        let service = state
            .services
            .get(&service_id(scope))
            .and_then(|one| one.failure.clone());
        let dns = || {
            state
                .dns
                .get(&dns_id(scope))
                .and_then(|one| one.failure.clone())
        };
        let now = now();
        let recent = |record: &record::Record<Revision>| record.is_pausing(now);
        let deployment = || {
            let id = service_id(scope);
            let record = state.rollouts.records.get(&id)?;
            let counts = record.is_pausing(now) && !state.rollouts.is_unreadable(&id);
            record.failure.clone().filter(|_| counts)
        };
        let mut definitions = state
            .definitions
            .iter()
            .filter(|(one, record)| one.family() == scope.family && recent(record));
        service
            .or_else(dns)
            .or_else(|| definitions.find_map(|(_, one)| one.failure.clone()))
            .or_else(deployment)
    }

    fn wake<'a>(&self, keys: impl IntoIterator<Item = &'a ObjectKey>) {
        for key in keys {
            // A closed channel means that the process is stopping.
            drop(self.wake.send(key.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is complete before anything in a critical section could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The runtime's clock, which tests can stop and move.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
