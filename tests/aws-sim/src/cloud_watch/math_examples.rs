//! The examples of the CloudWatch user guide, Using math expressions with CloudWatch metrics.

use super::math::{Named, Outcome, Series};
use super::math_parser::parse;

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
