//! DeleteService. In: request JSON. Out: the service in DRAINING, or INACTIVE when nothing of it
//! runs. No IO.

use serde_json::{Value, json};

use super::service::Status;
use super::world::World;
use crate::clock::Moment;
use crate::errors::AwsError;

impl World {
    pub(crate) fn delete_service(&mut self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let (cluster_name, _) = self.cluster(&body["cluster"])?;
        let key = (cluster_name, super::read::service_name(&body["service"]));
        let missing = || AwsError::new("ServiceNotFoundException", "Service not found.");
        let service = self.services.get_mut(&key).ok_or_else(missing)?;
        match service.status {
            Status::Inactive => return Err(missing()),
            Status::Draining => {}
            Status::Active => {
                if service.desired > 0 && body["force"] != json!(true) {
                    return Err(AwsError::invalid(
                        "The service cannot be stopped while it is scaled above 0.",
                    ));
                }
                service.status = Status::Draining;
                service.desired = 0;
                service.shown_before.clear();
                service.deleted = Some(now);
            }
        }
        self.touch(&key, now);
        let service = self.services.get(&key).ok_or_else(missing)?;
        Ok(json!({"service": self.service_json(service, now, true)}))
    }
}
