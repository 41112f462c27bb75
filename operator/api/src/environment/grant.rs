//! What an Environment lets namespaces name in AWS. Types only; no IO.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// What the PrivateServices of some Kubernetes namespaces may name. An ARN that ends in `*` stands
/// for all that begin like it; a `*` anywhere else is refused.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// Names of the Kubernetes namespaces it is for, 1 to 50.
    #[schemars(
        length(min = 1, max = 50),
        inner(
            length(min = 1, max = 63),
            regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
        )
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub namespaces: Vec<String>,

    /// ARNs of Secrets Manager secrets, at most 20. The execution role in the stack may read them;
    /// a role named in `existing` must be able to already. Secrets named `<Environment>/<Kubernetes
    /// namespace>/...` belong to that namespace and cannot be granted to another one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 20),
        inner(
            length(max = 2048),
            regex(
                pattern = r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:([A-Za-z0-9/_+=.@-]+\*?|\*)$"
            )
        )
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub secrets: Vec<String>,

    /// Names of parameters of the Parameter Store in the Environment's account and Region, such as
    /// `/team-a/*`, at most 20; a `*` at the end stands for any rest. The execution role in the stack
    /// may read them; a role named in `existing` must be able to already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 20),
        inner(
            length(min = 1, max = 1011),
            regex(pattern = r"^/?([A-Za-z0-9_.-]+/)*([A-Za-z0-9_.-]+\*?|\*)$")
        )
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub parameters: Vec<String>,

    /// ARNs of roles that the code in tasks may have, at most 20. Never the execution role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 20),
        inner(
            length(max = 2048),
            regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/([A-Za-z0-9+=,.@_/-]+\*?|\*)$")
        )
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub task_roles: Vec<String>,

    /// Whether services may take over ECS services of their names that nobody owns
    /// (`spec.adopt` of a PrivateService). Default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adopt: Option<bool>,

    /// Ids of security groups that tasks may have, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 20),
        inner(length(max = 64), regex(pattern = r"^sg-[0-9a-z]+$"))
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub security_groups: Vec<String>,
}
