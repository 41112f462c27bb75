//! Changes of an existing PrivateService: what AWS cannot change is refused at apply.

use super::service::BASE;
use super::{ACCEPTED, Kind, check_changes};

#[tokio::test]
async fn the_environment_stays() {
    let words: &[&str] = &[
        "spec.environment",
        "environment is immutable, also from and to absent",
    ];
    let cases: &[(&str, &str, &[&str])] = &[
        ("environment: staging", "environment: staging", ACCEPTED),
        ("", "suspend: true", ACCEPTED),
        ("environment: staging", "environment: production", words),
        ("environment: staging", "", words),
        ("", "environment: staging", words),
    ];
    check_changes(Kind::Service, BASE, cases).await;
}

#[tokio::test]
async fn the_protocol_of_a_port_name_stays() {
    let words: &[&str] = &["spec.ports[0].protocol", "give the port another name"];
    let absent: &[&str] = &[
        "spec.ports",
        "absent ports are {name: default",
        "another name",
    ];
    let tcp = "ports: [{name: default, port: 80}]";
    let http = "ports: [{name: default, port: 80, protocol: http}]";
    let cases: &[(&str, &str, &[&str])] = &[
        (
            tcp,
            "ports: [{name: default, port: 81, protocol: tcp}]",
            ACCEPTED,
        ),
        (
            http,
            "ports: [{name: web, port: 80, protocol: http2}]",
            ACCEPTED,
        ),
        (tcp, http, words),
        (http, tcp, words),
        (
            http,
            "ports: [{name: default, port: 80, protocol: grpc}]",
            words,
        ),
        ("", tcp, ACCEPTED),
        (tcp, "", ACCEPTED),
        (
            "",
            "ports: [{name: web, port: 80, protocol: http}]",
            ACCEPTED,
        ),
        ("", http, absent),
        (http, "", absent),
    ];
    check_changes(Kind::Service, BASE, cases).await;
}

#[tokio::test]
async fn everything_else_may_change() {
    let cases: &[(&str, &str, &[&str])] = &[(
        "{spot: Flex, env: [{name: A, value: b}], healthCheck: {command: a}, tags: {a: b}}",
        "{architecture: ARM, resources: {cpu: 1, memory: 2Gi}, source: {image: {name: other}}}",
        ACCEPTED,
    )];
    check_changes(Kind::Service, BASE, cases).await;
}
