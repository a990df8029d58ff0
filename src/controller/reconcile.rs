//! One pass over one Service.

use std::sync::Arc;
use std::time::Duration;

use ferrolb_core::{Decision, Key, Pass, desired, report};
use ferrolb_provider::{Host, Outcome, Owner, RetryClass};
use k8s_openapi::api::core::v1::Service;

use crate::controller::context::Context;
use crate::kube::write::Error;

/// The cache is behind our own write; it catches up within a watch event.
const STALE: Duration = Duration::from_millis(50);
/// The lease is about to be renewed, or is lost and the process about to end.
const SOON: Duration = Duration::from_secs(1);

/// How a pass ended: a word for the metrics and the delay until the next, if any.
pub type Next = (&'static str, Option<Duration>);

/// One pass. Refused input is a result like others; an error is the API server's.
///
/// # Errors
/// The API server did not take a write.
pub async fn reconcile(key: &Key, cx: &Context) -> Result<Next, Error> {
    let Some(service) = cx.read(|world| world.service(key).cloned()) else {
        cx.write.forget(key);
        cx.retry.settled(key);
        return Ok(("gone", None));
    };
    if cx.write.is_stale(&service) {
        return Ok(("stale", Some(STALE)));
    }
    if !cx.may_write() {
        // A leader that was paused wakes to find another at work: not even a look, until the lease says otherwise.
        return Ok(("no permit", Some(SOON)));
    }
    match cx.read(|world| desired(&service, world, &cx.settings)) {
        Decision::NotOurs => {
            cx.retry.settled(key);
            Ok(("ignored", None))
        }
        Decision::Refused(problems) => {
            let told = report(&service, &Pass::Refused(&problems), cx.clock.wall());
            cx.write.report(&service, None, &told).await?;
            // Nothing but a change of the Service helps, and that is an event.
            Ok(("refused", None))
        }
        Decision::Release { owner, provider } => release(key, &service, &owner, provider.as_deref(), cx).await,
        Decision::Provide { provider, want, ready_endpoints } => {
            let Some(driver) = cx.registry.get(&provider) else { return Ok(("ignored", None)) };
            // Wrong input leads to no call to the cloud, so it needs no claim.
            let claimed = driver.check(&want).is_ok().then_some(provider.as_str());
            if let Some(provider) = claimed
                && cx.write.claim(&service, provider).await?
            {
                driver.first_seen(&want.owner);
            }
            let outcome = driver.reconcile(&want, cx).await;
            log(&service, &provider, &outcome, cx);
            if !outcome.permit_lost {
                let pass = Pass::Provided { want: &want, ready_endpoints, outcome: &outcome };
                cx.write.report(&service, claimed, &report(&service, &pass, cx.clock.wall())).await?;
            }
            Ok(next(key, &outcome, cx))
        }
    }
}

/// Cloud first, finalizer last.
async fn release(
    key: &Key,
    service: &Arc<Service>,
    owner: &Owner,
    provider: Option<&str>,
    cx: &Context,
) -> Result<Next, Error> {
    // Where it is not written down who holds objects, all are asked.
    for (name, driver) in cx.registry.iter().filter(|(name, _)| provider.is_none_or(|p| p == name.as_str())) {
        let outcome = driver.release(owner, cx).await;
        log(service, name, &outcome, cx);
        if !outcome.settled {
            if !outcome.permit_lost {
                let told = report(service, &Pass::Released(&outcome), cx.clock.wall());
                cx.write.report(service, None, &told).await?;
            }
            return Ok(next(key, &outcome, cx));
        }
    }
    let told = report(service, &Pass::Released(&Outcome { settled: true, ..Outcome::default() }), cx.clock.wall());
    cx.write.release(service, &told).await?;
    cx.retry.settled(key);
    Ok(("released", None))
}

/// When to look again.
fn next(key: &Key, outcome: &Outcome, cx: &Context) -> Next {
    if outcome.permit_lost {
        return ("no permit", Some(SOON));
    }
    if let Some(class) = outcome.retry() {
        let mut delay = cx.retry.failed(key, class, outcome.retry_after(), cx.clock.jitter());
        if class == RetryClass::Ambiguous {
            // Before that no create is allowed anyway.
            delay = delay.max(until(outcome.look_again, cx).unwrap_or_default());
        }
        return ("failed", Some(delay));
    }
    if !outcome.problems.is_empty() {
        // An adopted object may appear, and nobody tells us.
        let delay = cx.retry.failed(key, RetryClass::Refused, None, cx.clock.jitter());
        return ("refused", outcome.serving.is_some().then_some(delay));
    }
    if outcome.waits.iter().any(|w| w.until.is_none()) {
        return ("waiting", Some(cx.retry.waiting(key, cx.clock.jitter())));
    }
    let unhealthy = outcome.serving.as_ref().and_then(|s| s.health).is_none_or(|h| h.healthy < h.total);
    if outcome.writes > 0 || !unhealthy {
        cx.retry.settled(key);
    }
    let (result, mut delay) = match until(outcome.look_again, cx) {
        Some(delay) => ("waiting", delay),
        None => ("settled", cx.resync.mul_f64(cx.clock.jitter())),
    };
    if unhealthy {
        // The cloud's checks take a while and it does not call us: look more often, and less so with time.
        delay = delay.min(cx.retry.failed(key, RetryClass::Unavailable, None, cx.clock.jitter()));
    }
    (result, Some(delay))
}

fn until(moment: Option<Duration>, cx: &Context) -> Option<Duration> {
    moment.map(|moment| moment.saturating_sub(cx.now()) + Duration::from_millis(10))
}

fn log(service: &Service, provider: &str, outcome: &Outcome, cx: &Context) {
    let label = crate::telemetry::ProviderLabel { provider: provider.to_owned() };
    cx.metrics.cloud_writes.get_or_create(&label).inc_by(outcome.writes as u64);
    let (namespace, name) = (service.metadata.namespace.as_deref(), service.metadata.name.as_deref());
    let uid = service.metadata.uid.as_deref();
    for step in &outcome.applied {
        tracing::debug!(namespace, name, uid, provider, %step, "applied");
    }
    for failure in &outcome.failures {
        let slot = failure.slot.as_ref().map(ToString::to_string);
        tracing::warn!(namespace, name, uid, provider, slot, error = %failure.error, "failed");
    }
}
