//! Questions to the stand-in before a request is judged. In: an ECS call. Out: the facts it depends on.
//! Does IO.

use serde_json::{Value, json};

use crate::ecs::upstream_facts::UpstreamFacts;
use crate::errors::AwsError;
use crate::locked;
use crate::route::Call;
use crate::simulator::Simulator;

/// Takes over the clusters a call names that CloudFormation made in the stand-in, and forgets those it has deleted.
pub(crate) async fn adopt_clusters(simulator: &Simulator, call: &Call) {
    let Some(upstream) = &simulator.inner.upstream else {
        return;
    };
    let one = call.body["cluster"].as_str();
    let many = call.body["clusters"].as_array().into_iter().flatten();
    let named: Vec<String> = many
        .filter_map(Value::as_str)
        .chain(one)
        .map(str::to_owned)
        .collect();
    let describes = call.operation == "DescribeClusters";
    let asked = locked(&simulator.inner.world).clusters_to_ask_for(&named, describes);
    if asked.is_empty() {
        return;
    }
    // A stand-in without ECS has none.
    let access_key = call.access_key.as_deref();
    let found = upstream.clusters(&asked, access_key).await;
    locked(&simulator.inner.world).adopt_clusters(&asked, &found.unwrap_or_default());
}

/// Asks Cloud Map for whatever a CreateService or UpdateService refers to.
pub(crate) async fn gather(simulator: &Simulator, call: &Call) -> Result<UpstreamFacts, AwsError> {
    let mut facts = UpstreamFacts::default();
    let Some(upstream) = &simulator.inner.upstream else {
        return Ok(facts);
    };
    facts.is_connected = true;
    if !matches!(call.operation.as_str(), "CreateService" | "UpdateService") {
        return Ok(facts);
    }
    let access_key = call.access_key.as_deref();
    let given = call.body["serviceConnectConfiguration"]["namespace"]
        .as_str()
        .map(str::to_owned);
    // An update may keep the namespace it has, and must still find it.
    let kept = || locked(&simulator.inner.world).namespace_of(&call.body);
    if let Some(reference) = given.or_else(kept) {
        let id = reference
            .rsplit('/')
            .next()
            .unwrap_or(&reference)
            .to_owned();
        let found = if id.starts_with("ns-") {
            let answer = upstream
                .cloud_map("GetNamespace", &json!({"Id": id}), access_key)
                .await;
            present(answer, "NamespaceNotFound")?.map(|found| found["Namespace"].clone())
        } else {
            let all = upstream
                .cloud_map("ListNamespaces", &json!({}), access_key)
                .await?;
            let all = all["Namespaces"].as_array().cloned().unwrap_or_default();
            all.into_iter().find(|one| one["Name"] == json!(id))
        };
        let found = found
            .filter(|found| !reference.starts_with("arn:") || found["Arn"] == json!(reference));
        if let Some(found) = found {
            facts.namespaces.insert(reference, found);
        }
    }
    let subnets = &call.body["networkConfiguration"]["awsvpcConfiguration"]["subnets"];
    let subnets: Vec<&str> = subnets
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !subnets.is_empty() && locked(&simulator.inner.world).options.check_subnets {
        facts.subnet_problem = upstream.subnet_problem(&subnets, access_key).await?;
    }
    for registry in call.body["serviceRegistries"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let arn = registry["registryArn"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let id = arn.rsplit('/').next().unwrap_or_default();
        let answer = upstream
            .cloud_map("GetService", &json!({"Id": id}), access_key)
            .await;
        if let Some(found) = present(answer, "ServiceNotFound")? {
            facts.registries.insert(arn, found["Service"].clone());
        }
    }
    Ok(facts)
}

fn present(answer: Result<Value, AwsError>, missing: &str) -> Result<Option<Value>, AwsError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code == missing => Ok(None),
        Err(error) => Err(error),
    }
}
