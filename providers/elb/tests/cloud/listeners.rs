//! Listeners, pools and health checks as the options of a Service say, and after they say something else.

use ferrolb_provider::{Desired, Protocol, ProviderError};
use serde_json::{Value, json};

use crate::harness::{World, performance, port, union};

/// A certificate of this type that is there; its id.
async fn certificate(world: &World, kind: &str) -> String {
    let pem = json!({
        "type": kind, "certificate": "-----BEGIN CERTIFICATE-----", "private_key": "-----BEGIN PRIVATE KEY-----",
    });
    let made = world.by_hand("POST", "v3/PID/elb/certificates", json!({"certificate": pem})).await;
    made["certificate"]["id"].as_str().unwrap().to_owned()
}

/// `want` with options by the end of their keys; an empty value takes one away.
fn with(mut want: Desired, options: &[(&str, &str)]) -> Desired {
    for (key, value) in options {
        let key = format!("kubernetes.io/elb.{key}");
        match *value {
            "" => drop(want.options.remove(&key)),
            value => drop(want.options.insert(key, value.to_owned())),
        }
    }
    want
}

/// Dedicated, with TCP 80 and TCP and UDP 443.
fn three_ports() -> Desired {
    let mut want = performance();
    want.ports.push(port(Protocol::Tcp, 443, &[1, 2]));
    want.ports.push(port(Protocol::Udp, 443, &[1, 2]));
    want
}

/// The one object of a kind that has a value in a field.
fn object(world: &World, kind: &str, field: &str, value: impl Into<Value>) -> Value {
    let value = value.into();
    let ledger = world.cloud.ledger();
    let all = ledger[kind].as_array().unwrap();
    let found: Vec<_> = all.iter().filter(|o| o[field] == value).collect();
    assert_eq!(found.len(), 1, "{kind} with {field} {value}: {all:#?}");
    found[0].clone()
}

/// Converges, and sees that it then rests.
async fn settles(world: &World, want: &Desired) {
    world.converge(want).await;
    world.calls();
    let outcome = world.pass(want).await;
    assert!(outcome.settled && outcome.problems.is_empty(), "{outcome:#?}");
    assert_eq!(world.calls().1, 0, "a pass without change writes nothing");
}

#[tokio::test]
async fn everything_that_can_be_said_of_a_listener_arrives() {
    let world = World::new().await;
    let (server, authority) = (certificate(&world, "server").await, certificate(&world, "client").await);
    let second = certificate(&world, "server").await;
    let want = with(
        three_ports(),
        &[
            ("protocol-port", "http:80,https:443,quic:443"),
            ("cert-id", &server),
            ("client-ca-cert-id", &authority),
            ("tls-certificate-ids", &second),
            ("http2-enable", "true"),
            ("tls-ciphers-policy", "tls-1-2"),
            ("pool-protocol", "https"),
            ("keepalive_timeout", "100"),
            ("client_timeout", "20"),
            ("member_timeout", "30"),
            ("x-forwarded-port", "true"),
            ("x-forwarded-host", "true"),
            ("gzip-enabled", "true"),
            ("cps", "500"),
            ("connection", "900"),
        ],
    );
    settles(&world, &want).await;
    let https = object(&world, "listeners", "protocol", "HTTPS");
    let expected = json!({
        "protocol_port": 443, "default_tls_container_ref": server, "client_ca_tls_container_ref": authority,
        "sni_container_refs": [second], "http2_enable": true, "tls_ciphers_policy": "tls-1-2",
        "keepalive_timeout": 100, "client_timeout": 20, "member_timeout": 30, "gzip_enable": true, "cps": 500,
        "connection": 900, "insert_headers": {"X-Forwarded-Port": true, "X-Forwarded-Host": true},
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(https[field], *value, "{field}");
    }
    let http = object(&world, "listeners", "protocol", "HTTP");
    assert_eq!((&http["client_timeout"], &http["http2_enable"]), (&json!(20), &json!(false)));
    assert_eq!(object(&world, "pools", "protocol", "HTTPS")["listeners"][0]["id"], https["id"]);
    // Requests that come by QUIC go to the nodes' TCP port.
    let quic = object(&world, "listeners", "protocol", "QUIC");
    let pool = object(&world, "pools", "id", quic["default_pool_id"].clone());
    assert_eq!((&pool["protocol"], pool["members"].as_array().unwrap().len()), (&json!("HTTP"), 2));
}

#[tokio::test]
async fn a_changed_field_is_one_call_and_a_removed_one_stays() {
    let world = World::new().await;
    let http = with(three_ports(), &[("protocol-port", "http:80"), ("keepalive_timeout", "100")]);
    settles(&world, &http).await;
    let listener = object(&world, "listeners", "protocol", "HTTP");
    assert_eq!(listener["keepalive_timeout"], 100);
    world.calls();
    let changed = with(http.clone(), &[("keepalive_timeout", "200"), ("x-forwarded-for-port", "true")]);
    assert!(world.pass(&changed).await.settled);
    // The listeners of TCP and UDP have that timeout, too.
    assert_eq!(world.calls().1, 3);
    let after = object(&world, "listeners", "id", listener["id"].clone());
    assert_eq!(
        (&after["keepalive_timeout"], &after["insert_headers"]["X-Forwarded-For-Port"]),
        (&json!(200), &json!(true))
    );
    let without = with(changed, &[("keepalive_timeout", ""), ("x-forwarded-for-port", "")]);
    settles(&world, &without).await;
    assert_eq!(object(&world, "listeners", "id", listener["id"].clone()), after);
}

#[tokio::test]
async fn another_protocol_makes_the_listener_anew_and_leaves_the_others() {
    let world = World::new().await;
    settles(&world, &three_ports()).await;
    let of = |port: u16, protocol: &str| {
        let ledger = world.cloud.ledger();
        let all = ledger["listeners"].as_array().unwrap().clone();
        all.into_iter().find(|l| l["protocol_port"] == port && l["protocol"] == protocol).unwrap()
    };
    let (web, dns) = (of(80, "TCP"), of(443, "UDP"));
    settles(
        &world,
        &with(
            three_ports(),
            &[("protocol-port", "http:80,tls:443"), ("cert-id", &certificate(&world, "server").await)],
        ),
    )
    .await;
    assert_ne!(of(80, "HTTP")["id"], web["id"]);
    assert_eq!(of(443, "UDP"), dns);
    assert_eq!(object(&world, "pools", "id", of(443, "TLS")["default_pool_id"].clone())["protocol"], "TCP");
    let counts = world.counts();
    assert_eq!([counts[2], counts[3], counts[5]], [3, 3, 3]);
    settles(&world, &three_ports()).await;
    assert_eq!(of(443, "UDP"), dns);
}

#[tokio::test]
async fn the_shared_ones_terminated_https_is_https() {
    let world = World::new().await;
    let want = with(
        union(),
        &[
            ("protocol-port", "https:80"),
            ("cert-id", &certificate(&world, "server").await),
            ("transparent-client-ip", "true"),
        ],
    );
    settles(&world, &want).await;
    assert_eq!(object(&world, "listeners", "protocol_port", 80)["protocol"], "TERMINATED_HTTPS");
}

#[tokio::test]
async fn pools_are_sticky_drain_and_start_slowly_as_long_as_that_is_said() {
    let world = World::new().await;
    let slow = |seconds: &str| {
        let mut want = with(three_ports(), &[("protocol-port", "http:80")]);
        if !seconds.is_empty() {
            want.options.insert("ferrolb.io/elb-slow-start".into(), seconds.into());
        }
        want
    };
    let want = with(
        slow("60"),
        &[
            ("session-affinity-mode", "HTTP_COOKIE"),
            ("session-affinity-option", r#"{"persistence_timeout":"120"}"#),
            ("connection-drain-enable", "true"),
            ("connection-drain-timeout", "300"),
        ],
    );
    settles(&world, &want).await;
    let pool = object(&world, "pools", "protocol", "HTTP");
    assert_eq!(pool["session_persistence"]["type"], "HTTP_COOKIE");
    assert_eq!(pool["session_persistence"]["persistence_timeout"], 120);
    assert_eq!(pool["connection_drain"], json!({"enable": true, "timeout": 300}));
    assert_eq!(pool["slow_start"], json!({"enable": true, "duration": 60}));
    settles(&world, &slow("")).await;
    let after = object(&world, "pools", "id", pool["id"].clone());
    assert_eq!(after["session_persistence"], Value::Null);
    assert_eq!((&after["connection_drain"]["enable"], &after["slow_start"]["enable"]), (&json!(false), &json!(false)));
}

#[tokio::test]
async fn health_checks_follow_the_service() {
    let world = World::new().await;
    let list =
        r#"[{"target_service_port":"TCP:443","protocol":"HTTP","path":"/ok","monitor_port":"8080","max_retries":"4"}]"#;
    settles(&world, &with(three_ports(), &[("health-check-options", list)])).await;
    let http = object(&world, "healthmonitors", "type", "HTTP");
    assert_eq!(
        (&http["monitor_port"], &http["url_path"], &http["max_retries"]),
        (&json!(8080), &json!("/ok"), &json!(4))
    );
    object(&world, "healthmonitors", "type", "TCP");
    object(&world, "healthmonitors", "type", "UDP_CONNECT");
    settles(&world, &with(three_ports(), &[("health-check-option", r#"{"delay":"9"}"#)])).await;
    let tcp = object(&world, "healthmonitors", "id", http["id"].clone());
    assert_eq!((&tcp["type"], &tcp["delay"], &tcp["monitor_port"]), (&json!("TCP"), &json!(9), &Value::Null));
    settles(&world, &with(three_ports(), &[("health-check-flag", "off")])).await;
    assert_eq!(world.counts()[5], 0);
}

#[tokio::test]
async fn a_setting_that_somebody_changed_is_set_back() {
    let world = World::new().await;
    let want = with(performance(), &[("protocol-port", "http:80"), ("client_timeout", "20")]);
    settles(&world, &want).await;
    let listener = object(&world, "listeners", "protocol", "HTTP");
    let path = format!("v3/PID/elb/listeners/{}", listener["id"].as_str().unwrap());
    let theirs = json!({"listener": {"client_timeout": 99, "member_timeout": 98, "gzip_enable": true}});
    world.by_hand("PUT", &path, theirs).await;
    settles(&world, &want).await;
    let after = object(&world, "listeners", "id", listener["id"].clone());
    // What the Service does not name is theirs.
    let fields = [&after["client_timeout"], &after["member_timeout"], &after["gzip_enable"]];
    assert_eq!(fields, [&json!(20), &json!(98), &json!(true)]);
}

/// The cloud's 404 was about the certificate, and was taken for the listener's: the next pass made another one.
#[tokio::test]
async fn what_a_listener_names_and_is_not_there_does_not_make_the_listener_gone() {
    for (key, field) in [
        ("cert-id", "default_tls_container_ref"),
        ("client-ca-cert-id", "client_ca_tls_container_ref"),
        ("tls-certificate-ids", "sni_container_refs"),
        ("security_policy_id", "security_policy_id"),
    ] {
        let world = World::new().await;
        let mut plain = with(performance(), &[("protocol-port", "https:443")]);
        plain.ports = vec![port(Protocol::Tcp, 443, &[1, 2])];
        let plain = with(plain, &[("cert-id", &certificate(&world, "server").await)]);
        settles(&world, &plain).await;
        let listener = object(&world, "listeners", "protocol_port", 443);
        let missing = with(plain.clone(), &[(key, "11111111-2222-4333-8444-555555555555")]);
        for _ in 0..3 {
            let outcome = world.pass(&missing).await;
            let refusals: Vec<_> = outcome.failures.iter().map(|f| &f.error).collect();
            assert!(matches!(refusals[..], [ProviderError::Refused(_)]), "{field}: {outcome:#?}");
            assert_eq!((outcome.writes, world.counts()[2]), (1, 1), "{field}: {outcome:#?}");
            assert!(!outcome.serving.unwrap().addresses.is_empty());
        }
        settles(&world, &plain).await;
        let now = object(&world, "listeners", "protocol_port", 443);
        assert_eq!((&now["id"], &now[field]), (&listener["id"], &listener[field]));
    }
}
