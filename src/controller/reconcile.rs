//! One pass over one Service.

use std::sync::Arc;
use std::time::Duration;

use ferrolb_core::{Decision, Key, Pass, Report, desired, report, unknown_class};
use ferrolb_provider::{Host, Outcome, Owner, RetryClass};
use k8s_openapi::api::core::v1::Service;

use crate::controller::context::Context;
use crate::controller::rounds::until_round;
use crate::kube::write::{Error, Written};

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
        cx.retry.forget(key);
        leave(key, cx);
        return Ok(("gone", None));
    };
    if cx.write.is_stale(&service) {
        return Ok(stale(key, cx));
    }
    if !cx.may_write() {
        // A leader that was paused wakes to find another at work: not even a look, until the lease says otherwise.
        return Ok(("no permit", Some(SOON)));
    }
    match cx.read(|world| desired(&service, world, &cx.settings)) {
        Decision::NotOurs => {
            cx.retry.forget(key);
            leave(key, cx);
            if let Some(event) = cx.read(|world| unknown_class(&service, world, &cx.settings)) {
                cx.write.say(&service, &event);
            }
            if ferrolb_core::has_leftovers(&service) {
                cx.write.release(&service, &Report::default()).await?;
            }
            Ok(("ignored", None))
        }
        Decision::Refused(problems) => {
            let told = report(&service, &Pass::Refused(&problems), cx.clock.wall());
            match cx.write.report(&service, &told).await? {
                // Nothing but a change of the Service helps, and that is an event.
                Written::Now(_) => Ok(("refused", None)),
                Written::Outdated => Ok(stale(key, cx)),
            }
        }
        Decision::Release { owner, provider } => release(key, &service, &owner, provider.as_deref(), cx).await,
        Decision::Provide { provider, want, ready_endpoints } => {
            let Some(driver) = cx.registry.get(&provider) else { return Ok(("ignored", None)) };
            let mut service = service;
            // Wrong input leads to no call to the cloud, so it needs no claim.
            if driver.check(&want).is_ok() {
                let new = ferrolb_core::never_claimed(&service);
                match cx.write.claim(&service, &provider).await? {
                    Written::Now(claimed) => service = claimed,
                    Written::Outdated => return Ok(stale(key, cx)),
                }
                if new {
                    // Nobody can have made anything for it yet.
                    driver.first_seen(&want.owner);
                }
            }
            let outcome = driver.reconcile(&want, cx).await;
            log(&service, &provider, &outcome, cx);
            cx.claims.wait(key, &cx.settings.cluster, &outcome.conflicts);
            if outcome.vacated {
                wake(key, cx);
            }
            if !outcome.permit_lost {
                let pass = Pass::Provided { want: &want, ready_endpoints, outcome: &outcome };
                let told = report(&service, &pass, cx.clock.wall());
                if matches!(cx.write.report(&service, &told).await?, Written::Outdated) {
                    return Ok(stale(key, cx));
                }
            }
            Ok(next(key, &outcome, cx))
        }
    }
}

/// The cache is behind what the API server has; it catches up within a watch event.
fn stale(key: &Key, cx: &Context) -> Next {
    ("stale", Some(cx.retry.waiting(key, cx.clock.jitter())))
}

/// Cloud first, finalizer last.
async fn release(
    key: &Key,
    service: &Arc<Service>,
    owner: &Owner,
    provider: Option<&str>,
    cx: &Context,
) -> Result<Next, Error> {
    let mut service = service.clone();
    let released = |outcome: &Outcome, service: &Service| report(service, &Pass::Released(outcome), cx.clock.wall());
    // The address goes from the status before it goes from the cloud, which may give it to another at once. A copy that
    // is behind may not even be of a Service that goes.
    if !ferrolb_core::published(&service).is_empty() || cx.write.is_behind(&service) {
        match cx.write.report(&service, &released(&Outcome::default(), &service)).await? {
            Written::Now(told) => service = told,
            Written::Outdated => return Ok(stale(key, cx)),
        }
    }
    let mut done = Outcome { settled: true, ..Outcome::default() };
    // Where it is not written down who holds objects, all are asked.
    for (name, driver) in cx.registry.iter().filter(|(name, _)| provider.is_none_or(|p| p == name.as_str())) {
        let outcome = driver.release(owner, cx).await;
        log(&service, name, &outcome, cx);
        if !outcome.settled {
            if !outcome.permit_lost
                && matches!(cx.write.report(&service, &released(&outcome, &service)).await?, Written::Outdated)
            {
                return Ok(stale(key, cx));
            }
            return Ok(next(key, &outcome, cx));
        }
        done.left.extend(outcome.left);
    }
    match cx.write.release(&service, &released(&done, &service)).await? {
        Written::Now(_) => cx.retry.forget(key),
        Written::Outdated => return Ok(stale(key, cx)),
    }
    leave(key, cx);
    Ok(("released", None))
}

/// The Service asks for nothing any more.
fn leave(key: &Key, cx: &Context) {
    cx.claims.forget(key);
    wake(key, cx);
}

/// Lets those look again that wait for something that the Service may have left.
fn wake(key: &Key, cx: &Context) {
    for waiting in cx.claims.waiting_for(key) {
        // The cloud's list may not show it at once: that look is the first of a new row.
        cx.retry.forget(&waiting);
        cx.queue.add(waiting);
    }
}

/// When to look again.
fn next(key: &Key, outcome: &Outcome, cx: &Context) -> Next {
    if outcome.permit_lost {
        return ("no permit", Some(SOON));
    }
    let jitter = cx.clock.jitter();
    let endless = outcome.waits.iter().any(|w| w.until.is_none());
    let poll = endless.then(|| cx.retry.waiting(key, jitter));
    // The moment at which the cloud's lists are to be trusted is worth a look, whatever else there is.
    let sooner = [poll, until(outcome.look_again, cx)].into_iter().flatten().min();
    let at_most = |delay: Duration| sooner.map_or(delay, |sooner| sooner.min(delay));
    if let Some(class) = outcome.retry() {
        let delay = cx.retry.failed(key, class, outcome.retry_after(), jitter);
        return (
            "failed",
            Some(match class {
                RetryClass::Throttled => delay,
                // Before that nothing may be created anyway.
                RetryClass::Ambiguous => delay.max(until(outcome.look_again, cx).unwrap_or_default()),
                _ => at_most(delay),
            }),
        );
    }
    if !outcome.conflicts.is_empty() {
        // A Service of this cluster that leaves wakes us; of others nobody tells us.
        return ("conflict", Some(at_most(cx.retry.failed(key, RetryClass::Refused, None, jitter))));
    }
    if !outcome.problems.is_empty() {
        // Where the cloud was asked, its answer may change and nobody tells us: an object to adopt may appear.
        let asked = outcome.serving.is_some();
        return ("refused", asked.then(|| at_most(cx.retry.failed(key, RetryClass::Refused, None, jitter))));
    }
    if endless {
        return ("waiting", sooner);
    }
    cx.retry.succeeded(key, outcome.writes > 0);
    let mut period = cx.resync;
    if outcome.serving.as_ref().and_then(|s| s.health).is_none_or(|h| h.healthy < h.total) {
        // The cloud's checks take a while and it does not call us: look more often, and less so with time.
        period = period.min(cx.retry.unhealthy(key));
    }
    let (waiting, running) = cx.queue.depth();
    let delay = at_most(until_round(key, waiting + running, period, cx.now()));
    (if outcome.look_again.is_some() { "waiting" } else { "settled" }, Some(delay))
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
