//! `elb.eip-id` and `elb.custom-eip-id`: EIPs of the user's, bound and unbound, and otherwise left as they are.

use std::time::Duration;

use ferrolb_mock::{Config, Fault, FaultPlan, Match, Rule, VIP_SUBNET_NEUTRON_ID};
use ferrolb_provider::{Desired, Outcome, Owner, Provider};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{ALLOW, AUTOCREATE, ID, World, addresses, owner, performance, service, union};

const EIP_ID: &str = "kubernetes.io/elb.eip-id";
const CUSTOM: &str = "kubernetes.io/elb.custom-eip-id";

fn with(mut want: Desired, options: &[(&str, &str)]) -> Desired {
    want.options.extend(options.iter().map(|(key, value)| (key.to_string(), value.to_string())));
    want
}

/// As the controller does: what was published by the pass before is known to the next.
fn published(mut want: Desired, outcome: &Outcome) -> Desired {
    want.published = outcome.serving.iter().flat_map(|s| &s.addresses).map(|a| a.ip).collect();
    want
}

/// Where clients are told what the passes say.
async fn follow(world: &World, want: &Desired, mut last: Outcome) -> Outcome {
    for _ in 0..30 {
        last = world.pass(&published(want.clone(), &last)).await;
        if last.settled && last.look_again.is_none() {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("does not settle: {last:#?}");
}

impl World {
    /// An EIP of the user's: id and address.
    async fn users_eip(&self) -> (String, String) {
        let body = json!({"publicip": {"type": "5_bgp", "alias": "theirs"},
            "bandwidth": {"name": "theirs", "size": 5, "share_type": "PER"}});
        let made = self.by_hand("POST", "v1/PID/publicips", body).await;
        let text = |field: &str| made["publicip"][field].as_str().unwrap().to_owned();
        (text("id"), text("public_ip_address"))
    }

    /// A shared load balancer of the user's.
    async fn users_balancer(&self) -> String {
        let body = json!({"loadbalancer": {"name": "theirs", "vip_subnet_id": VIP_SUBNET_NEUTRON_ID}});
        let made = self.by_hand("POST", "v2/PID/elb/loadbalancers", body).await;
        made["loadbalancer"]["id"].as_str().unwrap().to_owned()
    }

    async fn bind(&self, eip: &str, balancer: &str) {
        let body = json!({"publicip": {"associate_instance_type": "ELB", "associate_instance_id": balancer}});
        self.by_hand("POST", &format!("v3/PID/eip/publicips/{eip}/associate-instance"), body).await;
    }

    /// The EIPs of the user, but for the moment of their last change.
    fn eips(&self) -> Vec<Value> {
        let mut all = self.cloud.ledger()["eips"].as_array().unwrap().clone();
        all.retain(|eip| eip["alias"] == "theirs");
        all.iter_mut().for_each(|eip| drop(eip.as_object_mut().unwrap().remove("updated_at")));
        all
    }

    async fn has_no_orphans(&self) {
        let owners = self.engine.provider().owners(&owner().cluster).await.unwrap();
        assert!(owners.is_empty(), "{owners:?}");
    }
}

fn failures(outcome: &Outcome) -> String {
    outcome.failures.iter().map(|f| f.error.to_string()).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn it_is_bound_and_given_back_as_it_was() {
    for public in [union(), performance()] {
        let world = World::new().await;
        let (id, ip) = world.users_eip().await;
        let before = world.eips();
        let want = with(public, &[(EIP_ID, &id)]);
        world.engine.first_seen(&want.owner);
        let outcome = world.converge(&want).await;
        assert_eq!(addresses(&outcome)[0], ip);
        let bound = &world.eips()[0];
        assert_eq!((world.counts()[1], &bound["alias"]), (1, &"theirs".into()), "none is made, none is renamed");
        assert_eq!(bound["tags"].as_array().unwrap().len(), 2);
        world.calls();
        assert!(world.pass(&want).await.settled);
        assert_eq!(world.calls().1, 0);
        world.release(&owner()).await;
        assert_eq!((world.eips(), world.counts()), (before, [0, 1, 0, 0, 0, 0]));
        world.has_no_orphans().await;
    }
}

#[tokio::test]
async fn at_a_load_balancer_of_the_users_it_is_bound_and_unbound_unless_they_did_it() {
    let world = World::new().await;
    let (balancer, (id, ip)) = (world.users_balancer().await, world.users_eip().await);
    let want = service(&[(ID, &balancer), (EIP_ID, &id)]);
    let before = world.eips();
    assert_eq!(addresses(&world.converge(&want).await)[0], ip);
    world.release(&owner()).await;
    assert_eq!(world.eips(), before);
    // The user's own binding.
    world.bind(&id, &balancer).await;
    let before = world.eips();
    let outcome = world.converge(&want).await;
    assert_eq!((addresses(&outcome)[0].as_str(), world.eips()), (ip.as_str(), before.clone()));
    world.release(&owner()).await;
    assert_eq!(world.eips(), before);
    world.has_no_orphans().await;
}

#[tokio::test]
async fn an_eip_of_our_own_serves_until_it_may_go_and_goes_when_the_users_is_bound() {
    for public in [union(), performance()] {
        let world = World::new().await;
        let first = world.converge(&public).await;
        let ours = addresses(&first)[0].clone();
        let (id, ip) = world.users_eip().await;
        let want = with(public.clone(), &[(CUSTOM, &id)]);
        world.calls();
        let held = follow(&world, &want, first).await;
        assert_eq!((addresses(&held)[0].as_str(), world.calls().1), (ours.as_str(), 0));
        let said = held.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        assert!(said.contains("allow-interruption") && said.contains(&ours), "{said}");

        let allowed = with(want, &[ALLOW]);
        let told = world.pass(&published(allowed.clone(), &held)).await;
        assert_eq!((told.withdrawn, world.calls().1), (true, 0), "clients are told first");
        assert!(!addresses(&told).contains(&ours), "{told:#?}");
        let last = follow(&world, &allowed, told).await;
        assert_eq!((addresses(&last)[0].as_str(), world.counts()), (ip.as_str(), [1, 1, 1, 1, 3, 1]));
        world.release(&owner()).await;
        assert_eq!(world.counts(), [0, 1, 0, 0, 0, 0]);
        world.has_no_orphans().await;
    }
}

#[tokio::test]
async fn one_of_the_users_is_swapped_for_another_and_for_one_of_our_own() {
    let world = World::new().await;
    let ((a, ip_a), (b, ip_b)) = (world.users_eip().await, world.users_eip().await);
    let before = world.eips();
    let on = |id: &str| with(union(), &[(EIP_ID, &a), (CUSTOM, id)]);
    let first = world.converge(&on(&a)).await;
    world.calls();
    let held = follow(&world, &on(&b), first).await;
    assert_eq!((addresses(&held)[0].as_str(), world.calls().1), (ip_a.as_str(), 0));
    assert!(held.warnings[0].message.contains(&format!("clients may still use the address {ip_a}")), "{held:#?}");
    let second = follow(&world, &with(on(&b), &[ALLOW]), held).await;
    assert_eq!(addresses(&second)[0], ip_b);
    assert!(before.iter().any(|eip| eip["id"] == *a && world.eips().contains(eip)), "free again, and without a mark");
    // No wish for theirs any more: it serves until it may go, and ours comes in its place.
    let held = follow_unsettled(&world, &union(), second).await;
    assert_eq!((addresses(&held)[0].as_str(), world.counts()[1]), (ip_b.as_str(), 2));
    let third = follow(&world, &with(union(), &[ALLOW]), held).await;
    assert_eq!((world.counts()[1], addresses(&third).len()), (3, 2));
    assert_eq!(world.eips(), before);
}

/// A few passes, whatever they say.
async fn follow_unsettled(world: &World, want: &Desired, mut last: Outcome) -> Outcome {
    for _ in 0..5 {
        last = world.pass(&published(want.clone(), &last)).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    last
}

#[tokio::test]
async fn one_that_cannot_be_had_is_named_and_nothing_is_given_up_for_it() {
    let world = World::new().await;
    let elsewhere = world.foreign().await;
    let ids = |world: &World| {
        let eips = world.cloud.ledger()["eips"].as_array().unwrap().clone();
        eips.iter().map(|eip| eip["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let taken = ids(&world)[0].clone();
    let first = world.converge(&union()).await;
    let eips = |world: &World| world.cloud.ledger()["eips"].clone();
    let (served, before) = (addresses(&first), eips(&world));
    let want = with(union(), &[(CUSTOM, &taken), ALLOW]);
    let outcome = follow_unsettled(&world, &want, first.clone()).await;
    let said = failures(&outcome);
    assert!(said.contains(&taken) && said.contains(&format!("bound to ELB {elsewhere}; unbind it there")), "{said}");
    assert_eq!((addresses(&outcome), eips(&world)), (served.clone(), before.clone()));
    let want = with(union(), &[(CUSTOM, "00000000-0000-4000-8000-00000000dead"), ALLOW]);
    let outcome = follow_unsettled(&world, &want, first).await;
    assert!(outcome.problems[0].to_string().contains("dead does not exist"), "{outcome:#?}");
    assert_eq!((addresses(&outcome), eips(&world)), (served, before));
    // Our own is not the user's to bring.
    let mine = ids(&world).into_iter().find(|id| *id != taken).unwrap();
    let outcome = world.pass(&with(union(), &[(EIP_ID, &mine)])).await;
    assert!(failures(&outcome).contains("made for this very Service"), "{outcome:#?}");
}

#[tokio::test]
async fn of_two_services_that_want_it_the_first_keeps_it() {
    let world = World::new().await;
    let (id, ip) = world.users_eip().await;
    let first = with(union(), &[(EIP_ID, &id)]);
    assert_eq!(addresses(&world.converge(&first).await)[0], ip);
    let mut second = first.clone();
    second.owner = Owner { uid: "33333333-3333-4333-8333-333333333333".into(), name: "second".into(), ..owner() };
    let outcome = follow_unsettled(&world, &second, Outcome::default()).await;
    assert!(failures(&outcome).contains(&id) && addresses(&outcome).is_empty(), "{outcome:#?}");
    assert_eq!(world.eips()[0]["tags"].as_array().unwrap().len(), 2, "one mark");
    world.release(&second.owner).await;
    assert_eq!(addresses(&world.pass(&first).await)[0], ip);
}

/// What a call of a life does at its worst.
async fn lives(fault: Fault, nth: u64, crash: bool) {
    let mut world = World::with(Config::default(), Duration::from_millis(400)).await;
    let (balancer, (a, _), (b, _)) = (world.users_balancer().await, world.users_eip().await, world.users_eip().await);
    let before = world.eips();
    let on = |id: &str| with(service(&[(ID, &balancer), (EIP_ID, id)]), &[ALLOW]);
    world.engine.first_seen(&owner());
    let on_nth =
        Match { writes_only: true, nth: Some(nth), path_contains: Some("publicips".into()), ..Match::default() };
    let rules = vec![Rule { on: on_nth, fault: fault.clone(), times: Some(1) }];
    world.cloud.set_faults(FaultPlan { rules, ..FaultPlan::default() });
    for want in [on(&a), on(&b)] {
        for _ in 0..2 {
            let pass = tokio::time::timeout(Duration::from_millis(800), world.pass(&want)).await;
            if pass.is_err() && crash {
                world.restart();
            }
        }
    }
    let _ = tokio::time::timeout(Duration::from_millis(800), world.engine.release(&owner(), &world.clock)).await;
    if crash {
        world.restart();
    }
    world.release(&owner()).await;
    // Nothing comes late.
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(world.eips(), before, "{fault:?} at {nth}");
    world.has_no_orphans().await;
}

#[tokio::test]
async fn whatever_happens_at_any_call_it_is_given_back_as_it_was() {
    let late = Fault::LateApply { delay_ms: 250, gateway_timeout: false };
    for rounds in [
        [(Fault::HoldBefore, true), (Fault::HoldAfter, true)],
        [(Fault::LostAnswer, false), (late.clone(), false)],
        [(Fault::LostAnswer, true), (late, true)],
    ] {
        let all = rounds.iter().flat_map(|(fault, crash)| (1..=8).map(move |nth| lives(fault.clone(), nth, *crash)));
        join_all(all).await;
    }
}

#[tokio::test]
async fn an_orphan_is_found_by_the_tags_alone() {
    let mut world = World::new().await;
    let (balancer, (id, _)) = (world.users_balancer().await, world.users_eip().await);
    let before = world.eips();
    world.converge(&service(&[(ID, &balancer), (EIP_ID, &id)])).await;
    world.restart();
    for listener in world.cloud.ledger()["listeners"].as_array().unwrap() {
        let path = format!("v3/PID/elb/listeners/{}/force", listener["id"].as_str().unwrap());
        world.by_hand("DELETE", &path, Value::Null).await;
    }
    let owners = world.engine.provider().owners(&owner().cluster).await.unwrap();
    assert_eq!(owners.iter().map(|o| o.uid.clone()).collect::<Vec<_>>(), [owner().uid]);
    world.release(&owners[0]).await;
    assert_eq!(world.eips(), before);
}

#[tokio::test]
async fn a_private_service_gets_one_and_loses_it() {
    let world = World::new().await;
    let (id, ip) = world.users_eip().await;
    let before = world.eips();
    let private = service(&[(AUTOCREATE, "{}")]);
    let first = world.converge(&private).await;
    let both = follow(&world, &with(private.clone(), &[(EIP_ID, &id)]), first).await;
    assert_eq!((addresses(&both)[0].as_str(), addresses(&both).len()), (ip.as_str(), 2));
    let last = follow(&world, &with(private, &[ALLOW]), both).await;
    assert_eq!((addresses(&last).len(), world.eips()), (1, before));
}
