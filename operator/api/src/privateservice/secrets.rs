//! Secret values, and how a service names them. Types only; no value is ever here.

use super::env::SecretKeyRef;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Where a secret value comes from; exactly one source.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.awsSecretRef) != has(self.secretKeyRef)")
    .message("a secret value takes exactly one source: write awsSecretRef: {id: logging/vendor} or secretKeyRef: {name: logs, key: token}"))]
pub struct SecretSource {
    /// A secret in Secrets Manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_secret_ref: Option<AwsSecretRef>,

    /// A key of a Secret in the same Kubernetes namespace. Its value is copied to Secrets Manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeyRef>,
}

/// A secret in Secrets Manager. A PrivateService may name what its Environment grants
/// (`spec.grants[].secrets`).
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AwsSecretRef {
    /// Its name, such as `orders/db`, in the Environment's account and Region; or its whole ARN, with
    /// the six characters at the end.
    #[schemars(length(min = 1, max = 2048))]
    #[x_kube(validation = Rule::new(ID_RULE).message(ID_MESSAGE))]
    pub id: String,

    /// A key of the JSON object in it. Absent: the whole value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^:]+$"))]
    pub key: Option<String>,

    /// Id of the version to use, as Secrets Manager shows it (`VersionId`). Absent: the version that
    /// was current at the last rollout; what `secretRollout` says happens when another one becomes
    /// current.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 32, max = 64), regex(pattern = r"^[A-Za-z0-9-]+$"))]
    pub version_id: Option<String>,
}

const ID_RULE: &str = "self.matches('^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:)?\
    [A-Za-z0-9/_+=.@-]+$')";
const ID_MESSAGE: &str = "write the name of a secret in Secrets Manager, such as orders/db, or its \
    whole ARN, such as arn:aws:secretsmanager:us-east-1:111122223333:secret:orders/db-AbCdEf";

/// A parameter of the Parameter Store, in the Environment's account and Region. A PrivateService may
/// name what its Environment grants (`spec.grants[].parameters`).
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SsmParameterRef {
    /// Its name, such as `/shop/flag` or `flag`. Each task takes the value that is current when it
    /// starts.
    #[schemars(
        length(min = 1, max = 1011),
        regex(pattern = r"^((/[A-Za-z0-9_.-]+)+|[A-Za-z0-9_.-]+)$")
    )]
    pub name: String,
}
