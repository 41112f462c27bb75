//! The key by which ids of versions of secrets are made: 32 random bytes in a Secret, made once. Reads and creates that one Secret.
//!
//! It tells nothing about a value without the value; whoever has it can tell a guess from an id. So it is in Kubernetes, next to the values,
//! and never in AWS.

use crate::status::{WriteError, within_deadline};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};
use privateservice_api::conditions::Reason;
use privateservice_core::problem::Problem;
use privateservice_core::stored_secret::VersionKey;
use std::collections::BTreeMap;
use tokio::sync::OnceCell;

/// Name of the Secret.
const NAME: &str = "privateservice-operator-version-key";
/// The key in its data.
const KEY: &str = "key";

/// Where the key comes from. It is read when it is first needed.
pub(crate) struct VersionKeySource {
    secrets: Api<Secret>,
    key: OnceCell<VersionKey>,
}

impl std::fmt::Debug for VersionKeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VersionKeySource")
    }
}

impl VersionKeySource {
    /// A key in that Kubernetes namespace or, if absent, in the one of the client.
    pub(crate) fn new(client: &Client, namespace: Option<&str>) -> Self {
        let secrets = match namespace {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::default_namespaced(client.clone()),
        };
        Self {
            secrets,
            key: OnceCell::new(),
        }
    }

    /// The key.
    ///
    /// # Errors
    /// Inside: `AccessDenied` if the operator may not read or make it, or what is there is no key. Outside: trouble with the API server.
    pub(crate) async fn get(&self) -> anyhow::Result<Result<&VersionKey, Problem>> {
        let problem = |message: &str| {
            Ok(Err(Problem::new(
                Reason::AccessDenied,
                format!("the Secret {NAME} of the operator {message}"),
            )))
        };
        match self.key.get_or_try_init(|| self.read_or_make()).await {
            Ok(key) => Ok(Ok(key)),
            Err(Trouble::NoKey) => {
                problem("holds no key of 32 bytes: delete it, and it is made anew")
            }
            Err(Trouble::Api(error)) if error.is_forbidden() => problem(
                "may not be read or made: install the chart with rbac.create and kubernetesSecrets.enabled, or give that right",
            ),
            Err(Trouble::Api(error)) => Err(error.into()),
        }
    }

    async fn read_or_make(&self) -> Result<VersionKey, Trouble> {
        // Twice: somebody else may make it between our look and our creation.
        for _ in 0..2 {
            if let Some(secret) = within_deadline(self.secrets.get_opt(NAME)).await? {
                let bytes = secret.data.as_ref().and_then(|data| data.get(KEY));
                return bytes
                    .and_then(|bytes| VersionKey::new(&bytes.0))
                    .ok_or(Trouble::NoKey);
            }
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).map_err(|_| Trouble::NoKey)?;
            let secret = Secret {
                data: Some(BTreeMap::from([(
                    KEY.to_owned(),
                    ByteString(bytes.to_vec()),
                )])),
                immutable: Some(true),
                ..named()
            };
            let parameters = PostParams::default();
            match within_deadline(self.secrets.create(&parameters, &secret)).await {
                Ok(made) => {
                    tracing::info!(
                        secret = made.name_any(),
                        "made the key of the ids of secrets' versions"
                    );
                    return VersionKey::new(&bytes).ok_or(Trouble::NoKey);
                }
                Err(error) if error.is_gone() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Trouble::NoKey)
    }
}

fn named() -> Secret {
    let mut secret = Secret::default();
    secret.metadata.name = Some(NAME.to_owned());
    secret
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("no key")]
    NoKey,
    #[error(transparent)]
    Api(#[from] WriteError),
}
