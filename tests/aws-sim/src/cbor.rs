//! Between CBOR, as Smithy RPC v2 has it, and JSON, as everything here reads it. In: one of them. Out: the other. Pure.
//! Smithy's specification (RPC v2 CBOR protocol): timestamps are tag 1 around a number of seconds; in JSON they are the
//! number.

use ciborium::Value as Cbor;
use serde_json::{Number, Value};

/// What an expression can be as a tag: seconds since the Unix epoch (RFC 8949, section 3.4.2).
const TIMESTAMP: u64 = 1;

/// A body as JSON; null if it is empty or not CBOR.
pub(crate) fn to_json(body: &[u8]) -> Value {
    ciborium::from_reader(body).map_or(Value::Null, |value: Cbor| json_of(&value))
}

fn json_of(value: &Cbor) -> Value {
    match value {
        Cbor::Integer(number) => {
            let number = i128::from(*number);
            let unsigned = || u64::try_from(number).map(Value::from);
            i64::try_from(number)
                .map(Value::from)
                .or_else(|_| unsigned())
                .unwrap_or_default()
        }
        // A whole number stays a float: 80.0.
        Cbor::Float(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Cbor::Text(text) => Value::String(text.clone()),
        Cbor::Bool(truth) => Value::Bool(*truth),
        Cbor::Tag(_, inner) => json_of(inner),
        Cbor::Array(items) => items.iter().map(json_of).collect(),
        Cbor::Map(members) => {
            let members = members.iter().filter_map(|(name, value)| {
                let name = name.as_text()?.to_owned();
                Some((name, json_of(value)))
            });
            Value::Object(members.collect())
        }
        // Blobs do not occur in what is answered here.
        _ => Value::Null,
    }
}

/// A body out of JSON. Members that end in `Timestamp` become timestamps.
pub(crate) fn from_json(value: &Value) -> Vec<u8> {
    let mut body = Vec::new();
    // Writing into memory does not fail.
    let _ = ciborium::into_writer(&cbor_of(value), &mut body);
    body
}

fn cbor_of(value: &Value) -> Cbor {
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(truth) => Cbor::Bool(*truth),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Cbor::Integer(whole.into()),
            (None, Some(float)) => Cbor::Float(float),
            (None, None) => Cbor::Null,
        },
        Value::String(text) => Cbor::Text(text.clone()),
        Value::Array(items) => Cbor::Array(items.iter().map(cbor_of).collect()),
        Value::Object(members) => Cbor::Map(
            members
                .iter()
                .map(|(name, value)| (Cbor::Text(name.clone()), member(name, value)))
                .collect(),
        ),
    }
}

fn member(name: &str, value: &Value) -> Cbor {
    match value.as_f64() {
        Some(seconds) if name.ends_with("Timestamp") => {
            Cbor::Tag(TIMESTAMP, Box::new(Cbor::Float(seconds)))
        }
        _ => cbor_of(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let value = json!({
            "Name": "cpu", "Threshold": 80.0, "Count": -3, "On": true, "Nothing": null,
            "List": [{"Id": "m1"}, 1.5], "StateUpdatedTimestamp": 1_700_000_000.25,
        });
        assert_eq!(to_json(&from_json(&value)), value);
        assert_eq!(to_json(b""), Value::Null);
    }

    #[test]
    fn a_timestamp_is_tagged_and_an_indefinite_map_is_read() {
        let written = from_json(&json!({"StateUpdatedTimestamp": 1}));
        // Tag 1 is the byte c1, after the name.
        assert_eq!(written.get(23), Some(&0xc1));
        // bf 61 61 c1 01 ff: {_ "a": 1(1)}
        let read = to_json(&[0xbf, 0x61, 0x61, 0xc1, 0x01, 0xff]);
        assert_eq!(read, json!({"a": 1}));
    }
}
