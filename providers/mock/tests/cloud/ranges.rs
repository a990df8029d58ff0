//! Listeners with ranges of ports.

use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::client::{Cloud, Reply, eventually};
use crate::dataplane::{cloud, settles_on, tcp_server};

const LISTENERS: &str = "/v3/{pid}/elb/listeners";

async fn try_ranges(cloud: &Cloud, lb: &str, protocol: &str, port: u16, ranges: &[(u32, u32)]) -> Reply {
    let ranges: Vec<Value> = ranges.iter().map(|(a, b)| json!({"start_port": a, "end_port": b})).collect();
    let listener = json!({"loadbalancer_id": lb, "protocol": protocol, "protocol_port": port, "port_ranges": ranges});
    cloud.call("POST", LISTENERS, json!({"listener": listener})).await
}

#[tokio::test]
async fn ranges_are_checked_shown_and_kept_from_others() {
    let cloud = cloud().await;
    let (lb, shared) = (cloud.loadbalancer("lb").await, cloud.shared("shared").await);
    for (protocol, port, ranges) in [
        ("TCP", 0, &[][..]),
        ("TCP", 80, &[(80, 90)]),
        ("TCP", 0, &[(90, 80)]),
        ("TCP", 0, &[(0, 80)]),
        ("TCP", 0, &[(1, 70_000)]),
        ("TCP", 0, &[(1, 5), (5, 9)]),
        ("TCP", 0, &[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (8, 8), (9, 9), (10, 10), (11, 11)]),
    ] {
        let reply = try_ranges(&cloud, &lb, protocol, port, ranges).await;
        assert_eq!(reply.status, 400, "{protocol} {port} {ranges:?}: {reply:?}");
    }
    try_ranges(&cloud, &lb, "HTTP", 0, &[(80, 90)]).await.is(403, "ELB.8962");
    try_ranges(&cloud, &shared, "TCP", 0, &[(80, 90)]).await.is(403, "ELB.8962");

    let made = try_ranges(&cloud, &lb, "TCP", 0, &[(80, 90), (443, 443)]).await;
    assert_eq!(made.status, 201, "{made:?}");
    let listener = &made.body["listener"];
    assert_eq!(listener["protocol_port"], 0);
    assert_eq!(
        listener["port_ranges"],
        json!([{"start_port": 80, "end_port": 90}, {"start_port": 443, "end_port": 443}])
    );
    try_ranges(&cloud, &lb, "TCP", 0, &[(90, 100)]).await.is(409, "ELB.8907");
    try_ranges(&cloud, &lb, "TCP", 443, &[]).await.is(409, "ELB.8907");
    assert_eq!(try_ranges(&cloud, &lb, "UDP", 0, &[(90, 100)]).await.status, 201, "UDP has ports of its own");
    cloud.listener(&lb, "TCP", 91).await;
    let path = format!("{LISTENERS}/{}", listener["id"].as_str().unwrap());
    let change = json!({"listener": {"port_ranges": [{"start_port": 1, "end_port": 2}]}});
    assert_eq!(cloud.call("PUT", &path, change).await.status, 400, "ranges stay");
}

#[tokio::test]
async fn every_port_of_a_range_is_answered() {
    let cloud = cloud().await;
    let server = tcp_server("a").await;
    let lb = cloud.loadbalancer("lb").await;
    let made = try_ranges(&cloud, &lb, "TCP", 0, &[(8080, 8082), (9000, 9000)]).await;
    let pool = cloud.pool(made.body["listener"]["id"].as_str().unwrap(), "TCP").await;
    cloud.member(&pool, server.address).await;
    for port in [8080, 8081, 8082, 9000] {
        let vip = cloud.vip(&lb, port).await;
        cloud.listening(vip).await;
        settles_on(vip, &["a"]).await;
    }
    let beside = cloud.vip(&lb, 8083).await;
    eventually("nobody listens beside it", async || TcpStream::connect(beside).await.is_err().then_some(())).await;
}
