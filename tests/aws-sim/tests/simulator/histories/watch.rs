//! What must hold of a service between one look and the next. In: the simulator's state. Out: a panic
//! that says what does not hold.

use std::collections::BTreeMap;

use serde_json::Value;

/// Limits in force, as the test asked for them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) desired: u32,
    pub(crate) minimum: u32,
    pub(crate) maximum: u32,
}

impl Limits {
    pub(crate) fn lower(self) -> usize {
        (self.desired as usize * self.minimum as usize).div_ceil(100)
    }

    pub(crate) fn upper(self) -> usize {
        self.desired as usize * self.maximum as usize / 100
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Task {
    standing: bool,
    healthy: bool,
    /// The scheduler stopped it to scale or to roll, not for its health.
    made_way: bool,
}

/// What was seen last.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    tasks: BTreeMap<String, Task>,
    /// Service deployments by ARN with their status.
    records: BTreeMap<String, String>,
    /// The revision that a rollback must return to.
    completed: Option<String>,
}

fn text<'a>(of: &'a Value, member: &str) -> &'a str {
    of[member].as_str().unwrap_or_default()
}

fn is_open(status: &str) -> bool {
    [
        "PENDING",
        "IN_PROGRESS",
        "ROLLBACK_REQUESTED",
        "ROLLBACK_IN_PROGRESS",
    ]
    .contains(&status)
}

impl Watch {
    /// Whether no service deployment is open or being stopped.
    pub(crate) fn is_settled(&self) -> bool {
        self.records
            .values()
            .all(|status| !is_open(status) && status != "STOP_REQUESTED")
    }

    pub(crate) fn judge(&mut self, state: &Value, limits: Limits) {
        self.judge_tasks(state, limits);
        let service = &state["services"][0];
        let deployments = service["deployments"].as_array().unwrap();
        let primaries = deployments
            .iter()
            .filter(|one| text(one, "status") == "PRIMARY");
        assert_eq!(primaries.count(), 1, "exactly one PRIMARY");
        assert_eq!(text(&deployments[0], "status"), "PRIMARY");
        let records = state["serviceDeployments"].as_array().unwrap();
        let open = records.iter().filter(|one| is_open(text(one, "status")));
        assert!(open.count() <= 1, "at most one open service deployment");
        for record in records {
            self.judge_record(record, service);
        }
    }

    fn judge_tasks(&mut self, state: &Value, limits: Limits) {
        let mut tasks = BTreeMap::new();
        for task in state["tasks"].as_array().unwrap() {
            let seen = Task {
                standing: text(task, "desiredStatus") == "RUNNING",
                healthy: text(task, "healthStatus") == "HEALTHY",
                made_way: text(task, "stoppedReason").starts_with("Scaling activity"),
            };
            tasks.insert(text(task, "taskArn").to_owned(), seen);
        }
        let standing =
            |tasks: &BTreeMap<String, Task>| tasks.values().filter(|task| task.standing).count();
        let (now, before) = (standing(&tasks), standing(&self.tasks));
        let upper = limits.upper();
        assert!(
            now <= upper.max(before),
            "{now} tasks, {before} before, above {limits:?}"
        );

        let stood = |id: &String| self.tasks.get(id).is_none_or(|task| task.standing);
        let gone = tasks
            .iter()
            .filter(|(id, task)| task.healthy && !task.standing && stood(id));
        let (made_way, ended): (Vec<_>, Vec<_>) = gone.partition(|(_, task)| task.made_way);
        let serving = tasks.values().filter(|task| task.standing && task.healthy);
        // Those that ended by themselves were there when the scheduler chose.
        let left = serving.count() + ended.len();
        assert!(
            made_way.is_empty() || left >= limits.lower(),
            "{left} healthy tasks left by the scheduler, below {limits:?}"
        );
        self.tasks = tasks;
    }

    fn judge_record(&mut self, record: &Value, service: &Value) {
        let (arn, status) = (text(record, "serviceDeploymentArn"), text(record, "status"));
        let before = self.records.insert(arn.to_owned(), status.to_owned());
        let before = before.as_deref().unwrap_or_default();
        if before == status {
            return;
        }
        let was_over = !before.is_empty() && !is_open(before) && before != "STOP_REQUESTED";
        assert!(!was_over, "{arn} was {before} and became {status}");
        let target = text(&record["targetServiceRevision"], "arn").to_owned();
        let returns_to = text(&record["rollback"], "serviceRevisionArn").to_owned();
        if status == "ROLLBACK_IN_PROGRESS" {
            let completed = self.completed.take();
            assert_eq!(
                Some(&returns_to),
                completed.as_ref(),
                "rolls back to the last completed"
            );
        }
        let serves = match status {
            "SUCCESSFUL" => target,
            "ROLLBACK_SUCCESSFUL" => returns_to,
            _ => return,
        };
        let current = service["currentServiceRevisions"].as_array().unwrap();
        let revisions: Vec<_> = current.iter().map(|one| text(one, "arn")).collect();
        assert_eq!(revisions, [serves.as_str()], "only what completed is left");
        self.completed = Some(serves);
    }
}
