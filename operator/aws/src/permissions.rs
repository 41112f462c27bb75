//! Every permission this crate needs: what an IAM policy for services must allow. Pure.

/// The IAM actions of the operations that are called, in alphabetical order.
pub const CALLED: &[&str] = &[
    "ecs:CreateService",
    "ecs:DeleteService",
    "ecs:DeregisterTaskDefinition",
    "ecs:DescribeClusters",
    "ecs:DescribeServiceDeployments",
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "ecs:DescribeTasks",
    "ecs:ListServiceDeployments",
    "ecs:ListTasks",
    "ecs:RegisterTaskDefinition",
    "ecs:StopServiceDeployment",
    "ecs:TagResource",
    "ecs:UntagResource",
    "ecs:UpdateService",
    "servicediscovery:CreateService",
    "servicediscovery:DeleteService",
    "servicediscovery:GetNamespace",
    "servicediscovery:ListServices",
    "servicediscovery:ListTagsForResource",
    "servicediscovery:UntagResource",
    "sts:GetCallerIdentity",
];

/// Actions that AWS checks on behalf of those calls: tags given at creation, and the roles that a task definition names.
pub const IMPLIED: &[&str] = &["iam:PassRole", "servicediscovery:TagResource"];

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
            ("clients.sts.", "()", "sts"),
            ("aws_sdk_ecs::operation::", "::builders", "ecs"),
            (
                "aws_sdk_servicediscovery::operation::",
                "::builders",
                "servicediscovery",
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
        let listed: BTreeSet<String> = CALLED.iter().map(|&action| action.to_owned()).collect();
        assert_eq!(called(), listed, "called and listed");
        assert_eq!(named(), listed, "paid for and listed");
    }
}
