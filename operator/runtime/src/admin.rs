//! The admin server: /livez, /readyz, /metrics. Listens on one address; reads nothing from requests but their path.

use crate::metrics::Metrics;
use crate::readiness::Readiness;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the server shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Admin {
    /// For /readyz.
    pub(crate) readiness: Readiness,
    /// For /metrics, from when there is a context.
    pub(crate) context: Arc<OnceLock<Arc<crate::context::Context>>>,
}

/// Takes the address.
///
/// # Errors
/// It is taken, or not ours.
pub(crate) async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "admin server listens");
    Ok(listener)
}

/// Serves until told to stop.
///
/// # Errors
/// The listener's.
pub(crate) async fn serve(
    listener: TcpListener,
    admin: Admin,
    stop: CancellationToken,
) -> std::io::Result<()> {
    axum::serve(listener, router(admin))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

fn router(admin: Admin) -> Router {
    Router::new()
        // To answer at all takes a running event loop: that is what liveness asks.
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(admin)
}

async fn ready(State(admin): State<Admin>) -> (StatusCode, String) {
    let missing = admin.readiness.missing();
    if missing.is_empty() {
        (StatusCode::OK, "ok\n".into())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, missing.join("\n") + "\n")
    }
}

async fn metrics(State(admin): State<Admin>) -> impl IntoResponse {
    let text = match admin.context.get() {
        Some(context) => context.metrics.text(),
        None => Metrics::default().text(),
    };
    match text {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn readiness_says_in_words_what_is_missing() {
        let admin = Admin::default();
        admin
            .readiness
            .waits("cache", "waiting for the first list of Environments");
        let (code, text) = ready(State(admin.clone())).await;
        assert_eq!(code, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(text, "cache: waiting for the first list of Environments\n");
        admin.readiness.is_up("cache");
        assert_eq!(ready(State(admin)).await.0, StatusCode::OK);
    }
}
