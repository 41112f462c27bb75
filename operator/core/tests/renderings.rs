//! The golden corpus: how each sample is rendered, in a production and in a staging Environment.
//!
//! A change here means that services would be rendered anew: it must be meant, and it reaches running services only with their next
//! change of intent. Review it as such; `cargo insta review` accepts it.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use privateservice_api::environment::EnvironmentType;
use privateservice_api::privateservice::{Port, PrivateService};
use privateservice_core::place::Place;
use privateservice_core::resolve::{Neighbours, ObjectData, Resolved, SecretLookup, resolve};
use privateservice_core::watched_secret::{Absence, AwsSecret};
use std::collections::BTreeMap;
use std::path::Path;

fn samples() -> Vec<PrivateService> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/samples");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        // What is in folders needs grants, and is tested with them.
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    let mut samples = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        for document in text.split("\n---") {
            let mut value: serde_json::Value = serde_saphyr::from_str(document).unwrap();
            if value["kind"] == "PrivateService" {
                value["metadata"]["namespace"] = "shop".into();
                value["metadata"]["uid"] = "00000000-0000-0000-0000-000000000001".into();
                samples.push(serde_json::from_value(value).unwrap());
            }
        }
    }
    samples
}

struct Others(BTreeMap<String, Option<Vec<Port>>>);

impl Neighbours for Others {
    fn ports_of(&self, _environment: &str, name: &str) -> Option<Option<Vec<Port>>> {
        self.0.get(name).cloned()
    }

    fn config_map(&self, _name: &str) -> Option<&ObjectData> {
        None
    }

    fn secret(&self, _name: &str) -> SecretLookup<'_> {
        SecretLookup::Off
    }

    fn aws_secret(&self, _id: &str) -> AwsSecret {
        AwsSecret::Missing(Absence::NoSuchSecret)
    }
}

fn place(kind: EnvironmentType) -> Place {
    let arn =
        |service: &str, rest: &str| format!("arn:aws:{service}:eu-west-3:444455556666:{rest}");
    Place {
        environment: "blue".into(),
        kind,
        region: "eu-west-3".into(),
        role: None,
        cluster_arn: arn("ecs", "cluster/shared"),
        namespace: "corp.internal".into(),
        namespace_arn: arn("servicediscovery", "namespace/ns-0123"),
        subnets: ["subnet-1", "subnet-2"].map(String::from).into(),
        security_groups: ["sg-1", "sg-2"].map(String::from).into(),
        assign_public_ip: true,
        execution_role_arn: "arn:aws:iam::444455556666:role/execution".into(),
        task_role_arn: Some("arn:aws:iam::444455556666:role/task".into()),
        log_group: "/corp/services".into(),
        env: BTreeMap::from([("STAGE".into(), "blue".into())]),
        tags: BTreeMap::from([("cost-center".into(), "42".into())]),
        grants: vec![],
        generation: 1,
        pace: privateservice_core::wave::Pace::default(),
    }
}

fn render(object: &PrivateService, others: &Others, kind: EnvironmentType) -> Resolved {
    resolve(object, &place(kind), "cluster-1", others).unwrap()
}

#[test]
fn every_sample_is_rendered_as_the_corpus_says() {
    let samples = samples();
    assert!(samples.len() >= 6, "only {} samples found", samples.len());
    let name = |object: &PrivateService| object.metadata.name.clone().unwrap();
    let others = Others(
        samples
            .iter()
            .map(|object| (name(object), object.spec.ports.clone()))
            .collect(),
    );
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("corpus");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for object in &samples {
            let staging = render(object, &others, EnvironmentType::Staging);
            insta::assert_yaml_snapshot!(name(object), staging.desired);
        }
    });
}

/// Spot Flex is the one thing the type of an Environment decides.
#[test]
fn production_differs_from_staging_in_capacity_alone() {
    let samples = samples();
    let others = Others(
        samples
            .iter()
            .map(|object| {
                (
                    object.metadata.name.clone().unwrap(),
                    object.spec.ports.clone(),
                )
            })
            .collect(),
    );
    for object in &samples {
        let staging = render(object, &others, EnvironmentType::Staging).desired;
        let mut production = render(object, &others, EnvironmentType::Production).desired;
        production.capacity.clone_from(&staging.capacity);
        production.intent.clone_from(&staging.intent);
        assert_eq!(staging, production);
    }
}
