//! What members are: pods instead of nodes, and nodes by weight.

use std::net::{IpAddr, Ipv4Addr};

use ferrolb_provider::{Backend, BackendKind, Desired, IpMode, Protocol, TrafficPolicy};
use serde_json::{Value, json};

use crate::harness::{World, owner, performance, port, union};

fn pods(mut want: Desired, last: &[u8]) -> Desired {
    for port in &mut want.ports {
        port.direct = true;
        port.backends = last.iter().map(|n| pod(*n)).collect();
    }
    want
}

fn pod(last: u8) -> Backend {
    Backend {
        name: format!("pod-{last}"),
        kind: BackendKind::Pod,
        address: IpAddr::V4(Ipv4Addr::new(172, 16, 9, last)),
        port: 8080,
        weight: None,
        ready: true,
        serving: true,
        terminating: false,
    }
}

/// Address, port and weight of each member.
fn members(world: &World) -> Vec<(String, u64, u64)> {
    let ledger = world.cloud.ledger();
    let member = |m: &Value| {
        let number = |field: &str| m[field].as_u64().unwrap();
        (m["address"].as_str().unwrap().to_owned(), number("protocol_port"), number("weight"))
    };
    let mut all: Vec<_> = ledger["members"].as_array().unwrap().iter().map(member).collect();
    all.sort();
    all
}

fn addresses(world: &World) -> Vec<String> {
    members(world).into_iter().map(|(address, port, _)| format!("{address}:{port}")).collect()
}

#[tokio::test]
async fn pods_come_and_go_in_one_call_each() {
    let world = World::new().await;
    let mut want = pods(performance(), &[1, 2, 3]);
    want.traffic_policy = TrafficPolicy::Local;
    want.health_check_node_port = Some(31234);
    world.converge(&want).await;
    assert_eq!(addresses(&world), ["172.16.9.1:8080", "172.16.9.2:8080", "172.16.9.3:8080"]);
    let monitor = &world.cloud.ledger()["healthmonitors"][0];
    assert_eq!((&monitor["type"], &monitor["monitor_port"]), (&json!("TCP"), &Value::Null), "nodes have no say");
    world.calls();
    // A roll-out: three others instead.
    let outcome = world.pass(&pods(performance(), &[4, 5, 6])).await;
    assert!(outcome.problems.is_empty());
    assert_eq!(world.calls().1, 2, "one call adds all, one takes all");
    assert_eq!(addresses(&world), ["172.16.9.4:8080", "172.16.9.5:8080", "172.16.9.6:8080"]);
    world.pass(&pods(performance(), &[])).await;
    assert_eq!(world.counts(), [1, 1, 1, 1, 0, 1]);
}

#[tokio::test]
async fn what_cannot_have_pods_says_so_and_makes_no_call() {
    let world = World::new().await;
    let outcome = world.pass(&pods(union(), &[1])).await;
    let text = outcome.problems[0].to_string();
    assert!(text.starts_with("spec.allocateLoadBalancerNodePorts: "), "{text}");
    assert!(text.contains("a shared load balancer sends it to nodes only"), "{text}");
    assert_eq!(world.calls(), (0, 0));
    // On the network of their node they are as good as nodes.
    world.engine.first_seen(&owner());
    let mut want = pods(union(), &[1, 2]);
    want.options.insert("kubernetes.io/hws-hostNetwork".into(), "true".into());
    want.ports[0].backends[0].kind = BackendKind::HostPod;
    let outcome = world.pass(&want).await;
    assert_eq!(addresses(&world), ["172.16.9.1:8080"], "{outcome:#?}");
    assert!(outcome.warnings.iter().any(|p| p.message.contains("some pods are not on the network")), "{outcome:#?}");
}

#[tokio::test]
async fn weights_are_members_fields_and_stay_as_wished() {
    let world = World::new().await;
    let weighted = |weights: [u16; 2]| {
        let mut want = union();
        want.options.insert("kubernetes.io/elb.adaptive-weight".into(), "true".into());
        want.ports = vec![port(Protocol::Tcp, 80, &[1, 2])];
        for (backend, weight) in want.ports[0].backends.iter_mut().zip(weights) {
            backend.weight = Some(weight);
        }
        want
    };
    let weights = || members(&world).into_iter().map(|(_, _, weight)| weight).collect::<Vec<_>>();
    world.converge(&weighted([3, 0])).await;
    assert_eq!(weights(), [3, 0]);
    world.calls();
    world.pass(&weighted([1, 200])).await;
    assert_eq!(world.calls().1, 1, "one call changes all");
    assert_eq!(weights(), [1, 100], "more the cloud does not take");
    assert_eq!(world.pass(&weighted([1, 200])).await.writes, 0);

    let ledger = world.cloud.ledger();
    let member = ledger["members"].as_array().unwrap().iter().find(|m| m["weight"] == 1).unwrap();
    let path =
        format!("v3/PID/elb/pools/{}/members/{}", member["pool_id"].as_str().unwrap(), member["id"].as_str().unwrap());
    world.by_hand("PUT", &path, json!({"member": {"weight": 50}})).await;
    world.converge(&weighted([1, 200])).await;
    assert_eq!(weights(), [1, 100], "somebody's change is taken back");
}

#[tokio::test]
async fn pods_have_the_weight_that_is_asked_for() {
    let world = World::new().await;
    let mut want = pods(performance(), &[1, 2]);
    want.options.insert("kubernetes.io/elb.custom-backend-weights".into(), r#"{"defaultWeight":12}"#.into());
    world.converge(&want).await;
    assert!(members(&world).iter().all(|(_, _, weight)| *weight == 12));
}

#[tokio::test]
async fn clients_inside_pass_through_where_that_is_asked_for() {
    let world = World::new().await;
    let modes = |outcome: &ferrolb_provider::Outcome| {
        outcome.serving.iter().flat_map(|s| &s.addresses).map(|a| a.mode).collect::<Vec<_>>()
    };
    assert_eq!(modes(&world.converge(&union()).await), [IpMode::Vip, IpMode::Vip]);
    world.calls();
    let mut want = union();
    want.options.insert("kubernetes.io/elb.pass-through".into(), "true".into());
    assert_eq!(modes(&world.converge(&want).await), [IpMode::Proxy, IpMode::Proxy]);
    assert_eq!(world.calls().1, 0, "the cloud has nothing to do with it");
}
