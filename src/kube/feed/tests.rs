//! A scripted API server, paused time.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::Mutex;

use http::{Request, Response};
use k8s_openapi::api::core::v1::Node;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use super::*;

/// Answers of the server: lists in order (the last one repeats) and what a watch start gets.
struct Script {
    lists: VecDeque<Value>,
    watches: VecDeque<Watch>,
    lists_served: usize,
}

#[derive(Clone)]
enum Watch {
    /// HTTP status at start.
    Status(u16),
    /// Lines, then the stream ends.
    Lines(Vec<Value>),
}

fn node(name: &str, version: u32) -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "resourceVersion": version.to_string()}})
}

fn failure(code: u16) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "no", "reason": "x", "code": code})
}

fn list(version: u32, names: &[&str]) -> Value {
    let items: Vec<_> = names.iter().map(|n| node(n, version)).collect();
    json!({"apiVersion": "v1", "kind": "NodeList", "metadata": {"resourceVersion": version.to_string()}, "items": items})
}

fn client(script: Arc<Mutex<Script>>) -> Client {
    let service = tower::service_fn(move |request: Request<Body>| {
        let script = script.clone();
        async move {
            let watch = request.uri().query().unwrap_or_default().contains("watch=true");
            if watch && script.lock().unwrap().watches.is_empty() {
                // Nothing more happens.
                std::future::pending::<()>().await;
            }
            let mut script = script.lock().unwrap();
            let (status, body) = if watch {
                match script.watches.pop_front().unwrap() {
                    Watch::Status(code) => (code, failure(code).to_string()),
                    Watch::Lines(lines) => (200, lines.iter().map(|l| format!("{l}\n")).collect()),
                }
            } else {
                script.lists_served += 1;
                let next =
                    if script.lists.len() > 1 { script.lists.pop_front() } else { script.lists.front().cloned() };
                let next = next.unwrap();
                (next["code"].as_u64().unwrap_or(200) as u16, next.to_string())
            };
            Ok::<_, std::convert::Infallible>(
                Response::builder().status(status).body(Body::from(body.into_bytes())).unwrap(),
            )
        }
    });
    Client::new(service, "default")
}

/// Runs the feed for `limit` of paused time; returns what it told and how often the server listed.
async fn told(
    kind: Kind,
    lists: Vec<Value>,
    watches: Vec<Watch>,
    limit: Duration,
) -> (Vec<String>, usize, Arc<Health>) {
    let script = Arc::new(Mutex::new(Script { lists: lists.into(), watches: watches.into(), lists_served: 0 }));
    let told = Arc::new(Mutex::new(Vec::new()));
    let (health, stop) = (Arc::new(Health::default()), CancellationToken::new());
    let sink = {
        let told = told.clone();
        move |fact: Fact<Node>| {
            told.lock().unwrap().push(match fact {
                Fact::Is(node) => format!("+{}", node.name_any()),
                Fact::Gone(node) => format!("-{}", node.name_any()),
            });
        }
    };
    let clock = Clock::system(1);
    let run = run(Api::<Node>::all(client(script.clone())), kind, clock, health.clone(), stop.clone(), |n| n, sink);
    let _ = tokio::time::timeout(limit, run).await;
    let told = told.lock().unwrap().clone();
    let served = script.lock().unwrap().lists_served;
    (told, served, health)
}

#[tokio::test(start_paused = true)]
async fn what_vanished_while_disconnected_is_told_as_gone() {
    let gone = Watch::Lines(vec![json!({"type": "ERROR", "object": failure(410)})]);
    let (told, _, health) =
        told(Kind::BuiltIn, vec![list(1, &["a", "b"]), list(5, &["b"])], vec![gone], Duration::from_secs(20)).await;
    assert_eq!(told, ["+a", "+b", "+b", "-a"]);
    assert!(health.is_ready());
}

/// Without the feed's own rule the watcher would ask for the same expired version for ever (kube 5.0, state InitListed).
#[tokio::test(start_paused = true)]
async fn an_http_410_at_watch_start_leads_to_a_new_list() {
    let changed = Watch::Lines(vec![json!({"type": "ADDED", "object": node("c", 9)})]);
    let (told, lists, _) = told(
        Kind::BuiltIn,
        vec![list(1, &["a"]), list(5, &["b"])],
        vec![Watch::Status(410), changed],
        Duration::from_secs(60),
    )
    .await;
    assert_eq!(told, ["+a", "+b", "-a", "+c"], "listed {lists} times");
}

#[tokio::test(start_paused = true)]
async fn five_failed_starts_in_a_row_lead_to_a_new_list() {
    let failing = vec![Watch::Status(500); 5];
    let (told, lists, _) =
        told(Kind::BuiltIn, vec![list(1, &["a"]), list(5, &["b"])], failing, Duration::from_secs(140)).await;
    assert_eq!(told, ["+a", "+b", "-a"], "listed {lists} times");
}

/// Outside the chart nobody may have installed our definitions; Services are to work all the same.
#[tokio::test(start_paused = true)]
async fn a_kind_that_the_server_does_not_know_has_no_objects_until_it_does() {
    let (told, _, health) =
        told(Kind::Optional, vec![failure(404), list(5, &["a"])], vec![], Duration::from_secs(60)).await;
    assert_eq!(told, ["+a"]);
    assert!(health.is_ready());
}

/// Believing it would take every member out of every pool.
#[tokio::test(start_paused = true)]
async fn a_404_for_a_built_in_kind_is_not_believed() {
    let lists = vec![list(1, &["a"]), failure(404), failure(404)];
    let (told, _, _) = told(Kind::BuiltIn, lists, vec![Watch::Status(410)], Duration::from_secs(60)).await;
    assert_eq!(told, ["+a"]);
}
