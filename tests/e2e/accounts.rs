//! One operator, several accounts and Regions: each Environment by its own role, and no trouble of one is another's.

use aws_sim::Trust;
use privateservice_tests::world::{DEADLINE, Neighbour, service};
use privateservice_tests::{Options, World, eventually};
use serde_json::{Value, json};

/// The role of an account that the operator is to assume.
fn role(neighbour: &Neighbour) -> String {
    format!("arn:aws:iam::{}:role/services", neighbour.seeded.account)
}

/// An Environment in that account and Region, by its role.
fn environment(neighbour: &Neighbour, name: &str) -> Value {
    let mut environment = neighbour.seeded.environment(name);
    environment["spec"]["assumeRole"] =
        json!({"roleArn": role(neighbour), "externalId": "shop-42"});
    environment
}

fn trust(world: &World, neighbour: &Neighbour, external_id: &str) {
    let trust = Trust {
        external_id: Some(external_id.to_owned()),
    };
    world.simulator.trust(&role(neighbour), Some(trust));
}

async fn apply(world: &World, name: &str, environment: &str, image: &str) {
    let spec = format!("{{source: {{image: {{name: '{image}'}}}}}}");
    let mut object = service(name, &spec).unwrap();
    object["metadata"]["namespace"] = json!(world.namespace);
    object["spec"]["environment"] = json!(environment);
    world.apply(&object).await.unwrap();
}

/// Names of the ACTIVE services of a simulator.
fn active(neighbour: &Neighbour) -> Vec<String> {
    let state = neighbour.simulator.state();
    let all = state["services"].as_array().unwrap().iter();
    all.filter(|one| one["status"] == "ACTIVE")
        .map(|one| one["serviceName"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn two_accounts_and_two_regions_at_once_and_one_with_broken_credentials() {
    let world = World::start(Options::default()).await.unwrap();
    let account = World::another_account();
    let far = world.neighbour(&account, "us-east-1").await.unwrap();
    let abroad = world.neighbour(&account, "eu-west-1").await.unwrap();
    let broken = World::another_account();
    let broken = world.neighbour(&broken, "us-east-1").await.unwrap();
    trust(&world, &far, "shop-42");
    trust(&world, &broken, "another id");
    for (neighbour, name) in [(&far, "far"), (&abroad, "abroad"), (&broken, "broken")] {
        world.apply(&environment(neighbour, name)).await.unwrap();
    }
    for name in ["far", "abroad"] {
        world.environment_ready(name).await.unwrap();
    }
    world
        .environment_is("broken", "False", "CredentialsError")
        .await
        .unwrap();
    let look = [
        "get",
        "psenv",
        "broken",
        "-o",
        "jsonpath={.status.conditions[0].message}",
    ];
    let said = world.kubectl(&look, "").await.unwrap().ok().unwrap();
    for words in [role(&broken).as_str(), "sts:AssumeRole", "external id"] {
        assert!(said.contains(words), "{words} is not in: {said}");
    }

    for (name, environment) in [
        ("here", "staging"),
        ("there", "far"),
        ("beyond", "abroad"),
        ("nowhere", "broken"),
    ] {
        apply(&world, name, environment, "app:1").await;
    }
    for name in ["here", "there", "beyond"] {
        world.ready(name).await.unwrap();
    }
    world
        .refused("nowhere", "EnvironmentNotReady")
        .await
        .unwrap();
    assert_eq!(active(&far), ["there"]);
    assert_eq!(active(&abroad), ["beyond"]);
    assert!(world.ecs_service("here").is_ok() && world.ecs_service("there").is_err());
    assert!(
        broken
            .simulator
            .requests()
            .iter()
            .all(|one| one.service != "ecs" || one.operation == "CreateCluster"),
        "nobody got in"
    );

    // Its owners mend the trust policy.
    trust(&world, &broken, "shop-42");
    world.environment_ready("broken").await.unwrap();
    world.ready("nowhere").await.unwrap();
    assert_eq!(active(&broken), ["nowhere"]);

    for name in ["here", "there", "beyond", "nowhere"] {
        world.delete(name).await.unwrap();
    }
    for name in ["here", "there", "beyond", "nowhere"] {
        world.gone(name).await.unwrap();
    }
    for neighbour in [&far, &abroad, &broken] {
        assert_eq!(active(neighbour), Vec::<String>::new());
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_role_that_breaks_stops_neither_what_runs_nor_other_accounts_and_another_account_is_never_entered()
 {
    let world = World::start(Options::default()).await.unwrap();
    let account = World::another_account();
    let far = world.neighbour(&account, "us-east-1").await.unwrap();
    trust(&world, &far, "shop-42");
    let mut environment = environment(&far, "far");
    environment["spec"]
        .as_object_mut()
        .unwrap()
        .remove("accountId");
    world.apply(&environment).await.unwrap();
    world.environment_ready("far").await.unwrap();
    apply(&world, "there", "far", "app:1").await;
    world.ready("there").await.unwrap();

    eventually(DEADLINE, "what was made to be verified", async || {
        let asked = far.simulator.requests();
        let last = |operation| asked.iter().rposition(|one| one.operation == operation);
        anyhow::ensure!(last("PutMetricAlarm") < last("DescribeAlarms"));
        Ok(())
    })
    .await
    .unwrap();

    // A role of the same account that cannot be assumed: told at once, and nothing of what runs is touched.
    let mark = far.simulator.requests().len();
    let role_is = |arn: String| json!({"spec": {"assumeRole": {"roleArn": arn}}});
    let other = format!("arn:aws:iam::{account}:role/typo");
    world
        .patch_environment("far", &role_is(other))
        .await
        .unwrap();
    world
        .environment_is("far", "False", "CredentialsError")
        .await
        .unwrap();
    apply(&world, "here", "staging", "app:1").await;
    world.ready("here").await.unwrap();

    // A role of another account: refused, whoever may assume it.
    let elsewhere = World::another_account();
    let elsewhere = world.neighbour(&elsewhere, "us-east-1").await.unwrap();
    trust(&world, &elsewhere, "shop-42");
    let before = elsewhere.simulator.requests().len();
    world
        .patch_environment("far", &role_is(role(&elsewhere)))
        .await
        .unwrap();
    eventually(DEADLINE, "the other account to be refused", async || {
        let look = [
            "get",
            "psenv",
            "far",
            "-o",
            "jsonpath={.status.conditions[0].message}",
        ];
        let said = world.kubectl(&look, "").await?.ok()?;
        anyhow::ensure!(said.contains(&elsewhere.seeded.account), "{said}");
        Ok(())
    })
    .await
    .unwrap();
    apply(&world, "there", "far", "app:2").await;
    world.refused("there", "EnvironmentNotReady").await.unwrap();
    let entered = elsewhere.simulator.requests().split_off(before);
    assert!(
        entered
            .iter()
            .all(|one| one.operation == "GetCallerIdentity"),
        "{entered:?}"
    );
    assert!(far.simulator.requests().split_off(mark).is_empty());

    world
        .patch_environment("far", &role_is(role(&far)))
        .await
        .unwrap();
    world.environment_ready("far").await.unwrap();
    let object = world.ready("there").await.unwrap();
    let status = object.status.unwrap();
    assert_eq!(status.deployed.unwrap().image.as_deref(), Some("app:2"));
    assert_eq!(status.assume_role.unwrap().role_arn, role(&far));
    world.finish().await.unwrap();
}
