//! Why a stack's last operation failed, out of its events. Pure.

/// One of a stack's events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackEvent {
    /// Name in the template; the stack's own name for the stack itself.
    pub resource: String,
    /// For instance `AWS::IAM::Role`.
    pub kind: String,
    /// AWS's word, such as CREATE_FAILED.
    pub status: String,
    /// AWS's words.
    pub reason: Option<String>,
}

const STACK: &str = "AWS::CloudFormation::Stack";

/// The first failure of the newest operation; `events` are newest first, as AWS lists them.
pub fn failure(events: &[StackEvent]) -> Option<String> {
    let begins = |event: &StackEvent| {
        event.kind == STACK
            && matches!(
                event.status.as_str(),
                "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" | "DELETE_IN_PROGRESS"
            )
    };
    let operation = events.iter().take_while(|event| !begins(event));
    // Whatever else was under way is cancelled by the first failure, and fails too.
    let failed = operation.filter(|event| {
        event.status.ends_with("_FAILED")
            && event
                .reason
                .as_deref()
                .is_some_and(|reason| !reason.to_lowercase().contains("cancelled"))
    });
    let (of_stack, of_resources): (Vec<_>, Vec<_>) = failed.partition(|event| event.kind == STACK);
    let first = of_resources.last().or(of_stack.last())?;
    Some(format!(
        "{} ({}): {}",
        first.resource,
        first.kind,
        first.reason.as_deref().unwrap_or("AWS gives no reason")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(resource: &str, kind: &str, status: &str, reason: &str) -> StackEvent {
        StackEvent {
            resource: resource.into(),
            kind: kind.into(),
            status: status.into(),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
        }
    }

    #[test]
    fn the_first_failure_of_the_newest_operation_is_the_cause() {
        let role = "AWS::IAM::Role";
        let events = [
            event("s", STACK, "ROLLBACK_COMPLETE", ""),
            event(
                "Cluster",
                "AWS::ECS::Cluster",
                "CREATE_FAILED",
                "Resource creation cancelled",
            ),
            event("TaskRole", role, "CREATE_FAILED", "also denied"),
            event("ExecutionRole", role, "CREATE_FAILED", "denied"),
            event("s", STACK, "CREATE_IN_PROGRESS", "User Initiated"),
            event("Old", role, "DELETE_FAILED", "of an operation before"),
        ];
        assert_eq!(
            failure(&events).as_deref(),
            Some("ExecutionRole (AWS::IAM::Role): denied")
        );
        assert_eq!(failure(&events[..2]), None);
    }

    #[test]
    fn the_stack_itself_may_be_what_failed() {
        let events = [
            event("s", STACK, "UPDATE_ROLLBACK_FAILED", "role is gone"),
            event("s", STACK, "UPDATE_IN_PROGRESS", ""),
        ];
        assert!(failure(&events).unwrap().ends_with("role is gone"));
    }
}
