//! What the API server keeps of what a user applied, and what kubectl shows of it.

use kube::Api;
use kube::api::{Patch, PatchParams};
use privateservice_api::{PrivateService, PrivateServiceStatus};
use privateservice_tests::command::repository;
use privateservice_tests::shared;
use serde_json::{Value, json};

/// Every example users are given, applied as they would apply it: accepted without a warning, and
/// kept as it is. A default in the schema would show here, and in every GitOps tool, as a difference.
#[tokio::test]
async fn examples_are_kept_as_they_are() {
    let plane = shared().await.unwrap();
    let namespace = plane.namespace("kept").await.unwrap();
    let config = repository().join("config");
    let folders = [
        "samples",
        "samples/logging",
        "samples/scaling",
        "samples/variables",
    ];
    let mut files: Vec<_> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(config.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    assert!(files.len() >= 15, "{files:?}");
    files.push(config.join("environment-example.yaml"));
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        // What the object refers to stands before it.
        let (before, text) = text.rsplit_once("\n---\n").unwrap_or(("", &text));
        if !before.is_empty() {
            let apply = ["apply", "-n", &namespace, "-f", "-"];
            plane.kubectl(&apply, before).await.unwrap().ok().unwrap();
        }
        let applied: Value = serde_saphyr::from_str(text).unwrap();
        let is_service = applied["kind"] == "PrivateService";
        // An Environment is nobody's namespace; a dry run answers what would be kept, too.
        let args: &[&str] = if is_service {
            &["apply", "-n", &namespace, "-o", "json", "-f", "-"]
        } else {
            &["apply", "--dry-run=server", "-o", "json", "-f", "-"]
        };
        let answer = plane.kubectl(args, text).await.unwrap();
        assert_eq!(answer.stderr, "", "{}", file.display());
        let kept: Value = serde_json::from_str(&answer.ok().unwrap()).unwrap();
        assert_eq!(kept["spec"], applied["spec"], "{}", file.display());
        assert_eq!(
            kept["status"],
            json!({"observedGeneration": -1}),
            "{}",
            file.display()
        );
    }
}

#[tokio::test]
async fn the_status_default_gives_way_to_a_status() {
    let plane = shared().await.unwrap();
    let namespace = plane.namespace("status").await.unwrap();
    let api: Api<PrivateService> = Api::namespaced(plane.client().await.unwrap(), &namespace);
    let manifest = "{apiVersion: flexstack.dev/v1alpha1, kind: PrivateService, metadata: {name: api}, \
        spec: {source: {image: {name: x}}}}";
    let apply = ["apply", "-n", &namespace, "-f", "-"];
    plane.kubectl(&apply, manifest).await.unwrap().ok().unwrap();
    let unseen = api.get("api").await.unwrap();
    assert_eq!(unseen.status.unwrap().observed_generation, Some(-1));

    let status = json!({
        "apiVersion": "flexstack.dev/v1alpha1", "kind": "PrivateService",
        "status": PrivateServiceStatus { observed_generation: Some(1), ..PrivateServiceStatus::default() },
    });
    let manager = PatchParams::apply("privateservice-operator").force();
    api.patch_status("api", &manager, &Patch::Apply(&status))
        .await
        .unwrap();
    // A user who applies again takes nothing of it away.
    plane.kubectl(&apply, manifest).await.unwrap().ok().unwrap();
    let seen = api.get("api").await.unwrap();
    assert_eq!(seen.status.unwrap().observed_generation, Some(1));
}

#[tokio::test]
async fn an_unknown_field_is_named() {
    let plane = shared().await.unwrap();
    let manifest = "{apiVersion: flexstack.dev/v1alpha1, kind: PrivateService, metadata: {name: api}, \
        spec: {source: {image: {name: x}, github: {repository: acme/shop}}}}";
    let answer = plane
        .kubectl(&["apply", "--dry-run=server", "-f", "-"], manifest)
        .await
        .unwrap();
    assert!(!answer.success());
    assert!(
        answer
            .stderr
            .contains("unknown field \"spec.source.github\""),
        "{answer:?}"
    );
}

#[tokio::test]
async fn columns_and_short_names() {
    let plane = shared().await.unwrap();
    let namespace = plane.namespace("columns").await.unwrap();
    let manifest = "{apiVersion: flexstack.dev/v1alpha1, kind: PrivateService, metadata: {name: api}, \
        spec: {source: {image: {name: x}}}}";
    plane
        .kubectl(&["apply", "-n", &namespace, "-f", "-"], manifest)
        .await
        .unwrap()
        .ok()
        .unwrap();
    let columns = async |args: &[&str]| -> Vec<String> {
        let table = plane.kubectl(args, "").await.unwrap().ok().unwrap();
        table
            .lines()
            .next()
            .unwrap()
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    let narrow = [
        "NAME", "READY", "PHASE", "DESIRED", "RUNNING", "ENDPOINT", "AGE",
    ];
    assert_eq!(columns(&["get", "psvc", "-n", &namespace]).await, narrow);
    let wide = [
        "IMAGE",
        "TASKDEFINITION",
        "ARCHITECTURE",
        "CAPACITY",
        "REASON",
    ];
    assert_eq!(
        columns(&["get", "psvc", "-n", &namespace, "-o", "wide"]).await,
        [&narrow[..], &wide].concat()
    );
    assert!(
        plane
            .kubectl(&["get", "psenv"], "")
            .await
            .unwrap()
            .success()
    );
}
