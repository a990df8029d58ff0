//! The cloud: `GET|POST /KIND`, `PUT|DELETE /KIND/ID` for balancers and rules, with pages of four. Its time is
//! virtual, so that what takes a minute elsewhere takes none here.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferrolb_provider::conformance::{Call, Fault};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const PAGE: usize = 4;
/// How long after a call was given up it may still be applied.
const LATE: Duration = Duration::from_secs(6);

/// A running cloud; gone when dropped.
pub struct TinyCloud {
    /// Where it listens.
    pub url: String,
    state: Arc<Mutex<State>>,
    server: tokio::task::JoinHandle<()>,
}

/// What the cloud knows.
#[derive(Default)]
pub struct State {
    /// Its time. Only [`State::pass`] moves it.
    pub now: Duration,
    /// How far its lists are behind.
    pub lag: Duration,
    /// What happens to the n-th call from now on.
    pub fault: Option<(usize, Fault)>,
    /// The calls so far.
    pub calls: Vec<Call>,
    late: Vec<(Duration, Request)>,
    objects: BTreeMap<u64, Object>,
}

struct Object {
    value: Value,
    created: Duration,
    deleted: Option<Duration>,
}

/// A call.
pub struct Request {
    /// HTTP method.
    pub method: String,
    /// What follows the slash.
    pub path: String,
    /// Fields.
    pub body: Value,
}

impl TinyCloud {
    /// An empty one on a free port of this machine.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (url, state) = (format!("http://{}", listener.local_addr()?), Arc::<Mutex<State>>::default());
        let shared = state.clone();
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, shared.clone()));
            }
        });
        Ok(Self { url, state, server })
    }

    /// A look behind the API.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TinyCloud {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Serves one request. Where there is no answer the connection just ends.
async fn connection(stream: TcpStream, state: Arc<Mutex<State>>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await? > 0 {}
    for line in head.to_lowercase().lines() {
        length = line.strip_prefix("content-length:").and_then(|n| n.trim().parse().ok()).unwrap_or(length);
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let mut words = head.split([' ', '?']).map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let page = words.next().and_then(|query| query.strip_prefix("page=")?.parse().ok()).unwrap_or(0);
    let body = if method == "GET" { json!(page) } else { serde_json::from_slice(&body).unwrap_or_default() };
    let request = Request { method, path: path.trim_start_matches('/').to_owned(), body };
    let answer = state.lock().unwrap_or_else(PoisonError::into_inner).serve(request);
    let Some((status, body)) = answer else { return Ok(()) };
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).await
}

impl State {
    /// Lets time pass; what is late is applied in it.
    pub fn pass(&mut self, time: Duration) {
        self.now += time;
        let (due, late) = std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= self.now);
        self.late = late;
        for (_, request) in due as Vec<(Duration, Request)> {
            self.answer(&request);
        }
    }

    /// Every object that exists, as the API would show it.
    pub fn objects(&self) -> impl Iterator<Item = &Value> {
        self.objects.values().filter(|o| o.deleted.is_none()).map(|o| &o.value)
    }

    /// A call that comes over the network.
    fn serve(&mut self, request: Request) -> Option<(u16, Value)> {
        let name = format!("{} /{}", request.method, request.path);
        self.calls.push(Call { name, write: request.method != "GET" });
        let fault = match self.fault.take() {
            Some((1, fault)) => Some(fault),
            later => {
                self.fault = later.map(|(n, fault)| (n - 1, fault));
                None
            }
        };
        match fault {
            None => Some(self.answer(&request)),
            Some(Fault::Before) => None,
            Some(Fault::After) => Some(self.answer(&request)).and(None),
            Some(Fault::Late) => {
                self.late.push((self.now + LATE, request));
                None
            }
            Some(Fault::Throttle) => Some((429, json!("too many calls"))),
        }
    }

    /// What a call does and says, when nothing is in its way.
    pub fn answer(&mut self, Request { method, path, body }: &Request) -> (u16, Value) {
        let (kind, id) = path.split_once('/').unwrap_or((path, ""));
        let number: u64 = id.rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        let known = self.objects().any(|o| o["id"] == id && o["kind"] == kind);
        let used = self.objects().any(|o| o["balancer"] == id);
        match method.as_str() {
            "GET" => {
                let then = self.now.saturating_sub(self.lag);
                let there = |o: &&Object| o.created <= then && o.deleted.is_none_or(|at| at > then);
                let all = self.objects.values().filter(there).map(|o| &o.value).filter(|o| o["kind"] == kind);
                let page = body.as_u64().unwrap_or(0) as usize;
                let items: Vec<_> = all.skip(page * PAGE).take(PAGE + 1).collect();
                let next = (items.len() > PAGE).then_some(page + 1);
                (200, json!({ "items": &items[..items.len().min(PAGE)], "next": next }))
            }
            "POST" => {
                if kind == "rule" && !self.objects().any(|o| o["kind"] == "balancer" && o["id"] == body["balancer"]) {
                    return (404, json!("no such balancer"));
                }
                let taken = |o: &Value| ["balancer", "protocol", "port"].iter().all(|f| o[*f] == body[*f]);
                if kind == "rule" && self.objects().any(taken) {
                    return (409, json!("the balancer has a rule for this port"));
                }
                let number = self.objects.len() as u64 + 1;
                let mut value = body.clone();
                value["id"] = format!("{kind}-{number}").into();
                value["kind"] = kind.into();
                value["created"] = number.into();
                if kind == "balancer" {
                    value["address"] = format!("192.0.2.{}", number % 256).into();
                }
                self.objects.insert(number, Object { value: value.clone(), created: self.now, deleted: None });
                (201, value)
            }
            _ if !known => (404, json!("no such object")),
            "PUT" => {
                let Some(object) = self.objects.get_mut(&number) else { return (404, Value::Null) };
                for field in ["mark", "size", "targets"].iter().filter(|f| !body[**f].is_null()) {
                    object.value[*field] = body[*field].clone();
                }
                (200, object.value.clone())
            }
            "DELETE" if used => (409, json!("it has rules")),
            "DELETE" => {
                self.objects.entry(number).and_modify(|o| o.deleted = Some(self.now));
                (204, Value::Null)
            }
            _ => (405, json!("GET, POST, PUT or DELETE")),
        }
    }
}
