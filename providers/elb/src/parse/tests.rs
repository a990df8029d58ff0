#![allow(clippy::unwrap_used)]

use super::*;
use crate::keys::{
    ACL_ID, ACL_STATUS, CLIENT_CA_CERT_ID, HEALTH_CHECK_FLAG, HEALTH_CHECK_OPTION, INSTANCE_RECLAIM_POLICY, KEEP_EIP,
};
use crate::spec::{HealthCheck, Probe};

const PUBLIC: &str = r#"{"type":"public","bandwidth_name":"cce-bandwidth","bandwidth_chargemode":"bandwidth","bandwidth_size":5,"bandwidth_sharetype":"PER","eip_type":"5_bgp","name":"james"}"#;

fn read(pairs: &[(&str, &str)]) -> Parsed {
    let options: Options = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    parse(&options)
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
    assert_eq!(parsed.spec.as_ref().unwrap().health, Some(HealthCheck::default()));
    let new = new(parsed);
    assert_eq!(new.class, Class::Shared);
    assert_eq!(new.name.as_deref(), Some("james"));
    let public = new.public.unwrap();
    assert_eq!((public.kind.as_str(), public.bandwidth_size, public.charge_mode.as_str()), ("5_bgp", 5, "bandwidth"));
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
    assert!(texts[0].contains("acl-type: known, not yet acted on"), "{texts:#?}");
    assert!(texts[1].contains("lb-algoritm: unknown key, ignored; did you mean kubernetes.io/elb.lb-algorithm?"));
    assert!(texts[2].contains("zzz") && texts[2].contains("unknown key"), "{texts:#?}");
}

#[test]
fn what_must_not_be_ignored_is_refused() {
    let inner = (AUTOCREATE, "{}");
    let public = (AUTOCREATE, PUBLIC);
    let mine = (ID, "lb-9");
    let acl = (ACL_ID, "group-1");
    let retain = (INSTANCE_RECLAIM_POLICY, "retain");
    let keep = (KEEP_EIP, "true");
    let ca = (CLIENT_CA_CERT_ID, "cert-1");
    for (pairs, refused) in [
        (vec![inner, acl], vec![ACL_ID]),
        (vec![mine, acl], vec![ACL_ID]),
        (vec![public, acl, (ACL_STATUS, "on")], vec![ACL_ID]),
        (vec![public, acl, (ACL_STATUS, "off")], vec![]),
        (vec![public, acl, (ACL_STATUS, "false")], vec![]),
        (vec![public, (ACL_ID, " "), (ACL_STATUS, "on")], vec![]),
        (vec![inner, ca], vec![CLIENT_CA_CERT_ID]),
        (vec![inner, (CLIENT_CA_CERT_ID, "")], vec![]),
        (vec![inner, retain], vec![INSTANCE_RECLAIM_POLICY]),
        (vec![public, retain, keep], vec![INSTANCE_RECLAIM_POLICY, KEEP_EIP]),
        (vec![inner, (INSTANCE_RECLAIM_POLICY, "alwaysDelete")], vec![]),
        (vec![public, (KEEP_EIP, "True")], vec![KEEP_EIP]),
        (vec![public, (KEEP_EIP, "false")], vec![]),
        // There is no EIP to keep, and what is theirs stays.
        (vec![inner, keep], vec![]),
        (vec![mine, retain, keep], vec![]),
        // Besides whatever else is wrong.
        (vec![(AUTOCREATE, "{"), retain, keep], vec![AUTOCREATE, INSTANCE_RECLAIM_POLICY, KEEP_EIP]),
    ] {
        let parsed = read(&pairs);
        let options: Vec<&str> = parsed.errors.iter().map(|e| e.option.as_str()).collect();
        assert_eq!(options, refused, "{pairs:?}");
        assert_eq!(parsed.spec.is_some(), refused.is_empty(), "{pairs:?}");
        assert!(parsed.warnings.iter().all(|w| ![ACL_ID, KEEP_EIP].contains(&w.option.as_str())), "{pairs:?}");
    }
    let text = read(&[public, keep]).errors[0].to_string();
    assert!(text.contains("keep-eip: \"true\" is not supported yet, and what should stay would be deleted"), "{text}");
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
            (ENTERPRISE_ID, ""),
            (LB_ALGORITHM, ""),
            (HEALTH_CHECK_FLAG, ""),
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
    let health = |parsed: Parsed| parsed.spec.unwrap().health;
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
