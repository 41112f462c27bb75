//! The stack's life as a whole; the parts have tests beside them.

mod deleting;
mod rendering;
mod states;
mod way;

use super::*;
use crate::problem::Problem;
use privateservice_api::environment::{EnvironmentNetwork, EnvironmentSpec, StackAttempt};
use std::collections::BTreeMap;

const ID: &str = "arn:aws:cloudformation:eu-west-3:111122223333:stack/privateservice-pre-prod/1";
const NAME: &str = "privateservice-pre-prod";

fn environment() -> Environment {
    let mut environment = Environment::new(
        "pre-prod",
        EnvironmentSpec {
            region: "eu-west-3".into(),
            namespace: "shop.internal".into(),
            network: EnvironmentNetwork {
                vpc_id: "vpc-7".into(),
                ..EnvironmentNetwork::default()
            },
            ..EnvironmentSpec::default()
        },
    );
    environment.metadata.generation = Some(1);
    environment
}

fn wanted() -> Wanted {
    render(&environment(), "cluster-uid").unwrap()
}

fn outputs() -> Outputs {
    Outputs {
        cluster_arn: Some("cluster".into()),
        ..Outputs::default()
    }
}

/// A stack of ours in that state.
fn stack(status: &str) -> Stack {
    Stack {
        id: ID.into(),
        status: StackStatus::of(status),
        reason: None,
        updated: "100".into(),
        tags: wanted().tags,
        outputs: outputs(),
    }
}

fn known(status: &str) -> Known {
    Known {
        stack: Some(stack(status)),
        ..Known::default()
    }
}

fn change_set(status: ChangeSetStatus, execution: Execution) -> ChangeSet {
    ChangeSet {
        status,
        execution,
        reason: None,
        tags: wanted().tags,
        changes: vec![],
    }
}

/// A change set that could run and replaces the cluster.
fn replacing() -> ChangeSet {
    ChangeSet {
        changes: vec![Change {
            resource: "Cluster".into(),
            kind: "AWS::ECS::Cluster".into(),
            action: "Modify".into(),
            replacement: Some("True".into()),
            properties: vec!["ClusterName".into()],
        }],
        ..change_set(ChangeSetStatus::Created, Execution::Available)
    }
}

/// What is asked of `decide`.
#[derive(Default)]
struct Asked {
    memory: Memory,
    existing: Existing,
    retry: Option<&'static str>,
    approve: Option<String>,
}

impl Asked {
    fn decide(&self, known: &Known) -> Next {
        decide(
            &Ask {
                wanted: &wanted(),
                existing: &self.existing,
                memory: &self.memory,
                retry: self.retry,
                approve: self.approve.as_deref(),
            },
            known,
        )
    }

    /// Follows the decisions to the execution of a change set that looks like `found`.
    fn attempt(&self, known: &Known, found: &ChangeSet) -> StackAttempt {
        let mut known = known.clone();
        known.change_set = Lookup::Found(found.clone());
        match self.decide(&known) {
            Next::Step(Step::Execute { attempt }) => attempt,
            other => panic!("{other:?}"),
        }
    }
}

fn problem(next: Next) -> Problem {
    match next {
        Next::Stuck { problem, .. } | Next::WentBack { problem, .. } => problem,
        other => panic!("{other:?}"),
    }
}

fn because(mut known: Known) -> Known {
    known.failure = Lookup::Found("TaskRole (AWS::IAM::Role): denied".into());
    known
}
