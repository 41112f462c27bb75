//! Who has to do with whom: PrivateServices by name, by what they refer to, and by Environment. Pure data behind a lock.
//!
//! Kept by the watch, after the cache and before anybody is woken, so that looking something up costs what the answer holds and not a walk
//! through all objects.

use privateservice_api::PrivateService;
use privateservice_core::owner::ObjectKey;
use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// What is remembered of one PrivateService.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The Environment it uses, if it names one, has one or gets the default.
    pub environment: Option<String>,
    /// Names of the PrivateServices that it refers to; names are unique in an Environment.
    pub references: BTreeSet<String>,
    /// Names of the ConfigMaps of its namespace that it refers to.
    pub config_maps: BTreeSet<String>,
    /// Names of the Secrets of its namespace that it refers to.
    pub secrets: BTreeSet<String>,
}

impl Entry {
    /// What is to be remembered of this object.
    pub fn of(object: &PrivateService, default_environment: Option<&str>) -> Self {
        let references = object
            .spec
            .env
            .iter()
            .filter_map(|entry| entry.value_from.as_ref()?.service_ref.as_ref())
            .map(|reference| reference.name.clone())
            .collect();
        Self {
            environment: environment_of(object, default_environment),
            references,
            config_maps: config_maps_of(object),
            secrets: secrets_of(object),
        }
    }
}

/// Names of the ConfigMaps that an object refers to, in its own namespace.
pub fn config_maps_of(object: &PrivateService) -> BTreeSet<String> {
    let single = object
        .spec
        .env
        .iter()
        .filter_map(|entry| entry.value_from.as_ref()?.config_map_key_ref.as_ref())
        .map(|reference| reference.name.clone());
    let whole = object
        .spec
        .env_from
        .iter()
        .filter_map(|entry| entry.config_map_ref.as_ref())
        .map(|reference| reference.name.clone());
    single.chain(whole).collect()
}

/// Names of the Secrets that an object refers to, in its own namespace.
pub fn secrets_of(object: &PrivateService) -> BTreeSet<String> {
    let spec = &object.spec;
    let variables = spec
        .env
        .iter()
        .filter_map(|entry| entry.value_from.as_ref()?.secret_key_ref.as_ref());
    let logging = spec.logging.as_ref();
    let datadog = logging.and_then(|logging| Some(&logging.datadog.as_ref()?.api_key));
    let axiom = logging.and_then(|logging| Some(&logging.axiom.as_ref()?.token));
    let fluent_bit = logging.and_then(|logging| Some(&logging.fluent_bit.as_ref()?.secret_options));
    let logging = datadog
        .into_iter()
        .chain(axiom)
        .chain(fluent_bit.into_iter().flat_map(|options| options.values()))
        .filter_map(|source| source.secret_key_ref.as_ref());
    let whole = spec
        .env_from
        .iter()
        .filter_map(|entry| entry.secret_ref.as_ref())
        .map(|reference| reference.name.clone());
    variables
        .chain(logging)
        .map(|reference| reference.name.clone())
        .chain(whole)
        .collect()
}

/// The Environment an object uses: the one it names, else the one it was first placed in, else the default.
pub fn environment_of(
    object: &PrivateService,
    default_environment: Option<&str>,
) -> Option<String> {
    let placed = object
        .status
        .as_ref()
        .and_then(|status| status.environment.as_deref());
    object
        .spec
        .environment
        .as_deref()
        .or(placed)
        .or(default_environment)
        .map(str::to_owned)
}

/// The index.
#[derive(Debug, Default)]
pub struct Index {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<ObjectKey, Entry>,
    by_name: HashMap<String, BTreeSet<ObjectKey>>,
    by_reference: HashMap<String, BTreeSet<ObjectKey>>,
    by_config_map: HashMap<ObjectKey, BTreeSet<ObjectKey>>,
    by_secret: HashMap<ObjectKey, BTreeSet<ObjectKey>>,
    by_environment: HashMap<String, BTreeSet<ObjectKey>>,
}

impl Index {
    /// Remembers an object as it is now. Yields what was remembered of it before.
    pub fn put(&self, key: &ObjectKey, entry: Entry) -> Option<Entry> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let before = inner.take(key);
        add_to(&mut inner.by_name, key.name.clone(), key);
        for name in &entry.references {
            add_to(&mut inner.by_reference, name.clone(), key);
        }
        for name in &entry.config_maps {
            add_to(&mut inner.by_config_map, beside(key, name), key);
        }
        for name in &entry.secrets {
            add_to(&mut inner.by_secret, beside(key, name), key);
        }
        if let Some(environment) = &entry.environment {
            add_to(&mut inner.by_environment, environment.clone(), key);
        }
        inner.entries.insert(key.clone(), entry);
        before
    }

    /// Forgets an object. Yields what was remembered of it.
    pub fn remove(&self, key: &ObjectKey) -> Option<Entry> {
        self.inner
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take(key)
    }

    /// All PrivateServices of that name, in any Kubernetes namespace and Environment.
    pub fn namesakes(&self, name: &str) -> Vec<ObjectKey> {
        listed(self.read().by_name.get(name))
    }

    /// The PrivateServices that refer to one of that name, in any Kubernetes namespace and Environment.
    pub fn dependents(&self, name: &str) -> Vec<ObjectKey> {
        listed(self.read().by_reference.get(name))
    }

    /// The PrivateServices that refer to a ConfigMap.
    pub fn config_map_users(&self, config_map: &ObjectKey) -> Vec<ObjectKey> {
        listed(self.read().by_config_map.get(config_map))
    }

    /// The PrivateServices that refer to a Secret.
    pub fn secret_users(&self, secret: &ObjectKey) -> Vec<ObjectKey> {
        listed(self.read().by_secret.get(secret))
    }

    /// The PrivateServices that use an Environment.
    pub fn users(&self, environment: &str) -> Vec<ObjectKey> {
        listed(self.read().by_environment.get(environment))
    }

    /// How many PrivateServices use an Environment.
    pub fn user_count(&self, environment: &str) -> usize {
        self.read()
            .by_environment
            .get(environment)
            .map_or(0, BTreeSet::len)
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn take(&mut self, key: &ObjectKey) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        drop_from(&mut self.by_name, key.name.as_str(), key);
        for name in &entry.references {
            drop_from(&mut self.by_reference, name.as_str(), key);
        }
        for name in &entry.config_maps {
            drop_from(&mut self.by_config_map, &beside(key, name), key);
        }
        for name in &entry.secrets {
            drop_from(&mut self.by_secret, &beside(key, name), key);
        }
        if let Some(environment) = &entry.environment {
            drop_from(&mut self.by_environment, environment.as_str(), key);
        }
        Some(entry)
    }
}

/// What has this name in the namespace of an object.
pub fn beside(object: &ObjectKey, name: &str) -> ObjectKey {
    ObjectKey {
        namespace: object.namespace.clone(),
        name: name.to_owned(),
    }
}

fn add_to<K>(map: &mut HashMap<K, BTreeSet<ObjectKey>>, at: K, key: &ObjectKey)
where
    K: Eq + Hash,
{
    map.entry(at).or_default().insert(key.clone());
}

fn drop_from<K, Q>(map: &mut HashMap<K, BTreeSet<ObjectKey>>, at: &Q, key: &ObjectKey)
where
    K: Borrow<Q> + Eq + Hash,
    Q: Eq + Hash + ?Sized,
{
    if let Some(keys) = map.get_mut(at) {
        keys.remove(key);
        if keys.is_empty() {
            map.remove(at);
        }
    }
}

fn listed(keys: Option<&BTreeSet<ObjectKey>>) -> Vec<ObjectKey> {
    keys.map(|keys| keys.iter().cloned().collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(namespace: &str, name: &str) -> ObjectKey {
        ObjectKey {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    fn entry(environment: &str, references: &[&str]) -> Entry {
        Entry {
            environment: Some(environment.into()),
            references: references.iter().map(|&name| name.to_owned()).collect(),
            config_maps: BTreeSet::new(),
            secrets: BTreeSet::new(),
        }
    }

    #[test]
    fn objects_are_found_by_name_reference_and_environment() {
        let index = Index::default();
        index.put(&key("a", "api"), entry("staging", &["cache"]));
        index.put(&key("b", "api"), entry("staging", &["cache"]));
        index.put(&key("a", "cache"), entry("production", &[]));
        assert_eq!(index.namesakes("api"), [key("a", "api"), key("b", "api")]);
        assert_eq!(
            index.dependents("cache"),
            [key("a", "api"), key("b", "api")]
        );
        assert_eq!(index.users("staging"), [key("a", "api"), key("b", "api")]);
        assert_eq!(index.user_count("production"), 1);
    }

    #[test]
    fn what_an_object_no_longer_says_is_forgotten() {
        let index = Index::default();
        let api = key("a", "api");
        index.put(&api, entry("staging", &["cache"]));
        assert_eq!(
            index.put(&api, entry("production", &[])),
            Some(entry("staging", &["cache"]))
        );
        assert_eq!(index.users("staging"), []);
        assert_eq!(index.dependents("cache"), []);
        index.remove(&api);
        assert_eq!(index.namesakes("api"), []);
        assert_eq!(index.user_count("production"), 0);
    }

    #[test]
    fn a_config_map_is_used_by_services_of_its_own_namespace() {
        let index = Index::default();
        let using = Entry {
            config_maps: BTreeSet::from(["shop".to_owned()]),
            ..entry("staging", &[])
        };
        index.put(&key("a", "api"), using.clone());
        index.put(&key("b", "api"), using);
        assert_eq!(index.config_map_users(&key("a", "shop")), [key("a", "api")]);
        index.put(&key("a", "api"), entry("staging", &[]));
        assert_eq!(index.config_map_users(&key("a", "shop")), []);
        assert_eq!(index.config_map_users(&key("b", "shop")), [key("b", "api")]);
    }

    #[test]
    fn an_object_refers_to_the_config_maps_of_single_variables_and_of_whole_ones() {
        let mut object = PrivateService::default();
        object.spec = serde_json::from_value(serde_json::json!({
            "source": {},
            "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "one", "key": "a"}}}],
            "envFrom": [{"configMapRef": {"name": "two"}}],
        }))
        .unwrap();
        let names = ["one", "two"].map(String::from);
        assert_eq!(config_maps_of(&object), BTreeSet::from(names));
    }

    #[test]
    fn an_object_refers_to_the_secrets_of_variables_and_of_its_logging() {
        let mut object = PrivateService::default();
        object.spec = serde_json::from_value(serde_json::json!({
            "source": {},
            "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "one", "key": "a"}}}],
            "envFrom": [{"secretRef": {"name": "two"}}, {"configMapRef": {"name": "none"}}],
            "logging": {"axiom": {"dataset": "d", "token": {"secretKeyRef": {"name": "three", "key": "t"}}}},
        }))
        .unwrap();
        let names = ["one", "two", "three"].map(String::from);
        assert_eq!(secrets_of(&object), BTreeSet::from(names));
        let index = Index::default();
        index.put(&key("a", "api"), Entry::of(&object, None));
        assert_eq!(index.secret_users(&key("a", "two")), [key("a", "api")]);
        assert_eq!(index.secret_users(&key("b", "two")), []);
        index.remove(&key("a", "api"));
        assert_eq!(index.secret_users(&key("a", "two")), []);
    }

    #[test]
    fn an_object_uses_what_it_names_else_where_it_is_else_the_default() {
        let mut object = PrivateService::default();
        assert_eq!(environment_of(&object, None), None);
        assert_eq!(
            environment_of(&object, Some("default")).as_deref(),
            Some("default")
        );
        object.status.get_or_insert_default().environment = Some("first".into());
        assert_eq!(
            environment_of(&object, Some("default")).as_deref(),
            Some("first")
        );
        object.spec.environment = Some("named".into());
        assert_eq!(
            environment_of(&object, Some("default")).as_deref(),
            Some("named")
        );
    }
}
