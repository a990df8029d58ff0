use std::sync::Arc;

use futures::future::join_all;
use tokio::time::Instant;

use super::*;
use crate::client::{Clock, Request, Response, Transport, TransportError};
use crate::{ElbConfig, StaticCredentials};

/// A cloud that has one pool of each description but "none", takes 100 ms to say so, and counts calls.
#[derive(Default)]
struct Pools {
    calls: Mutex<Vec<Vec<String>>>,
    heeds_only_the_last_value: bool,
    fails: bool,
}

impl Transport for Pools {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let query = request.url.split_once('?').unwrap().1;
        let asked = query.split('&').filter_map(|pair| pair.strip_prefix("description="));
        let mut asked: Vec<String> = asked.map(str::to_owned).collect();
        lock(&self.calls).push(asked.clone());
        if asked.is_empty() {
            asked = ["a", "b", "c", "theirs"].map(String::from).to_vec();
        } else if self.heeds_only_the_last_value {
            asked.drain(..asked.len() - 1);
        }
        let pools = asked.iter().filter(|d| *d != "none").map(|d| format!(r#"{{"id":"of-{d}","description":"{d}"}}"#));
        let body = format!(r#"{{"pools":[{}]}}"#, pools.collect::<Vec<_>>().join(","));
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            match self.fails {
                true => Err(TransportError::NotSent("no route".into())),
                false => Ok(Response { status: 200, headers: Vec::new(), body: body.into_bytes() }),
            }
        })
    }
}

struct Paused(Instant);

impl Clock for Paused {
    fn utc(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

struct World {
    cloud: Arc<Pools>,
    client: Client,
    lists: Lists,
}

fn world(cloud: Pools) -> World {
    let cloud = Arc::new(cloud);
    let config = ElbConfig::new("http://cloud", "p", "vpc", "subnet");
    let credentials = Arc::new(StaticCredentials::new("ak", "sk"));
    let client = Client::new(&config, cloud.clone(), credentials, Arc::new(Paused(Instant::now())));
    World { cloud, client, lists: Lists::default() }
}

impl World {
    /// The ids of the pools of `description`, asked for after `ms`.
    async fn ask(&self, description: &str, ms: u64) -> Result<Vec<String>, ProviderError> {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        let pools = self.lists.pools.of(&self.client, vec![description.to_owned()]).await?;
        Ok(pools.into_iter().map(|pool| pool.id).collect())
    }

    /// What each call asked for.
    fn calls(&self) -> Vec<String> {
        lock(&self.cloud.calls).iter().map(|values| values.join("+")).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_in_time_shares_a_call_and_who_asks_later_gets_a_later_one() {
    let world = world(Pools::default());
    let asked = [("a", 0), ("b", 1), ("b", 2), ("none", 9), ("c", 11), ("a", 20)];
    let found = join_all(asked.map(|(description, ms)| world.ask(description, ms))).await;
    let found: Vec<String> = found.into_iter().map(|found| found.unwrap().join("+")).collect();
    assert_eq!(found, ["of-a", "of-b", "of-b", "", "of-c", "of-a"]);
    // The third was to see what the cloud has after it asked, and the first call had been sent.
    assert_eq!(world.calls(), ["a+b+none", "a+c"]);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_does_not_end_the_call_of_the_others() {
    for gives_up_at in [5, 50] {
        let world = world(Pools::default());
        let given_up = tokio::time::timeout(Duration::from_millis(gives_up_at), world.ask("a", 0));
        let (given_up, found) = tokio::join!(given_up, world.ask("b", 1));
        assert!(given_up.is_err());
        assert_eq!(found.unwrap(), ["of-b"]);
        assert_eq!(world.calls(), ["a+b"]);
    }
    // Of a call that nobody waits for any more nothing is left that could be joined.
    let world = world(Pools::default());
    assert!(tokio::time::timeout(Duration::from_millis(5), world.ask("a", 0)).await.is_err());
    assert_eq!(world.ask("b", 0).await.unwrap(), ["of-b"]);
    assert_eq!(world.calls(), ["b"]);
}

#[tokio::test(start_paused = true)]
async fn an_error_reaches_all() {
    let world = world(Pools { fails: true, ..Pools::default() });
    let found = join_all([world.ask("a", 0), world.ask("b", 0)]).await;
    assert!(found.iter().all(|found| matches!(found, Err(ProviderError::Unavailable(_)))), "{found:?}");
    assert_eq!(world.calls().len(), 1);
}

/// What a list does not show is made again.
#[tokio::test(start_paused = true)]
async fn a_cloud_that_heeds_only_one_of_several_values_is_found_out() {
    let world = world(Pools { heeds_only_the_last_value: true, ..Pools::default() });
    for _ in 0..2 {
        let found = join_all(["a", "b", "c"].map(|description| world.ask(description, 0))).await;
        assert_eq!(found.into_iter().map(|found| found.unwrap().len()).sum::<usize>(), 3);
    }
    // One is asked for alone, several by a list of all.
    let found = join_all(["a", "b"].map(|description| world.ask(description, 0))).await;
    assert!(found.into_iter().all(|found| found.unwrap().len() == 1));
    assert_eq!(world.calls(), ["a+b+c", "", "a+b+c", "", "a+b", "a"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_no_more_values_than_fit_into_its_url() {
    let world = world(Pools::default());
    let long: Vec<String> = (0..40).map(|n| format!("{n:0>180}")).collect();
    let found = join_all(long.iter().map(|description| world.ask(description, 0))).await;
    for (found, description) in found.into_iter().zip(&long) {
        assert_eq!(found.unwrap(), [format!("of-{description}")]);
    }
    let calls = lock(&world.cloud.calls).iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(calls, [20, 20]);
}
