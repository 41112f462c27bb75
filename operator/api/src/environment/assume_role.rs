//! The role by which the operator works in an account. Types only; no IO.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// A role that the operator assumes for everything it does in an Environment.
#[derive(
    KubeSchema, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct AssumeRole {
    /// ARN of the role. Its trust policy must let the operator's own identity assume it.
    #[schemars(
        length(max = 2048),
        regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$")
    )]
    pub role_arn: String,

    /// The external id that the role's trust policy asks for, 2 to 1224 characters (STS API
    /// reference, AssumeRole). It is no secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 2, max = 1224),
        regex(pattern = r"^[A-Za-z0-9_+=,.@:/-]+$")
    )]
    pub external_id: Option<String>,
}
