//! What users are given to start from is what the types read, in full.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;

use privateservice_api::privateservice::{Architecture, Protocol, ServiceRefFormat, Spot};
use privateservice_api::{Environment, PrivateService};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn text(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../config")
        .join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Reads a file and holds what the type writes back against it: a field the type does not know, or
/// spells otherwise, is a difference.
fn read<T: DeserializeOwned + Serialize>(file: &str) -> T {
    let text = text(file);
    // What the object refers to stands before it.
    let (_, last) = text.rsplit_once("\n---\n").unwrap_or(("", &text));
    let written: Value = serde_saphyr::from_str(last).unwrap();
    let read: T = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), written, "{file}");
    read
}

/// Every file below `config/<folder>`, as paths below `config/`.
fn files_below(folder: &str) -> Vec<String> {
    let absolute = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../config")
        .join(folder);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(absolute).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            files.extend(files_below(&name));
        } else {
            files.push(name);
        }
    }
    files
}

#[test]
fn every_sample_reads_in_full() {
    let mut names = Vec::new();
    for file in files_below("samples") {
        let service: PrivateService = read(&file);
        assert_eq!(
            service.spec.environment.as_deref(),
            Some("staging"),
            "{file}"
        );
        names.push(service.metadata.name.unwrap());
    }
    names.sort();
    assert_eq!(
        names,
        [
            "assets",
            "banner",
            "billing",
            "cache",
            "catalog",
            "hello",
            "invoices",
            "mail",
            "orders",
            "rabbitmq",
            "reports",
            "search",
            "shop",
            "storefront",
            "temporal"
        ]
    );
}

#[test]
fn the_example_environment_reads_in_full() {
    let environment: Environment = read("environment-example.yaml");
    assert_eq!(environment.metadata.name.as_deref(), Some("staging"));
}

#[test]
fn the_smallest_sample_has_six_lines() {
    assert_eq!(text("samples/hello.yaml").lines().count(), 6);
}

#[test]
fn words_of_the_samples_become_the_variants_they_name() {
    let shop: PrivateService = read("samples/shop.yaml");
    let protocols: Vec<_> = shop
        .spec
        .ports
        .unwrap()
        .iter()
        .map(|port| port.protocol)
        .collect();
    assert_eq!(protocols, [Some(Protocol::Http), Some(Protocol::Grpc)]);
    assert_eq!(shop.spec.spot, Some(Spot::Flex));

    let temporal: PrivateService = read("samples/temporal.yaml");
    let reference = temporal
        .spec
        .env
        .iter()
        .find_map(|entry| entry.value_from.as_ref())
        .unwrap();
    let reference = reference.service_ref.as_ref().unwrap();
    assert_eq!(reference.format, Some(ServiceRefFormat::HostPort));

    let assets: PrivateService = read("samples/arm-spot.yaml");
    assert_eq!(assets.spec.architecture, Some(Architecture::Arm));
    assert_eq!(assets.spec.spot, Some(Spot::Always));
}

#[test]
fn absent_ports_and_no_ports_are_not_the_same() {
    let service = |ports: Value| -> PrivateService {
        let mut object = serde_json::json!({
            "apiVersion": "flexstack.dev/v1alpha1", "kind": "PrivateService", "metadata": {},
            "spec": {"source": {"image": {"name": "x"}}},
        });
        object["spec"]["ports"] = ports;
        serde_json::from_value(object).unwrap()
    };
    assert_eq!(service(Value::Null).spec.ports, None);
    assert_eq!(
        service(Value::Array(Vec::new())).spec.ports,
        Some(Vec::new())
    );
}

/// Quantities come as text or as whole numbers, memory in bytes beyond 32 bits among them.
#[test]
fn quantities_may_be_numbers() {
    let service: PrivateService = serde_json::from_value(serde_json::json!({
        "apiVersion": "flexstack.dev/v1alpha1", "kind": "PrivateService", "metadata": {},
        "spec": {"source": {}, "resources": {"cpu": 2, "memory": 8_589_934_592_u64}},
    }))
    .unwrap();
    let resources = service.spec.resources.unwrap();
    assert_eq!(resources.cpu.unwrap().0, "2");
    assert_eq!(resources.memory.unwrap().0, "8589934592");
}
