//! Real traffic over loopback addresses: each test has ranges of its own, so that they run side by side.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::Duration;

use ferrolb_mock::{Config, NODE_SUBNET_NEUTRON_ID};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;

use crate::client::{Cloud, eventually};

pub const LBS: &str = "/v3/{pid}/elb/loadbalancers";
pub const POOLS: &str = "/v3/{pid}/elb/pools";

/// A server that says its name, and how often it was asked.
pub struct Server {
    pub address: SocketAddr,
    pub asked: Arc<AtomicU64>,
    pub task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Says its name at once, then echoes.
pub async fn tcp_server(name: &'static str) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Arc::new(AtomicU64::new(0)));
    let count = asked.clone();
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let _ = stream.write_all(name.as_bytes()).await;
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    Server { address, asked, task }
}

/// Answers each datagram with its name and what it got.
pub async fn udp_server(name: &'static str) -> Server {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (address, asked) = (socket.local_addr().unwrap(), Arc::new(AtomicU64::new(0)));
    let count = asked.clone();
    let task = tokio::spawn(async move {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            // The health check's datagram is empty.
            if length > 0 {
                count.fetch_add(1, Ordering::SeqCst);
                let answer = [name.as_bytes(), &buffer[..length]].concat();
                let _ = socket.send_to(&answer, from).await;
            }
        }
    });
    Server { address, asked, task }
}

/// A cloud in a slice of 127/8 of its own.
pub async fn cloud() -> Cloud {
    Cloud::start(config()).await
}

pub fn config() -> Config {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let n = NEXT.fetch_add(1, Ordering::SeqCst) * 2;
    // The process id keeps two runs of this binary apart.
    let second = 64 + std::process::id() % 128;
    let range = |n: u16| format!("127.{second}.{n}.0/24").parse().unwrap();
    Config {
        dataplane: true,
        vip_range: range(n),
        eip_range: range(n + 1),
        max_probe_interval: Some(Duration::from_millis(50)),
        max_udp_idle: Some(Duration::from_millis(300)),
        max_drain: Some(Duration::from_millis(300)),
        ..Config::default()
    }
}

impl Cloud {
    pub async fn vip(&self, lb: &str, port: u16) -> SocketAddr {
        let shown = self.get(&format!("{LBS}/{lb}")).await;
        SocketAddr::new(shown["loadbalancer"]["vip_address"].as_str().unwrap().parse().unwrap(), port)
    }

    pub async fn sockets(&self) -> Vec<Value> {
        self.admin("GET", "traffic", Value::Null).await.body.as_array().unwrap().clone()
    }

    pub async fn listening(&self, address: SocketAddr) {
        let is = |s: &Value| s["address"] == json!(address) && s["state"] == "listening";
        eventually("listening", async || self.sockets().await.iter().any(is).then_some(())).await;
    }

    pub async fn service(&self, protocol: &str, port: u16, members: &[&Server]) -> (String, String, SocketAddr) {
        let lb = self.loadbalancer("lb").await;
        let listener = self.listener(&lb, protocol, port).await;
        let pool = self.pool(&listener, protocol).await;
        for member in members {
            self.member(&pool, member.address).await;
        }
        let vip = self.vip(&lb, port).await;
        self.listening(vip).await;
        (lb, pool, vip)
    }

    pub async fn health(&self, pool: &str) -> BTreeMap<String, String> {
        let members = self.get(&format!("{POOLS}/{pool}/members")).await["members"].as_array().unwrap().clone();
        let line = |m: &Value| (m["protocol_port"].to_string(), m["operating_status"].as_str().unwrap().to_owned());
        members.iter().map(line).collect()
    }

    pub async fn monitor_with(&self, pool: &str, kind: &str, extra: Value) {
        let mut monitor =
            json!({"pool_id": pool, "type": kind, "delay": 1, "timeout": 1, "max_retries": 2, "max_retries_down": 2});
        monitor.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        self.create("/v3/{pid}/elb/healthmonitors", json!({"healthmonitor": monitor})).await;
    }
}

/// Who answers on a new connection; `None` if it is refused or reset.
pub async fn who(address: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let mut name = [0; 1];
    stream.read_exact(&mut name).await.ok()?;
    Some(String::from_utf8_lossy(&name).into_owned())
}

pub async fn tally(address: SocketAddr, times: usize) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for _ in 0..times {
        *tally.entry(who(address).await.unwrap_or_default()).or_default() += 1;
    }
    tally
}

/// Waits until new connections are answered by exactly these servers.
pub async fn settles_on(address: SocketAddr, names: &[&str]) {
    let wanted: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    eventually("traffic settles", async || {
        (tally(address, 6).await.into_keys().collect::<Vec<_>>() == wanted).then_some(())
    })
    .await;
}

/// Sends a datagram and gives the answer, which must come from the address that was asked.
pub async fn ask(client: &UdpSocket, vip: SocketAddr, text: &str) -> Option<String> {
    client.send_to(text.as_bytes(), vip).await.unwrap();
    let mut buffer = [0; 64];
    let answer = tokio::time::timeout(Duration::from_millis(200), client.recv_from(&mut buffer)).await;
    let (length, from) = answer.ok()?.ok()?;
    assert_eq!(from, vip);
    Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

#[tokio::test]
async fn tcp_goes_round_robin_by_weight_and_bytes_go_both_ways() {
    let cloud = cloud().await;
    let (a, b) = (tcp_server("a").await, tcp_server("b").await);
    let (_, pool, vip) = cloud.service("TCP", 8080, &[&a, &b]).await;
    settles_on(vip, &["a", "b"]).await;
    let split = tally(vip, 20).await;
    assert_eq!((split["a"], split["b"]), (10, 10));

    let members = cloud.get(&format!("{POOLS}/{pool}/members?protocol_port={}", a.address.port())).await;
    let id = members["members"][0]["id"].as_str().unwrap().to_owned();
    cloud.call("PUT", &format!("{POOLS}/{pool}/members/{id}"), json!({"member": {"weight": 3}})).await;
    eventually("the weight counts", async || {
        (tally(vip, 20).await == BTreeMap::from([("a".into(), 15), ("b".into(), 5)])).then_some(())
    })
    .await;

    let mut stream = TcpStream::connect(vip).await.unwrap();
    let message = vec![7; 300_000];
    let (mut read, mut write) = stream.split();
    let sent = async {
        write.write_all(&message).await.unwrap();
        write.shutdown().await.unwrap();
    };
    let mut echoed = Vec::new();
    let (_, received) = tokio::join!(sent, read.read_to_end(&mut echoed));
    received.unwrap();
    assert_eq!(echoed[1..], message);
    let bytes = async || cloud.sockets().await[0]["bytes_in"].as_u64().filter(|bytes| *bytes >= 300_000);
    eventually("bytes are counted", bytes).await;
}

#[tokio::test]
async fn a_removed_member_gets_nothing_new_but_keeps_what_it_has() {
    let cloud = cloud().await;
    let (a, b) = (tcp_server("a").await, tcp_server("b").await);
    let (_, pool, vip) = cloud.service("TCP", 8080, &[&a]).await;
    settles_on(vip, &["a"]).await;
    let mut open = TcpStream::connect(vip).await.unwrap();
    let mut name = [0; 1];
    open.read_exact(&mut name).await.unwrap();
    cloud.member(&pool, b.address).await;
    let gone = json!({"members": [{"address": a.address.ip(), "protocol_port": a.address.port()}]});
    cloud.call("POST", &format!("{POOLS}/{pool}/members/batch-delete"), gone).await;
    settles_on(vip, &["b"]).await;
    open.write_all(b"still there").await.unwrap();
    let mut echo = [0; 11];
    open.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"still there");
}

#[tokio::test]
async fn changes_elsewhere_disturb_nobody_and_a_deleted_listener_ends() {
    let cloud = cloud().await;
    let (a, b) = (tcp_server("a").await, tcp_server("b").await);
    let (_, _, first) = cloud.service("TCP", 8080, &[&a]).await;
    let (lb, pool, second) = cloud.service("TCP", 8080, &[&b]).await;
    settles_on(first, &["a"]).await;
    settles_on(second, &["b"]).await;
    let open = async |address| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.read_exact(&mut [0; 1]).await.unwrap();
        stream
    };
    let (mut kept, mut ended) = (open(first).await, open(second).await);
    cloud.call("DELETE", &format!("{LBS}/{lb}/force-elb"), Value::Null).await;
    eventually("refused", async || TcpStream::connect(second).await.is_err().then_some(())).await;
    assert!(!matches!(ended.read(&mut [0; 1]).await, Ok(1..)), "its connections end with the listener");
    kept.write_all(b"x").await.unwrap();
    kept.read_exact(&mut [0; 1]).await.unwrap();
    assert_eq!(cloud.call("GET", &format!("{POOLS}/{pool}"), Value::Null).await.status, 404);
    let states: Vec<Value> = cloud.sockets().await;
    assert_eq!((states.len(), &states[0]["active"]), (1, &json!(1)));
}

#[tokio::test]
async fn an_eip_forwards_while_it_is_bound() {
    let cloud = cloud().await;
    let a = tcp_server("a").await;
    let (lb, _, _) = cloud.service("TCP", 8080, &[&a]).await;
    let eip = cloud.eip().await;
    let shown = cloud.get(&format!("/v1/{{pid}}/publicips/{eip}")).await;
    let address = SocketAddr::new(shown["publicip"]["public_ip_address"].as_str().unwrap().parse().unwrap(), 8080);
    assert_eq!(who(address).await, None);
    let bind = json!({"publicip": {"associate_instance_type": "ELB", "associate_instance_id": lb}});
    cloud.call("POST", &format!("/v3/{{pid}}/eip/publicips/{eip}/associate-instance"), bind).await;
    settles_on(address, &["a"]).await;
    cloud.call("POST", &format!("/v3/{{pid}}/eip/publicips/{eip}/disassociate-instance"), Value::Null).await;
    eventually("refused", async || TcpStream::connect(address).await.is_err().then_some(())).await;
}

#[tokio::test]
async fn health_checks_take_members_out_and_back_in() {
    let cloud = cloud().await;
    let (a, b) = (tcp_server("a").await, tcp_server("b").await);
    let dead = b.address;
    let (lb, pool, vip) = cloud.service("TCP", 8080, &[&a, &b]).await;
    cloud.monitor_with(&pool, "TCP", json!({})).await;
    let is = async |port: SocketAddr, status: &str| {
        (cloud.health(&pool).await[&port.port().to_string()] == status).then_some(())
    };
    eventually("b is online", async || is(b.address, "ONLINE").await).await;
    settles_on(vip, &["a", "b"]).await;
    b.task.abort();
    eventually("b is offline", async || is(dead, "OFFLINE").await).await;
    settles_on(vip, &["a"]).await;
    let tree = cloud.get(&format!("{LBS}/{lb}/statuses")).await;
    assert_eq!(tree["statuses"]["loadbalancer"]["operating_status"], "DEGRADED");
    let members = cloud.get(&format!("{POOLS}/{pool}/members?operating_status=OFFLINE")).await["members"].clone();
    assert_eq!(members[0]["reason"]["reason_code"], "CONNECT_REFUSED");

    let listener = TcpListener::bind(dead).await.unwrap();
    let back = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"c").await;
        }
    });
    eventually("b is back", async || is(dead, "ONLINE").await).await;
    settles_on(vip, &["a", "c"]).await;
    back.abort();
}

#[tokio::test]
async fn http_checks_look_at_the_code_on_the_monitors_port() {
    let cloud = cloud().await;
    let a = tcp_server("a").await;
    let answer = Arc::new(AtomicU16::new(204));
    let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = web.local_addr().unwrap().port();
    let code = answer.clone();
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = web.accept().await {
            let mut request = vec![0; 1024];
            let length = stream.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"GET /healthz HTTP/1.1\r\nHost: example.org\r\n"));
            let _ = stream.write_all(format!("HTTP/1.1 {} x\r\n\r\n", code.load(Ordering::SeqCst)).as_bytes()).await;
        }
    });
    let (_, pool, vip) = cloud.service("TCP", 8080, &[&a]).await;
    cloud.monitor_with(&pool, "HTTP", json!({"url_path": "/healthz", "monitor_port": port, "expected_codes": "200-299", "domain_name": "example.org"})).await;
    let status = async |wanted: &str| (cloud.health(&pool).await.values().next().unwrap() == wanted).then_some(());
    eventually("online", async || status("ONLINE").await).await;
    settles_on(vip, &["a"]).await;
    answer.store(503, Ordering::SeqCst);
    eventually("offline", async || status("OFFLINE").await).await;
    eventually("nobody is left", async || who(vip).await.is_none().then_some(())).await;
    let members = cloud.get(&format!("{POOLS}/{pool}/members")).await["members"].clone();
    assert_eq!(members[0]["reason"]["reason_code"], "RESPONSE_MISMATCH");
    server.abort();
}

#[tokio::test]
async fn udp_clients_keep_their_member_and_move_when_it_is_refused_or_idle() {
    let cloud = cloud().await;
    let (a, b) = (udp_server("a").await, udp_server("b").await);
    let (_, pool, vip) = cloud.service("UDP", 5353, &[&a, &b]).await;
    cloud.monitor_with(&pool, "UDP_CONNECT", json!({})).await;
    eventually("both are online", async || cloud.health(&pool).await.values().all(|s| s == "ONLINE").then_some(()))
        .await;

    let (first, second) =
        (UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let one = eventually("an answer", async || ask(&first, vip, "1").await).await;
    let two = eventually("an answer", async || ask(&second, vip, "1").await).await;
    let mut served = [one, two];
    for _ in 0..3 {
        assert_eq!(ask(&first, vip, "1").await.unwrap(), served[0], "a session stays where it is");
    }
    served.sort();
    assert_eq!(served, ["a1", "b1"], "two clients, two members");

    a.task.abort();
    eventually("a is offline", async || {
        (cloud.health(&pool).await[&a.address.port().to_string()] == "OFFLINE").then_some(())
    })
    .await;
    for client in [&first, &second] {
        eventually("all moved to b", async || (ask(client, vip, "2").await? == "b2").then_some(())).await;
    }
    assert!(b.asked.load(Ordering::SeqCst) > 0 && a.asked.load(Ordering::SeqCst) > 0);
    eventually("idle sessions end", async || (cloud.sockets().await[0]["active"] == 0).then_some(())).await;
}

#[tokio::test]
async fn a_udp_session_leaves_a_member_that_is_removed_though_it_still_answers() {
    let cloud = cloud().await;
    let (a, b) = (udp_server("a").await, udp_server("b").await);
    let (_, pool, vip) = cloud.service("UDP", 5353, &[&a]).await;
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    eventually("an answer of a", async || (ask(&client, vip, "1").await? == "a1").then_some(())).await;
    cloud.member(&pool, b.address).await;
    let gone = json!({"members": [{"address": a.address.ip(), "protocol_port": a.address.port()}]});
    cloud.call("POST", &format!("{POOLS}/{pool}/members/batch-delete"), gone).await;
    eventually("an answer of b", async || (ask(&client, vip, "2").await? == "b2").then_some(())).await;
}

#[tokio::test]
async fn an_address_in_use_is_shown_and_taken_as_soon_as_it_is_free() {
    let cloud = cloud().await;
    let a = tcp_server("a").await;
    let lb = cloud.loadbalancer("lb").await;
    let vip = cloud.vip(&lb, 8080).await;
    let squatter = TcpListener::bind(vip).await.unwrap();
    let listener = cloud.listener(&lb, "TCP", 8080).await;
    let pool = cloud.pool(&listener, "TCP").await;
    cloud.member(&pool, a.address).await;
    let is_refused = |s: &Value| s["state"].as_str().unwrap().starts_with(&format!("cannot bind {vip}"));
    eventually("the refusal", async || cloud.sockets().await.iter().any(is_refused).then_some(())).await;
    drop(squatter);
    settles_on(vip, &["a"]).await;
    assert!(a.asked.load(Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn a_pool_without_members_resets_and_is_counted() {
    let cloud = cloud().await;
    let (_, _, vip) = cloud.service("TCP", 8080, &[]).await;
    assert_eq!(who(vip).await, None);
    eventually("counted", async || (cloud.sockets().await[0]["refused"] == 1).then_some(())).await;
}

#[tokio::test]
async fn only_those_whom_the_listeners_group_admits_are_served() {
    let cloud = cloud().await;
    let (tcp, udp) = (tcp_server("a").await, udp_server("b").await);
    let (lb, _, vip) = cloud.service("TCP", 80, &[&tcp]).await;
    let listener = cloud.listener(&lb, "UDP", 53).await;
    let pool = cloud.pool(&listener, "UDP").await;
    cloud.member(&pool, udp.address).await;
    let dns = SocketAddr::new(vip.ip(), 53);
    cloud.listening(dns).await;
    let group = cloud.ipgroup(&["127.0.0.1"]).await;
    let listeners = cloud.get("/v3/{pid}/elb/listeners").await["listeners"].as_array().unwrap().clone();
    let set = async |kind: &str| {
        for listener in &listeners {
            let access = json!({"ipgroup_id": group, "type": kind});
            assert_eq!(cloud.access(listener["id"].as_str().unwrap(), access).await.status, 200);
        }
    };
    let from = async |client: &str| {
        let stream = tokio::net::TcpSocket::new_v4().unwrap();
        stream.bind(format!("{client}:0").parse().unwrap()).unwrap();
        let mut name = [0; 1];
        let tcp = match stream.connect(vip).await {
            Ok(mut stream) => stream.read_exact(&mut name).await.is_ok(),
            Err(_) => false,
        };
        let socket = UdpSocket::bind(format!("{client}:0")).await.unwrap();
        socket.send_to(b"x", dns).await.unwrap();
        let mut buffer = [0; 8];
        let answer = tokio::time::timeout(Duration::from_millis(150), socket.recv_from(&mut buffer)).await;
        (tcp, answer.is_ok())
    };
    let becomes = async |client: &str, expected: (bool, bool)| {
        let holds = async || (from(client).await == expected).then_some(());
        eventually(&format!("{client}: {expected:?}"), holds).await;
    };
    becomes("127.0.0.1", (true, true)).await;
    set("black").await;
    becomes("127.0.0.1", (false, false)).await;
    becomes("127.0.0.2", (true, true)).await;
    set("white").await;
    becomes("127.0.0.2", (false, false)).await;
    becomes("127.0.0.1", (true, true)).await;
    let path = format!("/v3/{{pid}}/elb/ipgroups/{group}");
    cloud.call("PUT", &path, json!({"ipgroup": {"ip_list": []}})).await;
    becomes("127.0.0.1", (false, false)).await;
}

#[tokio::test]
async fn only_those_on_its_whitelist_reach_a_shared_listener() {
    let cloud = cloud().await;
    let server = tcp_server("a").await;
    let lb = cloud.shared("lb").await;
    let listener = cloud.listener(&lb, "TCP", 80).await;
    let pool = cloud.pool(&listener, "TCP").await;
    let (address, port) = (server.address.ip(), server.address.port());
    let member = json!({"address": address, "protocol_port": port, "subnet_cidr_id": NODE_SUBNET_NEUTRON_ID});
    cloud.create(&format!("{POOLS}/{pool}/members"), json!({"member": member})).await;
    let shown = cloud.get(&format!("/v2/{{pid}}/elb/loadbalancers/{lb}")).await;
    let vip = SocketAddr::new(shown["loadbalancer"]["vip_address"].as_str().unwrap().parse().unwrap(), 80);
    settles_on(vip, &["a"]).await;
    let wish = json!({"whitelist": {"listener_id": listener, "whitelist": "192.0.2.0/24"}});
    let id = cloud.create("/v2/{pid}/elb/whitelists", wish).await;
    eventually("refused", async || who(vip).await.is_none().then_some(())).await;
    let off = json!({"whitelist": {"enable_whitelist": false}});
    assert_eq!(cloud.call("PUT", &format!("/v2/{{pid}}/elb/whitelists/{id}"), off).await.status, 200);
    settles_on(vip, &["a"]).await;
}
