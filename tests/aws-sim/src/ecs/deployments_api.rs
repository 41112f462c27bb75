//! Service deployments and revisions over the API. In: request JSON. Out: their records. No IO.

use serde_json::{Value, json};

use super::page;
use super::rollout::Around;
use super::service::Service;
use super::turn_back::{self, Cause};
use super::world::World;
use crate::clock::Moment;
use crate::errors::AwsError;

impl World {
    /// The service in `...:<kind>/<cluster>/<service>/<id>`.
    fn service_in(&self, arn: &Value, kind: &str) -> Option<(String, String)> {
        let path = arn.as_str()?.split(&format!(":{kind}/")).nth(1)?;
        let mut parts = path.split('/');
        let key = (parts.next()?.to_owned(), parts.next()?.to_owned());
        self.services.contains_key(&key).then_some(key)
    }

    pub(crate) fn list_service_deployments(
        &self,
        body: &Value,
        now: Moment,
    ) -> Result<Value, AwsError> {
        let (cluster_name, _) = self.cluster(&body["cluster"])?;
        let key = (cluster_name, super::read::service_name(&body["service"]));
        let missing = || AwsError::new("ServiceNotFoundException", "Service not found.");
        let service = self.services.get(&key).ok_or_else(missing)?;
        let statuses = body["status"].as_array();
        let after = body["createdAt"]["after"].as_f64();
        let before = body["createdAt"]["before"].as_f64();
        let briefs = service
            .history
            .iter()
            .rev()
            .filter(|one| {
                statuses.is_none_or(|statuses| statuses.contains(&json!(one.status)))
                    && after.is_none_or(|after| one.created.seconds() >= after)
                    && before.is_none_or(|before| one.created.seconds() <= before)
            })
            .map(|one| {
                let full = one.to_json(service, now);
                let mut brief = json!({"targetServiceRevisionArn": one.target});
                for member in [
                    "serviceDeploymentArn",
                    "serviceArn",
                    "clusterArn",
                    "startedAt",
                    "createdAt",
                    "finishedAt",
                    "status",
                    "statusReason",
                ] {
                    if !full[member].is_null() {
                        brief[member] = full[member].clone();
                    }
                }
                brief
            })
            .collect();
        page::list(body, briefs, "serviceDeployments", 20)
    }

    /// At most 20 (ECS API reference, DescribeServiceDeployments).
    pub(crate) fn describe_service_deployments(
        &self,
        body: &Value,
        now: Moment,
    ) -> Result<Value, AwsError> {
        self.describe_records(
            body,
            "serviceDeploymentArns",
            "service-deployment",
            |service, arn| {
                let found = service.history.iter().find(|one| one.arn == arn)?;
                Some(("serviceDeployments", found.to_json(service, now)))
            },
        )
    }

    /// At most 20 (ECS API reference, DescribeServiceRevisions).
    pub(crate) fn describe_service_revisions(&self, body: &Value) -> Result<Value, AwsError> {
        self.describe_records(
            body,
            "serviceRevisionArns",
            "service-revision",
            |service, arn| {
                let found = service.revision(arn)?;
                let mut shown = Value::Object(found.members.clone());
                shown["serviceRevisionArn"] = json!(found.arn);
                shown["serviceArn"] = json!(service.arn);
                shown["clusterArn"] = json!(service.cluster_arn);
                shown["createdAt"] = json!(found.created.seconds());
                Some(("serviceRevisions", shown))
            },
        )
    }

    fn describe_records(
        &self,
        body: &Value,
        member: &str,
        kind: &str,
        show: impl Fn(&Service, &str) -> Option<(&'static str, Value)>,
    ) -> Result<Value, AwsError> {
        let asked = body[member].as_array().cloned().unwrap_or_default();
        if asked.is_empty() || asked.len() > 20 {
            return Err(AwsError::invalid(format!(
                "{member} must have between 1 and 20 items."
            )));
        }
        let list = member.replace("Arns", "s");
        let mut answer = json!({"failures": []});
        answer[&list] = json!([]);
        for arn in &asked {
            let key = self.service_in(arn, kind);
            let service = key.and_then(|key| self.services.get(&key));
            let found = service.and_then(|service| show(service, arn.as_str().unwrap_or_default()));
            let (list, item) = found.map_or_else(
                || ("failures", json!({"arn": arn, "reason": "MISSING"})),
                |(list, item)| (list, item),
            );
            if let Some(items) = answer[list].as_array_mut() {
                items.push(item);
            }
        }
        Ok(answer)
    }

    /// Stops an open deployment and returns to the last completed revision, also when no rollback is
    /// configured (ECS API reference, StopServiceDeployment).
    pub(crate) fn stop_service_deployment(
        &mut self,
        body: &Value,
        now: Moment,
    ) -> Result<Value, AwsError> {
        if body["stopType"] == json!("ABORT") {
            return Err(AwsError::invalid(
                "The only valid value for stopType is ROLLBACK.",
            ));
        }
        let arn = &body["serviceDeploymentArn"];
        let missing = || {
            AwsError::new(
                "ServiceDeploymentNotFoundException",
                "The service deployment ARN that you specified was not found.",
            )
        };
        let key = self
            .service_in(arn, "service-deployment")
            .ok_or_else(missing)?;
        let service = self.services.get_mut(&key).ok_or_else(missing)?;
        let arn = arn.as_str().unwrap_or_default();
        let record = service.record(arn).ok_or_else(missing)?;
        if !matches!(record.status, "PENDING" | "IN_PROGRESS") {
            return Err(AwsError::new(
                "ConflictException",
                "The service deployment is not in a state that can be stopped.",
            ));
        }
        if service.last_completed.is_none() {
            return Err(AwsError::invalid(
                "The service deployment cannot be rolled back: there is no completed deployment.",
            ));
        }
        let mut around = Around {
            ids: &mut self.ids,
            timing: &self.options.timing,
            surroundings: &self.surroundings,
            definitions: &self.definitions,
        };
        turn_back::fail(service, now, &mut around, &Cause::Stopped);
        self.touch(&key, now);
        Ok(json!({"serviceDeploymentArn": arn}))
    }
}
