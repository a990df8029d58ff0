//! Pairs of create and delete, very many, while a tenth of all calls to the API server and to the cloud fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::api::store::{Key, Kind};
use crate::dice::Dice;
use crate::sim::{Sim, State};
use crate::wish::Wish;

/// Services at a time.
const SLOTS: u64 = 24;
/// A Service whose deletion takes longer is stuck.
const STUCK: Duration = Duration::from_secs(4 * 3600);
/// How often a user looks.
const GLANCE: Duration = Duration::from_secs(2);

/// Creates and deletes Services until so many pairs are done; then there is no more trouble.
pub async fn play(sim: &Arc<Sim>, pairs: u64) {
    let left = Arc::new(AtomicU64::new(pairs));
    let users: Vec<_> = (0..SLOTS).map(|slot| tokio::spawn(user(sim.clone(), slot, left.clone()))).collect();
    for user in users {
        // A panic is counted by the hook.
        let _ = user.await;
    }
    let now = sim.now();
    sim.with(|s| s.faults.finish(now));
}

async fn user(sim: Arc<Sim>, slot: u64, left: Arc<AtomicU64>) {
    let mut dice = Dice::new(sim.plan.seed, &format!("soak {slot}"));
    let key: Key = (Kind::Service, "a".to_owned(), format!("soak-{slot}"));
    let one_less = |left: u64| left.checked_sub(1);
    while !sim.is_over() && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
        create(&sim, &key, slot, &mut dice);
        // Some are deleted half made.
        let patience = if dice.chance(0.3) { dice.millis(10, 20_000) } else { Duration::from_secs(600) };
        until(&sim, patience, |s| is_ready(s, &key)).await;
        let deleted = sim.with(|s| s.api.delete(&key, sim.wall()));
        if deleted.is_err() || !until(&sim, STUCK, |s| s.api.get(&key).is_none()).await {
            let now = sim.now();
            sim.with(|s| s.law.breach(now, "I8", format!("{} is not gone after {STUCK:?}", key.2)));
            return;
        }
        sim.with(|s| s.tally.pairs += 1);
    }
}

fn create(sim: &Sim, key: &Key, slot: u64, dice: &mut Dice) {
    let wishes =
        [Wish::Union, Wish::Union, Wish::Performance, Wish::Private, Wish::Adopt, Wish::Dnat, Wish::DnatShared];
    let wish = *dice.pick(&wishes).unwrap_or(&Wish::Union);
    // Ports of its own, so that two that adopt the same load balancer are not in each other's way.
    let mut ports = vec![json!({"name": "t", "port": 1000 + slot, "protocol": "TCP"})];
    if dice.chance(0.3) {
        ports.push(json!({"name": "u", "port": 2000 + slot, "protocol": "UDP"}));
    }
    sim.with(|s| {
        s.tally.users += 1;
        let existing = dice.pick(&s.law.strangers).cloned().unwrap_or_default();
        let metadata = json!({"annotations": wish.annotations(&existing, &s.law.eip)});
        let service = json!({"metadata": metadata, "spec": {"type": "LoadBalancer", "ports": ports}});
        // The last of this name is gone.
        let _ = s.api.create(key.clone(), service, "user", sim.wall());
    });
}

/// Looks again and again; false when it does not come to pass in time.
async fn until(sim: &Sim, patience: Duration, holds: impl Fn(&State) -> bool) -> bool {
    let end = sim.now() + patience;
    while sim.now() < end {
        if sim.is_over() || sim.with(|s| holds(s)) {
            return true;
        }
        tokio::time::sleep(GLANCE.min(end - sim.now())).await;
    }
    false
}

fn is_ready(s: &State, key: &Key) -> bool {
    let ingress = s.api.get(key).and_then(|service| service["status"]["loadBalancer"]["ingress"].as_array());
    ingress.is_some_and(|entries| !entries.is_empty())
}
