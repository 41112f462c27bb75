//! The service scheduler's arithmetic. In: the tasks of a service that are not stopping, and the
//! service's limits. Out: how many tasks to start and which to stop. Pure. Invariants: it never
//! starts above `floor(desired * maximum)`, and what it stops never takes the number of healthy
//! tasks below `ceil(desired * minimum)`.

/// What the scheduler knows of a task that is not stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// On its way to RUNNING, or RUNNING and not yet counted as healthy.
    Starting,
    /// Counted as healthy.
    Healthy,
    /// Its health check failed.
    Unhealthy,
}

/// One task as the scheduler sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskView {
    /// Whether it belongs to the PRIMARY deployment.
    pub primary: bool,
    /// Its health.
    pub phase: Phase,
}

/// The limits of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tasks wanted.
    pub desired: u32,
    /// `minimumHealthyPercent`.
    pub minimum_percent: u32,
    /// `maximumPercent`.
    pub maximum_percent: u32,
}

impl Limits {
    /// Healthy tasks to keep: rounded up (ECS API reference, DeploymentConfiguration).
    pub fn lower(self) -> usize {
        (self.desired as usize * self.minimum_percent as usize).div_ceil(100)
    }

    /// Tasks allowed at once: rounded down (ECS API reference, DeploymentConfiguration).
    pub fn upper(self) -> usize {
        self.desired as usize * self.maximum_percent as usize / 100
    }
}

/// What to do next. Indices are positions in the slice given to [`decide`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Tasks of the PRIMARY deployment to start.
    pub start: usize,
    /// Tasks to stop.
    pub stop: Vec<usize>,
}

/// One round of scheduling. `may_start` is false while failing starts are backed off or after the
/// PRIMARY deployment has failed.
pub fn decide(limits: Limits, tasks: &[TaskView], may_start: bool) -> Decision {
    let desired = limits.desired as usize;
    let (lower, upper) = (limits.lower(), limits.upper());
    let pick = |primary: bool, phase: Phase| {
        tasks
            .iter()
            .enumerate()
            .filter(move |(_, task)| task.primary == primary && task.phase == phase)
            .map(|(index, _)| index)
    };
    let mut healthy = tasks
        .iter()
        .filter(|task| task.phase == Phase::Healthy)
        .count();
    let primary_healthy = pick(true, Phase::Healthy).count();
    let primary_starting = pick(true, Phase::Starting).count();
    let wanted = desired.saturating_sub(primary_healthy + primary_starting);
    let mut stop = Vec::new();

    // Old tasks that serve nothing make room first: stopping them costs no healthy task.
    stop.extend(pick(false, Phase::Starting));
    stop.extend(pick(false, Phase::Unhealthy));

    // Too many of the current revision: those that do not serve yet go before those that do.
    let mut surplus = (primary_healthy + primary_starting).saturating_sub(desired);
    for index in pick(true, Phase::Starting).take(surplus) {
        stop.push(index);
        surplus -= 1;
    }
    for index in pick(true, Phase::Healthy).take(surplus) {
        if healthy > lower {
            stop.push(index);
            healthy -= 1;
        }
    }

    // Old tasks that the new ones have replaced.
    let mut old = pick(false, Phase::Healthy).collect::<Vec<_>>();
    while healthy > desired.max(lower) {
        let Some(index) = old.pop() else { break };
        stop.push(index);
        healthy -= 1;
    }
    // Old tasks that stand in the way of new ones, as far as the minimum allows.
    let mut room = upper.saturating_sub(tasks.len() - stop.len());
    while may_start && room < wanted && healthy > lower {
        let Some(index) = old.pop() else { break };
        stop.push(index);
        healthy -= 1;
        room = upper.saturating_sub(tasks.len() - stop.len());
    }
    // An unhealthy task stays until its replacement serves, unless there is no room for one
    // (ECS API reference, DeploymentConfiguration: minimumHealthyPercent, maximumPercent).
    if primary_healthy >= desired || room < wanted {
        stop.extend(pick(true, Phase::Unhealthy));
    }
    room = upper.saturating_sub(tasks.len() - stop.len());
    Decision {
        start: if may_start { wanted.min(room) } else { 0 },
        stop,
    }
}
