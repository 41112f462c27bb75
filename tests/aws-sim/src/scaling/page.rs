//! Pages of describing operations. In: all items and the request. Out: one page and the token of the next. No IO.

use serde_json::{Value, json};

use super::refuse;
use crate::errors::AwsError;

/// One page of `items` under `member`; `most` is the size of a page both at most and by default.
pub(super) fn of<T>(
    body: &Value,
    items: Vec<T>,
    member: &str,
    most: usize,
    show: impl FnMut(T) -> Value,
) -> Result<Value, AwsError> {
    let size = match &body["MaxResults"] {
        Value::Null => most,
        value => value
            .as_u64()
            .and_then(|size| usize::try_from(size).ok())
            .filter(|size| (1..=most).contains(size))
            .ok_or_else(|| refuse(format!("MaxResults must be between 1 and {most}.")))?,
    };
    let start = match &body["NextToken"] {
        Value::Null => 0,
        token => token
            .as_str()
            .and_then(|token| token.strip_prefix("page-")?.parse::<usize>().ok())
            .ok_or_else(|| AwsError::new("InvalidNextTokenException", "Invalid token."))?,
    };
    let end = start.saturating_add(size).min(items.len());
    let more = end < items.len();
    let page = items.into_iter().skip(start).take(size);
    let page: Vec<Value> = page.map(show).collect();
    let mut answer = json!({});
    answer[member] = Value::Array(page);
    if more {
        answer["NextToken"] = json!(format!("page-{end}"));
    }
    Ok(answer)
}
