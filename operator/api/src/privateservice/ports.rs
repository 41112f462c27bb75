//! The ports a service listens on, and the rules on them. Types only.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One port the service listens on.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(TIMEOUT_RULE).message(TIMEOUT_MESSAGE).field_path(".requestTimeoutSeconds"),
    validation = Rule::new(PROTOCOL_RULE).message(PROTOCOL_MESSAGE).field_path(".protocol"),
)]
pub struct Port {
    /// Name of the port, unique within the service: a DNS label of at most 15 characters.
    #[schemars(
        length(min = 1, max = 15),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub name: String,

    /// Number of the port, 1 to 65535, unique within the service.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,

    /// What is spoken on the port: tcp (the default), http, http2 or grpc. Immutable for a port of
    /// this name, because AWS cannot change it: to change it, rename the port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,

    /// Seconds until a request must be answered; 0 turns the limit off. Not with tcp. Absent: 15
    /// (AWS).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub request_timeout_seconds: Option<i32>,

    /// Seconds until an idle connection is closed; 0 turns the limit off. Absent: 300 with http,
    /// http2 and grpc, 3600 with tcp (AWS).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub idle_timeout_seconds: Option<i32>,
}

/// What is spoken on the port: tcp (the default), http, http2 or grpc. Immutable for a port of this
/// name, because AWS cannot change it: to change it, rename the port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Any protocol over TCP; connections, not requests, are balanced.
    #[default]
    Tcp,
    /// HTTP/1.1.
    Http,
    /// HTTP/2.
    Http2,
    /// gRPC.
    Grpc,
}

impl Protocol {
    /// The word in the spec, which is also ECS's `appProtocol` for all but tcp.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Http => "http",
            Self::Http2 => "http2",
            Self::Grpc => "grpc",
        }
    }
}

pub(super) const UNIQUE_RULE: &str = "self.all(p, self.exists_one(q, q.port == p.port))";
pub(super) const UNIQUE_MESSAGE: &str =
    "port numbers must be unique: give each port its own number";

const TIMEOUT_RULE: &str = "!has(self.requestTimeoutSeconds) || \
    (has(self.protocol) && self.protocol != 'tcp')";
const TIMEOUT_MESSAGE: &str = "requestTimeoutSeconds needs protocol http, http2 or grpc: write \
    one of them, or use idleTimeoutSeconds for tcp";

const PROTOCOL_RULE: &str = "(has(self.protocol) ? self.protocol : 'tcp') == \
    (has(oldSelf.protocol) ? oldSelf.protocol : 'tcp')";
const PROTOCOL_MESSAGE: &str = "protocol is immutable for a port of this name (absent counts as \
    tcp): give the port another name to change it";
