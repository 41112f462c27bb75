//! The data points of metrics. In: samples of a minute. Out: the statistic of each of a row of periods. Pure. Invariant: a
//! minute without samples has no data point.

use std::collections::BTreeMap;

use super::math::Series;
use super::queries::{MetricKey, Statistic};

/// What is kept of the samples of a minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Summary {
    count: f64,
    sum: f64,
    smallest: f64,
    largest: f64,
}

impl Summary {
    fn of(value: f64) -> Self {
        Self {
            count: 1.0,
            sum: value,
            smallest: value,
            largest: value,
        }
    }

    fn with(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            smallest: self.smallest.min(other.smallest),
            largest: self.largest.max(other.largest),
        }
    }

    fn statistic(self, statistic: Statistic) -> f64 {
        match statistic {
            Statistic::Average => self.sum / self.count,
            Statistic::Sum => self.sum,
            Statistic::SampleCount => self.count,
            Statistic::Minimum => self.smallest,
            Statistic::Maximum => self.largest,
        }
    }
}

/// A row of periods that touch each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// The first minute after it, in minutes since the Unix epoch.
    pub(super) end: u64,
    /// Minutes in a period.
    pub(super) period: u64,
    /// Number of periods.
    pub(super) count: usize,
}

/// All data points, by metric and minute since the Unix epoch.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    points: BTreeMap<MetricKey, BTreeMap<u64, Summary>>,
}

impl Metrics {
    /// Adds samples to a minute.
    pub(crate) fn add(&mut self, key: MetricKey, minute: u64, values: &[f64]) {
        let samples = values.iter().map(|value| Summary::of(*value));
        let Some(samples) = samples.reduce(Summary::with) else {
            return;
        };
        let minutes = self.points.entry(key).or_default();
        minutes
            .entry(minute)
            .and_modify(|before| *before = before.with(samples))
            .or_insert(samples);
    }

    /// Forgets what lies before a minute.
    pub(super) fn forget_before(&mut self, minute: u64) {
        self.points.retain(|_, minutes| {
            while minutes
                .first_key_value()
                .is_some_and(|(at, _)| *at < minute)
            {
                minutes.pop_first();
            }
            !minutes.is_empty()
        });
    }

    /// The statistic of each period of a window, the oldest first.
    pub(super) fn series(&self, key: &MetricKey, statistic: Statistic, window: Window) -> Series {
        let minutes = self.points.get(key);
        let period = |back: usize| {
            let minutes = minutes?;
            let end = window.end.saturating_sub(window.period * back as u64);
            let start = end.saturating_sub(window.period);
            let samples = minutes.range(start..end).map(|(_, summary)| *summary);
            samples
                .reduce(Summary::with)
                .map(|summary| summary.statistic(statistic))
        };
        (0..window.count).rev().map(period).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_periods() {
        let key = MetricKey {
            namespace: "App".to_owned(),
            name: "Queue".to_owned(),
            dimensions: BTreeMap::new(),
        };
        let mut metrics = Metrics::default();
        metrics.add(key.clone(), 10, &[1.0, 3.0]);
        metrics.add(key.clone(), 10, &[5.0]);
        metrics.add(key.clone(), 11, &[]);
        metrics.add(key.clone(), 13, &[7.0]);
        let series = |statistic, end, period, count| {
            let window = Window { end, period, count };
            metrics.series(&key, statistic, window)
        };
        assert_eq!(
            series(Statistic::Average, 14, 1, 5),
            [None, Some(3.0), None, None, Some(7.0)]
        );
        assert_eq!(series(Statistic::Sum, 14, 2, 2), [Some(9.0), Some(7.0)]);
        assert_eq!(series(Statistic::SampleCount, 14, 5, 1), [Some(4.0)]);
        assert_eq!(series(Statistic::Minimum, 14, 5, 1), [Some(1.0)]);
        assert_eq!(series(Statistic::Maximum, 13, 5, 1), [Some(5.0)]);
        metrics.forget_before(11);
        let window = Window {
            end: 14,
            period: 4,
            count: 1,
        };
        assert_eq!(metrics.series(&key, Statistic::Sum, window), [Some(7.0)]);
    }
}
