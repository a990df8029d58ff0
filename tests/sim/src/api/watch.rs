//! Watches: each is a task that follows the store's history and writes lines into an HTTP body.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::stream;
use http::Response;
use serde_json::json;
use tokio::sync::mpsc;

use super::route::{self, Route, parameter};
use super::serve::{Answer, Broken, Call, forbidden, unauthorized};
use super::store::{Change, Kind, Refusal};
use crate::freshness::How;
use crate::perturb::tap::Telling;
use crate::plan::Fault;
use crate::process::Plug;
use crate::sim::{Sim, State};

/// Bookmarks come about this often.
const BOOKMARK: Duration = Duration::from_secs(60);

/// Answers a watch call.
pub async fn open(sim: Arc<Sim>, plug: Arc<Plug>, call: Call) -> Result<Response<Body>, Broken> {
    let now = sim.now();
    tokio::time::sleep(sim.with(|s| s.latency.millis(1, 20))).await;
    plug.check()?;
    let Some(Route::All(kind, _)) = route::find(&call.path) else {
        return Ok(Answer::of(Err(Refusal::new(404, "NotFound", "no such path"))).into_response());
    };
    let number = |name: &str| parameter(&call.query, name).and_then(|v| v.parse::<u64>().ok());
    let version = number("resourceVersion").unwrap_or_default();
    let timeout = Duration::from_secs(number("timeoutSeconds").unwrap_or(1800));
    match sim.with(|s| refusal(s, now, kind, version)) {
        Some(None) => return Err(Broken),
        Some(Some(refusal)) => return Ok(Answer::of(Err(refusal)).into_response()),
        None => {}
    }
    let (lines, body) = mpsc::unbounded_channel::<Bytes>();
    let end = sim.with(|s| {
        s.note(now, || format!("{} watch {} {version}", plug.identity, kind.word()));
        let mut end = now + timeout;
        if s.faults.strikes(Fault::F15, now, 0.3) {
            end = end.min(now + s.faults.dice(Fault::F15).millis(1_000, 120_000));
        }
        end
    });
    let behind = sim.with(|s| match s.faults.strikes(Fault::F21, now, 0.1) {
        true => s.faults.dice(Fault::F21).millis(1_000, 30_000),
        false => Duration::ZERO,
    });
    let watch =
        Watch { sim: sim.clone(), plug: plug.clone(), kind, version, lines, end, begun: now, bookmarked: now, behind };
    tokio::spawn(watch.run());
    let client = (body, sim, plug);
    let body = stream::unfold(client, |(mut body, sim, plug)| async {
        let line = body.recv().await?;
        plug.runs(&sim).await;
        Some((Ok::<_, Broken>(line), (body, sim, plug)))
    });
    Ok(Response::new(Body::from_stream(body)))
}

/// Why a watch is not even begun; `Some(None)`: no connection.
fn refusal(s: &mut State, now: Duration, kind: Kind, version: u64) -> Option<Option<Refusal>> {
    for fault in [Fault::F9, Fault::F11] {
        if s.faults.open_until(fault, now).is_some() {
            return Some(None);
        }
    }
    for (fault, refusal) in [(Fault::F12, unauthorized()), (Fault::F13, forbidden())] {
        if s.faults.open_until(fault, now).is_some() {
            return Some(Some(refusal));
        }
    }
    if s.faults.strikes(Fault::F3, now, 0.02) {
        return Some(Some(Refusal::new(503, "ServiceUnavailable", "try again later")));
    }
    // A list is never older than what was told before: the feeds ask for the most recent one, which Kubernetes
    // serves from a quorum. What a server that lags can do is refuse the watch that follows, or tell it late.
    if s.faults.strikes(Fault::F21, now, 0.05) {
        return Some(Some(Refusal::new(504, "Timeout", "Too large resource version")));
    }
    let forgotten = s.api.since(kind, version).is_err();
    if s.loss.is_some_and(|loss| loss.refuses(kind, now, !forgotten)) {
        return Some(Some(Refusal::gone()));
    }
    if forgotten && s.faults.is_on(Fault::F17, now) && s.faults.dice(Fault::F17).chance(0.5)
        || s.faults.strikes(Fault::F17, now, 0.02)
    {
        s.faults.count(Fault::F17);
        return Some(Some(Refusal::gone()));
    }
    None
}

/// One watch.
struct Watch {
    sim: Arc<Sim>,
    plug: Arc<Plug>,
    kind: Kind,
    /// Everything up to here was told.
    version: u64,
    lines: mpsc::UnboundedSender<Bytes>,
    /// When the server ends it.
    end: Duration,
    begun: Duration,
    bookmarked: Duration,
    /// How far its server lags.
    behind: Duration,
}

impl Watch {
    async fn run(mut self) {
        let sim = self.sim.clone();
        loop {
            // Counts from here: what comes while this round works is not missed.
            let news = sim.news();
            let now = self.sim.now();
            let broken =
                self.sim.with(|s| s.faults.open_until(Fault::F9, now).or(s.faults.open_until(Fault::F11, now)));
            if now >= self.end || !self.plug.is_alive() || broken.is_some() {
                return;
            }
            let lost = self.sim.with(|s| s.loss.and_then(|loss| loss.of(self.kind, self.begun)));
            if lost == Some(How::Gone) {
                return;
            }
            let silent = self.sim.with(|s| s.faults.open_until(Fault::F18, now)).is_some();
            if silent || lost == Some(How::Silent) {
                // No data and no end: the client must notice by itself.
                self.lines.closed().await;
                return;
            }
            if self.sim.with(|s| s.faults.strikes(Fault::F16, now, 0.002)) {
                return self.gone();
            }
            let held = self.sim.with(|s| s.faults.open_until(Fault::F22, now)).is_some();
            if held {
                self.bookmark(now);
            } else {
                tokio::time::sleep(self.behind + self.sim.with(|s| delay(s, self.kind, now))).await;
                if self.tell().is_err() {
                    return self.gone();
                }
            }
            let pause = Duration::from_secs(if held { 5 } else { 30 });
            let wake = self.end.min(self.bookmarked + BOOKMARK).min(self.sim.now() + pause);
            tokio::select! {
                biased;
                () = self.lines.closed() => return,
                () = news, if !held => {}
                () = tokio::time::sleep(wake.saturating_sub(self.sim.now())) => {}
            }
        }
    }

    /// Tells what is new, or fails where that is forgotten.
    fn tell(&mut self) -> Result<(), Refusal> {
        let now = self.sim.now();
        let (changes, version): (Vec<Change>, u64) = self.sim.with(|s| {
            let changes: Vec<Change> = s.api.since(self.kind, self.version)?.cloned().collect();
            match s.tap.telling(&self.plug, self.kind, &changes, now) {
                Telling::All => Ok((changes, s.api.version())),
                Telling::Nothing => Ok((Vec::new(), self.version)),
                Telling::Gone => Err(Refusal::gone()),
            }
        })?;
        for change in changes {
            if let Some(uid) = &change.deleting {
                self.plug.told_deleting(now, uid);
            }
            let twice = self.sim.with(|s| s.faults.strikes(Fault::F23, now, 0.05));
            for _ in 0..=usize::from(twice) {
                // A client that is gone is noticed by the loop.
                let _ = self.lines.send(change.line.clone());
            }
        }
        self.version = version;
        self.sim.with(|s| s.told.insert(self.kind, version));
        if now >= self.bookmarked + BOOKMARK {
            self.bookmark(now);
        }
        Ok(())
    }

    /// Says how far it has told everything.
    fn bookmark(&mut self, now: Duration) {
        self.bookmarked = now;
        let metadata = json!({"resourceVersion": self.version.to_string(), "creationTimestamp": null});
        let object = json!({"apiVersion": self.kind.api_version(), "kind": self.kind.word(), "metadata": metadata,
            "spec": bookmark_spec(self.kind)});
        self.send(&json!({"type": "BOOKMARK", "object": object}));
    }

    fn gone(&self) {
        self.send(&json!({"type": "ERROR", "object": Refusal::gone().status()}));
    }

    fn send(&self, line: &serde_json::Value) {
        let _ = self.lines.send(Bytes::from(format!("{line}\n")));
    }
}

/// Bookmarks are objects of their kind; this one has a field without which it cannot be read.
fn bookmark_spec(kind: Kind) -> serde_json::Value {
    if kind == Kind::Class { json!({"provider": ""}) } else { json!({}) }
}

/// How late news of a kind comes.
fn delay(s: &mut State, kind: Kind, now: Duration) -> Duration {
    let usual = s.latency.millis(1, 20);
    // One kind at a time, chosen by the minute.
    let minute = now.as_secs() / 60;
    let kinds = [Kind::Service, Kind::Node, Kind::Slice, Kind::Class];
    if s.faults.is_on(Fault::F20, now) && kinds[(minute % 4) as usize] == kind && s.faults.strikes(Fault::F20, now, 0.2)
    {
        return usual + s.faults.dice(Fault::F20).millis(1_000, 60_000);
    }
    usual
}
