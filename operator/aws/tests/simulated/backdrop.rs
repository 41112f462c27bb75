//! A minimal Cloud Map and STS for the simulator to stand on: stores services and tags, judges nothing. Other services answer what
//! they were told to.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Shelf {
    services: BTreeMap<String, Value>,
    tags: BTreeMap<String, BTreeMap<String, String>>,
    instances: BTreeMap<String, usize>,
    made: usize,
    /// Answers to forms, by their action: status and XML.
    forms: BTreeMap<String, (u16, String)>,
}

/// Handle to what is stored.
#[derive(Clone, Default)]
pub(crate) struct Backdrop(Arc<Mutex<Shelf>>);

pub(crate) const NAMESPACE: &str = "ns-1";

impl Backdrop {
    /// Serves on a free port; the URL.
    pub(crate) async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(post(answer))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        url
    }

    /// Makes a service behind everybody's back; its ARN.
    pub(crate) fn put(
        &self,
        name: &str,
        description: Option<&str>,
        tags: &[(&str, &str)],
    ) -> String {
        let tags: Vec<Value> = tags
            .iter()
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        let mut body = json!({"Name": name, "NamespaceId": NAMESPACE, "Tags": tags});
        if let Some(description) = description {
            body["Description"] = json!(description);
        }
        let (_, made) = self.create(&body);
        made["Service"]["Arn"].as_str().unwrap().to_owned()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let stored = self.0.lock().unwrap();
        stored
            .services
            .values()
            .map(|one| one["Name"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) fn tags(&self, arn: &str) -> BTreeMap<String, String> {
        self.0
            .lock()
            .unwrap()
            .tags
            .get(arn)
            .cloned()
            .unwrap_or_default()
    }

    pub(crate) fn set_instances(&self, arn: &str, count: usize) {
        let id = arn.rsplit('/').next().unwrap().to_owned();
        self.0.lock().unwrap().instances.insert(id, count);
    }

    /// Answers a form of that action with this status and XML from now on.
    pub(crate) fn on_form(&self, action: &str, status: u16, xml: &str) {
        let mut stored = self.0.lock().unwrap();
        stored.forms.insert(action.into(), (status, xml.into()));
    }

    fn form(&self, body: &str) -> Option<(StatusCode, String)> {
        let action = body
            .split('&')
            .find_map(|pair| pair.strip_prefix("Action="))?;
        let (status, xml) = self.0.lock().unwrap().forms.get(action).cloned()?;
        Some((StatusCode::from_u16(status).unwrap(), xml))
    }

    pub(crate) fn remove(&self, arn: &str) {
        let id = arn.rsplit('/').next().unwrap();
        self.0.lock().unwrap().services.remove(id);
    }

    fn create(&self, body: &Value) -> (StatusCode, Value) {
        let mut stored = self.0.lock().unwrap();
        stored.made += 1;
        let id = format!("srv-{}", stored.made);
        let arn = format!("arn:aws:servicediscovery:us-east-1:111122223333:service/{id}");
        let mut service = body.clone();
        let tags = service
            .as_object_mut()
            .unwrap()
            .remove("Tags")
            .unwrap_or_default();
        service["Id"] = json!(id);
        service["Arn"] = json!(arn);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let tags = tags.as_array().cloned().unwrap_or_default();
        let tags = tags
            .iter()
            .map(|tag| (text(&tag["Key"]), text(&tag["Value"])))
            .collect();
        stored.tags.insert(arn, tags);
        stored.services.insert(id, service.clone());
        (StatusCode::OK, json!({"Service": service}))
    }

    fn call(&self, operation: &str, body: &Value) -> (StatusCode, Value) {
        let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
        let ok = |value: Value| (StatusCode::OK, value);
        let missing = |code: &str| (StatusCode::BAD_REQUEST, json!({"__type": code}));
        if operation == "CreateService" {
            return self.create(body);
        }
        let mut stored = self.0.lock().unwrap();
        match operation {
            "ListServices" => ok(json!({"Services": stored.services.values().collect::<Vec<_>>()})),
            "GetService" => match stored.services.get(&text("Id")) {
                Some(service) => ok(json!({"Service": service})),
                None => missing("ServiceNotFound"),
            },
            "DeleteService" => match stored.services.remove(&text("Id")) {
                Some(_) => ok(json!({})),
                None => missing("ServiceNotFound"),
            },
            "ListInstances" => {
                let count = stored
                    .instances
                    .get(&text("ServiceId"))
                    .copied()
                    .unwrap_or_default();
                ok(json!({"Instances": vec![json!({"Id": "i"}); count]}))
            }
            "ListTagsForResource" => {
                let arn = text("ResourceARN");
                let id = arn.rsplit('/').next().unwrap_or_default();
                if !stored.services.contains_key(id) {
                    return missing("ResourceNotFoundException");
                }
                let tags = stored.tags.get(&arn).cloned().unwrap_or_default();
                let tags: Vec<Value> = tags
                    .iter()
                    .map(|(key, value)| json!({"Key": key, "Value": value}))
                    .collect();
                ok(json!({"Tags": tags}))
            }
            "UntagResource" => {
                let keys = body["TagKeys"].as_array().cloned().unwrap_or_default();
                if let Some(tags) = stored.tags.get_mut(&text("ResourceARN")) {
                    tags.retain(|key, _| !keys.contains(&json!(key)));
                }
                ok(json!({}))
            }
            "GetNamespace" if text("Id") == NAMESPACE => ok(json!({"Namespace": {
                "Id": NAMESPACE,
                "Arn": format!("arn:aws:servicediscovery:us-east-1:111122223333:namespace/{NAMESPACE}"),
                "Name": "flexstack.internal",
                "Type": "DNS_PRIVATE",
            }})),
            "GetNamespace" => missing("NamespaceNotFound"),
            _ => (StatusCode::NOT_IMPLEMENTED, json!({"__type": operation})),
        }
    }
}

const IDENTITY: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/test</Arn><UserId>test</UserId>\
    <Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

async fn answer(
    State(backdrop): State<Backdrop>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let Some(target) = headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
    else {
        let form = backdrop.form(&body);
        return form.unwrap_or((StatusCode::OK, IDENTITY.to_owned()));
    };
    let operation = target.rsplit('.').next().unwrap();
    let body = serde_json::from_str(&body).unwrap_or_default();
    let (status, value) = backdrop.call(operation, &body);
    (status, value.to_string())
}
