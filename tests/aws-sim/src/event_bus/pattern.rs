//! Event patterns (EventBridge user guide, Event patterns), as far as this project uses them: exact values and prefixes, nested. Pure.
//! Anything else matches nothing and is warned of.

use serde_json::Value;

/// Whether an event matches a pattern.
pub(super) fn matches(pattern: &Value, event: &Value) -> bool {
    match pattern {
        Value::Object(members) => members
            .iter()
            .all(|(name, wanted)| event.get(name).is_some_and(|value| matches(wanted, value))),
        Value::Array(choices) => match event {
            // Of a list one element is enough.
            Value::Array(values) => values.iter().any(|value| is_one_of(choices, value)),
            value => is_one_of(choices, value),
        },
        _ => false,
    }
}

fn is_one_of(choices: &[Value], value: &Value) -> bool {
    choices.iter().any(|choice| match choice {
        Value::Object(operators) => operators.iter().all(|(operator, operand)| {
            match (operator.as_str(), operand.as_str(), value.as_str()) {
                ("prefix", Some(prefix), Some(text)) => text.starts_with(prefix),
                ("prefix", _, _) => false,
                _ => {
                    tracing::warn!(operator, "this operator of event patterns is not simulated");
                    false
                }
            }
        }),
        exact => exact == value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_member_of_the_pattern_has_one_of_its_values() {
        let event = json!({
            "source": "aws.ecs", "detail-type": "ECS Task State Change",
            "resources": ["arn:a/1", "arn:b/2"], "detail": {"clusterArn": "one", "version": 3},
        });
        let yes = |pattern: Value| assert!(matches(&pattern, &event), "{pattern}");
        let no = |pattern: Value| assert!(!matches(&pattern, &event), "{pattern}");
        yes(json!({"source": ["aws.ecs"]}));
        yes(json!({"source": ["aws.ec2", "aws.ecs"], "detail": {"clusterArn": ["one"]}}));
        yes(json!({"resources": ["arn:b/2"], "detail": {"version": [3]}}));
        yes(json!({"resources": [{"prefix": "arn:b/"}]}));
        no(json!({"resources": [{"prefix": "arn:c/"}]}));
        no(json!({"source": ["aws.ecs"], "detail": {"clusterArn": ["two"]}}));
        no(json!({"detail": {"group": ["x"]}}));
        no(json!({"source": [{"anything-but": "aws.ec2"}]}));
        no(json!({"source": "aws.ecs"}));
    }
}
