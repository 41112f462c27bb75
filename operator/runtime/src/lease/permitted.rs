//! A Kubernetes client that changes something only while the permit lasts, and gives up a change before the permit could end.
//! Whatever is written through it - status, finalizers, Events - is guarded without knowing of it.

use axum::http::{Method, Request};
use kube::Client;
use kube::client::Body;
use privateservice_aws::Permit;
use std::time::Duration;

/// Why a request was not sent.
#[derive(Debug, thiserror::Error)]
#[error("not sent: the lease of this process may end before the request does")]
struct NotPermitted;

/// Why a request was given up.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {0:?}")]
struct NoAnswer(Duration);

/// The client, guarded. A request that changes something takes at most `limit`.
pub(crate) fn permitted(client: Client, permit: Permit, limit: Duration) -> Client {
    let namespace = client.default_namespace().to_owned();
    let guard = tower::service_fn(move |request: Request<Body>| {
        let client = client.clone();
        let permit = permit.clone();
        async move {
            if matches!(*request.method(), Method::GET | Method::HEAD) {
                return client.send(request).await;
            }
            if !permit.lasts_for(limit) {
                return Err(kube::Error::Service(NotPermitted.into()));
            }
            match tokio::time::timeout(limit, client.send(request)).await {
                Ok(answer) => answer,
                Err(_) => Err(kube::Error::Service(NoAnswer(limit).into())),
            }
        }
    });
    Client::new(guard, namespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Response;
    use k8s_openapi::api::core::v1::Namespace;
    use kube::Api;
    use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
    use std::sync::{Arc, Mutex};
    use tokio::sync::watch;
    use tokio::time::Instant;

    const LIMIT: Duration = Duration::from_secs(8);

    /// A client whose API server answers everything with the same object and notes what it was asked, and one that never answers a
    /// change.
    fn recording(silent: bool) -> (Client, Arc<Mutex<Vec<Method>>>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let note = Arc::clone(&asked);
        let service = tower::service_fn(move |request: Request<Body>| {
            let note = Arc::clone(&note);
            async move {
                let method = request.method().clone();
                note.lock().unwrap().push(method.clone());
                if silent && method != Method::GET {
                    std::future::pending::<()>().await;
                }
                let body =
                    r#"{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}"#;
                Ok::<_, kube::Error>(Response::new(Body::from(body.as_bytes().to_vec())))
            }
        });
        (Client::new(service, "default"), asked)
    }

    #[tokio::test(start_paused = true)]
    async fn without_the_permit_nothing_is_changed_and_everything_can_be_read() {
        let (client, asked) = recording(false);
        let (until, receiver) = watch::channel(None);
        let client = permitted(client, Permit::until(receiver), LIMIT);
        let namespaces: Api<Namespace> = Api::all(client);
        let change = json_patch();
        let attempts = async || {
            [
                namespaces
                    .create(&PostParams::default(), &Namespace::default())
                    .await
                    .is_ok(),
                namespaces
                    .patch("a", &PatchParams::default(), &change)
                    .await
                    .is_ok(),
                namespaces
                    .patch_status("a", &PatchParams::default(), &change)
                    .await
                    .is_ok(),
                namespaces
                    .delete("a", &DeleteParams::default())
                    .await
                    .is_ok(),
            ]
        };
        assert_eq!(attempts().await, [false; 4]);
        // Shorter than a request may take.
        until.send_replace(Some(Instant::now() + LIMIT / 2));
        assert_eq!(attempts().await, [false; 4]);
        namespaces.get("a").await.unwrap();
        assert_eq!(*asked.lock().unwrap(), [Method::GET]);
        until.send_replace(Some(Instant::now() + 2 * LIMIT));
        assert_eq!(attempts().await, [true; 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_without_an_answer_is_given_up_before_the_permit_ends() {
        let (client, _) = recording(true);
        let end = Instant::now() + LIMIT;
        let (_until, receiver) = watch::channel(Some(end));
        let client = permitted(client, Permit::until(receiver), LIMIT);
        let namespaces: Api<Namespace> = Api::all(client);
        let error = namespaces
            .patch("a", &PatchParams::default(), &json_patch())
            .await
            .unwrap_err();
        assert!(Instant::now() <= end + Duration::from_millis(2));
        assert!(format!("{error:?}").contains("NoAnswer"), "{error:?}");
    }

    fn json_patch() -> Patch<serde_json::Value> {
        Patch::Merge(serde_json::json!({"metadata": {"labels": {"a": "b"}}}))
    }
}
