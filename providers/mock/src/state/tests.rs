//! Transitions that the API tests do not reach, and properties of all of them together.
#![allow(clippy::unwrap_used)]

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::config::{Config, VIP_SUBNET_NEUTRON_ID};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn cloud() -> Cloud {
    Cloud::new(Config::default().setup())
}

fn lb(cloud: &mut Cloud) -> String {
    let new = NewLoadBalancer {
        guaranteed: true,
        vip_subnet_cidr_id: Some(VIP_SUBNET_NEUTRON_ID.into()),
        ip_target_enable: true,
        ..NewLoadBalancer::default()
    };
    cloud.create_loadbalancer(NOW, new).unwrap()
}

fn listener(cloud: &mut Cloud, lb: &str, protocol: Protocol, protocol_port: u16) -> Result<String, Refusal> {
    let new = NewListener {
        loadbalancer_id: lb.into(),
        name: String::new(),
        description: String::new(),
        protocol,
        protocol_port,
        port_ranges: Vec::new(),
        default_pool_id: None,
        keepalive_timeout: None,
        tags: Vec::new(),
        access: None,
        extra: serde_json::Map::new(),
    };
    cloud.create_listener(NOW, new)
}

fn pool(cloud: &mut Cloud, listener: &str, protocol: Protocol) -> Result<String, Refusal> {
    let new = NewPool {
        name: String::new(),
        description: String::new(),
        protocol,
        lb_algorithm: Algorithm::RoundRobin,
        listener_id: Some(listener.into()),
        loadbalancer_id: None,
        vpc_id: String::new(),
        kind: String::new(),
        session_persistence: None,
        any_port_enable: false,
        member_deletion_protection_enable: false,
        extra: serde_json::Map::new(),
    };
    cloud.create_pool(NOW, new)
}

fn member(address: &str, port: u16) -> NewMember {
    NewMember {
        name: String::new(),
        address: address.parse().unwrap(),
        protocol_port: Some(port),
        subnet_cidr_id: None,
        weight: 1,
    }
}

fn eip() -> NewEip {
    let bandwidth = Bandwidth {
        id: String::new(),
        name: "b".into(),
        size: 5,
        charge_mode: "traffic".into(),
        share_type: "PER".into(),
    };
    NewEip {
        address: None,
        kind: "5_bgp".into(),
        alias: String::new(),
        description: String::new(),
        bandwidth,
        enterprise_project_id: "0".into(),
    }
}

#[test]
fn protocols_fit_as_the_vendor_lists_them() {
    use Protocol::*;
    let all = [Tcp, Udp, Http, Https, TerminatedHttps, Quic, Tls, Ip, Grpc];
    let fits = |listener: Protocol| all.into_iter().filter(|pool| listener.accepts(*pool)).collect::<Vec<_>>();
    assert_eq!(fits(Tcp), [Tcp]);
    assert_eq!(fits(Udp), [Udp, Quic]);
    assert_eq!(fits(Http), [Http]);
    assert_eq!(fits(Https), [Http, Https, Grpc]);
    assert_eq!(fits(TerminatedHttps), fits(Https));
    assert_eq!(fits(Tls), [Tcp, Tls]);
    assert_eq!(fits(Ip), [Ip]);
    for protocol in all {
        assert_eq!(serde_json::to_value(protocol).unwrap(), protocol.name());
    }
}

#[test]
fn codes_are_numbers_lists_and_ranges() {
    for (text, yes, no) in [
        ("200", vec![200], vec![201, 199]),
        ("200,302", vec![200, 302], vec![201]),
        ("200-204,301", vec![200, 204, 301], vec![205, 300]),
    ] {
        let codes = Codes::parse(text).unwrap();
        assert!(yes.iter().all(|code| codes.accept(*code)) && !no.iter().any(|code| codes.accept(*code)), "{text}");
    }
    for bad in ["", "x", "200-", "204-200", "1,2,3,4,5,6", "200;201", "900"] {
        assert_eq!(Codes::parse(bad), None, "{bad}");
    }
}

#[test]
fn a_refused_call_changes_nothing() {
    let mut cloud = cloud();
    let lb = lb(&mut cloud);
    let tcp = listener(&mut cloud, &lb, Protocol::Tcp, 80).unwrap();
    let pool_id = pool(&mut cloud, &tcp, Protocol::Tcp).unwrap();
    cloud.add_members(NOW, &pool_id, vec![member("10.0.0.1", 80)]).unwrap();
    let (before, revision) = (serde_json::to_value(&cloud).unwrap(), cloud.revision());
    assert!(cloud.delete_loadbalancer(NOW, &lb).is_err());
    assert!(cloud.delete_listener(NOW, &tcp, false).is_err());
    assert!(cloud.delete_pool(NOW, &pool_id).is_err());
    assert!(listener(&mut cloud, &lb, Protocol::Http, 80).is_err());
    assert!(pool(&mut cloud, &tcp, Protocol::Tcp).is_err());
    assert!(cloud.create_member(NOW, &pool_id, member("10.0.0.1", 80)).is_err());
    assert!(cloud.add_members(NOW, &pool_id, vec![member("10.0.0.2", 80), member("0.0.0.0", 80)]).is_err());
    assert!(cloud.unbind_eip(NOW, "none").is_err());
    assert_eq!((serde_json::to_value(&cloud).unwrap(), cloud.revision()), (before, revision));
}

#[test]
fn a_call_that_repeats_what_is_true_is_not_an_effect() {
    let mut cloud = cloud();
    let lb = lb(&mut cloud);
    let tcp = listener(&mut cloud, &lb, Protocol::Tcp, 80).unwrap();
    let pool_id = pool(&mut cloud, &tcp, Protocol::Tcp).unwrap();
    let added = cloud.add_members(NOW, &pool_id, vec![member("10.0.0.1", 80)]).unwrap();
    let free = cloud.create_eip(NOW, eip()).unwrap();
    let revision = cloud.revision();
    assert_eq!(cloud.add_members(NOW, &pool_id, vec![member("10.0.0.1", 80)]).unwrap(), [(added[0].0.clone(), true)]);
    cloud
        .update_members(
            NOW,
            &pool_id,
            vec![(added[0].0.clone(), MemberPatch { weight: Some(1), ..MemberPatch::default() })],
        )
        .unwrap();
    cloud
        .update_loadbalancer(NOW, &lb, LoadBalancerPatch { name: Some(String::new()), ..LoadBalancerPatch::default() })
        .unwrap();
    cloud.unbind_eip_from_port(NOW, &free).unwrap();
    let gone = cloud.delete_members(NOW, &pool_id, vec![MemberKey::Id("none".into())]).unwrap();
    assert!(!gone[0].found);
    assert_eq!(cloud.revision(), revision);
    cloud.delete_members(NOW, &pool_id, vec![MemberKey::Address("10.0.0.1".parse().unwrap(), 80)]).unwrap();
    assert_ne!(cloud.revision(), revision);
}

#[test]
fn vips_are_the_lowest_free_and_the_gateways_address_is_never_given() {
    let mut cloud = cloud();
    cloud.setup.subnets[0].cidr = "198.18.0.0/30".parse::<IpNet>().unwrap();
    let only = lb(&mut cloud);
    assert_eq!(cloud.loadbalancer(&only).unwrap().vip_address, Some("198.18.0.2".parse().unwrap()));
    let new = || NewLoadBalancer {
        guaranteed: true,
        vip_subnet_cidr_id: Some(VIP_SUBNET_NEUTRON_ID.into()),
        ..NewLoadBalancer::default()
    };
    assert!(matches!(cloud.create_loadbalancer(NOW, new()), Err(Refusal::SubnetFull(_))));
    cloud.delete_loadbalancer(NOW, &only).unwrap();
    cloud.create_loadbalancer(NOW, new()).unwrap();
}

#[test]
fn an_eip_passes_through_its_states() {
    let mut cloud = cloud();
    cloud.setup.eip_create_delay = SignedDuration::from_secs(5);
    let (dedicated, id) = (lb(&mut cloud), cloud.create_eip(NOW, eip()).unwrap());
    let later = NOW + SignedDuration::from_secs(5);
    let status = |cloud: &Cloud, at| cloud.eip(&id).unwrap().status(at);
    assert_eq!((status(&cloud, NOW), status(&cloud, later)), ("PENDING_CREATE", "DOWN"));
    assert_eq!(cloud.bind_eip_to_loadbalancer(NOW, &id, &dedicated), Err(Refusal::EipBusy(id.clone())));
    let port = cloud.loadbalancer(&dedicated).unwrap().vip_port_id.clone().unwrap();
    cloud.bind_eip_to_port(later, &id, &port).unwrap();
    assert_eq!(status(&cloud, later), "ELB", "a dedicated load balancer's port is the load balancer");
    cloud.unbind_eip_from_port(later, &id).unwrap();
    assert_eq!(status(&cloud, later), "ELB");
    cloud.delete_loadbalancer(later, &dedicated).unwrap();
    assert_eq!(status(&cloud, later), "DOWN");
}

#[test]
fn a_cloud_read_back_is_the_same_cloud() {
    let mut cloud = cloud();
    let lb_id = lb(&mut cloud);
    let tcp = listener(&mut cloud, &lb_id, Protocol::Tcp, 80).unwrap();
    let pool_id = pool(&mut cloud, &tcp, Protocol::Tcp).unwrap();
    cloud.add_members(NOW, &pool_id, vec![member("10.0.0.1", 80)]).unwrap();
    let text = serde_json::to_string(&cloud).unwrap();
    let mut back: Cloud = serde_json::from_str(&text).unwrap();
    back.setup = cloud.setup.clone();
    assert_eq!(serde_json::to_string(&back).unwrap(), text);
    assert_eq!(lb(&mut back), lb(&mut cloud), "the sequence of ids goes on where it stopped");
}

#[test]
fn clearing_leaves_nothing_behind() {
    let mut cloud = cloud();
    let lb_id = lb(&mut cloud);
    let tcp = listener(&mut cloud, &lb_id, Protocol::Tcp, 80).unwrap();
    pool(&mut cloud, &tcp, Protocol::Tcp).unwrap();
    cloud.create_eip(NOW, eip()).unwrap();
    cloud.clear(NOW);
    let left =
        [cloud.loadbalancers.len(), cloud.listeners.len(), cloud.pools.len(), cloud.monitors.len(), cloud.eips.len()];
    assert_eq!(left, [0; 5]);
}
