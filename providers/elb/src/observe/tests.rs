//! The JSON is in the shapes of the API reference, shortened.
#![allow(clippy::unwrap_used)]

use super::*;
use ferrolb_provider::{Protocol, Resource};
use serde_json::json;

use crate::client::eip::EipJson;
use crate::client::elb::{BalancerJson, IpGroupJson};
use crate::resource::Binding;
use crate::spec::{Class, Settings};

fn owner() -> Owner {
    Owner { cluster: "c".into(), uid: "u-1".into(), namespace: "ns".into(), name: "web".into() }
}

fn parse<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> T {
    serde_json::from_value(json).unwrap()
}

fn dedicated() -> BalancerJson {
    parse(json!({
        "id": "lb-1", "name": "james", "description": mark::description(&owner()),
        "provisioning_status": "ACTIVE", "operating_status": "ONLINE", "guaranteed": true,
        "vip_address": "10.0.0.5", "vip_subnet_cidr_id": "sub-1", "vip_port_id": "port-1",
        "ipv6_vip_address": null, "listeners": [], "pools": [],
        "eips": [{"eip_id": "eip-1", "eip_address": "203.0.113.7", "ip_version": 4}],
        "publicips": [{"publicip_id": "eip-1", "publicip_address": "203.0.113.7", "ip_version": 4}],
        "created_at": "2021-07-26T02:46:31Z", "tags": []
    }))
}

#[test]
fn a_dedicated_load_balancer() {
    let seen = balancer(&dedicated(), &owner());
    assert_eq!((seen.owned, &seen.state, seen.created.as_str()), (true, &State::Ready, "2021-07-26T02:46:31"));
    let ElbResource::LoadBalancer(lb) = seen.resource else { panic!() };
    assert_eq!(lb.class, Some(Class::Dedicated));
    assert_eq!(lb.vip, Some("10.0.0.5".parse().unwrap()));
    let found = lb.found.unwrap();
    assert_eq!(found.vip_port.as_deref(), Some("port-1"));
    assert_eq!(found.eips, [("eip-1".to_owned(), "203.0.113.7".parse().unwrap())]);
}

#[test]
fn a_shared_one_as_v2_shows_it() {
    let json: BalancerJson = parse(json!({
        "id": "lb-2", "name": "", "description": "somebody else's", "tenant_id": "p",
        "provisioning_status": "PENDING_CREATE", "operating_status": "OFFLINE",
        "vip_subnet_id": "sub-1", "vip_address": "10.0.0.6", "vip_port_id": "port-2",
        "created_at": "2021-07-26T02:46:31"
    }));
    let seen = balancer(&json, &owner());
    assert!(!seen.owned);
    assert_eq!(seen.state, State::Pending("PENDING_CREATE".into()));
    let ElbResource::LoadBalancer(lb) = seen.resource else { panic!() };
    assert_eq!((lb.class, lb.vip_subnet.as_deref()), (Some(Class::Shared), Some("sub-1")));
}

#[test]
fn states_of_a_load_balancer() {
    for (provisioning, operating, state) in [
        ("ACTIVE", "ONLINE", State::Ready),
        ("ACTIVE", "FROZEN", State::Failed("FROZEN".into())),
        ("ERROR", "OFFLINE", State::Failed("ERROR".into())),
        ("PENDING_DELETE", "ONLINE", State::Pending("PENDING_DELETE".into())),
        ("", "", State::Ready),
    ] {
        let json = BalancerJson {
            provisioning_status: provisioning.into(),
            operating_status: operating.into(),
            ..dedicated()
        };
        assert_eq!(balancer(&json, &owner()).state, state);
    }
}

#[test]
fn an_eip_of_the_users_is_had_only_where_it_is_free_or_ours_to_move() {
    let lb = balancer(&dedicated(), &owner());
    let mark = mark::lent_tags(&owner(), "lb-0").map(|(key, value)| format!("{key}={value}"));
    let id = "eip-9".to_owned();
    let at = |kind: &str, id: &str| json!({"associate_instance_type": kind, "associate_instance_id": id});
    for (extra, tags, state, served, is_lent) in [
        (json!({}), &mark[..0], "", false, false),
        (at("ELB", "lb-1"), &mark[..0], "", true, true),
        (at("ELB", "lb-1"), &mark[..], "", true, true),
        (json!({}), &mark[..], "", false, true),
        // Where it was bound for the same Service.
        (at("ELB", "lb-0"), &mark[..], "", true, true),
        (at("PORT", "port-7"), &mark[..], "bound to PORT port-7; unbind it there", false, true),
        (at("PORT", "port-7"), &mark[..0], "bound to PORT port-7; unbind it there", false, false),
        (json!({"status": "FREEZED"}), &mark[..0], "eip-9, which is FREEZED; put that right", false, false),
    ] {
        let mut value = json!({"id": id, "status": "DOWN", "public_ip_address": "203.0.113.9", "tags": tags});
        value.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let found = lent(&parse(value.clone()), &owner(), Some(&id), &[&lb]);
        match &found[0].state {
            State::Ready => assert_eq!(state, "", "{value}"),
            State::Failed(word) => assert!(!state.is_empty() && word.contains(state), "{value}: {word}"),
            other => panic!("{value}: {other:?}"),
        }
        assert_eq!(found.len() > 1, is_lent, "{value}");
        let address = found.get(1).map(|seen| !seen.resource.addresses().is_empty());
        assert_eq!(address.unwrap_or_default(), served, "{value}");
        // One that nobody wishes shows only by its mark.
        assert_eq!(lent(&parse(value), &owner(), None, &[&lb]).len(), usize::from(!tags.is_empty()));
    }
}

#[test]
fn bindings_of_an_eip() {
    let lb = balancer(&dedicated(), &owner());
    let eip_json = |extra: serde_json::Value| {
        let mut value = json!({
            "id": "eip-9", "alias": mark::alias(&owner()), "status": "DOWN",
            "public_ip_address": "203.0.113.9", "created_at": "2021-07-26T02:46:31Z",
            "associate_instance_type": null, "associate_instance_id": null, "vnic": null,
            "bandwidth": {"id": "bw-1", "size": 5}
        });
        let extra = extra.as_object().unwrap().clone();
        value.as_object_mut().unwrap().extend(extra);
        parse::<EipJson>(value)
    };
    let bound = (Binding::Balancer, vec![Id("lb-1".into())]);
    let cases = [
        (json!({}), (Binding::Free, vec![]), State::Ready),
        (
            json!({"status": "PENDING_CREATE"}),
            (Binding::Unready, vec![Id("lb-1".into())]),
            State::Pending("PENDING_CREATE".into()),
        ),
        (
            json!({"status": "ELB", "associate_instance_type": "ELB", "associate_instance_id": "lb-1"}),
            bound.clone(),
            State::Ready,
        ),
        (
            json!({"status": "ACTIVE", "associate_instance_type": "PORT", "associate_instance_id": "port-1"}),
            bound.clone(),
            State::Ready,
        ),
        (json!({"status": "ACTIVE", "vnic": {"port_id": "port-1"}}), bound.clone(), State::Ready),
        (json!({"id": "eip-1", "status": "ACTIVE"}), bound.clone(), State::Ready),
        (json!({"status": "BIND_ERROR"}), (Binding::Free, vec![]), State::Failed("BIND_ERROR".into())),
        (
            json!({"status": "ACTIVE", "associate_instance_type": "NATGW", "associate_instance_id": "nat-1"}),
            (Binding::Other("NATGW nat-1".into()), vec![]),
            State::Ready,
        ),
    ];
    for (extra, (binding, parents), state) in cases {
        let seen = eip(&eip_json(extra.clone()), &owner(), Some(&lb));
        assert!(seen.owned);
        assert_eq!((&seen.parents, &seen.state), (&parents, &state), "{extra}");
        let ElbResource::Eip(found) = seen.resource else { panic!() };
        assert_eq!(found.binding, binding, "{extra}");
        assert_eq!(found.bandwidth_size, Some(5));
    }
    // What it was made with, unless its bandwidth is shared with others by now.
    let made = |share: &str| {
        let json = eip_json(json!({
            "publicip_pool_name": "5_bgp", "enterprise_project_id": "0",
            "bandwidth": {"id": "bw-1", "name": "web", "size": 5, "charge_mode": "traffic", "share_type": share}
        }));
        let ElbResource::Eip(found) = eip(&json, &owner(), None).resource else { panic!() };
        assert_eq!((found.kind.as_deref(), found.enterprise_project.as_deref()), (Some("5_bgp"), Some("0")));
        (found.bandwidth_name, found.bandwidth_size, found.charge_mode, found.bandwidth_id)
    };
    let text = |t: &str| Some(t.to_owned());
    assert_eq!(made("PER"), (text("web"), Some(5), text("traffic"), text("bw-1")));
    assert_eq!(made("WHOLE"), (None, None, None, None));
    // v1's answer to a create: another name for the time, and a size that is not one.
    let created: EipJson = parse(json!({
        "id": "eip-2", "type": "5_bgp", "alias": "mine", "status": "PENDING_CREATE",
        "public_ip_address": "203.0.113.2", "create_time": "2021-07-26 02:46:31", "bandwidth_size": 0
    }));
    let seen = eip(&created, &owner(), Some(&lb));
    assert!(!seen.owned);
    assert_eq!(seen.created, "2021-07-26T02:46:31");
}

#[test]
fn listeners_and_their_pools() {
    let listener_json = |protocol: &str, port: u16| {
        parse::<ListenerJson>(json!({
            "id": "li-1", "description": mark::description(&owner()), "protocol": protocol,
            "protocol_port": port, "loadbalancers": [{"id": "lb-1"}], "default_pool_id": null,
            "created_at": "2021-07-26T02:46:31Z"
        }))
    };
    let slot = |seen: &Found| ferrolb_provider::Resource::slot(&seen.resource).to_string();
    let tcp = listener(&listener_json("TCP", 80), &owner());
    assert_eq!((slot(&tcp).as_str(), tcp.owned), ("listener/TCP:80", true));
    assert_eq!(tcp.parents, [Id("lb-1".into())]);
    let http = listener(&listener_json("IP", 80), &owner());
    assert_eq!(slot(&http), "listener/stray:li-1");

    let pool_json = |name: &str, listeners: serde_json::Value| {
        parse::<PoolJson>(json!({
            "id": "po-1", "name": name, "description": mark::description(&owner()), "protocol": "TCP",
            "lb_algorithm": "ROUND_ROBIN", "listeners": listeners, "members": [], "healthmonitor_id": null,
            "session_persistence": null
        }))
    };
    let key = PoolKey::Port(Protocol::Udp, 53);
    assert_eq!(name_of(&owner(), &key), "ns_web_UDP_53");
    for (name, listeners, expected) in [
        ("renamed", json!([{"id": "li-1"}]), "pool/TCP:80"),
        // The listener does not show in its list yet.
        ("ns_web_TCP_80", json!([{"id": "li-2"}]), "pool/TCP:80"),
        ("ns_web_UDP_53", json!([]), "pool/UDP:53"),
        ("renamed", json!([]), "pool/stray:po-1"),
    ] {
        let seen = pool(&pool_json(name, listeners), &owner(), std::slice::from_ref(&tcp));
        assert_eq!(slot(&seen), expected, "{name}");
    }
}

#[test]
fn members_and_monitors_belong_to_their_pool() {
    let parent = Seen {
        id: Id("po-1".into()),
        resource: ElbResource::Pool(Pool {
            key: PoolKey::Port(Protocol::Tcp, 80),
            protocol: None,
            algorithm: None,
            settings: Settings::new(),
        }),
        parents: vec![],
        owned: true,
        created: String::new(),
        state: State::Ready,
    };
    for (own, of_listener, health) in [
        ("ONLINE", None, MemberHealth::Up),
        ("NO_MONITOR", None, MemberHealth::Up),
        ("INITIAL", None, MemberHealth::Unknown),
        ("ONLINE", Some("OFFLINE"), MemberHealth::Down),
        ("OFFLINE", Some("ONLINE"), MemberHealth::Up),
    ] {
        let status: Vec<_> =
            of_listener.iter().map(|s| json!({"listener_id": "li-1", "operating_status": s})).collect();
        let json: MemberJson = parse(json!({
            "id": "me-1", "name": "", "address": "10.0.0.7", "protocol_port": 30080, "subnet_cidr_id": "sub-1",
            "weight": 1, "operating_status": own, "status": status
        }));
        let seen = member(&json, &parent).unwrap();
        assert!(seen.owned && seen.parents == [Id("po-1".into())]);
        let ElbResource::Member(found) = seen.resource else { panic!() };
        assert_eq!(found.health, Some(health), "{own} {of_listener:?}");
    }
    let json: MonitorJson = parse(json!({
        "id": "hm-1", "type": "HTTP", "delay": 5, "timeout": 10, "max_retries": 3, "monitor_port": null,
        "url_path": "/ok", "expected_codes": "200", "pools": [{"id": "po-1"}], "created_at": ""
    }));
    let ElbResource::HealthMonitor(found) = monitor(&json, &parent).unwrap().resource else { panic!() };
    assert_eq!(found.port, None);
    let probe = Probe::Http { path: "/ok".into(), expected_codes: None };
    assert_eq!(found.probe, Some(probe));
}

#[test]
fn a_gateway_serves_only_in_its_own_vpc_and_when_it_is_up() {
    let state = |status: &str, router: &str, up: bool| {
        let json = json!({"id": "gw", "router_id": router, "status": status, "admin_state_up": up});
        gateway(&parse(json), "vpc").state
    };
    assert_eq!(state("ACTIVE", "vpc", true), State::Ready);
    assert_eq!(state("PENDING_CREATE", "vpc", true), State::Pending("PENDING_CREATE".into()));
    assert_eq!(state("INACTIVE", "vpc", true), State::Failed("INACTIVE".into()));
    assert!(matches!(state("ACTIVE", "vpc", false), State::Failed(_)));
    let State::Failed(why) = state("ACTIVE", "other", true) else { panic!() };
    assert_eq!(why, "one of VPC other, not of the cluster's, vpc");
}

#[test]
fn the_users_eip_must_be_free_or_of_the_same_gateway() {
    let state = |status: &str, kind: Option<&str>, instance: Option<&str>| {
        let json = json!({"id": "eip-1", "status": status, "public_ip_address": "203.0.113.9",
            "associate_instance_type": kind, "associate_instance_id": instance});
        let seen = public_address(&parse(json), "203.0.113.9", "gw");
        assert_eq!((seen.id.0.as_str(), seen.owned), ("203.0.113.9", false));
        seen.state
    };
    assert_eq!(state("DOWN", None, None), State::Ready);
    assert_eq!(state("ACTIVE", Some("NATGW"), Some("gw")), State::Ready);
    let State::Failed(why) = state("ELB", Some("ELB"), Some("lb-1")) else { panic!() };
    assert!(why.starts_with("bound to ELB lb-1"), "{why}");
    assert!(matches!(state("ACTIVE", Some("NATGW"), Some("gw-2")), State::Failed(_)));
    assert_eq!(state("FREEZED", None, None), State::Failed("FREEZED".into()));
}

#[test]
fn a_rule_points_to_the_node_of_its_interface() {
    let json = |protocol: &str, mark: String| {
        json!({"id": "r-1", "nat_gateway_id": "gw", "port_id": "nic-1", "private_ip": "", "protocol": protocol,
            "floating_ip_id": "eip-1", "floating_ip_address": "203.0.113.9", "internal_service_port": 30080,
            "external_service_port": 80, "description": mark, "status": "PENDING_UPDATE",
            "created_at": "2017-11-15 15:44:42.595173"})
    };
    let nics = [("nic-1".to_owned(), "10.0.0.7".parse().unwrap())].into();
    let ours = rule(&parse(json("tcp", mark::description(&owner()))), &owner(), &nics);
    assert_eq!((ours.owned, &ours.state), (true, &State::Pending("PENDING_UPDATE".into())));
    assert_eq!(ours.parents, [Id("gw".into()), Id("eip-1".into()), Id("203.0.113.9".into())]);
    let ElbResource::DnatRule(found) = &ours.resource else { panic!() };
    assert_eq!(found.key, PoolKey::Port(Protocol::Tcp, 80));
    assert_eq!((found.targets[0].address, found.targets[0].port), ("10.0.0.7".parse().unwrap(), 30080));
    // An interface that is gone, a protocol that we never ask for, a stranger.
    let other = rule(&parse(json("any", r#"{"clusterId":"c"}"#.into())), &owner(), &std::collections::BTreeMap::new());
    let ElbResource::DnatRule(found) = &other.resource else { panic!() };
    assert_eq!((other.owned, found.targets.len(), &found.key), (false, 0, &PoolKey::Stray("r-1".into())));
}

#[test]
fn a_listener_says_whose_groups_it_uses() {
    let json: ListenerJson = parse(json!({
        "id": "li-1", "description": mark::description(&owner()), "protocol": "TCP", "protocol_port": 80,
        "loadbalancers": [{"id": "lb-1"}],
        "ipgroup": {"ipgroup_id": "g-2,g-1", "enable_ipgroup": true, "type": "black"}
    }));
    let mut seen = [listener(&json, &owner())];
    assert_eq!(seen[0].parents, ["lb-1", "g-1", "g-2"].map(|id| Id(id.into())));
    let json: IpGroupJson = parse(json!({
        "id": "g-1", "description": mark::description(&owner()), "created_at": "2021-07-26T02:46:31",
        "ip_list": [{"ip": "10.0.0.1/32", "description": ""}, {"ip": "192.0.2.0/24"}], "listeners": [{"id": "li-1"}]
    }));
    let group = ip_group(&json, &owner());
    let lines = ["10.0.0.1", "192.0.2.0/24"].map(str::to_owned);
    assert!(group.owned && matches!(&group.resource, ElbResource::IpGroup(g) if g.lines == lines.into()));
    know_own_groups(&mut seen, &[group]);
    let ElbResource::Listener(Listener { access: Access::Groups(groups), .. }) = &seen[0].resource else { panic!() };
    assert!(groups.enabled && !groups.white && groups.own);
}
