//! Members and ranges of ports.

use super::*;

/// What is said of a Service whose pods are to get traffic, or its nodes.
fn of_members(class: &str, direct: bool, pairs: &[(&str, &str)]) -> (String, String) {
    let mut all = vec![(CLASS, class), (ID, "lb-9")];
    all.extend(pairs);
    let mut want = want(&all, &[(Protocol::Tcp, 80)]);
    want.ports[0].direct = direct;
    let parsed = parse(&want);
    (said(&parsed.errors), said(&parsed.warnings))
}

#[test]
fn pods_need_a_dedicated_load_balancer() {
    for (class, direct, pairs, error) in [
        ("union", true, &[][..], "spec.allocateLoadBalancerNodePorts: pods are"),
        ("union", true, &[(BACKENDS, "pods")], "ferrolb.io/backends: pods are"),
        ("union", true, &[(HOST_NETWORK, "true")], ""),
        ("performance", true, &[(BACKENDS, "pods")], ""),
        ("union", false, &[(BACKENDS, "nodes")], ""),
        ("performance", true, &[(BACKENDS, "cows")], "ferrolb.io/backends: \"cows\" is not valid; nodes, pods"),
        ("performance", true, &[(BACKEND_IP_VERSION, "v6")], "kubernetes.io/elb.backend.ip-version: IPv6 members"),
        (
            "performance",
            true,
            &[(CUSTOM_BACKEND_WEIGHTS, "{\"defaultWeight\":7}"), (ADAPTIVE_WEIGHT, "true")],
            "kubernetes.io/elb.adaptive-weight: not together",
        ),
        (
            "performance",
            true,
            &[(CUSTOM_BACKEND_WEIGHTS, "{\"defaultWeight\":101}")],
            "kubernetes.io/elb.custom-backend-weights at $.defaultWeight: 101 is not",
        ),
        (
            "performance",
            true,
            &[(CUSTOM_BACKEND_WEIGHTS, "7")],
            "kubernetes.io/elb.custom-backend-weights: 7 is not a JSON object",
        ),
        ("performance", true, &[(BACKEND_SUBNET_ID, "a b")], "kubernetes.io/elb.backend.subnet-id: \"a b\" is not"),
    ] {
        let (errors, _) = of_members(class, direct, pairs);
        assert!(errors.starts_with(error) && errors.is_empty() == error.is_empty(), "{class} {pairs:?}: {errors}");
    }
}

#[test]
fn what_members_cannot_have_is_a_warning() {
    for (class, direct, pairs, warning) in [
        ("union", false, &[(ADAPTIVE_WEIGHT, "true")][..], ""),
        ("performance", true, &[(ADAPTIVE_WEIGHT, "true")], "pods are members themselves"),
        ("union", false, &[(ADAPTIVE_WEIGHT, "true"), (LB_ALGORITHM, "SOURCE_IP")], "weights do not count"),
        ("union", false, &[(BACKEND_SUBNET_ID, "sub-1")], "needs a dedicated load balancer"),
        ("performance", false, &[(BACKEND_IP_VERSION, "ipv4")], "nodes are the members"),
        ("performance", true, &[(BACKEND_IP_VERSION, "ipv4")], ""),
        ("performance", true, &[(CUSTOM_BACKEND_WEIGHTS, "{\"defaultWeight\":\"7\"}")], ""),
        ("performance", true, &[(CUSTOM_BACKEND_WEIGHTS, "{\"groups\":[]}")], "has not published its form"),
        ("performance", false, &[(CUSTOM_BACKEND_WEIGHTS, "{\"defaultWeight\":7}")], "nodes are the members"),
        ("union", false, &[(CUSTOM_BACKEND_WEIGHTS, "{\"defaultWeight\":7}")], "needs a dedicated load balancer"),
        ("union", false, &[(PASS_THROUGH, "true")], ""),
        ("performance", false, &[(PASS_THROUGH, "onlyLocal")], "do not reach its addresses"),
        ("performance", false, &[(PASS_THROUGH, "false")], ""),
        ("union", false, &[(HOST_NETWORK, "true"), (BACKENDS, "nodes")], "without effect beside ferrolb.io/backends"),
    ] {
        let (errors, warnings) = of_members(class, direct, pairs);
        assert_eq!(errors, "");
        assert!(warnings.contains(warning) && warnings.is_empty() == warning.is_empty(), "{pairs:?}: {warnings}");
    }
}

#[test]
fn whether_clients_inside_pass_through() {
    for (pairs, expected) in [
        (&[][..], Some(false)),
        (&[(PASS_THROUGH, "true")], Some(true)),
        (&[(PASS_THROUGH, "onlylocal")], Some(true)),
        (&[(PASS_THROUGH, "false")], Some(false)),
        (&[(PASS_THROUGH, "yes")], None),
    ] {
        assert_eq!(read_all("union", pairs).spec.map(|spec| spec.passes_through), expected, "{pairs:?}");
    }
}

/// With the ports `a` (TCP 80), `b` (TCP 443) and `c` (UDP 443).
fn with_ranges(class: &str, more: &[(&str, &str)], ranges: &str) -> Parsed {
    let mut all = vec![(CLASS, class), (ID, "lb-9"), (PORT_RANGES, ranges)];
    all.extend(more);
    let mut want = want(&all, &[(Protocol::Tcp, 80), (Protocol::Tcp, 443), (Protocol::Udp, 443)]);
    for (port, name) in want.ports.iter_mut().zip(["a", "b", "c"]) {
        port.name = name.into();
    }
    parse(&want)
}

#[test]
fn ranges_go_to_the_ports_that_are_named() {
    let parsed = with_ranges("performance", &[], r#"{"a":["300,400"," 80 , 80 "],"c":["1,65535"]}"#);
    assert_eq!(port(&parsed, 0).ranges, [(80, 80), (300, 400)]);
    assert_eq!(port(&parsed, 1).ranges, []);
    assert_eq!(port(&parsed, 2).ranges, [(1, 65535)]);
    assert!(parsed.warnings.is_empty(), "{}", said(&parsed.warnings));
    assert_eq!(port(&with_ranges("performance", &[], r#"{"a":[]}"#), 0).ranges, []);
    let shared = with_ranges("union", &[], r#"{"a":["80,90"]}"#);
    assert!(said(&shared.warnings).contains("needs a dedicated load balancer"));
    assert_eq!(port(&shared, 0).ranges, []);
    let outside = with_ranges("performance", &[], r#"{"a":["100,200"]}"#);
    assert!(said(&outside.warnings).contains("port 80 is in none of its ranges"));
}

#[test]
fn wrong_ranges_are_told_with_their_place() {
    for (ranges, told) in [
        ("[]", "[] is not a JSON object"),
        (r#"{"x":["1,2"]}"#, "at $.x: no port of the Service has this name; the name of a port: a, b, c"),
        (r#"{"a":"1,2"}"#, "at $.a: \"1,2\" is not a list of ranges"),
        (r#"{"a":["1-2"]}"#, "at $.a: \"1-2\" is not a range of ports"),
        (r#"{"a":["2,1"]}"#, "is not a range of ports"),
        (r#"{"a":["0,1"]}"#, "is not a range of ports"),
        (r#"{"a":["1,70000"]}"#, "is not a range of ports"),
        (r#"{"a":["5,9","1,5"]}"#, "the ranges 1,5 and 5,9 overlap"),
        (r#"{"a":["1,1","2,2","3,3","4,4","5,5","6,6","7,7","8,8","9,9","10,10","11,11"]}"#, "11 ranges are too many"),
        (r#"{"a":["80,500"]}"#, "ports 80 and 443 would take the same ones"),
    ] {
        let errors = said(&with_ranges("performance", &[], ranges).errors);
        assert!(errors.contains(told), "{ranges}: {errors}");
    }
    let http = with_ranges("performance", &[(PROTOCOL_PORT, "http:80")], r#"{"a":["80,90"]}"#);
    assert!(said(&http.errors).contains("port 80 speaks HTTP, which has no ranges"));
}
