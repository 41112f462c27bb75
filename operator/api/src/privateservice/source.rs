//! Where the container image comes from. Types only.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Where the container image comes from: `image`.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.image)")
    .message("source.image is required: write source: {image: {name: \"redis:alpine\"}}"))]
pub struct Source {
    /// An image in a registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSource>,
}

/// An image in a registry.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageSource {
    /// Name with a tag or digest, such as `redis:alpine`; at most 255 characters (the limit of an
    /// ECS container definition).
    #[schemars(
        length(min = 1, max = 255),
        regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._:/@#-]*$")
    )]
    pub name: String,

    /// ARN of the Secrets Manager secret `{"username", "password"}` that a private registry asks
    /// for; it must be granted by the Environment (`spec.grants[].secrets`). Not needed for ECR.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 2048),
        regex(
            pattern = r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+$"
        )
    )]
    pub credentials_secret_arn: Option<String>,
}
