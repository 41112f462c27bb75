//! Cloud Map's rules that the stand-in behind does not keep. In: a Cloud Map call. Out: its answer,
//! mended. Does IO through [`Upstream`]. Invariant: a name is used once in a namespace, a service
//! with instances is not deleted, a filter filters and a page ends.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::errors::AwsError;
use crate::forward::Upstream;

/// What the stand-in forgets or cannot be asked for cheaply.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Creator request ids by service or namespace id.
    creators: HashMap<String, String>,
    /// Service ids by namespace and lower-case name; read once, then kept by every create and delete.
    names: Option<HashMap<(String, String), String>>,
}

/// Operations answered here rather than passed on.
pub(crate) fn is_mended(operation: &str) -> bool {
    matches!(
        operation,
        "CreateService"
            | "DeleteService"
            | "GetService"
            | "ListServices"
            | "ListNamespaces"
            | "ListInstances"
            | "CreateHttpNamespace"
            | "CreatePrivateDnsNamespace"
            | "CreatePublicDnsNamespace"
    )
}

/// Calls with at most one mended write in flight, because name checks and writes are two calls.
pub(crate) struct Mended<'a> {
    pub(crate) upstream: &'a Upstream,
    pub(crate) access_key: Option<&'a str>,
    pub(crate) memory: &'a mut Memory,
}

impl Mended<'_> {
    async fn ask(&self, operation: &str, body: &Value) -> Result<Value, AwsError> {
        self.upstream
            .cloud_map(operation, body, self.access_key)
            .await
    }

    async fn items(
        &self,
        operation: &str,
        member: &str,
        body: &Value,
    ) -> Result<Vec<Value>, AwsError> {
        Ok(self.ask(operation, body).await?[member]
            .as_array()
            .cloned()
            .unwrap_or_default())
    }

    pub(crate) async fn answer(
        &mut self,
        operation: &str,
        body: &Value,
    ) -> Result<Value, AwsError> {
        match operation {
            "CreateService" => self.create_service(body).await,
            "DeleteService" => self.delete_service(body).await,
            "GetService" => self.get_service(body).await,
            "ListServices" => {
                let all = self.items("ListServices", "Services", &json!({})).await?;
                let kept = filtered(all, &body["Filters"], service_field)?;
                page(body, kept, "Services")
            }
            "ListNamespaces" => {
                let all = self
                    .items("ListNamespaces", "Namespaces", &json!({}))
                    .await?;
                let kept = filtered(all, &body["Filters"], namespace_field)?;
                page(body, kept, "Namespaces")
            }
            "ListInstances" => {
                let asked = json!({"ServiceId": body["ServiceId"]});
                let all = self.items("ListInstances", "Instances", &asked).await?;
                page(body, all, "Instances")
            }
            _ => self.create_namespace(operation, body).await,
        }
    }

    /// The id at the end of an ARN; newer APIs accept either.
    fn id(value: &Value) -> String {
        let text = value.as_str().unwrap_or_default();
        text.rsplit('/').next().unwrap_or(text).to_owned()
    }

    async fn create_service(&mut self, body: &Value) -> Result<Value, AwsError> {
        let name = body["Name"].as_str().unwrap_or_default();
        let namespace = Self::id(match &body["NamespaceId"] {
            Value::Null => &body["DnsConfig"]["NamespaceId"],
            given => given,
        });
        if name.is_empty() {
            return Err(AwsError::new("InvalidInput", "Name is required"));
        }
        let creator = body["CreatorRequestId"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        // DNS names do not tell upper from lower case (Cloud Map API reference, CreateService).
        let key = (namespace.clone(), name.to_lowercase());
        let taken = match self.names().await?.get(&key).cloned() {
            None => None,
            Some(id) => match self.ask("GetService", &json!({"Id": id})).await {
                Ok(found) => Some(found["Service"].clone()),
                Err(error) if error.code == "ServiceNotFound" => None,
                Err(error) => return Err(error),
            },
        };
        if let Some(taken) = taken {
            let id = taken["Id"].as_str().unwrap_or_default().to_owned();
            let maker = self.memory.creators.get(&id).cloned().unwrap_or_default();
            if !creator.is_empty() && maker == creator {
                return Ok(json!({"Service": self.shown(taken)}));
            }
            return Err(
                AwsError::new("ServiceAlreadyExists", "Service already exists.")
                    .with("ServiceId", id)
                    .with("ServiceArn", taken["Arn"].clone())
                    .with("CreatorRequestId", maker),
            );
        }
        let mut asked = body.clone();
        asked["NamespaceId"] = json!(namespace);
        let made = self.ask("CreateService", &asked).await?;
        let id = made["Service"]["Id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        self.memory.creators.insert(id.clone(), creator);
        self.names().await?.insert(key, id);
        Ok(json!({"Service": self.shown(made["Service"].clone())}))
    }

    async fn names(&mut self) -> Result<&mut HashMap<(String, String), String>, AwsError> {
        if self.memory.names.is_none() {
            let all = self.items("ListServices", "Services", &json!({})).await?;
            let text = |one: &Value, member: &str| one[member].as_str().unwrap_or("").to_owned();
            let named = all.iter().map(|one| {
                let key = (text(one, "NamespaceId"), text(one, "Name").to_lowercase());
                (key, text(one, "Id"))
            });
            self.memory.names = Some(named.collect());
        }
        Ok(self.memory.names.get_or_insert_default())
    }

    fn shown(&self, mut service: Value) -> Value {
        if let Some(creator) = service["Id"]
            .as_str()
            .and_then(|id| self.memory.creators.get(id))
        {
            service["CreatorRequestId"] = json!(creator);
        }
        let has_dns = service["DnsConfig"].is_object();
        service["Type"] = json!(if has_dns { "DNS_HTTP" } else { "HTTP" });
        if let Some(members) = service.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        service
    }

    async fn get_service(&self, body: &Value) -> Result<Value, AwsError> {
        let id = Self::id(&body["Id"]);
        let found = self.ask("GetService", &json!({"Id": id})).await?;
        let instances = self
            .items("ListInstances", "Instances", &json!({"ServiceId": id}))
            .await?;
        let mut service = self.shown(found["Service"].clone());
        service["InstanceCount"] = json!(instances.len());
        Ok(json!({"Service": service}))
    }

    async fn delete_service(&mut self, body: &Value) -> Result<Value, AwsError> {
        let id = Self::id(&body["Id"]);
        let asked = json!({"ServiceId": id});
        let instances = self.items("ListInstances", "Instances", &asked).await?;
        if !instances.is_empty() {
            return Err(AwsError::new(
                "ResourceInUse",
                "Service contains registered instances; delete the instances before deleting the \
                 service",
            ));
        }
        let answer = self.ask("DeleteService", &json!({"Id": id})).await?;
        self.memory.creators.remove(&id);
        self.names().await?.retain(|_, other| *other != id);
        Ok(answer)
    }

    async fn create_namespace(&mut self, operation: &str, body: &Value) -> Result<Value, AwsError> {
        let all = self
            .items("ListNamespaces", "Namespaces", &json!({}))
            .await?;
        if let Some(taken) = all.iter().find(|one| one["Name"] == body["Name"]) {
            let id = taken["Id"].as_str().unwrap_or_default();
            let maker = self.memory.creators.get(id).cloned().unwrap_or_default();
            return Err(
                AwsError::new("NamespaceAlreadyExists", "Namespace already exists.")
                    .with("NamespaceId", id)
                    .with("CreatorRequestId", maker),
            );
        }
        let answer = self.ask(operation, body).await?;
        let asked = json!({"OperationId": answer["OperationId"]});
        let made = self.ask("GetOperation", &asked).await?;
        if let Some(id) = made["Operation"]["Targets"]["NAMESPACE"].as_str() {
            let creator = body["CreatorRequestId"].as_str().unwrap_or_default();
            self.memory
                .creators
                .insert(id.to_owned(), creator.to_owned());
        }
        Ok(answer)
    }
}

fn service_field(item: &Value, filter: &str) -> Option<Value> {
    match filter {
        "NAMESPACE_ID" => Some(item["NamespaceId"].clone()),
        _ => None,
    }
}

fn namespace_field(item: &Value, filter: &str) -> Option<Value> {
    match filter {
        "TYPE" => Some(item["Type"].clone()),
        "NAME" | "HTTP_NAME" => Some(item["Name"].clone()),
        _ => None,
    }
}

/// Filters of list operations (Cloud Map API reference, ServiceFilter, NamespaceFilter).
fn filtered(
    items: Vec<Value>,
    filters: &Value,
    field: fn(&Value, &str) -> Option<Value>,
) -> Result<Vec<Value>, AwsError> {
    let mut kept = Vec::new();
    'items: for item in items {
        for filter in filters.as_array().into_iter().flatten() {
            let name = filter["Name"].as_str().unwrap_or_default();
            let Some(value) = field(&item, name) else {
                return Err(AwsError::not_implemented(format!(
                    "servicediscovery: filter {name}"
                )));
            };
            let value = value
                .as_str()
                .unwrap_or_default()
                .rsplit('/')
                .next()
                .map(str::to_owned);
            let mut wanted = filter["Values"].as_array().into_iter().flatten();
            let holds = wanted.any(|wanted| {
                let text = wanted.as_str().unwrap_or_default();
                let text = text.rsplit('/').next().unwrap_or(text);
                match filter["Condition"].as_str() {
                    Some("BEGINS_WITH") => value.as_deref().is_some_and(|v| v.starts_with(text)),
                    _ => value.as_deref() == Some(text),
                }
            });
            if !holds {
                continue 'items;
            }
        }
        kept.push(item);
    }
    Ok(kept)
}

/// At most 100 items a page (Cloud Map API reference, list operations).
fn page(body: &Value, items: Vec<Value>, member: &str) -> Result<Value, AwsError> {
    let size = body["MaxResults"]
        .as_u64()
        .and_then(|size| usize::try_from(size).ok());
    let size = size.unwrap_or(100);
    if !(1..=100).contains(&size) {
        return Err(AwsError::new(
            "InvalidInput",
            "MaxResults must be between 1 and 100",
        ));
    }
    let start: usize = body["NextToken"]
        .as_str()
        .and_then(|token| token.parse().ok())
        .unwrap_or(0);
    let end = (start + size).min(items.len());
    let more = end < items.len();
    let drop_nulls = |mut item: Value| {
        if let Some(members) = item.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        item
    };
    let shown: Vec<Value> = items
        .into_iter()
        .skip(start)
        .take(size)
        .map(drop_nulls)
        .collect();
    let mut answer = json!({});
    answer[member] = Value::Array(shown);
    if more {
        answer["NextToken"] = json!(end.to_string());
    }
    Ok(answer)
}
