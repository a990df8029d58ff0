#![allow(clippy::unwrap_used)]

use super::*;

fn read(text: &str, class: Class) -> (Option<Autocreate>, Vec<Problem>, Vec<Problem>) {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    let new = parse(text, Some(class), &mut errors, &mut warnings);
    assert_eq!(new.is_none(), !errors.is_empty());
    (new, errors, warnings)
}

#[test]
fn all_fourteen_fields() {
    let text = r#"{
        "name": "my-lb", "type": "public",
        "bandwidth_name": "bw", "bandwidth_chargemode": "traffic", "bandwidth_size": 350,
        "bandwidth_sharetype": "PER", "eip_type": "5_g-vm",
        "vip_subnet_cidr_id": "sub-1", "vip_address": "10.0.0.9",
        "ipv6_vip_virsubnet_id": "net-6", "elb_virsubnet_ids": ["net-1", "net-2"],
        "available_zone": ["", "az1"], "l4_flavor_name": "L4_flavor.elb.s1.small", "l7_flavor_name": ""
    }"#;
    let (new, errors, warnings) = read(text, Class::Dedicated);
    assert!(errors.is_empty() && warnings.is_empty(), "{errors:?} {warnings:?}");
    assert_eq!(
        new.unwrap(),
        Autocreate {
            class: Class::Dedicated,
            name: Some("my-lb".into()),
            public: Some(PublicIp {
                kind: "5_g-vm".into(),
                bandwidth: Bandwidth::Own { name: Some("bw".into()), size: 350, charge_mode: "traffic".into() },
            }),
            vip_subnet: Some("sub-1".into()),
            vip_address: Some(Ipv4Addr::new(10, 0, 0, 9)),
            ipv6_network: Some("net-6".into()),
            networks: vec!["net-1".into(), "net-2".into()],
            zones: vec!["az1".into()],
            l4_flavor: Some(Flavor::Name("L4_flavor.elb.s1.small".into())),
            l7_flavor: None,
            enterprise_project: None,
            ip_targets: None,
            tags: Tags::new(),
        }
    );
}

#[test]
fn minimal_values() {
    for text in ["{}", r#"{"type":"inner"}"#, r#"{"type":null,"available_zone":[""],"l7_flavor_name":""}"#] {
        let (new, _, warnings) = read(text, Class::Shared);
        assert!(new.unwrap().public.is_none() && warnings.is_empty(), "{text}: {warnings:?}");
    }
    let (new, ..) =
        read(r#"{"type":"public","bandwidth_size":5,"bandwidth_sharetype":"PER","eip_type":"5_bgp"}"#, Class::Shared);
    let public = new.unwrap().public.unwrap();
    assert_eq!(public.bandwidth, Bandwidth::Own { name: None, size: 5, charge_mode: "bandwidth".into() });
}

#[test]
fn each_wrong_value_is_named_with_what_would_be_right() {
    let shared = [
        (r#"{"type":"outer"}"#, "$.type", "public, inner"),
        (r#"{"type":5}"#, "$.type", "double quotes"),
        (r#"{"name":""}"#, "$.name", "1 to 255"),
        (r#"{"name":"a b"}"#, "$.name", "letters, digits"),
        (r#"{"bandwidth_name":"a/b"}"#, "$.bandwidth_name", "1 to 64"),
        (r#"{"bandwidth_chargemode":"free"}"#, "$.bandwidth_chargemode", "bandwidth, traffic"),
        (r#"{"bandwidth_size":"5"}"#, "$.bandwidth_size", "write 5 without quotes"),
        (r#"{"bandwidth_size":"fast"}"#, "$.bandwidth_size", "from 1 to 2000"),
        (r#"{"bandwidth_size":0}"#, "$.bandwidth_size", "from 1 to 2000"),
        (r#"{"bandwidth_size":2001}"#, "$.bandwidth_size", "from 1 to 2000"),
        (r#"{"bandwidth_size":1.5}"#, "$.bandwidth_size", "from 1 to 2000"),
        (r#"{"bandwidth_size":[5]}"#, "$.bandwidth_size", "from 1 to 2000"),
        (r#"{"bandwidth_size":310}"#, "$.bandwidth_size", "300 or 350"),
        (r#"{"bandwidth_size":1100}"#, "$.bandwidth_size", "1000 or 1500"),
        (r#"{"bandwidth_sharetype":"WHOLE"}"#, "$.bandwidth_sharetype", "PER"),
        (r#"{"vip_subnet_cidr_id":"a/b"}"#, "$.vip_subnet_cidr_id", "an id is"),
        (r#"{"vip_address":"10.0.0"}"#, "$.vip_address", "10.0.0.5"),
        (r#"{"vip_address":"fd00::1"}"#, "$.vip_address", "10.0.0.5"),
        (r#"{"elb_virsubnet_ids":"net"}"#, "$.elb_virsubnet_ids", r#"["a","b"]"#),
    ];
    for (text, at, valid) in shared {
        let (_, errors, _) = read(text, Class::Shared);
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        assert_eq!(errors[0].option, AUTOCREATE);
        assert_eq!(errors[0].at, at, "{text}");
        assert!(errors[0].valid.contains(valid), "{text}: {}", errors[0]);
    }
    for (text, message) in
        [("{}", "missing"), (r#"{"available_zone":[""]}"#, "missing"), (r#"{"available_zone":"az1"}"#, "not a list")]
    {
        let (_, errors, _) = read(text, Class::Dedicated);
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        assert_eq!(errors[0].at, "$.available_zone");
        assert!(errors[0].message.contains(message), "{text}: {}", errors[0]);
    }
}

#[test]
fn a_public_one_names_each_missing_field_once() {
    let (_, errors, _) = read(r#"{"type":"public"}"#, Class::Shared);
    let at: Vec<&str> = errors.iter().map(|e| e.at.as_str()).collect();
    assert_eq!(at, ["$.eip_type", "$.bandwidth_size", "$.bandwidth_sharetype"]);
    assert!(errors.iter().all(|e| e.message.contains("missing")));
    // What is there and wrong is not called missing too.
    let (_, errors, _) = read(
        r#"{"type":"public","eip_type":"5_bgp","bandwidth_size":"5","bandwidth_sharetype":"WHOLE"}"#,
        Class::Shared,
    );
    assert_eq!(errors.len(), 2, "{errors:?}");
}

#[test]
fn fields_without_effect_and_unknown_ones_warn() {
    let (_, _, warnings) = read(
        r#"{"bandwidth_size":5,"eip_type":"5_bgp","available_zone":["az1"],"bandwith_name":"x","charset":1}"#,
        Class::Shared,
    );
    let texts: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 4, "{texts:#?}");
    assert!(texts[0].contains("$.bandwidth_size: without effect: the type is inner"));
    assert!(texts[1].contains("$.available_zone: without effect on a shared"));
    assert!(texts[2].contains("$.bandwith_name: unknown field, ignored; did you mean bandwidth_name?"));
    assert!(texts[3].contains("$.charset: unknown field, ignored"), "{texts:#?}");
}
