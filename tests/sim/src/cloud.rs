//! The way of one call to the cloud: latency, faults, the mock's state, answer. As with the API server a call goes its
//! way in a task of its own, so that it may take effect after its caller is dead.

use std::sync::Arc;
use std::time::Duration;

use ferrolb_elb::{Method, Request, Response, Transport, TransportError};
use ferrolb_mock::Answered;
use ferrolb_provider::BoxFuture;
use serde_json::json;
use tokio::sync::oneshot;

use crate::faults::CLOUD_CALLS;
use crate::law::Actor;
use crate::plan::Fault;
use crate::process::Plug;
use crate::sim::{Sim, State};

/// A call that nobody waits for any more takes effect within this time; together with the lag of lists it stays
/// below the settle time, as the product demands of a cloud.
const LATEST_MS: u64 = 12_000;
/// How far lists may lag.
pub const LAG_MS: u64 = 10_000;

/// How the product asks for a page.
const PAGE: &str = "limit=500";
/// Deeper than anybody reads.
const DEPTH: usize = 10_000;

/// One process's way to the cloud.
pub struct Wire {
    pub sim: Arc<Sim>,
    pub plug: Arc<Plug>,
}

impl Transport for Wire {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let (sim, plug) = (self.sim.clone(), self.plug.clone());
        Box::pin(async move {
            let lost = |_| TransportError::Lost("connection reset".to_owned());
            plug.check().map_err(|_| TransportError::NotSent("no route".to_owned()))?;
            let _call = sim.with(|s| plug.begin(s, sim.now()));
            let (answered, answer) = oneshot::channel();
            let world = sim.clone();
            let server = plug.clone();
            tokio::spawn(async move {
                if let Some(answer) = carry_out(&sim, &server, &request).await {
                    // Nobody may be listening any more.
                    let _ = answered.send(answer);
                }
            });
            let answer = answer.await;
            plug.runs(&world).await;
            plug.check().map_err(|_| TransportError::Lost("connection reset".to_owned()))?;
            answer.map_err(lost)
        })
    }
}

/// What happens to a call besides the ordinary.
enum Fate {
    Usual,
    Refused(Response),
    /// Applied, and the connection closed, or never answered at all.
    Lost {
        hangs: bool,
    },
    /// The connection closed or 504; applied later.
    Late {
        by: Duration,
        timeout: bool,
    },
    /// Carried out twice on its way; the answer is the second's.
    Twice,
    /// A list in pages of so many objects.
    Pages(u64),
    /// Carried out, and an answer that nobody can read.
    Nested,
    /// The process dies, before the call arrives or after it is applied.
    Kills {
        before: bool,
    },
}

async fn carry_out(sim: &Arc<Sim>, plug: &Arc<Plug>, request: &Request) -> Option<Response> {
    let writes = request.method != Method::Get;
    let issued = sim.now();
    let (there, back, fate) = sim.with(|s| {
        s.tally.cloud_calls += 1;
        s.tally.cloud_writes += u64::from(writes);
        if writes {
            let State { law, api, .. } = s;
            law.sent(issued, plug, api);
        } else {
            s.law.asked(issued, &request.url);
        }
        (s.latency.millis(5, 80), s.latency.millis(5, 80), fate(s, issued, request))
    });
    tokio::time::sleep(there).await;
    if !plug.is_alive() && sim.with(|s| s.latency.chance(0.5)) {
        return None;
    }
    match fate {
        Fate::Refused(response) => return Some(response),
        Fate::Late { by, timeout } => {
            let late = (sim.clone(), plug.clone(), request.clone());
            tokio::spawn(async move {
                let (sim, plug, request) = late;
                tokio::time::sleep(by).await;
                let _ = apply(&sim, &plug, issued, &request);
            });
            return timeout.then(|| refused(504, "APIG.0201"));
        }
        Fate::Kills { before: true } => {
            plug.kill();
            return None;
        }
        _ => {}
    }
    let answer = match fate {
        Fate::Pages(objects) => apply(sim, plug, issued, &in_pages(request, objects))?,
        _ => apply(sim, plug, issued, request)?,
    };
    let answer = match fate {
        Fate::Twice => apply(sim, plug, issued, request)?,
        Fate::Nested => Response { body: nested().into_bytes(), ..answer },
        _ => answer,
    };
    match fate {
        Fate::Lost { hangs } => {
            if hangs {
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            return None;
        }
        Fate::Kills { .. } => {
            plug.kill();
            return None;
        }
        _ => {}
    }
    tokio::time::sleep(back).await;
    Some(answer)
}

/// None where the process dies over it.
fn apply(sim: &Sim, plug: &Arc<Plug>, issued: Duration, request: &Request) -> Option<Response> {
    let path = request.url.strip_prefix("http://cloud").unwrap_or_default();
    let now = sim.now();
    sim.with(|s| {
        s.law.actor = Some(Actor { plug: plug.clone(), sent: issued, path: path.to_owned() });
        let before = s.cloud.revision();
        let method = request.method.as_str();
        let answered = s.observed(plug, method, path, |s| s.cloud.call(method, path, &request.body));
        let Answered { status, body } = answered?;
        s.tally.cloud_effects += u64::from(before != s.cloud.revision());
        s.note(now, || format!("{} cloud {} {path} {status}", plug.identity, request.method));
        let body = body.and_then(|b| serde_json::to_vec(&b).ok()).unwrap_or_default();
        Some(Response { status, headers: Vec::new(), body })
    })
}

fn fate(s: &mut State, now: Duration, request: &Request) -> Fate {
    let writes = request.method != Method::Get;
    let faults = &mut s.faults;
    faults.next_call(CLOUD_CALLS, writes, 1);
    if faults.open_until(Fault::F37, now).is_some() {
        faults.count(Fault::F37);
        return Fate::Refused(refused(401, "APIG.0301"));
    }
    if faults.strikes(Fault::F29, now, 0.03) {
        let http = *faults.dice(Fault::F29).pick(&[500, 502, 503]).unwrap_or(&500);
        return Fate::Refused(refused(http, "APIG.0202"));
    }
    if faults.strikes(Fault::F31, now, 0.03) {
        return Fate::Refused(refused(429, "APIGW.0308"));
    }
    if writes && faults.strikes(Fault::F30, now, 0.08) {
        let dice = faults.dice(Fault::F30);
        let (by, timeout) = (dice.millis(100, LATEST_MS), dice.chance(0.3));
        return match dice.below(3) {
            0 => Fate::Lost { hangs: dice.chance(0.3) },
            _ => Fate::Late { by, timeout },
        };
    }
    if writes && faults.strikes(Fault::F24, now, 0.02) {
        return Fate::Kills { before: faults.dice(Fault::F24).chance(0.5) };
    }
    if is_refused_twice(request) && faults.strikes(Fault::F36, now, 0.05) {
        return Fate::Twice;
    }
    if request.url.contains(PAGE) && faults.strikes(Fault::F34, now, 0.2) {
        return Fate::Pages(1 + faults.dice(Fault::F34).below(3));
    }
    if faults.strikes(Fault::F38, now, 0.01) {
        return Fate::Nested;
    }
    Fate::Usual
}

/// Whether the cloud refuses a call that it has carried out already: what has a key of its own besides its id.
fn is_refused_twice(request: &Request) -> bool {
    let kinds = ["/listeners", "/healthmonitors", "/members"];
    request.method == Method::Post && kinds.iter().any(|kind| request.url.ends_with(kind))
}

fn in_pages(request: &Request, objects: u64) -> Request {
    Request { url: request.url.replacen(PAGE, &format!("limit={objects}"), 1), ..request.clone() }
}

/// An array in an array in an array …
pub fn nested() -> String {
    "[".repeat(DEPTH) + &"]".repeat(DEPTH)
}

fn refused(status: u16, code: &str) -> Response {
    let body = json!({"error_code": code, "error_msg": "made up by the simulator"}).to_string().into_bytes();
    Response { status, headers: Vec::new(), body }
}
