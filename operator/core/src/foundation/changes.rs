//! Which changes need somebody's approval. Pure.

use super::facts::Change;
use privateservice_api::environment::PendingChange;

/// Types of what services live on, or what people hold the ids of: replacing or removing one takes services down or breaks references
/// outside.
pub const GUARDED: [&str; 5] = [
    "AWS::ECS::Cluster",
    "AWS::ServiceDiscovery::PrivateDnsNamespace",
    "AWS::EC2::SecurityGroup",
    "AWS::IAM::Role",
    "AWS::ECR::Repository",
];

/// Properties that never replace their resource although a change set may say "Conditional" (AWS: CloudFormation template reference,
/// AWS::EC2::SecurityGroup: "Some interruptions" is no replacement).
const IN_PLACE: [(&str, &[&str]); 1] = [(
    "AWS::EC2::SecurityGroup",
    &["SecurityGroupIngress", "SecurityGroupEgress", "Tags"],
)];

/// The changes that need approval, of those of a change set.
pub fn needing_approval(changes: &[Change]) -> Vec<PendingChange> {
    changes
        .iter()
        .filter(|change| GUARDED.contains(&change.kind.as_str()))
        .filter_map(|change| {
            Some(PendingChange {
                resource: change.resource.clone(),
                kind: change.kind.clone(),
                action: danger(change)?.to_owned(),
            })
        })
        .collect()
}

/// What a change may do to its resource, if that needs approval.
fn danger(change: &Change) -> Option<&'static str> {
    match (change.action.as_str(), change.replacement.as_deref()) {
        ("Add" | "Import", _) | ("Modify", Some("False")) => None,
        ("Remove", _) => Some("Remove"),
        ("Modify", Some("True")) => Some("Replace"),
        ("Modify", _) if is_in_place(change) => None,
        // "Conditional", "Dynamic", and words this version does not know.
        _ => Some("MayReplace"),
    }
}

fn is_in_place(change: &Change) -> bool {
    !change.properties.is_empty()
        && IN_PLACE.iter().any(|(kind, properties)| {
            *kind == change.kind
                && change
                    .properties
                    .iter()
                    .all(|changed| properties.contains(&changed.as_str()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(
        kind: &str,
        action: &str,
        replacement: Option<&str>,
        properties: &[&str],
    ) -> Vec<String> {
        needing_approval(&[Change {
            resource: "It".into(),
            kind: kind.into(),
            action: action.into(),
            replacement: replacement.map(str::to_owned),
            properties: properties.iter().map(|&name| name.to_owned()).collect(),
        }])
        .into_iter()
        .map(|found| found.action)
        .collect()
    }

    #[test]
    fn replacing_or_removing_what_services_live_on_needs_approval() {
        for kind in GUARDED {
            assert_eq!(change(kind, "Remove", None, &[]), ["Remove"]);
            assert_eq!(change(kind, "Modify", Some("True"), &[]), ["Replace"]);
            assert_eq!(
                change(kind, "Modify", Some("Conditional"), &["Name"]),
                ["MayReplace"]
            );
            assert_eq!(change(kind, "Dynamic", None, &[]), ["MayReplace"]);
            assert!(change(kind, "Modify", Some("False"), &["Tags"]).is_empty());
            assert!(change(kind, "Add", None, &[]).is_empty());
        }
    }

    #[test]
    fn what_can_be_made_anew_without_harm_needs_none() {
        for kind in [
            "AWS::Logs::LogGroup",
            "AWS::SQS::Queue",
            "AWS::Events::Rule",
        ] {
            assert!(change(kind, "Remove", None, &[]).is_empty());
            assert!(change(kind, "Modify", Some("True"), &[]).is_empty());
        }
    }

    #[test]
    fn rules_of_a_group_change_in_place() {
        let group = "AWS::EC2::SecurityGroup";
        let conditional = Some("Conditional");
        assert!(change(group, "Modify", conditional, &["SecurityGroupIngress"]).is_empty());
        assert_eq!(
            change(
                group,
                "Modify",
                conditional,
                &["SecurityGroupIngress", "GroupDescription"]
            ),
            ["MayReplace"]
        );
        assert_eq!(
            change(group, "Modify", conditional, &[]),
            ["MayReplace"],
            "nothing is known of what changes"
        );
    }
}
