//! Questions to the AWS side of a world. Looks into the simulator and, for Cloud Map, at the stand-in behind it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::{DEADLINE, World};
use crate::calls::Calls;
use crate::eventually::eventually;

/// A version of a secret in Secrets Manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Whole ARN of the secret.
    pub arn: String,
    /// Id of the version.
    pub version: String,
}

/// Longer than the operator's poll interval of five seconds.
const QUIET: Duration = Duration::from_secs(6);

impl World {
    /// All the operator asked of AWS so far.
    pub fn calls(&self) -> Calls {
        Calls::without(self.simulator.requests(), &self.aws.sent())
    }

    /// A place in the stream of requests, for [`World::calls_since`].
    pub fn mark(&self) -> u64 {
        self.simulator
            .requests()
            .last()
            .map_or(0, |request| request.seq)
    }

    /// What the operator asked of AWS after a mark.
    pub fn calls_since(&self, mark: u64) -> Calls {
        let mut calls = self.calls();
        calls.0.retain(|request| request.seq > mark);
        calls
    }

    /// Every ECS service there is or was, as DescribeServices shows it.
    pub fn ecs_services(&self) -> Vec<Value> {
        self.simulator.state()["services"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    /// The ECS service of that name that is ACTIVE.
    ///
    /// # Errors
    /// When there is none.
    pub fn ecs_service(&self, name: &str) -> Result<Value> {
        self.ecs_services()
            .into_iter()
            .find(|service| service["serviceName"] == name && service["status"] == "ACTIVE")
            .with_context(|| format!("no ACTIVE ECS service {name}"))
    }

    /// The containers of the revision that an ECS service is set to, the user's first.
    ///
    /// # Errors
    /// There is no such service, or no such revision.
    pub async fn containers(&self, name: &str) -> Result<Vec<Value>> {
        let service = self.ecs_service(name)?;
        let wanted = json!({"taskDefinition": service["taskDefinition"]});
        let answer = self.aws.call("ecs:DescribeTaskDefinition", wanted).await?;
        let containers = answer["taskDefinition"]["containerDefinitions"].as_array();
        containers.cloned().context("a revision without containers")
    }

    /// The value of a tag of an ECS service.
    pub fn tag(service: &Value, key: &str) -> Option<String> {
        let tags = service["tags"].as_array()?;
        let tag = tags.iter().find(|tag| tag["key"] == key)?;
        Some(tag["value"].as_str()?.to_owned())
    }

    /// How many task definitions were ever registered.
    pub fn task_definitions(&self) -> usize {
        self.simulator.state()["taskDefinitions"]
            .as_array()
            .map_or(0, Vec::len)
    }

    /// The Cloud Map services of the namespace.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub async fn dns_services(&self) -> Result<Vec<Value>> {
        let filter = json!([{
            "Name": "NAMESPACE_ID", "Values": [self.seeded.namespace_id()], "Condition": "EQ",
        }]);
        let mut all = Vec::new();
        let mut body = json!({"Filters": filter, "MaxResults": 100});
        loop {
            let page = self
                .aws
                .call("servicediscovery:ListServices", body.clone())
                .await?;
            all.extend(page["Services"].as_array().cloned().unwrap_or_default());
            match page["NextToken"].as_str() {
                Some(token) => body["NextToken"] = json!(token),
                None => return Ok(all),
            }
        }
    }

    /// Gives a secret of Secrets Manager a value, as somebody beside the operator does, and makes it if there is none. Where the value is found in
    /// anything that the operator writes, the world does not finish.
    ///
    /// # Errors
    /// When AWS refuses it.
    pub async fn put_aws_secret(&self, name: &str, value: &str) -> Result<Kept> {
        static TOKENS: AtomicU64 = AtomicU64::new(1);
        self.witness.mark(value);
        let token = format!("{:032x}", TOKENS.fetch_add(1, Ordering::Relaxed));
        let there = self.simulator.secret_value(name, "AWSCURRENT").is_some();
        let (operation, member) = if there {
            ("secretsmanager:PutSecretValue", "SecretId")
        } else {
            ("secretsmanager:CreateSecret", "Name")
        };
        let asked = json!({member: name, "SecretString": value, "ClientRequestToken": token});
        let answer = self.aws.call(operation, asked).await?;
        let arn = answer["ARN"].as_str().context("no ARN")?.to_owned();
        Ok(Kept {
            arn,
            version: token,
        })
    }

    /// What a variable holds in the running tasks of a service.
    pub fn seen_by_tasks(&self, service: &str, variable: &str) -> BTreeSet<String> {
        let state = self.simulator.state();
        let group = format!("service:{service}");
        let tasks = state["tasks"].as_array().into_iter().flatten();
        tasks
            .filter(|task| task["group"] == group && task["lastStatus"] == "RUNNING")
            .filter_map(|task| {
                let arn = task["taskArn"].as_str()?;
                self.simulator.task_environment(arn).remove(variable)
            })
            .collect()
    }

    /// The addresses a name resolves to.
    ///
    /// # Errors
    /// When Cloud Map knows no such name.
    pub async fn resolve(&self, name: &str) -> Result<Vec<String>> {
        let asked = json!({"NamespaceName": self.seeded.namespace_name, "ServiceName": name});
        let found = self
            .aws
            .call("servicediscovery:DiscoverInstances", asked)
            .await?;
        let instances = found["Instances"].as_array().cloned().unwrap_or_default();
        Ok(instances
            .iter()
            .filter_map(|one| {
                one["Attributes"]["AWS_INSTANCE_IPV4"]
                    .as_str()
                    .map(str::to_owned)
            })
            .collect())
    }

    /// That AWS holds nothing of a service: no ECS service above INACTIVE and no name in Cloud Map.
    ///
    /// # Errors
    /// What is left.
    pub async fn holds_nothing_of(&self, name: &str) -> Result<()> {
        let left = self.ecs_services();
        let left = left
            .iter()
            .find(|service| service["serviceName"] == name && service["status"] != "INACTIVE");
        if let Some(left) = left {
            bail!("AWS still holds the ECS service {name}: {}", left["status"]);
        }
        ensure!(
            self.scalable_target(name).is_none() && self.alarms(name).is_empty(),
            "AWS still scales {name}"
        );
        let names = self.dns_services().await?;
        ensure!(
            names.iter().all(|one| one["Name"] != name),
            "Cloud Map still holds {name}"
        );
        Ok(())
    }

    /// The scalable target of a service, with its `Policies` and `ScheduledActions`.
    pub fn scalable_target(&self, name: &str) -> Option<Value> {
        let state = self.simulator.state();
        let targets = state["scaling"]["targets"].as_array()?;
        let of = |target: &&Value| {
            let resource = target["ResourceId"].as_str().unwrap_or_default();
            resource.rsplit('/').next() == Some(name)
        };
        targets.iter().find(of).cloned()
    }

    /// The alarms of a service that the operator makes, sorted by name.
    pub fn alarms(&self, name: &str) -> Vec<Value> {
        let state = self.simulator.state();
        let part = format!("/{name}/");
        let alarms = state["cloudWatch"]["alarms"].as_array();
        let ours = alarms.into_iter().flatten().filter(|alarm| {
            let alarm = alarm["AlarmName"].as_str().unwrap_or_default();
            alarm.contains(&part) && !alarm.starts_with("TargetTracking-")
        });
        ours.cloned().collect()
    }

    /// That AWS holds nothing of any service.
    ///
    /// # Errors
    /// What is left.
    pub async fn holds_nothing(&self) -> Result<()> {
        let left: Vec<Value> = self
            .ecs_services()
            .into_iter()
            .filter(|service| service["status"] != "INACTIVE")
            .map(|service| json!([service["serviceName"], service["status"]]))
            .collect();
        ensure!(left.is_empty(), "AWS still holds ECS services: {left:?}");
        let state = self.simulator.state();
        for of in ["/scaling/targets", "/cloudWatch/alarms"] {
            let left = state.pointer(of).and_then(Value::as_array);
            ensure!(
                left.is_none_or(Vec::is_empty),
                "AWS still holds {of}: {left:?}"
            );
        }
        let names = self.dns_services().await?;
        ensure!(
            names.is_empty(),
            "AWS still holds Cloud Map services: {names:?}"
        );
        Ok(())
    }

    /// Registers a task definition as somebody else would, without any tag, and returns its ARN.
    ///
    /// # Errors
    /// When AWS refuses it.
    pub async fn foreign_task_definition(&self, family: &str) -> Result<String> {
        let asked = json!({
            "family": family, "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
            "cpu": "256", "memory": "512",
            "containerDefinitions": [{"name": "theirs", "image": "busybox", "essential": true}],
        });
        let made = self.aws.call("ecs:RegisterTaskDefinition", asked).await?;
        let arn = made["taskDefinition"]["taskDefinitionArn"].as_str();
        Ok(arn.context("no ARN")?.to_owned())
    }

    /// Waits until the operator asks nothing of AWS for a while, longer than the interval at which it polls what is moving.
    ///
    /// # Errors
    /// When it never comes to rest.
    pub async fn quiet(&self) -> Result<()> {
        let mut last = (self.mark(), tokio::time::Instant::now());
        eventually(DEADLINE, "the operator to come to rest", async || {
            let now = self.mark();
            if now != last.0 {
                last = (now, tokio::time::Instant::now());
            }
            ensure!(
                last.1.elapsed() > QUIET,
                "it is busy: {:?}",
                self.calls_since(now - 1).counts()
            );
            Ok(())
        })
        .await
    }

    /// How many passes over PrivateServices the operator has made since it started.
    ///
    /// # Errors
    /// When /metrics does not answer.
    pub async fn reconciles(&self) -> Result<u64> {
        let metrics = self.operator()?.metrics().await?;
        let lines = metrics.lines().filter(|line| {
            line.starts_with("privateservice_reconciles_total") && line.contains("PrivateService")
        });
        let counts = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts"
        )]
        Ok(counts.sum::<f64>() as u64)
    }

    /// Waits until what is asked of the ECS service holds.
    ///
    /// # Errors
    /// The last complaint at the deadline.
    pub async fn ecs_service_until(
        &self,
        name: &str,
        what: &str,
        holds: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        eventually(DEADLINE, what, async || {
            let service = self.ecs_service(name)?;
            ensure!(holds(&service), "not yet: {service}");
            Ok(service)
        })
        .await
    }
}
