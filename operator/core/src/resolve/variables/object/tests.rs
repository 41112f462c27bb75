use super::*;
use crate::fixtures::{CLUSTER_ID, Known, object, place};
use crate::place::Place;
use crate::resolve::{Resolved, resolve};

fn known() -> Known {
    let data = |text: &[(&str, &str)], binary: &[&str]| ObjectData {
        text: text
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        binary: binary.iter().map(|&key| key.to_owned()).collect(),
    };
    let config_maps = [
        ("shop", data(&[("mode", "fast"), ("A", "shop")], &["logo"])),
        ("late", data(&[("A", "late"), ("1st", "x")], &[])),
        ("empty", data(&[], &[])),
    ];
    Known {
        config_maps: config_maps
            .map(|(name, data)| (name.to_owned(), data))
            .into(),
        ..Known::default()
    }
}

fn try_with(fields: &str, known: &Known) -> Result<Resolved, Problem> {
    let place = Place {
        env: [("A", "shared"), ("PORT", "shared"), ("B", "shared")]
            .map(|(name, value)| (name.to_owned(), value.into()))
            .into(),
        ..place()
    };
    let spec = format!("{{source: {{image: {{name: 'a:1'}}}}, {fields}}}");
    resolve(&object(&spec), &place, CLUSTER_ID, known)
}

fn plain(fields: &str) -> BTreeMap<String, String> {
    let resolved = try_with(fields, &known()).unwrap();
    resolved.desired.task_definition.container.environment
}

#[test]
fn a_key_of_a_config_map_is_a_value() {
    let env = plain("env: [{name: MODE, valueFrom: {configMapKeyRef: {name: shop, key: mode}}}]");
    assert_eq!(env["MODE"], "fast");
    assert_eq!(env["A"], "shared");
}

#[test]
fn later_wins_and_the_services_own_entry_over_all() {
    let whole = "envFrom: [{configMapRef: {name: shop}}, {configMapRef: {name: late}}]";
    let env = plain(whole);
    assert_eq!(env["A"], "late");
    assert_eq!(env["B"], "shared");
    assert_eq!(env["PORT"], "shared");
    assert_eq!(env["mode"], "fast");
    assert_eq!(
        plain(&format!("{whole}, env: [{{name: A, value: own}}]"))["A"],
        "own"
    );
    let other_way = "envFrom: [{configMapRef: {name: late}}, {configMapRef: {name: shop}}]";
    assert_eq!(plain(other_way)["A"], "shop");
}

#[test]
fn a_prefix_goes_before_each_key_and_makes_names_of_some_that_were_none() {
    let env = plain("envFrom: [{prefix: LATE_, configMapRef: {name: late}}]");
    assert_eq!(env["LATE_A"], "late");
    assert_eq!(env["LATE_1st"], "x");
    assert_eq!(env["A"], "shared");
}

#[test]
fn what_cannot_be_a_variable_is_left_out_and_told() {
    let resolved = try_with(
        "envFrom: [{configMapRef: {name: shop}}, {configMapRef: {name: late}}]",
        &known(),
    )
    .unwrap();
    let told: Vec<_> = resolved
        .notices
        .iter()
        .filter(|notice| notice.reason == "InvalidVariableNames")
        .map(|notice| notice.message.as_str())
        .collect();
    assert_eq!(told.len(), 2);
    assert!(told[0].contains("ConfigMap shop: logo: "), "{told:?}");
    assert!(told[1].contains("ConfigMap late: 1st: "), "{told:?}");
    let env = resolved.desired.task_definition.container.environment;
    assert!(!env.contains_key("1st") && !env.contains_key("logo"));
}

#[test]
fn what_is_not_there_is_told_by_the_variables_name() {
    for (fields, words) in [
        (
            "env: [{name: M, valueFrom: {configMapKeyRef: {name: none, key: mode}}}]",
            "env M: there is no ConfigMap none ",
        ),
        (
            "env: [{name: M, valueFrom: {configMapKeyRef: {name: shop, key: moed}}}]",
            "env M: the key moed is not in ConfigMap shop, which has A, mode",
        ),
        (
            "env: [{name: M, valueFrom: {configMapKeyRef: {name: empty, key: mode}}}]",
            "env M: the key mode is not in ConfigMap empty, which has none",
        ),
        (
            "env: [{name: M, valueFrom: {configMapKeyRef: {name: shop, key: logo}}}]",
            "env M: the key logo of ConfigMap shop is binary data",
        ),
        (
            "envFrom: [{configMapRef: {name: none}}]",
            "envFrom: there is no ConfigMap none ",
        ),
    ] {
        let problem = try_with(fields, &known()).unwrap_err();
        assert_eq!(problem.reason, Reason::ReferenceNotFound, "{fields}");
        assert!(problem.message.starts_with(words), "{}", problem.message);
    }
    let problem = try_with("envFrom: [{}]", &known()).unwrap_err();
    assert_eq!(problem.reason, Reason::InvalidSpec);
}

#[test]
fn a_changed_value_is_another_intent_and_how_it_is_named_is_none() {
    let single = "env: [{name: mode, valueFrom: {configMapKeyRef: {name: shop, key: mode}}}]";
    let before = try_with(single, &known()).unwrap().desired;
    let mut changed = known();
    changed
        .config_maps
        .get_mut("shop")
        .unwrap()
        .text
        .insert("mode".into(), "slow".into());
    let after = try_with(single, &changed).unwrap().desired;
    assert_ne!(before.intent, after.intent);
    assert_ne!(before.own, after.own);
    let unused = "envFrom: [{configMapRef: {name: empty}}], ";
    let same = try_with(&format!("{unused}{single}"), &known())
        .unwrap()
        .desired;
    assert_eq!(before.intent, same.intent);
}
