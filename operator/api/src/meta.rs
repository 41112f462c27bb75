//! Every name that is written onto, or read from, Kubernetes and AWS objects.
//!
//! Constants only; no IO. Invariant: a name in here never changes its spelling, because objects in
//! clusters and accounts carry it.

/// API group of both kinds.
pub const GROUP: &str = "flexstack.dev";
/// API version of both kinds.
pub const VERSION: &str = "v1alpha1";
/// Field manager of everything the operator writes, and the reporting controller of its Events.
pub const FIELD_MANAGER: &str = "privateservice-operator";
/// Finalizer that holds a `PrivateService` (and an `Environment` in use) until AWS is cleaned up.
pub const FINALIZER: &str = "flexstack.dev/aws-cleanup";

/// Annotation: any new value asks for one full pass, with AWS read again.
pub const RECONCILE_AT: &str = "flexstack.dev/reconcile-at";
/// Annotation: Flux's spelling of [`RECONCILE_AT`] (`flux reconcile` sets it).
pub const FLUX_REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
/// Annotation: any new value forces one new deployment and resolves the image again.
pub const REDEPLOY_AT: &str = "flexstack.dev/redeploy-at";

/// Annotation: any new value stops the rollout in progress, once, and goes back to the version before.
pub const ABORT_AT: &str = "flexstack.dev/abort-at";
/// Annotation: an earlier revision (`12` or `family:12`) that is served for as long as this is set.
pub const ROLLBACK_TO: &str = "flexstack.dev/rollback-to";

/// AWS tag: the owner, `<cluster id>/<kubernetes namespace>/<name>`.
pub const TAG_OWNER: &str = "flexstack.dev/owner";
/// AWS tag: the `--cluster-id` of the installation that owns the resource.
pub const TAG_CLUSTER_ID: &str = "flexstack.dev/cluster-id";
/// AWS tag: the name of the Environment.
pub const TAG_ENVIRONMENT: &str = "flexstack.dev/environment";
/// AWS tag: hash of the spec and its resolved inputs.
pub const TAG_INTENT: &str = "flexstack.dev/intent";
/// AWS tag: hash of what was sent to AWS.
pub const TAG_RENDERING: &str = "flexstack.dev/rendering";

/// AWS tag of an ECS service: hash of the rollout that failed there and is not tried again by itself.
pub const TAG_FAILED: &str = "flexstack.dev/failed-rollout";

/// Prefix of tag keys that belong to the operator; users' `tags` may not use it.
pub const TAG_PREFIX: &str = "flexstack.dev/";
/// Tags a service may set. AWS takes 50 on a resource: 20 here, 20 on the Environment, and the
/// rest is the operator's own.
pub const MAX_SERVICE_TAGS: usize = 20;
/// Tags an Environment may set; see [`MAX_SERVICE_TAGS`].
pub const MAX_ENVIRONMENT_TAGS: usize = 20;
