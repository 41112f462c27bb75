//! A task definition as we register it: complete, sorted, no AWS SDK type. Its hash decides whether a revision can be
//! reused; AWS's echo of it is never compared (AWS adds defaults to what it returns).

use crate::hash::Hash;
use serde::Serialize;
use std::collections::BTreeMap;

/// CPU architecture of a task, in ECS's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::IntoStaticStr, strum::Display)]
pub enum CpuArchitecture {
    /// `X86_64`
    #[strum(serialize = "X86_64")]
    #[serde(rename = "X86_64")]
    X86,
    /// `ARM64`
    #[strum(serialize = "ARM64")]
    #[serde(rename = "ARM64")]
    Arm,
}

/// Everything RegisterTaskDefinition is called with, except tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskDefinition {
    /// Family, see [`crate::names::family`].
    pub family: String,
    /// CPU units: 256 to 32768.
    pub cpu: u32,
    /// MiB.
    pub memory: u32,
    /// GiB, 21 to 200; absent means Fargate's own 20, which the API does not accept as a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<u32>,
    /// CPU architecture; the operating system is always Linux.
    pub cpu_architecture: CpuArchitecture,
    /// Role with which ECS pulls the image and writes logs.
    pub execution_role_arn: String,
    /// Role of the code in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_role_arn: Option<String>,
    /// The container that runs the user's image.
    pub container: Container,
    /// The container that takes the output elsewhere than to CloudWatch Logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_router: Option<LogRouter>,
}

impl TaskDefinition {
    /// Identity of the content: two task definitions with the same hash are interchangeable.
    pub fn hash(&self) -> Hash {
        Hash::of(self)
    }
}

/// The container that runs the user's image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// Always [`crate::names::CONTAINER`].
    pub name: String,
    /// Image with tag or digest.
    pub image: String,
    /// ARN of the secret that the image's registry asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_credentials: Option<String>,
    /// Replaces the image's CMD; empty keeps it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Replaces the image's ENTRYPOINT; empty keeps it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entry_point: Vec<String>,
    /// Plain environment variables, sorted by name.
    pub environment: BTreeMap<String, String>,
    /// Environment variables that are secrets, as `valueFrom`, sorted by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// Ports in the order of the spec.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub port_mappings: Vec<PortMapping>,
    /// Health check, absent if none was asked for (ECS ignores the image's own HEALTHCHECK).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// Whether an exited container is restarted in place (ECS restart policy).
    pub restart: bool,
    /// Whether an init process reaps what others leave behind; ECS Exec needs it (ECS developer guide, Using ECS Exec).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub init_process: bool,
    /// Seconds between SIGTERM and SIGKILL, 2 to 120.
    pub stop_timeout: u32,
    /// What takes its output.
    #[serde(skip_serializing_if = "LogDriver::is_awslogs")]
    pub log_driver: LogDriver,
    /// Options of the log driver, sorted by name.
    pub log_options: BTreeMap<String, String>,
    /// Options of the log driver whose values are secrets, as `valueFrom`, sorted by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub log_secret_options: BTreeMap<String, String>,
}

/// Log drivers of Fargate that we use, in ECS's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogDriver {
    /// CloudWatch Logs.
    #[default]
    Awslogs,
    /// FireLens: the log router of the task.
    Awsfirelens,
}

impl LogDriver {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature serde calls"
    )]
    const fn is_awslogs(&self) -> bool {
        matches!(self, Self::Awslogs)
    }
}

/// The FireLens container: Fluent Bit, started by ECS before the user's container and stopped after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogRouter {
    /// Always [`crate::names::LOG_ROUTER`].
    pub name: String,
    /// Image with tag.
    pub image: String,
    /// MiB kept for it.
    pub memory_reservation: u32,
    /// Environment variables that are secrets, as `valueFrom`, sorted by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// `awslogs` options for its own output, sorted by name.
    pub log_options: BTreeMap<String, String>,
}

/// One named container port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PortMapping {
    /// See [`crate::names::discovery_name`].
    pub name: String,
    /// 1 to 65535.
    pub container_port: u16,
    /// `http`, `http2` or `grpc`; absent means plain TCP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_protocol: Option<AppProtocol>,
}

/// Application protocol of a port, in ECS's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum AppProtocol {
    /// HTTP/1.1
    Http,
    /// HTTP/2
    Http2,
    /// gRPC
    Grpc,
}

/// Container health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheck {
    /// Starts with `CMD` or `CMD-SHELL`.
    pub command: Vec<String>,
    /// Seconds, 5 to 300.
    pub interval: u32,
    /// Seconds, 2 to 60 (ECS's own limit; the spec allows up to 120 and is clamped).
    pub timeout: u32,
    /// 1 to 10.
    pub retries: u32,
    /// Seconds, 0 to 300.
    pub start_period: u32,
}
