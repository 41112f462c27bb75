//! A task definition revision by its tags. The echo of its content is not looked at: AWS adds defaults to it.

use super::from_ecs;
use aws_sdk_ecs::types::{Tag, TaskDefinition, TaskDefinitionStatus};
use privateservice_api::meta;
use privateservice_core::hash::Hash;
use privateservice_core::observed::Revision;
use privateservice_core::owner::Owner;

/// The revision DescribeTaskDefinition described, and whom its tags name as owner.
pub(crate) fn revision(
    definition: &TaskDefinition,
    tags: &[Tag],
) -> Option<(Revision, Option<Owner>)> {
    let tags = from_ecs(tags);
    let hash = |key: &str| tags.get(key).map(|text| Hash::from(text.as_str()));
    let revision = Revision {
        arn: definition.task_definition_arn()?.to_owned(),
        hash: hash(meta::TAG_RENDERING),
        intent: hash(meta::TAG_INTENT),
        active: definition.status() == Some(&TaskDefinitionStatus::Active),
    };
    Some((revision, Owner::from_tags(&tags)))
}
