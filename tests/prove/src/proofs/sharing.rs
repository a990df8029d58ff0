//! Twenty Services on one load balancer that want the same ports: one holder each, and an heir when it goes.
//!
//! `SEED=7` repeats a run; each run says its seed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use ferrolb_lab::wait_for;
use serde_json::{Value, json};

use super::delete::load_balancer;
use super::sim::number;
use crate::harness::{Light, Scene, Service, condition, manifest};
use crate::report::Report;

const PATIENCE: Duration = Duration::from_secs(30);
/// How long an heir may take, from the call that deletes the holder on.
const TAKE_OVER: Duration = Duration::from_secs(5);
const SERVICES: usize = 20;
/// What they quarrel about: each wants three of these.
const PORTS: [(&str, u16); 8] =
    [("TCP", 80), ("TCP", 443), ("TCP", 8080), ("TCP", 53), ("UDP", 53), ("UDP", 443), ("TCP", 25), ("UDP", 123)];
const KINDS: [&str; 4] = ["listeners", "pools", "healthmonitors", "members"];

pub fn run(bed: &Light, report: &mut Report) -> Result<()> {
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.subsec_nanos();
    let seed = number("SEED", u64::from(clock % 10_000))?;
    let mut dice = Dice(seed);
    report.holds("seed", seed, true, "for-information");
    let mut scene = Scene::new(bed, "sharing", &["--settle-seconds=2"])?;
    let balancer = load_balancer(&scene.cloud(), "theirs")?;
    let theirs =
        json!({"listener": {"loadbalancer_id": balancer, "protocol": "TCP", "protocol_port": 25, "name": "theirs"}});
    scene.cloud().raw("POST", "v3", "elb/listeners", Some(&theirs))?;
    let before = scene.cloud().ledger()?;

    let mut alive: Vec<Wish> = (0..SERVICES).map(|n| Wish::new(n, &mut dice)).collect();
    dice.shuffle(&mut alive);
    for (number, wish) in alive.iter().enumerate() {
        scene.create(&manifest::service(&wish.name, &[(manifest::ID, &balancer)], &wish.ports))?;
        if number == SERVICES / 2 {
            scene.kill_controller()?;
            scene.launch_controller()?;
        }
    }
    scene.running()?.await_ready()?;
    let first = quiet(&scene, &alive, PATIENCE);
    report.holds("created/one-holder-per-port", told(&first), first.is_ok(), "each,named-to-others");
    let (first, _) = first?;
    report.equal("created/ports-held", first.len(), wanted(&alive).len());

    let mut slowest = Duration::ZERO;
    let (mut touched, mut upstarts) = (BTreeSet::new(), BTreeSet::new());
    let ages = ages(&scene)?;
    let mut heirs = 0;
    for round in 0..SERVICES {
        if round == SERVICES / 3 {
            restart(&mut scene, report, &alive)?;
        }
        let gone = alive.swap_remove(dice.below(alive.len()));
        let old = scene.cloud().ledger()?;
        let held = held_by(&old, &scene.namespace, &gone.name);
        let began = Instant::now();
        Service::new(scene.lab, &scene.namespace, &gone.name).delete()?;
        let freed: Vec<String> = wanted(&alive).intersection(&held).cloned().collect();
        let (holders, now) = quiet(&scene, &alive, PATIENCE).with_context(|| format!("after {} went", gone.name))?;
        if !freed.is_empty() {
            heirs += freed.len();
            slowest = slowest.max(began.elapsed());
        }
        for port in freed {
            let asking = alive.iter().filter(|wish| wish.slots().any(|slot| slot == port));
            let eldest = asking.min_by_key(|wish| ages.get(&wish.name)).map(|wish| &wish.name);
            if holders.get(&port) != eldest {
                upstarts.insert(format!("{port}:{:?}-before-{eldest:?}", holders.get(&port)));
            }
        }
        touched.extend(changed(&old, &now, &scene.namespace, &gone.name));
    }
    report.holds("ports-inherited", heirs, heirs > 0, ">0");
    report.within("slowest-inheritance", slowest, TAKE_OVER);
    report.equal("heirs-but-the-eldest", upstarts.into_iter().collect::<Vec<_>>().join(","), String::new());
    report.equal("others-touched", touched.into_iter().collect::<Vec<_>>().join(","), String::new());
    for number in 0..SERVICES {
        Service::new(scene.lab, &scene.namespace, &name(number)).await_gone(PATIENCE)?;
    }
    let after = scene.cloud().ledger()?;
    report.holds("user's-load-balancer", scene.cloud().summary()?, after == before, "=deep-equal");
    Ok(())
}

/// SIGKILL, and a new process: the same holders, and nothing is written.
fn restart(scene: &mut Scene<'_>, report: &mut Report, alive: &[Wish]) -> Result<()> {
    let before = scene.cloud().ledger()?;
    scene.kill_controller()?;
    scene.cloud().reset_calls()?;
    scene.start_controller()?;
    scene.cloud().await_silence(Duration::from_secs(3))?;
    let (holders, after) = quiet(scene, alive, PATIENCE)?;
    report.holds("restarted/objects", scene.cloud().summary()?, before == after, "=deep-equal");
    report.equal("restarted/writes", scene.cloud().totals()?.1, 0);
    report.equal("restarted/ports-held", holders.len(), wanted(alive).len());
    Ok(())
}

/// What one Service asks for.
struct Wish {
    name: String,
    ports: Vec<(&'static str, u16)>,
}

impl Wish {
    fn new(number: usize, dice: &mut Dice) -> Self {
        let mut ports = PORTS.to_vec();
        dice.shuffle(&mut ports);
        ports.truncate(3);
        Self { name: name(number), ports }
    }

    fn slots(&self) -> impl Iterator<Item = String> {
        self.ports.iter().map(|(protocol, port)| format!("{protocol}:{port}"))
    }
}

fn name(number: usize) -> String {
    format!("web-{number:02}")
}

/// Ports that somebody wants and the user does not have.
fn wanted(alive: &[Wish]) -> BTreeSet<String> {
    alive.iter().flat_map(Wish::slots).filter(|slot| slot != "TCP:25").collect()
}

/// By name, when each was made, and its UID, which decides within a second.
fn ages(scene: &Scene<'_>) -> Result<BTreeMap<String, (String, String)>> {
    let list = scene.lab.api("GET", &format!("/api/v1/namespaces/{}/services", scene.namespace), None)?;
    let text = |service: &Value, field: &str| service["metadata"][field].as_str().unwrap_or_default().to_owned();
    let age = |service: &Value| (text(service, "name"), (text(service, "creationTimestamp"), text(service, "uid")));
    Ok(list["items"].as_array().into_iter().flatten().map(age).collect())
}

type Ledger = BTreeMap<String, Value>;

/// Waits until every wanted port has one holder and all others are told of it; the holders, and what is there then.
fn quiet(scene: &Scene<'_>, alive: &[Wish], patience: Duration) -> Result<(BTreeMap<String, String>, Ledger)> {
    wait_for("each port to have its holder", patience, || {
        let ledger = scene.cloud().ledger()?;
        let holders = holders(&ledger, &scene.namespace)?;
        let ports: BTreeSet<String> = holders.keys().cloned().collect();
        ensure!(ports == wanted(alive), "held are {ports:?}");
        // One that goes holds its ports until its pass has begun.
        let stays = |name: &String| alive.iter().any(|wish| wish.name == *name);
        ensure!(holders.values().all(stays), "held by {holders:?}");
        let list = scene.lab.api("GET", &format!("/api/v1/namespaces/{}/services", scene.namespace), None)?;
        for wish in alive {
            let object = list["items"].as_array().into_iter().flatten().find(|s| s["metadata"]["name"] == wish.name);
            let ready = object.and_then(|object| condition(object, "Ready"));
            let ready = ready.with_context(|| format!("{} has no condition", wish.name))?;
            let others: Vec<String> = wish.slots().filter(|slot| holders.get(slot) != Some(&wish.name)).collect();
            for slot in &others {
                let holder =
                    holders.get(slot).map_or("(theirs)".to_owned(), |name| format!("{}/{name}", scene.namespace));
                let is_named =
                    ready.message.split("; ").any(|part| part.contains(&format!("{slot} ")) && part.contains(&holder));
                ensure!(is_named, "{} is not told that {slot} is held by {holder}: {}", wish.name, ready.message);
            }
            ensure!((ready.status == "True") == others.is_empty(), "{} is Ready={}", wish.name, ready.status);
        }
        Ok(Some((holders, ledger)))
    })
}

/// By port, the Service that has it; two are an error, and so is one that did not ask.
fn holders(ledger: &Ledger, namespace: &str) -> Result<BTreeMap<String, String>> {
    let mut holders = BTreeMap::new();
    for listener in objects(ledger, "listeners") {
        let Some(name) = owner(listener, namespace) else { continue };
        let slot = format!("{}:{}", listener["protocol"].as_str().unwrap_or("?"), listener["protocol_port"]);
        let other = holders.insert(slot, name.to_owned());
        ensure!(other.is_none(), "{other:?} and {name} have the same port");
    }
    Ok(holders)
}

fn held_by(ledger: &Ledger, namespace: &str, name: &str) -> BTreeSet<String> {
    let holders = holders(ledger, namespace).unwrap_or_default();
    holders.into_iter().filter(|(_, holder)| holder == name).map(|(slot, _)| slot).collect()
}

/// The Service in an owner mark.
fn owner<'a>(object: &'a Value, namespace: &str) -> Option<&'a str> {
    let (_, service) = object["description"].as_str()?.split_once(" service=")?;
    service.strip_prefix(namespace)?.strip_prefix('/')
}

/// Objects that are gone or no longer the same, but those of the Service that went.
fn changed(old: &Ledger, now: &Ledger, namespace: &str, gone: &str) -> Vec<String> {
    let theirs: Vec<&Value> = objects(old, "pools").filter(|pool| owner(pool, namespace) == Some(gone)).collect();
    let is_theirs = |object: &Value| {
        let id = &object["id"];
        let listed = |pool: &&Value| pool["members"].as_array().into_iter().flatten().any(|m| m["id"] == *id);
        owner(object, namespace) == Some(gone)
            || theirs.iter().any(|pool| pool["healthmonitor_id"] == *id || listed(pool))
    };
    let mut found = Vec::new();
    for kind in KINDS {
        for object in objects(old, kind).filter(|object| !is_theirs(object)) {
            if !objects(now, kind).any(|other| other == object) {
                found.push(format!("{kind}:{}", object["id"].as_str().unwrap_or("?")));
            }
        }
    }
    found
}

fn objects<'a>(ledger: &'a Ledger, kind: &str) -> impl Iterator<Item = &'a Value> {
    ledger.get(kind).and_then(Value::as_array).into_iter().flatten()
}

fn told<T>(result: &Result<T>) -> String {
    result.as_ref().map_or_else(|error| format!("{error:#}"), |_| "each".to_owned())
}

/// Numbers that the seed decides (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_lose_is_found_and_what_goes_with_its_owner_is_not() {
        let mark = |name: &str| format!("ferrolb.io/owner cluster=c uid=u service=ns/{name}");
        let listener =
            |id: &str, name: &str| json!({"id": id, "protocol": "TCP", "protocol_port": 80, "description": mark(name)});
        let pool = json!({"id": "p", "healthmonitor_id": "h", "members": [{"id": "m"}], "description": mark("a")});
        let old: Ledger = BTreeMap::from([
            ("listeners".to_owned(), json!([listener("1", "a"), listener("2", "b")])),
            ("pools".to_owned(), json!([pool])),
            ("healthmonitors".to_owned(), json!([{"id": "h"}])),
            ("members".to_owned(), json!([{"id": "m"}, {"id": "n"}])),
        ]);
        let now = BTreeMap::from([("listeners".to_owned(), json!([listener("2", "c")]))]);
        assert_eq!(changed(&old, &now, "ns", "a"), ["listeners:2", "members:n"]);
        assert!(holders(&old, "ns").is_err(), "two on one port");
        assert_eq!(holders(&now, "ns").unwrap_or_default(), BTreeMap::from([("TCP:80".to_owned(), "c".to_owned())]));
    }

    #[test]
    fn a_seed_repeats_itself() {
        let draw = || {
            let mut dice = Dice(7);
            let mut items: Vec<usize> = (0..20).collect();
            dice.shuffle(&mut items);
            items
        };
        assert_eq!(draw(), draw());
        assert_ne!(draw(), (0..20).collect::<Vec<_>>());
    }
}
