//! Rules that every object the operator touches obeys at every moment. In: an object as the API server shows it, and its last
//! version. Out: sentences about what is wrong. No IO.
//!
//! The rules on conditions are those of kstatus and of Flux's condition checks (fluxcd/pkg, runtime/conditions/check), plus the
//! table of reasons in the API contract.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ManagedFieldsEntry};
use kube::ResourceExt;
use kube::api::DynamicObject;
use privateservice_api::conditions::{ConditionType, Reason, ReasonClass};
use privateservice_api::meta::{FIELD_MANAGER, FINALIZER};
use serde_json::Value;

/// Everything that is wrong with an object, given its version before if there was one.
pub fn violations(object: &DynamicObject, before: Option<&DynamicObject>) -> Vec<String> {
    let mut wrong = Vec::new();
    status(object, &mut wrong);
    if let Some(before) = before {
        time_stamps(&conditions(before), &conditions(object), &mut wrong);
    }
    for entry in object.managed_fields() {
        ownership(entry, &mut wrong);
    }
    let kind = object
        .types
        .as_ref()
        .map_or("object", |types| types.kind.as_str());
    let name = object.name_any();
    wrong
        .into_iter()
        .map(|what| format!("{kind} {name}: {what}"))
        .collect()
}

/// The conditions of an object.
pub fn conditions(object: &DynamicObject) -> Vec<Condition> {
    let list = object
        .data
        .pointer("/status/conditions")
        .cloned()
        .unwrap_or_default();
    serde_json::from_value(list).unwrap_or_default()
}

fn status(object: &DynamicObject, wrong: &mut Vec<String>) {
    let generation = object.metadata.generation;
    let observed = object
        .data
        .pointer("/status/observedGeneration")
        .and_then(Value::as_i64);
    if observed > generation {
        wrong.push(format!(
            "observedGeneration {observed:?} is ahead of {generation:?}"
        ));
    }
    let conditions = conditions(object);
    if conditions.is_empty() {
        // Nobody has looked at it, or only what a crash must not lose is written yet: kstatus has to call that in progress.
        if observed != Some(-1) && observed == generation {
            wrong.push("the generation counts as observed, but there is no condition".into());
        }
        return;
    }
    let of = |kind: ConditionType| conditions.iter().find(|found| found.type_ == kind.as_str());
    let Some(ready) = of(ConditionType::Ready) else {
        wrong.push("there are conditions, but no Ready".into());
        return;
    };
    for condition in &conditions {
        if ConditionType::parse(&condition.type_).is_none() {
            wrong.push(format!("{} is no condition of ours", condition.type_));
        }
        if Reason::parse(&condition.reason).is_none() {
            wrong.push(format!("{} is no reason of ours", condition.reason));
        }
        if condition.observed_generation != observed {
            wrong.push(format!(
                "{} is about generation {:?}, the status about {observed:?}",
                condition.type_, condition.observed_generation
            ));
        }
        if condition.message.is_empty() {
            wrong.push(format!("{} says nothing", condition.type_));
        }
    }
    let (reconciling, stalled) = (of(ConditionType::Reconciling), of(ConditionType::Stalled));
    if reconciling.is_some() && stalled.is_some() {
        wrong.push("Reconciling and Stalled at once".into());
    }
    for negative in [reconciling, stalled].into_iter().flatten() {
        if negative.status != "True" {
            wrong.push(format!(
                "{} is there but {}",
                negative.type_, negative.status
            ));
        }
        if negative.reason != ready.reason || negative.message != ready.message {
            wrong.push(format!("Ready does not say what {} says", negative.type_));
        }
    }
    by_reason(ready, reconciling.is_some(), stalled.is_some(), wrong);
}

/// The table of reasons: which of the conditions go with which.
fn by_reason(ready: &Condition, reconciling: bool, stalled: bool, wrong: &mut Vec<String>) {
    let Some(reason) = Reason::parse(&ready.reason) else {
        return;
    };
    let is_true = ready.status == "True";
    let legal = match reason.class() {
        ReasonClass::Healthy => is_true && !reconciling && !stalled,
        ReasonClass::Terminal => ready.status == "False" && stalled,
        // What serves goes on serving while AWS cannot be asked.
        ReasonClass::Patient => (reconciling && !stalled) || (stalled && !is_true),
        ReasonClass::Progressing => reconciling && !stalled,
        ReasonClass::Held => !reconciling && !stalled,
    };
    if !legal {
        wrong.push(format!(
            "Ready={} {} with Reconciling={reconciling} Stalled={stalled}: {}",
            ready.status, ready.reason, ready.message
        ));
    }
}

/// The time of a transition changes with the status and only then. Reconciling is excepted: its time says since when its reason holds.
fn time_stamps(before: &[Condition], after: &[Condition], wrong: &mut Vec<String>) {
    for new in after
        .iter()
        .filter(|new| new.type_ != ConditionType::Reconciling.as_str())
    {
        let Some(old) = before.iter().find(|old| old.type_ == new.type_) else {
            continue;
        };
        let same_time = old.last_transition_time == new.last_transition_time;
        if old.status == new.status && !same_time {
            wrong.push(format!("{} has a new time without a new status", new.type_));
        }
    }
}

/// The operator writes status and its finalizer, nothing else; and nobody else writes status.
fn ownership(entry: &ManagedFieldsEntry, wrong: &mut Vec<String>) {
    let manager = entry.manager.as_deref().unwrap_or_default();
    let fields = entry
        .fields_v1
        .as_ref()
        .map(|fields| fields.0.clone())
        .unwrap_or_default();
    let top: Vec<&str> = fields
        .as_object()
        .map(|map| map.keys().map(String::as_str).collect())
        .unwrap_or_default();
    let on_status = entry.subresource.as_deref() == Some("status");
    if manager != FIELD_MANAGER {
        if on_status {
            wrong.push(format!("{manager} writes status"));
        }
        return;
    }
    if on_status {
        if top != ["f:status"] {
            wrong.push(format!("the operator's status write owns {fields}"));
        }
        return;
    }
    // An entry without our finalizer in it belongs to its removal.
    let metadata = fields.pointer("/f:metadata").and_then(Value::as_object);
    let only_finalizers =
        metadata.is_none_or(|metadata| metadata.keys().all(|key| key == "f:finalizers"));
    let ours = format!("v:\"{FINALIZER}\"");
    let finalizers = fields
        .pointer("/f:metadata/f:finalizers")
        .and_then(Value::as_object);
    let only_ours = finalizers.is_none_or(|list| list.keys().all(|key| key == "." || *key == ours));
    if top.iter().any(|key| *key != "f:metadata") || !only_finalizers || !only_ours {
        wrong.push(format!("the operator owns {fields}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(generation: i64, status: &Value, fields: &Value) -> DynamicObject {
        serde_json::from_value(json!({
            "apiVersion": "flexstack.dev/v1alpha1",
            "kind": "PrivateService",
            "metadata": {"name": "web", "generation": generation, "managedFields": [fields]},
            "status": status,
        }))
        .unwrap()
    }

    fn condition(kind: &str, status: &str, reason: &str) -> Value {
        json!({
            "type": kind, "status": status, "reason": reason, "message": "because",
            "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    }

    fn judged(conditions: &[Value]) -> Vec<String> {
        let status = json!({"observedGeneration": 1, "conditions": conditions});
        violations(&object(1, &status, &json!({"manager": "kubectl"})), None)
    }

    #[test]
    fn legal_states_pass() {
        let none: [String; 0] = [];
        assert_eq!(judged(&[condition("Ready", "True", "Succeeded")]), none);
        assert_eq!(
            judged(&[
                condition("Ready", "False", "Deploying"),
                condition("Reconciling", "True", "Deploying")
            ]),
            none
        );
        assert_eq!(
            judged(&[
                condition("Ready", "False", "RolledBack"),
                condition("Stalled", "True", "RolledBack")
            ]),
            none
        );
        let fresh = json!({"observedGeneration": -1});
        assert_eq!(
            violations(&object(1, &fresh, &json!({"manager": "kubectl"})), None),
            none
        );
    }

    #[test]
    fn each_illegal_state_is_told() {
        let reconciling = condition("Reconciling", "True", "Deploying");
        for (conditions, word) in [
            (
                vec![condition("Ready", "True", "Succeeded"), reconciling.clone()],
                "does not say",
            ),
            (vec![reconciling.clone()], "no Ready"),
            (
                vec![condition("Ready", "False", "RolledBack")],
                "Stalled=false",
            ),
            (
                vec![condition("Ready", "False", "Succeeded")],
                "Ready=False",
            ),
            (
                vec![condition("Ready", "False", "Whatever")],
                "no reason of ours",
            ),
            (
                vec![
                    condition("Ready", "False", "Deploying"),
                    reconciling,
                    condition("Stalled", "True", "Deploying"),
                ],
                "at once",
            ),
            (vec![], "no condition"),
        ] {
            let wrong = judged(&conditions);
            assert!(
                wrong.iter().any(|what| what.contains(word)),
                "{word}: {wrong:?}"
            );
        }
    }

    #[test]
    fn the_operator_may_own_status_and_its_finalizer_only() {
        let seen =
            |entry: &Value| violations(&object(1, &json!({"observedGeneration": -1}), entry), None);
        let finalizer = json!({"manager": FIELD_MANAGER, "fieldsV1": {
            "f:metadata": {"f:finalizers": {".": {}, format!("v:\"{FINALIZER}\""): {}}}}});
        assert!(seen(&finalizer).is_empty());
        let label = json!({"manager": FIELD_MANAGER, "fieldsV1": {
            "f:metadata": {"f:labels": {"f:a": {}}}}});
        assert_eq!(seen(&label).len(), 1);
        let spec = json!({"manager": FIELD_MANAGER, "fieldsV1": {"f:spec": {"f:image": {}}}});
        assert_eq!(seen(&spec).len(), 1);
        let other =
            json!({"manager": "kubectl", "subresource": "status", "fieldsV1": {"f:status": {}}});
        assert_eq!(seen(&other).len(), 1);
    }

    #[test]
    fn a_new_time_needs_a_new_status() {
        let at = |time: &str, status: &str| {
            let mut ready = condition("Ready", status, "Succeeded");
            ready["lastTransitionTime"] = json!(time);
            conditions(&object(1, &json!({"conditions": [ready]}), &json!({})))
        };
        let mut wrong = Vec::new();
        let (early, late) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z");
        time_stamps(&at(early, "True"), &at(late, "False"), &mut wrong);
        assert!(wrong.is_empty());
        time_stamps(&at(early, "True"), &at(late, "True"), &mut wrong);
        assert_eq!(wrong.len(), 1);
    }
}
