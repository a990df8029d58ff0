#![allow(clippy::unwrap_used)]

use super::*;
use crate::resource::{Access, FoundBalancer, Listener, Member, Pool};
use crate::spec::Settings;

fn seen(id: &str, parent: &str, resource: ElbResource) -> Found {
    Seen {
        id: Id(id.into()),
        resource,
        parents: vec![Id(parent.into())],
        owned: true,
        created: String::new(),
        state: State::Ready,
    }
}

fn key() -> PoolKey {
    PoolKey::Port(Protocol::Tcp, 80)
}

fn balancer(eips: &[&str]) -> ElbResource {
    ElbResource::LoadBalancer(LoadBalancer {
        vip: Some("10.0.0.5".parse().unwrap()),
        found: Some(Box::new(FoundBalancer {
            eips: eips.iter().map(|e| ("eip".into(), e.parse().unwrap())).collect(),
            ..FoundBalancer::default()
        })),
        ..LoadBalancer::default()
    })
}

fn eip(binding: Binding) -> ElbResource {
    ElbResource::Eip(Eip {
        kind: None,
        bandwidth_name: None,
        bandwidth_size: None,
        charge_mode: None,
        shared_bandwidth: None,
        enterprise_project: None,
        keep: false,
        retained: false,
        binding,
        address: Some("203.0.113.7".parse().unwrap()),
        bandwidth_id: None,
    })
}

fn listener() -> ElbResource {
    ElbResource::Listener(Listener {
        key: key(),
        protocol: None,
        ranges: Vec::new(),
        settings: Settings::new(),
        access: Access::Everybody,
    })
}

fn pool() -> ElbResource {
    ElbResource::Pool(Pool { key: key(), protocol: None, algorithm: None, settings: Settings::new() })
}

fn member(last: u8, health: MemberHealth) -> Found {
    let member = Member {
        pool: key(),
        name: String::new(),
        address: IpAddr::from([10, 0, 0, last]),
        port: 30080,
        subnet: None,
        weight: 1,
        health: Some(health),
    };
    seen(&format!("m{last}"), "po", ElbResource::Member(member))
}

fn addresses(serving: &Serving) -> Vec<String> {
    serving.addresses.iter().map(|a| a.ip.to_string()).collect()
}

fn complete(binding: Binding) -> Vec<Found> {
    vec![
        seen("lb", "", balancer(&[])),
        seen("ip", "lb", eip(binding)),
        seen("li", "lb", listener()),
        seen("po", "li", pool()),
    ]
}

#[test]
fn the_public_address_comes_first() {
    let model = [balancer(&[]), eip(Binding::Balancer), listener(), pool()];
    let serving = status(&model, &complete(Binding::Balancer), IpMode::Vip);
    assert_eq!(addresses(&serving), ["203.0.113.7", "10.0.0.5"]);
    assert_eq!(serving.addresses[0].ports, [(Protocol::Tcp, 80)]);
    assert_eq!(serving.addresses[0].mode, IpMode::Vip);
}

#[test]
fn nothing_is_promised_before_it_is_there() {
    let model = [balancer(&[]), eip(Binding::Balancer), listener(), pool()];
    for missing in 0..4 {
        let mut found = complete(Binding::Balancer);
        found.remove(missing);
        assert!(addresses(&status(&model, &found, IpMode::Vip)).is_empty(), "{missing}");
    }
    for binding in [Binding::Free, Binding::Unready, Binding::Other("x".into())] {
        assert!(addresses(&status(&model, &complete(binding), IpMode::Vip)).is_empty());
    }
    let mut pending = complete(Binding::Balancer);
    pending[1].state = State::Pending("PENDING_CREATE".into());
    assert!(addresses(&status(&model, &pending, IpMode::Vip)).is_empty());
    let mut frozen = complete(Binding::Balancer);
    frozen[0].state = State::Failed("FROZEN".into());
    assert!(addresses(&status(&model, &frozen, IpMode::Vip)).is_empty());
}

#[test]
fn an_existing_load_balancer_shows_its_own_addresses() {
    let adopted = ElbResource::LoadBalancer(LoadBalancer { adopted: Some("lb".into()), ..LoadBalancer::default() });
    let model = [adopted, listener(), pool()];
    let mut found = complete(Binding::Balancer);
    found[0] = seen("lb", "", balancer(&["198.51.100.1"]));
    found[0].owned = false;
    assert_eq!(addresses(&status(&model, &found, IpMode::Vip)), ["198.51.100.1", "10.0.0.5"]);
}

#[test]
fn backends_are_counted_once_something_is_known() {
    use MemberHealth::{Down, Unknown, Up};
    let model = [balancer(&[]), listener(), pool()];
    for (members, health) in [
        (vec![], Some((0, 0))),
        (vec![member(1, Unknown), member(2, Unknown)], None),
        (vec![member(1, Up), member(2, Down), member(3, Unknown)], Some((1, 3))),
    ] {
        let mut found = complete(Binding::Balancer);
        found.extend(members);
        let health = health.map(|(healthy, total)| Health { healthy, total });
        assert_eq!(status(&model, &found, IpMode::Vip).health, health);
    }
}
