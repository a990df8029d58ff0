//! The admin port: `/healthz`, `/readyz`, `/metrics`, and `/debug/` for people.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::telemetry;

/// Where the admin port is, and what is served there besides the usual.
pub struct AdminPort {
    /// Where it listens.
    pub address: SocketAddr,
    /// Pages below `/debug/`.
    pub debug: Router,
}

/// What the admin port tells.
#[derive(Clone)]
pub struct Admin {
    /// Metrics.
    pub registry: Arc<Registry>,
    /// Brings gauges up to date before they are read.
    pub refresh: Arc<dyn Fn() + Send + Sync>,
    /// `Ok` when ready, else what is awaited.
    pub ready: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// Serves until `stop`.
///
/// # Errors
/// The address cannot be bound.
pub async fn start(port: AdminPort, admin: Admin, stop: CancellationToken) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(port.address).await?;
    let bound = listener.local_addr()?;
    let router = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route(
            "/readyz",
            get({
                let ready = admin.ready.clone();
                async move || match ready() {
                    Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
                    Err(awaited) => (StatusCode::SERVICE_UNAVAILABLE, format!("waiting for {awaited}\n")),
                }
            }),
        )
        .route("/metrics", get(async move || metrics(&admin)))
        .merge(port.debug);
    tokio::spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(%error, "admin port failed");
        }
    });
    Ok(bound)
}

fn metrics(admin: &Admin) -> impl IntoResponse + use<> {
    (admin.refresh)();
    let (status, text) = match telemetry::encode(&admin.registry) {
        Ok(text) => (StatusCode::OK, text),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
    };
    (status, [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}
