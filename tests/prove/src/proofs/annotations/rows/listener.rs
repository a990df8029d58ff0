//! What a port speaks and how its listener behaves.

use serde_json::{Value, json};

use crate::proofs::annotations::case::{Case, key, refused, sees, unready, warned};

const PROTOCOL_PORT: &str = "kubernetes.io/elb.protocol-port";
const CERT_ID: &str = "kubernetes.io/elb.cert-id";
const ACL_ID: &str = "kubernetes.io/elb.acl-id";
const ACL_STATUS: &str = "kubernetes.io/elb.acl-status";
const ACL_TYPE: &str = "kubernetes.io/elb.acl-type";

pub fn rows() -> Vec<Case> {
    [protocols(), certificates(), members(), timeouts(), headers(), client_addresses(), limits(), access()].concat()
}

fn elb(name: &str) -> String {
    format!("kubernetes.io/elb.{name}")
}

/// A dedicated load balancer with HTTP on port 80.
fn http(name: &str) -> Case {
    key(&elb(name)).dedicated("TCP:80").beside(PROTOCOL_PORT, "http:80")
}

/// A dedicated load balancer with HTTPS on port 443.
fn https(name: &str) -> Case {
    key(&elb(name)).dedicated("TCP:443").beside(PROTOCOL_PORT, "https:443").beside(CERT_ID, "{certificate:a}")
}

fn protocols() -> Vec<Case> {
    let key = || key(PROTOCOL_PORT);
    vec![
        key()
            .dedicated("TCP:80,TCP:443")
            .beside(CERT_ID, "{certificate:a}")
            .valid("http:80,https:443", sees("listener/protocol", "HTTP").sees("TCP:443/listener/protocol", "HTTPS"))
            .edge(" http:80 , tls:443,", sees("listener/protocol", "HTTP").sees("TCP:443/listener/protocol", "TLS"))
            .invalid("https:443,http:81", refused(&["item 2", "no TCP port 81", "spec.ports"]))
            .invalid("gopher:80", refused(&["item 1", "gopher:80", "http, https, tls and quic"]))
            .invalid("http:80,https:80", refused(&["item 2", "named twice", "each port once"]))
            .removed(
                sees("listener/protocol", "TCP").sees("TCP:443/listener/protocol", "TCP").warned(&["elb.cert-id"]),
            ),
        key()
            .dedicated("UDP:443,TCP:443")
            .beside(CERT_ID, "{certificate:a}")
            .edge("https:443,quic:443", sees("listener/protocol", "QUIC").sees("TCP:443/listener/protocol", "HTTPS"))
            .removed(sees("listener/protocol", "UDP").warned(&["elb.cert-id"])),
        key()
            .shared("TCP:443")
            .beside(CERT_ID, "{certificate:a}")
            .valid("https:443", sees("listener/protocol", "TERMINATED_HTTPS"))
            .invalid("tls:443", refused(&["item 1", "shared", "performance"])),
        key().dedicated("UDP:443").invalid("quic:443", refused(&["TCP port 443", "beside the UDP port"])),
        key().dedicated("TCP:443").invalid("https:443", refused(&["elb.cert-id", "missing", "443"])),
    ]
}

fn certificates() -> Vec<Case> {
    let open = "kubernetes.io/elb.default-tls-container-ref";
    vec![
        key(CERT_ID)
            .dedicated("TCP:443")
            .beside(PROTOCOL_PORT, "https:443")
            .valid("{certificate:a}", sees("listener/default_tls_container_ref", "{certificate:a}"))
            .edge(" {certificate:b} ", sees("listener/default_tls_container_ref", "{certificate:b}"))
            .invalid("not an id", refused(&["\"not an id\"", "1 to 100 letters"]))
            .removed(refused(&["elb.cert-id", "missing", "port 443"])),
        key(CERT_ID).shared("TCP:80").edge("{certificate:a}", warned(&["elb.cert-id", "no port speaks HTTPS"])),
        key(open)
            .dedicated("TCP:443")
            .valid("{certificate:a}", sees("listener/protocol", "HTTPS").sees("pool/protocol", "HTTP"))
            .edge("{certificate:b}", sees("listener/default_tls_container_ref", "{certificate:b}"))
            .invalid("a/b", refused(&["\"a/b\"", "1 to 100 letters"]))
            .removed(sees("listener/protocol", "TCP")),
        key(open)
            .dedicated("TCP:443")
            .beside(CERT_ID, "{certificate:a}")
            .invalid("{certificate:b}", refused(&["something else than", "elb.cert-id", "one of them"])),
        https("client-ca-cert-id")
            .valid("{ca:a}", sees("listener/client_ca_tls_container_ref", "{ca:a}"))
            .edge("{ca:b}", sees("listener/client_ca_tls_container_ref", "{ca:b}"))
            .invalid("a b", refused(&["\"a b\"", "1 to 100 letters"]))
            .removed(sees("listener/client_ca_tls_container_ref", "{ca:b}")),
        key(&elb("client-ca-cert-id"))
            .shared("TCP:443")
            .beside(PROTOCOL_PORT, "https:443")
            .beside(CERT_ID, "{certificate:a}")
            .invalid("{ca:a}", refused(&["shared", "performance"])),
        key(&elb("client-ca-cert-id")).dedicated("TCP:80").invalid("{ca:a}", refused(&["no port speaks HTTPS"])),
        https("tls-certificate-ids")
            .valid("{certificate:b}", sees("listener/sni_container_refs", json!(["{certificate:b}"])))
            .edge(
                "{certificate:c}, {certificate:b},",
                sees("listener/sni_container_refs", json!(["{certificate:c}", "{certificate:b}"])),
            )
            .invalid("{certificate:b};{certificate:c}", refused(&["is not valid", "separated by commas"]))
            .removed(sees("listener/sni_container_refs", json!(["{certificate:c}", "{certificate:b}"]))),
        https("http2-enable")
            .valid("true", sees("listener/http2_enable", true))
            .edge("FALSE", sees("listener/http2_enable", false))
            .edge("True", sees("listener/http2_enable", true))
            .invalid("yes", refused(&["\"yes\"", "true or false"]))
            .removed(sees("listener/http2_enable", true)),
        http("http2-enable").edge("true", sees("listener/http2_enable", false).warned(&["no port speaks HTTPS"])),
        https("tls-ciphers-policy")
            .valid("tls-1-2", sees("listener/tls_ciphers_policy", "tls-1-2"))
            .edge("tls-1-2-strict", sees("listener/tls_ciphers_policy", "tls-1-2-strict"))
            .invalid("tls 1.2", refused(&["\"tls 1.2\"", "letters, digits, - _"]))
            .removed(sees("listener/tls_ciphers_policy", "tls-1-2-strict")),
        https("security_policy_id")
            .valid("{policy:a}", sees("listener/security_policy_id", "{policy:a}"))
            .edge("{policy:b}", sees("listener/security_policy_id", "{policy:b}"))
            .invalid("a.b", refused(&["\"a.b\"", "1 to 100 letters"]))
            .removed(sees("listener/security_policy_id", "{policy:b}")),
        https("security_policy_id").beside("kubernetes.io/elb.tls-ciphers-policy", "tls-1-0").edge(
            "{policy:a}",
            sees("listener/security_policy_id", "{policy:a}").warned(&["elb.tls-ciphers-policy", "without effect"]),
        ),
    ]
}

/// What the listener says to members.
fn members() -> Vec<Case> {
    vec![
        https("security-pool-protocol")
            .valid("on", sees("pool/protocol", "HTTPS"))
            .edge("off", sees("pool/protocol", "HTTP"))
            .edge("ON", sees("pool/protocol", "HTTPS"))
            .invalid("yes", refused(&["\"yes\"", "on, off"]))
            .removed(sees("pool/protocol", "HTTP")),
        http("security-pool-protocol").edge("on", warned(&["no port speaks what goes with it"])),
        https("pool-protocol")
            .valid("https", sees("pool/protocol", "HTTPS"))
            .edge("GRPC", sees("pool/protocol", "GRPC"))
            .invalid("ftp", refused(&["\"ftp\"", "http, https, grpc"]))
            .removed(sees("pool/protocol", "HTTP")),
        key(&elb("pool-protocol"))
            .dedicated("TCP:443")
            .beside(PROTOCOL_PORT, "tls:443")
            .beside(CERT_ID, "{certificate:a}")
            .valid("tls", sees("pool/protocol", "TLS"))
            .removed(sees("pool/protocol", "TCP")),
    ]
}

/// The three timeouts, in both vocabularies.
fn timeouts() -> Vec<Case> {
    let mut rows = Vec::new();
    for name in ["keepalive_timeout", "idle-timeout"] {
        let path = "listener/keepalive_timeout";
        rows.push(
            http(name)
                .valid("300", sees(path, 300))
                .edge("0", sees(path, 0))
                .edge("4000", sees(path, 4000))
                .invalid("4001", refused(&["\"4001\"", "from 0 to 4000"]))
                .invalid("400s", refused(&["\"400s\"", "without a unit"]))
                .removed(sees(path, 4000)),
        );
        rows.push(
            key(&elb(name))
                .shared("TCP:80")
                .edge("10", sees(path, 10))
                .invalid("9", refused(&["9 is too short", "TCP port 80", "10 to 4000"]))
                .removed(sees(path, 10)),
        );
        rows.push(key(&elb(name)).dedicated("UDP:53").valid("30", sees(path, 30)));
    }
    for (name, path) in [
        ("client_timeout", "listener/client_timeout"),
        ("request-timeout", "listener/client_timeout"),
        ("member_timeout", "listener/member_timeout"),
        ("response-timeout", "listener/member_timeout"),
    ] {
        rows.push(
            http(name)
                .valid("30", sees(path, 30))
                .edge("1", sees(path, 1))
                .edge("300", sees(path, 300))
                .invalid("0", refused(&["\"0\"", "from 1 to 300"]))
                .invalid("301", refused(&["\"301\"", "from 1 to 300"]))
                .removed(sees(path, 300)),
        );
        rows.push(key(&elb(name)).shared("TCP:80").edge("30", warned(&["no port speaks HTTP or HTTPS"])));
    }
    rows
}

/// Headers and compression.
fn headers() -> Vec<Case> {
    let mut rows = Vec::new();
    for (name, path) in [
        ("x-forwarded-port", "listener/insert_headers/X-Forwarded-Port"),
        ("x-forwarded-for-port", "listener/insert_headers/X-Forwarded-For-Port"),
        ("x-forwarded-host", "listener/insert_headers/X-Forwarded-Host"),
        ("gzip-enabled", "listener/gzip_enable"),
    ] {
        rows.push(
            http(name)
                .valid("true", sees(path, true))
                .edge("false", sees(path, false))
                .edge("TRUE", sees(path, true))
                .invalid("1", refused(&["\"1\"", "true or false"]))
                .removed(sees(path, true)),
        );
        rows.push(key(&elb(name)).dedicated("TCP:80").edge("true", warned(&["no port speaks HTTP or HTTPS"])));
    }
    for name in ["x-forwarded-port", "x-forwarded-for-port", "gzip-enabled"] {
        let case = key(&elb(name)).shared("TCP:80").beside(PROTOCOL_PORT, "http:80");
        rows.push(case.edge("true", warned(&["without effect on a shared load balancer", "performance"])));
    }
    rows.push(
        key(&elb("x-forwarded-host"))
            .shared("TCP:80")
            .beside("kubernetes.io/elb.class", "shared")
            .edge("true", sees("listener/protocol", "HTTP").sees("listener/insert_headers/X-Forwarded-Host", true)),
    );
    rows
}

fn client_addresses() -> Vec<Case> {
    let path = "listener/transparent_client_ip_enable";
    let mut rows = Vec::new();
    for name in ["transparent-client-ip", "enable-transparent-client-ip"] {
        rows.push(
            key(&elb(name))
                .shared("TCP:80")
                .spec("externalTrafficPolicy", "Local")
                .valid("true", sees(path, true))
                .edge("false", sees(path, false))
                .edge("True", sees(path, true))
                .invalid("on", refused(&["\"on\"", "true or false"]))
                .removed(sees(path, true)),
        );
        let hidden = ["pods do not", "externalTrafficPolicy: Local"];
        rows.push(key(&elb(name)).shared("TCP:80").edge("true", sees(path, true).warned(&hidden)));
        let dedicated = key(&elb(name)).dedicated("TCP:80").spec("externalTrafficPolicy", "Local");
        rows.push(dedicated.edge("false", warned(&["dedicated", "without effect"])));
    }
    rows
}

fn limits() -> Vec<Case> {
    let mut rows = Vec::new();
    for (name, path) in [("cps", "listener/cps"), ("connection", "listener/connection")] {
        rows.push(
            key(&elb(name))
                .dedicated("TCP:80,UDP:53")
                .valid("500", sees(path, 500))
                .edge("0", sees(path, 0))
                .edge("1000000", sees(path, 1_000_000))
                .invalid("1000001", refused(&["\"1000001\"", "from 0 to 1000000"]))
                .invalid("-1", refused(&["\"-1\"", "from 0 to 1000000"]))
                .removed(sees(path, 1_000_000)),
        );
        let shared = key(&elb(name)).shared("TCP:80");
        rows.push(shared.edge("500", warned(&["without effect on a shared load balancer"])));
    }
    rows
}

/// Who may connect.
fn access() -> Vec<Case> {
    let [id, status, kind] = ["acl-id", "acl-status", "acl-type"].map(elb);
    let white = || key(&id).beside(ACL_STATUS, "on").beside(ACL_TYPE, "white");
    let uses = |group: &str, on: bool, kind: &str| {
        sees("listener/ipgroup", json!({"ipgroup_id": group, "enable_ipgroup": on, "type": kind}))
    };
    let ranges = || key(&id).shared("TCP:80").spec("loadBalancerSourceRanges", json!(["10.0.0.0/8"]));
    vec![
        white()
            .dedicated("TCP:80,UDP:53")
            .valid("{group:a}", uses("{group:a}", true, "white"))
            .edge("", sees("listener/ipgroup", Value::Null))
            .edge(" {group:b}, ", uses("{group:b}", true, "white").sees("UDP:53/listener/ipgroup/type", "white"))
            .invalid("{group:a};{group:b}", refused(&["is not valid", "separated by commas"]))
            .removed(uses("{group:b}", true, "white")),
        white().shared("TCP:80").invalid("{group:a},{group:b}", refused(&["2 groups are too many", "performance"])),
        white().shared("TCP:80").invalid("no-such-group", unready(&["no-such-group could not be found"])),
        key(&id).shared("TCP:80").invalid("{group:a}", refused(&["elb.acl-status", "elb.acl-type", "missing"])),
        ranges()
            .edge("", sees("listener/ipgroup/type", "white").warned(&["elb.acl-id", "spec.loadBalancerSourceRanges"]))
            .invalid("{group:a}", refused(&["elb.acl-id", "spec.loadBalancerSourceRanges", "one of the two"])),
        key(&status)
            .shared("TCP:80")
            .beside(ACL_ID, "{group:a}")
            .beside(ACL_TYPE, "black")
            .valid("on", uses("{group:a}", true, "black"))
            .edge("False", uses("{group:a}", false, "black"))
            .invalid("maybe", refused(&["\"maybe\"", "on, off, true, false"]))
            .removed(refused(&["elb.acl-status", "missing"])),
        key(&kind)
            .shared("TCP:80")
            .beside(ACL_ID, "{group:a}")
            .beside(ACL_STATUS, "on")
            .valid("white", uses("{group:a}", true, "white"))
            .edge("BLACK", uses("{group:a}", true, "black"))
            .invalid("grey", refused(&["\"grey\"", "white, black"]))
            .removed(refused(&["elb.acl-type", "missing"])),
    ]
}
