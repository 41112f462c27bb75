//! What `kubectl apply` says: the rules of the CRDs against the real API server, by its own words.
//!
//! Nearly all of it is dry runs; what is kept (to try a change on it) goes again at the end.

mod change;
mod environment;
mod kept;
mod resources;
mod scaling;
mod service;

use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, PostParams};
use privateservice_api::{Environment, PrivateService};
use privateservice_tests::shared;
use serde_json::{Value, json};

/// Which kind a table is about.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Service,
    Environment,
}

impl Kind {
    fn resource(self) -> ApiResource {
        match self {
            Self::Service => ApiResource::erase::<PrivateService>(&()),
            Self::Environment => ApiResource::erase::<Environment>(&()),
        }
    }

    /// Access to this kind; services in a namespace of their own.
    async fn api(self) -> Api<DynamicObject> {
        let plane = shared().await.unwrap();
        let client = plane.client().await.unwrap();
        match self {
            Self::Service => {
                let namespace = plane.namespace("admit").await.unwrap();
                Api::namespaced_with(client, &namespace, &self.resource())
            }
            Self::Environment => Api::all_with(client, &self.resource()),
        }
    }

    fn object(self, spec: &Value) -> DynamicObject {
        let resource = self.resource();
        serde_json::from_value(json!({
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"generateName": "admit-"},
            "spec": spec,
        }))
        .unwrap()
    }
}

/// One line of a table: YAML to lay over the smallest spec that works, and what the answer must
/// contain. No words: it must be accepted.
type Case<'a> = (&'a str, &'a [&'a str]);

const ACCEPTED: &[&str] = &[];

/// Tries every case on a new object and reports all that went wrong at once.
async fn check(kind: Kind, base: &str, cases: &[Case<'_>]) {
    let api = kind.api().await;
    let mut wrong = Vec::new();
    for (change, words) in cases {
        let object = kind.object(&laid_over(yaml(base), yaml(change)));
        let answer = api.create(&dry_run(), &object).await;
        wrong.extend(judge(change, words, answer));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Tries every change of an existing object: the specs before and after, laid over the base.
async fn check_changes(kind: Kind, base: &str, cases: &[(&str, &str, &[&str])]) {
    let api = kind.api().await;
    let mut wrong = Vec::new();
    for (before, after, words) in cases {
        let what = format!("{before} -> {after}");
        let object = kind.object(&laid_over(yaml(base), yaml(before)));
        let mut kept = api
            .create(&PostParams::default(), &object)
            .await
            .expect(&what);
        let name = kept.metadata.name.clone().unwrap();
        kept.data["spec"] = laid_over(yaml(base), yaml(after));
        let answer = api.replace(&name, &dry_run(), &kept).await;
        api.delete(&name, &DeleteParams::default()).await.unwrap();
        wrong.extend(judge(&what, words, answer));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn judge(what: &str, words: &[&str], answer: kube::Result<DynamicObject>) -> Option<String> {
    match answer {
        Ok(_) if words.is_empty() => None,
        Ok(_) => Some(format!("{what}\n    was accepted; expected {words:?}")),
        Err(kube::Error::Api(status)) => {
            let said_all = words.iter().all(|word| status.message.contains(word));
            (words.is_empty() || !said_all || status.code != 422).then(|| {
                format!(
                    "{what}\n    was refused with {}\n    expected {words:?}",
                    status.message
                )
            })
        }
        Err(other) => Some(format!("{what}\n    got no answer: {other}")),
    }
}

fn dry_run() -> PostParams {
    PostParams {
        dry_run: true,
        ..PostParams::default()
    }
}

fn yaml(text: &str) -> Value {
    if text.is_empty() {
        json!({})
    } else {
        serde_saphyr::from_str(text).expect(text)
    }
}

/// A JSON merge patch: objects merge, null removes, anything else replaces.
fn laid_over(mut base: Value, change: Value) -> Value {
    let (Value::Object(fields), Value::Object(changes)) = (&mut base, &change) else {
        return change;
    };
    for (key, value) in changes {
        if value.is_null() {
            fields.remove(key);
        } else {
            let old = fields.remove(key).unwrap_or(Value::Null);
            fields.insert(key.clone(), laid_over(old, value.clone()));
        }
    }
    base
}

#[test]
fn a_layer_merges_replaces_and_removes() {
    let merged = laid_over(
        json!({"a": {"b": 1, "c": 2}, "d": [1]}),
        json!({"a": {"b": null}, "d": [2]}),
    );
    assert_eq!(merged, json!({"a": {"c": 2}, "d": [2]}));
}
