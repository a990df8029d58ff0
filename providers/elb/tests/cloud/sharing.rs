//! Several Services on one load balancer: each port has one holder, and keeps it.

use std::collections::{BTreeMap, BTreeSet};

use ferrolb_provider::{Desired, Driver, Holder, Outcome, Protocol};

use crate::harness::{ID, World, owner, port, service};

const SERVICES: usize = 20;

/// Each of them asks for three of five ports.
fn services(id: &str, seed: usize) -> Vec<Desired> {
    let wish = |n: usize| {
        let mut want = service(&[(ID, id)]);
        want.owner.uid = format!("00000000-0000-4000-8000-{:012}", (n * 7 + seed) % SERVICES);
        want.owner.name = format!("web-{n}");
        want.ports = (0..3).map(|k| port(Protocol::Tcp, 80 + ((n * 3 + k * 2 + seed) % 5) as u16, &[1])).collect();
        want
    };
    (0..SERVICES).map(wish).collect()
}

/// By port, the Service whose listener is there.
fn holders(world: &World) -> BTreeMap<u64, String> {
    let ledger = world.cloud.ledger();
    let listeners = ledger["listeners"].as_array().unwrap().iter();
    let ours = listeners.filter(|l| l["description"].as_str().unwrap().starts_with("ferrolb.io/owner"));
    let mut holders = BTreeMap::new();
    for listener in ours {
        let name = listener["description"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let taken = holders.insert(listener["protocol_port"].as_u64().unwrap(), name);
        assert!(taken.is_none(), "two listeners on one port");
    }
    holders
}

/// Whom a Service waits for, by port.
fn waits(outcome: &Outcome) -> BTreeSet<(String, String)> {
    assert!(outcome.failures.is_empty(), "{outcome:#?}");
    let named = |holder: &Holder| match holder {
        Holder::Owner(owner) => owner.name.clone(),
        Holder::Stranger(words) => panic!("{words}"),
    };
    outcome.conflicts.iter().map(|c| (c.slot.to_string(), named(&c.holder))).collect()
}

#[tokio::test]
async fn twenty_services_have_one_holder_per_port_and_the_same_after_a_restart() {
    for seed in [0, 3, 11] {
        let mut world = World::new().await;
        let id = world.foreign().await;
        let wants = services(&id, seed);
        for want in &wants {
            world.engine.first_seen(&want.owner);
            world.pass(want).await;
        }
        let before = holders(&world);
        assert_eq!(before.len(), 5);
        world.restart();
        world.calls();
        for want in wants.iter().rev() {
            let outcome = world.converge_or_conflict(want).await;
            let wished: BTreeSet<u64> = want.ports.iter().map(|p| u64::from(p.port)).collect();
            let others = before.iter().filter(|(port, holder)| wished.contains(port) && **holder != want.owner.name);
            let others = others.map(|(port, holder)| (format!("listener/TCP:{port}"), holder.clone()));
            assert_eq!(waits(&outcome), others.collect());
        }
        assert_eq!(holders(&world), before);
        assert_eq!(world.calls().1, 0);
    }
}

#[tokio::test]
async fn who_goes_leaves_the_port_to_the_next_and_everything_else_alone() {
    let world = World::new().await;
    let id = world.foreign().await;
    let mut first = service(&[(ID, &id)]);
    first.ports.push(port(Protocol::Udp, 53, &[1]));
    world.converge(&first).await;
    let mut second = first.clone();
    second.owner.uid = "33333333-3333-4333-8333-333333333333".into();
    second.owner.name = "late".into();
    second.ports.push(port(Protocol::Tcp, 443, &[1]));
    world.engine.first_seen(&second.owner);
    let outcome = world.pass(&second).await;
    assert_eq!(outcome.conflicts.len(), 2, "{outcome:#?}");
    assert!(outcome.conflicts.iter().all(|c| c.holder == Holder::Owner(owner())));
    assert_eq!(outcome.serving.as_ref().unwrap().addresses[0].ports, [(Protocol::Tcp, 443)]);
    world.release(&first.owner).await;
    assert_eq!(holders(&world).into_values().collect::<Vec<_>>(), ["late"]);
    world.converge(&second).await;
    assert_eq!(holders(&world).into_keys().collect::<Vec<_>>(), [53, 80, 443]);
    world.release(&second.owner).await;
    assert_eq!(world.counts(), [1, 1, 1, 0, 0, 0], "theirs");
}

#[tokio::test]
async fn a_load_balancer_of_ours_stays_while_somebody_elses_listener_is_on_it() {
    let world = World::new().await;
    let want = crate::harness::performance();
    world.converge(&want).await;
    let lb = world.cloud.ledger()["loadbalancers"][0]["id"].as_str().unwrap().to_owned();
    let theirs =
        serde_json::json!({"listener": {"loadbalancer_id": lb, "protocol": "TCP", "protocol_port": 9, "name": "x"}});
    let made = world.by_hand("POST", "v3/PID/elb/listeners", theirs).await;
    let listener = made["listener"]["id"].as_str().unwrap().to_owned();
    let outcome = world.engine.release(&want.owner, &world.clock).await;
    assert!(!outcome.settled && outcome.failures.is_empty(), "{outcome:#?}");
    assert_eq!(outcome.conflicts[0].holder, Holder::Stranger(format!("listener {listener} (x)")));
    assert_eq!(world.counts(), [1, 1, 1, 0, 0, 0], "its EIP stays with it");
    world.by_hand("DELETE", &format!("v3/PID/elb/listeners/{listener}"), serde_json::json!(null)).await;
    world.release(&want.owner).await;
    assert_eq!(world.counts(), [0; 6]);
}

#[tokio::test]
async fn every_port_on_a_load_balancer_of_the_users_is_claimed() {
    let world = World::new().await;
    let mut want = service(&[(ID, &world.foreign().await)]);
    want.ports.push(port(Protocol::Udp, 53, &[1]));
    let claims: Vec<String> = world.engine.claims(&want).iter().map(|claim| claim.slot.to_string()).collect();
    assert_eq!(claims, ["listener/TCP:80", "listener/UDP:53"]);
}
