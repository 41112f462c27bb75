use super::*;
use crate::hash::Hash;
use privateservice_api::environment::Foundation;
use serde_json::{Value, json};

fn rules(wanted: &Wanted) -> Vec<Value> {
    let template: Value = serde_json::from_str(&wanted.template).unwrap();
    let pointer = "/Resources/InternalSecurityGroup/Properties/SecurityGroupIngress";
    template
        .pointer(pointer)
        .unwrap()
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn whoever_is_allowed_in_becomes_a_rule_of_the_internal_group() {
    let mut environment = environment();
    assert_eq!(
        rules(&render(&environment, "c").unwrap()).len(),
        1,
        "members"
    );
    environment.spec.network.allow_from = vec!["sg-9".into(), "10.1.0.0/16".into()];
    let rules = rules(&render(&environment, "c").unwrap());
    assert_eq!(rules[1]["SourceSecurityGroupId"], "sg-9");
    assert_eq!(rules[2]["CidrIp"], "10.1.0.0/16");
}

#[test]
fn what_exists_is_left_out() {
    let mut environment = environment();
    let all = render(&environment, "c").unwrap().parameters;
    assert_eq!(all["ExistingClusterArn"], "");
    assert!(
        all.iter()
            .filter(|(key, _)| key.starts_with("Create"))
            .all(|(_, value)| value == "true")
    );
    environment.spec.existing = Some(Existing {
        cluster_arn: Some("cluster".into()),
        namespace_arn: Some("namespace".into()),
        security_group_ids: Some(vec!["sg-1".into()]),
        execution_role_arn: Some("execution".into()),
        task_role_arn: Some("task".into()),
        log_group_name: Some("logs".into()),
        event_queue_url: Some("queue".into()),
    });
    let none = render(&environment, "c").unwrap().parameters;
    assert_eq!(none["ExistingClusterArn"], "cluster");
    assert_eq!(none["ExistingLogGroupName"], "logs");
    assert!(
        none.iter()
            .filter(|(key, _)| key.starts_with("Create"))
            .all(|(_, value)| value == "false")
    );
    assert!(!is_needed(&environment));
}

#[test]
fn a_stack_is_needed_for_any_part_that_services_cannot_do_without() {
    let full = Existing {
        cluster_arn: Some("cluster".into()),
        namespace_arn: Some("namespace".into()),
        security_group_ids: Some(vec!["sg-1".into()]),
        execution_role_arn: Some("execution".into()),
        log_group_name: Some("logs".into()),
        ..Existing::default()
    };
    let needed = |existing: Existing| {
        let mut environment = environment();
        environment.spec.existing = Some(existing);
        is_needed(&environment)
    };
    assert!(!needed(full.clone()));
    for without in [
        Existing {
            cluster_arn: None,
            ..full.clone()
        },
        Existing {
            namespace_arn: None,
            ..full.clone()
        },
        Existing {
            security_group_ids: None,
            ..full.clone()
        },
        Existing {
            execution_role_arn: None,
            ..full.clone()
        },
        Existing {
            log_group_name: None,
            ..full.clone()
        },
    ] {
        assert!(needed(without.clone()), "{without:?}");
    }
    assert!(is_needed(&environment()));
}

#[test]
fn every_parameter_is_one_of_the_template_and_the_stack_carries_our_tags() {
    let mut environment = environment();
    environment.spec.tags = BTreeMap::from([("team".into(), "a".into())]);
    let wanted = render(&environment, "cluster-uid").unwrap();
    let template: Value = serde_json::from_str(&wanted.template).unwrap();
    for parameter in wanted.parameters.keys() {
        assert!(
            template["Parameters"].get(parameter).is_some(),
            "{parameter}"
        );
    }
    for parameter in template["Parameters"].as_object().unwrap().keys() {
        let given = wanted.parameters.contains_key(parameter);
        let default = template["Parameters"][parameter].get("Default").is_some();
        assert!(given || default, "{parameter}");
    }
    assert_eq!(wanted.stack, NAME);
    assert_eq!(wanted.tags["team"], "a");
    assert_eq!(wanted.tags["flexstack.dev/owner"], "cluster-uid//pre-prod");
    assert!(wanted.template.len() < 20_000, "{}", wanted.template.len());
}

#[test]
fn the_hash_tells_stacks_apart_but_not_the_roles_they_are_made_with() {
    let hash = |change: &dyn Fn(&mut Environment)| -> Hash {
        let mut environment = environment();
        change(&mut environment);
        render(&environment, "c").unwrap().hash
    };
    let plain = hash(&|_| {});
    let role = Foundation {
        cloud_formation_role_arn: Some("role".into()),
        approve: Some("name".into()),
        ..Foundation::default()
    };
    assert_eq!(plain, hash(&|one| one.spec.foundation = Some(role.clone())));
    let bounded = Foundation {
        permissions_boundary_arn: Some("policy".into()),
        ..Foundation::default()
    };
    let other = [
        hash(&|one| one.spec.foundation = Some(bounded.clone())),
        hash(&|one| one.spec.network.allow_from = vec!["sg-9".into()]),
        hash(&|one| one.spec.tags = BTreeMap::from([("a".into(), "b".into())])),
    ];
    assert!(other.iter().all(|hash| *hash != plain));
}

#[test]
fn more_rules_than_a_template_holds_are_refused() {
    let mut environment = environment();
    environment.spec.network.allow_from = (0..500).map(|n| format!("sg-{n}")).collect();
    let refused = render(&environment, "c").unwrap_err();
    assert!(refused.message.contains("51200"), "{}", refused.message);
}

/// What decision 8 lists, and what the rest of the code relies on.
#[test]
fn the_template_makes_what_an_environment_needs() {
    let template: Value = serde_json::from_str(&wanted().template).unwrap();
    let types: Vec<&str> = template["Resources"]
        .as_object()
        .unwrap()
        .values()
        .map(|resource| resource["Type"].as_str().unwrap())
        .collect();
    for kind in [
        "AWS::ECS::Cluster",
        "AWS::ServiceDiscovery::PrivateDnsNamespace",
        "AWS::EC2::SecurityGroup",
        "AWS::IAM::Role",
        "AWS::Logs::LogGroup",
        "AWS::SQS::Queue",
        "AWS::Events::Rule",
    ] {
        assert!(types.contains(&kind), "{kind}");
    }
    // MiniStack has no such type, and the pair of groups needs none.
    assert!(!types.contains(&"AWS::EC2::SecurityGroupIngress"));
    let named: BTreeMap<String, String> = template["Outputs"]
        .as_object()
        .unwrap()
        .keys()
        .map(|key| (key.clone(), "x".to_owned()))
        .collect();
    assert_eq!(named.len(), 8);
    let outputs = Outputs::of(named);
    let Outputs {
        cluster_arn,
        namespace_arn,
        member_security_group_id,
        internal_security_group_id,
        execution_role_arn,
        task_role_arn,
        log_group_name,
        event_queue_url,
    } = outputs;
    let all = [
        cluster_arn,
        namespace_arn,
        member_security_group_id,
        internal_security_group_id,
        execution_role_arn,
        task_role_arn,
        log_group_name,
        event_queue_url,
    ];
    assert!(all.iter().all(Option::is_some), "{all:?}");
}

/// The execution role reads what the operator makes, by the template, and what is granted, by this parameter; nothing twice.
#[test]
fn the_execution_role_reads_the_secrets_that_are_granted_to_anybody() {
    let arn = |name: &str| format!("arn:aws:secretsmanager:eu-west-3:111122223333:secret:{name}");
    let mut environment = environment();
    let nothing = render(&environment, "c").unwrap();
    assert_eq!(nothing.parameters["GrantedSecretArns"], "");
    let grant = |secrets: Vec<String>| privateservice_api::environment::Grant {
        namespaces: vec!["team-a".into()],
        secrets,
        task_roles: vec!["arn:aws:iam::111122223333:role/orders".into()],
        ..Default::default()
    };
    environment.spec.grants = vec![
        grant(vec![arn("b/*"), arn("a-AbCdEf")]),
        grant(vec![arn("b/*")]),
    ];
    let wanted = render(&environment, "c").unwrap();
    let expected = format!("{},{}", arn("a-AbCdEf"), arn("b/*"));
    assert_eq!(wanted.parameters["GrantedSecretArns"], expected);
    assert_ne!(wanted.hash, nothing.hash);
    environment.spec.grants = (0..4)
        .map(|n| grant((0..20).map(|m| arn(&format!("{n}-{m}"))).collect()))
        .collect();
    let refused = render(&environment, "c").unwrap_err();
    assert!(refused.message.contains("4096"), "{}", refused.message);
}

#[test]
fn the_execution_role_reads_the_parameters_that_are_granted_to_anybody_and_no_others() {
    let mut environment = environment();
    let statements = |environment: &Environment| {
        let wanted = render(environment, "c").unwrap();
        let template: Value = serde_json::from_str(&wanted.template).unwrap();
        let path = "/Resources/ExecutionRole/Properties/Policies/0/PolicyDocument/Statement";
        template.pointer(path).unwrap().as_array().unwrap().clone()
    };
    let before = statements(&environment);
    assert!(!before.is_empty());
    let grant = |parameters: &[&str]| privateservice_api::environment::Grant {
        namespaces: vec!["team-a".into()],
        parameters: parameters.iter().map(|name| (*name).to_owned()).collect(),
        ..Default::default()
    };
    environment.spec.grants = vec![grant(&["/team-b/*", "flag"]), grant(&["/flag"])];
    let mut after = statements(&environment);
    let arn = |path: &str| json!({"Fn::Sub": format!("arn:${{AWS::Partition}}:ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter/{path}")});
    let added = after.pop().unwrap();
    assert_eq!(added["Action"], "ssm:GetParameters");
    assert_eq!(added["Resource"], json!([arn("flag"), arn("team-b/*")]));
    assert_eq!(after, before);
}

#[test]
fn the_execution_role_reads_what_all_services_share() {
    let mut environment = environment();
    let before = render(&environment, "c").unwrap();
    let whole = "arn:aws:secretsmanager:eu-west-3:111122223333:secret:shared/sentry-AbCdEf";
    let shared = json!([
        {"name": "A", "value": "plain"},
        {"name": "B", "valueFrom": {"awsSecretRef": {"id": "shared/db", "key": "url"}}},
        {"name": "C", "valueFrom": {"awsSecretRef": {"id": "shared/db", "key": "user"}}},
        {"name": "D", "valueFrom": {"awsSecretRef": {"id": whole}}},
        {"name": "E", "valueFrom": {"ssmParameterRef": {"name": "/shared/flag"}}},
    ]);
    environment.spec.env = serde_json::from_value(shared).unwrap();
    environment.spec.grants = vec![privateservice_api::environment::Grant {
        namespaces: vec!["team-a".into()],
        parameters: vec!["/team-a/*".into()],
        ..Default::default()
    }];
    let wanted = render(&environment, "c").unwrap();
    assert_eq!(wanted.parameters, before.parameters);
    let template: Value = serde_json::from_str(&wanted.template).unwrap();
    let path = "/Resources/ExecutionRole/Properties/Policies/0/PolicyDocument/Statement";
    let statements = template.pointer(path).unwrap().as_array().unwrap();
    let of = |sid: &str| {
        let found: Vec<&Value> = statements.iter().filter(|one| one["Sid"] == sid).collect();
        assert_eq!(found.len(), 1, "{sid}");
        found[0]["Resource"].clone()
    };
    let own = "${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret";
    assert_eq!(
        of("ReadSharedSecrets"),
        json!([whole, {"Fn::Sub": format!("arn:{own}:shared/db-??????")}])
    );
    let ssm = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter";
    assert_eq!(
        of("ReadGrantedParameters"),
        json!([{"Fn::Sub": format!("{ssm}/shared/flag")}, {"Fn::Sub": format!("{ssm}/team-a/*")}])
    );
    // A value that is no secret changes nothing in the stack.
    environment.spec.env.truncate(1);
    environment.spec.grants.clear();
    assert_eq!(render(&environment, "c").unwrap(), before);
}
