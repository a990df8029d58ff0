use std::sync::Arc;
use std::time::Duration;

use ferrolb_provider::{BoxFuture, Provider};
use futures::StreamExt;
use tokio::time::Instant;

use super::*;
use crate::client::{Request, Response, Transport, TransportError};
use crate::{Clock, Elb, ElbConfig, StaticCredentials};

/// A cloud in which a Service with one port is complete, and that answers at once.
struct Complete {
    description: String,
    alias: String,
}

impl Transport for Complete {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let (description, alias) = (&self.description, &self.alias);
        let path = request.url.split('?').next().unwrap();
        let body = match path.rsplit('/').next().unwrap() {
            "loadbalancers" => format!(r#"{{"loadbalancers":[{{"id":"lb","description":"{description}"}}]}}"#),
            "publicips" => format!(r#"{{"publicips":[{{"id":"eip","alias":"{alias}"}}]}}"#),
            "listeners" => format!(
                r#"{{"listeners":[{{"id":"li","description":"{description}","protocol":"TCP","protocol_port":80,"loadbalancers":[{{"id":"lb"}}]}}]}}"#
            ),
            "pools" => format!(
                r#"{{"pools":[{{"id":"po","description":"{description}","listeners":[{{"id":"li"}}],"members":[{{"id":"me"}}],"healthmonitor_id":"hm"}}]}}"#
            ),
            "ipgroups" => r#"{"ipgroups":[]}"#.into(),
            "healthmonitors" => r#"{"healthmonitors":[{"id":"hm","type":"TCP","pools":[{"id":"po"}]}]}"#.into(),
            "members" => r#"{"members":[{"id":"me","address":"10.0.0.7","protocol_port":30080}]}"#.into(),
            other => panic!("{other}"),
        };
        Box::pin(async { Ok(Response { status: 200, headers: Vec::new(), body: body.into_bytes() }) })
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

#[tokio::test(start_paused = true)]
async fn our_own_rate_limit_makes_many_services_slow_and_none_fail() {
    let owner = Owner { cluster: "c".into(), uid: "u".into(), namespace: "ns".into(), name: "web".into() };
    let cloud = Complete { description: mark::description(&owner), alias: mark::alias(&owner) };
    let config = ElbConfig::new("http://cloud", "p", "vpc", "subnet");
    let (rate, burst) = (config.limits.per_second, config.limits.burst);
    assert_eq!(rate, 20.0);
    let began = Instant::now();
    let elb = Elb::new(config, Arc::new(cloud), Arc::new(StaticCredentials::new("ak", "sk")), Arc::new(Paused(began)));
    let passes = futures::stream::iter(0..300).map(|_| elb.list(&owner, &[])).buffer_unordered(32);
    let results: Vec<_> = passes.collect().await;
    for result in &results {
        // Balancer, EIP, listener, pool, monitor, member: six reads.
        assert_eq!(result.as_ref().unwrap().len(), 6);
    }
    // And one more, for a group of those who may connect.
    let least = (300.0 * 7.0 - burst) / rate;
    let took = began.elapsed().as_secs_f64();
    assert!((least - 0.01..least * 1.03).contains(&took), "{took} s, not {least}");
}
