//! The stand-in behind the simulator. In: requests for services that are not simulated, byte for byte,
//! and the simulator's own questions to Cloud Map. Out: the stand-in's answers. Does IO.

use hyper::{HeaderMap, Method};
use serde_json::Value;

use crate::answer::Answer;
use crate::errors::AwsError;

const JSON_1_0: &str = "application/x-amz-json-1.0";
const JSON_1_1: &str = "application/x-amz-json-1.1";

/// Headers that belong to one connection and are not passed on.
const HOP_HEADERS: [&str; 6] = [
    "host",
    "content-length",
    "connection",
    "transfer-encoding",
    "keep-alive",
    "accept-encoding",
];

#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    base: String,
    account: String,
    region: String,
    client: reqwest::Client,
}

impl Upstream {
    pub(crate) fn new(base: &str, account: &str, region: &str) -> Self {
        Self {
            base: base.trim_end_matches('/').to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
            client: reqwest::Client::new(),
        }
    }

    /// Passes a request on and its answer back.
    pub(crate) async fn forward(
        &self,
        method: &Method,
        path_and_query: &str,
        headers: &HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answer, AwsError> {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path_and_query}", self.base));
        for (name, value) in headers {
            if !HOP_HEADERS.contains(&name.as_str()) {
                request = request.header(name, value);
            }
        }
        let unreachable =
            |error: reqwest::Error| AwsError::server(format!("stand-in unreachable: {error}"));
        let response = request.body(body).send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .filter(|(name, _)| !HOP_HEADERS.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let body = response.bytes().await.map_err(unreachable)?.to_vec();
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    /// What EC2 says against the subnets, if anything.
    pub(crate) async fn subnet_problem(
        &self,
        subnets: &[&str],
        access_key: Option<&str>,
    ) -> Result<Option<String>, AwsError> {
        let mut form = "Action=DescribeSubnets&Version=2016-11-15".to_owned();
        for (index, subnet) in subnets.iter().enumerate() {
            use std::fmt::Write as _;
            // Writing into a string does not fail.
            let _ = write!(form, "&SubnetId.{}={subnet}", index + 1);
        }
        let unreachable =
            |error: reqwest::Error| AwsError::server(format!("stand-in unreachable: {error}"));
        let response = self
            .client
            .post(format!("{}/", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", self.authorization("ec2", access_key))
            .body(form)
            .send()
            .await
            .map_err(unreachable)?;
        if response.status().is_success() {
            return Ok(None);
        }
        let text = response.text().await.map_err(unreachable)?;
        let said = text
            .split("<Message>")
            .nth(1)
            .and_then(|rest| rest.split('<').next());
        Ok(Some(said.unwrap_or_default().to_owned()))
    }

    /// The stand-in derives the account from the access key and checks no signature.
    fn authorization(&self, service: &str, access_key: Option<&str>) -> String {
        let access_key = access_key.unwrap_or(&self.account);
        format!(
            "AWS4-HMAC-SHA256 Credential={access_key}/20260101/{}/{service}/aws4_request, \
             SignedHeaders=host, Signature=0",
            self.region
        )
    }

    /// Asks Cloud Map in the account of an access key; an error answer becomes an [`AwsError`].
    pub(crate) async fn cloud_map(
        &self,
        operation: &str,
        body: &Value,
        access_key: Option<&str>,
    ) -> Result<Value, AwsError> {
        let target = format!("Route53AutoNaming_v20170314.{operation}");
        self.ask("servicediscovery", &target, body, access_key)
            .await
    }

    /// Asks EventBridge.
    pub(crate) async fn events(&self, operation: &str, body: &Value) -> Result<Value, AwsError> {
        let target = format!("AWSEvents.{operation}");
        self.ask("events", &target, body, None).await
    }

    /// Asks SQS.
    pub(crate) async fn sqs(&self, operation: &str, body: &Value) -> Result<Value, AwsError> {
        let target = format!("AmazonSQS.{operation}");
        self.ask("sqs", &target, body, None).await
    }

    /// The clusters the stand-in has of these: those its CloudFormation made.
    pub(crate) async fn clusters(
        &self,
        names: &[String],
        access_key: Option<&str>,
    ) -> Result<Vec<Value>, AwsError> {
        let body = serde_json::json!({"clusters": names});
        let target = "AmazonEC2ContainerServiceV20141113.DescribeClusters";
        let answer = self.ask("ecs", target, &body, access_key).await?;
        Ok(answer["clusters"].as_array().cloned().unwrap_or_default())
    }

    async fn ask(
        &self,
        service: &str,
        target: &str,
        body: &Value,
        access_key: Option<&str>,
    ) -> Result<Value, AwsError> {
        let unreachable =
            |error: reqwest::Error| AwsError::server(format!("stand-in unreachable: {error}"));
        let response = self
            .client
            .post(format!("{}/", self.base))
            .header("x-amz-target", target)
            .header(
                "content-type",
                if service == "sqs" { JSON_1_0 } else { JSON_1_1 },
            )
            .header("authorization", self.authorization(service, access_key))
            .body(body.to_string())
            .send()
            .await
            .map_err(unreachable)?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.map_err(unreachable)?;
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status < 300 {
            return Ok(answer);
        }
        let code = answer["__type"].as_str().unwrap_or("ServerException");
        let text = answer["message"]
            .as_str()
            .or(answer["Message"].as_str())
            .unwrap_or_default();
        Err(AwsError {
            status,
            ..AwsError::new(code, text)
        })
    }
}
