//! Users, at random: they create, edit, delete, flip, revert, and meddle with nodes, classes and the cloud.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::api::fields::{set, strings};
use crate::api::refusal::Refusal;
use crate::api::store::{Key, Kind, Via};
use crate::dice::Dice;
use crate::hands;
use crate::law::{FINALIZER, HOLDER, serves};
use crate::plan::Fault;
use crate::sim::{Sim, State};
use crate::wish::{Wish, any_ranges, foreign_balancer, foreign_eip};

/// Somebody else's finalizer.
const HOLD: &str = "example.com/hold";

/// A cluster and a cloud as people find them.
pub fn furnish(sim: &Sim) {
    let now = sim.wall();
    sim.with(|s| {
        for number in 1..=3 {
            // A fresh store refuses nothing of this.
            let _ = s.api.create((Kind::Node, String::new(), format!("node-{number}")), node(number), "kubelet", now);
        }
        for namespace in ["a", "b", "default", "ferrolb-system"] {
            let key = (Kind::Namespace, String::new(), namespace.to_owned());
            let _ = s.api.create(key, json!({"metadata": {}}), "user", now);
        }
        let gold = json!({"metadata": {}, "spec": {"provider": "elb"}});
        let _ = s.api.create(gold_key(), gold, "user", now);
        let ids = [foreign_balancer(&s.cloud, 1), foreign_balancer(&s.cloud, 2)];
        s.law.strangers = ids.to_vec();
        s.law.eip = foreign_eip(&s.cloud);
        s.law.ledger.load(&s.cloud);
        s.law.shared = s.law.ledger.addresses();
    });
}

/// Acts until the trouble ends.
pub async fn play(sim: Arc<Sim>) {
    let mut dice = Dice::new(sim.plan.seed, "users");
    // Mostly as in a real cluster; sometimes a crowd.
    let pause = [2_000, 10_000, 10_000, 10_000, 40_000, 40_000, 40_000, 40_000][dice.below(8) as usize];
    let end = sim.with(|s| s.faults.end());
    loop {
        tokio::time::sleep(dice.millis(10, pause)).await;
        if sim.now() >= end {
            return;
        }
        act(&sim, &mut dice);
    }
}

/// The trouble is over: what holds Services back or is half done comes right.
pub fn leave(sim: &Sim) {
    let now = sim.wall();
    sim.with(|s| {
        let held: Vec<Key> = s.api.all(Kind::Service).map(|(key, _)| key.clone()).collect();
        for key in held {
            let _ = edit(s, &key, |service| set(service, &format!("finalizers/{HOLD}"), None));
        }
        let gold = json!({"metadata": {}, "spec": {"provider": "elb"}});
        let _ = s.api.create(gold_key(), gold, "user", now);
    });
}

fn act(sim: &Arc<Sim>, dice: &mut Dice) {
    let namespace = if dice.chance(0.7) { "a" } else { "b" };
    let key: Key = (Kind::Service, namespace.to_owned(), format!("svc-{}", dice.below(sim.plan.services)));
    let on = |fault| sim.with(|s| s.faults.is_on(fault, sim.now()));
    let what = dice.below(100);
    sim.with(|s| {
        s.tally.users += 1;
        s.note(sim.now(), || format!("user {what} {}/{}", key.1, key.2));
    });
    match what {
        0..=24 => drop(create(sim, &key, dice)),
        25..=34 => delete(sim, &key),
        35..=42 => ports(sim, &key, dice),
        43..=46 => hold(sim, &key, dice),
        47..=52 => nodes(sim, dice),
        53..=56 => endpoints(sim, &key, dice),
        57..=64 if on(Fault::F39) => again(sim, key, dice),
        65..=72 if on(Fault::F40) => flip(sim, &key, dice),
        73..=79 if on(Fault::F41) => wish_anew(sim, &key, dice),
        80..=82 if on(Fault::F41) => class(sim),
        83..=86 if on(Fault::F43) => revert(sim, key, dice),
        87..=94 if on(Fault::F33) => {
            sim.with(|s| {
                s.faults.count(Fault::F33);
                hands::meddle(s, dice);
            });
        }
        95..=96 if on(Fault::F44) => {
            sim.with(|s| s.faults.count(Fault::F44));
            for number in 0..15 {
                let _ = create(sim, &(Kind::Service, "a".to_owned(), format!("many-{number}")), dice);
            }
        }
        97 if on(Fault::F45) => {
            sim.with(|s| s.faults.count(Fault::F45));
            let all: Vec<Key> = sim.with(|s| s.api.all(Kind::Service).map(|(key, _)| key.clone()).collect());
            all.iter().filter(|key| key.1 == "b").for_each(|key| delete(sim, key));
        }
        _ => {}
    }
}

fn create(sim: &Sim, key: &Key, dice: &mut Dice) -> Result<Value, Refusal> {
    let wish = any_wish(sim, dice);
    let class = *dice.pick(&["", "", "ferrolb.io/elb", "ferrolb.io/gold", "example.com/other"]).unwrap_or(&"");
    let kind = if dice.chance(0.9) { "LoadBalancer" } else { "ClusterIP" };
    let ports = any_ports(dice);
    let ranges = any_ranges(&mut range_dice(sim));
    sim.with(|s| {
        let existing = dice.pick(&s.law.strangers).cloned().unwrap_or_default();
        let mut service = json!({
            "metadata": {"annotations": wish.annotations(&existing, &s.law.eip)}, "spec": {"type": kind, "ports": ports},
        });
        if !class.is_empty() && kind == "LoadBalancer" {
            service["spec"]["loadBalancerClass"] = json!(class);
        }
        if let Some(ranges) = ranges.filter(|_| kind == "LoadBalancer") {
            service["spec"]["loadBalancerSourceRanges"] = ranges;
        }
        s.api.create(key.clone(), service, "user", sim.wall())
    })
}

fn delete(sim: &Sim, key: &Key) {
    // There may be none.
    let _ = sim.with(|s| s.api.delete(key, sim.wall()));
}

fn ports(sim: &Sim, key: &Key, dice: &mut Dice) {
    let (ports, keep) = (any_ports(dice), dice.chance(0.7));
    let policy = *dice.pick(&["Cluster", "Local"]).unwrap_or(&"Cluster");
    let mut range_dice = range_dice(sim);
    let ranges = range_dice.chance(0.5).then(|| any_ranges(&mut range_dice));
    sim.with(|s| {
        let uid = uid(s, key);
        if let Some(uid) = uid.as_deref().filter(|_| ranges.is_some()) {
            s.law.rerange(uid, sim.now());
        }
        // What is kept may be a port that somebody else has.
        let held = s.api.get(key).is_some_and(|service| serves(service, &service["spec"]["ports"][0]));
        let all_change = !(keep && held);
        let _ = edit(s, key, |service| {
            let kept = service["spec"]["ports"][0].clone();
            let mut list = ports.clone();
            if keep {
                list.retain(|p| p["port"] != kept["port"] || p["protocol"] != kept["protocol"]);
                list.insert(0, kept);
            }
            service["spec"]["ports"] = json!(list);
            if service["spec"]["type"] == "LoadBalancer" {
                service["spec"]["externalTrafficPolicy"] = json!(policy);
                match &ranges {
                    Some(Some(ranges)) => service["spec"]["loadBalancerSourceRanges"] = ranges.clone(),
                    Some(None) => let_all_in(service),
                    None => {}
                }
            }
        });
        // Without any port that was served before there is a moment in which nothing is.
        if let Some(uid) = uid.filter(|_| all_change) {
            s.law.reopen(&uid);
        }
    });
}

fn hold(sim: &Sim, key: &Key, dice: &mut Dice) {
    let on = dice.chance(0.5);
    let held = json!(HOLD);
    let _ = sim.with(|s| edit(s, key, |service| set(service, &format!("finalizers/{HOLD}"), on.then_some(&held))));
}

fn nodes(sim: &Sim, dice: &mut Dice) {
    let number = 1 + dice.below(6);
    let key = (Kind::Node, String::new(), format!("node-{number}"));
    let what = dice.below(3);
    let yes = json!("");
    sim.with(|s| {
        let label = "labels/node.kubernetes.io/exclude-from-external-load-balancers";
        let _ = match what {
            0 => s.api.create(key, node(number), "kubelet", sim.wall()).map(drop),
            1 if number > 1 => s.api.delete(&key, sim.wall()),
            _ => {
                let excluded = s.api.get(&key).is_some_and(|n| n["metadata"]["labels"].is_object());
                edit(s, &key, |node| set(node, label, (!excluded).then_some(&yes))).map(drop)
            }
        };
    });
}

fn endpoints(sim: &Sim, service: &Key, dice: &mut Dice) {
    let key = (Kind::Slice, service.1.clone(), format!("{}-x", service.2));
    let endpoints: Vec<Value> = (0..dice.below(4))
        .map(|n| {
            json!({"addresses": [format!("10.244.0.{}", n + 1)], "nodeName": format!("node-{}", 1 + n % 3),
            "conditions": {"ready": dice.chance(0.8), "serving": true, "terminating": false}})
        })
        .collect();
    sim.with(|s| {
        let slice = json!({"metadata": {"labels": {"kubernetes.io/service-name": service.2}}, "addressType": "IPv4",
            "endpoints": endpoints, "ports": container_ports()});
        if s.api.create(key.clone(), slice, "endpoints", sim.wall()).is_err() {
            let _ = edit(s, &key, |slice| slice["endpoints"] = json!(endpoints));
        }
    });
}

/// F39: deleted and created under the same name, as soon as the name is free.
fn again(sim: &Arc<Sim>, key: Key, dice: &mut Dice) {
    sim.with(|s| s.faults.count(Fault::F39));
    delete(sim, &key);
    let (sim, mut dice) = (sim.clone(), Dice::new(dice.bits(), "again"));
    tokio::spawn(async move {
        for _ in 0..200 {
            tokio::time::sleep(dice.millis(10, 900)).await;
            if sim.now() >= sim.plan.chaos() || create(&sim, &key, &mut dice).is_ok() {
                return;
            }
        }
    });
}

fn flip(sim: &Arc<Sim>, key: &Key, dice: &mut Dice) {
    sim.with(|s| s.faults.count(Fault::F40));
    let flip_once = |sim: &Sim, key: &Key| {
        sim.with(|s| {
            if let Some(uid) = uid(s, key) {
                s.law.edit(&uid);
            }
            let _ = edit(s, key, |service| {
                let balanced = service["spec"]["type"] == "LoadBalancer";
                service["spec"]["type"] = json!(if balanced { "ClusterIP" } else { "LoadBalancer" });
                // No other type may have any.
                let_all_in(service);
            });
        });
    };
    flip_once(sim, key);
    if dice.chance(0.6) {
        let (sim, key, wait) = (sim.clone(), key.clone(), dice.millis(20, 60_000));
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            if sim.now() < sim.plan.chaos() {
                flip_once(&sim, &key);
            }
        });
    }
}

/// F41: other annotations, right or wrong.
fn wish_anew(sim: &Sim, key: &Key, dice: &mut Dice) {
    let wish = any_wish(sim, dice);
    sim.with(|s| {
        s.faults.count(Fault::F41);
        let Some(uid) = uid(s, key) else { return };
        let existing = dice.pick(&s.law.strangers).cloned().unwrap_or_default();
        s.law.edit(&uid);
        let eip = s.law.eip.clone();
        let _ = edit(s, key, |service| {
            let mut annotations = wish.annotations(&existing, &eip);
            // What the product wrote there stays: people edit what they have got.
            if let Some(holder) = service["metadata"]["annotations"][HOLDER].as_str() {
                annotations[HOLDER] = json!(holder);
            }
            service["metadata"]["annotations"] = annotations;
        });
    });
}

/// F41: the class object comes and goes.
fn class(sim: &Sim) {
    sim.with(|s| {
        s.faults.count(Fault::F41);
        if s.api.delete(&gold_key(), sim.wall()).is_err() {
            let gold = json!({"metadata": {}, "spec": {"provider": "elb"}});
            let _ = s.api.create(gold_key(), gold, "user", sim.wall());
        }
    });
}

/// F43: finalizer or annotation or both are reverted every 5 s for a while.
fn revert(sim: &Arc<Sim>, key: Key, dice: &mut Dice) {
    sim.with(|s| s.faults.count(Fault::F43));
    let (what, times) = (1 + dice.below(3), 1 + dice.below(20));
    let sim = sim.clone();
    tokio::spawn(async move {
        for _ in 0..times {
            if sim.now() >= sim.plan.chaos() {
                return;
            }
            sim.with(|s| {
                let Some(service) = s.api.get(&key) else { return };
                let had = strings(&service["metadata"]["finalizers"]).iter().any(|f| f == FINALIZER);
                let uid = uid(s, &key).unwrap_or_default();
                if what & 1 != 0 && had {
                    s.law.rob(&uid);
                    let _ = edit(s, &key, |service| set(service, &format!("finalizers/{FINALIZER}"), None));
                }
                if what & 2 != 0 {
                    let _ = edit(s, &key, |service| set(service, &format!("annotations/{HOLDER}"), None));
                }
            });
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    });
}

/// A user's edit of the object itself.
pub fn edit(s: &mut State, key: &Key, change: impl FnOnce(&mut Value)) -> Result<Value, Refusal> {
    s.api.update(key, Via::Main, "user", |old| {
        let mut new = old.clone();
        change(&mut new);
        Ok(new)
    })
}

pub fn uid(s: &State, key: &Key) -> Option<String> {
    s.api.get(key)?["metadata"]["uid"].as_str().map(str::to_owned)
}

fn let_all_in(service: &mut Value) {
    if let Some(spec) = service["spec"].as_object_mut() {
        spec.remove("loadBalancerSourceRanges");
    }
}

/// A stream of its own, so that source ranges do not change the luck of anything else.
fn range_dice(sim: &Sim) -> Dice {
    let moment = u64::try_from(sim.now().as_millis()).unwrap_or_default();
    Dice::new(sim.plan.seed ^ moment, "ranges")
}

fn any_wish(sim: &Sim, dice: &mut Dice) -> Wish {
    let mut wish = Wish::any(dice);
    // A stream of its own here, too.
    let moment = u64::try_from(sim.now().as_millis()).unwrap_or_default();
    let mut nat = Dice::new(sim.plan.seed ^ moment, "nat");
    if nat.chance(0.15) {
        wish = if nat.chance(0.5) { Wish::Dnat } else { Wish::DnatShared };
    }
    let nested = sim.with(|s| s.faults.strikes(Fault::F38, sim.now(), 0.05));
    if nested { Wish::Nested } else { wish }
}

fn any_ports(dice: &mut Dice) -> Vec<Value> {
    let mut ports = Vec::new();
    for (port, protocol) in [(80, "TCP"), (443, "TCP"), (53, "UDP"), (8080, "TCP")] {
        if ports.is_empty() || dice.chance(0.3) {
            let port = if ports.is_empty() { port + dice.below(3) } else { port };
            ports.push(json!({"name": format!("p{port}"), "port": port, "protocol": protocol}));
        }
    }
    ports
}

/// What a pod listens on for each port that a Service may have.
fn container_ports() -> Vec<Value> {
    let of = |(port, protocol)| json!({"name": format!("p{port}"), "port": 9000 + port, "protocol": protocol});
    let tcp = [80, 81, 82, 443, 8080].map(|port| of((port, "TCP")));
    tcp.into_iter().chain([of((53, "UDP"))]).collect()
}

/// A node as its kubelet describes it.
pub fn node(number: u64) -> Value {
    json!({"metadata": {}, "spec": {}, "status": {
        "addresses": [{"type": "InternalIP", "address": format!("172.16.0.{number}")}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }})
}

pub fn gold_key() -> Key {
    (Kind::Class, String::new(), "gold".to_owned())
}
