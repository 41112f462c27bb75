//! Clusters and their capacity providers. In: request JSON. Out: stored clusters. No IO.

use serde_json::{Value, json};

use super::service::Status;
use super::tags::{self, Tags};
use super::world::World;
use crate::errors::AwsError;

#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub(crate) arn: String,
    pub(crate) capacity_providers: Vec<String>,
    pub(crate) default_strategy: Value,
    pub(crate) connect_defaults: Value,
    pub(crate) tags: Tags,
    /// CloudFormation made it in the stand-in, and may delete it there.
    pub(crate) is_adopted: bool,
}

/// Fargate's capacity providers are predefined; the simulator knows no others.
const KNOWN_PROVIDERS: [&str; 2] = ["FARGATE", "FARGATE_SPOT"];

fn providers(value: &Value) -> Result<Vec<String>, AwsError> {
    let names: Vec<String> = value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    match names
        .iter()
        .find(|name| !KNOWN_PROVIDERS.contains(&name.as_str()))
    {
        Some(_) => Err(AwsError::invalid(
            "The specified capacity provider was not found. Specify a valid name or ARN and try again.",
        )),
        None => Ok(names),
    }
}

/// The name in a cluster's name or ARN; `default` if none is given.
pub(crate) fn name_of(cluster: &Value) -> String {
    let text = cluster.as_str().unwrap_or("default");
    text.rsplit('/').next().unwrap_or(text).to_owned()
}

impl World {
    /// Which of these clusters the stand-in is to be asked for: those unknown here, and, if `all`, those that came from it.
    pub(crate) fn clusters_to_ask_for(&self, named: &[String], all: bool) -> Vec<String> {
        let ask = |name: &&String| match self.clusters.get(&name_of(&json!(name))) {
            None => true,
            Some(known) => all && known.is_adopted,
        };
        named.iter().filter(ask).cloned().collect()
    }

    /// Takes over what the stand-in has of the clusters it was asked for; what it no longer has is gone.
    pub(crate) fn adopt_clusters(&mut self, asked: &[String], found: &[Value]) {
        for name in asked {
            let name = name_of(&json!(name));
            let one = found
                .iter()
                .find(|one| one["clusterName"] == json!(name) && one["status"] == "ACTIVE");
            let Some(one) = one else {
                self.clusters.remove(&name);
                continue;
            };
            let cluster = Cluster {
                arn: one["clusterArn"].as_str().unwrap_or_default().to_owned(),
                capacity_providers: providers(&one["capacityProviders"]).unwrap_or_default(),
                default_strategy: one["defaultCapacityProviderStrategy"].clone(),
                connect_defaults: Value::Null,
                tags: Tags::default(),
                is_adopted: true,
            };
            self.clusters.insert(name, cluster);
        }
    }

    pub(crate) fn cluster(&self, cluster: &Value) -> Result<(String, Cluster), AwsError> {
        let name = name_of(cluster);
        let found = self.clusters.get(&name).cloned();
        let is_other = cluster
            .as_str()
            .filter(|text| text.starts_with("arn:"))
            .is_some_and(|arn| found.as_ref().is_some_and(|found| found.arn != arn));
        match found {
            Some(found) if !is_other => Ok((name, found)),
            _ => Err(AwsError::new(
                "ClusterNotFoundException",
                "Cluster not found.",
            )),
        }
    }

    pub(crate) fn create_cluster(&mut self, body: &Value) -> Result<Value, AwsError> {
        let name = body["clusterName"].as_str().unwrap_or("default").to_owned();
        let well_formed = (1..=255).contains(&name.len())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        if !well_formed {
            return Err(AwsError::invalid("Invalid cluster name."));
        }
        let capacity_providers = providers(&body["capacityProviders"])?;
        let tags = tags::parse(&body["tags"])?;
        let arn = self.arn(&format!("cluster/{name}"));
        // Creating a cluster that exists returns it (ECS developer guide, Ensuring idempotency).
        self.clusters
            .entry(name.clone())
            .or_insert_with(|| Cluster {
                arn,
                capacity_providers,
                default_strategy: body["defaultCapacityProviderStrategy"].clone(),
                connect_defaults: body["serviceConnectDefaults"].clone(),
                tags,
                is_adopted: false,
            });
        Ok(json!({"cluster": self.cluster_json(&name, true)}))
    }

    fn cluster_json(&self, name: &str, with_tags: bool) -> Value {
        let Some(cluster) = self.clusters.get(name) else {
            return Value::Null;
        };
        let services = self.services.iter().filter(|((of, _), _)| of == name);
        let active = services.filter(|(_, service)| service.status == Status::Active);
        let strategy = match &cluster.default_strategy {
            Value::Null => json!([]),
            strategy => strategy.clone(),
        };
        let mut shown = json!({
            "clusterArn": cluster.arn, "clusterName": name, "status": "ACTIVE",
            "registeredContainerInstancesCount": 0, "runningTasksCount": 0, "pendingTasksCount": 0,
            "activeServicesCount": active.count(), "statistics": [], "settings": [],
            "capacityProviders": cluster.capacity_providers,
            "defaultCapacityProviderStrategy": strategy,
        });
        if cluster.connect_defaults.is_object() {
            shown["serviceConnectDefaults"] = cluster.connect_defaults.clone();
        }
        shown["tags"] = if with_tags {
            tags::to_json(&cluster.tags)
        } else {
            json!([])
        };
        shown
    }

    pub(crate) fn describe_clusters(&self, body: &Value) -> Value {
        let with_tags = super::includes(body, "TAGS");
        let asked = body["clusters"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![json!("default")]);
        let (mut clusters, mut failures) = (Vec::new(), Vec::new());
        for cluster in &asked {
            if let Ok((name, _)) = self.cluster(cluster) {
                clusters.push(self.cluster_json(&name, with_tags));
            } else {
                let arn = self.arn(&format!("cluster/{}", name_of(cluster)));
                failures.push(json!({"arn": arn, "reason": "MISSING"}));
            }
        }
        json!({"clusters": clusters, "failures": failures})
    }

    pub(crate) fn put_cluster_capacity_providers(
        &mut self,
        body: &Value,
    ) -> Result<Value, AwsError> {
        let (name, _) = self.cluster(&body["cluster"])?;
        let capacity_providers = providers(&body["capacityProviders"])?;
        if let Some(cluster) = self.clusters.get_mut(&name) {
            cluster.capacity_providers = capacity_providers;
            cluster.default_strategy = body["defaultCapacityProviderStrategy"].clone();
        }
        Ok(json!({"cluster": self.cluster_json(&name, false)}))
    }

    /// Removes a cluster without services.
    pub(crate) fn delete_cluster(&mut self, body: &Value) -> Result<Value, AwsError> {
        let (name, _) = self.cluster(&body["cluster"])?;
        let busy = self
            .services
            .iter()
            .any(|((of, _), s)| *of == name && s.status != Status::Inactive);
        if busy {
            return Err(AwsError::new(
                "ClusterContainsServicesException",
                "The Cluster cannot be deleted while Services are active.",
            ));
        }
        let mut shown = self.cluster_json(&name, false);
        self.clusters.remove(&name);
        shown["status"] = json!("INACTIVE");
        Ok(json!({"cluster": shown}))
    }
}
