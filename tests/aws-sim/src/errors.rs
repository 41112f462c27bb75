//! Errors as AWS answers them. In: a code, a text, a status. Out: the body of the answer in the
//! protocol of the request. Does no IO.

use serde_json::{Map, Value, json};

/// An answer that refuses: what a client sees as a service error.
#[derive(Debug, Clone, PartialEq)]
pub struct AwsError {
    /// HTTP status.
    pub status: u16,
    /// Error code, such as `InvalidParameterException`.
    pub code: String,
    /// Error text.
    pub message: String,
    /// Further members of the modelled exception.
    pub extra: Map<String, Value>,
}

impl AwsError {
    /// An error of the client's making (HTTP 400).
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code: code.to_owned(),
            message: message.into(),
            extra: Map::new(),
        }
    }

    /// An error of the service's making (HTTP 500).
    pub fn server(message: impl Into<String>) -> Self {
        Self {
            status: 500,
            ..Self::new("ServerException", message)
        }
    }

    /// What the simulator lacks: HTTP 501 with a code that no AWS service has, so that a gap is
    /// never mistaken for behaviour.
    pub fn not_implemented(what: impl Into<String>) -> Self {
        Self {
            status: 501,
            ..Self::new("NotImplementedBySimulator", what)
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    pub(crate) fn client(message: impl Into<String>) -> Self {
        Self::new("ClientException", message)
    }

    pub(crate) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(member.to_owned(), value.into());
        self
    }

    /// The body, in the protocols that write a structure.
    pub(crate) fn body(&self) -> Value {
        let mut body = self.extra.clone();
        body.insert("__type".to_owned(), json!(self.code));
        // Services differ in the case of this member; SDKs accept either.
        body.insert("message".to_owned(), json!(self.message));
        Value::Object(body)
    }

    /// The body in the awsQuery protocol (STS, CloudFormation, IAM, EC2).
    pub(crate) fn query_body(&self) -> Vec<u8> {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>\
             <RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>",
            self.code, self.message
        )
        .into_bytes()
    }
}
