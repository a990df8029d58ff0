//! Watches: each is a task that follows the store's history and writes lines into an HTTP body.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::stream;
use http::Response;
use serde_json::json;
use tokio::sync::mpsc;

use super::refusal::{Causes, Refusal};
use super::route::{self, Route, parameter};
use super::serve::{Answer, Broken, Call, forbidden, unauthorized};
use super::store::{Change, Kind};
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
    let wish = match Wish::of(&call) {
        Ok(wish) => wish,
        Err(refusal) => return Ok(Answer::of(Err(refusal)).into_response()),
    };
    let (kind, version) = (wish.kind, wish.version);
    match sim.with(|s| refusal(s, now, kind, version)) {
        Some(None) => return Err(Broken),
        Some(Some(refusal)) => return Ok(Answer::of(Err(refusal)).into_response()),
        None => {}
    }
    let (lines, body) = mpsc::unbounded_channel::<Bytes>();
    let end = sim.with(|s| {
        s.note(now, || format!("{} watch {} {version}", plug.identity, kind.word()));
        let mut end = now + wish.timeout;
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
        Watch { sim: sim.clone(), plug: plug.clone(), wish, version, lines, end, begun: now, bookmarked: now, behind };
    tokio::spawn(watch.run());
    let client = (body, sim, plug);
    let body = stream::unfold(client, |(mut body, sim, plug)| async {
        let line = body.recv().await?;
        plug.runs(&sim).await;
        Some((Ok::<_, Broken>(line), (body, sim, plug)))
    });
    Ok(Response::new(Body::from_stream(body)))
}

/// What a call asks for.
struct Wish {
    kind: Kind,
    namespace: Option<String>,
    /// Where to begin; 0: with what there is.
    version: u64,
    timeout: Duration,
    bookmarks: bool,
    /// Whether what there is comes first; without a word about it, where no version is named.
    initial: Option<bool>,
}

impl Wish {
    fn of(call: &Call) -> Result<Self, Refusal> {
        let Some(Route::All(kind, namespace)) = route::find(&call.path) else {
            return Err(Refusal::no_resource());
        };
        let text = |name: &str| parameter(&call.query, name).filter(|text| !text.is_empty());
        let number = |name: &str| text(name).map(str::parse::<u64>).transpose();
        let version = number("resourceVersion").map_err(|e| Refusal::internal(e.to_string()))?.unwrap_or_default();
        let timeout = number("timeoutSeconds").map_err(|e| Refusal::bad_request(e.to_string()))?.unwrap_or(1800);
        let initial = text("sendInitialEvents").map(|said| said == "true");
        let mut causes = Causes::new();
        match (text("resourceVersionMatch"), initial) {
            (None, Some(_)) => causes.push(("resourceVersionMatch".to_owned(), "FieldValueForbidden")),
            (Some(_), None) => causes.push(("resourceVersionMatch".to_owned(), "FieldValueForbidden")),
            _ => {}
        }
        if text("resourceVersionMatch").is_some_and(|said| said != "NotOlderThan") {
            causes.push(("resourceVersionMatch".to_owned(), "FieldValueNotSupported"));
        }
        if !causes.is_empty() {
            return Err(Refusal::options("ListOptions", &causes));
        }
        let bookmarks = text("allowWatchBookmarks") == Some("true");
        Ok(Self { kind, namespace, version, timeout: Duration::from_secs(timeout), bookmarks, initial })
    }

    fn concerns(&self, namespace: &str) -> bool {
        self.namespace.as_deref().is_none_or(|wanted| wanted == namespace)
    }
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
    let forgotten = version > 0 && s.api.since(kind, version).is_err();
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
    wish: Wish,
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
        if self.wish.initial.unwrap_or(self.version == 0) {
            self.begin();
        } else if self.version == 0 {
            self.version = sim.with(|s| s.api.version());
        }
        loop {
            // Counts from here: what comes while this round works is not missed.
            let news = sim.news();
            let now = self.sim.now();
            let broken =
                self.sim.with(|s| s.faults.open_until(Fault::F9, now).or(s.faults.open_until(Fault::F11, now)));
            if now >= self.end || !self.plug.is_alive() || broken.is_some() {
                return;
            }
            let lost = self.sim.with(|s| s.loss.and_then(|loss| loss.of(self.wish.kind, self.begun)));
            if lost == Some(How::Gone) {
                return;
            }
            let silent = self.sim.with(|s| {
                let until = s.faults.open_until(Fault::F18, now);
                s.law.deaf_until = s.law.deaf_until.max(until.unwrap_or_default());
                until.is_some()
            });
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
                self.bookmark(now, false);
            } else {
                tokio::time::sleep(self.behind + self.sim.with(|s| delay(s, self.wish.kind, now))).await;
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
            let changes: Vec<Change> = s.api.since(self.wish.kind, self.version)?.cloned().collect();
            match s.tap.telling(&self.plug, self.wish.kind, &changes, now) {
                Telling::All => Ok((changes, s.api.version())),
                Telling::Nothing => Ok((Vec::new(), self.version)),
                Telling::Gone => Err(Refusal::gone()),
            }
        })?;
        for change in changes.into_iter().filter(|change| self.wish.concerns(&change.namespace)) {
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
        self.sim.with(|s| s.told.insert(self.wish.kind, version));
        if now >= self.bookmarked + BOOKMARK {
            self.bookmark(now, false);
        }
        Ok(())
    }

    /// Tells what there is.
    fn begin(&mut self) {
        let kind = self.wish.kind;
        let (all, version) = self.sim.with(|s| {
            let all = s.api.all(kind).filter(|((_, namespace, _), _)| self.wish.concerns(namespace));
            (all.map(|(_, object)| json!({"type": "ADDED", "object": object})).collect::<Vec<_>>(), s.api.version())
        });
        all.iter().for_each(|line| self.send(line));
        self.version = version;
        if self.wish.initial == Some(true) {
            self.bookmark(self.sim.now(), true);
        }
    }

    /// Says how far it has told everything; `initial`: that this was what there is.
    fn bookmark(&mut self, now: Duration, initial: bool) {
        self.bookmarked = now;
        if !self.wish.bookmarks {
            return;
        }
        let kind = self.wish.kind;
        let mut object = json!({"apiVersion": kind.api_version(), "kind": kind.word(),
            "metadata": {"resourceVersion": self.version.to_string()}});
        if initial {
            object["metadata"]["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        // Bookmarks are objects of their kind; the fields that Go never leaves out are there.
        match kind {
            Kind::Service => {
                object["spec"] = json!({});
                object["status"] = json!({"loadBalancer": {}});
            }
            Kind::Slice => object["endpoints"] = json!(null),
            Kind::Class => object["spec"] = json!({"provider": ""}),
            _ => object["spec"] = json!({}),
        }
        self.send(&json!({"type": "BOOKMARK", "object": object}));
    }

    fn gone(&self) {
        self.send(&json!({"type": "ERROR", "object": Refusal::gone().status()}));
    }

    fn send(&self, line: &serde_json::Value) {
        let _ = self.lines.send(Bytes::from(format!("{line}\n")));
    }
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
