//! Scheduled actions. In: request JSON. Out: stored actions. No IO.

use serde_json::{Value, json};

use super::address;
use super::schedule::Schedule;
use super::{page, refuse, targets};
use crate::clock::Moment;
use crate::ecs::world::{ServiceKey, World};
use crate::errors::AwsError;

/// Scheduled actions of one target (AWS General Reference, Application Auto Scaling quotas).
const PER_TARGET: usize = 200;

/// New bounds of a target, and when they come into force.
#[derive(Debug, Clone)]
pub(super) struct ScheduledAction {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) created: Moment,
    /// As it was asked for.
    pub(super) expression: String,
    pub(super) time_zone: Option<String>,
    pub(super) start: Option<Moment>,
    pub(super) end: Option<Moment>,
    pub(super) minimum: Option<u32>,
    pub(super) maximum: Option<u32>,
    pub(super) schedule: Schedule,
    /// When it next takes place.
    pub(super) next: Option<Moment>,
}

impl ScheduledAction {
    /// At its start, if it recurs and has one, then as scheduled, until its end (Application Auto
    /// Scaling user guide, Schedule recurring scaling actions).
    fn next_after(&self, since: Moment) -> Option<Moment> {
        let start = self.start.filter(|_| self.schedule.recurs());
        let next = match start {
            Some(start) if since < start => Some(start),
            _ => self.schedule.next(since, start.unwrap_or(self.created)),
        };
        next.filter(|at| {
            self.end
                .is_none_or(|end| *at <= end || !self.schedule.recurs())
        })
    }

    /// Leaves everything until now behind.
    pub(super) fn plan(&mut self, now: Moment) {
        self.next = self.next_after(now);
    }

    pub(super) fn to_json(&self, key: &ServiceKey) -> Value {
        let mut bounds = json!({});
        let both = [("MinCapacity", self.minimum), ("MaxCapacity", self.maximum)];
        for (member, bound) in both {
            if let Some(bound) = bound {
                bounds[member] = json!(bound);
            }
        }
        let mut shown = json!({
            "ScheduledActionName": self.name,
            "ScheduledActionARN": self.arn,
            "ServiceNamespace": address::NAMESPACE,
            "ResourceId": address::resource_id(key),
            "ScalableDimension": address::DIMENSION,
            "Schedule": self.expression,
            "ScalableTargetAction": bounds,
            "CreationTime": self.created.seconds(),
        });
        if let Some(zone) = &self.time_zone {
            shown["Timezone"] = json!(zone);
        }
        let times = [("StartTime", self.start), ("EndTime", self.end)];
        for (member, time) in times {
            if let Some(time) = time {
                shown[member] = json!(time.seconds());
            }
        }
        shown
    }
}

fn moment(value: &Value) -> Result<Option<Moment>, AwsError> {
    let Some(seconds) = value.as_f64() else {
        return Ok(None);
    };
    let since_epoch = std::time::Duration::try_from_secs_f64(seconds);
    let since_epoch = since_epoch.map_err(|_| refuse("A time lies before 1970."))?;
    Ok(Some(Moment(0) + since_epoch))
}

/// Application Auto Scaling API reference, PutScheduledAction: no control characters, colons, slashes or bars, and no
/// blanks at the ends.
fn check_name(name: &str) -> Result<(), AwsError> {
    let fits = (1..=256).contains(&name.chars().count())
        && !name.contains([':', '/', '|'])
        && !name.chars().any(char::is_control)
        && name.trim() == name;
    if fits {
        Ok(())
    } else {
        Err(refuse("Invalid ScheduledActionName."))
    }
}

impl World {
    /// What is not given stays, but for the start and the end, which go (Application Auto Scaling API reference,
    /// PutScheduledAction).
    pub(super) fn put_scheduled_action(
        &mut self,
        body: &Value,
        now: Moment,
    ) -> Result<Value, AwsError> {
        let key = address::required(body)?;
        let text = |member: &str| body[member].as_str().map(str::to_owned);
        let name = text("ScheduledActionName").unwrap_or_default();
        check_name(&name)?;
        let target = self.settled_target(&key, now)?;
        let before = target.scheduled.get(&name);
        if before.is_none() && target.scheduled.len() >= PER_TARGET {
            return Err(AwsError::new(
                "LimitExceededException",
                "The number of scheduled actions of the target is at its limit.",
            ));
        }
        let kept = before.map(|before| before.expression.clone());
        let Some(expression) = text("Schedule").or(kept) else {
            return Err(refuse("Schedule is required."));
        };
        let kept = before.and_then(|before| before.time_zone.clone());
        let time_zone = text("Timezone").or(kept);
        let schedule = Schedule::parse(&expression, time_zone.as_deref())?;
        let given = &body["ScalableTargetAction"];
        let kept = |of: fn(&ScheduledAction) -> Option<u32>| before.and_then(of);
        let minimum = targets::capacity(&given["MinCapacity"])?.or(kept(|one| one.minimum));
        let maximum = targets::capacity(&given["MaxCapacity"])?.or(kept(|one| one.maximum));
        if minimum.is_none() && maximum.is_none() {
            return Err(refuse("ScalableTargetAction needs a capacity."));
        }
        if let (Some(minimum), Some(maximum)) = (minimum, maximum) {
            targets::check_bounds(minimum, maximum)?;
        }
        let (start, end) = (moment(&body["StartTime"])?, moment(&body["EndTime"])?);
        if start.zip(end).is_some_and(|(start, end)| start >= end) {
            return Err(refuse("EndTime must be after StartTime."));
        }
        let (arn, created) = match before {
            Some(before) => (before.arn.clone(), before.created),
            None => (self.scheduled_action_arn(&key, &name), now),
        };
        let mut action = ScheduledAction {
            name: name.clone(),
            arn,
            created,
            expression,
            time_zone,
            start,
            end,
            minimum,
            maximum,
            schedule,
            next: None,
        };
        action.plan(now);
        if let Some(target) = self.scaling.targets.get_mut(&key) {
            target.scheduled.insert(name, action);
        }
        self.plan_schedules();
        Ok(json!({}))
    }

    fn scheduled_action_arn(&mut self, key: &ServiceKey, name: &str) -> String {
        format!(
            "arn:aws:autoscaling:{}:{}:scheduledAction:{}:resource/{}/{}:scheduledActionName/{name}",
            self.options.region,
            self.options.account,
            self.ids.uuid(),
            address::NAMESPACE,
            address::resource_id(key),
        )
    }

    pub(super) fn delete_scheduled_action(&mut self, body: &Value) -> Result<Value, AwsError> {
        let key = address::required(body)?;
        let name = body["ScheduledActionName"].as_str().unwrap_or_default();
        let target = self.scaling.targets.get_mut(&key);
        let removed = target.and_then(|target| target.scheduled.remove(name));
        if removed.is_none() {
            let more = format!(", scheduled action name: {name}");
            return Err(address::not_found("scheduled action found", &key, &more));
        }
        self.plan_schedules();
        Ok(json!({}))
    }

    pub(super) fn describe_scheduled_actions(&self, body: &Value) -> Result<Value, AwsError> {
        let wanted = address::filter(body)?;
        let names = body["ScheduledActionNames"].as_array();
        if names.is_some_and(|names| names.len() > 50) {
            return Err(refuse("ScheduledActionNames can have at most 50 items."));
        }
        let targets = self.scaling.targets.iter();
        let targets =
            targets.filter(|(key, _)| wanted.as_ref().is_none_or(|wanted| *key == wanted));
        let actions =
            targets.flat_map(|(key, target)| target.scheduled.values().map(move |one| (key, one)));
        let found = actions
            .filter(|(_, action)| names.is_none_or(|names| names.contains(&json!(action.name))));
        page::of(
            body,
            found.collect(),
            "ScheduledActions",
            50,
            |(key, action)| action.to_json(key),
        )
    }
}
