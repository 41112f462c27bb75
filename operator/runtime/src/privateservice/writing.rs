//! Writing what a pass came to: status if it changed, Events for what changed in it.

use super::remembered::Remembered;
use crate::context::Context;
use crate::{events, status};
use k8s_openapi::jiff::Timestamp;
use kube::{Resource, ResourceExt};
use privateservice_api::{PrivateService, PrivateServiceStatus};
use privateservice_core::assess;
use privateservice_core::conditions::Verdict;
use privateservice_core::problem::Problem;
use privateservice_core::report;
use privateservice_core::resolve::Notice;
use privateservice_core::step::Outcome;

/// Writes for one object during one pass.
pub(super) struct Writer<'a> {
    ctx: &'a Context,
    object: &'a PrivateService,
}

impl<'a> Writer<'a> {
    pub(super) const fn new(ctx: &'a Context, object: &'a PrivateService) -> Self {
        Self { ctx, object }
    }

    /// The status to go on from.
    pub(super) fn previous(&self, remembered: &Remembered) -> PrivateServiceStatus {
        remembered.newest_status(
            self.object.metadata.resource_version.as_deref(),
            self.object.status.as_ref(),
        )
    }

    /// Writes a status if it differs from the last one, and the Events that the difference deserves.
    pub(super) async fn write(
        &self,
        remembered: &mut Remembered,
        status: PrivateServiceStatus,
    ) -> anyhow::Result<()> {
        let previous = self.previous(remembered);
        if previous == status {
            return Ok(());
        }
        let version =
            status::patch(&self.ctx.client, self.object, &status).await?;
        for event in events::transitions(&previous, &status) {
            self.ctx.events.publish(&self.object.object_ref(&()), event).await;
        }
        if let Some(version) = version.and_then(|version| version.parse().ok()) {
            remembered.written = Some((version, status));
        }
        Ok(())
    }

    /// Writes a verdict and nothing else.
    pub(super) async fn verdict(
        &self,
        remembered: &mut Remembered,
        verdict: &Verdict,
    ) -> anyhow::Result<()> {
        let status = report::with_verdict(
            &self.previous(remembered),
            verdict,
            self.object.metadata.generation,
            Timestamp::now(),
        );
        self.write(remembered, status).await
    }

    /// Writes a problem.
    pub(super) async fn problem(
        &self,
        remembered: &mut Remembered,
        problem: &Problem,
    ) -> anyhow::Result<()> {
        self.verdict(remembered, &assess::assess_problem(problem)).await
    }

    /// Warns of what is worth knowing although nothing is wrong, once for each generation.
    pub(super) async fn notices(&self, remembered: &mut Remembered, notices: &[Notice]) {
        if remembered.noticed == self.object.metadata.generation {
            return;
        }
        remembered.noticed = self.object.metadata.generation;
        for notice in notices {
            let event = events::Transition::warning(notice.reason, notice.message.clone());
            self.ctx.events.publish(&self.object.object_ref(&()), event).await;
        }
    }

    /// Tells what was done in AWS.
    pub(super) async fn outcomes(&self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            let event = match outcome {
                Outcome::ServiceCreated { arn } => {
                    events::Transition::normal("ServiceCreated", format!("created {arn}"))
                }
                Outcome::ServiceUpdated { .. } => events::Transition::normal(
                    "ServiceUpdated",
                    format!("updated the ECS service {}", self.object.name_any()),
                ),
                Outcome::DnsServiceCreated { .. }
                | Outcome::TaskDefinitionRegistered { .. }
                | Outcome::Tagged
                | Outcome::ServiceDeleted
                | Outcome::DnsServiceDeleted => continue,
            };
            self.ctx.events.publish(&self.object.object_ref(&()), event).await;
        }
    }
}
