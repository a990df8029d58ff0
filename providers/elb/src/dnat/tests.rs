#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ferrolb_provider::{BackendKind, Change, Family, Id, Owner, Protocol, Resource, Seen, State, TrafficPolicy, plan};

use super::*;

const NEW_EIP: &str = r#"{"ip_type":"5_bgp","bandwidth_size":5,"share_type":"PER"}"#;

fn config() -> ElbConfig {
    ElbConfig { nat_endpoint: Some("http://nat".into()), ..ElbConfig::new("http://cloud", "p", "vpc", "sub") }
}

fn port(protocol: Protocol, number: u16, ready: &[u8], not_ready: &[u8]) -> Port {
    let backend = |last: &u8, ready: bool| Backend {
        name: format!("node-{last}"),
        kind: BackendKind::Node,
        address: Ipv4Addr::new(10, 0, 0, *last).into(),
        port: 30_000 + number,
        weight: None,
        ready,
        serving: true,
        terminating: false,
    };
    let backends = ready.iter().map(|n| backend(n, true)).chain(not_ready.iter().map(|n| backend(n, false)));
    Port { name: number.to_string(), protocol, port: number, direct: false, backends: backends.collect() }
}

fn want(options: &[(&str, &str)], ports: Vec<Port>) -> Desired {
    let class = [(CLASS, "dnat"), (NAT_GATEWAY_ID, "gw-1")];
    Desired {
        owner: Owner { cluster: "c".into(), uid: "u-1".into(), namespace: "ns".into(), name: "web".into() },
        families: vec![Family::V4],
        addresses: vec![],
        published: vec![],
        ports,
        traffic_policy: TrafficPolicy::Cluster,
        health_check_node_port: None,
        source_ranges: vec![],
        affinity_seconds: None,
        options: class.iter().chain(options).map(|(k, v)| (k.to_string(), v.to_string())).collect(),
    }
}

fn rules(want: &Desired) -> Vec<DnatRule> {
    let model = model(want, &config()).unwrap();
    let rules = model.resources.into_iter().filter_map(|r| match r {
        ElbResource::DnatRule(rule) => Some(rule),
        _ => None,
    });
    rules.collect()
}

fn firsts(want: &Desired) -> Vec<u8> {
    let last = |rule: &DnatRule| match rule.targets[0].address {
        IpAddr::V4(ip) => ip.octets()[3],
        IpAddr::V6(_) => 0,
    };
    rules(want).iter().map(last).collect()
}

fn tcp(ready: &[u8], not_ready: &[u8]) -> Vec<Port> {
    [80, 443, 8080].map(|number| port(Protocol::Tcp, number, ready, not_ready)).to_vec()
}

fn refusals(want: &Desired) -> String {
    let problems = model(want, &config()).unwrap_err();
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" / ")
}

#[test]
fn the_eip_is_named_by_address_or_id_or_made() {
    let slots = |want: &Desired| -> Vec<String> {
        model(want, &config()).unwrap().resources.iter().map(|r| r.slot().to_string()).collect()
    };
    let one = || vec![port(Protocol::Udp, 53, &[1], &[])];
    let mut by_address = want(&[], one());
    by_address.addresses = vec!["203.0.113.9".parse().unwrap()];
    assert_eq!(slots(&by_address), ["natgateway/main", "address/main", "dnatrule/UDP:53"]);
    let model_of = model(&by_address, &config()).unwrap();
    let adopted: Vec<Id> = model_of.resources.iter().filter_map(Resource::adopted).collect();
    assert_eq!(adopted, [Id("gw-1".into()), Id("203.0.113.9".into())]);
    assert_eq!(slots(&want(&[(EIP_ID, "eip-1")], one())), ["natgateway/main", "address/main", "dnatrule/UDP:53"]);
    let made = want(&[(EIP_AUTO_CREATE_OPTION, NEW_EIP)], one());
    assert_eq!(slots(&made), ["natgateway/main", "eip/main", "dnatrule/UDP:53"]);
    let both = Desired { addresses: by_address.addresses, ..made };
    assert_eq!(slots(&both)[1], "address/main");
    let warnings = model(&both, &config()).unwrap().warnings;
    assert!(warnings[0].to_string().contains("without effect beside spec.loadBalancerIP"), "{warnings:?}");
}

#[test]
fn ports_are_spread_over_the_ready_nodes() {
    let of = |uid: &str, ready: &[u8], not_ready: &[u8]| {
        let mut want = want(&[(EIP_ID, "eip-1")], tcp(ready, not_ready));
        want.owner.uid = uid.into();
        firsts(&want)
    };
    for uid in ["u-1", "u-2", "u-3", "u-4"] {
        let all: BTreeSet<u8> = of(uid, &[1, 2, 3], &[4]).into_iter().collect();
        assert_eq!(all, BTreeSet::from([1, 2, 3]), "{uid}: each its own, and none on a node that is not ready");
    }
    let distinct: BTreeSet<Vec<u8>> = ["u-1", "u-2", "u-3", "u-4", "u-5"].map(|u| of(u, &[1, 2, 3], &[])).into();
    assert!(distinct.len() > 1, "Services do not all prefer the same");
    assert!(rules(&want(&[(EIP_ID, "eip-1")], tcp(&[], &[]))).is_empty(), "no node, no rule");
    let none_ready = rules(&want(&[(EIP_ID, "eip-1")], tcp(&[], &[1, 2])));
    assert_eq!(none_ready[0].targets.len(), 2, "where none is ready all may be pointed to");
    assert!(none_ready[0].targets.iter().all(|t| !t.ready));
}

fn found(rule: &DnatRule, last: u8, number: u16) -> Seen<ElbResource> {
    let target = Target { address: Ipv4Addr::new(10, 0, 0, last).into(), port: 30_000 + number, ready: false };
    Seen {
        id: Id(format!("rule-{number}")),
        resource: ElbResource::DnatRule(DnatRule { targets: vec![target], ..rule.clone() }),
        parents: vec![Id("gw-1".into()), Id("eip-1".into()), Id("203.0.113.9".into())],
        owned: true,
        created: String::new(),
        state: State::Ready,
    }
}

fn adopted(id: &str, resource: ElbResource) -> Seen<ElbResource> {
    let (id, parents) = (Id(id.into()), Vec::new());
    Seen { id, resource, parents, owned: false, created: String::new(), state: State::Ready }
}

#[test]
fn a_rule_stays_on_any_node_that_may_have_it_and_is_repointed_in_one_step() {
    let on = |ready: &[u8], not_ready: &[u8]| want(&[(EIP_ID, "eip-1")], tcp(ready, not_ready));
    let all = rules(&on(&[1, 2, 3], &[]));
    let mut seen: Vec<Seen<ElbResource>> =
        all.iter().zip([(3, 80), (3, 443), (2, 8080)]).map(|(rule, (last, n))| found(rule, last, n)).collect();
    seen.push(adopted("gw-1", ElbResource::NatGateway(NatGateway::default())));
    seen.push(adopted("eip-1", ElbResource::PublicAddress(PublicAddress::default())));
    let steps = |want: &Desired| -> Vec<String> {
        let model = model(want, &config()).unwrap();
        plan(&model.resources, &seen).steps.iter().map(ToString::to_string).collect()
    };
    assert_eq!(steps(&on(&[1, 2, 3], &[])), Vec::<String>::new(), "wherever they are");
    assert_eq!(steps(&on(&[1, 2], &[3])), ["~ dnatrule/TCP:443 (target)", "~ dnatrule/TCP:80 (target)"]);
    assert_eq!(steps(&on(&[], &[1, 2, 3])), Vec::<String>::new(), "all is down, nothing moves");
    // Another EIP of the user's: the rules move, none is made anew.
    seen.push(adopted("eip-2", ElbResource::PublicAddress(PublicAddress::default())));
    let moved = steps_of(&want(&[(EIP_ID, "eip-2")], tcp(&[1, 2, 3], &[])), &seen);
    assert_eq!(moved.len(), 3, "{moved:?}");
    assert!(moved.iter().all(|step| step.ends_with("(parents)")), "{moved:?}");
    // Another gateway: no call moves a rule there.
    let mut elsewhere = on(&[1, 2, 3], &[]);
    elsewhere.options.insert(NAT_GATEWAY_ID.into(), "gw-2".into());
    let change = ElbResource::DnatRule(rules(&elsewhere)[0].clone()).change(&seen[0].resource);
    assert_eq!(change, Change::Replace("nat_gateway_id"));
}

fn steps_of(want: &Desired, seen: &[Seen<ElbResource>]) -> Vec<String> {
    let model = model(want, &config()).unwrap();
    plan(&model.resources, seen).steps.iter().map(ToString::to_string).collect()
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let mut bad = want(&[(NAT_GATEWAY_ID, "a b"), (IP_MODE, "maybe"), (ACL_ID, "g-1")], tcp(&[1], &[]));
    bad.ports[0].protocol = Protocol::Sctp;
    bad.source_ranges = vec!["10.0.0.0/8".parse().unwrap()];
    let said = refusals(&bad);
    for part in
        [NAT_GATEWAY_ID, "no EIP is named", IP_MODE, "spec.loadBalancerSourceRanges", ACL_ID, "spec.ports[0].protocol"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(said.matches(" / ").count(), 5, "{said}");
    assert!(refusals(&want(&[(NAT_GATEWAY_ID, " "), (EIP_ID, "e")], vec![])).contains("needs a public NAT gateway"));
    assert!(refusals(&want(&[(EIP_AUTO_CREATE_OPTION, NEW_EIP), (KEEP_EIP, "yes")], vec![])).contains(KEEP_EIP));
    let without = ElbConfig { nat_endpoint: None, ..config() };
    let said = model(&want(&[(EIP_ID, "e")], vec![]), &without).unwrap_err();
    assert!(said[0].to_string().contains("--elb-nat-endpoint"), "{said:?}");
}

#[test]
fn keys_of_load_balancers_are_named_and_stop_nothing() {
    let options = [
        (EIP_ID, "eip-1"),
        ("kubernetes.io/elb.lb-algorithm", "ROUND_ROBIN"),
        ("kubernetes.io/elb.gateway", "x"),
        ("kubernetes.io/elb.mark", "0"),
        (IP_MODE, "proxy"),
        (ACL_ID, "g-1"),
        (ACL_STATUS, "off"),
    ];
    let made = model(&want(&options, vec![]), &config()).unwrap();
    let warned: Vec<&str> = made.warnings.iter().map(|w| w.option.as_str()).collect();
    assert_eq!(warned, ["kubernetes.io/elb.gateway", "kubernetes.io/elb.lb-algorithm"]);
    let ElbResource::NatGateway(gateway) = &made.resources[0] else { panic!() };
    assert_eq!(gateway.mode, Some(IpMode::Proxy));
}
