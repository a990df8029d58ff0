#![allow(clippy::unwrap_used)]

use ferrolb_provider::{Family, Owner, Port, Protocol, TrafficPolicy};
use serde_json::{Value, json};

use super::*;
use crate::keys::{
    ACL_ID, ACL_STATUS, ACL_TYPE, ADAPTIVE_WEIGHT, AUTOCREATE, AVAILABILITY_ZONES, BACKEND_IP_VERSION,
    BACKEND_SUBNET_ID, BACKENDS, CERT_ID, CONNECTION_DRAIN_ENABLE, CONNECTION_DRAIN_TIMEOUT, CUSTOM_BACKEND_WEIGHTS,
    CUSTOM_EIP_ID, DEFAULT_TLS_CONTAINER_REF, EIP_AUTO_CREATE_OPTION, EIP_ID, ENABLE_CROSS_VPC, ENTERPRISE_ID,
    HEALTH_CHECK_FLAG, HEALTH_CHECK_OPTION, HEALTH_CHECK_OPTIONS, HOST_NETWORK, ID, INSTANCE_RECLAIM_POLICY, KEEP_EIP,
    L4_FLAVOR_ID, L7_FLAVOR_ID, PASS_THROUGH, PORT_RANGES, PROTOCOL_PORT, SESSION_AFFINITY_FLAG, SESSION_AFFINITY_MODE,
    SESSION_AFFINITY_OPTION, SLOW_START, SUBNET_ID, TAGS,
};
use crate::resource::{Access, Groups};
use crate::spec::{Balancer, Bandwidth, ElbProtocol, Flavor, HealthCheck, PortSpec, Probe};

mod members;

const PUBLIC: &str = r#"{"type":"public","bandwidth_name":"cce-bandwidth","bandwidth_chargemode":"bandwidth","bandwidth_size":5,"bandwidth_sharetype":"PER","eip_type":"5_bgp","name":"james"}"#;

fn want(pairs: &[(&str, &str)], ports: &[(Protocol, u16)]) -> Desired {
    Desired {
        owner: Owner { cluster: "c".into(), uid: "u-1".into(), namespace: "ns".into(), name: "web".into() },
        families: vec![Family::V4],
        addresses: vec![],
        published: vec![],
        ports: ports
            .iter()
            .map(|(protocol, port)| Port {
                name: String::new(),
                protocol: *protocol,
                port: *port,
                direct: false,
                backends: vec![],
            })
            .collect(),
        traffic_policy: TrafficPolicy::Cluster,
        health_check_node_port: None,
        source_ranges: vec![],
        affinity_seconds: None,
        options: pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
    }
}

fn read(pairs: &[(&str, &str)]) -> Parsed {
    parse(&want(pairs, &[(Protocol::Tcp, 80)]))
}

/// With the ports TCP 80, TCP 443 and UDP 443, of a load balancer of this class.
fn read_all(class: &str, pairs: &[(&str, &str)]) -> Parsed {
    let mut all = vec![(CLASS, class), (ID, "lb-9")];
    all.extend(pairs);
    parse(&want(&all, &[(Protocol::Tcp, 80), (Protocol::Tcp, 443), (Protocol::Udp, 443)]))
}

/// What is said of the port with this index.
fn port(parsed: &Parsed, index: usize) -> &PortSpec {
    assert!(parsed.errors.is_empty(), "{:#?}", parsed.errors);
    &parsed.spec.as_ref().unwrap().ports[index]
}

fn said(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn new(parsed: Parsed) -> crate::spec::Autocreate {
    match parsed.spec.unwrap().balancer {
        Balancer::New(new) => *new,
        Balancer::Existing(id) => panic!("{id}"),
    }
}

#[test]
fn the_vendors_example() {
    let parsed = read(&[(CLASS, "union"), (AUTOCREATE, PUBLIC)]);
    assert!(parsed.errors.is_empty() && parsed.warnings.is_empty(), "{parsed:?}");
    assert_eq!(port(&parsed, 0).health, Some(HealthCheck::default()));
    let new = new(parsed);
    assert_eq!(new.class, Class::Shared);
    assert_eq!(new.name.as_deref(), Some("james"));
    let public = new.public.unwrap();
    let bandwidth = Bandwidth::Own { name: Some("cce-bandwidth".into()), size: 5, charge_mode: "bandwidth".into() };
    assert_eq!((public.kind.as_str(), public.bandwidth), ("5_bgp", bandwidth));
}

#[test]
fn classes_in_both_vocabularies() {
    let zone = r#"{"available_zone":["az1"]}"#;
    for (word, class) in [
        ("union", Class::Shared),
        ("shared", Class::Shared),
        ("performance", Class::Dedicated),
        ("dedicated", Class::Dedicated),
        (" Performance ", Class::Dedicated),
    ] {
        assert_eq!(new(read(&[(CLASS, word), (AUTOCREATE, zone)])).class, class, "{word}");
    }
    // Without a class, CCE's default.
    let parsed = read(&[(AUTOCREATE, "{}")]);
    assert!(parsed.warnings.is_empty());
    assert_eq!(new(parsed).class, Class::Shared);
    for word in ["elasticity", "Elasticity"] {
        let errors = read(&[(CLASS, word), (AUTOCREATE, "broken")]).errors;
        assert_eq!(errors.len(), 1);
        assert!(errors[0].message.contains("not supported yet"), "{}", errors[0]);
    }
    let errors = read(&[(CLASS, "elb"), (ID, "x")]).errors;
    assert!(errors[0].to_string().contains("performance"), "{}", errors[0]);
}

#[test]
fn an_existing_load_balancer_with_and_without_a_class() {
    for extra in [None, Some((CLASS, "union")), Some((CLASS, "performance"))] {
        let mut pairs = vec![(ID, "0a1b-2c")];
        pairs.extend(extra);
        let parsed = read(&pairs);
        assert!(parsed.errors.is_empty() && parsed.warnings.is_empty(), "{parsed:?}");
        assert_eq!(parsed.spec.unwrap().balancer, Balancer::Existing("0a1b-2c".into()));
    }
    // The id wins, the user hears that it does, and what autocreate says does not even have to be right.
    let parsed = read(&[(ID, "0a1b"), (AUTOCREATE, "{broken")]);
    assert_eq!(parsed.spec.unwrap().balancer, Balancer::Existing("0a1b".into()));
    assert!(parsed.warnings[0].message.contains("existing load balancer is used"));
    for id in ["a/b", "a?b", "../x", &"a".repeat(101)] {
        let errors = read(&[(ID, id)]).errors;
        assert_eq!(errors[0].option, ID, "{id}");
    }
}

#[test]
fn neither_id_nor_autocreate_is_told_what_to_add() {
    for pairs in [vec![], vec![(CLASS, "union")], vec![(ID, " ")]] {
        let errors = read(&pairs).errors;
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].valid.contains(ID) && errors[0].valid.contains("\"type\":\"public\""));
    }
}

#[test]
fn unknown_keys_warn_and_stop_nothing() {
    let parsed = read(&[
        (AUTOCREATE, "{}"),
        ("kubernetes.io/elb.lb-algoritm", "ROUND_ROBIN"),
        ("kubernetes.io/elb.zzzzzzzzz", "1"),
        ("kubernetes.io/elb.acl-type", "white"),
        ("kubernetes.io/elb.http2-enable", "false"),
        ("kubernetes.io/elb.mark", "0"),
        ("metallb.io/address-pool", "x"),
        ("ferrolb.io/provider", "elb"),
    ]);
    assert!(parsed.spec.is_some());
    let texts: Vec<String> = parsed.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 3, "{texts:#?}");
    assert!(texts[0].contains("lb-algoritm: unknown key, ignored; did you mean kubernetes.io/elb.lb-algorithm?"));
    assert!(texts[1].contains("zzz") && texts[1].contains("unknown key"), "{texts:#?}");
    assert!(texts[2].contains("acl-type: without effect without kubernetes.io/elb.acl-id"), "{texts:#?}");
}

#[test]
fn what_is_to_stay_is_read() {
    let (retain, keep) = ((INSTANCE_RECLAIM_POLICY, "retain"), (KEEP_EIP, "true"));
    for (pairs, stays) in [
        (vec![], (false, false)),
        (vec![retain], (true, false)),
        (vec![retain, keep], (true, true)),
        (vec![(INSTANCE_RECLAIM_POLICY, "ALWAYSDELETE"), (KEEP_EIP, " True ")], (false, true)),
        (vec![(INSTANCE_RECLAIM_POLICY, ""), (KEEP_EIP, "off")], (false, false)),
        (vec![(KEEP_EIP, "0")], (false, false)),
    ] {
        for (key, value) in [(AUTOCREATE, PUBLIC), (AUTOCREATE, "{}"), (ID, "lb-9")] {
            let parsed = read(&[pairs.clone(), vec![(key, value)]].concat());
            assert!(parsed.errors.is_empty() && parsed.warnings.is_empty(), "{parsed:?}");
            let spec = parsed.spec.unwrap();
            assert_eq!((spec.retain, spec.keep_eip), stays, "{pairs:?}");
        }
    }
    // Besides whatever else is wrong.
    let parsed = read(&[(AUTOCREATE, "{"), (INSTANCE_RECLAIM_POLICY, "keep"), (KEEP_EIP, "yes")]);
    let options: Vec<&str> = parsed.errors.iter().map(|e| e.option.as_str()).collect();
    assert_eq!(options, [AUTOCREATE, KEEP_EIP, INSTANCE_RECLAIM_POLICY]);
}

#[test]
fn an_eip_of_the_users() {
    let option = (EIP_AUTO_CREATE_OPTION, r#"{"ip_type":"5_bgp","bandwidth_size":5}"#);
    for (pairs, eip, warned) in [
        (vec![(EIP_ID, " e-1 ")], Some("e-1"), vec![]),
        (vec![(EIP_ID, "e-1"), (CUSTOM_EIP_ID, "e-2")], Some("e-2"), vec![]),
        (vec![(CUSTOM_EIP_ID, "e-2")], Some("e-2"), vec![]),
        (vec![(EIP_ID, ""), (CUSTOM_EIP_ID, "")], None, vec![]),
        (vec![(EIP_ID, "e-1"), option], Some("e-1"), vec![EIP_AUTO_CREATE_OPTION]),
    ] {
        let parsed = read(&[pairs, vec![(AUTOCREATE, "{}")]].concat());
        let said: Vec<&str> = parsed.warnings.iter().map(|w| w.option.as_str()).collect();
        assert_eq!((parsed.spec.unwrap().eip.as_deref(), said), (eip, warned));
    }
    let parsed = read(&[(AUTOCREATE, "{"), (EIP_ID, "a b"), (CUSTOM_EIP_ID, "c/d")]);
    assert_eq!(parsed.errors.len(), 3, "{:?}", parsed.errors);
}

#[test]
fn all_problems_at_once() {
    let parsed = read(&[
        (CLASS, "union"),
        (AUTOCREATE, r#"{"type":"public","bandwidth_size":"5","eip_type":""}"#),
        (LB_ALGORITHM, "RANDOM"),
        (HEALTH_CHECK_FLAG, "yes"),
        (ENTERPRISE_ID, "a b"),
    ]);
    assert!(parsed.spec.is_none());
    let places: Vec<(&str, &str)> = parsed.errors.iter().map(|e| (e.option.as_str(), e.at.as_str())).collect();
    assert_eq!(
        places,
        [
            (LB_ALGORITHM, ""),
            (HEALTH_CHECK_FLAG, ""),
            (ENTERPRISE_ID, ""),
            (AUTOCREATE, "$.bandwidth_size"),
            (AUTOCREATE, "$.eip_type"),
            (AUTOCREATE, "$.bandwidth_sharetype"),
        ]
    );
}

#[test]
fn the_default_enterprise_project_is_not_sent() {
    for (value, read_as, sent) in [("0", Some("0"), None), ("", None, None), ("abc-1", Some("abc-1"), Some("abc-1"))] {
        let parsed = read(&[(AUTOCREATE, "{}"), (ENTERPRISE_ID, value)]);
        let project = new(parsed).enterprise_project;
        assert_eq!(project.as_deref(), read_as, "{value:?}");
        assert_eq!(crate::body::project(&project), sent, "{value:?}");
    }
}

#[test]
fn health_checks() {
    let check = |flag: &str, option: Option<&str>| {
        let mut pairs = vec![(AUTOCREATE, "{}"), (HEALTH_CHECK_FLAG, flag)];
        pairs.extend(option.map(|o| (HEALTH_CHECK_OPTION, o)));
        read(&pairs)
    };
    let health = |parsed: Parsed| port(&parsed, 0).health.clone();
    assert_eq!(health(check("off", None)), None);
    assert_eq!(health(check("", None)), Some(HealthCheck::default()));
    assert_eq!(health(check("on", Some("{}"))), Some(HealthCheck::default()));
    let full =
        r#"{"protocol":"HTTP","delay":"7","timeout":"4","max_retries":"2","path":"/ok","expected_codes":"200-204"}"#;
    let parsed = check("on", Some(full));
    assert!(parsed.warnings.is_empty());
    assert_eq!(
        health(parsed),
        Some(HealthCheck {
            delay: 7,
            timeout: 4,
            max_retries: 2,
            probe: Some(Probe::Http { path: "/ok".into(), expected_codes: Some("200-204".into()) }),
            port: None,
        })
    );
    // The open controller writes numbers.
    assert_eq!(health(check("on", Some(r#"{"delay":9}"#))).unwrap().delay, 9);
    for (option, at, valid) in [
        (r#"{"delay":"400s"}"#, "$.delay", "without a unit"),
        (r#"{"timeout":51}"#, "$.timeout", "1 to 50"),
        (r#"{"max_retries":0}"#, "$.max_retries", "1 to 10"),
        (r#"{"protocol":"ICMP"}"#, "$.protocol", "TCP, UDP or HTTP"),
        (r#"{"protocol":"HTTP","path":"ok"}"#, "$.path", "start with /"),
        ("{", "line 1 column 1", "closing"),
    ] {
        let errors = check("on", Some(option)).errors;
        assert_eq!(errors.len(), 1, "{option}");
        assert_eq!(errors[0].at, at, "{option}");
        assert!(errors[0].valid.contains(valid), "{}", errors[0]);
    }
    let parsed = check("on", Some(r#"{"max_retrys":"2"}"#));
    assert!(parsed.warnings[0].valid.contains("max_retries"));
}

#[test]
fn health_checks_by_port() {
    let list =
        r#"[{"target_service_port":"TCP:443","protocol":"HTTP","path":"/ok","monitor_port":"8080","delay":"9"}]"#;
    let parsed = read_all("performance", &[(HEALTH_CHECK_OPTIONS, list)]);
    assert_eq!(port(&parsed, 0).health, Some(HealthCheck::default()));
    let check = port(&parsed, 1).health.clone().unwrap();
    assert_eq!((check.delay, check.timeout, check.port), (9, 10, Some(8080)));
    // The open controller waits three seconds.
    assert_eq!(port(&read_all("dedicated", &[]), 0).health.as_ref().unwrap().timeout, 3);
    for (list, at) in [
        (r#"[{"protocol":"TCP"}]"#, "$[0].target_service_port"),
        (r#"[{"target_service_port":"TCP:81"}]"#, "$[0].target_service_port"),
        (r#"[{"target_service_port":"TCP:80"},{"target_service_port":"TCP:80"}]"#, "$[1].target_service_port"),
        (r#"[{"target_service_port":"TCP:80","monitor_port":"0"}]"#, "$[0].monitor_port"),
        (r#"[{"target_service_port":"TCP:80","expected_codes":"ok"}]"#, "$[0].expected_codes"),
        ("[7]", "$[0]"),
        ("{}", ""),
    ] {
        let errors = read_all("union", &[(HEALTH_CHECK_OPTIONS, list)]).errors;
        assert_eq!(errors.len(), 1, "{list}: {errors:#?}");
        assert_eq!((errors[0].option.as_str(), errors[0].at.as_str()), (HEALTH_CHECK_OPTIONS, at), "{list}");
    }
    let both = [(HEALTH_CHECK_OPTION, "{}"), (HEALTH_CHECK_OPTIONS, "[]")];
    assert!(said(&read_all("union", &both).errors).contains("not together with"));
}

#[test]
fn protocols_of_ports() {
    let cert = (CERT_ID, "c1");
    let protocols = |class: &str, text: &str| {
        let parsed = read_all(class, &[(PROTOCOL_PORT, text), cert]);
        assert!(parsed.errors.is_empty(), "{text}: {:#?}", parsed.errors);
        let ports = parsed.spec.unwrap().ports;
        ports.iter().map(|p| (p.protocol.word(), p.pool_protocol.word())).collect::<Vec<_>>()
    };
    assert_eq!(protocols("union", "http:80,https:443"), [("HTTP", "HTTP"), ("HTTPS", "HTTP"), ("UDP", "UDP")]);
    assert_eq!(protocols("performance", "TLS:443"), [("TCP", "TCP"), ("TLS", "TCP"), ("UDP", "UDP")]);
    let both = protocols("performance", "https:443, quic:443,");
    assert_eq!(both, [("TCP", "TCP"), ("HTTPS", "HTTP"), ("QUIC", "HTTP")]);
    for (class, text, at, words) in [
        ("union", "http:80,http:81", "item 2", "no TCP port 81"),
        ("union", "http:80,http:80", "item 2", "named twice"),
        ("union", "https-443", "item 1", "http:80,https:443"),
        ("union", "ftp:80", "item 1", "protocols are http"),
        ("union", "tls:443", "item 1", "shared load balancer does not speak TLS"),
        ("performance", "quic:80", "item 1", "no UDP port 80"),
    ] {
        let errors = read_all(class, &[(PROTOCOL_PORT, text), cert]).errors;
        assert_eq!(errors.len(), 1, "{text}: {errors:#?}");
        assert_eq!(errors[0].at, at, "{text}");
        assert!(errors[0].to_string().contains(words), "{}", errors[0]);
    }
    let errors = read_all("union", &[(PROTOCOL_PORT, "https:443")]).errors;
    assert!(said(&errors).contains("cert-id: missing: port 443 speaks HTTPS"), "{errors:#?}");
}

#[test]
fn the_open_controllers_way_to_http() {
    let host = ("kubernetes.io/elb.x-forwarded-host", "true");
    assert_eq!(port(&read_all("dedicated", &[host]), 0).protocol, ElbProtocol::Http);
    // In CCE's words it is a header and nothing more.
    let parsed = read_all("performance", &[host]);
    assert_eq!(port(&parsed, 0).protocol, ElbProtocol::Tcp);
    assert!(said(&parsed.warnings).contains("no port speaks HTTP or HTTPS"), "{:?}", parsed.warnings);
    let parsed = read_all("shared", &[(DEFAULT_TLS_CONTAINER_REF, "c1"), host]);
    let https = port(&parsed, 1);
    assert_eq!((https.protocol, &https.listener["default_tls_container_ref"]), (ElbProtocol::Https, &json!("c1")));
    assert_eq!(https.listener["insert_headers/X-Forwarded-Host"], true);
}

#[test]
fn fields_of_listeners_go_where_they_are_for() {
    let https = [(PROTOCOL_PORT, "https:443"), (CERT_ID, "c1")];
    let settings = |class: &str, key: &str, value: &str| {
        let key = format!("kubernetes.io/elb.{key}");
        let mut pairs = https.to_vec();
        pairs.push((&key, value));
        let parsed = read_all(class, &pairs);
        let listeners = parsed.spec.as_ref().map(|s| s.ports.iter().map(|p| p.listener.clone()).collect::<Vec<_>>());
        (listeners.unwrap_or_default(), said(&parsed.errors), said(&parsed.warnings))
    };
    for (class, key, value, field, where_set) in [
        ("union", "keepalive_timeout", "100", "keepalive_timeout", vec![0, 1]),
        ("performance", "idle-timeout", "100", "keepalive_timeout", vec![0, 1, 2]),
        ("performance", "client_timeout", "30", "client_timeout", vec![1]),
        ("performance", "cps", "500", "cps", vec![0, 1, 2]),
        ("union", "transparent-client-ip", "true", "transparent_client_ip_enable", vec![0, 2]),
        ("performance", "client-ca-cert-id", "ca-1", "client_ca_tls_container_ref", vec![1]),
    ] {
        let (listeners, errors, _) = settings(class, key, value);
        assert_eq!(errors, "", "{key}");
        let set: Vec<usize> = (0..3).filter(|i| listeners[*i].contains_key(field)).collect();
        assert_eq!(set, where_set, "{key}");
    }
    let (listeners, ..) = settings("performance", "tls-certificate-ids", "a, b,");
    assert_eq!(listeners[1]["sni_container_refs"], json!(["a", "b"]));
    for (class, key, value, words) in [
        ("union", "keepalive_timeout", "400s", "without a unit"),
        ("union", "keepalive_timeout", "5", "too short for TCP port 80"),
        ("union", "member_timeout", "0", "1 to 300"),
        ("union", "http2-enable", "yes", "true or false"),
        ("union", "client-ca-cert-id", "ca-1", "class performance"),
    ] {
        let (_, errors, _) = settings(class, key, value);
        assert!(errors.contains(words), "{key}: {errors}");
    }
    let (_, errors, warnings) = settings("union", "gzip-enabled", "true");
    assert!(errors.is_empty() && warnings.contains("without effect on a shared load balancer"), "{warnings}");
    let twice = [("kubernetes.io/elb.keepalive_timeout", "20"), ("kubernetes.io/elb.idle-timeout", "30")];
    assert!(
        said(&read_all("union", &twice).errors)
            .contains("says something else than kubernetes.io/elb.keepalive_timeout")
    );
    let policies =
        [("kubernetes.io/elb.tls-ciphers-policy", "tls-1-2"), ("kubernetes.io/elb.security_policy_id", "p1")];
    let parsed = read_all("performance", &[https[0], https[1], policies[0], policies[1]]);
    let listener = &port(&parsed, 1).listener;
    assert!(listener.contains_key("security_policy_id") && !listener.contains_key("tls_ciphers_policy"));
}

#[test]
fn protocols_towards_members() {
    let https = [(PROTOCOL_PORT, "https:443"), (CERT_ID, "c1")];
    for (key, value, protocol) in [
        ("kubernetes.io/elb.security-pool-protocol", "on", ElbProtocol::Https),
        ("kubernetes.io/elb.security-pool-protocol", "off", ElbProtocol::Http),
        ("kubernetes.io/elb.pool-protocol", "grpc", ElbProtocol::Grpc),
        ("kubernetes.io/elb.pool-protocol", "tls", ElbProtocol::Http),
    ] {
        let parsed = read_all("performance", &[https[0], https[1], (key, value)]);
        assert_eq!(port(&parsed, 1).pool_protocol, protocol, "{key} {value}");
        assert_eq!(parsed.warnings.is_empty(), value != "tls", "{value} {:?}", parsed.warnings);
    }
}

#[test]
fn session_affinity_in_both_vocabularies() {
    let mode = |value| (SESSION_AFFINITY_MODE, value);
    let option = |value| (SESSION_AFFINITY_OPTION, value);
    let http = (PROTOCOL_PORT, "http:80");
    let sticky = |pairs: &[(&str, &str)]| {
        let parsed = read_all("performance", pairs);
        let ports = [port(&parsed, 0), port(&parsed, 1)];
        ports.map(|p| p.pool["session_persistence"].clone())
    };
    let source_ip = json!({"type": "SOURCE_IP", "persistence_timeout": 60});
    assert_eq!(sticky(&[]), [Value::Null, Value::Null]);
    assert_eq!(sticky(&[mode("SOURCE_IP")]), [source_ip.clone(), source_ip.clone()]);
    assert_eq!(sticky(&[mode("off")]), [Value::Null, Value::Null]);
    let five = sticky(&[mode("SOURCE_IP"), option(r#"{"persistence_timeout":"5"}"#)]);
    assert_eq!(five[0]["persistence_timeout"], 5);
    assert_eq!(sticky(&[("kubernetes.io/session-affinity-mode", "SOURCE_IP")])[0], source_ip);
    let open = r#"{"type":"APP_COOKIE","cookie_name":"sid","persistence_timeout":90}"#;
    let cookie = json!({"type": "APP_COOKIE", "cookie_name": "sid", "persistence_timeout": 90});
    assert_eq!(sticky(&[http, (SESSION_AFFINITY_FLAG, "on"), option(open)]), [cookie, Value::Null]);
    for (pairs, words) in [
        (vec![mode("IP")], "SOURCE_IP, HTTP_COOKIE"),
        (vec![mode("HTTP_COOKIE")], "no port speaks it"),
        (vec![mode("SOURCE_IP"), (LB_ALGORITHM, "SOURCE_IP")], "not together with"),
        (vec![mode("SOURCE_IP"), option(r#"{"persistence_timeout":"90"}"#)], "1 to 60 minutes"),
        (vec![mode("SOURCE_IP"), option(r#"{"persistence_timeout":"1h"}"#)], "$.persistence_timeout"),
        (vec![http, mode("APP_COOKIE")], "name of the cookie"),
    ] {
        let errors = said(&read_all("performance", &pairs).errors);
        assert!(errors.contains(words), "{pairs:?}: {errors}");
    }
    let parsed = read_all("union", &[option(r#"{"persistence_timeout":"5"}"#)]);
    assert!(said(&parsed.warnings).contains("session affinity is off"));
}

#[test]
fn client_ip_affinity_of_the_service() {
    let mut sticky = want(&[(ID, "lb-9"), (PROTOCOL_PORT, "http:443")], &[(Protocol::Tcp, 80), (Protocol::Tcp, 443)]);
    sticky.affinity_seconds = Some(90);
    let parsed = parse(&sticky);
    assert_eq!(port(&parsed, 0).pool["session_persistence"], json!({"type": "SOURCE_IP", "persistence_timeout": 2}));
    assert_eq!(port(&parsed, 1).pool["session_persistence"], json!({"type": "HTTP_COOKIE", "persistence_timeout": 2}));
    sticky.affinity_seconds = Some(10_800);
    let parsed = parse(&sticky);
    assert_eq!(port(&parsed, 0).pool["session_persistence"]["persistence_timeout"], 60);
    assert!(said(&parsed.warnings).contains("60 minutes at most"));
}

#[test]
fn drain_and_slow_start() {
    let pool = |class: &str, pairs: &[(&str, &str)]| {
        let parsed = read_all(class, pairs);
        (port(&parsed, 0).pool.clone(), said(&parsed.warnings))
    };
    let (enable, timeout) = ((CONNECTION_DRAIN_ENABLE, "true"), (CONNECTION_DRAIN_TIMEOUT, "300"));
    assert_eq!(pool("union", &[enable, timeout]).0["connection_drain"], json!({"enable": true, "timeout": 300}));
    let (off, warnings) = pool("union", &[timeout]);
    assert_eq!(off["connection_drain"], json!({"enable": false}));
    assert!(warnings.contains("draining is off"));
    assert!(said(&read_all("union", &[enable]).errors).contains("connection-drain-timeout: 10 to 4000"));
    let (slow, http) = ((SLOW_START, "60"), (PROTOCOL_PORT, "http:80"));
    assert_eq!(pool("performance", &[slow, http]).0["slow_start"], json!({"enable": true, "duration": 60}));
    let (none, warnings) = pool("union", &[slow, http]);
    assert!(!none.contains_key("slow_start") && warnings.contains("needs a dedicated load balancer"));
}

const EIP: &str = r#"{"ip_type":"5_bgp","bandwidth_size":5,"share_type":"PER"}"#;

#[test]
fn the_open_controllers_keys_make_a_load_balancer() {
    let shared = new(read(&[(CLASS, "shared"), (SUBNET_ID, "sub-1"), (TAGS, "team=web"), (ENTERPRISE_ID, "p-1")]));
    assert_eq!((shared.class, shared.public, shared.vip_subnet.as_deref()), (Class::Shared, None, Some("sub-1")));
    assert_eq!((shared.tags["team"].as_str(), shared.enterprise_project.as_deref()), ("web", Some("p-1")));
    let parsed = read(&[
        (CLASS, "dedicated"),
        (AVAILABILITY_ZONES, "az1; az2"),
        (L4_FLAVOR_ID, "l4"),
        (L7_FLAVOR_ID, "l7"),
        (ENABLE_CROSS_VPC, "true"),
        (EIP_AUTO_CREATE_OPTION, EIP),
    ]);
    assert_eq!(said(&parsed.warnings), "");
    let dedicated = new(parsed);
    assert_eq!((dedicated.class, dedicated.zones), (Class::Dedicated, vec!["az1".to_owned(), "az2".to_owned()]));
    assert_eq!((dedicated.l4_flavor, dedicated.ip_targets), (Some(Flavor::Id("l4".into())), Some(true)));
    let bandwidth = Bandwidth::Own { name: None, size: 5, charge_mode: "traffic".into() };
    assert_eq!(dedicated.public.unwrap().bandwidth, bandwidth);
    // CCE's words make none without `elb.autocreate`.
    assert!(read(&[(CLASS, "union")]).errors[0].message.contains("none is to be made"));
}

#[test]
fn what_is_wrong_with_the_open_controllers_keys() {
    let errors = |pairs: &[(&str, &str)]| said(&read(pairs).errors);
    assert!(errors(&[(CLASS, "dedicated")]).starts_with(&format!("{AVAILABILITY_ZONES}: missing")));
    let said = errors(&[
        (CLASS, "dedicated"),
        (AVAILABILITY_ZONES, ";"),
        (L4_FLAVOR_ID, "a b"),
        (ENABLE_CROSS_VPC, "maybe"),
        (TAGS, "=x"),
        (EIP_AUTO_CREATE_OPTION, "{}"),
    ]);
    for key in [AVAILABILITY_ZONES, L4_FLAVOR_ID, ENABLE_CROSS_VPC, TAGS, EIP_AUTO_CREATE_OPTION] {
        assert!(said.contains(key), "{key}: {said}");
    }
}

#[test]
fn keys_that_have_no_effect_on_this_load_balancer_are_named() {
    let warned = |pairs: &[(&str, &str)]| -> Vec<String> {
        let parsed = read(pairs);
        assert_eq!(said(&parsed.errors), "");
        parsed.warnings.into_iter().map(|w| w.option).collect()
    };
    let all = [(AVAILABILITY_ZONES, "az1"), (L4_FLAVOR_ID, "l4"), (ENABLE_CROSS_VPC, "true"), (TAGS, "a=b")];
    let with = |more: &[(&'static str, &'static str)]| [&all[..], more].concat();
    let [zones, l4, cross, tags] = all.map(|(key, _)| key);
    assert_eq!(
        warned(&with(&[(ID, "lb-9"), (EIP_AUTO_CREATE_OPTION, EIP)])),
        [zones, l4, cross, tags, EIP_AUTO_CREATE_OPTION]
    );
    assert_eq!(warned(&with(&[(CLASS, "shared")])), [zones, l4, cross]);
    let dedicated = r#"{"available_zone":["az1"]}"#;
    assert_eq!(warned(&with(&[(CLASS, "performance"), (AUTOCREATE, dedicated)])), [zones, l4]);
    assert_eq!(warned(&[(AUTOCREATE, PUBLIC), (EIP_AUTO_CREATE_OPTION, EIP)]), [EIP_AUTO_CREATE_OPTION]);
    assert_eq!(warned(&[(AUTOCREATE, "{}"), (EIP_AUTO_CREATE_OPTION, EIP)]), [""; 0]);
}

#[test]
fn who_may_connect() {
    let groups = |ids: &[&str], enabled: bool, white: bool| {
        Access::Groups(Groups { ids: ids.iter().map(|id| (*id).to_owned()).collect(), enabled, white, own: false })
    };
    let (on, white) = ((ACL_STATUS, "on"), (ACL_TYPE, "white"));
    let five = "a,b,c,d,e";
    for (class, pairs, expected) in [
        ("union", vec![], Ok(Access::Unsaid)),
        ("union", vec![(ACL_ID, "")], Ok(Access::Everybody)),
        ("union", vec![(ACL_ID, " "), on], Ok(Access::Everybody)),
        ("union", vec![(ACL_ID, "g-1"), on, white], Ok(groups(&["g-1"], true, true))),
        ("union", vec![(ACL_ID, "g-1"), (ACL_STATUS, "true"), (ACL_TYPE, "black")], Ok(groups(&["g-1"], true, false))),
        ("union", vec![(ACL_ID, "g-1"), (ACL_STATUS, "off")], Ok(groups(&["g-1"], false, true))),
        ("performance", vec![(ACL_ID, five), on, white], Ok(groups(&["a", "b", "c", "d", "e"], true, true))),
        ("union", vec![(ACL_ID, five), on, white], Err("5 groups are too many")),
        ("performance", vec![(ACL_ID, "a,b,c,d,e,f"), on, white], Err("6 groups are too many")),
        ("union", vec![(ACL_ID, "g-1"), white], Err("acl-status: missing")),
        ("union", vec![(ACL_ID, "g-1"), on], Err("acl-type: missing")),
        ("union", vec![(ACL_ID, "g-1"), on, (ACL_TYPE, "grey")], Err("acl-type: \"grey\" is not valid")),
        ("union", vec![(ACL_ID, "a b"), on, white], Err("acl-id: \"a b\" is not valid")),
    ] {
        let parsed = read_all(class, &pairs);
        match expected {
            Ok(access) => assert_eq!(parsed.spec.unwrap().access, access, "{pairs:?}"),
            Err(text) => {
                assert_eq!(parsed.errors.len(), 1, "{:#?}", parsed.errors);
                assert!(said(&parsed.errors).contains(text), "{:#?}", parsed.errors);
            }
        }
    }
}

#[test]
fn source_ranges_and_groups_exclude_each_other() {
    let of = |pairs: &[(&str, &str)]| {
        let mut all = vec![(CLASS, "union"), (ID, "lb-9")];
        all.extend(pairs);
        let mut want = want(&all, &[(Protocol::Tcp, 80)]);
        want.source_ranges = vec!["10.0.0.0/8".parse().unwrap()];
        parse(&want)
    };
    assert_eq!(of(&[]).spec.unwrap().access, Access::OwnGroup);
    let both = of(&[(ACL_ID, "g-1"), (ACL_STATUS, "off")]);
    let text = said(&both.errors);
    assert!(text.contains(ACL_ID) && text.contains("spec.loadBalancerSourceRanges"), "{text}");
    let empty = of(&[(ACL_ID, "")]);
    assert_eq!(empty.spec.unwrap().access, Access::OwnGroup, "the narrower of two wishes holds");
    assert!(said(&empty.warnings).contains(ACL_ID));
}
