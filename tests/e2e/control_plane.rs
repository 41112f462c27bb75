//! The control plane is what the other tests take it for.

use std::time::Duration;

use anyhow::bail;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::Api;
use kube::api::{DeleteParams, ObjectMeta, PostParams};
use privateservice_tests::{ControlPlane, eventually, shared};

/// The namespace controller waits five seconds before it looks at a deletion; a busy machine gets more.
const DELETION_DEADLINE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn the_api_server_is_the_pinned_version() {
    let plane = shared().await.unwrap();
    let version = plane
        .client()
        .await
        .unwrap()
        .apiserver_version()
        .await
        .unwrap();
    assert_eq!(version.git_version, "v1.37.2");
}

#[tokio::test]
async fn kubectl_agrees_with_the_server_and_reads_its_input() {
    let plane = shared().await.unwrap();
    let version = plane.kubectl(&["version"], "").await.unwrap();
    assert!(
        version.success() && version.stderr.is_empty(),
        "{version:?}"
    );
    assert!(
        version.stdout.contains("Client Version: v1.37.2"),
        "{version:?}"
    );
    assert!(
        version.stdout.contains("Server Version: v1.37.2"),
        "{version:?}"
    );

    let namespace = plane.namespace("kubectl").await.unwrap();
    let manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: mode}, data: {mode: fast}}";
    let apply = ["apply", "--server-side", "-n", &namespace, "-f", "-"];
    plane.kubectl(&apply, manifest).await.unwrap().ok().unwrap();
    let get = [
        "get",
        "configmap",
        "mode",
        "-n",
        &namespace,
        "-o",
        "jsonpath={.data.mode}",
    ];
    assert_eq!(plane.kubectl(&get, "").await.unwrap().ok().unwrap(), "fast");

    let refused = plane
        .kubectl(&["get", "configmap", "none", "-n", &namespace], "")
        .await
        .unwrap();
    assert!(
        !refused.success() && refused.stderr.contains("NotFound"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_deleted_namespace_goes_with_what_is_in_it() {
    let plane = shared().await.unwrap();
    let client = plane.client().await.unwrap();
    let name = plane.namespace("gone").await.unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &name);
    let map = ConfigMap {
        metadata: ObjectMeta {
            name: Some("left".into()),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    };
    maps.create(&PostParams::default(), &map).await.unwrap();

    let namespaces: Api<Namespace> = Api::all(client);
    namespaces
        .delete(&name, &DeleteParams::default())
        .await
        .unwrap();
    eventually(
        DELETION_DEADLINE,
        "the namespace to be gone",
        async || match namespaces.get_opt(&name).await? {
            None => Ok(()),
            Some(left) => bail!("{:?}", left.status),
        },
    )
    .await
    .unwrap();
    assert!(maps.get_opt("left").await.unwrap().is_none());
}

#[tokio::test]
async fn a_restart_can_lose_everything_but_the_address() {
    let mut plane = ControlPlane::start().await.unwrap();
    let address = plane.server();
    let name = plane.namespace("lost").await.unwrap();
    plane.restart_empty().await.unwrap();
    assert_eq!(plane.server(), address);
    let namespaces: Api<Namespace> = Api::all(plane.client().await.unwrap());
    assert!(namespaces.get_opt(&name).await.unwrap().is_none());
    assert!(namespaces.get_opt("default").await.unwrap().is_some());

    let folder = plane.folder().to_path_buf();
    drop(plane);
    assert!(!folder.exists(), "{} is left over", folder.display());
}
