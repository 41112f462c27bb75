//! Metric math: what an expression is, and what it gives. In: an expression and the series it names. Out: a number, a
//! series or several. Pure. Rules: CloudWatch user guide, Using math expressions with CloudWatch metrics.

/// The values of a series, oldest first; `None` where there is no data point.
pub(super) type Series = Vec<Option<f64>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    And,
    Or,
}

/// How several values become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reduction {
    Sum,
    Average,
    Maximum,
    Minimum,
}

/// With what the gaps of a series are filled.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filling {
    Value(Box<Expression>),
    Repeat,
}

/// A metric math expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Number(f64),
    /// The id of a metric or of another expression.
    Id(String),
    /// The metrics of the request, of those whose id contains a text.
    Metrics(Option<String>),
    List(Vec<Expression>),
    Negative(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    If(Box<Expression>, Box<Expression>, Option<Box<Expression>>),
    Fill(Box<Expression>, Filling),
    Reduce(Reduction, Box<Expression>),
    TimeSeries(Box<Expression>),
}

/// What an expression gives.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Number(f64),
    Series(Series),
    Several(Vec<Series>),
}

/// What expressions may name.
pub(super) trait Named {
    /// How many data points a series has.
    fn length(&self) -> usize;
    /// The series or number of an id.
    fn of(&self, id: &str) -> Outcome;
    /// Of the metrics, not the expressions, those whose id contains `part`.
    fn metrics(&self, part: &str) -> Vec<Series>;
}

impl Operator {
    /// Whether it compares or combines truths.
    pub(super) fn is_logical(self) -> bool {
        !matches!(
            self,
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide
        )
    }

    /// Of two values; `None` where the result is dropped: "if the value of a data point causes a function to attempt to
    /// divide by zero".
    fn apply(self, left: f64, right: f64) -> Option<f64> {
        let truth = |holds: bool| Some(f64::from(u8::from(holds)));
        // AWS compares numbers as they are, without a tolerance.
        #[expect(clippy::float_cmp, reason = "equality is exact in metric math")]
        match self {
            Operator::Add => Some(left + right),
            Operator::Subtract => Some(left - right),
            Operator::Multiply => Some(left * right),
            Operator::Divide if right == 0.0 => None,
            Operator::Divide => Some(left / right),
            Operator::Less => truth(left < right),
            Operator::LessOrEqual => truth(left <= right),
            Operator::Greater => truth(left > right),
            Operator::GreaterOrEqual => truth(left >= right),
            Operator::Equal => truth(left == right),
            Operator::NotEqual => truth(left != right),
            Operator::And => truth(left != 0.0 && right != 0.0),
            Operator::Or => truth(left != 0.0 || right != 0.0),
        }
    }

    /// Between two series a missing value is 0 where the other one has one. Both missing: missing.
    fn pair(self, left: &[Option<f64>], right: &[Option<f64>]) -> Series {
        let pairs = left.iter().zip(right);
        pairs
            .map(|pair| match pair {
                (None, None) => None,
                (left, right) => self.apply(left.unwrap_or(0.0), right.unwrap_or(0.0)),
            })
            .collect()
    }
}

impl Reduction {
    fn of(self, values: &[f64], count: usize) -> Option<f64> {
        // A series has at most as many points as minutes of a week.
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let count = count as f64;
        if values.is_empty() {
            return None;
        }
        Some(match self {
            Reduction::Sum => values.iter().sum(),
            // Missing values count as 0.
            Reduction::Average => values.iter().sum::<f64>() / count,
            Reduction::Maximum => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Reduction::Minimum => values.iter().copied().fold(f64::INFINITY, f64::min),
        })
    }

    /// Across several series, point by point.
    fn across(self, several: &[Series], length: usize) -> Series {
        let at = |index: usize| {
            let values = several.iter().filter_map(|series| *series.get(index)?);
            self.of(&values.collect::<Vec<_>>(), several.len())
        };
        (0..length).map(at).collect()
    }
}

fn truth(value: f64) -> bool {
    value != 0.0
}

/// The value of a branch of `IF` at a point. A branch that is true and missing there is 0; one that is false is dropped.
fn branch(outcome: Option<&Outcome>, index: usize, if_missing: Option<f64>) -> Option<f64> {
    match outcome? {
        Outcome::Number(number) => Some(*number),
        Outcome::Series(series) => series.get(index).copied().flatten().or(if_missing),
        Outcome::Several(_) => None,
    }
}

fn choose(condition: &Outcome, yes: &Outcome, no: Option<&Outcome>, length: usize) -> Outcome {
    match condition {
        Outcome::Number(number) if truth(*number) => yes.clone(),
        Outcome::Number(_) => no.cloned().unwrap_or(Outcome::Series(vec![None; length])),
        Outcome::Series(series) => {
            let at = |(index, condition): (usize, &Option<f64>)| match condition {
                None => None,
                Some(value) if truth(*value) => branch(Some(yes), index, Some(0.0)),
                Some(_) => branch(no, index, None),
            };
            Outcome::Series(series.iter().enumerate().map(at).collect())
        }
        // Refused when the alarm is put.
        Outcome::Several(_) => Outcome::Series(vec![None; length]),
    }
}

/// `None` repeats the value before; what comes before the first stays missing.
fn filled(series: &[Option<f64>], value: Option<f64>) -> Series {
    let mut last = None;
    let fill = |point: &Option<f64>| {
        last = point.or(value).or(last);
        last
    };
    series.iter().map(fill).collect()
}

fn map(outcome: &Outcome, of: impl Fn(&[Option<f64>]) -> Series) -> Outcome {
    match outcome {
        Outcome::Number(number) => Outcome::Number(*number),
        Outcome::Series(series) => Outcome::Series(of(series)),
        Outcome::Several(all) => Outcome::Several(all.iter().map(|one| of(one)).collect()),
    }
}

fn binary(operator: Operator, left: &Outcome, right: &Outcome) -> Outcome {
    let with_number = |number: f64, series: &[Option<f64>], is_left: bool| -> Series {
        let of = |value: f64| {
            if is_left {
                operator.apply(number, value)
            } else {
                operator.apply(value, number)
            }
        };
        series.iter().map(|point| point.and_then(of)).collect()
    };
    match (left, right) {
        (Outcome::Number(left), Outcome::Number(right)) => {
            Outcome::Number(operator.apply(*left, *right).unwrap_or(0.0))
        }
        (Outcome::Number(number), other) => map(other, |one| with_number(*number, one, true)),
        (other, Outcome::Number(number)) => map(other, |one| with_number(*number, one, false)),
        (Outcome::Series(left), other) => map(other, |one| operator.pair(left, one)),
        (other, Outcome::Series(right)) => map(other, |one| operator.pair(one, right)),
        // Refused when the alarm is put.
        (Outcome::Several(_), Outcome::Several(_)) => Outcome::Several(Vec::new()),
    }
}

impl Expression {
    pub(super) fn evaluate(&self, named: &dyn Named) -> Outcome {
        let length = named.length();
        match self {
            Expression::Number(number) => Outcome::Number(*number),
            Expression::Id(id) => named.of(id),
            Expression::Metrics(part) => {
                Outcome::Several(named.metrics(part.as_deref().unwrap_or_default()))
            }
            Expression::List(items) => {
                let several = items.iter().flat_map(|item| match item.evaluate(named) {
                    Outcome::Number(number) => vec![vec![Some(number); length]],
                    Outcome::Series(series) => vec![series],
                    Outcome::Several(several) => several,
                });
                Outcome::Several(several.collect())
            }
            Expression::Negative(inner) => binary(
                Operator::Multiply,
                &Outcome::Number(-1.0),
                &inner.evaluate(named),
            ),
            Expression::Binary(operator, left, right) => {
                binary(*operator, &left.evaluate(named), &right.evaluate(named))
            }
            Expression::If(condition, yes, no) => {
                let no = no.as_ref().map(|no| no.evaluate(named));
                let yes = yes.evaluate(named);
                choose(&condition.evaluate(named), &yes, no.as_ref(), length)
            }
            Expression::Fill(inner, filling) => {
                let value = match filling {
                    Filling::Repeat => None,
                    Filling::Value(value) => match value.evaluate(named) {
                        Outcome::Number(number) => Some(number),
                        // Refused when the alarm is put.
                        _ => None,
                    },
                };
                map(&inner.evaluate(named), |one| filled(one, value))
            }
            Expression::Reduce(reduction, inner) => match inner.evaluate(named) {
                Outcome::Number(number) => Outcome::Number(number),
                Outcome::Series(series) => {
                    let values: Vec<f64> = series.iter().copied().flatten().collect();
                    Outcome::Number(reduction.of(&values, series.len()).unwrap_or(0.0))
                }
                Outcome::Several(several) => Outcome::Series(reduction.across(&several, length)),
            },
            Expression::TimeSeries(inner) => match inner.evaluate(named) {
                Outcome::Number(number) => Outcome::Series(vec![Some(number); length]),
                other => other,
            },
        }
    }
}
