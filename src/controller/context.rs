//! What a pass needs.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ferrolb_core::{Key, Settings, World};
use ferrolb_provider::{Claim, Driver, Host, Owner, Slot};

use crate::clock::Clock;
use crate::controller::claims::{self, Claims};
use crate::controller::queue::Queue;
use crate::controller::retry::Retry;
use crate::kube::lease::Permit;
use crate::kube::write::Writer;
use crate::telemetry::Metrics;

/// Everything a pass needs, made once this process leads.
pub struct Context {
    /// What the cluster looks like.
    pub world: Arc<RwLock<World>>,
    /// Who we are and what we serve.
    pub settings: Settings,
    /// Backends by name.
    pub registry: BTreeMap<String, Arc<dyn Driver>>,
    /// Writes on Services.
    pub write: Writer,
    /// Counts failures.
    pub retry: Retry,
    /// Who asked first for what only one can have.
    pub claims: Claims,
    /// The work queue.
    pub queue: Arc<Queue>,
    /// The clock.
    pub clock: Clock,
    /// The right to write.
    pub permit: Permit,
    /// The longest that one cloud call may take.
    pub call_deadline: Duration,
    /// How often an unchanged Service is compared with the cloud.
    pub resync: Duration,
    /// Metrics.
    pub metrics: Metrics,
}

impl Context {
    /// Reads the world; the lock is held for the closure only.
    pub fn read<T>(&self, f: impl FnOnce(&World) -> T) -> T {
        f(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Host for Context {
    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn may_write(&self) -> bool {
        self.permit.covers(self.clock.now().saturating_add(self.call_deadline))
    }

    fn claim(&self, owner: &Owner, claims: &[Claim]) -> BTreeMap<Slot, Owner> {
        let key = Key::new(&owner.namespace, &owner.name);
        let since = self.read(|world| world.service(&key).map(|service| claims::since(service)));
        self.claims.ask(owner, since.unwrap_or_default(), claims)
    }
}
