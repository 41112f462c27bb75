//! Rules for the members of a service that CreateService and UpdateService share. In: request
//! members. Out: them with AWS's defaults, or AWS's refusal. No IO.

use serde_json::{Value, json};

use super::cluster::Cluster;
use crate::errors::AwsError;

fn list_len(value: &Value) -> usize {
    value.as_array().map_or(0, Vec::len)
}

/// The deployment configuration with defaults, and its ranges (ECS API reference,
/// DeploymentConfiguration). `zone_rebalancing` is the value that will be in force.
pub(crate) fn deployment_configuration(
    given: &Value,
    before: Option<&Value>,
    zone_rebalancing: &str,
) -> Result<Value, AwsError> {
    let mut merged = before.cloned().unwrap_or_else(|| {
        json!({
            "maximumPercent": 200, "minimumHealthyPercent": 100, "strategy": "ROLLING",
            "deploymentCircuitBreaker": {"enable": false, "rollback": false},
            "bakeTimeInMinutes": 0, "alarms": {"alarmNames": [], "enable": false, "rollback": false},
        })
    });
    for (member, value) in given.as_object().into_iter().flatten() {
        merged[member] = value.clone();
    }
    if merged["strategy"] != "ROLLING" {
        return Err(AwsError::not_implemented(
            "ecs: deployment strategies other than ROLLING",
        ));
    }
    super::deployment_alarms::check(&merged)?;
    let minimum = merged["minimumHealthyPercent"].as_i64().unwrap_or(-1);
    let maximum = merged["maximumPercent"].as_i64().unwrap_or(-1);
    if !(0..=100).contains(&minimum) {
        return Err(AwsError::invalid(
            "minimumHealthyPercent must be between 0 and 100.",
        ));
    }
    if !(100..=200).contains(&maximum) {
        return Err(AwsError::invalid(
            "maximumPercent must be between 100 and 200.",
        ));
    }
    if minimum == 100 && maximum == 100 {
        return Err(AwsError::invalid(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block \
             deployments.",
        ));
    }
    // ECS API reference, CreateService: availabilityZoneRebalancing.
    if zone_rebalancing == "ENABLED" && maximum == 100 {
        return Err(AwsError::invalid(
            "Availability Zone rebalancing does not support maximumPercent of 100.",
        ));
    }
    let threshold = &merged["deploymentCircuitBreaker"]["thresholdConfiguration"];
    let value = threshold["value"].as_i64();
    let fits = match threshold["type"].as_str() {
        Some("COUNT") => value.is_some_and(|value| value >= 1),
        Some(_) => value.is_some_and(|value| (1..=100).contains(&value)),
        None => true,
    };
    if !fits {
        return Err(AwsError::invalid("Invalid thresholdConfiguration value."));
    }
    Ok(merged)
}

/// The network configuration that awsvpc tasks need (AWS General Reference, ECS service quotas: 16
/// subnets, 5 security groups).
pub(crate) fn network(given: &Value) -> Result<Value, AwsError> {
    let vpc = &given["awsvpcConfiguration"];
    if !vpc.is_object() {
        return Err(AwsError::invalid(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ));
    }
    let subnets = list_len(&vpc["subnets"]);
    if !(1..=16).contains(&subnets) {
        return Err(AwsError::invalid(
            "subnets must have between 1 and 16 items.",
        ));
    }
    if list_len(&vpc["securityGroups"]) > 5 {
        return Err(AwsError::invalid(
            "securityGroups can have at most 5 items.",
        ));
    }
    let mut shown = given.clone();
    if vpc["securityGroups"].is_null() {
        shown["awsvpcConfiguration"]["securityGroups"] = json!([]);
    }
    if vpc["assignPublicIp"].is_null() {
        shown["awsvpcConfiguration"]["assignPublicIp"] = json!("DISABLED");
    }
    Ok(shown)
}

/// A capacity provider strategy with defaults (ECS API reference, CapacityProviderStrategyItem).
pub(crate) fn strategy(given: &Value, cluster: &Cluster) -> Result<Value, AwsError> {
    let mut shown = given.clone();
    let items = shown.as_array_mut().map_or(&mut [][..], Vec::as_mut_slice);
    if items.len() > 20 {
        return Err(AwsError::invalid(
            "A strategy can have at most 20 capacity providers.",
        ));
    }
    let mut names = Vec::new();
    let (mut bases, mut weights) = (0, 0);
    for item in items.iter_mut() {
        let name = item["capacityProvider"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if !cluster.capacity_providers.contains(&name) {
            return Err(AwsError::invalid(
                "The specified capacity provider strategy cannot contain a capacity provider that is \
                 not associated with the cluster. Associate the capacity provider with the cluster \
                 and try again.",
            ));
        }
        if names.contains(&name) {
            return Err(AwsError::invalid(format!(
                "Duplicate capacity provider {name}."
            )));
        }
        names.push(name);
        let base = item["base"].as_i64().unwrap_or(0);
        let weight = item["weight"].as_i64().unwrap_or(0);
        if !(0..=100_000).contains(&base) || !(0..=1000).contains(&weight) {
            return Err(AwsError::invalid(
                "Invalid base or weight of a capacity provider.",
            ));
        }
        item["base"] = json!(base);
        item["weight"] = json!(weight);
        bases += i64::from(base > 0);
        weights += weight;
    }
    if bases > 1 {
        return Err(AwsError::invalid(
            "Only one capacity provider can have a base.",
        ));
    }
    if !items.is_empty() && weights == 0 {
        return Err(AwsError::invalid(
            "At least one capacity provider must have a weight greater than 0.",
        ));
    }
    Ok(shown)
}

/// ECS Exec works with the role of the tasks (public report of the text).
pub(crate) fn exec(wanted: &Value, definition: &Value) -> Result<(), AwsError> {
    let role = definition["taskRoleArn"]
        .as_str()
        .is_some_and(|role| !role.is_empty());
    if *wanted == Value::Bool(true) && !role {
        return Err(AwsError::invalid(
            "The service couldn't be created because a valid taskRoleArn is not being used. Specify a \
             valid task role in your task definition and try again.",
        ));
    }
    Ok(())
}

/// What the simulator does not model is refused rather than half-stored.
pub(crate) fn refuse_unmodelled(body: &Value) -> Result<(), AwsError> {
    for member in [
        "volumeConfigurations",
        "vpcLatticeConfigurations",
        "placementConstraints",
        "placementStrategy",
    ] {
        if list_len(&body[member]) > 0 {
            return Err(AwsError::not_implemented(format!("ecs: {member}")));
        }
    }
    if body["schedulingStrategy"] == "DAEMON" {
        return Err(AwsError::invalid(
            "The daemon scheduling strategy is not supported on Fargate.",
        ));
    }
    let controller = &body["deploymentController"]["type"];
    if !controller.is_null() && controller != "ECS" {
        return Err(AwsError::not_implemented(
            "ecs: deployment controllers other than ECS",
        ));
    }
    let launch = &body["launchType"];
    if !launch.is_null() && launch != "FARGATE" {
        return Err(AwsError::not_implemented(
            "ecs: launch types other than FARGATE",
        ));
    }
    let version = body["platformVersion"].as_str().unwrap_or("LATEST");
    if !["LATEST", "1.4.0"].contains(&version) {
        return Err(AwsError::new(
            "PlatformUnknownException",
            "The specified platform version does not exist.",
        ));
    }
    Ok(())
}

/// Lists that AWS treats as sets, sorted, so that order alone is no change.
pub(crate) fn canonical(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(canonical).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(members) => members
            .iter()
            .map(|(member, value)| (member.clone(), canonical(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}
