//! Leader election with a write deadline.
//!
//! A leader may write only until a moment on its *own* monotonic clock that lies before the earliest moment at which
//! another can take over. So a leader that was paused, or cut off from the API server, stops writing by itself; that
//! nobody told it makes no difference.
//!
//! ```text
//!   renew request sent        write deadline              taken over at the earliest
//!   ├──────────────────────────────┼───────── margin ───────────┤
//!   └───────────────────── lease duration ──────────────────────┘
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Api;
use kube::api::PostParams;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::kube::client::Clients;

/// Which lease, and how long.
#[derive(Clone, Debug)]
pub struct Config {
    /// Namespace of the Lease object.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Who we are; unique per process, not per pod: a restarted container is another.
    pub identity: String,
    /// How long it holds without a renewal.
    pub duration: Duration,
}

/// The right to write. Cloning shares it.
#[derive(Clone, Default)]
pub struct Permit {
    held_until: Arc<Mutex<Duration>>,
}

impl Permit {
    /// One that holds for ever, for a process that is alone by its nature.
    pub fn unlimited() -> Self {
        let permit = Self::default();
        permit.set(Duration::MAX);
        permit
    }

    /// Whether something that ends at `end` at the latest may be begun ([`Clock::now`]).
    pub fn covers(&self, end: Duration) -> bool {
        end < *self.held_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, until: Duration) {
        *self.held_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

/// What was last seen of the lease, and when that was new.
struct Observed {
    lease: Option<Lease>,
    since: Duration,
}

/// Takes part in the election.
pub struct Election {
    api: Api<Lease>,
    config: Config,
    clock: Clock,
    permit: Permit,
    observed: Observed,
    heard: Arc<AtomicBool>,
}

impl Election {
    /// Prepares to take part.
    pub fn new(clients: &Clients, config: Config, clock: Clock) -> Self {
        let api = Api::namespaced(clients.lease.clone(), &config.namespace);
        Self {
            api,
            config,
            clock,
            permit: Permit::default(),
            observed: Observed { lease: None, since: Duration::ZERO },
            heard: Arc::default(),
        }
    }

    /// The right to write, valid while this process leads.
    pub fn permit(&self) -> Permit {
        self.permit.clone()
    }

    /// Whether the API server answered the last time it was asked.
    pub fn heard(&self) -> Arc<AtomicBool> {
        self.heard.clone()
    }

    /// Waits until this process leads. Returns false when stopped before.
    pub async fn win(&mut self, stop: &CancellationToken) -> bool {
        loop {
            match self.attempt().await {
                Ok(true) => return true,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, lease = %self.config.name, "cannot read or write the lease"),
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return false,
                () = tokio::time::sleep(self.pause()) => {}
            }
        }
    }

    /// Keeps the lease until `stop`, then gives it back so that another need not wait. Returns false when it was
    /// lost: then the process must end, because what it believes may be out of date.
    pub async fn keep(&mut self, stop: &CancellationToken) -> bool {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return true,
                () = tokio::time::sleep(self.pause()) => {}
            }
            match self.attempt().await {
                Ok(true) => {}
                Ok(false) => return false,
                Err(error) => tracing::warn!(%error, lease = %self.config.name, "cannot renew the lease"),
            }
            if !self.permit.covers(self.clock.now()) {
                return false;
            }
        }
    }

    /// Gives the lease back. Call it when nothing is being written any more.
    pub async fn release(&mut self) {
        self.permit.set(Duration::ZERO);
        let ours =
            |lease: &Lease| lease.spec.as_ref().and_then(|s| s.holder_identity.as_ref()) == Some(&self.config.identity);
        // Another may have taken over meanwhile; its lease is not ours to give.
        let Some(mut lease) = self.observed.lease.take().filter(ours) else { return };
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = Some(String::new());
        if let Err(error) = self.bounded(self.api.replace(&self.config.name, &PostParams::default(), &lease)).await {
            tracing::warn!(%error, lease = %self.config.name, "cannot give the lease back; it runs out by itself");
        }
    }

    /// One try to get or renew it.
    async fn attempt(&mut self) -> Result<bool, Error> {
        let result = self.try_once().await;
        self.heard.store(result.is_ok(), Ordering::Release);
        result
    }

    async fn try_once(&mut self) -> Result<bool, Error> {
        let asked_at = self.clock.now();
        let current = self.bounded(self.api.get_opt(&self.config.name)).await?;
        let Some(current) = current else {
            let lease = Lease {
                metadata: ObjectMeta { name: Some(self.config.name.clone()), ..ObjectMeta::default() },
                spec: Some(self.spec(0)),
            };
            let made = self.bounded(self.api.create(&PostParams::default(), &lease)).await?;
            return Ok(self.held(made, asked_at));
        };
        let holder = current.spec.as_ref().and_then(|s| s.holder_identity.clone()).unwrap_or_default();
        // Age is judged by our own clock, from when we saw the last change: the holder's clock may be wrong.
        let version = |lease: &Option<Lease>| lease.as_ref().and_then(|l| l.metadata.resource_version.clone());
        if version(&self.observed.lease) != current.metadata.resource_version {
            self.observed = Observed { lease: Some(current.clone()), since: self.clock.now() };
        }
        let seconds = current.spec.as_ref().and_then(|s| s.lease_duration_seconds).unwrap_or_default();
        let validity = Duration::from_secs(u64::try_from(seconds).unwrap_or_default()).max(self.config.duration);
        let expired = self.clock.now() >= self.observed.since + validity;
        if holder != self.config.identity && !holder.is_empty() && !expired {
            return Ok(false);
        }
        let transitions = current.spec.as_ref().and_then(|s| s.lease_transitions).unwrap_or_default();
        let changes_hands = holder != self.config.identity;
        let mut next = current;
        next.spec = Some(self.spec(transitions + i32::from(changes_hands)));
        // The resource version in `next` makes the server refuse it when another was quicker.
        match self.bounded(self.api.replace(&self.config.name, &PostParams::default(), &next)).await {
            Ok(held) => Ok(self.held(held, asked_at)),
            Err(Error::Api(kube::Error::Api(status))) if status.code == 409 => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn held(&mut self, lease: Lease, asked_at: Duration) -> bool {
        // A fifth is kept back for the difference in speed between two clocks and for the call that ends last.
        self.permit.set(asked_at + self.config.duration.mul_f64(0.8));
        self.observed = Observed { lease: Some(lease), since: asked_at };
        true
    }

    fn spec(&self, transitions: i32) -> LeaseSpec {
        let now = MicroTime(self.clock.wall());
        LeaseSpec {
            holder_identity: Some(self.config.identity.clone()),
            lease_duration_seconds: i32::try_from(self.config.duration.as_secs()).ok(),
            lease_transitions: Some(transitions),
            renew_time: Some(now.clone()),
            acquire_time: Some(now),
            ..LeaseSpec::default()
        }
    }

    fn pause(&self) -> Duration {
        (self.config.duration / 5).mul_f64(self.clock.jitter())
    }

    async fn bounded<T>(&self, call: impl Future<Output = kube::Result<T>>) -> Result<T, Error> {
        let limit = self.config.duration / 5;
        tokio::time::timeout(limit, call).await.map_err(|_| Error::Slow(limit))?.map_err(Error::Api)
    }
}

/// Why the lease could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server's answer.
    #[error(transparent)]
    Api(kube::Error),
    /// None came.
    #[error("no answer from the API server within {0:?}")]
    Slow(Duration),
}

#[cfg(test)]
mod tests;
