//! The one table of names: what a thing in AWS is called, derived from the Kubernetes names.
//!
//! Kubernetes names hold no `_`, so a name joined with `_` can never collide with another.

/// Family of task definitions: `<environment>_<service>`. ECS allows `[A-Za-z0-9_-]{1,255}`.
pub fn family(environment: &str, service: &str) -> String {
    format!("{environment}_{service}")
}

/// Service Connect discovery name, also the name of the port mapping: `<service>_<port name>`. ECS allows 64
/// characters; a service name has at most 48, a port name at most 15.
pub fn discovery_name(service: &str, port: &str) -> String {
    format!("{service}_{port}")
}

/// The name other services reach a service by: `<service>.<namespace>`, for instance `api.flexstack.internal`. It is the
/// Service Connect alias and, where DNS is on, the name of the A records.
pub fn host(service: &str, namespace: &str) -> String {
    format!("{service}.{namespace}")
}

/// Name of the one container that runs the user's image.
pub const CONTAINER: &str = "app";

/// Name of the container that takes output elsewhere than to CloudWatch Logs.
pub const LOG_ROUTER: &str = "log-router";

/// What scales by CPU, in names.
pub const CPU: &str = "cpu";
/// What scales by memory, in names.
pub const MEMORY: &str = "memory";
/// What scales by requests, in names.
pub const REQUESTS: &str = "requests";
/// The policy that makes more tasks.
pub const SCALE_OUT: &str = "scale-out";
/// The policy that makes fewer tasks, and the alarm that calls it.
pub const SCALE_IN: &str = "scale-in";

/// Name of an alarm or a scaling policy: `<environment>/<service>/<what>`.
pub fn scaling(environment: &str, service: &str, what: &str) -> String {
    format!("{environment}/{service}/{what}")
}

/// Name of a scheduled action, which AWS lets hold no `/` (Application Auto Scaling API reference, PutScheduledAction):
/// `<environment>_<service>_<schedule>`.
pub fn scheduled_action(environment: &str, service: &str, schedule: &str) -> String {
    format!("{environment}_{service}_{schedule}")
}

/// The schedule in the name of a scheduled action.
pub fn schedule_of(action: &str) -> &str {
    action.rsplit('_').next().unwrap_or(action)
}

/// What an alarm for more tasks is called: `cpu-high`.
pub fn high(metric: &str) -> String {
    format!("{metric}-high")
}

/// Every name that a scaling policy of a service may have.
pub fn scaling_policies(environment: &str, service: &str) -> [String; 5] {
    [SCALE_OUT, SCALE_IN, CPU, MEMORY, REQUESTS].map(|what| scaling(environment, service, what))
}

/// Every name that an alarm of a service may have.
pub fn scaling_alarms(environment: &str, service: &str) -> [String; 4] {
    [high(CPU), high(MEMORY), high(REQUESTS), SCALE_IN.to_owned()]
        .map(|what| scaling(environment, service, &what))
}

/// The Environment in a family of task definitions: Kubernetes names hold no `_`.
pub fn environment_of(family: &str) -> &str {
    family
        .split_once('_')
        .map_or(family, |(environment, _)| environment)
}

/// What Application Auto Scaling calls a service: `service/<cluster name>/<service>`.
pub fn scalable_resource(cluster_arn: &str, service: &str) -> String {
    format!("service/{}/{service}", last_segment(cluster_arn))
}

/// The last part of an ARN: a cluster's name, a namespace's id, `family:revision`.
pub fn last_segment(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// The partition in an ARN (second part): `aws`, `aws-cn`, `aws-us-gov`.
pub fn partition_of(arn: &str) -> Option<&str> {
    arn.split(':')
        .nth(1)
        .filter(|partition| !partition.is_empty())
}

/// The Region in an ARN (fourth part), if it has one.
pub fn region_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(3).filter(|region| !region.is_empty())
}

/// The account in an ARN (fifth part), if it has one.
pub fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

/// The ARN of a parameter of the Parameter Store, in the partition and account of a neighbour's ARN. The path is the name without the slash it
/// begins with.
pub fn parameter_arn(neighbour: &str, region: &str, path: &str) -> String {
    format!(
        "arn:{}:ssm:{region}:{}:parameter/{path}",
        partition_of(neighbour).unwrap_or("aws"),
        account_of(neighbour).unwrap_or_default(),
    )
}

/// Name of the secret of a service: `<environment>/<Kubernetes namespace>/<service>`. The execution role may read all of an Environment's.
pub fn secret(environment: &str, namespace: &str, service: &str) -> String {
    format!("{environment}/{namespace}/{service}")
}

/// The ARN of a secret without the hyphen and the six characters that AWS puts at its end, in the partition and account of a neighbour's ARN.
pub fn partial_secret_arn(neighbour: &str, region: &str, name: &str) -> String {
    format!(
        "arn:{}:secretsmanager:{region}:{}:secret:{name}",
        partition_of(neighbour).unwrap_or("aws"),
        account_of(neighbour).unwrap_or_default(),
    )
}

/// The ARN of a CloudWatch alarm, in the partition, Region and account of a neighbour's ARN.
pub fn alarm_arn(neighbour: &str, name: &str) -> String {
    format!(
        "arn:{}:cloudwatch:{}:{}:alarm:{name}",
        partition_of(neighbour).unwrap_or("aws"),
        region_of(neighbour).unwrap_or_default(),
        account_of(neighbour).unwrap_or_default(),
    )
}

/// The name in a secret's ARN (`arn:aws:secretsmanager:region:account:secret:name`), with whatever characters are at its end.
pub fn name_of_secret(arn: &str) -> Option<&str> {
    arn.splitn(7, ':').nth(6)
}

/// True for an ARN of a secret, false for a name: names hold no colon.
pub fn is_arn(secret: &str) -> bool {
    secret.contains(':')
}

/// The number after the last colon of a task definition's ARN; 0 if there is none.
pub fn revision_number(arn: &str) -> u64 {
    arn.rsplit(':')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}
