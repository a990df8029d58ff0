//! Which member gets a connection, and how long it may keep it: real traffic over loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

use crate::client::{Cloud, eventually};
use crate::dataplane::{POOLS, Server, ask, cloud, settles_on, tally, tcp_server, udp_server, who};

impl Cloud {
    async fn change_pool(&self, pool: &str, fields: Value) {
        let reply = self.call("PUT", &format!("{POOLS}/{pool}"), json!({"pool": fields})).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    async fn weigh(&self, pool: &str, member: &Server, weight: u32) {
        let path = format!("{POOLS}/{pool}/members");
        let found = self.get(&format!("{path}?protocol_port={}", member.address.port())).await;
        let id = found["members"][0]["id"].as_str().unwrap().to_owned();
        self.call("PUT", &format!("{path}/{id}"), json!({"member": {"weight": weight}})).await;
    }
}

/// Opens a connection, from an address, and says who answers.
async fn open_from(source: Ipv4Addr, vip: SocketAddr) -> (TcpStream, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((source, 0).into()).unwrap();
    let mut stream = socket.connect(vip).await.unwrap();
    let mut name = [0; 1];
    stream.read_exact(&mut name).await.unwrap();
    (stream, String::from_utf8_lossy(&name).into_owned())
}

async fn open(vip: SocketAddr) -> (TcpStream, String) {
    open_from(Ipv4Addr::LOCALHOST, vip).await
}

async fn echoes(stream: &mut TcpStream) -> bool {
    let mut echo = [0; 1];
    stream.write_all(b"x").await.is_ok() && stream.read_exact(&mut echo).await.is_ok()
}

#[tokio::test]
async fn least_connections_fill_the_emptier_member_by_weight() {
    let cloud = cloud().await;
    let (a, b) = (tcp_server("a").await, tcp_server("b").await);
    let (_, pool, vip) = cloud.service("TCP", 8080, &[&a, &b]).await;
    cloud.change_pool(&pool, json!({"lb_algorithm": "LEAST_CONNECTIONS"})).await;
    cloud.weigh(&pool, &b, 3).await;
    // Both changes have arrived when they show.
    let opened = eventually("one in four goes to a", async || {
        let mut opened = Vec::new();
        for _ in 0..8 {
            opened.push(open(vip).await);
        }
        (opened.iter().filter(|(_, name)| name == "a").count() == 2).then_some(opened)
    })
    .await;
    // Whoever loses its connections is the emptier one.
    let (kept, lost): (Vec<_>, Vec<_>) = opened.into_iter().partition(|(_, name)| name == "a");
    drop(lost);
    let gone = async || (cloud.sockets().await[0]["active"] == 2).then_some(());
    eventually("the closed ones are counted out", gone).await;
    let mut next = Vec::new();
    for _ in 0..6 {
        next.push(open(vip).await);
    }
    assert!(next.iter().all(|(_, name)| name == "b"));
    assert_eq!(kept.len(), 2);
}

#[tokio::test]
async fn source_ip_sends_each_client_to_one_member() {
    let cloud = cloud().await;
    let (a, b) = (tcp_server("a").await, tcp_server("b").await);
    let (_, pool, vip) = cloud.service("TCP", 8080, &[&a, &b]).await;
    cloud.change_pool(&pool, json!({"lb_algorithm": "SOURCE_IP"})).await;
    eventually("one client, one member", async || (tally(vip, 6).await.len() == 1).then_some(())).await;
    let mut chosen = Vec::new();
    for last in 1..=24 {
        let source = Ipv4Addr::new(127, 3, 0, last);
        let (first, second) = (open_from(source, vip).await.1, open_from(source, vip).await.1);
        assert_eq!(first, second);
        chosen.push(first);
    }
    assert!(chosen.iter().any(|name| name == "a") && chosen.iter().any(|name| name == "b"), "{chosen:?}");
}

#[tokio::test]
async fn a_sticky_client_stays_with_its_member() {
    let cloud = cloud().await;
    let (a, b) = (tcp_server("a").await, tcp_server("b").await);
    let (_, pool, vip) = cloud.service("TCP", 8080, &[&a, &b]).await;
    settles_on(vip, &["a", "b"]).await;
    cloud.change_pool(&pool, json!({"session_persistence": {"type": "SOURCE_IP", "persistence_timeout": 1}})).await;
    eventually("it sticks", async || (tally(vip, 6).await.len() == 1).then_some(())).await;
    let (_, own) = open(vip).await;
    let gone = if own == "a" { &a } else { &b };
    cloud.weigh(&pool, gone, 0).await;
    let other = if own == "a" { "b" } else { "a" };
    settles_on(vip, &[other]).await;
}

#[tokio::test]
async fn weight_zero_gets_nothing_new_and_keeps_what_it_has() {
    let cloud = cloud().await;
    let (a, b) = (tcp_server("a").await, tcp_server("b").await);
    let (_, pool, vip) = cloud.service("TCP", 8080, &[&a]).await;
    settles_on(vip, &["a"]).await;
    let (mut kept, _) = open(vip).await;
    cloud.member(&pool, b.address).await;
    cloud.weigh(&pool, &a, 0).await;
    settles_on(vip, &["b"]).await;
    assert!(echoes(&mut kept).await);
}

#[tokio::test]
async fn a_drain_lets_connections_go_on_for_a_while_and_then_cuts_them() {
    let cloud = cloud().await;
    let (a, b) = (tcp_server("a").await, tcp_server("b").await);
    let (_, pool, vip) = cloud.service("TCP", 8080, &[&a]).await;
    cloud.change_pool(&pool, json!({"connection_drain": {"enable": true, "timeout": 10}})).await;
    settles_on(vip, &["a"]).await;
    let (mut open, _) = open(vip).await;
    cloud.member(&pool, b.address).await;
    let gone = json!({"members": [{"address": a.address.ip(), "protocol_port": a.address.port()}]});
    cloud.call("POST", &format!("{POOLS}/{pool}/members/batch-delete"), gone).await;
    assert!(echoes(&mut open).await, "it may go on");
    settles_on(vip, &["b"]).await;
    let end = tokio::time::timeout(Duration::from_secs(5), open.read(&mut [0; 1])).await.unwrap();
    assert!(end.is_err(), "a reset, not an orderly end: {end:?}");
    let counted = async || (cloud.sockets().await[0]["active"] == 0).then_some(());
    eventually("it is over", counted).await;
}

#[tokio::test]
async fn a_drain_of_udp_keeps_sessions_for_a_while() {
    let cloud = cloud().await;
    let (a, b) = (udp_server("a").await, udp_server("b").await);
    let (_, pool, vip) = cloud.service("UDP", 5353, &[&a]).await;
    cloud.change_pool(&pool, json!({"connection_drain": {"enable": true, "timeout": 10}})).await;
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    eventually("an answer of a", async || (ask(&client, vip, "1").await? == "a1").then_some(())).await;
    cloud.member(&pool, b.address).await;
    cloud.weigh(&pool, &a, 0).await;
    assert_eq!(ask(&client, vip, "2").await.as_deref(), Some("a2"));
    // It asks all the time, so that the session does not end by itself.
    eventually("an answer of b", async || (ask(&client, vip, "3").await? == "b3").then_some(())).await;
}

#[tokio::test]
async fn who_comes_when_all_are_down_is_refused() {
    let cloud = cloud().await;
    let a = tcp_server("a").await;
    let (_, pool, vip) = cloud.service("TCP", 8080, &[&a]).await;
    cloud.monitor_with(&pool, "TCP", json!({})).await;
    settles_on(vip, &["a"]).await;
    a.task.abort();
    eventually("refused", async || who(vip).await.is_none().then_some(())).await;
    // The first may have met the dead member before its check did.
    let counted = async || {
        assert_eq!(who(vip).await, None);
        (cloud.sockets().await[0]["refused"].as_u64() > Some(0)).then_some(())
    };
    eventually("and counted", counted).await;
}
