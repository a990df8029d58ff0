//! `elb.keep-eip` and `elb.instance-reclaim-policy: retain`: what was made for a Service and stays when it goes.

use std::time::Duration;

use ferrolb_elb::mark;
use ferrolb_mock::{Config, Fault, FaultPlan, Match, NAT_GATEWAY_ID, Rule, VIP_SUBNET_NEUTRON_ID, VPC_ID};
use ferrolb_provider::{Desired, Owner, Provider};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{ALLOW, AUTOCREATE, CLASS, World, owner, performance, service, union};

const KEEP: (&str, &str) = ("kubernetes.io/elb.keep-eip", "true");
const RETAIN: (&str, &str) = ("kubernetes.io/elb.instance-reclaim-policy", "retain");

fn with(mut want: Desired, options: &[(&str, &str)]) -> Desired {
    want.options.extend(options.iter().map(|(key, value)| (key.to_string(), value.to_string())));
    want
}

impl World {
    /// Everything goes that is to go; what stays, as events name it.
    async fn leave(&self, owner: &Owner) -> Vec<String> {
        let mut left = Vec::new();
        for _ in 0..50 {
            let outcome = self.engine.release(owner, &self.clock).await;
            left.extend(outcome.left);
            if outcome.settled {
                let owners = self.engine.provider().owners(&owner.cluster).await.unwrap();
                assert!(owners.is_empty(), "no sweep takes it for a leak: {owners:?}");
                return left;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("does not go");
    }
}

#[tokio::test]
async fn a_kept_eip_is_unbound_and_let_go_of() {
    for public in [union(), performance()] {
        let world = World::new().await;
        world.converge(&with(public, &[KEEP])).await;
        assert_eq!(world.cloud.ledger()["eips"][0]["description"], "ferrolb.io/keep-eip");
        let left = world.leave(&owner()).await;
        assert_eq!(world.counts(), [0, 1, 0, 0, 0, 0]);
        let after = world.cloud.ledger()["eips"][0].clone();
        let (id, ip) = (after["id"].as_str().unwrap(), after["public_ip_address"].as_str().unwrap());
        assert_eq!((&after["alias"], &after["associate_instance_id"]), (&"".into(), &Value::Null));
        assert_eq!(after["description"], "made by FerroLB for the Service default/nginx, which is gone");
        assert_eq!(left, [format!("EIP {ip} ({id})")]);
    }
}

#[tokio::test]
async fn a_wish_that_is_taken_back_counts_no_more() {
    let world = World::new().await;
    world.converge(&with(union(), &[KEEP, RETAIN])).await;
    world.converge(&union()).await;
    let ledger = world.cloud.ledger();
    assert_eq!((&ledger["eips"][0]["description"], &ledger["loadbalancers"][0]["tags"]), (&"".into(), &json!([])));
    assert_eq!(world.leave(&owner()).await, Vec::<String>::new());
    assert_eq!(world.counts(), [0; 6]);
}

#[tokio::test]
async fn a_retained_load_balancer_stays_with_its_eip_and_without_listeners() {
    for public in [union(), performance()] {
        let world = World::new().await;
        let want = with(public, &[RETAIN, ("kubernetes.io/elb.tags", "team=web")]);
        world.converge(&want).await;
        assert_eq!(world.pass(&want).await.writes, 0, "it is noted, and stays so");
        let before = world.cloud.ledger();
        let left = world.leave(&owner()).await;
        assert_eq!(world.counts(), [1, 1, 0, 0, 0, 0]);
        let after = world.cloud.ledger();
        let (lb, eip) = (&after["loadbalancers"][0], &after["eips"][0]);
        assert_eq!(lb["description"], "made by FerroLB for the Service default/nginx, which is gone");
        assert_eq!(lb["tags"], json!([{"key": "team", "value": "web"}]));
        assert_eq!(eip["associate_instance_id"], before["eips"][0]["associate_instance_id"]);
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(left[0].starts_with("EIP 203.0.113.1 (") && left[1].starts_with("load balancer james ("), "{left:?}");
    }
}

/// The Service may be gone when the controller comes back: what is to stay is read from the objects.
#[tokio::test]
async fn an_orphan_s_eip_stays_though_nobody_remembers_the_service() {
    let mut world = World::new().await;
    world.converge(&with(union(), &[KEEP])).await;
    world.restart();
    let nameless = Owner { namespace: String::new(), name: String::new(), ..owner() };
    world.leave(&nameless).await;
    assert_eq!(world.counts(), [0, 1, 0, 0, 0, 0]);
    assert_eq!(world.cloud.ledger()["eips"][0]["description"], "made by FerroLB for a Service that is gone");
}

/// The process ends before and after each call of the release.
#[tokio::test]
async fn a_crash_at_any_call_of_the_release_ends_in_the_same_state() {
    let crashes = [Fault::HoldBefore, Fault::HoldAfter]
        .into_iter()
        .flat_map(|fault| (1..=9).map(move |nth| (fault.clone(), nth)));
    join_all(crashes.map(|(fault, nth)| async move {
        let mut world = World::new().await;
        world.converge(&with(union(), &[RETAIN, KEEP])).await;
        let on = Match { writes_only: true, nth: Some(nth), ..Match::default() };
        let rules = vec![Rule { on, fault: fault.clone(), times: Some(1) }];
        world.cloud.set_faults(FaultPlan { rules, ..FaultPlan::default() });
        let _ = tokio::time::timeout(Duration::from_millis(500), world.engine.release(&owner(), &world.clock)).await;
        world.restart();
        world.cloud.set_faults(FaultPlan::default());
        world.leave(&owner()).await;
        assert_eq!(world.counts(), [1, 1, 0, 0, 0, 0], "{fault:?} at {nth}");
        let ledger = world.cloud.ledger();
        for kind in ["loadbalancers", "eips"] {
            let text = ledger[kind][0]["description"].as_str().unwrap();
            assert!(text.starts_with("made by FerroLB"), "{fault:?} at {nth}: {kind}: {text}");
        }
        assert_eq!(
            (&ledger["eips"][0]["alias"], &ledger["eips"][0]["associate_instance_type"]),
            (&"".into(), &"PORT".into())
        );
    }))
    .await;
}

#[tokio::test]
async fn what_others_use_is_in_nobodys_way_where_it_stays() {
    let world = World::new().await;
    world.converge(&with(performance(), &[RETAIN])).await;
    let lb = world.cloud.ledger()["loadbalancers"][0]["id"].clone();
    let listener = json!({"listener": {"loadbalancer_id": lb, "protocol": "TCP", "protocol_port": 9}});
    world.by_hand("POST", "v3/PID/elb/listeners", listener).await;
    world.leave(&owner()).await;
    assert_eq!(world.counts(), [1, 1, 1, 0, 0, 0]);
}

#[tokio::test]
async fn a_kept_eip_outlives_the_wish_for_it_too() {
    let world = World::new().await;
    world.converge(&with(union(), &[KEEP])).await;
    let private = with(service(&[(CLASS, "union"), (AUTOCREATE, r#"{"name":"james"}"#)]), &[KEEP, ALLOW]);
    world.converge(&private).await;
    assert_eq!(world.counts()[1], 1);
    assert_eq!(world.cloud.ledger()["eips"][0]["alias"], "");
}

#[tokio::test]
async fn the_eip_of_a_gateway_stays_too() {
    let world = World::with_nat(Config::default()).await;
    let want = service(&[
        (CLASS, "dnat"),
        ("kubernetes.io/natgateway.id", NAT_GATEWAY_ID),
        ("kubernetes.io/elb.eip-auto-create-option", r#"{"ip_type":"5_bgp","bandwidth_size":5}"#),
        KEEP,
    ]);
    world.converge(&want).await;
    let left = world.leave(&owner()).await;
    assert_eq!((left.len(), world.counts()[1]), (1, 1));
}

#[tokio::test]
async fn of_two_that_are_to_stay_the_one_that_nobody_uses_goes() {
    let world = World::new().await;
    let want = with(performance(), &[RETAIN]);
    world.converge(&want).await;
    let double = json!({"loadbalancer": {
        "name": "double", "vpc_id": VPC_ID, "vip_subnet_cidr_id": VIP_SUBNET_NEUTRON_ID,
        "availability_zone_list": ["mock-1a"], "description": mark::description(&owner()),
        "tags": [{"key": "ferrolb-reclaim-policy", "value": "retain"}],
    }});
    world.by_hand("POST", "v3/PID/elb/loadbalancers", double).await;
    assert_eq!(world.counts()[0], 2);
    let outcome = world.converge(&want).await;
    assert_eq!((world.counts()[0], outcome.left), (1, Vec::new()));
    assert_eq!(world.cloud.ledger()["loadbalancers"][0]["name"], "james");
}
