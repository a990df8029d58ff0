//! Reports of passes of every kind.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use ferrolb_provider::{Conflict, Detail, Failure, Health, Holder, Id, Owner, ProviderError, Slot, Wait};
use k8s_openapi::api::core::v1::{LoadBalancerStatus, ServiceStatus};

use super::*;
use crate::builders::{default_to, deleting, held, node, port, service, with_spec, world_of};
use crate::{Decision, desired};

const EARLY: i64 = 1_000;
const LATE: i64 = 2_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// `svc` as it is after the report was written.
fn written(mut svc: Service, report: &Report) -> Service {
    svc.status = Some(ServiceStatus {
        conditions: Some(report.conditions.clone()),
        load_balancer: Some(LoadBalancerStatus { ingress: Some(report.ingress.clone()) }),
    });
    svc
}

fn two_ports() -> Service {
    let svc = held(service("web"), "elb");
    with_spec(svc, |s| s.ports = Some(vec![port("TCP", 80, 30080), port("UDP", 53, 30053)]))
}

fn want(svc: &Service, nodes: usize) -> Desired {
    let nodes = (0..nodes).map(|n| node(&format!("n{n}"), &format!("10.0.0.{n}")));
    match desired(svc, &world_of(nodes), &default_to("elb")) {
        Decision::Provide { want, .. } => *want,
        other => panic!("{other:?}"),
    }
}

fn address(ip: &str, mode: IpMode, ports: &[(Protocol, u16)]) -> Address {
    Address { ip: ip.parse().unwrap(), mode, ports: ports.to_vec() }
}

const BOTH: [(Protocol, u16); 2] = [(Protocol::Tcp, 80), (Protocol::Udp, 53)];

fn works() -> Outcome {
    Outcome {
        serving: Some(Serving {
            addresses: vec![address("203.0.113.7", IpMode::Proxy, &BOTH), address("10.9.0.5", IpMode::Vip, &BOTH)],
            health: Some(Health { healthy: 3, total: 3 }),
            destination_only: false,
        }),
        settled: true,
        ..Outcome::default()
    }
}

fn failing(slot: Option<&str>, error: fn(Detail) -> ProviderError, words: &str) -> Failure {
    let (code, message) = words.split_once(' ').unwrap_or((words, ""));
    Failure {
        slot: slot.map(|s| Slot::new(s, "main")),
        error: error(Detail {
            call: "POST /v3/x".into(),
            message: message.into(),
            code: (!code.is_empty()).then(|| code.to_owned()),
            request_id: Some("req-1".into()),
        }),
    }
}

fn throttled(detail: Detail) -> ProviderError {
    ProviderError::Throttled { after: None, detail }
}

fn provided(svc: &Service, outcome: &Outcome, second: i64) -> Report {
    let want = &want(svc, 3);
    let pass = Pass::Provided { want, ready_endpoints: 3, outcome };
    report(svc, &pass, at(second))
}

/// `Ready=True LoadBalancerReady`, one line for each condition.
fn shown(report: &Report) -> Vec<String> {
    let line = |c: &Condition| {
        let name = c.type_.strip_prefix("ferrolb.io/").unwrap();
        format!("{name}={} {}", c.status, c.reason)
    };
    report.conditions.iter().map(line).collect()
}

fn message<'a>(report: &'a Report, condition: &str) -> &'a str {
    let find = |c: &&Condition| c.type_ == format!("ferrolb.io/{condition}");
    &report.conditions.iter().find(find).unwrap().message
}

fn events(report: &Report) -> Vec<String> {
    let line = |e: &Event| format!("{} {}", e.severity.as_str(), e.reason);
    report.events.iter().map(line).collect()
}

#[test]
fn all_well() {
    let svc = two_ports();
    let first = provided(&svc, &works(), EARLY);
    let shown_ingress: Vec<String> = first
        .ingress
        .iter()
        .map(|i| format!("{} {}", i.ip.as_deref().unwrap(), i.ip_mode.as_deref().unwrap()))
        .collect();
    assert_eq!(shown_ingress, ["203.0.113.7 Proxy", "10.9.0.5 VIP"]);
    assert!(first.ingress.iter().all(|i| i.ports.is_none() && i.hostname.is_none()));
    assert_eq!(
        shown(&first),
        [
            "Ready=True LoadBalancerReady",
            "AddressAllocated=True AddressAllocated",
            "BackendsHealthy=True AllHealthy",
            "ConfigurationValid=True Accepted",
        ]
    );
    assert_eq!(events(&first), ["Normal LoadBalancerReady"]);
    assert_eq!(first.events[0].message, "The load balancer is as the Service asks: 203.0.113.7, 10.9.0.5.");
}

#[test]
fn where_only_the_destination_is_rewritten_clients_inside_are_told() {
    let svc = two_ports();
    let mut outcome = works();
    let serving = outcome.serving.as_mut().unwrap();
    serving.destination_only = true;
    let proxied = provided(&svc, &outcome, EARLY);
    assert!(shown(&proxied).contains(&"InClusterReachable=False DestinationOnly".to_owned()), "{proxied:?}");
    assert!(events(&proxied).contains(&"Warning DestinationOnly".to_owned()), "{proxied:?}");
    outcome.serving.as_mut().unwrap().addresses.remove(0);
    let vip = provided(&svc, &outcome, EARLY);
    assert!(shown(&vip).contains(&"InClusterReachable=True ServedInside".to_owned()), "{vip:?}");
    // A pass that could not look leaves it, one that found otherwise takes it away.
    let svc = written(svc, &vip);
    let blind = provided(&svc, &Outcome::default(), LATE);
    assert!(shown(&blind).contains(&"InClusterReachable=True ServedInside".to_owned()), "{blind:?}");
    let other = provided(&svc, &works(), LATE);
    assert!(!shown(&other).iter().any(|c| c.starts_with("InCluster")), "{other:?}");
}

#[test]
fn the_same_again_writes_and_tells_nothing() {
    let svc = two_ports();
    let first = provided(&svc, &works(), EARLY);
    assert!(!equal(&first, &svc));
    let svc = written(svc, &first);
    let second = provided(&svc, &works(), LATE);
    assert!(equal(&second, &svc));
    assert!(second.events.is_empty());
    assert_eq!(second.conditions, first.conditions, "times too");
}

#[test]
fn equality_looks_at_addresses_and_our_conditions_only() {
    let svc = two_ports();
    let report = provided(&svc, &works(), EARLY);
    let base = || written(svc.clone(), &report);
    let mut other = base();
    let conditions = other.status.as_mut().unwrap().conditions.as_mut().unwrap();
    conditions.reverse();
    conditions.push(Condition { type_: "example.com/Ready".into(), ..conditions[0].clone() });
    conditions[0].last_transition_time = Time(at(LATE));
    assert!(equal(&report, &other), "order, time and others' conditions");

    let mut wiped = base();
    wiped.status.as_mut().unwrap().load_balancer = None;
    assert!(!equal(&report, &wiped));
    for change in [
        |c: &mut Vec<Condition>| c[0].message.push('!'),
        |c: &mut Vec<Condition>| c[0].status = "False".into(),
        |c: &mut Vec<Condition>| c[0].reason = "Other".into(),
        |c: &mut Vec<Condition>| drop(c.pop()),
    ] {
        let mut other = base();
        change(other.status.as_mut().unwrap().conditions.as_mut().unwrap());
        assert!(!equal(&report, &other));
    }
    let mut surplus = base();
    let conditions = surplus.status.as_mut().unwrap().conditions.as_mut().unwrap();
    conditions.push(Condition { type_: "ferrolb.io/DeletionBlocked".into(), ..conditions[0].clone() });
    assert!(!equal(&report, &surplus), "one of ours that has to go");
}

#[test]
fn a_port_that_is_not_served_shows_in_every_address_that_lacks_it() {
    let mut outcome = works();
    outcome.settled = false;
    outcome.failures = vec![failing(Some("listener"), ProviderError::Refused, "ELB.8909 quota")];
    outcome.serving.as_mut().unwrap().addresses[0].ports = vec![(Protocol::Tcp, 80)];
    let report = provided(&two_ports(), &outcome, EARLY);
    let ports = report.ingress[0].ports.as_ref().unwrap();
    let lines: Vec<String> =
        ports.iter().map(|p| format!("{} {} {}", p.protocol, p.port, p.error.as_deref().unwrap_or("ok"))).collect();
    assert_eq!(lines, ["TCP 80 ok", "UDP 53 ferrolb.io/PortNotServed"]);
    assert!(report.ingress[1].ports.is_none());
}

#[test]
fn every_class_of_failure_has_its_words() {
    use ProviderError::{Ambiguous, Denied, NotFound, Refused, Unavailable};
    let table: [(Failure, &str, &str); 7] = [
        (
            failing(Some("eip"), Refused, "VPC.0504 Quota exceeded for resources: ['publicip']."),
            "Ready=False CloudRefused",
            "The cloud refused: eip/main: VPC.0504: Quota exceeded for resources: ['publicip']. Change the Service or make \
             room in the cloud; FerroLB also tries again every few minutes.",
        ),
        (
            failing(Some("eip"), Denied, "APIGW.0301 Incorrect IAM authentication information"),
            "Ready=False CloudDenied",
            "The cloud denies access: APIGW.0301: Incorrect IAM authentication information. Check the credentials of \
             FerroLB and what they may do.",
        ),
        (
            failing(Some("pool"), throttled, "APIGW.0308 429 at 12:00:01, try 7"),
            "Ready=False CloudThrottled",
            "The cloud limits our calls: APIGW.0308. FerroLB goes on by itself, more slowly.",
        ),
        (
            failing(Some("pool"), Unavailable, " 503 Service Unavailable"),
            "Ready=False CloudUnavailable",
            "The cloud could not do it: 503 Service Unavailable. FerroLB tries again by itself.",
        ),
        (
            failing(Some("pool"), NotFound, "ELB.8904 gone"),
            "Ready=False CloudUnavailable",
            "The cloud could not do it: ELB.8904: gone. FerroLB tries again by itself.",
        ),
        (
            failing(Some("eip"), Ambiguous, " no answer within 10 s"),
            "Ready=False CloudAmbiguous",
            "It is not known whether the cloud carried out a call: eip/main: no answer within 10 s. FerroLB looks again when \
             it must have, and makes nothing twice.",
        ),
        (
            failing(None, Refused, "ELB.1 no such project"),
            "Ready=Unknown CloudRefused",
            "The cloud refused: POST /v3/x: ELB.1: no such project. Change the Service or make room in the cloud; FerroLB \
             also tries again every few minutes.",
        ),
    ];
    for (failure, condition, text) in table {
        let outcome = Outcome { failures: vec![failure], ..Outcome::default() };
        let report = provided(&two_ports(), &outcome, EARLY);
        assert_eq!(shown(&report)[0], condition);
        assert_eq!(message(&report, "Ready"), text);
        assert_eq!(report.events.len(), 1);
        assert_eq!(report.events[0].message, text);
        assert_eq!(report.events[0].severity, Severity::Warning);
    }
}

#[test]
fn a_failure_that_lasts_is_written_and_told_once() {
    let pass = |id: &str, slots: [&str; 2]| {
        let error = |mut detail: Detail| {
            detail.message = format!("busy (request {id})");
            detail.request_id = Some(detail.message[14..18].to_owned());
            ProviderError::Unavailable(detail)
        };
        let error: &dyn Fn(Detail) -> ProviderError = &error;
        let failures =
            slots.map(|slot| Failure { slot: Some(Slot::new(slot, "main")), error: error(Detail::default()) });
        Outcome { failures: failures.to_vec(), ..Outcome::default() }
    };
    let svc = two_ports();
    let first = provided(&svc, &pass("aa01", ["eip", "pool"]), EARLY);
    assert_eq!(events(&first), ["Warning CloudUnavailable"]);
    let svc = written(svc, &first);
    let second = provided(&svc, &pass("bb02", ["pool", "member"]), LATE);
    assert!(equal(&second, &svc), "{first:?} {second:?}");
    assert!(second.events.is_empty());
}

#[test]
fn of_several_failures_the_one_that_needs_somebody_is_told() {
    use ProviderError::{Ambiguous, Denied, Refused, Unavailable};
    let all = [
        failing(Some("a"), Ambiguous, "1 x"),
        failing(Some("b"), Unavailable, "2 x"),
        failing(Some("c"), throttled, "3 x"),
        failing(Some("e"), Refused, "4 y"),
        failing(Some("d"), Refused, "4 x"),
        failing(Some("f"), Denied, "5 x"),
    ];
    for (count, reason) in
        [(6, "CloudDenied"), (5, "CloudRefused"), (3, "CloudThrottled"), (2, "CloudUnavailable"), (1, "CloudAmbiguous")]
    {
        let outcome = Outcome { failures: all[..count].to_vec(), ..Outcome::default() };
        let report = provided(&two_ports(), &outcome, EARLY);
        assert_eq!(shown(&report)[0], format!("Ready=False {reason}"));
        if count == 5 {
            let text = message(&report, "Ready");
            assert!(text.starts_with("The cloud refused: d/main: 4: x; e/main: 4: y."), "{text}");
        }
    }
}

#[test]
fn what_a_pass_could_not_find_out_stays_as_it_was() {
    let svc = two_ports();
    let good = provided(&svc, &works(), EARLY);
    let svc = written(svc, &good);
    let blind = Outcome { failures: vec![failing(None, ProviderError::Unavailable, " down")], ..Outcome::default() };
    let report = provided(&svc, &blind, LATE);
    assert_eq!(report.ingress, good.ingress);
    assert_eq!(
        shown(&report),
        [
            "Ready=Unknown CloudUnavailable",
            "AddressAllocated=True AddressAllocated",
            "BackendsHealthy=True AllHealthy",
            "ConfigurationValid=True Accepted",
        ]
    );
    let times: Vec<i64> = report.conditions.iter().map(|c| c.last_transition_time.0.as_second()).collect();
    assert_eq!(times, [LATE, EARLY, EARLY, EARLY]);
    let back = provided(&written(svc, &report), &works(), LATE + 1);
    assert_eq!(events(&back), ["Normal LoadBalancerReady"]);

    let fresh = provided(&two_ports(), &blind, EARLY);
    assert!(fresh.ingress.is_empty());
    assert_eq!(
        shown(&fresh)[1..3],
        ["AddressAllocated=Unknown AddressUnknown", "BackendsHealthy=Unknown HealthUnknown"]
    );
}

/// After a restart the list may lag behind what an earlier process made.
#[test]
fn an_address_is_kept_while_the_clouds_lists_are_not_to_be_trusted() {
    let svc = two_ports();
    let good = provided(&svc, &works(), EARLY);
    let svc = written(svc, &good);
    let mut nothing_listed = Outcome {
        serving: Some(Serving::default()),
        waits: vec![Wait { slot: Slot::new("eip", "main"), until: Some(Duration::from_secs(30)), reason: "x".into() }],
        look_again: Some(Duration::from_secs(30)),
        ..Outcome::default()
    };
    assert_eq!(provided(&svc, &nothing_listed, LATE).ingress, good.ingress);
    // On the way to another load balancer the old one is about to be deleted, and its address may then be somebody
    // else's at once (simulator, seed 408).
    let moving = Outcome { withdrawn: true, ..nothing_listed.clone() };
    assert!(provided(&svc, &moving, LATE).ingress.is_empty());
    nothing_listed.look_again = None;
    assert!(provided(&svc, &nothing_listed, LATE).ingress.is_empty());
}

#[test]
fn waiting_says_for_what() {
    let wait = |slot: &str| Wait {
        slot: Slot::new(slot, "main"),
        until: None,
        reason: "the cloud reports it as PENDING_CREATE".into(),
    };
    let outcome = Outcome {
        waits: vec![wait("loadbalancer"), wait("eip"), wait("eip")],
        settled: false,
        serving: Some(Serving::default()),
        ..Outcome::default()
    };
    let report = provided(&two_ports(), &outcome, EARLY);
    assert_eq!(shown(&report)[..2], ["Ready=False Waiting", "AddressAllocated=False NoAddress"]);
    assert_eq!(
        message(&report, "Ready"),
        "Waiting: eip/main: the cloud reports it as PENDING_CREATE; loadbalancer/main: the cloud reports it as \
         PENDING_CREATE. FerroLB looks again by itself."
    );
    assert!(report.events.is_empty());
    let settled = Outcome { settled: true, serving: Some(Serving::default()), ..Outcome::default() };
    assert_eq!(shown(&provided(&two_ports(), &settled, EARLY))[0], "Ready=False Waiting");
}

fn problem(message: &str) -> Problem {
    Problem {
        option: "kubernetes.io/elb.autocreate".into(),
        at: "line 1 column 42".into(),
        message: message.into(),
        valid: "expected a comma".into(),
    }
}

#[test]
fn a_refusal_names_every_problem_and_takes_nothing_away() {
    let svc = two_ports();
    let svc = written(svc.clone(), &provided(&svc, &works(), EARLY));
    let problems = [problem("broken JSON"), problem("wrong type")];
    let first = report(&svc, &Pass::Refused(&problems), at(LATE));
    assert_eq!(first.ingress.len(), 2);
    assert_eq!(
        shown(&first),
        [
            "Ready=False InvalidConfiguration",
            "AddressAllocated=True AddressAllocated",
            "BackendsHealthy=True AllHealthy",
            "ConfigurationValid=False Invalid",
        ]
    );
    assert_eq!(
        message(&first, "ConfigurationValid"),
        "What the Service asks for cannot be done: kubernetes.io/elb.autocreate at line 1 column 42: broken JSON; \
         expected a comma; kubernetes.io/elb.autocreate at line 1 column 42: wrong type; expected a comma. \
         FerroLB looks again when it changes."
    );
    assert_eq!(events(&first), ["Warning Invalid"]);
    let svc = written(svc, &first);
    let again = report(&svc, &Pass::Refused(&problems), at(LATE + 1));
    assert!(equal(&again, &svc) && again.events.is_empty());
    let other = report(&svc, &Pass::Refused(&problems[..1]), at(LATE + 1));
    assert_eq!(events(&other), ["Warning Invalid"], "another message is news");

    // The same problems found by the provider.
    let outcome = Outcome { problems: problems.to_vec(), ..Outcome::default() };
    assert!(equal(&provided(&svc, &outcome, LATE + 2), &svc));
    let fresh = report(&two_ports(), &Pass::Refused(&problems), at(EARLY));
    assert_eq!(shown(&fresh)[1], "AddressAllocated=False NoAddress");
}

#[test]
fn warnings_do_not_stop_it() {
    let outcome = Outcome { warnings: vec![problem("unknown field \"bandwith_size\"")], ..works() };
    let report = provided(&two_ports(), &outcome, EARLY);
    assert_eq!(shown(&report)[0], "Ready=True LoadBalancerReady");
    assert_eq!(shown(&report)[3], "ConfigurationValid=True AcceptedWithWarnings");
    assert_eq!(events(&report), ["Normal LoadBalancerReady", "Warning AcceptedWithWarnings"]);
}

#[test]
fn health_of_the_backends() {
    let of = |healthy, total| Some(Health { healthy, total });
    let table = [
        (3, 3, of(3, 3), "True AllHealthy", "All backends pass their health check."),
        (3, 3, of(1, 3), "True SomeHealthy", "Some backends pass their health check: 1 of 3."),
        (3, 3, of(0, 3), "False NoneHealthy", "No backend passes its health check: 0 of 3."),
        (3, 3, None, "Unknown HealthUnknown", "The health of the backends is not known."),
        (3, 0, of(3, 3), "False NoEndpoints", "The Service has no ready endpoint."),
        (0, 3, of(0, 0), "False NoBackends", "There is no node that may take the traffic."),
    ];
    for (nodes, ready_endpoints, health, expected, text) in table {
        let svc = two_ports();
        let mut outcome = works();
        outcome.serving.as_mut().unwrap().health = health;
        let want = &want(&svc, nodes);
        let pass = Pass::Provided { want, ready_endpoints, outcome: &outcome };
        let first = report(&svc, &pass, at(EARLY));
        assert_eq!(shown(&first)[2], format!("BackendsHealthy={expected}"));
        assert!(message(&first, "BackendsHealthy").starts_with(text));
        let told = |report: &Report| report.events.iter().any(|e| e.message.starts_with(text));
        assert_eq!(told(&first), nodes == 0, "{expected} at the beginning");
        // Lost: it was healthy before.
        let before = written(svc.clone(), &provided(&svc, &works(), EARLY));
        let bad = expected.starts_with("False");
        assert_eq!(told(&report(&before, &pass, at(LATE))), bad, "{expected} afterwards");
    }
}

fn conflict(holder: Holder) -> Conflict {
    Conflict { slot: Slot::new("listener", "TCP:80"), on: Id("lb-1".into()), holder }
}

#[test]
fn who_holds_a_port_is_named() {
    let svc = two_ports();
    let cluster = want(&svc, 3).owner.cluster;
    let owner = |cluster: &str| Owner {
        cluster: cluster.into(),
        uid: "u2".into(),
        namespace: "shop".into(),
        name: "cart".into(),
    };
    for (holder, words) in [
        (Holder::Owner(owner(&cluster)), "listener/TCP:80 of lb-1 is held by Service shop/cart. FerroLB takes it"),
        (Holder::Owner(owner("far")), "held by Service shop/cart of cluster far."),
        (Holder::Stranger("listener 9 (theirs)".into()), "held by listener 9 (theirs), which is not ours."),
    ] {
        let outcome = Outcome { conflicts: vec![conflict(holder)], settled: false, ..works() };
        let report = provided(&svc, &outcome, EARLY);
        assert_eq!(shown(&report)[0], "Ready=False Conflict");
        assert!(message(&report, "Ready").contains(words), "{}", message(&report, "Ready"));
        assert_eq!(events(&report), ["Warning Conflict"]);
        let after = written(svc.clone(), &report);
        assert!(equal(&provided(&after, &outcome, LATE), &after), "said once");
    }
}

#[test]
fn a_release_says_what_blocks_it() {
    let svc = two_ports();
    let svc = deleting(written(svc.clone(), &provided(&svc, &works(), EARLY)));
    let remaining = vec![Slot::new("loadbalancer", "main"), Slot::new("eip", "main")];
    let table = [
        (
            Outcome { remaining: remaining.clone(), ..Outcome::default() },
            vec!["Ready=False Releasing", "DeletionBlocked=True ObjectsRemain"],
            "Objects of the load balancer are still there: eip/main, loadbalancer/main. FerroLB goes on by itself.",
            vec![],
        ),
        (
            Outcome::default(),
            vec!["Ready=False Releasing", "DeletionBlocked=True Settling"],
            "Nothing is left, and FerroLB makes sure that nothing still comes. FerroLB looks again by itself.",
            vec![],
        ),
        (
            Outcome {
                remaining,
                failures: vec![failing(Some("eip"), ProviderError::Refused, "VPC.0516 in use")],
                ..Outcome::default()
            },
            vec!["Ready=False CloudRefused", "DeletionBlocked=True DeletionFailed"],
            "The load balancer could not be deleted yet: eip/main, loadbalancer/main. See the condition ferrolb.io/Ready.",
            vec!["Warning CloudRefused"],
        ),
        (
            Outcome { conflicts: vec![conflict(Holder::Stranger("listener 9 (theirs)".into()))], ..Outcome::default() },
            vec!["Ready=False Releasing", "DeletionBlocked=True UsedByOthers"],
            "Something of others hangs on what should be deleted, and would be lost with it: listener/TCP:80 lb-1 is used by listener 9 (theirs). Remove it; FerroLB looks at least every five minutes and goes on by itself.",
            vec!["Warning UsedByOthers"],
        ),
    ];
    for (outcome, conditions, text, told) in table {
        let report = report(&svc, &Pass::Released(&outcome), at(LATE));
        assert!(report.ingress.is_empty(), "an address that goes is not offered any more");
        assert_eq!(shown(&report), conditions);
        assert_eq!(message(&report, "DeletionBlocked"), text);
        assert_eq!(events(&report), told);
        let after = written(svc.clone(), &report);
        let again = super::report(&after, &Pass::Released(&outcome), at(LATE + 1));
        assert!(equal(&again, &after) && again.events.is_empty());
    }
    let blind = Outcome { failures: vec![failing(None, ProviderError::Unavailable, " down")], ..Outcome::default() };
    let report = report(&svc, &Pass::Released(&blind), at(LATE));
    assert_eq!(report.ingress.len(), 2, "nothing was deleted");
    assert_eq!(shown(&report), ["Ready=Unknown CloudUnavailable", "DeletionBlocked=True DeletionFailed"]);
}

#[test]
fn a_release_ends_with_an_empty_status_and_one_event() {
    let done = Outcome { settled: true, ..Outcome::default() };
    let svc = two_ports();
    let served = written(svc.clone(), &provided(&svc, &works(), EARLY));
    let half_way = report(&served, &Pass::Released(&Outcome::default()), at(LATE));
    for before in [served.clone(), written(served, &half_way)] {
        let last = report(&before, &Pass::Released(&done), at(LATE));
        assert!(last.ingress.is_empty() && last.conditions.is_empty());
        assert_eq!(events(&last), ["Normal LoadBalancerReleased"]);
    }
    let left = Outcome { left: vec!["EIP 203.0.113.7 (e-1)".into()], ..done.clone() };
    let last = report(&svc, &Pass::Released(&left), at(LATE));
    assert_eq!(events(&last), ["Normal LeftInCloud"]);
    assert!(last.events[0].message.ends_with("is yours: EIP 203.0.113.7 (e-1)"), "{:?}", last.events);
    let never = report(&svc, &Pass::Released(&done), at(LATE));
    assert!(never.events.is_empty(), "nothing was ever there");
}

#[test]
fn only_a_load_balancer_may_keep_an_address() {
    let svc = two_ports();
    let svc = written(svc.clone(), &provided(&svc, &works(), EARLY));
    let svc = with_spec(svc, |s| s.type_ = Some("ClusterIP".into()));
    let blind = Outcome { failures: vec![failing(None, ProviderError::Unavailable, " down")], ..Outcome::default() };
    let report = report(&svc, &Pass::Released(&blind), at(LATE));
    assert!(report.ingress.is_empty(), "the API server would refuse it");
}
