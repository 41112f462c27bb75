//! CloudFormation's answers, as facts and failures. A real life of a stack is in the end-to-end tests; states that are hard to reach
//! are here.

use crate::world::{World, edit};
use aws_sim::{Fault, FaultKind};
use privateservice_api::conditions::Reason;
use privateservice_core::failure::Failure;
use privateservice_core::foundation::{
    ChangeSetKind, ChangeSetStatus, Execution, StackStatus, Wanted,
};
use privateservice_core::hash::Hash;
use std::collections::BTreeMap;

const NAME: &str = "privateservice-staging";

fn result(action: &str, inner: &str) -> String {
    format!(
        "<{action}Response xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><{action}Result>{inner}</{action}Result>\
         </{action}Response>"
    )
}

fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId>\
         </ErrorResponse>"
    )
}

fn stack(status: &str, times: &str) -> String {
    let stack = format!(
        "<Stacks><member><StackName>{NAME}</StackName><StackId>arn:stack</StackId><StackStatus>{status}</StackStatus>{times}\
         <Tags><member><Key>flexstack.dev/owner</Key><Value>c//staging</Value></member></Tags>\
         <Outputs><member><OutputKey>ClusterArn</OutputKey><OutputValue>arn:cluster</OutputValue></member></Outputs>\
         </member></Stacks>"
    );
    result("DescribeStacks", &stack)
}

const MADE: &str = "<CreationTime>2026-01-01T00:00:00.250Z</CreationTime>";
const CHANGED: &str = "<LastUpdatedTime>2026-01-02T00:00:00Z</LastUpdatedTime>";

#[tokio::test]
async fn every_state_of_a_stack_is_read() {
    let world = World::new().await;
    let account = &world.link.account;
    for (word, status) in [
        ("REVIEW_IN_PROGRESS", StackStatus::Review),
        ("ROLLBACK_COMPLETE", StackStatus::CreateFailed),
        ("UPDATE_ROLLBACK_FAILED", StackStatus::UpdateRollbackFailed),
        ("DELETE_FAILED", StackStatus::DeleteFailed),
        ("UPDATE_ROLLBACK_COMPLETE", StackStatus::UpdateRolledBack),
        (
            "FROM_THE_FUTURE",
            StackStatus::Other("FROM_THE_FUTURE".into()),
        ),
    ] {
        let xml = stack(word, MADE);
        world.cloud_map.on_form("DescribeStacks", 200, &xml);
        let found = account.stack(NAME, edit()).await.unwrap().unwrap();
        assert_eq!(found.status, status);
        assert_eq!(found.tags["flexstack.dev/owner"], "c//staging");
        assert_eq!(found.outputs.cluster_arn.as_deref(), Some("arn:cluster"));
    }
}

#[tokio::test]
async fn a_stack_is_as_old_as_its_last_change() {
    let world = World::new().await;
    let account = &world.link.account;
    let mut ages = vec![];
    for times in [MADE.to_owned(), format!("{MADE}{CHANGED}")] {
        let xml = stack("UPDATE_COMPLETE", &times);
        world.cloud_map.on_form("DescribeStacks", 200, &xml);
        let found = account.stack(NAME, edit()).await.unwrap().unwrap();
        ages.push(found.updated);
    }
    assert_eq!(ages, ["1767225600.250000000", "1767312000.000000000"]);
}

#[tokio::test]
async fn what_is_not_there_is_told_from_what_is_refused() {
    let world = World::new().await;
    let account = &world.link.account;
    let missing = error(
        "ValidationError",
        "Stack with id privateservice-staging does not exist",
    );
    world.cloud_map.on_form("DescribeStacks", 400, &missing);
    assert_eq!(account.stack(NAME, edit()).await, Ok(None));
    let missing = error("ChangeSetNotFound", "ChangeSet [a] does not exist");
    world.cloud_map.on_form("DescribeChangeSet", 404, &missing);
    assert_eq!(account.change_set(NAME, "a", edit()).await, Ok(None));
    let refused = error("ValidationError", "1 validation error detected");
    world.cloud_map.on_form("DescribeStacks", 400, &refused);
    let failure = account.stack(NAME, edit()).await.unwrap_err();
    assert!(matches!(failure, Failure::Refused { .. }), "{failure:?}");
    world.sim.fault(Fault::always("*", FaultKind::AccessDenied));
    let denied = account.stack(NAME, edit()).await.unwrap_err();
    assert_eq!(denied.reason(), Reason::AccessDenied);
}

#[tokio::test]
async fn a_change_set_is_read_with_what_it_replaces() {
    let world = World::new().await;
    let inner = "<Status>CREATE_COMPLETE</Status><ExecutionStatus>AVAILABLE</ExecutionStatus><Changes><member><Type>Resource</Type>\
        <ResourceChange><Action>Modify</Action><LogicalResourceId>Cluster</LogicalResourceId>\
        <ResourceType>AWS::ECS::Cluster</ResourceType><Replacement>True</Replacement><Details>\
        <member><Target><Attribute>Properties</Attribute><Name>ClusterName</Name></Target></member>\
        <member><Target><Attribute>Tags</Attribute></Target></member>\
        </Details></ResourceChange></member></Changes>";
    let xml = result("DescribeChangeSet", inner);
    world.cloud_map.on_form("DescribeChangeSet", 200, &xml);
    let account = &world.link.account;
    let found = account
        .change_set(NAME, "a", edit())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.status, found.execution),
        (ChangeSetStatus::Created, Execution::Available)
    );
    let change = &found.changes[0];
    assert_eq!(change.replacement.as_deref(), Some("True"));
    assert_eq!(change.properties, ["ClusterName", "Tags"]);
}

#[tokio::test]
async fn the_cause_of_a_failure_is_read_from_the_events() {
    let world = World::new().await;
    let event = |resource: &str, kind: &str, status: &str, reason: &str| {
        format!(
            "<member><LogicalResourceId>{resource}</LogicalResourceId><ResourceType>{kind}</ResourceType>\
             <ResourceStatus>{status}</ResourceStatus><ResourceStatusReason>{reason}</ResourceStatusReason></member>"
        )
    };
    let reason =
        "in use (Service: Ecs, Status Code: 400, Request ID: 5e1e8a4c-1b1f-4d53-9a38-0d6d2f5d0c11)";
    let events = [
        event("Cluster", "AWS::ECS::Cluster", "DELETE_FAILED", reason),
        event(NAME, "AWS::CloudFormation::Stack", "DELETE_IN_PROGRESS", ""),
    ];
    let inner = format!("<StackEvents>{}</StackEvents>", events.concat());
    let xml = result("DescribeStackEvents", &inner);
    world.cloud_map.on_form("DescribeStackEvents", 200, &xml);
    let cause = world.link.account.stack_failure(NAME, edit()).await;
    assert_eq!(
        cause.unwrap().as_deref(),
        Some("Cluster (AWS::ECS::Cluster): in use"),
        "without what differs from call to call"
    );
}

#[tokio::test]
async fn a_change_set_of_that_name_is_a_conflict_and_a_stack_at_work_is_waited_for() {
    let world = World::new().await;
    let account = &world.link.account;
    let wanted = Wanted {
        stack: NAME.into(),
        template: "{}".into(),
        parameters: BTreeMap::new(),
        tags: BTreeMap::new(),
        role_arn: None,
        hash: Hash::of_text("a"),
    };
    let there = error("AlreadyExistsException", "ChangeSet a cannot be created");
    world.cloud_map.on_form("CreateChangeSet", 400, &there);
    let create = account.create_change_set(&wanted, "a", ChangeSetKind::Update, edit());
    let failure = create.await.unwrap_err();
    assert!(matches!(failure, Failure::Conflict { .. }), "{failure:?}");
    let busy = error(
        "ValidationError",
        "Stack:arn is in UPDATE_IN_PROGRESS state and can not be updated.",
    );
    world.cloud_map.on_form("ExecuteChangeSet", 400, &busy);
    let run = account.execute_change_set(NAME, "a", "token", edit());
    let failure = run.await.unwrap_err();
    assert!(matches!(failure, Failure::NotYet { .. }), "{failure:?}");
}
