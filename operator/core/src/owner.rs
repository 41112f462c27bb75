//! Ownership: who a thing in AWS belongs to. Read from tags, never guessed from names.

use privateservice_api::meta;
use serde::Serialize;
use std::collections::BTreeMap;

/// The owner of a thing in AWS: this installation (`--cluster-id`) and the object's namespace and name.
///
/// The uid is not part of it: a restored backup or a rebuilt cluster with the same cluster id finds its services again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Owner {
    /// `--cluster-id` of the installation.
    pub cluster_id: String,
    /// Kubernetes namespace of the PrivateService.
    pub namespace: String,
    /// Name of the PrivateService.
    pub name: String,
}

impl Owner {
    /// The value of the ownership tag: `<cluster id>/<namespace>/<name>`.
    pub fn tag_value(&self) -> String {
        format!("{}/{}/{}", self.cluster_id, self.namespace, self.name)
    }

    /// The keys of the tags that say so: without them a thing is nobody's.
    pub const TAG_KEYS: [&str; 3] = [meta::TAG_OWNER, meta::TAG_CLUSTER_ID, meta::TAG_ENVIRONMENT];

    /// The owner whom a set of tags names, if any.
    pub fn from_tags(tags: &BTreeMap<String, String>) -> Option<Self> {
        let mut parts = tags.get(meta::TAG_OWNER)?.rsplitn(3, '/');
        let (name, namespace, cluster_id) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            cluster_id: cluster_id.into(),
            namespace: namespace.into(),
            name: name.into(),
        })
    }

    /// The tags that say so, for everything this owner has in AWS.
    pub fn tags(&self, environment: &str) -> BTreeMap<String, String> {
        BTreeMap::from([
            (meta::TAG_OWNER.into(), self.tag_value()),
            (meta::TAG_CLUSTER_ID.into(), self.cluster_id.clone()),
            (meta::TAG_ENVIRONMENT.into(), environment.into()),
        ])
    }
}

/// A PrivateService's namespace and name, as the key by which the runtime wakes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ObjectKey {
    /// Kubernetes namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl std::fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_the_owner_it_was_made_from_even_with_slashes_in_the_cluster_id() {
        let owner = Owner {
            cluster_id: "eu/prod".into(),
            namespace: "team-a".into(),
            name: "api".into(),
        };
        assert_eq!(Owner::from_tags(&owner.tags("staging")), Some(owner));
    }

    #[test]
    fn tags_of_somebody_else_name_no_owner() {
        let tags = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
        assert_eq!(Owner::from_tags(&tags), None);
    }
}
