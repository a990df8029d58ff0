use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferrolb_provider::{BoxFuture, Provider};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::client::{Request, Response, Transport, TransportError};
use crate::{CallRecord, Clock, Elb, ElbConfig, Limits, Observer, StaticCredentials};

/// A cloud in which each Service that is asked for is complete with one port, and that answers at once.
struct Complete;

impl Transport for Complete {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let (path, query) = request.url.split_once('?').unwrap();
        let kind = path.rsplit('/').next().unwrap();
        let values = query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(name, _)| *name != "limit");
        // The members of one pool have a path of their own.
        let pool = path.strip_suffix("/members").and_then(|path| path.split_once("/pools/")).map(|(_, pool)| pool);
        let objects = values.map(|(_, value)| value).chain(pool).map(|value| {
            let value = value.replace("%20", " ").replace("%3D", "=").replace("%2F", "/");
            // A mark names the UID, and ids end in it.
            let uid =
                mark::owner_in(&value).map_or_else(|| value.rsplit('-').next().unwrap().into(), |owner| owner.uid);
            match kind {
                "loadbalancers" => json!({"id": format!("lb-{uid}"), "description": value}),
                "publicips" => json!({"id": "eip", "alias": value}),
                "listeners" => json!({
                    "id": format!("li-{uid}"), "description": value, "protocol": "TCP", "protocol_port": 80,
                    "loadbalancers": [{"id": format!("lb-{uid}")}]}),
                "pools" => json!({
                    "id": format!("po-{uid}"), "description": value, "listeners": [{"id": format!("li-{uid}")}],
                    "members": [{"id": "me"}], "healthmonitor_id": format!("hm-{uid}")}),
                "healthmonitors" => json!({"id": value, "type": "TCP", "pools": [{"id": format!("po-{uid}")}]}),
                "members" => json!({"id": "me", "pool_id": value, "address": "10.0.0.7", "protocol_port": 30080}),
                _ => Value::Null,
            }
        });
        let objects: Vec<Value> = if kind == "ipgroups" { Vec::new() } else { objects.collect() };
        let body = json!({kind: objects}).to_string().into_bytes();
        Box::pin(async { Ok(Response { status: 200, headers: Vec::new(), body }) })
    }
}

/// tokio's clock, which tests pause.
struct Paused(Instant);

impl Clock for Paused {
    fn utc(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

fn owner(number: usize) -> Owner {
    // As long as they are in a cluster.
    let (cluster, uid) = (format!("{:c>36}", ""), format!("{number:0>36}"));
    Owner { cluster, uid, namespace: "ns".into(), name: format!("web{number}") }
}

fn elb(limits: Limits) -> Elb {
    let config = ElbConfig { limits, ..ElbConfig::new("http://cloud", "p", "vpc", "subnet") };
    Elb::new(config, Arc::new(Complete), Arc::new(StaticCredentials::new("ak", "sk")), Arc::new(Paused(Instant::now())))
}

#[tokio::test(start_paused = true)]
async fn our_own_rate_limit_makes_many_services_slow_and_none_fail() {
    let (per_second, burst) = (20.0, 40.0);
    assert_eq!(ElbConfig::new("http://cloud", "p", "vpc", "subnet").limits.per_second, per_second);
    let elb = elb(Limits { per_second, burst });
    let began = Instant::now();
    // None is under way with another one, which would share its calls.
    let passes = futures::stream::iter(0..300).map(|n| {
        let elb = &elb;
        async move {
            tokio::time::sleep(Duration::from_millis(11 * n as u64)).await;
            elb.list(&owner(n), &[ElbResource::LoadBalancer(Default::default())]).await
        }
    });
    let results: Vec<_> = passes.buffer_unordered(300).collect().await;
    for result in &results {
        // Balancer, EIP, listener, pool, monitor, member: six reads.
        assert_eq!(result.as_ref().unwrap().len(), 6);
    }
    // And two more, for a group of those who may connect and for EIPs of the user's.
    let least = (300.0 * 8.0 - burst) / per_second;
    let took = began.elapsed().as_secs_f64();
    assert!((least - 0.01..least * 1.05).contains(&took), "{took} s, not {least}");
}

/// One read for each kind of object where a Service is alone; shared by all that are looked at at the same time.
#[tokio::test(start_paused = true)]
async fn services_that_are_looked_at_together_share_the_lists() {
    for (services, reads, more) in [(1, 6, 2), (20, 6, 2), (100, 18, 5)] {
        let elb = elb(Limits { per_second: 1e9, burst: 1e9 });
        let calls = Arc::new(Calls::default());
        let elb = elb.observed_by(calls.clone());
        let looks = (0..services).map(|n| {
            let (elb, model) = (&elb, [ElbResource::LoadBalancer(Default::default())]);
            async move {
                // What is due at one moment does not begin at the very same one.
                tokio::time::sleep(Duration::from_micros(70 * n as u64)).await;
                elb.list(&owner(n), &model).await
            }
        });
        // The first tells that there is no group of those who may connect, and no EIP of the user's: it is remembered.
        for wanted in [reads + more, reads] {
            let seen = futures::future::try_join_all(looks.clone()).await.unwrap();
            assert!(seen.iter().all(|seen| seen.len() == 6));
            assert_eq!(calls.0.swap(0, Ordering::Relaxed), wanted, "{services} Services");
        }
    }
}

#[derive(Default)]
struct Calls(AtomicUsize);

impl Observer for Calls {
    fn called(&self, _: CallRecord) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
