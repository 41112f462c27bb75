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
    use super::*;

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
