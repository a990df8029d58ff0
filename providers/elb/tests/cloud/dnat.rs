//! Class `dnat`: rules of a NAT gateway.

use std::time::Duration;

use ferrolb_mock::{Config, Fault, FaultPlan, Match, NAT_GATEWAY_ID, Rule};
use ferrolb_provider::{Desired, Holder, Outcome, Protocol};
use serde_json::{Value, json};

use crate::harness::{ALLOW, AUTOCREATE, CLASS, World, addresses, owner, port, service, union};

const GATEWAY: (&str, &str) = ("kubernetes.io/natgateway.id", NAT_GATEWAY_ID);
const NEW_EIP: (&str, &str) =
    ("kubernetes.io/elb.eip-auto-create-option", r#"{"ip_type":"5_bgp","bandwidth_size":5,"share_type":"PER"}"#);

/// TCP 80, 443 and 8080 on three nodes, on an EIP of the user's.
fn on(eip: &str) -> Desired {
    let mut want = service(&[(CLASS, "dnat"), GATEWAY]);
    want.addresses = vec![eip.parse().unwrap()];
    want.ports = [80, 443, 8080].map(|number| port(Protocol::Tcp, number, &[1, 2, 3])).to_vec();
    want
}

/// Another Service.
fn other(mut want: Desired, uid: &str, name: &str) -> Desired {
    (want.owner.uid, want.owner.name) = (uid.to_owned(), name.to_owned());
    // Node ports are never those of another Service.
    want.ports.iter_mut().flat_map(|p| &mut p.backends).for_each(|b| b.port += 1_000);
    want
}

fn not_ready(mut want: Desired, last: u8) -> Desired {
    let node = format!("node-{last}");
    want.ports.iter_mut().flat_map(|p| &mut p.backends).filter(|b| b.name == node).for_each(|b| b.ready = false);
    want
}

impl World {
    /// An EIP of the user's; its address.
    async fn eip(&self) -> String {
        let body = json!({"publicip": {"type": "5_bgp", "alias": "theirs"},
            "bandwidth": {"name": "theirs", "size": 5, "share_type": "PER"}});
        let made = self.by_hand("POST", "v1/PID/publicips", body).await;
        made["publicip"]["public_ip_address"].as_str().unwrap().to_owned()
    }

    fn rules(&self) -> Vec<Value> {
        self.cloud.ledger()["dnatrules"].as_array().unwrap().clone()
    }

    /// `80>3`: external port and last number of the node, sorted.
    fn targets(&self) -> Vec<String> {
        let of = |rule: &Value| {
            let nic = rule["port_id"].as_str().unwrap();
            let last = u32::from_str_radix(&nic[nic.len() - 2..], 16).unwrap();
            format!("{}>{last}", rule["external_service_port"])
        };
        let mut targets: Vec<String> = self.rules().iter().map(of).collect();
        targets.sort();
        targets
    }

    /// Write calls since the last question: `PUT /v2/…`.
    fn writes(&self) -> Vec<String> {
        let log = self.cloud.calls();
        self.cloud.reset_calls();
        let writes = log["calls"].as_array().unwrap().iter().filter(|call| call["write"] == true);
        writes.map(|call| format!("{} {}", call["method"], call["template"]).replace('"', "")).collect()
    }
}

fn failure(outcome: &Outcome) -> String {
    outcome.failures.iter().map(|f| f.error.to_string()).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn rules_spread_stay_and_are_repointed_by_one_call_each() {
    let world = World::with_nat(Config::default()).await;
    let eip = world.eip().await;
    let want = on(&eip);
    world.engine.first_seen(&want.owner);
    let outcome = world.converge(&want).await;
    let serving = outcome.serving.clone().unwrap();
    assert_eq!(addresses(&outcome), [eip.as_str()]);
    assert_eq!((serving.addresses[0].ports.len(), serving.destination_only), (3, true));
    assert_eq!(world.writes(), ["POST /v2/{pid}/dnat_rules"; 3]);
    let before = world.targets();
    let nodes: std::collections::BTreeSet<&str> =
        before.iter().filter_map(|t| t.split_once('>')).map(|t| t.1).collect();
    assert_eq!(nodes.len(), 3, "{before:?}");

    // A stranger's rule on the same gateway, and on the same EIP.
    let nic = world.by_hand("GET", "v2.0/ports?fixed_ips=ip_address%3D172.16.0.9", Value::Null).await;
    let theirs = json!({"dnat_rule": {"nat_gateway_id": NAT_GATEWAY_ID, "port_id": nic["ports"][0]["id"],
        "floating_ip_id": world.rules()[0]["floating_ip_id"], "protocol": "tcp", "external_service_port": 22,
        "internal_service_port": 22, "description": r#"{"clusterId":"another"}"#}});
    let theirs = world.by_hand("POST", "v2/PID/dnat_rules", theirs).await["dnat_rule"].take();

    // Each node in turn is lost and comes back: its rules move, the others and those that moved stay.
    for lost in [1, 2, 3] {
        let before = world.targets();
        let on_it = before.iter().filter(|t| t.ends_with(&format!(">{lost}"))).count();
        let outcome = world.converge(&not_ready(want.clone(), lost)).await;
        assert_eq!(addresses(&outcome), [eip.as_str()]);
        assert_eq!(world.writes(), vec!["PUT /v2/{pid}/dnat_rules/{id}"; on_it]);
        assert!(!world.targets().iter().any(|t| t.ends_with(&format!(">{lost}"))), "{:?}", world.targets());
        world.converge(&want).await;
        assert_eq!(world.writes(), Vec::<String>::new(), "nothing moves back");
    }
    world.release(&want.owner).await;
    assert_eq!(world.rules(), [theirs]);
    assert_eq!(world.counts()[1], 1, "the user's EIP stays");
}

#[tokio::test]
async fn services_share_an_eip_port_by_port() {
    let world = World::with_nat(Config::default()).await;
    let eip = world.eip().await;
    let first = on(&eip);
    world.converge(&first).await;
    let mut second = other(on(&eip), "33333333-3333-4333-8333-333333333333", "second");
    second.ports[1].port = 444;
    world.writes();
    let outcome = world.pass(&second).await;
    // Named, so that it is woken when the holder goes, and found by a look and not by trying.
    let held: Vec<_> = outcome.conflicts.iter().map(|c| (c.slot.to_string(), c.on.to_string())).collect();
    assert_eq!(held, [("dnatrule/TCP:80".into(), eip.clone()), ("dnatrule/TCP:8080".into(), eip.clone())]);
    assert!(outcome.conflicts.iter().all(|c| c.holder == Holder::Owner(first.owner.clone())), "{outcome:#?}");
    assert_eq!((outcome.failures.len(), world.writes()), (0, vec!["POST /v2/{pid}/dnat_rules".to_owned()]));
    let served = outcome.serving.unwrap().addresses[0].ports.clone();
    assert_eq!(served, [(Protocol::Tcp, 444)], "what is free is served");
    // The first goes: its ports are the second's, which kept its own all the time.
    world.release(&first.owner).await;
    let outcome = world.converge(&second).await;
    assert_eq!(outcome.serving.unwrap().addresses[0].ports.len(), 3);
    world.release(&second.owner).await;
    assert_eq!((world.rules().len(), world.counts()[1]), (0, 1));
}

#[tokio::test]
async fn an_eip_of_our_own_comes_and_goes() {
    let world = World::with_nat(Config::default()).await;
    let mut want = service(&[(CLASS, "dnat"), GATEWAY, NEW_EIP, ("ferrolb.io/ip-mode", "Proxy")]);
    let outcome = world.converge(&want).await;
    let serving = outcome.serving.unwrap();
    assert_eq!((serving.addresses[0].ip.to_string(), serving.health.unwrap().total), ("203.0.113.1".into(), 1));
    assert_eq!(serving.addresses[0].mode, ferrolb_provider::IpMode::Proxy);
    // What was made for it is not taken for the user's.
    want.addresses = vec!["203.0.113.1".parse().unwrap()];
    let outcome = world.pass(&want).await;
    assert!(failure(&outcome).contains("made for this very Service"), "{outcome:#?}");
    // Another EIP: the rules move there. Ours goes when that is allowed: nobody could get its address back.
    let eip = world.eip().await;
    world.writes();
    want.addresses = vec![eip.parse().unwrap()];
    let outcome = world.converge(&want).await;
    assert_eq!(addresses(&outcome), [eip]);
    assert_eq!(world.writes(), ["PUT /v2/{pid}/dnat_rules/{id}"]);
    let held = |outcome: &Outcome| outcome.warnings.iter().filter(|w| w.option == ALLOW.0).count();
    assert_eq!(held(&outcome), 1, "{outcome:#?}");
    want.options.insert(ALLOW.0.to_owned(), ALLOW.1.to_owned());
    let outcome = world.converge(&want).await;
    assert_eq!((world.writes(), held(&outcome)), (vec!["DELETE /v1/{pid}/publicips/{id}".to_owned()], 0));
    world.release(&want.owner).await;
    assert_eq!((world.rules().len(), world.counts()[1]), (0, 1));
}

/// The rule whose port somebody else has on the user's EIP stayed on ours, whose deletion the cloud then refused for ever.
#[tokio::test]
async fn an_eip_of_our_own_stays_while_a_rule_cannot_leave_it() {
    let world = World::with_nat(Config::default()).await;
    let eip = world.eip().await;
    let holder = other(on(&eip), "66666666-6666-4666-8666-666666666666", "holder");
    world.converge(&holder).await;
    let mut want = service(&[(CLASS, "dnat"), GATEWAY, NEW_EIP, ALLOW]);
    want.ports.push(port(Protocol::Tcp, 81, &[1]));
    world.converge(&want).await;
    world.writes();
    want.addresses = vec![eip.parse().unwrap()];
    for _ in 0..3 {
        let outcome = world.pass(&want).await;
        assert!(outcome.failures.is_empty(), "{outcome:#?}");
        assert_eq!(outcome.conflicts.len(), 1, "port 80");
    }
    assert_eq!(world.writes(), ["PUT /v2/{pid}/dnat_rules/{id}"], "port 81 moves, and nothing is tried in vain");
    world.release(&holder.owner).await;
    world.converge(&want).await;
    assert_eq!(world.counts()[1], 1, "the user's");
}

#[tokio::test]
async fn load_balancer_and_gateway_take_turns() {
    let world = World::with_nat(Config::default()).await;
    // The same EIP goes to and fro, so both must ask for the same.
    let public = r#"{"type":"public","bandwidth_chargemode":"traffic","bandwidth_size":5,"bandwidth_sharetype":"PER","eip_type":"5_bgp"}"#;
    let balancer = service(&[(CLASS, "union"), (AUTOCREATE, public), ALLOW]);
    let rules = service(&[(CLASS, "dnat"), GATEWAY, NEW_EIP, ALLOW]);
    for _ in 0..2 {
        let outcome = world.converge(&balancer).await;
        assert_eq!((addresses(&outcome).len(), world.rules().len()), (2, 0), "{outcome:#?}");
        assert_eq!(world.counts()[..3], [1, 1, 1]);
        let outcome = world.converge(&rules).await;
        assert_eq!((addresses(&outcome).len(), world.rules().len()), (1, 1), "{outcome:#?}");
        assert_eq!(world.counts(), [0, 1, 0, 0, 0, 0]);
    }
    world.release(&owner()).await;
    assert_eq!((world.rules().len(), world.counts()), (0, [0; 6]));
}

#[tokio::test]
async fn a_port_that_a_strangers_rule_has_is_not_tried() {
    let world = World::with_nat(Config::default()).await;
    let eip = world.eip().await;
    let eips = world.by_hand("GET", &format!("v1/PID/publicips?public_ip_address={eip}"), Value::Null).await;
    let nic = world.by_hand("GET", "v2.0/ports?fixed_ips=ip_address%3D172.16.0.9", Value::Null).await;
    let theirs = json!({"dnat_rule": {"nat_gateway_id": NAT_GATEWAY_ID, "port_id": nic["ports"][0]["id"],
        "floating_ip_id": eips["publicips"][0]["id"], "protocol": "tcp", "external_service_port": 443,
        "internal_service_port": 443, "description": "by hand"}});
    let theirs = world.by_hand("POST", "v2/PID/dnat_rules", theirs).await;
    let outcome = world.converge_or_conflict(&on(&eip)).await;
    let id = theirs["dnat_rule"]["id"].as_str().unwrap();
    assert_eq!(outcome.conflicts.len(), 1, "{outcome:#?}");
    assert_eq!(outcome.conflicts[0].holder.to_string(), format!("DNAT rule {id}"));
    assert_eq!(world.rules().len(), 3);
}

#[tokio::test]
async fn a_port_in_the_range_of_a_strangers_rule_is_not_tried() {
    let world = World::with_nat(Config::default()).await;
    let eip = world.eip().await;
    let eips = world.by_hand("GET", &format!("v1/PID/publicips?public_ip_address={eip}"), Value::Null).await;
    let nic = world.by_hand("GET", "v2.0/ports?fixed_ips=ip_address%3D172.16.0.9", Value::Null).await;
    // From the first port of the one to the last of the other; 80 and 8080 are outside.
    for (ports, inside) in [("443-450", "9000-9007"), ("7000-8079", "10000-11079")] {
        let theirs = json!({"dnat_rule": {"nat_gateway_id": NAT_GATEWAY_ID, "port_id": nic["ports"][0]["id"],
            "floating_ip_id": eips["publicips"][0]["id"], "protocol": "tcp", "external_service_port_range": ports,
            "internal_service_port_range": inside, "description": "by hand"}});
        world.by_hand("POST", "v2/PID/dnat_rules", theirs).await;
    }
    let theirs = world.rules();
    let outcome = world.converge_or_conflict(&on(&eip)).await;
    let held: Vec<_> = outcome.conflicts.iter().map(|c| (c.slot.to_string(), c.holder.to_string())).collect();
    let range = theirs.iter().find(|rule| rule["external_service_port_range"] == "443-450").unwrap();
    let id = range["id"].as_str().unwrap();
    assert_eq!(held, [("dnatrule/TCP:443".to_owned(), format!("DNAT rule {id}"))]);
    let served = outcome.serving.unwrap().addresses[0].ports.clone();
    assert_eq!(served, [(Protocol::Tcp, 80), (Protocol::Tcp, 8080)]);
    world.by_hand("DELETE", &format!("v2/PID/nat_gateways/{NAT_GATEWAY_ID}/dnat_rules/{id}"), Value::Null).await;
    assert_eq!(world.converge(&on(&eip)).await.serving.unwrap().addresses[0].ports.len(), 3);
    world.release(&on(&eip).owner).await;
    assert_eq!(world.rules().len(), 1, "the other range");
}

#[tokio::test]
async fn a_class_that_changed_while_nobody_was_there_leaves_no_rules() {
    let mut world = World::with_nat(Config::default()).await;
    let eip = world.eip().await;
    let balancer = union();
    world.converge(&on(&eip)).await;
    world.restart();
    world.converge(&balancer).await;
    // The first pass finds nothing to remind it; the second does, and asks once for all Services.
    world.converge(&balancer).await;
    assert_eq!((world.rules().len(), world.counts()[0]), (0, 1));
    world.cloud.reset_calls();
    world.converge(&balancer).await;
    let log = world.cloud.calls();
    let asked = log["calls"].as_array().unwrap().iter().filter(|c| c["template"] == "/v2/{pid}/dnat_rules").count();
    assert_eq!(asked, 0, "and never again");
}

#[tokio::test]
async fn a_nat_service_that_is_down_stops_no_load_balancer() {
    let world = World::with_nat(Config::default()).await;
    let on = Match { path_contains: Some("dnat_rules".into()), ..Match::default() };
    let fault = Fault::Status { http: 503, code: "NAT.0101".into(), message: String::new() };
    world.cloud.set_faults(FaultPlan { rules: vec![Rule { on, fault, times: None }], ..FaultPlan::default() });
    world.converge(&union()).await;
    let outcome = world.converge(&union()).await;
    assert!(outcome.failures.is_empty() && addresses(&outcome).len() == 2, "{outcome:#?}");
}

#[tokio::test]
async fn what_the_cloud_refuses_is_said_in_words() {
    let world = World::with_nat(Config::default()).await;
    let eip = world.eip().await;
    let quota = |limit: i64| {
        let (http, url) = (world.http.clone(), format!("{}/_ferrolb/quota", world.cloud.endpoint()));
        async move { http.put(url).json(&json!({"dnat_rule": limit})).send().await.unwrap() }
    };
    quota(2).await;
    let outcome = world.pass(&on(&eip)).await;
    assert!(failure(&outcome).contains("NAT.0309: a quota of the cloud is used up"), "{}", failure(&outcome));
    quota(200).await;
    assert_eq!(addresses(&world.converge(&on(&eip)).await), [eip.as_str()]);

    let mut nowhere = on("198.51.100.1");
    nowhere.options.insert(GATEWAY.0.to_owned(), "no-such-gateway".to_owned());
    let outcome = world.pass(&nowhere).await;
    let problems: Vec<String> = outcome.problems.iter().map(ToString::to_string).collect();
    assert!(problems.iter().any(|p| p.contains("no-such-gateway does not exist")), "{problems:?}");
    assert!(problems.iter().any(|p| p.contains("198.51.100.1 does not exist")), "{problems:?}");

    // An EIP that a load balancer has: nothing is tried.
    let id = world.foreign().await;
    let lb = world.by_hand("GET", &format!("v3/PID/elb/loadbalancers/{id}"), Value::Null).await;
    let taken = lb["loadbalancer"]["eips"][0]["eip_address"].as_str().unwrap();
    world.writes();
    let second = other(on(taken), "33333333-3333-4333-8333-333333333333", "second");
    let outcome = world.pass(&second).await;
    assert!(failure(&outcome).contains(&format!("bound to ELB {id}")), "{}", failure(&outcome));
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_node_whose_port_has_a_rule_already_is_passed_over() {
    let world = World::with_nat(Config::default()).await;
    let eip = world.eip().await;
    let want = on(&eip);
    world.converge(&want).await;
    let before = world.targets();
    world.release(&want.owner).await;
    // Somebody takes the node port that the rule of port 80 prefers.
    let last = before.iter().find_map(|t| t.strip_prefix("80>")).unwrap().to_owned();
    let other_eip = world.eip().await;
    let eips = world.by_hand("GET", &format!("v1/PID/publicips?public_ip_address={other_eip}"), Value::Null).await;
    let nic = format!("v2.0/ports?fixed_ips=ip_address%3D172.16.0.{last}");
    let nic = world.by_hand("GET", &nic, Value::Null).await;
    let theirs = json!({"dnat_rule": {"nat_gateway_id": NAT_GATEWAY_ID, "port_id": nic["ports"][0]["id"],
        "floating_ip_id": eips["publicips"][0]["id"], "protocol": "tcp", "external_service_port": 80,
        "internal_service_port": 30080, "description": ""}});
    world.by_hand("POST", "v2/PID/dnat_rules", theirs).await;
    let outcome = world.converge(&want).await;
    assert_eq!(outcome.serving.unwrap().addresses[0].ports.len(), 3);
    assert_eq!(world.targets().iter().filter(|t| **t == format!("80>{last}")).count(), 1, "only theirs");
}

#[tokio::test]
async fn while_a_rule_is_repointed_the_address_stays() {
    let world = World::with_nat(Config { nat_delay: Duration::from_millis(300), ..Config::default() }).await;
    let eip = world.eip().await;
    let want = on(&eip);
    let first = world.pass(&want).await;
    assert!(!first.settled && addresses(&first).is_empty(), "PENDING_CREATE: {first:#?}");
    world.converge(&want).await;
    let lost = world.targets()[0].split_once('>').unwrap().1.parse().unwrap();
    let outcome = world.pass(&not_ready(want.clone(), lost)).await;
    assert!(!outcome.settled, "PENDING_UPDATE");
    assert_eq!(addresses(&outcome), [eip]);
    world.converge(&not_ready(want.clone(), lost)).await;
    world.release(&want.owner).await;
    assert!(world.rules().is_empty());
}
