//! The steps a scaling plan is made of: one per mutating AWS call.

use super::parts::{Alarm, Policy, ScheduledAction, Target};
use serde::Serialize;
use std::collections::BTreeMap;

/// The ARN of a policy: known, or yielded by an earlier step of the same plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum PolicyReference {
    /// A known ARN.
    Known(String),
    /// What the step that puts the policy of this name yields.
    FromEarlierStep(String),
}

/// One mutating call about the scaling of the service that the plan is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ScalingStep {
    /// `application-autoscaling:RegisterScalableTarget`. It also moves the count into the bounds.
    RegisterTarget {
        /// What to set.
        target: Target,
        /// Tags of a new target. AWS refuses tags for one that is there.
        tags: Option<BTreeMap<String, String>>,
    },
    /// `application-autoscaling:TagResource` on a target that nobody owns, or whose tags are to be others
    TagTarget {
        /// ARN of the target.
        arn: String,
        /// Tags, ownership included.
        tags: BTreeMap<String, String>,
    },
    /// `application-autoscaling:UntagResource` on the target (when ownership is given up, or for tags that are no longer asked for)
    UntagTarget {
        /// ARN of the target.
        arn: String,
        /// Keys to remove.
        keys: Vec<String>,
    },
    /// `application-autoscaling:DeregisterScalableTarget`, with its policies and scheduled actions
    DeregisterTarget,
    /// `application-autoscaling:PutScalingPolicy`
    PutPolicy {
        /// Name.
        name: String,
        /// Content.
        policy: Policy,
    },
    /// `application-autoscaling:DeleteScalingPolicy`
    DeletePolicy {
        /// Name.
        name: String,
    },
    /// `application-autoscaling:PutScheduledAction`
    PutSchedule {
        /// Name.
        name: String,
        /// Content.
        action: ScheduledAction,
    },
    /// `application-autoscaling:DeleteScheduledAction`
    DeleteSchedule {
        /// Name.
        name: String,
    },
    /// `cloudwatch:PutMetricAlarm`
    PutAlarm {
        /// Name.
        name: String,
        /// Content.
        alarm: Box<Alarm>,
        /// The policy it calls.
        calls: PolicyReference,
        /// Tags of a new alarm. AWS ignores tags for one that is there.
        tags: BTreeMap<String, String>,
    },
    /// `cloudwatch:TagResource` on an alarm that nobody owns, or whose tags are to be others
    TagAlarm {
        /// Name.
        name: String,
        /// ARN.
        arn: String,
        /// Tags, ownership included.
        tags: BTreeMap<String, String>,
    },
    /// `cloudwatch:UntagResource` on an alarm (when ownership is given up, or for tags that are no longer asked for)
    UntagAlarm {
        /// ARN.
        arn: String,
        /// Keys to remove.
        keys: Vec<String>,
    },
    /// `cloudwatch:DeleteAlarms`
    DeleteAlarms {
        /// Names, at most 100.
        names: Vec<String>,
    },
    /// `ecs:UpdateService` with nothing but `desiredCount`: the service enters or leaves a pause
    SetCount {
        /// ARN of the cluster.
        cluster_arn: String,
        /// ARN of the service.
        arn: String,
        /// Tasks, 0 for a pause.
        count: i32,
    },
}

impl ScalingStep {
    /// True for a call that changes tags and nothing else.
    pub const fn is_about_tags(&self) -> bool {
        matches!(
            self,
            Self::TagTarget { .. }
                | Self::UntagTarget { .. }
                | Self::TagAlarm { .. }
                | Self::UntagAlarm { .. }
        )
    }

    /// The operation, as logs, metrics and IAM name it.
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::RegisterTarget { .. } => "application-autoscaling:RegisterScalableTarget",
            Self::TagTarget { .. } => "application-autoscaling:TagResource",
            Self::UntagTarget { .. } => "application-autoscaling:UntagResource",
            Self::DeregisterTarget => "application-autoscaling:DeregisterScalableTarget",
            Self::PutPolicy { .. } => "application-autoscaling:PutScalingPolicy",
            Self::DeletePolicy { .. } => "application-autoscaling:DeleteScalingPolicy",
            Self::PutSchedule { .. } => "application-autoscaling:PutScheduledAction",
            Self::DeleteSchedule { .. } => "application-autoscaling:DeleteScheduledAction",
            Self::PutAlarm { .. } => "cloudwatch:PutMetricAlarm",
            Self::TagAlarm { .. } => "cloudwatch:TagResource",
            Self::UntagAlarm { .. } => "cloudwatch:UntagResource",
            Self::DeleteAlarms { .. } => "cloudwatch:DeleteAlarms",
            Self::SetCount { .. } => "ecs:UpdateService",
        }
    }
}

/// What an executed step yielded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Outcome {
    /// The target is registered.
    TargetRegistered {
        /// ARN, where AWS tells it.
        arn: Option<String>,
    },
    /// The policy is there.
    PolicyPut {
        /// ARN.
        arn: String,
    },
    /// The call was made and yields nothing.
    Done,
}
