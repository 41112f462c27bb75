//! Rules on an Environment, new and changed.

use super::{ACCEPTED, Case, Kind, check, check_changes};

const BASE: &str = "
type: staging
region: us-east-1
namespace: flexstack.internal
network: {vpcId: vpc-1, subnetIds: [subnet-a, subnet-b]}
existing:
  clusterArn: arn:aws:ecs:us-east-1:111122223333:cluster/flexstack
  namespaceArn: arn:aws:servicediscovery:us-east-1:111122223333:namespace/ns-a1
  securityGroupIds: [sg-1]
  executionRoleArn: arn:aws:iam::111122223333:role/execution
  logGroupName: /flexstack/staging
";

#[tokio::test]
async fn new() {
    let elsewhere: &[&str] = &["must be in region us-east-1: write ARNs of that region"];
    let cases: &[Case<'_>] = &[
        ("", ACCEPTED),
        (
            "{accountId: '111122223333', allowedNamespaces: {}, tags: {a: b}}",
            ACCEPTED,
        ),
        ("allowedNamespaces: {matchLabels: {team: a}}", ACCEPTED),
        ("env: [{name: A, value: b}]", ACCEPTED),
        (
            "env: [{name: A}]",
            &["spec.env[0]", "write exactly one of value and valueFrom"],
        ),
        (
            "env: [{name: A, value: b}, {name: A, value: c}]",
            &["spec.env[1]: Duplicate value"],
        ),
        (
            "type: test",
            &["supported values: \"development\", \"staging\", \"production\""],
        ),
        ("type: null", &["spec.type: Required value"]),
        ("region: virginia", &["spec.region", "should match"]),
        (
            "accountId: 111122223333",
            &["spec.accountId", "must be of type string"],
        ),
        ("accountId: '1111'", &["spec.accountId", "should match"]),
        (
            "namespace: Flexstack_internal",
            &["spec.namespace", "should match"],
        ),
        (
            "network: {vpcId: my-vpc}",
            &["spec.network.vpcId", "should match"],
        ),
        (
            "network: {vpcId: null}",
            &["spec.network.vpcId: Required value"],
        ),
        (
            "network: {subnetIds: []}",
            &["spec.network.subnetIds", "at least 1"],
        ),
        (
            "network: {subnetIds: [subnet-a, subnet-a]}",
            &["spec.network.subnetIds[1]: Duplicate value"],
        ),
        (
            "existing: {securityGroupIds: [sg-1, sg-2, sg-3, sg-4, sg-5, sg-6]}",
            &["must have at most 5 items"],
        ),
        (
            "existing: {taskRoleArn: 'arn:aws-cn:iam::111122223333:role/path/task'}",
            ACCEPTED,
        ),
        (
            "existing: {taskRoleArn: task}",
            &["spec.existing.taskRoleArn", "should match"],
        ),
        (
            "existing: {clusterArn: flexstack}",
            &["spec.existing.clusterArn", "should match"],
        ),
        (
            "existing: {clusterArn: 'arn:aws:ecs:eu-west-1:111122223333:cluster/a'}",
            elsewhere,
        ),
        (
            "existing: {namespaceArn: 'arn:aws:servicediscovery:us-east-11:111122223333:namespace/ns-a'}",
            elsewhere,
        ),
        ("existing: null", ACCEPTED),
        (
            "rollout: {maxConcurrent: 100, stopAfterFailures: 0}",
            ACCEPTED,
        ),
        (
            "rollout: {maxConcurrent: 0}",
            &["spec.rollout.maxConcurrent", "greater than or equal to 1"],
        ),
        (
            "rollout: {stopAfterFailures: 101}",
            &[
                "spec.rollout.stopAfterFailures",
                "less than or equal to 100",
            ],
        ),
        ("existing: {clusterArn: null}", ACCEPTED),
        (
            "existing: {eventQueueUrl: 'https://sqs.us-east-1.amazonaws.com/111122223333/events'}",
            ACCEPTED,
        ),
        (
            "{existing: {securityGroupIds: null}, network: {allowFrom: [sg-9, 10.0.0.0/8]}}",
            ACCEPTED,
        ),
        (
            "network: {allowFrom: [sg-9]}",
            &["network.allowFrom is for groups that the operator makes"],
        ),
        (
            "{existing: null, network: {allowFrom: [lambda]}}",
            &["spec.network.allowFrom[0]", "should match"],
        ),
        (
            "{existing: null, network: {allowFrom: [sg-9, sg-9]}}",
            &["spec.network.allowFrom[1]: Duplicate value"],
        ),
        ("logging: {retentionDays: 14}", ACCEPTED),
        (
            "logging: {retentionDays: 15}",
            &[
                "spec.logging.retentionDays",
                "as CloudWatch Logs takes them",
            ],
        ),
        (
            "foundation: {cloudFormationRoleArn: 'arn:aws:iam::111122223333:role/cfn', approve: privateservice-1}",
            ACCEPTED,
        ),
        (
            "foundation: {kmsKeyArn: alias/logs}",
            &["spec.foundation.kmsKeyArn", "should match"],
        ),
        ("deletionPolicy: Delete", ACCEPTED),
        (
            "deletionPolicy: Keep",
            &["supported values: \"Delete\", \"Retain\""],
        ),
        (
            "tags: {flexstack.dev/owner: me}",
            &["must not start with flexstack.dev/ or aws:"],
        ),
    ];
    check(Kind::Environment, BASE, cases).await;
}

#[tokio::test]
async fn shared_variables() {
    let cases: &[Case<'_>] = &[
        ("env: [{name: A, value: b}]", ACCEPTED),
        ("env: [{name: A, value: ''}]", ACCEPTED),
        (
            "env: [{name: A, valueFrom: {awsSecretRef: {id: shared/db, key: url}}}, \
             {name: B, valueFrom: {ssmParameterRef: {name: /shared/flag}}}]",
            ACCEPTED,
        ),
        (
            "env: [{name: A}]",
            &["spec.env[0]", "write exactly one of value and valueFrom"],
        ),
        (
            "env: [{name: A, value: b, valueFrom: {ssmParameterRef: {name: flag}}}]",
            &["write exactly one of value and valueFrom"],
        ),
        (
            "env: [{name: A, valueFrom: {}}]",
            &["valueFrom takes exactly one source"],
        ),
        (
            "env: [{name: A, valueFrom: {secretKeyRef: {name: db, key: url}}}]",
            &["valueFrom takes exactly one source: write valueFrom: {awsSecretRef: "],
        ),
        (
            "env: [{name: A, valueFrom: {awsSecretRef: {id: 'a:b'}}}]",
            &["awsSecretRef.id", "write the name of a secret"],
        ),
    ];
    check(Kind::Environment, BASE, cases).await;
}

#[tokio::test]
async fn grants() {
    let cases: &[Case<'_>] = &[
        ("grants: []", ACCEPTED),
        ("grants: [{namespaces: [team-a]}]", ACCEPTED),
        (
            "grants: [{namespaces: [team-a, team-b], \
             secrets: ['arn:aws:secretsmanager:us-east-1:111122223333:secret:team/*', \
             'arn:aws:secretsmanager:us-east-1:111122223333:secret:*'], \
             taskRoles: ['arn:aws:iam::111122223333:role/orders', 'arn:aws:iam::111122223333:role/team/*'], \
             parameters: [/team-a/*, flag, '*', /team-a/db*], \
             securityGroups: [sg-1]}, {namespaces: [team-a]}]",
            ACCEPTED,
        ),
        (
            "grants: [{namespaces: [a], parameters: ['/team/*/flag']}]",
            &["spec.grants[0].parameters[0]", "should match"],
        ),
        (
            "grants: [{securityGroups: [sg-1]}]",
            &["spec.grants[0].namespaces: Required value"],
        ),
        (
            "grants: [{namespaces: []}]",
            &["spec.grants[0].namespaces", "at least 1 items"],
        ),
        (
            "grants: [{namespaces: ['*']}]",
            &["spec.grants[0].namespaces[0]", "should match"],
        ),
        (
            "grants: [{namespaces: [a], securityGroups: ['*']}]",
            &["spec.grants[0].securityGroups[0]", "should match"],
        ),
        (
            "grants: [{namespaces: [a], securityGroups: [sg-1, sg-1]}]",
            &["spec.grants[0].securityGroups[1]: Duplicate value"],
        ),
        (
            "grants: [{namespaces: [a], taskRoles: ['*']}]",
            &["spec.grants[0].taskRoles[0]", "should match"],
        ),
        (
            "grants: [{namespaces: [a], taskRoles: ['arn:aws:iam::*:role/orders']}]",
            &["spec.grants[0].taskRoles[0]", "should match"],
        ),
        (
            "grants: [{namespaces: [a], taskRoles: ['arn:aws:iam::111122223333:role/*/orders']}]",
            &["spec.grants[0].taskRoles[0]", "should match"],
        ),
        (
            "grants: [{namespaces: [a], secrets: ['team/*']}]",
            &["spec.grants[0].secrets[0]", "should match"],
        ),
        (
            "grants: [{namespaces: [a], secrets: ['arn:aws:secretsmanager:us-east-1:111122223333:secret:a,b']}]",
            &["spec.grants[0].secrets[0]", "should match"],
        ),
    ];
    check(Kind::Environment, BASE, cases).await;
}

#[tokio::test]
async fn what_identifies_the_place_stays() {
    let other_region = "{region: eu-west-1, existing: {\
        clusterArn: 'arn:aws:ecs:eu-west-1:111122223333:cluster/flexstack', \
        namespaceArn: 'arn:aws:servicediscovery:eu-west-1:111122223333:namespace/ns-a1'}}";
    let immutable: &[&str] = &["the field is immutable: create another Environment"];
    let existing: &[&str] = &["existing.clusterArn and existing.namespaceArn are immutable"];
    let account: &[&str] = &["spec.accountId", "accountId may be set once"];
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "",
            "{type: production, network: {subnetIds: [subnet-c], assignPublicIp: true}}",
            ACCEPTED,
        ),
        (
            "",
            "existing: {securityGroupIds: [sg-2], logGroupName: other}",
            ACCEPTED,
        ),
        ("", "accountId: '111122223333'", ACCEPTED),
        (
            "accountId: '111122223333'",
            "accountId: '111122223333'",
            ACCEPTED,
        ),
        (
            "accountId: '111122223333'",
            "accountId: '444455556666'",
            account,
        ),
        ("accountId: '111122223333'", "", account),
        ("", other_region, immutable),
        ("", "namespace: other.internal", immutable),
        ("", "network: {vpcId: vpc-2}", immutable),
        (
            "",
            "existing: {clusterArn: 'arn:aws:ecs:us-east-1:111122223333:cluster/other'}",
            existing,
        ),
        ("", "existing: {clusterArn: null}", existing),
        ("existing: {namespaceArn: null}", "", existing),
        ("existing: null", "existing: null", ACCEPTED),
        (
            "",
            "existing: {namespaceArn: 'arn:aws:servicediscovery:us-east-1:111122223333:namespace/ns-b2'}",
            existing,
        ),
    ];
    check_changes(Kind::Environment, BASE, cases).await;
}
