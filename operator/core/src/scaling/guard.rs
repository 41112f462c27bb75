//! Laws that no step about scaling may break, whatever produced it. Pure.

use super::step::ScalingStep;
use crate::guard::Violation;
use crate::observed::{Observed, Service};
use crate::owner::Owner;
use privateservice_api::meta;
use std::collections::BTreeMap;

/// Checks one step against what it was made from.
///
/// # Errors
/// The law it breaks.
pub(crate) fn check(
    step: &ScalingStep,
    observed: &Observed,
    owner: &Owner,
) -> Result<(), Violation> {
    let operation = step.operation();
    let law = |holds: bool| {
        if holds {
            Ok(())
        } else {
            Err(Violation::NotOurs(operation))
        }
    };
    let service_is_ours = || {
        let service = observed.service.present();
        service.and_then(Service::owner).as_ref() == Some(owner)
    };
    let not_anothers = |arn: &str| {
        let known = observed.owners.get(arn);
        known.is_none_or(|known| known.as_ref().is_none_or(|one| one == owner))
    };
    let alarm_arn = |name: &str| {
        let seen = observed.scaling.present();
        seen.and_then(|seen| seen.alarms.get(name))
            .map(|alarm| &alarm.arn)
    };
    let target_arn = || {
        let seen = observed.scaling.present();
        seen.and_then(|seen| seen.target.as_ref())
            .and_then(|target| target.arn.as_ref())
    };
    let tagged = |tags: &BTreeMap<String, String>| {
        if tags.get(meta::TAG_OWNER) == Some(&owner.tag_value()) {
            Ok(())
        } else {
            Err(Violation::Untagged(operation))
        }
    };
    let target_is_free = || target_arn().is_none_or(|arn| not_anothers(arn));
    match step {
        ScalingStep::RegisterTarget { tags, .. } => {
            law(service_is_ours() && target_is_free())?;
            tags.as_ref().map_or(Ok(()), tagged)
        }
        ScalingStep::PutPolicy { .. }
        | ScalingStep::DeletePolicy { .. }
        | ScalingStep::PutSchedule { .. }
        | ScalingStep::DeleteSchedule { .. } => law(service_is_ours() && target_is_free()),
        ScalingStep::PutAlarm { name, tags, .. } => {
            law(service_is_ours() && alarm_arn(name).is_none_or(|arn| not_anothers(arn)))?;
            tagged(tags)
        }
        ScalingStep::TagTarget { arn, tags } | ScalingStep::TagAlarm { arn, tags, .. } => {
            law(service_is_ours() && not_anothers(arn))?;
            tagged(tags)
        }
        // What is deleted was seen.
        ScalingStep::DeleteAlarms { names } => law(names
            .iter()
            .all(|name| alarm_arn(name).is_some_and(|arn| not_anothers(arn)))),
        ScalingStep::DeregisterTarget => law(target_is_free()),
        ScalingStep::UntagTarget { arn, .. } | ScalingStep::UntagAlarm { arn, .. } => {
            law(not_anothers(arn))
        }
        ScalingStep::SetCount { arn, .. } => {
            let service = observed.service.present();
            law(service_is_ours() && service.is_some_and(|service| service.arn == *arn))
        }
    }
}
