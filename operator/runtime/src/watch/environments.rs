//! What a change of an Environment means to others. Sends keys to queues; no IO.

use super::Listener;
use crate::context::Context;
use crate::finalizer;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::ResourceExt;
use privateservice_api::{Environment, meta};
use privateservice_core::owner::ObjectKey;
use privateservice_core::place::Place;
use privateservice_core::problem::Problem;
use std::collections::HashMap;
use std::sync::Arc;

/// Wakes the Environment itself, its services and its rivals.
pub(crate) struct EnvironmentListener {
    context: Arc<Context>,
    known: HashMap<String, Known>,
}

struct Known {
    own: Own,
    offer: Option<Offer>,
}

/// What a pass over the Environment depends on, without the status.
#[derive(PartialEq)]
struct Own {
    uid: Option<String>,
    generation: Option<i64>,
    asked: [Option<String>; 2],
    /// Nothing is made before the finalizer is there.
    finalized: bool,
}

/// What its services depend on. Counts and times of the status are not part of it.
#[derive(Clone, PartialEq)]
struct Offer {
    place: Result<Place, Problem>,
    allowed: Option<LabelSelector>,
}

impl Own {
    fn of(object: &Environment) -> Self {
        let asked = [meta::RECONCILE_AT, meta::FLUX_REQUESTED_AT]
            .map(|name| object.annotations().get(name).cloned());
        Self {
            uid: object.uid(),
            generation: object.metadata.generation,
            asked,
            finalized: finalizer::has(object),
        }
    }
}

impl Offer {
    /// `None` while the newest change has not been looked at: it soon is, and what holds until then is what held before.
    fn of(object: &Environment) -> Option<Self> {
        let seen = object
            .status
            .as_ref()
            .and_then(|status| status.observed_generation);
        (seen == object.metadata.generation).then(|| Self {
            place: Place::of(object),
            allowed: object.spec.allowed_namespaces.clone(),
        })
    }
}

impl EnvironmentListener {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            known: HashMap::new(),
        }
    }

    fn wake_users(&self, name: &str) {
        for key in self.context.index.users(name) {
            self.context.wake(key);
        }
    }

    fn wake_rivals(&self, name: &str) {
        for other in self.context.environments.state() {
            if other.name_any() != name {
                self.context.wake_environment(other.name_any());
            }
        }
    }
}

impl Listener<Environment> for EnvironmentListener {
    fn applied(&mut self, object: &Environment) {
        let name = object.name_any();
        let own = Own::of(object);
        let offer = Offer::of(object);
        let before = self.known.get(&name);
        let changed = before.is_none_or(|before| before.own != own);
        let offers = match (&offer, before.and_then(|before| before.offer.as_ref())) {
            (None, _) => false,
            (now, before) => now.as_ref() != before,
        };
        let offer = offer.or_else(|| before.and_then(|before| before.offer.clone()));
        self.known.insert(name.clone(), Known { own, offer });
        if changed {
            self.wake_rivals(&name);
            self.context.wake_environment(name.clone());
        }
        if offers || (changed && before_is_new(object)) {
            self.wake_users(&name);
        }
    }

    fn gone(&mut self, key: &ObjectKey) {
        let own = self.known.remove(&key.name).map(|known| known.own);
        self.context.environment_statuses.forget(key);
        if let Some(uid) = own.and_then(|own| own.uid) {
            self.context.events.forget(&uid);
        }
        self.wake_rivals(&key.name);
        self.wake_users(&key.name);
        self.context.environments_seen.lock().remove(&key.name);
    }
}

/// True for an Environment nobody has looked at: services that wait for it can say so.
fn before_is_new(object: &Environment) -> bool {
    object
        .status
        .as_ref()
        .is_none_or(|status| status.conditions.is_empty())
}
