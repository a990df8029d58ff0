//! A signing client over a bare socket, and a small kit to build objects with.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ferrolb_mock::{ACCESS_KEY, Config, Handle, PROJECT_ID, SECRET_KEY, VIP_SUBNET_NEUTRON_ID};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A cloud and the account that uses it.
pub struct Cloud {
    pub handle: Handle,
    pub api: SocketAddr,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Value,
}

/// A request, to be spoilt before it is sent.
#[derive(Clone)]
pub struct Call {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Cloud {
    pub async fn start(config: Config) -> Self {
        let handle = ferrolb_mock::start(config).await.unwrap();
        Self { api: handle.api_addr, handle }
    }

    pub async fn demo() -> Self {
        Self::start(Config::default()).await
    }

    /// A signed call. `path` may start with a version: the project id is put in for `{pid}`.
    pub async fn call(&self, method: &str, path: &str, body: Value) -> Reply {
        self.try_call(method, path, body).await.expect("an answer")
    }

    /// Like `call`; `None` if the connection closed without an answer.
    pub async fn try_call(&self, method: &str, path: &str, body: Value) -> Option<Reply> {
        send(self.api, &signed(self.api, method, path, body, Timestamp::now())).await
    }

    /// An admin call.
    pub async fn admin(&self, method: &str, path: &str, body: Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers =
            vec![("Host".to_owned(), self.api.to_string()), ("Content-Type".to_owned(), "application/json".to_owned())];
        let call = Call {
            method: method.into(),
            target: format!("/_ferrolb/{path}").replace("{pid}", PROJECT_ID),
            headers,
            body,
        };
        send(self.api, &call).await.expect("an answer")
    }

    pub async fn faults(&self, plan: Value) {
        let reply = self.admin("PUT", "faults", plan).await;
        assert_eq!(reply.status, 204, "{reply:?}");
    }

    pub async fn get(&self, path: &str) -> Value {
        let reply = self.call("GET", path, Value::Null).await;
        assert_eq!(reply.status, 200, "GET {path}: {reply:?}");
        reply.body
    }

    /// Creates and gives the id; the wrapper key is that of the body.
    pub async fn create(&self, path: &str, body: Value) -> String {
        let key = body.as_object().unwrap().keys().find(|key| *key != "bandwidth").unwrap().clone();
        let reply = self.call("POST", path, body).await;
        assert!(reply.status < 300, "POST {path}: {reply:?}");
        reply.body[key]["id"].as_str().unwrap().to_owned()
    }

    pub async fn loadbalancer(&self, name: &str) -> String {
        let lb = json!({"name": name, "vip_subnet_cidr_id": VIP_SUBNET_NEUTRON_ID, "availability_zone_list": ["mock-1a"], "ip_target_enable": true});
        self.create("/v3/{pid}/elb/loadbalancers", json!({"loadbalancer": lb})).await
    }

    pub async fn shared(&self, name: &str) -> String {
        let lb = json!({"name": name, "vip_subnet_id": VIP_SUBNET_NEUTRON_ID});
        self.create("/v2/{pid}/elb/loadbalancers", json!({"loadbalancer": lb})).await
    }

    pub async fn listener(&self, lb: &str, protocol: &str, port: u16) -> String {
        let listener = json!({"loadbalancer_id": lb, "protocol": protocol, "protocol_port": port});
        self.create("/v3/{pid}/elb/listeners", json!({"listener": listener})).await
    }

    pub async fn pool(&self, listener: &str, protocol: &str) -> String {
        let pool = json!({"listener_id": listener, "protocol": protocol, "lb_algorithm": "ROUND_ROBIN"});
        self.create("/v3/{pid}/elb/pools", json!({"pool": pool})).await
    }

    pub async fn member(&self, pool: &str, address: SocketAddr) -> String {
        let member = json!({"address": address.ip(), "protocol_port": address.port()});
        self.create(&format!("/v3/{{pid}}/elb/pools/{pool}/members"), json!({"member": member})).await
    }

    pub async fn eip(&self) -> String {
        let bandwidth = json!({"share_type": "PER", "name": "bw", "size": 5});
        self.create("/v1/{pid}/publicips", json!({"publicip": {"type": "5_bgp"}, "bandwidth": bandwidth})).await
    }

    /// A count of the ledger.
    pub fn count(&self, kind: &str) -> u64 {
        self.handle.ledger()["counts"][kind].as_u64().unwrap()
    }
}

impl Reply {
    pub fn code(&self) -> &str {
        self.body["error_code"].as_str().or(self.body["code"].as_str()).unwrap_or_default()
    }

    #[track_caller]
    pub fn is(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{:?}", self.body);
    }
}

/// Builds and signs a call as the Python SDK would: content-type, host, user-agent, x-sdk-date.
pub fn signed(host: SocketAddr, method: &str, path: &str, body: Value, now: Timestamp) -> Call {
    let date = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let headers = [
        ("Content-Type", "application/json"),
        ("Host", &host.to_string()),
        ("User-Agent", "test"),
        ("X-Sdk-Date", &date),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut call = Call { method: method.into(), target: path.replace("{pid}", PROJECT_ID), headers, body };
    sign(&mut call, ACCESS_KEY, SECRET_KEY);
    call
}

/// Signs all headers there are. Paths and queries of these tests need no encoding beyond what they carry.
pub fn sign(call: &mut Call, access: &str, secret: &str) {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.sort_unstable();
    let mut headers: Vec<(String, &str)> =
        call.headers.iter().map(|(name, value)| (name.to_lowercase(), value.as_str())).collect();
    headers.sort();
    let block: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
    let canonical = format!(
        "{}\n{path}/\n{}\n{block}\n{names}\n{}",
        call.method,
        pairs.join("&"),
        hex(&Sha256::digest(&call.body))
    );
    let date = headers.iter().find(|(name, _)| name == "x-sdk-date").map_or("", |(_, date)| date);
    let to_sign = format!("SDK-HMAC-SHA256\n{date}\n{}", hex(&Sha256::digest(&canonical)));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(to_sign.as_bytes());
    let signature = hex(&mac.finalize().into_bytes());
    let authorization = format!("SDK-HMAC-SHA256 Access={access}, SignedHeaders={names}, Signature={signature}");
    call.headers.push(("Authorization".into(), authorization));
}

/// Sends a call on a connection of its own.
pub async fn send(api: SocketAddr, call: &Call) -> Option<Reply> {
    let mut stream = TcpStream::connect(api).await.unwrap();
    let headers: String = call.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "{} {} HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n",
        call.method,
        call.target,
        call.body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(call.body.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is reset has no answer either.
    let _ = stream.read_to_end(&mut answer).await;
    parse(&answer)
}

pub fn parse(answer: &[u8]) -> Option<Reply> {
    let text = std::str::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let body = serde_json::from_str(body).unwrap_or(Value::String(body.to_owned()));
    Some(Reply { status, head: head.to_lowercase(), body })
}

/// Polls until `done` gives something; fails after ten seconds.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut done: impl FnMut() -> F) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = done().await {
            return value;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
