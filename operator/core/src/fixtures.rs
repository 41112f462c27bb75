//! Objects and answers of AWS for tests. Names differ from every default, so that a swapped argument shows.

#![allow(missing_docs)]

use crate::fact::Fact;
use crate::memory::Memory;
use crate::observed::{
    EcsDeployment, Observed, ObservedDns, Revision, RolloutState, Service, ServiceStatus,
};
use crate::owner::Owner;
use crate::place::Place;
use crate::resolve::{Neighbours, ObjectData, Resolved, SecretLookup, resolve};
use crate::secret_versions::InForce;
use crate::step::{Reference, Step};
use crate::watched_secret::AwsSecret;
use k8s_openapi::jiff::Timestamp;
use privateservice_api::environment::EnvironmentType;
use privateservice_api::privateservice::{Port, PrivateService};
use std::collections::BTreeMap;
use std::sync::LazyLock;

pub(crate) const CLUSTER_ID: &str = "cluster-uid";
pub(crate) const SERVICE_ARN: &str = "arn:aws:ecs:eu-west-3:111122223333:service/shared/api";
pub(crate) const DNS_ARN: &str = "arn:aws:servicediscovery:eu-west-3:111122223333:service/srv-1";

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub(crate) fn object(spec: &str) -> PrivateService {
    let text = format!(
        "{{metadata: {{name: api, namespace: team-a, uid: uid-1, generation: 1}}, spec: {spec}}}"
    );
    let mut value: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    value["apiVersion"] = "flexstack.dev/v1alpha1".into();
    value["kind"] = "PrivateService".into();
    serde_json::from_value(value).unwrap()
}

pub(crate) fn place() -> Place {
    Place {
        environment: "pre-prod".into(),
        kind: EnvironmentType::Staging,
        region: "eu-west-3".into(),
        role: None,
        cluster_arn: "arn:aws:ecs:eu-west-3:111122223333:cluster/shared".into(),
        namespace: "shop.internal".into(),
        namespace_arn: "arn:aws:servicediscovery:eu-west-3:111122223333:namespace/ns-abc".into(),
        subnets: ["subnet-b", "subnet-a"].map(String::from).into(),
        security_groups: ["sg-1"].map(String::from).into(),
        assign_public_ip: false,
        execution_role_arn: "arn:aws:iam::111122223333:role/execution".into(),
        task_role_arn: None,
        log_group: "/shop".into(),
        env: BTreeMap::new(),
        tags: BTreeMap::from([("cost-center".into(), "42".into())]),
        grants: vec![],
        generation: 1,
        pace: crate::wave::Pace::default(),
    }
}

/// Services, ConfigMaps and Secrets by name.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) services: BTreeMap<String, Option<Vec<Port>>>,
    pub(crate) config_maps: BTreeMap<String, ObjectData>,
    pub(crate) secrets: BTreeMap<String, ObjectData>,
    /// Of Secrets Manager, by name or ARN; others have not been read.
    pub(crate) aws_secrets: BTreeMap<String, AwsSecret>,
}

impl Neighbours for Known {
    fn ports_of(&self, environment: &str, name: &str) -> Option<Option<Vec<Port>>> {
        assert_eq!(environment, "pre-prod");
        self.services.get(name).cloned()
    }

    fn config_map(&self, name: &str) -> Option<&ObjectData> {
        self.config_maps.get(name)
    }

    fn secret(&self, name: &str) -> SecretLookup<'_> {
        let missing = SecretLookup::Missing { selector: None };
        let found = self.secrets.get(name);
        found.map_or(missing, SecretLookup::Found)
    }

    fn aws_secret(&self, id: &str) -> AwsSecret {
        let (arn, failure) = (None, None);
        let found = self.aws_secrets.get(id).cloned();
        found.unwrap_or(AwsSecret::Unread { arn, failure })
    }
}

pub(crate) fn no_secrets() -> &'static InForce {
    static NONE: LazyLock<InForce> = LazyLock::new(InForce::default);
    &NONE
}

pub(crate) fn resolved(spec: &str) -> Resolved {
    resolve(&object(spec), &place(), CLUSTER_ID, &Known::default()).unwrap()
}

pub(crate) fn owner() -> Owner {
    Owner {
        cluster_id: CLUSTER_ID.into(),
        namespace: "team-a".into(),
        name: "api".into(),
    }
}

pub(crate) fn memory() -> Memory {
    Memory {
        uid: "uid-1".into(),
        ..Memory::default()
    }
}

/// AWS with nothing of ours.
pub(crate) fn empty() -> Observed {
    Observed {
        service: Fact::Unknown.absent_again(at(0)),
        dns: Fact::Unknown.absent_again(at(0)),
        newest: Fact::Unknown.absent_again(at(0)),
        scaling: Fact::seen(crate::scaling::Observed::default(), at(0)),
        ..Observed::default()
    }
}

/// A pure AWS: what a step does to what is observed. Deployments complete at once.
pub(crate) fn apply(observed: &mut Observed, step: &Step, now: i64) {
    match step {
        Step::CreateDnsService { tags, .. } => {
            observed.dns = Fact::seen(
                ObservedDns {
                    id: "srv-1".into(),
                    arn: DNS_ARN.into(),
                    owner: Owner::from_tags(tags),
                },
                at(now),
            );
        }
        Step::RegisterTaskDefinition {
            hash,
            intent,
            task_definition,
            ..
        } => {
            let revision = Revision {
                arn: format!(
                    "arn:aws:ecs:eu-west-3:111122223333:task-definition/{}:{}",
                    task_definition.family,
                    observed.revisions.len() + 1
                ),
                hash: Some(hash.clone()),
                intent: Some(intent.clone()),
                active: true,
            };
            observed
                .revisions
                .insert(revision.arn.clone(), revision.clone());
            observed.newest = Fact::seen(revision, at(now));
        }
        Step::CreateService(create) => {
            let task_definition = arn(observed, &create.task_definition);
            observed.service = Fact::seen(
                Service {
                    arn: SERVICE_ARN.into(),
                    status: ServiceStatus::Active,
                    network: Some(create.network.clone()),
                    capacity: Some(create.capacity.clone()),
                    connect: Some(create.connect.clone()),
                    registries: Some(create.registry.iter().map(|_| DNS_ARN.to_owned()).collect()),
                    deployment: Some(create.deployment.clone()),
                    exec: Some(create.exec),
                    unlike_ours: None,
                    tags: Some(create.tags.clone()),
                    desired_count: create.desired_count,
                    running_count: create.desired_count,
                    pending_count: 0,
                    deployments: vec![completed("ecs-svc/1", &task_definition)],
                    task_definition,
                    service_deployment: None,
                    trouble: None,
                },
                at(now),
            );
        }
        Step::UpdateService(update) => {
            let task_definition = update
                .task_definition
                .as_ref()
                .map(|reference| arn(observed, reference));
            let Fact::Present { value: service, .. } = &mut observed.service else {
                panic!()
            };
            if let Some(task_definition) = task_definition {
                service.deployments = vec![completed(&format!("ecs-svc/{now}"), &task_definition)];
                service.task_definition = task_definition;
            }
            let update = update.clone();
            service.network = update.network.or(service.network.take());
            service.connect = update.connect.or(service.connect.take());
            service.capacity = update.capacity.or(service.capacity.take());
            service.deployment = update.deployment.or(service.deployment.take());
            service.exec = update.exec.or(service.exec);
            if let Some(registries) = update.registries {
                service.registries = Some(registries.iter().map(|_| DNS_ARN.to_owned()).collect());
            }
        }
        Step::TagService { tags, .. } => {
            let Fact::Present { value: service, .. } = &mut observed.service else {
                panic!()
            };
            service.tags.get_or_insert_default().extend(tags.clone());
        }
        Step::UntagService { keys, .. } => {
            let Fact::Present { value: service, .. } = &mut observed.service else {
                panic!()
            };
            service
                .tags
                .get_or_insert_default()
                .retain(|key, _| !keys.contains(key));
        }
        Step::TagDnsService { tags, .. } => {
            let Fact::Present { value, .. } = &mut observed.dns else {
                panic!()
            };
            value.owner = Owner::from_tags(tags);
        }
        Step::UntagDnsService { .. } => {
            let Fact::Present { value: dns, .. } = &mut observed.dns else {
                panic!()
            };
            dns.owner = None;
        }
        Step::DeleteService { .. } => {
            let Fact::Present { value: service, .. } = &mut observed.service else {
                panic!()
            };
            service.status = ServiceStatus::Inactive;
        }
        Step::StopServiceDeployment { .. } => {}
        Step::DeregisterTaskDefinition { arn } => {
            observed.revisions.remove(arn);
        }
        Step::DeleteDnsService { .. } => observed.dns = Fact::Unknown.absent_again(at(now)),
        Step::Scaling(step) => crate::scaling::fixtures::apply(observed, step, now),
    }
}

pub(crate) fn completed(id: &str, task_definition: &str) -> EcsDeployment {
    EcsDeployment {
        id: id.into(),
        primary: true,
        task_definition: task_definition.into(),
        rollout_state: Some(RolloutState::Completed),
        rollout_reason: None,
        desired_count: 1,
        running_count: 1,
        pending_count: 0,
        failed_tasks: 0,
        created_at: Some(at(0)),
        updated_at: Some(at(1)),
    }
}

/// A service that runs so many of so many tasks.
pub(crate) fn running(tasks: i32, wanted: i32) -> Service {
    let mut observed = empty();
    for step in crate::plan::plan(
        &resolved("{source: {image: {name: 'redis:7'}}}").desired,
        &observed,
        &memory(),
    )
    .steps
    {
        apply(&mut observed, &step, 1);
    }
    let service = observed.service.present().unwrap().clone();
    Service {
        running_count: tasks,
        desired_count: wanted,
        ..service
    }
}

fn arn(observed: &Observed, reference: &Reference) -> String {
    match reference {
        Reference::Known(arn) => arn.clone(),
        Reference::FromEarlierStep => observed.newest.present().unwrap().arn.clone(),
    }
}
