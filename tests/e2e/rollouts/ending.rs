//! How a rollout is to end, as everybody sees it: conditions, status, Events, kubectl, and what runs in AWS. Talks to the world;
//! gives up with a panic.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Api;
use kube::api::ListParams;
use privateservice_api::PrivateService;
use privateservice_api::privateservice::{EndedBy, RolloutPhase};
use privateservice_tests::world::DEADLINE;
use privateservice_tests::{World, eventually};
use serde_json::Value;

/// See the top of this file.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    reason: &'static str,
    phase: RolloutPhase,
    ended_by: Option<EndedBy>,
    serves: Option<&'static str>,
    says: Vec<&'static str>,
    events: Vec<&'static str>,
    failures: Option<&'static str>,
}

impl Ending {
    /// All is well, and this image serves.
    pub(super) fn complete(serves: &'static str) -> Self {
        Self {
            reason: "Succeeded",
            phase: RolloutPhase::Complete,
            ended_by: None,
            serves: Some(serves),
            says: vec![],
            events: vec!["RolloutComplete"],
            failures: None,
        }
    }

    /// The rollout failed, and this image serves again.
    pub(super) fn rolled_back(by: EndedBy, serves: &'static str) -> Self {
        Self {
            reason: match by {
                EndedBy::Deadline => "ProgressDeadlineExceeded",
                _ => "RolledBack",
            },
            phase: RolloutPhase::RolledBack,
            ended_by: Some(by),
            says: vec!["the version before serves", "change the spec"],
            events: vec!["RolloutStarted", "RolledBack"],
            ..Self::complete(serves)
        }
    }

    /// The first rollout failed: nothing serves.
    pub(super) fn failed() -> Self {
        Self {
            reason: "RolloutFailed",
            phase: RolloutPhase::Failed,
            ended_by: Some(EndedBy::CircuitBreaker),
            serves: None,
            says: vec!["no version to go back to", "change the spec"],
            events: vec!["RolloutFailed"],
            failures: None,
        }
    }

    /// With another reason of Ready.
    pub(super) fn because(self, reason: &'static str) -> Self {
        Self { reason, ..self }
    }

    /// With these words in the message of Ready.
    pub(super) fn says(mut self, words: &'static str) -> Self {
        self.says.push(words);
        self
    }

    /// With an Event of that reason.
    pub(super) fn tells(mut self, event: &'static str) -> Self {
        self.events.push(event);
        self
    }

    /// With a failure in status whose reason holds these words.
    pub(super) fn shows(self, failure: &'static str) -> Self {
        Self {
            failures: Some(failure),
            ..self
        }
    }

    fn is_good(&self) -> bool {
        self.reason == "Succeeded"
    }

    /// Waits for the end and holds the object, kubectl and AWS against it.
    pub(super) async fn reached(&self, world: &World, name: &str) {
        let what = format!("{name} to end as {} {:?}", self.reason, self.phase);
        let object = eventually(DEADLINE, &what, async || {
            let object = world.service(name).await?;
            self.in_conditions(&object)?;
            self.in_status(&object)?;
            Ok(object)
        })
        .await
        .unwrap();
        let message = condition(&object, "Ready").unwrap().message.clone();
        for words in &self.says {
            assert!(
                message.contains(words),
                "{name} does not say {words}: {message}"
            );
        }
        self.in_events(world, name).await;
        self.in_kubectl(world, name).await;
        self.in_aws(world, name, &object);
    }

    fn in_conditions(&self, object: &PrivateService) -> Result<()> {
        let ready = condition(object, "Ready").context("no Ready")?;
        ensure!(
            ready.observed_generation == object.metadata.generation,
            "not observed"
        );
        let expected = if self.is_good() { "True" } else { "False" };
        ensure!(
            ready.status == expected && ready.reason == self.reason,
            "Ready={} {}: {}",
            ready.status,
            ready.reason,
            ready.message
        );
        let stalled = condition(object, "Stalled").is_some();
        ensure!(stalled != self.is_good(), "Stalled is there: {stalled}");
        ensure!(
            condition(object, "Reconciling").is_none(),
            "it is Reconciling"
        );
        let complete = condition(object, "RolloutComplete").context("no RolloutComplete")?;
        ensure!(complete.status == expected, "{complete:?}");
        Ok(())
    }

    fn in_status(&self, object: &PrivateService) -> Result<()> {
        let status = object.status.clone().unwrap_or_default();
        let rollout = status.rollout.context("no rollout")?;
        ensure!(rollout.phase == Some(self.phase), "{rollout:?}");
        ensure!(rollout.ended_by == self.ended_by, "{rollout:?}");
        ensure!(rollout.finished_at.is_some(), "{rollout:?}");
        let failed = rollout.failed_hash.is_some();
        ensure!(failed != self.is_good(), "{rollout:?}");
        let image = status.deployed.and_then(|deployed| deployed.image);
        ensure!(image.as_deref() == self.serves, "{image:?} is deployed");
        if let Some(words) = self.failures {
            let found = status.failures.iter().any(|failure| {
                let reason = failure.reason.as_deref().unwrap_or_default();
                reason.contains(words) && failure.at.is_some() && failure.deployment == rollout.id
            });
            ensure!(found, "no {words} in {:?}", status.failures);
            ensure!(status.failures.len() <= 5, "{:?}", status.failures);
        }
        Ok(())
    }

    async fn in_events(&self, world: &World, name: &str) {
        let what = format!("Events of {name}");
        eventually(DEADLINE, &what, async || {
            let told = events(world, name).await?;
            for reason in &self.events {
                let kind = told
                    .get(*reason)
                    .with_context(|| format!("no {reason} in {told:?}"))?;
                let normal = ["RolloutStarted", "RolloutComplete"].contains(reason);
                ensure!(
                    *kind == if normal { "Normal" } else { "Warning" },
                    "{reason} is {kind}"
                );
            }
            Ok(())
        })
        .await
        .unwrap();
    }

    /// What scripts learn.
    async fn in_kubectl(&self, world: &World, name: &str) {
        let object = format!("privateservice/{name}");
        for (condition, holds) in [("Ready", self.is_good()), ("Stalled", !self.is_good())] {
            let wait = format!("--for=condition={condition}");
            let args = ["wait", &object, &wait, "--timeout=0s"];
            let output = world.kubectl(&args, "").await.unwrap();
            assert_eq!(output.success(), holds, "{output:?}");
        }
    }

    /// The image that status says serves is the one whose tasks run.
    fn in_aws(&self, world: &World, name: &str, object: &PrivateService) {
        let service = world.ecs_service(name).unwrap();
        let Some(image) = self.serves else { return };
        assert_eq!(
            service["runningCount"], service["desiredCount"],
            "{service}"
        );
        assert_eq!(running(world, name), [image], "{service}");
        let deployed = object.status.as_ref().unwrap().deployed.as_ref().unwrap();
        let revision = deployed.task_definition.as_ref().unwrap();
        let arn = service["taskDefinition"].as_str().unwrap();
        assert!(arn.ends_with(&format!("/{revision}")), "{service}");
    }
}

/// A condition of an object.
pub(super) fn condition<'a>(object: &'a PrivateService, kind: &str) -> Option<&'a Condition> {
    let conditions = &object.status.as_ref()?.conditions;
    conditions.iter().find(|condition| condition.type_ == kind)
}

/// The Events about a service: reason and type.
pub(super) async fn events(world: &World, name: &str) -> Result<BTreeMap<String, String>> {
    let api: Api<Event> = Api::namespaced(world.client.clone(), &world.namespace);
    let all = api.list(&ListParams::default()).await?;
    let about = |event: &Event| {
        let regarding = event.regarding.as_ref()?;
        (regarding.name.as_deref() == Some(name)).then(|| {
            (
                event.reason.clone().unwrap_or_default(),
                event.type_.clone().unwrap_or_default(),
            )
        })
    };
    Ok(all.items.iter().filter_map(about).collect())
}

/// Images of the running tasks of a service.
fn running(world: &World, name: &str) -> Vec<String> {
    let state = world.simulator.state();
    let group = format!("service:{name}");
    let tasks = state["tasks"].as_array().unwrap();
    let runs = |task: &&Value| task["group"] == group && task["lastStatus"] == "RUNNING";
    let image = |task: &Value| task["containers"][0]["image"].as_str().unwrap().to_owned();
    tasks.iter().filter(runs).map(image).collect()
}
