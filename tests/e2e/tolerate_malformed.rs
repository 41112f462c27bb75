//! An object that does not parse, as an older or a loosened schema lets in: the others do not notice.

use kube::Api;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use privateservice_api::PrivateService;
use privateservice_tests::command::repository;
use privateservice_tests::{Options, World};
use serde_json::json;

#[tokio::test]
async fn an_object_that_does_not_parse_stops_nobody_else() {
    let mut world = World::start(Options::default()).await.unwrap();
    world.loosen_schema().await.unwrap();
    let broken = json!({
        "apiVersion": "flexstack.dev/v1alpha1", "kind": "PrivateService",
        "metadata": {"name": "broken", "namespace": world.namespace},
        "spec": {"environment": "staging", "source": "what is this"},
    });
    let resource = ApiResource::erase::<PrivateService>(&());
    let objects: Api<DynamicObject> =
        Api::namespaced_with(world.client.clone(), &world.namespace, &resource);
    let params = PatchParams::apply("tests");
    objects
        .patch("broken", &params, &Patch::Apply(&broken))
        .await
        .unwrap();

    world
        .apply_service("web", "{source: {image: {name: 'nginx:1'}}}")
        .await
        .unwrap();
    world.ready("web").await.unwrap();
    // And the same for an operator that finds it there when it starts.
    world.kill_operator();
    world.start_operator().await.unwrap();
    world
        .apply_service("web", "{source: {image: {name: 'nginx:2'}}}")
        .await
        .unwrap();
    world.ready("web").await.unwrap();

    objects
        .delete("broken", &kube::api::DeleteParams::default())
        .await
        .unwrap();
    world
        .plane()
        .unwrap()
        .install_crds(&repository().join("crds"))
        .await
        .unwrap();
    world.finish().await.unwrap();
}
