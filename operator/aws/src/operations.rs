//! The operations this crate calls, each with the bucket it is paid from. Constants only.

use crate::classify::Effect;
use crate::limits::Bucket;

/// An operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    /// Name as IAM writes it.
    pub(crate) name: &'static str,
    /// Bucket.
    pub(crate) bucket: Bucket,
    /// Whether it changes something.
    pub(crate) effect: Effect,
}

const fn read(name: &'static str, bucket: Bucket) -> Operation {
    Operation {
        name,
        bucket,
        effect: Effect::Read,
    }
}

const fn write(name: &'static str, bucket: Bucket) -> Operation {
    Operation {
        name,
        bucket,
        effect: Effect::Write,
    }
}

pub(crate) const DESCRIBE_SERVICES: Operation = read("ecs:DescribeServices", Bucket::ServiceRead);
pub(crate) const LIST_SERVICES: Operation = read("ecs:ListServices", Bucket::ServiceRead);
pub(crate) const DESCRIBE_TASK_DEFINITION: Operation =
    read("ecs:DescribeTaskDefinition", Bucket::TaskDefinitionRead);
pub(crate) const DESCRIBE_CLUSTERS: Operation = read("ecs:DescribeClusters", Bucket::ClusterRead);
pub(crate) const REGISTER_TASK_DEFINITION: Operation =
    write("ecs:RegisterTaskDefinition", Bucket::TaskDefinitionModify);
pub(crate) const DEREGISTER_TASK_DEFINITION: Operation =
    write("ecs:DeregisterTaskDefinition", Bucket::TaskDefinitionModify);
pub(crate) const LIST_SERVICE_DEPLOYMENTS: Operation =
    read("ecs:ListServiceDeployments", Bucket::ServiceDeploymentRead);
pub(crate) const DESCRIBE_SERVICE_DEPLOYMENTS: Operation = read(
    "ecs:DescribeServiceDeployments",
    Bucket::ServiceDeploymentRead,
);
pub(crate) const LIST_TASKS: Operation = read("ecs:ListTasks", Bucket::ClusterResourceRead);
pub(crate) const DESCRIBE_TASKS: Operation = read("ecs:DescribeTasks", Bucket::ClusterResourceRead);
// AWS publishes no rate for it: the rate of the calls it belongs with is the careful choice.
pub(crate) const STOP_SERVICE_DEPLOYMENT: Operation =
    write("ecs:StopServiceDeployment", Bucket::ServiceModify);
pub(crate) const CREATE_SERVICE: Operation = write("ecs:CreateService", Bucket::ServiceModify);
pub(crate) const UPDATE_SERVICE: Operation = write("ecs:UpdateService", Bucket::ServiceModify);
pub(crate) const DELETE_SERVICE: Operation = write("ecs:DeleteService", Bucket::ServiceModify);
pub(crate) const TAG_RESOURCE: Operation = write("ecs:TagResource", Bucket::TagModify);
pub(crate) const UNTAG_RESOURCE: Operation = write("ecs:UntagResource", Bucket::TagModify);
pub(crate) const LIST_DNS_SERVICES: Operation =
    read("servicediscovery:ListServices", Bucket::CloudMapRead);
pub(crate) const LIST_DNS_TAGS: Operation =
    read("servicediscovery:ListTagsForResource", Bucket::CloudMapRead);
pub(crate) const GET_NAMESPACE: Operation =
    read("servicediscovery:GetNamespace", Bucket::CloudMapRead);
pub(crate) const CREATE_DNS_SERVICE: Operation =
    write("servicediscovery:CreateService", Bucket::CloudMapModify);
pub(crate) const DELETE_DNS_SERVICE: Operation =
    write("servicediscovery:DeleteService", Bucket::CloudMapModify);
pub(crate) const TAG_DNS_SERVICE: Operation =
    write("servicediscovery:TagResource", Bucket::CloudMapModify);
pub(crate) const UNTAG_DNS_SERVICE: Operation =
    write("servicediscovery:UntagResource", Bucket::CloudMapModify);
pub(crate) const DESCRIBE_SCALABLE_TARGETS: Operation = read(
    "application-autoscaling:DescribeScalableTargets",
    Bucket::AutoScalingRead,
);
pub(crate) const DESCRIBE_SCALING_POLICIES: Operation = read(
    "application-autoscaling:DescribeScalingPolicies",
    Bucket::AutoScalingRead,
);
pub(crate) const DESCRIBE_SCHEDULED_ACTIONS: Operation = read(
    "application-autoscaling:DescribeScheduledActions",
    Bucket::AutoScalingRead,
);
pub(crate) const LIST_TARGET_TAGS: Operation = read(
    "application-autoscaling:ListTagsForResource",
    Bucket::AutoScalingRead,
);
pub(crate) const REGISTER_SCALABLE_TARGET: Operation = write(
    "application-autoscaling:RegisterScalableTarget",
    Bucket::AutoScalingModify,
);
pub(crate) const DEREGISTER_SCALABLE_TARGET: Operation = write(
    "application-autoscaling:DeregisterScalableTarget",
    Bucket::AutoScalingModify,
);
pub(crate) const PUT_SCALING_POLICY: Operation = write(
    "application-autoscaling:PutScalingPolicy",
    Bucket::AutoScalingModify,
);
pub(crate) const DELETE_SCALING_POLICY: Operation = write(
    "application-autoscaling:DeleteScalingPolicy",
    Bucket::AutoScalingModify,
);
pub(crate) const PUT_SCHEDULED_ACTION: Operation = write(
    "application-autoscaling:PutScheduledAction",
    Bucket::AutoScalingModify,
);
pub(crate) const DELETE_SCHEDULED_ACTION: Operation = write(
    "application-autoscaling:DeleteScheduledAction",
    Bucket::AutoScalingModify,
);
pub(crate) const TAG_TARGET: Operation = write(
    "application-autoscaling:TagResource",
    Bucket::AutoScalingModify,
);
pub(crate) const UNTAG_TARGET: Operation = write(
    "application-autoscaling:UntagResource",
    Bucket::AutoScalingModify,
);
pub(crate) const DESCRIBE_ALARMS: Operation = read("cloudwatch:DescribeAlarms", Bucket::AlarmRead);
pub(crate) const LIST_ALARM_TAGS: Operation =
    read("cloudwatch:ListTagsForResource", Bucket::AlarmTags);
pub(crate) const PUT_METRIC_ALARM: Operation =
    write("cloudwatch:PutMetricAlarm", Bucket::AlarmModify);
pub(crate) const DELETE_ALARMS: Operation = write("cloudwatch:DeleteAlarms", Bucket::AlarmDelete);
pub(crate) const TAG_ALARM: Operation = write("cloudwatch:TagResource", Bucket::AlarmTags);
pub(crate) const UNTAG_ALARM: Operation = write("cloudwatch:UntagResource", Bucket::AlarmTags);
pub(crate) const GET_CALLER_IDENTITY: Operation = read("sts:GetCallerIdentity", Bucket::Sts);
pub(crate) const DESCRIBE_SECRET: Operation =
    read("secretsmanager:DescribeSecret", Bucket::SecretRead);
pub(crate) const GET_SECRET_VALUE: Operation =
    read("secretsmanager:GetSecretValue", Bucket::SecretRead);
pub(crate) const CREATE_SECRET: Operation =
    write("secretsmanager:CreateSecret", Bucket::SecretModify);
pub(crate) const RESTORE_SECRET: Operation =
    write("secretsmanager:RestoreSecret", Bucket::SecretModify);
pub(crate) const PUT_SECRET_VALUE: Operation =
    write("secretsmanager:PutSecretValue", Bucket::SecretModify);
pub(crate) const UPDATE_SECRET_VERSION_STAGE: Operation = write(
    "secretsmanager:UpdateSecretVersionStage",
    Bucket::SecretModify,
);
pub(crate) const DELETE_SECRET: Operation =
    write("secretsmanager:DeleteSecret", Bucket::SecretModify);
pub(crate) const UNTAG_SECRET: Operation =
    write("secretsmanager:UntagResource", Bucket::SecretModify);
pub(crate) const DESCRIBE_STACKS: Operation =
    read("cloudformation:DescribeStacks", Bucket::CloudFormation);
pub(crate) const DESCRIBE_STACK_EVENTS: Operation =
    read("cloudformation:DescribeStackEvents", Bucket::CloudFormation);
pub(crate) const DESCRIBE_CHANGE_SET: Operation =
    read("cloudformation:DescribeChangeSet", Bucket::CloudFormation);
pub(crate) const CREATE_CHANGE_SET: Operation =
    write("cloudformation:CreateChangeSet", Bucket::CloudFormation);
pub(crate) const DELETE_CHANGE_SET: Operation =
    write("cloudformation:DeleteChangeSet", Bucket::CloudFormation);
pub(crate) const EXECUTE_CHANGE_SET: Operation =
    write("cloudformation:ExecuteChangeSet", Bucket::CloudFormation);
pub(crate) const SET_STACK_POLICY: Operation =
    write("cloudformation:SetStackPolicy", Bucket::CloudFormation);
pub(crate) const DELETE_STACK: Operation =
    write("cloudformation:DeleteStack", Bucket::CloudFormation);
pub(crate) const RECEIVE_EVENTS: Operation = read("sqs:ReceiveMessage", Bucket::EventQueue);
// IAM has one action for one message and for several (Service Authorization Reference, Amazon SQS).
pub(crate) const DELETE_EVENTS: Operation = write("sqs:DeleteMessage", Bucket::EventQueue);
