//! Answers as they leave. In: a value or an error, and the protocol of the call. Out: an HTTP answer. Pure.

use std::fmt;

use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::cbor;
use crate::errors::AwsError;
use crate::route::{Call, Protocol};

const CBOR: &str = "application/cbor";

/// An HTTP answer.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// It may hold the value of a secret.
    pub(crate) body: Vec<u8>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Answer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        let header = (
            hyper::header::CONTENT_TYPE,
            HeaderValue::from_static(content_type),
        );
        Self {
            status,
            headers: vec![header],
            body,
        }
    }

    pub(crate) fn json(value: &Value) -> Self {
        Self::new(
            200,
            "application/x-amz-json-1.1",
            value.to_string().into_bytes(),
        )
    }

    fn cbor(status: u16, value: &Value) -> Self {
        let mut answer = Self::new(status, CBOR, cbor::from_json(value));
        answer.add("smithy-protocol", "rpc-v2-cbor");
        answer
    }

    /// What a call is answered with, in its protocol.
    pub(crate) fn to(call: &Call, value: &Value) -> Self {
        match call.protocol {
            Protocol::Cbor => Self::cbor(200, value),
            _ => Self::json(value),
        }
    }

    pub(crate) fn refusal(error: &AwsError, protocol: Protocol) -> Self {
        match protocol {
            Protocol::Query => Self::new(error.status, "text/xml", error.query_body()),
            Protocol::Cbor => {
                let mut answer = Self::cbor(error.status, &error.body());
                // AWS names the codes of the query protocol here, from which CloudWatch comes, and SDKs read them.
                let fault = if error.status < 500 {
                    "Sender"
                } else {
                    "Receiver"
                };
                answer.add("x-amzn-query-error", &format!("{};{fault}", error.code));
                answer
            }
            Protocol::Json | Protocol::Other => {
                let body = error.body().to_string().into_bytes();
                let mut answer = Self::new(error.status, "application/x-amz-json-1.1", body);
                answer.add("x-amzn-errortype", &error.code);
                answer
            }
        }
    }

    fn add(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
    }

    fn is_cbor(&self) -> bool {
        self.headers
            .iter()
            .any(|(name, value)| name == hyper::header::CONTENT_TYPE && value == CBOR)
    }

    /// Its body, if that is CBOR or JSON.
    fn value(&self) -> Option<Value> {
        if self.is_cbor() {
            return Some(cbor::to_json(&self.body));
        }
        serde_json::from_slice(&self.body).ok()
    }

    /// Its lists emptied and its tokens dropped, as a page that AWS returns empty.
    pub(crate) fn emptied(mut self) -> Self {
        let Some(mut body) = self.value() else {
            return self;
        };
        if let Some(members) = body.as_object_mut() {
            members.retain(|name, _| name != "nextToken" && name != "NextToken");
            for value in members.values_mut().filter(|value| value.is_array()) {
                *value = json!([]);
            }
        }
        self.body = if self.is_cbor() {
            cbor::from_json(&body)
        } else {
            body.to_string().into_bytes()
        };
        self
    }

    /// The error code in it, if it is an error.
    pub(crate) fn error_code(&self) -> Option<String> {
        if self.status < 300 {
            return None;
        }
        let body = self.value().unwrap_or_default();
        let code = body["__type"]
            .as_str()
            .map_or_else(|| self.status.to_string(), str::to_owned);
        Some(code.rsplit('#').next().unwrap_or_default().to_owned())
    }
}
