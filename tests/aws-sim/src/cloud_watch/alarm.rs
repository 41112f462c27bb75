//! One alarm. In: its configuration. Out: its JSON as DescribeAlarms shows it. Pure.

use serde_json::{Value, json};

use super::alarm_rules::Rules;
use super::tags::Tags;
use crate::clock::Moment;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Ok,
    Alarm,
    InsufficientData,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            State::Ok => "OK",
            State::Alarm => "ALARM",
            State::InsufficientData => "INSUFFICIENT_DATA",
        }
    }

    /// The actions of an alarm in this state.
    pub(super) fn actions(self) -> &'static str {
        match self {
            State::Ok => "OKActions",
            State::Alarm => "AlarmActions",
            State::InsufficientData => "InsufficientDataActions",
        }
    }
}

/// A metric alarm.
#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    pub(super) arn: String,
    /// As it was asked for, without tags.
    pub(super) configuration: Value,
    pub(super) rules: Rules,
    pub(super) tags: Tags,
    pub(super) configured: Moment,
    pub(crate) state: State,
    pub(super) reason: String,
    pub(super) updated: Moment,
    pub(super) transitioned: Moment,
}

impl Alarm {
    /// The actions it takes in a state, if they are enabled.
    pub(super) fn actions(&self, state: State) -> impl Iterator<Item = &str> {
        let enabled = self.configuration["ActionsEnabled"] != json!(false);
        let actions = self.configuration[state.actions()].as_array();
        let actions = actions.filter(|_| enabled).into_iter().flatten();
        actions.filter_map(Value::as_str)
    }

    /// Its actions in whatever state.
    pub(super) fn all_actions(&self) -> impl Iterator<Item = &str> {
        [State::Ok, State::Alarm, State::InsufficientData]
            .into_iter()
            .filter_map(|state| self.configuration[state.actions()].as_array())
            .flatten()
            .filter_map(Value::as_str)
    }

    pub(crate) fn name(&self) -> &str {
        self.configuration["AlarmName"].as_str().unwrap_or_default()
    }

    /// As policies name it.
    pub(crate) fn reference(&self) -> Value {
        json!({"AlarmName": self.name(), "AlarmARN": self.arn})
    }

    pub(super) fn to_json(&self) -> Value {
        let mut shown = self.configuration.clone();
        let lists = ["OKActions", "AlarmActions", "InsufficientDataActions"];
        let lists = lists.map(|member| (member, json!([])));
        let defaults = [("ActionsEnabled", json!(true)), ("Dimensions", json!([]))];
        for (member, default) in lists.into_iter().chain(defaults) {
            if shown[member].is_null() {
                shown[member] = default;
            }
        }
        let state = json!({
            "AlarmArn": self.arn,
            "AlarmConfigurationUpdatedTimestamp": self.configured.seconds(),
            "StateValue": self.state.as_str(),
            "StateReason": self.reason,
            "StateUpdatedTimestamp": self.updated.seconds(),
            "StateTransitionedTimestamp": self.transitioned.seconds(),
        });
        if let (Some(shown), Value::Object(state)) = (shown.as_object_mut(), state) {
            shown.extend(state);
        }
        shown
    }
}
