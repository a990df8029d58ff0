//! Lost answers, late ones, refusals: never a duplicate, never a leak, and the right word for it.

use std::time::Duration;

use ferrolb_mock::{Config, Fault, FaultPlan, Match, Rule};
use ferrolb_provider::{Desired, Protocol, ProviderError, RetryClass};
use futures::future::join_all;
use serde_json::json;

use crate::harness::{ID, World, addresses, owner, performance, port, service, union};

const SETTLE: Duration = Duration::from_millis(400);

fn nth_write(nth: u64, fault: Fault) -> FaultPlan {
    FaultPlan {
        rules: vec![Rule {
            on: Match { writes_only: true, nth: Some(nth), ..Match::default() },
            fault,
            times: Some(1),
        }],
        ..FaultPlan::default()
    }
}

fn on(method: &str, path: &str, fault: Fault) -> FaultPlan {
    FaultPlan {
        rules: vec![Rule {
            on: Match { method: Some(method.into()), path_contains: Some(path.into()), ..Match::default() },
            fault,
            times: None,
        }],
        ..FaultPlan::default()
    }
}

fn late() -> Fault {
    Fault::LateApply { delay_ms: 150, gateway_timeout: false }
}

fn two_ports(mut want: Desired) -> Desired {
    want.ports.push(port(Protocol::Udp, 53, &[1, 2]));
    want
}

/// One fault at every position of creation and deletion, each in a cloud of its own.
async fn every_write(fault: Fault, want: Desired, restart: bool) {
    let want = two_ports(want);
    // Two more positions than there are writes: a fault may cause some.
    join_all((1..=12).map(|nth| one_write(nth, &fault, &want, restart))).await;
}

async fn one_write(nth: u64, fault: &Fault, want: &Desired, restart: bool) {
    let mut world = World::with(Config::default(), SETTLE).await;
    world.engine.first_seen(&want.owner);
    world.cloud.set_faults(nth_write(nth, fault.clone()));
    world.pass(want).await;
    if restart {
        world.restart();
    }
    // Deleted at once, and made again: whatever is still under way must not stay.
    world.release(&want.owner).await;
    assert_eq!(world.counts(), [0; 6], "write {nth}, deleted at once");

    world.cloud.set_faults(nth_write(nth, fault.clone()));
    world.pass(want).await;
    if restart {
        world.restart();
    }
    let outcome = world.converge(want).await;
    assert_eq!(addresses(&outcome).len(), 2, "write {nth}");
    assert_eq!(world.counts(), [1, 1, 2, 2, 5, 2], "write {nth}");

    world.cloud.set_faults(nth_write(nth, fault.clone()));
    world.engine.release(&want.owner, &world.clock).await;
    if restart {
        world.restart();
    }
    world.release(&want.owner).await;
    assert_eq!(world.counts(), [0; 6], "write {nth}");
}

#[tokio::test]
async fn lost_answers() {
    every_write(Fault::LostAnswer, union(), false).await;
}

#[tokio::test]
async fn lost_answers_and_a_new_process() {
    every_write(Fault::LostAnswer, performance(), true).await;
}

#[tokio::test]
async fn late_effects() {
    every_write(late(), union(), false).await;
}

#[tokio::test]
async fn late_effects_and_a_new_process() {
    every_write(late(), performance(), true).await;
}

#[tokio::test]
async fn lists_that_lag_behind() {
    for want in [union(), performance()] {
        let world = World::with(Config::default(), SETTLE).await;
        let want = two_ports(want);
        world.engine.first_seen(&want.owner);
        world.cloud.set_faults(FaultPlan { list_lag_ms: 200, ..FaultPlan::default() });
        let outcome = world.converge(&want).await;
        assert_eq!(addresses(&outcome).len(), 2);
        assert_eq!(world.counts(), [1, 1, 2, 2, 5, 2]);
        world.release(&want.owner).await;
        assert_eq!(world.counts(), [0; 6]);
    }
}

#[tokio::test]
async fn a_late_listener_does_not_stay_on_the_users_load_balancer() {
    let world = World::with(Config::default(), SETTLE).await;
    let id = world.foreign().await;
    let want = service(&[(ID, &id)]);
    world.engine.first_seen(&want.owner);
    world.cloud.set_faults(on("POST", "/listeners", late()));
    world.pass(&want).await;
    world.cloud.set_faults(FaultPlan::default());
    // Deleted while the call is still under way.
    world.release(&owner()).await;
    assert_eq!(world.counts(), [1, 1, 1, 0, 0, 0]);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.counts(), [1, 1, 1, 0, 0, 0]);
}

#[tokio::test]
async fn a_quota_leaves_everything_else_right_and_is_named() {
    let world = World::with(Config::default(), SETTLE).await;
    let url = format!("{}/_ferrolb/quota", world.cloud.endpoint());
    let quota = |publicip: i64| json!({ "publicip": publicip });
    world.http.post(&url).json(&quota(0)).send().await.unwrap();
    world.engine.first_seen(&owner());
    let outcome = world.pass(&union()).await;
    assert_eq!(outcome.retry(), Some(RetryClass::Refused));
    let detail = outcome.failures[0].error.detail();
    assert!(detail.message.contains("quota") && detail.message.contains("publicip"), "{detail}");
    assert_eq!(detail.code.as_deref(), Some("VPC.0521"));
    assert!(detail.request_id.is_some());
    assert_eq!(world.counts(), [1, 0, 1, 1, 3, 1]);
    assert!(addresses(&outcome).is_empty());
    world.http.post(&url).json(&quota(9)).send().await.unwrap();
    assert_eq!(addresses(&world.converge(&union()).await).len(), 2);
}

#[tokio::test]
async fn faults_have_their_class() {
    let status = |http, code: &str| Fault::Status { http, code: code.into(), message: "words".into() };
    let throttle = Fault::Throttle { retry_after_s: Some(3) };
    let cases = [
        (on("GET", "/elb/pools", throttle.clone()), RetryClass::Throttled),
        (on("POST", "/elb/pools", throttle), RetryClass::Throttled),
        (on("GET", "/publicips", status(500, "VPC.0503")), RetryClass::Unavailable),
        (on("POST", "/v2/", status(500, "ELB.8906")), RetryClass::Ambiguous),
        (on("POST", "/healthmonitors", status(500, "ELB.8906")), RetryClass::Unavailable),
        (on("POST", "/batch-add", Fault::Drop), RetryClass::Unavailable),
        (on("POST", "/publicips", Fault::Drop), RetryClass::Ambiguous),
        (on("GET", "/", status(401, "APIG.0301")), RetryClass::Denied),
        (on("POST", "/elb/listeners", status(409, "ELB.8905")), RetryClass::Refused),
        (on("GET", "/elb/listeners", Fault::Delay { ms: 5000 }), RetryClass::Unavailable),
    ];
    join_all(cases.into_iter().map(async |(plan, class)| {
        let world = World::with(Config::default(), SETTLE).await;
        world.engine.first_seen(&owner());
        world.cloud.set_faults(plan.clone());
        let outcome = world.pass(&union()).await;
        assert_eq!(outcome.retry(), Some(class), "{plan:?}: {outcome:#?}");
        if class == RetryClass::Throttled {
            assert_eq!(outcome.retry_after(), Some(Duration::from_secs(3)));
        }
        world.cloud.set_faults(FaultPlan::default());
        let outcome = world.converge(&union()).await;
        assert_eq!(addresses(&outcome).len(), 2, "{plan:?}");
        assert_eq!(world.counts(), [1, 1, 1, 1, 3, 1], "{plan:?}");
    }))
    .await;
}

#[tokio::test]
async fn a_cloud_that_is_not_there_was_not_told_anything() {
    let world = World::with(Config::default(), SETTLE).await;
    let engine = ferrolb_provider::Engine::new(crate::harness::provider(&world.cloud), SETTLE, Duration::ZERO);
    world.cloud.shutdown().await;
    let outcome = engine.reconcile(&union(), &world.clock).await;
    let ProviderError::Unavailable(detail) = &outcome.failures[0].error else { panic!("{outcome:#?}") };
    assert!(detail.message.contains("cannot connect"), "{detail}");
}
