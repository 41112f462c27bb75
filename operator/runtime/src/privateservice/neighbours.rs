//! Who has to be looked at again when a PrivateService changes: objects of the same name (only one of them can have it) and objects that
//! refer to it. Kept from the watch, so that a change costs look-ups, not a scan. No IO.

use privateservice_api::PrivateService;
use privateservice_core::owner::ObjectKey;
use std::collections::{BTreeSet, HashMap};

/// Objects by name, and references by name.
#[derive(Debug, Default)]
pub(crate) struct Neighbourhood {
    by_name: HashMap<String, BTreeSet<ObjectKey>>,
    referrers: HashMap<String, BTreeSet<ObjectKey>>,
    seen: HashMap<ObjectKey, Seen>,
}

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    uid: String,
    generation: Option<i64>,
    deleting: bool,
    refers_to: BTreeSet<String>,
}

impl Neighbourhood {
    /// Takes note of an object as it is now; the others that have to be looked at because of it.
    pub(crate) fn applied(&mut self, object: &PrivateService) -> Vec<ObjectKey> {
        let key = key_of(object);
        let now = Seen {
            uid: object.metadata.uid.clone().unwrap_or_default(),
            generation: object.metadata.generation,
            deleting: object.metadata.deletion_timestamp.is_some(),
            refers_to: references(object),
        };
        if self.seen.get(&key) == Some(&now) {
            // Only its status changed: nobody else depends on that.
            return vec![];
        }
        self.forget_references(&key);
        for name in &now.refers_to {
            self.referrers.entry(name.clone()).or_default().insert(key.clone());
        }
        self.by_name.entry(key.name.clone()).or_default().insert(key.clone());
        self.seen.insert(key.clone(), now);
        self.affected(&key)
    }

    /// Takes note that an object is gone; the others that have to be looked at because of it.
    pub(crate) fn deleted(&mut self, key: &ObjectKey) -> Vec<ObjectKey> {
        self.forget_references(key);
        self.seen.remove(key);
        if let Some(keys) = self.by_name.get_mut(&key.name) {
            keys.remove(key);
            if keys.is_empty() {
                self.by_name.remove(&key.name);
            }
        }
        self.affected(key)
    }

    /// All objects of that name.
    pub(crate) fn named(&self, name: &str) -> Vec<ObjectKey> {
        self.by_name.get(name).into_iter().flatten().cloned().collect()
    }

    fn affected(&self, key: &ObjectKey) -> Vec<ObjectKey> {
        let same_name = self.by_name.get(&key.name).into_iter().flatten();
        let referrers = self.referrers.get(&key.name).into_iter().flatten();
        let others: BTreeSet<&ObjectKey> =
            same_name.chain(referrers).filter(|other| *other != key).collect();
        others.into_iter().cloned().collect()
    }

    fn forget_references(&mut self, key: &ObjectKey) {
        let Some(before) = self.seen.get(key) else { return };
        for name in &before.refers_to {
            if let Some(keys) = self.referrers.get_mut(name) {
                keys.remove(key);
                if keys.is_empty() {
                    self.referrers.remove(name);
                }
            }
        }
    }
}

/// The key of an object.
pub(crate) fn key_of(object: &PrivateService) -> ObjectKey {
    ObjectKey {
        namespace: object.metadata.namespace.clone().unwrap_or_default(),
        name: object.metadata.name.clone().unwrap_or_default(),
    }
}

fn references(object: &PrivateService) -> BTreeSet<String> {
    object
        .spec
        .env
        .iter()
        .filter_map(|entry| entry.value_from.as_ref()?.service_ref.as_ref())
        .map(|reference| reference.name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use privateservice_api::privateservice::{EnvVar, EnvVarSource, ServiceRef};

    fn object(namespace: &str, name: &str, generation: i64, refers_to: &[&str]) -> PrivateService {
        let mut object = PrivateService::default();
        object.metadata.namespace = Some(namespace.into());
        object.metadata.name = Some(name.into());
        object.metadata.generation = Some(generation);
        object.spec.env = refers_to
            .iter()
            .map(|name| EnvVar {
                name: name.to_uppercase(),
                value_from: Some(EnvVarSource {
                    service_ref: Some(ServiceRef { name: (*name).into(), ..ServiceRef::default() }),
                }),
                ..EnvVar::default()
            })
            .collect();
        object
    }

    fn names(keys: &[ObjectKey]) -> Vec<String> {
        keys.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_new_object_wakes_those_that_refer_to_it_and_those_of_its_name() {
        let mut neighbourhood = Neighbourhood::default();
        neighbourhood.applied(&object("a", "worker", 1, &["cache"]));
        neighbourhood.applied(&object("b", "cache", 1, &[]));
        let woken = neighbourhood.applied(&object("c", "cache", 1, &[]));
        assert_eq!(names(&woken), ["a/worker", "b/cache"]);
        assert_eq!(neighbourhood.named("cache").len(), 2);
    }

    #[test]
    fn a_change_of_status_alone_wakes_nobody() {
        let mut neighbourhood = Neighbourhood::default();
        neighbourhood.applied(&object("a", "worker", 1, &["cache"]));
        neighbourhood.applied(&object("b", "cache", 1, &[]));
        assert_eq!(neighbourhood.applied(&object("b", "cache", 1, &[])), []);
        assert_eq!(names(&neighbourhood.applied(&object("b", "cache", 2, &[]))), ["a/worker"]);
    }

    #[test]
    fn a_loser_is_woken_when_the_winner_goes_and_references_that_ended_wake_nobody() {
        let mut neighbourhood = Neighbourhood::default();
        neighbourhood.applied(&object("a", "cache", 1, &[]));
        neighbourhood.applied(&object("b", "cache", 1, &[]));
        neighbourhood.applied(&object("a", "worker", 1, &["cache"]));
        neighbourhood.applied(&object("a", "worker", 2, &[]));
        let winner = ObjectKey { namespace: "a".into(), name: "cache".into() };
        assert_eq!(names(&neighbourhood.deleted(&winner)), ["b/cache"]);
    }
}
