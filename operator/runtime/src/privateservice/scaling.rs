//! The scaling of a living object, behind the plan of its service: planned, executed, judged and remembered. IO: its plan's own calls, the
//! demand for facts, and one write of status before the first call.

use super::execution::{self, Caller, Execution};
use super::next::{self, Next};
use super::remembered::Remembered;
use super::writing::Writer;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use privateservice_api::PrivateServiceStatus;
use privateservice_api::conditions::ConditionType;
use privateservice_core::conditions::{self, Verdict};
use privateservice_core::desired::Desired;
use privateservice_core::fact::Fact;
use privateservice_core::failure::Failure;
use privateservice_core::guard;
use privateservice_core::memory::Memory;
use privateservice_core::observed::{Observed, ServiceStatus};
use privateservice_core::plan::{Need, Plan};
use privateservice_core::scaling::{self, ScalingStep};
use privateservice_core::step::{Outcome, Step};
use std::time::Duration;

/// What a pass over the service itself has come to so far.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) desired: &'a Desired,
    /// AWS, as known at the beginning of the pass.
    pub(super) observed: &'a Observed,
    pub(super) memory: &'a Memory,
    pub(super) execution: &'a Execution,
}

/// What a pass over the scaling came to.
pub(super) struct Scaled {
    plan: Plan,
    outcomes: Vec<Outcome>,
    failure: Option<Failure>,
    /// Steps are held back, and for how long.
    futile: Option<SignedDuration>,
}

/// Plans and executes, unless the pass has changed the service already: then what is known of it is old, and the next pass goes on.
///
/// # Errors
/// Trouble with the Kubernetes API; then nothing was sent.
pub(super) async fn scale(
    caller: Caller<'_>,
    scene: Scene<'_>,
    remembered: &mut Remembered,
    previous: &mut PrivateServiceStatus,
    writer: &Writer<'_>,
    now: Timestamp,
) -> anyhow::Result<Scaled> {
    let Scene {
        desired,
        observed,
        memory,
        ..
    } = scene;
    let scope = &desired.scope;
    let schedules = scaling::schedule_names(desired, &memory.scaling);
    caller
        .account
        .inventory()
        .follow_schedules(scope, schedules);
    if observed.service.is_unknown() && observed.scaling.is_unknown() && memory.scaling.begun {
        // It will be needed as soon as the service is known: a restart reads that of many services together.
        let inventory = caller.account.inventory();
        inventory.demand(scope, &[Need::Scaling], caller.priority);
    }
    let mut plan = scaling::plan(desired, observed, memory, now);
    if let Err(violation) = guard::check(&plan, observed, &desired.owner) {
        tracing::error!(%violation, "a plan of scaling was dropped: this is a bug of the operator");
        plan = Plan::default();
    }
    let futile = hold_back(&mut plan, remembered, now);
    let mut scaled = Scaled {
        plan,
        outcomes: Vec::new(),
        failure: None,
        futile,
    };
    let ambiguous = matches!(scene.execution.failure, Some(Failure::Ambiguous { .. }));
    if scene.execution.outcomes.is_empty() && !ambiguous {
        let announced =
            scaling::announced(previous, desired, observed, &memory.scaling, &scaled.plan);
        if let Some(status) = announced {
            *previous = status;
            writer.write(previous.clone()).await?;
        }
        let execution = execution::execute(caller, &scaled.plan).await;
        for step in steps(&scaled.plan).take(execution.outcomes.len()) {
            remembered.repeats.made(step, now);
        }
        if !execution.outcomes.is_empty() {
            // AWS said that it did what it was asked; that it keeps it is for a look to tell.
            caller.account.inventory().verify_scaling(scope);
        }
        scaled.outcomes = execution.outcomes;
        scaled.failure = execution.failure;
    }
    next::want_facts(
        caller.account,
        scope,
        &scaled.plan,
        observed,
        caller.priority,
        now,
    );
    Ok(scaled)
}

/// Takes out of the plan what was made a moment ago and is due again; how long until it may be made, if there is any.
fn hold_back(
    plan: &mut Plan,
    remembered: &mut Remembered,
    now: Timestamp,
) -> Option<SignedDuration> {
    if !plan.waiting_on.is_empty() {
        return None;
    }
    remembered.repeats.seen(steps(plan), now);
    let due = plan.steps.len();
    let allowed = |step: &Step| match step {
        Step::Scaling(step) => remembered.repeats.allow(step, now),
        _ => true,
    };
    let registers = |step: &Step| matches!(step, Step::Scaling(step) if matches!(**step, ScalingStep::RegisterTarget { .. }));
    let target_held = plan
        .steps
        .iter()
        .any(|step| registers(step) && !allowed(step));
    // Without a target as it should be nothing else makes sense, but for tags.
    let about_tags = |step: &Step| match step {
        Step::Scaling(step) => step.is_about_tags(),
        _ => false,
    };
    plan.steps
        .retain(|step| allowed(step) && (!target_held || about_tags(step)));
    (plan.steps.len() < due).then(|| {
        let left = remembered.repeats.until_next(now);
        left.unwrap_or(SignedDuration::from_secs(1))
    })
}

fn steps(plan: &Plan) -> impl Iterator<Item = &ScalingStep> {
    plan.steps.iter().filter_map(|step| match step {
        Step::Scaling(step) => Some(step.as_ref()),
        _ => None,
    })
}

impl Scaled {
    /// The verdict on the whole object.
    pub(super) fn weigh(
        &self,
        caller: Caller<'_>,
        scene: Scene<'_>,
        previous: &PrivateServiceStatus,
        verdict: Verdict,
    ) -> Verdict {
        let desired = scene.desired;
        let service = match &scene.observed.service {
            Fact::Unknown => None,
            Fact::Absent { .. } => Some(false),
            Fact::Present { value, .. } => Some(
                value.status == ServiceStatus::Active
                    && value.owner().as_ref() == Some(&desired.owner),
            ),
        };
        let held_before = previous.conditions.iter().any(|condition| {
            condition.type_ == ConditionType::AutoscalingReady.as_str()
                && condition.status == "True"
        });
        let read_failure = caller.account.inventory().scaling_failure(&desired.scope);
        let standing = scaling::standing(&scaling::Pass {
            desired,
            plan: &self.plan,
            service,
            executed: self.outcomes.len(),
            futile: self.futile.is_some(),
            failure: self.failure.as_ref(),
            read_failure: read_failure.as_ref(),
            unsupported: scene.observed.scaling_unsupported,
            held_before,
        });
        standing.weigh(verdict, conditions::is_ready(&previous.conditions))
    }

    /// What status shows and remembers of it.
    pub(super) fn report(
        &self,
        scene: Scene<'_>,
        after: &Observed,
        previous: &PrivateServiceStatus,
        status: &mut PrivateServiceStatus,
    ) {
        status.autoscaling = scaling::remember(
            previous,
            scene.desired,
            scene.observed,
            after,
            &scene.memory.scaling,
            &self.plan,
            &self.outcomes,
        );
        if let Some(effective) = &mut status.effective {
            effective.scaling = Some(scaling::effective(&scene.desired.scaling, scene.observed));
        }
    }

    /// True if a call succeeded.
    pub(super) const fn has_changed_something(&self) -> bool {
        !self.outcomes.is_empty()
    }

    /// True if nothing is to be done or waited for.
    pub(super) fn is_settled(&self) -> bool {
        self.plan.is_settled() && self.futile.is_none()
    }

    /// When to look again, given when the service itself is looked at again.
    pub(super) fn next(
        &self,
        service: Next,
        observed: &Observed,
        remembered: &mut Remembered,
        now: Timestamp,
    ) -> Next {
        let timers = next::Timers::default();
        let mine = next::next(
            &self.plan,
            self.failure.as_ref(),
            observed,
            remembered,
            &timers,
            now,
        );
        let held = self
            .futile
            .and_then(|left| Duration::try_from(left).ok())
            .map_or(Next::AwaitChange, |left| {
                Next::After(left + Duration::from_secs(1))
            });
        service.sooner(mine).sooner(held)
    }
}
