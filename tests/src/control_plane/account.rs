//! The operator as Kubernetes knows it: the service account and the rights of the chart, a token, and what the API server noted of its
//! requests. Talks to the API server and reads its audit log.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use super::{ControlPlane, client};
use crate::charts::{self, NAMESPACE, RELEASE};
use crate::eventually::eventually;

/// A day: longer than any run.
const TOKEN_SECONDS: i64 = 24 * 60 * 60;

/// The API server's authorizer learns of new rights by a watch of its own, in milliseconds.
const RIGHTS_DEADLINE: Duration = Duration::from_secs(30);

/// A request of the operator, as the API server noted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// Such as `patch`.
    pub verb: String,
    /// API group; empty for Kubernetes' core.
    pub group: String,
    /// Such as `privateservices/status`.
    pub resource: String,
    /// Kubernetes namespace; empty for none.
    pub namespace: String,
    /// Name of the object; empty for lists and watches.
    pub name: String,
    /// HTTP status code of the answer.
    pub code: u64,
}

impl ControlPlane {
    /// Applies what the operator's chart makes, and waits until it has effect. The token goes into
    /// [`ControlPlane::operator_kubeconfig`].
    ///
    /// # Errors
    /// When the API server refuses something of it.
    pub async fn install_operator(&self) -> Result<()> {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
        }});
        let apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        self.kubectl(&apply, &namespace.to_string()).await?.ok()?;
        self.kubectl(&apply, charts::installed().await?)
            .await?
            .ok()?;
        let token = self.token(NAMESPACE, RELEASE).await?;
        self.write_token_kubeconfig(&self.operator_kubeconfig(), &self.server(), &token)?;
        self.rights_have_effect().await
    }

    /// The kubeconfig of the operator: a token of the chart's service account.
    pub fn operator_kubeconfig(&self) -> PathBuf {
        self.folder().join("operator-kubeconfig")
    }

    /// The same for an API server that is reached by another address, such as through a proxy.
    ///
    /// # Errors
    /// When it cannot be written, or [`ControlPlane::install_operator`] was not called.
    pub async fn operator_kubeconfig_via(&self, server: &str, path: &Path) -> Result<()> {
        let token = self.token(NAMESPACE, RELEASE).await?;
        self.write_token_kubeconfig(path, server, &token)
    }

    /// A token of a service account, as the API server gives it to Pods.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn token(&self, namespace: &str, account: &str) -> Result<String> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client().await?, namespace);
        let request = TokenRequest {
            spec: Some(TokenRequestSpec {
                expiration_seconds: Some(TOKEN_SECONDS),
                ..TokenRequestSpec::default()
            }),
            ..TokenRequest::default()
        };
        let answer = accounts
            .create_token_request(account, &PostParams::default(), &request)
            .await
            .with_context(|| format!("no token for {account}"))?;
        answer
            .status
            .and_then(|status| status.token)
            .context("no token in the answer")
    }

    /// Writes a kubeconfig with a token in it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_token_kubeconfig(&self, path: &Path, server: &str, token: &str) -> Result<()> {
        let authority = &self.layout.certificates.authority;
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "operator",
            "contexts": [{"name": "operator", "context": {
                "cluster": "test", "user": "operator", "namespace": NAMESPACE,
            }}],
            "clusters": [{
                "name": "test",
                "cluster": {"server": server, "certificate-authority": authority},
            }],
            "users": [{"name": "operator", "user": {"token": token}}],
        });
        fs::write(path, serde_json::to_vec_pretty(&config)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// A right by each of the bindings, asked for as the operator.
    async fn rights_have_effect(&self) -> Result<()> {
        let client = client(&self.operator_kubeconfig()).await?;
        let reviews: Api<SelfSubjectAccessReview> = Api::all(client);
        let wanted = [
            right("", "flexstack.dev", "privateservices", "watch", ""),
            right(NAMESPACE, "coordination.k8s.io", "leases", "get", RELEASE),
        ];
        eventually(RIGHTS_DEADLINE, "the operator's rights", async || {
            for attributes in &wanted {
                let review = SelfSubjectAccessReview {
                    spec: SelfSubjectAccessReviewSpec {
                        resource_attributes: Some(attributes.clone()),
                        ..SelfSubjectAccessReviewSpec::default()
                    },
                    ..SelfSubjectAccessReview::default()
                };
                let answer = reviews.create(&PostParams::default(), &review).await?;
                let allowed = answer.status.is_some_and(|status| status.allowed);
                ensure!(allowed, "not yet: {attributes:?}");
            }
            Ok(())
        })
        .await
    }

    /// How long the audit log is now, for [`ControlPlane::audited`].
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn audit_position(&self) -> Result<u64> {
        match fs::metadata(self.layout.audit_log()) {
            Ok(file) => Ok(file.len()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error).context("cannot read the audit log"),
        }
    }

    /// All requests of the operator that were answered since the log was that long.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn audited(&self, since: u64) -> Result<Vec<Audited>> {
        let mut log = fs::File::open(self.layout.audit_log()).context("no audit log")?;
        log.seek(SeekFrom::Start(since))?;
        let mut text = String::new();
        log.read_to_string(&mut text)?;
        let mut requests = Vec::new();
        // The last line may still be being written.
        for line in text.split_inclusive('\n') {
            if let Ok(event) = serde_json::from_str(line) {
                requests.extend(audited(&event));
            }
        }
        Ok(requests)
    }
}

fn right(
    namespace: &str,
    group: &str,
    resource: &str,
    verb: &str,
    name: &str,
) -> ResourceAttributes {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ResourceAttributes {
        namespace: some(namespace),
        group: some(group),
        resource: some(resource),
        verb: some(verb),
        name: some(name),
        ..ResourceAttributes::default()
    }
}

/// A request for a resource, from an audit event. What is asked of no resource, such as /version, needs no right of ours.
fn audited(event: &Value) -> Option<Audited> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let object = event.get("objectRef")?;
    let mut resource = text(&object["resource"]);
    if let Some(part) = object["subresource"].as_str() {
        resource = format!("{resource}/{part}");
    }
    Some(Audited {
        verb: text(&event["verb"]),
        group: text(&object["apiGroup"]),
        resource,
        namespace: text(&object["namespace"]),
        name: text(&object["name"]),
        code: event["responseStatus"]["code"].as_u64().unwrap_or_default(),
    })
}
