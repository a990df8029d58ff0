//! Plays the cases to a server and prints what it answered, a line of JSON for each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use http::{Method, Request as HttpRequest};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use super::cases::ALL;
use super::normal::Masks;
use super::script::{self, Request};
use crate::plan::Plan;
use crate::sim;

/// How often a server may ask for patience.
const PATIENCE: usize = 60;
/// Where the cases play.
const NAMESPACE: &str = "fidelity-cases";

/// Why the cases cannot be played.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("no connection: {0}")]
    Connect(String),
    #[error(transparent)]
    Script(#[from] script::Error),
    #[error("{0}: {1}")]
    Call(String, Box<kube::Error>),
    #[error("{0}: {1}")]
    Http(String, http::Error),
}

/// Plays the cases whose name contains `only` to the simulator, or to the server of a kubeconfig. True when that was
/// possible.
pub fn run(kubeconfig: Option<&Path>, only: Option<&str>) -> bool {
    let played = match kubeconfig {
        Some(file) => real(file, only),
        None => simulated(only),
    };
    played.map_err(|error| eprintln!("fidelity: {error}")).is_ok()
}

fn simulated(only: Option<&str>) -> Result<(), Error> {
    let calm = Plan::calm(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.map_err(|e| Error::Connect(e.to_string()))?;
    runtime.block_on(async {
        let client = sim::bare(calm).map_err(|e| Error::Connect(e.to_string()))?;
        all(&client, only).await
    })
}

fn real(file: &Path, only: Option<&str>) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Error::Connect(e.to_string()))?;
    runtime.block_on(async {
        let unusable = |e: &dyn std::error::Error| Error::Connect(e.to_string());
        let kubeconfig = kube::config::Kubeconfig::read_from(file).map_err(|e| unusable(&e))?;
        let options = kube::config::KubeConfigOptions::default();
        let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|e| unusable(&e))?;
        // A refusal is an answer here.
        config.default_retry = false;
        let client = Client::try_from(config).map_err(|e| unusable(&e))?;
        all(&client, only).await
    })
}

async fn all(client: &Client, only: Option<&str>) -> Result<(), Error> {
    let namespace = format!("/api/v1/namespaces/{NAMESPACE}");
    let made = format!("POST /api/v1/namespaces {{metadata: {{name: {NAMESPACE}}}}}");
    let (status, answer) = send(client, &script::request(&made, &BTreeMap::new())?).await?;
    if status != 201 {
        return Err(Error::Connect(format!("namespace {NAMESPACE} cannot be made: {answer}")));
    }
    for (name, script) in ALL.iter().copied().flatten().filter(|(name, _)| only.is_none_or(|o| name.contains(o))) {
        let steps = play(client, script).await?;
        println!("{}", json!({"case": name, "steps": steps}));
    }
    send(client, &script::request(&format!("DELETE {namespace}"), &BTreeMap::new())?).await?;
    Ok(())
}

/// Plays one case and removes what it made.
async fn play(client: &Client, script: &str) -> Result<Vec<Value>, Error> {
    let mut known = BTreeMap::from([("$NS".to_owned(), NAMESPACE.to_owned())]);
    let (mut played, mut made) = (Vec::new(), BTreeSet::new());
    for (number, step) in script::steps(script).iter().enumerate() {
        let request = match script::request(step, &known) {
            Ok(request) => request,
            // An earlier answer lacks something that the other server's has: the transcripts differ already.
            Err(error @ script::Error::NotAnswered(_)) => {
                eprintln!("fidelity: {error}");
                break;
            }
            Err(error) => return Err(error.into()),
        };
        let (status, answer) = send(client, &request).await?;
        learn(&mut known, number + 1, &answer);
        made.extend(place_of(&request, status, &answer));
        played.push((step.clone(), request, status, answer));
    }
    for path in made {
        for last in ["MERGE {} {metadata: {finalizers: null}}", "DELETE {}"] {
            let request = script::request(&last.replacen("{}", &path, 1), &known)?;
            // Most are gone already, or were never held.
            send(client, &request).await?;
        }
    }
    let written = played.iter().map(|(step, ..)| step.as_str()).collect::<Vec<_>>().join("\n");
    let mut masks = Masks::new(NAMESPACE, written);
    played.iter().for_each(|(.., answer)| masks.meet(answer));
    let tell = |(step, _, status, answer): &(String, Request, u16, Value)| json!({"step": step, "status": status, "answer": masks.mask(answer)});
    Ok(played.iter().map(tell).collect())
}

/// Sends a request until the server takes it: a real one asks for patience while it begins to store a new kind, and no
/// case is about that.
async fn send(client: &Client, request: &Request) -> Result<(u16, Value), Error> {
    for _ in 0..PATIENCE {
        let (status, answer) = send_once(client, request).await?;
        if status != 429 {
            return Ok((status, answer));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    send_once(client, request).await
}

/// Sends a request; the answer's status and its body: JSON, a list of the lines of a watch, or text.
async fn send_once(client: &Client, request: &Request) -> Result<(u16, Value), Error> {
    let bytes = match &request.body {
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(body) => body.to_string().into_bytes(),
        None => Vec::new(),
    };
    let method = Method::from_bytes(request.method.as_bytes()).unwrap_or_default();
    let http = HttpRequest::builder()
        .method(method)
        .uri(&request.uri)
        .header("accept", "application/json")
        .header("content-type", request.content_type)
        .header("user-agent", "player/1")
        .body(Body::from(bytes))
        .map_err(|e| Error::Http(request.text.clone(), e))?;
    let failed = |error: kube::Error| Error::Call(request.text.clone(), Box::new(error));
    let answer = client.send(http).await.map_err(failed)?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect_bytes().await.map_err(failed)?;
    let text = String::from_utf8_lossy(&body);
    let parse = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    let answer = if request.watches && status == 200 { text.lines().map(parse).collect() } else { parse(&text) };
    Ok((status, answer))
}

/// What later steps may name.
fn learn(known: &mut BTreeMap<String, String>, step: usize, answer: &Value) {
    let metadata = &answer["metadata"];
    let values = [
        ("rv", &metadata["resourceVersion"]),
        ("uid", &metadata["uid"]),
        ("name", &metadata["name"]),
        ("continue", &metadata["continue"]),
        ("port", &answer["spec"]["ports"][0]["nodePort"]),
        ("health", &answer["spec"]["healthCheckNodePort"]),
    ];
    for (name, value) in values {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Null => continue,
            other => other.to_string(),
        };
        known.insert(format!("${step}.{name}"), text);
    }
}

/// The path of an object that a request has made.
fn place_of(request: &Request, status: u16, answer: &Value) -> Option<String> {
    let path = request.uri.split('?').next().unwrap_or_default();
    let name = answer["metadata"]["name"].as_str()?;
    match (request.method, status) {
        ("POST", 200..=299) => Some(format!("{path}/{name}")),
        ("PATCH" | "PUT", 201) => Some(path.to_owned()),
        _ => None,
    }
}
