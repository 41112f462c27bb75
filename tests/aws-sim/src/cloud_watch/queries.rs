//! What an alarm watches. In: the metric or the queries of a request. Out: queries that can be evaluated, or the refusal.
//! Pure. Invariants: exactly one query is returned, every id an expression names exists, and no expression names itself.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::math::Expression;
use super::math_kinds::{self, Kind};
use super::{math_parser, refuse};
use crate::errors::AwsError;

/// Metrics in the expression of an alarm (CloudWatch user guide, Alarms on math expressions).
const MOST_METRICS: usize = 10;

/// The name of a metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MetricKey {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) dimensions: BTreeMap<String, String>,
}

impl MetricKey {
    /// `Namespace`, `MetricName` and `Dimensions` of a request.
    pub(super) fn read(value: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let dimensions = value["Dimensions"].as_array().into_iter().flatten();
        Self {
            namespace: text(&value["Namespace"]),
            name: text(&value["MetricName"]),
            dimensions: dimensions
                .map(|one| (text(&one["Name"]), text(&one["Value"])))
                .collect(),
        }
    }
}

/// What the samples of a period become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statistic {
    Average,
    Sum,
    SampleCount,
    Maximum,
    Minimum,
}

impl Statistic {
    fn read(text: &str) -> Result<Self, AwsError> {
        match text {
            "Average" => Ok(Self::Average),
            "Sum" => Ok(Self::Sum),
            "SampleCount" => Ok(Self::SampleCount),
            "Maximum" => Ok(Self::Maximum),
            "Minimum" => Ok(Self::Minimum),
            other => Err(AwsError::not_implemented(format!(
                "monitoring: the statistic {other}"
            ))),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Source {
    Metric(MetricKey, Statistic),
    Math(Expression),
}

#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) id: String,
    pub(super) source: Source,
}

/// The queries of an alarm.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    pub(super) queries: Vec<Query>,
    /// The id of the one that is compared with the threshold.
    pub(super) returned: String,
    /// In minutes.
    pub(super) period: u64,
}

/// Seconds as minutes.
fn minutes(period: &Value) -> Result<u64, AwsError> {
    match period.as_u64() {
        None => Err(refuse("Period is required.")),
        Some(10 | 20 | 30) => Err(AwsError::not_implemented(
            "monitoring: periods below a minute",
        )),
        Some(seconds) if seconds >= 60 && seconds % 60 == 0 => Ok(seconds / 60),
        Some(_) => Err(refuse("Period must be 10, 20, 30 or a multiple of 60.")),
    }
}

impl Watched {
    /// Of `PutMetricAlarm`: either the members of one metric, or `Metrics`.
    pub(super) fn parse(body: &Value) -> Result<Self, AwsError> {
        let is_single = !body["MetricName"].is_null();
        match body["Metrics"].as_array() {
            Some(_) if is_single => Err(AwsError::new(
                "InvalidParameterCombination",
                "Metrics excludes MetricName.",
            )),
            Some(queries) => Self::of_queries(queries, body),
            None if is_single => Self::of_metric(body),
            None => Err(refuse("Either MetricName or Metrics is required.")),
        }
    }

    fn of_metric(body: &Value) -> Result<Self, AwsError> {
        if !body["ExtendedStatistic"].is_null() {
            return Err(AwsError::not_implemented("monitoring: ExtendedStatistic"));
        }
        let Some(statistic) = body["Statistic"].as_str() else {
            return Err(refuse("Statistic is required with MetricName."));
        };
        if body["Namespace"].is_null() {
            return Err(refuse("Namespace is required with MetricName."));
        }
        let source = Source::Metric(MetricKey::read(body), Statistic::read(statistic)?);
        let query = Query {
            id: "m1".to_owned(),
            source,
        };
        Ok(Self {
            returned: query.id.clone(),
            queries: vec![query],
            period: minutes(&body["Period"])?,
        })
    }

    fn of_queries(queries: &[Value], body: &Value) -> Result<Self, AwsError> {
        let single = ["Namespace", "Dimensions", "Period", "Unit", "Statistic"];
        if single.iter().any(|member| !body[*member].is_null()) {
            return Err(AwsError::new(
                "InvalidParameterCombination",
                "Metrics excludes the members of a single metric.",
            ));
        }
        let mut periods = Vec::new();
        let mut read = Vec::new();
        let mut returned = Vec::new();
        for query in queries {
            let one = Self::query(query, &mut periods)?;
            if read.iter().any(|other: &Query| other.id == one.id) {
                return Err(refuse(format!("The id {} is used twice.", one.id)));
            }
            if query["ReturnData"] != json!(false) {
                returned.push(one.id.clone());
            }
            read.push(one);
        }
        let [returned] = returned.as_slice() else {
            return Err(refuse("Exactly one of Metrics must return data."));
        };
        if periods.len() > MOST_METRICS {
            return Err(refuse(format!(
                "The expression of an alarm can have at most {MOST_METRICS} metrics."
            )));
        }
        periods.dedup();
        let &[period] = periods.as_slice() else {
            return Err(refuse(
                "An alarm needs at least one metric, and its metrics need the same period.",
            ));
        };
        let watched = Self {
            queries: read,
            returned: returned.clone(),
            period,
        };
        watched.check()?;
        Ok(watched)
    }

    fn query(query: &Value, periods: &mut Vec<u64>) -> Result<Query, AwsError> {
        let id = query["Id"].as_str().unwrap_or_default().to_owned();
        let well_formed = id.starts_with(|c: char| c.is_ascii_lowercase())
            && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !well_formed {
            return Err(refuse(format!("Invalid id '{id}' in Metrics.")));
        }
        if !query["AccountId"].is_null() {
            return Err(AwsError::not_implemented("monitoring: other accounts"));
        }
        let source = match (query["Expression"].as_str(), &query["MetricStat"]) {
            (Some(text), Value::Null) => {
                let expression = math_parser::parse(text).map_err(|wrong| {
                    refuse(format!("Error in expression '{id}': unexpected {wrong}."))
                })?;
                Source::Math(expression)
            }
            (None, stat) if stat.is_object() => {
                periods.push(minutes(&stat["Period"])?);
                let statistic = Statistic::read(stat["Stat"].as_str().unwrap_or_default())?;
                Source::Metric(MetricKey::read(&stat["Metric"]), statistic)
            }
            _ => {
                return Err(refuse(
                    "Each of Metrics needs either an Expression or a MetricStat.",
                ));
            }
        };
        Ok(Query { id, source })
    }

    /// Refuses what cannot be evaluated, or gives no single series.
    fn check(&self) -> Result<(), AwsError> {
        let of_all = self.queries.iter();
        for query in of_all {
            self.kind_of(&query.id, &mut Vec::new())
                .map_err(|wrong| refuse(format!("Error in expression '{}': {wrong}.", query.id)))?;
        }
        match self.kind_of(&self.returned, &mut Vec::new()) {
            Ok(Kind::Series) => Ok(()),
            _ => Err(refuse(
                "The expression of an alarm must give a single time series.",
            )),
        }
    }

    fn kind_of(&self, id: &str, above: &mut Vec<String>) -> Result<Kind, String> {
        if above.iter().any(|other| other == id) {
            return Err(format!("{id} names itself"));
        }
        let query = self.queries.iter().find(|query| query.id == id);
        let query = query.ok_or_else(|| format!("unknown id {id}"))?;
        match &query.source {
            Source::Metric(..) => Ok(Kind::Series),
            Source::Math(expression) => {
                above.push(id.to_owned());
                let kind = math_kinds::kind(expression, &mut |inner| self.kind_of(inner, above));
                above.pop();
                kind
            }
        }
    }
}
