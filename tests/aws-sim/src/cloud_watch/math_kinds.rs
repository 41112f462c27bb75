//! Which metric math makes sense. In: an expression and the kinds of what it names. Out: its own kind, or what is wrong.
//! Pure. Rules: CloudWatch user guide, Metric math syntax and functions (S, TS, TS[]).

use super::math::{Expression, Filling};

/// S, TS and TS[] in the words of the user guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Series,
    Several,
}

/// Finds the kind of an expression; `of` is that of an id.
pub(super) fn kind(
    expression: &Expression,
    of: &mut dyn FnMut(&str) -> Result<Kind, String>,
) -> Result<Kind, String> {
    match expression {
        Expression::Number(_) => Ok(Kind::Number),
        Expression::Id(id) => of(id),
        Expression::Metrics(_) => Ok(Kind::Several),
        Expression::List(items) => {
            for item in items {
                kind(item, of)?;
            }
            Ok(Kind::Several)
        }
        Expression::Negative(inner) => kind(inner, of),
        Expression::Binary(operator, left, right) => match (kind(left, of)?, kind(right, of)?) {
            (Kind::Several, Kind::Several) => {
                Err(format!("{operator:?} of two arrays of time series"))
            }
            (Kind::Several, _) | (_, Kind::Several) if operator.is_logical() => {
                Err(format!("{operator:?} of an array of time series"))
            }
            (Kind::Several, _) | (_, Kind::Several) => Ok(Kind::Several),
            (Kind::Number, Kind::Number) => Ok(Kind::Number),
            _ => Ok(Kind::Series),
        },
        Expression::If(condition, yes, no) => {
            let condition = kind(condition, of)?;
            let yes = kind(yes, of)?;
            let no = no.as_ref().map(|no| kind(no, of)).transpose()?;
            let all = [Some(condition), Some(yes), no];
            if all.contains(&Some(Kind::Several)) {
                return Err("IF of an array of time series".to_owned());
            }
            let is_number =
                condition == Kind::Number && yes == Kind::Number && no == Some(Kind::Number);
            Ok(if is_number {
                Kind::Number
            } else {
                Kind::Series
            })
        }
        Expression::Fill(inner, filling) => {
            if let Filling::Value(value) = filling
                && kind(value, of)? != Kind::Number
            {
                return Err("FILL with something other than a number or REPEAT".to_owned());
            }
            match kind(inner, of)? {
                Kind::Number => Err("FILL of a number".to_owned()),
                other => Ok(other),
            }
        }
        Expression::Reduce(reduction, inner) => match kind(inner, of)? {
            Kind::Number => Err(format!("{reduction:?} of a number")),
            Kind::Series => Ok(Kind::Number),
            Kind::Several => Ok(Kind::Series),
        },
        Expression::TimeSeries(inner) => match kind(inner, of)? {
            Kind::Number => Ok(Kind::Series),
            _ => Err("TIME_SERIES of something other than a number".to_owned()),
        },
    }
}
