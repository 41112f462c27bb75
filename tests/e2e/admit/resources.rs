//! Sizes of tasks: every pair Fargate has, and the words for those it has not.

use super::{ACCEPTED, Case, Kind, check};
use crate::admit::service::BASE;

/// AWS: ECS developer guide, "Fargate task CPU and memory": the memory in MiB each cpu takes.
fn fargate_pairs() -> Vec<(&'static str, Vec<u32>)> {
    let whole_gib =
        |from: u32, to: u32, step: usize| (from..=to).step_by(step).map(|gib| gib * 1024).collect();
    vec![
        ("250m", vec![512, 1024, 2048]),
        ("500m", whole_gib(1, 4, 1)),
        ("1", whole_gib(2, 8, 1)),
        ("2", whole_gib(4, 16, 1)),
        ("4", whole_gib(8, 30, 1)),
        ("8", whole_gib(16, 60, 4)),
        ("16", whole_gib(32, 120, 8)),
        ("32", vec![60 * 1024, 120 * 1024, 244 * 1024]),
    ]
}

#[tokio::test]
async fn every_fargate_pair_is_accepted_and_no_other() {
    let pairs = fargate_pairs();
    let mut sizes: Vec<u32> = pairs
        .iter()
        .flat_map(|(_, memory)| memory.clone())
        .collect();
    // Neighbours that no cpu, or only another one, takes.
    sizes.extend([
        768,
        1536,
        2560,
        17 * 1024,
        31 * 1024,
        61 * 1024,
        121 * 1024,
        128 * 1024,
        245 * 1024,
    ]);
    sizes.sort_unstable();
    sizes.dedup();
    let mut cases = Vec::new();
    for (cpu, memory) in &pairs {
        for size in &sizes {
            let words: &[&str] = if memory.contains(size) {
                ACCEPTED
            } else {
                &["does not go with memory"]
            };
            cases.push((
                format!("resources: {{cpu: '{cpu}', memory: {size}Mi}}"),
                words,
            ));
        }
    }
    let cases: Vec<Case<'_>> = cases
        .iter()
        .map(|(text, words)| (text.as_str(), *words))
        .collect();
    check(Kind::Service, BASE, &cases).await;
}

#[tokio::test]
async fn a_mistake_gets_the_words_to_write_instead() {
    let no_such_cpu = "write \"250m\", \"500m\", \"1\", \"2\", \"4\", \"8\", \"16\" or \"32\"";
    let cases: &[Case<'_>] = &[
        (
            "resources: {cpu: abc}",
            &["spec.resources.cpu", "cpu abc is not a size", no_such_cpu],
        ),
        (
            "resources: {cpu: 300m}",
            &["cpu 300m is not a size", no_such_cpu],
        ),
        (
            "resources: {cpu: 256}",
            &["cpu 256 is not a size", no_such_cpu],
        ),
        ("resources: {cpu: ''}", &["spec.resources.cpu", no_such_cpu]),
        ("resources: {cpu: -1}", &[no_such_cpu]),
        // The type is checked before any rule, and its words are the API server's own.
        (
            "resources: {cpu: 0.5}",
            &[
                "spec.resources.cpu",
                "must be of type integer,string: \"number\"",
            ],
        ),
        (
            "resources: {memory: 4Gi}",
            &["memory 4Gi needs cpu: write cpu: \"500m\""],
        ),
        (
            "resources: {memory: 16Gi}",
            &["memory 16Gi needs cpu: write cpu: \"2\""],
        ),
        (
            "resources: {memory: 1.5Gi}",
            &["cpu 250m (the default)", "write memory 512Mi, 1Gi or 2Gi"],
        ),
        (
            "resources: {cpu: 1}",
            &["memory 512Mi (the default): write memory 2Gi to 8Gi"],
        ),
        (
            "resources: {cpu: 8, memory: 18Gi}",
            &["write memory 16Gi to 60Gi in steps of 4Gi, or another cpu"],
        ),
        (
            "resources: {cpu: 32, memory: 64Gi}",
            &["write memory 60Gi, 120Gi or 244Gi"],
        ),
        (
            "resources: {memory: 512}",
            &[
                "spec.resources.memory",
                "memory 512 is not an amount",
                "\"512Mi\"",
            ],
        ),
        (
            "resources: {memory: lots}",
            &["memory lots is not an amount"],
        ),
        (
            "resources: {memory: 4G}",
            &["does not go with memory 4G", "write memory"],
        ),
        (
            "resources: {cpu: abc, memory: lots}",
            &["cpu abc is not a size", "memory lots is not an amount"],
        ),
        (
            "resources: {ephemeralStorage: 19Gi}",
            &["write whole Gi from \"20Gi\" to \"200Gi\""],
        ),
        (
            "resources: {ephemeralStorage: 201Gi}",
            &["write whole Gi from \"20Gi\" to \"200Gi\""],
        ),
        (
            "resources: {ephemeralStorage: 20.5Gi}",
            &["write whole Gi from \"20Gi\" to \"200Gi\""],
        ),
        (
            "resources: {ephemeralStorage: disk}",
            &["write whole Gi from \"20Gi\" to \"200Gi\""],
        ),
    ];
    check(Kind::Service, BASE, cases).await;
}

#[tokio::test]
async fn other_spellings_of_a_size_are_accepted() {
    let cases: &[Case<'_>] = &[
        ("resources: {}", ACCEPTED),
        ("resources: {cpu: 250m}", ACCEPTED),
        ("resources: {memory: 2Gi}", ACCEPTED),
        ("resources: {cpu: '0.5', memory: 1024Mi}", ACCEPTED),
        ("resources: {cpu: 1, memory: 2147483648}", ACCEPTED),
        ("resources: {cpu: 1000m, memory: '2048Mi'}", ACCEPTED),
        ("resources: {ephemeralStorage: 20Gi}", ACCEPTED),
        ("resources: {ephemeralStorage: 200Gi}", ACCEPTED),
    ];
    check(Kind::Service, BASE, cases).await;
}
