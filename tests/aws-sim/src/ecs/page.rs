//! Pages of list operations. In: all items and the request. Out: one page and the token of the next.
//! No IO.

use serde_json::{Value, json};

use crate::errors::AwsError;

/// One page of `items` under `member`. `maxResults` is 1-100 (ECS API reference, list operations).
pub(crate) fn list(
    body: &Value,
    items: Vec<Value>,
    member: &str,
    default_size: usize,
) -> Result<Value, AwsError> {
    let size = match &body["maxResults"] {
        Value::Null => default_size,
        value => value
            .as_u64()
            .and_then(|size| usize::try_from(size).ok())
            .filter(|size| (1..=100).contains(size))
            .ok_or_else(|| AwsError::invalid("maxResults must be between 1 and 100."))?,
    };
    let start = match &body["nextToken"] {
        Value::Null => 0,
        token => token
            .as_str()
            .and_then(|token| token.strip_prefix("page-")?.parse::<usize>().ok())
            .ok_or_else(|| AwsError::invalid("Invalid token."))?,
    };
    let end = (start + size).min(items.len());
    let more = end < items.len();
    let page: Vec<Value> = items.into_iter().skip(start).take(size).collect();
    let mut answer = json!({});
    answer[member] = Value::Array(page);
    if more {
        answer["nextToken"] = json!(format!("page-{end}"));
    }
    Ok(answer)
}
