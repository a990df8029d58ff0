#![allow(clippy::unwrap_used)]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::*;
use crate::builders::*;

fn world_with(classes: impl IntoIterator<Item = Class>) -> World {
    let mut world = World::default();
    for class in classes {
        world.apply_class(&class.name.clone(), Some(class));
    }
    world
}

/// A claim in one word or two.
fn shown(svc: &Service, world: &World, settings: &Settings) -> String {
    match claim(svc, world, settings) {
        Claim::Ours { provider, parameters } if parameters.is_empty() => provider,
        Claim::Ours { provider, parameters } => {
            format!("{provider} {}", parameters.values().next().unwrap())
        }
        Claim::NotOurs => "no".into(),
        Claim::Unknown { hint, .. } => format!("unknown: {hint}"),
        Claim::Forbidden(problem) | Claim::Gone(problem) => format!("problem: {}", problem.message),
    }
}

#[test]
fn type_class_and_default_decide() {
    let cluster_ip = |svc| with_spec(svc, |s| s.type_ = Some("ClusterIP".into()));
    let plain = || service("web");
    let table = [
        (plain(), settings(), "no"),
        (plain(), default_to("elb"), "elb"),
        (plain(), default_to("mock"), "no"),
        (cluster_ip(plain()), default_to("elb"), "no"),
        (with_class(plain(), "ferrolb.io/elb"), settings(), "elb"),
        (with_class(plain(), "ferrolb.io/layer2"), default_to("elb"), "layer2"),
        (with_class(plain(), "example.com/lb"), default_to("elb"), "no"),
        (with_class(plain(), "elb"), default_to("elb"), "no"),
        (with_class(plain(), ""), default_to("elb"), "elb"),
        (cluster_ip(with_class(plain(), "ferrolb.io/elb")), settings(), "no"),
        (Service::default(), default_to("elb"), "no"),
        (
            with_class(plain(), "ferrolb.io/xyz"),
            default_to("elb"),
            "unknown: there is no LoadBalancerClass \"xyz\"; without a class object there are: ferrolb.io/elb, ferrolb.io/layer2",
        ),
    ];
    for (svc, settings, expected) in table {
        assert_eq!(shown(&svc, &World::default(), &settings), expected, "{svc:?}");
    }
}

fn gold() -> Class {
    Class {
        parameters: [("kubernetes.io/elb.class".to_owned(), "performance".to_owned())].into(),
        ..class("gold", "elb")
    }
}

#[test]
fn a_class_object_brings_provider_and_parameters() {
    let world = world_with([gold()]);
    let svc = with_class(service("web"), "ferrolb.io/gold");
    assert_eq!(shown(&svc, &world, &settings()), "elb performance");
    assert_eq!(
        shown(&svc, &World::default(), &settings()),
        shown(&svc, &world_with([class("tin", "elb")]), &settings())
    );
}

#[test]
fn a_class_object_goes_before_the_provider_of_its_name() {
    let world = world_with([Class { name: "layer2".into(), ..gold() }]);
    assert_eq!(shown(&with_class(service("web"), "ferrolb.io/layer2"), &world, &settings()), "elb performance");
    assert_eq!(shown(&service("web"), &world, &default_to("layer2")), "elb performance");
}

#[test]
fn a_class_whose_provider_does_not_run_here_is_another_installations() {
    let world = world_with([class("pool", "mock")]);
    let svc = with_class(service("web"), "ferrolb.io/pool");
    let said = shown(&svc, &world, &settings());
    assert!(said.starts_with("unknown: LoadBalancerClass \"pool\" is of provider \"mock\""), "{said}");
    let world = world_with([Class { default: true, ..class("pool", "mock") }]);
    assert_eq!(shown(&service("web"), &world, &settings()), "no");
}

#[test]
fn namespaces_can_be_shut_out() {
    let only = |namespace: &str| {
        world_with([Class { allowed_namespaces: [namespace.to_owned()].into(), default: true, ..gold() }])
    };
    for svc in [service("web"), with_class(service("web"), "ferrolb.io/gold")] {
        assert_eq!(shown(&svc, &only("default"), &settings()), "elb performance");
        assert_eq!(
            shown(&svc, &only("shop"), &settings()),
            "problem: LoadBalancerClass \"gold\" is not for namespace \"default\""
        );
    }
}

#[test]
fn the_newest_default_class_counts_and_goes_before_the_flag() {
    let at = |name: &str, provider: &str, second: i64| Class {
        default: true,
        created: Timestamp::from_second(second).ok(),
        ..class(name, provider)
    };
    use crate::Timestamp;
    let plain = service("web");
    let world = world_with([at("a", "elb", 1), at("b", "layer2", 2)]);
    assert_eq!(shown(&plain, &world, &settings()), "layer2");
    let world = world_with([at("a", "elb", 2), at("b", "layer2", 1)]);
    assert_eq!(shown(&plain, &world, &default_to("layer2")), "elb");
    let world = world_with([at("b", "layer2", 1), at("a", "elb", 1)]);
    assert_eq!(shown(&plain, &world, &settings()), "elb", "same second: the first name");
}

#[test]
fn what_has_an_address_keeps_it_when_the_default_goes() {
    let busy = || serving(held(service("web"), "elb"), &["192.0.2.1"]);
    let none = World::default();
    assert_eq!(shown(&busy(), &none, &settings()), "elb");
    assert_eq!(shown(&busy(), &none, &default_to("layer2")), "elb");
    let world = world_with([Class { default: true, ..class("new", "layer2") }]);
    assert_eq!(shown(&busy(), &world, &settings()), "elb");
    let world = world_with([Class { default: true, ..gold() }]);
    assert_eq!(shown(&busy(), &world, &settings()), "elb performance", "same provider: its parameters");
    // Without an address nobody relies on it; without our finalizer the annotation is only a word.
    assert_eq!(shown(&held(service("web"), "elb"), &none, &settings()), "no");
    assert_eq!(shown(&serving(held(service("web"), "elb"), &[]), &none, &settings()), "no");
    let forged = annotate(serving(service("web"), &["192.0.2.1"]), PROVIDER_ANNOTATION, "elb");
    assert_eq!(shown(&forged, &none, &settings()), "no");
}

#[test]
fn what_has_an_address_keeps_it_when_its_class_goes() {
    let svc = with_class(held(service("web"), "elb"), "ferrolb.io/gold");
    assert!(matches!(claim(&svc, &World::default(), &settings()), Claim::Unknown { .. }));
    let svc = serving(svc, &["192.0.2.1"]);
    assert!(matches!(claim(&svc, &World::default(), &settings()), Claim::Gone(_)));
    assert_eq!(shown(&svc, &world_with([gold()]), &settings()), "elb performance");
}

#[test]
fn marks_are_read_back() {
    let svc = held(service("web"), "elb");
    assert!(has_finalizer(&svc) && !has_finalizer(&service("web")));
    assert_eq!(holder(&svc), Some("elb"));
    assert_eq!(holder(&annotate(svc.clone(), PROVIDER_ANNOTATION, "")), None);
    assert_eq!(owner(&svc, &settings()).to_string(), "default/web (uid-web)");
    assert_eq!(owner(&svc, &settings()).cluster, "c1");
}

/// A wrong annotation that is corrected need not wait for a settle time: nothing was called for it.
#[test]
fn traces_of_a_claim_tell_that_something_may_have_been_made() {
    let says = |reason: Reason| {
        let mut svc = service("web");
        svc.status.get_or_insert_default().conditions = Some(vec![Condition {
            type_: format!("{GROUP_PREFIX}ConfigurationValid"),
            reason: reason.row().reason.into(),
            status: String::new(),
            message: String::new(),
            observed_generation: None,
            last_transition_time: Time(crate::Timestamp::UNIX_EPOCH),
        }]);
        svc
    };
    assert!(never_claimed(&service("web")));
    assert!(never_claimed(&says(Reason::Invalid)));
    assert!(!never_claimed(&says(Reason::Accepted)), "the finalizer was taken off");
    assert!(!never_claimed(&held(service("web"), "elb")));
    assert!(!never_claimed(&serving(says(Reason::Invalid), &["10.0.0.1"])));
    assert!(!never_claimed(&annotate(service("web"), PROVIDER_ANNOTATION, "elb")));
}

#[test]
fn only_a_class_that_nobody_can_serve_is_told_of() {
    let told =
        |class: &str, world: &World| unknown_class(&with_class(service("web"), class), world, &default_to("elb"));
    let world = world_with([class("gold", "mock")]);
    assert_eq!(told("ferrolb.io/glod", &world).unwrap().reason, "UnknownClass");
    for class in ["ferrolb.io/gold", "ferrolb.io/mock", "ferrolb.io/elb", "example.com/lb"] {
        assert!(told(class, &world).is_none(), "{class}");
    }
}

/// A class object named like a built-in class, of a provider that does not run here, released every load balancer.
#[test]
fn a_class_that_moves_to_another_provider_leaves_what_is_in_use() {
    let used = || serving(held(service("web"), "elb"), &["10.0.0.1"]);
    for svc in [used(), with_class(used(), "ferrolb.io/elb")] {
        let world = world_with([class("elb", "mock")]);
        assert!(shown(&svc, &world, &default_to("elb")).contains("left as it is"));
    }
}

#[test]
fn what_is_no_load_balancer_any_more_loses_our_conditions() {
    let told = |svc: Service| {
        let mut svc = svc;
        svc.status.get_or_insert_default().conditions = Some(vec![Condition {
            type_: format!("{GROUP_PREFIX}Ready"),
            reason: "x".into(),
            status: String::new(),
            message: String::new(),
            observed_generation: None,
            last_transition_time: Time(crate::Timestamp::UNIX_EPOCH),
        }]);
        svc
    };
    let cluster_ip = |svc| with_spec(svc, |s| s.type_ = Some("ClusterIP".into()));
    assert!(has_leftovers(&told(cluster_ip(service("web")))));
    assert!(!has_leftovers(&cluster_ip(service("web"))));
    assert!(!has_leftovers(&told(service("web"))), "another installation may have written it");
    assert!(!has_leftovers(&told(cluster_ip(held(service("web"), "elb")))), "there is something to release first");
}
