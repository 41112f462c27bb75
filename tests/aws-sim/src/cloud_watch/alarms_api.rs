//! PutMetricAlarm, DescribeAlarms, DeleteAlarms. In: request JSON. Out: stored alarms. No IO.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::alarm::{Alarm, State};
use super::{CloudWatch, alarm_rules, refuse, tags};
use crate::clock::Moment;
use crate::ecs::world::World;
use crate::errors::AwsError;

/// Alarms in a page unless asked for otherwise: assumed, the API reference names none.
const PAGE: usize = 50;

impl World {
    /// An update replaces the whole configuration and leaves state and tags (CloudWatch API reference, PutMetricAlarm).
    pub(crate) fn put_metric_alarm(
        &mut self,
        body: &Value,
        now: Moment,
    ) -> Result<Value, AwsError> {
        let rules = alarm_rules::parse(body)?;
        let tags = tags::parse(&body["Tags"])?;
        let mut configuration = body.clone();
        if let Some(members) = configuration.as_object_mut() {
            members.remove("Tags");
        }
        let name = body["AlarmName"].as_str().unwrap_or_default().to_owned();
        if let Some(alarm) = self.cloud_watch.alarms.get_mut(&name) {
            alarm.configuration = configuration;
            alarm.rules = rules;
            alarm.configured = now;
            return Ok(json!({}));
        }
        let alarm = Alarm {
            arn: format!(
                "arn:aws:cloudwatch:{}:{}:alarm:{name}",
                self.options.region, self.options.account
            ),
            configuration,
            rules,
            tags,
            configured: now,
            state: State::InsufficientData,
            reason: "Unchecked: Initial alarm creation".to_owned(),
            updated: now,
            transitioned: now,
        };
        self.cloud_watch.alarms.insert(name, alarm);
        Ok(json!({}))
    }

    /// Removes an alarm; deployments that watch it no longer see it in ALARM. Whether there was one.
    pub(crate) fn remove_alarm(&mut self, name: &str, now: Moment) -> bool {
        let removed = self.cloud_watch.alarms.remove(name);
        if removed
            .as_ref()
            .is_some_and(|one| one.state == State::Alarm)
        {
            self.set_alarm(name, false, now);
        }
        removed.is_some()
    }

    /// The known ones go even if others are unknown (CloudWatch API reference, DeleteAlarms).
    pub(super) fn delete_alarms(&mut self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let names = texts(&body["AlarmNames"]);
        check_count(&names)?;
        let mut unknown = Vec::new();
        for name in names {
            if !self.remove_alarm(&name, now) {
                unknown.push(name);
            }
        }
        if unknown.is_empty() {
            return Ok(json!({}));
        }
        Err(AwsError {
            status: 404,
            ..AwsError::new(
                "ResourceNotFound",
                format!("Unknown alarms: {}", unknown.join(", ")),
            )
        })
    }
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

fn check_count(names: &[String]) -> Result<(), AwsError> {
    if names.len() > 100 {
        return Err(refuse("AlarmNames can have at most 100 items."));
    }
    Ok(())
}

impl CloudWatch {
    pub(super) fn describe_alarms(&self, body: &Value) -> Result<Value, AwsError> {
        for member in ["ChildrenOfAlarmName", "ParentsOfAlarmName"] {
            if !body[member].is_null() {
                return Err(AwsError::not_implemented(format!("monitoring: {member}")));
            }
        }
        let names = body["AlarmNames"]
            .is_array()
            .then(|| texts(&body["AlarmNames"]));
        let prefix = body["AlarmNamePrefix"].as_str();
        if names.is_some() && prefix.is_some() {
            return Err(refuse("AlarmNamePrefix excludes AlarmNames."));
        }
        check_count(names.as_deref().unwrap_or_default())?;
        let names: Option<BTreeSet<String>> = names.map(|names| names.into_iter().collect());
        let types = texts(&body["AlarmTypes"]);
        let wanted = |alarm: &&Alarm| {
            let name = alarm.name();
            let action = body["ActionPrefix"].as_str();
            (types.is_empty() || types.iter().any(|one| one == "MetricAlarm"))
                && names.as_ref().is_none_or(|names| names.contains(name))
                && prefix.is_none_or(|prefix| name.starts_with(prefix))
                && body["StateValue"]
                    .as_str()
                    .is_none_or(|state| state == alarm.state.as_str())
                && action
                    .is_none_or(|action| alarm.all_actions().any(|one| one.starts_with(action)))
        };
        let size = match &body["MaxRecords"] {
            Value::Null => PAGE,
            value => value
                .as_u64()
                .and_then(|size| usize::try_from(size).ok())
                .filter(|size| (1..=100).contains(size))
                .ok_or_else(|| refuse("MaxRecords must be between 1 and 100."))?,
        };
        // A token names the last alarm shown, so that changes in between neither hide nor repeat one.
        let after = match &body["NextToken"] {
            Value::Null => None,
            token => Some(
                token
                    .as_str()
                    .and_then(|token| token.strip_prefix("after-"))
                    .ok_or_else(|| AwsError::new("InvalidNextToken", "Invalid token."))?,
            ),
        };
        let mut found = self
            .alarms
            .values()
            .filter(wanted)
            .filter(|alarm| after.is_none_or(|after| alarm.name() > after));
        let page: Vec<&Alarm> = found.by_ref().take(size).collect();
        let shown: Vec<Value> = page.iter().map(|alarm| alarm.to_json()).collect();
        let mut answer = json!({"MetricAlarms": shown, "CompositeAlarms": []});
        if let (Some(last), Some(_)) = (page.last(), found.next()) {
            answer["NextToken"] = json!(format!("after-{}", last.name()));
        }
        Ok(answer)
    }
}
