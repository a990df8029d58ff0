//! The way of one call to the API server: latency, faults, store, answer. A call goes its way in a task of its own,
//! so that a client who gives up or dies does not undo it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, Response};
use kube::Client;
use serde_json::Value;
use tokio::sync::oneshot;

use super::dispatch::dispatch;
use super::refusal::Refusal;
use super::route::parameter;
use super::watch;
use crate::faults::API_CALLS;
use crate::plan::Fault;
use crate::process::Plug;
use crate::sim::{Sim, State};

/// One call.
pub struct Call {
    pub method: Method,
    pub path: String,
    pub query: String,
    pub content_type: String,
    pub user_agent: String,
    pub body: Vec<u8>,
}

/// No answer: the connection broke.
#[derive(Debug, thiserror::Error)]
#[error("connection reset")]
pub struct Broken;

/// An answer before it becomes HTTP.
pub struct Answer {
    status: u16,
    body: Vec<u8>,
    retry_after: bool,
}

/// A client of the simulated server for one process.
pub fn client(sim: &Arc<Sim>, plug: &Arc<Plug>) -> Client {
    let (sim, plug) = (sim.clone(), plug.clone());
    let service = tower::service_fn(move |request| handle(sim.clone(), plug.clone(), request));
    Client::new(service, "ferrolb-system")
}

async fn handle(
    sim: Arc<Sim>,
    plug: Arc<Plug>,
    request: Request<kube::client::Body>,
) -> Result<Response<Body>, Broken> {
    let (parts, body) = request.into_parts();
    let body = body.collect_bytes().await.map_err(|_| Broken)?;
    plug.check()?;
    let _call = sim.with(|s| plug.begin(s, sim.now()));
    let header = |name: &str| {
        let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (content_type, user_agent) = (header("content-type"), header("user-agent"));
    let call = Call {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        content_type,
        user_agent,
        body: body.to_vec(),
    };
    if matches!(parameter(&call.query, "watch"), Some("true" | "1")) {
        return watch::open(sim, plug, call).await;
    }
    let (answered, answer) = oneshot::channel();
    let server = (sim.clone(), plug.clone());
    tokio::spawn(async move {
        let (sim, plug) = server;
        if let Some(answer) = carry_out(&sim, &plug, &call, &answered).await {
            // Nobody may be listening any more.
            let _ = answered.send(answer);
        }
    });
    let answer = answer.await;
    plug.runs(&sim).await;
    plug.check()?;
    Ok(answer.map_err(|_| Broken)?.into_response())
}

/// What happens to a call besides the ordinary.
enum Fate {
    Usual,
    Reset,
    Lost,
    Slow(Duration),
    Cut,
    /// The process dies, before the call is applied or after it.
    Kills {
        before: bool,
    },
    Refused(Refusal),
}

async fn carry_out(sim: &Sim, plug: &Plug, call: &Call, client: &oneshot::Sender<Answer>) -> Option<Answer> {
    let now = sim.now();
    let (there, back, fate) = sim.with(|s| {
        let (there, back) = (s.latency.millis(1, 15), s.latency.millis(1, 15));
        (there, back, fate(s, call, now))
    });
    tokio::time::sleep(there).await;
    if !plug.is_alive() && sim.with(|s| s.latency.chance(0.5)) {
        // The process died before the request had left.
        return None;
    }
    if let Some(until) = sim.with(|s| s.faults.open_until(Fault::F10, now)) {
        sim.with(|s| s.faults.count(Fault::F10));
        tokio::time::sleep(until.saturating_sub(sim.now())).await;
        if client.is_closed() && sim.with(|s| s.latency.chance(0.5)) {
            return None;
        }
    }
    let answer = match fate {
        Fate::Reset => return None,
        Fate::Kills { before: true } => {
            plug.kill();
            return None;
        }
        Fate::Refused(ref refusal) => Err(refusal.clone()),
        _ => sim.with(|s| s.observed(plug, call.method.as_str(), &call.path, |s| dispatch(s, sim, plug, call)))?,
    };
    sim.with(|s| {
        s.note(sim.now(), || {
            let code = answer.as_ref().map_or_else(|r| r.code, |(status, _)| *status);
            format!("{} api {} {} {} {code}", plug.identity, call.method, call.path, call.query)
        })
    });
    tokio::time::sleep(back).await;
    let answer = Answer::of(answer);
    match fate {
        Fate::Lost => None,
        Fate::Kills { .. } => {
            plug.kill();
            None
        }
        Fate::Slow(time) => {
            tokio::time::sleep(time).await;
            Some(answer)
        }
        Fate::Cut => {
            let half = answer.body[..answer.body.len() / 2].to_vec();
            Some(Answer { body: half, ..answer })
        }
        _ => Some(answer),
    }
}

fn fate(s: &mut State, call: &Call, now: Duration) -> Fate {
    let writes = call.method != Method::GET;
    let faults = &mut s.faults;
    faults.next_call(API_CALLS, writes, 2);
    for (fault, refusal) in [(Fault::F12, unauthorized()), (Fault::F13, forbidden())] {
        if faults.open_until(fault, now).is_some() {
            faults.count(fault);
            return Fate::Refused(refusal);
        }
    }
    for fault in [Fault::F9, Fault::F11] {
        if faults.open_until(fault, now).is_some() {
            faults.count(fault);
            return Fate::Reset;
        }
    }
    if faults.strikes(Fault::F1, now, 0.02) {
        return Fate::Reset;
    }
    if faults.strikes(Fault::F2, now, 0.02) {
        return Fate::Lost;
    }
    if faults.strikes(Fault::F3, now, 0.02) {
        return Fate::Refused(match faults.dice(Fault::F3).chance(0.5) {
            true => Refusal::new(500, "InternalError", "internal error"),
            false => Refusal::new(503, "ServiceUnavailable", "the server is currently unable to handle the request"),
        });
    }
    if faults.strikes(Fault::F4, now, 0.02) {
        return Fate::Refused(Refusal::new(429, "TooManyRequests", "too many requests"));
    }
    if writes && faults.strikes(Fault::F5, now, 0.02) {
        return Fate::Refused(Refusal::new(409, "Conflict", "the object has been modified"));
    }
    if writes && faults.strikes(Fault::F24, now, 0.01) {
        return Fate::Kills { before: faults.dice(Fault::F24).chance(0.5) };
    }
    if writes && faults.strikes(Fault::F6, now, 0.01) {
        return Fate::Refused(Refusal::denied("admission webhook denied the request"));
    }
    if faults.strikes(Fault::F7, now, 0.01) {
        return Fate::Slow(faults.dice(Fault::F7).millis(7_000, 60_000));
    }
    if faults.strikes(Fault::F8, now, 0.01) {
        return Fate::Cut;
    }
    Fate::Usual
}

pub fn unauthorized() -> Refusal {
    Refusal::new(401, "Unauthorized", "Unauthorized")
}

pub fn forbidden() -> Refusal {
    Refusal::new(403, "Forbidden", "forbidden: no rule allows it")
}

impl Answer {
    pub fn of(answer: Result<(u16, Value), Refusal>) -> Self {
        let (status, body) = match answer {
            Ok(answer) => answer,
            Err(refusal) => (refusal.code, refusal.status()),
        };
        // A Value always has a text.
        Self { status, body: serde_json::to_vec(&body).unwrap_or_default(), retry_after: status == 429 }
    }

    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = http::StatusCode::from_u16(self.status).unwrap_or_default();
        let headers = response.headers_mut();
        headers.insert("content-type", http::HeaderValue::from_static("application/json"));
        if self.retry_after {
            headers.insert("retry-after", http::HeaderValue::from_static("1"));
        }
        response
    }
}
