//! Where an object belongs: its Environment, whether it may use it, and whether its name there is its own. Reads caches only.

use crate::context::Context;
use crate::locked::Locked;
use crate::referenced::Referable;
use crate::{index, kind};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use kube::core::{Selector, SelectorExt};
use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::{Port, WatchedSecret};
use privateservice_api::{Environment, PrivateService, PrivateServiceStatus};
use privateservice_aws::Account;
use privateservice_core::owner::ObjectKey;
use privateservice_core::place::{self, Place};
use privateservice_core::problem::Problem;
use privateservice_core::resolve::{Neighbours, ObjectData, SecretLookup};
use privateservice_core::watched_secret::AwsSecret;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The place of an object.
pub(super) fn place(object: &PrivateService, ctx: &Context) -> Result<Place, Problem> {
    let name = ctx.environment_name(object).ok_or_else(|| {
        Problem::new(
            Reason::EnvironmentNotFound,
            "no Environment is named and the operator has no default: write spec.environment",
        )
    })?;
    let environment = ctx.environment(&name).ok_or_else(|| {
        Problem::new(
            Reason::EnvironmentNotFound,
            format!("there is no Environment {name}: create it, or name another one"),
        )
    })?;
    let namespace = object.namespace().unwrap_or_default();
    if !admits(&environment, &namespace, ctx)? {
        return Err(Problem::new(
            Reason::NamespaceNotAllowed,
            format!(
                "Environment {name} does not allow the Kubernetes namespace {namespace}: ask its owners to label the namespace as spec.allowedNamespaces says"
            ),
        ));
    }
    Place::of(&environment)
}

/// True while the newest change of the object's Environment has not been looked at.
pub(super) fn is_pending(object: &PrivateService, ctx: &Context) -> bool {
    ctx.environment_name(object)
        .and_then(|name| ctx.environment(&name))
        .is_some_and(|environment| place::is_pending(&environment))
}

/// Whether the Environment's selector matches the namespace's labels. No selector, or an empty one, allows all.
fn admits(environment: &Environment, namespace: &str, ctx: &Context) -> Result<bool, Problem> {
    let Some(selector) = &environment.spec.allowed_namespaces else {
        return Ok(true);
    };
    if *selector == LabelSelector::default() {
        return Ok(true);
    }
    let selector = Selector::try_from(selector.clone()).map_err(|error| {
        Problem::new(
            Reason::EnvironmentNotReady,
            format!(
                "spec.allowedNamespaces of Environment {}: {error}",
                environment.name_any()
            ),
        )
    })?;
    let labels = ctx.namespace_labels(namespace).ok_or_else(|| {
        Problem::new(
            Reason::Deploying,
            format!("the Kubernetes namespace {namespace} has not been seen yet"),
        )
    })?;
    Ok(selector.matches(&labels))
}

/// The object that has this name in the Environment by age, if it is another one: the older wins, then the one whose namespace comes
/// first.
pub(super) fn elder(object: &PrivateService, place: &Place, ctx: &Context) -> Option<String> {
    let mine = kind::key(object);
    namesakes(&mine.name, &place.environment, ctx)
        .filter(|other| kind::key(&**other) != mine && rank(other) < rank(object))
        .min_by_key(|other| rank(other))
        .map(|other| kind::key(&*other).to_string())
}

/// All objects of that name in that Environment.
fn namesakes<'a>(
    name: &str,
    environment: &'a str,
    ctx: &'a Context,
) -> impl Iterator<Item = Arc<PrivateService>> + 'a {
    ctx.index
        .namesakes(name)
        .into_iter()
        .filter_map(|key| ctx.service(&key))
        .filter(move |other| ctx.environment_name(other).as_deref() == Some(environment))
        // One that may not use the Environment takes no name there.
        .filter(move |other| {
            let namespace = other.namespace().unwrap_or_default();
            ctx.environment(environment)
                .is_some_and(|place| admits(&place, &namespace, ctx).unwrap_or(false))
        })
}

fn rank(object: &PrivateService) -> (i64, String) {
    let created = object
        .metadata
        .creation_timestamp
        .as_ref()
        .map_or(i64::MAX, |time| time.0.as_second());
    (created, object.namespace().unwrap_or_default())
}

/// What an object refers to, in Kubernetes and in Secrets Manager.
pub(super) struct Surroundings<'a> {
    ctx: &'a Context,
    key: ObjectKey,
    config_maps: Contents,
    secrets: Contents,
}

/// The same, seen from its place.
pub(super) struct Placed<'a> {
    around: Surroundings<'a>,
    account: Arc<Account>,
    /// What status remembers of secrets in Secrets Manager.
    remembered: Vec<WatchedSecret>,
    /// The names and ARNs of those that were asked for.
    asked: Locked<BTreeSet<String>>,
}

/// Contents by name.
type Contents = BTreeMap<String, Arc<ObjectData>>;

impl<'a> Surroundings<'a> {
    /// Reads what is not in memory yet.
    ///
    /// # Errors
    /// Inside: `AccessDenied` if the operator may not read it. Outside: trouble with the API server.
    pub(super) async fn of(
        object: &PrivateService,
        ctx: &'a Context,
    ) -> anyhow::Result<Result<Self, Problem>> {
        let key = kind::key(object);
        let config_maps = contents::<ConfigMap>(ctx, &key, index::config_maps_of(object)).await?;
        let secrets = contents::<Secret>(ctx, &key, index::secrets_of(object)).await?;
        Ok(config_maps.and_then(|config_maps| {
            Ok(Self {
                ctx,
                key,
                config_maps,
                secrets: secrets?,
            })
        }))
    }

    /// From a place: secrets are those of its account and Region.
    pub(super) fn at(self, place: &Place, status: &PrivateServiceStatus) -> Placed<'a> {
        Placed {
            account: self.ctx.account(&place.region, place.role.as_ref()),
            remembered: status.aws_secrets.clone(),
            asked: Locked::default(),
            around: self,
        }
    }
}

impl Placed<'_> {
    /// What was asked for is all that there is to ask for: nothing else is watched for this object any more.
    pub(super) fn asked_for_all(&self) {
        let watch = self.account.secrets();
        watch.keep(&self.around.key, &self.asked.lock());
        for (key, account) in self.around.ctx.connector.accounts() {
            if key != *self.account.key() {
                account.secrets().forget(&self.around.key);
            }
        }
    }

    /// Has what was asked for read again, for somebody who wants a fresh look.
    pub(super) fn look_afresh(&self, since: Timestamp) {
        let watch = self.account.secrets();
        watch.look_afresh(&self.around.key, since);
    }
}

/// What is in the objects of these names beside a PrivateService.
async fn contents<K: Referable>(
    ctx: &Context,
    beside: &ObjectKey,
    names: BTreeSet<String>,
) -> anyhow::Result<Result<Contents, Problem>> {
    let mut contents = BTreeMap::new();
    let Some(referenced) = K::of(ctx) else {
        return Ok(Ok(contents));
    };
    for name in names {
        let key = index::beside(beside, &name);
        match referenced.read(&key).await {
            Ok(Some(data)) => drop(contents.insert(name, data)),
            Ok(None) => {}
            Err(error) if error.is_forbidden() => return Ok(Err(unreadable(&K::kind(&()), &key))),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Ok(contents))
}

fn unreadable(kind: &str, key: &ObjectKey) -> Problem {
    Problem::new(
        Reason::AccessDenied,
        format!(
            "the operator may not read {kind} {key} in Kubernetes: install its chart with rbac.create, or give its service account that right"
        ),
    )
}

impl Neighbours for Placed<'_> {
    fn ports_of(&self, environment: &str, name: &str) -> Option<Option<Vec<Port>>> {
        namesakes(name, environment, self.around.ctx)
            .min_by_key(|other| rank(other))
            .map(|other| other.spec.ports.clone())
    }

    fn config_map(&self, name: &str) -> Option<&ObjectData> {
        self.around.config_maps.get(name).map(|data| &**data)
    }

    fn secret(&self, name: &str) -> SecretLookup<'_> {
        let ctx = self.around.ctx;
        if ctx.secrets.is_none() {
            return SecretLookup::Off;
        }
        let missing = || SecretLookup::Missing {
            selector: ctx.config.secret_selector.as_deref(),
        };
        let found = self.around.secrets.get(name);
        found.map_or_else(missing, |data| SecretLookup::Found(data))
    }

    fn aws_secret(&self, id: &str) -> AwsSecret {
        self.asked.lock().insert(id.to_owned());
        let known = self.account.secrets().look(&self.around.key, id);
        let AwsSecret::Unread { arn: None, failure } = known else {
            return known;
        };
        let mut remembered = self.remembered.iter();
        let arn = remembered
            .find(|secret| secret.id == id)
            .and_then(|secret| secret.arn.clone());
        AwsSecret::Unread { arn, failure }
    }
}
