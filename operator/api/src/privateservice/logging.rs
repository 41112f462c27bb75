//! Where the output of a service goes. Types only.

use std::collections::BTreeMap;

use super::secrets::SecretSource;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Where output goes; exactly one destination.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(ONE_RULE).message(ONE_MESSAGE))]
pub struct Logging {
    /// CloudWatch Logs, in the Environment's log group. Write `cloudWatch: {}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_watch: Option<CloudWatchLogging>,

    /// Datadog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datadog: Option<DatadogLogging>,

    /// Axiom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub axiom: Option<AxiomLogging>,

    /// Any output of Fluent Bit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fluent_bit: Option<FluentBitLogging>,
}

const ONE_RULE: &str = "[has(self.cloudWatch), has(self.datadog), has(self.axiom), has(self.fluentBit)].filter(x, x).size() == 1";
const ONE_MESSAGE: &str = "logging takes exactly one destination: write cloudWatch: {}, datadog: \
    {...}, axiom: {...} or fluentBit: {...}";

/// CloudWatch Logs; nothing to set.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CloudWatchLogging {}

/// Datadog, through a Fluent Bit container in each task.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatadogLogging {
    /// The Datadog site, such as datadoghq.eu. Default datadoghq.com.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 128),
        regex(pattern = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")
    )]
    pub site: Option<String>,

    /// The API key.
    pub api_key: SecretSource,

    /// Datadog's source: the technology that the lines come from, such as nginx. Default: the
    /// service's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^[A-Za-z0-9_.:/-]+$"))]
    pub source: Option<String>,

    /// Datadog's tags, as `name:value`, at most 20; `env:<Environment>` is always there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 20),
        inner(
            length(min = 1, max = 200),
            regex(pattern = r"^[A-Za-z][A-Za-z0-9_.:/-]*$")
        )
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub tags: Vec<String>,
}

/// Axiom, through a Fluent Bit container in each task.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AxiomLogging {
    /// Name of the dataset.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    pub dataset: String,

    /// The API token.
    pub token: SecretSource,

    /// The domain of Axiom's edge deployment, such as eu-central-1.aws.edge.axiom.co. Default
    /// us-east-1.aws.edge.axiom.co.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 128),
        regex(pattern = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")
    )]
    pub domain: Option<String>,
}

/// Any output of Fluent Bit, by its own options, in a Fluent Bit container in each task.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.options.exists(k, k.lowerAscii() == 'name')")
        .message("fluentBit.options needs the output's name: write options: {Name: http, ...}"),
    validation = Rule::new("!has(self.secretOptions) || self.secretOptions.all(k, !(k in self.options))")
        .message("an option is in fluentBit.options or in fluentBit.secretOptions, not in both"),
)]
pub struct FluentBitLogging {
    /// Options of the output, at most 50; `Name` says which output it is.
    #[schemars(extend(
        "maxProperties" = 50,
        "additionalProperties" = serde_json::json!({"type": "string", "maxLength": 1024})
    ))]
    pub options: BTreeMap<String, String>,

    /// Options whose values are secrets, at most 10.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 10))]
    pub secret_options: BTreeMap<String, SecretSource>,
}
