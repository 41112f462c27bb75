//! A pure Application Auto Scaling and CloudWatch: what a step does to what is observed.

use super::step::{PolicyReference, ScalingStep};
use super::{Observed, ObservedAlarm, ObservedPolicy, ObservedTarget};
use crate::fact::Fact;
use crate::observed;
use crate::owner::Owner;
use privateservice_api::meta;

pub(crate) const TARGET_ARN: &str =
    "arn:aws:application-autoscaling:eu-west-3:111122223333:scalable-target/1";

pub(crate) fn alarm_arn(name: &str) -> String {
    format!("arn:aws:cloudwatch:eu-west-3:111122223333:alarm:{name}")
}

pub(crate) fn seen(observed: &observed::Observed) -> &Observed {
    observed.scaling.present().unwrap()
}

pub(crate) fn seen_mut(observed: &mut observed::Observed) -> &mut Observed {
    match &mut observed.scaling {
        Fact::Present { value, .. } => value,
        _ => panic!("not read"),
    }
}

fn service(observed: &mut observed::Observed) -> &mut observed::Service {
    match &mut observed.service {
        Fact::Present { value, .. } => value,
        _ => panic!("no service"),
    }
}

/// Tags of a thing that is there, as AWS has them; the snapshot shows them only where they were asked for.
pub(crate) fn tag(observed: &mut observed::Observed, arn: &str, owner: Option<Owner>) {
    observed.owners.insert(arn.to_owned(), owner);
}

pub(crate) fn apply(observed: &mut observed::Observed, step: &ScalingStep, now: i64) {
    match step {
        ScalingStep::RegisterTarget { target, tags } => {
            let there = seen(observed).target.is_some();
            assert_eq!(
                tags.is_some(),
                !there,
                "AWS refuses tags for a target that is there"
            );
            if let Some(tags) = tags {
                tag(observed, TARGET_ARN, Owner::from_tags(tags));
            }
            let count = service(observed).desired_count;
            let moved = target.bounds.nearest(count);
            service(observed).desired_count = moved;
            service(observed).running_count = moved;
            seen_mut(observed).target = Some(ObservedTarget {
                arn: Some(TARGET_ARN.into()),
                target: *target,
            });
        }
        ScalingStep::TagTarget { arn, tags } | ScalingStep::TagAlarm { arn, tags, .. } => {
            tag(observed, arn, Owner::from_tags(tags));
        }
        ScalingStep::UntagTarget { arn, keys } | ScalingStep::UntagAlarm { arn, keys } => {
            if keys.iter().any(|key| key == meta::TAG_OWNER) {
                tag(observed, arn, None);
            }
        }
        ScalingStep::DeregisterTarget => {
            let seen = seen_mut(observed);
            seen.target = None;
            seen.policies.clear();
            seen.schedules.clear();
            observed.owners.remove(TARGET_ARN);
        }
        ScalingStep::PutPolicy { name, policy } => {
            let seen = seen_mut(observed);
            assert!(seen.target.is_some(), "ObjectNotFoundException");
            let arn = seen
                .policies
                .get(name)
                .map_or_else(|| format!("policy-{now}:{name}"), |old| old.arn.clone());
            let policy = policy.clone();
            seen.policies
                .insert(name.clone(), ObservedPolicy { arn, policy });
        }
        ScalingStep::DeletePolicy { name } => {
            seen_mut(observed).policies.remove(name);
        }
        ScalingStep::PutSchedule { name, action } => {
            let seen = seen_mut(observed);
            assert!(seen.target.is_some(), "ObjectNotFoundException");
            seen.asked.insert(name.clone());
            seen.schedules.insert(name.clone(), action.clone());
        }
        ScalingStep::DeleteSchedule { name } => {
            let seen = seen_mut(observed);
            seen.schedules.remove(name);
            seen.asked.insert(name.clone());
        }
        ScalingStep::PutAlarm {
            name,
            alarm,
            calls,
            tags,
        } => {
            let calls = match calls {
                PolicyReference::Known(arn) => arn.clone(),
                PolicyReference::FromEarlierStep(policy) => {
                    seen(observed).policies[policy].arn.clone()
                }
            };
            let arn = alarm_arn(name);
            if !seen(observed).alarms.contains_key(name) {
                tag(observed, &arn, Owner::from_tags(tags));
            }
            let alarm = ObservedAlarm {
                arn,
                alarm: (**alarm).clone(),
                calls: vec![calls],
            };
            seen_mut(observed).alarms.insert(name.clone(), alarm);
        }
        ScalingStep::DeleteAlarms { names } => {
            for name in names {
                seen_mut(observed).alarms.remove(name);
                observed.owners.remove(&alarm_arn(name));
            }
        }
        ScalingStep::SetCount { count, .. } => {
            service(observed).desired_count = *count;
            service(observed).running_count = *count;
        }
    }
}
