//! How soon the product sees again what goes on, after its watch of one kind was lost without a word.
//!
//! In each run one kind is lost at one moment, for ever: a watch that was begun before stays open and says nothing, or
//! the server forgets its history and refuses with HTTP 410 whoever goes on from before, and for a while every start.
//! Five seconds later something happens to that kind, and the time is taken until it shows.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::api::fields::strings;
use crate::api::store::{Key, Kind};
use crate::law::FINALIZER;
use crate::plan::Plan;
use crate::sim::{Sim, State};
use crate::wish::Wish;
use crate::{process, users};

/// So old may a view become.
const BOUND: Duration = Duration::from_secs(150);
/// A view that is this old stays so.
const NEVER: Duration = Duration::from_secs(900);
/// For so long the server refuses every start.
const REFUSING: Duration = Duration::from_secs(30);
/// The controller is at rest, and its watches are of all ages below their longest.
const MOMENTS: std::ops::Range<u64> = 0..20;

/// How a watch is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// HTTP 410 at its start.
    Gone,
    /// No data and no end.
    Silent,
}

/// A loss.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    kind: Kind,
    how: How,
    since: Duration,
}

impl Loss {
    /// How a watch of a kind that was begun at a moment is lost, if it is.
    pub fn of(self, kind: Kind, begun: Duration) -> Option<How> {
        (self.kind == kind && begun <= self.since).then_some(self.how)
    }

    /// Whether a watch of a kind must not begin after `version`; `known`: the server knows what came after that.
    pub fn refuses(self, kind: Kind, now: Duration, known: bool) -> bool {
        self.kind == kind && self.how == How::Gone && (!known || now < self.since + REFUSING)
    }
}

/// Measures all kinds and both losses and prints the longest time of each. True when none was too long.
pub fn run(as_json: bool) -> bool {
    let mut lines = Vec::new();
    for how in [How::Gone, How::Silent] {
        for kind in [Kind::Service, Kind::Node, Kind::Slice, Kind::Class] {
            let times: Result<Vec<_>, _> = MOMENTS.map(|moment| measure(kind, how, moment)).collect();
            let worst = match times {
                Ok(times) => times.into_iter().max().unwrap_or(NEVER),
                Err(error) => {
                    eprintln!("cannot simulate: {error}");
                    return false;
                }
            };
            lines.push((kind, how, worst));
        }
    }
    for (kind, how, worst) in &lines {
        let (kind, how, seconds) = (kind.word(), format!("{how:?}").to_lowercase(), worst.as_secs_f64());
        match as_json {
            true => println!("{}", json!({"kind": kind, "lost": how, "seconds": seconds})),
            false => println!("{how:<7} {kind:<18} fresh after {seconds:.1} s"),
        }
    }
    lines.iter().all(|(_, _, worst)| *worst <= BOUND)
}

fn measure(kind: Kind, how: How, moment: u64) -> std::io::Result<Duration> {
    fastrand::seed(moment);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let time = runtime.block_on(lose(Plan::calm(moment), kind, how, Duration::from_secs(120 + 5 * moment)));
    runtime.shutdown_background();
    time
}

async fn lose(plan: Plan, kind: Kind, how: How, at: Duration) -> std::io::Result<Duration> {
    let sim = Sim::new(plan, false)?;
    users::furnish(&sim);
    create(&sim, "first", "");
    create(&sim, "waiting", "ferrolb.io/silver");
    tokio::spawn(process::replica(sim.clone(), 0));
    tokio::time::sleep(at).await;
    let since = sim.now();
    sim.with(|s| {
        if how == How::Gone {
            s.api.compact();
        }
        s.loss = Some(Loss { kind, how, since });
    });
    sim.poke();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let happened = sim.now();
    let version = happen(&sim, kind);
    while sim.now() < happened + NEVER && !sim.with(|s| shows(s, kind, version)) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(sim.now() - happened)
}

/// Something happens to a kind; the store's version afterwards.
fn happen(sim: &Arc<Sim>, kind: Kind) -> u64 {
    let key = |name: &str| (kind, if kind == Kind::Slice { "a" } else { "" }.to_owned(), name.to_owned());
    let object = match kind {
        Kind::Node => (key("node-9"), users::node(9)),
        Kind::Class => (key("silver"), json!({"metadata": {}, "spec": {"provider": "elb"}})),
        Kind::Slice => {
            let labels = json!({"kubernetes.io/service-name": "first"});
            (
                key("first-x"),
                json!({"metadata": {"labels": labels}, "addressType": "IPv4", "endpoints": [], "ports": []}),
            )
        }
        _ => {
            create(sim, "late", "");
            return sim.with(|s| s.api.version());
        }
    };
    sim.with(|s| {
        // Nothing refuses it: there is none of that name.
        let _ = s.api.create(object.0, object.1, "user", sim.wall());
        s.api.version()
    })
}

/// Whether it shows that the product knows. Of slices nothing is made yet; there it counts that they were told.
fn shows(s: &mut State, kind: Kind, version: u64) -> bool {
    let claimed = |s: &State, name: &str| {
        let service = s.api.get(&service(name));
        service.is_some_and(|service| strings(&service["metadata"]["finalizers"]).iter().any(|f| f == FINALIZER))
    };
    match kind {
        Kind::Service => claimed(s, "late"),
        Kind::Class => claimed(s, "waiting"),
        Kind::Node => {
            s.law.ledger.load(&s.cloud);
            s.law.ledger.objects("members").any(|member| member["address"] == "172.16.0.9")
        }
        _ => s.told.get(&kind).is_some_and(|told| *told >= version),
    }
}

fn create(sim: &Arc<Sim>, name: &str, class: &str) {
    let mut object = json!({
        "metadata": {"annotations": Wish::Private.annotations("", "")},
        "spec": {"type": "LoadBalancer", "ports": [{"name": "p", "port": 80, "protocol": "TCP"}]},
    });
    if !class.is_empty() {
        object["spec"]["loadBalancerClass"] = json!(class);
    }
    // Nothing refuses it: there is none of that name.
    let _ = sim.with(|s| s.api.create(service(name), object, "user", sim.wall()));
}

fn service(name: &str) -> Key {
    (Kind::Service, "a".to_owned(), name.to_owned())
}
