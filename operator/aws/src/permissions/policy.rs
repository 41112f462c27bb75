//! The least IAM policies as JSON, made of the lists of permissions. Pure.
//!
//! Invariant: a policy allows exactly the actions of its lists, each once. Where AWS can limit an action to resources and that limit is
//! sure to hold for everything the operator calls, it is limited (AWS: Service Authorization Reference); else it is for all.

use super::{CALLED, FOUNDATION, FOUNDATION_IMPLIED, FOUNDATION_RESOURCES, IMPLIED};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Which policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// For the operator: services, and Environments whose parts exist.
    Services,
    /// For the operator, beside [`Policy::Services`]: Environments that make their parts as a stack.
    Foundation,
    /// For the role that CloudFormation works with.
    FoundationResources,
}

/// Some actions, and what they are limited to.
struct Limit {
    /// Says why; IAM takes letters and digits only.
    sid: &'static str,
    actions: &'static [&'static str],
    /// ARNs with `PARTITION` for `aws`, `aws-cn` or `aws-us-gov`.
    resources: &'static [&'static str],
    /// Service that a role may be handed to.
    passed_to: Option<&'static str>,
}

const SERVICES: &[Limit] = &[
    Limit {
        sid: "RunServices",
        actions: &[
            "ecs:CreateService",
            "ecs:DeleteService",
            "ecs:DescribeServices",
            "ecs:UpdateService",
        ],
        resources: &["arn:PARTITION:ecs:*:*:service/*"],
        passed_to: None,
    },
    Limit {
        sid: "SeeClusters",
        actions: &["ecs:DescribeClusters"],
        resources: &["arn:PARTITION:ecs:*:*:cluster/*"],
        passed_to: None,
    },
    Limit {
        sid: "MarkWhatIsOurs",
        actions: &["ecs:TagResource", "ecs:UntagResource"],
        resources: &[
            "arn:PARTITION:ecs:*:*:service/*",
            "arn:PARTITION:ecs:*:*:task-definition/*",
        ],
        passed_to: None,
    },
    // One value is ever read back: that of a secret made by the operator itself, when the key that tells its versions was lost.
    Limit {
        sid: "KeepSecretsOfServices",
        actions: &[
            "secretsmanager:CreateSecret",
            "secretsmanager:DeleteSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:RestoreSecret",
            "secretsmanager:TagResource",
            "secretsmanager:UntagResource",
            "secretsmanager:UpdateSecretVersionStage",
        ],
        // <environment>/<Kubernetes namespace>/<service>-<six characters>
        resources: &["arn:PARTITION:secretsmanager:*:*:secret:*/*/*"],
        passed_to: None,
    },
    // Names of ours are `<environment>/<service>/...`; those that target tracking makes on our behalf have two slashes too.
    Limit {
        sid: "KeepAlarms",
        actions: &[
            "cloudwatch:DeleteAlarms",
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:TagResource",
            "cloudwatch:UntagResource",
        ],
        resources: &["arn:PARTITION:cloudwatch:*:*:alarm:*/*/*"],
        passed_to: None,
    },
    Limit {
        sid: "LetApplicationAutoScalingHaveItsRole",
        actions: &["iam:CreateServiceLinkedRole"],
        resources: &[
            "arn:PARTITION:iam::*:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/*",
        ],
        passed_to: None,
    },
    // Services name secrets of any name, and which version of one is current is no secret: this shows no value.
    Limit {
        sid: "SeeVersionsOfSecrets",
        actions: &["secretsmanager:DescribeSecret"],
        resources: &["arn:PARTITION:secretsmanager:*:*:secret:*"],
        passed_to: None,
    },
    Limit {
        sid: "HandRolesToTasksOnly",
        actions: &["iam:PassRole"],
        resources: &["arn:PARTITION:iam::*:role/*"],
        passed_to: Some("ecs-tasks.amazonaws.com"),
    },
];

const STACKS: &[Limit] = &[
    Limit {
        sid: "MakeAndChangeStacksOfEnvironments",
        actions: FOUNDATION,
        resources: &["arn:PARTITION:cloudformation:*:*:stack/privateservice-*/*"],
        passed_to: None,
    },
    Limit {
        sid: "MarkStacksAndTheirChanges",
        actions: &["cloudformation:TagResource"],
        resources: &[
            "arn:PARTITION:cloudformation:*:*:stack/privateservice-*/*",
            "arn:PARTITION:cloudformation:*:*:changeSet/*",
        ],
        passed_to: None,
    },
    Limit {
        sid: "HandARoleToCloudFormationOnly",
        actions: &["iam:PassRole"],
        resources: &["arn:PARTITION:iam::*:role/*"],
        passed_to: Some("cloudformation.amazonaws.com"),
    },
];

impl Policy {
    /// Its actions.
    pub fn actions(self) -> Vec<&'static str> {
        match self {
            Self::Services => [CALLED, IMPLIED].concat(),
            Self::Foundation => [FOUNDATION, FOUNDATION_IMPLIED].concat(),
            Self::FoundationResources => FOUNDATION_RESOURCES.to_vec(),
        }
    }

    const fn limits(self) -> &'static [Limit] {
        match self {
            Self::Services => SERVICES,
            Self::Foundation => STACKS,
            // What a stack makes has names that CloudFormation chooses.
            Self::FoundationResources => &[],
        }
    }

    /// The policy document for a partition: `aws`, `aws-cn` or `aws-us-gov`.
    pub fn document(self, partition: &str) -> Value {
        let limits = self.limits();
        let mut statements: Vec<Value> = limits
            .iter()
            .map(|limit| limit.statement(partition))
            .collect();
        let limited = |action: &&str| limits.iter().any(|limit| limit.actions.contains(action));
        let mut rest: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for action in self.actions() {
            if !limited(&action) {
                let service = action
                    .split_once(':')
                    .map_or(action, |(service, _)| service);
                rest.entry(service).or_default().push(action);
            }
        }
        for (service, mut actions) in rest {
            actions.sort_unstable();
            statements.push(json!({
                "Sid": format!("AllOf{}", capitalised(service)),
                "Effect": "Allow",
                "Action": actions,
                "Resource": "*",
            }));
        }
        json!({"Version": "2012-10-17", "Statement": statements})
    }
}

/// The policy for an operator that assumes roles (`spec.assumeRole` of Environments): these and no others. What may be done in their
/// accounts is in the policies of the roles themselves.
pub fn assume_roles(arns: &[String]) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "AssumeTheRolesOfEnvironments",
        "Effect": "Allow",
        "Action": [super::ASSUMED],
        "Resource": arns,
    }]})
}

impl Limit {
    fn statement(&self, partition: &str) -> Value {
        let resources: Vec<String> = self
            .resources
            .iter()
            .map(|arn| arn.replace("PARTITION", partition))
            .collect();
        let mut statement = json!({
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": self.actions,
            "Resource": resources,
        });
        if let Some(service) = self.passed_to {
            statement["Condition"] = json!({"StringEquals": {"iam:PassedToService": service}});
        }
        statement
    }
}

fn capitalised(words: &str) -> String {
    let capital = |word: &str| -> String {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_ascii_uppercase())
            .into_iter()
            .chain(letters)
            .collect()
    };
    words.split('-').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const ALL: [Policy; 3] = [
        Policy::Services,
        Policy::Foundation,
        Policy::FoundationResources,
    ];

    fn statements(policy: Policy) -> Vec<Value> {
        let document = policy.document("aws");
        document["Statement"].as_array().unwrap().clone()
    }

    fn allowed(policy: Policy) -> Vec<String> {
        statements(policy)
            .iter()
            .flat_map(|statement| statement["Action"].as_array().unwrap().clone())
            .map(|action| action.as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_policy_allows_exactly_what_is_listed_and_each_action_once() {
        for policy in ALL {
            let allowed = allowed(policy);
            let listed = policy.actions();
            let set: BTreeSet<&str> = allowed.iter().map(String::as_str).collect();
            assert_eq!(set, listed.iter().copied().collect(), "{policy:?}");
            assert_eq!(set.len(), allowed.len(), "{policy:?} says something twice");
        }
    }

    #[test]
    fn iam_accepts_the_form() {
        for policy in ALL {
            let mut sids = BTreeSet::new();
            for statement in statements(policy) {
                let sid = statement["Sid"].as_str().unwrap().to_owned();
                assert!(sid.chars().all(|c| c.is_ascii_alphanumeric()), "{sid}");
                assert!(sids.insert(sid), "a Sid is there once");
                let resources = statement["Resource"].to_string();
                assert!(!resources.contains("PARTITION"), "{resources}");
            }
            let text = policy.document("aws-us-gov").to_string();
            // IAM: quotas, size of a managed policy without white space.
            assert!(text.len() <= 6144, "{policy:?}: {}", text.len());
        }
    }

    #[test]
    fn no_role_can_be_handed_to_anything_but_what_it_is_for() {
        for (policy, service) in [
            (Policy::Services, "ecs-tasks.amazonaws.com"),
            (Policy::Foundation, "cloudformation.amazonaws.com"),
        ] {
            let statements = statements(policy);
            let passing: Vec<&Value> = statements
                .iter()
                .filter(|one| one["Action"].to_string().contains("iam:PassRole"))
                .collect();
            assert_eq!(passing.len(), 1);
            assert_eq!(
                passing[0]["Condition"]["StringEquals"]["iam:PassedToService"],
                service
            );
        }
    }

    #[test]
    fn no_role_can_be_assumed_but_those_that_are_named() {
        let role = "arn:aws:iam::444455556666:role/services".to_owned();
        let statement = &assume_roles(std::slice::from_ref(&role))["Statement"];
        assert_eq!(statement[0]["Action"], json!(["sts:AssumeRole"]));
        assert_eq!(statement[0]["Resource"], json!([role]));
        assert_eq!(statement.as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_partition_is_in_every_arn() {
        let text = Policy::Services.document("aws-cn").to_string();
        assert!(text.contains("arn:aws-cn:ecs:") && !text.contains("arn:aws:"));
    }
}
