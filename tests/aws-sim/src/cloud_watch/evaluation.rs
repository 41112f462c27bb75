//! Alarms over time. In: the end of a minute. Out: their states, and the actions they take. No IO. Rules: CloudWatch user
//! guide, Evaluating an alarm: every minute, whatever the period, over a window that ends now.

use super::alarm::{Alarm, State};
use super::alarm_rules::{Comparison, Rules};
use super::math::{Named, Outcome, Series};
use super::metrics::{Metrics, Window};
use super::queries::{Source, Watched};
use super::states::{self, Needed};
use crate::clock::Moment;
use crate::ecs::world::World;

/// For how long data points are kept at least, in minutes.
const KEPT: u64 = 180;

/// An alarm that invokes an action.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Invocation {
    pub(crate) alarm: String,
    pub(crate) state: State,
    pub(crate) action: String,
    pub(crate) threshold: f64,
    /// Whether it watches for values above the threshold.
    pub(crate) is_upper: bool,
    /// The data points that were evaluated, the oldest first.
    pub(crate) values: Vec<f64>,
}

impl Comparison {
    fn breaches(self, value: f64, threshold: f64) -> bool {
        match self {
            Comparison::Greater => value > threshold,
            Comparison::GreaterOrEqual => value >= threshold,
            Comparison::Less => value < threshold,
            Comparison::LessOrEqual => value <= threshold,
        }
    }
}

/// The queries of an alarm over a window.
struct View<'a> {
    watched: &'a Watched,
    metrics: &'a Metrics,
    window: Window,
}

impl Named for View<'_> {
    fn length(&self) -> usize {
        self.window.count
    }

    fn of(&self, id: &str) -> Outcome {
        let query = self.watched.queries.iter().find(|query| query.id == id);
        match query.map(|query| &query.source) {
            Some(Source::Metric(key, statistic)) => {
                Outcome::Series(self.metrics.series(key, *statistic, self.window))
            }
            Some(Source::Math(expression)) => expression.evaluate(self),
            // Refused when the alarm is put.
            None => Outcome::Series(vec![None; self.window.count]),
        }
    }

    fn metrics(&self, part: &str) -> Vec<Series> {
        let queries = self.watched.queries.iter();
        let queries = queries.filter(|query| query.id.contains(part));
        let series = queries.filter_map(|query| match &query.source {
            Source::Metric(key, statistic) => {
                Some(self.metrics.series(key, *statistic, self.window))
            }
            Source::Math(_) => None,
        });
        series.collect()
    }
}

impl Rules {
    /// The values of the evaluation range that ends with the minute before `end`.
    fn values(&self, metrics: &Metrics, end: u64, extra: usize) -> Series {
        let window = Window {
            end,
            period: self.watched.period,
            count: self.periods + extra,
        };
        let view = View {
            watched: &self.watched,
            metrics,
            window,
        };
        match view.of(&self.watched.returned) {
            Outcome::Series(series) => series,
            Outcome::Number(number) => vec![Some(number); window.count],
            Outcome::Several(_) => vec![None; window.count],
        }
    }

    /// The minutes an evaluation looks back.
    fn reach(&self, extra: usize) -> u64 {
        self.watched.period * (self.periods + extra) as u64
    }
}

impl Alarm {
    /// Looks at the data points; returns those that were evaluated.
    fn evaluate(&mut self, metrics: &Metrics, end: u64, extra: usize, now: Moment) -> Vec<f64> {
        let rules = &self.rules;
        let range = rules.values(metrics, end, extra);
        let breaches = |value: f64| rules.comparison.breaches(value, rules.threshold);
        let breaching: Vec<Option<bool>> = range.iter().map(|value| value.map(breaches)).collect();
        let needed = Needed {
            periods: rules.periods,
            datapoints: rules.datapoints,
        };
        let state = states::decide(&breaching, needed, rules.missing, self.state);
        let known = range.iter().rev().copied().flatten();
        let mut values: Vec<f64> = known.take(rules.periods).collect();
        values.reverse();
        if state != self.state {
            self.reason = format!(
                "Evaluated the datapoints {values:?}, of which {} out of {} must breach the threshold {:?}",
                rules.datapoints, rules.periods, rules.threshold
            );
            self.state = state;
            self.updated = now;
            self.transitioned = now;
        }
        values
    }
}

impl World {
    /// Evaluates all alarms at the end of a minute. Returns the actions of their states, whether these are new or not: that
    /// they go on is what Auto Scaling actions do (CloudWatch user guide, Alarm actions).
    pub(crate) fn evaluate_alarms(&mut self, now: Moment) -> Vec<Invocation> {
        let options = self.scaling_options();
        let delay = options.metric_delay.as_secs() / 60;
        let minute = now.0 / super::MINUTE;
        let extra = options.extra_datapoints;
        let cloud_watch = &mut self.cloud_watch;
        let reach = cloud_watch
            .alarms
            .values()
            .map(|alarm| alarm.rules.reach(extra));
        let kept = reach.max().unwrap_or(0).max(KEPT) + delay;
        cloud_watch
            .metrics
            .forget_before(minute.saturating_sub(kept));
        let mut invocations = Vec::new();
        let mut changed = Vec::new();
        for (name, alarm) in &mut cloud_watch.alarms {
            let before = alarm.state;
            let end = minute.saturating_sub(delay);
            let values = alarm.evaluate(&cloud_watch.metrics, end, extra, now);
            if (before == State::Alarm) != (alarm.state == State::Alarm) {
                changed.push((name.clone(), alarm.state == State::Alarm));
            }
            let rules = &alarm.rules;
            let is_upper = matches!(
                rules.comparison,
                Comparison::Greater | Comparison::GreaterOrEqual
            );
            invocations.extend(alarm.actions(alarm.state).map(|action| Invocation {
                alarm: name.clone(),
                state: alarm.state,
                action: action.to_owned(),
                threshold: rules.threshold,
                is_upper,
                values: values.clone(),
            }));
        }
        for (name, in_alarm) in changed {
            self.set_alarm(&name, in_alarm, now);
        }
        invocations
    }
}
