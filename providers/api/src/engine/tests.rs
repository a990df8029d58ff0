//! The engine against a cloud with virtual time: every fault at every call, alone and in pairs, with deletion at
//! every moment and lists that lag; then the rules one by one.

mod cloud;
mod heirs;
mod rules;

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use self::cloud::{CALL, Client, Cloud, Effect, Fault, LAG, Lag, SETTLE};
use super::*;
use crate::{Options, RetryClass, TrafficPolicy};

const UP: &str = "lb/main eip/main listener/80 pool/80 monitor/80 member/80:1 member/80:2";

/// What the user wishes, one thing after the other, and what may be asserted about it.
struct Scenario {
    name: &'static str,
    /// Slots, with `=value.shape` where they are not zero.
    wishes: &'static [&'static str],
    /// Each pass is for the next wish, with no pause between.
    hurry: bool,
    /// Two members serve from their first moment on.
    keeps_members: bool,
}

const SCENARIOS: [Scenario; 5] = [
    Scenario { name: "come up", wishes: &[UP], hurry: false, keeps_members: true },
    Scenario {
        name: "exchange members",
        wishes: &[UP, "lb/main eip/main listener/80 pool/80=1 member/80:3 member/80:4"],
        hurry: false,
        keeps_members: true,
    },
    Scenario {
        name: "there and back again",
        wishes: &[UP, "lb/main=1 eip/main listener/80 pool/80=1 monitor/80 member/80:1=1 member/80:2", UP],
        hurry: true,
        keeps_members: false,
    },
    Scenario {
        name: "replace",
        wishes: &[UP, "lb/main eip/main listener/80=0.1 pool/80 member/80:1"],
        hurry: false,
        keeps_members: false,
    },
    Scenario {
        name: "replace the root, and give the address up",
        wishes: &["lb/main eip/main listener/80", "lb/main=0.1 eip/main listener/80", "lb/main=0.1 listener/80"],
        hurry: false,
        keeps_members: false,
    },
];

const LAGS: [Lag; 3] = [Lag::None, Lag::Always, Lag::Flapping];

#[test]
fn every_fault_at_every_call_with_deletion_about_then() {
    let mut tally = Tally::default();
    for scenario in &SCENARIOS {
        for lag in LAGS {
            let calls = tally.run(scenario, lag, &[], None) + 2;
            for delete_at in (0..calls).map(Some) {
                tally.run(scenario, lag, &[], delete_at);
            }
            for at in 0..calls {
                for fault in Fault::all() {
                    tally.run(scenario, lag, &[(at, fault)], None);
                    // Before the fault it is the release that meets it; long after, it is history.
                    let near = at.saturating_sub(1)..(at + 2).min(calls);
                    for delete_at in near.filter(|_| lag == Lag::Flapping) {
                        tally.run(scenario, lag, &[(at, fault)], Some(delete_at));
                    }
                }
            }
        }
    }
    tally.check(7_000);
}

#[test]
fn every_pair_of_faults_at_neighbouring_calls() {
    let mut tally = Tally::default();
    pairs(&mut tally, &SCENARIOS[0], Lag::Flapping, 1, |a, _| vec![None, Some(a)]);
    tally.check(4_000);
}

#[test]
#[ignore = "many minutes; cargo test --profile fast -- --ignored --nocapture"]
fn every_pair_of_faults_with_deletion_at_every_moment() {
    for scenario in &SCENARIOS {
        for lag in LAGS {
            let mut tally = Tally::default();
            pairs(&mut tally, scenario, lag, usize::MAX, |_, calls| {
                std::iter::once(None).chain((0..calls).map(Some)).collect()
            });
            println!("{}, lag {lag:?}: {} runs", scenario.name, tally.runs);
            tally.check(30_000);
        }
    }
}

fn pairs(
    tally: &mut Tally,
    scenario: &Scenario,
    lag: Lag,
    distance: usize,
    deletions: impl Fn(usize, usize) -> Vec<Option<usize>>,
) {
    let calls = tally.run(scenario, lag, &[], None) + 3;
    for a in 0..calls {
        for b in a + 1..calls.min(a.saturating_add(distance).saturating_add(1)) {
            for first in Fault::all() {
                for second in Fault::all() {
                    for delete_at in deletions(a, calls) {
                        tally.run(scenario, lag, &[(a, first), (b, second)], delete_at);
                    }
                }
            }
        }
    }
}

#[derive(Default)]
struct Tally {
    runs: usize,
    /// By what went wrong: how often, and the first case.
    failures: BTreeMap<String, (usize, String)>,
}

impl Tally {
    /// Runs once and returns the number of calls.
    fn run(&mut self, scenario: &Scenario, lag: Lag, faults: &[(usize, Fault)], delete_at: Option<usize>) -> usize {
        self.runs += 1;
        let play = |log| {
            let mut run = Run::new(lag);
            run.client.cloud().faults = faults.iter().copied().collect();
            run.client.cloud().log = log;
            let result = run.play(scenario, delete_at);
            let cloud = run.client.cloud();
            (result, cloud.calls, cloud.log.clone())
        };
        let (result, calls, _) = play(None);
        if let Err(why) = result {
            let case = || {
                let (_, _, log) = play(Some(Vec::new()));
                let log = log.unwrap_or_default().join("\n");
                format!("faults {faults:?}, deleted at call {delete_at:?}, lag {lag:?}\n{log}")
            };
            let why = format!("{}: {why}", scenario.name);
            let failure = self.failures.entry(why);
            failure.or_insert_with(|| (0, case())).0 += 1;
        }
        calls
    }

    fn check(&self, at_least: usize) {
        let failures: Vec<String> =
            self.failures.iter().map(|(why, (times, case))| format!("{times} times: {why}\n  {case}\n")).collect();
        let runs = self.runs;
        assert!(failures.is_empty(), "of {runs} runs failed\n{}", failures.join("\n"));
        assert!(runs >= at_least, "only {runs} runs");
    }
}

/// A controller with one Service.
struct Run {
    client: Client,
    engine: Engine<Client>,
    owner: Owner,
    /// The address that the user was told.
    told: Option<std::net::IpAddr>,
    /// What the status says now.
    published: Vec<std::net::IpAddr>,
}

impl Run {
    fn new(lag: Lag) -> Self {
        let mut cloud = Cloud::new(lag);
        // Strangers with names like ours.
        let lb = cloud.put("", crate::toy::toy("lb/main"), vec![]);
        cloud.put("", crate::toy::toy("listener/80"), vec![lb]);
        let now = cloud.now;
        let client = Client(Arc::new(Mutex::new(cloud)));
        let engine = Engine::new(client.clone(), SETTLE, now);
        let owner = Owner { cluster: "c".into(), uid: "u".into(), namespace: "default".into(), name: "web".into() };
        engine.first_seen(&owner);
        Self { client, engine, owner, told: None, published: Vec::new() }
    }

    /// Another process takes over.
    fn restart(&mut self) {
        let mut cloud = self.client.cloud();
        (cloud.permit, cloud.crashed) = (true, false);
        self.engine = Engine::new(self.client.clone(), SETTLE, cloud.now);
    }

    /// One pass for `wish`, or a release. `None`: it died in the middle.
    fn pass(&self, wish: Option<&str>) -> Option<Outcome> {
        match wish {
            Some(wish) => {
                let want = Desired { published: self.published.clone(), ..desired(&self.owner, wish) };
                now_or_never(self.engine.reconcile(&want, &self.client))
            }
            None => now_or_never(self.engine.release(&self.owner, &self.client)),
        }
    }

    /// The whole life, as a controller would live it.
    fn play(&mut self, scenario: &Scenario, delete_at: Option<usize>) -> Result<(), String> {
        let strangers = self.strangers();
        let mut wishes = scenario.wishes.iter().copied();
        let mut wish = wishes.next();
        let mut turns = 0;
        loop {
            turns += 1;
            if turns > 100 {
                return Err("does not come to rest".into());
            }
            if delete_at.is_some_and(|at| self.client.cloud().calls >= at) {
                wish = None;
            }
            let Some(outcome) = self.pass(wish) else {
                if self.client.cloud().crashed {
                    self.restart();
                }
                continue;
            };
            if !self.client.cloud().permit {
                self.restart();
                continue;
            }
            self.hear(&outcome)?;
            if wish.is_none() && outcome.settled {
                let late = self.client.cloud().late.clone();
                if late.iter().any(|(_, _, step)| step.verb == Verb::Create) {
                    return Err("released while a create was in flight".into());
                }
                break;
            }
            let next = wish.and_then(|_| wishes.clone().next());
            match self.pause(&outcome) {
                Some(pause) if !scenario.hurry || next.is_none() => {
                    self.client.cloud().pass_time(pause);
                }
                None if !outcome.settled => {
                    return Err(format!("no reason to go on: {:?}", outcome.applied));
                }
                _ if next.is_some() => wish = wishes.next(),
                _ if delete_at.is_some() => wish = None,
                _ => break,
            }
        }
        self.client.cloud().pass_time(Duration::from_secs(100));
        if self.strangers() != strangers {
            return Err("a foreign object was touched".into());
        }
        self.verdict(scenario, wish)
    }

    /// When the controller would call again, by what the outcome says.
    fn pause(&self, outcome: &Outcome) -> Option<Duration> {
        let now = self.client.now();
        let mut pauses: Vec<Duration> = outcome.look_again.iter().map(|at| *at - now).collect();
        if !outcome.settled {
            let wait = |w: &Wait| w.until.map_or(2 * CALL, |at| at.saturating_sub(now));
            pauses.extend(outcome.waits.iter().map(wait));
            pauses.extend(outcome.retry().map(|class| match class {
                RetryClass::Ambiguous => SETTLE,
                RetryClass::Throttled | RetryClass::Unavailable => 2 * CALL,
                RetryClass::Refused | RetryClass::Denied => 60 * CALL,
            }));
        }
        pauses.into_iter().min()
    }

    /// What the user is told: one address, always the same.
    fn hear(&mut self, outcome: &Outcome) -> Result<(), String> {
        for address in outcome.serving.iter().flat_map(|s| &s.addresses) {
            if *self.told.get_or_insert(address.ip) != address.ip {
                return Err(format!("the address changed from {:?} to {}", self.told, address.ip));
            }
        }
        if !self.published.is_empty() && outcome.serving.is_some() && outcome.applied.iter().any(|s| s == "- eip/main")
        {
            return Err("an address was given back that clients are told".into());
        }
        match &outcome.serving {
            Some(serving) if !serving.addresses.is_empty() => self.published = vec![crate::toy::EIP],
            // As long as lists are not to be trusted, the status keeps what it says.
            Some(_) if outcome.withdrawn || outcome.look_again.is_none() => self.published.clear(),
            _ => {}
        }
        Ok(())
    }

    fn verdict(&mut self, scenario: &Scenario, wish: Option<&str>) -> Result<(), String> {
        let (doubled, fewest, left) = {
            let cloud = self.client.cloud();
            let left: Vec<String> = cloud.of("u").iter().map(|s| s.resource.slot().to_string()).collect();
            (cloud.doubled, cloud.fewest, left)
        };
        if doubled {
            return Err("two objects took one slot".into());
        }
        let Some(wish) = wish else {
            return if left.is_empty() { Ok(()) } else { Err(format!("leaked {left:?}")) };
        };
        if scenario.keeps_members && fewest.is_some_and(|n| n < 2) {
            return Err("members were missing".into());
        }
        // Another process finds nothing to do, long after.
        self.client.cloud().faults.clear();
        self.restart();
        self.client.cloud().pass_time(Duration::from_secs(100));
        let outcome = self.pass(Some(wish)).ok_or("died")?;
        self.hear(&outcome)?;
        if !outcome.settled || outcome.writes > 0 || outcome.look_again.is_some() {
            return Err(format!("not at rest: {:?}", outcome.applied));
        }
        if wish.contains("eip") != outcome.serving.is_some_and(|s| s.addresses.len() == 1) {
            return Err("the wrong addresses".into());
        }
        if left.len() != wish.split(' ').count() {
            return Err(format!("there is {left:?}"));
        }
        Ok(())
    }

    fn strangers(&self) -> Vec<String> {
        let cloud = self.client.cloud();
        cloud.of("").iter().map(|s| format!("{s:?}")).collect()
    }
}

fn desired(owner: &Owner, wish: &str) -> Desired {
    let options: Options = wish
        .split(' ')
        .map(|word| word.split_once('=').unwrap_or((word, "0")))
        .map(|(slot, value)| (slot.to_owned(), value.to_owned()))
        .collect();
    Desired {
        owner: owner.clone(),
        families: Vec::new(),
        addresses: Vec::new(),
        published: Vec::new(),
        ports: Vec::new(),
        traffic_policy: TrafficPolicy::Cluster,
        health_check_node_port: None,
        source_ranges: Vec::new(),
        affinity_seconds: None,
        options,
    }
}

/// The cloud answers at once or the caller dies, so one poll is enough.
fn now_or_never<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
