//! Between how many tasks a service runs, what makes it more or fewer, and the rules on both. Types only.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Between how many tasks the service runs, and what makes it more or fewer.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(BOUNDS_RULE).message(BOUNDS_MESSAGE).field_path(".maxTasks"),
    validation = Rule::new(SCHEDULES_RULE).message(SCHEDULES_MESSAGE).field_path(".schedules"),
)]
pub struct Scaling {
    /// The fewest tasks, 1 to 5000 (what ECS runs for a service). Default 1. The same as `maxTasks`: a fixed number of tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5000))]
    pub min_tasks: Option<i32>,

    /// The most tasks, `minTasks` to 5000. Default 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5000))]
    pub max_tasks: Option<i32>,

    /// Percent of the CPU of all tasks above which there are to be more of them, 10 to 100. 0 turns it off. Default 80.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    #[x_kube(validation = Rule::new(PERCENT_RULE).message(PERCENT_MESSAGE))]
    pub cpu_threshold: Option<i32>,

    /// Percent of the memory of all tasks above which there are to be more of them, 10 to 100. 0 turns it off, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    #[x_kube(validation = Rule::new(PERCENT_RULE).message(PERCENT_MESSAGE))]
    pub memory_threshold: Option<i32>,

    /// Requests per task and minute above which there are to be more tasks, 1 to 1000000. 0 turns it off, which is the default. Needs a
    /// port with protocol http, http2 or grpc; the requests of all of them count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub request_threshold: Option<i32>,

    /// Seconds, 60 to 86400 and a multiple of 60. For so long every one-minute average has to be low before there are fewer tasks
    /// (StepAlarms), and for so long after a change there is no further one, except more tasks still. Default 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 60, max = 86400))]
    #[x_kube(validation = Rule::new("self % 60 == 0").message(COOLDOWN_MESSAGE))]
    pub cooldown_seconds: Option<i32>,

    /// How the number of tasks follows the thresholds. StepAlarms (the default): more tasks after three minutes above a threshold, the more
    /// the further above; one fewer once everything was low for `cooldownSeconds`. TargetTracking: AWS keeps each metric near its
    /// threshold, with alarms of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<ScalingPolicy>,

    /// Other bounds from certain times on, at most 20. What a schedule set holds until the next one, or until `minTasks` or `maxTasks`
    /// are edited: write one for each change, there and back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub schedules: Vec<ScalingSchedule>,
}

/// How the number of tasks follows the thresholds. StepAlarms (the default): more tasks after three minutes above a threshold, the more the
/// further above; one fewer once everything was low for `cooldownSeconds`. TargetTracking: AWS keeps each metric near its threshold, with
/// alarms of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ScalingPolicy {
    /// Alarms and steps of this operator.
    #[default]
    StepAlarms,
    /// Target tracking of Application Auto Scaling.
    TargetTracking,
}

impl ScalingPolicy {
    /// The word as it stands in objects.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StepAlarms => "StepAlarms",
            Self::TargetTracking => "TargetTracking",
        }
    }
}

/// Other bounds from a certain time on.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.minTasks) || has(self.maxTasks)").message(NO_BOUND_MESSAGE),
    validation = Rule::new(EXPRESSION_RULE).message(EXPRESSION_MESSAGE).field_path(".schedule"),
)]
pub struct ScalingSchedule {
    /// Name of the schedule, unique within the service: a DNS label of at most 40 characters.
    #[schemars(
        length(min = 1, max = 40),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub name: String,

    /// When: `cron(0 20 ? * MON-FRI *)` (minute, hour, day of the month, month, day of the week, year), `rate(12 hours)` or
    /// `at(2027-01-31T08:00:00)`, as Application Auto Scaling has them.
    #[schemars(length(min = 1, max = 256))]
    pub schedule: String,

    /// Time zone of `cron` and `at`, such as Europe/Berlin. Absent: UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 64),
        regex(pattern = r"^[A-Za-z][A-Za-z0-9_+/-]*$")
    )]
    pub timezone: Option<String>,

    /// The fewest tasks from then on, 0 to 5000. 0 together with `maxTasks: 0` switches the service off. Absent: that of `scaling`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 5000))]
    pub min_tasks: Option<i32>,

    /// The most tasks from then on, 0 to 5000. Absent: that of `scaling`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 5000))]
    pub max_tasks: Option<i32>,
}

const BOUNDS_RULE: &str = "(has(self.minTasks) ? self.minTasks : 1) <= \
    (has(self.maxTasks) ? self.maxTasks : 10)";
const BOUNDS_MESSAGE: &str = "minTasks (1 where absent) is above maxTasks (10 where absent): write \
    maxTasks: as many as minTasks, or more";

const PERCENT_RULE: &str = "self == 0 || self >= 10";
const PERCENT_MESSAGE: &str = "a threshold is a percentage from 10 to 100, or 0 to turn it off: \
    write 80, for instance";

const COOLDOWN_MESSAGE: &str = "cooldownSeconds is a multiple of 60, because averages are of whole \
    minutes: write 60, 300 or 900, for instance";

const NO_BOUND_MESSAGE: &str = "a schedule changes minTasks, maxTasks or both: write at least one";

/// Passes a pair that is wrong already without schedules, so that one mistake gives one message.
const SCHEDULES_RULE: &str = "!has(self.schedules) || \
    (has(self.minTasks) ? self.minTasks : 1) > (has(self.maxTasks) ? self.maxTasks : 10) || \
    self.schedules.all(s, \
    (has(s.minTasks) ? s.minTasks : has(self.minTasks) ? self.minTasks : 1) <= \
    (has(s.maxTasks) ? s.maxTasks : has(self.maxTasks) ? self.maxTasks : 10))";
const SCHEDULES_MESSAGE: &str = "minTasks of a schedule is above its maxTasks, where an absent one \
    is that of scaling (1 and 10 where that is absent too): write both minTasks and maxTasks in it";

const EXPRESSION_RULE: &str = "self.schedule.matches('^cron[(][^ ()]+( [^ ()]+){5}[)]$') || \
    self.schedule.matches('^rate[(](1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))[)]$') || \
    self.schedule.matches('^at[(][0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[)]$')";
const EXPRESSION_MESSAGE: &str = "write cron(0 20 ? * MON-FRI *) with six fields, rate(12 hours) or \
    at(2027-01-31T08:00:00)";

/// Requests are counted by Service Connect, which sees none in plain TCP.
pub(super) const REQUESTS_RULE: &str = "!has(self.scaling) || !has(self.scaling.requestThreshold) || \
    self.scaling.requestThreshold == 0 || (has(self.ports) && self.ports.exists(p, \
    has(p.protocol) && p.protocol != 'tcp'))";
pub(super) const REQUESTS_MESSAGE: &str = "requestThreshold needs a port whose requests are counted: \
    write protocol: http, http2 or grpc on a port, or leave requestThreshold out";
