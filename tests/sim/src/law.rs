//! The invariants, judged after every event: a write to the API server, a change in the cloud, a call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ferrolb_mock::{ACCESS_KEY, Cloud, SECRET_KEY};
use serde_json::Value;

use crate::api::fields::strings;
use crate::api::store::{Kind, Store};
use crate::ledger::Ledger;
use crate::process::{LEASE, Plug};
use crate::wish::Wish;

/// The product's finalizer.
pub const FINALIZER: &str = "ferrolb.io/cleanup";
/// The product's annotation.
pub const HOLDER: &str = "ferrolb.io/provider";
/// How long a pass that is under way may go on with what it knew when it began: every step has a deadline of 10 s.
const PASS: Duration = Duration::from_secs(60);
/// How long a controller may go on with an older wish: its watch may be a minute and a half behind, and then comes a pass.
const HEARD: Duration = Duration::from_secs(180);
/// More passes for one Service than this in a minute are a hot loop.
const HOT: u64 = 150;
/// A hot loop asks more often than once in this time, and one pass not for longer.
const SAME: Duration = Duration::from_millis(200);

/// What was seen so far, and what was wrong with it.
#[derive(Default)]
pub struct Law {
    pub breaches: Vec<String>,
    /// Whose call changes the cloud now; nobody's: a user's.
    pub actor: Option<Actor>,
    pub ledger: Ledger,
    /// Until then no watch says anything, not even one that is opened anew: nobody can have heard of a change.
    pub deaf_until: Duration,
    /// Load balancers of somebody else, for adoption.
    pub strangers: Vec<String>,
    /// An EIP of somebody else, for rules of a NAT gateway.
    pub eip: String,
    /// The addresses of all these.
    pub shared: BTreeSet<String>,
    /// UIDs of all Services, as of this version of the Services.
    live: BTreeSet<String>,
    services: u64,
    /// Services from which somebody took the finalizer or the annotation.
    robbed: BTreeSet<String>,
    /// Services whose cloud objects somebody edited.
    tampered: BTreeSet<String>,
    /// Services of which somebody changed what decides the address.
    edited: BTreeSet<String>,
    /// Services of which somebody exchanged all ports: their address may vanish for a moment.
    reopened: BTreeSet<String>,
    /// When somebody last changed whom a Service lets in.
    reranged: BTreeMap<String, Duration>,
    /// The last address of each.
    addresses: BTreeMap<String, BTreeSet<String>>,
    passes: BTreeMap<String, Passes>,
    /// Passes when the quiet time began.
    before: BTreeMap<String, u64>,
}

/// Who makes a call.
#[derive(Clone)]
pub struct Actor {
    pub plug: Arc<Plug>,
    /// When it was sent.
    pub sent: Duration,
    pub path: String,
}

#[derive(Default)]
struct Passes {
    all: u64,
    last: Duration,
    minute: u64,
    this_minute: u64,
}

impl Law {
    /// Notes a breach.
    pub fn breach(&mut self, now: Duration, invariant: &str, text: String) {
        if self.breaches.len() < 20 {
            self.breaches.push(format!("{invariant} at {:.3} s: {text}", now.as_secs_f64()));
        }
    }

    /// Somebody takes finalizer or annotation off.
    pub fn rob(&mut self, uid: &str) {
        self.robbed.insert(uid.to_owned());
    }

    /// Somebody edits cloud objects.
    pub fn tamper(&mut self, uid: &str) {
        self.tampered.insert(uid.to_owned());
    }

    /// Somebody changes what decides the address.
    pub fn edit(&mut self, uid: &str) {
        self.edited.insert(uid.to_owned());
    }

    /// Somebody exchanges all ports.
    pub fn reopen(&mut self, uid: &str) {
        self.reopened.insert(uid.to_owned());
    }

    /// Somebody changes whom a Service lets in.
    pub fn rerange(&mut self, uid: &str, now: Duration) {
        self.reranged.insert(uid.to_owned(), now);
    }

    /// Whether its address may change, or it may end in a lasting refusal.
    pub fn is_edited(&self, uid: &str) -> bool {
        self.edited.contains(uid) || self.tampered.contains(uid)
    }

    /// Whether somebody took the finalizer off at some time.
    pub fn is_robbed(&self, uid: &str) -> bool {
        self.robbed.contains(uid)
    }

    /// Objects whose Service is gone. There may be some where somebody took the finalizer.
    pub fn orphans(&self) -> Vec<String> {
        let ours = self.ledger.ours.iter();
        ours.filter(|(_, (_, uid))| !self.live.contains(uid))
            .map(|(id, (kind, uid))| format!("{kind} {id} of {uid}"))
            .collect()
    }

    /// Whether the sweep still has something to do that users have caused.
    pub fn orphans_excused(&self) -> bool {
        !self.orphans().is_empty()
    }

    /// Judges the world after an event; only what may have changed is looked at.
    pub fn judge(&mut self, now: Duration, api: &Store, cloud: &Cloud) {
        if self.services != api.services_version() {
            self.services = api.services_version();
            let services = || api.all(Kind::Service).map(|(_, service)| service);
            self.live = services().filter_map(|s| s["metadata"]["uid"].as_str().map(str::to_owned)).collect();
            self.no_double(now, services());
        }
        if self.ledger.revision != cloud.revision() {
            let path = self.actor.as_ref().map(|actor| actor.path.as_str());
            let after = self.ledger.after(cloud, path);
            let before = std::mem::replace(&mut self.ledger, after);
            self.new_objects(now, &before, api);
            self.foreign_objects(now, &before);
            self.open_ports(now, &before, api, cloud);
        }
        self.no_leak(now);
        self.actor = None;
    }

    /// I7, I12, I13: what comes into being in the cloud.
    fn new_objects(&mut self, now: Duration, before: &Ledger, api: &Store) {
        let Some(Actor { plug, sent, .. }) = self.actor.clone() else { return };
        let new: Vec<(&'static str, String)> = self
            .ledger
            .ours
            .iter()
            .filter(|(id, _)| !before.ours.contains_key(*id))
            .map(|(_, mark)| mark.clone())
            .collect();
        for (kind, uid) in new {
            if let Some(before) = self.before.get_mut(&uid) {
                // What was refused for long came into being just now: that pass had its reason, and so has a look at it.
                *before = self.passes.get(&uid).map_or(0, |passes| passes.all) + 1;
            }
            let service = api.service(&uid);
            let held = service.is_some_and(|s| strings(&s["metadata"]["finalizers"]).iter().any(|f| f == FINALIZER));
            if !held && !self.robbed.contains(&uid) {
                self.breach(now, "I7", format!("{kind} created for {uid} without our finalizer on its Service"));
            }
            if plug.knows_deleting(&uid).is_some_and(|since| sent > since + PASS) {
                let text = format!("{kind} created for {uid} by {}, who knew that it is going", plug.identity);
                self.breach(now, "I12", text);
            }
        }
    }

    /// I2: what bears no mark stays as it is.
    fn foreign_objects(&mut self, now: Duration, before: &Ledger) {
        let Some(Actor { plug, .. }) = self.actor.clone() else { return };
        for (id, was) in &before.foreign {
            let is = self.ledger.foreign.get(id);
            if is != Some(was) {
                let text = format!("{} touched a stranger's {id}: {was} -> {is:?}", plug.identity);
                self.breach(now, "I2", text);
            }
        }
    }

    /// I17: a listener that is made or changed lets in nobody but those whom its Service has long let in.
    fn open_ports(&mut self, now: Duration, before: &Ledger, api: &Store, cloud: &Cloud) {
        let Some(Actor { plug, path, .. }) = self.actor.clone() else { return };
        let touched = |id: &String| !before.ours.contains_key(id) || path.contains(id.as_str());
        let listeners = self.ledger.ours.iter().filter(|(id, (kind, _))| *kind == "listeners" && touched(id));
        let restricted: Vec<(String, String)> = listeners
            .filter(|(_, (_, uid))| {
                let ranges = api.service(uid).map(|service| strings(&service["spec"]["loadBalancerSourceRanges"]));
                let is_new = self.reranged.get(uid).is_some_and(|since| now < (*since).max(self.deaf_until) + HEARD);
                ranges.is_some_and(|ranges| !ranges.is_empty()) && !is_new
            })
            .map(|(id, (_, uid))| (id.clone(), uid.clone()))
            .collect();
        if restricted.is_empty() {
            return;
        }
        self.ledger.load(cloud);
        for (id, uid) in restricted {
            let is_open = self.ledger.objects("listeners").filter(|l| l["id"] == *id).any(|listener| {
                let group = &listener["ipgroup"];
                group["enable_ipgroup"] != true || group["type"] != "white"
            });
            if is_open {
                let text = format!("{} leaves listener {id} of {uid} open to everybody", plug.identity);
                self.breach(now, "I17", text);
            }
        }
    }

    /// I1: no object outlives its Service, unless somebody took the finalizer; then the sweep must find it.
    fn no_leak(&mut self, now: Duration) {
        let leaked =
            self.ledger.ours.iter().find(|(_, (_, uid))| !self.live.contains(uid) && !self.robbed.contains(uid));
        if let Some((id, (kind, uid))) = leaked {
            let text = format!("{kind} {id} is left of {uid}, whose Service is gone");
            self.breach(now, "I1", text);
        }
    }

    /// I3: one address and port, one Service.
    fn no_double<'a>(&mut self, now: Duration, services: impl Iterator<Item = &'a Value>) {
        let mut seen: BTreeMap<(&str, &str, u64), &str> = BTreeMap::new();
        for service in services {
            let uid = service["metadata"]["uid"].as_str().unwrap_or_default();
            // What is on its way out may show an address that is given away already.
            if self.tampered.contains(uid) || !service["metadata"]["deletionTimestamp"].is_null() {
                continue;
            }
            for entry in ingress(service).as_array().into_iter().flatten() {
                let ip = entry["ip"].as_str().unwrap_or_default();
                // Sharing somebody else's load balancer is what users ask for; the cloud keeps its ports apart.
                if self.shared.contains(ip) {
                    continue;
                }
                for (protocol, port) in served(service, entry) {
                    let other = seen.insert((ip, protocol, port), uid);
                    if let Some(other) = other.filter(|other| *other != uid) {
                        self.breach(now, "I3", format!("{ip} {protocol}/{port} is promised to {other} and {uid}"));
                    }
                }
            }
        }
    }

    /// A controller wrote on a Service: I4, I5, I7, I13.
    pub fn wrote(&mut self, now: Duration, plug: &Plug, old: &Value, new: &Value, body: &Value, cloud: &Cloud) {
        let uid = old["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let who = &plug.identity;
        if !names_uid(body, &uid) {
            self.breach(now, "I13", format!("{who} wrote on {uid} without naming it: {body}"));
        }
        self.only_ours(now, who, old, new);
        let finalizers = |service: &Value| strings(&service["metadata"]["finalizers"]);
        let had = finalizers(old).iter().any(|f| f == FINALIZER);
        let has = finalizers(new).iter().any(|f| f == FINALIZER);
        if had && !has {
            let left = self.ledger.ours.values().find(|(_, u)| *u == uid);
            if let Some((kind, _)) = left {
                self.breach(now, "I7", format!("{who} took the finalizer off {uid} while a {kind} of it exists"));
            }
        }
        if ingress(old) != ingress(new) {
            self.address(now, who, &uid, old, new, cloud);
        }
    }

    /// I4 and I5: what is said of the address.
    fn address(&mut self, now: Duration, who: &str, uid: &str, old: &Value, new: &Value, cloud: &Cloud) {
        let ips = |service: &Value| -> BTreeSet<String> {
            let entries = service["status"]["loadBalancer"]["ingress"].as_array().into_iter().flatten();
            entries.filter_map(|e| e["ip"].as_str().map(str::to_owned)).collect()
        };
        let going = !new["metadata"]["deletionTimestamp"].is_null() || new["spec"]["type"] != "LoadBalancer";
        if going {
            return;
        }
        let (was, is) = (ips(old), ips(new));
        let adopted = new["metadata"]["annotations"]["kubernetes.io/elb.id"].as_str();
        let excused = self.is_edited(uid);
        if !is.is_empty() && !excused {
            self.ledger.load(cloud);
            if let Some(ip) = is.iter().find(|ip| !self.ledger.serves(ip, uid, adopted)) {
                self.breach(now, "I5", format!("{who} says that {uid} has {ip}, which nobody serves"));
            }
        }
        // Without any node there is nowhere for a rule to point to.
        let pointless = Wish::of(new).is_some_and(Wish::is_dnat);
        if !was.is_empty() && is.is_empty() && !excused && !pointless && !self.reopened.contains(uid) {
            self.breach(now, "I4", format!("{who} took {was:?} from {uid} without a cause"));
        }
        if is.is_empty() {
            // What comes next may be another one: this one was given back for a cause.
            self.addresses.remove(uid);
        } else {
            let before = self.addresses.insert(uid.to_owned(), is.clone());
            if let Some(before) = before.filter(|before| *before != is && !excused) {
                self.breach(now, "I4", format!("{who} changed the address of {uid} from {before:?} to {is:?}"));
            }
        }
    }

    /// I7: nothing but what is ours changes by our hand.
    fn only_ours(&mut self, now: Duration, who: &str, old: &Value, new: &Value) {
        let finalizers = |service: &Value| {
            let mut all = strings(&service["metadata"]["finalizers"]);
            all.retain(|f| f != FINALIZER);
            all
        };
        let annotations = |service: &'_ Value| -> Vec<(String, Value)> {
            let all = service["metadata"]["annotations"].as_object().into_iter().flatten();
            all.filter(|(key, _)| *key != HOLDER).map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        let same = old["spec"] == new["spec"]
            && old["metadata"]["labels"] == new["metadata"]["labels"]
            && (old["metadata"]["annotations"] == new["metadata"]["annotations"]
                || annotations(old) == annotations(new))
            && finalizers(old) == finalizers(new);
        if !same {
            self.breach(now, "I7", format!("{who} changed what is not ours: {old} -> {new}"));
        }
    }

    /// A controller sends a write to the cloud. I14: only who holds the lease.
    pub fn sent(&mut self, now: Duration, plug: &Plug, api: &Store) {
        let lease = api.get(&(Kind::Lease, "ferrolb-system".to_owned(), LEASE.to_owned()));
        let holder = lease.and_then(|l| l["spec"]["holderIdentity"].as_str()).unwrap_or_default().to_owned();
        if holder != plug.identity {
            self.breach(now, "I14", format!("{} writes to the cloud, and {holder:?} holds the lease", plug.identity));
        }
    }

    /// A controller reads from the cloud. I10: each pass begins with a question for the load balancers of its Service.
    pub fn asked(&mut self, now: Duration, url: &str) {
        if !url.contains("/loadbalancers?") || url.contains("marker=") {
            return;
        }
        for (_, rest) in url.match_indices("uid%3D").map(|(at, mark)| url.split_at(at + mark.len())) {
            self.asked_for(now, rest.get(..36).unwrap_or_default());
        }
    }

    fn asked_for(&mut self, now: Duration, uid: &str) {
        let passes = self.passes.entry(uid.to_owned()).or_default();
        // One that was not seen in a list for several is asked for alone, in the same pass.
        if passes.all > 0 && now.saturating_sub(passes.last) < SAME {
            return;
        }
        passes.last = now;
        passes.all += 1;
        let minute = now.as_secs() / 60;
        if passes.minute != minute {
            (passes.minute, passes.this_minute) = (minute, 0);
        }
        passes.this_minute += 1;
        if passes.this_minute == HOT {
            self.breach(now, "I10", format!("{HOT} passes over {uid} within a minute"));
        }
    }

    /// A controller says something to the API server. I16: never its keys.
    pub fn said(&mut self, now: Duration, plug: &Plug, body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        if [ACCESS_KEY, SECRET_KEY].iter().any(|key| text.contains(key)) {
            self.breach(now, "I16", format!("{} gives away its keys: {text}", plug.identity));
        }
    }

    /// The quiet time begins.
    pub fn count_passes(&mut self) {
        self.before = self.passes.iter().map(|(uid, passes)| (uid.clone(), passes.all)).collect();
    }

    /// I9, I10: in the quiet time of `length` an object is looked at once per resync, or once in five minutes where
    /// it fails; the first time after half of that, or each time 20 % sooner.
    pub fn judge_passes(&mut self, now: Duration, length: Duration) {
        let most = 1 + length.as_secs() / 240;
        let over: Vec<String> = self
            .passes
            .iter()
            .map(|(uid, passes)| (uid, passes.all - self.before.get(uid).copied().unwrap_or_default()))
            .filter(|(_, passes)| *passes > most)
            .map(|(uid, passes)| format!("{passes} passes over {uid} in {length:?} without a change"))
            .collect();
        over.into_iter().for_each(|text| self.breach(now, "I10", text));
    }
}

/// Whether any entry of the status promises this port.
pub fn serves(service: &Value, port: &Value) -> bool {
    let mut all = ingress(service).as_array().into_iter().flatten().flat_map(|entry| served(service, entry));
    all.any(|(protocol, number)| port["protocol"] == protocol && port["port"] == number)
}

/// The ports that an entry of the status promises, with their protocols.
fn served<'a>(service: &'a Value, entry: &'a Value) -> impl Iterator<Item = (&'a str, u64)> {
    let said = entry["ports"].as_array().filter(|ports| !ports.is_empty());
    let all = said.or(service["spec"]["ports"].as_array()).into_iter().flatten();
    let served = all.filter(|p| p["error"].is_null());
    served.map(|p| (p["protocol"].as_str().unwrap_or("TCP"), p["port"].as_u64().unwrap_or_default()))
}

fn ingress(service: &Value) -> &Value {
    &service["status"]["loadBalancer"]["ingress"]
}

/// Whether a write says for which UID it is.
fn names_uid(body: &Value, uid: &str) -> bool {
    let tests = body.as_array().into_iter().flatten();
    let mut tests = tests.filter(|op| op["op"] == "test" && op["path"] == "/metadata/uid");
    body["metadata"]["uid"] == uid || tests.any(|op| op["value"] == uid)
}
