//! The promise of [`affected`]: where it does not name a Service, the decision about it is what it was.

use std::sync::Arc;

use ferrolb_provider::Protocol;
use k8s_openapi::api::core::v1::Service;

use super::*;
use crate::builders::*;
use crate::{Decision, PROVIDER_ANNOTATION, Settings, SlicePort, desired};

/// A seeded source of numbers; not good ones, but the same ones each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides
    }

    fn flip(&mut self) -> bool {
        self.below(2) == 0
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const CLASSES: [&str; 4] = ["elb", "layer2", "gold", "tin"];

/// Everything but what only we add: finalizer, mark and address may only be there from the start, or go.
fn changed_service(dice: &mut Dice, old: Option<&Arc<Service>>, name: &str) -> Option<Service> {
    let Some(old) = old else {
        let fresh = held(service(name), dice.pick(&["elb", "layer2", "mock"]));
        return Some(if dice.flip() { serving(fresh, &["192.0.2.1"]) } else { service(name) });
    };
    let mut svc = Service::clone(old);
    let value = dice.pick(&["1", "2"]);
    match dice.below(19) {
        0 => return None,
        1 => svc = deleting(svc),
        2 => svc.metadata.finalizers = None,
        3 => drop(svc.metadata.annotations.get_or_insert_default().remove(PROVIDER_ANNOTATION)),
        4 => svc.status = None,
        5 => svc = annotate(svc, dice.pick(&["kubernetes.io/elb.id", "metallb.io/x", "example.com/x"]), value),
        16 => svc = annotate(svc, "kubernetes.io/elb.class", dice.pick(&["dnat", "union"])),
        17 => svc = annotate(svc, "ferrolb.io/backends", dice.pick(&["pods", "nodes", "?"])),
        18 => svc = annotate(svc, "kubernetes.io/elb.adaptive-weight", dice.pick(&["true", "false"])),
        6 => svc.metadata.labels = Some([("any".to_owned(), value.to_owned())].into()),
        kind => {
            let spec = svc.spec.get_or_insert_default();
            match kind {
                7 => spec.type_ = Some(dice.pick(&["LoadBalancer", "ClusterIP"]).into()),
                8 => spec.load_balancer_class = Some(format!("ferrolb.io/{}", dice.pick(&CLASSES))),
                9 => spec.load_balancer_class = dice.flip().then(|| "example.com/lb".into()),
                10 => spec.external_traffic_policy = Some(dice.pick(&["Cluster", "Local"]).into()),
                11 => spec.load_balancer_ip = Some(dice.pick(&["192.0.2.9", "x"]).into()),
                12 => {
                    spec.ports = Some(vec![port("TCP", 80, dice.below(2) as i32)]);
                    spec.allocate_load_balancer_node_ports = Some(dice.flip());
                }
                13 => spec.ip_families = Some(vec![dice.pick(&["IPv4", "IPv6"]).into()]),
                14 => spec.selector = Some([("app".to_owned(), value.to_owned())].into()),
                _ => spec.load_balancer_source_ranges = Some(vec![dice.pick(&["10.0.0.0/8", "*"]).into()]),
            }
        }
    }
    Some(svc)
}

fn step(dice: &mut Dice, world: &mut World) -> Change {
    let name = dice.pick(&NAMES);
    let gone = dice.below(5) == 0;
    match dice.below(5) {
        0 | 1 => {
            let key = Key::new("default", name);
            let new = changed_service(dice, world.service(&key), name);
            world.apply_service(key, new.map(Arc::new))
        }
        2 => {
            let new = Node {
                excluded: dice.below(4) == 0,
                tainted_for_removal: dice.below(4) == 0,
                deleting: dice.below(4) == 0,
                ready: dice.flip(),
                ..node(name, dice.pick(&["10.0.0.1", "10.0.0.2", "fd00::1"]))
            };
            world.apply_node(name, (!gone).then_some(new))
        }
        3 => {
            let owner = dice.pick(&NAMES);
            let count = dice.below(3);
            let endpoints = (0..count).map(|_| {
                let address = dice.pick(&["10.0.0.1", "10.1.0.1", "10.1.0.2", "fd00::2"]);
                let serving = dice.flip();
                let pod = pod(dice.pick(&NAMES), address, dice.flip());
                Endpoint { serving: pod.ready || serving, ..pod }
            });
            let mut new = slice(name, owner, endpoints.collect::<Vec<_>>());
            let named = |name: &str| SlicePort { name: name.to_owned(), protocol: Protocol::Tcp, port: Some(8080) };
            new.ports = dice.flip().then(|| named(dice.pick(&["", "web"]))).into_iter().collect();
            world.apply_slice(Key::new("default", name), (!gone).then_some(new))
        }
        _ => {
            let name = dice.pick(&CLASSES);
            let mut new = class(name, dice.pick(&["elb", "layer2", "mock"]));
            new.default = dice.below(3) == 0;
            new.parameters.insert("kubernetes.io/elb.class".into(), dice.pick(&["1", "dnat"]).into());
            new.parameters.insert("ferrolb.io/backends".into(), dice.pick(&["pods", "nodes", ""]).into());
            new.allowed_namespaces =
                dice.flip().then(|| dice.pick(&["default", "shop"]).to_owned()).into_iter().collect();
            world.apply_class(name, (!gone).then_some(new))
        }
    }
}

/// Everything that is decided; of the endpoints only whether there are any.
fn decisions(world: &World, settings: &Settings) -> BTreeMap<Key, Decision> {
    let decide = |(key, svc): (&Key, &Arc<Service>)| {
        let mut decision = desired(svc, world, settings);
        if let Decision::Provide { ready_endpoints, .. } = &mut decision {
            *ready_endpoints = (*ready_endpoints).min(1);
        }
        (key.clone(), decision)
    };
    world.services().map(decide).collect()
}

#[test]
fn who_is_not_named_is_decided_as_before() {
    for (seed, settings) in [(1, settings()), (2, default_to("elb")), (3, default_to("layer2"))] {
        let mut dice = Dice(seed);
        let mut world = World::default();
        let mut before = decisions(&world, &settings);
        let (mut named, mut differed) = (0, 0);
        for round in 0..20_000 {
            let change = step(&mut dice, &mut world);
            let keys = affected(&world, &change);
            let after = decisions(&world, &settings);
            for (key, decision) in &after {
                let same = before.get(key).unwrap_or(&Decision::NotOurs) == decision;
                assert!(same || keys.contains(key), "seed {seed}, round {round}: {key} after {change:?}");
                differed += usize::from(!same);
            }
            named += keys.len();
            before = after;
        }
        // Otherwise naming all, or a world in which nothing happens, would pass.
        assert!(differed > 1_000, "{differed} decisions differed");
        assert!(named < differed * 6, "{named} named for {differed} that differed");
    }
}
