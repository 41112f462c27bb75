//! When a scheduled action takes place. In: an `at`, `rate` or `cron` expression and a time zone. Out: its next
//! moment after another. Pure, but for the system's time zone database.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::cron::Cron;
use super::refuse;
use crate::clock::Moment;
use crate::errors::AwsError;

#[derive(Debug, Clone)]
enum Rule {
    At(DateTime),
    Every(Duration),
    Cron(Cron),
}

/// A schedule in its time zone.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    rule: Rule,
    zone: TimeZone,
}

/// `rate(5 minutes)`: a positive number and one of AWS's six words (Application Auto Scaling API reference,
/// PutScheduledAction).
fn rate(text: &str) -> Option<Duration> {
    let (number, unit) = text.trim().split_once(char::is_whitespace)?;
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    let seconds = match unit.trim() {
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3600,
        "day" | "days" => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

fn moment(timestamp: Timestamp) -> Option<Moment> {
    u64::try_from(timestamp.as_millisecond()).ok().map(Moment)
}

impl Schedule {
    pub(super) fn parse(expression: &str, zone: Option<&str>) -> Result<Self, AwsError> {
        let zone = match zone {
            None | Some("UTC") => TimeZone::UTC,
            Some(name) => TimeZone::get(name)
                .map_err(|_| refuse(format!("Timezone {name} is not supported.")))?,
        };
        let invalid = || refuse(format!("Invalid schedule expression: {expression}"));
        let (kind, inner) = expression
            .strip_suffix(')')
            .and_then(|text| text.split_once('('))
            .ok_or_else(invalid)?;
        let rule = match kind {
            "at" => DateTime::strptime("%Y-%m-%dT%H:%M:%S", inner)
                .map(Rule::At)
                .map_err(|_| invalid())?,
            "rate" => Rule::Every(rate(inner).ok_or_else(invalid)?),
            "cron" => Rule::Cron(Cron::parse(inner)?.ok_or_else(invalid)?),
            _ => return Err(invalid()),
        };
        Ok(Self { rule, zone })
    }

    /// Whether it is more than one moment.
    pub(super) fn recurs(&self) -> bool {
        !matches!(self.rule, Rule::At(_))
    }

    /// The first moment after `after`. A rate counts from `origin`.
    pub(super) fn next(&self, after: Moment, origin: Moment) -> Option<Moment> {
        let timestamp = Timestamp::from_millisecond(i64::try_from(after.0).ok()?).ok()?;
        let instant = |local: DateTime| {
            // A local time that a change of clocks skips or repeats is taken as the earlier offset has it.
            let zoned = self.zone.to_ambiguous_zoned(local).compatible().ok()?;
            moment(zoned.timestamp())
        };
        match &self.rule {
            Rule::At(local) => instant(*local).filter(|at| *at > after),
            Rule::Every(period) => {
                let period = u64::try_from(period.as_millis()).ok()?;
                let passed = after.0.saturating_sub(origin.0) / period;
                Some(Moment(origin.0 + (passed + 1) * period))
            }
            Rule::Cron(cron) => {
                let local = self.zone.to_datetime(timestamp);
                // Clocks turned back make an earlier local time the later moment, so start a little before.
                let from = local.saturating_sub(jiff::Span::new().hours(3));
                cron.from(from).filter_map(instant).find(|at| *at > after)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        moment(text.parse::<Timestamp>().unwrap()).unwrap()
    }

    #[test]
    fn the_next_moment_of_each_kind() {
        let cases = [
            (
                "at(2026-03-01T08:00:00)",
                None,
                "2026-02-01T00:00:00Z",
                Some("2026-03-01T08:00:00Z"),
            ),
            (
                "at(2026-03-01T08:00:00)",
                None,
                "2026-03-01T08:00:00Z",
                None,
            ),
            (
                "at(2026-03-01T08:00:00)",
                Some("America/New_York"),
                "2026-02-01T00:00:00Z",
                Some("2026-03-01T13:00:00Z"),
            ),
            (
                "rate(5 minutes)",
                None,
                "2026-01-01T00:07:00Z",
                Some("2026-01-01T00:10:00Z"),
            ),
            (
                "rate(1 day)",
                None,
                "2026-01-01T00:00:00Z",
                Some("2026-01-02T00:00:00Z"),
            ),
            (
                "cron(0 8 ? * MON-FRI *)",
                None,
                "2026-01-02T08:00:00Z",
                Some("2026-01-05T08:00:00Z"),
            ),
            (
                "cron(0 8 * * ? *)",
                Some("Europe/Berlin"),
                "2026-03-28T12:00:00Z",
                Some("2026-03-29T06:00:00Z"),
            ),
            // 02:30 does not exist on that day: clocks go from 02:00 to 03:00.
            (
                "cron(30 2 * * ? *)",
                Some("Europe/Berlin"),
                "2026-03-28T12:00:00Z",
                Some("2026-03-29T01:30:00Z"),
            ),
            // 02:30 comes twice on that day; the first one counts.
            (
                "cron(30 2 * * ? *)",
                Some("Europe/Berlin"),
                "2026-10-24T12:00:00Z",
                Some("2026-10-25T00:30:00Z"),
            ),
            (
                "cron(0/15 9 1,15 * ? 2027)",
                None,
                "2026-05-05T00:00:00Z",
                Some("2027-01-01T09:00:00Z"),
            ),
            ("cron(0 0 31 2 ? *)", None, "2026-05-05T00:00:00Z", None),
            ("cron(0 0 1 1 ? 2020)", None, "2026-05-05T00:00:00Z", None),
        ];
        for (expression, zone, after, expected) in cases {
            let schedule = Schedule::parse(expression, zone).unwrap();
            let next = schedule.next(at(after), at("2026-01-01T00:00:00Z"));
            assert_eq!(
                next,
                expected.map(at),
                "{expression} in {zone:?} after {after}"
            );
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        let wrong = [
            "",
            "cron",
            "cron()",
            "at(tomorrow)",
            "rate(0 minutes)",
            "rate(5 seconds)",
            "rate(five minutes)",
            "cron(0 8 * * *)",
            "cron(0 8 * * * *)",
            "cron(0 8 ? * ? *)",
            "cron(60 8 * * ? *)",
            "cron(0 24 * * ? *)",
            "cron(0 8 0 * ? *)",
            "cron(0 8 * 13 ? *)",
            "cron(0 8 ? * 8 *)",
            "cron(0 8 ? * FOO *)",
            "cron(0/0 8 * * ? *)",
            "cron(5-1 8 * * ? *)",
            "cron(? 8 * * ? *)",
        ];
        for expression in wrong {
            let refused = Schedule::parse(expression, None).unwrap_err();
            assert_eq!(refused.code, "ValidationException", "{expression}");
        }
        let refused = Schedule::parse("rate(1 day)", Some("Mars/Base")).unwrap_err();
        assert_eq!(refused.code, "ValidationException");
        let unmodelled = Schedule::parse("cron(0 8 L * ? *)", None).unwrap_err();
        assert_eq!(unmodelled.status, 501);
    }
}
