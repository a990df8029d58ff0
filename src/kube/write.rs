//! Everything we write on a Service, all of it through `services/status`.
//!
//! Finalizer, annotation, ingress and conditions are *one* server-side apply of exactly what we own. So the rights we
//! need do not reach the spec, another controller's fields are never touched, and what we leave out of an apply is
//! what we give up. Each apply names the Service's UID, so that it never lands on a successor of the same name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ferrolb_core::{Event, FINALIZER, Key, PROVIDER_ANNOTATION, Report};
use ferrolb_provider::RetryClass;
use k8s_openapi::api::core::v1::{ObjectReference, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::kube::client::Clients;
use crate::kube::events::{Note, Sink};
use crate::telemetry::Metrics;

/// Our field manager.
const MANAGER: &str = "ferrolb";
const DEADLINE: Duration = Duration::from_secs(10);
/// The longest that a watch can be behind (`feed`).
const BEHIND_AT_MOST: Duration = Duration::from_secs(150);

/// Writes on Services.
pub struct Writer {
    client: Client,
    events: Sink,
    metrics: Metrics,
    clock: Clock,
    /// Version and moment of our last write on each Service, until the cache has caught up with it.
    written: Mutex<BTreeMap<Key, (u64, Duration)>>,
}

/// How a write ended.
#[derive(Clone, Debug)]
pub enum Written {
    /// The Service is like this now.
    Now(Arc<Service>),
    /// It is not any more as we knew it, or gone: nothing that was concluded from it may be acted upon.
    Outdated,
}

/// What an apply says.
struct Wish<'a> {
    /// There may be something of it in the cloud. Leaving this out of an apply would let the Service go.
    finalizer: bool,
    /// Who holds what there is in the cloud.
    provider: Option<&'a str>,
    ingress: Value,
    conditions: &'a [Condition],
}

impl Writer {
    /// A writer.
    pub fn new(clients: &Clients, events: Sink, clock: Clock, metrics: Metrics) -> Self {
        Self { client: clients.client.clone(), events, metrics, clock, written: Mutex::default() }
    }

    /// Whether the cached `service` is older than what we wrote ourselves; then nothing may be concluded from it.
    pub fn is_stale(&self, service: &Service) -> bool {
        // A watch is hardly ever longer behind than that. What still seems older probably is: etcd was restored from a
        // backup. The next claim asks the API server.
        self.newer(service).is_some_and(|at| self.clock.now() < at + BEHIND_AT_MOST)
    }

    /// Whether the cached `service` does not show what we wrote, however long ago: whatever is to be done because of it is
    /// to be said on it first.
    pub fn is_behind(&self, service: &Service) -> bool {
        self.newer(service).is_some()
    }

    /// When we wrote something that the cached `service` does not show yet, if we did.
    fn newer(&self, service: &Service) -> Option<Duration> {
        let key = Key::of(&service.metadata);
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let &(ours, at) = written.get(&key)?;
        if version(service) >= Some(ours) {
            written.remove(&key);
            return None;
        }
        Some(at)
    }

    /// Forgets a Service that is gone.
    pub fn forget(&self, key: &Key) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Makes sure that finalizer and annotation are there before the first call to the cloud. They may stand on a
    /// cached `service` though we have taken them off since.
    ///
    /// # Errors
    /// The API server did not take it.
    pub async fn claim(&self, service: &Arc<Service>, provider: &str) -> Result<Written, Error> {
        let held = ferrolb_core::has_finalizer(service) && ferrolb_core::holder(service) == Some(provider);
        if held && !self.is_behind(service) {
            return Ok(Written::Now(service.clone()));
        }
        let ours: Vec<Condition> = ferrolb_core::our_conditions(service).cloned().collect();
        let ingress = match ferrolb_core::never_claimed(service) {
            true => Value::Null,
            false => json!(service.status.as_ref().and_then(|s| s.load_balancer.as_ref()?.ingress.clone())),
        };
        self.apply(service, Wish { finalizer: true, provider: Some(provider), ingress, conditions: &ours }).await
    }

    /// Writes what there is to say, unless it stands there already. Finalizer and annotation stay as they are.
    ///
    /// # Errors
    /// The API server did not take it.
    pub async fn report(&self, service: &Arc<Service>, report: &Report) -> Result<Written, Error> {
        report.events.iter().for_each(|event| self.say(service, event));
        if ferrolb_core::equal(report, service) && !self.is_behind(service) {
            return Ok(Written::Now(service.clone()));
        }
        let ingress = if report.ingress.is_empty() { Value::Null } else { json!(report.ingress) };
        let (finalizer, provider) = (ferrolb_core::has_finalizer(service), ferrolb_core::holder(service));
        self.apply(service, Wish { finalizer, provider, ingress, conditions: &report.conditions }).await
    }

    /// Gives up everything we own on the Service: call it when nothing of it is left in the cloud.
    ///
    /// # Errors
    /// The API server did not take it.
    pub async fn release(&self, service: &Service, report: &Report) -> Result<Written, Error> {
        report.events.iter().for_each(|event| self.say(service, event));
        let nothing = Wish { finalizer: false, provider: None, ingress: Value::Null, conditions: &[] };
        let Written::Now(after) = self.apply(service, nothing).await? else { return Ok(Written::Outdated) };
        // Somebody else may have applied the finalizer as well (a restored backup, a manifest taken from the
        // cluster); then giving up our share of it leaves it there, and the Service would never go.
        let Some(index) = after.finalizers().iter().position(|f| f == FINALIZER) else {
            return Ok(Written::Now(after));
        };
        let path = format!("/metadata/finalizers/{index}");
        let patch: json_patch::Patch = serde_json::from_value(json!([
            {"op": "test", "path": "/metadata/uid", "value": after.uid()},
            {"op": "test", "path": path, "value": FINALIZER},
            {"op": "remove", "path": path},
        ]))?;
        self.send(service, PatchParams::default(), &Patch::<Value>::Json(patch)).await
    }

    /// Hands in an event about a Service.
    pub fn say(&self, service: &Service, event: &Event) {
        self.events.send(Note {
            about: ObjectReference {
                api_version: Some("v1".into()),
                kind: Some("Service".into()),
                name: service.metadata.name.clone(),
                namespace: service.metadata.namespace.clone(),
                uid: service.metadata.uid.clone(),
                resource_version: service.metadata.resource_version.clone(),
                field_path: None,
            },
            severity: event.severity,
            reason: event.reason.to_owned(),
            message: event.message.clone(),
        });
    }

    async fn apply(&self, service: &Service, wish: Wish<'_>) -> Result<Written, Error> {
        self.send(service, PatchParams::apply(MANAGER).force(), &Patch::Apply(self.body(service, &wish))).await
    }

    fn body(&self, service: &Service, wish: &Wish<'_>) -> Value {
        let mut metadata = json!({
            "name": service.metadata.name,
            "namespace": service.metadata.namespace,
            "uid": service.metadata.uid,
            // What was concluded from the Service must still be true of it: a report from an old one would bring back,
            // or take away, an address.
            "resourceVersion": service.metadata.resource_version,
        });
        if wish.finalizer {
            metadata["finalizers"] = json!([FINALIZER]);
        }
        if let Some(provider) = wish.provider {
            metadata["annotations"] = json!({ PROVIDER_ANNOTATION: provider });
        }
        let mut status = json!({});
        if !wish.ingress.is_null() {
            status["loadBalancer"] = json!({ "ingress": wish.ingress });
        }
        if !wish.conditions.is_empty() {
            status["conditions"] = json!(wish.conditions);
        }
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "status": status})
    }

    async fn send<P: serde::Serialize + std::fmt::Debug>(
        &self,
        service: &Service,
        params: PatchParams,
        patch: &Patch<P>,
    ) -> Result<Written, Error> {
        let api = Api::<Service>::namespaced(self.client.clone(), &service.namespace().unwrap_or_default());
        let name = service.name_any();
        self.metrics.api_writes.inc();
        let sent = tokio::time::timeout(DEADLINE, api.patch_status(&name, &params, patch)).await;
        match sent {
            Err(_) => Err(Error::Slow),
            // Gone; or a conflict: a forced apply has one on the UID and on the version only.
            Ok(Err(kube::Error::Api(status))) if matches!(status.code, 404 | 409) => {
                // Any later version may be believed, this one may not.
                self.remember(service, version(service).map(|version| version + 1));
                Ok(Written::Outdated)
            }
            Ok(Err(error)) => Err(Error::Api(Box::new(error))),
            Ok(Ok(after)) => {
                self.remember(service, version(&after));
                Ok(Written::Now(Arc::new(after)))
            }
        }
    }

    /// Nothing older than `version` is to be believed.
    fn remember(&self, service: &Service, version: Option<u64>) {
        if let Some(version) = version {
            let key = Key::of(&service.metadata);
            self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(key, (version, self.clock.now()));
        }
    }
}

/// Resource versions are comparable as numbers within one kind (KEP-5504).
fn version(service: &Service) -> Option<u64> {
    service.metadata.resource_version.as_ref()?.parse().ok()
}

/// Why a write failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server's answer.
    #[error(transparent)]
    Api(Box<kube::Error>),
    /// None came in time.
    #[error("no answer from the API server within {DEADLINE:?}")]
    Slow,
    /// A patch could not be built.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// How soon to try again.
    pub fn class(&self) -> RetryClass {
        match self {
            Self::Api(error) => match error.as_ref() {
                kube::Error::Api(status) if matches!(status.code, 401 | 403) => RetryClass::Denied,
                kube::Error::Api(status) if status.code == 429 => RetryClass::Throttled,
                kube::Error::Api(status) if matches!(status.code, 400 | 422) => RetryClass::Refused,
                _ => RetryClass::Unavailable,
            },
            Self::Slow => RetryClass::Unavailable,
            Self::Json(_) => RetryClass::Refused,
        }
    }
}

#[cfg(test)]
mod tests;
