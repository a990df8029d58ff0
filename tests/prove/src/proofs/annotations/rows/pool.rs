//! How members are chosen, remembered and probed.

use serde_json::{Value, json};

use crate::proofs::annotations::case::{Case, key, refused, sees, warned};

const ALGORITHM: &str = "kubernetes.io/elb.lb-algorithm";
const AFFINITY: &str = "kubernetes.io/elb.session-affinity-mode";
const AFFINITY_OPTION: &str = "kubernetes.io/elb.session-affinity-option";
const HEALTH_CHECK: &str = "kubernetes.io/elb.health-check-option";
const PROTOCOL_PORT: &str = "kubernetes.io/elb.protocol-port";
const STICKY: &str = "pool/session_persistence";

pub fn rows() -> Vec<Case> {
    [choice(), affinity(), affinity_option(), health(), health_by_port(), drain()].concat()
}

fn choice() -> Vec<Case> {
    let path = "pool/lb_algorithm";
    let wrong = refused(&["\"RANDOM\"", "ROUND_ROBIN, LEAST_CONNECTIONS, SOURCE_IP"]);
    vec![
        key(ALGORITHM)
            .shared("TCP:80,UDP:53")
            .valid(
                "LEAST_CONNECTIONS",
                sees(path, "LEAST_CONNECTIONS").sees("UDP:53/pool/lb_algorithm", "LEAST_CONNECTIONS"),
            )
            .edge("source_ip", sees(path, "SOURCE_IP"))
            .invalid("RANDOM", wrong.clone())
            .removed(sees(path, "ROUND_ROBIN")),
        key(ALGORITHM).dedicated("TCP:80").invalid("RANDOM", wrong).valid("ROUND_ROBIN", sees(path, "ROUND_ROBIN")),
        key(ALGORITHM)
            .dedicated("TCP:80")
            .beside(AFFINITY, "SOURCE_IP")
            .valid("LEAST_CONNECTIONS", sees(path, "LEAST_CONNECTIONS"))
            .invalid("SOURCE_IP", refused(&["elb.session-affinity-mode", "one of the two"])),
    ]
}

fn affinity() -> Vec<Case> {
    let mut rows = Vec::new();
    for key_name in [AFFINITY, "kubernetes.io/session-affinity-mode"] {
        rows.push(
            key(key_name)
                .shared("TCP:80")
                .valid("SOURCE_IP", sees(STICKY, json!({"type": "SOURCE_IP", "persistence_timeout": 60})))
                .edge("off", sees(STICKY, Value::Null))
                .edge("source_ip", sees(STICKY, json!({"type": "SOURCE_IP"})))
                .invalid("HTTP_COOKIE", refused(&["no", "HTTP", "SOURCE_IP"]))
                .invalid("CLIENT_IP", refused(&["\"CLIENT_IP\"", "SOURCE_IP, HTTP_COOKIE, APP_COOKIE, off"]))
                .removed(sees(STICKY, Value::Null)),
        );
        rows.push(
            key(key_name)
                .dedicated("TCP:80")
                .beside(PROTOCOL_PORT, "http:80")
                .valid("HTTP_COOKIE", sees(STICKY, json!({"type": "HTTP_COOKIE", "persistence_timeout": 1440})))
                .invalid("APP_COOKIE", refused(&["APP_COOKIE needs the name", "cookie_name"]))
                .invalid("SOURCE_IP", refused(&["TCP and UDP ports", "HTTP_COOKIE"])),
        );
    }
    rows.push(
        key("kubernetes.io/session-affinity-mode")
            .shared("TCP:80")
            .beside(AFFINITY, "off")
            .edge("SOURCE_IP", sees(STICKY, Value::Null)),
    );
    rows.push(
        key(AFFINITY)
            .shared("TCP:80")
            .spec("sessionAffinity", "ClientIP")
            .without(sees(STICKY, json!({"type": "SOURCE_IP", "persistence_timeout": 60})).warned(&[])),
    );
    rows.push(
        key("kubernetes.io/elb.session-affinity-flag")
            .shared("TCP:80")
            .valid("on", sees(STICKY, json!({"type": "SOURCE_IP"})))
            .edge("off", sees(STICKY, Value::Null))
            .edge("On", sees(STICKY, json!({"type": "SOURCE_IP"})))
            .invalid("true", refused(&["\"true\"", "on, off"]))
            .removed(sees(STICKY, Value::Null)),
    );
    rows
}

fn affinity_option() -> Vec<Case> {
    let minutes = |n: u64| sees(STICKY, json!({"type": "SOURCE_IP", "persistence_timeout": n}));
    vec![
        key(AFFINITY_OPTION)
            .shared("TCP:80")
            .beside(AFFINITY, "SOURCE_IP")
            .valid(r#"{"persistence_timeout":"30"}"#, minutes(30))
            .edge(r#"{"persistence_timeout":1}"#, minutes(1))
            .edge(r#"{"persistence_timeout":"60"}"#, minutes(60))
            .invalid(r#"{"persistence_timeout":"61"}"#, refused(&["$.persistence_timeout", "too long", "1 to 60"]))
            .invalid(r#"{"persistence_timeout":0}"#, refused(&["$.persistence_timeout", "0 is not valid", "1 to 60"]))
            .invalid(r#"{"persistence_timeout":"30"#, refused(&["column"]))
            .removed(minutes(60)),
        key(AFFINITY_OPTION)
            .dedicated("TCP:80")
            .beside(PROTOCOL_PORT, "http:80")
            .beside("kubernetes.io/elb.session-affinity-flag", "on")
            .valid(
                r#"{"type":"APP_COOKIE","cookie_name":"sid","persistence_timeout":1440}"#,
                sees(STICKY, json!({"type": "APP_COOKIE", "cookie_name": "sid", "persistence_timeout": 1440})),
            )
            .edge(r#"{"type":"HTTP_COOKIE"}"#, sees(STICKY, json!({"type": "HTTP_COOKIE"})))
            .invalid(r#"{"type":"COOKIE"}"#, refused(&["$.type", "SOURCE_IP, HTTP_COOKIE or APP_COOKIE"]))
            .edge(r#"{"type":"HTTP_COOKIE","cookiename":"x"}"#, warned(&["$.cookiename", "did you mean cookie_name"])),
        key(AFFINITY_OPTION)
            .shared("TCP:80")
            .edge(r#"{"persistence_timeout":"30"}"#, sees(STICKY, Value::Null).warned(&["session affinity is off"])),
    ]
}

fn health() -> Vec<Case> {
    let flag = "kubernetes.io/elb.health-check-flag";
    vec![
        key(flag)
            .shared("TCP:80,UDP:53")
            .valid("off", sees("monitor", Value::Null).sees("UDP:53/monitor", Value::Null))
            .edge("", sees("monitor/type", "TCP").sees("UDP:53/monitor/type", "UDP_CONNECT"))
            .edge("OFF", sees("monitor", Value::Null))
            .valid("on", sees("monitor/type", "TCP"))
            .invalid("no", refused(&["\"no\"", "on, off"]))
            .removed(sees("monitor", json!({"type": "TCP", "delay": 5, "timeout": 10, "max_retries": 3}))),
        key(HEALTH_CHECK)
            .shared("TCP:80")
            .valid(
                r#"{"protocol":"TCP","delay":"7","timeout":"9","max_retries":"4"}"#,
                sees("monitor", json!({"type": "TCP", "delay": 7, "timeout": 9, "max_retries": 4})),
            )
            .edge(
                r#"{"delay":50,"timeout":1,"max_retries":10}"#,
                sees("monitor", json!({"delay": 50, "timeout": 1, "max_retries": 10})),
            )
            .valid(
                r#"{"protocol":"HTTP","path":"/healthz","expected_codes":"200-204"}"#,
                sees("monitor", json!({"type": "HTTP", "url_path": "/healthz", "expected_codes": "200-204"})),
            )
            .edge(r#"{"dealy":"5"}"#, warned(&["$.dealy", "did you mean delay"]))
            .invalid(r#"{"delay":"51"}"#, refused(&["$.delay", "from 1 to 50"]))
            .invalid(
                r#"{"delay":"5s","timeout":0,"max_retries":11,"path":"x","expected_codes":"ok","protocol":"FTP"}"#,
                refused(&["$.delay", "$.timeout", "$.max_retries", "$.path", "$.expected_codes", "$.protocol"]),
            )
            .invalid(r#"'{"delay":"5"}'"#, refused(&["health-check-option"]))
            .removed(sees("monitor", json!({"type": "TCP", "delay": 5, "timeout": 10, "max_retries": 3}))),
        key(HEALTH_CHECK)
            .shared("TCP:80")
            .beside("kubernetes.io/elb.class", "shared")
            .edge(r#"{"delay":5}"#, sees("monitor", json!({"delay": 5, "timeout": 3}))),
    ]
}

fn health_by_port() -> Vec<Case> {
    let options = "kubernetes.io/elb.health-check-options";
    vec![
        key(options)
            .dedicated("TCP:80,TCP:81,UDP:53")
            .valid(
                r#"[{"target_service_port":"TCP:80","protocol":"HTTP","path":"/a","delay":"6","monitor_port":"8080"}]"#,
                sees("monitor", json!({"type": "HTTP", "url_path": "/a", "delay": 6, "monitor_port": 8080}))
                    .sees("TCP:81/monitor", json!({"type": "TCP", "delay": 5})),
            )
            .edge(
                r#"[{"target_service_port":"UDP:53","delay":50,"monitor_port":65535},{"target_service_port":"TCP:81","timeout":1}]"#,
                sees("UDP:53/monitor", json!({"delay": 50, "monitor_port": 65535}))
                    .sees("TCP:81/monitor/timeout", 1)
                    .sees("monitor", json!({"type": "TCP", "delay": 5})),
            )
            .edge("[]", sees("monitor/delay", 5))
            .invalid(
                r#"[{"target_service_port":"TCP:99"},{"delay":"5"}]"#,
                refused(&["$[0].target_service_port", "TCP:99", "$[1].target_service_port", "missing"]),
            )
            .invalid(
                r#"[{"target_service_port":"TCP:80"},{"target_service_port":"TCP:80","monitor_port":"70000"}]"#,
                refused(&["$[1].target_service_port", "named twice", "$[1].monitor_port", "65535"]),
            )
            .invalid(r#"{"target_service_port":"TCP:80"}"#, refused(&["health-check-options"]))
            .removed(sees("monitor", json!({"type": "TCP", "delay": 5, "monitor_port": null}))),
        key(options)
            .dedicated("TCP:80")
            .beside(HEALTH_CHECK, r#"{"delay":"7"}"#)
            .invalid(r#"[{"target_service_port":"TCP:80"}]"#, refused(&["health-check-option", "one of the two"])),
    ]
}

/// What happens to connections when members come and go.
fn drain() -> Vec<Case> {
    let (enable, timeout) = ("kubernetes.io/elb.connection-drain-enable", "kubernetes.io/elb.connection-drain-timeout");
    let path = "pool/connection_drain";
    let of = |seconds: u64| sees(path, json!({"enable": true, "timeout": seconds}));
    let off = || sees("pool/connection_drain/enable", false);
    let slow = || key("ferrolb.io/elb-slow-start").dedicated("TCP:80");
    vec![
        key(enable)
            .dedicated("TCP:80")
            .beside(timeout, "300")
            .valid("true", of(300))
            .edge("false", off().warned(&["elb.connection-drain-timeout", "draining is off"]))
            .edge("TRUE", of(300))
            .invalid("on", refused(&["\"on\"", "true or false"]))
            .removed(off().warned(&["draining is off"])),
        key(enable).dedicated("TCP:80").invalid("true", refused(&["for how long", "10 to 4000"])),
        key(timeout)
            .dedicated("TCP:80")
            .beside(enable, "true")
            .valid("60", of(60))
            .edge("10", of(10))
            .edge("4000", of(4000))
            .invalid("9", refused(&["\"9\"", "from 10 to 4000"]))
            .invalid("400s", refused(&["\"400s\"", "without a unit"]))
            .removed(refused(&["for how long", "elb.connection-drain-timeout"])),
        slow()
            .beside(PROTOCOL_PORT, "http:80")
            .valid("60", sees("pool/slow_start", json!({"enable": true, "duration": 60})))
            .edge("30", sees("pool/slow_start/duration", 30))
            .edge("1200", sees("pool/slow_start/duration", 1200))
            .invalid("29", refused(&["\"29\"", "from 30 to 1200"]))
            .removed(sees("pool/slow_start/enable", false)),
        slow().edge("60", warned(&["dedicated load balancer", "HTTP"])),
    ]
}
