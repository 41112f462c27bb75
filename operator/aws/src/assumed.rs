//! Credentials of a role that is assumed. In: our own credentials and the role. Out: temporary ones, renewed by the SDK before they
//! expire. Does IO when the SDK asks for them, by `sts:AssumeRole`; nothing is asked before.

use aws_config::sts::AssumeRoleProvider;
use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use privateservice_api::environment::AssumeRole;
use std::time::Duration;
use tokio::sync::OnceCell;

/// Name of the sessions, as CloudTrail shows it.
const SESSION: &str = "privateservice-operator";
/// Length of a session: what a role may be assumed for by a role, at most (IAM user guide, Role chaining).
const SESSION_LENGTH: Duration = Duration::from_hours(1);

/// Provides the credentials of one role.
#[derive(Debug)]
pub(crate) struct Assumed {
    base: SdkConfig,
    role: AssumeRole,
    provider: OnceCell<AssumeRoleProvider>,
}

impl Assumed {
    /// A provider of the credentials of a role, asked for in a Region with the credentials of `base`.
    pub(crate) fn credentials(
        base: &SdkConfig,
        region: &str,
        role: &AssumeRole,
    ) -> SharedCredentialsProvider {
        let region = Region::new(region.to_owned());
        SharedCredentialsProvider::new(Self {
            base: base.to_builder().region(region).build(),
            role: role.clone(),
            provider: OnceCell::new(),
        })
    }

    async fn provide(&self) -> Result<aws_credential_types::Credentials, CredentialsError> {
        let provider = self
            .provider
            .get_or_init(|| async {
                let mut builder = AssumeRoleProvider::builder(&self.role.role_arn)
                    .session_name(SESSION)
                    .session_length(SESSION_LENGTH)
                    .configure(&self.base);
                if let Some(id) = &self.role.external_id {
                    builder = builder.external_id(id);
                }
                builder.build().await
            })
            .await;
        let assumed = provider.provide_credentials().await;
        assumed.map_err(|error| CredentialsError::provider_error(Refused::of(&self.role, &error)))
    }
}

impl ProvideCredentials for Assumed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

/// Why there are no credentials, in words for whoever owns the role.
#[derive(Debug, thiserror::Error)]
#[error(
    "the role {role} cannot be assumed: {why}; see that its trust policy lets the operator's own identity assume it{with}"
)]
struct Refused {
    role: String,
    why: String,
    with: &'static str,
}

impl Refused {
    fn of(role: &AssumeRole, error: &CredentialsError) -> Self {
        Self {
            role: role.role_arn.clone(),
            why: crate::classify::assuming(error),
            with: if role.external_id.is_some() {
                " with this external id"
            } else {
                ""
            },
        }
    }
}
