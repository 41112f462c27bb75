//! The operator's chart against the program and against its own words: flags, schema, README.

use std::fs;

use clap::Args as _;
use serde_json::Value;

use super::{RELEASE, chart, render};

fn read(file: &str) -> String {
    fs::read_to_string(chart(RELEASE).join(file)).unwrap()
}

fn schema() -> Value {
    serde_json::from_str(&read("values.schema.json")).unwrap()
}

fn values() -> Value {
    serde_saphyr::from_str(&read("values.yaml")).unwrap()
}

/// Path, default and description of every value, in the order of the schema's names.
fn leaves(schema: &Value, values: &Value, prefix: &str) -> Vec<(String, Value, String)> {
    let mut found = Vec::new();
    for (name, inner) in schema["properties"].as_object().unwrap() {
        let path = format!("{prefix}{name}");
        if path == "global" {
            continue;
        }
        let value = values
            .get(name)
            .unwrap_or_else(|| panic!("{path} has no default"));
        if inner.get("properties").is_some() {
            assert_eq!(
                inner["additionalProperties"], false,
                "{path} takes anything"
            );
            found.extend(leaves(inner, value, &format!("{path}.")));
        } else {
            let description = inner["description"].as_str();
            let description = description.unwrap_or_else(|| panic!("{path} is not described"));
            found.push((path, value.clone(), description.to_owned()));
        }
    }
    for name in values.as_object().unwrap().keys() {
        let known = schema["properties"].get(name).is_some();
        assert!(known, "{prefix}{name} is not in the schema");
    }
    found
}

#[test]
fn every_value_is_in_the_schema_in_the_readme_and_in_a_template() {
    let schema = schema();
    assert_eq!(schema["additionalProperties"], false);
    let readme = read("README.md");
    let mut templates = String::new();
    for entry in fs::read_dir(chart(RELEASE).join("templates")).unwrap() {
        templates += &fs::read_to_string(entry.unwrap().path()).unwrap();
    }
    let leaves = leaves(&schema, &values(), "");
    for (path, _, description) in &leaves {
        let row = readme
            .lines()
            .find(|line| line.starts_with(&format!("| `{path}` | `")));
        let row = row.unwrap_or_else(|| panic!("no row for {path} in the README"));
        assert!(row.ends_with(&format!("` | {description} |")), "{row}");
        let last = path.rsplit('.').next().unwrap();
        let ways = [
            format!(".Values.{path}"),
            // Two templates shorten the way to their part.
            format!("$lease.{last}"),
            format!("$image.{last}"),
        ];
        assert!(
            ways.iter().any(|way| templates.contains(way)),
            "{path} is used nowhere"
        );
    }
    for (path, default, _) in &leaves {
        let row = readme
            .lines()
            .find(|line| line.starts_with(&format!("| `{path}` | `")))
            .unwrap();
        let shown = row.split('`').nth(3).unwrap();
        let shown: Value = serde_json::from_str(shown).unwrap();
        assert_eq!(shown, *default, "default of {path} in the README");
    }
    let rows = readme
        .lines()
        .filter(|line| line.starts_with("| `"))
        .count();
    assert_eq!(rows, leaves.len(), "rows of values that are no more");
}

#[tokio::test]
async fn every_flag_of_the_program_can_be_set_by_a_value() {
    let rendered = render(&[
        "clusterId=one",
        "defaultEnvironment=staging",
        "watchNamespaces={team-a}",
        "watchSelector=tier=1",
        "kubernetesSecrets.selector=share=yes",
    ])
    .await
    .unwrap();
    let command = privateservice_runtime::Config::augment_args(clap::Command::new("run"));
    let flags: Vec<String> = command
        .get_arguments()
        .filter_map(|argument| argument.get_long())
        .map(|flag| format!("--{flag}"))
        .collect();
    assert!(flags.len() >= 13, "{flags:?}");
    for flag in flags {
        let set = rendered
            .lines()
            .map(|line| line.trim().trim_start_matches("- ").trim_start_matches('"'))
            .any(|argument| argument == flag || argument.starts_with(&format!("{flag}=")));
        assert!(set, "{flag} cannot be set");
    }
}

#[tokio::test]
async fn without_values_the_program_gets_its_own_defaults() {
    let rendered = render(&["leaderElection.enabled=false"]).await.unwrap();
    let arguments: Vec<&str> = rendered
        .lines()
        .skip_while(|line| line.trim() != "- run")
        .map_while(|line| line.trim().strip_prefix("- "))
        .map(|argument| argument.trim_matches('"'))
        .collect();
    assert!(arguments.len() > 5, "{arguments:?}");
    let command = clap::Command::new("operator").subcommand(
        privateservice_runtime::Config::augment_args(clap::Command::new("run")),
    );
    let line = std::iter::once("operator").chain(arguments);
    let matches = command.try_get_matches_from(line).unwrap();
    let matches = matches.subcommand_matches("run").unwrap();
    let config =
        <privateservice_runtime::Config as clap::FromArgMatches>::from_arg_matches(matches)
            .unwrap();
    assert_eq!(
        format!("{config:?}"),
        format!("{:?}", privateservice_runtime::Config::default())
    );
}

#[tokio::test]
async fn what_cannot_work_is_refused_in_words() {
    for (values, words) in [
        (
            &["replicas=2", "leaderElection.enabled=false"][..],
            "several replicas need leaderElection.enabled",
        ),
        (
            &["terminationGracePeriodSeconds=20"][..],
            "must be at least 35",
        ),
        (&["serviceAccount.create=false"][..], "serviceAccount.name"),
        (&["sweepInterval=60"][..], "sweepInterval"),
        (&["quotaShare=2"][..], "quotaShare"),
        (&["image.repository="][..], "repository"),
    ] {
        let error = render(values).await.unwrap_err().to_string();
        assert!(error.contains(words), "{values:?}: {error}");
    }
}

#[tokio::test]
async fn without_a_lease_an_update_stops_the_old_replica_first() {
    let with = render(&[]).await.unwrap();
    assert!(with.contains("type: RollingUpdate") && with.contains("--leader-elect"));
    let without = render(&["leaderElection.enabled=false"]).await.unwrap();
    assert!(without.contains("type: Recreate") && !without.contains("--leader-elect"));
    assert!(!without.contains("leases"), "{without}");
}
