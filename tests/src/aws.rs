//! A client of the simulated AWS for whoever stands beside the operator: the platform team that seeds an account, somebody who
//! edits a service in the console, the test that looks. In: an operation and its JSON or form. Out: AWS's answer. Does IO.
//!
//! Invariant: it remembers what it sent, so that the operator's requests can be told from its own.

use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// Region of all that is simulated here, unless another one is named.
pub const REGION: &str = "us-east-1";

/// A client of one account.
#[derive(Debug)]
pub struct Aws {
    http: reqwest::Client,
    url: String,
    account: String,
    region: String,
    sent: Mutex<Vec<(String, Value)>>,
}

impl Aws {
    /// A client of the endpoint `url`, with a 12-digit account as its access key: the stand-ins take the one for the other.
    pub fn new(url: &str, account: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: url.to_owned(),
            account: account.to_owned(),
            region: REGION.to_owned(),
            sent: Mutex::default(),
        }
    }

    /// The same in another Region.
    #[must_use]
    pub fn in_region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.region);
        self
    }

    /// The Region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The account.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Calls an operation such as `ecs:DescribeServices` with a JSON body.
    ///
    /// # Errors
    /// AWS's error code and message, or that there was no answer.
    pub async fn call(&self, operation: &str, body: Value) -> Result<Value> {
        let (service, action) = operation
            .split_once(':')
            .context("write service:Operation")?;
        let prefix = match service {
            "ecs" => "AmazonEC2ContainerServiceV20141113",
            "servicediscovery" => "Route53AutoNaming_v20170314",
            "logs" => "Logs_20140328",
            "secretsmanager" => "secretsmanager",
            "application-autoscaling" => "AnyScaleFrontendService",
            "monitoring" => "GraniteServiceVersion20100801",
            "sqs" => "AmazonSQS",
            "events" => "AWSEvents",
            other => bail!("no JSON protocol is known for {other}"),
        };
        let content_type = match service {
            "sqs" => "application/x-amz-json-1.0",
            _ => "application/x-amz-json-1.1",
        };
        self.remember(operation, &body);
        let answer = self
            .http
            .post(&self.url)
            .header("x-amz-target", format!("{prefix}.{action}"))
            .header("content-type", content_type)
            .header("authorization", self.authorization(service))
            .body(body.to_string())
            .send()
            .await
            .with_context(|| format!("{operation}: no answer"))?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{operation}: {status}: {text}");
        }
        Ok(if text.is_empty() {
            json!({})
        } else {
            serde_json::from_str(&text)?
        })
    }

    /// Calls an operation of a service that speaks forms and XML, such as `ec2:CreateVpc`; the answer is XML.
    ///
    /// # Errors
    /// AWS's error code and message, or that there was no answer.
    pub async fn form(
        &self,
        operation: &str,
        version: &str,
        fields: &[(&str, &str)],
    ) -> Result<String> {
        let (service, action) = operation.split_once(':').context("write service:Action")?;
        let mut all = vec![("Action", action), ("Version", version)];
        all.extend_from_slice(fields);
        let recorded: serde_json::Map<String, Value> = all
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect();
        self.remember(operation, &Value::Object(recorded));
        let body: Vec<String> = all
            .iter()
            .map(|(key, value)| format!("{}={}", percent_encoded(key), percent_encoded(value)))
            .collect();
        let answer = self
            .http
            .post(format!("{}/", self.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", self.authorization(service))
            .body(body.join("&"))
            .send()
            .await
            .with_context(|| format!("{operation}: no answer"))?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{operation}: {status}: {text}");
        }
        Ok(text)
    }

    /// What was sent through this client, by operation and body.
    pub(crate) fn sent(&self) -> Vec<(String, Value)> {
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn remember(&self, operation: &str, body: &Value) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push((operation.to_owned(), body.clone()));
    }

    fn authorization(&self, service: &str) -> String {
        // The stand-ins read account, Region and service from it and check no signature.
        format!(
            "AWS4-HMAC-SHA256 Credential={}/20260101/{}/{service}/aws4_request, \
             SignedHeaders=host, Signature=0",
            self.account, self.region
        )
    }
}

/// The text of the first element of that name.
pub(crate) fn element(xml: &str, name: &str) -> Result<String> {
    let (_, rest) = xml
        .split_once(&format!("<{name}>"))
        .with_context(|| format!("no <{name}> in {xml}"))?;
    let (text, _) = rest
        .split_once('<')
        .with_context(|| format!("no end of <{name}>"))?;
    Ok(text.to_owned())
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_escape_what_is_not_a_letter_or_digit() {
        assert_eq!(
            percent_encoded("10.0.0.0/16 {a}"),
            "10.0.0.0%2F16%20%7Ba%7D"
        );
    }

    #[test]
    fn an_element_is_found_by_name() {
        assert_eq!(
            element("<a><vpcId>vpc-1</vpcId></a>", "vpcId").unwrap(),
            "vpc-1"
        );
        assert!(element("<a/>", "vpcId").is_err());
    }
}
