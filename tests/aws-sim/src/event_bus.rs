//! EventBridge between the simulated ECS and the stand-in's queues. In: what ECS tells. Out: messages in the queues that the rules of the
//! stand-in name, which CloudFormation or somebody else made there. Does IO. Invariant: what no rule asks for goes nowhere.

mod pattern;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::errors::AwsError;
use crate::forward::Upstream;

/// For how long (real time) what rules there are is believed. AWS, too, takes a while to let a new rule take effect.
const RULES_KEPT: Duration = Duration::from_secs(1);
/// Each so many-th message is delivered twice: EventBridge and standard queues deliver at least once.
const TWICE_EVERY: usize = 5;

/// A rule, and the URLs of the queues it sends to.
#[derive(Debug)]
struct Rule {
    pattern: Value,
    queues: Vec<String>,
}

/// The default event bus of one account in one Region.
#[derive(Debug, Default)]
pub(crate) struct EventBus {
    rules: Vec<Rule>,
    read: Option<Instant>,
    sent: usize,
}

impl EventBus {
    /// Sends events to whoever asks for them, in order.
    pub(crate) async fn deliver(&mut self, upstream: &Upstream, events: Vec<Value>) {
        if events.is_empty() {
            return;
        }
        if self.read.is_none_or(|at| at.elapsed() > RULES_KEPT) {
            match rules(upstream).await {
                Ok(rules) => self.rules = rules,
                Err(error) => tracing::warn!(code = error.code, "rules cannot be read"),
            }
            self.read = Some(Instant::now());
        }
        for event in events {
            let matching = self
                .rules
                .iter()
                .filter(|rule| pattern::matches(&rule.pattern, &event));
            for queue in matching.flat_map(|rule| &rule.queues) {
                self.sent += 1;
                let times = if self.sent.is_multiple_of(TWICE_EVERY) {
                    2
                } else {
                    1
                };
                for _ in 0..times {
                    let message = json!({"QueueUrl": queue, "MessageBody": event.to_string()});
                    let sent = upstream.sqs("SendMessage", &message).await;
                    if let Err(error) = sent {
                        tracing::warn!(code = error.code, queue, "an event was not delivered");
                    }
                }
            }
        }
    }
}

/// The enabled rules for queues.
async fn rules(upstream: &Upstream) -> Result<Vec<Rule>, AwsError> {
    let listed = upstream.events("ListRules", &json!({})).await?;
    let mut rules = Vec::new();
    for rule in listed["Rules"].as_array().into_iter().flatten() {
        let pattern = rule["EventPattern"].as_str();
        let Some(pattern) = pattern.and_then(|text| serde_json::from_str(text).ok()) else {
            continue;
        };
        if rule["State"] != "ENABLED" {
            continue;
        }
        let named = json!({"Rule": rule["Name"]});
        let targets = upstream.events("ListTargetsByRule", &named).await?;
        let mut queues = Vec::new();
        for target in targets["Targets"].as_array().into_iter().flatten() {
            let arn = target["Arn"].as_str().unwrap_or_default();
            // arn:aws:sqs:<region>:<account>:<name>
            let Some(name) = arn.strip_prefix("arn:aws:sqs:").and(arn.rsplit(':').next()) else {
                continue;
            };
            let found = upstream
                .sqs("GetQueueUrl", &json!({"QueueName": name}))
                .await?;
            queues.extend(found["QueueUrl"].as_str().map(str::to_owned));
        }
        rules.push(Rule { pattern, queues });
    }
    Ok(rules)
}
