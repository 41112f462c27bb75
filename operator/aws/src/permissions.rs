//! Every permission this crate needs: what an IAM policy for services must allow. Pure.

/// The IAM actions of the operations that are called, in alphabetical order.
pub const CALLED: &[&str] = &[
    "ecs:CreateService",
    "ecs:DeleteService",
    "ecs:DescribeClusters",
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "ecs:RegisterTaskDefinition",
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
        snake
            .split('_')
            .map(|word| {
                let (first, rest) = word.split_at(1);
                format!("{}{rest}", first.to_uppercase())
            })
            .collect()
    }

    /// Every `clients.<service>.<operation>()` in the source, as an IAM action.
    fn called() -> BTreeSet<String> {
        let mut texts = Vec::new();
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut texts,
        );
        let clients = [
            ("ecs", "ecs"),
            ("discovery", "servicediscovery"),
            ("sts", "sts"),
        ];
        let mut found = BTreeSet::new();
        for text in &texts {
            for (field, service) in clients {
                let pattern = format!("clients.{field}.");
                for (at, _) in text.match_indices(&pattern) {
                    let rest = &text[at + pattern.len()..];
                    let operation = rest.split("()").next().unwrap();
                    found.insert(format!("{service}:{}", camel(operation)));
                }
            }
        }
        found
    }

    #[test]
    fn the_list_is_exactly_what_the_source_calls() {
        let listed: BTreeSet<String> = CALLED.iter().map(|&action| action.to_owned()).collect();
        assert_eq!(called(), listed);
    }
}
