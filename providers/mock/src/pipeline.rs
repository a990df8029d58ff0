//! The way of one call: read, log, check the signature, meet its fate, answer.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use serde_json::json;

use crate::api::{self, Answer};
use crate::app::{App, Ready};
use crate::auth::{self, Signed};
use crate::calls::is_write;
use crate::faults::Fault;
use crate::holds::Release;
use crate::server::Cut;

const MAX_BODY: usize = 4 << 20;
const THROTTLED: &str = "The throttling threshold has been reached: policy user over ratelimit,limit:XX,time:1 second";

/// A call of the API: logged, verified, subject to the fault plan.
pub async fn signed(
    State(app): State<Arc<App>>,
    Extension(cut): Extension<Cut>,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let (method, raw_path, raw_query) =
        (parts.method.as_str(), parts.uri.path(), parts.uri.query().unwrap_or_default());
    let path = auth::decode(raw_path);
    let found = api::find(method, &path);
    let template = found.as_ref().map_or("(unknown)", |found| found.route.template);
    let body = if announced_length(&parts.headers) > MAX_BODY { None } else { to_bytes(body, MAX_BODY).await.ok() };
    let shown = if raw_query.is_empty() { path.clone() } else { format!("{path}?{raw_query}") };
    let call = app.calls.begin(app.now(), method, &shown, template);
    let seq = call.seq;
    let request_id = format!("{:016x}{seq:016x}", app.seed);
    let reply = |answer: Answer, call: crate::calls::Open| {
        call.answered(answer.status, answer.code.clone());
        respond(answer, &request_id)
    };
    let Some(body) = body else { return reply(too_large(), call) };
    if found.is_none() {
        return reply(api::unknown(), call);
    }
    let check = Signed { method, path: raw_path, query: raw_query, headers: &parts.headers, body: &body };
    let is_open = found.as_ref().is_some_and(api::Found::is_open);
    if !is_open && let Err(rejected) = app.authenticate(&check) {
        tracing::debug!(%rejected, path, "refused a caller");
        let message = format!("Incorrect IAM authentication information: {rejected}");
        return reply(Answer::error(401, rejected.code(), &message), call);
    }
    let fault = app.faults().decide(method, &path, is_write(method));
    let ready = Ready { seq: Some(seq), found, query: auth::parse_query(raw_query), body };
    let Some(fault) = fault else { return reply(app.execute(&ready), call) };
    call.fault(fault.name());
    match fault {
        Fault::LostAnswer => {
            app.execute(&ready);
            call.cut();
            cut.off().await
        }
        Fault::LateApply { delay_ms, gateway_timeout } => {
            let late = app.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                late.execute(&ready);
            });
            if gateway_timeout {
                return reply(Answer::error(504, "APIG.0201", "Backend timeout"), call);
            }
            call.cut();
            cut.off().await
        }
        Fault::Throttle { retry_after_s } => {
            let header = retry_after_s.map(|seconds| ("retry-after", seconds.to_string()));
            reply(Answer { header, ..Answer::error(429, "APIGW.0308", THROTTLED) }, call)
        }
        Fault::Status { http, code, message } => reply(Answer::error(http, &code, &message), call),
        Fault::Drop => {
            call.cut();
            cut.off().await
        }
        Fault::Delay { ms } => {
            let answer = app.execute(&ready);
            tokio::time::sleep(Duration::from_millis(ms)).await;
            reply(answer, call)
        }
        Fault::HoldBefore => match app.holds.hold(seq, method, &path, "hold_before", app.now()).await {
            Release::Go => reply(app.execute(&ready), call),
            Release::Drop => {
                call.cut();
                cut.off().await
            }
        },
        Fault::HoldAfter => {
            let answer = app.execute(&ready);
            match app.holds.hold(seq, method, &path, "hold_after", app.now()).await {
                Release::Go => reply(answer, call),
                Release::Drop => {
                    call.cut();
                    cut.off().await
                }
            }
        }
    }
}

/// The same handlers without signature, faults and log: what tests and people arrange things with.
pub async fn raw(State(app): State<Arc<App>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = auth::decode(parts.uri.path());
    let path = path.strip_prefix("/_ferrolb/raw").unwrap_or_default();
    let Ok(body) = to_bytes(body, MAX_BODY).await else { return respond(too_large(), "raw") };
    let query = auth::parse_query(parts.uri.query().unwrap_or_default());
    let ready = Ready { seq: None, found: api::find(parts.method.as_str(), path), query, body };
    respond(app.execute(&ready), "raw")
}

/// Known before a byte of the body is read.
fn announced_length(headers: &HeaderMap) -> usize {
    headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0)
}

fn too_large() -> Answer {
    Answer::error(413, "APIG.0201", "Request entity too large")
}

fn respond(answer: Answer, request_id: &str) -> Response<Body> {
    let body = answer.body.map(|mut body| {
        if let Some(object) = body.as_object_mut() {
            object.insert("request_id".into(), json!(request_id));
        }
        body.to_string()
    });
    let mut response = Response::new(body.map_or_else(Body::empty, Body::from));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-request-id", id);
    }
    if answer.status != 204 {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=utf-8"));
    }
    if let Some((name, value)) = answer.header
        && let Ok(value) = HeaderValue::from_str(&value)
    {
        headers.insert(name, value);
    }
    response
}
