//! Metric math as text. In: an expression. Out: its structure, or what is wrong with it. Pure. Functions and operators
//! that CloudWatch has and the simulator lacks are refused here, so that no alarm silently means something else.

use super::math::{Expression, Filling, Operator, Reduction};

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Word(String),
    Text(String),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// The longest first, so that `<=` is not `<`.
const SIGNS: [&str; 19] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "(", ")", "[", "]", ",", "^",
    "!",
];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length_of = |holds: fn(char) -> bool| rest.find(|c| !holds(c)).unwrap_or(rest.len());
        let (token, length) = if first.is_ascii_digit() || first == '.' {
            let length = length_of(|c| c.is_ascii_digit() || c == '.');
            let number = rest.get(..length).and_then(|text| text.parse().ok());
            let number = number.ok_or_else(|| format!("a number at '{rest}'"))?;
            (Token::Number(number), length)
        } else if first.is_ascii_alphabetic() {
            let length = length_of(|c| c.is_ascii_alphanumeric() || c == '_');
            let word = rest.get(..length).unwrap_or_default();
            (Token::Word(word.to_owned()), length)
        } else if first == '"' || first == '\'' {
            let inner = rest.get(1..).unwrap_or_default();
            let end = inner.find(first).ok_or("a text without end")?;
            let text = inner.get(..end).unwrap_or_default();
            (Token::Text(text.to_owned()), end + 2)
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let sign = sign.ok_or_else(|| format!("'{first}'"))?;
            (Token::Sign(sign), sign.len())
        };
        tokens.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

struct Parser {
    /// The next one last.
    tokens: Vec<Token>,
}

/// From the loosest to the tightest; CloudWatch does not say, so that this is the usual order.
const LEVELS: [&[(&str, Operator)]; 5] = [
    &[("||", Operator::Or), ("OR", Operator::Or)],
    &[("&&", Operator::And), ("AND", Operator::And)],
    &[
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide)],
];

impl Parser {
    fn next_is(&self, word: &str) -> bool {
        match self.tokens.last() {
            Some(Token::Sign(sign)) => *sign == word,
            Some(Token::Word(next)) => next == word,
            _ => false,
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.next_is(word);
        if found {
            self.tokens.pop();
        }
        found
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.take(word) {
            return Ok(());
        }
        Err(match self.tokens.last() {
            Some(next) => format!("{next:?} where '{word}' should be"),
            None => format!("an end where '{word}' should be"),
        })
    }

    fn level(&mut self, level: usize) -> Result<Expression, String> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.level(level + 1)?;
        loop {
            let found = operators.iter().find(|(sign, _)| self.next_is(sign));
            let Some((sign, operator)) = found else {
                return Ok(left);
            };
            self.take(sign);
            let right = self.level(level + 1)?;
            left = Expression::Binary(*operator, Box::new(left), Box::new(right));
        }
    }

    fn whole(&mut self) -> Result<Expression, String> {
        self.level(0)
    }

    fn unary(&mut self) -> Result<Expression, String> {
        if self.take("-") {
            return Ok(Expression::Negative(Box::new(self.unary()?)));
        }
        match self.tokens.pop() {
            Some(Token::Number(number)) => Ok(Expression::Number(number)),
            Some(Token::Sign("(")) => {
                let inner = self.whole()?;
                self.expect(")")?;
                Ok(inner)
            }
            Some(Token::Sign("[")) => {
                let mut items = vec![self.whole()?];
                while self.take(",") {
                    items.push(self.whole()?);
                }
                self.expect("]")?;
                Ok(Expression::List(items))
            }
            Some(Token::Word(word)) if word.starts_with(|c: char| c.is_ascii_lowercase()) => {
                Ok(Expression::Id(word))
            }
            Some(Token::Word(word)) => {
                self.expect("(")?;
                let call = self.call(&word)?;
                self.expect(")")?;
                Ok(call)
            }
            Some(other) => Err(format!("{other:?} where a value should be")),
            None => Err("an end where a value should be".to_owned()),
        }
    }

    fn call(&mut self, function: &str) -> Result<Expression, String> {
        let reduction = match function {
            "SUM" => Reduction::Sum,
            "AVG" => Reduction::Average,
            "MAX" => Reduction::Maximum,
            "MIN" => Reduction::Minimum,
            "METRICS" => {
                let part = match self.tokens.last() {
                    Some(Token::Text(text)) => Some(text.clone()),
                    _ => return Ok(Expression::Metrics(None)),
                };
                self.tokens.pop();
                return Ok(Expression::Metrics(part));
            }
            "TIME_SERIES" => return Ok(Expression::TimeSeries(Box::new(self.whole()?))),
            "IF" => {
                let condition = Box::new(self.whole()?);
                self.expect(",")?;
                let yes = Box::new(self.whole()?);
                let no = if self.take(",") {
                    Some(Box::new(self.whole()?))
                } else {
                    None
                };
                return Ok(Expression::If(condition, yes, no));
            }
            "FILL" => {
                let inner = Box::new(self.whole()?);
                self.expect(",")?;
                let filling = if self.take("REPEAT") {
                    Filling::Repeat
                } else {
                    Filling::Value(Box::new(self.whole()?))
                };
                return Ok(Expression::Fill(inner, filling));
            }
            other => return Err(format!("the function {other}, which this simulator lacks")),
        };
        Ok(Expression::Reduce(reduction, Box::new(self.whole()?)))
    }
}

/// Reads an expression.
///
/// # Errors
/// What it has that it should not have.
pub(super) fn parse(text: &str) -> Result<Expression, String> {
    let mut tokens = tokens(text)?;
    tokens.reverse();
    let mut parser = Parser { tokens };
    let expression = parser.whole()?;
    match parser.tokens.last() {
        None => Ok(expression),
        Some(more) => Err(format!("{more:?} after the end")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::math::{Named, Outcome, Series};
    use super::*;

    fn points<const N: usize>(values: [Option<i32>; N]) -> Series {
        values.iter().map(|value| value.map(f64::from)).collect()
    }

    /// The series of the user guide's examples.
    struct Guide;

    impl Named for Guide {
        fn length(&self) -> usize {
            4
        }

        fn of(&self, id: &str) -> Outcome {
            Outcome::Series(match id {
                "metric1" => points([Some(30), Some(20), Some(0), Some(0)]),
                "metric2" => points([Some(20), None, Some(20), None]),
                "nothing" => points([None, None, None, None]),
                _ => points([Some(1), Some(2), None, Some(4)]),
            })
        }

        fn metrics(&self, part: &str) -> Vec<Series> {
            let named = ["metric1", "metric2"].iter().filter(|id| id.contains(part));
            let series = named.map(|id| match self.of(id) {
                Outcome::Series(series) => series,
                _ => Series::new(),
            });
            series.collect()
        }
    }

    #[test]
    fn expressions_give_what_the_user_guide_says() {
        let cases: [(&str, [Option<i32>; 4]); 30] = [
            ("metric1 < metric2", [Some(0), Some(0), Some(1), Some(0)]),
            ("metric1 >= 30", [Some(1), Some(0), Some(0), Some(0)]),
            (
                "metric1 > 15 AND metric2 > 15",
                [Some(1), Some(0), Some(0), Some(0)],
            ),
            (
                "metric1 > 15 && metric2 > 15",
                [Some(1), Some(0), Some(0), Some(0)],
            ),
            (
                "metric1 > 15 OR metric2 > 15",
                [Some(1), Some(1), Some(1), Some(0)],
            ),
            ("metric2 > 15", [Some(1), None, Some(1), None]),
            ("metric1 == 20", [Some(0), Some(1), Some(0), Some(0)]),
            ("metric1 != 20", [Some(1), Some(0), Some(1), Some(1)]),
            ("metric1 + metric2", [Some(50), Some(20), Some(20), Some(0)]),
            ("metric2 + 1", [Some(21), None, Some(21), None]),
            ("2 + 3 * metric2", [Some(62), None, Some(62), None]),
            ("(2 + 3) * metric2", [Some(100), None, Some(100), None]),
            ("-metric2 - -5", [Some(-15), None, Some(-15), None]),
            (
                "10 - 2 - 3 + 0 * metric1",
                [Some(5), Some(5), Some(5), Some(5)],
            ),
            ("60 / metric1", [Some(2), Some(3), None, None]),
            ("metric2 / nothing", [None, None, None, None]),
            ("FILL(metric2, 7)", [Some(20), Some(7), Some(20), Some(7)]),
            (
                "FILL(metric2, REPEAT)",
                [Some(20), Some(20), Some(20), Some(20)],
            ),
            ("FILL(nothing, 0)", [Some(0), Some(0), Some(0), Some(0)]),
            ("FILL(nothing, REPEAT)", [None, None, None, None]),
            (
                "SUM([metric1, metric2])",
                [Some(50), Some(20), Some(20), Some(0)],
            ),
            (
                "AVG([metric1, metric2])",
                [Some(25), Some(10), Some(10), Some(0)],
            ),
            ("MAX(METRICS())", [Some(30), Some(20), Some(20), Some(0)]),
            ("MIN(METRICS(\"2\"))", [Some(20), None, Some(20), None]),
            ("SUM(METRICS() / 10)", [Some(5), Some(2), Some(2), Some(0)]),
            (
                "SUM(FILL(METRICS(), 1))",
                [Some(50), Some(21), Some(20), Some(1)],
            ),
            (
                "TIME_SERIES(MAX(metric1))",
                [Some(30), Some(30), Some(30), Some(30)],
            ),
            ("m3 * SUM(metric2)", [Some(40), Some(80), None, Some(160)]),
            (
                "IF(metric1 > 15, metric2, 5)",
                [Some(20), Some(0), Some(5), Some(5)],
            ),
            ("IF(metric2, 1)", [Some(1), None, Some(1), None]),
        ];
        for (text, expected) in cases {
            let outcome = parse(text).unwrap().evaluate(&Guide);
            assert_eq!(outcome, Outcome::Series(points(expected)), "{text}");
        }
    }

    /// The tables of "Using IF expressions".
    #[test]
    fn if_drops_and_fills_as_the_user_guide_says() {
        struct Tables;
        impl Named for Tables {
            fn length(&self) -> usize {
                5
            }
            fn of(&self, id: &str) -> Outcome {
                Outcome::Series(match id {
                    "metric1" => points([Some(1), Some(1), Some(0), Some(0), None]),
                    "metric2" => points([Some(30), None, Some(0), Some(0), Some(30)]),
                    _ => points([Some(0), Some(0), Some(20), None, Some(20)]),
                })
            }
            fn metrics(&self, _: &str) -> Vec<Series> {
                Vec::new()
            }
        }
        let cases = [
            (
                "IF(metric1, metric2, metric3)",
                [Some(30), Some(0), Some(20), None, None],
            ),
            (
                "IF(metric1, 5, metric3)",
                [Some(5), Some(5), Some(20), None, None],
            ),
            (
                "IF(metric1, metric2, 5)",
                [Some(30), Some(0), Some(5), Some(5), None],
            ),
            (
                "IF(1, metric2, metric3)",
                [Some(30), None, Some(0), Some(0), Some(30)],
            ),
            ("IF(0, metric2)", [None; 5]),
        ];
        for (text, expected) in cases {
            let outcome = parse(text).unwrap().evaluate(&Tables);
            assert_eq!(outcome, Outcome::Series(points(expected)), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let wrong = [
            "",
            "m1 +",
            "(m1",
            "m1)",
            "[m1, m2",
            "m1 m2",
            "NOT(m1)",
            "!m1",
            "m1 ^ 2",
            "sum(m1)",
            "SUM",
            "SUM()",
            "IF(m1)",
            "FILL(m1)",
            "FILL(m1, LINEAR)",
            "RATE(m1)",
            "METRICS(\"a)",
            "1.2.3",
            "m1 = 2",
            "m1 ? 2",
            "OR m1",
        ];
        for text in wrong {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
