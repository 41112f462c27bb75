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

    /// Writes a verdict that was reached without AWS; it answers every request for a fresh look.
    pub(super) async fn verdict(&self, verdict: &Verdict) -> anyhow::Result<()> {
        let generation = self.object.metadata.generation;
        let mut status =
            report::with_verdict(&self.previous(), verdict, generation, Timestamp::now());
        status.last_handled_reconcile_at =
            request::requested(self.object).or(status.last_handled_reconcile_at);
        self.write(status).await
    }

    /// Writes a problem.
    pub(super) async fn problem(&self, problem: &Problem) -> anyhow::Result<()> {
        self.verdict(&assess::assess_problem(problem)).await
    }
}
