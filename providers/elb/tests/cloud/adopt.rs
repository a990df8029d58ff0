//! `elb.id`: the user's own load balancer is used and left as it was.

use std::time::Duration;

use ferrolb_mock::{Config, FaultPlan};
use ferrolb_provider::{Conflict, Holder, Id, ProviderError, Slot};
use serde_json::json;

use crate::harness::{ALLOW, AUTOCREATE, CCE_EXAMPLE, CLASS, ID, World, addresses, owner, service, union};

#[tokio::test]
async fn listeners_come_and_go_and_the_load_balancer_stays() {
    for class in [None, Some("performance"), Some("union")] {
        let world = World::new().await;
        let id = world.foreign().await;
        let before = world.cloud.ledger();
        let mut options = vec![(ID, id.as_str())];
        options.extend(class.map(|c| (CLASS, c)));
        let want = service(&options);
        world.engine.first_seen(&want.owner);
        let outcome = world.pass(&want).await;
        assert!(outcome.settled, "{outcome:#?}");
        // One call finds out whether the listener that is there already is in the way.
        assert_eq!(world.calls(), (6, 4));
        // The load balancer's own EIP, which is theirs.
        assert_eq!(addresses(&outcome), ["203.0.113.1", "198.18.0.2"]);
        assert_eq!(world.counts(), [1, 1, 2, 1, 3, 1]);
        world.pass(&want).await;
        assert_eq!(world.calls().1, 0);
        world.release(&owner()).await;
        let after = world.cloud.ledger();
        for kind in ["loadbalancers", "eips", "listeners"] {
            assert_eq!(after[kind], before[kind], "{kind}");
        }
        assert_eq!(world.counts(), [1, 1, 1, 0, 0, 0]);
    }
}

#[tokio::test]
async fn beside_autocreate_the_existing_one_is_used_and_stays() {
    let world = World::new().await;
    let id = world.foreign().await;
    let outcome = world.converge(&service(&[(ID, &id), (AUTOCREATE, CCE_EXAMPLE)])).await;
    assert!(outcome.warnings[0].message.contains("existing load balancer is used"));
    assert_eq!(world.counts()[..2], [1, 1]);
    world.release(&owner()).await;
    assert_eq!(world.counts(), [1, 1, 1, 0, 0, 0]);
}

#[tokio::test]
async fn an_id_that_names_nothing() {
    let world = World::new().await;
    let outcome = world.pass(&service(&[(ID, "does-not-exist")])).await;
    assert!(outcome.problems[0].message.contains("does-not-exist does not exist"), "{outcome:#?}");
    assert_eq!(world.calls().1, 0);
}

#[tokio::test]
async fn a_port_that_somebody_else_has() {
    let world = World::new().await;
    let id = world.foreign().await;
    let mut want = service(&[(ID, &id)]);
    want.ports[0].port = 8443;
    let outcome = world.pass(&want).await;
    assert!(addresses(&outcome).is_empty());
    let listener = world.cloud.ledger()["listeners"][0]["id"].as_str().unwrap().to_owned();
    let holder = Holder::Stranger(format!("listener {listener} (theirs)"));
    assert_eq!(outcome.conflicts, [Conflict { slot: Slot::new("listener", "TCP:8443"), on: Id(id), holder }]);
    assert_eq!((world.calls().1, outcome.failures.len()), (0, 0));
    // Once they are gone it works.
    world.by_hand("DELETE", &format!("v3/PID/elb/listeners/{listener}"), json!(null)).await;
    let outcome = world.converge(&want).await;
    assert_eq!(addresses(&outcome).len(), 2);
}

/// A gateway repeats a create, the answer says that the port is taken, and the list does not show the listener yet. It
/// may be ours, so absence is not certain before the settle time is over (simulator, seed 24: it was left behind).
#[tokio::test]
async fn a_port_that_nobody_shown_has_may_be_ours() {
    let world = World::with(Config::default(), Duration::from_secs(60)).await;
    let id = world.foreign().await;
    world.cloud.set_faults(FaultPlan { list_lag_ms: 60_000, ..FaultPlan::default() });
    let listener = json!({"listener": {"loadbalancer_id": id, "protocol": "TCP", "protocol_port": 80}});
    world.by_hand("POST", "v3/PID/elb/listeners", listener).await;
    let want = service(&[(ID, &id)]);
    world.engine.first_seen(&want.owner);
    let outcome = world.pass(&want).await;
    assert!(matches!(outcome.failures[0].error, ProviderError::Ambiguous(_)), "{outcome:#?}");
    let outcome = world.engine.release(&owner(), &world.clock).await;
    assert!(!outcome.settled, "{outcome:#?}");
}

#[tokio::test]
async fn from_ones_own_to_an_existing_one() {
    let world = World::new().await;
    world.converge(&service(&[(AUTOCREATE, CCE_EXAMPLE)])).await;
    let id = world.foreign().await;
    let outcome = world.converge(&service(&[(ID, &id), ALLOW])).await;
    assert_eq!(addresses(&outcome), ["203.0.113.2", "198.18.0.3"]);
    assert_eq!(world.counts(), [1, 1, 2, 1, 3, 1]);
}

#[tokio::test]
async fn what_was_made_for_the_service_itself_is_not_taken_for_the_users() {
    let world = World::new().await;
    let first = union();
    let before = addresses(&world.converge(&first).await);
    let id = world.cloud.ledger()["loadbalancers"][0]["id"].as_str().unwrap().to_owned();
    for options in [&[(ID, id.as_str())][..], &[(ID, id.as_str()), (AUTOCREATE, CCE_EXAMPLE)]] {
        world.calls();
        let outcome = world.pass(&service(options)).await;
        let ProviderError::Refused(detail) = &outcome.failures[0].error else { panic!("{outcome:#?}") };
        assert!(detail.to_string().contains("elb.id: load balancer") && detail.message.contains("this very Service"));
        // Above all its EIP is still there.
        assert_eq!(world.calls().1, 0);
        assert_eq!(world.counts(), [1, 1, 1, 1, 3, 1]);
    }
    assert_eq!(addresses(&world.converge(&first).await), before);
    world.release(&owner()).await;
    assert_eq!(world.counts(), [0; 6]);
}
