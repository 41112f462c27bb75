//! Who reaches the tasks of an Environment: by the rules that its security groups really have.

use super::*;

/// Whom a security group admits, by what EC2 says of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Admits {
    groups: BTreeSet<String>,
    ranges: BTreeSet<String>,
}

async fn admits(world: &World, group: &str) -> Admits {
    let fields = [("GroupId.1", group)];
    let describe = "ec2:DescribeSecurityGroups";
    let xml = world
        .aws
        .form(describe, "2016-11-15", &fields)
        .await
        .unwrap();
    let (_, rules) = xml.split_once("<ipPermissions>").unwrap_or_default();
    let (rules, _) = rules.split_once("</ipPermissions>").unwrap_or_default();
    let all = |tag: &str| {
        rules
            .split(&format!("<{tag}>"))
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('<')?.0.to_owned()))
            .collect()
    };
    Admits {
        groups: all("groupId"),
        ranges: all("cidrIp"),
    }
}

/// The groups that ECS gives to the tasks of a service.
fn groups(world: &World, name: &str) -> BTreeSet<String> {
    let service = world.ecs_service(name).unwrap();
    let network = &service["networkConfiguration"]["awsvpcConfiguration"];
    let groups = network["securityGroups"].as_array().unwrap();
    groups
        .iter()
        .map(|group| group.as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn services_reach_each_other_without_a_word_and_outsiders_only_where_they_are_let_in() {
    let world = world().await;
    let lambda = &world.seeded.security_group;
    let mut environment = bare(&world, "staging");
    environment["spec"]["network"]["allowFrom"] = json!([lambda, "10.20.0.0/16"]);
    world.apply(&environment).await.unwrap();
    world.environment_ready("staging").await.unwrap();
    for name in ["shop", "cache"] {
        let spec = "{environment: staging, source: {image: {name: 'app:1'}}}";
        world.apply_service(name, spec).await.unwrap();
    }
    for name in ["shop", "cache"] {
        world.ready(name).await.unwrap();
    }

    // Whoever carries one of the admitted groups, or comes from an admitted range, reaches a task; nobody else does.
    let mut let_in = Admits::default();
    for group in groups(&world, "cache") {
        let one = admits(&world, &group).await;
        let_in.groups.extend(one.groups);
        let_in.ranges.extend(one.ranges);
    }
    let members = groups(&world, "shop");
    assert!(!members.is_disjoint(&let_in.groups), "{let_in:?}");
    let status = status(&world, "staging").await;
    let member = status.member_security_group_id.unwrap();
    assert_eq!(
        let_in,
        Admits {
            groups: [member.clone(), lambda.clone()].into(),
            ranges: ["10.20.0.0/16".to_owned()].into(),
        }
    );
    let of_status: BTreeSet<String> = status.security_group_ids.into_iter().collect();
    assert_eq!(of_status, members, "status names the groups of tasks");
    assert!(members.contains(&member));
    assert_eq!(admits(&world, &member).await, Admits::default());

    // It is taken back like any other edit.
    let edit = json!({"spec": {"network": {"allowFrom": null}}});
    world.patch_environment("staging", &edit).await.unwrap();
    let internal = members.iter().find(|group| **group != member).unwrap();
    eventually(DEADLINE, "the outsiders to be shut out", async || {
        let now = admits(&world, internal).await;
        ensure!(
            now.groups == [member.clone()].into() && now.ranges.is_empty(),
            "{now:?}"
        );
        Ok(())
    })
    .await
    .unwrap();
    world.finish().await.unwrap();
}
