//! StopServiceDeployment: ends a rollout that is in progress and goes back.

use super::Caller;
use crate::classify;
use crate::connect::Account;
use crate::inventory::{Need, What};
use crate::operations::STOP_SERVICE_DEPLOYMENT;
use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::types::StopServiceDeploymentStopType;
use privateservice_core::failure::Failure;
use privateservice_core::step::Outcome;

impl Account {
    pub(super) async fn stop_deployment(
        &self,
        caller: Caller<'_>,
        arn: &str,
    ) -> Result<Outcome, Failure> {
        let operation = STOP_SERVICE_DEPLOYMENT;
        self.admit(caller, operation)?;
        let call = self
            .clients
            .ecs
            .stop_service_deployment()
            .service_deployment_arn(arn)
            .stop_type(StopServiceDeploymentStopType::Rollback)
            .send();
        let outcome = match self.write(caller, operation, What::Service, call).await {
            Ok(_) => Outcome::DeploymentStopped,
            Err(error) => match error.error.code() {
                // It has ended, or there is no completed deployment to go back to (ECS API reference, StopServiceDeployment, Errors).
                Some(
                    "ConflictException"
                    | "InvalidParameterException"
                    | "ServiceDeploymentNotFoundException",
                ) => Outcome::NothingToStop {
                    message: classify::readable(error.error.message().unwrap_or_default()),
                },
                _ => return Err(error.failure),
            },
        };
        self.inventory.look_again(
            caller.scope,
            &[Need::Service, Need::Deployment],
            caller.priority,
        );
        Ok(outcome)
    }
}
