//! Rules for task definitions on Fargate that AWS's model does not state. In: a request that passed
//! [`super::shapes`]. Out: the error AWS would give. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::errors::AwsError;

/// Memory choices in MiB for a number of CPU units (ECS developer guide, Fargate task sizes).
fn fargate_memory(cpu: u64) -> Option<Vec<u64>> {
    let gib = |from: u64, to: u64, step: usize| -> Vec<u64> {
        (from..=to).step_by(step).map(|size| size * 1024).collect()
    };
    Some(match cpu {
        256 => vec![512, 1024, 2048],
        512 => gib(1, 4, 1),
        1024 => gib(2, 8, 1),
        2048 => gib(4, 16, 1),
        4096 => gib(8, 30, 1),
        8192 => gib(16, 60, 4),
        16384 => gib(32, 120, 8),
        32768 => vec![60 * 1024, 120 * 1024, 244 * 1024],
        _ => return None,
    })
}

fn require(holds: bool, message: impl Into<String>) -> Result<(), AwsError> {
    if holds {
        Ok(())
    } else {
        Err(AwsError::client(message))
    }
}

fn items<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value[member].as_array().into_iter().flatten()
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), AwsError> {
    let mut seen = BTreeSet::new();
    for name in names {
        require(seen.insert(name), format!("Duplicate {what}: {name}."))?;
    }
    Ok(())
}

fn in_range(value: &Value, least: i64, most: i64, what: &str) -> Result<(), AwsError> {
    let fits = value
        .as_i64()
        .is_none_or(|number| (least..=most).contains(&number));
    require(fits, format!("{what} must be between {least} and {most}."))
}

/// All rules over a RegisterTaskDefinition request.
pub(crate) fn check(body: &Value) -> Result<(), AwsError> {
    let family = body["family"].as_str().unwrap_or_default();
    let well_formed = (1..=255).contains(&family.len())
        && family
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    require(
        well_formed,
        "Family contains invalid characters: only letters, numbers, hyphens and underscores are \
         allowed, up to 255.",
    )?;
    require(
        items(body, "requiresCompatibilities").any(|name| name == "FARGATE"),
        "This simulator knows Fargate only: requiresCompatibilities must hold FARGATE.",
    )?;
    require(
        body["networkMode"] == "awsvpc",
        "Fargate only supports network mode 'awsvpc'.",
    )?;
    check_size(body)?;
    if body["ephemeralStorage"].is_object() {
        let size = &body["ephemeralStorage"]["sizeInGiB"];
        in_range(
            size,
            21,
            200,
            "Invalid ephemeral storage setting: sizeInGiB",
        )?;
    }
    // 64 KiB (AWS General Reference, ECS service quotas).
    require(
        body.to_string().len() <= 64 * 1024,
        "Task definition size exceeds 64 KiB.",
    )?;
    let count = items(body, "containerDefinitions").count();
    require(count > 0, "Container list cannot be empty.")?;
    require(count <= 10, "Too many containers: at most 10.")?;
    let text =
        |value: &'_ Value, member: &str| value[member].as_str().unwrap_or_default().to_owned();
    let names: Vec<String> = items(body, "containerDefinitions")
        .map(|container| text(container, "name"))
        .collect();
    unique("container name", names.iter().map(String::as_str))?;
    require(
        items(body, "containerDefinitions").any(|container| container["essential"] != false),
        "At least one container must be essential.",
    )?;
    let ports = || {
        items(body, "containerDefinitions").flat_map(|container| items(container, "portMappings"))
    };
    unique(
        "port mapping name",
        ports().filter_map(|port| port["name"].as_str()),
    )?;
    let numbers: Vec<String> = ports()
        .map(|port| {
            format!(
                "{}/{}",
                port["containerPort"],
                port["protocol"].as_str().unwrap_or("tcp")
            )
        })
        .collect();
    unique("container port", numbers.iter().map(String::as_str))?;
    for container in items(body, "containerDefinitions") {
        check_container(body, container)?;
    }
    Ok(())
}

fn check_size(body: &Value) -> Result<(), AwsError> {
    let cpu = body["cpu"].as_str().unwrap_or_default();
    let memory = body["memory"].as_str().unwrap_or_default();
    require(
        !cpu.is_empty(),
        "Fargate requires that 'cpu' be defined at the task level.",
    )?;
    require(
        !memory.is_empty(),
        "Fargate requires that 'memory' be defined at the task level.",
    )?;
    let units = cpu.parse().ok();
    let choices = units.and_then(fargate_memory);
    let choices = choices.ok_or_else(|| AwsError::client("Invalid 'cpu' setting for task."))?;
    let memory: Option<u64> = memory.parse().ok();
    require(memory.is_some(), "Invalid 'memory' setting for task.")?;
    require(
        memory.is_some_and(|memory| choices.contains(&memory)),
        "No Fargate configuration exists for given values.",
    )
}

fn check_container(body: &Value, container: &Value) -> Result<(), AwsError> {
    let environment = items(container, "environment").filter_map(|pair| pair["name"].as_str());
    let secrets = items(container, "secrets").filter_map(|secret| secret["name"].as_str());
    unique(
        "environment variable or secret name",
        environment.chain(secrets),
    )?;
    for pair in items(container, "environment") {
        require(
            pair["name"].as_str().is_some_and(|name| !name.is_empty()),
            "Environment variable name should not be null or empty.",
        )?;
    }
    for port in items(container, "portMappings") {
        in_range(&port["containerPort"], 1, 65535, "Invalid container port")?;
        let same = port["hostPort"].is_null() || port["hostPort"] == port["containerPort"];
        require(
            same,
            "When networkMode=awsvpc, the host ports and container ports must match.",
        )?;
        let name = port["name"].as_str().unwrap_or_default();
        let well_formed = name.len() <= 64
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c))
            && !name.starts_with('-');
        require(well_formed, format!("Invalid port mapping name: {name}."))?;
    }
    let logs = container["logConfiguration"]["logDriver"] == "awslogs";
    for option in ["awslogs-group", "awslogs-region", "awslogs-stream-prefix"] {
        let given = container["logConfiguration"]["options"][option].is_string();
        require(
            given || !logs,
            format!("Log driver awslogs requires options: {option}"),
        )?;
    }
    let has_secrets = items(container, "secrets").next().is_some()
        || items(&container["logConfiguration"], "secretOptions")
            .next()
            .is_some();
    let role = body["executionRoleArn"]
        .as_str()
        .is_some_and(|role| !role.is_empty());
    require(
        role || !logs,
        "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
    )?;
    require(
        role || !has_secrets,
        "When you are specifying container secrets, you must also specify a value for \
         'executionRoleArn'.",
    )?;
    let check = &container["healthCheck"];
    if check.is_object() {
        // ECS API reference, HealthCheck.
        in_range(&check["interval"], 5, 300, "Health check interval")?;
        in_range(&check["timeout"], 2, 60, "Health check timeout")?;
        in_range(&check["retries"], 1, 10, "Health check retries")?;
        in_range(&check["startPeriod"], 0, 300, "Health check startPeriod")?;
        let first = check["command"][0].as_str().unwrap_or_default();
        require(
            ["CMD", "CMD-SHELL", "NONE"].contains(&first),
            "Health check command must start with CMD or CMD-SHELL.",
        )?;
    }
    in_range(&container["stopTimeout"], 0, 120, "stopTimeout")?;
    // ECS API reference, ContainerRestartPolicy.
    in_range(
        &container["restartPolicy"]["restartAttemptPeriod"],
        60,
        1800,
        "restartAttemptPeriod",
    )?;
    let task_memory: i64 = body["memory"]
        .as_str()
        .and_then(|m| m.parse().ok())
        .unwrap_or(0);
    let memory = container["memory"].as_i64().unwrap_or(0);
    require(
        memory <= task_memory,
        "Container memory exceeds the memory of the task.",
    )?;
    let task_cpu: i64 = body["cpu"]
        .as_str()
        .and_then(|m| m.parse().ok())
        .unwrap_or(0);
    require(
        container["cpu"].as_i64().unwrap_or(0) <= task_cpu,
        "Container cpu exceeds the cpu of the task.",
    )
}
