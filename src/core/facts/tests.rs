#![allow(clippy::unwrap_used)]

use k8s_openapi::api::core::v1::{NodeAddress, NodeCondition, NodeSpec, NodeStatus, Taint};
use k8s_openapi::api::discovery::v1::{EndpointConditions, EndpointPort};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

use super::*;

fn k8s_node() -> core::Node {
    let address = |kind: &str, text: &str| NodeAddress { type_: kind.into(), address: text.into() };
    core::Node {
        metadata: ObjectMeta { name: Some("n1".into()), ..ObjectMeta::default() },
        status: Some(NodeStatus {
            addresses: Some(vec![
                address("Hostname", "n1"),
                address("ExternalIP", "198.51.100.1"),
                address("InternalIP", "10.0.0.1"),
                address("InternalIP", "fd00::1"),
                address("InternalIP", "not an address"),
            ]),
            conditions: Some(vec![NodeCondition {
                type_: "Ready".into(),
                status: "True".into(),
                ..NodeCondition::default()
            }]),
            ..NodeStatus::default()
        }),
        ..core::Node::default()
    }
}

#[test]
fn a_node_is_its_internal_addresses_and_what_keeps_traffic_away() {
    let node = Node::from(&k8s_node());
    assert_eq!(node.name, "n1");
    let shown: Vec<String> = node.addresses.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["10.0.0.1", "fd00::1"]);
    assert!(node.ready && node.eligible());
    assert_eq!(node.address(Family::V6), "fd00::1".parse().ok());

    let mut deleting = k8s_node();
    deleting.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
    assert!(Node::from(&deleting).deleting && !Node::from(&deleting).eligible());

    let mut tainted = k8s_node();
    tainted.spec = Some(NodeSpec {
        taints: Some(vec![Taint { key: AUTOSCALER_TAINT.into(), effect: "NoSchedule".into(), ..Taint::default() }]),
        ..NodeSpec::default()
    });
    let tainted = Node::from(&tainted);
    assert!(tainted.tainted_for_removal && !tainted.eligible());

    let mut unready = k8s_node();
    unready.status.as_mut().unwrap().conditions.as_mut().unwrap()[0].status = "Unknown".into();
    let unready = Node::from(&unready);
    assert!(!unready.ready && unready.eligible(), "health checks decide, not readiness");
}

#[test]
fn the_exclusion_label_counts_by_its_value() {
    let table = [
        (None, false),
        (Some(""), true),
        (Some("true"), true),
        (Some("foo"), true),
        (Some("no"), true),
        (Some("false"), false),
        (Some("False"), false),
        (Some("0"), false),
    ];
    for (value, excluded) in table {
        let mut node = k8s_node();
        node.metadata.labels = value.map(|v| [(EXCLUDE_LABEL.to_owned(), v.to_owned())].into());
        assert_eq!(Node::from(&node).excluded, excluded, "{value:?}");
    }
}

fn k8s_slice(conditions: Option<EndpointConditions>) -> discovery::EndpointSlice {
    discovery::EndpointSlice {
        address_type: "IPv4".into(),
        metadata: ObjectMeta {
            name: Some("web-x1".into()),
            namespace: Some("default".into()),
            labels: Some([(SERVICE_LABEL.to_owned(), "web".to_owned())].into()),
            ..ObjectMeta::default()
        },
        endpoints: vec![discovery::Endpoint {
            addresses: vec!["10.1.0.1".into()],
            node_name: Some("n1".into()),
            conditions,
            ..discovery::Endpoint::default()
        }],
        ports: Some(vec![
            EndpointPort { name: Some("http".into()), port: Some(8080), ..EndpointPort::default() },
            EndpointPort { protocol: Some("QUIC".into()), ..EndpointPort::default() },
        ]),
    }
}

#[test]
fn a_slice_knows_its_service_its_ports_and_who_answers() {
    let slice = Slice::from(&k8s_slice(None));
    assert_eq!(slice.service.as_deref(), Some("web"));
    let expected = SlicePort { name: "http".into(), protocol: Protocol::Tcp, port: Some(8080) };
    assert_eq!(slice.ports, [expected], "a protocol that nobody knows is no port");
    assert_eq!(slice.endpoints[0].addresses, ["10.1.0.1".parse::<IpAddr>().unwrap()]);
    assert_eq!(slice.endpoints[0].node.as_deref(), Some("n1"));

    let mut orphan = k8s_slice(None);
    orphan.metadata.labels = None;
    assert_eq!(Slice::from(&orphan).service, None);
}

#[test]
fn what_an_endpoint_does_not_say_is_good_news() {
    let of = |ready, serving, terminating| {
        let slice = k8s_slice(Some(EndpointConditions { ready, serving, terminating }));
        let e = Slice::from(&slice).endpoints[0].clone();
        (e.ready, e.serving, e.terminating)
    };
    assert_eq!(of(None, None, None), (true, true, false));
    assert_eq!(of(Some(false), None, None), (false, false, false));
    assert_eq!(of(Some(false), Some(true), Some(true)), (false, true, true));
    assert_eq!(Slice::from(&k8s_slice(None)).ready(), 1);
}

#[test]
fn a_class_object_becomes_a_class() {
    let mut object = LoadBalancerClass::new(
        "gold",
        ferrolb_crds::LoadBalancerClassSpec {
            provider: "elb".into(),
            parameters: [("kubernetes.io/elb.class".to_owned(), "performance".to_owned())].into(),
            default: true,
            allowed_namespaces: vec!["shop".into()],
        },
    );
    object.metadata.creation_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
    let class = Class::from(&object);
    assert_eq!((class.name.as_str(), class.provider.as_str()), ("gold", "elb"));
    assert_eq!(class.parameters["kubernetes.io/elb.class"], "performance");
    assert!(class.default && class.allowed_namespaces.contains("shop"));
    assert_eq!(class.created, Some(Timestamp::UNIX_EPOCH));
}
