//! Variables that an Environment shares with all its services. Types only; no IO.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::privateservice::{AwsSecretRef, SsmParameterRef};

/// A variable every service of the Environment gets; exactly one of `value` and `valueFrom`.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.value) != has(self.valueFrom)")
    .message("write exactly one of value and valueFrom"))]
pub struct SharedVariable {
    /// Name of the variable, unique within the list: letters, digits, `_`, `.` and `-`, not
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
    pub value_from: Option<SharedVariableSource>,
}

/// Where the value of a shared variable comes from; exactly one source. It needs no grant. The
/// execution role in the stack may read it; a role named in `existing` must be able to already.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.awsSecretRef) != has(self.ssmParameterRef)")
    .message("valueFrom takes exactly one source: write valueFrom: {awsSecretRef: {id: shared/sentry, key: dsn}} or valueFrom: {ssmParameterRef: {name: /shared/flag}}"))]
pub struct SharedVariableSource {
    /// A secret in Secrets Manager, which ECS reads when a task starts. When a change of it reaches
    /// the tasks is what `secretRollout` of each service says. Secrets named `<Environment>/<Kubernetes
    /// namespace>/...` belong to that namespace and cannot be shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_secret_ref: Option<AwsSecretRef>,

    /// A parameter of the Parameter Store in the Environment's account and Region, which ECS reads
    /// when a task starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssm_parameter_ref: Option<SsmParameterRef>,
}
