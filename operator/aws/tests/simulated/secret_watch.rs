//! Secrets that others keep: what a description comes to, who is woken, and how often AWS is asked.

use crate::world::{World, key, plenty, quick};
use aws_sim::{Fault, FaultKind, Options};
use k8s_openapi::jiff::Timestamp;
use privateservice_aws::{Account, Timing};
use privateservice_core::watched_secret::{Absence, AwsSecret};
use std::time::Duration;

const READ: &str = "secretsmanager:DescribeSecret";
/// 32 characters and more, as Secrets Manager wants them.
const VERSIONS: [&str; 2] = [
    "11111111-1111-1111-1111-111111111111",
    "22222222-2222-2222-2222-222222222222",
];

fn look(account: &Account, id: &str) -> AwsSecret {
    account.secrets().look(&key("api"), id)
}

fn version(account: &Account, id: &str) -> Option<String> {
    match look(account, id) {
        AwsSecret::Current { version, .. } => Some(version),
        _ => None,
    }
}

fn is_read(secret: &AwsSecret) -> bool {
    !matches!(secret, AwsSecret::Unread { .. })
}

fn reads(world: &World) -> usize {
    let all = world.sim.requests();
    all.iter().filter(|one| one.name() == READ).count()
}

async fn create(world: &World, name: &str) -> String {
    let made = world.secrets().create_secret();
    let made = made
        .name(name)
        .secret_string("value")
        .client_request_token(VERSIONS[0]);
    made.send().await.unwrap().arn().unwrap().to_owned()
}

async fn put(world: &World, name: &str, version: &str) {
    let put = world.secrets().put_secret_value().secret_id(name);
    let put = put.secret_string(version).client_request_token(version);
    put.send().await.unwrap();
}

#[tokio::test]
async fn each_state_of_a_secret_is_told_and_no_value_is_asked_for() {
    let mut world = World::new().await;
    let arn = create(&world, "db").await;
    create(&world, "deleted").await;
    let client = world.secrets();
    let delete = client.delete_secret().secret_id("deleted");
    delete.send().await.unwrap();
    client.create_secret().name("empty").send().await.unwrap();
    for (id, expected) in [
        ("none", Absence::NoSuchSecret),
        ("deleted", Absence::ScheduledForDeletion),
        ("empty", Absence::NoValue),
    ] {
        let known = |account: &Account| look(account, id) == AwsSecret::Missing(expected);
        world.link.until(id, known).await;
    }
    for id in ["db", arn.as_str()] {
        world
            .link
            .until("it to be read", |account| is_read(&look(account, id)))
            .await;
        let AwsSecret::Current {
            arn: found,
            version,
            ..
        } = look(&world.link.account, id)
        else {
            panic!("{id}")
        };
        assert_eq!(
            (found.as_str(), version.as_str()),
            (arn.as_str(), VERSIONS[0])
        );
    }
    let requests = world.sim.requests();
    assert!(requests.iter().all(|one| one.operation != "GetSecretValue"));
}

#[tokio::test]
async fn a_right_that_is_lacking_is_told_from_an_aws_that_fails() {
    let mut world = World::new().await;
    create(&world, "db").await;
    world
        .sim
        .fault(Fault::next(READ, FaultKind::ServerError, 1));
    let failed = |account: &Account| {
        matches!(
            look(account, "db"),
            AwsSecret::Unread {
                failure: Some(_),
                ..
            }
        )
    };
    world.link.until("the failure to be told", failed).await;
    let there = |account: &Account| version(account, "db").is_some();
    world.link.until("another try", there).await;
    for (id, kind) in [
        ("denied", FaultKind::AccessDenied),
        (
            "unsupported",
            FaultKind::Error {
                status: 400,
                code: "UnknownOperationException".into(),
                message: "no such thing".into(),
            },
        ),
    ] {
        world.sim.fault(Fault::next(READ, kind, 1));
        let told = |account: &Account| is_read(&look(account, id));
        world.link.until(id, told).await;
        let AwsSecret::Unreadable { why } = look(&world.link.account, id) else {
            panic!("{id}")
        };
        assert!(why.contains(READ), "{why}");
    }
}

#[tokio::test]
async fn one_read_in_a_sweep_serves_everybody_and_wakes_them_when_there_is_news() {
    let timing = Timing {
        sweep_interval: Duration::from_millis(300),
        ..quick()
    };
    let mut world = World::of(Options::default(), timing, plenty()).await;
    create(&world, "db").await;
    let others: Vec<_> = (0..20).map(|number| key(&format!("s{number}"))).collect();
    let secrets = world.link.account.secrets();
    for other in &others {
        secrets.look(other, "db");
    }
    let first = |account: &Account| version(account, "db").is_some();
    world.link.until("the first read", first).await;
    assert_eq!(reads(&world), 1);
    put(&world, "db", VERSIONS[1]).await;
    let second = |account: &Account| version(account, "db").as_deref() == Some(VERSIONS[1]);
    world.link.until("the new version", second).await;
}

#[tokio::test]
async fn who_asks_for_a_newer_picture_gets_one_that_began_after_that() {
    let mut world = World::new().await;
    create(&world, "db").await;
    let first = |account: &Account| version(account, "db").is_some();
    world.link.until("the first read", first).await;
    put(&world, "db", VERSIONS[1]).await;
    let since = Timestamp::now();
    let secrets = world.link.account.secrets();
    assert!(!secrets.was_read_since(&key("api"), since));
    secrets.read_since(&key("api"), ["db"], since);
    world
        .link
        .until("a read after that", |account| {
            account.secrets().was_read_since(&key("api"), since)
        })
        .await;
    assert_eq!(
        version(&world.link.account, "db").as_deref(),
        Some(VERSIONS[1])
    );
    assert_eq!(reads(&world), 2);
    // Once more for a time that is covered costs nothing.
    world.link.account.secrets().look_afresh(&key("api"), since);
    assert_eq!(reads(&world), 2);
}
