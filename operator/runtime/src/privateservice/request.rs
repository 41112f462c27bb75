//! The annotations by which a person or Flux asks for a full pass with AWS read anew. Reads memory; demands a read.

use super::remembered::Remembered;
use crate::kind;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use privateservice_api::{PrivateService, PrivateServiceStatus, meta};
use privateservice_aws::Account;
use privateservice_core::fact::Fact;
use privateservice_core::observed::Scope;
use privateservice_core::rollout::Abort;

/// What the annotations ask for. Where both are set, the words of both: a new one of either is a new request.
pub(super) fn requested(object: &PrivateService) -> Option<String> {
    [meta::RECONCILE_AT, meta::FLUX_REQUESTED_AT]
        .into_iter()
        .filter_map(|name| object.annotations().get(name).cloned())
        .reduce(|one, other| format!("{one} {other}"))
}

/// True if they ask for something that status does not say was dealt with.
pub(super) fn is_new(object: &PrivateService, status: &PrivateServiceStatus) -> bool {
    let asked = requested(object);
    asked.is_some() && asked != status.last_handled_reconcile_at
}

/// The redeploy that the annotation asks for, handled or not.
pub(super) fn redeploy(object: &PrivateService) -> Option<String> {
    object.annotations().get(meta::REDEPLOY_AT).cloned()
}

/// The revision that is to serve instead of the spec.
pub(super) fn rollback_to(object: &PrivateService) -> Option<&str> {
    object
        .annotations()
        .get(meta::ROLLBACK_TO)
        .map(String::as_str)
}

/// What the annotation that aborts a rollout says.
pub(super) fn abort_at(object: &PrivateService) -> Option<String> {
    object.annotations().get(meta::ABORT_AT).cloned()
}

/// An abort that was asked for and not acted on. One that stands there before any service does asks for nothing.
pub(super) fn abort(object: &PrivateService, status: &PrivateServiceStatus) -> Option<String> {
    abort_at(object).filter(|asked| {
        status.intent.is_some() && status.last_handled_abort_at.as_ref() != Some(asked)
    })
}

/// The newest wish to abort that has been dealt with, after a pass in which this became of it. `nothing` is told why there was nothing to do.
pub(super) fn abort_answered(
    object: &PrivateService,
    status: &PrivateServiceStatus,
    became: Abort,
    nothing: impl FnOnce(&str),
) -> Option<String> {
    let before = status.last_handled_abort_at.clone();
    let Some(asked) = abort(object, status) else {
        // What stood there before this service did is no wish about a rollout of it.
        return before.or_else(|| abort_at(object));
    };
    match became {
        Abort::Wait => before,
        Abort::Done => Some(asked),
        Abort::Nothing(why) => {
            nothing(&why);
            Some(asked)
        }
    }
}

/// Has AWS read anew for a request that `handled` does not name yet. The request, once a read that began after it has ended.
pub(super) fn answered(
    object: &PrivateService,
    handled: Option<&str>,
    account: &Account,
    scope: &Scope,
    remembered: &mut Remembered,
    now: Timestamp,
) -> Option<String> {
    let (inventory, secrets) = (account.inventory(), account.secrets());
    let key = &kind::key(object);
    let request = requested(object).filter(|request| handled != Some(request))?;
    let since = match &remembered.looking {
        Some((looking, since)) if *looking == request => *since,
        Some(_) | None => {
            remembered.looking = Some((request, now));
            inventory.sweep_now(scope);
            secrets.look_afresh(key, now);
            return None;
        }
    };
    let read_at = match inventory.observed(scope).service {
        Fact::Present { at, .. } => Some(at),
        Fact::Absent { last, .. } => Some(last),
        Fact::Unknown => None,
    };
    if read_at.is_some_and(|at| at >= since) || inventory.last_failure(scope).is_some() {
        // The end of a read of secrets wakes the object too.
        return secrets.was_read_since(key, since).then_some(request);
    }
    // The read that ended had begun before the request.
    inventory.sweep_now(scope);
    None
}
