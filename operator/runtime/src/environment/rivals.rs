//! Which of two Environments of the same place wins. Pure.

use kube::ResourceExt;
use privateservice_api::Environment;
use privateservice_core::environment::OtherEnvironments;
use privateservice_core::names;
use std::sync::Arc;

/// All Environments.
pub(super) struct Rivals(pub(super) Vec<Arc<Environment>>);

impl OtherEnvironments for Rivals {
    fn rival(&self, environment: &Environment) -> Option<String> {
        self.0
            .iter()
            .filter(|other| other.name_any() != environment.name_any())
            .filter(|other| place(other) == place(environment))
            .filter(|other| rank(other) < rank(environment))
            .min_by_key(|other| rank(other))
            .map(|other| other.name_any())
    }
}

/// Nobody, for an Environment that is being deleted: whoever comes after waits for it.
pub(super) struct NoRivals;

impl OtherEnvironments for NoRivals {
    fn rival(&self, _environment: &Environment) -> Option<String> {
        None
    }
}

/// Account, Region, VPC and namespace. Two Environments that share all four would write the same names.
fn place(environment: &Environment) -> (Option<&str>, &str, &str, &str) {
    let spec = &environment.spec;
    let cluster = spec
        .existing
        .as_ref()
        .and_then(|existing| existing.cluster_arn.as_deref());
    let account = spec
        .account_id
        .as_deref()
        .or_else(|| cluster.and_then(names::account_of));
    (account, &spec.region, &spec.network.vpc_id, &spec.namespace)
}

/// The older wins, then the one whose name comes first.
fn rank(environment: &Environment) -> (i64, String) {
    let created = environment
        .metadata
        .creation_timestamp
        .as_ref()
        .map_or(i64::MAX, |time| time.0.as_second());
    (created, environment.name_any())
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use k8s_openapi::jiff::Timestamp;

    fn environment(name: &str, created: i64, namespace: &str) -> Arc<Environment> {
        let mut environment = Environment::default();
        environment.metadata.name = Some(name.into());
        environment.metadata.creation_timestamp =
            Some(Time(Timestamp::from_second(created).unwrap()));
        environment.spec.namespace = namespace.into();
        environment.spec.region = "us-east-1".into();
        environment
            .spec
            .existing
            .get_or_insert_default()
            .cluster_arn = Some("arn:aws:ecs:us-east-1:111122223333:cluster/main".into());
        Arc::new(environment)
    }

    #[test]
    fn the_older_environment_wins_then_the_first_by_name() {
        let all = Rivals(vec![
            environment("c", 1, "one.internal"),
            environment("b", 2, "one.internal"),
            environment("a", 2, "one.internal"),
        ]);
        assert_eq!(all.rival(&all.0[0]), None);
        assert_eq!(all.rival(&all.0[1]).as_deref(), Some("c"));
        assert_eq!(all.rival(&all.0[2]).as_deref(), Some("c"));
        let without_winner = Rivals(all.0[1..].to_vec());
        assert_eq!(without_winner.rival(&all.0[1]).as_deref(), Some("a"));
        assert_eq!(without_winner.rival(&all.0[2]), None);
    }

    #[test]
    fn environments_of_different_places_are_no_rivals() {
        let older = environment("old", 1, "one.internal");
        let other_namespace = environment("new", 2, "two.internal");
        let mut other_account = (*environment("new", 2, "one.internal")).clone();
        other_account
            .spec
            .existing
            .get_or_insert_default()
            .cluster_arn = Some("arn:aws:ecs:us-east-1:444455556666:cluster/main".into());
        let all = Rivals(vec![older]);
        assert_eq!(all.rival(&other_namespace), None);
        assert_eq!(all.rival(&other_account), None);
    }
}
