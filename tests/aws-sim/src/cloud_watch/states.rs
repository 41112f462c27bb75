//! When an alarm changes its state. In: which data points breach, and how missing ones are treated. Out: the state. Pure.
//! Rules: CloudWatch user guide, How alarm state is evaluated when data is missing, with its tables.

use super::alarm::State;
use super::alarm_rules::Missing;

/// M out of N.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needed {
    /// N.
    pub(super) periods: usize,
    /// M.
    pub(super) datapoints: usize,
}

/// The state after a look at the evaluation range: whether each data point breaches, the oldest first.
pub(super) fn decide(
    range: &[Option<bool>],
    needed: Needed,
    missing: Missing,
    now: State,
) -> State {
    let known: Vec<bool> = range.iter().copied().flatten().collect();
    // The most recent N, if there are as many; older ones stand in for those that are missing.
    let evaluated: Vec<bool> = known.iter().rev().take(needed.periods).copied().collect();
    let breaching = evaluated.iter().filter(|breaches| **breaches).count();
    let to_fill = needed.periods - evaluated.len();
    if breaching >= needed.datapoints {
        return State::Alarm;
    }
    if to_fill == 0 {
        return State::Ok;
    }
    let is_sound = evaluated.iter().any(|breaches| !breaches);
    match missing {
        Missing::Breaching if breaching + to_fill >= needed.datapoints => State::Alarm,
        Missing::Breaching | Missing::NotBreaching => State::Ok,
        Missing::Ignore if is_sound => State::Ok,
        Missing::Ignore => now,
        Missing::Unknown if evaluated.is_empty() => State::InsufficientData,
        Missing::Unknown if is_sound => State::Ok,
        // "The oldest available breaching datapoint ... is at least as old as the value of Datapoints to Alarm, and all
        // other more recent data points are breaching or missing."
        Missing::Unknown => {
            let oldest = range
                .iter()
                .position(Option::is_some)
                .unwrap_or(range.len());
            let age = range.len() - oldest;
            if age >= needed.datapoints {
                State::Alarm
            } else {
                State::Ok
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `0` does not breach, `X` does, `-` is missing: as in the user guide.
    fn points(text: &str) -> Vec<Option<bool>> {
        let read = |point| match point {
            "0" => Some(false),
            "X" => Some(true),
            _ => None,
        };
        text.split(' ').map(read).collect()
    }

    fn check(datapoints: usize, text: &str, expected: [&str; 4]) {
        let needed = Needed {
            periods: 3,
            datapoints,
        };
        let treatments = [
            Missing::Unknown,
            Missing::Ignore,
            Missing::Breaching,
            Missing::NotBreaching,
        ];
        for (missing, expected) in treatments.into_iter().zip(expected) {
            for now in [State::Ok, State::Alarm, State::InsufficientData] {
                let state = decide(&points(text), needed, missing, now);
                let expected = match expected {
                    "retain" => now.as_str(),
                    other => other,
                };
                assert_eq!(state.as_str(), expected, "{text}, {missing:?} in {now:?}");
            }
        }
    }

    #[test]
    fn three_out_of_three_as_in_the_user_guide() {
        let rows = [
            ("0 - X - X", ["OK", "OK", "OK", "OK"]),
            ("0 - - - -", ["OK", "OK", "OK", "OK"]),
            ("- - - - -", ["INSUFFICIENT_DATA", "retain", "ALARM", "OK"]),
            ("0 X X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
            ("- - X - -", ["ALARM", "retain", "ALARM", "OK"]),
        ];
        for (text, expected) in rows {
            check(3, text, expected);
        }
    }

    #[test]
    fn two_out_of_three_as_in_the_user_guide() {
        let rows = [
            ("0 - X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
            ("0 0 X 0 X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
            ("0 - X - -", ["OK", "OK", "ALARM", "OK"]),
            ("- - - - 0", ["OK", "OK", "ALARM", "OK"]),
            ("- - - X -", ["ALARM", "retain", "ALARM", "OK"]),
        ];
        for (text, expected) in rows {
            check(2, text, expected);
        }
    }

    #[test]
    fn no_alarm_before_its_time() {
        for text in ["- - - - X", "- - - X -", "- - - X X"] {
            check(3, text, ["OK", "retain", "ALARM", "OK"]);
        }
        check(3, "0 0 X X X", ["ALARM"; 4]);
        check(3, "X X X X 0", ["OK"; 4]);
    }
}
