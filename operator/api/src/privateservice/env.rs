//! Environment variables and where their values come from. Types only.
// On the module, because the derive makes a second struct of the same fields.
#![expect(
    clippy::struct_field_names,
    reason = "the words of the API, as in a Pod's valueFrom"
)]

use super::secrets::{AwsSecretRef, SsmParameterRef};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One environment variable; exactly one of `value` and `valueFrom`.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.value) != has(self.valueFrom)")
    .message("write exactly one of value and valueFrom"))]
pub struct EnvVar {
    /// Name of the variable, unique within the service: letters, digits, `_`, `.` and `-`, not
    /// starting with a digit; at most 256 characters.
    #[schemars(
        length(min = 1, max = 256),
        regex(pattern = r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")
    )]
    pub name: String,

    /// The value itself, at most 16384 characters. Quote numbers and booleans.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16384))]
    pub value: Option<String>,

    /// Where the value comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_from: Option<EnvVarSource>,
}

/// Where the value of a variable comes from; exactly one source.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(ONE_SOURCE_RULE).message(ONE_SOURCE_MESSAGE))]
pub struct EnvVarSource {
    /// The address of another PrivateService of the same Environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_ref: Option<ServiceRef>,

    /// A secret in Secrets Manager, which ECS reads when a task starts. Its value is in no object
    /// and no task definition. When a change of it reaches the tasks is what `secretRollout` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_secret_ref: Option<AwsSecretRef>,

    /// A parameter of the Parameter Store, which ECS reads when a task starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssm_parameter_ref: Option<SsmParameterRef>,

    /// A key of a ConfigMap in the same Kubernetes namespace. A change of it rolls the service at
    /// once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_key_ref: Option<ConfigMapKeyRef>,

    /// A key of a Secret in the same Kubernetes namespace. Its value is copied to Secrets Manager,
    /// where ECS reads it when a task starts. When a change of it reaches the tasks is what
    /// `secretRollout` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeyRef>,
}

const ONE_SOURCE_RULE: &str = "[has(self.serviceRef), has(self.awsSecretRef), has(self.ssmParameterRef), \
    has(self.configMapKeyRef), has(self.secretKeyRef)].filter(x, x).size() == 1";
const ONE_SOURCE_MESSAGE: &str = "valueFrom takes exactly one source: write valueFrom: {serviceRef: \
    {name: cache}}, valueFrom: {secretKeyRef: {name: db, key: url}}, valueFrom: {awsSecretRef: {id: \
    orders/db}}, valueFrom: {ssmParameterRef: {name: /shop/flag}} or valueFrom: \
    {configMapKeyRef: {name: shop, key: mode}}";

/// A key of a ConfigMap in the same Kubernetes namespace.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMapKeyRef {
    /// Name of the ConfigMap.
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
    )]
    pub name: String,

    /// A key of its `data`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

/// A key of a Secret in the same Kubernetes namespace. Its value is copied to Secrets Manager.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// Name of the Secret.
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
    )]
    pub name: String,

    /// A key of its `data`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

/// Variables taken from all keys of an object; exactly one source.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.configMapRef) != has(self.secretRef)")
    .message("an entry of envFrom takes exactly one source: write envFrom: [{configMapRef: {name: shop}}] or envFrom: [{secretRef: {name: db}}]"))]
pub struct EnvFromSource {
    /// What the name of each variable begins with, before the key: letters, digits, `_`, `.` and
    /// `-`, not starting with a digit. Absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 64),
        regex(pattern = r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")
    )]
    pub prefix: Option<String>,

    /// A ConfigMap in the same Kubernetes namespace. A change of it rolls the service at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<ObjectName>,

    /// A Secret in the same Kubernetes namespace. Its values are copied to Secrets Manager. When a
    /// change of it reaches the tasks is what `secretRollout` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<ObjectName>,
}

/// An object in the same Kubernetes namespace.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectName {
    /// Its name.
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
    )]
    pub name: String,
}

/// The address of another PrivateService of the same Environment. The object must exist;
/// it need not be ready.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceRef {
    /// Name of the PrivateService.
    #[schemars(
        length(min = 1, max = 48),
        regex(pattern = r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub name: String,

    /// Name of one of its ports. Absent: its port named `default`, else its first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 15),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub port: Option<String>,

    /// What the variable holds: hostPort (the default), host, port or url. url only for an http,
    /// http2 or grpc port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<ServiceRefFormat>,
}

/// What the variable holds: hostPort (the default), host, port or url. url only for an http, http2
/// or grpc port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ServiceRefFormat {
    /// The host name, such as `cache.flexstack.internal`.
    Host,
    /// The port number, such as `6379`.
    Port,
    /// Host and port, such as `cache.flexstack.internal:6379`.
    #[default]
    HostPort,
    /// A URL, such as `http://api.flexstack.internal:8080`.
    Url,
}
