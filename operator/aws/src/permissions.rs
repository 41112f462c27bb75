//! Every permission this crate needs, in two lists: what an IAM policy for services must allow, and what one for foundations. Pure.

pub mod policy;

/// The IAM actions of the operations that are called for services and for Environments whose parts exist, in alphabetical order.
pub const CALLED: &[&str] = &[
    "application-autoscaling:DeleteScalingPolicy",
    "application-autoscaling:DeleteScheduledAction",
    "application-autoscaling:DeregisterScalableTarget",
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DescribeScheduledActions",
    "application-autoscaling:ListTagsForResource",
    "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:PutScheduledAction",
    "application-autoscaling:RegisterScalableTarget",
    "application-autoscaling:TagResource",
    "application-autoscaling:UntagResource",
    "cloudwatch:DeleteAlarms",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:ListTagsForResource",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:TagResource",
    "cloudwatch:UntagResource",
    "ecs:CreateService",
    "ecs:DeleteService",
    "ecs:DeregisterTaskDefinition",
    "ecs:DescribeClusters",
    "ecs:DescribeServiceDeployments",
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "ecs:DescribeTasks",
    "ecs:ListServiceDeployments",
    "ecs:ListServices",
    "ecs:ListTasks",
    "ecs:RegisterTaskDefinition",
    "ecs:StopServiceDeployment",
    "ecs:TagResource",
    "ecs:UntagResource",
    "ecs:UpdateService",
    "secretsmanager:CreateSecret",
    "secretsmanager:DeleteSecret",
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:RestoreSecret",
    "secretsmanager:UntagResource",
    "secretsmanager:UpdateSecretVersionStage",
    "servicediscovery:CreateService",
    "servicediscovery:DeleteService",
    "servicediscovery:GetNamespace",
    "servicediscovery:ListServices",
    "servicediscovery:ListTagsForResource",
    "servicediscovery:TagResource",
    "servicediscovery:UntagResource",
    "sqs:DeleteMessage",
    "sqs:ReceiveMessage",
    "sts:GetCallerIdentity",
];

/// The IAM actions of the operations that are called for the stacks of Environments, in alphabetical order. They are for stacks named
/// `privateservice-*`.
pub const FOUNDATION: &[&str] = &[
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DeleteStack",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStacks",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:SetStackPolicy",
];

/// Actions that AWS checks on behalf of those: tags given with a change set, and the role that CloudFormation works with
/// (`spec.foundation.cloudFormationRoleArn`).
pub const FOUNDATION_IMPLIED: &[&str] = &["cloudformation:TagResource", "iam:PassRole"];

/// What CloudFormation itself does to make, change and delete a stack: for the role it works with, or for the operator where there is no
/// such role. By service, as the template's resources need them.
pub const FOUNDATION_RESOURCES: &[&str] = &[
    "ec2:AuthorizeSecurityGroupEgress",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:CreateSecurityGroup",
    "ec2:CreateTags",
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteTags",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeVpcs",
    "ec2:RevokeSecurityGroupEgress",
    "ec2:RevokeSecurityGroupIngress",
    "ecs:CreateCluster",
    "ecs:DeleteCluster",
    "ecs:DescribeClusters",
    "ecs:PutClusterCapacityProviders",
    "ecs:TagResource",
    "ecs:UntagResource",
    "ecs:UpdateCluster",
    "ecs:UpdateClusterSettings",
    "events:DeleteRule",
    "events:DescribeRule",
    "events:ListTargetsByRule",
    "events:PutRule",
    "events:PutTargets",
    "events:RemoveTargets",
    "events:TagResource",
    "events:UntagResource",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
    "logs:AssociateKmsKey",
    "logs:CreateLogGroup",
    "logs:DeleteLogGroup",
    "logs:DeleteRetentionPolicy",
    "logs:DescribeLogGroups",
    "logs:DisassociateKmsKey",
    "logs:ListTagsForResource",
    "logs:PutRetentionPolicy",
    "logs:TagResource",
    "logs:UntagResource",
    "route53:AssociateVPCWithHostedZone",
    "route53:CreateHostedZone",
    "route53:DeleteHostedZone",
    "route53:GetHostedZone",
    "route53:ListHostedZonesByName",
    "servicediscovery:CreatePrivateDnsNamespace",
    "servicediscovery:DeleteNamespace",
    "servicediscovery:GetNamespace",
    "servicediscovery:GetOperation",
    "servicediscovery:ListTagsForResource",
    "servicediscovery:TagResource",
    "servicediscovery:UntagResource",
    "servicediscovery:UpdatePrivateDnsNamespace",
    "sqs:CreateQueue",
    "sqs:DeleteQueue",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ListQueueTags",
    "sqs:SetQueueAttributes",
    "sqs:TagQueue",
    "sqs:UntagQueue",
];

/// The action behind the credentials of a role that is assumed; the SDK calls it.
pub const ASSUMED: &str = "sts:AssumeRole";

/// Actions that AWS checks on behalf of the calls for services: the roles that a task definition names, the role that Application Auto
/// Scaling makes for itself when the first target of an account is registered, and the tags that a secret is created with. (Other tags given
/// at creation need permissions that are called for their own sake too.)
pub const IMPLIED: &[&str] = &[
    "iam:CreateServiceLinkedRole",
    "iam:PassRole",
    "secretsmanager:TagResource",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    fn sources(folder: &Path, into: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, into);
            } else if path
                .file_name()
                .is_some_and(|name| name != "tests.rs" && name != "permissions.rs")
            {
                let text = fs::read_to_string(&path).unwrap();
                into.push(text.split_whitespace().collect());
            }
        }
    }

    fn camel(snake: &str) -> String {
        let mut camel = String::new();
        for word in snake.split('_') {
            let (first, rest) = word.split_at(1);
            camel.push_str(&first.to_uppercase());
            camel.push_str(rest);
        }
        camel
    }

    /// Every operation that the source calls on a client, or builds the input of, as an IAM action.
    fn called() -> BTreeSet<String> {
        let mut texts = Vec::new();
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut texts,
        );
        let patterns = [
            ("clients.ecs.", "()", "ecs"),
            ("clients.discovery.", "()", "servicediscovery"),
            ("clients.secrets.", "()", "secretsmanager"),
            ("clients.sts.", "()", "sts"),
            ("clients.cloudformation.", "()", "cloudformation"),
            ("clients.scaling.", "()", "application-autoscaling"),
            ("clients.cloudwatch.", "()", "cloudwatch"),
            ("self.client.", "()", "sqs"),
            ("aws_sdk_ecs::operation::", "::builders", "ecs"),
            (
                "aws_sdk_servicediscovery::operation::",
                "::builders",
                "servicediscovery",
            ),
            (
                "aws_sdk_applicationautoscaling::operation::",
                "::builders",
                "application-autoscaling",
            ),
            (
                "aws_sdk_cloudwatch::operation::",
                "::builders",
                "cloudwatch",
            ),
        ];
        let mut found = BTreeSet::new();
        for text in &texts {
            for (before, after, service) in patterns {
                for (at, _) in text.match_indices(before) {
                    let (operation, _) = text[at + before.len()..]
                        .split_once(after)
                        .unwrap_or_default();
                    if !operation.is_empty()
                        && operation
                            .chars()
                            .all(|c| c.is_ascii_lowercase() || c == '_')
                    {
                        // What is called for several at once is one action.
                        let operation = operation.strip_suffix("_batch").unwrap_or(operation);
                        found.insert(format!("{service}:{}", camel(operation)));
                    }
                }
            }
        }
        found
    }

    /// Every name in the table of operations.
    fn named() -> BTreeSet<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/operations.rs");
        let text = fs::read_to_string(path).unwrap();
        text.split('"')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_list_is_exactly_what_the_source_calls() {
        let listed = CALLED.iter().chain(FOUNDATION);
        let listed: BTreeSet<String> = listed.map(|&action| action.to_owned()).collect();
        assert_eq!(called(), listed, "called and listed");
        assert_eq!(named(), listed, "paid for and listed");
    }
}
