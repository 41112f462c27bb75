//! How an Environment's stack is made and changed. Types only; no IO.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// How the CloudFormation stack of an Environment is made and changed.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Foundation {
    /// Role with which CloudFormation works, so that the operator itself needs no right to
    /// administer IAM. Absent: the operator's own credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 2048),
        regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$")
    )]
    pub cloud_formation_role_arn: Option<String>,

    /// Policy that bounds the roles in the stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 2048),
        regex(pattern = r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$")
    )]
    pub permissions_boundary_arn: Option<String>,

    /// KMS key that encrypts the log group, and with which the execution role may decrypt secrets.
    /// Its own policy must allow CloudWatch Logs to use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 2048),
        regex(pattern = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$")
    )]
    pub kms_key_arn: Option<String>,

    /// Name of the change set in `status.pendingChangeSet` that may run although it replaces or
    /// removes a cluster, namespace, security group, role or repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128), regex(pattern = r"^[a-zA-Z][-a-zA-Z0-9]*$"))]
    pub approve: Option<String>,
}

/// What becomes of the output of services.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Logging {
    /// For how many days the log group that the operator makes keeps it; one of the numbers that
    /// CloudWatch Logs takes. Default 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3653))]
    #[x_kube(validation = Rule::new(RETENTION_RULE).message(RETENTION_MESSAGE))]
    pub retention_days: Option<i32>,
}

// AWS: CloudWatch Logs API reference, PutRetentionPolicy.
const RETENTION_RULE: &str = "self in [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, \
    731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]";
const RETENTION_MESSAGE: &str = "write 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, \
    731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 (days, as CloudWatch Logs takes them)";
