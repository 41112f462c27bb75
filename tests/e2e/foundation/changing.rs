//! Changing what is there.

use super::*;

#[tokio::test]
async fn a_harmless_edit_changes_the_stack_at_once_and_services_go_on() {
    let world = made("staging").await;
    let before = status(&world, "staging").await;
    let edit = json!({"spec": {
        "logging": {"retentionDays": 14},
        "network": {"allowFrom": ["10.9.0.0/16"]},
        "grants": [{"namespaces": ["team-a"], "parameters": ["/shop/*", "flag"]}],
        "env": [{"name": "DB", "valueFrom": {"awsSecretRef": {"id": "shared/db"}}}],
    }});
    world.patch_environment("staging", &edit).await.unwrap();
    let after = until(&world, "staging", "the stack to be changed", |found| {
        let status = found.status.clone().unwrap_or_default();
        status.stack_hash != before.stack_hash
            && ready(found).is_some_and(|(_, reason, _)| reason == "Succeeded")
    })
    .await;
    let after = after.status.unwrap();
    assert_eq!(after.pending_change_set, None);
    assert_eq!(after.cluster_arn, before.cluster_arn);
    let described = stack(&world, "staging").await.unwrap();
    assert!(described.contains("UPDATE_COMPLETE"), "{described}");
    assert!(
        described.contains("<ParameterValue>14</ParameterValue>"),
        "{described}"
    );

    // There and back again.
    let back = json!({"spec": {"logging": null, "network": {"allowFrom": null}, "grants": null, "env": null}});
    world.patch_environment("staging", &back).await.unwrap();
    until(&world, "staging", "the stack to be as it was", |found| {
        let status = found.status.clone().unwrap_or_default();
        status.stack_hash == before.stack_hash
    })
    .await;
    lint(&world).await;
    world.finish().await.unwrap();
}

#[tokio::test]
async fn what_the_stack_made_cannot_be_named_as_existing() {
    let world = made("staging").await;
    let named = json!({"spec": {"existing": {"executionRoleArn": world.seeded.role}}});
    world.patch_environment("staging", &named).await.unwrap();
    world
        .environment_is("staging", "False", "InvalidSpec")
        .await
        .unwrap();
    let unnamed = json!({"spec": {"existing": null}});
    world.patch_environment("staging", &unnamed).await.unwrap();
    world.environment_ready("staging").await.unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn what_exists_is_used_and_the_rest_is_made_and_stays_the_stacks() {
    let world = world().await;
    let mut environment = world.seeded.environment("staging");
    let existing = environment["spec"]["existing"].clone();
    environment["spec"]["existing"] = json!({
        "clusterArn": existing["clusterArn"], "namespaceArn": existing["namespaceArn"],
    });
    world.apply(&environment).await.unwrap();
    world.environment_ready("staging").await.unwrap();
    let found = status(&world, "staging").await;
    assert_eq!(found.cluster_arn.as_ref(), Some(&world.seeded.cluster));
    assert_eq!(found.namespace_arn.as_ref(), Some(&world.seeded.namespace));
    assert_ne!(found.execution_role_arn.as_ref(), Some(&world.seeded.role));

    let all = json!({"spec": {"existing": existing}});
    world.patch_environment("staging", &all).await.unwrap();
    world
        .environment_is("staging", "False", "InvalidSpec")
        .await
        .unwrap();
    lint(&world).await;
    world.finish().await.unwrap();
}

/// Gives the stack a group that the template describes otherwise, as an older operator may have made it.
async fn as_an_older_operator_made_it(world: &World) {
    let fields = [("StackName", "privateservice-staging")];
    let get = "cloudformation:GetTemplate";
    let found = world.aws.form(get, CLOUD_FORMATION, &fields).await.unwrap();
    let (_, found) = found.split_once("<TemplateBody>").unwrap();
    let (found, _) = found.split_once("</TemplateBody>").unwrap();
    let template = found
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&amp;", "&");
    let older = template.replace("\"Members - ", "\"Older members - ");
    assert_ne!(older, template);
    let described = stack(world, "staging").await.unwrap();
    let mut fields = vec![
        ("StackName".to_owned(), "privateservice-staging".to_owned()),
        ("TemplateBody".to_owned(), older),
        (
            "Capabilities.member.1".to_owned(),
            "CAPABILITY_IAM".to_owned(),
        ),
    ];
    for (number, part) in described.split("<ParameterKey>").skip(1).enumerate() {
        let (key, _) = part.split_once('<').unwrap();
        let prefix = format!("Parameters.member.{}", number + 1);
        fields.push((format!("{prefix}.ParameterKey"), key.to_owned()));
        fields.push((format!("{prefix}.UsePreviousValue"), "true".to_owned()));
    }
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    let update = "cloudformation:UpdateStack";
    world
        .aws
        .form(update, CLOUD_FORMATION, &fields)
        .await
        .unwrap();
    eventually(DEADLINE, "the older stack", async || {
        let described = stack(world, "staging").await?;
        ensure!(
            described.contains("<StackStatus>UPDATE_COMPLETE<"),
            "{described}"
        );
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_change_that_replaces_what_services_live_on_waits_for_approval() {
    let mut world = made("staging").await;
    world.kill_operator();
    as_an_older_operator_made_it(&world).await;
    let mark = world.mark();
    let edit = json!({"spec": {"logging": {"retentionDays": 7}}});
    world.patch_environment("staging", &edit).await.unwrap();
    world.start_operator().await.unwrap();
    let waits = until(&world, "staging", "the change to wait", |found| {
        let status = found.status.as_ref();
        status.is_some_and(|status| status.pending_change_set.is_some())
    })
    .await;
    let (is_ready, reason, message) = ready(&waits).unwrap();
    assert_eq!((is_ready.as_str(), reason.as_str()), ("True", "Succeeded"));
    let pending = waits.status.unwrap().pending_change_set.unwrap();
    assert!(message.contains(&pending.name), "{message}");
    assert_eq!(pending.changes.len(), 1, "{pending:?}");
    assert_eq!(pending.changes[0].resource, "MemberSecurityGroup");
    world.quiet().await.unwrap();
    let calls = world.calls_since(mark);
    assert_eq!(calls.count("cloudformation:ExecuteChangeSet"), 0);
    assert_eq!(calls.count("cloudformation:CreateChangeSet"), 1);

    let wrong = json!({"spec": {"foundation": {"approve": "privateservice-another"}}});
    world.patch_environment("staging", &wrong).await.unwrap();
    until(&world, "staging", "the wrong name to be seen", |found| {
        ready(found).is_some()
    })
    .await;
    let calls = world.calls_since(mark);
    assert_eq!(calls.count("cloudformation:ExecuteChangeSet"), 0);

    let approve = json!({"spec": {"foundation": {"approve": pending.name}}});
    world.patch_environment("staging", &approve).await.unwrap();
    let done = until(&world, "staging", "the change to be made", |found| {
        let status = found.status.clone().unwrap_or_default();
        status.pending_change_set.is_none()
            && ready(found).is_some_and(|(_, reason, _)| reason == "Succeeded")
    })
    .await;
    let attempt = done.status.unwrap().stack_attempt.unwrap();
    assert!(!attempt.unprotected, "it is protected again");
    let calls = world.calls_since(mark);
    assert_eq!(calls.effects("cloudformation:ExecuteChangeSet"), 1);
    // Lifted for the change, and put back.
    assert_eq!(calls.effects("cloudformation:SetStackPolicy"), 2);
    world.finish().await.unwrap();
}
