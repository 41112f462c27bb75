//! Tables of the members that requests may have. In: a table in text, an operation and its JSON. Out: the JSON without
//! nulls, or the error for an unknown, missing or mistyped member. No IO. Unknown members are refused although AWS drops
//! them, so that a typing error in a request cannot hide.

use std::collections::HashMap;

use serde_json::Value;

use crate::errors::AwsError;

/// How a service words the refusal of a member.
pub(crate) type Refuse = fn(String) -> AwsError;

#[derive(Debug, Clone)]
enum Kind {
    Str,
    Int,
    Num,
    Bool,
    Map,
    Any,
    List(Box<Kind>),
    Choice(Vec<&'static str>),
    Shape(&'static str),
}

#[derive(Debug)]
struct Member {
    name: &'static str,
    required: bool,
    kind: Kind,
}

/// The shapes of one service, in text one a line: name, then `member:type`; `!` marks a required one. `[x]` is a list, `a|b`
/// an enumeration, a capitalised name another shape, `any` is not looked into.
#[derive(Debug)]
pub(crate) struct Table(HashMap<&'static str, Vec<Member>>);

fn kind(text: &'static str) -> Kind {
    match text {
        "str" => Kind::Str,
        "int" => Kind::Int,
        "num" => Kind::Num,
        "bool" => Kind::Bool,
        "map" => Kind::Map,
        "any" => Kind::Any,
        "TAGS" => Kind::Choice(vec!["TAGS"]),
        _ => match text
            .strip_prefix('[')
            .and_then(|inner| inner.strip_suffix(']'))
        {
            Some(inner) => Kind::List(Box::new(kind(inner))),
            None if text.contains('|') => Kind::Choice(text.split('|').collect()),
            None => Kind::Shape(text),
        },
    }
}

fn mistyped(path: &str, expected: &str) -> AwsError {
    AwsError::new(
        "SerializationException",
        format!("{path}: expected {expected}"),
    )
}

impl Table {
    pub(crate) fn parse(text: &'static str) -> Self {
        let shapes = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let name = words.next()?;
            let members = words
                .filter_map(|word| word.split_once(':'))
                .map(|(name, text)| Member {
                    name: name.trim_end_matches('!'),
                    required: name.ends_with('!'),
                    kind: kind(text),
                })
                .collect();
            Some((name, members))
        });
        Self(shapes.collect())
    }

    /// Checks a request against its shape and drops nulls, which AWS treats as absent.
    pub(crate) fn check(
        &self,
        operation: &str,
        body: &Value,
        refuse: Refuse,
    ) -> Result<Value, AwsError> {
        let empty = Value::Object(serde_json::Map::new());
        let body = if body.is_null() { &empty } else { body };
        self.shape(operation, operation, body, refuse)
    }

    fn shape(
        &self,
        name: &str,
        path: &str,
        value: &Value,
        refuse: Refuse,
    ) -> Result<Value, AwsError> {
        let given = value
            .as_object()
            .ok_or_else(|| mistyped(path, "a structure"))?;
        let members = self.0.get(name).map_or(&[][..], Vec::as_slice);
        let mut checked = serde_json::Map::new();
        for (member, value) in given.iter().filter(|(_, value)| !value.is_null()) {
            let Some(known) = members.iter().find(|known| known.name == member) else {
                return Err(refuse(format!(
                    "{path}.{member} is not a member that this simulator knows; see its shapes"
                )));
            };
            let path = format!("{path}.{member}");
            checked.insert(
                member.clone(),
                self.typed(&known.kind, &path, value, refuse)?,
            );
        }
        for member in members.iter().filter(|member| member.required) {
            let absent = match checked.get(member.name) {
                None => true,
                Some(Value::String(text)) => text.is_empty(),
                Some(_) => false,
            };
            if absent {
                return Err(refuse(format!(
                    "{path}.{} should not be null or empty.",
                    member.name
                )));
            }
        }
        Ok(Value::Object(checked))
    }

    fn typed(
        &self,
        kind: &Kind,
        path: &str,
        value: &Value,
        refuse: Refuse,
    ) -> Result<Value, AwsError> {
        let fits = match kind {
            Kind::Any => true,
            Kind::Str => value.is_string(),
            Kind::Int => value.is_i64() || value.is_u64(),
            // One form of a number, whatever the client wrote: 80 is 80.0.
            Kind::Num => match value.as_f64() {
                Some(number) => return Ok(Value::from(number)),
                None => false,
            },
            Kind::Bool => value.is_boolean(),
            Kind::Map => value
                .as_object()
                .is_some_and(|map| map.values().all(Value::is_string)),
            Kind::Choice(choices) => match value.as_str() {
                Some(text) if choices.contains(&text) => true,
                Some(text) => {
                    let choices = choices.join(", ");
                    return Err(refuse(format!("{path}: {text} is not one of {choices}")));
                }
                None => false,
            },
            Kind::Shape(name) => return self.shape(name, path, value, refuse),
            Kind::List(inner) => {
                let items = value.as_array().ok_or_else(|| mistyped(path, "a list"))?;
                return items
                    .iter()
                    .map(|item| self.typed(inner, path, item, refuse))
                    .collect();
            }
        };
        if fits {
            Ok(value.clone())
        } else {
            Err(mistyped(path, &format!("{kind:?}")))
        }
    }
}
