//! The signs of a failed rollout that DescribeServices alone shows. Pure. They must do where service deployments cannot be read.

use super::Judgement;
use super::scene::Scene;
use crate::hash::Hash;
use crate::observed::{EcsDeployment, RolloutState};
use crate::service::{Member, MemberHashes};
use privateservice_api::privateservice::{EndedBy, RolloutPhase};

impl Scene<'_> {
    /// The signs of a failure of what was sent, or of what is wanted.
    pub(super) fn by_service(&self) -> Option<Judgement> {
        // A service deployment that is known tells more: if it is not that of our rollout, somebody replaced ours, and nothing failed.
        if self.newest.is_some() && self.rollout.is_some() {
            return None;
        }
        let primary = self.primary;
        let ours = self.rollout.and_then(|rollout| rollout.id.as_deref());
        let sent = self.sent();
        if primary.rollout_state == Some(RolloutState::Failed)
            && ours.is_none_or(|ours| ours == primary.id)
            && self.runs(primary, &sent)
        {
            // Somebody else's deployment that fails is a difference to mend, not a verdict on ours.
            return Some(self.failed(
                RolloutPhase::Failed,
                Some(primary),
                words(primary),
                self.identity_of_rollout(),
            ));
        }
        let wanted = self.desired.members();
        let failed = self.service.deployments.iter().find(|deployment| {
            let is_ours = ours == Some(deployment.id.as_str());
            // Ours by content, where the answer that named its id was lost: it runs what is wanted, and what serves does not.
            let by_content = self.runs(deployment, &wanted) && !self.runs(primary, &wanted);
            !deployment.primary
                && deployment.rollout_state == Some(RolloutState::Failed)
                && (is_ours || by_content)
        });
        let Some(failed) = failed else {
            return self.gone_back(&sent);
        };
        let phase = self.way_back();
        let identity = if ours == Some(failed.id.as_str()) {
            self.identity_of_rollout()
        } else {
            self.desired.rollout_identity()
        };
        Some(self.failed(phase, Some(failed), words(failed), identity))
    }

    /// ECS shows a failed deployment only until its tasks have stopped. If what was being rolled out is gone before it was complete, and
    /// something newer that we did not send runs other content, somebody went back: the circuit breaker, or a person.
    fn gone_back(&self, sent: &MemberHashes) -> Option<Judgement> {
        let rollout = self.rollout?;
        let ours = rollout.id.as_ref()?;
        let unfinished = matches!(
            rollout.phase,
            Some(RolloutPhase::Progressing | RolloutPhase::RollingBack)
        );
        let primary = self.primary;
        let newer = primary.id != *ours && self.memory.replaced.as_ref() != Some(&primary.id);
        let went_back = says_rolling_back(primary);
        if !unfinished || !newer || (self.runs(primary, sent) && !went_back) {
            return None;
        }
        let phase = self.way_back();
        let message = primary
            .rollout_reason
            .clone()
            .filter(|_| went_back)
            .or_else(|| rollout.reason.clone())
            .unwrap_or_else(|| "ECS went back to the version before it was complete".to_owned());
        let mut judgement = self.failed(phase, None, message, self.identity_of_rollout());
        judgement.id = Some(ours.clone());
        Some(judgement)
    }

    /// How far the way back is, by the deployment that serves instead.
    fn way_back(&self) -> RolloutPhase {
        match self.primary.rollout_state {
            Some(RolloutState::Completed) => RolloutPhase::RolledBack,
            Some(RolloutState::Failed) => RolloutPhase::Failed,
            Some(RolloutState::InProgress) | None => RolloutPhase::RollingBack,
        }
    }

    fn failed(
        &self,
        phase: RolloutPhase,
        deployment: Option<&EcsDeployment>,
        message: String,
        identity: Hash,
    ) -> Judgement {
        Judgement {
            phase,
            id: deployment.map(|deployment| deployment.id.clone()),
            ended_by: self
                .rollout
                .and_then(|rollout| rollout.ended_by)
                .or_else(|| self.ended_by(&message)),
            message,
            failed: Some(identity),
            // It is another deployment than ours that failed: the one by which ECS went back.
            rollback_failed: phase == RolloutPhase::Failed
                && deployment.is_none_or(|deployment| !deployment.primary),
            ..Judgement::default()
        }
    }

    /// What ended it, by AWS's words where there are some, else by tasks that had failed. A guess at people would be no better than silence.
    fn ended_by(&self, message: &str) -> Option<EndedBy> {
        let failed_tasks = self
            .rollout
            .and_then(|rollout| rollout.tasks)
            .map_or(0, |tasks| tasks.failed);
        match ended_by_words(message) {
            EndedBy::Stopped if message.to_lowercase().contains("stopped") => {
                Some(EndedBy::Stopped)
            }
            EndedBy::Stopped => (failed_tasks > 0).then_some(EndedBy::CircuitBreaker),
            told => Some(told),
        }
    }

    /// What was sent last; a status that is lost is as good as the present spec.
    fn sent(&self) -> MemberHashes {
        self.memory
            .applied
            .as_ref()
            .map_or_else(|| self.desired.members(), |applied| applied.members.clone())
    }

    /// True if a deployment runs the task definition content in `members`.
    fn runs(&self, deployment: &EcsDeployment, members: &MemberHashes) -> bool {
        self.observed
            .revisions
            .get(&deployment.task_definition)
            .and_then(|revision| revision.hash.as_ref())
            .is_some_and(|hash| members.get(&Member::TaskDefinition) == Some(hash))
    }
}

/// True if ECS says of a deployment that it is one by which it goes back.
pub(super) fn says_rolling_back(deployment: &EcsDeployment) -> bool {
    deployment
        .rollout_reason
        .as_ref()
        .is_some_and(|reason| reason.contains("rolling back"))
}

fn words(deployment: &EcsDeployment) -> String {
    deployment
        .rollout_reason
        .clone()
        .unwrap_or_else(|| "ECS gave no reason".to_owned())
}

/// What ended a deployment, where only AWS's words tell.
pub(super) fn ended_by_words(words: &str) -> EndedBy {
    let words = words.to_lowercase();
    if words.contains("circuit breaker") || words.contains("failed to start") {
        EndedBy::CircuitBreaker
    } else if words.contains("alarm") {
        EndedBy::Alarm
    } else {
        EndedBy::Stopped
    }
}
