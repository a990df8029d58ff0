//! What somebody breaks by hand is mended, and what a cloud without faults may still do.

use std::time::Duration;

use ferrolb_mock::{Config, FaultPlan};
use serde_json::json;

use crate::harness::{World, addresses, owner, performance, union};

#[tokio::test]
async fn an_eip_that_was_unbound_is_bound_again() {
    for want in [union(), performance()] {
        let world = World::new().await;
        let first = addresses(&world.converge(&want).await);
        let eip = world.cloud.ledger()["eips"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("v3/PID/eip/publicips/{eip}/disassociate-instance");
        world.by_hand("POST", &path, json!(null)).await;
        world.calls();
        let outcome = world.pass(&want).await;
        assert_eq!(world.calls().1, 1);
        assert_eq!(addresses(&outcome), first);
        world.release(&owner()).await;
        assert_eq!(world.counts(), [0; 6]);
    }
}

#[tokio::test]
async fn an_eip_that_vanished_is_replaced_and_nothing_else_is() {
    for want in [union(), performance()] {
        let world = World::new().await;
        let first = addresses(&world.converge(&want).await);
        let eip = world.cloud.ledger()["eips"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("v3/PID/eip/publicips/{eip}/disassociate-instance");
        world.by_hand("POST", &path, json!(null)).await;
        world.by_hand("DELETE", &format!("v1/PID/publicips/{eip}"), json!(null)).await;
        let outcome = world.converge(&want).await;
        assert_eq!(addresses(&outcome)[1], first[1]);
        assert_eq!(world.counts(), [1, 1, 1, 1, 3, 1]);
    }
}

#[tokio::test]
async fn a_load_balancer_that_vanished_is_made_anew_and_the_public_address_stays() {
    for want in [union(), performance()] {
        let world = World::new().await;
        let first = addresses(&world.converge(&want).await);
        let lb = world.cloud.ledger()["loadbalancers"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("v3/PID/elb/loadbalancers/{lb}/force-elb");
        world.by_hand("DELETE", &path, json!(null)).await;
        let outcome = world.converge(&want).await;
        assert_eq!(addresses(&outcome)[0], first[0]);
        assert_eq!(world.counts(), [1, 1, 1, 1, 3, 1]);
    }
}

#[tokio::test]
async fn an_eip_is_not_taken_for_gone_when_its_load_balancer_is() {
    for want in [union(), performance()] {
        let world = World::new().await;
        world.converge(&want).await;
        let ledger = world.cloud.ledger();
        let [eip, lb] = ["eips", "loadbalancers"].map(|kind| ledger[kind][0]["id"].as_str().unwrap().to_owned());
        let path = format!("v3/PID/eip/publicips/{eip}/disassociate-instance");
        world.by_hand("POST", &path, json!(null)).await;
        world.cloud.set_faults(FaultPlan { list_lag_ms: 300, ..FaultPlan::default() });
        tokio::time::sleep(Duration::from_millis(400)).await;
        // Lists show the free EIP, and the load balancer that is gone: binding finds nothing to bind to.
        let path = format!("v3/PID/elb/loadbalancers/{lb}/force-elb");
        world.by_hand("DELETE", &path, json!(null)).await;
        let outcome = world.pass(&want).await;
        assert!(outcome.failures[0].error.detail().call.contains("associate"), "{outcome:#?}");
        world.release(&owner()).await;
        assert_eq!(world.counts(), [0; 6]);
    }
}

#[tokio::test]
async fn a_foreign_member_and_a_lost_monitor() {
    let world = World::new().await;
    let want = union();
    world.converge(&want).await;
    let ledger = world.cloud.ledger();
    let pool = ledger["pools"][0]["id"].as_str().unwrap();
    let monitor = ledger["healthmonitors"][0]["id"].as_str().unwrap();
    let member = json!({"member": {"address": "172.16.0.99", "protocol_port": 1,
        "subnet_cidr_id": ferrolb_mock::NODE_SUBNET_NEUTRON_ID}});
    world.by_hand("POST", &format!("v3/PID/elb/pools/{pool}/members"), member).await;
    world.by_hand("DELETE", &format!("v3/PID/elb/healthmonitors/{monitor}"), json!(null)).await;
    world.calls();
    world.converge(&want).await;
    assert_eq!(world.calls().1, 2);
    assert_eq!(world.counts(), [1, 1, 1, 1, 3, 1]);
}

#[tokio::test]
async fn members_that_fail_are_counted() {
    let world = World::new().await;
    let want = union();
    world.converge(&want).await;
    let member = world.cloud.ledger()["members"][0]["id"].as_str().unwrap().to_owned();
    let url = format!("{}/_ferrolb/members/{member}/health", world.cloud.endpoint());
    let body = json!({"operating_status": "OFFLINE"});
    world.http.put(url).json(&body).send().await.unwrap().error_for_status().unwrap();
    let health = world.pass(&want).await.serving.unwrap().health.unwrap();
    assert_eq!((health.healthy, health.total), (2, 3));
}

#[tokio::test]
async fn a_load_balancer_that_takes_its_time() {
    for want in [union(), performance()] {
        let config = Config { loadbalancer_delay: Duration::from_millis(300), ..Config::default() };
        let world = World::with(config, Duration::from_millis(400)).await;
        let first = world.pass(&want).await;
        assert!(first.failures.is_empty(), "nothing is hung below it before it is ready: {first:?}");
        let outcome = world.converge(&want).await;
        assert_eq!(addresses(&outcome).len(), 2);
        assert_eq!(world.counts(), [1, 1, 1, 1, 3, 1]);
    }
}

#[tokio::test]
async fn an_eip_that_takes_its_time() {
    for want in [union(), performance()] {
        let config = Config { eip_create_delay: Duration::from_millis(300), ..Config::default() };
        let world = World::with(config, Duration::from_millis(400)).await;
        let outcome = world.converge(&want).await;
        assert_eq!(addresses(&outcome).len(), 2);
        assert_eq!(world.counts(), [1, 1, 1, 1, 3, 1]);
        world.release(&owner()).await;
        assert_eq!(world.counts(), [0; 6]);
    }
}
