//! AWS's cron expressions: six fields, minutes to years. In: text. Out: the local times it names, in order. Pure.
//! Rules: Amazon EventBridge user guide, Cron expressions reference, to which Application Auto Scaling refers. `L`, `W`
//! and `#` are not modelled.

use std::ops::RangeInclusive;

use jiff::civil::{Date, DateTime};

use crate::errors::AwsError;

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// The years AWS takes.
const YEARS: RangeInclusive<i16> = 1970..=2199;

/// A cron expression: the values of each field, ascending. `None` is `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cron {
    minutes: Vec<i16>,
    hours: Vec<i16>,
    days: Option<Vec<i16>>,
    months: Vec<i16>,
    /// From 1, Sunday.
    weekdays: Option<Vec<i16>>,
    years: Vec<i16>,
}

/// A number, or a name that stands for its position from 1.
fn number(text: &str, names: &[&str]) -> Option<i16> {
    let upper = text.to_uppercase();
    match names.iter().position(|name| *name == upper) {
        Some(index) => i16::try_from(index + 1).ok(),
        None => text.parse().ok(),
    }
}

/// `*`, `5`, `1-5`, `*/15`, `0/15`, `1-10/2`, and lists of these.
fn field(text: &str, range: &RangeInclusive<i16>, names: &[&str]) -> Option<Vec<i16>> {
    let mut values = Vec::new();
    for item in text.split(',') {
        let (span, step) = match item.split_once('/') {
            Some((span, step)) => (span, Some(step.parse().ok().filter(|step| *step > 0)?)),
            None => (item, None),
        };
        let span = match span.split_once('-') {
            _ if span == "*" => range.clone(),
            Some((from, to)) => number(from, names)?..=number(to, names)?,
            None => {
                let from = number(span, names)?;
                // With a step a single number is where it starts.
                from..=if step.is_some() { *range.end() } else { from }
            }
        };
        let fits = range.contains(span.start()) && range.contains(span.end());
        if !fits || span.is_empty() {
            return None;
        }
        values.extend(span.step_by(step.unwrap_or(1)));
    }
    values.sort_unstable();
    values.dedup();
    Some(values)
}

impl Cron {
    /// `None` if it is no cron expression.
    ///
    /// # Errors
    /// For what the simulator lacks.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, AwsError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[minutes, hours, day, month, weekday, year] = fields.as_slice() else {
            return Ok(None);
        };
        if day.contains(['L', 'W']) || weekday.contains('#') || weekday.ends_with('L') {
            return Err(AwsError::not_implemented(
                "application-autoscaling: L, W and # in cron expressions",
            ));
        }
        let read = || {
            let optional = |text: &str, range, names: &[&str]| match text {
                "?" => Some(None),
                _ => field(text, &range, names).map(Some),
            };
            Some(Self {
                minutes: field(minutes, &(0..=59), &[])?,
                hours: field(hours, &(0..=23), &[])?,
                days: optional(day, 1..=31, &[])?,
                months: field(month, &(1..=12), &MONTHS)?,
                weekdays: optional(weekday, 1..=7, &WEEKDAYS)?,
                years: field(year, &YEARS, &[])?,
            })
        };
        // One of the two days is `?`: "you must use a ? in the other".
        Ok(read().filter(|cron| cron.days.is_some() != cron.weekdays.is_some()))
    }

    fn is_on(&self, date: Date) -> bool {
        let weekday = i16::from(date.weekday().to_sunday_one_offset());
        let holds = |values: &Option<Vec<i16>>, value: i16| {
            values.as_ref().is_none_or(|values| values.contains(&value))
        };
        self.years.contains(&date.year())
            && self.months.contains(&i16::from(date.month()))
            && holds(&self.days, i16::from(date.day()))
            && holds(&self.weekdays, weekday)
    }

    /// The local times it names, from `from` on.
    pub(super) fn from(&self, from: DateTime) -> impl Iterator<Item = DateTime> {
        let first = self.years.first().copied().unwrap_or_default();
        let last = self.years.last().copied().unwrap_or_default();
        let start = from.date().max(Date::constant(first, 1, 1));
        let dates = start.series(jiff::Span::new().days(1));
        // A day that comes at all comes within eight years: 29 February may skip the turn of a century.
        let dates = dates
            .take(9 * 366)
            .take_while(move |date| date.year() <= last);
        let days = dates.filter(|date| self.is_on(*date));
        days.flat_map(move |date| {
            let hours = self.hours.iter();
            hours.flat_map(move |hour| {
                let minutes = self.minutes.iter();
                minutes.filter_map(move |minute| {
                    let hour = i8::try_from(*hour).ok()?;
                    let minute = i8::try_from(*minute).ok()?;
                    Some(date.at(hour, minute, 0, 0))
                })
            })
        })
        .filter(move |time| *time >= from)
    }
}
