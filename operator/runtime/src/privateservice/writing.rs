//! Writing what a pass came to: status if it changed, and Events for what changed in it.

use super::request;
use crate::context::Context;
use crate::events;
use crate::kind::Kind;
use k8s_openapi::jiff::Timestamp;
use privateservice_api::{PrivateService, PrivateServiceStatus};
use privateservice_core::assess;
use privateservice_core::conditions::Verdict;
use privateservice_core::problem::Problem;
use privateservice_core::report;

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
    pub(super) fn previous(&self) -> PrivateServiceStatus {
        self.ctx.service_statuses.current(self.object)
    }

    /// Writes a status if it differs from the last one, and the Events that the difference deserves.
    pub(super) async fn write(&self, status: PrivateServiceStatus) -> anyhow::Result<()> {
        let previous = self.previous();
        if self
            .ctx
            .service_statuses
            .write(self.object, &status)
            .await?
        {
            self.ctx.metrics.status_written(PrivateService::NAME);
            for event in events::transition_events(&previous, &status) {
                self.ctx.events.publish(self.object, event);
            }
        }
        Ok(())
    }

    /// Writes a verdict and nothing else.
    pub(super) async fn verdict(&self, verdict: &Verdict) -> anyhow::Result<()> {
        let generation = self.object.metadata.generation;
        let now = Timestamp::now();
        self.write(report::with_verdict(
            &self.previous(),
            verdict,
            generation,
            now,
        ))
        .await
    }

    /// Writes a problem. Nothing of AWS is to be read for an object that has one, so that every request is answered by it.
    pub(super) async fn problem(&self, problem: &Problem) -> anyhow::Result<()> {
        let generation = self.object.metadata.generation;
        let verdict = assess::assess_problem(problem);
        let mut status =
            report::with_verdict(&self.previous(), &verdict, generation, Timestamp::now());
        status.last_handled_reconcile_at =
            request::requested(self.object).or(status.last_handled_reconcile_at);
        self.write(status).await
    }
}
