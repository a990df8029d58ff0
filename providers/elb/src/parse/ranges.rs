//! `elb.port-ranges`: listeners that take ranges of ports instead of one.

use ferrolb_provider::{Desired, Problem, Protocol};
use serde_json::Value;

use super::read::{Reader, problem};
use crate::json;
use crate::keys::PORT_RANGES;
use crate::model::served;
use crate::resource::{PortRange, meet};
use crate::spec::{Class, ElbProtocol, PortSpec};

const EXAMPLE: &str = r#"{"cce-service-0":["100,200","300,400"]}"#;
/// The most that one listener takes.
const MOST: usize = 10;

/// Gives the ports that are named there their ranges.
pub(super) fn parse(reader: &mut Reader<'_>, want: &Desired, class: Option<Class>, ports: &mut [PortSpec]) {
    let Some(text) = reader.text_for_dedicated(PORT_RANGES, class) else {
        return;
    };
    let map = match json::object(PORT_RANGES, text, EXAMPLE) {
        Ok(map) => map,
        Err(problem) => return reader.errors.push(problem),
    };
    for (name, value) in &map {
        let wrong = |message: String, valid: String| Problem {
            at: format!("$.{name}"),
            ..problem(PORT_RANGES, message, valid)
        };
        let port = served(want).find(|p| p.name == *name);
        let Some(spec) = port.and_then(|p| ports.iter_mut().find(|s| s.transport == p.protocol && s.port == p.port))
        else {
            let names: Vec<&str> = served(want).map(|p| p.name.as_str()).collect();
            let valid = format!("the name of a port: {}", names.join(", "));
            reader.errors.push(wrong("no port of the Service has this name".to_owned(), valid));
            continue;
        };
        if !matches!(spec.protocol, ElbProtocol::Tcp | ElbProtocol::Udp | ElbProtocol::Tls) {
            let message = format!("port {} speaks {}, which has no ranges", spec.port, spec.protocol.word());
            reader.errors.push(wrong(message, "a port that speaks TCP, UDP or TLS".to_owned()));
            continue;
        }
        match ranges(value) {
            Ok(ranges) => spec.ranges = ranges,
            Err(message) => reader.errors.push(wrong(
                message,
                format!("at most {MOST} ranges of ports from 1 to 65535 that do not overlap, such as {EXAMPLE}"),
            )),
        }
    }
    overlaps(reader, ports);
    for spec in ports.iter().filter(|s| !s.ranges.is_empty()) {
        if !spec.ranges.iter().any(|(first, last)| (*first..=*last).contains(&spec.port)) {
            let message = format!("port {} is in none of its ranges, so that nobody listens on it", spec.port);
            reader.warn(PORT_RANGES, message, "a range with the port itself");
        }
    }
}

/// The ranges in order.
fn ranges(value: &Value) -> Result<Vec<PortRange>, String> {
    let items = value.as_array().ok_or_else(|| format!("{} is not a list of ranges", json::shown(value)))?;
    let mut ranges = Vec::new();
    for item in items {
        let ends = item.as_str().and_then(|text| text.split_once(','));
        let read = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
        match ends.and_then(|(first, last)| Some((read(first)?, read(last)?))) {
            Some((first, last)) if first <= last => ranges.push((first, last)),
            _ => return Err(format!("{} is not a range of ports", json::shown(item))),
        }
    }
    ranges.sort_unstable();
    if ranges.len() > MOST {
        return Err(format!("{} ranges are too many", ranges.len()));
    }
    if let Some(pair) = ranges.windows(2).find(|pair| meet(pair[0], pair[1])) {
        return Err(format!("the ranges {},{} and {},{} overlap", pair[0].0, pair[0].1, pair[1].0, pair[1].1));
    }
    Ok(ranges)
}

/// Two ports of one Service that would take the same one.
fn overlaps(reader: &mut Reader<'_>, ports: &[PortSpec]) {
    let is_datagram = |spec: &PortSpec| spec.protocol.transport() == Protocol::Udp;
    for (index, spec) in ports.iter().enumerate() {
        for other in ports[..index].iter().filter(|other| is_datagram(other) == is_datagram(spec)) {
            if spec.taken().iter().any(|a| other.taken().iter().any(|b| meet(*a, *b))) {
                let message = format!("ports {} and {} would take the same ones", other.port, spec.port);
                reader.error(PORT_RANGES, message, "ranges that do not overlap");
            }
        }
    }
}
