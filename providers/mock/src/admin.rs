//! The admin paths under `/_ferrolb/`: look at everything, arrange faults, release held calls.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{any, delete, get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::calls::Log;
use crate::faults::{FaultPlan, Faults};
use crate::holds::{Held, Release};
use crate::pipeline;
use crate::state::Health;

/// The whole server: admin paths, and everything else signed.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/_ferrolb/health", get(|| async { Json(json!({"status": "ok"})) }))
        .route("/_ferrolb/ledger", get(ledger))
        .route("/_ferrolb/calls", get(calls).delete(reset_calls))
        .route("/_ferrolb/faults", get(faults).put(set_faults).delete(clear_faults))
        .route("/_ferrolb/holds", get(holds).delete(release))
        .route("/_ferrolb/quota", post(set_quota).put(set_quota))
        .route("/_ferrolb/traffic", get(traffic))
        .route("/_ferrolb/members/{id}/health", put(set_health))
        .route("/_ferrolb/objects", delete(clear))
        .route("/_ferrolb/raw/{*path}", any(pipeline::raw))
        .fallback(pipeline::signed)
        .with_state(app)
}

/// All objects by kind, counts, and the sockets of the data plane.
pub async fn ledger(State(app): State<Arc<App>>) -> Json<Value> {
    let mut ledger = app.ledger();
    ledger["sockets"] = json!(app.sockets.list());
    ledger["gateway"] = app.gateway.shown();
    Json(ledger)
}

async fn calls(State(app): State<Arc<App>>) -> Json<Log> {
    Json(app.calls.log())
}

async fn reset_calls(State(app): State<Arc<App>>) -> StatusCode {
    app.calls.reset();
    StatusCode::NO_CONTENT
}

/// The plan, and for each rule what it has met.
async fn faults(State(app): State<Arc<App>>) -> Json<Value> {
    let faults = app.faults();
    Json(json!({"plan": faults.plan(), "counts": faults.counts()}))
}

async fn set_faults(State(app): State<Arc<App>>, Json(plan): Json<FaultPlan>) -> StatusCode {
    *app.faults() = Faults::new(plan);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(app): State<Arc<App>>) -> StatusCode {
    *app.faults() = Faults::new(FaultPlan::default());
    StatusCode::NO_CONTENT
}

async fn holds(State(app): State<Arc<App>>) -> Json<Vec<Held>> {
    Json(app.holds.list())
}

#[derive(Deserialize)]
struct ReleaseQuery {
    id: Option<u64>,
    #[serde(default)]
    drop: bool,
}

async fn release(State(app): State<Arc<App>>, Query(query): Query<ReleaseQuery>) -> Json<Value> {
    let release = if query.drop { Release::Drop } else { Release::Go };
    Json(json!({"released": app.holds.release(query.id, release)}))
}

/// Overwrites the limits that are named; answers all of them.
async fn set_quota(
    State(app): State<Arc<App>>,
    Json(limits): Json<serde_json::Map<String, Value>>,
) -> Result<Json<Value>, (StatusCode, String)> {
    app.change(|cloud| {
        let mut all = json!(cloud.quotas);
        for (kind, limit) in limits {
            all[kind] = limit;
        }
        cloud.quotas = serde_json::from_value(all).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
        Ok(Json(json!(cloud.quotas)))
    })
}

async fn traffic(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!(app.sockets.list()))
}

#[derive(Deserialize)]
struct HealthBody {
    operating_status: String,
}

/// For clouds without data plane: plays the health checks.
async fn set_health(State(app): State<Arc<App>>, Path(id): Path<String>, Json(body): Json<HealthBody>) -> StatusCode {
    let health = match body.operating_status.as_str() {
        "ONLINE" => Health::Online,
        "OFFLINE" => Health::Offline("CONNECT_REFUSED"),
        _ => return StatusCode::BAD_REQUEST,
    };
    let mut cloud = app.cloud();
    if !cloud.pools.iter().any(|(_, pool)| pool.members.contains(&id)) {
        return StatusCode::NOT_FOUND;
    }
    if cloud.set_health(&id, health) {
        app.wake();
    }
    StatusCode::NO_CONTENT
}

/// Empties the cloud: what is left is as if just started, but ids go on.
async fn clear(State(app): State<Arc<App>>) -> StatusCode {
    let now = app.now();
    app.change(|cloud| cloud.clear(now));
    StatusCode::NO_CONTENT
}
