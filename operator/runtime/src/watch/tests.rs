use super::*;
use crate::locked::Locked;
use futures::stream;
use kube::ResourceExt;
use kube::runtime::reflector;
use privateservice_api::PrivateService;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Clone, Default)]
struct Log(Arc<Locked<Vec<String>>>);

impl Listener<PrivateService> for Log {
    fn applied(&mut self, object: &PrivateService) {
        self.0.lock().push(format!("applied {}", object.name_any()));
    }

    fn gone(&mut self, key: &ObjectKey) {
        self.0.lock().push(format!("gone {}", key.name));
    }
}

fn object(name: &str, spec: &Value) -> Guarded<PrivateService> {
    let metadata = json!({"name": name, "namespace": "team-a", "uid": name});
    serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap()
}

fn good(name: &str) -> Guarded<PrivateService> {
    object(
        name,
        &json!({"source": {"image": {"name": "redis:alpine"}}}),
    )
}

fn bad(name: &str) -> Guarded<PrivateService> {
    object(name, &json!({"source": 5}))
}

/// Follows these events; yields what the listener heard, what is cached then, and what was refused.
async fn followed(
    events: Vec<Event<Guarded<PrivateService>>>,
) -> (Vec<String>, Vec<String>, Vec<String>) {
    let (store, writer) = reflector::store();
    let (refused, mut refusals) = mpsc::unbounded_channel();
    let log = Log::default();
    let events = stream::iter(events.into_iter().map(Ok));
    follow(
        "cache",
        events,
        writer,
        log.clone(),
        refused,
        Readiness::default(),
    )
    .await;
    let mut cached: Vec<String> = store
        .state()
        .iter()
        .map(|object| object.name_any())
        .collect();
    cached.sort();
    let mut names = vec![];
    while let Some(malformed) = refusals.recv().await {
        names.extend(malformed.metadata.name);
    }
    let heard = log.0.lock().clone();
    (heard, cached, names)
}

fn list(objects: Vec<Guarded<PrivateService>>) -> Vec<Event<Guarded<PrivateService>>> {
    let objects = objects.into_iter().map(Event::InitApply);
    std::iter::once(Event::Init)
        .chain(objects)
        .chain([Event::InitDone])
        .collect()
}

#[tokio::test]
async fn an_object_that_vanished_between_two_lists_is_heard_of() {
    let events = [list(vec![good("a")]), list(vec![good("b")])].concat();
    let (heard, cached, _) = followed(events).await;
    assert_eq!(heard, ["applied a", "gone a", "applied b"]);
    assert_eq!(cached, ["b"]);
}

#[tokio::test]
async fn a_malformed_object_is_refused_and_stops_nothing() {
    let mut events = list(vec![bad("broken"), good("a")]);
    events.push(Event::Apply(good("b")));
    let (heard, cached, refused) = followed(events).await;
    assert_eq!(heard, ["applied a", "applied b"]);
    assert_eq!(cached, ["a", "b"]);
    assert_eq!(refused, ["broken"]);
}

#[tokio::test]
async fn an_object_that_becomes_malformed_leaves_the_cache() {
    let mut events = list(vec![good("a")]);
    events.push(Event::Apply(bad("a")));
    let (heard, cached, refused) = followed(events).await;
    assert_eq!(heard, ["applied a", "gone a"]);
    assert_eq!((cached, refused), (vec![], vec!["a".to_owned()]));
}

#[tokio::test]
async fn a_deleted_object_leaves_the_cache() {
    let mut events = list(vec![good("a"), good("b")]);
    events.push(Event::Delete(good("a")));
    let (heard, cached, _) = followed(events).await;
    assert_eq!(heard.last().map(String::as_str), Some("gone a"));
    assert_eq!(cached, ["b"]);
}
