//! Small objects for tests.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{
    LoadBalancerIngress, LoadBalancerStatus, Service, ServicePort, ServiceSpec, ServiceStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

use crate::{Class, Endpoint, FINALIZER, Key, Node, PROVIDER_ANNOTATION, Settings, Slice, World};

/// A Service as the API server would have filled it in: type LoadBalancer, TCP 80 on node port 30080, no class.
pub(crate) fn service(name: &str) -> Service {
    Service {
        metadata: ObjectMeta {
            name: Some(name.into()),
            namespace: Some("default".into()),
            uid: Some(format!("uid-{name}")),
            ..ObjectMeta::default()
        },
        spec: Some(ServiceSpec {
            type_: Some("LoadBalancer".into()),
            external_traffic_policy: Some("Cluster".into()),
            session_affinity: Some("None".into()),
            ip_families: Some(vec!["IPv4".into()]),
            allocate_load_balancer_node_ports: Some(true),
            ports: Some(vec![port("TCP", 80, 30080)]),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

pub(crate) fn port(protocol: &str, port: i32, node_port: i32) -> ServicePort {
    ServicePort { protocol: Some(protocol.into()), port, node_port: Some(node_port), ..ServicePort::default() }
}

pub(crate) fn with_spec(mut svc: Service, change: impl FnOnce(&mut ServiceSpec)) -> Service {
    change(svc.spec.get_or_insert_default());
    svc
}

pub(crate) fn with_class(svc: Service, class: &str) -> Service {
    with_spec(svc, |s| s.load_balancer_class = Some(class.into()))
}

pub(crate) fn annotate(mut svc: Service, key: &str, value: &str) -> Service {
    let annotations = svc.metadata.annotations.get_or_insert_default();
    annotations.insert(key.into(), value.into());
    svc
}

/// With our finalizer, as claimed by `provider`.
pub(crate) fn held(mut svc: Service, provider: &str) -> Service {
    let finalizers = svc.metadata.finalizers.get_or_insert_default();
    finalizers.push(FINALIZER.into());
    annotate(svc, PROVIDER_ANNOTATION, provider)
}

pub(crate) fn deleting(mut svc: Service) -> Service {
    svc.metadata.deletion_timestamp = Some(Time(crate::Timestamp::UNIX_EPOCH));
    svc
}

pub(crate) fn serving(mut svc: Service, ips: &[&str]) -> Service {
    let entry = |ip: &&str| LoadBalancerIngress {
        ip: Some((*ip).into()),
        ip_mode: Some("VIP".into()),
        ..LoadBalancerIngress::default()
    };
    let status: &mut ServiceStatus = svc.status.get_or_insert_default();
    status.load_balancer = Some(LoadBalancerStatus { ingress: Some(ips.iter().map(entry).collect()) });
    svc
}

/// A ready node with one address.
pub(crate) fn node(name: &str, address: &str) -> Node {
    Node { name: name.into(), addresses: address.parse().into_iter().collect(), ready: true, ..Node::default() }
}

pub(crate) fn world_of(nodes: impl IntoIterator<Item = Node>) -> World {
    let mut world = World::default();
    for node in nodes {
        world.apply_node(&node.name.clone(), Some(node));
    }
    world
}

pub(crate) fn add(world: &mut World, svc: Service) -> Key {
    let key = Key::of(&svc.metadata);
    world.apply_service(key.clone(), Some(Arc::new(svc)));
    key
}

pub(crate) fn slice(name: &str, service: &str, endpoints: impl IntoIterator<Item = Endpoint>) -> Slice {
    Slice {
        namespace: "default".into(),
        name: name.into(),
        service: Some(service.into()),
        endpoints: endpoints.into_iter().collect(),
        ports: Vec::new(),
    }
}

pub(crate) fn endpoint(node: &str, ready: bool) -> Endpoint {
    Endpoint { node: Some(node.into()), ready, serving: ready, terminating: !ready, ..Endpoint::default() }
}

/// A pod behind TCP 8080 for the port without a name.
pub(crate) fn pod(node: &str, address: &str, ready: bool) -> Endpoint {
    Endpoint {
        addresses: address.parse().into_iter().collect(),
        pod: Some(format!("pod-{address}")),
        ..endpoint(node, ready)
    }
}

pub(crate) fn class(name: &str, provider: &str) -> Class {
    Class { name: name.into(), provider: provider.into(), ..Class::default() }
}

/// Runs providers `elb` and `layer2`; takes no Service without a class.
pub(crate) fn settings() -> Settings {
    Settings { cluster: "c1".into(), providers: ["elb".to_owned(), "layer2".to_owned()].into(), default_provider: None }
}

/// The same, and class-less Services go to `provider`.
pub(crate) fn default_to(provider: &str) -> Settings {
    Settings { default_provider: Some(provider.into()), ..settings() }
}
