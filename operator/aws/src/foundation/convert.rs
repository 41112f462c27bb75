//! From the SDK's types to facts. Pure.

use crate::classify::readable;
use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{
    ChangeSetStatus as SdkStatus, ExecutionStatus, ResourceAttribute, ResourceChange,
    Stack as SdkStack, StackEvent as SdkEvent, Tag,
};
use privateservice_core::foundation::{
    Change, ChangeSet, ChangeSetStatus, Execution, Outputs, Stack, StackEvent, StackStatus,
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn stack(found: &SdkStack) -> Stack {
    let outputs = found.outputs().iter().filter_map(|output| {
        Some((
            output.output_key()?.to_owned(),
            output.output_value()?.to_owned(),
        ))
    });
    let updated = found.last_updated_time().or(found.creation_time());
    Stack {
        id: found.stack_id().unwrap_or_default().to_owned(),
        status: found.stack_status().map_or_else(
            || StackStatus::Other("absent".to_owned()),
            |status| StackStatus::of(status.as_str()),
        ),
        reason: text(found.stack_status_reason()),
        updated: updated
            .map(|time| format!("{}.{:09}", time.secs(), time.subsec_nanos()))
            .unwrap_or_default(),
        tags: tags(found.tags()),
        outputs: Outputs::of(outputs.collect()),
    }
}

pub(super) fn change_set(found: &DescribeChangeSetOutput) -> ChangeSet {
    let status = match found.status() {
        Some(SdkStatus::CreateComplete) => ChangeSetStatus::Created,
        Some(SdkStatus::Failed) => ChangeSetStatus::Failed,
        Some(
            SdkStatus::DeletePending
            | SdkStatus::DeleteInProgress
            | SdkStatus::DeleteComplete
            | SdkStatus::DeleteFailed,
        ) => ChangeSetStatus::Deleting,
        // CREATE_PENDING and CREATE_IN_PROGRESS; waiting is the careful answer to any other word.
        _ => ChangeSetStatus::Creating,
    };
    let execution = match found.execution_status() {
        Some(ExecutionStatus::Available) => Execution::Available,
        Some(ExecutionStatus::ExecuteInProgress) => Execution::Running,
        Some(ExecutionStatus::ExecuteComplete) => Execution::Done,
        Some(ExecutionStatus::ExecuteFailed) => Execution::Failed,
        _ => Execution::Unavailable,
    };
    let changes = found.changes().iter();
    ChangeSet {
        status,
        execution,
        reason: text(found.status_reason()),
        tags: tags(found.tags()),
        changes: changes
            .filter_map(|one| one.resource_change())
            .map(change)
            .collect(),
    }
}

fn change(found: &ResourceChange) -> Change {
    // A detail without a property is about tags or another attribute, by whose name it goes.
    let names = found.details().iter().filter_map(|detail| {
        let target = detail.target()?;
        let attribute = target.attribute().map(ResourceAttribute::as_str);
        target.name().or(attribute)
    });
    let names: BTreeSet<&str> = names.collect();
    Change {
        resource: found.logical_resource_id().unwrap_or_default().to_owned(),
        kind: found.resource_type().unwrap_or_default().to_owned(),
        action: found
            .action()
            .map_or("", |action| action.as_str())
            .to_owned(),
        replacement: found.replacement().map(|word| word.as_str().to_owned()),
        properties: names.into_iter().map(str::to_owned).collect(),
    }
}

pub(super) fn event(found: &SdkEvent) -> StackEvent {
    StackEvent {
        resource: found.logical_resource_id().unwrap_or_default().to_owned(),
        kind: found.resource_type().unwrap_or_default().to_owned(),
        status: found
            .resource_status()
            .map_or("", |status| status.as_str())
            .to_owned(),
        reason: text(found.resource_status_reason()),
    }
}

fn tags(found: &[Tag]) -> BTreeMap<String, String> {
    let pairs = found
        .iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())));
    pairs.collect()
}

fn text(words: Option<&str>) -> Option<String> {
    words.map(readable).filter(|words| !words.is_empty())
}
