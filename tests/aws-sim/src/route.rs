//! Which service and operation a request names. In: headers and body. Out: a [`Call`]. Does no IO.

use std::fmt;

use hyper::HeaderMap;
use serde_json::Value;

use crate::{cbor, secrets};

/// The protocol of a request, which decides how an error must be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// AWS JSON 1.0 or 1.1.
    Json,
    /// Form body with an `Action`, XML answers.
    Query,
    /// Smithy RPC v2: CBOR both ways.
    Cbor,
    /// Anything else (REST): only forwarded.
    Other,
}

/// One request, as far as the simulator needs to understand it.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) protocol: Protocol,
    /// The body as JSON, also if it is CBOR; for a form the map of its fields; otherwise null.
    pub(crate) body: Value,
    /// The access key id of the signature; a 12-digit one is the account for the stand-in behind.
    pub(crate) access_key: Option<String>,
    /// The Region of the signature.
    pub(crate) region: Option<String>,
    pub(crate) target: String,
}

impl fmt::Debug for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Call")
            .field("name", &self.name())
            .field("body", &self.logged_body())
            .finish_non_exhaustive()
    }
}

impl Call {
    /// The body without values of secrets.
    pub(crate) fn logged_body(&self) -> Value {
        secrets::hidden(&self.body)
    }

    /// The name that faults, holds and logs use: `ecs:CreateService`.
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    pub(crate) fn is_write(&self) -> bool {
        ![
            "Describe", "List", "Get", "Discover", "BatchGet", "Lookup", "Receive", "Assume",
        ]
        .iter()
        .any(|prefix| self.operation.starts_with(prefix))
    }
}

/// Whether a filter names an operation: `*`, `writes` (whatever changes AWS), `ecs:*`, or a full name.
pub(crate) fn matches(filter: &str, call: &Call) -> bool {
    match filter {
        "*" => true,
        "writes" => call.is_write(),
        _ => match filter.strip_suffix('*') {
            Some(prefix) => call.name().starts_with(prefix),
            None => call.name() == filter,
        },
    }
}

pub(crate) fn parse(headers: &HeaderMap, path: &str, body: &[u8]) -> Call {
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    };
    let (access_key, region, signed_service) = credential(header("authorization"));
    let target = header("x-amz-target").to_owned();
    if let Some((prefix, operation)) = target.split_once('.') {
        let service = match prefix {
            "AmazonEC2ContainerServiceV20141113" => "ecs".to_owned(),
            "Route53AutoNaming_v20170314" => "servicediscovery".to_owned(),
            "AnyScaleFrontendService" => "application-autoscaling".to_owned(),
            "GraniteServiceVersion20100801" => "monitoring".to_owned(),
            "secretsmanager" => "secretsmanager".to_owned(),
            _ => signed_service.unwrap_or_else(|| prefix.to_lowercase()),
        };
        return Call {
            service,
            operation: operation.to_owned(),
            protocol: Protocol::Json,
            body: serde_json::from_slice(body).unwrap_or(Value::Null),
            access_key,
            region,
            target,
        };
    }
    if header("smithy-protocol") == "rpc-v2-cbor"
        && let Some((named, operation)) = rpc_path(path)
    {
        let service = match named {
            "GraniteServiceVersion20100801" => "monitoring".to_owned(),
            _ => signed_service.unwrap_or_else(|| named.to_lowercase()),
        };
        return Call {
            service,
            operation: operation.to_owned(),
            protocol: Protocol::Cbor,
            body: cbor::to_json(body),
            access_key,
            region,
            target,
        };
    }
    let service = signed_service.unwrap_or_else(|| "unknown".to_owned());
    if header("content-type").starts_with("application/x-www-form-urlencoded") {
        let fields = form_fields(body);
        let operation = fields
            .get("Action")
            .and_then(Value::as_str)
            .unwrap_or("unknown")
            .to_owned();
        let body = Value::Object(fields);
        return Call {
            service,
            operation,
            protocol: Protocol::Query,
            body,
            access_key,
            region,
            target,
        };
    }
    let operation = path
        .rsplit('/')
        .next()
        .filter(|last| !last.is_empty())
        .unwrap_or("unknown");
    Call {
        service,
        operation: operation.to_owned(),
        protocol: Protocol::Other,
        body: Value::Null,
        access_key,
        region,
        target,
    }
}

/// Service and operation out of `/service/<service>/operation/<operation>`.
fn rpc_path(path: &str) -> Option<(&str, &str)> {
    let (service, operation) = path.strip_prefix("/service/")?.split_once("/operation/")?;
    Some((service, operation))
}

/// Access key, Region and service out of `Credential=<key>/<date>/<region>/<service>/aws4_request`.
fn credential(authorization: &str) -> (Option<String>, Option<String>, Option<String>) {
    let Some(scope) = authorization.split("Credential=").nth(1) else {
        return (None, None, None);
    };
    let mut parts = scope.split([',', ' ']).next().unwrap_or("").split('/');
    let key = parts
        .next()
        .filter(|key| !key.is_empty())
        .map(str::to_owned);
    // The date comes first.
    let region = parts.nth(1).map(str::to_owned);
    (key, region, parts.next().map(str::to_owned))
}

fn form_fields(body: &[u8]) -> serde_json::Map<String, Value> {
    String::from_utf8_lossy(body)
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (percent_decode(key), Value::String(percent_decode(value))))
        .collect()
}

fn percent_decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = [bytes.next().unwrap_or(b'0'), bytes.next().unwrap_or(b'0')];
                let hex = String::from_utf8_lossy(&digits).into_owned();
                out.push(u8::from_str_radix(&hex, 16).unwrap_or(b'?'));
            }
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_request_is_named_by_its_signature_and_action() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "content-type",
            "application/x-www-form-urlencoded".parse().unwrap(),
        );
        let signature = "AWS4-HMAC-SHA256 Credential=111122223333/20260101/us-east-1/sts/\
                         aws4_request, SignedHeaders=host, Signature=0";
        headers.insert("authorization", signature.parse().unwrap());
        let call = parse(
            &headers,
            "/",
            b"Action=GetCallerIdentity&Version=2011%2D06-15",
        );
        assert_eq!(call.name(), "sts:GetCallerIdentity");
        assert_eq!(call.body["Version"], "2011-06-15");
        assert_eq!(call.access_key.as_deref(), Some("111122223333"));
        assert_eq!(call.region.as_deref(), Some("us-east-1"));
        assert!(!call.is_write());
        assert!(matches("sts:*", &call) && !matches("ecs:*", &call) && !matches("writes", &call));
    }

    #[test]
    fn a_cbor_request_is_named_by_its_path() {
        let mut headers = HeaderMap::new();
        headers.insert("smithy-protocol", "rpc-v2-cbor".parse().unwrap());
        let path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms";
        let call = parse(
            &headers,
            path,
            &cbor::from_json(&serde_json::json!({"MaxRecords": 5})),
        );
        assert_eq!(call.name(), "monitoring:DescribeAlarms");
        assert_eq!(call.body["MaxRecords"], 5);
        assert_eq!(call.protocol, Protocol::Cbor);
    }
}
