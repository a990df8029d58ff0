//! The flight record: the last calls to the cloud of each Service, and those for none, over the admin port.
//!
//! What a call told holds nothing secret (`ferrolb_elb::CallRecord`), and there are never more of them than fit.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::Query;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ferrolb_elb::CallRecord;
use serde::Deserialize;
use serde_json::json;

/// Calls kept of all Services together, about 300 bytes each.
const ALL: usize = 20_000;

/// The last calls.
pub struct FlightRecord {
    /// How many are kept of one Service.
    each: usize,
    all: usize,
    calls: Mutex<Calls>,
}

#[derive(Default)]
struct Calls {
    by_service: BTreeMap<Option<Arc<str>>, Row>,
    count: usize,
    /// Calls ever noted.
    noted: u64,
}

#[derive(Default)]
struct Row {
    calls: VecDeque<CallRecord>,
    /// Number of the last one.
    last: u64,
}

impl FlightRecord {
    /// One that keeps `each` calls of a Service.
    pub fn new(each: usize) -> Self {
        Self { each, all: ALL, calls: Mutex::default() }
    }

    /// Notes a call.
    pub fn note(&self, call: CallRecord) {
        if self.each == 0 {
            return;
        }
        let mut calls = self.lock();
        calls.noted += 1;
        let noted = calls.noted;
        let row = calls.by_service.entry(call.service.clone()).or_default();
        row.last = noted;
        row.calls.push_back(call);
        if row.calls.len() > self.each {
            row.calls.pop_front();
        } else {
            calls.count += 1;
        }
        if calls.count > self.all {
            calls.forget_the_quietest();
        }
    }

    /// The calls of a Service, the oldest first; `None`: of none.
    pub fn of(&self, service: Option<&str>) -> Vec<CallRecord> {
        let calls = self.lock();
        let row = calls.by_service.get(&service.map(Arc::from));
        row.map(|row| row.calls.iter().cloned().collect()).unwrap_or_default()
    }

    /// Services with calls, and how many are kept of each.
    fn services(&self) -> BTreeMap<String, usize> {
        let calls = self.lock();
        calls.by_service.iter().filter_map(|(name, row)| Some((name.as_ref()?.to_string(), row.calls.len()))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls {
    /// Whoever called last is of interest; the others make room.
    fn forget_the_quietest(&mut self) {
        let quietest = self.by_service.iter().min_by_key(|(_, row)| row.last).map(|(name, _)| name.clone());
        if let Some(row) = quietest.and_then(|name| self.by_service.remove(&name)) {
            self.count -= row.calls.len();
        }
    }
}

/// Whose calls are asked for.
#[derive(Deserialize)]
struct Wish {
    /// `namespace/name`
    service: Option<String>,
}

/// `/debug/calls`: those for no Service, and which Services there are; `/debug/calls?service=NAMESPACE/NAME`: its own.
/// A table for people, JSON for who accepts it.
pub fn router(record: Arc<FlightRecord>) -> Router {
    let answer = async move |Query(wish): Query<Wish>, headers: HeaderMap| {
        let service = wish.service.as_deref();
        let (calls, services) = (record.of(service), record.services());
        let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if accepts.contains("application/json") {
            let mut body = json!({"service": service, "calls": calls});
            if service.is_none() {
                body["services"] = json!(services);
            }
            return ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response();
        }
        page(service, &calls, &services)
    };
    Router::new().route("/debug/calls", get(answer))
}

fn page(service: Option<&str>, calls: &[CallRecord], services: &BTreeMap<String, usize>) -> Response {
    let mut text = table(calls);
    if calls.is_empty() {
        text = "no calls\n".to_owned();
    }
    if service.is_none() {
        text.push_str("\nCALLS  SERVICE (/debug/calls?service=NAMESPACE/NAME)\n");
        for (name, count) in services {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{count:<5}  {name}");
        }
    }
    text.into_response()
}

/// Columns as wide as what is in them.
fn table(calls: &[CallRecord]) -> String {
    let head = ["TIME", "TRY", "STATUS", "RESULT", "CODE", "WAITED", "TOOK", "REQUEST ID", "METHOD", "PATH"];
    let dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let row = |call: &CallRecord| {
        [
            call.at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            call.attempt.to_string(),
            dash(call.status.map(|status| status.to_string())),
            call.result.to_owned(),
            dash(call.code.clone()),
            format!("{}ms", call.waited.as_millis()),
            format!("{}ms", call.took.as_millis()),
            dash(call.request_id.clone()),
            call.method.to_owned(),
            call.path.clone(),
        ]
    };
    let rows: Vec<_> = std::iter::once(head.map(str::to_owned)).chain(calls.iter().map(row)).collect();
    let width = |n: usize| rows.iter().map(|row| row[n].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests;
