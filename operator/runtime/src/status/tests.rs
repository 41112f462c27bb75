use super::*;
use privateservice_api::{PrivateService, PrivateServiceStatus};

fn written(uid: &str, version: &str, arn: &str) -> Written<PrivateServiceStatus> {
    Written {
        uid: Some(uid.into()),
        resource_version: Some(version.into()),
        status: status(arn),
    }
}

fn status(arn: &str) -> PrivateServiceStatus {
    PrivateServiceStatus {
        service_arn: Some(arn.into()),
        ..PrivateServiceStatus::default()
    }
}

fn object(uid: &str, version: &str, arn: &str) -> PrivateService {
    let mut object = PrivateService::default();
    object.metadata.name = Some("cache".into());
    object.metadata.namespace = Some("team-a".into());
    object.metadata.uid = Some(uid.into());
    object.metadata.resource_version = Some(version.into());
    object.status = Some(status(arn));
    object
}

/// The status to go on from, after `last` was written and the cache holds `cached`.
fn current(last: Written<PrivateServiceStatus>, cached: &PrivateService) -> Option<String> {
    let mut all = HashMap::from([(kind::key(cached), last)]);
    newest(&mut all, cached).service_arn
}

#[test]
fn a_cache_that_is_behind_our_write_does_not_hide_it() {
    let cached = object("u", "99", "old");
    assert_eq!(
        current(written("u", "100", "new"), &cached).as_deref(),
        Some("new")
    );
}

#[test]
fn a_cache_that_has_caught_up_is_believed() {
    for version in ["100", "101"] {
        let cached = object("u", version, "cached");
        assert_eq!(
            current(written("u", "100", "ours"), &cached).as_deref(),
            Some("cached")
        );
    }
}

#[test]
fn another_object_of_the_same_name_starts_from_its_own_status() {
    let cached = object("v", "99", "its own");
    assert_eq!(
        current(written("u", "100", "ours"), &cached).as_deref(),
        Some("its own")
    );
}

#[test]
fn a_request_holds_identity_and_status_and_nothing_else() {
    let status = status("arn");
    let body = Body {
        api_version: "flexstack.dev/v1alpha1",
        kind: "PrivateService",
        metadata: Identity {
            name: "cache",
            namespace: Some("team-a"),
            uid: Some("u"),
        },
        status: &status,
    };
    assert_eq!(
        serde_json::to_value(&body).unwrap(),
        serde_json::json!({
            "apiVersion": "flexstack.dev/v1alpha1",
            "kind": "PrivateService",
            "metadata": {"name": "cache", "namespace": "team-a", "uid": "u"},
            "status": {"serviceArn": "arn"},
        })
    );
}
