//! A Service's end: nothing of ours stays in the cloud, nothing of others changes.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::harness::{Cloud, Light, Scene, manifest};
use crate::report::Report;

const PATIENCE: Duration = Duration::from_secs(20);
/// Neutron id of the mock's subnet for load balancers.
pub const SUBNET: &str = "fe220000-0000-4000-8000-000000000011";

/// Its name, its annotations, and how many objects it makes.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], usize);

pub fn run(bed: &Light, report: &mut Report) -> Result<()> {
    let scene = Scene::new(bed, "delete", &[])?;
    let cloud = scene.cloud();
    let foreign = foreign_objects(&cloud)?;
    let before = cloud.ledger()?;

    // Beside the load balancer and its EIP: two listeners, two pools with a monitor each, three nodes in both.
    let children = 12;
    let cases: [Case<'_>; 4] = [
        ("public", &[(manifest::CLASS, "union"), (manifest::AUTOCREATE, manifest::PUBLIC)], 2 + children),
        ("inner", &[(manifest::CLASS, "union"), (manifest::AUTOCREATE, r#"{"type":"inner"}"#)], 1 + children),
        ("elb.id", &[(manifest::CLASS, "union"), (manifest::ID, &foreign)], children),
        ("elb.id-without-class", &[(manifest::ID, &foreign)], children),
    ];
    for (case, annotations, ours) in cases {
        let name = case.replace('.', "-");
        let service = scene.create(&manifest::service(&name, annotations, &[("TCP", 80), ("UDP", 53)]))?;
        service.await_ready(PATIENCE)?;
        let present = cloud.ledger()?;
        report.say(format!("{case}: made {}", difference(&before, &present)));
        report.equal(&format!("{case}/objects-made"), total(&present) - total(&before), ours);
        report.equal(&format!("{case}/foreign-changed-meanwhile"), changed(&before, &present), "none".to_owned());
        let began = std::time::Instant::now();
        service.delete()?;
        service.await_gone(PATIENCE)?;
        report.within(&format!("{case}/gone-after"), began.elapsed(), Duration::from_secs(5));
        let after = cloud.ledger()?;
        report.equal(&format!("{case}/left-of-ours"), difference(&before, &after), "nothing".to_owned());
        report.equal(&format!("{case}/foreign-changed"), changed(&before, &after), "none".to_owned());
    }
    report.holds("ledger-as-before", cloud.summary()?, cloud.ledger()? == before, "=deep-equal");
    Ok(())
}

/// An EIP, a load balancer and a listener on it that are not ours; the load balancer's id.
fn foreign_objects(cloud: &Cloud<'_>) -> Result<String> {
    let eip = json!({"publicip": {"type": "5_bgp"}, "bandwidth": {"name": "theirs", "size": 5, "share_type": "PER", "charge_mode": "traffic"}});
    cloud.raw("POST", "v1", "publicips", Some(&eip))?;
    let id = load_balancer(cloud, "theirs")?;
    let listener =
        json!({"listener": {"loadbalancer_id": id, "protocol": "TCP", "protocol_port": 9000, "name": "theirs"}});
    cloud.raw("POST", "v3", "elb/listeners", Some(&listener))?;
    Ok(id)
}

/// A shared load balancer that is not ours.
pub fn load_balancer(cloud: &Cloud<'_>, name: &str) -> Result<String> {
    let body = json!({"loadbalancer": {"name": name, "vip_subnet_id": SUBNET}});
    let made = cloud.raw("POST", "v2", "elb/loadbalancers", Some(&body))?;
    Ok(made["loadbalancer"]["id"].as_str().context("the cloud gave no id")?.to_owned())
}

/// What is there and was not: counts by kind.
fn difference(before: &BTreeMap<String, Value>, now: &BTreeMap<String, Value>) -> String {
    let kinds = ["eips", "loadbalancers", "listeners", "pools", "members", "healthmonitors"];
    let count = |ledger: &BTreeMap<String, Value>, kind: &str| objects(ledger, kind).len();
    let more = kinds.iter().map(|kind| (kind, count(now, kind).saturating_sub(count(before, kind))));
    let parts: Vec<String> = more.filter(|(_, n)| *n > 0).map(|(kind, n)| format!("{kind}={n}")).collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(",") }
}

/// How many objects there are.
fn total(ledger: &BTreeMap<String, Value>) -> usize {
    ledger.keys().map(|kind| objects(ledger, kind).len()).sum()
}

/// Objects of `before` that are gone or no longer the same. What a load balancer lists as its children does not count:
/// while we use a foreign one, our listeners are among them.
fn changed(before: &BTreeMap<String, Value>, now: &BTreeMap<String, Value>) -> String {
    let mut found = Vec::new();
    for kind in before.keys() {
        for old in objects(before, kind) {
            let new = objects(now, kind).into_iter().find(|object| object["id"] == old["id"]);
            let name = format!("{kind}:{}", old["id"].as_str().unwrap_or("?"));
            if new.map(without_children) != Some(without_children(old)) {
                found.push(name);
            }
        }
    }
    if found.is_empty() { "none".to_owned() } else { found.join(",") }
}

fn objects(ledger: &BTreeMap<String, Value>, kind: &str) -> Vec<Value> {
    ledger.get(kind).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn without_children(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("listeners");
        fields.remove("pools");
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_and_a_loss_are_found() {
        let ledger = |name: &str| {
            BTreeMap::from([("eips".to_owned(), json!([{"id": "1", "alias": name, "listeners": [name]}]))])
        };
        assert_eq!(changed(&ledger("a"), &ledger("a")), "none");
        assert_eq!(changed(&ledger("a"), &ledger("b")), "eips:1");
        assert_eq!(changed(&ledger("a"), &BTreeMap::new()), "eips:1");
        assert_eq!(difference(&BTreeMap::new(), &ledger("a")), "eips=1");
        assert_eq!(difference(&ledger("a"), &ledger("b")), "nothing");
    }
}
