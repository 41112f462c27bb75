//! An ECS event as EventBridge writes it, as far as it says where to look. Pure.
//!
//! ECS developer guide, Amazon ECS events. What an event says about the state of a thing is not used: events come at least once and in any
//! order.

use privateservice_core::names;
use serde::Deserialize;

/// Where something happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Happened {
    /// ARN of the cluster.
    pub(super) cluster: String,
    /// Name of the ECS service.
    pub(super) service: String,
    /// It may be about a service deployment too, and not about tasks alone.
    pub(super) deployment: bool,
}

/// What a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// An event of an ECS service.
    Of(Happened),
    /// An event of ECS that is about no service, such as a task that somebody ran by hand.
    Elsewhere,
    /// No event of ECS.
    Foreign,
}

#[derive(Deserialize)]
struct Envelope {
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    #[serde(default)]
    resources: Vec<String>,
    detail: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    cluster_arn: Option<String>,
    /// Of tasks: `service:<name>`, or `family:<family>` for a task of no service.
    group: Option<String>,
}

/// Reads the body of a message.
pub(super) fn read(body: &str) -> Message {
    let Ok(event) = serde_json::from_str::<Envelope>(body) else {
        return Message::Foreign;
    };
    if event.source != "aws.ecs" {
        return Message::Foreign;
    }
    let arn = event
        .resources
        .iter()
        .find(|arn| arn.contains(":service/"))
        .map(String::as_str);
    let group = event.detail.group.as_deref();
    let service = group
        .and_then(|group| group.strip_prefix("service:"))
        .or(arn.map(names::last_segment));
    let cluster = event.detail.cluster_arn.or_else(|| cluster_of(arn?));
    match (cluster, service) {
        (Some(cluster), Some(service)) => Message::Of(Happened {
            cluster,
            service: service.to_owned(),
            deployment: event.detail_type != "ECS Task State Change",
        }),
        _ => Message::Elsewhere,
    }
}

/// The cluster in the long form of a service's ARN: `arn:aws:ecs:<region>:<account>:service/<cluster>/<service>`.
fn cluster_of(service: &str) -> Option<String> {
    let (before, path) = service.split_once(":service/")?;
    let (cluster, _) = path.split_once('/')?;
    Some(format!("{before}:cluster/{cluster}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const CLUSTER: &str = "arn:aws:ecs:us-east-1:111122223333:cluster/flexstack";
    const SERVICE: &str = "arn:aws:ecs:us-east-1:111122223333:service/flexstack/api";

    fn event(kind: &str, resource: &str, detail: &Value) -> String {
        json!({
            "version": "0", "id": "af3c496d-f4a8-65d1-70f4-a69d52e9b584", "detail-type": kind,
            "source": "aws.ecs", "account": "111122223333", "time": "2026-01-01T00:00:00Z",
            "region": "us-east-1", "resources": [resource], "detail": detail,
        })
        .to_string()
    }

    fn happened(deployment: bool) -> Message {
        Message::Of(Happened {
            cluster: CLUSTER.into(),
            service: "api".into(),
            deployment,
        })
    }

    #[test]
    fn a_task_names_its_service_by_its_group() {
        let task = "arn:aws:ecs:us-east-1:111122223333:task/flexstack/4f43";
        let kind = "ECS Task State Change";
        let detail =
            json!({"clusterArn": CLUSTER, "group": "service:api", "lastStatus": "RUNNING"});
        assert_eq!(read(&event(kind, task, &detail)), happened(false));
        let alone = json!({"clusterArn": CLUSTER, "group": "family:migrate"});
        assert_eq!(read(&event(kind, task, &alone)), Message::Elsewhere);
    }

    #[test]
    fn a_service_is_named_by_its_arn_with_or_without_a_cluster_beside_it() {
        let detail = json!({
            "eventType": "INFO", "eventName": "SERVICE_DEPLOYMENT_COMPLETED",
            "deploymentId": "ecs-svc/123", "reason": "...",
        });
        let kind = "ECS Deployment State Change";
        assert_eq!(read(&event(kind, SERVICE, &detail)), happened(true));
        let detail = json!({"eventName": "SERVICE_STEADY_STATE", "clusterArn": CLUSTER});
        let short = "arn:aws:ecs:us-east-1:111122223333:service/api";
        let kind = "ECS Service Action";
        assert_eq!(read(&event(kind, short, &detail)), happened(true));
        assert_eq!(read(&event(kind, short, &json!({}))), Message::Elsewhere);
    }

    #[test]
    fn what_is_no_event_of_ecs_is_foreign() {
        let other = event("x", SERVICE, &json!({})).replace("aws.ecs", "aws.ec2");
        for body in ["", "hello", "{}", "[1]", other.as_str()] {
            assert_eq!(read(body), Message::Foreign, "{body}");
        }
    }
}
