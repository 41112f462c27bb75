//! DescribeServices and ListServices. In: request JSON. Out: what a reader may see at the moment. No
//! IO. Invariants: a service younger than the describe lag is MISSING and unlisted; an update younger
//! than the update lag does not show.

use serde_json::{Value, json};

use super::page;
use super::service::{Service, Status};
use super::world::World;
use crate::clock::Moment;
use crate::errors::AwsError;
use crate::options::CurrentDeployment;

/// The name in a service's name or ARN.
pub(crate) fn service_name(reference: &Value) -> String {
    let text = reference.as_str().unwrap_or_default();
    text.rsplit('/').next().unwrap_or(text).to_owned()
}

impl World {
    pub(crate) fn describe_services(&self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let (cluster_name, _) = self.cluster(&body["cluster"])?;
        let asked = body["services"].as_array().cloned().unwrap_or_default();
        if asked.is_empty() {
            return Err(AwsError::invalid("Services cannot be empty."));
        }
        // ECS API reference, DescribeServices.
        if asked.len() > 10 {
            return Err(AwsError::invalid("Services cannot be more than 10."));
        }
        let with_tags = super::includes(body, "TAGS");
        let kept = self.options.timing.inactive_kept;
        let (mut services, mut failures) = (Vec::new(), Vec::new());
        for reference in &asked {
            let key = (cluster_name.clone(), service_name(reference));
            let arn = self.arn(&format!("service/{}/{}", key.0, key.1));
            let is_other = reference
                .as_str()
                .is_some_and(|text| text.starts_with("arn:") && text != arn);
            let found = self
                .services
                .get(&key)
                .filter(|service| service.is_visible(now, kept));
            match found.filter(|_| !is_other) {
                Some(service) => services.push(self.described(service, now, with_tags)),
                None if is_other => failures.push(json!({"arn": reference, "reason": "MISSING"})),
                None => failures.push(json!({"arn": arn, "reason": "MISSING"})),
            }
        }
        Ok(json!({"services": services, "failures": failures}))
    }

    /// A service as this ECS shows it at once to whoever wrote it.
    pub(crate) fn service_json(&self, service: &Service, now: Moment, with_tags: bool) -> Value {
        let mut shown = service.to_json(now, with_tags);
        let even_if_finished = self.options.current_deployment != CurrentDeployment::WhileOpen;
        if let Some(members) = shown.as_object_mut() {
            if self.options.hide_service_deployments {
                members.remove("currentServiceRevisions");
            }
            let current = service.current_record(even_if_finished);
            if self.options.hide_service_deployments || current.is_none() {
                members.remove("currentServiceDeployment");
            }
        }
        shown
    }

    /// A service as a reader sees it, who may not see the last update yet. Tags are not delayed.
    fn described(&self, service: &Service, now: Moment, with_tags: bool) -> Value {
        let before = service.shown_before.iter().find(|(until, _)| *until > now);
        let Some((_, before)) = before else {
            return self.service_json(service, now, with_tags);
        };
        let mut shown = before.clone();
        if let Some(members) = shown.as_object_mut() {
            members.remove("tags");
            if with_tags {
                members.insert("tags".to_owned(), super::tags::to_json(&service.tags));
            }
        }
        shown
    }

    /// DRAINING and INACTIVE services are not listed (ECS API reference, DeleteService). The page
    /// size is 10 unless asked for (ECS API reference, ListServices).
    pub(crate) fn list_services(&self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let (cluster_name, _) = self.cluster(&body["cluster"])?;
        let launch_type = body["launchType"].as_str();
        let arns = self
            .services
            .iter()
            .filter(|((cluster, _), service)| {
                *cluster == cluster_name
                    && service.status == Status::Active
                    && service.visible <= now
                    && launch_type.is_none_or(|wanted| {
                        service
                            .spec
                            .get("launchType")
                            .is_some_and(|launch| launch == wanted)
                    })
            })
            .map(|(_, service)| json!(service.arn))
            .collect();
        page::list(body, arns, "serviceArns", 10)
    }
}
