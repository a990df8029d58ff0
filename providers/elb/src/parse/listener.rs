//! What each port speaks, and the fields of its listener that the table of keys sets.

use ferrolb_provider::{Desired, Protocol};
use serde_json::Value;

use super::read::Reader;
use crate::keys::{
    CERT_ID, CLIENT_CA_CERT_ID, DEFAULT_TLS_CONTAINER_REF, KEYS, Key, POOL_PROTOCOL, PROTOCOL_PORT, SECURITY_POLICY_ID,
    SECURITY_POOL_PROTOCOL, TLS_CIPHERS_POLICY, TRANSPARENT_CLIENT_IP, X_FORWARDED_HOST,
};
use crate::model::served;
use crate::settings::is_off;
use crate::spec::{Class, ElbProtocol, PortSpec, Settings};

const SYNTAX: &str = "pairs of protocol and port such as http:80,https:443; protocols are http, https, tls and quic";
const CERTIFICATE: &str = "default_tls_container_ref";
const KEEPALIVE: &str = "keepalive_timeout";

/// The ports that are served, with their listeners; `open`: the class is said in the open controller's words.
pub(super) fn parse(reader: &mut Reader<'_>, want: &Desired, class: Option<Class>, open: bool) -> Vec<PortSpec> {
    let mut ports: Vec<PortSpec> = served(want)
        .filter(|port| port.protocol != Protocol::Sctp)
        .map(|port| {
            let protocol = if port.protocol == Protocol::Udp { ElbProtocol::Udp } else { ElbProtocol::Tcp };
            PortSpec {
                transport: port.protocol,
                port: port.port,
                ranges: Vec::new(),
                protocol,
                listener: Settings::new(),
                pool_protocol: protocol,
                pool: Settings::new(),
                health: None,
            }
        })
        .collect();
    match reader.text(PROTOCOL_PORT) {
        Some(text) => protocols(reader, text, class, &mut ports),
        None => by_other_keys(reader, open, &mut ports),
    }
    for key in KEYS.iter().filter(|key| !key.sets.is_empty()) {
        if let Some(value) = reader.value(key) {
            set(reader, key, &value, class, &mut ports);
        }
    }
    certificates(reader, &ports);
    if ports
        .iter()
        .any(|p| p.listener.contains_key("security_policy_id") && p.listener.contains_key("tls_ciphers_policy"))
    {
        for port in &mut ports {
            port.listener.remove("tls_ciphers_policy");
        }
        reader.warn(TLS_CIPHERS_POLICY, format!("without effect beside {SECURITY_POLICY_ID}"), "one of the two");
    }
    pool_protocols(reader, &mut ports);
    ports
}

/// `elb.protocol-port`
fn protocols(reader: &mut Reader<'_>, text: &str, class: Option<Class>, ports: &mut [PortSpec]) {
    let mut named: Vec<(Protocol, u16)> = Vec::new();
    for (index, item) in text.split(',').map(str::trim).enumerate().filter(|(_, item)| !item.is_empty()) {
        let before = reader.errors.len();
        protocol(reader, item, class, ports, &mut named);
        for error in &mut reader.errors[before..] {
            error.at = format!("item {}", index + 1);
        }
    }
}

fn protocol(
    reader: &mut Reader<'_>,
    item: &str,
    class: Option<Class>,
    ports: &mut [PortSpec],
    named: &mut Vec<(Protocol, u16)>,
) {
    let parts = item.split_once(':').map(|(word, port)| (ElbProtocol::of(word.trim()), port.trim().parse::<u16>()));
    let Some((Some(protocol), Ok(number))) = parts.filter(|(p, _)| *p != Some(ElbProtocol::Grpc)) else {
        return reader.error(PROTOCOL_PORT, format!("\"{item}\" is not a protocol and a port"), SYNTAX);
    };
    let transport = protocol.transport();
    if named.contains(&(transport, number)) {
        return reader.error(PROTOCOL_PORT, format!("{transport} port {number} is named twice"), "each port once");
    }
    named.push((transport, number));
    if matches!(protocol, ElbProtocol::Tls | ElbProtocol::Quic) && class == Some(Class::Shared) {
        let word = protocol.word();
        return reader.error(
            PROTOCOL_PORT,
            format!("a shared load balancer does not speak {word}"),
            "class performance, or http, https",
        );
    }
    let tcp_too = ports.iter().any(|p| p.transport == Protocol::Tcp && p.port == number);
    let Some(port) = ports.iter_mut().find(|p| p.transport == transport && p.port == number) else {
        let word = protocol.word();
        return reader.error(
            PROTOCOL_PORT,
            format!("the Service has no {transport} port {number} that could speak {word}"),
            "ports of spec.ports",
        );
    };
    if protocol == ElbProtocol::Quic && !tcp_too {
        return reader.error(
            PROTOCOL_PORT,
            format!("requests that come by QUIC go to pods by TCP, and the Service has no TCP port {number}"),
            "a TCP port of the same number beside the UDP port",
        );
    }
    port.protocol = protocol;
}

/// The open controller has no `protocol-port`: other keys make all TCP ports speak HTTP or HTTPS.
fn by_other_keys(reader: &mut Reader<'_>, open: bool, ports: &mut [PortSpec]) {
    let protocol = if reader.text(DEFAULT_TLS_CONTAINER_REF).is_some() {
        ElbProtocol::Https
    } else if open && reader.text(X_FORWARDED_HOST).is_some_and(|v| v.eq_ignore_ascii_case("true")) {
        ElbProtocol::Http
    } else {
        return;
    };
    for port in ports.iter_mut().filter(|p| p.transport == Protocol::Tcp) {
        port.protocol = protocol;
    }
}

/// Sets the field of `key` on the listeners that it is for.
fn set(reader: &mut Reader<'_>, key: &Key, value: &Value, class: Option<Class>, ports: &mut [PortSpec]) {
    // Without it clients need no certificate, which is not what was asked for.
    let is_restriction = key.name == CLIENT_CA_CERT_ID;
    if let (Some(needed), Some(is)) = (key.class, class)
        && needed != is
    {
        if is_restriction {
            reader.error(key.name, "a shared load balancer does not ask clients for certificates", "class performance");
        } else if key.sets == "transparent_client_ip_enable" && value == true {
            // Dedicated load balancers do so anyway.
        } else {
            let word = if is == Class::Shared { "shared" } else { "dedicated" };
            reader.warn(
                key.name,
                format!("without effect on a {word} load balancer"),
                format!("class {}", needed.word()),
            );
        }
        return;
    }
    let is_for = |p: &PortSpec| key.listeners.is_empty() || key.listeners.contains(&p.protocol);
    if !ports.iter().any(is_for) {
        let words: Vec<&str> = key.listeners.iter().map(|p| p.word()).collect();
        let message = format!("no port speaks {}", words.join(" or "));
        if is_restriction {
            reader.error(key.name, message, format!("{PROTOCOL_PORT}, or no CA"));
        } else if !is_off(value) {
            reader.warn(
                key.name,
                format!("without effect: {message}"),
                format!("{PROTOCOL_PORT} says what a port speaks"),
            );
        }
        return;
    }
    let mut contradicts = false;
    for port in ports.iter_mut().filter(|p| is_for(p)) {
        if key.sets == KEEPALIVE && !port.protocol.is_http() {
            if port.protocol == ElbProtocol::Udp && class == Some(Class::Shared) {
                continue;
            }
            if value.as_u64().is_some_and(|seconds| seconds < 10) {
                let (transport, number) = (port.transport, port.port);
                let message = format!("{value} is too short for {transport} port {number}");
                return reader.error(key.name, message, "10 to 4000 seconds; less only where all ports speak HTTP");
            }
        }
        contradicts |= port.listener.get(key.sets).is_some_and(|other| other != value);
        port.listener.insert(key.sets, value.clone());
    }
    if contradicts {
        let others = KEYS.iter().filter(|k| k.sets == key.sets && k.name != key.name);
        let others: Vec<&str> = others.map(|k| k.name).collect();
        reader.error(key.name, format!("says something else than {}", others.join(", ")), "one of them");
    }
}

fn certificates(reader: &mut Reader<'_>, ports: &[PortSpec]) {
    let needs = |p: &&PortSpec| matches!(p.protocol, ElbProtocol::Https | ElbProtocol::Tls | ElbProtocol::Quic);
    let bare = ports.iter().filter(needs).find(|p| !p.listener.contains_key(CERTIFICATE));
    if let Some(port) = bare
        && reader.text(CERT_ID).or(reader.text(DEFAULT_TLS_CONTAINER_REF)).is_none()
    {
        let message = format!("missing: port {} speaks {} and needs a certificate", port.port, port.protocol.word());
        reader.error(CERT_ID, message, "the id of a server certificate");
    }
}

/// What the listener says to members.
fn pool_protocols(reader: &mut Reader<'_>, ports: &mut [PortSpec]) {
    let secure = reader.word(SECURITY_POOL_PROTOCOL).is_some_and(|word| word == "on");
    let wished = reader.word(POOL_PROTOCOL).and_then(|word| ElbProtocol::of(&word));
    let mut used = false;
    for port in ports.iter_mut() {
        let listener = port.protocol;
        port.pool_protocol = match listener {
            ElbProtocol::Https if secure => ElbProtocol::Https,
            ElbProtocol::Tls if secure => ElbProtocol::Tls,
            ElbProtocol::Https | ElbProtocol::Quic => ElbProtocol::Http,
            ElbProtocol::Tls => ElbProtocol::Tcp,
            other => other,
        };
        used |= secure && matches!(listener, ElbProtocol::Https | ElbProtocol::Tls);
        if let Some(wished) = wished.filter(|w| !secure && listener.takes(*w)) {
            port.pool_protocol = wished;
            used = true;
        }
    }
    if !used && (secure || wished.is_some()) {
        let key = if secure { SECURITY_POOL_PROTOCOL } else { POOL_PROTOCOL };
        reader.warn(
            key,
            "without effect: no port speaks what goes with it",
            "https or grpc behind HTTPS, tls behind TLS",
        );
    }
}

/// With policy Cluster nodes hide the client's address from pods, whatever the load balancer does.
pub(super) fn warn_of_hidden_clients(reader: &mut Reader<'_>, want: &Desired) {
    let key = [TRANSPARENT_CLIENT_IP, crate::keys::ENABLE_TRANSPARENT_CLIENT_IP]
        .into_iter()
        .find(|key| reader.text(key).is_some_and(|v| v.eq_ignore_ascii_case("true")));
    if let Some(key) = key
        && want.traffic_policy == ferrolb_provider::TrafficPolicy::Cluster
    {
        reader.warn(
            key,
            "nodes see the client's address, pods do not: with externalTrafficPolicy Cluster nodes put their own in its place",
            "externalTrafficPolicy: Local",
        );
    }
}
