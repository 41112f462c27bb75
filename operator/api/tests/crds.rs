//! The files in `crds/` are what the types say. `UPDATE_CRDS=1 cargo test -p privateservice-api`
//! writes them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;

use serde_json::Value;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds")
}

#[test]
fn checked_in_files_equal_the_types() {
    let generated = privateservice_api::crd::yaml().unwrap();
    if std::env::var_os("UPDATE_CRDS").is_some() {
        for (name, text) in &generated {
            std::fs::write(folder().join(name), text).unwrap();
        }
    }
    let mut expected: Vec<_> = generated.iter().map(|(name, _)| name.clone()).collect();
    expected.sort();
    let mut present: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    present.sort();
    assert_eq!(
        present, expected,
        "files in crds/, which holds nothing else"
    );
    for (name, text) in generated {
        let checked_in = std::fs::read_to_string(folder().join(&name)).unwrap();
        assert!(
            checked_in == text,
            "crds/{name} is not what the types say; run UPDATE_CRDS=1 cargo test -p privateservice-api"
        );
    }
}

/// The chart's copies differ in one annotation: `helm uninstall` leaves them, and everybody's objects with them.
#[test]
fn the_chart_holds_the_same_definitions() {
    let templates = folder().join("../charts/privateservice-operator-crds/templates");
    let generated = privateservice_api::crd::yaml().unwrap();
    for (name, text) in &generated {
        assert!(!text.contains("{{"), "Helm would read it as a template");
        let annotated = text.replacen(
            "\nmetadata:\n",
            "\nmetadata:\n  annotations:\n    helm.sh/resource-policy: keep\n",
            1,
        );
        assert!(annotated != *text);
        let path = templates.join(name);
        if std::env::var_os("UPDATE_CRDS").is_some() {
            std::fs::write(&path, &annotated).unwrap();
        }
        assert!(
            std::fs::read_to_string(&path).unwrap_or_default() == annotated,
            "the chart's {name} is not what the types say; run make crds"
        );
    }
    assert_eq!(
        std::fs::read_dir(templates).unwrap().count(),
        generated.len(),
        "templates of the chart, which holds nothing else"
    );
}

#[test]
fn yaml_reads_back_as_the_same_definition() {
    for (crd, (_, text)) in privateservice_api::crd::crds()
        .iter()
        .zip(privateservice_api::crd::yaml().unwrap())
    {
        let read = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(crd, &read);
    }
}

#[test]
fn only_status_has_a_default_and_nothing_is_nullable() {
    for crd in privateservice_api::crd::crds() {
        let schema = serde_json::to_value(
            crd.spec.versions[0]
                .schema
                .as_ref()
                .unwrap()
                .open_api_v3_schema
                .as_ref()
                .unwrap(),
        )
        .unwrap();
        let mut found = Vec::new();
        walk(&schema, "", &mut found);
        assert_eq!(
            found,
            ["/properties/status/default"],
            "{}",
            crd.spec.names.kind
        );
        assert_eq!(
            schema.pointer("/properties/status/default").unwrap(),
            &serde_json::json!({"observedGeneration": -1})
        );
    }
}

/// Every list, map and string that a user writes is bounded, and every list of objects has a key.
#[test]
fn everything_in_spec_is_bounded() {
    for crd in privateservice_api::crd::crds() {
        let schema = serde_json::to_value(
            crd.spec.versions[0]
                .schema
                .as_ref()
                .unwrap()
                .open_api_v3_schema
                .as_ref()
                .unwrap(),
        )
        .unwrap();
        let mut problems = Vec::new();
        bounded(
            schema.pointer("/properties/spec").unwrap(),
            "spec",
            &mut problems,
        );
        assert!(
            problems.is_empty(),
            "{}: {problems:#?}",
            crd.spec.names.kind
        );
    }
}

fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
    let Value::Object(fields) = value else { return };
    for (key, inner) in fields {
        let path = format!("{at}/{key}");
        // Below `properties`, a key is the name of a field, not a keyword.
        let is_keyword = !at.ends_with("/properties");
        if is_keyword && (key == "default" || key == "nullable") {
            found.push(path);
        } else {
            walk(inner, &path, found);
        }
    }
}

fn bounded(schema: &Value, at: &str, problems: &mut Vec<String>) {
    // Kubernetes's own type; its lists are as Kubernetes has them.
    if at.ends_with(".allowedNamespaces") {
        return;
    }
    if schema["description"].as_str().is_none_or(str::is_empty) && !at.ends_with(']') {
        problems.push(format!("{at} has no description"));
    }
    match schema["type"].as_str() {
        Some("string") => {
            let bounded = schema.get("maxLength").is_some()
                || schema.get("enum").is_some()
                || schema["pattern"] == "^[0-9]{12}$";
            if !bounded {
                problems.push(format!("{at} is a string of any length"));
            }
        }
        Some("integer") if schema.get("minimum").is_none() || schema.get("maximum").is_none() => {
            problems.push(format!("{at} is a number without a range"));
        }
        Some("array") => {
            if schema.get("maxItems").is_none() {
                problems.push(format!("{at} is a list of any length"));
            }
            let list = schema["x-kubernetes-list-type"].as_str();
            // Grants have no key, and neither have sources of variables, whose order counts: whoever changes such a list writes all of it.
            let whole = [".grants", ".envFrom"]
                .iter()
                .any(|list| at.ends_with(list));
            let keyed = list == Some("map") || whole;
            if schema["items"]["type"] == "object" && !keyed || list.is_none() {
                problems.push(format!("{at} has list type {list:?}"));
            }
            bounded(&schema["items"], &format!("{at}[]"), problems);
        }
        Some("object") => {
            if let Some(values) = schema.get("additionalProperties") {
                if schema.get("maxProperties").is_none() {
                    problems.push(format!("{at} is a map of any size"));
                }
                bounded(values, &format!("{at}[]"), problems);
            }
            for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
                bounded(inner, &format!("{at}.{name}"), problems);
            }
        }
        _ => {}
    }
}
