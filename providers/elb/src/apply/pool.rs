//! Pools and their health monitors.

use serde_json::Map;

use super::{Apply, Found, Result, is_conflict, stray};
use crate::body::{self, set};
use crate::client::elb::by;
use crate::observe::name_of;
use crate::resource::{HealthMonitor, Pool, PoolKey};
use crate::settings::{is_off, send};
use crate::spec::Settings;
use crate::{mark, observe};

impl Apply<'_> {
    pub(super) async fn create_pool(&self, pool: &Pool, listener: &Found) -> Result<Found> {
        let PoolKey::Port(protocol, _) = &pool.key else {
            return Err(stray(&pool.key));
        };
        let mut body = Map::new();
        set(&mut body, "listener_id", &listener.id.0);
        set(&mut body, "protocol", &pool.protocol.map_or_else(|| protocol.to_string(), |p| p.word().to_owned()));
        set(&mut body, "lb_algorithm", &pool.algorithm.unwrap_or_default().word());
        set(&mut body, "name", &name_of(self.owner, &pool.key));
        set(&mut body, "description", &mark::description(self.owner));
        send(&mut body, &pool.settings, &Settings::new(), |_, value| !is_off(value));
        let json = self.client.create_pool(body.into()).await?;
        let mut seen = observe::pool(&json, self.owner, std::slice::from_ref(listener));
        seen.owned = true;
        if seen.parents.is_empty() {
            seen.parents.push(listener.id.clone());
        }
        Ok(seen)
    }

    pub(super) async fn update_pool(
        &self,
        pool: &Pool,
        seen: &Found,
        listener: &Found,
        fields: &[&str],
    ) -> Result<Found> {
        let mut body = Map::new();
        if fields.contains(&"lb_algorithm") {
            set(&mut body, "lb_algorithm", &pool.algorithm.unwrap_or_default().word());
        }
        send(&mut body, &pool.settings, &Settings::new(), |path, _| fields.contains(&path));
        let json = self.client.update_pool(&seen.id.0, body.into()).await?;
        Ok(observe::pool(&json, self.owner, std::slice::from_ref(listener)))
    }

    pub(super) async fn create_monitor(&self, monitor: &HealthMonitor, pool: &Found) -> Result<Found> {
        let mut body = body::monitor(monitor);
        set(&mut body, "pool_id", &pool.id.0);
        let json = match self.client.create_monitor(body.into()).await {
            // An earlier call made it and its answer was lost.
            Err(error) if is_conflict(&error) => {
                let Some(id) = self.client.pool(&pool.id.0).await?.healthmonitor_id else {
                    return Err(error);
                };
                let found = self.client.monitors(by("id", &id)).await?;
                found.into_iter().next().ok_or(error)?
            }
            other => other?,
        };
        observe::monitor(&json, pool).ok_or_else(|| stray(&monitor.pool))
    }
}
