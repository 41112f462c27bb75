//! What a cluster holds that nobody stands for: a listing of its services, and the owners of those that no object names. Reads only.
//!
//! Nothing depends on it but a count for people, so it is read rarely and after everything else.

use crate::connect::Account;
use crate::convert;
use crate::limits::Priority;
use crate::operations::{DESCRIBE_SERVICES, LIST_SERVICES};
use aws_sdk_ecs::types::ServiceField;
use privateservice_core::failure::Failure;
use privateservice_core::names;
use privateservice_core::observed::Service;

/// Services in one page of ListServices, and in one DescribeServices (ECS API reference).
const PAGE: i32 = 100;
const BATCH: usize = 10;

impl Account {
    /// The names of all services of a cluster. Waits for the rate limits.
    ///
    /// # Errors
    /// A page that AWS did not answer: what is not all is nothing.
    pub async fn services_of_cluster(
        &self,
        cluster_arn: &str,
        priority: Priority,
    ) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        let mut token = None;
        loop {
            self.limits.admit(LIST_SERVICES.bucket, priority).await;
            let call = self
                .clients
                .ecs
                .list_services()
                .cluster(cluster_arn)
                .max_results(PAGE)
                .set_next_token(token)
                .send();
            let answer = self.calls.send(LIST_SERVICES, call).await?;
            found.extend(
                answer
                    .service_arns()
                    .iter()
                    .map(|arn| names::last_segment(arn).to_owned()),
            );
            token = answer.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Some services of a cluster, with their tags. Waits for the rate limits.
    ///
    /// # Errors
    /// A batch that AWS did not answer.
    pub async fn describe_others(
        &self,
        cluster_arn: &str,
        wanted: &[String],
        priority: Priority,
    ) -> Result<Vec<Service>, Failure> {
        let mut found = Vec::new();
        for batch in wanted.chunks(BATCH) {
            self.limits.admit(DESCRIBE_SERVICES.bucket, priority).await;
            let call = self
                .clients
                .ecs
                .describe_services()
                .cluster(cluster_arn)
                .set_services(Some(batch.to_vec()))
                .include(ServiceField::Tags)
                .send();
            let answer = self.calls.send(DESCRIBE_SERVICES, call).await?;
            found.extend(
                answer
                    .services()
                    .iter()
                    .filter_map(convert::observed_service),
            );
        }
        Ok(found)
    }
}
