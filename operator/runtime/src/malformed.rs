//! Objects that cannot be read: told about in their own status and by an Event, and otherwise left as they are. Writes status.

use crate::context::Context;
use crate::events::Event;
use crate::guarded::Malformed;
use crate::kind::Kind;
use crate::status::Statuses;
use k8s_openapi::jiff::Timestamp;
use privateservice_api::conditions::Reason;
use privateservice_core::conditions::{self, Ready, Verdict};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Reports every malformed object that is handed in, until the other end is dropped.
pub(crate) async fn report<K: Kind>(
    mut found: mpsc::UnboundedReceiver<Malformed<K>>,
    context: Arc<Context>,
    statuses: fn(&Context) -> &Statuses<K>,
) {
    while let Some(malformed) = found.recv().await {
        let name = malformed.metadata.name.clone().unwrap_or_default();
        let namespace = malformed.metadata.namespace.clone().unwrap_or_default();
        let Ok(status) = malformed.status else {
            // Applying a status would drop what cannot be read in the present one.
            tracing::warn!(
                kind = K::NAME,
                namespace,
                name,
                error = malformed.error,
                "unreadable object, its status included"
            );
            continue;
        };
        if malformed.metadata.deletion_timestamp.is_some() {
            continue;
        }
        let generation = malformed.metadata.generation;
        let object = K::salvaged(malformed.metadata, status);
        let previous = statuses(&context).current(&object);
        let message = format!(
            "this version of the operator cannot read the object: {}; compare it with the CRD, and the CRD with the operator",
            malformed.error
        );
        let verdict = Verdict {
            ready: Ready::False,
            reason: Reason::InvalidSpec,
            message: message.clone(),
            findings: vec![],
        };
        let conditions = conditions::conditions(
            K::conditions(&previous),
            &verdict,
            generation,
            Timestamp::now(),
        );
        let next = K::with_conditions(previous, conditions, generation);
        match statuses(&context).write(&object, &next).await {
            Ok(true) => {
                tracing::warn!(
                    kind = K::NAME,
                    namespace,
                    name,
                    error = message,
                    "unreadable object"
                );
                let event = Event::warning(Reason::InvalidSpec.as_str(), message, "Resolve");
                context.events.publish(&object, event);
            }
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(kind = K::NAME, namespace, name, %error, "status not written");
            }
        }
    }
}
