//! When a schedule is past. Pure; time is an argument.

use super::parts::ScheduledAction;
use k8s_openapi::jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use std::str::FromStr;

/// The latest time zone there is: what is past there is past everywhere.
const LATEST_ZONE: SignedDuration = SignedDuration::from_hours(12);

/// True if an action was for one time only and that is over for sure. Rules of time zones are not at hand here: with one, it is over when it
/// is over in every zone.
pub(super) fn is_past(action: &ScheduledAction, now: Timestamp) -> bool {
    let Some(at) = action
        .expression
        .strip_prefix("at(")
        .and_then(|rest| rest.strip_suffix(')'))
        .and_then(|text| DateTime::from_str(text).ok())
        .and_then(|at| at.to_zoned(TimeZone::UTC).ok())
    else {
        return false;
    };
    let slack = match action.timezone.as_deref() {
        None | Some("UTC") => SignedDuration::ZERO,
        Some(_) => LATEST_ZONE,
    };
    at.timestamp()
        .checked_add(slack)
        .is_ok_and(|over| over <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(expression: &str, timezone: Option<&str>) -> ScheduledAction {
        ScheduledAction {
            expression: expression.into(),
            timezone: timezone.map(Into::into),
            min: Some(1),
            max: Some(2),
            limited: false,
        }
    }

    #[test]
    fn only_one_time_is_ever_past_and_with_a_zone_only_when_it_is_everywhere() {
        let now: Timestamp = "2027-01-31T12:00:00Z".parse().unwrap();
        let cases = [
            ("at(2027-01-31T11:59:59)", None, true),
            ("at(2027-01-31T12:00:01)", None, false),
            ("at(2027-01-31T11:59:59)", Some("Europe/Berlin"), false),
            ("at(2027-01-30T23:59:59)", Some("Europe/Berlin"), true),
            ("cron(0 20 ? * * *)", None, false),
            ("rate(1 day)", None, false),
        ];
        for (expression, timezone, past) in cases {
            assert_eq!(
                is_past(&action(expression, timezone), now),
                past,
                "{expression} {timezone:?}"
            );
        }
    }
}
