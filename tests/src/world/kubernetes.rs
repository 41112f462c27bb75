//! The Kubernetes side of a world: applying, waiting, deleting, as users and their tools do. Talks to the API server.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::ByteString;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams,
};
use privateservice_api::{Environment, PrivateService};
use serde_json::{Value, json};

use super::{DEADLINE, ENVIRONMENT, World};
use crate::charts::{NAMESPACE, RELEASE};
use crate::command::Output;
use crate::eventually::eventually;

/// Characters that a value must have to be told from other texts.
const SHORTEST_MARK: usize = 8;

impl World {
    /// Runs kubectl in the namespace of the test, with `stdin` as its input.
    ///
    /// # Errors
    /// When it cannot be started. What it answers, also a refusal, is in the [`Output`].
    pub async fn kubectl(&self, args: &[&str], stdin: &str) -> Result<Output> {
        let mut all = vec!["--namespace", &self.namespace];
        all.extend_from_slice(args);
        self.plane()?.kubectl(&all, stdin).await
    }

    /// Applies one object, server side, as a GitOps tool does. Services go to the namespace of the test unless they name one.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub async fn apply(&self, object: &Value) -> Result<()> {
        let kind = object["kind"].as_str().context("no kind")?;
        let (group, version) = object["apiVersion"]
            .as_str()
            .context("no apiVersion")?
            .split_once('/')
            .unwrap_or(("", "v1"));
        let plural = format!("{}s", kind.to_lowercase());
        let resource = ApiResource::from_gvk_with_plural(
            &GroupVersionKind::gvk(group, version, kind),
            &plural,
        );
        let named = object["metadata"]["namespace"].as_str();
        let namespace = named.or((kind == "PrivateService").then_some(&*self.namespace));
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        };
        let name = object["metadata"]["name"].as_str().context("no name")?;
        let params = PatchParams::apply("tests").force();
        api.patch(name, &params, &Patch::Apply(object))
            .await
            .with_context(|| format!("cannot apply {kind} {name}"))?;
        Ok(())
    }

    /// Applies a PrivateService of the given spec in YAML, in the Environment of the test unless it names one.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub async fn apply_service(&self, name: &str, spec: &str) -> Result<()> {
        self.apply(&service(name, spec)?).await
    }

    /// A PrivateService as it is now.
    ///
    /// # Errors
    /// When there is none.
    pub async fn service(&self, name: &str) -> Result<PrivateService> {
        Ok(self.services().get(name).await?)
    }

    /// Access to the PrivateServices of the test's namespace.
    pub fn services(&self) -> Api<PrivateService> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Access to all Environments.
    pub fn environments(&self) -> Api<Environment> {
        Api::all(self.client.clone())
    }

    /// Waits for an Event of a reason, in any namespace, whose message holds these words.
    ///
    /// # Errors
    /// What was said instead at the deadline.
    pub async fn told(&self, reason: &str, words: &str) -> Result<()> {
        let selector = format!("--field-selector=reason={reason}");
        let look = [
            "get",
            "events",
            "-A",
            &selector,
            "-o",
            "jsonpath={.items[*].message}",
        ];
        eventually(DEADLINE, &format!("the Event {reason}"), async || {
            let said = self.kubectl(&look, "").await?.ok()?;
            ensure!(said.contains(words), "{said}");
            Ok(())
        })
        .await
    }

    /// Waits until Ready has this status and, if one is given, this reason, for the generation there is.
    ///
    /// # Errors
    /// What Ready says instead at the deadline.
    pub async fn ready_is(
        &self,
        name: &str,
        status: &str,
        reason: Option<&str>,
        within: Duration,
    ) -> Result<PrivateService> {
        self.ready_is_in(&self.namespace, name, status, reason, within)
            .await
    }

    async fn ready_is_in(
        &self,
        namespace: &str,
        name: &str,
        status: &str,
        reason: Option<&str>,
        within: Duration,
    ) -> Result<PrivateService> {
        let what = format!("{name} to be Ready={status} {}", reason.unwrap_or_default());
        let services: Api<PrivateService> = Api::namespaced(self.client.clone(), namespace);
        eventually(within, &what, async || {
            let service = services.get(name).await?;
            let generation = service.metadata.generation;
            let conditions = service
                .status
                .as_ref()
                .map(|status| status.conditions.as_slice());
            let ready = conditions
                .unwrap_or_default()
                .iter()
                .find(|condition| condition.type_ == "Ready")
                .context("no Ready condition")?;
            ensure!(
                ready.observed_generation == generation,
                "this generation is not observed"
            );
            let holds =
                ready.status == status && reason.is_none_or(|reason| ready.reason == reason);
            ensure!(
                holds,
                "Ready={} {}: {}",
                ready.status,
                ready.reason,
                ready.message
            );
            Ok(service)
        })
        .await
    }

    /// Waits until a service is Ready.
    ///
    /// # Errors
    /// What Ready says instead at the deadline.
    pub async fn ready(&self, name: &str) -> Result<PrivateService> {
        self.ready_is(name, "True", Some("Succeeded"), DEADLINE)
            .await
    }

    /// Waits until a service is not Ready for this reason, and returns the message.
    ///
    /// # Errors
    /// What Ready says instead at the deadline.
    pub async fn refused(&self, name: &str, reason: &str) -> Result<String> {
        self.refused_in(&self.namespace, name, reason).await
    }

    /// [`World::ready`] in another namespace.
    ///
    /// # Errors
    /// What Ready says instead at the deadline.
    pub async fn ready_in(&self, namespace: &str, name: &str) -> Result<PrivateService> {
        self.ready_is_in(namespace, name, "True", Some("Succeeded"), DEADLINE)
            .await
    }

    /// [`World::refused`] in another namespace.
    ///
    /// # Errors
    /// What Ready says instead at the deadline.
    pub async fn refused_in(&self, namespace: &str, name: &str, reason: &str) -> Result<String> {
        let service = self
            .ready_is_in(namespace, name, "False", Some(reason), DEADLINE)
            .await?;
        let conditions = service.status.unwrap_or_default().conditions;
        let ready = conditions
            .into_iter()
            .find(|condition| condition.type_ == "Ready");
        Ok(ready.context("no Ready condition")?.message)
    }

    /// Waits until an Environment is Ready.
    ///
    /// # Errors
    /// What Ready says instead at the deadline.
    pub async fn environment_ready(&self, name: &str) -> Result<()> {
        self.environment_is(name, "True", "Succeeded").await
    }

    /// Waits until Ready of an Environment has this status and reason, for the generation there is.
    ///
    /// # Errors
    /// What Ready says instead at the deadline.
    pub async fn environment_is(&self, name: &str, status: &str, reason: &str) -> Result<()> {
        let environments = self.environments();
        let what = format!("Environment {name} to be Ready={status} {reason}");
        eventually(DEADLINE, &what, async || {
            let environment = environments.get(name).await?;
            let generation = environment.metadata.generation;
            let conditions = environment
                .status
                .map(|status| status.conditions)
                .unwrap_or_default();
            let ready = conditions
                .iter()
                .find(|condition| condition.type_ == "Ready");
            let ready = ready.context("no Ready condition")?;
            ensure!(
                ready.observed_generation == generation,
                "this generation is not observed"
            );
            ensure!(
                ready.status == status && ready.reason == reason,
                "Ready={} {}: {}",
                ready.status,
                ready.reason,
                ready.message
            );
            Ok(())
        })
        .await
    }

    /// Applies a ConfigMap with this data, instead of what it held.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub async fn apply_config_map(&self, name: &str, data: &Value) -> Result<()> {
        self.apply(&json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": self.namespace}, "data": data,
        }))
        .await
    }

    /// Applies a Secret with these values by key, instead of what it held. Where one of them is found in anything that the operator writes,
    /// the world does not finish.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub async fn apply_secret(&self, name: &str, values: &[(&str, &[u8])]) -> Result<()> {
        for (_, value) in values {
            // What is shorter may be anywhere.
            if let Ok(text) = std::str::from_utf8(value)
                && text.len() >= SHORTEST_MARK
            {
                self.witness.mark(text);
            }
        }
        let data: BTreeMap<&str, ByteString> = values
            .iter()
            .map(|(key, value)| (*key, ByteString(value.to_vec())))
            .collect();
        self.apply(&json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": self.namespace}, "data": data,
        }))
        .await
    }

    /// Merges a patch into a PrivateService, as `kubectl patch --type merge` does.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub async fn patch(&self, name: &str, patch: &Value) -> Result<()> {
        let params = PatchParams {
            field_manager: Some("tests".into()),
            ..PatchParams::default()
        };
        self.services()
            .patch(name, &params, &Patch::Merge(patch))
            .await?;
        Ok(())
    }

    /// Merges a patch into an Environment.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub async fn patch_environment(&self, name: &str, patch: &Value) -> Result<()> {
        let params = PatchParams {
            field_manager: Some("tests".into()),
            ..PatchParams::default()
        };
        self.environments()
            .patch(name, &params, &Patch::Merge(patch))
            .await?;
        Ok(())
    }

    /// Asks for a full pass of a service by annotation and waits until it has been.
    ///
    /// # Errors
    /// When it does not come at the deadline.
    pub async fn reconcile(&self, name: &str, value: &str) -> Result<()> {
        let annotations = json!({privateservice_api::meta::RECONCILE_AT: value});
        self.patch(name, &json!({"metadata": {"annotations": annotations}}))
            .await?;
        let services = self.services();
        eventually(DEADLINE, "the asked-for pass", async || {
            let status = services.get(name).await?.status.unwrap_or_default();
            let handled = status.last_handled_reconcile_at;
            ensure!(handled.as_deref() == Some(value), "handled is {handled:?}");
            Ok(())
        })
        .await
    }

    /// Asks for the deletion of a service and does not wait.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub async fn delete(&self, name: &str) -> Result<()> {
        self.services()
            .delete(name, &DeleteParams::default())
            .await?;
        Ok(())
    }

    /// Waits until the object of a service is gone.
    ///
    /// # Errors
    /// Its conditions at the deadline.
    pub async fn gone(&self, name: &str) -> Result<()> {
        let services = self.services();
        eventually(
            DEADLINE,
            &format!("{name} to be gone"),
            async || match services.get_opt(name).await? {
                None => Ok(()),
                Some(left) => bail!("{:?}", left.status.map(|status| status.conditions)),
            },
        )
        .await
    }

    /// Lets the API server store a PrivateService of any shape, until the CRDs are installed again.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub async fn loosen_schema(&self) -> Result<()> {
        let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let schema = "/spec/versions/0/schema/openAPIV3Schema";
        let patch = json!([{"op": "replace", "path": schema, "value": anything}]).to_string();
        let crd = "customresourcedefinition/privateservices.flexstack.dev";
        self.kubectl(&["patch", crd, "--type=json", "-p", &patch], "")
            .await?
            .ok()?;
        Ok(())
    }

    /// Deletes every PrivateService and Environment of the cluster and waits until they are gone.
    ///
    /// # Errors
    /// When some stay.
    pub(super) async fn clean_cluster(&self) -> Result<()> {
        let services: Api<PrivateService> = Api::all(self.client.clone());
        // Their metadata only: one that does not parse goes too.
        for service in services.list_metadata(&ListParams::default()).await? {
            let namespace = service.metadata.namespace.unwrap_or_default();
            let name = service.metadata.name.unwrap_or_default();
            let api: Api<PrivateService> = Api::namespaced(self.client.clone(), &namespace);
            // The operator may not run any more, and AWS goes with the world.
            let unfinalized = Patch::Merge(json!({"metadata": {"finalizers": null}}));
            absent_is_fine(api.delete(&name, &DeleteParams::default()).await)?;
            absent_is_fine(
                api.patch(&name, &PatchParams::default(), &unfinalized)
                    .await,
            )?;
        }
        let environments = self.environments();
        for environment in environments.list(&ListParams::default()).await? {
            let name = environment.metadata.name.unwrap_or_default();
            let unfinalized = Patch::Merge(json!({"metadata": {"finalizers": null}}));
            absent_is_fine(environments.delete(&name, &DeleteParams::default()).await)?;
            absent_is_fine(
                environments
                    .patch(&name, &PatchParams::default(), &unfinalized)
                    .await,
            )?;
        }
        // Nobody who led here is there any more.
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), NAMESPACE);
        absent_is_fine(leases.delete(RELEASE, &DeleteParams::default()).await)?;
        let left = services
            .list_metadata(&ListParams::default())
            .await?
            .items
            .len();
        ensure!(left == 0, "{left} services stay");
        Ok(())
    }
}

fn absent_is_fine<T>(answer: kube::Result<T>) -> Result<()> {
    match answer {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A PrivateService of the given spec in YAML, in [`ENVIRONMENT`] unless it names one.
///
/// # Errors
/// When it is not YAML.
pub fn service(name: &str, spec: &str) -> Result<Value> {
    let mut spec: Value = serde_saphyr::from_str(spec).context("not YAML")?;
    if spec.get("environment").is_none() {
        spec["environment"] = json!(ENVIRONMENT);
    }
    Ok(json!({
        "apiVersion": "flexstack.dev/v1alpha1",
        "kind": "PrivateService",
        "metadata": {"name": name},
        "spec": spec,
    }))
}
