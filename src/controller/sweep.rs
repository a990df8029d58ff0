//! Looks for cloud objects whose Service is gone.
//!
//! The finalizer keeps a Service until nothing of it is left, so there should be none. There are when somebody
//! removed the finalizer by hand, or a cluster was restored from a backup. What is an orphan is decided by a list
//! taken from the API server just now, after the list of the cloud; the cache would do it wrong some day.

use std::collections::BTreeSet;

use ferrolb_core::{Claim, claim, has_finalizer};

use crate::controller::context::Context;
use crate::kube::client::Clients;

/// One sweep over all providers. What it could not do, the next one does.
pub async fn sweep(clients: &Clients, cx: &Context) {
    for (name, driver) in &cx.registry {
        let owners = match driver.owners(&cx.settings.cluster).await {
            Ok(owners) if owners.is_empty() => continue,
            Ok(owners) => owners,
            Err(error) => {
                tracing::warn!(provider = name, %error, "sweep: cannot list the cloud's objects");
                continue;
            }
        };
        let kept = match kept(clients, cx).await {
            Ok(kept) => kept,
            Err(error) => {
                tracing::warn!(%error, "sweep: cannot list Services");
                return;
            }
        };
        for owner in owners.iter().filter(|owner| !kept.contains(&owner.uid)) {
            let outcome = driver.release(owner, cx).await;
            tracing::warn!(provider = name, %owner, removed = ?outcome.applied, settled = outcome.settled, "orphan released");
            let label = crate::telemetry::ProviderLabel { provider: name.clone() };
            cx.metrics.orphans.get_or_create(&label).inc();
        }
    }
}

/// UIDs of the Services that are ours or still bear our finalizer.
async fn kept(clients: &Clients, cx: &Context) -> kube::Result<BTreeSet<String>> {
    let services = clients.services().await?;
    let kept = services.into_iter().filter(|service| {
        has_finalizer(service) || cx.read(|world| !matches!(claim(service, world, &cx.settings), Claim::NotOurs))
    });
    Ok(kept.filter_map(|service| service.metadata.uid).collect())
}
