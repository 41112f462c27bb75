//! Task definitions: families, revisions and their operations. In: request JSON that passed
//! [`super::register_rules`]. Out: stored revisions with AWS's defaults filled in. No IO.
//! Invariant: a revision never changes but for its status and tags, and a number is used once.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::page;
use super::tags::{self, Tags};
use super::world::World;
use crate::clock::Moment;
use crate::errors::AwsError;

#[derive(Debug, Clone)]
pub(crate) struct Definition {
    pub(crate) arn: String,
    pub(crate) active: bool,
    /// As DescribeTaskDefinition shows it.
    pub(crate) shown: Value,
    pub(crate) tags: Tags,
}

/// All families; revision n is at index n - 1.
#[derive(Debug, Default)]
pub(crate) struct Definitions(BTreeMap<String, Vec<Definition>>);

impl Definitions {
    fn split(reference: &str) -> (String, Option<usize>) {
        let name = reference
            .rsplit(":task-definition/")
            .next()
            .unwrap_or(reference);
        match name.split_once(':') {
            Some((family, revision)) => (family.to_owned(), revision.parse().ok()),
            None => (name.to_owned(), None),
        }
    }

    /// By ARN, `family:revision`, or `family` (its newest ACTIVE revision).
    pub(crate) fn find(&self, reference: &str) -> Option<&Definition> {
        let (family, revision) = Self::split(reference);
        let revisions = self.0.get(&family)?;
        let found = match revision {
            Some(number) => revisions.get(number.checked_sub(1)?),
            None => revisions.iter().rev().find(|definition| definition.active),
        };
        found.filter(|found| !reference.starts_with("arn:") || found.arn == reference)
    }

    pub(crate) fn by_arn(&self, arn: &str) -> Option<&Definition> {
        self.find(arn)
    }

    pub(crate) fn by_arn_mut(&mut self, arn: &str) -> Option<&mut Definition> {
        let (family, revision) = Self::split(arn);
        self.0.get_mut(&family)?.get_mut(revision?.checked_sub(1)?)
    }

    pub(crate) fn is_active(&self, arn: &str) -> bool {
        self.find(arn).is_some_and(|definition| definition.active)
    }

    /// Revisions of every family, oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &Definition)> {
        self.0
            .iter()
            .flat_map(|(family, all)| all.iter().map(move |one| (family, one)))
    }
}

/// Defaults that AWS adds to a container definition (observed in DescribeTaskDefinition answers).
fn with_defaults(container: &Value) -> Value {
    let mut container = container.clone();
    let Some(members) = container.as_object_mut() else {
        return container;
    };
    members.entry("cpu").or_insert(json!(0));
    members.entry("essential").or_insert(json!(true));
    for list in [
        "portMappings",
        "environment",
        "mountPoints",
        "volumesFrom",
        "systemControls",
    ] {
        members.entry(list).or_insert(json!([]));
    }
    for mapping in members
        .get_mut("portMappings")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let port = mapping["containerPort"].clone();
        if let Some(mapping) = mapping.as_object_mut() {
            mapping.entry("hostPort").or_insert(port);
            mapping.entry("protocol").or_insert(json!("tcp"));
        }
    }
    if let Some(check) = members
        .get_mut("healthCheck")
        .and_then(Value::as_object_mut)
    {
        check.entry("interval").or_insert(json!(30));
        check.entry("timeout").or_insert(json!(5));
        check.entry("retries").or_insert(json!(3));
    }
    container
}

impl World {
    pub(crate) fn register_task_definition(
        &mut self,
        body: &Value,
        now: Moment,
        access_key: &str,
    ) -> Result<Value, AwsError> {
        super::register_rules::check(body)?;
        let tags = tags::parse(&body["tags"])?;
        let family = body["family"].as_str().unwrap_or_default().to_owned();
        let prefix = self.arn("task-definition");
        let revisions = self.definitions.0.entry(family.clone()).or_default();
        let number = revisions.len() + 1;
        let arn = format!("{prefix}/{family}:{number}");
        let mut shown = Map::new();
        for (member, value) in body.as_object().into_iter().flatten() {
            if member != "tags" {
                shown.insert(member.clone(), value.clone());
            }
        }
        let containers = body["containerDefinitions"].as_array();
        let containers: Value = containers
            .into_iter()
            .flatten()
            .map(with_defaults)
            .collect();
        shown.insert("containerDefinitions".to_owned(), containers);
        for list in ["volumes", "placementConstraints"] {
            shown.entry(list).or_insert(json!([]));
        }
        let state = json!({
            "taskDefinitionArn": arn, "revision": number, "status": "ACTIVE",
            "compatibilities": ["EC2", "FARGATE"], "requiresAttributes": [],
            "registeredAt": now.seconds(),
            "registeredBy": format!("arn:aws:iam::{}:user/{access_key}", self.options.account),
        });
        if let Value::Object(state) = state {
            shown.extend(state);
        }
        let shown = Value::Object(shown);
        let answer = json!({"taskDefinition": shown, "tags": tags::to_json(&tags)});
        revisions.push(Definition {
            arn,
            active: true,
            shown,
            tags,
        });
        Ok(answer)
    }

    pub(crate) fn describe_task_definition(&self, body: &Value) -> Result<Value, AwsError> {
        let reference = body["taskDefinition"].as_str().unwrap_or_default();
        let found = self.definitions.find(reference);
        let found = found.ok_or_else(|| AwsError::client("Unable to describe task definition."))?;
        let mut answer = json!({"taskDefinition": found.shown});
        if super::includes(body, "TAGS") {
            answer["tags"] = tags::to_json(&found.tags);
        }
        Ok(answer)
    }

    pub(crate) fn deregister_task_definition(
        &mut self,
        body: &Value,
        now: Moment,
    ) -> Result<Value, AwsError> {
        let reference = body["taskDefinition"].as_str().unwrap_or_default();
        if Definitions::split(reference).1.is_none() {
            return Err(AwsError::client(
                "Revision is missing: specify family:revision.",
            ));
        }
        let missing = || AwsError::client("The specified task definition does not exist.");
        let found = self.definitions.by_arn_mut(reference).ok_or_else(missing)?;
        found.active = false;
        found.shown["status"] = json!("INACTIVE");
        found.shown["deregisteredAt"] = json!(now.seconds());
        Ok(json!({"taskDefinition": found.shown}))
    }

    /// `familyPrefix` is a full family name (ECS API reference, ListTaskDefinitions).
    pub(crate) fn list_task_definitions(&self, body: &Value) -> Result<Value, AwsError> {
        let active = match body["status"].as_str() {
            None | Some("ACTIVE") => true,
            Some("INACTIVE") => false,
            Some(_) => return page::list(body, Vec::new(), "taskDefinitionArns", 100),
        };
        let family = body["familyPrefix"].as_str();
        let mut arns: Vec<Value> = self
            .definitions
            .all()
            .filter(|(of, one)| one.active == active && family.is_none_or(|family| family == *of))
            .map(|(_, one)| json!(one.arn))
            .collect();
        if body["sort"] == json!("DESC") {
            arns.reverse();
        }
        page::list(body, arns, "taskDefinitionArns", 100)
    }

    /// The definition a service may start: it exists and is ACTIVE.
    pub(crate) fn usable_definition(&self, reference: &Value) -> Result<Definition, AwsError> {
        let reference = reference.as_str().unwrap_or_default();
        match self.definitions.find(reference) {
            None => Err(AwsError::client("TaskDefinition not found.")),
            Some(found) if !found.active => Err(AwsError::client("TaskDefinition is inactive")),
            Some(found) => Ok(found.clone()),
        }
    }
}
