//! What AWS shows during and after rollouts, and what is made of it.

mod by_deployment;
mod by_service;

use super::*;
use crate::fact::Fact;
use crate::fixtures::{apply, at, completed, empty, memory, resolved};
use crate::memory::Applied;
use crate::observed::{EcsDeployment, RolloutState};
use crate::plan::plan;

pub(super) const ONE: &str = "{source: {image: {name: 'redis:1'}}}";
pub(super) const TWO: &str = "{source: {image: {name: 'redis:2'}}}";

pub(super) fn desired(spec: &str) -> Desired {
    resolved(spec).desired
}

/// AWS after spec ONE was rolled out and TWO was sent: revisions 1 and 2 are known, 2 is the PRIMARY deployment `d2`.
pub(super) fn two_sent() -> (Observed, Memory) {
    let mut observed = empty();
    for step in plan(&desired(ONE), &observed, &memory()).steps {
        apply(&mut observed, &step, 1);
    }
    for step in plan(&desired(TWO), &observed, &memory()).steps {
        apply(&mut observed, &step, 2);
    }
    let applied = Applied {
        own: None,
        intent: desired(TWO).intent,
        members: desired(TWO).members(),
    };
    (
        observed,
        Memory {
            applied: Some(applied),
            existed: true,
            ..memory()
        },
    )
}

pub(super) fn revision(observed: &Observed, number: usize) -> String {
    observed.revisions.keys().nth(number - 1).unwrap().clone()
}

pub(super) fn deployment(id: &str, task_definition: &str, state: RolloutState) -> EcsDeployment {
    EcsDeployment {
        rollout_state: Some(state),
        ..completed(id, task_definition)
    }
}

/// Shows these deployments, the first as PRIMARY.
pub(super) fn show(observed: &mut Observed, mut deployments: Vec<EcsDeployment>) {
    let Fact::Present { value: service, .. } = &mut observed.service else {
        panic!()
    };
    for (index, deployment) in deployments.iter_mut().enumerate() {
        deployment.primary = index == 0;
    }
    service
        .task_definition
        .clone_from(&deployments[0].task_definition);
    service.deployments = deployments;
}

/// Judges with what status remembers of the newest rollout.
pub(super) fn judged(
    desired: &Desired,
    observed: &Observed,
    memory: &Memory,
    rollout: Option<&RolloutStatus>,
) -> Option<Judgement> {
    let mut memory = memory.clone();
    memory.rollout = rollout.cloned();
    follow(desired, observed, &mut memory);
    judge(desired, observed, &memory)
}

pub(super) fn ours(id: &str, failed: Option<&Hash>) -> RolloutStatus {
    RolloutStatus {
        id: Some(id.into()),
        phase: Some(RolloutPhase::Progressing),
        failed_hash: failed.map(|hash| hash.0.clone()),
        ..RolloutStatus::default()
    }
}
