//! The record of one service deployment. In: what happened to it. Out: its JSON as
//! DescribeServiceDeployments shows it. Pure.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::breaker::threshold;
use super::deployment_alarms;
use super::service::Service;
use crate::clock::Moment;
use crate::options::Timing;

#[derive(Debug, Clone)]
pub(crate) struct ServiceDeployment {
    pub(crate) arn: String,
    pub(crate) status: &'static str,
    pub(crate) reason: Option<String>,
    pub(crate) target: String,
    pub(crate) sources: Vec<String>,
    pub(crate) created: Moment,
    pub(crate) updated: Moment,
    pub(crate) finished: Option<Moment>,
    pub(crate) stopped: Option<Moment>,
    pub(crate) rollback: Option<(String, Moment, String)>,
    pub(crate) breaker_triggered: bool,
    pub(crate) failures: u32,
    /// Alarms in ALARM when it began.
    pub(crate) alarms_ignored: BTreeSet<String>,
    pub(crate) alarms_triggered: Vec<String>,
    /// The desired count and the settings it ran with last.
    pub(crate) desired: u32,
    pub(crate) configuration: Value,
}

impl ServiceDeployment {
    pub(crate) fn is_open(&self) -> bool {
        matches!(
            self.status,
            "PENDING" | "IN_PROGRESS" | "ROLLBACK_REQUESTED" | "ROLLBACK_IN_PROGRESS"
        )
    }

    /// When it is STOPPED, if a newer one has superseded it.
    pub(crate) fn stops_at(&self, timing: &Timing) -> Option<Moment> {
        (self.status == "STOP_REQUESTED").then(|| self.updated + timing.superseded_stops)
    }

    pub(crate) fn become_(&mut self, status: &'static str, reason: Option<String>, now: Moment) {
        self.status = status;
        if reason.is_some() {
            self.reason = reason;
        }
        self.updated = now;
        match status {
            "STOPPED" => {
                self.stopped = Some(now);
                self.finished = Some(now);
            }
            "SUCCESSFUL" | "ROLLBACK_SUCCESSFUL" | "ROLLBACK_FAILED" => self.finished = Some(now),
            _ => {}
        }
    }
}

impl ServiceDeployment {
    /// As DescribeServiceDeployments shows it.
    pub(crate) fn to_json(&self, service: &Service, now: Moment) -> Value {
        let threshold = threshold(&self.configuration, self.desired);
        let summary = |arn: &String| service.revision_json(arn, now);
        let breaker = match (threshold, self.breaker_triggered, self.is_open()) {
            (None, _, _) => "DISABLED",
            (_, true, _) => "TRIGGERED",
            (_, _, true) => "MONITORING",
            _ => "MONITORING_COMPLETE",
        };
        let mut shown = json!({
            "serviceDeploymentArn": self.arn,
            "serviceArn": service.arn,
            "clusterArn": service.cluster_arn,
            "createdAt": self.created.seconds(),
            "startedAt": self.created.seconds(),
            "updatedAt": self.updated.seconds(),
            "status": self.status,
            "sourceServiceRevisions": self.sources.iter().map(summary).collect::<Vec<_>>(),
            "targetServiceRevision": summary(&self.target),
            "deploymentConfiguration": self.configuration,
            "deploymentCircuitBreaker": {
                "status": breaker, "failureCount": self.failures, "threshold": threshold.unwrap_or(0),
            },
            "alarms": deployment_alarms::to_json(self),
        });
        if let Some(reason) = &self.reason {
            shown["statusReason"] = json!(reason);
        }
        if let Some(at) = self.finished {
            shown["finishedAt"] = json!(at.seconds());
        }
        if let Some(at) = self.stopped {
            shown["stoppedAt"] = json!(at.seconds());
        }
        if let Some((reason, at, revision)) = &self.rollback {
            shown["rollback"] = json!({
                "reason": reason, "startedAt": at.seconds(), "serviceRevisionArn": revision,
            });
        }
        shown
    }
}
