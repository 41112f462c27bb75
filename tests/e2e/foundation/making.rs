//! Making and removing.

use super::*;

const WEB: &str = "{environment: staging, source: {image: {name: 'nginx:1'}}}";

#[tokio::test]
async fn a_place_is_made_used_and_removed() {
    let world = made("staging").await;
    let found = status(&world, "staging").await;
    let account = &world.seeded.account;
    for (what, value) in [
        ("stackId", &found.stack_id),
        ("clusterArn", &found.cluster_arn),
        ("namespaceArn", &found.namespace_arn),
        ("executionRoleArn", &found.execution_role_arn),
        ("taskRoleArn", &found.task_role_arn),
        ("eventQueueUrl", &found.event_queue_url),
    ] {
        let value = value.as_deref().unwrap_or_default();
        assert!(value.contains(account), "{what}: {value}");
    }
    let member = found.member_security_group_id.unwrap();
    assert_eq!(found.security_group_ids.len(), 2);
    assert_eq!(found.security_group_ids[0], member);
    assert!(found.log_group_name.is_some());

    world.apply_service("web", WEB).await.unwrap();
    world.ready("web").await.unwrap();
    let service = world.ecs_service("web").unwrap();
    let network = &service["networkConfiguration"]["awsvpcConfiguration"];
    assert_eq!(network["securityGroups"].as_array().unwrap().len(), 2);

    delete(&world, "staging").await;
    let waits = until(&world, "staging", "it to wait for its service", |found| {
        ready(found).is_some_and(|(_, reason, _)| reason == "Deleting")
    })
    .await;
    let (is_ready, _, message) = ready(&waits).unwrap();
    assert_eq!(is_ready, "True", "who runs there goes on");
    assert!(message.contains("/web"), "{message}");
    stack(&world, "staging").await.unwrap();

    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    gone(&world, "staging").await;
    let left = stack(&world, "staging").await.unwrap_err().to_string();
    assert!(left.contains("does not exist"), "{left}");
    let asked = json!({"Id": id_of(&found.namespace_arn.unwrap()).unwrap()});
    let left = world.aws.call("servicediscovery:GetNamespace", asked).await;
    assert!(left.unwrap_err().to_string().contains("NamespaceNotFound"));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn retain_leaves_the_stack_and_an_environment_of_that_name_takes_it_again() {
    let world = made("staging").await;
    let before = status(&world, "staging").await;
    let retain = json!({"spec": {"deletionPolicy": "Retain"}});
    world.patch_environment("staging", &retain).await.unwrap();
    delete(&world, "staging").await;
    gone(&world, "staging").await;
    stack(&world, "staging").await.unwrap();

    let mark = world.mark();
    world.apply(&bare(&world, "staging")).await.unwrap();
    world.environment_ready("staging").await.unwrap();
    let after = status(&world, "staging").await;
    assert_eq!(before.stack_id, after.stack_id);
    assert_eq!(before.cluster_arn, after.cluster_arn);
    let calls = world.calls_since(mark);
    assert_eq!(calls.count("cloudformation:ExecuteChangeSet"), 0);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_stack_at_rest_costs_one_call_a_look_and_a_restart_changes_nothing() {
    let mut world = made("staging").await;
    world.kill_operator();
    let mark = world.mark();
    world.start_operator().await.unwrap();
    eventually(DEADLINE, "a look at the cluster", async || {
        let calls = world.calls_since(mark);
        ensure!(calls.count("ecs:DescribeClusters") > 0, "{calls:?}");
        Ok(())
    })
    .await
    .unwrap();
    world.quiet().await.unwrap();
    let calls = world.calls_since(mark);
    assert_eq!(calls.count("cloudformation:DescribeStacks"), 1);
    assert_eq!(calls.writes().counts(), [].into());
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_crash_after_any_call_leads_to_one_stack() {
    let mut world = world().await;
    for (name, operation) in [
        ("one", "cloudformation:CreateChangeSet"),
        ("two", "cloudformation:ExecuteChangeSet"),
        ("three", "cloudformation:SetStackPolicy"),
    ] {
        let mark = world.mark();
        let hold = world.simulator.hold_after(operation, 1);
        world.apply(&bare(&world, name)).await.unwrap();
        hold.held().await;
        world.kill_operator();
        hold.release();
        world.start_operator().await.unwrap();
        world.environment_ready(name).await.unwrap();
        let calls = world.calls_since(mark);
        for once in [
            "cloudformation:CreateChangeSet",
            "cloudformation:ExecuteChangeSet",
        ] {
            assert_eq!(calls.effects(once), 1, "{name}: {once}");
        }
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_stack_of_somebody_else_is_left_alone() {
    let world = world().await;
    let template = json!({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}).to_string();
    let fields = [
        ("StackName", "privateservice-staging"),
        ("TemplateBody", template.as_str()),
    ];
    let create = "cloudformation:CreateStack";
    world
        .aws
        .form(create, CLOUD_FORMATION, &fields)
        .await
        .unwrap();
    let mark = world.mark();
    world.apply(&bare(&world, "staging")).await.unwrap();
    world
        .environment_is("staging", "False", "NameConflict")
        .await
        .unwrap();
    delete(&world, "staging").await;
    gone(&world, "staging").await;
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());
    stack(&world, "staging").await.unwrap();
    world.finish().await.unwrap();
}
